/* SPDX-License-Identifier: Apache-2.0 */
/* What is stored of calls: the record of a user's, an entry of the inbox, what partitions tell each
 * other. */
#include "store/payload.h"
#include "store/record_call.h"
#include "tests/store/strict.h"

enum { BYTES_MAX = 4096 };

static int
decode_calls(struct store_value value, void *out)
{
    return record_calls_decode(value, out);
}

static int
decode_entry(struct store_value value, void *out)
{
    return entry_decode(9, value.bytes, value.count, out);
}

static int
decode_payload(struct store_value value, void *out)
{
    return payload_decode(value, out);
}

/* The byte at this place can't have this value. */
static void
check_refused(decode *decode_it, const unsigned char *bytes, size_t count, size_t at,
              unsigned char wrong)
{
    union {
        struct record_calls calls;
        struct store_entry entry;
        struct payload payload;
    } out;
    unsigned char changed[BYTES_MAX];
    struct store_value value = {.bytes = changed, .count = count};
    memcpy(changed, bytes, count);
    changed[at] = wrong;
    assert_int_equal(decode_it(value, &out), -EBADMSG);
}

static const struct store_entry_call a_call = {
    .id = {.caller = 7, .number = 8, .device = 3},
    .state = STORE_CALL_ENDED,
    .outcome = STORE_CALL_TALKED,
    .video = true,
    .device = 2,
    .started_at_ms = 10,
    .ring_until_ms = 20,
    .answered_at_ms = 15,
    .ended_at_ms = 99,
    .name = "alice",
    .name_bytes = 5,
    .content = (const unsigned char *)"sdp",
    .content_bytes = 3,
};

static void
check_call(const struct store_entry_call *call)
{
    assert_int_equal(call->id.caller, 7);
    assert_int_equal(call->id.number, 8);
    assert_int_equal(call->id.device, 3);
    assert_int_equal(call->state, STORE_CALL_ENDED);
    assert_int_equal(call->outcome, STORE_CALL_TALKED);
    assert_true(call->video);
    assert_int_equal(call->device, 2);
    assert_int_equal(call->started_at_ms, 10);
    assert_int_equal(call->ring_until_ms, 20);
    assert_int_equal(call->answered_at_ms, 15);
    assert_int_equal(call->ended_at_ms, 99);
    assert_memory_equal(call->name, "alice", 5);
    assert_memory_equal(call->content, "sdp", 3);
}

static void
records(void **state)
{
    (void)state;
    unsigned char bytes[RECORD_CALLS_BYTES_MAX];
    struct record_calls calls = {.count = RECORD_CALLS_MAX};
    struct record_calls out;
    for (unsigned i = 0; i < RECORD_CALLS_MAX; i++) {
        calls.calls[i] = (struct record_call){.id = {.caller = 7, .number = i + 1, .device = 1},
                                              .peer = 9,
                                              .entry = 33,
                                              .answered_at_ms = 4,
                                              .device = 2,
                                              .state = RECORD_CALL_ANSWERED,
                                              .absent = i % 2 == 1,
                                              .name = "alice",
                                              .name_bytes = 5};
    }
    size_t count = record_calls_encode(&calls, bytes);
    check_strict(decode_calls, bytes, count, &out);
    assert_int_equal(out.count, RECORD_CALLS_MAX);
    assert_int_equal(out.calls[3].id.number, 4);
    assert_int_equal(out.calls[3].peer, 9);
    assert_int_equal(out.calls[3].entry, 33);
    assert_int_equal(out.calls[3].device, 2);
    assert_true(out.calls[3].absent);
    assert_memory_equal(out.calls[3].name, "alice", 5);
    check_refused(decode_calls, bytes, count, RECORD_HEADER_BYTES, 0);
    check_refused(decode_calls, bytes, count, RECORD_HEADER_BYTES, RECORD_CALLS_MAX + 1);
}

static void
entries(void **state)
{
    (void)state;
    unsigned char bytes[BYTES_MAX];
    struct store_entry entry = {.kind = STORE_ENTRY_CALL, .peer = 4, .call = a_call};
    struct store_entry out;
    size_t count = entry_bytes(&entry);
    entry_encode(&entry, bytes);
    check_strict(decode_entry, bytes, count, &out);
    assert_int_equal(out.peer, 4);
    check_call(&out.call);
    assert_true(entry_takes_room(&out));
    assert_int_equal(entry_time_ms(&out), 99);
    entry.call.outcome = 0; /* it has ended, and somehow */
    entry_encode(&entry, bytes);
    struct store_value value = {.bytes = bytes, .count = count};
    assert_int_equal(decode_entry(value, &out), -EBADMSG);
}

static void
payloads(void **state)
{
    (void)state;
    unsigned char bytes[BYTES_MAX];
    struct payload payload = {.kind = PAYLOAD_CALL,
                              .call = {.step = PAYLOAD_CALL_ENDED, .callee = 12, .call = a_call}};
    struct payload out;
    size_t count = payload_bytes(&payload);
    payload_encode(&payload, bytes);
    check_strict(decode_payload, bytes, count, &out);
    assert_int_equal(out.call.callee, 12);
    check_call(&out.call.call);
    size_t step = RECORD_HEADER_BYTES + 1;
    check_refused(decode_payload, bytes, count, step, 0);
    check_refused(decode_payload, bytes, count, step, PAYLOAD_CALL_ENDED + 1);
    check_refused(decode_payload, bytes, count, step, PAYLOAD_CALL_END_ASKED); /* for no reason */
    check_refused(decode_payload, bytes, count, step + 1, STORE_CALL_HANG_UP);
    check_refused(decode_payload, bytes, count, step + 2, 2);
}

static void
wakes(void **state)
{
    (void)state;
    struct store_entry_call call = a_call;
    assert_false(entry_call_wakes(9, &call));
    call.answered_at_ms = 0;
    call.outcome = STORE_CALL_MISSED;
    assert_true(entry_call_wakes(9, &call));
    assert_false(entry_call_wakes(7, &call));
    call.outcome = STORE_CALL_DECLINED;
    assert_false(entry_call_wakes(9, &call));
    call.state = STORE_CALL_RINGING;
    assert_true(entry_call_wakes(9, &call));
    call.state = STORE_CALL_ANSWERED;
    assert_false(entry_call_wakes(9, &call));
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("the calls of a user survive encoding, and nothing else does", records),
        SPEC("so does an entry about a call", entries),
        SPEC("so does what partitions tell each other of it", payloads),
        SPEC("who is called, or was and did not hear it, is woken; nobody else is", wakes),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
