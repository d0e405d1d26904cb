/* SPDX-License-Identifier: Apache-2.0 */
/* Who may see somebody's presence: rules, contacts, blocks. */
#include "tests/sim/pair.h"
#include "tests/spec.h"

#include "store/rule.h"
#include "store/state.h"

#include <string.h>

enum { ONE_SCHEDULER_SEED = 3 }; /* of a world: see world_open */

/* -------------------------------------------------------------------------------------- privacy */

/* What a user sets, as his client would: an actor beside the node's tree does it when told to. */
static struct {
    bool due;
    uint64_t user, subject;
    uint8_t kind;
    bool removed;
    unsigned char value[32];
    uint32_t value_bytes;
    int error;
} wish;

static void
fulfil(void)
{
    struct store_state state = {.user = wish.user,
                                .subject = wish.subject,
                                .kind = wish.kind,
                                .value_bytes = wish.removed ? 0 : wish.value_bytes};
    struct ln_msg *request =
        ln_msg_new(wish.removed ? STORE_STATE_REMOVE : STORE_STATE_SET, LN_DURABLE, sizeof state);
    memcpy(request->data, &state, sizeof state);
    if (state.value_bytes > 0) {
        request->buffer = ln_buffer_new(state.value_bytes);
        memcpy(ln_buffer_data(request->buffer), wish.value, state.value_bytes);
    }
    wish.error = ln_call(store_user_pid(pair.world.store, wish.user), &request, 10 * SECOND, NULL);
    wish.due = false;
}

static void
fairy_run(void *state)
{
    (void)state;
    while (ln_sleep(10) == 0) {
        if (wish.due) {
            fulfil();
        }
    }
}

static const struct ln_behaviour fairy = {.name = "fairy", .run = fairy_run};

static void
grant(void)
{
    wish.due = true;
    for (unsigned i = 0; wish.due && i < 1000; i++) {
        world_run(&pair.world, 10);
    }
    assert_false(wish.due);
    assert_int_equal(wish.error, 0);
}

static void
alice_rules(enum store_sees what, enum store_audience audience)
{
    memset(&wish, 0, sizeof wish);
    wish.user = pair.alice_id;
    wish.kind = (uint8_t)(STORE_STATE_RULE + what);
    wish.value_bytes = (uint32_t)rule_bytes(0);
    rule_begin((uint8_t)audience, 0, wish.value);
    grant();
}

static void
alice_sets_bob(uint8_t kind, bool removed)
{
    memset(&wish, 0, sizeof wish);
    wish.user = pair.alice_id;
    wish.subject = pair.bob_id;
    wish.kind = kind;
    wish.removed = removed;
    wish.value[0] = 1;
    wish.value_bytes = 1;
    grant();
}

static void
begin_with_fairy(uint64_t seed)
{
    world_open_with(&pair.world, seed, (struct ln_child){.id = "fairy", .behaviour = &fairy});
    pair_enrol(seed);
}

static void
expect_nothing_seen(void)
{
    pair_say(&pair.bob, PAIR_WATCH, pair.alice_id);
    (void)pair_expect(&pair.bob, "\"NOT_PERMITTED\"");
    pair_say(&pair.bob, PAIR_GET, pair.alice_id);
    (void)pair_expect(&pair.bob, "\"NOT_PERMITTED\"");
    wire_say(&pair.alice, PAIR_ACTIVE);
    pair_say(&pair.alice, PAIR_TYPES, pair.bob_id);
    world_run(&pair.world, 2 * SECOND);
    wire_say(&pair.alice, PAIR_AWAY);
    assert_null(pair_hear(&pair.bob, 3 * SECOND));
}

static void
bob_watches(void)
{
    pair_say(&pair.bob, PAIR_WATCH, pair.alice_id);
    (void)pair_expect(&pair.bob, "\"ref\":\"7\",\"presence\"");
}

static void
whom_one_blocks_sees_nothing(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        begin_with_fairy(seed);
        bob_watches();
        wire_say(&pair.alice, PAIR_ACTIVE);
        (void)pair_expect(&pair.bob, "\"online\":true");
        alice_sets_bob(STORE_STATE_BLOCKED, false);
        const char *hidden = pair_expect(&pair.bob, "{\"presence\"");
        assert_non_null(strstr(hidden, "\"hidden\":true"));
        assert_null(strstr(hidden, "online"));
        assert_int_equal(pair_last_seen(hidden), 0);
        expect_nothing_seen();
        alice_sets_bob(STORE_STATE_BLOCKED, true);
        bob_watches();
        wire_say(&pair.alice, PAIR_ACTIVE);
        (void)pair_expect(&pair.bob, "\"online\":true");
        pair_end();
    }
}

static void
rules_hold_while_they_change(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        begin_with_fairy(seed);
        bob_watches();
        alice_rules(STORE_SEES_LAST_SEEN, STORE_AUDIENCE_NOBODY);
        /* Still watching, and told so: online or not, and nothing else. */
        assert_int_equal(pair_last_seen(pair_expect(&pair.bob, "{\"presence\"")), 0);
        wire_say(&pair.alice, PAIR_ACTIVE);
        assert_int_equal(pair_last_seen(pair_expect(&pair.bob, "\"online\":true")), 0);
        wire_say(&pair.alice, PAIR_AWAY);
        const char *offline = pair_expect(&pair.bob, "{\"presence\"");
        assert_null(strstr(offline, "online"));
        assert_int_equal(pair_last_seen(offline), 0);
        world_run(&pair.world, 2 * SECOND);
        pair_say(&pair.alice, PAIR_WRITE,
                 pair.bob_id); /* an act of who is offline would be a sign of life */
        assert_null(pair_hear(&pair.bob, 3 * SECOND));
        alice_rules(STORE_SEES_ONLINE, STORE_AUDIENCE_CONTACTS);
        assert_non_null(strstr(pair_expect(&pair.bob, "{\"presence\""), "\"hidden\":true"));
        expect_nothing_seen();
        alice_sets_bob(STORE_STATE_CONTACT, false);
        bob_watches();
        wire_say(&pair.alice, PAIR_ACTIVE);
        (void)pair_expect(&pair.bob, "\"online\":true");
        alice_sets_bob(STORE_STATE_CONTACT, true);
        assert_non_null(strstr(pair_expect(&pair.bob, "{\"presence\""), "\"hidden\":true"));
        pair_end();
    }
}

static void
last_seen_alone(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        begin_with_fairy(seed);
        bob_watches();
        alice_rules(STORE_SEES_ONLINE, STORE_AUDIENCE_NOBODY);
        (void)pair_expect(&pair.bob, "{\"presence\"");
        wire_say(&pair.alice, PAIR_ACTIVE);
        pair_say(&pair.alice, PAIR_TYPES, pair.bob_id);
        assert_null(pair_hear(&pair.bob, 3 * SECOND));
        wire_say(&pair.alice, PAIR_AWAY);
        uint64_t seen_ms = pair_now_ms();
        pair_assert_seen(pair_last_seen(pair_expect(&pair.bob, "{\"presence\"")), seen_ms);
        wire_say(&pair.alice, PAIR_ACTIVE);
        world_run(&pair.world, 2 * SECOND);
        pair_say(&pair.bob, PAIR_GET, pair.alice_id);
        assert_null(strstr(pair_expect(&pair.bob, "\"ref\":\"9\",\"presence\""), "online"));
        pair_end();
    }
}

/* ------------------------------------------------------------------------- rules without an end */

/* A user whose rules change all the time, as far as his presence is told: an actor that watches
 * Bob, and for each time he types says so for a while, in which the clock stands still. */
static struct {
    bool armed, watches;
    uint64_t user;
} fickle;

enum { FICKLE_TICK = 1, FICKLE_TURNS = 200 };

static void
fickle_tick_later(void)
{
    struct ln_msg *tick = ln_msg_new(FICKLE_TICK, LN_REPLY, 0);
    (void)ln_send_after(10, ln_self(), &tick);
}

static int
fickle_init(void *state, const void *argument)
{
    (void)state;
    (void)argument;
    fickle_tick_later();
    return 0;
}

static void
fickle_watches_bob(void)
{
    struct presence_ask ask = {
        .user = pair.bob_id,
        .watcher = {.user = pair.alice_id, .connection = ln_self(), .sees = PRESENCE_SEES_ONLINE},
        .checked_at_ns = ln_now_ns(),
        .watch = true,
    };
    struct ln_msg *request = ln_msg_new(PRESENCE_ASK, LN_DURABLE, sizeof ask);
    memcpy(request->data, &ask, sizeof ask);
    (void)ln_request(presence_pid(&pair.world.messenger, ask.user), &request);
    fickle.watches = true;
}

static void
fickle_changes(void)
{
    struct store_rules_notice notice = {.user = fickle.user, .watcher = fickle.user};
    for (unsigned i = 0; i < FICKLE_TURNS; i++) {
        struct ln_msg *msg = ln_msg_new(STORE_RULES, LN_REPLY, sizeof notice);
        memcpy(msg->data, &notice, sizeof notice);
        ln_send(presence_pid(&pair.world.messenger, notice.user), &msg);
        ln_yield();
    }
}

static void
fickle_handle(void *state, struct ln_msg **msg)
{
    (void)state;
    const struct presence_update *update =
        (const struct presence_update *)(const void *)(*msg)->data;
    if ((*msg)->tag == FICKLE_TICK) {
        if (fickle.armed && !fickle.watches) {
            fickle_watches_bob();
        }
        fickle_tick_later();
    } else if ((*msg)->tag == PRESENCE_UPDATE && update->kind == PRESENCE_TYPING) {
        fickle_changes();
    }
}

static const struct ln_behaviour fickle_behaviour = {
    .name = "fickle", .init = fickle_init, .handle = fickle_handle};

/* Bob watches once, and says nothing more. */
static void
a_watch_comes_back_with_its_rights(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        begin_with_fairy(seed);
        bob_watches();
        alice_sets_bob(STORE_STATE_BLOCKED, false);
        (void)pair_expect(&pair.bob, "\"hidden\":true");
        alice_rules(STORE_SEES_ONLINE, STORE_AUDIENCE_NOBODY);
        alice_rules(STORE_SEES_LAST_SEEN, STORE_AUDIENCE_NOBODY);
        wire_say(&pair.alice, PAIR_ACTIVE);
        pair_say(&pair.alice, PAIR_TYPES, pair.bob_id);
        assert_null(pair_hear(&pair.bob, 3 * SECOND)); /* he was told once */
        alice_sets_bob(STORE_STATE_BLOCKED, true);
        assert_null(pair_hear(&pair.bob, 3 * SECOND)); /* the rules are still there */
        alice_rules(STORE_SEES_ONLINE, STORE_AUDIENCE_EVERYONE);
        assert_non_null(strstr(pair_expect(&pair.bob, "{\"presence\""), "\"online\":true"));
        wire_say(&pair.alice, PAIR_AWAY);
        assert_null(strstr(pair_expect(&pair.bob, "{\"presence\""), "\"online\""));
        pair_end();
    }
}

/* Bob types and asks, several times: now and then both come at one instant. Returns how often he
 * was told to come back. */
static unsigned
bob_types_and_asks(uint64_t whom)
{
    unsigned refused = 0;
    for (unsigned i = 0; i < 12; i++) {
        world_run(&pair.world, 2 * SECOND);
        pair_hush(&pair.bob);
        pair_say(&pair.bob, PAIR_TYPES, pair.alice_id);
        pair_say(&pair.bob, PAIR_GET, whom);
        const char *answer = pair_await(&pair.bob, "\"ref\":\"9\"");
        if (strstr(answer, "\"OVERLOADED\"") != NULL) {
            assert_non_null(strstr(answer, "getPresence.chat"));
            refused++;
        } else {
            assert_non_null(strstr(answer, "\"presence\""));
        }
    }
    return refused;
}

static void
rules_that_keep_changing_hold_up_nobody(void **state)
{
    (void)state;
    memset(&fickle, 0, sizeof fickle);
    world_open_with(&pair.world, ONE_SCHEDULER_SEED,
                    (struct ln_child){.id = "fickle", .behaviour = &fickle_behaviour});
    pair_enrol(ONE_SCHEDULER_SEED);
    fickle.user = pair.alice_id;
    fickle.armed = true;
    assert_in_range(bob_types_and_asks(pair.alice_id), 2, 12);
    assert_int_equal(bob_types_and_asks(pair.bob_id), 0); /* of another meanwhile */
    pair_say(&pair.bob, PAIR_GET, pair.alice_id);         /* when it is over */
    (void)pair_await(&pair.bob, "\"ref\":\"9\",\"presence\"");
    pair_end();
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("whom a user blocks sees nothing of him, from that moment on",
             whom_one_blocks_sees_nothing),
        SPEC("a watch that sees nothing any more comes back with its rights",
             a_watch_comes_back_with_its_rights),
        SPEC("who sees the presence but not last seen is told of comings and goings alone; rules "
             "hold while they change",
             rules_hold_while_they_change),
        SPEC("who sees last seen but not the presence is told when a user has left, not that he is "
             "there",
             last_seen_alone),
        SPEC(
            "rules that keep changing hold up questions about their users alone, and those not for "
            "ever",
            rules_that_keep_changing_hold_up_nobody),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
