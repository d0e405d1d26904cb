/* SPDX-License-Identifier: Apache-2.0 */
/* tag.h - what the tags of a node's messages are called (connection.h, store/). */
#pragma once

#include <stdint.h>

/* "CONNECTION_TICK"; a literal, or NULL for an unknown one. Any thread. */
const char *messenger_tag_name(uint32_t tag);
