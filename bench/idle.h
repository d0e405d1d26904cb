/* SPDX-License-Identifier: Apache-2.0 */
/* idle.h - a user who logs in and says nothing: answers pings, acknowledges what may come, calls
 * again when it is cut off (which is counted). */
#pragma once

#include "runtime/linnet.h"

/* Its argument: a struct crowd_place; user `index` is its own. */
extern const struct ln_behaviour idle_behaviour;
