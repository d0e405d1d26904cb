/* SPDX-License-Identifier: Apache-2.0 */
/* capacity_command.h - `linnet-bench capacity`: runs of chat, their table and their page. */
#pragma once

#include "bench/conductor.h"

/* Plays a chat as its options say and fills *run, which is the caller's, its series too; its driver
 * is closed when it returns. */
typedef enum run_exit (*capacity_play)(const struct options *options, struct run *run);

/* The whole search, printed to standard output and to the page of --report. RUN_GOOD: a rate was
 * found; RUN_MISSED: not even one a second keeps the objectives; RUN_BROKEN and RUN_FAILED end the
 * search. */
enum run_exit capacity_run(const struct options *options, capacity_play play);
