/* SPDX-License-Identifier: Apache-2.0 */
/* told.h - what the store tells a script that is somebody's session. */
#pragma once

#include "store/request.h"

/* Waits for it; NULL after a while. To be freed. */
struct ln_msg *told(void);
/* The entry in a push; false: there is none. */
bool entry_of(const struct ln_msg *msg, struct store_entry *out);
/* Whether a notice with the tag comes next, and of which device and how many. */
bool noticed(uint32_t tag, uint16_t device, uint16_t devices);
/* Whether such news of a device come next. */
bool told_change(enum store_device_change change, uint16_t device);
