/* SPDX-License-Identifier: Apache-2.0 */
/* Two people with two devices each write, read, are cut off and lose power at any time. At rest all
 * four devices hold the same chat in the same order, and those of a person the same ticks and the
 * same unread counter, which are those that the node tells when it is asked. */
#include "tests/sim/person.h"
#include "tests/sim/wire.h"
#include "tests/spec.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SEEDS = 6, DEVICES = 4, STEPS = 80, MESSAGES_MAX = 256, ROUNDS_MAX = 60 };

/* What a message is shown by. */
struct shown {
    uint64_t time_ms;
    uint64_t user;
    uint64_t device;
    uint64_t number;
};

/* A device's own storage outlives its connections and the node. */
struct device {
    struct wire wire;
    unsigned at; /* frames of the wire that it has taken in */
    char token[PROTOCOL_TOKEN_BYTES_MAX + 1];
    uint64_t user, peer;
    uint64_t inbox; /* the highest entry that it has stored */
    uint64_t acked; /* and said so */
    struct shown shown[MESSAGES_MAX];
    unsigned shown_count;
    uint64_t last; /* of the peer's messages */
    uint64_t own_read, peer_delivered, peer_read;
    unsigned said;
    bool sent[MESSAGES_MAX];
    uint64_t unread_told;
    bool unread_known;
};

static struct world world;
static struct device devices[DEVICES];

/* ------------------------------------------------------------------------------------ taking in */

static uint64_t
number_in(const char *frame, const char *name)
{
    char quoted[64];
    (void)snprintf(quoted, sizeof quoted, "\"%s\":", name);
    const char *at = strstr(frame, quoted);
    if (at == NULL) {
        return 0; /* left out */
    }
    at += strlen(quoted);
    return strtoull(*at == '"' ? at + 1 : at, NULL, 10);
}

static void
raise_to(uint64_t *value, uint64_t to)
{
    *value = to > *value ? to : *value;
}

static void
take_message(struct device *device, const char *frame)
{
    const char *id = strstr(frame, "\"id\":{");
    assert_non_null(id);
    assert_true(device->shown_count < MESSAGES_MAX);
    struct shown shown = {
        .time_ms = number_in(frame, "serverTimeMs"),
        .user = number_in(id, "userId"),
        .device = number_in(id, "device"),
        .number = number_in(id, "number"),
    };
    device->shown[device->shown_count++] = shown;
    if (shown.user == device->peer) {
        uint64_t number = number_in(frame, "chatNumber");
        assert_int_equal(number, device->last + 1); /* each one, once */
        device->last = number;
    }
}

static void
take_receipts(struct device *device, const char *frame)
{
    if (number_in(frame, "readerUserId") == device->user) {
        raise_to(&device->own_read, number_in(frame, "read"));
    } else {
        raise_to(&device->peer_delivered, number_in(frame, "delivered"));
        raise_to(&device->peer_read, number_in(frame, "read"));
    }
}

static void
take_answer(struct device *device, const char *frame)
{
    if (strstr(frame, "\"chats\"") != NULL) {
        device->unread_known = true;
        device->unread_told = number_in(frame, "unread");
    } else if (strstr(frame, "\"sent\"") != NULL) {
        device->sent[number_in(frame, "number")] = true;
    }
}

/* What came on the device's connection goes into its storage; what came before is passed over. */
static void
take_in(struct device *device)
{
    for (; device->at < device->wire.heard_count; device->at++) {
        const char *frame = device->wire.heard[device->at];
        uint64_t inbox = number_in(frame, "inboxNumber");
        bool old = inbox <= device->inbox;
        raise_to(&device->inbox, inbox);
        if (strncmp(frame, "{\"newMessage\"", 13) == 0 && !old) {
            take_message(device, frame);
        } else if (strncmp(frame, "{\"receipts\"", 11) == 0) {
            take_receipts(device, frame);
        } else if (strncmp(frame, "{\"answer\"", 9) == 0) {
            take_answer(device, frame);
        }
    }
}

static void
all_take_in(uint64_t ms)
{
    world_run(&world, ms);
    for (unsigned i = 0; i < DEVICES; i++) {
        (void)wire_waiting(&devices[i].wire, 0);
        take_in(&devices[i]);
    }
}

/* --------------------------------------------------------------------------------------- acting */

static void
writes(struct device *device, unsigned number)
{
    char command[256];
    (void)snprintf(command, sizeof command,
                   "{\"number\":\"%u\",\"sendMessage\":{\"chat\":{\"userId\":\"%llu\"},\"text\":"
                   "\"hello\"}}",
                   number, (unsigned long long)device->peer);
    wire_say(&device->wire, command);
}

static void
reads(struct device *device, uint64_t chat_number)
{
    char command[256];
    (void)snprintf(command, sizeof command,
                   "{\"markRead\":{\"chat\":{\"userId\":\"%llu\"},\"chatNumber\":\"%llu\"}}",
                   (unsigned long long)device->peer, (unsigned long long)chat_number);
    wire_say(&device->wire, command);
}

static void
acks(struct device *device)
{
    if (device->inbox > device->acked) {
        char command[96];
        (void)snprintf(command, sizeof command, "{\"ack\":{\"inboxNumber\":\"%llu\"}}",
                       (unsigned long long)device->inbox);
        wire_say(&device->wire, command);
        device->acked = device->inbox;
    }
}

/* Comes back, and says again what was not answered. */
static void
returns(struct device *device)
{
    wire_open(&device->wire, &world, PROTOCOL_JSON);
    device->at = 0;
    wire_login(&device->wire, device->token);
    take_in(device);
    device->acked = 0;
    for (unsigned n = 1; n <= device->said; n++) {
        if (!device->sent[n]) {
            writes(device, n);
        }
    }
}

static void
power_fails(void)
{
    uint64_t events = world_chance(&world, 400);
    for (unsigned i = 0; i < DEVICES; i++) {
        take_in(&devices[i]);
        wire_end(&devices[i].wire);
    }
    world_crash_within(&world, events, 50);
    for (unsigned i = 0; i < DEVICES; i++) {
        returns(&devices[i]);
    }
}

static void
step(void)
{
    struct device *device = &devices[world_chance(&world, DEVICES)];
    uint64_t what = world_chance(&world, 100);
    all_take_in(world_chance(&world, 20));
    if (what < 50) {
        device->said++;
        writes(device, device->said);
    } else if (what < 65) {
        acks(device);
    } else if (what < 85 && device->last > 0) {
        reads(device, 1 + world_chance(&world, device->last));
    } else if (what < 96) {
        wire_end(&device->wire);
        returns(device);
    } else {
        power_fails();
    }
}

/* -------------------------------------------------------------------------------------- at rest */

static void
begin(uint64_t seed)
{
    static const char *const names[DEVICES] = {"alice", "alice", "bob", "bob"};
    memset(devices, 0, sizeof devices);
    world_open(&world, seed);
    for (unsigned i = 0; i < DEVICES; i++) {
        wire_open(&devices[i].wire, &world, PROTOCOL_JSON);
        wire_enrol(&devices[i].wire, names[i]);
        memcpy(devices[i].token, devices[i].wire.token, sizeof devices[i].token);
        devices[i].user = number_in(devices[i].wire.heard[0], "userId");
    }
    for (unsigned i = 0; i < DEVICES; i++) {
        devices[i].peer = devices[i < 2 ? 2 : 0].user;
    }
    all_take_in(100); /* each has been told of its user's other */
}

static bool
settled(void)
{
    for (unsigned i = 0; i < DEVICES; i++) {
        for (unsigned n = 1; n <= devices[i].said; n++) {
            if (!devices[i].sent[n]) {
                return false;
            }
        }
        if (devices[i].inbox > devices[i].acked) {
            return false;
        }
    }
    return true;
}

static void
come_to_rest(void)
{
    unsigned quiet = 0;
    for (unsigned round = 0; quiet < 5 && round < ROUNDS_MAX; round++) {
        all_take_in(200);
        quiet = settled() ? quiet + 1 : 0;
        for (unsigned i = 0; i < DEVICES; i++) {
            acks(&devices[i]);
        }
    }
    assert_true(settled());
    for (unsigned i = 0; i < DEVICES; i++) {
        wire_say(&devices[i].wire, "{\"listChats\":{}}");
    }
    all_take_in(500);
}

static int
shown_order(const void *left, const void *right)
{
    const struct shown *x = left;
    const struct shown *y = right;
    const uint64_t xs[] = {x->time_ms, x->user, x->device, x->number};
    const uint64_t ys[] = {y->time_ms, y->user, y->device, y->number};
    for (unsigned i = 0; i < 4; i++) {
        if (xs[i] != ys[i]) {
            return xs[i] < ys[i] ? -1 : 1;
        }
    }
    return 0;
}

static void
expect_agreement(void)
{
    unsigned said = 0;
    for (unsigned i = 0; i < DEVICES; i++) {
        qsort(devices[i].shown, devices[i].shown_count, sizeof devices[i].shown[0], shown_order);
        said += devices[i].said;
    }
    for (unsigned i = 0; i < DEVICES; i++) {
        const struct device *device = &devices[i];
        const struct device *other = &devices[i ^ 1]; /* the user's */
        const struct device *peer = &devices[i < 2 ? 2 : 0];
        assert_int_equal(device->shown_count, said);
        assert_memory_equal(device->shown, devices[0].shown, said * sizeof device->shown[0]);
        assert_int_equal(device->last, peer->said + devices[i < 2 ? 3 : 1].said);
        assert_int_equal(device->own_read, other->own_read);
        assert_int_equal(device->peer_delivered, peer->last);
        assert_int_equal(device->peer_read, peer->own_read);
        assert_true(device->unread_known || said == 0);
        assert_int_equal(device->unread_told, device->last - device->own_read);
    }
}

static void
all_devices_agree_at_rest(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        print_message("seed %u\n", (unsigned)seed);
        begin(seed);
        for (unsigned i = 0; i < STEPS; i++) {
            step();
        }
        come_to_rest();
        expect_agreement();
        for (unsigned i = 0; i < DEVICES; i++) {
            wire_end(&devices[i].wire);
        }
        world_close(&world);
    }
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC(
            "at rest all devices of both people hold the same chat, order, ticks and unread counts",
            all_devices_agree_at_rest),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
