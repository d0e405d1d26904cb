/* SPDX-License-Identifier: Apache-2.0 */
/* Presence without sockets: what a user who is there and a watch take, what a sign of life, a round
 * of the walk and an update cost, and what messages notice of all that. Lines of JSON.
 *
 *     bench_presence FOLDER [users [watchers [seconds]]]      100,000 users, 50 watchers, 20 s each
 *
 * First a table alone, with a million users. Then a node with a store on the disk, the presences of
 * the messenger, and 2,000 messages a second between 2,000 users, each timed from its request to
 * its answer: alone; while all users give a sign of life every five seconds; while, beside that,
 * one in two hundred comes or goes each second; while everybody comes or goes every five seconds,
 * which is more than presences tell. A sign is the call that a connection makes for it; its frame
 * on a socket costs what any frame does and is not here. The folder is made, and can be thrown
 * away. */
#include "actors/presence.h"
#include "bench/chance.h"
#include "bench/cpu.h"
#include "bench/histogram.h"
#include "runtime/io/uring.h"
#include "runtime/node.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    USERS_DEFAULT = 100000,
    WATCHERS_DEFAULT = 50,
    SECONDS_DEFAULT = 20,
    TABLE_USERS = 1000000,
    WRITERS = 2000, /* users who write, a message a second each */
    SIGN_S = 5,
    STEP_MS = 10,
    SIGN_STEPS = SIGN_S * 1000 / STEP_MS,
    GOING_PER_S = 200, /* one in so many users comes or goes each second */
    BODY_BYTES = 128,
    SCHEDULERS_MAX = 64,
    NS_PER_S = 1000000000,
};

enum mode { ALONE, SIGNS, COMINGS, OVERLOAD, MODES };
static const char *const mode_names[] = {"messages alone", "signs every 5 s",
                                         "and 1 in 200 comes or goes each second",
                                         "everybody comes or goes every 5 s"};

struct bench {
    const char *folder;
    uint64_t users, watchers, seconds;
    struct io_driver *driver;
    struct store *store;
    struct settings settings;
    struct messenger messenger;
    struct ln_node *node;
    uint64_t *writers;
    ln_pid *ears; /* one connection for each user */
    _Atomic int mode;
    _Atomic uint64_t heard, errors;
    struct histogram latencies[SCHEDULERS_MAX];
};
static struct bench bench;

static void
fail(const char *what, const char *why)
{
    (void)fprintf(stderr, "bench_presence: %s: %s\n", what, why);
    _Exit(1);
}

static double
seconds_since(uint64_t since_ns)
{
    return (double)(io_now_ns(io_of(bench.driver, 0)) - since_ns) / NS_PER_S;
}

/* -------------------------------------------------------------------------------- a table alone */

static uint64_t told;
static void
count_told(void *context, ln_pid connection, const struct presence_update *update)
{
    (void)context;
    told += connection + update->subject != 0;
}

static uint8_t
partition_of(uint64_t user)
{
    return (uint8_t)(user * UINT64_C(0x9e3779b97f4a7c15) >> 56);
}

static void
walk_all(struct presence_table *table, uint32_t now_s)
{
    struct presence_teller teller = {
        .tell = count_told, .left = UINT32_MAX, .slice_left = INT32_MAX};
    for (unsigned i = 0; i < STORE_PARTITIONS; i++) {
        struct presence_visit visit = {.places_left = UINT32_MAX};
        (void)presence_table_walk(table, (uint8_t)i, &visit, now_s, &teller);
    }
}

static void
sign_all(struct presence_table *table, const struct presence_now *now)
{
    uint64_t chance = 1;
    for (uint64_t i = 0; i < TABLE_USERS; i++) {
        uint64_t user = 1 + chance_below(&chance, TABLE_USERS);
        presence_table_foreground(table, partition_of(user), user, user, now, 60);
    }
}

static void
table_alone(void)
{
    static struct presence_table table;
    struct presence_now now = {.s = 100, .wall_s = 1700000000};
    presence_table_init(&table, UINT16_MAX);
    for (uint64_t user = 1; user <= TABLE_USERS; user++) {
        presence_table_foreground(&table, partition_of(user), user, user, &now, 60);
    }
    double there = (double)presence_table_bytes(&table) / TABLE_USERS;
    uint64_t since_ns = io_now_ns(io_of(bench.driver, 0));
    sign_all(&table, &now);
    double sign_ns = seconds_since(since_ns) * NS_PER_S / TABLE_USERS;
    walk_all(&table, now.s);
    since_ns = io_now_ns(io_of(bench.driver, 0));
    walk_all(&table, now.s);
    double walk_ns = seconds_since(since_ns) * NS_PER_S / TABLE_USERS;
    for (uint64_t i = 0; i < TABLE_USERS * UINT64_C(10); i++) {
        struct presence_watcher watcher = {.user = i + 1, .connection = i + 1, .sees = 3};
        uint64_t user = 1 + i % TABLE_USERS;
        if (presence_table_watch(&table, partition_of(user), user, &watcher, 0) != 0) {
            fail("a watch", "refused");
        }
    }
    double watched = (double)presence_table_bytes(&table) / TABLE_USERS;
    for (uint64_t user = 1; user <= TABLE_USERS; user++) {
        presence_table_background(&table, partition_of(user), user, user, &now);
    }
    since_ns = io_now_ns(io_of(bench.driver, 0));
    walk_all(&table, now.s);
    double told_ns = seconds_since(since_ns) * NS_PER_S / (double)told;
    (void)printf("{\"part\": \"table\", \"users\": %d, \"bytes_per_user_there\": %.1f, "
                 "\"bytes_per_watch\": %.1f, \"sign_ns\": %.0f, \"walk_ns_per_user\": %.1f, "
                 "\"told_ns\": %.1f, \"told\": %" PRIu64 "}\n",
                 TABLE_USERS, there, (watched - there) / 10, sign_ns, walk_ns, told_ns, told);
    presence_table_fini(&table);
}

/* --------------------------------------------------------------------------------- the presence */

/* A connection that hears what it is told. */
static void
ear_handle(void *state, struct ln_msg **msg)
{
    (void)state;
    if ((*msg)->tag == PRESENCE_UPDATE) {
        atomic_fetch_add_explicit(&bench.heard, 1, memory_order_relaxed);
    }
}
static const struct ln_behaviour ear = {.name = "ear", .handle = ear_handle};

static uint64_t
user_at(uint64_t index)
{
    return (index + 1) << 8;
}

/* The users at home here, step by step: each is due once in SIGN_S. */
static void
pulse_run(void *state)
{
    uint64_t chance = 7 + ln_scheduler();
    uint64_t step = 0;
    (void)state;
    while (ln_sleep(STEP_MS) == 0) {
        int mode = atomic_load(&bench.mode);
        step++;
        for (uint64_t i = step % SIGN_STEPS; i < bench.users && mode != ALONE; i += SIGN_STEPS) {
            uint64_t user = user_at(i);
            if (store_user_home(bench.store, user) != ln_scheduler()) {
                continue;
            }
            bool goes = mode == OVERLOAD
                            ? step / SIGN_STEPS % 2 == 0
                            : mode == COMINGS && chance_below(&chance, GOING_PER_S / SIGN_S) == 0;
            if (goes) {
                presence_background(&bench.messenger, user);
            } else {
                presence_foreground(&bench.messenger, user);
            }
        }
    }
}
static const struct ln_behaviour pulse = {.name = "pulse", .run = pulse_run};

static void
watch_all(void)
{
    for (uint64_t i = 0; i < bench.users; i++) {
        for (uint64_t k = 0; k < bench.watchers; k++) {
            uint64_t watcher = (i * 31 + k * 997 + 1) % bench.users;
            struct presence_ask ask = {
                .user = user_at(i),
                .watcher = {.user = user_at(watcher), .connection = bench.ears[watcher], .sees = 3},
                .checked_at_ns = ln_now_ns(),
                .watch = true,
            };
            struct ln_msg *request = ln_msg_new(PRESENCE_ASK, LN_DURABLE, sizeof ask);
            memcpy(request->data, &ask, sizeof ask);
            if (ln_call(presence_pid(&bench.messenger, ask.user), &request, LN_FOREVER, NULL) !=
                0) {
                fail("a watch", "refused");
            }
        }
    }
}

/* --------------------------------------------------------------------------------- the messages */

static uint64_t
user_make(unsigned index)
{
    struct store_user_create create = {.with_device = true};
    create.name.bytes =
        (uint8_t)snprintf(create.name.text, sizeof create.name.text, "writer%u", index);
    struct ln_msg *request = ln_msg_new(STORE_USER_CREATE, LN_DURABLE, sizeof create);
    memcpy(request->data, &create, sizeof create);
    struct ln_msg *answer = NULL;
    if (ln_call(store_name_pid(bench.store, create.name.text, create.name.bytes), &request,
                LN_FOREVER, &answer) != 0) {
        fail("a user can't be made", "is the folder empty?");
    }
    uint64_t user = ((const struct store_user_created *)(const void *)answer->data)->user;
    ln_msg_free(&answer);
    return user;
}

static int
writer_init(void *state, const void *argument)
{
    *(uint64_t *)state = *(const uint64_t *)argument;
    return 0;
}

/* A message a second, at an instant of its own, to somebody. */
static void
writer_run(void *state)
{
    uint64_t index = *(const uint64_t *)state;
    uint64_t chance = index + 1;
    uint64_t pause_ms = chance_below(&chance, 1000);
    for (uint64_t number = 1; ln_sleep(pause_ms) == 0; number++) {
        struct store_message message = {.recipient = bench.writers[chance_below(&chance, WRITERS)],
                                        .sender = bench.writers[index],
                                        .sender_device = 1,
                                        .number = number,
                                        .body_kind = 1,
                                        .body_bytes = BODY_BYTES};
        struct ln_msg *request = ln_msg_new(STORE_MESSAGE, LN_DURABLE, sizeof message);
        memcpy(request->data, &message, sizeof message);
        request->buffer = ln_buffer_new(BODY_BYTES);
        memset(ln_buffer_data(request->buffer), 'x', BODY_BYTES);
        uint64_t start_ns = io_now_ns(ln_io());
        int error =
            ln_call(store_user_pid(bench.store, message.recipient), &request, LN_FOREVER, NULL);
        uint64_t took_ns = io_now_ns(ln_io()) - start_ns;
        atomic_fetch_add(&bench.errors, error != 0);
        histogram_record(&bench.latencies[ln_scheduler()], took_ns);
        pause_ms = took_ns < NS_PER_S ? 1000 - took_ns / 1000000 : 0;
    }
}
static const struct ln_behaviour writer = {
    .name = "writer", .state_bytes = sizeof(uint64_t), .init = writer_init, .run = writer_run};

/* ---------------------------------------------------------------------------------- the measure */

static void
spawn_at(const struct ln_behaviour *behaviour, const void *argument, size_t bytes,
         unsigned scheduler, ln_pid *out)
{
    struct ln_spawn_options options = {.elsewhere = true, .scheduler = (int)scheduler};
    if (ln_spawn(behaviour, argument, bytes, &options, out) != 0) {
        fail("an actor can't be started", behaviour->name);
    }
}

/* All have come, and all of that has been told. */
static void
settle(void)
{
    const struct messenger_counters *counters = &bench.messenger.counters;
    uint32_t limit = bench.settings.presence_updates_per_s;
    uint64_t before = UINT64_MAX;
    bench.settings.presence_updates_per_s = UINT32_MAX;
    atomic_store(&bench.mode, SIGNS);
    (void)ln_sleep((SIGN_S + 1) * UINT64_C(1000));
    while (messenger_counted(&counters->presence_updates) != before) {
        before = messenger_counted(&counters->presence_updates);
        (void)ln_sleep(2000);
    }
    bench.settings.presence_updates_per_s = limit;
}

static void
measure_mode(enum mode mode)
{
    static struct histogram all;
    struct store_stats before;
    struct store_stats after;
    const struct messenger_counters *counters = &bench.messenger.counters;
    if (mode == SIGNS) {
        settle();
    }
    atomic_store(&bench.mode, mode);
    (void)ln_sleep(2000);
    memset(bench.latencies, 0, sizeof bench.latencies);
    memset(&all, 0, sizeof all);
    store_stats_read(bench.store, &before);
    uint64_t since_ns = io_now_ns(ln_io());
    double cpu = cpu_seconds();
    uint64_t signs = messenger_counted(&counters->presence_signs);
    uint64_t updates = messenger_counted(&counters->presence_updates);
    uint64_t heard = atomic_load(&bench.heard);
    uint64_t seen = messenger_counted(&counters->presence_seen);
    (void)ln_sleep(bench.seconds * 1000);
    double seconds = seconds_since(since_ns);
    cpu = cpu_seconds() - cpu;
    store_stats_read(bench.store, &after);
    for (unsigned i = 0; i < SCHEDULERS_MAX; i++) {
        histogram_merge(&all, &bench.latencies[i]);
    }
    (void)printf(
        "{\"part\": \"%s\", \"seconds\": %.1f, \"cpu_share\": %.3f, \"signs_per_s\": %.0f, "
        "\"updates_per_s\": %.0f, \"heard_per_s\": %.0f, \"seen_per_s\": %.0f, "
        "\"log_bytes_per_s\": %.0f, \"messages_per_s\": %.0f, \"p50_us\": %.0f, \"p99_us\": %.0f, "
        "\"p999_us\": %.0f, \"busy_s\": %" PRIu64 ", \"errors\": %" PRIu64 "}\n",
        mode_names[mode], seconds, cpu / seconds,
        (double)(messenger_counted(&counters->presence_signs) - signs) / seconds,
        (double)(messenger_counted(&counters->presence_updates) - updates) / seconds,
        (double)(atomic_load(&bench.heard) - heard) / seconds,
        (double)(messenger_counted(&counters->presence_seen) - seen) / seconds,
        (double)(after.command_bytes - before.command_bytes) / seconds, (double)all.count / seconds,
        (double)histogram_percentile(&all, 50) / 1e3, (double)histogram_percentile(&all, 99) / 1e3,
        (double)histogram_percentile(&all, 99.9) / 1e3, messenger_counted(&counters->presence_busy),
        atomic_load(&bench.errors));
    (void)fflush(stdout);
}

static void
play_run(void *state)
{
    ln_pid pid;
    (void)state;
    for (unsigned i = 0; i < WRITERS; i++) {
        bench.writers[i] = user_make(i);
    }
    for (uint64_t i = 0; i < bench.users; i++) {
        spawn_at(&ear, NULL, 0, store_user_home(bench.store, user_at(i)), &bench.ears[i]);
    }
    watch_all();
    for (unsigned i = 0; i < ln_schedulers(); i++) {
        spawn_at(&pulse, NULL, 0, i, &pid);
    }
    for (uint64_t i = 0; i < WRITERS; i++) {
        spawn_at(&writer, &i, sizeof i, (unsigned)(i % ln_schedulers()), &pid);
    }
    for (enum mode mode = ALONE; mode < MODES; mode++) {
        measure_mode(mode);
    }
    struct presence_size size;
    presence_size_read(&bench.messenger, &size);
    (void)printf("{\"part\": \"size\", \"users\": %" PRIu64 ", \"watches\": %" PRIu64
                 ", \"bytes\": %" PRIu64 "}\n",
                 size.users, size.watches, size.bytes);
    (void)fflush(stdout);
    _Exit(0); /* nothing of it is to be kept */
}
static const struct ln_behaviour player = {.name = "player", .run = play_run};

static void
run_node(void)
{
    size_t store_count;
    unsigned schedulers = io_loops(bench.driver);
    const struct ln_child *store = store_children(bench.store, &store_count);
    static struct ln_supervision store_tree;
    store_tree = (struct ln_supervision){LN_ONE_FOR_ONE, 3, 5000, store, (uint32_t)store_count};
    static struct ln_child children[SCHEDULERS_MAX + 2];
    children[0] = (struct ln_child){.id = "store",
                                    .behaviour = &ln_supervisor,
                                    .argument = &store_tree,
                                    .bytes = sizeof store_tree};
    static struct presence *presences[SCHEDULERS_MAX];
    uint32_t count = 1;
    bench.messenger.presences = presence_new(&bench.messenger, schedulers);
    for (unsigned i = 0; i < schedulers; i++) {
        presences[i] = presence_at(bench.messenger.presences, i);
        children[count++] = (struct ln_child){.id = "presence",
                                              .behaviour = &presence_behaviour,
                                              .argument = &presences[i],
                                              .bytes = sizeof(struct presence *),
                                              .elsewhere = true,
                                              .scheduler = (int)i};
    }
    children[count++] =
        (struct ln_child){.id = "player", .behaviour = &player, .restart = LN_TEMPORARY};
    static struct ln_supervision root;
    root = (struct ln_supervision){LN_ONE_FOR_ONE, 3, 5000, children, count};
    bench.node = ln_node_open(bench.driver, &(struct ln_node_options){0});
    ln_node_root(bench.node, &ln_supervisor, &root, sizeof root);
    if (ln_node_start(bench.node) != 0) {
        fail("the node can't be started", "no threads");
    }
    (void)ln_node_join(bench.node);
}

int
main(int argc, char **argv)
{
    char why[256];
    struct store_report report;
    if (argc < 2 || argc > 5) {
        (void)fprintf(stderr, "usage: bench_presence FOLDER [users [watchers [seconds]]]\n");
        return 2;
    }
    bench.folder = argv[1];
    bench.users = argc > 2 ? strtoull(argv[2], NULL, 10) : USERS_DEFAULT;
    bench.watchers = argc > 3 ? strtoull(argv[3], NULL, 10) : WATCHERS_DEFAULT;
    bench.seconds = argc > 4 ? strtoull(argv[4], NULL, 10) : SECONDS_DEFAULT;
    if (uring_open(&(struct uring_options){0}, &bench.driver, why, sizeof why) != 0) {
        fail("no io_uring", why);
    }
    table_alone();
    (void)fflush(stdout);
    struct store_options options = {.driver = bench.driver, .path = bench.folder};
    if (store_open(&options, &bench.store, &report) != 0) {
        fail("the store can't be opened", report.why);
    }
    settings_init(&bench.settings);
    bench.settings.limits.presence_interval_ms = SIGN_S * 1000;
    messenger_init(&bench.messenger, bench.driver, bench.store, &bench.settings);
    bench.writers = calloc(WRITERS, sizeof bench.writers[0]);
    bench.ears = calloc(bench.users, sizeof bench.ears[0]);
    if (bench.users <= bench.watchers || bench.writers == NULL || bench.ears == NULL) {
        fail("arguments", "more users than watchers");
    }
    run_node();
    return 0;
}
