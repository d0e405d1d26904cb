/* SPDX-License-Identifier: Apache-2.0 */
/* pair.h - two users who write to each other.
 *
 * In a closed loop each end keeps its window full; in an open loop it writes when a schedule calls
 * for it (pace.h), and what there is no room for waits in line. A schedule may have its ends come
 * and go, too (deed.h): in a storm, in a day (day.h).
 */
#pragma once

#include "runtime/linnet.h"

/* Its argument: a struct crowd_place; users 2 * index and 2 * index + 1 are its own. */
extern const struct ln_behaviour pair_behaviour;
