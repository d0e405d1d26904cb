/* SPDX-License-Identifier: Apache-2.0 */
/* What happens at the bounds: a full disk, full memory, a session that does not read, a device that
 * stays away. */
#include "tests/spec.h"
#include "tests/store/hand.h"
#include "tests/store/rig.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static struct rig rig;

static char *
long_text(void)
{
    static char text[4001];
    memset(text, 'x', sizeof(text) - 1);
    return text;
}

/* ------------------------------------------------------------------------------------- the disk */

enum {
    DISK_BYTES = 12 << 20,
    BALLAST_BYTES = 5 << 20,
};

/* Something else that takes up the disk. */
static void
ballast(struct rig *r, bool there)
{
    char path[96];
    io_file file;
    (void)snprintf(path, sizeof(path), "%s/ballast", r->root);
    if (!there) {
        RIG_CHECK(r, io_remove(r->driver, path) == 0);
        return;
    }
    RIG_CHECK(r, io_file_open(r->driver, path, IO_OPEN_WRITE | IO_OPEN_CREATE, &file) == 0);
    RIG_CHECK(r, io_file_allocate(r->driver, file, BALLAST_BYTES) == 0);
    io_file_close(r->driver, file);
}

static int
send_long(struct rig *r, uint64_t from, uint64_t to, uint64_t number)
{
    struct hand_message message = {.from = from, .to = to, .number = number, .text = long_text()};
    return hand_message(r->store, &message, NULL);
}

static void
full_disk_story(struct rig *r)
{
    enum { MESSAGES_MAX = 5000 };
    uint64_t alice;
    uint64_t bob;
    uint64_t carol;
    uint64_t accepted = 0;
    int error = 0;
    struct store_user user;
    struct store_stats stats;
    RIG_CHECK(r, hand_user_create(r->store, "alice", true, &alice) == 0);
    RIG_CHECK(r, hand_user_create(r->store, "bob", true, &bob) == 0);
    ballast(r, true);
    while (error == 0 && accepted < MESSAGES_MAX) {
        error = send_long(r, alice, bob, accepted + 1);
        accepted += error == 0;
    }
    RIG_CHECK(r, error == -ENOSPC);
    store_stats_read(r->store, &stats);
    RIG_CHECK(r, stats.disk_full && stats.refused_full > 0);
    RIG_CHECK(r, hand_user_create(r->store, "carol", true, &carol) == -ENOSPC);
    /* What frees space goes on, and so does what only looks. */
    RIG_CHECK(r, hand_user_get(r->store, bob, &user) == 0 && user.inbox_entries == accepted);
    RIG_CHECK(r, hand_ack(r->store, bob, 1, user.inbox_last) == 0);
    RIG_CHECK(r, hand_user_get(r->store, bob, &user) == 0 && user.inbox_entries == 0);
    RIG_CHECK(r, hand_read(r->store, bob, alice, accepted) == 0);
    (void)ln_sleep(5000);
    RIG_CHECK(r, send_long(r, alice, bob, accepted + 1) == -ENOSPC);

    ballast(r, false);
    (void)ln_sleep(5000);
    RIG_CHECK(r, send_long(r, alice, bob, accepted + 1) == 0);
    RIG_CHECK(r, hand_user_create(r->store, "carol", true, &carol) == 0);
    store_stats_read(r->store, &stats);
    RIG_CHECK(r, !stats.disk_full);
}

static void
bears_a_full_disk(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 3; seed++) {
        rig_open(&rig, seed);
        rig.disk_bytes_max = DISK_BYTES;
        rig.options.cells = 1;
        rig.options.segment_bytes = 512 << 10;
        rig.options.reserve_bytes = 1 << 20;
        rig.options.replay_bytes_max = 1 << 20;
        rig_play(&rig, full_disk_story);
        rig_close(&rig);
    }
}

/* --------------------------------------------------------------------------------------- memory */

enum {
    MEMORY_BYTES = 16 << 20,
    /* One batch may come on top of the bound. */
    MEMORY_BYTES_OVER = 2 << 20,
    FLOOD = 8000,
    FLOOD_AT_ONCE = 100,
};

static void
full_memory_story(struct rig *r)
{
    uint64_t alice;
    uint64_t bob;
    uint64_t most = 0;
    unsigned under_way = 0;
    struct store_stats stats;
    RIG_CHECK(r, hand_user_create(r->store, "alice", true, &alice) == 0);
    RIG_CHECK(r, hand_user_create(r->store, "bob", true, &bob) == 0);
    for (unsigned i = 1; i <= FLOOD; i++) {
        struct hand_message message = {.from = alice, .to = bob, .number = i, .text = long_text()};
        hand_message_ask(r->store, &message);
        if (++under_way < FLOOD_AT_ONCE) {
            continue;
        }
        if (!hand_accepted()) {
            rig_wrong(r, "message %u or one before was not accepted", i);
            return;
        }
        under_way--;
        store_stats_read(r->store, &stats);
        most = stats.delta_bytes > most ? stats.delta_bytes : most;
    }
    for (; under_way > 0; under_way--) {
        RIG_CHECK(r, hand_accepted());
    }
    struct store_user user;
    RIG_CHECK(r, hand_user_get(r->store, bob, &user) == 0 && user.inbox_entries == FLOOD);
    store_stats_read(r->store, &stats);
    RIG_CHECK(r, stats.folds > 2);
    RIG_CHECK(r, most > MEMORY_BYTES && most < MEMORY_BYTES + MEMORY_BYTES_OVER);
}

static void
bears_full_memory(void **state)
{
    (void)state;
    for (uint64_t seed = 10; seed < 12; seed++) {
        rig_open(&rig, seed);
        rig.options.cells = 1;
        rig.options.delta_bytes_max = MEMORY_BYTES;
        rig.options.segment_bytes = 4 << 20;
        rig.options.inbox_bytes_max = 64 << 20;
        rig.options.map_bytes = 256 << 20;
        rig.work_delay_ns_max = UINT64_C(2000000000); /* a very slow disk */
        rig_play(&rig, full_memory_story);
        rig_close(&rig);
    }
}

/* --------------------------------------------------------------------------------- a full batch */

/* So many long messages are some 25 batches. */
enum { CROWD = 16, EACH = 100 };

/* Takes answers until the one to this request is there. */
static bool
answered(uint64_t ref, unsigned *under_way)
{
    bool found = false;
    while (!found && *under_way > 0) {
        struct ln_msg *answer = NULL;
        if (ln_receive(60000, &answer) != 0) {
            return false;
        }
        found = answer->ref == ref;
        ln_msg_free(&answer);
        (*under_way)--;
    }
    return found;
}

static uint64_t
ask_long(struct rig *r, uint64_t from, uint64_t to, uint64_t number)
{
    struct hand_message message = {.from = from, .to = to, .number = number, .text = long_text()};
    struct ln_msg *request = hand_message_request(&message);
    return ln_request(store_user_pid(r->store, to), &request);
}

static void
crowd_story(struct rig *r)
{
    uint64_t users[CROWD];
    uint64_t carol;
    unsigned under_way = CROWD * EACH + 1;
    struct store_stats before;
    struct store_stats after;
    RIG_CHECK(r, hand_user_create(r->store, "carol", true, &carol) == 0);
    RIG_CHECK(r, send_long(r, carol, carol, 1) == 0);
    for (unsigned i = 0; i < CROWD; i++) {
        char name[] = {'u', (char)('a' + i), 0};
        RIG_CHECK(r, hand_user_create(r->store, name, true, &users[i]) == 0);
        RIG_CHECK(r, send_long(r, carol, users[i], 1) == 0);
    }
    for (unsigned i = 0; i < CROWD * EACH; i++) {
        (void)ask_long(r, carol, users[i % CROWD], 2 + i / CROWD);
    }
    store_stats_read(r->store, &before);
    RIG_CHECK(r, answered(ask_long(r, carol, carol, 2), &under_way));
    store_stats_read(r->store, &after);
    RIG_CHECK(r, after.batches - before.batches <= 5);
    RIG_CHECK(r, under_way > CROWD * EACH / 2); /* hers came last, and was not answered last */
    for (; under_way > 0; under_way--) {
        RIG_CHECK(r, hand_accepted());
    }
}

static void
shares_batches(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 4; seed++) {
        rig_open(&rig, seed);
        rig.options.cells = 1;
        rig.options.inbox_bytes_max = 64 << 20;
        rig_play(&rig, crowd_story);
        rig_close(&rig);
    }
}

/* ------------------------------------------------------------------------------- a slow session */

/* A session with room for few pushes, which reads only when the story says so. */
struct sleeper {
    bool awake;
    unsigned pushes;
    unsigned behinds;
};
static struct sleeper sleeper;

static void
sleep_on(void *state)
{
    (void)state;
    for (;;) {
        struct ln_msg *msg = NULL;
        while (!sleeper.awake) {
            if (ln_sleep(10) != 0) {
                return;
            }
        }
        if (ln_receive(50, &msg) == -ECANCELED) {
            return;
        }
        if (msg != NULL) {
            sleeper.pushes += msg->tag == STORE_PUSH;
            sleeper.behinds += msg->tag == STORE_BEHIND;
        }
        ln_msg_free(&msg);
    }
}

static const struct ln_behaviour sleeper_behaviour = {
    .name = "sleeper", .run = sleep_on, .durable_max = 5};

static void
send_some(struct rig *r, uint64_t alice, uint64_t bob, uint64_t first, unsigned count)
{
    for (uint64_t number = first; number < first + count; number++) {
        struct hand_message message = {.from = alice, .to = bob, .number = number, .text = "hi"};
        RIG_CHECK(r, hand_message(r->store, &message, NULL) == 0);
    }
}

static void
slow_session_story(struct rig *r)
{
    uint64_t alice;
    uint64_t bob;
    ln_pid session = 0;
    struct store_attached attached;
    sleeper = (struct sleeper){0};
    RIG_CHECK(r, hand_user_create(r->store, "alice", true, &alice) == 0);
    RIG_CHECK(r, hand_user_create(r->store, "bob", true, &bob) == 0);
    RIG_CHECK(r, ln_spawn(&sleeper_behaviour, NULL, 0, NULL, &session) == 0);
    RIG_CHECK(r, hand_attach_for(r->store, bob, 1, session, &attached) == 0);
    send_some(r, alice, bob, 1, 20);
    (void)ln_sleep(100);
    sleeper.awake = true;
    (void)ln_sleep(500);
    RIG_CHECK(r, sleeper.pushes == 5);  /* what it had room for */
    RIG_CHECK(r, sleeper.behinds == 1); /* and one word about the rest */
    send_some(r, alice, bob, 21, 3);
    (void)ln_sleep(500);
    RIG_CHECK(r, sleeper.pushes == 5); /* nothing until it has read */
    struct store_inbox inbox = {.user = bob, .entries_max = 10, .device = 1};
    struct ln_msg *answer = NULL;
    RIG_CHECK(r, hand_inbox(r->store, &inbox, &answer) == 0);
    ln_msg_free(&answer);
    send_some(r, alice, bob, 24, 1);
    (void)ln_sleep(500);
    RIG_CHECK(r, sleeper.pushes == 5); /* not to the end yet */
    inbox.entries_max = 0;
    RIG_CHECK(r, hand_inbox(r->store, &inbox, &answer) == 0);
    const struct store_page *page = (const struct store_page *)(const void *)answer->data;
    RIG_CHECK(r, page->count == 24 && !page->more);
    ln_msg_free(&answer);
    send_some(r, alice, bob, 25, 2);
    (void)ln_sleep(500);
    RIG_CHECK(r, sleeper.pushes == 7);
}

static void
waits_for_slow_sessions(void **state)
{
    (void)state;
    rig_play_once(&rig, 20, slow_session_story);
}

/* -------------------------------------------------------------------------------- a lost device */

static void
lost_device_story(struct rig *r)
{
    uint64_t alice;
    uint64_t bob;
    uint16_t device;
    struct store_attached attached;
    RIG_CHECK(r, hand_user_create(r->store, "alice", true, &alice) == 0);
    RIG_CHECK(r, hand_user_create(r->store, "bob", true, &bob) == 0);
    RIG_CHECK(r, hand_device_add(r->store, bob, 2, &device) == 0);
    RIG_CHECK(r, hand_attach(r->store, bob, device, &attached) == 0);
    RIG_CHECK(r, hand_attach(r->store, bob, 1, &attached) == 0);
    RIG_CHECK(r, hand_ack(r->store, bob, 1, attached.last) == 0); /* that another was linked */
    uint64_t last = 0;
    bool told = false;
    for (uint64_t number = 1; number <= 5; number++) {
        send_some(r, alice, bob, number, 1);
        struct ln_msg *msg = NULL;
        while (ln_receive(200, &msg) == 0) {
            if (msg->tag == STORE_RESYNC) {
                const struct store_notice *notice =
                    (const struct store_notice *)(const void *)msg->data;
                RIG_CHECK(r, notice->device == 1 && number == 4);
                told = true;
            } else if (msg->tag == STORE_PUSH) {
                last = ((const struct store_push *)(const void *)msg->data)->number;
            }
            ln_msg_free(&msg);
        }
        RIG_CHECK(r, hand_ack(r->store, bob, device, last) == 0);
    }
    RIG_CHECK(r, told);
    RIG_CHECK(r, hand_attach(r->store, bob, 1, &attached) == 0 && attached.resync);
    RIG_CHECK(r, attached.acked > 0 && attached.last >= attached.acked);
    RIG_CHECK(r, hand_ack(r->store, bob, 1, attached.last) == 0);
    RIG_CHECK(r, hand_attach(r->store, bob, 1, &attached) == 0 && !attached.resync);
    send_some(r, alice, bob, 6, 3);
    struct hand_message last_straw = {.from = alice, .to = bob, .number = 9, .text = "hi"};
    RIG_CHECK(r, hand_message(r->store, &last_straw, NULL) == -EDQUOT);
}

static void
lets_devices_get_lost(void **state)
{
    (void)state;
    rig_open(&rig, 30);
    rig.options.inbox_entries_max = 3;
    rig_play(&rig, lost_device_story);
    rig_close(&rig);
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("on a full disk messages are refused, what frees space is not, and it recovers",
             bears_a_full_disk),
        SPEC("when memory is full messages wait for a fold and none is refused", bears_full_memory),
        SPEC("who has much for the log leaves the others their share of a batch", shares_batches),
        SPEC("a session that does not read is told once, and pushed to again when it has",
             waits_for_slow_sessions),
        SPEC("a device at its limit is given up when another can take the message",
             lets_devices_get_lost),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
