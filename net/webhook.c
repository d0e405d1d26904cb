/* SPDX-License-Identifier: Apache-2.0 */
#include "net/webhook.h"

#include "net/base64.h"

#include <errno.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

enum { HASH_BYTES = 32 };

int
webhook_write(const struct webhook_wake *wake, char *out, size_t out_max, size_t *out_count)
{
    char key[WEBHOOK_KEY_BYTES];
    webhook_key(wake, key);
    int head = snprintf(out, out_max,
                        "{\"type\":\"%s\",\"reason\":\"%s\",\"id\":\"%s\","
                        "\"userId\":\"%llu\",\"device\":%u,"
                        "\"attempt\":%u,\"timeMs\":\"%llu\",\"ttlS\":%u,\"app\":\"",
                        wake->test ? "test" : "wake", wake->call ? "call" : "message", key,
                        (unsigned long long)wake->user, wake->device, wake->attempt,
                        (unsigned long long)wake->time_ms, wake->ttl_s);
    size_t app_bytes = base64_encoded_bytes(wake->app_bytes);
    if (head < 0 || (size_t)head >= out_max || out_max - (size_t)head < app_bytes + 3) {
        return -ENOBUFS;
    }
    size_t at = (size_t)head;
    base64_encode(wake->app, wake->app_bytes, out + at);
    at += app_bytes;
    memcpy(out + at, "\"}", 3);
    *out_count = at + 2;
    return 0;
}

/* A call and what comes of it may have the same number. */
void
webhook_key(const struct webhook_wake *wake, char out[WEBHOOK_KEY_BYTES])
{
    int written =
        snprintf(out, WEBHOOK_KEY_BYTES, "%llu-%u-%llu%s", (unsigned long long)wake->user,
                 wake->device, (unsigned long long)wake->number, wake->call ? "-call" : "");
    ASSERT(written > 0 && written < WEBHOOK_KEY_BYTES);
}

/* Feeds the three pieces that are signed. */
static bool
mac(EVP_MAC_CTX *context, const void *secret, size_t secret_bytes, const char *seconds,
    const void *body, size_t body_bytes, unsigned char out[HASH_BYTES])
{
    char digest[] = "SHA256";
    size_t bytes = 0;
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_end(),
    };
    return EVP_MAC_init(context, secret, secret_bytes, params) == 1 &&
           EVP_MAC_update(context, (const unsigned char *)seconds, strlen(seconds)) == 1 &&
           EVP_MAC_update(context, (const unsigned char *)".", 1) == 1 &&
           EVP_MAC_update(context, body, body_bytes) == 1 &&
           EVP_MAC_final(context, out, &bytes, HASH_BYTES) == 1;
}

int
webhook_sign(const void *secret, size_t secret_bytes, uint64_t now_s, const void *body,
             size_t body_bytes, char out[WEBHOOK_SIGNATURE_BYTES])
{
    unsigned char hash[HASH_BYTES];
    char seconds[24];
    (void)snprintf(seconds, sizeof seconds, "%llu", (unsigned long long)now_s);
    EVP_MAC *algorithm = EVP_MAC_fetch(NULL, "HMAC", NULL);
    EVP_MAC_CTX *context = algorithm != NULL ? EVP_MAC_CTX_new(algorithm) : NULL;
    bool done =
        context != NULL && mac(context, secret, secret_bytes, seconds, body, body_bytes, hash);
    EVP_MAC_CTX_free(context);
    EVP_MAC_free(algorithm);
    if (!done) {
        return -ENOMEM;
    }
    int at = snprintf(out, WEBHOOK_SIGNATURE_BYTES, "t=%s,v1=", seconds);
    for (unsigned i = 0; i < HASH_BYTES; i++) {
        at += snprintf(out + at, WEBHOOK_SIGNATURE_BYTES - (size_t)at, "%02x", hash[i]);
    }
    ASSERT(at < WEBHOOK_SIGNATURE_BYTES);
    return 0;
}
