/* SPDX-License-Identifier: Apache-2.0 */
#include "net/webpush.h"

#include "net/base64.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <string.h>

enum {
    HASH_BYTES = 32, /* SHA-256 */
    KEY_BYTES = 16,  /* AES-128 */
    NONCE_BYTES = 12,
    TAG_BYTES = 16,
    DELIMITER_LAST = 2, /* RFC 8188, 2: no record follows */
    CLAIM_BYTES_MAX = 512,
};

/* ------------------------------------------------------------------------------------- the keys */

/* The content's key and nonce. */
struct content_keys {
    unsigned char key[KEY_BYTES];
    unsigned char nonce[NONCE_BYTES];
};

static bool
mac(const unsigned char *key, size_t key_bytes, const void *text, size_t text_bytes,
    unsigned char out[HASH_BYTES])
{
    return HMAC(EVP_sha256(), key, (int)key_bytes, text, text_bytes, out, NULL) != NULL;
}

/* HKDF's second half (RFC 5869, 2.3) for a single block: `info` ends with the counter, 1. */
static bool
expand(const unsigned char secret[HASH_BYTES], const void *info, size_t info_bytes, void *out,
       size_t out_bytes)
{
    unsigned char block[HASH_BYTES];
    ASSERT(out_bytes <= sizeof block);
    bool done = mac(secret, HASH_BYTES, info, info_bytes, block);
    memcpy(out, block, out_bytes);
    OPENSSL_cleanse(block, sizeof block);
    return done;
}

/* RFC 8291, 3.4: what both have agreed on, bound to the subscription and to both keys. */
static int
agree(const struct webpush_keys *keys, const struct p256_key *ours, unsigned char out[HASH_BYTES])
{
    static const char label[] = "WebPush: info"; /* with its zero */
    unsigned char info[sizeof label + P256_PUBLIC_BYTES + P256_PUBLIC_BYTES + 1];
    unsigned char secret[P256_SECRET_BYTES];
    unsigned char extracted[HASH_BYTES];
    int error = p256_agree(ours, keys->p256dh, secret);
    if (error != 0) {
        return error;
    }
    memcpy(info, label, sizeof label);
    memcpy(info + sizeof label, keys->p256dh, P256_PUBLIC_BYTES);
    p256_public(ours, info + sizeof label + P256_PUBLIC_BYTES);
    info[sizeof info - 1] = 1;
    bool done = mac(keys->auth, WEBPUSH_AUTH_BYTES, secret, sizeof secret, extracted) &&
                expand(extracted, info, sizeof info, out, HASH_BYTES);
    OPENSSL_cleanse(secret, sizeof secret);
    OPENSSL_cleanse(extracted, sizeof extracted);
    return done ? 0 : -ENOMEM;
}

/* RFC 8188, 2.2 and 2.3; the nonce of the first record is the nonce. */
static int
content_keys_make(const unsigned char agreed[HASH_BYTES],
                  const unsigned char salt[WEBPUSH_SALT_BYTES], struct content_keys *out)
{
    static const char key_info[] = "Content-Encoding: aes128gcm\0\1";
    static const char nonce_info[] = "Content-Encoding: nonce\0\1";
    unsigned char extracted[HASH_BYTES];
    bool done = mac(salt, WEBPUSH_SALT_BYTES, agreed, HASH_BYTES, extracted) &&
                expand(extracted, key_info, sizeof key_info - 1, out->key, KEY_BYTES) &&
                expand(extracted, nonce_info, sizeof nonce_info - 1, out->nonce, NONCE_BYTES);
    OPENSSL_cleanse(extracted, sizeof extracted);
    return done ? 0 : -ENOMEM;
}

/* ------------------------------------------------------------------------------------- the body */

/* The text, the delimiter, the tag. */
static int
seal(const struct content_keys *keys, const void *text, size_t text_bytes, unsigned char *out)
{
    static const unsigned char delimiter = DELIMITER_LAST;
    int bytes = 0;
    int more = 0;
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    bool done =
        context != NULL &&
        EVP_EncryptInit_ex(context, EVP_aes_128_gcm(), NULL, keys->key, keys->nonce) == 1 &&
        EVP_EncryptUpdate(context, out, &bytes, text, (int)text_bytes) == 1 &&
        EVP_EncryptUpdate(context, out + bytes, &more, &delimiter, 1) == 1 &&
        EVP_EncryptFinal_ex(context, out + bytes + more, &more) == 1 &&
        EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_GCM_GET_TAG, TAG_BYTES, out + text_bytes + 1) == 1;
    EVP_CIPHER_CTX_free(context);
    return done ? 0 : -ENOMEM;
}

static void
head_write(const struct webpush_secrets *secrets, const struct p256_key *ours, unsigned char *out)
{
    memcpy(out, secrets->salt, WEBPUSH_SALT_BYTES);
    out += WEBPUSH_SALT_BYTES;
    *out++ = WEBPUSH_BODY_BYTES_MAX >> 24;
    *out++ = WEBPUSH_BODY_BYTES_MAX >> 16 & 255;
    *out++ = WEBPUSH_BODY_BYTES_MAX >> 8 & 255;
    *out++ = WEBPUSH_BODY_BYTES_MAX & 255;
    *out++ = P256_PUBLIC_BYTES;
    p256_public(ours, out);
}

int
webpush_encrypt(const struct webpush_keys *keys, const struct webpush_secrets *secrets,
                const void *text, size_t text_bytes, unsigned char *out, size_t out_max,
                size_t *out_bytes)
{
    struct p256_key *ours = NULL;
    struct content_keys content;
    unsigned char agreed[HASH_BYTES];
    if (text_bytes > WEBPUSH_TEXT_BYTES_MAX) {
        return -EMSGSIZE;
    }
    size_t bytes = WEBPUSH_HEAD_BYTES + text_bytes + WEBPUSH_TAIL_BYTES;
    if (bytes > out_max) {
        return -ENOBUFS;
    }
    int error = p256_open(secrets->scalar, &ours);
    if (error == 0) {
        error = agree(keys, ours, agreed);
    }
    if (error == 0) {
        error = content_keys_make(agreed, secrets->salt, &content);
    }
    if (error == 0) {
        head_write(secrets, ours, out);
        error = seal(&content, text, text_bytes, out + WEBPUSH_HEAD_BYTES);
    }
    if (error == 0) {
        *out_bytes = bytes;
    }
    OPENSSL_cleanse(agreed, sizeof agreed);
    OPENSSL_cleanse(&content, sizeof content);
    p256_close(&ours);
    return error;
}

/* ----------------------------------------------------------------------------- who it is from */

/* Visible ASCII that stands in a JSON string as it is. */
static bool
plain(const char *text)
{
    const char *at = text;
    while (*at > ' ' && *at < 0x7f && *at != '"' && *at != '\\') {
        at++;
    }
    return *at == '\0' && at > text;
}

/* RFC 7515, 3.1: head and claims in base64 with a dot between; terminated. */
static int
claim_write(const struct webpush_claim *claim, char *out, size_t out_max, size_t *out_bytes)
{
    static const char head[] = "{\"typ\":\"JWT\",\"alg\":\"ES256\"}";
    char claims[CLAIM_BYTES_MAX];
    if (!plain(claim->origin) || !plain(claim->subject)) {
        return -EINVAL;
    }
    int written = snprintf(claims, sizeof claims, "{\"aud\":\"%s\",\"exp\":%llu,\"sub\":\"%s\"}",
                           claim->origin, (unsigned long long)claim->expires_s, claim->subject);
    if (written < 0 || (size_t)written >= sizeof claims) {
        return -ENOBUFS;
    }
    size_t head_bytes = base64url_encoded_bytes(sizeof head - 1);
    size_t bytes = head_bytes + 1 + base64url_encoded_bytes((size_t)written);
    if (bytes >= out_max) {
        return -ENOBUFS;
    }
    base64url_encode(head, sizeof head - 1, out);
    out[head_bytes] = '.';
    base64url_encode(claims, (size_t)written, out + head_bytes + 1);
    out[bytes] = '\0';
    *out_bytes = bytes;
    return 0;
}

int
webpush_authorize(const struct p256_key *key, const struct webpush_claim *claim, char *out,
                  size_t out_max)
{
    char token[CLAIM_BYTES_MAX * 4 / 3 + 64];
    char signature[P256_SIGNATURE_BYTES * 4 / 3 + 2] = "";
    char public_text[P256_PUBLIC_BYTES * 4 / 3 + 2] = "";
    unsigned char bytes[P256_SIGNATURE_BYTES];
    unsigned char public_key[P256_PUBLIC_BYTES];
    size_t token_bytes = 0;
    int error = claim_write(claim, token, sizeof token, &token_bytes);
    if (error == 0) {
        error = p256_sign(key, token, token_bytes, bytes);
    }
    if (error != 0) {
        return error;
    }
    p256_public(key, public_key);
    base64url_encode(bytes, sizeof bytes, signature);
    base64url_encode(public_key, sizeof public_key, public_text);
    int written = snprintf(out, out_max, "vapid t=%s.%s, k=%s", token, signature, public_text);
    return written >= 0 && (size_t)written < out_max ? 0 : -ENOBUFS;
}
