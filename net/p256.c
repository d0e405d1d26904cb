/* SPDX-License-Identifier: Apache-2.0 */
/* libcrypto makes a private key of a scalar only together with its point, so that is computed
 * first. */
#include "net/p256.h"

#include <errno.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/obj_mac.h>
#include <openssl/param_build.h>
#include <stdlib.h>
#include <string.h>

enum { SIGNATURE_DER_BYTES_MAX = 80 }; /* two integers of 33 bytes and three heads: 72 */

struct p256_key {
    EVP_PKEY *pair;
    unsigned char public_key[P256_PUBLIC_BYTES];
};

/* The point of a scalar. -EINVAL: there is none. */
static int
point_of(const BIGNUM *scalar, unsigned char out[P256_PUBLIC_BYTES])
{
    int error = -ENOMEM;
    EC_GROUP *group = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1);
    EC_POINT *point = group != NULL ? EC_POINT_new(group) : NULL;
    if (point == NULL) {
        goto out;
    }
    if (BN_is_zero(scalar) || BN_cmp(scalar, EC_GROUP_get0_order(group)) >= 0) {
        error = -EINVAL;
        goto out;
    }
    if (EC_POINT_mul(group, point, scalar, NULL, NULL, NULL) == 1 &&
        EC_POINT_point2oct(group, point, POINT_CONVERSION_UNCOMPRESSED, out, P256_PUBLIC_BYTES,
                           NULL) == P256_PUBLIC_BYTES) {
        error = 0;
    }
out:
    EC_POINT_free(point);
    EC_GROUP_free(group);
    return error;
}

/* A key of its point and, unless NULL, its scalar; NULL: the point is not on the curve, or there is
 * no memory. */
static EVP_PKEY *
key_make(const unsigned char public_key[P256_PUBLIC_BYTES], const BIGNUM *scalar)
{
    EVP_PKEY *made = NULL;
    OSSL_PARAM *params = NULL;
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
    OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
    if (context == NULL || build == NULL ||
        OSSL_PARAM_BLD_push_utf8_string(build, OSSL_PKEY_PARAM_GROUP_NAME, "prime256v1", 0) != 1 ||
        OSSL_PARAM_BLD_push_octet_string(build, OSSL_PKEY_PARAM_PUB_KEY, public_key,
                                         P256_PUBLIC_BYTES) != 1 ||
        (scalar != NULL && OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_PRIV_KEY, scalar) != 1)) {
        goto out;
    }
    params = OSSL_PARAM_BLD_to_param(build);
    if (params == NULL || EVP_PKEY_fromdata_init(context) != 1 ||
        EVP_PKEY_fromdata(context, &made, scalar != NULL ? EVP_PKEY_KEYPAIR : EVP_PKEY_PUBLIC_KEY,
                          params) != 1) {
        made = NULL;
    }
out:
    OSSL_PARAM_free(params);
    OSSL_PARAM_BLD_free(build);
    EVP_PKEY_CTX_free(context);
    return made;
}

int
p256_open(const unsigned char scalar[P256_SCALAR_BYTES], struct p256_key **out)
{
    int error = -ENOMEM;
    struct p256_key *key = calloc(1, sizeof *key);
    BIGNUM *number = BN_secure_new();
    if (key == NULL || number == NULL || BN_bin2bn(scalar, P256_SCALAR_BYTES, number) == NULL) {
        goto out;
    }
    error = point_of(number, key->public_key);
    if (error == 0) {
        key->pair = key_make(key->public_key, number);
        error = key->pair != NULL ? 0 : -ENOMEM;
    }
    if (error == 0) {
        *out = key;
        key = NULL;
    }
out:
    free(key);
    BN_clear_free(number);
    return error;
}

void
p256_close(struct p256_key **key)
{
    if (*key != NULL) {
        EVP_PKEY_free((*key)->pair);
        free(*key);
        *key = NULL;
    }
}

void
p256_public(const struct p256_key *key, unsigned char out[P256_PUBLIC_BYTES])
{
    memcpy(out, key->public_key, P256_PUBLIC_BYTES);
}

bool
p256_public_valid(const unsigned char public_key[P256_PUBLIC_BYTES])
{
    EVP_PKEY *key = public_key[0] == 4 ? key_make(public_key, NULL) : NULL;
    EVP_PKEY_free(key);
    return key != NULL;
}

int
p256_agree(const struct p256_key *key, const unsigned char peer[P256_PUBLIC_BYTES],
           unsigned char out[P256_SECRET_BYTES])
{
    size_t bytes = P256_SECRET_BYTES;
    EVP_PKEY *other = peer[0] == 4 ? key_make(peer, NULL) : NULL;
    if (other == NULL) {
        return -EINVAL;
    }
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(key->pair, NULL);
    bool agreed = context != NULL && EVP_PKEY_derive_init(context) == 1 &&
                  EVP_PKEY_derive_set_peer(context, other) == 1 &&
                  EVP_PKEY_derive(context, out, &bytes) == 1 && bytes == P256_SECRET_BYTES;
    EVP_PKEY_CTX_free(context);
    EVP_PKEY_free(other);
    return agreed ? 0 : -ENOMEM;
}

int
p256_sign(const struct p256_key *key, const void *bytes, size_t count,
          unsigned char out[P256_SIGNATURE_BYTES])
{
    unsigned char der[SIGNATURE_DER_BYTES_MAX];
    const unsigned char *at = der;
    size_t der_bytes = sizeof der;
    ECDSA_SIG *signature = NULL;
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    if (context != NULL && EVP_DigestSignInit(context, NULL, EVP_sha256(), NULL, key->pair) == 1 &&
        EVP_DigestSign(context, der, &der_bytes, bytes, count) == 1) {
        signature = d2i_ECDSA_SIG(NULL, &at, (long)der_bytes);
    }
    bool signed_ = signature != NULL &&
                   BN_bn2binpad(ECDSA_SIG_get0_r(signature), out, P256_SIGNATURE_BYTES / 2) > 0 &&
                   BN_bn2binpad(ECDSA_SIG_get0_s(signature), out + P256_SIGNATURE_BYTES / 2,
                                P256_SIGNATURE_BYTES / 2) > 0;
    ECDSA_SIG_free(signature);
    EVP_MD_CTX_free(context);
    return signed_ ? 0 : -ENOMEM;
}
