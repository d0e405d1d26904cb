/* SPDX-License-Identifier: Apache-2.0 */
/* node.h - what the node says of itself, through the operator's socket in its data directory. */
#pragma once

#include "runtime/check.h"
#include "runtime/text.h"
#include "tools/linnet_client.h"

#include <stdint.h>

enum { NODE_VERSION_BYTES = 32, NODE_SETTINGS_BYTES = 2048 };

/* As of now. */
struct node_status {
    char version[NODE_VERSION_BYTES]; /* empty: it does not say */
    uint32_t pid;                     /* 0: likewise */
    uint64_t violations;              /* what its audits have found broken */
};

/* From inside an actor; yields. SHELL_DONE, or another exit code of the tool with the reason told
 * on standard error. */
MUST_CHECK int node_status_read(struct linnet_client *client, struct node_status *out);
/* Likewise: an object in JSON of the settings that bear on figures, and of those that are not the
 * default. Empty when it can't be had. */
MUST_CHECK int node_settings_read(struct linnet_client *client, char out[NODE_SETTINGS_BYTES]);
