/* SPDX-License-Identifier: Apache-2.0 */
#include "actors/invite.h"

#include "net/base64.h"
#include "net/protocol.h"

#include <errno.h>
#include <string.h>

enum { GROUP_BYTES = 8, INVITE_BYTES = GROUP_BYTES + STORE_GROUP_INVITE_BYTES };

_Static_assert(INVITE_BYTES % 3 == 0, "the text needs no padding");
_Static_assert(INVITE_TEXT_BYTES - 1 <= (int)PROTOCOL_INVITE_BYTES_MAX, "clients may send it");

void
invite_print(uint64_t group, const unsigned char secret[STORE_GROUP_INVITE_BYTES],
             char out[INVITE_TEXT_BYTES])
{
    unsigned char raw[INVITE_BYTES];
    for (unsigned i = 0; i < GROUP_BYTES; i++) {
        raw[i] = (unsigned char)(group >> (8 * i));
    }
    memcpy(raw + GROUP_BYTES, secret, STORE_GROUP_INVITE_BYTES);
    base64url_encode(raw, sizeof raw, out);
    out[INVITE_TEXT_BYTES - 1] = '\0';
}

int
invite_parse(const char *text, uint64_t *out_group,
             unsigned char out_secret[STORE_GROUP_INVITE_BYTES])
{
    unsigned char raw[INVITE_BYTES + 3]; /* as much as base64_decode may ask for */
    size_t bytes = strlen(text);
    if (bytes != INVITE_TEXT_BYTES - 1 || base64_decode(text, bytes, raw, &bytes) < 0 ||
        bytes != INVITE_BYTES) {
        return -EINVAL;
    }
    uint64_t group = 0;
    for (unsigned i = 0; i < GROUP_BYTES; i++) {
        group |= (uint64_t)raw[i] << (8 * i);
    }
    if (group == 0) {
        return -EINVAL;
    }
    *out_group = group;
    memcpy(out_secret, raw + GROUP_BYTES, STORE_GROUP_INVITE_BYTES);
    return 0;
}
