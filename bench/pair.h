/* SPDX-License-Identifier: Apache-2.0 */
/* pair.h - two users who write to each other, and the judge of both.
 *
 * One actor holds both ends: what each was told, in the order in which it was told, is known in one
 * place, so a tick that comes a microsecond early is seen. Each end behaves as a careful client
 * does: it stores what it is shown, acknowledges once for all that a read of its socket brought,
 * marks the same as read, keeps what was not answered and sends it again after a cut.
 */
#pragma once

#include "runtime/linnet.h"

/* Its argument: a struct crowd_place; users 2 * index and 2 * index + 1 are its own. */
extern const struct ln_behaviour pair_behaviour;
