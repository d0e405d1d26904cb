/* SPDX-License-Identifier: Apache-2.0 */
/* offline.h - one who writes to many who are away, until their inboxes are as full as was asked
 * for; then they come back and empty them.
 *
 * Its readers log in once, before anything is written, so that their ids are known, and leave.
 */
#pragma once

#include "runtime/linnet.h"

/* Its argument: a struct crowd_place; it plays a writer and behind it options->readers, the last
 * one fewer maybe. */
extern const struct ln_behaviour offline_behaviour;
