/* SPDX-License-Identifier: Apache-2.0 */
/* Devices that are offline are woken: whole nodes on simulated machines, and the operator's server
 * beside them. */
#include "tests/actors/desk.h"
#include "tests/sim/hook.h"
#include "tests/sim/wire.h"
#include "tests/spec.h"

#include <stdio.h>
#include <string.h>

enum {
    DELAY_MS = 1000,
    INTERVAL_MS = 5000,
    RETRY_MS = 500,
    ATTEMPTS_MAX = 4,
    TIMEOUT_MS = 2000,
    RING_MS = 10000,
    QUIET_MS = 60000, /* longer than all of them together */
    SEEDS = 6,
    SEEDS_CRASH = 40,
};

static struct world world;
static struct wire alice, bob;
static struct hook hook;
static char alice_token[PROTOCOL_TOKEN_BYTES_MAX + 1], bob_token[PROTOCOL_TOKEN_BYTES_MAX + 1];

static void
set(struct settings *settings)
{
    (void)snprintf(settings->push_webhook, sizeof settings->push_webhook, "%s", HOOK_URL);
    settings->push_delay_ms = DELAY_MS;
    settings->push_interval_ms = INTERVAL_MS;
    settings->push_retry_ms = RETRY_MS;
    settings->push_attempts_max = ATTEMPTS_MAX;
    settings->push_timeout_ms = TIMEOUT_MS;
    settings->limits.call_ring_ms = RING_MS;
}

static void
set_one_courier(struct settings *settings)
{
    set(settings);
    settings->push_connections_max = 1;
}

static void
come(struct wire *wire, const char *token)
{
    wire_open(wire, &world, PROTOCOL_JSON);
    wire_login(wire, token);
}

/* Somebody leaves a subscription and goes. */
static void
subscribe(const char *name)
{
    wire_open(&bob, &world, PROTOCOL_JSON);
    wire_enrol(&bob, name);
    memcpy(bob_token, bob.token, sizeof bob_token);
    wire_say(&bob, "{\"ref\":\"1\",\"setPush\":{\"webhook\":{},\"app\":\"Ym9i\"}}");
    (void)wire_expect(&bob, "\"done\"");
    wire_end(&bob);
}

/* Bob has left a subscription and is offline; Alice is there. */
static void
begin_with(uint64_t seed, void (*settings)(struct settings *settings))
{
    memset(&hook, 0, sizeof hook);
    hook.status = 204;
    world_fresh(&world, seed);
    world.set = settings;
    world.guest = hook_child(&hook);
    world_begin(&world);
    subscribe("bob");
    wire_open(&alice, &world, PROTOCOL_JSON);
    wire_enrol(&alice, "alice");
    memcpy(alice_token, alice.token, sizeof alice_token);
}

static void
begin(uint64_t seed)
{
    begin_with(seed, set);
}

static void
end(void)
{
    wire_end(&alice);
    world_run(&world, 10);
    world_close(&world);
}

/* The next frame that has `part` in it; what comes before is passed over. */
static const char *
hear_until(struct wire *wire, const char *part)
{
    const char *heard = wire_hear(wire);
    while (heard != NULL && strstr(heard, part) == NULL) {
        heard = wire_hear(wire);
    }
    assert_non_null(heard);
    return heard;
}

static void
alice_says_to(const char *name)
{
    char text[96];
    (void)snprintf(text, sizeof text,
                   "{\"sendMessage\":{\"chat\":{\"userName\":\"%s\"},\"text\":\"x\"}}", name);
    wire_say(&alice, text);
    (void)hear_until(&alice, "\"sent\"");
}

static void
alice_says(void)
{
    alice_says_to("bob");
}

static uint64_t
pause_ms(unsigned before)
{
    return (hook.asked[before + 1].at_ns - hook.asked[before].at_ns) / 1000000;
}

/* ---------------------------------------------------------------------------------------- specs */

static void
wakes_once(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        begin(seed);
        for (int i = 0; i < 10; i++) {
            alice_says();
        }
        uint64_t said_ns = sim_now_ns(world.driver);
        assert_int_equal(hook.count, 0);
        world_run(&world, QUIET_MS);
        assert_int_equal(hook.count, 1);
        assert_true(hook.asked[0].at_ns < said_ns + (uint64_t)2 * DELAY_MS * 1000000);
        alice_says();
        alice_says();
        world_run(&world, QUIET_MS);
        assert_int_equal(hook.count, 2);
        assert_string_not_equal(hook.asked[0].id, hook.asked[1].id);
        end();
    }
}

static void
keeps_intervals(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        begin(seed);
        for (int i = 0; i < 40; i++) { /* twenty seconds */
            alice_says();
            world_run(&world, 500);
        }
        world_run(&world, QUIET_MS);
        assert_in_range(hook.count, 3, 6);
        for (unsigned i = 0; i + 1 < hook.count; i++) {
            assert_true(pause_ms(i) >= INTERVAL_MS);
        }
        end();
    }
}

static void
alice_calls(void)
{
    wire_say(&alice, "{\"callOffer\":{\"chat\":{\"userName\":\"bob\"}}}");
    (void)hear_until(&alice, "\"sent\"");
}

/* Neither the delay nor the pause after a push is waited for; when it was missed, both are. */
static void
wakes_for_a_call(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        begin(seed);
        alice_calls();
        world_run(&world, DELAY_MS / 4);
        assert_int_equal(hook.count, 1);
        (void)hear_until(&alice, "\"MISSED\"");
        world_run(&world, QUIET_MS);
        assert_int_equal(hook.count, 2);
        alice_says();
        world_run(&world, DELAY_MS + DELAY_MS / 2);
        assert_int_equal(hook.count, 3);
        alice_calls();
        world_run(&world, DELAY_MS / 4);
        assert_int_equal(hook.count, 4);
        end();
    }
}

/* The number of the next message that he is shown. */
static uint64_t
bob_hears(void)
{
    return wire_number(wire_expect(&bob, "\"newMessage\""), "inboxNumber");
}

static void
bob_acknowledges(uint64_t number)
{
    char text[96];
    (void)snprintf(text, sizeof text, "{\"ref\":\"2\",\"ack\":{\"inboxNumber\":\"%llu\"}}",
                   (unsigned long long)number);
    wire_say(&bob, text);
    (void)wire_expect(&bob, "\"done\"");
}

static void
spares_who_acknowledges(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        begin(seed);
        come(&bob, bob_token);
        for (int i = 0; i < 5; i++) {
            alice_says();
            bob_acknowledges(bob_hears());
            world_run(&world, DELAY_MS / 2);
        }
        world_run(&world, QUIET_MS);
        assert_int_equal(hook.count, 0);
        assert_true(messenger_counted(&world.messenger.counters.push_suppressed) > 0);
        assert_int_equal(messenger_counted(&world.messenger.counters.push_waiting), 0);
        alice_says(); /* he is there, and says nothing */
        world_run(&world, QUIET_MS);
        assert_int_equal(hook.count, 1);
        bob_acknowledges(bob_hears());
        wire_end(&bob);
        end();
    }
}

/* Over a crash and a fold, in the form that clients say it. */
static void
spares_who_has_muted(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        begin(seed);
        come(&bob, bob_token);
        wire_say(&bob, "{\"ref\":\"3\",\"setState\":{\"chat\":{\"userName\":\"alice\"},"
                       "\"mutedUntilMs\":\"9007199254740991\"}}");
        (void)wire_expect(&bob, "\"done\"");
        wire_end(&bob);
        alice_says();
        world_run(&world, QUIET_MS);
        assert_int_equal(hook.count, 0);
        world_crash(&world);
        wire_end(&alice);
        come(&alice, alice_token);
        alice_says();
        world_run(&world, QUIET_MS);
        assert_int_equal(hook.count, 0);
        come(&bob, bob_token);
        wire_say(&bob, "{\"ref\":\"4\",\"setState\":{\"chat\":{\"userName\":\"alice\"},"
                       "\"mutedUntilMs\":\"0\"}}");
        (void)hear_until(&bob, "\"ref\":\"4\",\"done\"");
        wire_end(&bob);
        alice_says();
        world_run(&world, QUIET_MS);
        assert_int_equal(hook.count, 1);
        end();
    }
}

static void
tries_again(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        begin(seed);
        hook.status = 503;
        alice_says();
        world_run(&world, QUIET_MS);
        assert_int_equal(hook.count, ATTEMPTS_MAX);
        for (unsigned i = 0; i + 1 < hook.count; i++) {
            assert_string_equal(hook.asked[i].id, hook.asked[i + 1].id);
            assert_int_equal(hook.asked[i + 1].attempt, i + 2);
            assert_true(pause_ms(i) >= (uint64_t)RETRY_MS / 2 << i);
        }
        assert_int_equal(messenger_counted(&world.messenger.counters.push_dropped), 1);
        hook.status = 204; /* given up, until the next message */
        world_run(&world, QUIET_MS);
        assert_int_equal(hook.count, ATTEMPTS_MAX);
        alice_says();
        world_run(&world, QUIET_MS);
        assert_int_equal(hook.count, ATTEMPTS_MAX + 1);
        assert_int_equal(hook.asked[ATTEMPTS_MAX].attempt, 1);
        end();
    }
}

static void
heeds_retry_after(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        begin(seed);
        hook.status_once = 429;
        hook.retry_after_s = 20;
        alice_says();
        world_run(&world, QUIET_MS);
        assert_int_equal(hook.count, 2);
        assert_in_range(pause_ms(0), 20000, 40000);
        end();
    }
}

/* Bob's device is limited; Carol's goes to the same server. */
static void
limits_one_device(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        begin(seed);
        subscribe("carol");
        hook.status_once = 429;
        hook.retry_after_s = 20;
        alice_says();
        world_run(&world, UINT64_C(2) * DELAY_MS);
        assert_int_equal(hook.count, 1);
        hook.retry_after_s = 0;
        alice_says_to("carol");
        world_run(&world, UINT64_C(2) * DELAY_MS);
        assert_int_equal(hook.count, 2);
        assert_string_not_equal(hook.asked[0].id, hook.asked[1].id);
        world_run(&world, QUIET_MS);
        assert_int_equal(hook.count, 3);
        assert_string_equal(hook.asked[0].id, hook.asked[2].id);
        end();
    }
}

static void
set_web_push(struct settings *settings)
{
    set(settings);
    (void)snprintf(settings->push_subject, sizeof settings->push_subject, "mailto:me@example.com");
    settings->push_private_endpoints = true;
}

/* By a push service of that name; the keys are those of RFC 8291. */
static void
subscribe_at_service(const char *name)
{
    wire_open(&bob, &world, PROTOCOL_JSON);
    wire_enrol(&bob, name);
    wire_say(&bob, "{\"ref\":\"1\",\"setPush\":{\"webPush\":{\"endpoint\":"
                   "\"http://push.example:9000/x\",\"p256dh\":\"BCVxsr7N/eNgVRqvHtD0zTZsEc6+VV+"
                   "JvLexhqUzORcxaOzi6+AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4=\","
                   "\"auth\":\"BTBZMqHH6r4Tts7J/aSIgg==\"}}}");
    (void)wire_expect(&bob, "\"done\"");
    wire_end(&bob);
}

static void
passes_over_a_silent_host(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        begin_with(seed, set_web_push);
        sim_host_add(world.driver, "push.example", "10.1.1.1");
        sim_host_add(world.driver, "push.example", "127.0.0.1");
        sim_host_silence(world.driver, "10.1.1.1");
        subscribe_at_service("carol");
        alice_says_to("carol");
        world_run(&world, DELAY_MS + TIMEOUT_MS);
        assert_int_equal(hook.count, 1);
        assert_int_equal(messenger_counted(&world.messenger.counters.push_retried), 0);
        end();
    }
}

/* All places are taken, by names that nobody answers for. */
static void
looks_up_few_names_at_once(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        begin_with(seed, set_web_push);
        sim_host_add(world.driver, "push.example", "127.0.0.1");
        subscribe_at_service("carol");
        for (unsigned i = 0; i < world.messenger.look_ups_max; i++) {
            atomic_store(&world.messenger.look_ups[i], i + 1);
        }
        alice_says_to("carol");
        alice_says(); /* whom the operator's server wakes */
        world_run(&world, UINT64_C(10) * TIMEOUT_MS);
        assert_int_equal(hook.count, 1);
        assert_int_equal(hook.asked[0].attempt, 1);
        assert_int_equal(messenger_counted(&world.messenger.counters.push_retried), 0);
        for (unsigned i = 0; i < world.messenger.look_ups_max; i++) {
            atomic_store(&world.messenger.look_ups[i], 0);
        }
        world_run(&world, UINT64_C(2) * TIMEOUT_MS);
        assert_int_equal(hook.count, 2);
        for (unsigned i = 0; i < world.messenger.look_ups_max; i++) {
            assert_int_equal(atomic_load(&world.messenger.look_ups[i]), 0);
        }
        assert_int_equal(messenger_counted(&world.messenger.counters.push_accepted), 2);
        end();
    }
}

/* One courier is the operator's, however many names wait for a place, and however many servers that
 * clients named say nothing. */
static void
set_four_couriers(struct settings *settings)
{
    set_web_push(settings);
    settings->push_connections_max = 4;
    settings->push_timeout_ms = QUIET_MS;
}

static void
keeps_couriers_for_the_operators_server(void **state)
{
    (void)state;
    static const char *const names[] = {"c1", "c2", "c3", "c4", "c5", "c6"};
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        begin_with(seed, set_four_couriers);
        sim_host_add(world.driver, "push.example", "10.1.1.1");
        sim_host_silence(world.driver, "10.1.1.1");
        for (unsigned i = 0; i < sizeof names / sizeof names[0]; i++) {
            subscribe_at_service(names[i]);
            alice_says_to(names[i]);
        }
        world_run(&world, UINT64_C(10) * DELAY_MS); /* all who may are under way to it */
        alice_says();
        world_run(&world, DELAY_MS + TIMEOUT_MS);
        assert_int_equal(hook.count, 1);
        assert_int_equal(messenger_counted(&world.messenger.counters.push_accepted), 1);
        end();
    }
}

static void
outlives_silence(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        begin(seed);
        hook.status = 0; /* it takes the request, and never answers */
        alice_says();
        world_run(&world, DELAY_MS + TIMEOUT_MS / 2);
        assert_int_equal(hook.count, 1);
        hook.status = 200;
        world_run(&world, QUIET_MS);
        assert_int_equal(hook.count, 2);
        assert_string_equal(hook.asked[0].id, hook.asked[1].id);
        hook.hangs_up = true; /* a connection that was kept is gone when it is used again */
        alice_says();
        world_run(&world, INTERVAL_MS + 4 * DELAY_MS);
        alice_says();
        world_run(&world, QUIET_MS);
        assert_int_equal(hook.count, 4);
        assert_int_equal(hook.asked[3].attempt, 1);
        end();
    }
}

static void
ends_with_subscription(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        begin(seed);
        hook.status = 410;
        alice_says();
        world_run(&world, QUIET_MS);
        assert_int_equal(hook.count, 1);
        alice_says();
        world_run(&world, QUIET_MS);
        assert_int_equal(hook.count, 1);
        come(&bob, bob_token);
        wire_say(&bob, "{\"ref\":\"3\",\"getPush\":{}}");
        assert_null(strstr(hear_until(&bob, "\"push\""), "\"set\""));
        wire_end(&bob);
        end();
    }
}

/* From the message over its push to the acknowledgement: one way, for whoever asks where it is. */
static void
is_traced(void **state)
{
    (void)state;
    static struct desk desk;
    begin(1);
    desk_open(&desk, &world);
    wire_say(&alice, "{\"number\":\"7\",\"sendMessage\":{\"chat\":{\"userName\":\"bob\"},"
                     "\"text\":\"x\"}}");
    (void)hear_until(&alice, "\"sent\"");
    desk_ask(&desk, "msg", "trace", "alice/1/7");
    assert_null(strstr(desk.document, "\"step\":\"pushed\""));
    world_run(&world, QUIET_MS);
    assert_int_equal(hook.count, 1);
    desk_ask(&desk, "msg", "trace", "alice/1/7");
    const char *queued = strstr(desk.document, "\"step\":\"queued\"");
    assert_non_null(queued);
    assert_non_null(strstr(queued, "\"step\":\"pushed\""));
    desk_close(&desk);
    end();
}

/* A push actor, or a courier, is killed while a request is under way: another follows, with the
 * same id. */
static void
may_be_killed(void **state)
{
    (void)state;
    static const char *const named[] = {"push.0", "couriers.0"};
    for (uint64_t seed = 3; seed <= 9; seed += 3) { /* one scheduler */
        for (unsigned i = 0; i < 2; i++) {
            begin(seed);
            assert_int_equal(world.schedulers, 1);
            hook.kills = named[i];
            hook.status_once = 503;
            alice_says();
            world_run(&world, QUIET_MS);
            assert_null(hook.kills);
            assert_int_equal(hook.count, 2);
            assert_string_equal(hook.asked[0].id, hook.asked[1].id);
            alice_says();
            world_run(&world, QUIET_MS);
            assert_int_equal(hook.count, 3);
            end();
        }
    }
}

/* What it carried is tried once more, and what waited for it is not given to the dead. */
static void
loses_one_attempt(void **state)
{
    (void)state;
    static const char *const names[] = {"bob", "carol", "dave", "erin", "frank", "grace"};
    enum { NAMES = sizeof names / sizeof names[0] };
    for (uint64_t seed = 3; seed <= 18; seed += 3) { /* one scheduler */
        begin_with(seed, set_one_courier);
        assert_int_equal(world.schedulers, 1);
        for (unsigned i = 1; i < NAMES; i++) {
            subscribe(names[i]);
        }
        for (unsigned i = 0; i < NAMES; i++) {
            alice_says_to(names[i]);
        }
        hook.kills = "couriers.0";
        world_run(&world, QUIET_MS);
        assert_null(hook.kills);
        assert_int_equal(hook.count, NAMES + 1);
        assert_int_equal(messenger_counted(&world.messenger.counters.push_attempts), NAMES + 1);
        assert_int_equal(messenger_counted(&world.messenger.counters.push_retried), 1);
        end();
    }
}

/* The power goes at an event from the seed, anywhere between a message's durability and the note
 * that its push was accepted; and once more when all is noted. */
static void
survives(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS_CRASH; seed++) {
        begin(seed);
        alice_says();
        wire_end(&alice);
        world_crash_within(&world, 1 + seed * 37 % 600, DELAY_MS + 300);
        world_run(&world, QUIET_MS);
        assert_in_range(hook.count, 1, 2);
        for (unsigned i = 1; i < hook.count; i++) {
            assert_string_equal(hook.asked[0].id, hook.asked[i].id);
        }
        unsigned noted = hook.count;
        world_crash(&world);
        world_run(&world, QUIET_MS);
        assert_int_equal(hook.count, noted);
        come(&alice, alice_token);
        alice_says();
        world_run(&world, QUIET_MS);
        assert_int_equal(hook.count, noted + 1);
        end();
    }
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("a device that is offline is woken once, and again for something newer", wakes_once),
        SPEC("pushes to a device keep their interval", keeps_intervals),
        SPEC("who is called is woken at once", wakes_for_a_call),
        SPEC("who acknowledges in time is not woken; who only listens is", spares_who_acknowledges),
        SPEC("who has muted the chat is not woken by it, over a crash, until it is not muted any "
             "more",
             spares_who_has_muted),
        SPEC("what fails is tried again after growing pauses, then given up", tries_again),
        SPEC("a server is left alone for as long as it asks", heeds_retry_after),
        SPEC("a server that limits one device is left alone by that one", limits_one_device),
        SPEC("of a name's hosts one that is silent leaves time for the others",
             passes_over_a_silent_host),
        SPEC("few names of clients' are looked up at once, and who waits for that loses nothing",
             looks_up_few_names_at_once),
        SPEC("keeps couriers for the operator's server whatever clients' servers do",
             keeps_couriers_for_the_operators_server),
        SPEC("a server that does not answer, or hangs up, costs an attempt at most",
             outlives_silence),
        SPEC("a subscription that has ended is used no more", ends_with_subscription),
        SPEC("that a device was woken for a message is told by the message's trace", is_traced),
        SPEC("the push actor and its couriers may be killed in the middle", may_be_killed),
        SPEC("a courier that ends costs one attempt, of what it carried", loses_one_attempt),
        SPEC("the power may go between any two steps: a wake is never lost, nor repeated for good",
             survives),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
