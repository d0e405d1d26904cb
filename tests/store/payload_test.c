/* SPDX-License-Identifier: Apache-2.0 */
#include "store/payload.h"
#include "tests/store/a_message.h"
#include "tests/store/strict.h"

static const struct store_name alice = {.bytes = 5, .text = "alice"};

static int
decode_payload(struct store_value value, void *out)
{
    return payload_decode(value, out);
}

/* Written and read, strictly. */
static void
pass_through(const struct payload *payload, struct payload *out)
{
    unsigned char bytes[RECORD_BYTES_MAX];
    payload_encode(payload, bytes);
    check_strict(decode_payload, bytes, payload_bytes(payload), out);
}

static void
payloads(void **state)
{
    (void)state;
    struct payload out;
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
    pass_through(&payload, &out);
    assert_int_equal(out.create.user, 3);
    assert_memory_equal(out.create.password, "$argon", 6);

    payload.create.with_device = false;
    pass_through(&payload, &out);
    assert_false(out.create.with_device);

    payload = (struct payload){
        .kind = PAYLOAD_CHANGE,
        .change = {.peer = 9,
                   .change = {.kind = STORE_CHANGE_DELETE,
                              .author = 8,
                              .message = {.sender = 8, .chat_number = 3}}},
    };
    pass_through(&payload, &out);
    assert_int_equal(out.change.peer, 9);
    assert_int_equal(out.change.change.kind, STORE_CHANGE_DELETE);
    assert_int_equal(out.change.change.message.chat_number, 3);

    payload = (struct payload){.kind = PAYLOAD_NAME_RELEASE, .release = {.user = 8, .name = alice}};
    pass_through(&payload, &out);
    assert_int_equal(out.release.user, 8);

    payload = (struct payload){
        .kind = PAYLOAD_CHAT_TTL,
        .chat_ttl = {.peer = 1, .user = 2, .ttl_ms = 3, .time_ms = 4, .alone = true},
    };
    pass_through(&payload, &out);
    assert_int_equal(out.chat_ttl.time_ms, 4);
    assert_true(out.chat_ttl.alone);

    payload = (struct payload){
        .kind = PAYLOAD_RECEIPT,
        .receipt = {.reader = 1, .peer = 2, .delivered = 3, .read = 4},
    };
    pass_through(&payload, &out);
    assert_int_equal(out.receipt.read, 4);

    payload.kind = PAYLOAD_EXPIRED;
    (void)expired_add(&payload.receipt.expired, 0, 4, 6);
    (void)expired_add(&payload.receipt.expired, 0, 8, 9);
    pass_through(&payload, &out);
    assert_int_equal(out.receipt.delivered, 3);
    assert_true(expired_equal(&out.receipt.expired, &payload.receipt.expired));

    payload =
        (struct payload){.kind = PAYLOAD_COPY, .copy = {.peer = 6, .message = a_message().message}};
    pass_through(&payload, &out);
    assert_int_equal(out.copy.peer, 6);
    check_message(&out.copy.message);
}

static void
groups_payloads(void **state)
{
    (void)state;
    struct payload out;
    struct payload payload = {
        .kind = PAYLOAD_GROUP_CHANGED,
        .group_changed = {.group = 9,
                          .kept_until_ms = 77,
                          .change = {.kind = STORE_CHANGE_EDIT,
                                     .author = 8,
                                     .message = a_message().message}},
    };
    pass_through(&payload, &out);
    assert_int_equal(out.group_changed.group, 9);
    assert_int_equal(out.group_changed.kept_until_ms, 77);
    assert_int_equal(out.group_changed.change.author, 8);
    check_message(&out.group_changed.change.message);
}

static struct store_value
encoded(const struct payload *payload, unsigned char *out)
{
    payload_encode(payload, out);
    return (struct store_value){.bytes = out, .count = payload_bytes(payload)};
}

static void
one_behind_the_other(void **state)
{
    (void)state;
    unsigned char bytes[2][RECORD_BYTES_MAX];
    unsigned char packed[2 * RECORD_BYTES_MAX];
    struct payload said = {.kind = PAYLOAD_GROUP_MESSAGE,
                           .group_message = {.group = 9, .message = a_message().message}};
    struct payload absent = {.kind = PAYLOAD_GROUP_ABSENT, .group_absent = {.group = 9, .user = 8}};
    struct store_value first = encoded(&said, bytes[0]);
    struct store_value second = encoded(&absent, bytes[1]);
    struct store_value records = {
        .bytes = packed, .count = 2 * (size_t)PAYLOAD_LENGTH_BYTES + first.count + second.count};
    struct store_value record;
    size_t at = 0;
    payload_pack(first, packed);
    payload_pack(second, packed + PAYLOAD_LENGTH_BYTES + first.count);
    assert_true(payload_next(records, &at, &record));
    assert_int_equal(record.count, first.count);
    assert_memory_equal(record.bytes, first.bytes, first.count);
    assert_int_equal(payload_group(record), 9);
    assert_true(payload_next(records, &at, &record));
    assert_memory_equal(record.bytes, second.bytes, second.count);
    assert_int_equal(payload_group(record), 0); /* not that it says something */
    assert_false(payload_next(records, &at, &record));
    assert_int_equal(at, records.count);

    size_t start = PAYLOAD_LENGTH_BYTES + first.count;
    for (records.count = start + 1; records.count < start + second.count; records.count++) {
        at = start;
        assert_false(payload_next(records, &at, &record));
        assert_int_equal(at, start);
    }
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("every payload survives encoding", payloads),
        SPEC("what a group tells of a change survives encoding", groups_payloads),
        SPEC("records lie one behind the other, and one that is cut is none", one_behind_the_other),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
