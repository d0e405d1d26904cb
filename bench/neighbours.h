/* SPDX-License-Identifier: Apache-2.0 */
/* neighbours.h - people who live a day (day.h): each writes to a partner, and all of them to one
 * group; they change what they wrote, watch whether their partner is there, type, ping, change
 * networks, fall asleep, leave and return.
 *
 * A circle of options.members ends, in which each even one and the next are partners, with the
 * judge of their group (forum.h) and of their changes (revision.h).
 */
#pragma once

#include "runtime/linnet.h"

/* Its argument: a struct crowd_place. */
extern const struct ln_behaviour neighbours_behaviour;
