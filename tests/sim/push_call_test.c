/* SPDX-License-Identifier: Apache-2.0 */
/* Who is called and offline is woken otherwise than for a message: at once, and as long as it rings
 * at most. */
#include "tests/sim/sleeper.h"
#include "tests/spec.h"

#include <stdio.h>
#include <string.h>

enum { SEEDS = SEEDS_OF(6), LINE = 8 };

static char call_id[96];

static void
set_one_courier(struct settings *settings)
{
    sleeper_set(settings);
    settings->push_connections_max = 1;
}

static void
alice_calls(void)
{
    wire_say(&sleeper.alice, "{\"callOffer\":{\"chat\":{\"userName\":\"bob\"}}}");
    const char *id = strstr(sleeper_hear_until(&sleeper.alice, "\"sent\""), "\"id\":");
    assert_non_null(id);
    (void)snprintf(call_id, sizeof call_id, "%.*s}", (int)strcspn(id + 5, "}"), id + 5);
}

static void
alice_hangs_up(void)
{
    char text[128];
    (void)snprintf(text, sizeof text, "{\"callHangUp\":{\"call\":%s}}", call_id);
    wire_say(&sleeper.alice, text);
    (void)sleeper_hear_until(&sleeper.alice, "\"CANCELLED\"");
}

/* The last wake was for this, and says how long it is worth to be kept. */
static void
assert_woken_for(const char *reason)
{
    const struct settings *settings = sleeper.world.messenger.settings;
    const struct hook_asked *last = &sleeper.hook.asked[sleeper.hook.count - 1];
    bool call = strcmp(reason, "call") == 0;
    assert_string_equal(last->reason, reason);
    if (call) {
        assert_in_range(last->ttl_s, RING_MS / 1000 - 2, RING_MS / 1000);
    } else {
        assert_int_equal(last->ttl_s, settings->push_ttl_s);
    }
}

/* Neither the delay nor the pause after a push is waited for; when it was missed, both are. */
static void
wakes_for_a_call(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        sleeper_begin(seed);
        alice_calls();
        world_run(&sleeper.world, DELAY_MS / 4);
        assert_int_equal(sleeper.hook.count, 1);
        assert_woken_for("call");
        (void)sleeper_hear_until(&sleeper.alice, "\"MISSED\"");
        world_run(&sleeper.world, QUIET_MS);
        assert_int_equal(sleeper.hook.count, 2);
        assert_woken_for("message");
        sleeper_say();
        world_run(&sleeper.world, DELAY_MS + DELAY_MS / 2);
        assert_int_equal(sleeper.hook.count, 3);
        assert_woken_for("message");
        alice_calls();
        world_run(&sleeper.world, DELAY_MS / 4);
        assert_int_equal(sleeper.hook.count, 4);
        assert_woken_for("call");
        sleeper_end();
    }
}

/* The call's wake is kept by nobody once the call is over, so it does not stand for the message
 * that was to be woken for before: that has a wake of its own, though the call is declined. */
static void
wakes_for_a_message_beside_a_call(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        sleeper_begin(seed);
        sleeper_say();
        alice_calls();
        world_run(&sleeper.world, DELAY_MS / 4);
        assert_int_equal(sleeper.hook.count, 1);
        assert_woken_for("call");
        world_run(&sleeper.world, INTERVAL_MS + DELAY_MS);
        assert_int_equal(sleeper.hook.count, 2);
        assert_woken_for("message");
        assert_string_not_equal(sleeper.hook.asked[0].id, sleeper.hook.asked[1].id);
        assert_true(sleeper_pause_ms(0) >= INTERVAL_MS);
        alice_hangs_up();
        world_run(&sleeper.world, QUIET_MS); /* for the call that he has missed */
        assert_int_equal(sleeper.hook.count, 3);
        assert_woken_for("message");
        world_run(&sleeper.world, QUIET_MS);
        assert_int_equal(sleeper.hook.count, 3);
        sleeper_end();
    }
}

/* Of a message's wake that fails the pause is not waited for, nor are its attempts counted, and the
 * key is another; but what a server asks for is heeded. */
static void
wakes_for_a_call_behind_a_failure(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        sleeper_begin(seed);
        sleeper.hook.status = 404;
        sleeper_say();
        world_run(&sleeper.world,
                  DELAY_MS + UINT64_C(4) * RETRY_MS); /* the next is two seconds away */
        assert_int_equal(sleeper.hook.count, 3);
        uint64_t called_ns = sim_now_ns(sleeper.world.driver);
        alice_calls();
        world_run(&sleeper.world, DELAY_MS / 4);
        assert_int_equal(sleeper.hook.count, 4);
        assert_true(sleeper.hook.asked[3].at_ns < called_ns + (uint64_t)DELAY_MS / 4 * 1000000);
        assert_woken_for("call");
        assert_int_equal(sleeper.hook.asked[3].attempt, 1);
        assert_string_not_equal(sleeper.hook.asked[2].id, sleeper.hook.asked[3].id);
        sleeper.hook.status = 204;
        world_run(&sleeper.world, UINT64_C(2) * RETRY_MS);
        assert_int_equal(sleeper.hook.count, 5);
        assert_woken_for("call");
        assert_string_equal(sleeper.hook.asked[3].id, sleeper.hook.asked[4].id);
        sleeper_end();

        sleeper_begin(seed);
        sleeper.hook.status_once = 429;
        sleeper.hook.retry_after_s = 4;
        sleeper_say();
        world_run(&sleeper.world, DELAY_MS + DELAY_MS / 2);
        alice_calls();
        world_run(&sleeper.world, QUIET_MS);
        assert_true(sleeper.hook.count >= 2 && sleeper_pause_ms(0) >= 4000);
        assert_string_equal(sleeper.hook.asked[1].reason, "call");
        sleeper_end();
    }
}

static void
set_short_lived(struct settings *settings)
{
    sleeper_set(settings);
    settings->push_ttl_s = 2;
}

/* The message before it is too old by then to be tried a second time. */
static void
tries_a_call_beside_an_old_message(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        sleeper_begin_with(seed, set_short_lived);
        sleeper.hook.status_once = 429;
        sleeper.hook.retry_after_s = 4;
        sleeper.hook.status = 404;
        sleeper_say();
        world_run(&sleeper.world, DELAY_MS + UINT64_C(3000));
        assert_int_equal(sleeper.hook.count, 1);
        sleeper.hook.retry_after_s = 0;
        alice_calls();
        world_run(&sleeper.world, UINT64_C(2000));
        assert_true(sleeper.hook.count >= 2);
        sleeper.hook.status = 204;
        unsigned before = sleeper.hook.count;
        world_run(&sleeper.world, UINT64_C(4) * RETRY_MS);
        assert_int_equal(sleeper.hook.count, before + 1);
        assert_string_equal(sleeper.hook.asked[before].reason, "call");
        sleeper_end();
    }
}

/* While it rings, or each call would give a message that nobody takes all its attempts again. */
static void
leaves_a_message_its_attempts(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        sleeper_begin(seed);
        sleeper.hook.status = 404;
        sleeper_say();
        world_run(&sleeper.world, DELAY_MS + UINT64_C(4) * RETRY_MS);
        assert_int_equal(sleeper.hook.count, ATTEMPTS_MAX - 1);
        sleeper.hook.status_once = 204;
        alice_calls();
        world_run(&sleeper.world, RING_MS - UINT64_C(500));
        assert_int_equal(sleeper.hook.count, ATTEMPTS_MAX + 1);
        assert_string_equal(sleeper.hook.asked[ATTEMPTS_MAX - 1].reason, "call");
        assert_woken_for("message");
        assert_int_equal(sleeper.hook.asked[ATTEMPTS_MAX].attempt, ATTEMPTS_MAX);
        sleeper_end();
    }
}

/* Courier and line are full of messages' wakes that nobody answers. */
static void
wakes_for_a_call_before_others(void **state)
{
    (void)state;
    char name[16];
    for (uint64_t seed = 3; seed <= 9; seed += 3) { /* one scheduler */
        sleeper_begin_with(seed, set_one_courier);
        sleeper.hook.status = 0;
        for (unsigned i = 0; i < LINE; i++) {
            (void)snprintf(name, sizeof name, "user%u", i);
            sleeper_subscribe(name);
            sleeper_say_to(name);
        }
        world_run(&sleeper.world, DELAY_MS);
        unsigned before = sleeper.hook.count;
        assert_in_range(before, 1, LINE - 1);
        sleeper.hook.status = 204;
        alice_calls();
        world_run(&sleeper.world, TIMEOUT_MS);
        assert_true(sleeper.hook.count > before);
        assert_string_equal(sleeper.hook.asked[before].reason, "call");
        sleeper_end();
    }
}

/* Of a device that is there the answer to the call is awaited as to a message. */
static void
spares_who_hears_the_call(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        sleeper_begin(seed);
        sleeper_come(&sleeper.bob, sleeper.bob_token);
        alice_calls();
        const char *rings = sleeper_hear_until(&sleeper.bob, "\"RINGING\"");
        uint64_t number = wire_number(rings, "inboxNumber");
        world_run(&sleeper.world, DELAY_MS / 2);
        assert_int_equal(sleeper.hook.count, 0);
        sleeper_bob_acknowledges(number);
        world_run(&sleeper.world, DELAY_MS);
        assert_int_equal(sleeper.hook.count, 0);
        alice_hangs_up();
        world_run(&sleeper.world, DELAY_MS * UINT64_C(2)); /* he is there, and says nothing more */
        assert_int_equal(sleeper.hook.count, 1);
        assert_woken_for("message");
        alice_calls();
        world_run(&sleeper.world, INTERVAL_MS + DELAY_MS);
        assert_int_equal(sleeper.hook.count, 2);
        assert_string_equal(sleeper.hook.asked[1].reason, "call");
        wire_end(&sleeper.bob);
        sleeper_end();
    }
}

/* What rings is known by the store: a start, and actors that are killed, change nothing of it. */
static void
wakes_for_a_call_after_a_start(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        sleeper_begin(seed);
        sleeper.hook.status = 503;
        alice_calls();
        wire_end(&sleeper.alice);
        world_run(&sleeper.world, DELAY_MS / 4);
        world_crash(&sleeper.world);
        sleeper.hook.status = 204;
        unsigned before = sleeper.hook.count;
        world_run(&sleeper.world, UINT64_C(2) * DELAY_MS);
        assert_int_equal(sleeper.hook.count, before + 1);
        assert_string_equal(sleeper.hook.asked[before].reason, "call");
        assert_string_equal(sleeper.hook.asked[before].id, sleeper.hook.asked[0].id);
        sleeper_come(&sleeper.alice, sleeper.alice_token);
        sleeper_end();
    }
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("who is called is woken at once", wakes_for_a_call),
        SPEC("a message beside a call has a wake of its own", wakes_for_a_message_beside_a_call),
        SPEC("a call waits for no pause of ours after a failure",
             wakes_for_a_call_behind_a_failure),
        SPEC("a call is tried again however old a message is that waits",
             tries_a_call_beside_an_old_message),
        SPEC("a message that a call comes before has no more attempts than it had",
             leaves_a_message_its_attempts),
        SPEC("a call's wake goes before those that are ready", wakes_for_a_call_before_others),
        SPEC("who is there and acknowledges that it rings is not woken for it",
             spares_who_hears_the_call),
        SPEC("after a start who is called is woken for the call as before",
             wakes_for_a_call_after_a_start),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
