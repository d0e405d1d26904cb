/* SPDX-License-Identifier: Apache-2.0 */
/* pairs.h - five hundred pairs, each of whom has one message to the other under way: it is
 * answered, shown, and told to be read before the next is written, as `linnet-bench chat --window
 * 1` does.
 *
 *     pairs_open(&world);
 *     pairs_write(&world, 4000);                   so many messages more, all of them through then
 */
#pragma once

#include "tests/budget/member.h"

void pairs_open(struct world *world);
void pairs_write(struct world *world, uint32_t messages);
