/* SPDX-License-Identifier: Apache-2.0 */
/* away.h - one who writes to many who stay away: for as long as the run lasts, as fast as it goes
 * or at a rate.
 *
 * Its readers never log in: their ids are known since they were made, or from the tokens' file. So
 * it takes one connection, and what is judged is what the answers tell (answers.h).
 */
#pragma once

#include "runtime/linnet.h"

/* Its argument: a struct crowd_place; it plays a writer, and behind it in the list of users are its
 * readers, options->readers of them, the last one's fewer maybe. */
extern const struct ln_behaviour away_behaviour;
