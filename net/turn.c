/* SPDX-License-Identifier: Apache-2.0 */
#include "net/turn.h"

#include "net/base64.h"

#include <errno.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>

enum { SHA1_BYTES = 20 };

int
turn_credentials_make(const void *secret, size_t bytes, uint64_t ends_at_s, uint64_t user,
                      struct turn_credentials *out)
{
    unsigned char sum[EVP_MAX_MD_SIZE];
    unsigned sum_bytes = 0;
    int length = snprintf(out->username, sizeof(out->username), "%llu:%llu",
                          (unsigned long long)ends_at_s, (unsigned long long)user);
    ASSERT(length > 0 && (size_t)length < sizeof(out->username) && bytes <= INT32_MAX);
    if (HMAC(EVP_sha1(), secret, (int)bytes, (const unsigned char *)out->username, (size_t)length,
             sum, &sum_bytes) == NULL ||
        sum_bytes != SHA1_BYTES) {
        return -ENOSYS;
    }
    base64_encode(sum, sum_bytes, out->password);
    out->password[TURN_PASSWORD_BYTES - 1] = '\0';
    return 0;
}
