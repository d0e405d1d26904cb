/* SPDX-License-Identifier: Apache-2.0 */
/* group.h - the members of a large group, who acknowledge what they are shown and say nothing else.
 *
 *     group_open(&world);                          a thousand members, one group of all of them
 *     group_hears(&world, 8);                      so many write at once; all have it then
 *     group_close();
 *
 * They know as much of the protocol as that takes, and what they do in their own functions
 * (member_...) is left out of the count. One group at a time.
 */
#pragma once

#include "tests/sim/world.h"

enum { GROUP_MEMBERS = 1000 };

/* Before the world is: nobody is held back. */
void group_settings(struct settings *settings);
void group_open(struct world *world);
void group_hears(struct world *world, uint32_t messages);
void group_close(void);
