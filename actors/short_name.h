/* SPDX-License-Identifier: Apache-2.0 */
/* short_name.h - a user's name where there are a million of them: most are short and lie in place,
 * a longer one in a block of its own, which is the calling actor's and goes with it.
 *
 *     struct short_name name = {0};          the empty name
 *     short_name_set(&name, &user.name);
 *     short_name_get(&name, &sender_name);
 */
#pragma once

#include "store/account.h"

enum { SHORT_NAME_BYTES = 12 }; /* what is left over in struct connection */

/* Embedded. */
struct short_name {
    uint8_t bytes;
    char text[SHORT_NAME_BYTES]; /* or an address */
};

void short_name_set(struct short_name *name, const struct store_name *from);
void short_name_get(const struct short_name *name, struct store_name *out);
