/* SPDX-License-Identifier: Apache-2.0 */
/* Devices that are offline are woken: whole nodes on simulated machines, and the operator's server
 * beside them. */
#include "tests/actors/desk.h"
#include "tests/sim/sleeper.h"
#include "tests/spec.h"

#include <stdio.h>
#include <string.h>

enum { SEEDS = SEEDS_OF(6), SEEDS_CRASH = SEEDS_OF(40) };

static void
set_one_courier(struct settings *settings)
{
    sleeper_set(settings);
    settings->push_connections_max = 1;
}

/* ---------------------------------------------------------------------------------------- specs */

static void
wakes_once(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        sleeper_begin(seed);
        for (int i = 0; i < 10; i++) {
            sleeper_say();
        }
        uint64_t said_ns = sim_now_ns(sleeper.world.driver);
        assert_int_equal(sleeper.hook.count, 0);
        world_run(&sleeper.world, QUIET_MS);
        assert_int_equal(sleeper.hook.count, 1);
        assert_true(sleeper.hook.asked[0].at_ns < said_ns + (uint64_t)2 * DELAY_MS * 1000000);
        sleeper_say();
        sleeper_say();
        world_run(&sleeper.world, QUIET_MS);
        assert_int_equal(sleeper.hook.count, 2);
        assert_string_not_equal(sleeper.hook.asked[0].id, sleeper.hook.asked[1].id);
        sleeper_end();
    }
}

static void
keeps_intervals(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        sleeper_begin(seed);
        for (int i = 0; i < 40; i++) { /* twenty seconds */
            sleeper_say();
            world_run(&sleeper.world, 500);
        }
        world_run(&sleeper.world, QUIET_MS);
        assert_in_range(sleeper.hook.count, 3, 6);
        for (unsigned i = 0; i + 1 < sleeper.hook.count; i++) {
            assert_true(sleeper_pause_ms(i) >= INTERVAL_MS);
        }
        sleeper_end();
    }
}

static void
spares_who_acknowledges(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        sleeper_begin(seed);
        sleeper_come(&sleeper.bob, sleeper.bob_token);
        for (int i = 0; i < 5; i++) {
            sleeper_say();
            sleeper_bob_acknowledges(sleeper_bob_hears());
            world_run(&sleeper.world, DELAY_MS / 2);
        }
        world_run(&sleeper.world, QUIET_MS);
        assert_int_equal(sleeper.hook.count, 0);
        assert_true(messenger_counted(&sleeper.world.messenger.counters.push_suppressed) > 0);
        assert_int_equal(messenger_counted(&sleeper.world.messenger.counters.push_waiting), 0);
        sleeper_say(); /* he is there, and says nothing */
        world_run(&sleeper.world, QUIET_MS);
        assert_int_equal(sleeper.hook.count, 1);
        sleeper_bob_acknowledges(sleeper_bob_hears());
        wire_end(&sleeper.bob);
        sleeper_end();
    }
}

/* Over a crash and a fold, in the form that clients say it. */
static void
spares_who_has_muted(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        sleeper_begin(seed);
        sleeper_come(&sleeper.bob, sleeper.bob_token);
        wire_say(&sleeper.bob, "{\"ref\":\"3\",\"setState\":{\"chat\":{\"userName\":\"alice\"},"
                               "\"mutedUntilMs\":\"9007199254740991\"}}");
        (void)wire_expect(&sleeper.bob, "\"done\"");
        wire_end(&sleeper.bob);
        sleeper_say();
        world_run(&sleeper.world, QUIET_MS);
        assert_int_equal(sleeper.hook.count, 0);
        world_crash(&sleeper.world);
        wire_end(&sleeper.alice);
        sleeper_come(&sleeper.alice, sleeper.alice_token);
        sleeper_say();
        world_run(&sleeper.world, QUIET_MS);
        assert_int_equal(sleeper.hook.count, 0);
        sleeper_come(&sleeper.bob, sleeper.bob_token);
        wire_say(&sleeper.bob, "{\"ref\":\"4\",\"setState\":{\"chat\":{\"userName\":\"alice\"},"
                               "\"mutedUntilMs\":\"0\"}}");
        (void)sleeper_hear_until(&sleeper.bob, "\"ref\":\"4\",\"done\"");
        wire_end(&sleeper.bob);
        sleeper_say();
        world_run(&sleeper.world, QUIET_MS);
        assert_int_equal(sleeper.hook.count, 1);
        sleeper_end();
    }
}

static void
tries_again(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        sleeper_begin(seed);
        sleeper.hook.status = 503;
        sleeper_say();
        world_run(&sleeper.world, QUIET_MS);
        assert_int_equal(sleeper.hook.count, ATTEMPTS_MAX);
        for (unsigned i = 0; i + 1 < sleeper.hook.count; i++) {
            assert_string_equal(sleeper.hook.asked[i].id, sleeper.hook.asked[i + 1].id);
            assert_int_equal(sleeper.hook.asked[i + 1].attempt, i + 2);
            assert_true(sleeper_pause_ms(i) >= (uint64_t)RETRY_MS / 2 << i);
        }
        assert_int_equal(messenger_counted(&sleeper.world.messenger.counters.push_dropped), 1);
        sleeper.hook.status = 204; /* given up, until the next message */
        world_run(&sleeper.world, QUIET_MS);
        assert_int_equal(sleeper.hook.count, ATTEMPTS_MAX);
        sleeper_say();
        world_run(&sleeper.world, QUIET_MS);
        assert_int_equal(sleeper.hook.count, ATTEMPTS_MAX + 1);
        assert_int_equal(sleeper.hook.asked[ATTEMPTS_MAX].attempt, 1);
        sleeper_end();
    }
}

static void
heeds_retry_after(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        sleeper_begin(seed);
        sleeper.hook.status_once = 429;
        sleeper.hook.retry_after_s = 20;
        sleeper_say();
        world_run(&sleeper.world, QUIET_MS);
        assert_int_equal(sleeper.hook.count, 2);
        assert_in_range(sleeper_pause_ms(0), 20000, 40000);
        sleeper_end();
    }
}

/* Bob's device is limited; Carol's goes to the same server. */
static void
limits_one_device(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        sleeper_begin(seed);
        sleeper_subscribe("carol");
        sleeper.hook.status_once = 429;
        sleeper.hook.retry_after_s = 20;
        sleeper_say();
        world_run(&sleeper.world, UINT64_C(2) * DELAY_MS);
        assert_int_equal(sleeper.hook.count, 1);
        sleeper.hook.retry_after_s = 0;
        sleeper_say_to("carol");
        world_run(&sleeper.world, UINT64_C(2) * DELAY_MS);
        assert_int_equal(sleeper.hook.count, 2);
        assert_string_not_equal(sleeper.hook.asked[0].id, sleeper.hook.asked[1].id);
        world_run(&sleeper.world, QUIET_MS);
        assert_int_equal(sleeper.hook.count, 3);
        assert_string_equal(sleeper.hook.asked[0].id, sleeper.hook.asked[2].id);
        sleeper_end();
    }
}

static void
set_web_push(struct settings *settings)
{
    sleeper_set(settings);
    (void)snprintf(settings->push_subject, sizeof settings->push_subject, "mailto:me@example.com");
    settings->push_private_endpoints = true;
}

/* By a push service of that name; the keys are those of RFC 8291. */
static void
subscribe_at_service(const char *name)
{
    (void)wire_join(&sleeper.bob, &sleeper.world, PROTOCOL_JSON, name);
    wire_say(&sleeper.bob,
             "{\"ref\":\"1\",\"setPush\":{\"webPush\":{\"endpoint\":"
             "\"http://push.example:9000/x\",\"p256dh\":\"BCVxsr7N/eNgVRqvHtD0zTZsEc6+VV+"
             "JvLexhqUzORcxaOzi6+AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4=\","
             "\"auth\":\"BTBZMqHH6r4Tts7J/aSIgg==\"}}}");
    (void)wire_expect(&sleeper.bob, "\"done\"");
    wire_end(&sleeper.bob);
}

static void
passes_over_a_silent_host(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        sleeper_begin_with(seed, set_web_push);
        sim_host_add(sleeper.world.driver, "push.example", "10.1.1.1");
        sim_host_add(sleeper.world.driver, "push.example", "127.0.0.1");
        sim_host_silence(sleeper.world.driver, "10.1.1.1");
        subscribe_at_service("carol");
        sleeper_say_to("carol");
        world_run(&sleeper.world, DELAY_MS + TIMEOUT_MS);
        assert_int_equal(sleeper.hook.count, 1);
        assert_int_equal(messenger_counted(&sleeper.world.messenger.counters.push_retried), 0);
        sleeper_end();
    }
}

/* All places are taken, by names that nobody answers for. */
static void
looks_up_few_names_at_once(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        sleeper_begin_with(seed, set_web_push);
        sim_host_add(sleeper.world.driver, "push.example", "127.0.0.1");
        subscribe_at_service("carol");
        for (unsigned i = 0; i < sleeper.world.messenger.look_ups_max; i++) {
            atomic_store(&sleeper.world.messenger.look_ups[i], i + 1);
        }
        sleeper_say_to("carol");
        sleeper_say(); /* whom the operator's server wakes */
        world_run(&sleeper.world, UINT64_C(10) * TIMEOUT_MS);
        assert_int_equal(sleeper.hook.count, 1);
        assert_int_equal(sleeper.hook.asked[0].attempt, 1);
        assert_int_equal(messenger_counted(&sleeper.world.messenger.counters.push_retried), 0);
        for (unsigned i = 0; i < sleeper.world.messenger.look_ups_max; i++) {
            atomic_store(&sleeper.world.messenger.look_ups[i], 0);
        }
        world_run(&sleeper.world, UINT64_C(2) * TIMEOUT_MS);
        assert_int_equal(sleeper.hook.count, 2);
        for (unsigned i = 0; i < sleeper.world.messenger.look_ups_max; i++) {
            assert_int_equal(atomic_load(&sleeper.world.messenger.look_ups[i]), 0);
        }
        assert_int_equal(messenger_counted(&sleeper.world.messenger.counters.push_accepted), 2);
        sleeper_end();
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
        sleeper_begin_with(seed, set_four_couriers);
        sim_host_add(sleeper.world.driver, "push.example", "10.1.1.1");
        sim_host_silence(sleeper.world.driver, "10.1.1.1");
        for (unsigned i = 0; i < sizeof names / sizeof names[0]; i++) {
            subscribe_at_service(names[i]);
            sleeper_say_to(names[i]);
        }
        world_run(&sleeper.world, UINT64_C(10) * DELAY_MS); /* all who may are under way to it */
        sleeper_say();
        world_run(&sleeper.world, DELAY_MS + TIMEOUT_MS);
        assert_int_equal(sleeper.hook.count, 1);
        assert_int_equal(messenger_counted(&sleeper.world.messenger.counters.push_accepted), 1);
        sleeper_end();
    }
}

static void
outlives_silence(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        sleeper_begin(seed);
        sleeper.hook.status = 0; /* it takes the request, and never answers */
        sleeper_say();
        world_run(&sleeper.world, DELAY_MS + TIMEOUT_MS / 2);
        assert_int_equal(sleeper.hook.count, 1);
        sleeper.hook.status = 200;
        world_run(&sleeper.world, QUIET_MS);
        assert_int_equal(sleeper.hook.count, 2);
        assert_string_equal(sleeper.hook.asked[0].id, sleeper.hook.asked[1].id);
        sleeper.hook.hangs_up = true; /* a connection that was kept is gone when it is used again */
        sleeper_say();
        world_run(&sleeper.world, INTERVAL_MS + 4 * DELAY_MS);
        sleeper_say();
        world_run(&sleeper.world, QUIET_MS);
        assert_int_equal(sleeper.hook.count, 4);
        assert_int_equal(sleeper.hook.asked[3].attempt, 1);
        sleeper_end();
    }
}

static void
ends_with_subscription(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        sleeper_begin(seed);
        sleeper.hook.status = 410;
        sleeper_say();
        world_run(&sleeper.world, QUIET_MS);
        assert_int_equal(sleeper.hook.count, 1);
        sleeper_say();
        world_run(&sleeper.world, QUIET_MS);
        assert_int_equal(sleeper.hook.count, 1);
        sleeper_come(&sleeper.bob, sleeper.bob_token);
        wire_say(&sleeper.bob, "{\"ref\":\"3\",\"getPush\":{}}");
        assert_null(strstr(sleeper_hear_until(&sleeper.bob, "\"push\""), "\"set\""));
        wire_end(&sleeper.bob);
        sleeper_end();
    }
}

/* From the message over its push to the acknowledgement: one way, for whoever asks where it is. */
static void
is_traced(void **state)
{
    (void)state;
    static struct desk desk;
    sleeper_begin(1);
    desk_open(&desk, &sleeper.world);
    wire_say(&sleeper.alice, "{\"number\":\"7\",\"sendMessage\":{\"chat\":{\"userName\":\"bob\"},"
                             "\"text\":\"x\"}}");
    (void)sleeper_hear_until(&sleeper.alice, "\"sent\"");
    desk_ask(&desk, "msg", "trace", "alice/1/7");
    assert_null(strstr(desk.document, "\"step\":\"pushed\""));
    world_run(&sleeper.world, QUIET_MS);
    assert_int_equal(sleeper.hook.count, 1);
    desk_ask(&desk, "msg", "trace", "alice/1/7");
    const char *queued = strstr(desk.document, "\"step\":\"queued\"");
    assert_non_null(queued);
    assert_non_null(strstr(queued, "\"step\":\"pushed\""));
    desk_close(&desk);
    sleeper_end();
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
            sleeper_begin(seed);
            assert_int_equal(sleeper.world.schedulers, 1);
            sleeper.hook.kills = named[i];
            sleeper.hook.status_once = 503;
            sleeper_say();
            world_run(&sleeper.world, QUIET_MS);
            assert_null(sleeper.hook.kills);
            assert_int_equal(sleeper.hook.count, 2);
            assert_string_equal(sleeper.hook.asked[0].id, sleeper.hook.asked[1].id);
            sleeper_say();
            world_run(&sleeper.world, QUIET_MS);
            assert_int_equal(sleeper.hook.count, 3);
            sleeper_end();
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
        sleeper_begin_with(seed, set_one_courier);
        assert_int_equal(sleeper.world.schedulers, 1);
        for (unsigned i = 1; i < NAMES; i++) {
            sleeper_subscribe(names[i]);
        }
        for (unsigned i = 0; i < NAMES; i++) {
            sleeper_say_to(names[i]);
        }
        sleeper.hook.kills = "couriers.0";
        world_run(&sleeper.world, QUIET_MS);
        assert_null(sleeper.hook.kills);
        assert_int_equal(sleeper.hook.count, NAMES + 1);
        assert_int_equal(messenger_counted(&sleeper.world.messenger.counters.push_attempts),
                         NAMES + 1);
        assert_int_equal(messenger_counted(&sleeper.world.messenger.counters.push_retried), 1);
        sleeper_end();
    }
}

/* The power goes at an event from the seed, anywhere between a message's durability and the note
 * that its push was accepted; and once more when all is noted. */
static void
survives(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS_CRASH; seed++) {
        sleeper_begin(seed);
        sleeper_say();
        wire_end(&sleeper.alice);
        world_crash_within(&sleeper.world, 1 + seed * 37 % 600, DELAY_MS + 300);
        world_run(&sleeper.world, QUIET_MS);
        assert_in_range(sleeper.hook.count, 1, 2);
        for (unsigned i = 1; i < sleeper.hook.count; i++) {
            assert_string_equal(sleeper.hook.asked[0].id, sleeper.hook.asked[i].id);
        }
        unsigned noted = sleeper.hook.count;
        world_crash(&sleeper.world);
        world_run(&sleeper.world, QUIET_MS);
        assert_int_equal(sleeper.hook.count, noted);
        sleeper_come(&sleeper.alice, sleeper.alice_token);
        sleeper_say();
        world_run(&sleeper.world, QUIET_MS);
        assert_int_equal(sleeper.hook.count, noted + 1);
        sleeper_end();
    }
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("a device that is offline is woken once, and again for something newer", wakes_once),
        SPEC("pushes to a device keep their interval", keeps_intervals),
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
