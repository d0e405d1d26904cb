/* SPDX-License-Identifier: Apache-2.0 */
/* room.h - the members of one group, who write to it in turn, and the judge of what they are shown.
 *
 * One actor holds all of them, so that what each was told is known in one place. When all are
 * welcomed the first makes the group; the run begins when each has been told of it. Then the room
 * keeps a window of letters under way: one is through when its writer was answered and all others
 * have been shown it, and the next is written by the member whose turn it is.
 *
 * What is held against the promises: each member is shown each letter of the others once, under the
 * one number that it has in the group, in the order of these numbers, as it was written, by whom it
 * was written; a count of receipts never says that more have a letter than have acknowledged it,
 * and at the end the last letter's writer has been told that all have it. Memory is bounded: of
 * letters that are not through as many as the window.
 */
#pragma once

#include "runtime/linnet.h"

/* Its argument: a struct crowd_place; it plays options.members users, the last room maybe fewer. */
extern const struct ln_behaviour room_behaviour;
