/* SPDX-License-Identifier: Apache-2.0 */
/* options.h - what linnet-bench was asked to do, from its command line.
 *
 * Flags are --name VALUE or --name=VALUE; those that are on or off have a --no-name where that
 * makes sense. A flag that its scenario does not have is an error, as is a value that is no number
 * or out of its range: each is told on a line of its own.
 */
#pragma once

#include "bench/day.h"
#include "bench/drift.h"
#include "bench/objectives.h"
#include "bench/scenario.h"
#include "bench/share.h"
#include "bench/users.h"
#include "net/protocol.h"
#include "runtime/check.h"
#include "runtime/io/io.h"
#include "runtime/text.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    OPTIONS_HOST_BYTES = IO_ADDRESS_TEXT_MAX,
    OPTIONS_PATH_BYTES = 256,
    OPTIONS_USERS_MAX = 4000000,
    OPTIONS_THREADS_MAX = 64,
    OPTIONS_RATE_MAX = 100000000,
};

/* ws://HOST/PATH, HOST being a numeric address with its port. */
struct options_url {
    struct io_address address;
    char host[OPTIONS_HOST_BYTES];
    char path[OPTIONS_PATH_BYTES];
};

struct options {
    enum options_scenario scenario;
    struct options_url url;
    const char *data;       /* the node's data directory, or NULL */
    const char *tokens;     /* a file, or NULL */
    const char *keep_users; /* a prefix, or NULL */
    const char *report;     /* a file for the page, or NULL */
    uint32_t users;         /* echo: connections; offline, away: readers */
    uint32_t pairs;         /* 0: not given */
    uint32_t members;       /* group: of each; the last may have fewer; mixed, soak: of all */
    uint32_t chat_pairs;    /* idle: of the users, pairs who write to each other; 0: none */
    uint32_t heartbeat_s;   /* idle, mixed, soak: 0: none */
    uint32_t settle_s;      /* idle: before its silence is measured */
    double rate_per_s;      /* 0: as fast as it goes */
    uint32_t window;
    uint32_t bytes;
    uint32_t seconds, warmup_s;
    uint32_t sample_s;   /* of the series */
    uint32_t patience_s; /* how long the node may be gone: a restart with a long log to recover */
    uint32_t threads;    /* of each process of the generator */
    uint32_t processes;  /* 0: as many as it takes (options_divide) */
    uint32_t addresses;  /* of the node; likewise */
    uint32_t pid;        /* the node's process; 0: not given */
    uint64_t seed;
    uint32_t readers;     /* offline, away: of a writer; the last one may have fewer */
    uint32_t depth;       /* offline: messages that wait for a reader */
    double returns_per_s; /* offline: 0: all at once */
    uint32_t storms;
    struct day_habits habits;  /* mixed, soak */
    double kills_per_s;        /* mixed, soak: of actors of the node; 0: none */
    struct drift_limits drift; /* soak */
    uint64_t drift_latency_ns; /* its limit of latency, as it was given; 0: it was not */
    struct objectives objectives;
    enum protocol_form form;
    bool json;
    bool read;
    bool one_way;             /* idle: heartbeats are not answered */
    bool random;              /* offline, away: chance says who is written to */
    bool back_off;            /* pauses before calling again */
    struct share_whole whole; /* what is divided among the processes */
    int argc;                 /* the command line, for the other processes; borrowed */
    char **argv;
};

enum options_action {
    OPTIONS_RUN,
    OPTIONS_DONE,     /* help or version was printed */
    OPTIONS_CAPACITY, /* chat at one rate after the other */
    OPTIONS_PLAN,     /* no run: plan_command.h reads the rest */
};

/* Fills *options from argv. 0 with *out_action; or -EINVAL with what is wrong in `wrong`. Texts are
 * borrowed from argv. */
MUST_CHECK int options_read(int argc, char **argv, struct options *options,
                            enum options_action *out_action, struct ln_text *wrong);
/* Settles how many processes play, and how many addresses they call, where that was not said: for
 * so many descriptors a process, on so many cores. 0, or -EINVAL with what is wrong in `wrong`. */
MUST_CHECK int options_divide(struct options *options, uint64_t descriptors, unsigned cores,
                              struct ln_text *wrong);
MUST_CHECK int options_url_parse(const char *text, struct options_url *out);

/* How the users that are made are called in this run: the prefix before their number. */
void options_users_prefix(const struct options *options, uint32_t run,
                          char out[USERS_PREFIX_BYTES_MAX + 1]);
/* How many actors write by a schedule: pairs, on a day neighbours, away its writers. */
uint32_t options_writers(const struct options *options);
/* Are they made for this run alone? Then they are removed after it. */
bool options_users_ours(const struct options *options);
