/* SPDX-License-Identifier: Apache-2.0 */
/* linnet - looks into a node that runs, and keeps its users. The table below is the whole of it:
 * reading the command line, the help and the dispatch all walk it. */
#include "actors/nearest.h"
#include "runtime/check.h"
#include "tools/linnet_call.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct linnet_command commands[] = {
    {.noun = "status",
     .usage = "",
     .summary = "how the node does: uptime, connections, schedulers, store",
     .run = linnet_status},
    {.noun = "ps",
     .usage = "",
     .summary = "its actors",
     .help = "  --sort KEY   pid (default), name, behaviour, mailbox, reductions or memory\n"
             "  --limit N    show so many of them (default 100)\n"
             "  --all        show all of them\n",
     .flags = LINNET_SORT | LINNET_LIMIT | LINNET_ALL,
     .run = linnet_ps},
    {.noun = "tree", .usage = "", .summary = "its supervision tree", .run = linnet_tree},
    {.noun = "inspect",
     .usage = "PID|USER",
     .summary = "one actor and its state, or one user with its devices and inbox",
     .words_min = 1,
     .words_max = 1,
     .run = linnet_inspect},
    {.noun = "trace",
     .usage = "PID|USER",
     .summary = "the messages that an actor, or the actors of a user, send and take from now on",
     .help = "  --count N     end after so many events (default 1000)\n"
             "  --seconds S   end after so long (default 10)\n"
             "Tags and sizes are shown, never what a message says. Ctrl-C ends it, too.\n",
     .words_min = 1,
     .words_max = 1,
     .flags = LINNET_COUNT | LINNET_SECONDS,
     .run = linnet_trace},
    {.noun = "hot",
     .usage = "",
     .summary = "the users that take most commands, and the groups that most is sent to",
     .help = "Of the last minutes: counts are halved each minute, and too high by ERROR at most.\n",
     .run = linnet_hot},
    {.noun = "calls",
     .usage = "",
     .summary = "the calls under way: who calls whom, and since when",
     .run = linnet_calls},
    {.noun = "msg",
     .verb = "trace",
     .usage = "USER/DEVICE/NUMBER",
     .summary = "where a message has got to: each step of its way, with its time",
     .help = "The id is as its sender was told it. Steps are kept up to trace_bytes_max, the\n"
             "oldest go; how far back they reach is shown.\n",
     .words_min = 1,
     .words_max = 1,
     .run = linnet_msg_trace},
    {.noun = "crashes",
     .usage = "",
     .summary = "the actors that failed last: why, in which state, after which messages",
     .run = linnet_crashes},
    {.noun = "stalls",
     .usage = "",
     .summary = "the actors that held their scheduler too long, and where they were",
     .run = linnet_stalls},
    {.noun = "kill",
     .usage = "PID|BEHAVIOUR|any",
     .summary = "end an actor that has a supervisor, which starts it again",
     .help =
         "Of a behaviour one is chosen by chance; of `any` a behaviour first. It costs clients\n"
         "no more than a reconnect, which is what this is for: to see that it does not.\n",
     .words_min = 1,
     .words_max = 1,
     .run = linnet_kill},
    {.noun = "group",
     .verb = "list",
     .usage = "",
     .summary = "all groups, with their members' number and how much was said",
     .run = linnet_group_list},
    {.noun = "group",
     .verb = "show",
     .usage = "GROUP",
     .summary = "one group: who leads it, how far all have got, and what waits to be told",
     .words_min = 1,
     .words_max = 1,
     .run = linnet_group_show},
    {.noun = "group",
     .verb = "members",
     .usage = "GROUP",
     .summary = "who is or was in a group, and how far each has got",
     .words_min = 1,
     .words_max = 1,
     .run = linnet_group_members},
    {.noun = "user",
     .verb = "add",
     .usage = "NAME",
     .summary = "make a user; the password is asked for",
     .help = "  --password-stdin   read the password from standard input\n"
             "  --no-password      no password: the user logs in by token only\n",
     .words_min = 1,
     .words_max = 1,
     .flags = LINNET_PASSWORD_STDIN | LINNET_NO_PASSWORD,
     .password = true,
     .run = linnet_user_add},
    {.noun = "user", .verb = "list", .usage = "", .summary = "all users", .run = linnet_user_list},
    {.noun = "user",
     .verb = "passwd",
     .usage = "NAME",
     .summary = "give a user another password",
     .help = "  --password-stdin   read the password from standard input\n",
     .words_min = 1,
     .words_max = 1,
     .flags = LINNET_PASSWORD_STDIN,
     .password = true,
     .run = linnet_user_passwd},
    {.noun = "user",
     .verb = "remove",
     .usage = "NAME|-",
     .summary = "remove a user, its devices and what waits for them",
     .help = "-: all whom lines of standard input name, as `user import` reads them.\n",
     .words_min = 1,
     .words_max = 1,
     .run = linnet_user_remove},
    {.noun = "user",
     .verb = "token",
     .usage = "NAME [DEVICE]",
     .summary = "a new device of a user, and the token that it logs in with",
     .words_min = 1,
     .words_max = 2,
     .run = linnet_user_token},
    {.noun = "user",
     .verb = "export",
     .usage = "NAME",
     .summary = "all that the node keeps of a user, as lines of JSON",
     .help =
         "One object a line: the user, devices, chats, groups, what was set, what waits in the\n"
         "inbox, and histories, in the form in which clients get it. Neither passwords nor "
         "tokens.\n",
     .words_min = 1,
     .words_max = 1,
     .run = linnet_user_export},
    {.noun = "user",
     .verb = "revoke",
     .usage = "NAME DEVICE",
     .summary = "show out one device of a user, whose number `inspect NAME` tells",
     .words_min = 2,
     .words_max = 2,
     .run = linnet_user_revoke},
    {.noun = "user",
     .verb = "import",
     .usage = "FILE|-",
     .summary = "make many users, each with a device and its token, without passwords",
     .help =
         "Each line is `name` or `name,device name`, or a JSON object with \"name\" and perhaps\n"
         "\"device\". Prints a line `name,user number,token` for each (with --json, an object);\n"
         "what could not be made is told on standard error, and the exit code is 1 then.\n",
     .words_min = 1,
     .words_max = 1,
     .run = linnet_user_import},
    {.noun = "push",
     .verb = "show",
     .usage = "USER",
     .summary = "how a user's devices are woken, and what became of the last pushes",
     .words_min = 1,
     .words_max = 1,
     .run = linnet_push_show},
    {.noun = "push",
     .verb = "test",
     .usage = "USER [DEVICE]",
     .summary = "send a push to a user's devices now, and show what their servers answer",
     .help = "DEVICE is its number, as `push show` lists it. The push says that it is a test.\n",
     .words_min = 1,
     .words_max = 2,
     .run = linnet_push_test},
    {.noun = "config",
     .verb = "show",
     .usage = "",
     .summary = "the settings in force",
     .help = "  --origin   also where each came from: default, file, environment or flag\n",
     .flags = LINNET_ORIGIN,
     .run = linnet_config_show},
    {.noun = "store",
     .verb = "info",
     .usage = "",
     .summary = "the store's counters and the partitions' sums",
     .run = linnet_store_info},
    {.noun = "store",
     .verb = "skip",
     .usage = "POSITION",
     .summary = "pass over a command that keeps the node from starting; the node is down",
     .help = "POSITION is what linnetd named when it did not start. The command is lost.\n",
     .words_min = 1,
     .words_max = 1,
     .alone = true,
     .run = linnet_store_skip},
};
enum { COMMANDS = sizeof commands / sizeof commands[0] };

static const struct {
    const char *name;
    enum linnet_flag flag;
} flags[] = {
    {"--password-stdin", LINNET_PASSWORD_STDIN},
    {"--no-password", LINNET_NO_PASSWORD},
    {"--origin", LINNET_ORIGIN},
    {"--sort", LINNET_SORT},
    {"--limit", LINNET_LIMIT},
    {"--all", LINNET_ALL},
    {"--count", LINNET_COUNT},
    {"--seconds", LINNET_SECONDS},
};

/* ----------------------------------------------------------------------------------------- help */

static void
command_title(const struct linnet_command *command, char *out, size_t out_bytes)
{
    (void)snprintf(out, out_bytes, "%s%s%s%s%s", command->noun, command->verb != NULL ? " " : "",
                   command->verb != NULL ? command->verb : "", command->usage[0] != '\0' ? " " : "",
                   command->usage);
}

static void
command_line_print(const struct linnet_command *command)
{
    char title[64];
    command_title(command, title, sizeof title);
    printf("  %-26s %s\n", title, command->summary);
}

static void
help_print(void)
{
    printf("usage: linnet [--data DIR] [--json] COMMAND\n\n"
           "Looks into the node that runs on a data directory, and keeps its users.\n\n");
    for (unsigned i = 0; i < COMMANDS; i++) {
        command_line_print(&commands[i]);
    }
    printf("\n"
           "  --data DIR   the node's data directory (default: var, or LINNET_DATA)\n"
           "  --json       print the node's answer as JSON\n"
           "  --help       this, or more about a command; --version\n"
           "\n"
           "Exit codes: 0 done, 1 failed, 2 wrong command line, 3 no node is running there,\n"
           "4 no such user or actor.\n");
}

static void
command_help_print(const struct linnet_command *command)
{
    char title[64];
    command_title(command, title, sizeof title);
    printf("usage: linnet [--data DIR] [--json] %s\n\n%s\n", title, command->summary);
    if (command->help != NULL) {
        printf("\n%s", command->help);
    }
}

/* --------------------------------------------------------------------------------- command line */

struct command_line {
    struct linnet_call call;
    const struct linnet_command *command;
    const char *words[LINNET_WORDS_MAX];
    unsigned count;
    bool help, version;
};

static int usage(const char *format, ...) PRINTF_LIKE(1, 2);

static int
usage(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    (void)fputs("linnet: ", stderr);
    (void)vfprintf(stderr, format, arguments);
    (void)fputs("\nlinnet --help lists the commands\n", stderr);
    va_end(arguments);
    return SHELL_USAGE;
}

/* The value of a flag: behind '=' or the next argument; NULL: neither. */
static const char *
flag_value(int argc, char **argv, int *index)
{
    const char *behind = strchr(argv[*index], '=');
    if (behind != NULL) {
        return behind + 1;
    }
    return *index + 1 < argc ? argv[++*index] : NULL;
}

static bool
flag_named(const char *argument, const char *name)
{
    size_t bytes = strcspn(argument, "=");
    return strlen(name) == bytes && strncmp(argument, name, bytes) == 0;
}

static int
number_parse(const char *flag, const char *value, uint64_t *out)
{
    char *end = NULL;
    *out = strtoull(value, &end, 10);
    if (value[0] < '0' || value[0] > '9' || *end != '\0') {
        return usage("%s: '%s' is no number", flag, value);
    }
    return SHELL_DONE;
}

/* Where a flag's number goes; NULL: it has none. */
static uint64_t *
flag_number(struct linnet_call *call, enum linnet_flag flag)
{
    return flag == LINNET_LIMIT     ? &call->limit
           : flag == LINNET_COUNT   ? &call->trace_count
           : flag == LINNET_SECONDS ? &call->trace_seconds
                                    : NULL;
}

/* A flag that only some commands take. */
static int
command_flag(struct linnet_call *call, int argc, char **argv, int *index)
{
    const char *argument = argv[*index];
    for (unsigned i = 0; i < sizeof flags / sizeof flags[0]; i++) {
        if (!flag_named(argument, flags[i].name)) {
            continue;
        }
        call->flags |= flags[i].flag;
        uint64_t *number = flag_number(call, flags[i].flag);
        bool valued = flags[i].flag == LINNET_SORT || number != NULL;
        const char *value = valued ? flag_value(argc, argv, index) : "";
        if (value == NULL) {
            return usage("%s: its value is missing", argument);
        }
        if (flags[i].flag == LINNET_SORT) {
            call->sort = value;
        }
        return number != NULL ? number_parse(flags[i].name, value, number) : SHELL_DONE;
    }
    return usage("there is no flag '%s'", argument);
}

static int
argument_read(struct command_line *line, int argc, char **argv, int *index)
{
    const char *argument = argv[*index];
    if (argument[0] != '-' || argument[1] == '\0') {
        if (line->count == LINNET_WORDS_MAX) {
            return usage("'%s' is a word too many", argument);
        }
        line->words[line->count++] = argument;
    } else if (flag_named(argument, "--data")) {
        line->call.data = flag_value(argc, argv, index);
        if (line->call.data == NULL) {
            return usage("%s: its directory is missing", argument);
        }
    } else if (strcmp(argument, "--json") == 0) {
        line->call.json = true;
    } else if (strcmp(argument, "--help") == 0 || strcmp(argument, "-h") == 0) {
        line->help = true;
    } else if (strcmp(argument, "--version") == 0) {
        line->version = true;
    } else {
        return command_flag(&line->call, argc, argv, index);
    }
    return SHELL_DONE;
}

/* Nothing by this name: what was probably meant? */
static int
command_unknown(const char *words)
{
    unsigned least = UINT32_MAX;
    char nearest[64] = "";
    for (unsigned i = 0; i < COMMANDS; i++) {
        char title[64];
        (void)snprintf(title, sizeof title, "%s%s%s", commands[i].noun,
                       commands[i].verb != NULL ? " " : "",
                       commands[i].verb != NULL ? commands[i].verb : "");
        unsigned distance = nearest_distance(words, title);
        if (distance < least) {
            least = distance;
            memcpy(nearest, title, sizeof nearest);
        }
    }
    (void)fprintf(stderr, "linnet: there is no command '%s'", words);
    if (nearest_plausible(least, words)) {
        (void)fprintf(stderr, "; did you mean '%s'?", nearest);
    }
    (void)fprintf(stderr, "\nlinnet --help lists the commands\n");
    return SHELL_USAGE;
}

/* What `linnet user --help` tells. False: it is no noun that has verbs. */
static bool
noun_help_print(const char *noun)
{
    bool found = false;
    for (unsigned i = 0; i < COMMANDS; i++) {
        if (commands[i].verb != NULL && strcmp(commands[i].noun, noun) == 0) {
            printf("%s", found ? "" : "usage: linnet [--data DIR] [--json] COMMAND\n\n");
            command_line_print(&commands[i]);
            found = true;
        }
    }
    return found;
}

/* The commands of a noun, when no verb was given or none of them. */
static bool
noun_told(const char *noun, const char *verb)
{
    bool found = false;
    for (unsigned i = 0; i < COMMANDS; i++) {
        if (commands[i].verb != NULL && strcmp(commands[i].noun, noun) == 0) {
            if (!found) {
                (void)fprintf(stderr, "linnet: %s needs one of:", noun);
            }
            (void)fprintf(stderr, " %s", commands[i].verb);
            found = true;
        }
    }
    if (found && verb != NULL) {
        (void)fprintf(stderr, " (not '%s')", verb);
    }
    if (found) {
        (void)fprintf(stderr, "\n");
    }
    return found;
}

static int
command_find(struct command_line *line)
{
    const char *noun = line->words[0];
    const char *verb = line->count > 1 ? line->words[1] : NULL;
    for (unsigned i = 0; i < COMMANDS; i++) {
        const struct linnet_command *command = &commands[i];
        if (strcmp(command->noun, noun) != 0 ||
            (command->verb != NULL && (verb == NULL || strcmp(command->verb, verb) != 0))) {
            continue;
        }
        unsigned named = command->verb != NULL ? 2 : 1;
        line->command = command;
        line->call.count = line->count - named;
        memcpy(line->call.words, line->words + named, line->call.count * sizeof line->words[0]);
        return SHELL_DONE;
    }
    if (noun_told(noun, verb)) {
        return SHELL_USAGE;
    }
    char words[64];
    (void)snprintf(words, sizeof words, "%s%s%s", noun, verb != NULL ? " " : "",
                   verb != NULL ? verb : "");
    return command_unknown(words);
}

/* Do the words and flags suit the command? */
static int
command_check(const struct command_line *line)
{
    const struct linnet_command *command = line->command;
    char title[64];
    command_title(command, title, sizeof title);
    if (line->call.count < command->words_min || line->call.count > command->words_max) {
        return usage("usage: linnet [--data DIR] %s", title);
    }
    for (unsigned i = 0; i < sizeof flags / sizeof flags[0]; i++) {
        if ((line->call.flags & ~command->flags & flags[i].flag) != 0) {
            (void)fprintf(stderr, "linnet: %s does not go with '%s'\n", flags[i].name, title);
            return SHELL_USAGE;
        }
    }
    return SHELL_DONE;
}

/* ----------------------------------------------------------------------------------------- main */

static int
command_run(struct command_line *line)
{
    const struct linnet_command *command = line->command;
    struct linnet_call *call = &line->call;
    if (command->password && (call->flags & LINNET_NO_PASSWORD) == 0) {
        call->password = linnet_password_read((call->flags & LINNET_PASSWORD_STDIN) != 0, true);
        if (call->password == NULL) {
            return SHELL_FAILED;
        }
    }
    call->client.data = call->data;
    call->client.json = call->json;
    return command->alone ? command->run(call) : linnet_run(call, command->run);
}

int
main(int argc, char **argv)
{
    static struct command_line line;
    const char *data = getenv("LINNET_DATA"); // NOLINT(concurrency-mt-unsafe): one thread
    line.call.data = data != NULL ? data : "var";
    line.call.limit = 100;
    line.call.trace_count = 1000;
    line.call.trace_seconds = 10;
    for (int i = 1; i < argc; i++) {
        int code = argument_read(&line, argc, argv, &i);
        if (code != SHELL_DONE) {
            return code;
        }
    }
    if (line.version) {
        printf("linnet %s\n", LINNET_VERSION);
        return SHELL_DONE;
    }
    if (line.count == 0) {
        help_print();
        return line.help ? SHELL_DONE : SHELL_USAGE;
    }
    if (line.help && line.count == 1 && noun_help_print(line.words[0])) {
        return SHELL_DONE;
    }
    int code = command_find(&line);
    if (code == SHELL_DONE && line.help) {
        command_help_print(line.command);
        return SHELL_DONE;
    }
    if (code == SHELL_DONE) {
        code = command_check(&line);
    }
    return code == SHELL_DONE ? command_run(&line) : code;
}
