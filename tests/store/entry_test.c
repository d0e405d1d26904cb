/* SPDX-License-Identifier: Apache-2.0 */
#include "store/expired.h"
#include "tests/store/a_message.h"
#include "tests/store/strict.h"

static int
decode_entry(struct store_value value, void *out)
{
    return entry_decode(9, value.bytes, value.count, out);
}

static void
marks_of_what_is_missing(void **state)
{
    (void)state;
    unsigned char bytes[64];
    struct store_entry out;
    struct store_entry entry = {.kind = STORE_ENTRY_MISSED, .peer = 3};
    assert_false(entry_takes_room(&entry));
    entry_encode(&entry, bytes);
    check_strict(decode_entry, bytes, entry_bytes(&entry), &out);
    assert_int_equal(out.kind, STORE_ENTRY_MISSED);
    assert_int_equal(out.missed_of, 0);
    entry.missed_of = 5;
    entry_encode(&entry, bytes);
    assert_int_equal(entry_decode(1, bytes, entry_bytes(&entry), &out), 0);
    assert_int_equal(out.missed_of, 5);
    memset(bytes + entry_bytes(&entry) - 2, 0, 2); /* that of none is left out */
    assert_int_equal(entry_decode(1, bytes, entry_bytes(&entry), &out), -EBADMSG);
}

static void
entries(void **state)
{
    (void)state;
    unsigned char bytes[RECORD_BYTES_MAX];
    struct store_entry out;
    struct store_entry entry = a_message();
    entry_encode(&entry, bytes);
    check_strict(decode_entry, bytes, entry_bytes(&entry), &out);
    assert_int_equal(out.number, 9);
    assert_int_equal(out.peer, 17);
    assert_int_equal(out.total_bytes, 300);
    check_message(&out.message);

    entry = (struct store_entry){
        .kind = STORE_ENTRY_CURSORS,
        .peer = 3,
        .cursors = {.peer_moved = true, .peer_delivered = 8, .peer_read = 7, .own_read = 2},
    };
    entry_encode(&entry, bytes);
    check_strict(decode_entry, bytes, entry_bytes(&entry), &out);
    assert_true(out.cursors.peer_moved);
    assert_false(out.cursors.own_moved);
    assert_int_equal(out.cursors.peer_delivered, 8);
    assert_int_equal(out.cursors.expired_bytes, 0);

    entry = (struct store_entry){
        .kind = STORE_ENTRY_STATE,
        .peer = 3,
        .state = {.kind = 4, .value = (const unsigned char *)"draft", .value_bytes = 5},
    };
    assert_false(entry_takes_room(&entry));
    entry_encode(&entry, bytes);
    check_strict(decode_entry, bytes, entry_bytes(&entry), &out);
    assert_int_equal(out.state.kind, 4);
    assert_int_equal(out.state.value_bytes, 5);
    assert_memory_equal(out.state.value, "draft", 5);
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
    assert_int_equal(out.device.change, STORE_DEVICE_WARNED);
    assert_int_equal(out.device.device, 4);
    assert_int_equal(out.device.unlink_at_ms, 66);
    assert_memory_equal(out.device.name, "phone", 5);

    bytes[RECORD_HEADER_BYTES] = 99; /* a kind of entry that does not exist */
    struct store_value value = {.bytes = bytes, .count = entry_bytes(&entry)};
    assert_int_equal(decode_entry(value, &out), -EBADMSG);
}

/* What the peer's cursors pass over stands behind them, where there is any. */
static void
what_expired(void **state)
{
    (void)state;
    unsigned char bytes[RECORD_BYTES_MAX];
    struct store_entry out;
    struct store_entry entry = {
        .kind = STORE_ENTRY_CURSORS,
        .peer = 3,
        .cursors = {.peer_moved = true, .peer_delivered = 9},
    };
    unsigned char holes[EXPIRED_BYTES_MAX];
    struct expired expired = {.unknown = 1};
    struct cursor_out cursor;
    (void)expired_add(&expired, 0, 4, 6);
    (void)expired_add(&expired, 0, 8, 9);
    cursor_out_init(&cursor, holes, sizeof(holes));
    expired_put(&cursor, &expired);
    entry.cursors.expired = holes;
    entry.cursors.expired_bytes = (uint8_t)cursor_out_bytes(&cursor);
    entry_encode(&entry, bytes);
    check_strict(decode_entry, bytes, entry_bytes(&entry), &out);
    struct expired told;
    entry_cursors_expired(&out.cursors, &told);
    assert_true(expired_equal(&told, &expired));
    assert_int_equal(told.unknown, 1);
}

/* What a message may have beside its fields, and a change has beside a message. */
static void
extras(void **state)
{
    (void)state;
    unsigned char bytes[RECORD_BYTES_MAX];
    struct store_entry out;
    struct store_entry entry = a_message();
    size_t plain_bytes = entry_bytes(&entry);
    entry.message.expires_at_ms = 4321;
    entry.message.original = 12;
    entry.message.deleted = true;
    assert_int_equal(entry_bytes(&entry), plain_bytes + 16);
    entry_encode(&entry, bytes);
    check_strict(decode_entry, bytes, entry_bytes(&entry), &out);
    check_message(&out.message);
    assert_int_equal(out.message.body_kind, 1);
    assert_int_equal(out.message.expires_at_ms, 4321);
    assert_int_equal(out.message.original, 12);
    assert_true(out.message.deleted);
    entry.message.content_kind = 7;
    entry.message.edited = true;
    assert_int_equal(entry_bytes(&entry), plain_bytes + 16 + 2);
    entry_encode(&entry, bytes);
    check_strict(decode_entry, bytes, entry_bytes(&entry), &out);
    check_message(&out.message);
    assert_int_equal(out.message.body_kind, 1);
    assert_int_equal(out.message.original, 12);
    assert_int_equal(out.message.content_kind, 7);
    assert_true(out.message.edited);
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
        assert_int_equal(out.kind, entry.kind);
    }
    assert_int_equal(out.change.kind, STORE_CHANGE_EDIT);
    assert_int_equal(out.change.author, 3);
    check_message(&out.change.message);
    assert_false(out.change.message.deleted);
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

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("every kind of entry survives encoding", entries),
        SPEC("a mark of what is missing names whose doing it was, or nobody",
             marks_of_what_is_missing),
        SPEC("what expired stands behind the cursors that pass over it", what_expired),
        SPEC("a message has room for its end, and a change for a message", extras),
        SPEC("a buffer of entries is gone through in order", pages),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
