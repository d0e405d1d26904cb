/* SPDX-License-Identifier: Apache-2.0 */
/* Reading is a loop over frames in two steps: frame_begin makes a header contiguous and judges it,
 * payload_gather takes what has arrived of a payload that does not lie whole in the input. Control
 * frames and whole messages never need the second step.
 *
 * What is cut in the middle is kept in the gather (gather.h). Invariants between two calls: no
 * gather exists unless a message or a tail is under way, or the last event points into it;
 * frame_left > 0 implies an open message and an empty tail.
 *
 * Every rule is judged when a header is complete, or a payload's bytes are, never on how many
 * arrived together: that is what makes events independent of the cuts. Text is checked as it
 * arrives, so bad text is refused early. */
#include "net/websocket.h"

#include "net/gather.h"
#include "net/utf8.h"

#include <errno.h>
#include <string.h>

/* What a step returns beside 0 (an event) and a negative errno: no event yet, and more may be in
 * the input. */
enum { STEP_ON = 1 };

_Static_assert(sizeof(struct websocket) <= 64, "an idle connection costs as little as possible");

/* ----------------------------------------------------------------------------------------- life */

void
websocket_init(struct websocket *ws, enum websocket_role role, const struct websocket_rules *rules)
{
    ASSERT(rules->message_bytes_max <= WEBSOCKET_MESSAGE_BYTES_MAX);
    *ws = (struct websocket){.rules = rules, .role = (uint8_t)role, .state = WEBSOCKET_OPEN};
}

void
websocket_fini(struct websocket *ws)
{
    gather_free(&ws->gather);
}

enum websocket_state
websocket_state(const struct websocket *ws)
{
    return (enum websocket_state)ws->state;
}

const char *
websocket_state_name(enum websocket_state state)
{
    switch (state) {
    case WEBSOCKET_OPEN:
        return "open";
    case WEBSOCKET_CLOSE_RECEIVED:
        return "close received";
    case WEBSOCKET_CLOSE_SENT:
        return "close sent";
    case WEBSOCKET_CLOSED:
        return "closed";
    }
    return "invalid";
}

size_t
websocket_held_bytes(const struct websocket *ws)
{
    return ws->gather == NULL ? 0 : sizeof(*ws->gather) + ws->gather->capacity;
}

static bool
reading(const struct websocket *ws)
{
    return ws->state == WEBSOCKET_OPEN || ws->state == WEBSOCKET_CLOSE_SENT;
}

static void
reading_end(struct websocket *ws)
{
    ws->state = ws->state == WEBSOCKET_OPEN ? WEBSOCKET_CLOSE_RECEIVED : WEBSOCKET_CLOSED;
}

/* ---------------------------------------------------------------------------------------- units */

static void
input_skip(struct websocket_input *input, size_t count)
{
    input->bytes += count;
    input->count -= count;
}

/* The next `want` bytes of the stream in one piece: in the input itself, where they stay until
 * input_skip, or in the tail when they began in an earlier input. -EAGAIN: not all there yet; what
 * there is was put into the tail. */
static int
unit_peek(struct websocket *ws, struct websocket_input *input, uint32_t want, unsigned char **out)
{
    uint32_t kept = gather_tail_bytes(ws->gather);
    if (kept == 0 && input->count >= want) {
        *out = input->bytes;
        return 0;
    }
    uint32_t missing = want > kept ? want - kept : 0;
    uint32_t take = input->count < missing ? (uint32_t)input->count : missing;
    if (take > 0) {
        struct gather_need need = {
            .now_bytes = take,
            .announced_bytes = missing,
            .message_bytes_max = ws->rules->message_bytes_max,
        };
        int result = gather_reserve(&ws->gather, &need);
        if (result < 0) {
            return result;
        }
        struct gather *gather = ws->gather;
        memcpy(gather->bytes + gather->message_bytes + kept, input->bytes, take);
        gather->tail_bytes = (uint8_t)(kept + take);
        input_skip(input, take);
    }
    if (take < missing) {
        return -EAGAIN;
    }
    *out = ws->gather->bytes + ws->gather->message_bytes;
    return 0;
}

/* --------------------------------------------------------------------------------------- events */

static int
event_error(struct websocket *ws, enum websocket_fault fault, struct websocket_event *out)
{
    reading_end(ws);
    gather_free(&ws->gather);
    *out = (struct websocket_event){
        .kind = WEBSOCKET_ERROR, .fault = fault, .code = websocket_fault_code(fault)};
    return 0;
}

static void
event_message(enum frame_opcode opcode, unsigned char *bytes, size_t count,
              struct websocket_event *out)
{
    *out = (struct websocket_event){
        .kind = opcode == FRAME_TEXT ? WEBSOCKET_TEXT : WEBSOCKET_BINARY,
        .bytes = bytes,
        .count = count,
    };
}

static enum websocket_fault
close_judge(const unsigned char *payload, size_t count)
{
    if (count == 0) {
        return WEBSOCKET_FAULT_NONE;
    }
    if (count == 1) {
        return WEBSOCKET_FAULT_CLOSE_TRUNCATED;
    }
    if (!websocket_code_valid((unsigned)payload[0] << 8 | payload[1])) {
        return WEBSOCKET_FAULT_CLOSE_CODE;
    }
    return utf8_valid(payload + 2, count - 2) ? WEBSOCKET_FAULT_NONE
                                              : WEBSOCKET_FAULT_REASON_NOT_UTF8;
}

static int
event_close(struct websocket *ws, unsigned char *payload, size_t count, struct websocket_event *out)
{
    enum websocket_fault fault = close_judge(payload, count);
    if (fault != WEBSOCKET_FAULT_NONE) {
        return event_error(ws, fault, out);
    }
    reading_end(ws);
    *out = (struct websocket_event){.kind = WEBSOCKET_CLOSE, .code = WEBSOCKET_CODE_NONE};
    if (count > 0) {
        out->code = (uint16_t)((unsigned)payload[0] << 8 | payload[1]);
        out->bytes = payload + 2;
        out->count = count - 2;
    }
    return 0;
}

/* -------------------------------------------------------------------------------------- reading */

static const enum websocket_fault verdict_faults[] = {
    [FRAME_OK] = WEBSOCKET_FAULT_NONE,
    [FRAME_RESERVED_BITS] = WEBSOCKET_FAULT_RESERVED_BITS,
    [FRAME_RESERVED_OPCODE] = WEBSOCKET_FAULT_RESERVED_OPCODE,
    [FRAME_CONTROL_FRAGMENTED] = WEBSOCKET_FAULT_CONTROL_FRAGMENTED,
    [FRAME_CONTROL_TOO_LONG] = WEBSOCKET_FAULT_CONTROL_TOO_LONG,
    [FRAME_LENGTH_NOT_MINIMAL] = WEBSOCKET_FAULT_LENGTH_NOT_MINIMAL,
    [FRAME_LENGTH_TOO_LARGE] = WEBSOCKET_FAULT_LENGTH_TOO_LARGE,
};

/* The rules of the conversation, for a header that is right by itself. */
static enum websocket_fault
header_judge(const struct websocket *ws, const struct frame_header *header)
{
    if (header->masked != (ws->role == WEBSOCKET_SERVER)) {
        return header->masked ? WEBSOCKET_FAULT_MASKED : WEBSOCKET_FAULT_NOT_MASKED;
    }
    if (frame_is_control(header->opcode)) {
        return WEBSOCKET_FAULT_NONE;
    }
    const struct gather *gather = ws->gather;
    bool message_open = gather_message_open(gather);
    if (message_open != (header->opcode == FRAME_CONTINUATION)) {
        return message_open ? WEBSOCKET_FAULT_MESSAGE_INTERRUPTED
                            : WEBSOCKET_FAULT_NOTHING_TO_CONTINUE;
    }
    if (header->opcode == FRAME_TEXT && ws->rules->text_refused) {
        return WEBSOCKET_FAULT_TEXT_REFUSED;
    }
    if (header->opcode == FRAME_BINARY && ws->rules->binary_refused) {
        return WEBSOCKET_FAULT_BINARY_REFUSED;
    }
    if (header->payload_bytes > ws->rules->frame_bytes_max) {
        return WEBSOCKET_FAULT_FRAME_TOO_BIG;
    }
    uint64_t message_bytes = message_open ? gather->message_bytes : 0;
    if (header->payload_bytes + message_bytes > ws->rules->message_bytes_max) {
        return WEBSOCKET_FAULT_MESSAGE_TOO_BIG;
    }
    return WEBSOCKET_FAULT_NONE;
}

static int
control_read(struct websocket *ws, struct websocket_input *input, const struct frame_header *header,
             struct websocket_event *out)
{
    uint32_t count = (uint32_t)header->payload_bytes;
    uint32_t header_bytes = header->masked ? 2 + FRAME_KEY_BYTES : 2;
    unsigned char *unit;
    int result = unit_peek(ws, input, header_bytes + count, &unit);
    if (result < 0) {
        return result;
    }
    if (unit == input->bytes) {
        input_skip(input, header_bytes + count);
    } else {
        ws->gather->lent = GATHER_LENT_TAIL;
    }
    unsigned char *payload = unit + header_bytes;
    if (header->masked) {
        frame_mask(payload, payload, count, header->key, 0);
    }
    if (header->opcode == FRAME_CLOSE) {
        return event_close(ws, payload, count, out);
    }
    *out = (struct websocket_event){
        .kind = header->opcode == FRAME_PING ? WEBSOCKET_PING : WEBSOCKET_PONG,
        .bytes = payload,
        .count = count,
    };
    return 0;
}

/* A message of one frame that lies whole in the input: unmasked where it is. */
static int
whole_read(struct websocket *ws, struct websocket_input *input, const struct frame_header *header,
           struct websocket_event *out)
{
    unsigned char *payload = input->bytes;
    size_t count = (size_t)header->payload_bytes;
    input_skip(input, count);
    if (header->masked) {
        frame_mask(payload, payload, count, header->key, 0);
    }
    if (header->opcode == FRAME_TEXT && !utf8_valid(payload, count)) {
        return event_error(ws, WEBSOCKET_FAULT_TEXT_NOT_UTF8, out);
    }
    event_message(header->opcode, payload, count, out);
    return 0;
}

/* The current frame of a gathered message is all there. */
static int
frame_end(struct websocket *ws, struct websocket_event *out)
{
    struct gather *gather = ws->gather;
    if (!gather->fin) {
        return STEP_ON;
    }
    if (gather->opcode == FRAME_TEXT && !utf8_complete(&gather->utf8)) {
        return event_error(ws, WEBSOCKET_FAULT_TEXT_NOT_UTF8, out);
    }
    gather->lent = GATHER_LENT_MESSAGE;
    event_message((enum frame_opcode)gather->opcode, gather->bytes, gather->message_bytes, out);
    return 0;
}

static int
payload_gather(struct websocket *ws, struct websocket_input *input, struct websocket_event *out)
{
    struct gather *gather = ws->gather;
    uint32_t left = gather->frame_left;
    uint32_t take = input->count < left ? (uint32_t)input->count : left;
    if (take == 0) {
        return -EAGAIN;
    }
    struct gather_need need = {
        .now_bytes = take,
        .announced_bytes = left,
        .message_bytes_max = ws->rules->message_bytes_max,
        .last = gather->fin,
    };
    int result = gather_reserve(&ws->gather, &need);
    if (result < 0) {
        return result;
    }
    gather = ws->gather;
    unsigned char *at = gather->bytes + gather->message_bytes;
    if (ws->role == WEBSOCKET_SERVER) {
        frame_mask(at, input->bytes, take, gather->key, gather->frame_bytes - left);
    } else {
        memcpy(at, input->bytes, take);
    }
    input_skip(input, take);
    gather->message_bytes += take;
    gather->frame_left -= take;
    if (gather->opcode == FRAME_TEXT && !utf8_feed(&gather->utf8, at, take)) {
        return event_error(ws, WEBSOCKET_FAULT_TEXT_NOT_UTF8, out);
    }
    return gather->frame_left == 0 ? frame_end(ws, out) : -EAGAIN;
}

/* A frame whose payload is cut, or that is a fragment: opens or continues the gathered message. */
static int
gather_begin(struct websocket *ws, const struct frame_header *header, struct websocket_event *out)
{
    struct gather *gather = ws->gather;
    gather->tail_bytes = 0;
    if (header->opcode != FRAME_CONTINUATION) {
        gather->opcode = (uint8_t)header->opcode;
        gather->utf8 = (struct utf8){0};
    }
    gather->fin = header->fin;
    gather->frame_bytes = (uint32_t)header->payload_bytes;
    gather->frame_left = gather->frame_bytes;
    memcpy(gather->key, header->key, FRAME_KEY_BYTES);
    return gather->frame_left == 0 ? frame_end(ws, out) : STEP_ON;
}

static int
data_read(struct websocket *ws, struct websocket_input *input, size_t header_bytes,
          const struct frame_header *header, struct websocket_event *out)
{
    bool from_tail = gather_tail_bytes(ws->gather) > 0;
    size_t ahead = from_tail ? 0 : header_bytes;
    bool whole = header->fin && header->opcode != FRAME_CONTINUATION &&
                 header->payload_bytes <= input->count - ahead;
    if (whole) {
        if (from_tail) {
            ws->gather->tail_bytes = 0;
        }
        input_skip(input, ahead);
        return whole_read(ws, input, header, out);
    }
    size_t arrived = input->count - ahead;
    struct gather_need need = {
        .now_bytes = (uint32_t)(arrived < header->payload_bytes ? arrived : header->payload_bytes),
        .announced_bytes = (uint32_t)header->payload_bytes,
        .message_bytes_max = ws->rules->message_bytes_max,
        .last = header->fin,
    };
    int result = gather_reserve(&ws->gather, &need);
    if (result < 0) {
        return result;
    }
    input_skip(input, ahead);
    return gather_begin(ws, header, out);
}

static int
frame_begin(struct websocket *ws, struct websocket_input *input, struct websocket_event *out)
{
    unsigned char *unit;
    int result = unit_peek(ws, input, 2, &unit);
    if (result < 0) {
        return result;
    }
    uint32_t header_bytes = (uint32_t)frame_header_bytes(unit);
    result = unit_peek(ws, input, header_bytes, &unit);
    if (result < 0) {
        return result;
    }
    struct frame_header header;
    enum websocket_fault fault = verdict_faults[frame_header_decode(unit, &header)];
    if (fault == WEBSOCKET_FAULT_NONE) {
        fault = header_judge(ws, &header);
    }
    if (fault != WEBSOCKET_FAULT_NONE) {
        return event_error(ws, fault, out);
    }
    if (frame_is_control(header.opcode)) {
        return control_read(ws, input, &header, out);
    }
    return data_read(ws, input, header_bytes, &header, out);
}

int
websocket_next(struct websocket *ws, struct websocket_input *input, struct websocket_event *out)
{
    gather_settle(&ws->gather);
    if (!reading(ws)) {
        gather_free(&ws->gather);
    }
    while (reading(ws)) {
        bool payload_open = ws->gather != NULL && ws->gather->frame_left > 0;
        int result = payload_open ? payload_gather(ws, input, out) : frame_begin(ws, input, out);
        if (result != STEP_ON) {
            return result;
        }
    }
    input_skip(input, input->count);
    return -EAGAIN;
}

/* -------------------------------------------------------------------------------------- writing */

/* A frame in one piece, as this end must send it. */
static size_t
header_write(const struct websocket *ws, enum frame_opcode opcode, uint64_t payload_bytes,
             const unsigned char *key, unsigned char *out)
{
    struct frame_header header = {
        .payload_bytes = payload_bytes,
        .opcode = opcode,
        .fin = true,
        .masked = ws->role == WEBSOCKET_CLIENT,
    };
    if (header.masked) {
        memcpy(header.key, key, FRAME_KEY_BYTES);
    }
    return frame_header_encode(&header, out);
}

static void
payload_write(unsigned char *out, const unsigned char *payload, size_t count,
              const unsigned char *key)
{
    if (key != NULL) {
        frame_mask(out, payload, count, key, 0);
    } else if (count > 0) {
        memcpy(out, payload, count);
    }
}

int
websocket_header_encode(const struct websocket *ws, enum frame_opcode opcode,
                        uint64_t payload_bytes, const unsigned char *key,
                        unsigned char out[FRAME_HEADER_BYTES_MAX])
{
    ASSERT((key != NULL) == (ws->role == WEBSOCKET_CLIENT));
    ASSERT(opcode != FRAME_CLOSE && opcode != FRAME_CONTINUATION);
    ASSERT(payload_bytes <= FRAME_CONTROL_PAYLOAD_MAX || !frame_is_control(opcode));
    if (ws->state != WEBSOCKET_OPEN) {
        return -EPIPE;
    }
    return (int)header_write(ws, opcode, payload_bytes, key, out);
}

int
websocket_pong_encode(const struct websocket *ws, const struct websocket_event *ping,
                      const unsigned char *key, unsigned char out[WEBSOCKET_CONTROL_BYTES_MAX])
{
    ASSERT(ping->kind == WEBSOCKET_PING);
    int header_bytes = websocket_header_encode(ws, FRAME_PONG, ping->count, key, out);
    if (header_bytes < 0) {
        return header_bytes;
    }
    payload_write(out + header_bytes, ping->bytes, ping->count, key);
    return header_bytes + (int)ping->count;
}

/* How much of the reason fits, cut between two characters. */
static size_t
reason_fit(const char *reason)
{
    size_t count = strnlen(reason, WEBSOCKET_REASON_BYTES_MAX + 1);
    if (count <= WEBSOCKET_REASON_BYTES_MAX) {
        return count;
    }
    count = WEBSOCKET_REASON_BYTES_MAX;
    while (count > 0 && ((unsigned char)reason[count] & 0xc0) == 0x80) {
        count--;
    }
    return count;
}

int
websocket_close_encode(struct websocket *ws, uint16_t code, const char *reason,
                       const unsigned char *key, unsigned char out[WEBSOCKET_CONTROL_BYTES_MAX])
{
    ASSERT((key != NULL) == (ws->role == WEBSOCKET_CLIENT));
    ASSERT(code == WEBSOCKET_CODE_NONE || websocket_code_valid(code));
    if (ws->state == WEBSOCKET_CLOSE_SENT || ws->state == WEBSOCKET_CLOSED) {
        return -EPIPE;
    }
    unsigned char payload[FRAME_CONTROL_PAYLOAD_MAX];
    size_t count = 0;
    if (code != WEBSOCKET_CODE_NONE) {
        payload[0] = (unsigned char)(code >> 8);
        payload[1] = (unsigned char)code;
        size_t reason_bytes = reason == NULL ? 0 : reason_fit(reason);
        memcpy(payload + 2, reason == NULL ? "" : reason, reason_bytes);
        count = 2 + reason_bytes;
    }
    size_t header_bytes = header_write(ws, FRAME_CLOSE, count, key, out);
    payload_write(out + header_bytes, payload, count, key);
    ws->state = ws->state == WEBSOCKET_OPEN ? WEBSOCKET_CLOSE_SENT : WEBSOCKET_CLOSED;
    return (int)(header_bytes + count);
}
