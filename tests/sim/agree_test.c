/* SPDX-License-Identifier: Apache-2.0 */
/* Two people with two devices each write to each other and to a group of theirs, edit, delete and
 * hide, read, set things, call, are cut off and lose power at any time. Now and then both devices
 * of one are away while the other's messages disappear. At rest all four devices hold the same:
 * both chats in the same order, with what became of each message, the group's name, how calls
 * ended; those of a person the same ticks, settings, hidden messages and unread counter, which is
 * the one that the node tells when it is asked, also a device that comes only then. What stays is
 * ticked, and what no device of the other was given is not. */
#include "tests/sim/keeper.h"
#include "tests/sim/person.h"
#include "tests/spec.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    SEEDS = SEEDS_OF(6),
    DEVICES = 4,
    STEPS = 160,
    ROUNDS_MAX = 100,
    RING_MS = 1000,
    TTL_MS = 1000,
    APART_MIN = 2,
};

static struct world world;
static struct keeper devices[DEVICES];
static unsigned most_apart; /* holes that a device was told of */

typedef unsigned long long number;

static void
all_take_in(uint64_t ms)
{
    world_run(&world, ms);
    for (unsigned i = 0; i < DEVICES; i++) {
        keeper_takes_in(&devices[i]);
    }
}

/* --------------------------------------------------------------------------------------- acting */

/* The peer, or the group. */
static const char *
chat_of(const struct keeper *device, bool many)
{
    static char chat[64];
    (void)snprintf(chat, sizeof chat, "\"chat\":{\"%s\":\"%llu\"}", many ? "groupId" : "userId",
                   (number)(many ? device->group : device->peer));
    return chat;
}

static void
writes(struct keeper *device, bool many)
{
    keeper_says(device, "\"sendMessage\":{%s,\"text\":\"no %u\"}", chat_of(device, many),
                device->said + 1);
}

/* Alice's devices, or Bob's. */
static unsigned
first_of(const struct keeper *device)
{
    return device < &devices[DEVICES / 2] ? 0 : DEVICES / 2;
}

/* Both devices of the other are away while something disappears; what comes behind it stays. */
static void
writes_to_nobody(struct keeper *device)
{
    unsigned peer = DEVICES / 2 - first_of(device);
    for (unsigned i = peer; i < peer + DEVICES / 2; i++) {
        keeper_takes_in(&devices[i]);
        wire_end(&devices[i].wire);
    }
    for (uint64_t left = 1 + world_chance(&world, 2); left > 0; left--) {
        keeper_says(device, "\"sendMessage\":{%s,\"text\":\"soon gone\",\"ttlMs\":\"%u\"}",
                    chat_of(device, false), TTL_MS);
    }
    world_run(&world, TTL_MS + 100);
    for (unsigned i = peer; i < peer + DEVICES / 2; i++) {
        keeper_returns(&devices[i], &world);
    }
    writes(device, false);
}

/* One of its user's own messages that it has been shown; NULL: there is none yet. */
static const struct kept_message *
own_message(const struct keeper *device, bool many)
{
    const struct kept_chat *chat = many ? &device->many : &device->two;
    for (unsigned tries = 0; chat->count > 0 && tries < 8; tries++) {
        const struct kept_message *message = &chat->messages[world_chance(&world, chat->count)];
        if (message->user == device->user && message->expires_at_ms == 0) {
            return message;
        }
    }
    return NULL;
}

static void
revises(struct keeper *device, bool many)
{
    const struct kept_message *message = own_message(device, many);
    if (message == NULL) {
        return;
    }
    char change[192];
    bool edits = world_chance(&world, 3) > 0;
    (void)snprintf(change, sizeof change,
                   "\"change\":{\"kind\":\"%s\",\"chatNumber\":\"%llu\",\"serverTimeMs\":\"%llu\","
                   "\"handle\":\"%s\"}",
                   edits ? "EDIT" : "DELETE", (number)message->chat_number,
                   (number)message->time_ms, message->handle);
    if (edits) {
        keeper_says(device, "\"sendMessage\":{%s,%s,\"text\":\"new %u\"}", chat_of(device, many),
                    change, device->said + 1);
    } else {
        keeper_says(device, "\"sendMessage\":{%s,%s}", chat_of(device, many), change);
    }
}

static void
hides(struct keeper *device, bool many)
{
    const struct kept_chat *chat = many ? &device->many : &device->two;
    const struct kept_message *message =
        chat->count > 0 ? &chat->messages[world_chance(&world, chat->count)] : NULL;
    if (message != NULL && message->expires_at_ms == 0) {
        keeper_says(device,
                    "\"hideMessage\":{%s,\"authorUserId\":\"%llu\",\"chatNumber\":\"%llu\"}",
                    chat_of(device, many), (number)message->user, (number)message->chat_number);
    }
}

static void
reads(struct keeper *device, bool many)
{
    const struct kept_chat *chat = many ? &device->many : &device->two;
    if (chat->last > 0) {
        char command[160];
        uint64_t at = 1 + world_chance(&world, chat->last);
        (void)snprintf(command, sizeof command, "{\"markRead\":{%s,\"chatNumber\":\"%llu\"}}",
                       chat_of(device, many), (number)at);
        wire_say(&device->wire, command);
    }
}

static void
sets(struct keeper *device)
{
    static const char *const values[] = {
        "\"archived\":true", "\"archived\":false",          "\"pinned\":\"7\"",
        "\"pinned\":\"0\"",  "\"draft\":{\"text\":\"so\"}", "\"draft\":{\"text\":\"but\"}",
    };
    char command[160];
    (void)snprintf(command, sizeof command, "{\"setState\":{%s,%s}}", chat_of(device, false),
                   values[world_chance(&world, sizeof values / sizeof values[0])]);
    wire_say(&device->wire, command);
}

/* Of the call that it knows to be under way; if there is none it calls. */
static void
calls(struct keeper *device)
{
    const struct kept_call *call = NULL;
    for (unsigned i = 0; i < device->calls_count; i++) {
        call = strcmp(device->calls[i].progress, "ENDED") != 0 ? &device->calls[i] : call;
    }
    if (call == NULL && device->calls_count < KEEPER_CALLS_MAX / 4) {
        keeper_says(device, "\"callOffer\":{%s}", chat_of(device, false));
    } else if (call != NULL) {
        char command[160];
        (void)snprintf(
            command, sizeof command,
            "{\"%s\":{\"call\":{\"userId\":\"%llu\",\"device\":%llu,\"number\":\"%llu\"}}}",
            world_chance(&world, 2) == 0 ? "callAnswer" : "callHangUp", (number)call->user,
            (number)call->device, (number)call->number);
        wire_say(&device->wire, command);
    }
}

static void
power_fails(void)
{
    uint64_t events = world_chance(&world, 400);
    for (unsigned i = 0; i < DEVICES; i++) {
        keeper_takes_in(&devices[i]);
        wire_end(&devices[i].wire);
    }
    world_crash_within(&world, events, 50);
    for (unsigned i = 0; i < DEVICES; i++) {
        keeper_returns(&devices[i], &world);
    }
}

static void
step(void)
{
    struct keeper *device = &devices[world_chance(&world, DEVICES)];
    uint64_t what = world_chance(&world, 100);
    bool many = world_chance(&world, 3) == 0;
    all_take_in(world_chance(&world, 20));
    if (what < 26) {
        writes(device, many);
    } else if (what < 30) {
        writes_to_nobody(device);
    } else if (what < 42) {
        revises(device, many);
    } else if (what < 47) {
        hides(device, many);
    } else if (what < 58) {
        keeper_acks(device);
    } else if (what < 70) {
        reads(device, many);
    } else if (what < 77) {
        sets(device);
    } else if (what < 86) {
        calls(device);
    } else if (what < 88) {
        keeper_says(device, "\"modifyChat\":{%s,\"name\":\"walk %u\"}", chat_of(device, true),
                    device->said + 1);
    } else if (what < 97) {
        wire_end(&device->wire);
        keeper_returns(device, &world);
    } else {
        power_fails();
    }
}

/* -------------------------------------------------------------------------------------- at rest */

static void
ring_briefly(struct settings *settings)
{
    settings->limits.call_ring_ms = RING_MS;
}

static void
begin(uint64_t seed)
{
    static const char *const names[DEVICES] = {"alice", "alice", "bob", "bob"};
    memset(devices, 0, sizeof devices);
    world_fresh(&world, seed);
    world.set = ring_briefly;
    world_begin(&world);
    for (unsigned i = 0; i < DEVICES; i++) {
        (void)wire_join(&devices[i].wire, &world, PROTOCOL_JSON, names[i]);
        memcpy(devices[i].token, devices[i].wire.token, sizeof devices[i].token);
        devices[i].user = keeper_number(devices[i].wire.heard[0], "userId");
    }
    for (unsigned i = 0; i < DEVICES; i++) {
        devices[i].peer = devices[i < 2 ? 2 : 0].user;
    }
    all_take_in(100); /* each has been told of its user's other */
    wire_forget(&devices[0].wire);
    devices[0].at = 0;
    keeper_says(&devices[0], "\"createChat\":{\"name\":\"walk\",\"participants\":"
                             "[{\"userName\":\"bob\"}]}");
    const char *made = NULL;
    do {
        made = wire_hear(&devices[0].wire);
        assert_non_null(made);
    } while (strstr(made, "\"answer\"") == NULL);
    for (unsigned i = 0; i < DEVICES; i++) {
        devices[i].group = wire_number(made, "groupId");
    }
}

static bool
settled(void)
{
    for (unsigned i = 0; i < DEVICES; i++) {
        if (!keeper_settled(&devices[i])) {
            return false;
        }
    }
    return true;
}

/* Who is in a call leaves it. */
static void
all_hang_up(void)
{
    for (unsigned i = 0; i < DEVICES; i++) {
        for (unsigned c = 0; c < devices[i].calls_count; c++) {
            const struct kept_call *call = &devices[i].calls[c];
            char command[160];
            (void)snprintf(command, sizeof command,
                           "{\"callHangUp\":{\"call\":{\"userId\":\"%llu\",\"device\":%llu,"
                           "\"number\":\"%llu\"}}}",
                           (number)call->user, (number)call->device, (number)call->number);
            wire_say(&devices[i].wire, command);
        }
    }
}

static void
come_to_rest(void)
{
    unsigned quiet = 0;
    all_take_in(UINT64_C(2) * RING_MS);
    all_hang_up();
    for (unsigned i = 0; i < DEVICES; i++) {
        writes(&devices[i], false); /* so that nothing is unread that nobody has */
    }
    for (unsigned round = 0; quiet < 5 && round < ROUNDS_MAX; round++) {
        all_take_in(200);
        quiet = settled() ? quiet + 1 : 0;
        for (unsigned i = 0; i < DEVICES; i++) {
            keeper_acks(&devices[i]);
        }
    }
    assert_true(settled());
    for (unsigned i = 0; i < DEVICES; i++) {
        wire_say(&devices[i].wire, "{\"listChats\":{}}");
    }
    all_take_in(500);
}

static int
order(const uint64_t *xs, const uint64_t *ys, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        if (xs[i] != ys[i]) {
            return xs[i] < ys[i] ? -1 : 1;
        }
    }
    return 0;
}

static int
shown_order(const void *left, const void *right)
{
    const struct kept_message *x = left;
    const struct kept_message *y = right;
    const uint64_t xs[] = {x->time_ms, x->user, x->device, x->number};
    const uint64_t ys[] = {y->time_ms, y->user, y->device, y->number};
    return order(xs, ys, 4);
}

static int
calls_order(const void *left, const void *right)
{
    const struct kept_call *x = left;
    const struct kept_call *y = right;
    const uint64_t xs[] = {x->user, x->device, x->number};
    const uint64_t ys[] = {y->user, y->device, y->number};
    return order(xs, ys, 3);
}

static void
expect_same_chat(const struct kept_chat *chat, const struct kept_chat *other, bool same_user)
{
    assert_int_equal(chat->count, other->count);
    for (unsigned i = 0; i < chat->count; i++) {
        const struct kept_message *message = &chat->messages[i];
        assert_int_equal(shown_order(message, &other->messages[i]), 0);
        assert_int_equal(message->chat_number, other->messages[i].chat_number);
        assert_string_equal(message->text, other->messages[i].text);
        if (same_user) {
            assert_int_equal(message->hidden, other->messages[i].hidden);
        }
    }
    assert_true(!same_user || chat->read == other->read);
}

static void
expect_same_calls(const struct keeper *device, const struct keeper *other)
{
    assert_int_equal(device->calls_count, other->calls_count);
    for (unsigned i = 0; i < device->calls_count; i++) {
        const struct kept_call *call = &device->calls[i];
        assert_int_equal(calls_order(call, &other->calls[i]), 0);
        assert_string_equal(call->progress, "ENDED");
        assert_string_equal(call->outcome, other->calls[i].outcome);
        assert_int_equal(call->ended_at_ms, other->calls[i].ended_at_ms);
    }
}

/* What an app shows no more. */
static void
let_go(struct kept_chat *chat)
{
    unsigned left = 0;
    for (unsigned i = 0; i < chat->count; i++) {
        if (chat->messages[i].expires_at_ms == 0) {
            chat->messages[left++] = chat->messages[i];
        }
    }
    chat->count = left;
}

/* Of each message to the peer the device shows what its user's other does, and what is so. */
static void
expect_true_ticks(const struct keeper *device)
{
    const struct keeper *peers = &devices[DEVICES / 2 - first_of(device)];
    bool stays[KEEPER_MESSAGES_MAX] = {false};
    for (unsigned i = 0; i < device->two.count; i++) {
        const struct kept_message *message = &device->two.messages[i];
        stays[message->chat_number] = stays[message->chat_number] || message->user == device->user;
    }
    for (uint64_t at = 1; at <= peers->two.last; at++) {
        char tick = keeper_tick(&device->ticks, at);
        bool came = peers[0].came[at] || peers[1].came[at];
        assert_int_equal(tick, keeper_tick(&device->listed, at));
        assert_int_equal(tick, keeper_tick(&devices[first_of(device)].ticks, at));
        assert_true(tick != 's' && (came || tick == 'x' || tick == '?'));
        assert_true(!stays[at] || tick != 'x');
    }
    most_apart = device->ticks.holes_count > most_apart ? device->ticks.holes_count : most_apart;
}

/* One that is linked when all is over has been told nothing, and asks. */
static void
expect_latecomer_agrees(const struct keeper *device, const char *name)
{
    static struct keeper late;
    memset(&late, 0, sizeof late);
    late.user = device->user;
    late.peer = device->peer;
    (void)wire_join(&late.wire, &world, PROTOCOL_JSON, name);
    wire_say(&late.wire, "{\"listChats\":{}}");
    world_run(&world, 500);
    keeper_takes_in(&late);
    for (uint64_t at = 1; at <= device->ticks.delivered; at++) {
        assert_int_equal(keeper_tick(&late.listed, at), keeper_tick(&device->ticks, at));
    }
    wire_end(&late.wire);
}

static void
sort_all(unsigned said[2])
{
    for (unsigned i = 0; i < DEVICES; i++) {
        struct keeper *device = &devices[i];
        let_go(&device->two);
        qsort(device->two.messages, device->two.count, sizeof device->two.messages[0], shown_order);
        qsort(device->calls, device->calls_count, sizeof device->calls[0], calls_order);
        said[0] += device->accepted[0];
        said[1] += device->accepted[1];
    }
}

static void
expect_agreement(void)
{
    unsigned said[2] = {0};
    sort_all(said);
    for (unsigned i = 0; i < DEVICES; i++) {
        const struct keeper *device = &devices[i];
        const struct keeper *peer = &devices[i < 2 ? 2 : 0];
        assert_int_equal(device->two.count, said[0]);
        assert_int_equal(device->many.count, said[1]);
        assert_int_equal(device->many.last, said[1]);
        for (unsigned k = 0; k < DEVICES; k++) {
            bool same_user = devices[k].user == device->user;
            expect_same_chat(&device->two, &devices[k].two, same_user);
            expect_same_chat(&device->many, &devices[k].many, same_user);
            expect_same_calls(device, &devices[k]);
            assert_string_equal(device->group_name, devices[k].group_name);
            for (unsigned set = 0; same_user && set < KEEPER_STATES; set++) {
                assert_string_equal(device->states[set], devices[k].states[set]);
            }
        }
        assert_int_equal(device->ticks.delivered, peer->two.last);
        assert_int_equal(device->ticks.read, peer->two.read);
        expect_true_ticks(device);
        assert_true(device->unread_known || said[0] == 0);
        assert_int_equal(device->unread_told, device->two.last - device->two.read);
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
        expect_latecomer_agrees(&devices[0], "alice");
        expect_latecomer_agrees(&devices[2], "bob");
        for (unsigned i = 0; i < DEVICES; i++) {
            wire_end(&devices[i].wire);
        }
        world_close(&world);
    }
    assert_true(most_apart >= APART_MIN);
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("at rest all devices of both people hold the same chats, changes, calls, ticks, "
             "settings "
             "and unread counts",
             all_devices_agree_at_rest),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
