/* SPDX-License-Identifier: Apache-2.0 */
#include "store/record_account.h"
#include "store/record_chat.h"
#include "store/record_inbox.h"
#include "store/record_state.h"
#include "store/record_wake.h"
#include "store/rule.h"
#include "tests/store/strict.h"

static const struct store_name alice = {.bytes = 5, .text = "alice"};

/* What any of them is decoded into. */
union decoded {
    struct record_name name;
    struct record_user user;
    struct record_password password;
    struct record_device device;
    struct record_link link;
    struct record_head head;
    struct record_wake wake;
    struct record_due due;
    struct record_chat chat;
    struct record_expired expired;
    struct record_state state;
    struct record_state_sum sum;
};

static int
decode_name(struct store_value value, void *out)
{
    return record_name_decode(value, out);
}

static int
decode_user(struct store_value value, void *out)
{
    return record_user_decode(value, out);
}

static int
decode_password(struct store_value value, void *out)
{
    return record_password_decode(value, out);
}

static int
decode_device(struct store_value value, void *out)
{
    return record_device_decode(value, out);
}

static int
decode_link(struct store_value value, void *out)
{
    return record_link_decode(value, out);
}

static int
decode_head(struct store_value value, void *out)
{
    return record_head_decode(value, out);
}

static int
decode_wake(struct store_value value, void *out)
{
    return record_wake_decode(value, out);
}

static int
decode_due(struct store_value value, void *out)
{
    return record_due_decode(value, out);
}

static int
decode_chat(struct store_value value, void *out)
{
    return record_chat_decode(value, out);
}

static int
decode_expired(struct store_value value, void *out)
{
    return record_expired_decode(value, out);
}

static int
decode_state(struct store_value value, void *out)
{
    return record_state_decode(value, out);
}

static int
decode_sum(struct store_value value, void *out)
{
    return record_state_sum_decode(value, out);
}

static void
accounts(void **state)
{
    (void)state;
    unsigned char bytes[RECORD_BYTES_MAX];
    union decoded out;

    struct record_name name = {.user = 77, .name = alice};
    check_strict(decode_name, bytes, record_name_encode(&name, bytes), &out);
    assert_int_equal(out.name.user, 77);
    assert_memory_equal(&out.name.name, &alice, sizeof(alice));

    struct record_user user = {.removed = true, .created_at_ms = 123, .name = alice};
    check_strict(decode_user, bytes, record_user_encode(&user, bytes), &out);
    assert_true(out.user.removed);
    assert_int_equal(out.user.created_at_ms, 123);

    struct record_password password = {.bytes = 4, .text = "$arg"};
    check_strict(decode_password, bytes, record_password_encode(&password, bytes), &out);
    assert_int_equal(out.password.bytes, 4);
    assert_memory_equal(out.password.text, password.text, sizeof(password.text));

    struct record_device device = {.added_at_ms = 5, .range = UINT64_C(1) << 50, .name = alice};
    device.token_hash[31] = 0xee;
    check_strict(decode_device, bytes, record_device_encode(&device, bytes), &out);
    assert_int_equal(out.device.range, UINT64_C(1) << 50);
    assert_int_equal(out.device.token_hash[31], 0xee);

    struct record_link link = {.expires_at_ms = 99, .tries = 3};
    link.code_hash[0] = 0xdd;
    check_strict(decode_link, bytes, record_link_encode(&link, bytes), &out);
    assert_int_equal(out.link.expires_at_ms, 99);
    assert_int_equal(out.link.tries, 3);
    assert_int_equal(out.link.code_hash[0], 0xdd);
}

/* What a data directory of the version before holds. */
static void
older_devices(void **state)
{
    (void)state;
    enum { ADDED_FIELDS_BYTES = 16, OLD_VERSION = 1 };
    unsigned char bytes[RECORD_BYTES_MAX];
    struct record_device out;
    struct record_device device = {.range = 7, .seen_at_ms = 5, .warned_at_ms = 6};
    size_t count = record_device_encode(&device, bytes);
    struct store_value value = {.bytes = bytes, .count = count};
    assert_int_equal(record_device_decode(value, &out), 0);
    assert_int_equal(out.seen_at_ms, 5);
    assert_int_equal(out.warned_at_ms, 6);
    bytes[1] = OLD_VERSION;
    assert_int_equal(record_device_decode(value, &out), -EBADMSG);
    value.count = count - ADDED_FIELDS_BYTES;
    assert_int_equal(record_device_decode(value, &out), 0);
    assert_int_equal(out.range, 7);
    assert_int_equal(out.seen_at_ms, 0);
    assert_int_equal(out.warned_at_ms, 0);
}

static void
wakes(void **state)
{
    (void)state;
    unsigned char bytes[RECORD_WAKE_BYTES_MAX];
    union decoded out;
    struct record_wake wake = {
        .id = 7,
        .set_at_ms = 9,
        .kind = STORE_WAKE_WEBPUSH,
        .endpoint = (const unsigned char *)"https://h/",
        .endpoint_bytes = 10,
        .app = (const unsigned char *)"mine",
        .app_bytes = 4,
        .p256dh = {4, 5},
        .auth = {6},
    };
    check_strict(decode_wake, bytes, record_wake_encode(&wake, bytes), &out);
    assert_int_equal(out.wake.id, 7);
    assert_memory_equal(out.wake.endpoint, "https://h/", 10);
    assert_memory_equal(out.wake.app, "mine", 4);
    assert_memory_equal(out.wake.p256dh, wake.p256dh, sizeof(wake.p256dh));
    wake.kind = 0;
    struct store_value value = {.bytes = bytes, .count = record_wake_encode(&wake, bytes)};
    assert_int_equal(decode_wake(value, &out), -EBADMSG);

    struct record_due due = {.number = 3, .since_ms = 4};
    check_strict(decode_due, bytes, record_due_encode(&due, bytes), &out);
    assert_int_equal(out.due.number, 3);
    assert_int_equal(out.due.since_ms, 4);
}

static void
heads(void **state)
{
    (void)state;
    unsigned char bytes[RECORD_BYTES_MAX];
    union decoded out;
    struct record_head head = {
        .device_next = 40,
        .devices = STORE_DEVICES_LIMIT,
        .low = {.number = 3, .entries = 1, .bytes = 100},
        .last = {.number = 9, .entries = 4, .bytes = 400},
        .newest = 77,
    };
    for (unsigned i = 0; i < STORE_DEVICES_LIMIT; i++) {
        head.cursors[i].device = (uint16_t)(i + 1);
        head.cursors[i].state = (uint8_t)(i % 3);
        head.cursors[i].acked.number = i;
        head.cursors[i].wakes = i % 4 > 0;
        head.cursors[i].due = i % 4 > 1;
        head.cursors[i].woken = i % 4 > 0 ? i + 5 : 0;
    }
    check_strict(decode_head, bytes, record_head_encode(&head, bytes), &out);
    assert_int_equal(out.head.devices, STORE_DEVICES_LIMIT);
    assert_int_equal(out.head.last.bytes, 400);
    assert_int_equal(out.head.newest, 77);
    for (unsigned i = 0; i < STORE_DEVICES_LIMIT; i++) {
        assert_int_equal(out.head.cursors[i].device, i + 1);
        assert_int_equal(out.head.cursors[i].state, i % 3);
        assert_int_equal(out.head.cursors[i].acked.number, i);
        assert_int_equal(out.head.cursors[i].wakes, i % 4 > 0);
        assert_int_equal(out.head.cursors[i].due, i % 4 > 1);
        assert_int_equal(out.head.cursors[i].woken, i % 4 > 0 ? i + 5 : 0);
    }
}

static void
chats(void **state)
{
    (void)state;
    unsigned char bytes[RECORD_BYTES_MAX];
    union decoded out;
    struct record_chat chat = {
        .last = 9,
        .delivered = 8,
        .read = 7,
        .told_number = 6,
        .told_delivered = 5,
        .told_read = 4,
        .peer_delivered = 3,
        .peer_read = 2,
        .mark = 1,
        .mark_own = true,
    };
    check_strict(decode_chat, bytes, record_chat_encode(&chat, NULL, bytes), &out);
    assert_int_equal(out.chat.told_number, 6);
    assert_int_equal(out.chat.mark, 1);
    assert_true(out.chat.mark_own);
    assert_false(out.chat.mark_peer);
    assert_false(out.chat.blocked);
    chat.peer_ttl_alone = (struct record_ttl_alone){true, 60000};
    check_strict(decode_chat, bytes, record_chat_encode(&chat, NULL, bytes), &out);
    assert_true(out.chat.peer_ttl_alone.set && !out.chat.ttl_alone.set);
    assert_int_equal(out.chat.peer_ttl_alone.ttl_ms, 60000);
}

/* It stands behind all else, and is read by itself; a chat without it has not a byte for it. */
static void
what_expired(void **state)
{
    (void)state;
    unsigned char bytes[RECORD_BYTES_MAX];
    union decoded out;
    struct record_chat chat = {.last = 99, .ttl_at_ms = 5};
    struct record_expired expired = {.here = {.unknown = 1}};
    size_t plain = record_chat_encode(&chat, NULL, bytes);
    check_strict(decode_expired, bytes, plain, &out);
    assert_true(expired_is_none(&out.expired.here) && expired_is_none(&out.expired.there));
    for (uint64_t i = 1; i <= HOLES_MAX; i++) {
        (void)expired_add(&expired.here, 0, 3 * i, 3 * i + 1);
    }
    (void)expired_add(&expired.there, 0, 7, 9);
    chat.expired = true;
    chat.expired_due = true;
    size_t count = record_chat_encode(&chat, &expired, bytes);
    assert_int_equal(count,
                     plain + 1 + expired_bytes(&expired.here) + expired_bytes(&expired.there));
    check_strict(decode_expired, bytes, count, &out);
    assert_true(expired_equal(&out.expired.here, &expired.here));
    assert_true(expired_equal(&out.expired.there, &expired.there));
    check_strict(decode_chat, bytes, count, &out);
    assert_true(out.chat.expired && out.chat.expired_due && out.chat.ttl_at_ms == 5);
    struct record_expired none = {0};
    struct store_value value = {.bytes = bytes, .count = record_chat_encode(&chat, &none, bytes)};
    assert_int_equal(decode_expired(value, &out), -EBADMSG);
    assert_int_equal(decode_chat(value, &out), -EBADMSG);
}

/* Records that were written before there were such flags have none, and are no longer for it. */
static void
flags(void **state)
{
    (void)state;
    unsigned char bytes[RECORD_BYTES_MAX];
    union decoded out;
    struct record_chat chat = {.last = 9};
    struct record_head head = {.device_next = 1};
    size_t plain = record_chat_encode(&chat, NULL, bytes);
    chat.blocked = true;
    chat.swallowed = 7;
    struct store_value value = {.bytes = bytes, .count = record_chat_encode(&chat, NULL, bytes)};
    assert_true(value.count > plain);
    assert_int_equal(decode_chat(value, &out), 0);
    assert_true(out.chat.blocked && out.chat.swallowed == 7);
    check_strict(decode_chat, bytes, value.count, &out);
    chat = (struct record_chat){.last = 9};
    value.count = record_chat_encode(&chat, NULL, bytes);
    assert_int_equal(value.count, plain);
    assert_int_equal(decode_chat(value, &out), 0);
    assert_true(!out.chat.blocked && out.chat.swallowed == 0);
    chat.held = true;
    check_strict(decode_chat, bytes, record_chat_encode(&chat, NULL, bytes), &out);
    assert_true(out.chat.held && out.chat.held_until_ms == 0); /* as an older linnet wrote it */
    chat.held_until_ms = 8;
    check_strict(decode_chat, bytes, record_chat_encode(&chat, NULL, bytes), &out);
    assert_true(out.chat.held && out.chat.held_until_ms == 8);

    plain = record_head_encode(&head, bytes);
    head.withdrawn = head.low.number; /* has been passed */
    assert_int_equal(record_head_encode(&head, bytes), plain);
    head.withdrawn = head.low.number + 1;
    value.count = record_head_encode(&head, bytes);
    assert_int_equal(decode_head(value, &out), 0);
    assert_int_equal(out.head.withdrawn, head.low.number + 1);
    head.withdrawn = 0;
    head.missed = head.low.number; /* likewise */
    assert_int_equal(record_head_encode(&head, bytes), plain);
    head.missed = head.low.number + 2;
    value.count = record_head_encode(&head, bytes);
    assert_int_equal(decode_head(value, &out), 0);
    assert_int_equal(out.head.missed, head.low.number + 2);
    assert_int_equal(out.head.missed_of, 0);
    head.missed_of = 5;
    value.count = record_head_encode(&head, bytes);
    assert_int_equal(decode_head(value, &out), 0);
    assert_int_equal(out.head.missed_of, 5);
    memset(bytes + value.count - 2, 0, 2);
    assert_int_equal(decode_head(value, &out), -EBADMSG);
    head.missed = 0;
    assert_int_equal(record_head_encode(&head, bytes), plain);
    head.missed_of = 0;
    head.copied = head.low.number; /* likewise */
    assert_int_equal(record_head_encode(&head, bytes), plain);
    head.copied = head.low.number + 3;
    value.count = record_head_encode(&head, bytes);
    assert_int_equal(decode_head(value, &out), 0);
    assert_int_equal(out.head.copied, head.low.number + 3);
    head.copied = 0;
    head.receipts_off = true;
    value.count = record_head_encode(&head, bytes);
    assert_int_equal(value.count, plain + 1);
    assert_int_equal(decode_head(value, &out), 0);
    assert_true(out.head.receipts_off);
    value.count = plain;
    assert_int_equal(decode_head(value, &out), 0);
    assert_false(out.head.receipts_off);
}

static void
states(void **state)
{
    (void)state;
    unsigned char bytes[RECORD_STATE_BYTES_MAX];
    union decoded out;
    struct record_state record = {.mark = 5,
                                  .quiet_until_ms = 6,
                                  .value = {.bytes = (const unsigned char *)"draft", .count = 5}};
    struct record_state_sum sum = {.states = 3, .bytes = 70};
    check_strict(decode_state, bytes, record_state_encode(&record, bytes), &out);
    assert_int_equal(out.state.mark, 5);
    assert_int_equal(out.state.quiet_until_ms, 6);
    assert_int_equal(out.state.value.count, 5);
    assert_memory_equal(out.state.value.bytes, "draft", 5);
    check_strict(decode_sum, bytes, record_state_sum_encode(&sum, bytes), &out);
    assert_int_equal(out.sum.states, 3);
    assert_int_equal(out.sum.bytes, 70);
}

static bool
allows(uint8_t audience, bool excepted, bool contact)
{
    unsigned char bytes[64];
    struct store_rule rule;
    rule_begin(audience, 2, bytes);
    rule_except(bytes, 0, 5);
    rule_except(bytes, 1, 7);
    struct store_value value = {.bytes = bytes, .count = rule_bytes(2)};
    assert_int_equal(rule_decode(value, &rule), 0);
    assert_int_equal(rule_exception(&rule, 1), 7);
    return rule_allows(&rule, excepted ? 7 : 8, contact);
}

static void
rules(void **state)
{
    (void)state;
    for (int contact = 0; contact < 2; contact++) {
        assert_true(allows(STORE_AUDIENCE_EVERYONE, false, contact));
        assert_false(allows(STORE_AUDIENCE_EVERYONE, true, contact));
        assert_int_equal(allows(STORE_AUDIENCE_CONTACTS, false, contact), contact);
        assert_false(allows(STORE_AUDIENCE_CONTACTS, true, contact));
        assert_false(allows(STORE_AUDIENCE_NOBODY, false, contact));
        assert_true(allows(STORE_AUDIENCE_NOBODY, true, contact));
    }
}

static void
sensible_states(void **state)
{
    (void)state;
    static unsigned char large[STORE_STATE_BYTES_MAX + 1];
    struct store_value none = {0};
    struct store_value some = {.bytes = (const unsigned char *)"x", .count = 1};
    struct store_value most = {.bytes = large, .count = STORE_STATE_BYTES_MAX};
    assert_true(state_valid(STORE_STATE_DRAFT, 7, false, most));
    most.count++;
    assert_false(state_valid(STORE_STATE_DRAFT, 7, false, most));
    assert_false(state_valid(STORE_STATE_DRAFT, 0, false, some)); /* of which chat? */
    assert_false(state_valid(STORE_STATE_PROFILE, 7, false, some));
    assert_true(state_valid(STORE_STATE_PROFILE, 0, false, some));
    assert_true(state_valid(STORE_STATE_BLOCKED, 7, true, none));
    assert_false(state_valid(STORE_STATE_BLOCKED, 7, true, some)); /* removed, with a value */
    assert_false(state_valid(0, 7, false, some));
    assert_false(state_valid(STORE_STATE_RULE, 0, false, some));
    assert_false(state_valid(STORE_STATE_RULE + STORE_SEES_KINDS, 0, false, some));

    unsigned char bytes[64];
    rule_begin(STORE_AUDIENCE_NOBODY, 1, bytes);
    struct store_value rule = {.bytes = bytes, .count = rule_bytes(1)};
    assert_true(state_valid(STORE_STATE_RULE + STORE_SEES_ONLINE, 0, false, rule));
    rule.count--;
    assert_false(state_valid(STORE_STATE_RULE + STORE_SEES_ONLINE, 0, false, rule));
    rule_begin(STORE_AUDIENCE_NOBODY, 0, bytes);
    bytes[0] = STORE_AUDIENCE_NOBODY + 1;
    rule.count = rule_bytes(0);
    assert_false(state_valid(STORE_STATE_RULE + STORE_SEES_ONLINE, 0, false, rule));
}

static void
implications(void **state)
{
    (void)state;
    unsigned char bytes[RECORD_BYTES_MAX];
    struct store_range range;
    struct record_head head = {.device_next = 1};
    struct table_entry entry = {.key = record_key(7, RECORD_HEAD, 42, 0), .state = TABLE_WRITTEN};
    entry.value = (struct store_value){.bytes = bytes, .count = record_head_encode(&head, bytes)};
    assert_false(record_implies(&entry, NULL, 0, &range));

    head.low.number = 30;
    entry.value.count = record_head_encode(&head, bytes);
    assert_true(record_implies(&entry, NULL, 0, &range));
    struct store_key inside = record_key(7, RECORD_INBOX, 42, 30);
    struct store_key above = record_key(7, RECORD_INBOX, 42, 31);
    struct store_key other = record_key(7, RECORD_INBOX, 41, 30);
    assert_true(key_compare(&range.low, &inside) <= 0 && key_compare(&inside, &range.high) <= 0);
    assert_true(key_compare(&range.high, &above) < 0);
    assert_true(key_compare(&other, &range.low) < 0);

    unsigned char earlier[RECORD_BYTES_MAX];
    struct record_head was = {.device_next = 1, .low.number = 20, .last.number = 40};
    struct store_value before = {earlier, record_head_encode(&was, earlier)};
    assert_true(record_implies(&entry, &before, 0, &range));
    struct store_key gone = record_key(7, RECORD_INBOX, 42, 20);
    struct store_key next = record_key(7, RECORD_INBOX, 42, 21);
    assert_true(key_compare(&gone, &range.low) < 0 && key_compare(&next, &range.low) == 0);
    assert_true(key_compare(&inside, &range.high) <= 0 && key_compare(&range.high, &above) < 0);
    was.last.number = 25; /* what came behind it, and went, no fold has seen */
    before.count = record_head_encode(&was, earlier);
    assert_true(record_implies(&entry, &before, 0, &range));
    struct store_key last = record_key(7, RECORD_INBOX, 42, 25);
    assert_true(key_compare(&last, &range.high) <= 0 && key_compare(&range.high, &inside) < 0);
    was.last.number = 20; /* it was empty */
    before.count = record_head_encode(&was, earlier);
    assert_false(record_implies(&entry, &before, 0, &range));
    before = (struct store_value){0}; /* it was not there */
    assert_false(record_implies(&entry, &before, 0, &range));
    before.bytes = earlier;
    was = (struct record_head){.device_next = 1, .low.number = 30, .last.number = 40};
    before.count = record_head_encode(&was, earlier);
    assert_false(record_implies(&entry, &before, 0, &range));

    struct record_user user = {.name = alice};
    entry.key = record_key(7, RECORD_USER, 42, 0);
    entry.value.count = record_user_encode(&user, bytes);
    assert_false(record_implies(&entry, NULL, 0, &range));
    user.removed = true;
    entry.value.count = record_user_encode(&user, bytes);
    assert_true(record_implies(&entry, NULL, 0, &range));
    static const enum record_table tables[] = {RECORD_CHAT, RECORD_STATE, RECORD_STATE_SUM,
                                               RECORD_MEMBERSHIP};
    for (unsigned i = 0; i < 4; i++) {
        inside = record_key(7, tables[i], 42, UINT64_MAX);
        other = record_key(7, tables[i], 43, 0);
        assert_true(record_implies(&entry, NULL, i, &range));
        assert_true(key_compare(&range.low, &inside) <= 0);
        assert_true(key_compare(&inside, &range.high) <= 0);
        assert_true(key_compare(&range.high, &other) < 0);
    }
    assert_false(record_implies(&entry, NULL, 7, &range));

    entry.key = record_key(7, RECORD_CHAT, 42, 1);
    assert_false(record_implies(&entry, NULL, 0, &range));
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("names, users, passwords and devices survive encoding, and nothing else does",
             accounts),
        SPEC("a device that the version before wrote is read", older_devices),
        SPEC("a head with every device survives encoding", heads),
        SPEC("subscriptions and who is due survive encoding", wakes),
        SPEC("a chat survives encoding", chats),
        SPEC("what expired in it stands by itself, where anything did", what_expired),
        SPEC("flags of a chat and a head are written when they are set, and absent before", flags),
        SPEC("a state and a user's sum of them survive encoding", states),
        SPEC("of everyone and of contacts the exceptions may not see it, of nobody they may",
             rules),
        SPEC("a state has a subject where its kind has one, and a value within bounds",
             sensible_states),
        SPEC("a head implies that the inbox up to its low is gone, a removed user that the chats "
             "and states are",
             implications),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
