/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/sim/pair.h"

#include "tests/spec.h"

#include <stdio.h>
#include <string.h>

struct pair pair;

uint64_t
pair_now_ms(void)
{
    return (uint64_t)io_wall_ms(io_of(pair.world.driver, 0));
}

void
pair_say(struct wire *wire, const char *text, uint64_t id)
{
    char command[256];
    int before = (int)strcspn(text, "#");
    (void)snprintf(command, sizeof command, "%.*s%llu%s", before, text, (unsigned long long)id,
                   text + before + 1);
    wire_say(wire, command);
}

const char *
pair_hear(struct wire *wire, uint64_t ms)
{
    for (uint64_t waited = 0; waited <= ms; waited += 10) {
        while (wire->heard_at < wire->heard_count) {
            const char *frame = wire->heard[wire->heard_at++];
            bool other = strncmp(frame, "{\"newMessage\"", 13) == 0 ||
                         strncmp(frame, "{\"receipts\"", 11) == 0 ||
                         strstr(frame, "\"sent\"") != NULL;
            if (!other) {
                return frame;
            }
        }
        world_run(&pair.world, 10);
    }
    return NULL;
}

const char *
pair_expect(struct wire *wire, const char *part)
{
    const char *frame = pair_hear(wire, 30 * SECOND);
    if (frame == NULL || strstr(frame, part) == NULL) {
        fail_msg("seed %llu: expected %s, heard %s", (unsigned long long)pair.world.seed, part,
                 frame != NULL ? frame : "nothing");
    }
    return frame;
}

uint64_t
pair_last_seen(const char *frame)
{
    return strstr(frame, "lastSeenMs") != NULL ? wire_number(frame, "lastSeenMs") : 0;
}

void
pair_assert_seen(uint64_t seen_ms, uint64_t at_ms)
{
    assert_in_range(seen_ms, at_ms - SECOND, at_ms + 500);
}

void
pair_hush(struct wire *wire)
{
    wire->heard_at = wire->heard_count;
}

static void
pair_world_open(uint64_t seed)
{
    world_open(&pair.world, seed);
    pair.world.settings.limits.presence_interval_ms = (uint32_t)INTERVAL_MS;
    pair.world.settings.limits.presence_watches_max = 3;
    pair.world.settings.presence_watchers_max = 2;
    world_restart(&pair.world);
}

const char *
pair_await(struct wire *wire, const char *part)
{
    const char *frame = wire_hear(wire);
    while (frame != NULL && strstr(frame, part) == NULL) {
        frame = wire_hear(wire);
    }
    assert_non_null(frame);
    return frame;
}

void
pair_meet(struct wire *from, uint64_t to, struct wire *recipient)
{
    pair_say(from, PAIR_WRITE, to);
    (void)pair_await(from, "\"sent\"");
    const char *message = pair_await(recipient, "\"newMessage\"");
    pair_say(recipient, "{\"ack\":{\"inboxNumber\":\"#\"}}", wire_number(message, "inboxNumber"));
    (void)wire_waiting(recipient, 100);
}

void
pair_enrol(uint64_t seed)
{
    pair.alice_id = wire_join(&pair.alice, &pair.world, PROTOCOL_JSON, "alice");
    pair.bob_id =
        wire_join(&pair.bob, &pair.world, seed % 2 == 0 ? PROTOCOL_BINARY : PROTOCOL_JSON, "bob");
    pair_meet(&pair.alice, pair.bob_id, &pair.bob);
    (void)wire_waiting(&pair.bob, 3 * SECOND);
    pair_hush(&pair.alice);
    pair_hush(&pair.bob);
}

void
pair_begin(uint64_t seed)
{
    pair_world_open(seed);
    pair_enrol(seed);
}

void
pair_end(void)
{
    wire_end(&pair.alice);
    wire_end(&pair.bob);
    world_close(&pair.world);
}

struct presence_size
pair_size(void)
{
    struct presence_size size;
    presence_size_read(&pair.world.messenger, &size);
    return size;
}
