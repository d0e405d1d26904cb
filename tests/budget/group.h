/* SPDX-License-Identifier: Apache-2.0 */
/* group.h - the members of a large group, who acknowledge what they are shown and say nothing else.
 *
 *     group_open(&world);                          a thousand members, one group of all of them
 *     group_hears(&world, 8);                      so many write at once; all have it then
 *
 * One group at a time.
 */
#pragma once

#include "tests/budget/member.h"

void group_open(struct world *world);
void group_hears(struct world *world, uint32_t messages);
