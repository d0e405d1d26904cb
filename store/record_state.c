/* SPDX-License-Identifier: Apache-2.0 */
#include "store/record_state.h"

struct store_key
record_key_state(uint8_t partition, uint64_t user, uint8_t kind, uint64_t subject)
{
    return (struct store_key){
        .partition = partition, .table = RECORD_STATE, .owner = user, .a = kind, .b = subject};
}

size_t
record_state_encode(const struct record_state *state, unsigned char out[RECORD_STATE_BYTES_MAX])
{
    struct cursor_out cursor;
    cursor_out_init(&cursor, out, RECORD_STATE_BYTES_MAX);
    record_begin(&cursor, RECORD_STATE);
    cursor_put_u64(&cursor, state->mark);
    cursor_put_u64(&cursor, state->quiet_until_ms);
    cursor_put_u32(&cursor, (uint32_t)state->value.count);
    cursor_put_bytes(&cursor, state->value.bytes, state->value.count);
    return cursor_out_end(&cursor);
}

int
record_state_decode(struct store_value value, struct record_state *out)
{
    struct record_state state;
    struct cursor_in in;
    cursor_in_init(&in, value.bytes, value.count);
    record_expect(&in, RECORD_STATE);
    state.mark = cursor_get_u64(&in);
    state.quiet_until_ms = cursor_get_u64(&in);
    state.value.count = cursor_get_u32(&in);
    state.value.bytes = cursor_get_bytes(&in, state.value.count);
    int error = cursor_in_end(&in);
    if (error == 0) {
        *out = state;
    }
    return error;
}

size_t
record_state_sum_encode(const struct record_state_sum *sum, unsigned char out[RECORD_BYTES_MAX])
{
    struct cursor_out cursor;
    cursor_out_init(&cursor, out, RECORD_BYTES_MAX);
    record_begin(&cursor, RECORD_STATE_SUM);
    cursor_put_u32(&cursor, sum->states);
    cursor_put_u32(&cursor, sum->bytes);
    return cursor_out_end(&cursor);
}

int
record_state_sum_decode(struct store_value value, struct record_state_sum *out)
{
    struct record_state_sum sum;
    struct cursor_in in;
    cursor_in_init(&in, value.bytes, value.count);
    record_expect(&in, RECORD_STATE_SUM);
    sum.states = cursor_get_u32(&in);
    sum.bytes = cursor_get_u32(&in);
    int error = cursor_in_end(&in);
    if (error == 0) {
        *out = sum;
    }
    return error;
}
