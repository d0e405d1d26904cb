/* SPDX-License-Identifier: Apache-2.0 */
/* invite.h - an invitation as people pass it on: which group, and a secret that its admins can
 * change.
 *
 *     invitation = base64url(group 8 | secret 16), little-endian, no padding: 32 characters
 *
 * It can stand in a link as it is. The node keeps the secret as it is, too, since admins are shown
 * the invitation again. Pure; any thread.
 */
#pragma once

#include "runtime/check.h"
#include "store/group.h"

#include <stddef.h>

enum { INVITE_TEXT_BYTES = (8 + STORE_GROUP_INVITE_BYTES) / 3 * 4 + 1 /* with its NUL */ };

void invite_print(uint64_t group, const unsigned char secret[STORE_GROUP_INVITE_BYTES],
                  char out[INVITE_TEXT_BYTES]);

/* 0, or -EINVAL: not an invitation of ours. */
MUST_CHECK int invite_parse(const char *text, uint64_t *out_group,
                            unsigned char out_secret[STORE_GROUP_INVITE_BYTES]);
