/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/sim/crowd.h"

#include "tests/sim/crowd_priv.h"
#include "tests/sim/person.h"
#include "tests/spec.h"

#include <stdio.h>
#include <string.h>

enum {
    STEP_MS_MAX = 30,
    PING_MS = 5000,
    IDLE_MS = 20000,
    RING_MS = 2000,
    REST_MS = 2 * RING_MS, /* by then a call that rings has ended */
    REST_MS_MAX = 120000,
    REST_STEP_MS = 50,
};

uint64_t
crowd_now_ms(const struct crowd *crowd)
{
    return sim_now_ns(crowd->world.driver) / 1000000;
}

unsigned
crowd_peer_of(const struct crowd_chat *chat, unsigned person)
{
    return (unsigned)__builtin_ctz(chat->members & ~(1U << person));
}

unsigned
crowd_place(const struct crowd_device *device)
{
    return (unsigned)(device - device->crowd->devices);
}

const struct crowd_device *
crowd_first_of(const struct crowd *crowd, unsigned person)
{
    return &crowd->devices[(size_t)person * CROWD_DEVICES_EACH];
}

void
crowd_chat_print(const struct crowd_device *device, unsigned chat, char out[64])
{
    const struct crowd_chat *at = &device->crowd->chats[chat];
    if (at->group != 0) {
        (void)snprintf(out, 64, "{\"groupId\":\"%llu\"}", (unsigned long long)at->group);
        return;
    }
    unsigned peer = crowd_peer_of(at, device->person);
    (void)snprintf(out, 64, "{\"userId\":\"%llu\"}",
                   (unsigned long long)crowd_first_of(device->crowd, peer)->user);
}

void
crowd_says(struct crowd_device *device, const char *frame)
{
    if (!device->wire.ended && device->wire.close_code == 0) {
        wire_say(&device->wire, frame);
    }
    device->spoke_ms = crowd_now_ms(device->crowd);
}

void
crowd_mention(struct crowd_device *device, const char *command)
{
    char frame[CROWD_COMMAND_BYTES];
    (void)snprintf(frame, sizeof frame, "{\"ref\":\"1\",%s}", command);
    crowd_says(device, frame);
    device->pending++;
}

bool
crowd_is_member(const struct crowd *crowd, unsigned chat, unsigned person)
{
    return (crowd->chats[chat].members >> person & 1) != 0;
}

unsigned
crowd_place_named(const struct crowd *crowd, const char *frame)
{
    uint64_t user = wire_number(frame, "userId");
    const char *device = strstr(frame, "\"device\":");
    unsigned number = 0;
    if (device == NULL || sscanf(device, "\"device\":%u", &number) != 1) { // NOLINT
        return CROWD_DEVICES;
    }
    for (unsigned i = 0; i < CROWD_DEVICES; i++) {
        if (crowd->devices[i].user == user && i % CROWD_DEVICES_EACH + 1 == number) {
            return i;
        }
    }
    return CROWD_DEVICES;
}

void
crowd_does(struct crowd_device *device, enum crowd_deed deed, unsigned chat, const char *command)
{
    device->deed = deed;
    device->chat = chat;
    device->unanswered = true;
    (void)snprintf(device->command, sizeof device->command, "{\"number\":\"%llu\",%s}",
                   (unsigned long long)++device->number, command);
    crowd_says(device, device->command);
}

/* ----------------------------------------------------------------------------------- their life */

static void
hang_up(struct crowd_device *device)
{
    if (device->wired) {
        wire_end(&device->wire);
        device->wired = false;
    }
}

static bool
is_at_rest(const struct crowd_device *device)
{
    return device->pending == 0 && !device->unanswered;
}

/* The node has closed a connection: it may if its actor was killed, or whoever its supervisor is;
 * and if it had to do for it with a part that was. */
static void
closed(struct crowd_device *device)
{
    struct crowd *crowd = device->crowd;
    device->closed++;
    if (!is_at_rest(device)) {
        return;
    }
    crowd->closed_at_rest++;
    if (crowd->may_close == 0 || crowd_now_ms(crowd) > crowd->may_close_ms) {
        fail_msg("%s, at rest, is closed with %u", device->name, device->wire.close_code);
    }
    crowd->may_close--;
}

static void
connect(struct crowd_device *device)
{
    char command[CROWD_COMMAND_BYTES / 2];
    char name[64];
    unsigned chat = device->person == 0 ? 0 : device->person - 1;
    wire_open(&device->wire, &device->crowd->world,
              crowd_place(device) % 2 == 0 ? PROTOCOL_JSON : PROTOCOL_BINARY);
    device->wired = true;
    device->pending = 0;
    device->connected_ms = crowd_now_ms(device->crowd);
    device->acked = 0; /* what was said of it may have been lost */
    for (unsigned i = 0; i < CROWD_CHATS; i++) {
        device->views[i].marking = 0;
    }
    if (!wire_tries_login(&device->wire, device->token)) {
        hang_up(device);
        return;
    }
    crowd_mention(device, "\"setActive\":{\"foreground\":true}");
    crowd_chat_print(device, chat,
                     name); /* that chat joins the person and the one before, or the next */
    (void)snprintf(command, sizeof command, "\"watchPresence\":{\"chat\":%s}", name);
    crowd_mention(device, command);
    if (device->unanswered) {
        wire_say(&device->wire, device->command);
    }
}

static void
attend(struct crowd_device *device)
{
    if (device->wired) {
        crowd_hear(device);
    }
    if (device->wired && device->wire.ended) {
        closed(device);
        hang_up(device);
    }
    if (!device->wired && !device->away) {
        connect(device);
    }
    if (device->wired && !device->wire.ended) {
        crowd_hear(device);
        crowd_acknowledge(device);
        if (crowd_now_ms(device->crowd) > device->spoke_ms + PING_MS) {
            crowd_says(device, "{\"ping\":{}}"); /* is no work */
        }
    }
}

static void
attend_all(struct crowd *crowd, uint64_t ms)
{
    world_run(&crowd->world, ms);
    for (unsigned i = 0; i < CROWD_DEVICES; i++) {
        attend(&crowd->devices[i]);
    }
}

/* ------------------------------------------------------------------------------------ beginning */

static void
set(struct settings *settings)
{
    settings->limits.idle_timeout_ms = IDLE_MS; /* audits are as often */
    settings->limits.call_ring_ms = RING_MS;
    settings->push_delay_ms = 200;
    settings->push_retry_ms = 1000;
    settings->push_attempts_max = 3;
    (void)snprintf(settings->push_webhook, sizeof settings->push_webhook,
                   "http://127.0.0.1:9000/nobody-listens");
}

static void
enrol(struct crowd *crowd, unsigned place)
{
    static const char *const names[CROWD_PEOPLE] = {"alice", "bob", "carol", "dave"};
    struct crowd_device *device = &crowd->devices[place];
    device->crowd = crowd;
    device->person = place / CROWD_DEVICES_EACH;
    (void)snprintf(device->name, sizeof device->name, "%s's %u", names[device->person],
                   place % CROWD_DEVICES_EACH);
    wire_open(&device->wire, &crowd->world, PROTOCOL_JSON);
    device->wired = true;
    wire_enrol(&device->wire, names[device->person]);
    memcpy(device->token, device->wire.token, sizeof device->token);
    device->user = wire_number(device->wire.heard[0], "userId");
    device->number = wire_number(device->wire.heard[0], "nextCommand");
    crowd_mention(device, "\"setPush\":{\"webhook\":{},\"app\":\"Ym9i\"}");
}

/* All of them, and all but the last. */
static void
group_make(struct crowd *crowd, unsigned chat, unsigned people)
{
    struct crowd_device *maker = &crowd->devices[0];
    char command[1024];
    size_t used =
        (size_t)snprintf(command, sizeof command,
                         "{\"number\":\"%llu\",\"createChat\":{\"name\":\"g\",\"participants\":[",
                         (unsigned long long)++maker->number);
    for (unsigned i = 1; i < people; i++) {
        const struct crowd_device *other = crowd_first_of(crowd, i);
        used += (size_t)snprintf(command + used, sizeof command - used, "%s{\"userId\":\"%llu\"}",
                                 i > 1 ? "," : "", (unsigned long long)other->user);
    }
    (void)snprintf(command + used, sizeof command - used, "]}}");
    wire_say(&maker->wire, command);
    const char *heard = wire_hear(&maker->wire);
    while (heard != NULL &&
           (strstr(heard, "\"answer\"") == NULL || strstr(heard, "\"groupId\"") == NULL)) {
        heard = wire_hear(&maker->wire);
    }
    assert_non_null(heard);
    crowd->chats[chat].group = wire_number(heard, "groupId");
    crowd->chats[chat].members = (1U << people) - 1;
}

void
crowd_open(struct crowd *crowd, uint64_t seed, struct ln_child guest)
{
    memset(crowd, 0, sizeof *crowd);
    world_fresh(&crowd->world, seed);
    crowd->world.set = set;
    crowd->world.guest = guest;
    world_begin(&crowd->world);
    for (unsigned i = 0; i < CROWD_DEVICES; i++) {
        enrol(crowd, i);
    }
    unsigned chat = 0;
    for (unsigned i = 1; i < CROWD_PEOPLE; i++) {
        for (unsigned j = 0; j < i; j++) {
            crowd->chats[chat++].members = 1U << i | 1U << j;
        }
    }
    for (unsigned i = 0; i < CROWD_DEVICES; i++) {
        hang_up(&crowd->devices[i]); /* they are told of the groups when they come */
    }
    connect(&crowd->devices[0]);
    for (unsigned i = 0; i < CROWD_GROUPS; i++) {
        group_make(crowd, chat++, CROWD_PEOPLE - i);
    }
    hang_up(&crowd->devices[0]);
}

void
crowd_close(struct crowd *crowd)
{
    for (unsigned i = 0; i < CROWD_DEVICES; i++) {
        hang_up(&crowd->devices[i]);
    }
    world_close(&crowd->world);
}

/* ------------------------------------------------------------------------------ time passes */

static void
breaks_off(struct crowd_device *device, bool away)
{
    crowd_hear(device);
    sim_peer_cut(device->wire.peer);
    hang_up(device);
    device->away = away;
}

void
crowd_step(struct crowd *crowd)
{
    struct world *world = &crowd->world;
    struct crowd_device *device = &crowd->devices[world_chance(world, CROWD_DEVICES)];
    uint64_t what = world_chance(world, 100);
    attend_all(crowd, 1 + world_chance(world, STEP_MS_MAX));
    if (device->away) {
        device->away = what >= 5;
    } else if (!device->wired || device->wire.ended) {
        return;
    } else if (what < 70) {
        crowd_acts(device, what);
    } else if (what < 80) {
        crowd_types(device);
    } else if (what < 84) {
        crowd_mention(device,
                      what < 82 ? "\"setActive\":{}" : "\"setActive\":{\"foreground\":true}");
    } else if (what < 86) {
        breaks_off(device, what == 85);
    } else if (what < 90) {
        crowd_hangs_up(device);
    }
}

/* ------------------------------------------------------------------------------------- at rest */

/* A device has all that the others wrote in a chat, and every tick of what its user wrote. */
static void
view_judge(const struct crowd_device *device, unsigned chat)
{
    const struct crowd *crowd = device->crowd;
    const struct crowd_view *view = &device->views[chat];
    uint64_t sent = 0;
    for (unsigned i = 0; i < CROWD_DEVICES; i++) {
        const struct crowd_device *other = &crowd->devices[i];
        if (view->heard[i] != other->views[chat].said) {
            fail_msg("%s was shown %u of %u messages of %s in chat %u", device->name,
                     view->heard[i], other->views[chat].said, other->name, chat);
        }
        if (other->person == device->person && other->views[chat].sent > sent) {
            sent = other->views[chat].sent;
        }
    }
    if (view->delivered < sent || view->read < sent) {
        fail_msg("%s was told of %llu delivered, %llu read, of %llu in chat %u", device->name,
                 (unsigned long long)view->delivered, (unsigned long long)view->read,
                 (unsigned long long)sent, chat);
    }
}

/* Some time in which nothing new is said; what of it has come, and whether all are answered. */
static uint64_t
rests(struct crowd *crowd, bool hang_up_now, bool *out_done)
{
    uint64_t before = 0;
    uint64_t after = 0;
    *out_done = true;
    for (unsigned i = 0; i < CROWD_DEVICES; i++) {
        crowd->devices[i].away = false;
        before += crowd->devices[i].stored;
    }
    attend_all(crowd, REST_STEP_MS);
    for (unsigned i = 0; i < CROWD_DEVICES; i++) {
        struct crowd_device *device = &crowd->devices[i];
        if (hang_up_now && device->wired && !device->wire.ended) {
            crowd_hangs_up(device);
        }
        after += device->stored;
        *out_done = *out_done && device->wired && is_at_rest(device);
    }
    return after - before;
}

static void
restless(const struct crowd *crowd)
{
    for (unsigned i = 0; i < CROWD_DEVICES; i++) {
        const struct crowd_device *device = &crowd->devices[i];
        print_error("%s: %s, %u pending, %s\n", device->name, device->wired ? "there" : "gone",
                    device->pending, device->unanswered ? device->command : "answered");
    }
    crowd_calls_judge(crowd);
    fail_msg("they do not come to rest");
}

void
crowd_rest(struct crowd *crowd)
{
    unsigned quiet_ms = 0;
    unsigned ms = 0;
    for (; quiet_ms < REST_MS && ms < REST_MS_MAX; ms += REST_STEP_MS) {
        bool done;
        uint64_t came = rests(crowd, ms % RING_MS == 0, &done);
        quiet_ms = came == 0 && done ? quiet_ms + REST_STEP_MS : 0;
    }
    if (ms >= REST_MS_MAX) {
        restless(crowd);
    }
    for (unsigned i = 0; i < CROWD_DEVICES; i++) {
        for (unsigned chat = 0; chat < CROWD_CHATS; chat++) {
            if (crowd_is_member(crowd, chat, crowd->devices[i].person)) {
                view_judge(&crowd->devices[i], chat);
                crowd_changes_judge(&crowd->devices[i], chat);
            }
        }
    }
    crowd_calls_judge(crowd);
}
