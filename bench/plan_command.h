/* SPDX-License-Identifier: Apache-2.0 */
/* plan_command.h - `linnet-bench plan`: the plan's command line and what it prints. */
#pragma once

#include "bench/conductor.h"
#include "bench/plan.h"

enum { PLAN_PRINT_BYTES = 16 << 10, PLAN_WHY_BYTES = 512 };

struct plan_command {
    struct plan plan;
    const char *chat, *idle; /* results of linnet-bench --json, or NULL */
    bool published;
    bool json;
};

/* Fills *command from the flags behind `plan`. 0; or -EINVAL, and what is wrong is in `wrong`. */
MUST_CHECK int plan_command_read(int argc, char **argv, struct plan_command *command,
                                 struct ln_text *wrong);
/* Prints to `out`. */
void plan_command_print(const struct plan_command *command, struct ln_text *out);
/* The flags, on standard output. */
void plan_command_help(void);
/* The whole subcommand: RUN_GOOD, or RUN_FAILED for wrong flags or a file that can't be
 * read. */
enum run_exit plan_command_run(int argc, char **argv);

/* Takes over what a result measured. 0; -ENOENT: it has none of it. `chat`: node's CPU per message;
 * `idle`: bytes and CPU per connection. */
MUST_CHECK int plan_take_chat(const char *json, struct plan_measured *measured);
MUST_CHECK int plan_take_idle(const char *json, struct plan_measured *measured);
