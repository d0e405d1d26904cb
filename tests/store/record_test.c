/* SPDX-License-Identifier: Apache-2.0 */
#include "store/entry.h"
#include "store/payload.h"
#include "store/record.h"
#include "store/record_state.h"
#include "store/record_wake.h"
#include "store/rule.h"
#include "tests/spec.h"

#include <errno.h>
#include <string.h>

static const struct store_name alice = {.bytes = 5, .text = "alice"};

/* One decoder of each record behind one face. */
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
    struct record_state state;
    struct record_state_sum sum;
    struct store_entry entry;
    struct payload payload;
};
typedef int decode(struct store_value value, union decoded *out);

static int
decode_name(struct store_value value, union decoded *out)
{
    return record_name_decode(value, &out->name);
}
static int
decode_user(struct store_value value, union decoded *out)
{
    return record_user_decode(value, &out->user);
}
static int
decode_password(struct store_value value, union decoded *out)
{
    return record_password_decode(value, &out->password);
}
static int
decode_device(struct store_value value, union decoded *out)
{
    return record_device_decode(value, &out->device);
}
static int
decode_link(struct store_value value, union decoded *out)
{
    return record_link_decode(value, &out->link);
}
static int
decode_head(struct store_value value, union decoded *out)
{
    return record_head_decode(value, &out->head);
}
static int
decode_wake(struct store_value value, union decoded *out)
{
    return record_wake_decode(value, &out->wake);
}
static int
decode_due(struct store_value value, union decoded *out)
{
    return record_due_decode(value, &out->due);
}
static int
decode_chat(struct store_value value, union decoded *out)
{
    return record_chat_decode(value, &out->chat);
}
static int
decode_state(struct store_value value, union decoded *out)
{
    return record_state_decode(value, &out->state);
}
static int
decode_sum(struct store_value value, union decoded *out)
{
    return record_state_sum_decode(value, &out->sum);
}
static int
decode_entry(struct store_value value, union decoded *out)
{
    return entry_decode(9, value.bytes, value.count, &out->entry);
}
static int
decode_payload(struct store_value value, union decoded *out)
{
    return payload_decode(value, &out->payload);
}

/* A good record is decoded; cut anywhere, with a byte too many, with another table or version, it
 * is not. */
static void
check_strict(decode *decode_it, const unsigned char *bytes, size_t count, union decoded *out)
{
    static const union decoded untouched;
    unsigned char spoilt[RECORD_BYTES_MAX + 1];
    union decoded other;
    struct store_value value = {.bytes = bytes, .count = count};
    assert_true(count <= RECORD_BYTES_MAX);
    assert_int_equal(decode_it(value, out), 0);
    for (size_t cut = 0; cut < count; cut++) {
        memcpy(&other, &untouched, sizeof(other));
        value.count = cut;
        assert_int_equal(decode_it(value, &other), -EBADMSG);
        assert_memory_equal(&other, &untouched, sizeof(other));
    }
    memcpy(spoilt, bytes, count);
    spoilt[count] = 0;
    value = (struct store_value){.bytes = spoilt, .count = count + 1};
    assert_int_equal(decode_it(value, &other), -EBADMSG);
    for (unsigned at = 0; at < RECORD_HEADER_BYTES; at++) {
        memcpy(spoilt, bytes, count);
        spoilt[at] ^= 0x40;
        value.count = count;
        assert_int_equal(decode_it(value, &other), -EBADMSG);
    }
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
    check_strict(decode_chat, bytes, record_chat_encode(&chat, bytes), &out);
    assert_int_equal(out.chat.told_number, 6);
    assert_int_equal(out.chat.mark, 1);
    assert_true(out.chat.mark_own);
    assert_false(out.chat.mark_peer);
    assert_false(out.chat.blocked);
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
    size_t plain = record_chat_encode(&chat, bytes);
    chat.blocked = true;
    chat.swallowed = 7;
    struct store_value value = {.bytes = bytes, .count = record_chat_encode(&chat, bytes)};
    assert_true(value.count > plain);
    assert_int_equal(decode_chat(value, &out), 0);
    assert_true(out.chat.blocked && out.chat.swallowed == 7);
    check_strict(decode_chat, bytes, value.count, &out);
    chat = (struct record_chat){.last = 9};
    value.count = record_chat_encode(&chat, bytes);
    assert_int_equal(value.count, plain);
    assert_int_equal(decode_chat(value, &out), 0);
    assert_true(!out.chat.blocked && out.chat.swallowed == 0);
    chat.expired_after = 4;
    chat.expired = 5;
    chat.peer_expired = 6;
    chat.told_expired_after = 3;
    check_strict(decode_chat, bytes, record_chat_encode(&chat, bytes), &out);
    assert_true(out.chat.expired_after == 4 && out.chat.expired == 5 && !out.chat.blocked);
    assert_int_equal(out.chat.peer_expired, 6);
    assert_int_equal(out.chat.told_expired_after, 3);
    chat.held = true;
    check_strict(decode_chat, bytes, record_chat_encode(&chat, bytes), &out);
    assert_true(out.chat.held && out.chat.held_until_ms == 0); /* as an older linnet wrote it */
    chat.held_until_ms = 8;
    check_strict(decode_chat, bytes, record_chat_encode(&chat, bytes), &out);
    assert_true(out.chat.held && out.chat.held_until_ms == 8);

    plain = record_head_encode(&head, bytes);
    head.withdrawn = head.low.number; /* has been passed */
    assert_int_equal(record_head_encode(&head, bytes), plain);
    head.withdrawn = head.low.number + 1;
    value.count = record_head_encode(&head, bytes);
    assert_int_equal(decode_head(value, &out), 0);
    assert_int_equal(out.head.withdrawn, head.low.number + 1);
    head.withdrawn = 0;
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
                                  .value = {.bytes = (const unsigned char *)"draft", .count = 5}};
    struct record_state_sum sum = {.states = 3, .bytes = 70};
    check_strict(decode_state, bytes, record_state_encode(&record, bytes), &out);
    assert_int_equal(out.state.mark, 5);
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

static struct store_entry
a_message(void)
{
    return (struct store_entry){
        .number = 9,
        .peer = 17,
        .total_entries = 3,
        .total_bytes = 300,
        .kind = STORE_ENTRY_MESSAGE,
        .message =
            {
                .sender = 17,
                .sender_number = 5,
                .chat_number = 4,
                .time_ms = 1234,
                .sender_device = 2,
                .body_kind = 1,
                .sender_name_bytes = 5,
                .sender_name = "alice",
                .body = (const unsigned char *)"hello",
                .body_bytes = 5,
                .attachments = (const unsigned char *)"xy",
                .attachments_bytes = 2,
            },
    };
}

static void
check_message(const struct store_entry_message *message)
{
    assert_int_equal(message->sender, 17);
    assert_int_equal(message->sender_device, 2);
    assert_int_equal(message->sender_number, 5);
    assert_int_equal(message->chat_number, 4);
    assert_int_equal(message->time_ms, 1234);
    assert_memory_equal(message->sender_name, "alice", 5);
    assert_memory_equal(message->body, "hello", 5);
    assert_memory_equal(message->attachments, "xy", 2);
}

static void
entries(void **state)
{
    (void)state;
    unsigned char bytes[RECORD_BYTES_MAX];
    union decoded out;
    struct store_entry entry = a_message();
    entry_encode(&entry, bytes);
    check_strict(decode_entry, bytes, entry_bytes(&entry), &out);
    assert_int_equal(out.entry.number, 9);
    assert_int_equal(out.entry.peer, 17);
    assert_int_equal(out.entry.total_bytes, 300);
    check_message(&out.entry.message);

    entry = (struct store_entry){
        .kind = STORE_ENTRY_CURSORS,
        .peer = 3,
        .cursors = {.peer_moved = true, .peer_delivered = 8, .peer_read = 7, .own_read = 2},
    };
    entry_encode(&entry, bytes);
    check_strict(decode_entry, bytes, entry_bytes(&entry), &out);
    assert_true(out.entry.cursors.peer_moved);
    assert_false(out.entry.cursors.own_moved);
    assert_int_equal(out.entry.cursors.peer_delivered, 8);

    entry = (struct store_entry){
        .kind = STORE_ENTRY_STATE,
        .peer = 3,
        .state = {.kind = 4, .value = (const unsigned char *)"draft", .value_bytes = 5},
    };
    assert_false(entry_takes_room(&entry));
    entry_encode(&entry, bytes);
    check_strict(decode_entry, bytes, entry_bytes(&entry), &out);
    assert_int_equal(out.entry.state.kind, 4);
    assert_int_equal(out.entry.state.value_bytes, 5);
    assert_memory_equal(out.entry.state.value, "draft", 5);
    entry.state.removed = true;
    assert_true(entry_takes_room(&entry));

    entry = (struct store_entry){
        .kind = STORE_ENTRY_DEVICE,
        .peer = 3,
        .device = {.change = STORE_DEVICE_WARNED,
                   .device = 4,
                   .time_ms = 55,
                   .unlink_at_ms = 66,
                   .name_bytes = 5,
                   .name = "phone"},
    };
    entry_encode(&entry, bytes);
    check_strict(decode_entry, bytes, entry_bytes(&entry), &out);
    assert_int_equal(out.entry.device.change, STORE_DEVICE_WARNED);
    assert_int_equal(out.entry.device.device, 4);
    assert_int_equal(out.entry.device.unlink_at_ms, 66);
    assert_memory_equal(out.entry.device.name, "phone", 5);

    bytes[RECORD_HEADER_BYTES] = 99; /* a kind of entry that does not exist */
    struct store_value value = {.bytes = bytes, .count = entry_bytes(&entry)};
    assert_int_equal(decode_entry(value, &out), -EBADMSG);
}

/* What a message may have beside its fields, and a change has beside a message. */
static void
extras(void **state)
{
    (void)state;
    unsigned char bytes[RECORD_BYTES_MAX];
    union decoded out;
    struct store_entry entry = a_message();
    size_t plain_bytes = entry_bytes(&entry);
    entry.message.expires_at_ms = 4321;
    entry.message.original = 12;
    entry.message.deleted = true;
    assert_int_equal(entry_bytes(&entry), plain_bytes + 16);
    entry_encode(&entry, bytes);
    check_strict(decode_entry, bytes, entry_bytes(&entry), &out);
    check_message(&out.entry.message);
    assert_int_equal(out.entry.message.body_kind, 1);
    assert_int_equal(out.entry.message.expires_at_ms, 4321);
    assert_int_equal(out.entry.message.original, 12);
    assert_true(out.entry.message.deleted);
    entry.message.content_kind = 7;
    entry.message.edited = true;
    assert_int_equal(entry_bytes(&entry), plain_bytes + 16 + 2);
    entry_encode(&entry, bytes);
    check_strict(decode_entry, bytes, entry_bytes(&entry), &out);
    check_message(&out.entry.message);
    assert_int_equal(out.entry.message.body_kind, 1);
    assert_int_equal(out.entry.message.original, 12);
    assert_int_equal(out.entry.message.content_kind, 7);
    assert_true(out.entry.message.edited);
    struct store_value said = {.bytes = bytes, .count = entry_bytes(&entry)};
    assert_false(entry_expired(said, 4320));
    assert_true(entry_expired(said, 4321));

    entry = (struct store_entry){
        .kind = STORE_ENTRY_CHANGE,
        .peer = 3,
        .change = {.kind = STORE_CHANGE_EDIT, .author = 3, .message = a_message().message},
    };
    for (unsigned group = 0; group < 2; group++) {
        entry.kind = group == 1 ? STORE_ENTRY_GROUP_CHANGE : STORE_ENTRY_CHANGE;
        entry_encode(&entry, bytes);
        check_strict(decode_entry, bytes, entry_bytes(&entry), &out);
        assert_int_equal(out.entry.kind, entry.kind);
    }
    assert_int_equal(out.entry.change.kind, STORE_CHANGE_EDIT);
    assert_int_equal(out.entry.change.author, 3);
    check_message(&out.entry.change.message);
    assert_false(out.entry.change.message.deleted);
    said.count = entry_bytes(&entry);
    assert_false(entry_expired(said, UINT64_MAX));
}

static void
pages(void **state)
{
    (void)state;
    unsigned char bytes[512];
    size_t count = 0;
    struct store_entry entry = a_message();
    for (uint64_t number = 9; number < 11; number++) {
        entry_prefix(number, entry_bytes(&entry), bytes + count);
        count += ENTRY_PREFIX_BYTES;
        entry_encode(&entry, bytes + count);
        count += entry_bytes(&entry);
    }
    struct store_entry found;
    size_t at = 0;
    assert_true(entry_next(bytes, count, &at, &found));
    assert_int_equal(found.number, 9);
    assert_true(entry_next(bytes, count, &at, &found));
    assert_int_equal(found.number, 10);
    check_message(&found.message);
    assert_false(entry_next(bytes, count, &at, &found));
}

static void
payloads(void **state)
{
    (void)state;
    unsigned char bytes[RECORD_BYTES_MAX];
    union decoded out;
    struct payload payload = {
        .kind = PAYLOAD_USER_CREATE,
        .create =
            {
                .user = 3,
                .created_at_ms = 4,
                .name = alice,
                .password = (const unsigned char *)"$argon",
                .password_bytes = 6,
                .with_device = true,
                .device_name = alice,
            },
    };
    payload_encode(&payload, bytes);
    check_strict(decode_payload, bytes, payload_bytes(&payload), &out);
    assert_int_equal(out.payload.create.user, 3);
    assert_memory_equal(out.payload.create.password, "$argon", 6);

    payload.create.with_device = false;
    payload_encode(&payload, bytes);
    check_strict(decode_payload, bytes, payload_bytes(&payload), &out);
    assert_false(out.payload.create.with_device);

    payload = (struct payload){
        .kind = PAYLOAD_CHANGE,
        .change = {.peer = 9,
                   .change = {.kind = STORE_CHANGE_DELETE,
                              .author = 8,
                              .message = {.sender = 8, .chat_number = 3}}},
    };
    payload_encode(&payload, bytes);
    check_strict(decode_payload, bytes, payload_bytes(&payload), &out);
    assert_int_equal(out.payload.change.peer, 9);
    assert_int_equal(out.payload.change.change.kind, STORE_CHANGE_DELETE);
    assert_int_equal(out.payload.change.change.message.chat_number, 3);

    payload = (struct payload){.kind = PAYLOAD_NAME_RELEASE, .release = {.user = 8, .name = alice}};
    payload_encode(&payload, bytes);
    check_strict(decode_payload, bytes, payload_bytes(&payload), &out);
    assert_int_equal(out.payload.release.user, 8);

    payload = (struct payload){
        .kind = PAYLOAD_CHAT_TTL,
        .chat_ttl = {.peer = 1, .user = 2, .ttl_ms = 3, .time_ms = 4},
    };
    payload_encode(&payload, bytes);
    check_strict(decode_payload, bytes, payload_bytes(&payload), &out);
    assert_int_equal(out.payload.chat_ttl.time_ms, 4);

    payload = (struct payload){
        .kind = PAYLOAD_RECEIPT,
        .receipt = {.reader = 1, .peer = 2, .delivered = 3, .read = 4},
    };
    payload_encode(&payload, bytes);
    check_strict(decode_payload, bytes, payload_bytes(&payload), &out);
    assert_int_equal(out.payload.receipt.read, 4);

    payload =
        (struct payload){.kind = PAYLOAD_COPY, .copy = {.peer = 6, .message = a_message().message}};
    payload_encode(&payload, bytes);
    check_strict(decode_payload, bytes, payload_bytes(&payload), &out);
    assert_int_equal(out.payload.copy.peer, 6);
    check_message(&out.payload.copy.message);
}

static void
groups_payloads(void **state)
{
    (void)state;
    unsigned char bytes[RECORD_BYTES_MAX];
    union decoded out;
    struct payload payload = {
        .kind = PAYLOAD_GROUP_CHANGED,
        .group_changed = {.group = 9,
                          .kept_until_ms = 77,
                          .change = {.kind = STORE_CHANGE_EDIT,
                                     .author = 8,
                                     .message = a_message().message}},
    };
    payload_encode(&payload, bytes);
    check_strict(decode_payload, bytes, payload_bytes(&payload), &out);
    assert_int_equal(out.payload.group_changed.group, 9);
    assert_int_equal(out.payload.group_changed.kept_until_ms, 77);
    assert_int_equal(out.payload.group_changed.change.author, 8);
    check_message(&out.payload.group_changed.change.message);
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
    assert_false(record_implies(&entry, 0, &range));

    head.low.number = 30;
    entry.value.count = record_head_encode(&head, bytes);
    assert_true(record_implies(&entry, 0, &range));
    struct store_key inside = record_key(7, RECORD_INBOX, 42, 30);
    struct store_key above = record_key(7, RECORD_INBOX, 42, 31);
    struct store_key other = record_key(7, RECORD_INBOX, 41, 30);
    assert_true(key_compare(&range.low, &inside) <= 0 && key_compare(&inside, &range.high) <= 0);
    assert_true(key_compare(&range.high, &above) < 0);
    assert_true(key_compare(&other, &range.low) < 0);

    struct record_user user = {.name = alice};
    entry.key = record_key(7, RECORD_USER, 42, 0);
    entry.value.count = record_user_encode(&user, bytes);
    assert_false(record_implies(&entry, 0, &range));
    user.removed = true;
    entry.value.count = record_user_encode(&user, bytes);
    assert_true(record_implies(&entry, 0, &range));
    static const enum record_table tables[] = {RECORD_CHAT, RECORD_STATE, RECORD_STATE_SUM,
                                               RECORD_MEMBERSHIP};
    for (unsigned i = 0; i < 4; i++) {
        inside = record_key(7, tables[i], 42, UINT64_MAX);
        other = record_key(7, tables[i], 43, 0);
        assert_true(record_implies(&entry, i, &range));
        assert_true(key_compare(&range.low, &inside) <= 0);
        assert_true(key_compare(&inside, &range.high) <= 0);
        assert_true(key_compare(&range.high, &other) < 0);
    }
    assert_false(record_implies(&entry, 7, &range));

    entry.key = record_key(7, RECORD_CHAT, 42, 1);
    assert_false(record_implies(&entry, 0, &range));
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
        SPEC("flags of a chat and a head are written when they are set, and absent before", flags),
        SPEC("a state and a user's sum of them survive encoding", states),
        SPEC("of everyone and of contacts the exceptions may not see it, of nobody they may",
             rules),
        SPEC("a state has a subject where its kind has one, and a value within bounds",
             sensible_states),
        SPEC("every kind of entry survives encoding", entries),
        SPEC("a message has room for its end, and a change for a message", extras),
        SPEC("a buffer of entries is gone through in order", pages),
        SPEC("every payload survives encoding", payloads),
        SPEC("what a group tells of a change survives encoding", groups_payloads),
        SPEC("a head implies that the inbox up to its low is gone, a removed user that the chats "
             "and states are",
             implications),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
