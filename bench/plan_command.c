/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/plan_command.h"

#include "bench/file_text.h"
#include "bench/flags.h"
#include "bench/plan_published.h"
#include "runtime/io/uring.h"
#include "tools/linnet_json.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --------------------------------------------------------------------------------------- asking */

enum { ALL = 1, RESULT_BYTES_MAX = 16 << 20 };

#define PEOPLE(field) offsetof(struct plan_command, plan.people.field)
#define MEASURED(field) offsetof(struct plan_command, plan.measured.field)
#define HOST(field) offsetof(struct plan_command, plan.host.field)

static const struct flag table[] = {
    {"dau", &flag_amount, ALL, PEOPLE(dau), 0, 0, "N", "people who come on a day (1e6)"},
    {"mau", &flag_amount, ALL, PEOPLE(mau), 0, 0, "N", "in a month: accounts (as many)"},
    {"online", &flag_amount, ALL, PEOPLE(online), 0, 1, "SHARE",
     "of dau, connected at the busiest time (20%)"},
    {"messages-per-day", &flag_amount, ALL, PEOPLE(messages_per_day), 0, 0, "N",
     "that each of dau writes (40)"},
    {"text-bytes", &flag_amount, ALL, PEOPLE(text_bytes), 0, 0, "BYTES", "of a message (100)"},
    {"media-share", &flag_amount, ALL, PEOPLE(media_share), 0, 1, "SHARE",
     "of messages that carry media (1%)"},
    {"media-bytes", &flag_amount, ALL, PEOPLE(media_bytes), 0, 0, "BYTES", "of it (250KB)"},
    {"fan-out", &flag_amount, ALL, PEOPLE(fan_out), 0, 0, "N", "recipients of a message (1)"},
    {"replicas", &flag_amount, ALL, PEOPLE(replicas), 0, 0, "N",
     "copies of each record (1: a node keeps one)"},
    {"retention-days", &flag_amount, ALL, PEOPLE(retention_days), 0, 0, "N",
     "how long a message is kept (30; 0: for ever)"},
    {"years", &flag_amount, ALL, PEOPLE(years), 0, 0, "N", "how far it looks ahead (5)"},
    {"peak", &flag_amount, ALL, PEOPLE(peak), 0, 0, "N",
     "the busiest second over the average one (3)"},
    {"connections", &flag_amount, ALL, PEOPLE(connections), 0, 0, "N",
     "instead of dau x online; without --dau these alone are reckoned, and nobody writes"},
    {"chat", &flag_text, ALL, offsetof(struct plan_command, chat), 0, 0, "FILE",
     "take a message's CPU from this result of `linnet-bench chat --json`"},
    {"idle", &flag_text, ALL, offsetof(struct plan_command, idle), 0, 0, "FILE",
     "take a connection's bytes, the kernel's too, and CPU from one of `linnet-bench idle --json`"},
    {"message-cpu-us", &flag_amount, ALL, MEASURED(message_cpu_us), 0, 0, "US",
     "the node's CPU for a message and its ticks (11.1)"},
    {"connection-cpu-us", &flag_amount, ALL, MEASURED(connection_cpu_us_per_s), 0, 0, "US",
     "the node's CPU for a silent connection, each second (0.37)"},
    {"connection-bytes", &flag_amount, ALL, MEASURED(connection_bytes), 0, 0, "BYTES",
     "memory of a silent connection in the node (773)"},
    {"kernel-bytes", &flag_amount, ALL, MEASURED(connection_kernel_bytes), 0, 0, "BYTES",
     "and in the kernel (4636)"},
    {"hot-bytes", &flag_amount, ALL, MEASURED(hot_bytes), 0, 0, "BYTES",
     "memory of an active user's records (1290)"},
    {"record-bytes", &flag_amount, ALL, MEASURED(record_bytes), 0, 0, "BYTES",
     "disk around a message's text: keys, entries, pages (700)"},
    {"account-bytes", &flag_amount, ALL, MEASURED(account_bytes), 0, 0, "BYTES",
     "disk of a user with one device (752)"},
    {"cores", &flag_amount, ALL, HOST(cores), 0, 0, "N", "of a host (2)"},
    {"memory", &flag_amount, ALL, HOST(memory_bytes), 0, 0, "BYTES", "of a host (24GiB)"},
    {"disk", &flag_amount, ALL, HOST(disk_bytes), 0, 0, "BYTES", "of a host (1TB)"},
    {"link", &flag_amount, ALL, HOST(link_bytes_per_s), 0, 0, "BYTES",
     "a second, each way, of a host (125MB)"},
    {"used", &flag_amount, ALL, HOST(used), 0, 1, "SHARE",
     "of a host's means in use at the busiest time (50%)"},
    {"published", &flag_on, ALL, offsetof(struct plan_command, published), 0, 0, NULL,
     "instead: estimates that others published, reckoned again"},
    {"json", &flag_on, ALL, offsetof(struct plan_command, json), 0, 0, NULL,
     "print the result as one JSON object"},
};

static const char *const names[] = {"plan"};
static const struct flags flags = {table, sizeof table / sizeof table[0], names, 1};

void
plan_command_help(void)
{
    flags_print(&flags);
}

/* A host has some of everything, and a plan has people. */
static void
plan_check(const struct plan *plan, struct ln_text *wrong)
{
    const struct {
        const char *flag;
        double value;
    } needed[] = {
        {"cores", plan->host.cores},     {"memory", plan->host.memory_bytes},
        {"disk", plan->host.disk_bytes}, {"link", plan->host.link_bytes_per_s},
        {"used", plan->host.used},       {"replicas", plan->people.replicas},
    };
    for (unsigned i = 0; i < sizeof needed / sizeof needed[0]; i++) {
        if (needed[i].value <= 0) {
            ln_text_print(wrong, "--%s: more than 0 is needed\n", needed[i].flag);
        }
    }
    if (plan->people.peak < 1) {
        ln_text_print(wrong, "--peak: the busiest second is at least the average one, 1\n");
    }
}

/* A figure that a result's file tells can't be stated, too: neither would silently win. Fills it
 * with the default where neither is so. No amount that was read is negative. */
static void
figure_settle(double *figure, double by_default, const char *flag, const char *file,
              const char *file_flag, struct ln_text *wrong)
{
    if (*figure < 0) {
        *figure = by_default;
    } else if (file != NULL) {
        ln_text_print(wrong, "--%s: the result of --%s tells it; leave one of them out\n", flag,
                      file_flag);
    }
}

/* Is something stated of people, beside how many are there? */
static bool
habits_stated(const struct plan_command *command)
{
    const struct plan_command usual = {.plan = plan_default};
    for (unsigned i = 0; i < flags.count; i++) {
        size_t at = table[i].offset;
        bool habit =
            at < MEASURED(message_cpu_us) && at != PEOPLE(dau) && at != PEOPLE(connections);
        const void *stated = (const char *)command + at;
        const void *by_default = (const char *)&usual + at;
        if (habit && *(const double *)stated != *(const double *)by_default) {
            return true;
        }
    }
    return false;
}

/* Who comes on a day: the default's, or as given; nobody where connections alone were asked for. */
static void
people_settle(struct plan_command *command, struct ln_text *wrong)
{
    struct plan_people *people = &command->plan.people;
    bool alone = people->dau < 0 && people->connections > 0;
    if (people->dau < 0) {
        people->dau = alone ? 0 : plan_default.people.dau;
    } else if (people->dau == 0) {
        ln_text_print(wrong, "--dau: more than 0 is needed; of connections alone give "
                             "--connections, and no --dau\n");
    }
    if (alone && habits_stated(command)) {
        ln_text_print(wrong, "--connections: without --dau nobody is there who has habits\n");
    } else if (people->mau > 0 && people->mau < people->dau) {
        ln_text_print(wrong, "--mau: who comes on a day comes in the month, too: --dau at least\n");
    }
}

int
plan_command_read(int argc, char **argv, struct plan_command *command, struct ln_text *wrong)
{
    *command = (struct plan_command){.plan = plan_default};
    struct plan_measured *measured = &command->plan.measured;
    const struct plan_measured *usual = &plan_default.measured;
    measured->message_cpu_us = -1;
    measured->connection_cpu_us_per_s = -1;
    measured->connection_bytes = -1;
    measured->connection_kernel_bytes = -1;
    command->plan.people.dau = -1;
    flags_read(&flags, argc, argv, 2, 0, command, wrong);
    if (command->published && argc > 2 + command->published + command->json) {
        ln_text_print(wrong, "--published: it has its own figures: beside it only --json\n");
    }
    people_settle(command, wrong);
    figure_settle(&measured->message_cpu_us, usual->message_cpu_us, "message-cpu-us", command->chat,
                  "chat", wrong);
    figure_settle(&measured->connection_cpu_us_per_s, usual->connection_cpu_us_per_s,
                  "connection-cpu-us", command->idle, "idle", wrong);
    figure_settle(&measured->connection_bytes, usual->connection_bytes, "connection-bytes",
                  command->idle, "idle", wrong);
    figure_settle(&measured->connection_kernel_bytes, usual->connection_kernel_bytes,
                  "kernel-bytes", command->idle, "idle", wrong);
    plan_check(&command->plan, wrong);
    return wrong->bytes > 0 ? -EINVAL : 0;
}

/* ---------------------------------------------------------------------------- what was measured */

static bool
number_get(yajl_val object, const char *name, double *out)
{
    yajl_val member = linnet_json_member(object, name);
    if (!YAJL_IS_NUMBER(member) || member->u.number.flags == 0) {
        return false;
    }
    *out = YAJL_IS_INTEGER(member) ? (double)YAJL_GET_INTEGER(member) : YAJL_GET_DOUBLE(member);
    return *out >= 0;
}

static bool
result_of(yajl_val result, const char *scenario)
{
    return strcmp(linnet_json_text(result, "scenario"), scenario) == 0;
}

int
plan_take_chat(const char *json, struct plan_measured *measured)
{
    static const double us_per_ms = 1000;
    double cpu_ms = 0;
    double messages = 0;
    yajl_val result = yajl_tree_parse(json, NULL, 0);
    bool has = result_of(result, "chat") && number_get(result, "node_cpu_ms", &cpu_ms) &&
               number_get(result, "measured", &messages) && messages > 0;
    if (has) {
        measured->message_cpu_us = cpu_ms * us_per_ms / messages;
    }
    yajl_tree_free(result);
    return has ? 0 : -ENOENT;
}

int
plan_take_idle(const char *json, struct plan_measured *measured)
{
    static const double us_per_ms = 1000;
    double bytes = 0;
    double cpu_ms = 0;
    double connections = 0;
    double seconds = 0;
    double kernel_bytes = 0;
    yajl_val result = yajl_tree_parse(json, NULL, 0);
    bool has = result_of(result, "idle") && number_get(result, "bytes_per_connection", &bytes) &&
               number_get(result, "node_cpu_ms", &cpu_ms) &&
               number_get(result, "connections", &connections) &&
               number_get(result, "seconds", &seconds) && connections > 0 && seconds > 0;
    if (has) {
        measured->connection_bytes = bytes;
        measured->connection_cpu_us_per_s = cpu_ms * us_per_ms / connections / seconds;
    }
    if (has && number_get(result, "kernel_bytes_per_end", &kernel_bytes) && kernel_bytes > 0) {
        measured->connection_kernel_bytes = kernel_bytes; /* else the kernel did not tell */
    }
    yajl_tree_free(result);
    return has ? 0 : -ENOENT;
}

/* ------------------------------------------------------------------------------------- printing */

/* Where a figure comes from: a result's file, a flag, or what the default was measured with. */
static const char *
figure_from(const struct plan_command *command, unsigned figure)
{
    size_t at = plan_figures[figure].offset;
    double value = plan_figure_value(&command->plan.measured, figure);
    double usual = plan_figure_value(&plan_default.measured, figure);
    bool chat = at == offsetof(struct plan_measured, message_cpu_us);
    bool idle = !chat && at < offsetof(struct plan_measured, hot_bytes);
    if (value == usual) { /* also where a result does not tell it */
        return plan_figures[figure].from;
    }
    if (chat && command->chat != NULL) {
        return command->chat;
    }
    return idle && command->idle != NULL ? command->idle : "as stated";
}

static void
measured_print(const struct plan_command *command, struct ln_text *out)
{
    const struct plan_host *host = &command->plan.host;
    ln_text_print(out, "a node takes\n");
    for (unsigned i = 0; i < PLAN_FIGURES; i++) {
        ln_text_print(out, "%8.4g %-42s %s\n", plan_figure_value(&command->plan.measured, i),
                      plan_figures[i].text, figure_from(command, i));
    }
    ln_text_print(out, "a host has: %.4g cores, ", host->cores);
    plan_value_print(host->memory_bytes, PLAN_BYTES, out);
    ln_text_print(out, " memory, ");
    plan_value_print(host->disk_bytes, PLAN_BYTES, out);
    ln_text_print(out, " disk, ");
    plan_value_print(host->link_bytes_per_s, PLAN_BYTES_PER_S, out);
    ln_text_print(out, " link\n\n");
}

static void
value_print_padded(double value, enum plan_unit unit, struct ln_text *out)
{
    enum { VALUE_BYTES = 40 };
    char room[VALUE_BYTES];
    struct ln_text text;
    ln_text_init(&text, room, sizeof room);
    plan_value_print(value, unit, &text);
    ln_text_print(out, "%14s", room);
}

static void
rows_print(const struct plan_command *command, const struct plan_result rows[PLAN_ROWS],
           struct ln_text *out)
{
    /* Of connections alone nothing else is reckoned. */
    bool alone = command->plan.people.dau == 0;
    for (unsigned row = 0; row < PLAN_ROWS; row++) {
        if (alone && (row < PLAN_CONNECTIONS || rows[row].value == 0)) {
            continue;
        }
        ln_text_print(out, "%-32s", plan_row_text((enum plan_row)row));
        value_print_padded(rows[row].value, plan_row_unit((enum plan_row)row), out);
        ln_text_print(out, "   = %s\n", rows[row].how);
    }
}

/* Every figure that flags state, under its flag's name with _ for -, whether stated or not; and of
 * those of a node, where they come from. */
static void
inputs_print_json(const struct plan_command *command, struct ln_text *out)
{
    const char *before = "";
    ln_text_print(out, "\"version\":\"%s\",\"inputs\":{", LINNET_VERSION);
    for (unsigned i = 0; i < flags.count; i++) {
        const struct flag *flag = &table[i];
        const void *field = (const char *)command + flag->offset;
        if (flag->kind != &flag_amount) {
            continue;
        }
        ln_text_print(out, "%s\"", before);
        for (const char *letter = flag->name; *letter != '\0'; letter++) {
            ln_text_print(out, "%c", *letter == '-' ? '_' : *letter);
        }
        ln_text_print(out, "\":%.10g", *(const double *)field);
        before = ",";
    }
    ln_text_print(out, "},\"measured\":{");
    for (unsigned i = 0; i < PLAN_FIGURES; i++) {
        ln_text_print(out, "%s\"%s\":\"", i > 0 ? "," : "", plan_figures[i].name);
        ln_text_json(out, figure_from(command, i));
        ln_text_print(out, "\"");
    }
    ln_text_print(out, "},");
}

static void
rows_print_json(const struct plan_command *command, const struct plan_result rows[PLAN_ROWS],
                struct ln_text *out)
{
    ln_text_print(out, "{");
    inputs_print_json(command, out);
    for (unsigned row = 0; row < PLAN_ROWS; row++) {
        ln_text_print(out, "%s\"%s\":{\"value\":%.10g,\"how\":\"", row > 0 ? "," : "",
                      plan_row_name((enum plan_row)row), rows[row].value);
        ln_text_json(out, rows[row].how);
        ln_text_print(out, "\"}");
    }
    ln_text_print(out, "}\n");
}

static void
claim_print(const struct plan_claim *claim, const struct plan_result rows[PLAN_ROWS],
            struct ln_text *out)
{
    enum plan_unit unit = plan_row_unit(claim->row);
    ln_text_print(out, "  %-30s", plan_row_text(claim->row));
    value_print_padded(claim->value, unit, out);
    value_print_padded(rows[claim->row].value, unit, out);
    static const double percent = 100;
    if (plan_claim_differs(claim, rows)) {
        ln_text_print(out, "   DIFFERS by %+.0f %%: ours is %s",
                      percent * plan_claim_difference(claim, rows), rows[claim->row].how);
    }
    ln_text_print(out, "\n");
}

static void
published_print(struct ln_text *out)
{
    for (unsigned i = 0; i < PLAN_PUBLISHED; i++) {
        const struct plan_published *published = &plan_published[i];
        static struct plan_result rows[PLAN_ROWS]; /* too large for a stack */
        plan_compute(&published->plan, rows);
        ln_text_print(out, "%s%s\n  %-30s%14s%14s\n", i > 0 ? "\n" : "", published->text, "",
                      "published", "ours");
        for (unsigned c = 0; c < published->claims_count; c++) {
            claim_print(&published->claims[c], rows, out);
        }
    }
}

static void
published_print_json(struct ln_text *out)
{
    const char *before = "[";
    for (unsigned i = 0; i < PLAN_PUBLISHED; i++) {
        const struct plan_published *published = &plan_published[i];
        static struct plan_result rows[PLAN_ROWS]; /* too large for a stack */
        plan_compute(&published->plan, rows);
        for (unsigned c = 0; c < published->claims_count; c++) {
            const struct plan_claim *claim = &published->claims[c];
            ln_text_print(out,
                          "%s{\"estimate\":%u,\"row\":\"%s\",\"published\":%.10g,\"ours\":%.10g,"
                          "\"differs\":%s}",
                          before, i, plan_row_name(claim->row), claim->value,
                          rows[claim->row].value,
                          plan_claim_differs(claim, rows) ? "true" : "false");
            before = ",";
        }
    }
    ln_text_print(out, "]\n");
}

void
plan_command_print(const struct plan_command *command, struct ln_text *out)
{
    if (command->published) {
        (command->json ? published_print_json : published_print)(out);
        return;
    }
    static struct plan_result rows[PLAN_ROWS];
    plan_compute(&command->plan, rows);
    if (command->json) {
        rows_print_json(command, rows, out);
    } else {
        measured_print(command, out);
        rows_print(command, rows, out);
    }
}

/* -------------------------------------------------------------------------------------- running */

/* 0, or it has told why not. */
static int
result_take(struct io_driver *driver, const char *path,
            int (*take)(const char *json, struct plan_measured *measured),
            struct plan_measured *measured)
{
    char *json = NULL;
    if (path == NULL) {
        return 0;
    }
    int error = file_text_whole(driver, path, RESULT_BYTES_MAX, &json);
    if (error < 0) {
        (void)fprintf(stderr, "linnet-bench: %s: %s\n", path, strerrordesc_np(-error));
        return error;
    }
    error = take(json, measured);
    free(json);
    if (error < 0) {
        (void)fprintf(stderr,
                      "linnet-bench: %s: it is no such result, or tells nothing of the "
                      "node (its --data or --pid is needed)\n",
                      path);
    }
    return error;
}

static int
results_take(struct plan_command *command)
{
    char why[PLAN_WHY_BYTES] = "";
    struct io_driver *driver = NULL;
    const struct uring_options rings = {.loops = 1, .workers = 1};
    if (command->chat == NULL && command->idle == NULL) {
        return 0;
    }
    int error = uring_open(&rings, &driver, why, sizeof why);
    if (error < 0) {
        (void)fprintf(stderr, "linnet-bench: %s\n", why);
        return error;
    }
    error = result_take(driver, command->chat, plan_take_chat, &command->plan.measured);
    if (error == 0) {
        error = result_take(driver, command->idle, plan_take_idle, &command->plan.measured);
    }
    io_driver_close(driver);
    return error;
}

enum run_exit
plan_command_run(int argc, char **argv)
{
    static char room[PLAN_PRINT_BYTES];
    static struct plan_command command;
    struct ln_text text;
    ln_text_init(&text, room, sizeof room);
    if (plan_command_read(argc, argv, &command, &text) < 0) {
        (void)fputs(room, stderr);
        return RUN_FAILED;
    }
    if (results_take(&command) < 0) {
        return RUN_FAILED;
    }
    plan_command_print(&command, &text);
    (void)fputs(room, stdout);
    return RUN_GOOD;
}
