/* SPDX-License-Identifier: Apache-2.0 */
#include "net/webpush.h"

#include "net/base64.h"
#include "tests/spec.h"

#include <errno.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

/* RFC 8291, appendix A. */
#define UA_PUBLIC \
    "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"
#define UA_PRIVATE "q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94"
#define AS_PUBLIC \
    "BP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A8"
#define AS_PRIVATE "yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw"
#define AUTH "BTBZMqHH6r4Tts7J_aSIgg"
#define SALT "DGv6ra1nlYgDCS1FRnbzlw"
#define BODY                                                                                   \
    "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmY" \
    "WAmS6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexS" \
    "gSxsj_Qulcy4a-fN"
static const char text[] = "When I grow up, I want to be a watermelon";

static void
decode(const char *encoded, void *out, size_t expected)
{
    unsigned char room[512];
    size_t count = 0;
    assert_true(base64_decoded_bytes_max(strlen(encoded)) <= sizeof room);
    assert_int_equal(base64_decode(encoded, strlen(encoded), room, &count), 0);
    assert_int_equal(count, expected);
    memcpy(out, room, count);
}

static struct webpush_keys
example_keys(void)
{
    struct webpush_keys keys;
    decode(UA_PUBLIC, keys.p256dh, sizeof keys.p256dh);
    decode(AUTH, keys.auth, sizeof keys.auth);
    return keys;
}

static struct webpush_secrets
example_secrets(void)
{
    struct webpush_secrets secrets;
    decode(SALT, secrets.salt, sizeof secrets.salt);
    decode(AS_PRIVATE, secrets.scalar, sizeof secrets.scalar);
    return secrets;
}

static struct p256_key *
key_of(const char *scalar_text)
{
    struct p256_key *key = NULL;
    unsigned char scalar[P256_SCALAR_BYTES];
    decode(scalar_text, scalar, sizeof scalar);
    assert_int_equal(p256_open(scalar, &key), 0);
    return key;
}

/* ----------------------------------------------------------------------------------------- keys */

static void
derives_public(void **state)
{
    (void)state;
    unsigned char expected[P256_PUBLIC_BYTES];
    unsigned char found[P256_PUBLIC_BYTES];
    struct p256_key *key = key_of(AS_PRIVATE);
    decode(AS_PUBLIC, expected, sizeof expected);
    p256_public(key, found);
    assert_memory_equal(found, expected, sizeof found);
    p256_close(&key);
    assert_null(key);
    p256_close(&key);
}

static void
agrees(void **state)
{
    (void)state;
    unsigned char public_key[P256_PUBLIC_BYTES];
    unsigned char here[P256_SECRET_BYTES];
    unsigned char there[P256_SECRET_BYTES];
    unsigned char expected[P256_SECRET_BYTES];
    struct p256_key *ours = key_of(AS_PRIVATE);
    struct p256_key *theirs = key_of(UA_PRIVATE);
    p256_public(theirs, public_key);
    assert_int_equal(p256_agree(ours, public_key, here), 0);
    p256_public(ours, public_key);
    assert_int_equal(p256_agree(theirs, public_key, there), 0);
    decode("kyrL1jIIOHEzg3sM2ZWRHDRB62YACZhhSlknJ672kSs", expected, sizeof expected);
    assert_memory_equal(here, expected, sizeof here);
    assert_memory_equal(there, expected, sizeof there);
    p256_close(&ours);
    p256_close(&theirs);
}

static void
refuses_keys(void **state)
{
    (void)state;
    static const unsigned char order[P256_SCALAR_BYTES] = {
        0xff, 0xff, 0xff, 0xff, 0,    0,    0,    0,    0xff, 0xff, 0xff,
        0xff, 0xff, 0xff, 0xff, 0xff, 0xbc, 0xe6, 0xfa, 0xad, 0xa7, 0x17,
        0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
    };
    unsigned char scalar[P256_SCALAR_BYTES] = {0};
    unsigned char point[P256_PUBLIC_BYTES];
    unsigned char secret[P256_SECRET_BYTES];
    struct p256_key *key = NULL;
    assert_int_equal(p256_open(scalar, &key), -EINVAL);
    assert_int_equal(p256_open(order, &key), -EINVAL);
    assert_null(key);
    memcpy(scalar, order, sizeof scalar);
    scalar[P256_SCALAR_BYTES - 1]--;
    assert_int_equal(p256_open(scalar, &key), 0);
    decode(UA_PUBLIC, point, sizeof point);
    assert_true(p256_public_valid(point));
    point[40] ^= 1;
    assert_false(p256_public_valid(point));
    assert_int_equal(p256_agree(key, point, secret), -EINVAL);
    point[40] ^= 1;
    point[0] = 6; /* the hybrid form of the same point */
    assert_false(p256_public_valid(point));
    assert_int_equal(p256_agree(key, point, secret), -EINVAL);
    p256_close(&key);
}

/* ---------------------------------------------------------------------------------- encryption */

static void
encrypts_example(void **state)
{
    (void)state;
    struct webpush_keys keys = example_keys();
    struct webpush_secrets secrets = example_secrets();
    unsigned char body[512];
    unsigned char expected[144];
    size_t count = 0;
    decode(BODY, expected, sizeof expected);
    assert_int_equal(
        webpush_encrypt(&keys, &secrets, text, sizeof text - 1, body, sizeof body, &count), 0);
    assert_int_equal(count, sizeof expected);
    assert_memory_equal(body, expected, count);
}

static void
encryption_is_bounded(void **state)
{
    (void)state;
    static unsigned char body[WEBPUSH_BODY_BYTES_MAX];
    static const unsigned char long_text[WEBPUSH_TEXT_BYTES_MAX + 1];
    struct webpush_keys keys = example_keys();
    struct webpush_secrets secrets = example_secrets();
    size_t count = 7;
    assert_int_equal(webpush_encrypt(&keys, &secrets, long_text, WEBPUSH_TEXT_BYTES_MAX + 1, body,
                                     sizeof body, &count),
                     -EMSGSIZE);
    assert_int_equal(webpush_encrypt(&keys, &secrets, long_text, WEBPUSH_TEXT_BYTES_MAX, body,
                                     sizeof body - 1, &count),
                     -ENOBUFS);
    assert_int_equal(count, 7);
    assert_int_equal(webpush_encrypt(&keys, &secrets, long_text, WEBPUSH_TEXT_BYTES_MAX, body,
                                     sizeof body, &count),
                     0);
    assert_int_equal(count, WEBPUSH_BODY_BYTES_MAX);
}

static void
encryption_needs_keys(void **state)
{
    (void)state;
    struct webpush_keys keys = example_keys();
    struct webpush_secrets secrets = example_secrets();
    unsigned char body[512];
    size_t count = 0;
    keys.p256dh[1] ^= 1;
    assert_int_equal(webpush_encrypt(&keys, &secrets, text, 1, body, sizeof body, &count), -EINVAL);
    keys = example_keys();
    memset(secrets.scalar, 0, sizeof secrets.scalar);
    assert_int_equal(webpush_encrypt(&keys, &secrets, text, 1, body, sizeof body, &count), -EINVAL);
}

/* ---------------------------------------------------------------------------------------- VAPID */

/* What libcrypto says of "t=HEAD.CLAIMS.SIGNATURE, k=KEY". */
static bool
verifies(const char *value)
{
    const char *token = value + strlen("vapid t=");
    const char *signature = strrchr(token, '.') + 1;
    unsigned char raw[P256_SIGNATURE_BYTES];
    unsigned char point[P256_PUBLIC_BYTES];
    char signature_text[87] = "";
    memcpy(signature_text, signature, sizeof signature_text - 1);
    decode(signature_text, raw, sizeof raw);
    decode(strstr(value, "k=") + 2, point, sizeof point);
    char group[] = "prime256v1";
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0),
        OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point, sizeof point),
        OSSL_PARAM_construct_end(),
    };
    EVP_PKEY *key = NULL;
    EVP_PKEY_CTX *making = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
    assert_int_equal(EVP_PKEY_fromdata_init(making), 1);
    assert_int_equal(EVP_PKEY_fromdata(making, &key, EVP_PKEY_PUBLIC_KEY, params), 1);
    EVP_PKEY_CTX_free(making);
    ECDSA_SIG *pair = ECDSA_SIG_new();
    assert_int_equal(ECDSA_SIG_set0(pair, BN_bin2bn(raw, 32, NULL), BN_bin2bn(raw + 32, 32, NULL)),
                     1);
    unsigned char *der = NULL;
    int der_bytes = i2d_ECDSA_SIG(pair, &der);
    assert_true(der_bytes > 0);
    ECDSA_SIG_free(pair);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    assert_int_equal(EVP_DigestVerifyInit(context, NULL, EVP_sha256(), NULL, key), 1);
    bool good = EVP_DigestVerify(context, der, (size_t)der_bytes, (const unsigned char *)token,
                                 (size_t)(signature - 1 - token)) == 1;
    EVP_MD_CTX_free(context);
    EVP_PKEY_free(key);
    OPENSSL_free(der);
    return good;
}

static const struct webpush_claim claim = {
    .origin = "https://push.example.net",
    .subject = "mailto:push@example.com",
    .expires_s = 1453523768,
};

static void
authorizes(void **state)
{
    (void)state;
    struct p256_key *key = key_of(AS_PRIVATE);
    char value[WEBPUSH_AUTHORIZATION_BYTES_MAX];
    char claims[256] = "";
    assert_int_equal(webpush_authorize(key, &claim, value, sizeof value), 0);
    /* RFC 8292, 2.4: the head is this text. */
    static const char head[] = "vapid t=eyJ0eXAiOiJKV1QiLCJhbGciOiJFUzI1NiJ9.";
    assert_memory_equal(value, head, sizeof head - 1);
    const char *begin = value + sizeof head - 1;
    size_t count = 0;
    assert_int_equal(base64_decode(begin, (size_t)(strchr(begin, '.') - begin), claims, &count), 0);
    assert_string_equal(claims, "{\"aud\":\"https://push.example.net\",\"exp\":1453523768,"
                                "\"sub\":\"mailto:push@example.com\"}");
    assert_string_equal(strstr(value, ", k="), ", k=" AS_PUBLIC);
    assert_true(verifies(value));
    value[sizeof head] ^= 1;
    assert_false(verifies(value));
    p256_close(&key);
}

static void
authorization_is_bounded(void **state)
{
    (void)state;
    struct p256_key *key = key_of(AS_PRIVATE);
    char value[WEBPUSH_AUTHORIZATION_BYTES_MAX];
    char origin[WEBPUSH_ORIGIN_BYTES_MAX];
    char subject[WEBPUSH_SUBJECT_BYTES_MAX];
    memset(origin, 'o', sizeof origin);
    memset(subject, 's', sizeof subject);
    origin[sizeof origin - 1] = '\0';
    subject[sizeof subject - 1] = '\0';
    struct webpush_claim longest = {origin, subject, UINT64_MAX};
    assert_int_equal(webpush_authorize(key, &longest, value, sizeof value), 0);
    assert_true(verifies(value));
    size_t count = strlen(value);
    assert_int_equal(webpush_authorize(key, &longest, value, count), -ENOBUFS);
    assert_int_equal(webpush_authorize(key, &longest, value, count + 1), 0);
    struct webpush_claim bad = claim;
    bad.subject = "mailto:\"x\"";
    assert_int_equal(webpush_authorize(key, &bad, value, sizeof value), -EINVAL);
    bad.subject = "";
    assert_int_equal(webpush_authorize(key, &bad, value, sizeof value), -EINVAL);
    bad = claim;
    bad.origin = "https://h\\";
    assert_int_equal(webpush_authorize(key, &bad, value, sizeof value), -EINVAL);
    p256_close(&key);
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("a private key has the public half that RFC 8291 prints", derives_public),
        SPEC("both sides agree on the secret that RFC 8291 prints", agrees),
        SPEC("numbers and points that are no keys are refused", refuses_keys),
        SPEC("the example of RFC 8291, appendix A, is encrypted to the byte", encrypts_example),
        SPEC("a text may be so long that its body has 4,096 bytes", encryption_is_bounded),
        SPEC("without good keys nothing is encrypted", encryption_needs_keys),
        SPEC("an authorization is a signed claim for one origin, with its key", authorizes),
        SPEC("an authorization is bounded, and holds nothing to escape", authorization_is_bounded),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
