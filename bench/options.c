/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/options.h"

#include "bench/flags.h"
#include "bench/letter.h"
#include "bench/plan_command.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

enum {
    CAPACITY_BIT = SCENARIO_ECHO + 1, /* chat with another rate each time */
    CHAT_ALONE = 1 << SCENARIO_CHAT,
    CHAT = CHAT_ALONE | 1 << CAPACITY_BIT,
    IDLE = 1 << SCENARIO_IDLE,
    ECHO = 1 << SCENARIO_ECHO,
    ALL = CHAT | IDLE | ECHO,
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
enum { DAY_S = 86400, ECHO_BYTES_MAX = 65536 };

static const struct flag table[] = {
    {"url", &flag_url, ALL, AT(url), 0, 0, "URL", "ws://ADDR:PORT/chat (echo: /echo); required"},
    {"data", &flag_text, ALL, AT(data), 0, 0, "DIR",
     "the node's data directory: users are made through its socket"},
    {"tokens", &flag_text, CHAT | IDLE, AT(tokens), 0, 0, "FILE",
     "log in with these tokens instead: what `linnet user import` printed"},
    {"keep-users", &flag_text, CHAT_ALONE | IDLE, AT(keep_users), 0, 0, "PREFIX",
     "call the users made PREFIX1, PREFIX2 ..., and do not remove them afterwards"},
    {"pairs", &flag_number, CHAT, AT(pairs), 1, OPTIONS_USERS_MAX / 2, "N",
     "pairs of users who write to each other (100)"},
    {"users", &flag_number, CHAT | IDLE, AT(users), 1, OPTIONS_USERS_MAX, "N",
     "users: twice the pairs (chat 200, idle 1000)"},
    {"connections", &flag_number, ECHO, AT(users), 1, OPTIONS_USERS_MAX, "N",
     "connections, each with one frame under way (64)"},
    {"chat-pairs", &flag_number, IDLE, AT(chat_pairs), 1, OPTIONS_USERS_MAX / 2, "N",
     "pairs among the users write at --rate, first alone, then beside the others"},
    {"heartbeat", &flag_number, IDLE, AT(heartbeat_s), 0, DAY_S, "SECONDS",
     "between a user's heartbeats (60; 0: none)"},
    {"rate", &flag_amount, CHAT | IDLE, AT(rate_per_s), 0, OPTIONS_RATE_MAX, "N",
     "messages due each second, in all, whatever the node does (0: as fast as it goes); "
     "capacity begins with it, idle's pairs keep to it (1000)"},
    {"p99-sent", &flag_span, CHAT, AT(objectives.p99_ns[OBJECTIVE_SENT]), 0, 0, "TIME",
     "an objective: of a hundred messages 99 are answered in that time"},
    {"p99-delivery", &flag_span, CHAT, AT(objectives.p99_ns[OBJECTIVE_DELIVERY]), 0, 0, "TIME",
     "likewise: are shown to their reader (capacity: 500ms)"},
    {"p99-tick", &flag_span, CHAT, AT(objectives.p99_ns[OBJECTIVE_TICK]), 0, 0, "TIME",
     "likewise: are ticked as delivered"},
    {"window", &flag_number, CHAT, AT(window), 1, PROTOCOL_COMMAND_WINDOW, "N",
     "messages of one user that wait for their answer at most (16; with a rate 64)"},
    {"bytes", &flag_number, CHAT | ECHO, AT(bytes), 1, ECHO_BYTES_MAX, "N",
     "bytes of a message's text, 64 at least (128); of an echoed frame (16)"},
    {"seconds", &flag_number, ALL, AT(seconds), 1, DAY_S, "N", "how long it measures (10)"},
    {"warmup", &flag_number, ALL, AT(warmup_s), 0, DAY_S, "N", "how long it runs before that (2)"},
    {"patience", &flag_number, ALL, AT(patience_s), 1, DAY_S, "SECONDS",
     "how long the node may be gone before the run has failed (60)"},
    {"threads", &flag_number, ALL, AT(threads), 1, OPTIONS_THREADS_MAX, "N",
     "threads of each process of the generator (1)"},
    {"processes", &flag_number, ALL, AT(processes), 1, SHARE_PROCESSES_MAX, "N",
     "processes of the generator (as many as the limit of descriptors asks for)"},
    {"addresses", &flag_number, ALL, AT(addresses), 1, SHARE_ADDRESSES_MAX, "N",
     "connect to so many addresses of the node in turn, from the URL's on (a loopback one: one "
     "for each 13500 connections)"},
    {"form", &flag_form, CHAT | IDLE, AT(form), 0, 0, "proto|json",
     "how frames are written (proto)"},
    {"read", &flag_on, CHAT, AT(read), 0, 0, NULL, "what is shown is marked read (the default)"},
    {"no-read", &flag_off, CHAT, AT(read), 0, 0, NULL, "it is not"},
    {"pid", &flag_number, ALL, AT(pid), 1, UINT32_MAX, "N",
     "the node's process, for its CPU and memory; with --data it is asked"},
    {"seed", &flag_seed, CHAT, AT(seed), 0, 0, "N",
     "of the arrivals and pauses: another seed, another run (1)"},
    {"json", &flag_on, ALL, AT(json), 0, 0, NULL, "print the result as one JSON object"},
};

static const char *const names[] = {"chat", "idle", "echo", "capacity"};

static const struct flags flags = {table, sizeof table / sizeof table[0], names,
                                   sizeof names / sizeof names[0]};

const char *
options_scenario_name(enum options_scenario scenario)
{
    return names[scenario];
}

/* ----------------------------------------------------------------------------------------- help */

static const char help_before[] =
    "usage: linnet-bench chat --url ws://ADDR:PORT/chat --data DIR [flags]\n"
    "       linnet-bench idle --url ws://ADDR:PORT/chat --data DIR [flags]\n"
    "       linnet-bench echo --url ws://ADDR:PORT/echo [flags]\n"
    "       linnet-bench capacity --url ws://ADDR:PORT/chat --data DIR [flags]\n"
    "       linnet-bench plan [flags]\n"
    "\n"
    "chat  pairs of users write to each other; every message is followed and judged: none lost,\n"
    "      none twice, in order, and its ticks never early, never back.\n"
    "idle  users log in and stay silent; what does each cost the node?\n"
    "echo  one frame after the other, there and back, on many connections.\n"
    "capacity  chat at one rate after the other: the highest that keeps the objectives.\n"
    "plan  no run: how many nodes, how much memory, disk and bandwidth a population needs.\n"
    "\n";

static const char help_after[] =
    "\n"
    "It shows a line each second on standard error, and the result on standard output.\n"
    "Exit codes: 0 all is well; 1 a promise was broken, and which; 2 wrong flags, or the rate was\n"
    "or an objective was missed, or an idle connection was cut; 3 it could not run.\n";

static void
help_print(void)
{
    printf("%s", help_before);
    flags_print(&flags);
    printf("  --help, --version\n\nplan:\n");
    plan_command_help();
    printf("%s", help_after);
}

static const uint32_t users_usual[] = {200, 1000, 64};

/* What no flag can tell alone. */
static void
options_check(struct options *options, struct ln_text *wrong)
{
    bool logins = options->scenario != SCENARIO_ECHO;
    bool chat = options->scenario == SCENARIO_CHAT;
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
    if (chat && options->pairs != 0 && options->users != 0 &&
        options->users != 2 * options->pairs) {
        ln_text_print(wrong, "--users and --pairs do not fit together\n");
    }
    uint32_t idle_users = options->users != 0 ? options->users : users_usual[SCENARIO_IDLE];
    if (options->chat_pairs > idle_users / 4) {
        ln_text_print(wrong, "--chat-pairs: half of the users at most\n");
    }
    if (options->scenario == SCENARIO_IDLE && options->rate_per_s > 0 && options->chat_pairs == 0) {
        ln_text_print(wrong, "--rate: of idle users only --chat-pairs write\n");
    }
    if (chat && options->users % 2 != 0) {
        ln_text_print(wrong, "--users: an even number, since they write in pairs\n");
    }
    if (chat && options->bytes != 0 &&
        (options->bytes < LETTER_BYTES_MIN || options->bytes > LETTER_BYTES_MAX)) {
        ln_text_print(wrong, "--bytes: '%u' is no number from %d to %d\n", options->bytes,
                      LETTER_BYTES_MIN, LETTER_BYTES_MAX);
    }
}

static void
defaults_fill(struct options *options)
{
    enum { CLOSED_WINDOW = 16, LETTER_BYTES = 128, FRAME_BYTES = 16, PAIRS_PER_S = 1000 };
    if (options->pairs != 0) {
        options->users = 2 * options->pairs;
    }
    if (options->users == 0) {
        options->users = users_usual[options->scenario];
    }
    options->pairs = options->users / 2;
    if (options->chat_pairs > 0 && options->rate_per_s == 0) {
        options->rate_per_s = PAIRS_PER_S;
    }
    if (options->window == 0) {
        options->window = options->rate_per_s > 0 ? PROTOCOL_COMMAND_WINDOW : CLOSED_WINDOW;
    }
    if (options->bytes == 0) {
        options->bytes = options->scenario == SCENARIO_ECHO ? FRAME_BYTES : LETTER_BYTES;
    }
    options->whole = (struct share_whole){.users = options->users,
                                          .users_each = options->scenario == SCENARIO_ECHO ? 1 : 2};
}

int
options_divide(struct options *options, uint64_t descriptors, unsigned cores, struct ln_text *wrong)
{
    struct io_address last;
    const struct share_whole *whole = &options->whole;
    uint32_t needed = share_processes(whole, descriptors, cores);
    if (options->processes == 0) {
        options->processes = needed;
    }
    if (options->processes == 0) {
        ln_text_print(wrong,
                      "--users: %u connections take more than %d processes of %llu descriptors: "
                      "raise `ulimit -n`\n",
                      whole->users, SHARE_PROCESSES_MAX, (unsigned long long)descriptors);
    } else if (options->processes > share_actors(whole)) {
        ln_text_print(wrong, "--processes: more than there are %s\n",
                      whole->users_each > 1 ? "pairs" : "connections");
    } else if (options->processes < needed) {
        ln_text_print(wrong,
                      "--processes: %u are needed, with %llu descriptors for the connections of "
                      "each\n",
                      needed, (unsigned long long)descriptors);
    }
    if (options->addresses == 0) {
        options->addresses = share_addresses(&options->url.address, whole->users);
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
    return options->scenario == SCENARIO_CHAT ? options->pairs : options->chat_pairs;
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
    uint64_t stated = 0;
    for (unsigned i = 0; i < OBJECTIVES; i++) {
        stated |= options->objectives.p99_ns[i];
    }
    if (options->rate_per_s == 0) {
        options->rate_per_s = first_per_s;
    }
    if (stated == 0) {
        options->objectives.p99_ns[OBJECTIVE_DELIVERY] = p99_ns;
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
    *options = (struct options){.seconds = 10,
                                .warmup_s = 2,
                                .threads = 1,
                                .heartbeat_s = 60,
                                .patience_s = 60,
                                .seed = 1,
                                .form = PROTOCOL_BINARY,
                                .read = true,
                                .argc = argc,
                                .argv = argv};
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
        ln_text_print(
            wrong, "linnet-bench chat, idle, echo, capacity or plan? linnet-bench --help tells\n");
        return -EINVAL;
    }
    bool capacity = word == CAPACITY_BIT;
    options->scenario = capacity ? SCENARIO_CHAT : (enum options_scenario)word;
    flags_read(&flags, argc, argv, 2, word, options, wrong);
    if (capacity) {
        capacity_fill(options);
    }
    options_check(options, wrong);
    if (wrong->bytes > 0) {
        return -EINVAL;
    }
    defaults_fill(options);
    *out_action = capacity ? OPTIONS_CAPACITY : OPTIONS_RUN;
    return 0;
}
