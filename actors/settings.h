/* SPDX-License-Identifier: Apache-2.0 */
/* settings.h - every setting of a node: its value, and who gave it.
 *
 * A setting has one name everywhere: `inbox_entries_max = 500` in the configuration file,
 * LINNET_INBOX_ENTRIES_MAX=500 in the environment, --inbox-entries-max 500 on the command line. The
 * later of these wins whatever the order they are read in. Everything that was wrong is told, each
 * on a line that begins with where it stands.
 *
 *     settings_init(&settings);
 *     error = settings_read_text(&settings, "linnet.conf", text, &wrong);
 *     error = settings_read_environment(&settings, environ, &wrong);
 *     error = settings_read_argument(&settings, argc, argv, &index, &wrong);
 *     error = settings_check(&settings, &wrong);          do they go together?
 *
 * Plain memory: filled before the schedulers run, read by everybody afterwards. Nothing here yields
 * or reaches outside.
 */
#pragma once

#include "actors/rate_class.h"
#include "net/protocol.h"
#include "runtime/check.h"
#include "runtime/io/io.h"
#include "runtime/io/uring.h"
#include "runtime/text.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    /* A socket's path within it must fit into a sockaddr_un, which has 108 bytes. */
    SETTINGS_PATH_BYTES = 96,
    SETTINGS_TURN_URIS_BYTES = 192,
    SETTINGS_EXPORTS_MAX = 64,
    SETTINGS_ADDRESS_BYTES = IO_ADDRESS_TEXT_MAX,
    SETTINGS_SUBJECT_BYTES = 128,
    SETTINGS_URL_BYTES = 256,
    /* More than the table has; where each value came from. */
    SETTINGS_MAX = 112,
    /* Room for a page of mistakes, or for the whole table as JSON. */
    SETTINGS_TEXT_BYTES = 32 << 10,
};

enum settings_origin {
    SETTINGS_DEFAULT,
    SETTINGS_FILE,
    SETTINGS_ENVIRONMENT,
    SETTINGS_FLAG,
};

enum settings_registration { REGISTRATION_CLOSED, REGISTRATION_OPEN };

/* What the welcome tells of a history that is never swept away. */
enum { SETTINGS_HISTORY_FOREVER_DAYS = 36500 };

/* Without a history a message goes when all devices have it, or not before it has been read. */
enum settings_delete_after { DELETE_AFTER_DELIVERED, DELETE_AFTER_READ };

struct settings {
    char data[SETTINGS_PATH_BYTES];
    char listen[SETTINGS_ADDRESS_BYTES];
    enum settings_registration registration;
    bool echo; /* /echo answers: for outside test suites */

    uint32_t schedulers; /* 0: one per core */
    uint32_t workers;    /* 0: one per core, at least 2 */
    enum io_level io_level;
    uint32_t spin_us;
    uint32_t watchdog_ms; /* CPU time, likewise stuck_ms */
    uint32_t stuck_ms;

    uint32_t connections_max;
    uint32_t logins_pending_max; /* password hashes under way or waiting */
    uint32_t login_timeout_ms;
    uint64_t password_memory_bytes; /* Argon2id's cost, of passwords set from now on */
    uint32_t password_ops;
    uint32_t commands_per_s; /* of one connection; a second's worth may come at once */
    uint64_t command_bytes_per_s;
    /* In a period of the class; 0: no limit. Of an address on each scheduler. */
    uint32_t exports_max;
    uint32_t user_rates[RATE_CLASSES];
    uint32_t address_rates[RATE_CLASSES];
    uint32_t registrations_per_hour;
    uint32_t rate_entries_max;     /* users, and addresses, that a scheduler remembers */
    struct protocol_limits limits; /* what clients are told and held to */

    uint32_t inbox_entries_max;
    uint64_t inbox_bytes_max;
    uint32_t devices_max;
    uint32_t states_max; /* what a user may have set: contacts, settings of chats, blocks */
    uint64_t states_bytes_max;
    uint64_t device_unseen_ms; /* 0: never, likewise inbox_age_ms */
    uint64_t device_warn_ms;
    uint64_t inbox_age_ms;
    uint64_t history_ms; /* see settings_history_ms */
    enum settings_delete_after delete_after;
    uint64_t hold_unknown_ms; /* 0: who is unknown is not written to */
    uint32_t hold_messages_max;
    uint32_t hold_recipients_max;
    uint32_t link_code_s;     /* for how long a code links a new device */
    uint32_t link_code_tries; /* wrong codes until it is void */

    uint64_t group_log_ms; /* see settings_group_log_ms */
    uint32_t group_typing_members_max;
    uint32_t presence_watchers_max;  /* of one user */
    uint32_t presence_updates_per_s; /* of a scheduler */
    uint64_t edit_window_ms;         /* how long a message may be changed by its author */
    uint64_t delete_window_ms;

    char turn_uris[SETTINGS_TURN_URIS_BYTES]; /* of TURN servers, split by commas; "": none */
    char turn_secret_file[SETTINGS_PATH_BYTES];
    uint64_t turn_lifetime_ms; /* of the credentials for them */
    char
        push_subject[SETTINGS_SUBJECT_BYTES]; /* whom push services may write to; "": no Web Push */
    char push_webhook[SETTINGS_URL_BYTES];    /* the operator's own server; "": none */
    char push_ca_file[SETTINGS_PATH_BYTES];   /* certificates in PEM; "": none */
    char push_ca_extra_file[SETTINGS_PATH_BYTES];
    bool push_private_endpoints; /* clients' endpoints may be http, and in private networks */
    uint32_t push_delay_ms;      /* so long a device has to acknowledge */
    uint32_t push_interval_ms;   /* from one push to the next of a device */
    uint32_t push_timeout_ms;    /* of one attempt */
    uint32_t push_retry_ms;      /* after the first attempt; then doubled */
    uint32_t push_retry_max_ms;
    uint32_t push_attempts_max;
    uint32_t push_ttl_s;       /* how long a push is worth something */
    uint32_t push_waiting_max; /* devices, on each scheduler, likewise the next */
    uint32_t push_connections_max;
    uint32_t push_host_connections_max;

    uint32_t store_cells;     /* 0: the schedulers, rounded up to a power of two, at least 8 */
    uint64_t store_map_bytes; /* 0: the store's default, and so on */
    uint32_t store_segment_bytes;
    uint64_t store_delta_bytes;
    uint64_t store_replay_bytes;
    uint64_t store_replay_commands;
    uint64_t store_reserve_bytes;
    uint64_t trace_bytes_max; /* 0: no steps of messages are kept */

    uint8_t origins[SETTINGS_MAX]; /* enum settings_origin, in the table's order */
    uint16_t lines[SETTINGS_MAX];  /* of the file, where it gave the value; else 0 */
};

/* Every setting at its default. */
void settings_init(struct settings *settings);

/* One setting, as text. -ENOENT: there is no such setting; -EINVAL: it can't have this value; what
 * is wrong goes to `wrong`, without a newline. A value of a later origin stays as it is. */
MUST_CHECK int settings_set(struct settings *settings, enum settings_origin origin,
                            const char *name, const char *value, struct ln_text *wrong);

/* An INI file's text: `name = value` lines, comments after # or ;. `path` is for the messages, of
 * which there is one line each in `wrong`. 0 or -EINVAL, after the whole text. */
MUST_CHECK int settings_read_text(struct settings *settings, const char *path, const char *text,
                                  struct ln_text *wrong);
/* Variables named LINNET_ and a setting's name in capitals; all others are left alone. */
MUST_CHECK int settings_read_environment(struct settings *settings, char *const *environment,
                                         struct ln_text *wrong);
/* argv[*index] if it is a setting's flag: --name value, --name=value, or just --name for one that
 * is on or off; '-' and '_' are the same in it. 0 or -EINVAL, with *index past it; -ENOENT: it is
 * no flag of a setting (*index stays, nothing is told). */
MUST_CHECK int settings_read_argument(struct settings *settings, int argc, char *const *argv,
                                      int *index, struct ln_text *wrong);

/* What no setting can tell alone: do they fit together? 0 or -EINVAL. */
MUST_CHECK int settings_check(const struct settings *settings, struct ln_text *wrong);

/* For how long getHistory may find something; 0: it can't; STORE_HISTORY_FOREVER. In whole days, as
 * clients are told; and whether only until it was read. */
uint64_t settings_history_ms(const struct settings *settings);
uint32_t settings_history_days(const struct settings *settings);
bool settings_history_until_read(const struct settings *settings);

/* How long a group knows who wrote a message, and whom it reached: as long as the operator says,
 * and at least as long as it may be changed. */
uint64_t settings_group_log_ms(const struct settings *settings);

/* Every setting with its value, as a table for people or as a JSON object; `origins` adds where
 * each came from. */
void settings_print(const struct settings *settings, bool origins, struct ln_text *out);
void settings_print_json(const struct settings *settings, struct ln_text *out);
/* One flag per setting with its default and meaning: a part of linnetd --help. */
void settings_print_help(struct ln_text *out);

/* "there is no setting 'spinus'; did you mean spin_us?" */
void settings_print_unknown(const char *name, struct ln_text *out);

const char *settings_origin_name(enum settings_origin origin);
