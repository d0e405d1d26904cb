/* SPDX-License-Identifier: Apache-2.0 */
/* turn_office.h - what a node needs to hand out credentials for a TURN server: where it is, and the
 * secret that the two share, out of a file.
 *
 * Calls themselves (their media, and how clients find each other) are no business of the node.
 *
 *     error = turn_office_open(driver, &settings, &office, why);      before the schedulers run
 *     messenger.turn = office.secret_bytes > 0 ? &office : NULL;
 *
 * Fixed once opened: any thread may read it.
 */
#pragma once

#include "actors/settings.h"
#include "runtime/check.h"
#include "runtime/io/io.h"

enum {
    TURN_OFFICE_WHY_BYTES = 256,
    TURN_OFFICE_SECRET_BYTES_MAX = 256,
    TURN_OFFICE_SERVERS_MAX = 8,
};

struct turn_office {
    const struct settings *settings; /* borrowed */
    char secret[TURN_OFFICE_SECRET_BYTES_MAX];
    size_t secret_bytes;                       /* 0: there is no TURN server */
    char uris[SETTINGS_TURN_URIS_BYTES];       /* split at the commas: each with its NUL */
    const char *each[TURN_OFFICE_SERVERS_MAX]; /* in it */
    unsigned count;
};

/* Reads the secret, without the newline at its end, if there are servers. 0, or a negative errno
 * with one sentence in `why`. Waits for the disk. */
MUST_CHECK int turn_office_open(struct io_driver *driver, const struct settings *settings,
                                struct turn_office *out, char why[TURN_OFFICE_WHY_BYTES]);
