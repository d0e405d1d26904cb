/* SPDX-License-Identifier: Apache-2.0 */
/* shell_priv.h - a request at the operator's door and the functions that do it, for shell*.c
 * alone. */
#pragma once

#include "actors/messenger.h"
#include "actors/shell.h"
#include "actors/shell_wire.h"
#include "runtime/check.h"
#include "runtime/inspect.h"
#include "runtime/text.h"
#include "store/account.h"

enum {
    SHELL_CURSOR_BYTES = 48,
    /* "255.16777215.4294967295" */
    SHELL_PID_BYTES = 32,
    /* A page ends when this little room is left for a further row: two names, escaped, and what
     * stands around them. */
    SHELL_ROW_BYTES_MAX = 1024,
};

/* A request, and its answer in the making. The document is `out`; a command that fails replaces it
 * by shell_fail. */
struct shell_call {
    struct messenger *messenger;
    const char *const *words; /* behind noun and verb */
    unsigned count;
    struct ln_text *out;
    struct ln_trace **trace; /* the connection's; NULL inside: none runs */
    enum shell_status status;
    char next[SHELL_CURSOR_BYTES]; /* where the next page begins; empty: this was the last */
};

/* Finds the command of these words (the version is behind us) and does it. Yields. */
void shell_command_run(struct shell_call *call);

/* Makes the answer an error: a status, and {"error": "..."}. */
void shell_fail(struct shell_call *call, enum shell_status status, const char *format, ...)
    PRINTF_LIKE(3, 4);
/* The same for a negative errno of the store or a call, of which `what` was to be done. */
void shell_fail_errno(struct shell_call *call, int error, const char *what);
/* "name": "text", escaped; with a comma behind. */
void shell_put_text(struct shell_call *call, const char *name, const char *text);
/* "name": a user's or device's, likewise. */
void shell_put_name(struct shell_call *call, const struct store_name *name);
/* A message's tag, and its name unless that is NULL. */
void shell_put_tag(struct shell_call *call, uint32_t tag, const char *tag_name);
/* "name": "0.12.3", likewise. */
void shell_put_pid(struct shell_call *call, const char *name, ln_pid pid);
/* "name": 17, likewise. */
void shell_put_number(struct shell_call *call, const char *name, uint64_t value);
/* Ends an object or array whose last member left a comma. */
void shell_put_end(struct shell_call *call, const char *end);
/* Prints what a partition has above *after, as far as it fits. True: there is more, above *after as
 * it is then. */
typedef bool shell_list_partition(struct shell_call *call, unsigned partition, uint64_t *after,
                                  int *out_error);
/* A list over all partitions, from the place that the call names, if it does. Yields. */
void shell_list(struct shell_call *call, const char *what, shell_list_partition *list);
/* Whether another row fits into the page. */
bool shell_row_fits(const struct shell_call *call);

/* Digits up to `high`, moving *at behind them. */
MUST_CHECK bool shell_number_parse(const char **at, uint64_t high, uint64_t *out);
/* "scheduler.slot.generation". */
void shell_pid_print(ln_pid pid, char out[SHELL_PID_BYTES]);
/* False: it has not the form of a pid. */
MUST_CHECK bool shell_pid_parse(const char *text, ln_pid *out);

/* The number of a user who is named so, or has it. 0, -ENOENT or what the store says. Yields. */
MUST_CHECK int shell_user_find(struct shell_call *call, const char *word, uint64_t *out);

/* A row of ps: a JSON object; with its count if it stands for many. */
void shell_actor_print(struct shell_call *call, const struct ln_actor_info *info, uint64_t count);

/* Calls `each` for every actor; page by page, so that no scheduler is held. 0 or what ln_call
 * returns. Yields. */
MUST_CHECK int shell_actors_each(void (*each)(void *context, const struct ln_actor_info *info),
                                 void *context);

/* The commands. */
void shell_status(struct shell_call *call);
void shell_config(struct shell_call *call);
void shell_store(struct shell_call *call);
void shell_ps(struct shell_call *call);
void shell_top(struct shell_call *call);
void shell_tree(struct shell_call *call);
void shell_inspect(struct shell_call *call);
void shell_trace(struct shell_call *call);
void shell_calls(struct shell_call *call);
void shell_hot(struct shell_call *call);
void shell_msg_trace(struct shell_call *call);
void shell_crashes(struct shell_call *call);
void shell_stalls(struct shell_call *call);
void shell_kill(struct shell_call *call);
void shell_group_list(struct shell_call *call);
void shell_group_show(struct shell_call *call);
void shell_group_members(struct shell_call *call);
void shell_user_add(struct shell_call *call);
void shell_user_list(struct shell_call *call);
void shell_user_passwd(struct shell_call *call);
void shell_user_remove(struct shell_call *call);
void shell_users_remove(struct shell_call *call);
void shell_user_import(struct shell_call *call);
void shell_user_token(struct shell_call *call);
void shell_user_export(struct shell_call *call);
void shell_push_show(struct shell_call *call);
void shell_push_test(struct shell_call *call);
void shell_user_revoke(struct shell_call *call);
