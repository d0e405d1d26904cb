/* SPDX-License-Identifier: Apache-2.0 */
/* linnet_call.h - one run of the tool: what was asked on the command line, and the functions that
 * do it.
 *
 * Commands that ask a running node are executed by a process actor of a tiny node of our own, since
 * that is how sockets are reached; the others run on the main thread. Each returns the exit code
 * (shell_wire.h) and has told on standard error what went wrong.
 */
#pragma once

#include "actors/shell_wire.h"
#include "tools/linnet_client.h"

#include <stdbool.h>
#include <stdint.h>

enum { LINNET_WORDS_MAX = 8 };

/* The flags that only some commands take. */
enum linnet_flag {
    LINNET_PASSWORD_STDIN = 1,
    LINNET_ORIGIN = 2,
    LINNET_SORT = 4,
    LINNET_LIMIT = 8,
    LINNET_ALL = 16,
    LINNET_NO_PASSWORD = 32,
    LINNET_COUNT = 64,
    LINNET_SECONDS = 128,
};

struct linnet_call {
    const char *data; /* the data directory */
    bool json;
    unsigned flags;   /* those given */
    const char *sort; /* a column, or NULL */
    uint64_t limit, trace_count, trace_seconds;
    const char *words[LINNET_WORDS_MAX]; /* behind noun and verb */
    unsigned count;
    const char *password; /* NULL: none */
    struct linnet_client client;
};

struct linnet_command {
    const char *noun, *verb; /* verb NULL: the noun is all */
    const char *usage;       /* of the words behind them */
    const char *summary;     /* one line */
    const char *help;        /* more of them, or NULL */
    unsigned words_min, words_max;
    unsigned flags; /* allowed */
    bool password;  /* asked for before it runs */
    bool alone;     /* needs no node */
    int (*run)(struct linnet_call *call);
};

int linnet_status(struct linnet_call *call);
int linnet_ps(struct linnet_call *call);
int linnet_tree(struct linnet_call *call);
int linnet_crashes(struct linnet_call *call);
int linnet_stalls(struct linnet_call *call);
int linnet_kill(struct linnet_call *call);
int linnet_trace(struct linnet_call *call);
int linnet_hot(struct linnet_call *call);
int linnet_calls(struct linnet_call *call);
int linnet_msg_trace(struct linnet_call *call);
int linnet_inspect(struct linnet_call *call);
int linnet_config_show(struct linnet_call *call);
int linnet_store_info(struct linnet_call *call);
int linnet_store_skip(struct linnet_call *call);
int linnet_group_list(struct linnet_call *call);
int linnet_group_show(struct linnet_call *call);
int linnet_group_members(struct linnet_call *call);
int linnet_user_add(struct linnet_call *call);
int linnet_user_list(struct linnet_call *call);
int linnet_user_passwd(struct linnet_call *call);
int linnet_user_remove(struct linnet_call *call);
int linnet_user_token(struct linnet_call *call);
int linnet_user_revoke(struct linnet_call *call);
int linnet_user_import(struct linnet_call *call);
/* Those whom standard input names. */
int linnet_users_remove(struct linnet_call *call);
int linnet_user_export(struct linnet_call *call);
int linnet_push_show(struct linnet_call *call);
int linnet_push_test(struct linnet_call *call);

/* Asks for a password, without echo when a person types it and twice then; or reads a line of
 * standard input. The text lives as long as the program. NULL: it has told why not. */
const char *linnet_password_read(bool from_stdin, bool twice);

/* Runs the command as the only actor of a node. Returns its exit code. */
int linnet_run(struct linnet_call *call, int (*run)(struct linnet_call *call));
