/* SPDX-License-Identifier: Apache-2.0 */
/* One table of flags: what each is, where its value goes, and for which scenarios. Help and errors
 * come from it. */
#include "bench/options.h"

#include "bench/letter.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum kind {
    KIND_TEXT,
    KIND_NUMBER, /* uint32_t */
    KIND_SEED,   /* uint64_t */
    KIND_RATE,   /* double */
    KIND_URL,
    KIND_FORM,
    KIND_ON,
    KIND_OFF,
};

enum {
    CHAT = 1 << SCENARIO_CHAT,
    IDLE = 1 << SCENARIO_IDLE,
    ECHO = 1 << SCENARIO_ECHO,
    ALL = CHAT | IDLE | ECHO,
};

struct flag {
    const char *name;
    enum kind kind;
    unsigned scenarios;
    size_t offset;
    uint32_t min, max;
    const char *value; /* of the help */
    const char *help;
};

#define AT(field) offsetof(struct options, field)
enum { DAY_S = 86400, ECHO_BYTES_MAX = 65536 };

static const struct flag flags[] = {
    {"url", KIND_URL, ALL, AT(url), 0, 0, "URL", "ws://ADDR:PORT/chat (echo: /echo); required"},
    {"data", KIND_TEXT, ALL, AT(data), 0, 0, "DIR",
     "the node's data directory: users are made through its socket"},
    {"tokens", KIND_TEXT, CHAT | IDLE, AT(tokens), 0, 0, "FILE",
     "log in with these tokens instead: what `linnet user import` printed"},
    {"keep-users", KIND_TEXT, CHAT | IDLE, AT(keep_users), 0, 0, "PREFIX",
     "call the users made PREFIX1, PREFIX2 ..., and do not remove them afterwards"},
    {"pairs", KIND_NUMBER, CHAT, AT(pairs), 1, OPTIONS_USERS_MAX / 2, "N",
     "pairs of users who write to each other (100)"},
    {"users", KIND_NUMBER, CHAT | IDLE, AT(users), 1, OPTIONS_USERS_MAX, "N",
     "users: twice the pairs (chat 200, idle 1000)"},
    {"connections", KIND_NUMBER, ECHO, AT(users), 1, OPTIONS_USERS_MAX, "N",
     "connections, each with one frame under way (64)"},
    {"rate", KIND_RATE, CHAT, AT(rate_per_s), 0, 0, "N",
     "messages due each second, in all, whatever the node does (0: as fast as it goes)"},
    {"window", KIND_NUMBER, CHAT, AT(window), 1, PROTOCOL_COMMAND_WINDOW, "N",
     "messages of one user that wait for their answer at most (16; with a rate 64)"},
    {"bytes", KIND_NUMBER, CHAT | ECHO, AT(bytes), 1, ECHO_BYTES_MAX, "N",
     "bytes of a message's text, 64 at least (128); of an echoed frame (16)"},
    {"seconds", KIND_NUMBER, ALL, AT(seconds), 1, DAY_S, "N", "how long it measures (10)"},
    {"warmup", KIND_NUMBER, CHAT | ECHO, AT(warmup_s), 0, DAY_S, "N",
     "how long it runs before that (2)"},
    {"threads", KIND_NUMBER, ALL, AT(threads), 1, OPTIONS_THREADS_MAX, "N",
     "threads of the generator (1)"},
    {"form", KIND_FORM, CHAT | IDLE, AT(form), 0, 0, "proto|json",
     "how frames are written (proto)"},
    {"read", KIND_ON, CHAT, AT(read), 0, 0, NULL, "what is shown is marked read (the default)"},
    {"no-read", KIND_OFF, CHAT, AT(read), 0, 0, NULL, "it is not"},
    {"pid", KIND_NUMBER, ALL, AT(pid), 1, UINT32_MAX, "N",
     "the node's process, for its CPU and memory; with --data it is asked"},
    {"seed", KIND_SEED, CHAT, AT(seed), 0, 0, "N",
     "of the arrivals and pauses: another seed, another run (1)"},
    {"json", KIND_ON, ALL, AT(json), 0, 0, NULL, "print the result as one JSON object"},
};

enum { FLAGS = sizeof flags / sizeof flags[0] };

const char *
options_scenario_name(enum options_scenario scenario)
{
    static const char *const names[] = {"chat", "idle", "echo"};
    return names[scenario];
}

/* ----------------------------------------------------------------------------------------- help */

static const char help_before[] =
    "usage: linnet-bench chat --url ws://ADDR:PORT/chat --data DIR [flags]\n"
    "       linnet-bench idle --url ws://ADDR:PORT/chat --data DIR [flags]\n"
    "       linnet-bench echo --url ws://ADDR:PORT/echo [flags]\n"
    "\n"
    "chat  pairs of users write to each other; every message is followed and judged: none lost,\n"
    "      none twice, in order, and its ticks never early, never back.\n"
    "idle  users log in and stay silent; what does each cost the node?\n"
    "echo  one frame after the other, there and back, on many connections.\n"
    "\n";

static const char help_after[] =
    "\n"
    "It shows a line each second on standard error, and the result on standard output.\n"
    "Exit codes: 0 all is well; 1 a promise was broken, and which; 2 wrong flags, or the rate was\n"
    "not reached, or an idle connection was cut; 3 it could not run.\n";

/* " [chat, idle]", or nothing for all of them. */
static void
scenarios_print(unsigned scenarios)
{
    const char *before = " [";
    for (unsigned i = 0; i <= SCENARIO_ECHO && scenarios != ALL; i++) {
        if ((scenarios & 1u << i) != 0) {
            printf("%s%s", before, options_scenario_name((enum options_scenario)i));
            before = ", ";
        }
    }
    printf(scenarios != ALL ? "]\n" : "\n");
}

static void
help_print(void)
{
    printf("%s", help_before);
    for (unsigned i = 0; i < FLAGS; i++) {
        const struct flag *flag = &flags[i];
        char left[64];
        (void)snprintf(left, sizeof left, "--%s%s%s", flag->name, flag->value != NULL ? " " : "",
                       flag->value != NULL ? flag->value : "");
        printf("  %-20s %s", left, flag->help);
        scenarios_print(flag->scenarios);
    }
    printf("  %-20s\n%s", "--help, --version", help_after);
}

/* --------------------------------------------------------------------------------------- values */

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
number_parse(const char *text, uint64_t min, uint64_t max, uint64_t *out)
{
    char *end = NULL;
    errno = 0;
    unsigned long long value = strtoull(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end != '\0' || errno != 0 || value < min ||
        value > max) {
        return -EINVAL;
    }
    *out = value;
    return 0;
}

static int
rate_parse(const char *text, double *out)
{
    static const double rate_max = 1e8;
    char *end = NULL;
    double value = strtod(text, &end);
    if (text[0] < '0' || text[0] > '9' || *end != '\0' || value > rate_max) {
        return -EINVAL;
    }
    *out = value;
    return 0;
}

static int
form_parse(const char *text, enum protocol_form *out)
{
    if (strcmp(text, "proto") == 0) {
        *out = PROTOCOL_BINARY;
    } else if (strcmp(text, "json") == 0) {
        *out = PROTOCOL_JSON;
    } else {
        return -EINVAL;
    }
    return 0;
}

static int
value_parse(const struct flag *flag, const char *text, struct options *options,
            struct ln_text *wrong)
{
    void *field = (char *)options + flag->offset;
    uint64_t number = 0;
    ASSERT(text != NULL);
    int error = 0;
    switch (flag->kind) {
    case KIND_TEXT:
        *(const char **)field = text;
        break;
    case KIND_NUMBER:
        error = number_parse(text, flag->min, flag->max, &number);
        *(uint32_t *)field = (uint32_t)number;
        break;
    case KIND_SEED:
        error = number_parse(text, 0, UINT64_MAX, field);
        break;
    case KIND_RATE:
        error = rate_parse(text, field);
        break;
    case KIND_URL:
        error = options_url_parse(text, field);
        break;
    case KIND_FORM:
        error = form_parse(text, field);
        break;
    case KIND_ON:
    case KIND_OFF:
        break; /* have none */
    }
    if (error == 0) {
        return 0;
    }
    if (flag->kind == KIND_NUMBER) {
        ln_text_print(wrong, "--%s: '%s' is no number from %u to %u\n", flag->name, text, flag->min,
                      flag->max);
    } else if (flag->kind == KIND_URL) {
        ln_text_print(wrong,
                      "--url: '%s' is not like ws://127.0.0.1:4222/chat (names are not looked "
                      "up)\n",
                      text);
    } else {
        ln_text_print(wrong, "--%s: it can't be '%s'\n", flag->name, text);
    }
    return error;
}

/* ---------------------------------------------------------------------------------------- flags */

static const struct flag *
flag_find(const char *name, size_t bytes)
{
    for (unsigned i = 0; i < FLAGS; i++) {
        if (strlen(flags[i].name) == bytes && memcmp(flags[i].name, name, bytes) == 0) {
            return &flags[i];
        }
    }
    return NULL;
}

/* argv[*index] and its value; moves *index past them. */
static void
flag_read(int argc, char **argv, int *index, struct options *options, struct ln_text *wrong)
{
    const char *argument = argv[(*index)++];
    const char *name = strncmp(argument, "--", 2) == 0 ? argument + 2 : "";
    size_t bytes = strcspn(name, "=");
    const struct flag *flag = flag_find(name, bytes);
    if (flag == NULL) {
        ln_text_print(wrong, "%s: no such flag; linnet-bench --help lists them\n", argument);
        return;
    }
    const char *value = name[bytes] == '=' ? name + bytes + 1 : NULL;
    if (flag->value == NULL && value != NULL) {
        ln_text_print(wrong, "--%s takes no value\n", flag->name);
        return;
    }
    if (flag->value != NULL && value == NULL) {
        if (*index == argc) {
            ln_text_print(wrong, "--%s: its value is missing\n", flag->name);
            return;
        }
        value = argv[(*index)++];
    }
    if ((flag->scenarios & 1u << options->scenario) == 0) {
        ln_text_print(wrong, "--%s: %s does not have it\n", flag->name,
                      options_scenario_name(options->scenario));
        return;
    }
    if (flag->value == NULL) {
        *(bool *)((char *)options + flag->offset) = flag->kind == KIND_ON;
    } else {
        (void)value_parse(flag, value, options, wrong); /* what is wrong is told there */
    }
}

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
    if (options->tokens != NULL && options->keep_users != NULL) {
        ln_text_print(wrong, "--keep-users: with --tokens no users are made\n");
    }
    if (chat && options->pairs != 0 && options->users != 0 &&
        options->users != 2 * options->pairs) {
        ln_text_print(wrong, "--users and --pairs do not fit together\n");
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
    static const uint32_t users[] = {200, 1000, 64};
    enum { CLOSED_WINDOW = 16, LETTER_BYTES = 128, FRAME_BYTES = 16 };
    if (options->pairs != 0) {
        options->users = 2 * options->pairs;
    }
    if (options->users == 0) {
        options->users = users[options->scenario];
    }
    options->pairs = options->users / 2;
    if (options->window == 0) {
        options->window = options->rate_per_s > 0 ? PROTOCOL_COMMAND_WINDOW : CLOSED_WINDOW;
    }
    if (options->bytes == 0) {
        options->bytes = options->scenario == SCENARIO_CHAT ? LETTER_BYTES : FRAME_BYTES;
    }
}

static int
scenario_parse(const char *text, enum options_scenario *out)
{
    for (unsigned i = 0; i <= SCENARIO_ECHO; i++) {
        if (strcmp(text, options_scenario_name((enum options_scenario)i)) == 0) {
            *out = (enum options_scenario)i;
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
                                .seed = 1,
                                .form = PROTOCOL_BINARY,
                                .read = true};
    if (answered(argc, argv)) {
        *out_action = OPTIONS_DONE;
        return 0;
    }
    if (argc < 2 || scenario_parse(argv[1], &options->scenario) < 0) {
        ln_text_print(wrong, "linnet-bench chat, idle or echo? linnet-bench --help tells\n");
        return -EINVAL;
    }
    int index = 2;
    while (index < argc) {
        flag_read(argc, argv, &index, options, wrong);
    }
    options_check(options, wrong);
    if (wrong->bytes > 0) {
        return -EINVAL;
    }
    defaults_fill(options);
    *out_action = OPTIONS_RUN;
    return 0;
}
