/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/options.h"

#include "bench/flags.h"
#include "bench/forum.h"
#include "bench/letter.h"
#include "bench/plan_command.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

enum {
    CAPACITY_WORD = SCENARIOS, /* chat with another rate each time */
    CAPACITY = 1 << CAPACITY_WORD,
    CHAT = SCENARIO_CHAT_BIT | CAPACITY,
    IDLE = SCENARIO_IDLE_BIT,
    ECHO = SCENARIO_ECHO_BIT,
    OFFLINE = SCENARIO_OFFLINE_BIT,
    AWAY = SCENARIO_AWAY_BIT,
    STORM = SCENARIO_STORM_BIT,
    GROUP = SCENARIO_GROUP_BIT,
    DAYS = SCENARIO_DAY_BITS,
    SOAK = 1 << SCENARIO_SOAK,
    PAIRS = SCENARIO_PAIR_BITS | CAPACITY,
    JUDGED = SCENARIO_JUDGED_BITS | CAPACITY,
    TIMED = PAIRS | IDLE | ECHO | AWAY | GROUP, /* it lasts as long as it is told to */
    ALL = JUDGED | IDLE | ECHO,
};

int
options_url_parse(const char *text, struct options_url *out)
{
    static const char scheme[] = "ws://";
    struct options_url url;
    if (strncmp(text, scheme, sizeof scheme - 1) != 0) {
        return -EINVAL;
    }
    const char *host = text + sizeof scheme - 1;
    size_t host_bytes = strcspn(host, "/");
    const char *path = host + host_bytes;
    if (host_bytes == 0 || host_bytes >= sizeof url.host || strlen(path) >= sizeof url.path ||
        path[0] != '/' || strncmp(host, "unix:", 5) == 0) {
        return -EINVAL;
    }
    memcpy(url.host, host, host_bytes);
    url.host[host_bytes] = '\0';
    memcpy(url.path, path, strlen(path) + 1);
    int error = io_address_parse(url.host, &url.address);
    if (error == 0) {
        *out = url;
    }
    return error;
}

static int
url_read(const struct flag *flag, const char *text, void *field)
{
    (void)flag;
    return options_url_parse(text, field);
}

static int
form_read(const struct flag *flag, const char *text, void *field)
{
    enum protocol_form *out = field;
    (void)flag;
    if (strcmp(text, "proto") == 0) {
        *out = PROTOCOL_BINARY;
    } else if (strcmp(text, "json") == 0) {
        *out = PROTOCOL_JSON;
    } else {
        return -EINVAL;
    }
    return 0;
}

static const struct flag_kind flag_url = {url_read,
                                          "ws://127.0.0.1:4222/chat (names are not looked up)"};
static const struct flag_kind flag_form = {form_read, NULL};

#define AT(field) offsetof(struct options, field)
enum { DAY_S = 86400, WEEK_S = 7 * DAY_S, ECHO_BYTES_MAX = 65536 };
/* Who comes back is looked for among all of a writer's; who stays away is not. */
enum { READERS_MAX = 1024, READERS_AWAY_MAX = 65536 };

static const struct flag table[] = {
    {"url", &flag_url, ALL, AT(url), 0, 0, "URL", "ws://ADDR:PORT/chat (echo: /echo); required"},
    {"data", &flag_text, ALL, AT(data), 0, 0, "DIR",
     "the node's data directory: users are made through its socket"},
    {"tokens", &flag_text, JUDGED | IDLE, AT(tokens), 0, 0, "FILE",
     "log in with these tokens instead: what `linnet user import` printed"},
    {"keep-users", &flag_text, (JUDGED | IDLE) & ~CAPACITY, AT(keep_users), 0, 0, "PREFIX",
     "call the users made PREFIX1, PREFIX2 ..., and do not remove them afterwards"},
    {"pairs", &flag_number, PAIRS, AT(pairs), 1, OPTIONS_USERS_MAX / 2, "N",
     "pairs of users who write to each other (chat 100, else 500)"},
    {"users", &flag_number, JUDGED | IDLE, AT(users), 1, OPTIONS_USERS_MAX, "N",
     "users: twice the pairs (chat 200, else 1000); offline, away: those who are away (1000), "
     "beside their writers"},
    {"members", &flag_number, GROUP | DAYS, AT(members), 2, 4096, "N",
     "of each group, the node's group_members_max at most (1000, or all users; mixed, soak 10, 64 "
     "at most)"},
    {"connections", &flag_number, ECHO, AT(users), 1, OPTIONS_USERS_MAX, "N",
     "connections, each with one frame under way (64)"},
    {"rate", &flag_amount, CHAT | STORM | IDLE | AWAY, AT(rate_per_s), 0, OPTIONS_RATE_MAX, "N",
     "messages due each second, in all, whatever the node does (0: as fast as it goes; storm 200); "
     "capacity begins with it, idle's pairs keep to it (1000)"},
    {"depth", &flag_number, OFFLINE, AT(depth), 1, 1000000, "N",
     "messages written to each user who is away, on the average (100)"},
    {"readers", &flag_number, OFFLINE | AWAY, AT(readers), 1, READERS_AWAY_MAX, "N",
     "of those who are away that one writer has (16; offline 1024 at most, away as many as leave "
     "64 "
     "writers)"},
    {"random", &flag_on, OFFLINE | AWAY, AT(random), 0, 0, NULL,
     "each to one of its writer's readers at random (the default)"},
    {"in-turn", &flag_off, OFFLINE | AWAY, AT(random), 0, 0, NULL, "to one after the other"},
    {"returns", &flag_amount, OFFLINE, AT(returns_per_s), 0, OPTIONS_RATE_MAX, "N",
     "users who come back each second (0: all at once)"},
    {"storms", &flag_number, STORM, AT(storms), 1, 100, "N",
     "how often all connections are cut at once (3)"},
    {"back-off", &flag_on, STORM, AT(back_off), 0, 0, NULL,
     "pauses before calling again, 20 ms at first, doubled up to 1 s (the default)"},
    {"no-back-off", &flag_off, STORM, AT(back_off), 0, 0, NULL, "everybody calls again at once"},
    {"online", &flag_amount, DAYS, AT(habits.online), 1, 1, "SHARE",
     "of the users at any time (20%)"},
    {"messages-per-day", &flag_amount, DAYS, AT(habits.messages), 0, 1000000, "N",
     "that each user writes (40)"},
    {"group-share", &flag_amount, DAYS, AT(habits.posts), 0, 1, "SHARE",
     "of these that go to the group of --members that each user is in (30%; 0: no groups)"},
    {"changes-per-day", &flag_amount, DAYS, AT(habits.changes), 0, 1000000, "N",
     "messages that each edits or takes back (2)"},
    {"returns-per-day", &flag_amount, DAYS, AT(habits.returns), 0, 1000000, "N",
     "how often each comes online, and leaves again (20)"},
    {"asleep", &flag_amount, DAYS, AT(habits.asleep), 0, 1, "SHARE",
     "of those leaves that are a phone that falls asleep, without a word (50%)"},
    {"moves-per-day", &flag_amount, DAYS, AT(habits.moves), 0, 1000000, "N",
     "changes of network: the connection is cut, and another made (5)"},
    {"heartbeat", &flag_number, IDLE | DAYS, AT(heartbeat_s), 0, DAY_S, "SECONDS",
     "between a user's heartbeats, on a day those of the day (60; mixed, soak 240; 0: none)"},
    {"settle", &flag_number, IDLE, AT(settle_s), 0, DAY_S, "SECONDS",
     "after the hellos, before what silence costs is measured (1; a node that folds and gives "
     "memory back needs 90)"},
    {"one-way", &flag_on, IDLE, AT(one_way), 0, 0, NULL,
     "heartbeats that ask for no answer: the WebSocket's pong instead of the protocol's ping"},
    {"chat-pairs", &flag_number, IDLE, AT(chat_pairs), 1, OPTIONS_USERS_MAX / 2, "N",
     "pairs among the users write at --rate, first alone, then beside the others"},
    {"patience", &flag_number, ALL, AT(patience_s), 1, DAY_S, "SECONDS",
     "how long the node may be gone before the run has failed (60)"},
    {"compress", &flag_amount, DAYS, AT(habits.factor), 0, 1000000, "N",
     "so many times as fast as a day passes (mixed: the span is a day; soak 144)"},
    {"kill", &flag_amount, DAYS, AT(kills_per_s), 0, 1, "N",
     "actors of the node killed each second, whichever has a supervisor; needs --data (0)"},
    {"drift-memory", &flag_amount, SOAK, AT(drift.per_hour[DRIFT_MEMORY]), 0, 0, "BYTES",
     "an objective: the node's memory grows by that much in an hour at most"},
    {"drift-latency", &flag_span, SOAK, AT(drift_latency_ns), 0, 0, "TIME",
     "likewise: the 99th percentile to delivery"},
    {"drift-disk", &flag_amount, SOAK, AT(drift.per_hour[DRIFT_DISK]), 0, 0, "BYTES",
     "likewise: the data directory"},
    {"p99-sent", &flag_span, PAIRS | AWAY | GROUP | IDLE, AT(objectives.wanted_ns[OBJECTIVE_SENT]),
     0, 0, "TIME",
     "an objective: of a hundred messages 99 are answered in that time; of idle's pairs, beside "
     "the "
     "others"},
    {"p99-delivery", &flag_span, PAIRS | GROUP | IDLE, AT(objectives.wanted_ns[OBJECTIVE_DELIVERY]),
     0, 0, "TIME",
     "likewise: are shown to their reader (capacity: 500ms); of a group, to each member"},
    {"p99-tick", &flag_span, PAIRS | IDLE, AT(objectives.wanted_ns[OBJECTIVE_TICK]), 0, 0, "TIME",
     "likewise: are ticked as delivered"},
    {"p99-login", &flag_span, STORM | DAYS | OFFLINE, AT(objectives.wanted_ns[OBJECTIVE_LOGIN]), 0,
     0, "TIME", "likewise, of logins: from the call to the welcome"},
    {"all-back", &flag_span, STORM, AT(objectives.wanted_ns[OBJECTIVE_BACK]), 0, 0, "TIME",
     "an objective: after a storm the last one is back in that time"},
    {"window", &flag_number, JUDGED & ~DAYS, AT(window), 1, PROTOCOL_COMMAND_WINDOW, "N",
     "messages of one user that wait for their answer at most (16; away, and with a rate, 64); of "
     "a group, "
     "that "
     "not all of its members have been shown"},
    {"bytes", &flag_number, JUDGED | ECHO, AT(bytes), 1, ECHO_BYTES_MAX, "N",
     "bytes of a message's text, 64 at least (128); of an echoed frame (16)"},
    {"seconds", &flag_number, TIMED, AT(seconds), 1, WEEK_S, "N",
     "how long it measures (10; storm 30; mixed 120; soak 600)"},
    {"warmup", &flag_number, TIMED, AT(warmup_s), 0, DAY_S, "N",
     "how long it runs before that (2; mixed 10; soak 60)"},
    {"threads", &flag_number, ALL, AT(threads), 1, OPTIONS_THREADS_MAX, "N",
     "threads of each process of the generator (1)"},
    {"processes", &flag_number, ALL, AT(processes), 1, SHARE_PROCESSES_MAX, "N",
     "processes of the generator (as many as the limit of descriptors asks for)"},
    {"addresses", &flag_number, ALL, AT(addresses), 1, SHARE_ADDRESSES_MAX, "N",
     "connect to so many addresses of the node in turn, from the URL's on (a loopback one: one "
     "for each 13500 connections)"},
    {"form", &flag_form, JUDGED | IDLE, AT(form), 0, 0, "proto|json",
     "how frames are written (proto)"},
    {"read", &flag_on, JUDGED & ~AWAY, AT(read), 0, 0, NULL,
     "what is shown is marked read (the default)"},
    {"no-read", &flag_off, JUDGED & ~AWAY, AT(read), 0, 0, NULL, "it is not"},
    {"pid", &flag_number, ALL, AT(pid), 1, UINT32_MAX, "N",
     "the node's process, for its CPU and memory; with --data it is asked"},
    {"seed", &flag_seed, JUDGED, AT(seed), 0, 0, "N",
     "of the arrivals and pauses: another seed, another run (1)"},
    {"sample", &flag_number, ALL & ~CAPACITY, AT(sample_s), 1, 3600, "N",
     "seconds between two points of the time series (1; soak 5)"},
    {"report", &flag_text, ALL, AT(report), 0, 0, "FILE",
     "write the result as a page with charts, too (HTML, complete in itself)"},
    {"json", &flag_on, ALL, AT(json), 0, 0, NULL, "print the result as one JSON object"},
};

static const char *const names[] = {"chat",  "idle",  "echo", "offline", "away",
                                    "storm", "mixed", "soak", "group",   "capacity"};

static const struct flags flags = {table, sizeof table / sizeof table[0], names,
                                   sizeof names / sizeof names[0]};

/* ----------------------------------------------------------------------------------------- help */

static const char help_before[] =
    "usage: linnet-bench chat --url ws://ADDR:PORT/chat --data DIR [flags]\n"
    "       linnet-bench idle --url ws://ADDR:PORT/chat --data DIR [flags]\n"
    "       linnet-bench echo --url ws://ADDR:PORT/echo [flags]\n"
    "       linnet-bench offline, away, storm, mixed or soak --url ws://ADDR:PORT/chat --data DIR "
    "[flags]\n"
    "       linnet-bench group --url ws://ADDR:PORT/chat --data DIR [flags]\n"
    "       linnet-bench capacity --url ws://ADDR:PORT/chat --data DIR [flags]\n"
    "       linnet-bench plan [flags]\n"
    "\n"
    "chat  pairs of users write to each other; every message is followed and judged: none lost,\n"
    "      none twice, in order, and its ticks never early, never back.\n"
    "idle  users log in and stay silent; what does each cost the node?\n"
    "echo  one frame after the other, there and back, on many connections.\n"
    "offline  inboxes of users who are away are filled; they come back and empty them.\n"
    "away  messages are stored for users who stay away, for as long as is asked for.\n"
    "storm  all connections are cut at once, and everybody calls again.\n"
    "mixed  a day: people come, write, change networks, fall asleep and return, in fast motion.\n"
    "soak  the same for long: do memory, latency or disk drift?\n"
    "group  the members of groups write in turn; what each of them is shown is judged.\n"
    "capacity  chat at one rate after the other: the highest that keeps the objectives.\n"
    "plan  no run: how many nodes, how much memory, disk and bandwidth a population needs.\n"
    "\n";

static const char help_after[] =
    "\n"
    "It shows a line each second on standard error, and the result on standard output.\n"
    "Exit codes: 0 what was wanted was met; 1 a promise was broken, and which: a message was "
    "lost,\n"
    "came twice, out of order ...; 2 the rate or an objective was missed, or an idle connection "
    "was\n"
    "cut; 3 it could not run: wrong flags or values, no node, a report that can't be written, a\n"
    "limit of the node that holds writers back, or the node did not come back.\n";

static void
help_print(void)
{
    printf("%s", help_before);
    flags_print(&flags);
    printf("  --help, --version\n\nplan:\n");
    plan_command_help();
    printf("%s", help_after);
}

enum {
    MEMBERS_DEFAULT = 1000,
    NEIGHBOURS_DEFAULT = 10,
    SOAK_FACTOR = 144,
    BEAT_S = 60,
    DAY_BEAT_S = 240,
    PATIENCE_S = 60
};

static const struct {
    uint32_t users, seconds, warmup_s, sample_s;
    double rate_per_s;
} defaults[SCENARIOS] = {
    [SCENARIO_CHAT] = {200, 10, 2, 1, 0},     [SCENARIO_IDLE] = {1000, 10, 2, 1, 0},
    [SCENARIO_ECHO] = {64, 10, 2, 1, 0},      [SCENARIO_OFFLINE] = {1000, 0, 0, 1, 0},
    [SCENARIO_AWAY] = {1000, 10, 2, 1, 0},    [SCENARIO_STORM] = {1000, 30, 2, 1, 200},
    [SCENARIO_MIXED] = {1000, 120, 10, 1, 0}, [SCENARIO_SOAK] = {1000, 600, 60, 5, 0},
    [SCENARIO_GROUP] = {1000, 10, 2, 1, 0},
};

/* Each plays one actor's people, in pairs. */
static void
neighbours_check(const struct options *options, struct ln_text *wrong)
{
    uint32_t users = options->pairs != 0   ? 2 * options->pairs
                     : options->users != 0 ? options->users
                                           : defaults[options->scenario].users;
    uint32_t members = options->members != 0 ? options->members : NEIGHBOURS_DEFAULT;
    if (options->kills_per_s > 0 && options->data == NULL) {
        ln_text_print(wrong, "--kill: the node is asked through the socket in its --data\n");
    }
    if (members % 2 != 0 || members > FORUM_MEMBERS_MAX) {
        ln_text_print(wrong, "--members: an even number up to %d, since they write in pairs, too\n",
                      FORUM_MEMBERS_MAX);
    } else if (users % members != 0) {
        ln_text_print(wrong, "--users: '%u' is no multiple of the %u --members of a group\n", users,
                      members);
    }
}

static void
offline_check(const struct options *options, struct ln_text *wrong)
{
    if (options->readers > READERS_MAX) {
        ln_text_print(wrong, "--readers: '%u' is no number from 1 to %d\n", options->readers,
                      READERS_MAX);
    }
}

/* What no flag can tell alone. */
static void
options_check(struct options *options, struct ln_text *wrong)
{
    bool logins = options->scenario != SCENARIO_ECHO;
    bool pairs = scenario_in(options->scenario, SCENARIO_PAIR_BITS);
    bool judged = scenario_in(options->scenario, SCENARIO_JUDGED_BITS);
    if (options->url.host[0] == '\0') {
        ln_text_print(wrong, "--url: it is missing\n");
    }
    if (logins && options->data == NULL && options->tokens == NULL) {
        ln_text_print(wrong, "users log in with tokens: name the node's --data, or a file of "
                             "--tokens\n");
    }
    if (options->keep_users != NULL && strlen(options->keep_users) > USERS_PREFIX_BYTES_MAX) {
        ln_text_print(wrong, "--keep-users: longer than %d bytes\n", USERS_PREFIX_BYTES_MAX);
    }
    if (options->tokens != NULL && options->keep_users != NULL) {
        ln_text_print(wrong, "--keep-users: with --tokens no users are made\n");
    }
    if (pairs && options->pairs != 0 && options->users != 0 &&
        options->users != 2 * options->pairs) {
        ln_text_print(wrong, "--users and --pairs do not fit together\n");
    }
    uint32_t idle_users = options->users != 0 ? options->users : defaults[SCENARIO_IDLE].users;
    if (options->chat_pairs > idle_users / 4) {
        ln_text_print(wrong, "--chat-pairs: half of the users at most\n");
    }
    if (options->scenario == SCENARIO_IDLE && options->rate_per_s > 0 && options->chat_pairs == 0) {
        ln_text_print(wrong, "--rate: of idle users only --chat-pairs write\n");
    }
    if (options->scenario == SCENARIO_IDLE && objectives_stated(&options->objectives) &&
        options->chat_pairs == 0) {
        ln_text_print(wrong, "--p99-...: of idle users only --chat-pairs write\n");
    }
    if (pairs && options->users % 2 != 0) {
        ln_text_print(wrong, "--users: an even number, since they write in pairs\n");
    }
    uint32_t members = options->members != 0 ? options->members : MEMBERS_DEFAULT;
    if (options->scenario == SCENARIO_GROUP && options->users % members == 1) {
        ln_text_print(wrong, "--users: the last group would have one member\n");
    }
    if (scenario_in(options->scenario, SCENARIO_DAY_BITS)) {
        neighbours_check(options, wrong);
    }
    if (judged && options->bytes != 0 &&
        (options->bytes < LETTER_BYTES_MIN || options->bytes > LETTER_BYTES_MAX)) {
        ln_text_print(wrong, "--bytes: '%u' is no number from %d to %d\n", options->bytes,
                      LETTER_BYTES_MIN, LETTER_BYTES_MAX);
    }
}

/* What a day can't be made of. */
static void
habits_check(const struct options *options, struct ln_text *wrong)
{
    const struct day_habits *habits = &options->habits;
    if (habits->online <= 0 || habits->online >= 1) {
        ln_text_print(wrong, "--online: more than nobody, less than all\n");
    }
    if (habits->messages <= 0 || habits->returns <= 0) {
        ln_text_print(wrong,
                      "--messages-per-day, --returns-per-day: on a day without them nothing is to "
                      "be seen\n");
    }
}

/* ------------------------------------------------------------------------------------- defaults */

/* Of everything that flags may replace; what depends on others is filled in when they are known. */
static void
defaults_set(struct options *options, enum options_scenario scenario)
{
    *options = (struct options){
        .scenario = scenario,
        .seconds = defaults[scenario].seconds,
        .warmup_s = defaults[scenario].warmup_s,
        .sample_s = defaults[scenario].sample_s,
        .rate_per_s = defaults[scenario].rate_per_s,
        .threads = 1,
        .seed = 1,
        .form = PROTOCOL_BINARY,
        .depth = 100,
        .storms = scenario == SCENARIO_STORM ? 3 : 0,
        .habits = {.online = 0.2,
                   .messages = 40,
                   .posts = 0.3,
                   .changes = 2,
                   .returns = 20,
                   .moves = 5,
                   .asleep = 0.5},
        .heartbeat_s = scenario_in(scenario, SCENARIO_DAY_BITS) ? DAY_BEAT_S : BEAT_S,
        .settle_s = 1,
        .patience_s = PATIENCE_S,
        .drift = {{-1, -1, -1}},
        .read = true,
        .random = true,
        .back_off = true,
    };
}

static void
day_fill(struct options *options)
{
    struct day_habits *habits = &options->habits;
    habits->beat_s = options->heartbeat_s;
    if (habits->factor == 0) {
        habits->factor = options->scenario == SCENARIO_MIXED ? (double)DAY_S / options->seconds
                                                             : (double)SOAK_FACTOR;
    }
    options->rate_per_s = day_rate_per_s(habits, options->users);
    if (options->drift_latency_ns != 0) {
        options->drift.per_hour[DRIFT_LATENCY] = (double)options->drift_latency_ns;
    }
}

static uint32_t
parts(uint32_t whole, uint32_t each)
{
    return (whole + each - 1) / each;
}

/* Away, each writer writes as much as the next: so each has as many readers, or nearly. */
static void
readers_fill(struct options *options)
{
    enum { EACH = 16, WRITERS = 64 };
    bool away = options->scenario == SCENARIO_AWAY;
    if (options->readers == 0) {
        uint32_t each = away ? parts(options->users, WRITERS) : EACH;
        each = each < READERS_AWAY_MAX ? each : READERS_AWAY_MAX;
        options->readers = each > EACH ? each : EACH;
    }
    if (away) {
        options->readers = parts(options->users, parts(options->users, options->readers));
    }
}

static void
defaults_fill(struct options *options)
{
    enum {
        CLOSED_WINDOW = 16,
        LETTER_BYTES = 128,
        FRAME_BYTES = 16,
        PAIRS_PER_S = 1000,
    };
    if (options->pairs != 0) {
        options->users = 2 * options->pairs;
    }
    if (options->users == 0) {
        options->users = defaults[options->scenario].users;
    }
    options->pairs = options->users / 2;
    if (options->members == 0 && scenario_in(options->scenario, SCENARIO_DAY_BITS)) {
        options->members = NEIGHBOURS_DEFAULT;
    } else if (options->members == 0) {
        options->members = MEMBERS_DEFAULT;
    }
    if (options->members > options->users) {
        options->members = options->users;
    }
    readers_fill(options);
    if (options->chat_pairs > 0 && options->rate_per_s == 0) {
        options->rate_per_s = PAIRS_PER_S;
    }
    if (scenario_in(options->scenario, SCENARIO_DAY_BITS)) {
        day_fill(options);
    }
    if (options->window == 0) {
        bool wide = options->rate_per_s > 0 || options->scenario == SCENARIO_AWAY;
        options->window = wide ? PROTOCOL_COMMAND_WINDOW : CLOSED_WINDOW;
    }
    if (options->bytes == 0) {
        options->bytes = options->scenario == SCENARIO_ECHO ? FRAME_BYTES : LETTER_BYTES;
    }
    options->whole = scenario_whole(options);
}

int
options_divide(struct options *options, uint64_t descriptors, unsigned cores, struct ln_text *wrong)
{
    struct io_address last;
    const struct share_whole *whole = &options->whole;
    uint32_t needed = share_processes(whole, descriptors, 1);
    if (options->processes == 0) {
        options->processes = share_processes(whole, descriptors, cores);
    }
    if (options->processes == 0) {
        ln_text_print(wrong,
                      "--users: %u connections take more than %d processes of %llu descriptors: "
                      "raise `ulimit -n`\n",
                      share_connections(whole), SHARE_PROCESSES_MAX,
                      (unsigned long long)descriptors);
    } else if (options->processes > share_actors(whole)) {
        ln_text_print(wrong, "--processes: more than there are %s\n",
                      whole->users_each == 1 ? "connections"
                      : options->scenario == SCENARIO_GROUP ||
                              scenario_in(options->scenario, SCENARIO_DAY_BITS)
                          ? "groups"
                      : whole->users_each == 2 ? "pairs"
                                               : "writers");
    } else if (options->processes < needed) {
        ln_text_print(wrong,
                      "--processes: %u are needed, with %llu descriptors for the connections of "
                      "each\n",
                      needed, (unsigned long long)descriptors);
    }
    if (options->addresses == 0) {
        options->addresses = share_addresses(&options->url.address, share_connections(whole));
    }
    if (share_address(&options->url.address, options->addresses - 1, &last) < 0) {
        ln_text_print(wrong, "--addresses: there are not so many behind %s\n", options->url.host);
    }
    return wrong->bytes > 0 ? -EINVAL : 0;
}

void
options_users_prefix(const struct options *options, uint32_t run,
                     char out[USERS_PREFIX_BYTES_MAX + 1])
{
    if (options->keep_users != NULL) {
        (void)snprintf(out, USERS_PREFIX_BYTES_MAX + 1, "%s", options->keep_users);
    } else {
        (void)snprintf(out, USERS_PREFIX_BYTES_MAX + 1, "bench-%08x-", run);
    }
}

uint32_t
options_writers(const struct options *options)
{
    if (scenario_in(options->scenario, SCENARIO_DAY_BITS)) {
        return options->users / options->members;
    }
    if (options->scenario == SCENARIO_AWAY) {
        return share_actors(&options->whole);
    }
    return scenario_in(options->scenario, SCENARIO_PAIR_BITS) ? options->pairs
                                                              : options->chat_pairs;
}

bool
options_users_ours(const struct options *options)
{
    return options->keep_users == NULL && options->tokens == NULL &&
           options->scenario != SCENARIO_ECHO;
}

static void
capacity_fill(struct options *options)
{
    static const double first_per_s = 1000;
    static const uint64_t p99_ns = UINT64_C(500000000);
    if (options->rate_per_s == 0) {
        options->rate_per_s = first_per_s;
    }
    if (!objectives_stated(&options->objectives)) {
        options->objectives.wanted_ns[OBJECTIVE_DELIVERY] = p99_ns;
    }
}

static int
word_parse(const char *text, unsigned *out)
{
    for (unsigned i = 0; i < flags.scenarios_count; i++) {
        if (strcmp(text, names[i]) == 0) {
            *out = i;
            return 0;
        }
    }
    return -EINVAL;
}

/* --help and --version, wherever they stand. */
static bool
answered(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            help_print();
            return true;
        }
        if (strcmp(argv[i], "--version") == 0) {
            printf("linnet-bench %s\n", LINNET_VERSION);
            return true;
        }
    }
    return false;
}

int
options_read(int argc, char **argv, struct options *options, enum options_action *out_action,
             struct ln_text *wrong)
{
    if (answered(argc, argv)) {
        *out_action = OPTIONS_DONE;
        return 0;
    }
    if (argc >= 2 && strcmp(argv[1], "plan") == 0) {
        *out_action = OPTIONS_PLAN;
        return 0;
    }
    unsigned word = 0;
    if (argc < 2 || word_parse(argv[1], &word) < 0) {
        ln_text_print(wrong,
                      "linnet-bench chat, idle, echo, offline, away, storm, mixed, soak, group, "
                      "capacity or plan? linnet-bench --help tells\n");
        return -EINVAL;
    }
    bool capacity = word == CAPACITY_WORD;
    defaults_set(options, capacity ? SCENARIO_CHAT : (enum options_scenario)word);
    options->argc = argc;
    options->argv = argv;
    flags_read(&flags, argc, argv, 2, word, options, wrong);
    if (capacity) {
        capacity_fill(options);
    }
    options_check(options, wrong);
    if (options->scenario == SCENARIO_OFFLINE) {
        offline_check(options, wrong);
    }
    if (scenario_in(options->scenario, SCENARIO_DAY_BITS)) {
        habits_check(options, wrong);
    }
    if (wrong->bytes > 0) {
        return -EINVAL;
    }
    defaults_fill(options);
    *out_action = capacity ? OPTIONS_CAPACITY : OPTIONS_RUN;
    return 0;
}
