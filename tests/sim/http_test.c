/* SPDX-License-Identifier: Apache-2.0 */
/* What the node answers to those who come with HTTP. */
#include "tests/seeds.h"
#include "tests/sim/reaper.h"
#include "tests/sim/wire.h"
#include "tests/spec.h"

#include <stdlib.h>
#include <string.h>

static struct world world;
static struct wire wire, other;

static void
expect_status(const char *request, const char *status, const char *part)
{
    wire_open(&wire, &world, PROTOCOL_JSON);
    const char *answer = wire_ask(&wire, request);
    if (strncmp(answer, status, strlen(status)) != 0 || strstr(answer, part) == NULL) {
        fail_msg("%s\nwas answered\n%s", request, answer);
    }
    wire_end(&wire);
}

static void
pages_tell_how_the_node_is(void **state)
{
    (void)state;
    world_open(&world, 1);
    expect_status("GET /livez HTTP/1.1\r\nHost: n\r\n\r\n", "HTTP/1.1 200", "alive\n");
    expect_status("GET /readyz HTTP/1.1\r\nHost: n\r\n\r\n", "HTTP/1.1 200", "ready\n");
    expect_status("GET /metrics HTTP/1.1\r\nHost: n\r\n\r\n", "HTTP/1.1 200",
                  "\nlinnet_connections 1\n");
    const char *tail = strstr(wire.answer, "\nlinnet_store_log_bytes ");
    assert_non_null(tail);
    assert_in_range(strtoull(strchr(tail, ' '), NULL, 10), 1, 1 << 20); /* the epochs */
    expect_status("HEAD /metrics HTTP/1.1\r\nHost: n\r\n\r\n", "HTTP/1.1 200", "Content-Length: ");
    assert_null(strstr(wire.answer, "linnet_connections"));
    world_close(&world);
}

static void
everything_else_is_a_clean_no(void **state)
{
    (void)state;
    static const struct {
        const char *request, *status, *part;
    } rows[] = {
        {"GET / HTTP/1.1\r\nHost: n\r\n\r\n", "HTTP/1.1 404", "no such page"},
        {"GET /echo HTTP/1.1\r\nHost: n\r\n\r\n", "HTTP/1.1 404", "no such page"},
        {"GET /livezz HTTP/1.1\r\nHost: n\r\n\r\n", "HTTP/1.1 404", "no such page"},
        {"POST /livez HTTP/1.1\r\nHost: n\r\n\r\n", "HTTP/1.1 405", "Allow: "},
        {"GET /chat HTTP/1.1\r\nHost: n\r\n\r\n", "HTTP/1.1 426", "Upgrade: websocket"},
        {"GET /chat HTTP/1.1\r\nHost: n\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
         "Sec-WebSocket-Version: 8\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
         "Sec-WebSocket-Protocol: linnet.v1.json\r\n\r\n",
         "HTTP/1.1 426", "Sec-WebSocket-Version: 13"},
        {"GET /chat HTTP/1.1\r\nHost: n\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
         "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: short\r\n"
         "Sec-WebSocket-Protocol: linnet.v1.json\r\n\r\n",
         "HTTP/1.1 400", ""},
        {"GET /chat HTTP/1.1\r\nHost: n\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
         "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
         "Sec-WebSocket-Protocol: mqtt\r\n\r\n",
         "HTTP/1.1 400", "offers no subprotocol"},
        {"nonsense\r\n\r\n", "HTTP/1.1 400", ""},
        {"GET /livez HTTP/3.0\r\n\r\n", "HTTP/1.1 505", ""},
    };
    world_open(&world, 2);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        expect_status(rows[i].request, rows[i].status, rows[i].part);
    }
    world_close(&world);
}

static void
a_head_may_come_byte_by_byte(void **state)
{
    (void)state;
    static const char request[] = "GET /livez HTTP/1.1\r\nHost: n\r\n\r\n";
    world_open(&world, 3);
    wire_open(&wire, &world, PROTOCOL_JSON);
    for (size_t i = 0; i + 1 < sizeof request; i++) {
        wire_send(&wire, request + i, 1);
        world_run(&world, 1);
    }
    (void)wire_closed(&wire);
    assert_non_null(strstr(wire.answer, "alive\n"));
    wire_end(&wire);
    world_close(&world);
}

static void
who_asks_for_nothing_is_let_go(void **state)
{
    (void)state;
    world_open(&world, 4);
    wire_open(&wire, &world, PROTOCOL_JSON);
    wire_send(&wire, "GET /li", 7);
    world_run(&world, world.settings.login_timeout_ms / 2);
    assert_false(wire.ended);
    (void)wire_closed(&wire);
    assert_int_equal(wire.answer_bytes, 0);
    wire_end(&wire);
    world_close(&world);
}

static void
beyond_the_limit_connections_hear_503_and_pages_are_served(void **state)
{
    (void)state;
    world_open(&world, 5);
    world.settings.connections_max = 1;
    (void)wire_join(&other, &world, PROTOCOL_JSON, "alice");
    expect_status("GET /chat HTTP/1.1\r\nHost: n\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                  "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
                  "Sec-WebSocket-Protocol: linnet.v1.json\r\n\r\n",
                  "HTTP/1.1 503", "Retry-After: ");
    expect_status("GET /livez HTTP/1.1\r\nHost: n\r\n\r\n", "HTTP/1.1 200", "alive\n");
    assert_int_equal(messenger_counted(&world.messenger.counters.connections_refused), 1);
    wire_say(&other, "{\"ping\":{}}");
    (void)wire_expect(&other, "\"pong\"");
    wire_end(&other);
    world_close(&world);
}

static uint64_t
refused(void)
{
    return messenger_counted(&world.messenger.counters.connections_refused);
}

static void
beyond_the_limit_silence_is_cut_short(void **state)
{
    (void)state;
    world_open(&world, 7);
    world.settings.connections_max = 1;
    (void)wire_join(&other, &world, PROTOCOL_JSON, "alice");
    wire_open(&wire, &world, PROTOCOL_JSON);
    wire_send(&wire, "GET /li", 7);
    world_run(&world, 900);
    assert_false(wire.ended);
    world_run(&world, 200);
    assert_true(wire.ended);
    wire_end(&wire);
    wire_end(&other);
    world_close(&world);
}

static void
who_finds_room_meanwhile_has_the_time_of_all(void **state)
{
    (void)state;
    world_open(&world, 8);
    world.settings.connections_max = 1;
    (void)wire_join(&other, &world, PROTOCOL_JSON, "alice");
    wire_open(&wire, &world, PROTOCOL_JSON);
    world_run(&world, 500);
    wire_end(&other);
    uint64_t login_ms = world.settings.login_timeout_ms;
    world_run(&world, login_ms - 1000);
    assert_false(wire.ended);
    wire_upgrade(&wire, "");
    world_run(&world, 400);
    assert_int_equal(wire.close_code, 0);
    world_run(&world, 200);
    assert_int_equal(wire_closed(&wire), PROTOCOL_CLOSE_UNAUTHENTICATED);
    wire_end(&wire);
    world_close(&world);
}

static void
beyond_the_room_connections_are_closed_unheard(void **state)
{
    (void)state;
    world_open(&world, 9);
    world.settings.connections_max = 1;
    world.messenger.room.connections_spare = 0;
    (void)wire_join(&other, &world, PROTOCOL_JSON, "alice");
    wire_open(&wire, &world, PROTOCOL_JSON);
    (void)wire_closed(&wire);
    wire_end(&wire);
    assert_int_equal(refused(), 1);

    world.settings.connections_max = 10;
    world.messenger.room.connections_below = 0; /* all descriptors are the store's */
    wire_open(&wire, &world, PROTOCOL_JSON);
    (void)wire_closed(&wire);
    wire_end(&wire);
    assert_int_equal(refused(), 2);
    wire_say(&other, "{\"ping\":{}}");
    (void)wire_expect(&other, "\"pong\"");
    wire_end(&other);
    world_close(&world);
}

static void
a_node_that_stops_is_not_ready(void **state)
{
    (void)state;
    world_open(&world, 6);
    (void)wire_join(&wire, &world, PROTOCOL_JSON, "alice");
    assert_false(atomic_load(&world.messenger.draining));
    ln_node_stop(world.node);
    world_run(&world, 100);
    assert_true(atomic_load(&world.messenger.draining));
    wire_end(&wire);
    world_close(&world);
}

static void
crowd_peer_heard(void *context, struct sim_peer *peer, const unsigned char *bytes, size_t count)
{
    (void)context;
    (void)peer;
    (void)bytes;
    (void)count;
}

static void
crowd_peer_changed(void *context, struct sim_peer *peer, int error)
{
    (void)context;
    (void)peer;
    assert_int_equal(error, 0);
}

static void
crowd_peer_closed(void *context, struct sim_peer *peer, bool reset)
{
    (void)peer;
    (*(unsigned *)context) += reset;
}

enum { CROWD = 300 };

/* All call at once; how many are let in. */
static void
crowd_calls(unsigned room)
{
    static const struct sim_peer_events events = {crowd_peer_changed, crowd_peer_heard,
                                                  crowd_peer_closed};
    const struct messenger_counters *counters = &world.messenger.counters;
    struct sim_peer *peers[CROWD];
    unsigned closed = 0;
    for (unsigned i = 0; i < CROWD; i++) {
        peers[i] = sim_peer_connect(world.driver, &world.messenger.bound, &events, &closed);
    }
    world_run(&world, 500);
    unsigned in = room < CROWD ? room : CROWD;
    assert_int_equal(messenger_counted(&counters->connections_accepted), CROWD);
    assert_int_equal(messenger_counted(&counters->connections), in);
    assert_int_equal(messenger_counted(&counters->connections_refused), CROWD - in);
    assert_int_equal(closed, CROWD - in);
    for (unsigned i = 0; i < CROWD; i++) {
        sim_peer_free(peers[i]);
    }
}

/* Many are being started at a time, and none of them is forgotten in the count. */
static void
a_crowd_is_let_in_to_the_last_place(void **state)
{
    (void)state;
    static const unsigned rooms[] = {1, 63, 64, 65, 150, CROWD - 1, CROWD, 1000};
    for (unsigned i = 0; i < sizeof rooms / sizeof rooms[0]; i++) {
        world_open(&world, 7 + i);
        world.settings.connections_max = rooms[i];
        world.messenger.room.connections_spare = 0;
        crowd_calls(rooms[i]);
        world_close(&world);
    }
}

/* A peer that is refused, or closed in either way. */
static void
gone_changed(void *context, struct sim_peer *peer, int error)
{
    (void)peer;
    (*(unsigned *)context) += error != 0;
}

static void
gone_closed(void *context, struct sim_peer *peer, bool reset)
{
    (void)peer;
    (void)reset;
    (*(unsigned *)context)++;
}

static void
nobody_is_forgotten_whose_listener_ends(void **state)
{
    (void)state;
    static const struct sim_peer_events events = {gone_changed, crowd_peer_heard, gone_closed};
    unsigned kills = 0;
    for (uint64_t seed = 1; seed <= SEEDS_OF(30); seed++) {
        struct reaper reaper = {
            .world = &world, .pause_ms_min = 1, .pause_ms_spread = 3, .only = "listener"};
        struct sim_peer *peers[CROWD];
        unsigned gone = 0;
        world_open_with(&world, seed, reaper_child(&reaper));
        reaper.kills_left = 1;
        for (unsigned i = 0; i < CROWD; i++) {
            peers[i] = sim_peer_connect(world.driver, &world.messenger.bound, &events, &gone);
            world_run(&world, i % 32 == 0);
        }
        world_run(&world, 1000);
        uint64_t in = messenger_counted(&world.messenger.counters.connections);
        if (in + gone != CROWD) {
            fail_msg("seed %llu: of %u callers %llu are in and %u were closed",
                     (unsigned long long)seed, CROWD, (unsigned long long)in, gone);
        }
        kills += reaper.kills;
        for (unsigned i = 0; i < CROWD; i++) {
            sim_peer_free(peers[i]);
        }
        world_close(&world);
    }
    assert_true(kills > 0);
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("/livez, /readyz and /metrics tell how the node is", pages_tell_how_the_node_is),
        SPEC("every other request is answered with what was wrong", everything_else_is_a_clean_no),
        SPEC("a head may come byte by byte", a_head_may_come_byte_by_byte),
        SPEC("who asks for nothing is let go in time", who_asks_for_nothing_is_let_go),
        SPEC("beyond connections_max an upgrade hears 503, and pages are served",
             beyond_the_limit_connections_hear_503_and_pages_are_served),
        SPEC("beyond connections_max who asks for nothing is let go within a second or so",
             beyond_the_limit_silence_is_cut_short),
        SPEC("who came beyond connections_max and finds room has the time of all others",
             who_finds_room_meanwhile_has_the_time_of_all),
        SPEC("beyond the spare, or the connections' descriptors, they are closed unheard",
             beyond_the_room_connections_are_closed_unheard),
        SPEC("a crowd that calls at once is let in to the last place, and no further",
             a_crowd_is_let_in_to_the_last_place),
        SPEC("whoever has called is served or closed, also when the listener ends with a crowd "
             "waiting",
             nobody_is_forgotten_whose_listener_ends),
        SPEC("a node that stops knows that it is draining", a_node_that_stops_is_not_ready),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
