/* SPDX-License-Identifier: Apache-2.0 */
/* tag.h - what the tags of the store's messages are called (request.h, ask.h). */
#pragma once

#include <stdint.h>

/* "STORE_MESSAGE"; a literal, or NULL for what is no message of the store's. Any thread. */
const char *store_tag_name(uint32_t tag);
