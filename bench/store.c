/* SPDX-License-Identifier: Apache-2.0 */
/* The store alone, on the real disk: durable messages per second and their latency under 1, 10 and
 * 1,000 senders, with random senders and recipients among many users, folds included; the longest
 * pause; recovery after a kill. One line of JSON each.
 *
 *     bench_store FOLDER [users [seconds [senders]]]      1,000,000 users, 10 s with each number
 *
 * The folder is made and filled at the first time (minutes for a million users) and used again
 * afterwards. Each part runs in a process of its own, on one scheduler per core. A sender has one
 * message of 128 bytes under way at a time; its latency is from the request to the answer, so it
 * contains a fetch from LMDB where the two users are cold. */
#include "store/store.h"
#include "bench/chance.h"
#include "bench/cpu.h"
#include "bench/histogram.h"
#include "runtime/io/uring.h"
#include "runtime/node.h"
#include "runtime/supervisor.h"
#include "store/request.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    USERS_DEFAULT = 1000000,
    SECONDS_DEFAULT = 10,
    USERS_MIN = 100,
    BODY_BYTES = 128,
    SCHEDULERS_MAX = 64,
    MAKERS = 2000, /* users under way at once while the folder is filled */
    KILL_SECONDS_MAX = 120,
    POLL_US = 20000,
};

/* Room for some hundred million messages per cell, and within what ThreadSanitizer leaves. */
#define MAP_BYTES (UINT64_C(64) << 30)

/* What several processes and threads look at. */
struct shared {
    _Atomic uint64_t log_bytes; /* the tail, while somebody waits for the worst moment to kill */
    _Atomic bool ready;
};

struct bench {
    const char *folder;
    uint32_t users_wanted;
    unsigned seconds;
    unsigned senders;
    struct shared *shared;

    struct io_driver *driver;
    struct store *store;
    struct ln_node *node;
    uint64_t *users;
    uint32_t users_count;
    _Atomic uint32_t users_next; /* of those to be made */
    _Atomic bool stop;
    struct histogram latencies[SCHEDULERS_MAX];
    _Atomic uint64_t errors;
};

static struct bench bench; /* the parts' actors reach it */

static void
fail(const char *what, const char *why)
{
    (void)fprintf(stderr, "bench_store: %s: %s\n", what, why);
    _Exit(1);
}

static uint64_t
now_ns(void)
{
    return io_now_ns(ln_io());
}

/* --------------------------------------------------------------------------------------- actors */

static struct ln_msg *
message(uint64_t *chance, uint64_t number)
{
    uint64_t from = bench.users[chance_below(chance, bench.users_count)];
    uint64_t to = bench.users[chance_below(chance, bench.users_count)];
    struct ln_msg *request = ln_msg_new(STORE_MESSAGE, LN_DURABLE, sizeof(struct store_message));
    struct store_message data = {
        .recipient = to,
        .sender = from,
        .sender_device = 1,
        .number = number,
        .body_kind = 1,
        .body_bytes = BODY_BYTES,
        .sender_name = {.bytes = 5, .text = "bench"},
    };
    memcpy(request->data, &data, sizeof(data));
    request->buffer = ln_buffer_new(BODY_BYTES);
    memset(ln_buffer_data(request->buffer), 'x', BODY_BYTES);
    return request;
}

/* Numbers rise with the clock, so a user's do, whoever sends in his name: the windows are used as
 * in life. */
static void
send_messages(void *state)
{
    uint64_t chance = *(const uint64_t *)state;
    struct histogram *latencies = &bench.latencies[ln_scheduler()];
    while (!atomic_load_explicit(&bench.stop, memory_order_relaxed)) {
        uint64_t number = (uint64_t)ln_wall_ms() << 8 | chance_below(&chance, 256);
        struct ln_msg *request = message(&chance, number);
        ln_pid pid = store_user_pid(
            bench.store, ((const struct store_message *)(const void *)request->data)->recipient);
        uint64_t start = now_ns();
        int error = ln_call(pid, &request, LN_FOREVER, NULL);
        if (error == -ECANCELED) {
            return;
        }
        if (error != 0 && error != -ESTALE) {
            atomic_fetch_add(&bench.errors, 1);
        }
        histogram_record(latencies, now_ns() - start);
    }
}

static void
make_users(void *state)
{
    (void)state;
    for (;;) {
        uint32_t index = atomic_fetch_add(&bench.users_next, 1);
        if (index >= bench.users_wanted) {
            return;
        }
        struct store_user_create create = {.with_device = true};
        create.name.bytes =
            (uint8_t)snprintf(create.name.text, sizeof(create.name.text), "user%" PRIu32, index);
        struct ln_msg *request = ln_msg_new(STORE_USER_CREATE, LN_DURABLE, sizeof(create));
        memcpy(request->data, &create, sizeof(create));
        int error = ln_call(store_name_pid(bench.store, create.name.text, create.name.bytes),
                            &request, LN_FOREVER, NULL);
        if (error == -ECANCELED) {
            return;
        }
        if (error != 0 && error != -EEXIST) {
            atomic_fetch_add(&bench.errors, 1);
        }
    }
}

static int
copy_seed(void *state, const void *argument)
{
    *(uint64_t *)state = *(const uint64_t *)argument;
    return 0;
}

static const struct ln_behaviour sender = {
    .name = "sender", .state_bytes = sizeof(uint64_t), .init = copy_seed, .run = send_messages};
static const struct ln_behaviour maker = {
    .name = "maker", .state_bytes = sizeof(uint64_t), .init = copy_seed, .run = make_users};

/* Pages through a partition's users. */
static void
list_partition(uint8_t partition)
{
    struct store_rows rows = {.more = true};
    uint64_t after = 0;
    while (rows.more) {
        struct ln_msg *request = ln_msg_new(STORE_USER_LIST, LN_DURABLE, sizeof(struct store_list));
        struct store_list list = {.after = after};
        struct ln_msg *answer = NULL;
        memcpy(request->data, &list, sizeof(list));
        if (ln_call(store_partition_pid(bench.store, partition), &request, LN_FOREVER, &answer) !=
            0) {
            fail("the users can't be listed", "no answer");
        }
        memcpy(&rows, answer->data, sizeof(rows));
        const struct store_user *users =
            answer->buffer != NULL ? ln_buffer_data(answer->buffer) : NULL;
        for (uint32_t i = 0; users != NULL && i < rows.count; i++) {
            if (bench.users_count < bench.users_wanted) {
                bench.users[bench.users_count++] = users[i].user;
            }
            after = users[i].user;
        }
        ln_msg_free(&answer);
    }
}

static void
start_all(const struct ln_behaviour *behaviour, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        uint64_t seed = i + 1;
        struct ln_spawn_options options = {
            .elsewhere = true, .scheduler = (int)(i % ln_schedulers()), .monitor = true};
        uint64_t monitor;
        ln_pid pid;
        options.out_monitor = &monitor;
        if (ln_spawn(behaviour, &seed, sizeof(seed), &options, &pid) != 0) {
            fail("a sender can't be started", "no room");
        }
    }
}

static void
wait_for_all(unsigned count)
{
    while (count > 0) {
        struct ln_msg *msg = NULL;
        if (ln_receive(LN_FOREVER, &msg) != 0) {
            return;
        }
        count -= msg->tag == LN_TAG_DOWN;
        ln_msg_free(&msg);
    }
}

/* ---------------------------------------------------------------------------------------- parts */

typedef void part(void);

static void
part_fill(void)
{
    uint64_t start = now_ns();
    start_all(&maker, MAKERS);
    wait_for_all(MAKERS);
    struct store_stats stats;
    store_stats_read(bench.store, &stats);
    double seconds = (double)(now_ns() - start) / 1e9;
    (void)printf("{\"part\": \"users\", \"users\": %" PRIu32 ", \"seconds\": %.1f, "
                 "\"users_per_s\": %.0f, \"commands\": %" PRIu64 ", \"errors\": %" PRIu64 "}\n",
                 bench.users_wanted, seconds, bench.users_wanted / seconds, stats.commands,
                 atomic_load(&bench.errors));
}

static void
list_all(void)
{
    for (unsigned partition = 0; partition < 256; partition++) {
        list_partition((uint8_t)partition);
    }
    if (bench.users_count < USERS_MIN) {
        fail("the folder has too few users", "fill another one");
    }
}

static void
print_load(const struct store_stats *before, const struct store_stats *after, double seconds,
           double cpu)
{
    struct histogram *all = &bench.latencies[0];
    for (unsigned i = 1; i < SCHEDULERS_MAX; i++) {
        histogram_merge(all, &bench.latencies[i]);
    }
    uint64_t batches = after->batches - before->batches;
    uint64_t folds = after->folds - before->folds;
    (void)printf(
        "{\"part\": \"load\", \"senders\": %u, \"users\": %" PRIu32 ", \"seconds\": %.1f, "
        "\"messages\": %" PRIu64 ", \"messages_per_s\": %.0f, \"cpu_us_per_message\": %.1f, "
        "\"p50_us\": %.0f, \"p99_us\": %.0f, "
        "\"p999_us\": %.0f, \"max_us\": %.0f, \"batches\": %" PRIu64
        ", \"commands_per_batch\": %.1f, \"sync_mean_us\": %.0f, \"sync_max_us\": %.0f, "
        "\"fetches\": %" PRIu64 ", \"folds\": %" PRIu64 ", \"fold_mean_ms\": %.0f, "
        "\"fold_max_ms\": %.0f, \"fold_records\": %" PRIu64 ", \"freeze_max_us\": %.0f, "
        "\"apply_max_us\": %.0f, \"delta_mib\": %.0f, \"errors\": %" PRIu64 "}\n",
        bench.senders, bench.users_count, seconds, all->count, (double)all->count / seconds,
        all->count > 0 ? cpu * 1e6 / (double)all->count : 0,
        (double)histogram_percentile(all, 50) / 1e3, (double)histogram_percentile(all, 99) / 1e3,
        (double)histogram_percentile(all, 99.9) / 1e3, (double)all->greatest / 1e3, batches,
        batches > 0 ? (double)(after->commands - before->commands) / (double)batches : 0,
        batches > 0 ? (double)(after->batch_ns - before->batch_ns) / (double)batches / 1e3 : 0,
        (double)after->batch_ns_max / 1e3, after->fetches - before->fetches, folds,
        folds > 0 ? (double)(after->fold_ns - before->fold_ns) / (double)folds / 1e6 : 0,
        (double)after->fold_ns_max / 1e6, after->fold_records - before->fold_records,
        (double)after->freeze_ns_max / 1e3, (double)after->apply_ns_max / 1e3,
        (double)after->delta_bytes / (1 << 20), atomic_load(&bench.errors));
}

static void
part_load(void)
{
    struct store_stats before;
    struct store_stats after;
    list_all();
    store_stats_read(bench.store, &before);
    uint64_t start = now_ns();
    double cpu = cpu_seconds();
    start_all(&sender, bench.senders);
    (void)ln_sleep(bench.seconds * UINT64_C(1000));
    atomic_store(&bench.stop, true);
    wait_for_all(bench.senders);
    double seconds = (double)(now_ns() - start) / 1e9;
    store_stats_read(bench.store, &after);
    print_load(&before, &after, seconds, cpu_seconds() - cpu);
}

/* Runs until it is killed. */
static void
part_doomed(void)
{
    list_all();
    start_all(&sender, bench.senders);
    for (;;) {
        struct store_stats stats;
        store_stats_read(bench.store, &stats);
        atomic_store(&bench.shared->log_bytes, stats.log_bytes);
        atomic_store(&bench.shared->ready, true);
        if (ln_sleep(POLL_US / 1000) != 0) {
            return;
        }
    }
}

static void
part_nothing(void)
{
}

/* ---------------------------------------------------------------------------- a node for a part */

static void
run_part(void *state)
{
    (*(part *const *)state)();
    (void)fflush(stdout);
    ln_node_stop(bench.node);
}

static int
copy_part(void *state, const void *argument)
{
    *(part **)state = *(part *const *)argument;
    return 0;
}

static const struct ln_behaviour runner = {
    .name = "part", .state_bytes = sizeof(part *), .init = copy_part, .run = run_part};

static void
open_store(bool tell)
{
    char why[256];
    struct store_report report;
    if (uring_open(&(struct uring_options){0}, &bench.driver, why, sizeof(why)) != 0) {
        fail("no io_uring", why);
    }
    struct store_options options = {
        .driver = bench.driver,
        .path = bench.folder,
        .map_bytes = MAP_BYTES,
        .inbox_entries_max = 1000000,
        .inbox_bytes_max = UINT64_C(1) << 40,
    };
    if (store_open(&options, &bench.store, &report) != 0) {
        fail("the store can't be opened", report.why);
    }
    if (tell) {
        (void)printf("{\"part\": \"recovery\", \"ms\": %" PRIu64 ", \"commands\": %" PRIu64
                     ", \"torn_bytes\": %" PRIu64 ", \"commands_per_s\": %.0f}\n",
                     report.duration_ms, report.commands, report.torn_bytes,
                     report.duration_ms > 0
                         ? (double)report.commands * 1e3 / (double)report.duration_ms
                         : 0);
        (void)fflush(stdout);
    }
}

static void
run_node(part *what, bool tell)
{
    size_t count;
    open_store(tell);
    bench.users = calloc(bench.users_wanted, sizeof(bench.users[0]));
    if (bench.users == NULL) {
        fail("users", "no memory");
    }
    const struct ln_child *store = store_children(bench.store, &count);
    struct ln_supervision store_tree = {LN_ONE_FOR_ONE, 3, 5000, store, (uint32_t)count};
    struct ln_child children[] = {
        {.id = "store",
         .behaviour = &ln_supervisor,
         .argument = &store_tree,
         .bytes = sizeof(store_tree)},
        {.id = "part",
         .behaviour = &runner,
         .argument = &what,
         .bytes = sizeof(what),
         .restart = LN_TEMPORARY},
    };
    struct ln_supervision root = {LN_ONE_FOR_ONE, 3, 5000, children, 2};
    bench.node = ln_node_open(bench.driver, &(struct ln_node_options){0});
    ln_node_root(bench.node, &ln_supervisor, &root, sizeof(root));
    if (ln_node_start(bench.node) != 0) {
        fail("the node can't be started", "no threads");
    }
    (void)ln_node_join(bench.node);
    ln_node_close(&bench.node);
    store_close(&bench.store);
    io_driver_close(bench.driver);
}

static pid_t
begin_process(part *what, bool tell)
{
    (void)fflush(stdout);
    pid_t pid = fork();
    if (pid < 0) {
        fail("fork", strerrorname_np(errno));
    }
    if (pid == 0) {
        run_node(what, tell);
        _Exit(0);
    }
    return pid;
}

static void
end_process(pid_t pid)
{
    int status;
    if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status) || WEXITSTATUS(status) != 0) {
        fail("a part", "did not end well");
    }
}

/* Kills when the tail that a start must read has not been longer for a while: just before a fold
 * gives some back. */
static void
kill_at_worst(pid_t pid)
{
    uint64_t longest = 0;
    for (unsigned i = 0; i < KILL_SECONDS_MAX * (1000000 / POLL_US); i++) {
        (void)usleep(POLL_US);
        uint64_t tail = atomic_load(&bench.shared->log_bytes);
        if (atomic_load(&bench.shared->ready) && tail < longest / 10 * 9) {
            break; /* a fold has just ended: the tail will be as long again in a moment */
        }
        longest = tail > longest ? tail : longest;
    }
    for (unsigned i = 0; i < KILL_SECONDS_MAX * (1000000 / POLL_US); i++) {
        (void)usleep(POLL_US);
        if (atomic_load(&bench.shared->log_bytes) >= longest / 100 * 97) {
            break;
        }
    }
    (void)kill(pid, SIGKILL);
    (void)waitpid(pid, NULL, 0);
}

int
main(int argc, char **argv)
{
    unsigned senders[] = {1, 10, 1000};
    size_t senders_count = sizeof(senders) / sizeof(senders[0]);
    if (argc < 2 || argc > 5) {
        (void)fprintf(stderr, "usage: bench_store FOLDER [users [seconds [senders]]]\n");
        return 2;
    }
    if (argc > 4) {
        senders[0] = (unsigned)strtoul(argv[4], NULL, 10);
        senders_count = 1;
    }
    bench.folder = argv[1];
    bench.users_wanted = argc > 2 ? (uint32_t)strtoul(argv[2], NULL, 10) : USERS_DEFAULT;
    bench.seconds = argc > 3 ? (unsigned)strtoul(argv[3], NULL, 10) : SECONDS_DEFAULT;
    bench.shared = mmap(NULL, sizeof(*bench.shared), PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (bench.users_wanted < USERS_MIN || bench.seconds == 0 || bench.shared == MAP_FAILED) {
        fail("arguments", "at least 100 users and a second");
    }
    end_process(begin_process(part_fill, false));
    for (size_t i = 0; i < senders_count; i++) {
        bench.senders = senders[i];
        end_process(begin_process(part_load, false));
    }
    kill_at_worst(begin_process(part_doomed, false));
    end_process(begin_process(part_nothing, true));
    return 0;
}
