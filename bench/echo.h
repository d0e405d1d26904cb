/* SPDX-License-Identifier: Apache-2.0 */
/* echo.h - one WebSocket connection to /echo with one frame under way: as soon as it is back, the
 * next leaves. No protocol of ours, no store: what sockets, frames and actors alone cost. */
#pragma once

#include "runtime/linnet.h"

/* Its argument: a struct crowd_place. */
extern const struct ln_behaviour echo_behaviour;
