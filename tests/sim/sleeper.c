/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/sim/sleeper.h"

#include "tests/spec.h"

#include <stdio.h>
#include <string.h>

struct sleeper sleeper;

void
sleeper_set(struct settings *settings)
{
    (void)snprintf(settings->push_webhook, sizeof settings->push_webhook, "%s", HOOK_URL);
    settings->push_delay_ms = DELAY_MS;
    settings->push_interval_ms = INTERVAL_MS;
    settings->push_retry_ms = RETRY_MS;
    settings->push_attempts_max = ATTEMPTS_MAX;
    settings->push_timeout_ms = TIMEOUT_MS;
    settings->limits.call_ring_ms = RING_MS;
}

void
sleeper_come(struct wire *wire, const char *token)
{
    wire_open(wire, &sleeper.world, PROTOCOL_JSON);
    wire_login(wire, token);
}

void
sleeper_subscribe(const char *name)
{
    (void)wire_join(&sleeper.bob, &sleeper.world, PROTOCOL_JSON, name);
    memcpy(sleeper.bob_token, sleeper.bob.token, sizeof sleeper.bob_token);
    wire_say(&sleeper.bob, "{\"ref\":\"1\",\"setPush\":{\"webhook\":{},\"app\":\"Ym9i\"}}");
    (void)wire_expect(&sleeper.bob, "\"done\"");
    wire_end(&sleeper.bob);
}

void
sleeper_begin_with(uint64_t seed, void (*settings)(struct settings *settings))
{
    memset(&sleeper.hook, 0, sizeof sleeper.hook);
    sleeper.hook.status = 204;
    world_fresh(&sleeper.world, seed);
    sleeper.world.set = settings;
    sleeper.world.guest = hook_child(&sleeper.hook);
    world_begin(&sleeper.world);
    sleeper_subscribe("bob");
    (void)wire_join(&sleeper.alice, &sleeper.world, PROTOCOL_JSON, "alice");
    memcpy(sleeper.alice_token, sleeper.alice.token, sizeof sleeper.alice_token);
}

void
sleeper_begin(uint64_t seed)
{
    sleeper_begin_with(seed, sleeper_set);
}

void
sleeper_end(void)
{
    wire_end(&sleeper.alice);
    world_run(&sleeper.world, 10);
    world_close(&sleeper.world);
}

const char *
sleeper_hear_until(struct wire *wire, const char *part)
{
    const char *heard = wire_hear(wire);
    while (heard != NULL && strstr(heard, part) == NULL) {
        heard = wire_hear(wire);
    }
    assert_non_null(heard);
    return heard;
}

void
sleeper_say_to(const char *name)
{
    char text[96];
    (void)snprintf(text, sizeof text,
                   "{\"sendMessage\":{\"chat\":{\"userName\":\"%s\"},\"text\":\"x\"}}", name);
    wire_say(&sleeper.alice, text);
    (void)sleeper_hear_until(&sleeper.alice, "\"sent\"");
}

void
sleeper_say(void)
{
    sleeper_say_to("bob");
}

uint64_t
sleeper_pause_ms(unsigned before)
{
    return (sleeper.hook.asked[before + 1].at_ns - sleeper.hook.asked[before].at_ns) / 1000000;
}

uint64_t
sleeper_bob_hears(void)
{
    return wire_number(wire_expect(&sleeper.bob, "\"newMessage\""), "inboxNumber");
}

void
sleeper_bob_acknowledges(uint64_t number)
{
    char text[96];
    (void)snprintf(text, sizeof text, "{\"ref\":\"2\",\"ack\":{\"inboxNumber\":\"%llu\"}}",
                   (unsigned long long)number);
    wire_say(&sleeper.bob, text);
    (void)wire_expect(&sleeper.bob, "\"done\"");
}
