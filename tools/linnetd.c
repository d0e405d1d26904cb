/* SPDX-License-Identifier: Apache-2.0 */
/* linnetd - a node: settings, io driver, store, schedulers, and then it waits for them to end.
 *
 * What is opened in main's order is closed in the reverse one. The tree of actors is actors/tree.h;
 * everything that runs is there. */
#include "actors/auth.h"
#include "actors/messenger.h"
#include "actors/push_office.h"
#include "actors/tree.h"
#include "actors/turn_office.h"
#include "runtime/io/uring.h"
#include "runtime/node.h"
#include "store/history.h"
#include "store/store.h"
#include "tools/linnetd_limits.h"
#include "tools/linnetd_options.h"
#include "tools/linnetd_signals.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { WHY_BYTES = 512, FOLDER_BYTES = 512 };

#define DESCRIPTORS_HINT "raise `ulimit -n` (systemd: LimitNOFILE=)"

static int
driver_open(const struct settings *settings, struct io_driver **out)
{
    char why[WHY_BYTES] = "";
    struct uring_options options = {
        .loops = settings->schedulers,
        .level = settings->io_level,
        .workers = settings->workers,
        .spin_us = settings->spin_us,
    };
    int error = uring_open(&options, out, why, sizeof why);
    if (error < 0) {
        (void)fprintf(stderr, "linnetd: %s\n", why);
        return LINNETD_IO_URING;
    }
    error = auth_open(io_of(*out, 0));
    if (error < 0) {
        (void)fprintf(stderr, "linnetd: libsodium does not start: %s\n", strerrordesc_np(-error));
        io_driver_close(*out);
        return LINNETD_FAILED;
    }
    return 0;
}

static int
store_exit(int error)
{
    return error == -EUCLEAN || error == -ENOTRECOVERABLE ? LINNETD_DAMAGED : LINNETD_DATA;
}

static void
report_print(const struct settings *settings, const struct store_report *report)
{
    printf("data directory: %s, %u cells, %u logs, opened in %llu ms\n", settings->data,
           report->cells, report->logs, (unsigned long long)report->duration_ms);
    if (report->created) {
        printf("  it is new\n");
    }
    if (report->commands > 0) {
        printf("  recovered %llu commands from the log\n", (unsigned long long)report->commands);
    }
    if (report->torn_bytes > 0) {
        printf("  cut off the last %llu bytes, an unfinished write: nobody had been told of it\n",
               (unsigned long long)report->torn_bytes);
    }
    if (report->skipped > 0) {
        printf("  skipped %llu commands, as `linnet store skip` had asked\n",
               (unsigned long long)report->skipped);
    }
    if (report->logs_renewed) {
        printf("  new logs were begun, since the number of schedulers has changed\n");
    }
}

static uint64_t
or_never(uint64_t ms)
{
    return ms == 0 ? STORE_NEVER : ms;
}

static int
data_open(const struct settings *settings, struct io_driver *driver, struct store **out,
          struct descriptors *out_needed)
{
    struct store_report report = {0};
    struct store_options options = {
        .driver = driver,
        .path = settings->data,
        .cells = settings->store_cells,
        .map_bytes = settings->store_map_bytes,
        .segment_bytes = settings->store_segment_bytes,
        .delta_bytes_max = settings->store_delta_bytes,
        .replay_bytes_max = settings->store_replay_bytes,
        .replay_commands_max = settings->store_replay_commands,
        .reserve_bytes = settings->store_reserve_bytes,
        .inbox_entries_max = settings->inbox_entries_max,
        .inbox_bytes_max = settings->inbox_bytes_max,
        .devices_max = (uint16_t)settings->devices_max,
        .steps_bytes_max = settings->trace_bytes_max,
        .group_members_max = settings->limits.group_members_max,
        .group_log_ms = settings_group_log_ms(settings),
        .history_ms = settings_history_ms(settings),
        .history_until_read = settings_history_until_read(settings),
        .states_max = settings->states_max,
        .states_bytes_max = (uint32_t)settings->states_bytes_max,
        .device_unseen_ms = or_never(settings->device_unseen_ms),
        .device_warn_ms = settings->device_warn_ms,
        .inbox_age_ms = or_never(settings->inbox_age_ms),
        .hold_ms = settings->hold_unknown_ms,
    };
    int error = store_open(&options, out, &report);
    if (error == -EMFILE) {
        (void)fprintf(stderr, "linnetd: %s: " DESCRIPTORS_HINT "\n", report.why);
        return LINNETD_USAGE;
    }
    if (error < 0) {
        (void)fprintf(stderr, "linnetd: %s\n", report.why);
        return store_exit(error);
    }
    report_print(settings, &report);
    out_needed->logs = report.logs;
    out_needed->cells = report.cells;
    return 0;
}

/* What somebody at the terminal wants to know once clients can come. Called on the listener's
 * scheduler, once. */
static void
ready_print(struct messenger *messenger, const struct io_address *bound)
{
    const struct settings *settings = messenger->settings;
    static char room[SETTINGS_TEXT_BYTES / 4]; /* too much for an actor's stack */
    char address[IO_ADDRESS_TEXT_MAX];
    struct ln_text text;
    ln_text_init(&text, room, sizeof room);
    settings_print(settings, false, &text);
    io_address_print(bound, address);
    printf("settings in force:\n%s\n", room);
    const char *beside = messenger->ready_context;
    printf("add a user:     %slinnet --data %s user add NAME\n", beside, settings->data);
    printf("look inside:    %slinnet --data %s status\n", beside, settings->data);
    printf("listening on %s\n", address);
    (void)fflush(stdout);
}

static int
ended_exit(const struct messenger *messenger, const struct ln_reason *reason)
{
    int error = atomic_load(&messenger->error);
    if (error != 0) {
        (void)fprintf(stderr, "linnetd: %s\n", messenger->why);
        return error == -EADDRINUSE || error == -EADDRNOTAVAIL || error == -EACCES ? LINNETD_ADDRESS
                                                                                   : LINNETD_FAILED;
    }
    if (reason->kind == LN_EXIT_SHUTDOWN || reason->kind == LN_EXIT_NORMAL) {
        (void)fputs("stopped\n", stderr);
        return LINNETD_STOPPED;
    }
    (void)fprintf(stderr, "linnetd: the node ended by itself: %s%s%s\n",
                  ln_exit_kind_name(reason->kind), reason->text != NULL ? ": " : "",
                  reason->text != NULL ? reason->text : "");
    return LINNETD_FAILED;
}

/* Crashes and stalls. From any scheduler's thread; one call, so that lines stay together. */
static void
report_log(void *context, const char *report)
{
    (void)context;
    (void)fprintf(stderr, "linnetd: %s\n", report);
}

static int
node_run(struct messenger *messenger)
{
    struct ln_node_options options = {.watchdog_ms = messenger->settings->watchdog_ms,
                                      .stuck_ms = messenger->settings->stuck_ms,
                                      .log = report_log};
    struct ln_node *node = ln_node_open(messenger->driver, &options);
    struct tree *tree = tree_plant(messenger, node, io_loops(messenger->driver));
    int error = ln_node_start(node);
    int code = LINNETD_FAILED;
    if (error == 0) {
        linnetd_signals_serve(node);
        struct ln_reason reason = ln_node_join(node);
        linnetd_signals_serve(NULL);
        code = ended_exit(messenger, &reason);
    } else {
        (void)fprintf(stderr, "linnetd: its threads can't be started: %s\n",
                      strerrordesc_np(-error));
    }
    ln_node_close(&node);
    tree_free(tree);
    return code;
}

/* Beyond the limit every accept would fail, and whatever the store opens, too: connections are
 * refused before that. What is open now is all that stays open, but for what the reckoning knows
 * of. */
static int
descriptors_share(struct settings *settings, const struct io_driver *driver, uint64_t limit,
                  const struct descriptors *needed, bool pushes, struct messenger_room *room)
{
    uint32_t asked = settings->connections_max;
    uint64_t for_pushes = pushes ? (uint64_t)settings->push_connections_max * io_loops(driver) : 0;
    struct descriptors have = {.limit = limit,
                               .used = linnetd_descriptors_used(limit) + for_pushes,
                               .logs = needed->logs,
                               .cells = needed->cells,
                               .loops = io_loops(driver)};
    have.steps = settings->trace_bytes_max > 0 ? have.loops : 0;
    have.settled_max = io_settled_max(driver, &have.settled_each);
    uint64_t least = linnetd_descriptors_least(&have);
    if (limit < least) {
        (void)fprintf(stderr,
                      "linnetd: this process may have %llu descriptors, and the node needs %llu at "
                      "least: " DESCRIPTORS_HINT "\n",
                      (unsigned long long)limit, (unsigned long long)least);
        return LINNETD_USAGE;
    }
    linnetd_descriptors_share(&have, &settings->connections_max, room);
    if (settings->connections_max != asked) {
        printf("connections_max is %u instead of %u: this process may not have more "
               "descriptors; " DESCRIPTORS_HINT "\n",
               settings->connections_max, asked);
    }
    return 0;
}

/* Keys, certificates. A node that does not push has no office. */
static int
push_open(const struct settings *settings, struct io_driver *driver, struct push_office *office,
          struct messenger *messenger)
{
    char why[PUSH_OFFICE_WHY_BYTES] = "";
    if (push_office_open(driver, settings, office, why) != 0) {
        (void)fprintf(stderr, "linnetd: push: %s\n", why);
        return LINNETD_USAGE;
    }
    messenger->push = office->web || office->webhook ? office : NULL;
    return 0;
}

/* The secret that is shared with TURN servers, if there are any. */
static int
turn_open(const struct settings *settings, struct io_driver *driver, struct turn_office *office,
          struct messenger *messenger)
{
    char why[TURN_OFFICE_WHY_BYTES] = "";
    if (turn_office_open(driver, settings, office, why) != 0) {
        (void)fprintf(stderr, "linnetd: %s\n", why);
        return LINNETD_USAGE;
    }
    messenger->turn = office->secret_bytes > 0 ? office : NULL;
    return 0;
}

/* From the store's opening to its close. */
static int
data_serve(struct settings *settings, struct io_driver *driver, uint64_t descriptors, char *beside)
{
    static struct messenger messenger; /* its counters are many cache lines */
    struct store *store = NULL;
    static struct push_office office; /* the messenger refers to both */
    static struct turn_office turn;
    struct descriptors needed = {0};
    int code = data_open(settings, driver, &store, &needed);
    if (code == 0) {
        messenger_init(&messenger, driver, store, settings);
        messenger_workers(&messenger, uring_workers(driver));
        code = push_open(settings, driver, &office, &messenger);
    }
    if (code == 0) {
        code = turn_open(settings, driver, &turn, &messenger);
    }
    if (code == 0) {
        code = descriptors_share(settings, driver, descriptors, &needed, messenger.push != NULL,
                                 &messenger.room);
    }
    if (code == 0) {
        (void)fflush(stdout);
        messenger.ready = ready_print;
        messenger.ready_context = beside;
        code = node_run(&messenger);
    }
    messenger_fini(&messenger);
    push_office_close(&office);
    store_close(&store);
    return code;
}

/* `beside` is the folder where this program was found, and the shell's too; "" in the PATH. */
static int
run(struct settings *settings, char *beside)
{
    struct io_driver *driver = NULL;
    int error = linnetd_signals_start();
    if (error < 0) {
        (void)fprintf(stderr, "linnetd: no thread for signals: %s\n", strerrordesc_np(-error));
        return LINNETD_FAILED;
    }
    uint64_t descriptors = linnetd_descriptors_raise();
    int code = driver_open(settings, &driver);
    if (code != 0) {
        return code;
    }
    printf("linnetd %s, %s, %u schedulers\n", LINNET_VERSION, io_driver_name(driver),
           io_loops(driver));
    code = data_serve(settings, driver, descriptors, beside);
    io_driver_close(driver);
    return code;
}

/* What stands before the last '/' and that itself. */
static void
folder_of(const char *program, char *out, size_t out_bytes)
{
    const char *slash = strrchr(program, '/');
    int bytes = slash != NULL ? (int)(slash - program) + 1 : 0;
    (void)snprintf(out, out_bytes, "%.*s", bytes, program);
}

int
main(int argc, char **argv)
{
    static struct settings settings;
    static char folder[FOLDER_BYTES];
    static char room[SETTINGS_TEXT_BYTES];
    struct ln_text wrong;
    enum linnetd_action action = LINNETD_RUN;
    ln_text_init(&wrong, room, sizeof room);
    if (linnetd_options_read(argc, argv, &settings, &action, &wrong) < 0) {
        (void)fputs(room, stderr);
        return LINNETD_USAGE;
    }
    switch (action) {
    case LINNETD_RUN:
        folder_of(argv[0], folder, sizeof folder);
        return run(&settings, folder);
    case LINNETD_CHECK_CONFIG:
        printf("the configuration is good\n");
        return LINNETD_STOPPED;
    case LINNETD_DONE:
        return LINNETD_STOPPED;
    }
    return LINNETD_FAILED;
}
