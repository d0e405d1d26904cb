/* SPDX-License-Identifier: Apache-2.0 */
/* Days go by: devices that nobody sees are unlinked, what nobody takes in expires, and everybody
 * concerned is told. */
#include "tests/sim/wire.h"
#include "tests/spec.h"

#include <stdio.h>
#include <string.h>

enum { HOUR_MS = 3600000, DAY_HOURS = 24 };

static struct world world;
static struct wire phone, tablet, bob;

static bool keeps_history;

static void
in_days(struct settings *settings)
{
    settings->device_unseen_ms = 2 * STORE_DAY_MS;
    settings->device_warn_ms = STORE_DAY_MS;
    settings->inbox_age_ms = STORE_DAY_MS;
    settings->group_log_ms = STORE_DAY_MS;
    settings->history_ms = keeps_history ? 30 * STORE_DAY_MS : 0;
    settings->delete_window_ms = HOUR_MS;
    settings->limits.idle_timeout_ms = DAY_HOURS * HOUR_MS;
    memset(settings->user_rates, 0, sizeof settings->user_rates);
}

static void
begin(uint64_t seed)
{
    world_fresh(&world, seed);
    world.set = in_days;
    world_begin(&world);
    (void)wire_join(&tablet, &world, PROTOCOL_JSON, "alice");
    (void)wire_join(&phone, &world, PROTOCOL_JSON, "alice");
    (void)wire_join(&bob, &world, PROTOCOL_JSON, "bob");
    wire_end(&tablet);
}

static void
end(void)
{
    wire_end(&phone);
    wire_end(&bob);
    world_close(&world);
}

/* The clients say something each hour, so that nobody takes them for silent. */
static void
hours_pass(unsigned hours)
{
    for (unsigned i = 0; i < hours; i++) {
        world_run(&world, HOUR_MS);
        wire_say(&phone, "{\"ping\":{}}");
        wire_say(&bob, "{\"ping\":{}}");
    }
    (void)wire_waiting(&phone, 1000);
}

/* Bob writes to Alice, whose phone hears it and stores nothing: after a day it is too old. */
static void
expect_expired(unsigned from)
{
    const char *told = wire_heard(&bob, 0, "\"expired\":\"2\"");
    assert_non_null(told);
    assert_null(strstr(told, "\"delivered\""));
    const char *resync = wire_heard(&phone, from, "\"resync\"");
    assert_non_null(resync);
    assert_non_null(strstr(resync, "\"reason\":\"INBOX_EXPIRED\""));
    assert_non_null(strstr(resync, "\"last\":\"3\""));
    assert_non_null(strstr(resync, "\"unread\":\"3\""));
}

/* What both will ever see of it; `last` is the state of the third message. */
static void
expect_told_so_by_history(const char *last)
{
    static const char *const texts[] = {"\"one\"", "\"two\"", "\"three\""};
    static const char *const holes[] = {"\"peerExpired\":\"2\"", "\"expired\":\"2\""};
    const char *const states[] = {"\"state\":\"EXPIRED\"", "\"state\":\"EXPIRED\"", last};
    struct wire *const both[] = {&bob, &phone};
    for (unsigned i = 0; i < 2; i++) {
        unsigned from = both[i]->heard_count;
        wire_say(both[i], i == 0 ? "{\"getHistory\":{\"chat\":{\"userName\":\"alice\"}}}"
                                 : "{\"getHistory\":{\"chat\":{\"userName\":\"bob\"}}}");
        (void)wire_waiting(both[i], 1000);
        for (unsigned k = 0; k < 3; k++) {
            const char *told = wire_heard(both[i], from, texts[k]);
            assert_non_null(told);
            assert_non_null(strstr(told, states[k]));
        }
        const char *page = wire_heard(both[i], from, "\"history\":{");
        assert_non_null(page);
        assert_non_null(strstr(page, holes[i]));
        assert_null(strstr(page, holes[1 - i]));
    }
}

/* The tablet is gone, and the phone, which stayed connected, is here still. */
static void
expect_unlinked(uint64_t unlink_at_ms)
{
    const char *unlinked = wire_heard(&phone, 0, "\"change\":\"UNLINKED\",\"device\":1");
    assert_non_null(unlinked);
    assert_true(wire_number(unlinked, "serverTimeMs") >= unlink_at_ms);
    wire_say(&phone, "{\"listDevices\":{}}");
    (void)wire_waiting(&phone, 1000);
    const char *list = wire_heard(&phone, 0, "\"devices\":{\"devices\"");
    assert_non_null(list);
    assert_null(strstr(list, "\"device\":1,"));
    assert_true(wire_number(list, "lastSeenMs") > unlink_at_ms - UINT64_C(12) * HOUR_MS);
}

static void
days_go_by(void **state)
{
    (void)state;
    keeps_history = true;
    begin(1);
    keeps_history = false; /* it is a setting of that node's alone */
    wire_say(&bob, "{\"sendMessage\":{\"chat\":{\"userName\":\"alice\"},\"text\":\"one\"}}");
    wire_say(&bob, "{\"sendMessage\":{\"chat\":{\"userName\":\"alice\"},\"text\":\"two\"}}");
    hours_pass(DAY_HOURS / 2);
    unsigned later = phone.heard_count;
    wire_say(&bob, "{\"sendMessage\":{\"chat\":{\"userName\":\"alice\"},\"text\":\"three\"}}");
    hours_pass(DAY_HOURS / 2 - 4);
    assert_null(wire_heard(&phone, 0, "\"WARNED\""));
    assert_null(wire_heard(&bob, 0, "\"expired\""));
    assert_null(wire_heard(&phone, 0, "\"resync\""));
    hours_pass(8);
    expect_expired(later);
    expect_told_so_by_history("\"state\":\"SENT\"");
    wire_say(&phone, "{\"markRead\":{\"chat\":{\"userName\":\"bob\"},\"chatNumber\":\"3\"}}");
    (void)wire_waiting(&phone, 1000);
    expect_told_so_by_history("\"state\":\"READ\"");
    const char *warned = wire_heard(&phone, 0, "\"change\":\"WARNED\",\"device\":1");
    assert_non_null(warned);
    uint64_t unlink_at_ms = wire_number(warned, "unlinkAtMs");
    assert_true(unlink_at_ms >=
                wire_number(warned, "serverTimeMs") + (uint64_t)(DAY_HOURS - 1) * HOUR_MS);
    hours_pass(DAY_HOURS - 8);
    assert_null(wire_heard(&phone, 0, "\"UNLINKED\""));
    hours_pass(10);
    expect_unlinked(unlink_at_ms);
    end();
}

/* What Bob hears when he asks whom his message of that number has reached. */
static const char *
info_of(uint64_t group, unsigned chat_number)
{
    char command[160];
    (void)snprintf(command, sizeof command,
                   "{\"getMessageInfo\":{\"chat\":{\"groupId\":\"%llu\"},\"chatNumber\":\"%u\"}}",
                   (unsigned long long)group, chat_number);
    unsigned from = bob.heard_count;
    wire_say(&bob, command);
    (void)wire_waiting(&bob, 1000);
    const char *answer = wire_heard(&bob, from, "\"answer\"");
    assert_non_null(answer);
    return answer;
}

static void
bob_tells(uint64_t group)
{
    char command[160];
    (void)snprintf(command, sizeof command,
                   "{\"sendMessage\":{\"chat\":{\"groupId\":\"%llu\"},\"text\":\"hello\"}}",
                   (unsigned long long)group);
    wire_say(&bob, command);
    (void)wire_waiting(&bob, 5000);
}

static void
groups_forget(void **state)
{
    (void)state;
    begin(2);
    wire_say(&bob, "{\"createChat\":{\"name\":\"walkers\",\"participants\":[{\"userName\":"
                   "\"alice\"}]}}");
    (void)wire_waiting(&bob, 1000);
    uint64_t group = wire_number(wire_heard(&bob, 0, "\"answer\""), "groupId");
    bob_tells(group);
    hours_pass(DAY_HOURS - 1);
    assert_non_null(strstr(info_of(group, 1), "\"members\""));
    hours_pass(2);
    bob_tells(group);
    assert_non_null(strstr(info_of(group, 1), "\"OUT_OF_RANGE\""));
    assert_non_null(strstr(info_of(group, 2), "\"members\""));
    end();
}

static void
bob_makes_groups(unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        wire_say(&bob, "{\"createChat\":{\"name\":\"one more\",\"participants\":[{\"userName\":"
                       "\"alice\"}]}}");
        (void)wire_waiting(&bob, 100);
    }
}

static unsigned
times(const char *text, const char *part)
{
    unsigned count = 0;
    for (const char *at = strstr(text, part); at != NULL; at = strstr(at + 1, part)) {
        count++;
    }
    return count;
}

static void
names_groups(void **state)
{
    enum { GROUPS = 203, PAGE = 200 };
    char command[80];
    (void)state;
    begin(3);
    bob_makes_groups(GROUPS);
    wire_say(&bob, "{\"listGroups\":{\"max\":1}}");
    (void)wire_waiting(&bob, 1000);
    bob_tells(wire_number(wire_heard(&bob, 0, "\"groups\":{"), "groupId"));
    hours_pass(DAY_HOURS + 4);
    const char *resync = wire_heard(&phone, 0, "\"resync\"");
    assert_non_null(resync);
    assert_int_equal(times(resync, "\"groupId\""), PAGE);
    assert_non_null(strstr(resync, "\"chatNumber\":\"1\""));
    assert_non_null(strstr(resync, "\"unread\":\"1\""));
    (void)snprintf(command, sizeof command, "{\"listGroups\":{\"afterGroupId\":\"%llu\"}}",
                   (unsigned long long)wire_number(resync, "moreAfterGroupId"));
    unsigned from = phone.heard_count;
    wire_say(&phone, command);
    (void)wire_waiting(&phone, 1000);
    const char *rest = wire_heard(&phone, from, "\"groups\":{");
    assert_non_null(rest);
    assert_int_equal(times(rest, "\"groupId\""), GROUPS - PAGE);
    end();
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("what nobody takes in expires, whom nobody sees is unlinked, and all concerned are "
             "told",
             days_go_by),
        SPEC("whom a message of a group has reached is known for group_log_days", groups_forget),
        SPEC("who lost its place is told of groups, of as many as fit, and where the others go on",
             names_groups),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
