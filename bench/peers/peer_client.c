/* SPDX-License-Identifier: Apache-2.0 */
/* peer_client: loads a messenger of others as linnet-bench loads a node.
 *
 *     peer_client mqtt --address 127.0.0.1:1883 --pid N [--pairs 100] [--window 16]
 *                 [--bytes 128] [--seconds 10] [--warmup 2]
 *     peer_client xmpp --address 127.0.0.1:5222 --pid N --silent [--pairs 2500] [--settle 2]
 *
 * One line of JSON: messages a second whose receipt has come back, how long each took until it was
 * shown, and the CPU of both sides; or, silent, by how much the server's resident memory has grown
 * for each connection, after each has sent and been shown a message. --pid is the server's. */
#include "bench/flags.h"
#include "bench/peers/couple.h"
#include "bench/process.h"
#include "runtime/io/uring.h"
#include "runtime/node.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    CALLS_MAX = 32, /* couples that log in at a time */
    LOGIN_MS = 60000,
    QUIET_MS = 20000,
    MS_PER_S = 1000,
    NS_PER_US = 1000,
    STACK_BYTES = 64 * 1024,
};

struct settings {
    const char *address;
    uint32_t pid, pairs, window, bytes, seconds, warmup, settle;
    bool silent;
};

static const struct flag table[] = {
    {"address", &flag_text, 1, offsetof(struct settings, address), 0, 0, "HOST:PORT",
     "where the server listens"},
    {"pid", &flag_number, 1, offsetof(struct settings, pid), 1, UINT32_MAX, "N",
     "the server's process"},
    {"pairs", &flag_number, 1, offsetof(struct settings, pairs), 1, 1000000, "N",
     "pairs of users, each with a connection"},
    {"window", &flag_number, 1, offsetof(struct settings, window), 1, COUPLE_WINDOW_MAX - 1, "N",
     "messages of a user without a receipt"},
    {"bytes", &flag_number, 1, offsetof(struct settings, bytes), DIALECT_NUMBER_BYTES,
     DIALECT_TEXT_BYTES_MAX, "N", "of a text"},
    {"seconds", &flag_number, 1, offsetof(struct settings, seconds), 1, 3600, "N", "measured"},
    {"warmup", &flag_number, 1, offsetof(struct settings, warmup), 0, 3600, "N", "seconds before"},
    {"silent", &flag_on, 1, offsetof(struct settings, silent), 0, 0, NULL,
     "measures memory of silent connections"},
    {"settle", &flag_number, 1, offsetof(struct settings, settle), 0, 3600, "N",
     "seconds after the last message, before memory is looked at"},
};
static const char *const scenarios[] = {"all"};
static const struct flags flags = {table, sizeof table / sizeof table[0], scenarios, 1};

static const struct dialect *const dialects[] = {&dialect_mqtt, &dialect_xmpp};

static struct settings settings = {
    .pairs = 100, .window = 16, .bytes = 128, .seconds = 10, .warmup = 2, .settle = 2};
static struct couples couples;
static struct io_driver *driver;

/* -------------------------------------------------------------------------------------- couples */

static void
wait_for_one(enum couple_tag tag, uint64_t wait_ms)
{
    struct ln_msg *msg = NULL;
    int error = ln_receive(wait_ms, &msg);
    if (error != 0) {
        couple_fail("the server did not answer in %llu ms", (unsigned long long)wait_ms);
    }
    ln_actor_check(msg->tag == tag);
    ln_msg_free(&msg);
}

/* All have logged in when it returns. */
static void
pairs_start(ln_pid *pids)
{
    for (uint32_t i = 0; i < settings.pairs; i++) {
        struct couple_start start = {&couples, 2 * i};
        if (i >= CALLS_MAX) {
            wait_for_one(COUPLE_READY, LOGIN_MS);
        }
        int error = ln_spawn(&couple_behaviour, &start, sizeof start, NULL, &pids[i]);
        ln_actor_check(error == 0);
    }
    for (uint32_t i = 0; i < settings.pairs && i < CALLS_MAX; i++) {
        wait_for_one(COUPLE_READY, LOGIN_MS);
    }
}

static void
tell(ln_pid pid, enum couple_tag tag)
{
    struct ln_msg *msg = ln_msg_new(tag, LN_REPLY, 0);
    ln_send(pid, &msg);
}

static void
tell_all(const ln_pid *pids, enum couple_tag tag)
{
    for (uint32_t i = 0; i < settings.pairs; i++) {
        tell(pids[i], tag);
    }
}

static void
sleep_ms(uint64_t pause_ms)
{
    int error = ln_sleep(pause_ms);
    ln_actor_check(error == 0);
}

/* ------------------------------------------------------------------------------------- measures */

static uint64_t
cpu_ms(uint32_t pid)
{
    uint64_t used_ms = 0;
    if (process_cpu_ms(driver, pid, &used_ms) != 0) {
        couple_fail("there is no process %u", pid);
    }
    return used_ms;
}

static uint64_t
resident_bytes(void)
{
    uint64_t bytes = 0;
    if (process_resident(driver, settings.pid, &bytes) != 0) {
        couple_fail("there is no process %u", settings.pid);
    }
    return bytes;
}

static void
play_chat(const ln_pid *pids)
{
    tell_all(pids, COUPLE_GO);
    sleep_ms((uint64_t)settings.warmup * MS_PER_S);
    uint64_t since_ns = io_now_ns(ln_io());
    uint64_t server_ms = cpu_ms(settings.pid), client_ms = cpu_ms(0);
    couples.measuring = true;
    sleep_ms((uint64_t)settings.seconds * MS_PER_S);
    couples.measuring = false;
    double span_s = (double)(io_now_ns(ln_io()) - since_ns) / 1e9;
    server_ms = cpu_ms(settings.pid) - server_ms;
    client_ms = cpu_ms(0) - client_ms;
    tell_all(pids, COUPLE_STOP);
    for (uint32_t i = 0; i < settings.pairs; i++) {
        wait_for_one(COUPLE_QUIET, QUIET_MS);
    }
    const struct histogram *delays = &couples.delays;
    printf("{\"dialect\": \"%s\", \"pairs\": %u, \"window\": %u, \"bytes\": %u, "
           "\"messages_per_s\": %.0f, \"p50_us\": %.1f, \"p99_us\": %.1f, "
           "\"server_cores\": %.2f, \"client_cores\": %.2f}\n",
           couples.dialect->name, settings.pairs, settings.window, settings.bytes,
           (double)couples.through / span_s, (double)histogram_percentile(delays, 50) / NS_PER_US,
           (double)histogram_percentile(delays, 99) / NS_PER_US,
           (double)server_ms / MS_PER_S / span_s, (double)client_ms / MS_PER_S / span_s);
}

static void
play_silent(const ln_pid *pids, uint64_t before_bytes)
{
    for (uint32_t i = 0; i < settings.pairs; i++) {
        tell(pids[i], COUPLE_ONCE);
        wait_for_one(COUPLE_QUIET, QUIET_MS);
    }
    sleep_ms((uint64_t)settings.settle * MS_PER_S);
    uint64_t after_bytes = resident_bytes();
    /* some give back more than it takes */
    double grown = (double)after_bytes - (double)before_bytes;
    printf("{\"dialect\": \"%s\", \"connections\": %u, \"bytes_per_connection\": %.0f}\n",
           couples.dialect->name, 2 * settings.pairs, grown / (2.0 * settings.pairs));
}

static void
root_run(void *state)
{
    (void)state;
    couples.root = ln_self();
    ln_pid *pids = ln_alloc(settings.pairs * sizeof *pids);
    uint64_t before_bytes = resident_bytes();
    pairs_start(pids);
    if (settings.silent) {
        play_silent(pids, before_bytes);
    } else {
        play_chat(pids);
    }
}
static const struct ln_behaviour root = {
    .name = "root", .run = root_run, .stack_bytes = STACK_BYTES};

/* ------------------------------------------------------------------------------------- the node */

static int
run(void)
{
    char why[256];
    if (uring_open(&(struct uring_options){.loops = 1}, &driver, why, sizeof why) != 0) {
        (void)fprintf(stderr, "peer_client: %s\n", why);
        return 1;
    }
    struct ln_node *node = ln_node_open(driver, &(struct ln_node_options){0});
    ln_node_root(node, &root, NULL, 0);
    int error = ln_node_start(node);
    bool well = error == 0 && ln_node_join(node).kind == LN_EXIT_NORMAL;
    ln_node_close(&node);
    io_driver_close(driver);
    return well ? 0 : 1;
}

static const struct dialect *
dialect_named(const char *name)
{
    for (size_t i = 0; i < sizeof dialects / sizeof dialects[0]; i++) {
        if (strcmp(dialects[i]->name, name) == 0) {
            return dialects[i];
        }
    }
    return NULL;
}

int
main(int argc, char **argv)
{
    static char room[4096];
    struct ln_text wrong;
    ln_text_init(&wrong, room, sizeof room);
    couples.dialect = argc > 1 ? dialect_named(argv[1]) : NULL;
    if (couples.dialect == NULL) {
        (void)fprintf(stderr, "usage: peer_client mqtt|xmpp --address HOST:PORT --pid N\n");
        flags_print(&flags);
        return 2;
    }
    flags_read(&flags, argc, argv, 2, 0, &settings, &wrong);
    if (wrong.bytes == 0 && (settings.address == NULL || settings.pid == 0 ||
                             io_address_parse(settings.address, &couples.address) != 0)) {
        ln_text_print(&wrong, "--address and --pid are needed\n");
    }
    if (wrong.bytes > 0) {
        (void)fprintf(stderr, "%s", room);
        return 2;
    }
    couples.window = settings.window;
    couples.bytes = settings.bytes;
    return run();
}
