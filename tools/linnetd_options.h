/* SPDX-License-Identifier: Apache-2.0 */
/* linnetd_options.h - linnetd's command line, with the file and the environment behind it. */
#pragma once

#include "actors/settings.h"
#include "runtime/check.h"

enum linnetd_exit {
    LINNETD_STOPPED = 0,     /* as asked; or --check-config: all is well */
    LINNETD_FAILED = 1,      /* the node ended by itself */
    LINNETD_USAGE = 2,       /* command line, environment, configuration file, descriptors */
    LINNETD_ADDRESS = 3,     /* it can't listen there */
    LINNETD_DATA = 4,        /* the data directory is in use, not writable, of another format */
    LINNETD_DAMAGED = 5,     /* what is in it needs an operator: damage, a command to skip */
    LINNETD_IO_URING = 6,    /* missing, disabled or too old */
    LINNETD_SIGNALLED = 128, /* and the number of a second signal, which ends it at once */
};

/* What to do. */
enum linnetd_action {
    LINNETD_RUN,
    LINNETD_CHECK_CONFIG,
    LINNETD_DONE, /* help or version was printed */
};

/* Reads argv, the environment and the file of --config into *settings (filled whatever is
 * returned). 0 with *out_action, or -EINVAL with everything that is wrong in `wrong`, a line
 * each. */
MUST_CHECK int linnetd_options_read(int argc, char **argv, struct settings *settings,
                                    enum linnetd_action *out_action, struct ln_text *wrong);
