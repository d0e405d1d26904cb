/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/bench/evil.h"

#include "net/protocol.h"

#include <string.h>

enum { AHEAD = 1000 /* more messages than a generator has under way */ };

/* Far above what a device gets to, and below the node's own numbers. */
static const uint64_t other_id = (uint64_t)1 << 51;

static const char *const names[EVIL_KINDS] = {
    "honest",     "lose",      "duplicate",  "repeat",       "swap",         "corrupt",
    "tick-early", "tick-back", "tick-never", "answer-twice", "answer-never",
};

const char *
evil_kind_name(enum evil_kind kind)
{
    return names[kind];
}

bool
evil_kind_parse(const char *name, enum evil_kind *out)
{
    for (unsigned i = 0; i < EVIL_KINDS; i++) {
        if (strcmp(names[i], name) == 0) {
            *out = (enum evil_kind)i;
            return true;
        }
    }
    return false;
}

void
evil_init(struct evil *evil, enum evil_kind kind, uint64_t every)
{
    *evil = (struct evil){.kind = kind, .every = every};
}

void
evil_line_init(struct evil_line *line)
{
    memset(line, 0, sizeof *line);
}

/* So many chances went by. True: it is time for a deed. */
static bool
tempted(struct evil *evil, uint64_t chances)
{
    evil->passed += chances;
    if (evil->passed < evil->every) {
        return false;
    }
    evil->passed = 0;
    evil->deeds++;
    return true;
}

/* --------------------------------------------------------------------------------------- copies */

/* A frame of its own with the same contents, as if it had been sent. */
static Linnet__V1__ServerFrame *
frame_copy(const Linnet__V1__ServerFrame *frame, struct arena *arena)
{
    size_t bytes = protocol_encoded_bytes(PROTOCOL_BINARY, &frame->base);
    unsigned char *text = arena_alloc(arena, bytes);
    ASSERT(text != NULL);
    bytes = linnet__v1__server_frame__pack(frame, text);
    struct protocol_decoder decoder = {.form = PROTOCOL_BINARY, .arena = arena};
    struct protocol_error error;
    Linnet__V1__ServerFrame *copy = NULL;
    int rc = protocol_decode_server(&decoder, text, bytes, &copy, &error);
    ASSERT(rc == 0);
    return copy;
}

static void
line_hold(struct evil_line *line, const Linnet__V1__ServerFrame *frame)
{
    size_t bytes = linnet__v1__server_frame__get_packed_size(frame);
    ASSERT(bytes <= sizeof line->held && line->held_bytes == 0);
    line->held_bytes = linnet__v1__server_frame__pack(frame, line->held);
}

static Linnet__V1__ServerFrame *
line_release(struct evil_line *line, struct arena *arena)
{
    struct protocol_decoder decoder = {.form = PROTOCOL_BINARY, .arena = arena};
    struct protocol_error error;
    Linnet__V1__ServerFrame *frame = NULL;
    int rc = protocol_decode_server(&decoder, line->held, line->held_bytes, &frame, &error);
    ASSERT(rc == 0);
    line->held_bytes = 0;
    return frame;
}

/* ---------------------------------------------------------------------------------------- deeds */

/* Shown once more, behind itself. */
static void
message_double(struct evil *evil, struct evil_line *line, struct arena *arena,
               Linnet__V1__ServerFrame *out[EVIL_EVENTS_MAX], size_t *out_count)
{
    Linnet__V1__ServerFrame *again = frame_copy(out[0], arena);
    line->shift++;
    again->new_message->inbox_number++;
    if (evil->kind == EVIL_DUPLICATE) {
        again->new_message->id->number |= other_id;
    }
    out[(*out_count)++] = again;
}

/* The text's last byte, which is padding, is another. */
static void
message_corrupt(Linnet__V1__NewMessage *message)
{
    size_t bytes =
        message->body_case == LINNET__V1__NEW_MESSAGE__BODY_TEXT ? strlen(message->text) : 0;
    if (bytes > 0) {
        message->text[bytes - 1] = message->text[bytes - 1] == '!' ? '?' : '!';
    }
}

/* The message that was held comes behind this one, each under the other's inbox number. */
static void
message_swap(struct evil_line *line, struct arena *arena,
             Linnet__V1__ServerFrame *out[EVIL_EVENTS_MAX], size_t *out_count)
{
    Linnet__V1__ServerFrame *held = line_release(line, arena);
    uint64_t earlier = held->new_message->inbox_number;
    held->new_message->inbox_number = out[0]->new_message->inbox_number;
    out[0]->new_message->inbox_number = earlier;
    out[(*out_count)++] = held;
}

static void
message_event(struct evil *evil, struct evil_line *line, struct arena *arena,
              Linnet__V1__ServerFrame *out[EVIL_EVENTS_MAX], size_t *out_count)
{
    if (line->held_bytes > 0) {
        message_swap(line, arena, out, out_count);
        return;
    }
    bool message_kind = evil->kind == EVIL_LOSE || evil->kind == EVIL_DUPLICATE ||
                        evil->kind == EVIL_REPEAT || evil->kind == EVIL_SWAP ||
                        evil->kind == EVIL_CORRUPT;
    if (!message_kind || !tempted(evil, 1)) {
        return;
    }
    switch ((int)evil->kind) {
    case EVIL_LOSE:
        *out_count = 0;
        break;
    case EVIL_DUPLICATE:
    case EVIL_REPEAT:
        message_double(evil, line, arena, out, out_count);
        break;
    case EVIL_SWAP:
        line_hold(line, out[0]);
        *out_count = 0;
        break;
    default:
        message_corrupt(out[0]->new_message);
    }
}

static void
receipts_event(struct evil *evil, struct evil_line *line, Linnet__V1__Receipts *receipts,
               size_t *out_count)
{
    bool receipts_kind = evil->kind == EVIL_TICK_EARLY || evil->kind == EVIL_TICK_BACK ||
                         evil->kind == EVIL_TICK_NEVER;
    uint64_t before = line->delivered_last;
    uint64_t ticked = receipts->delivered > before ? receipts->delivered - before : 0;
    line->delivered_last = receipts->delivered;
    /* A cursor can only go back when there is something to go back from. */
    if (receipts_kind && !line->mute && before > 1 && tempted(evil, ticked)) {
        if (evil->kind == EVIL_TICK_EARLY) {
            receipts->delivered += AHEAD;
        } else if (evil->kind == EVIL_TICK_BACK) {
            receipts->delivered = before - 1;
            receipts->read =
                receipts->read < receipts->delivered ? receipts->read : receipts->delivered;
        } else {
            line->mute = true;
        }
    }
    if (line->mute) {
        *out_count = 0;
    }
}

static void
counts_event(struct evil *evil, Linnet__V1__GroupReceipts *receipts)
{
    if (evil->kind == EVIL_TICK_EARLY && receipts->n_counts > 0 &&
        tempted(evil, receipts->n_counts)) {
        receipts->counts[0]->delivered += AHEAD;
    }
}

static void
answer_event(struct evil *evil, struct arena *arena, Linnet__V1__ServerFrame *out[EVIL_EVENTS_MAX],
             size_t *out_count)
{
    bool answer_kind = evil->kind == EVIL_ANSWER_TWICE || evil->kind == EVIL_ANSWER_NEVER;
    if (!answer_kind || out[0]->answer->result_case != LINNET__V1__ANSWER__RESULT_SENT ||
        !tempted(evil, 1)) {
        return;
    }
    if (evil->kind == EVIL_ANSWER_NEVER) {
        *out_count = 0;
    } else {
        out[(*out_count)++] = frame_copy(out[0], arena);
    }
}

/* ------------------------------------------------------------------------------ the line's flow */

static void
shift_numbers(const struct evil_line *line, Linnet__V1__ServerFrame *frame)
{
    if (frame->event_case == LINNET__V1__SERVER_FRAME__EVENT_NEW_MESSAGE) {
        frame->new_message->inbox_number += line->shift;
    } else if (frame->event_case == LINNET__V1__SERVER_FRAME__EVENT_RECEIPTS) {
        frame->receipts->inbox_number += line->shift;
    } else if (frame->event_case == LINNET__V1__SERVER_FRAME__EVENT_CHAT_UPDATE) {
        frame->chat_update->inbox_number += line->shift;
    } else if (frame->event_case == LINNET__V1__SERVER_FRAME__EVENT_GROUP_RECEIPTS) {
        frame->group_receipts->inbox_number += line->shift;
    }
}

void
evil_event(struct evil *evil, struct evil_line *line, Linnet__V1__ServerFrame *frame,
           struct arena *arena, Linnet__V1__ServerFrame *out[EVIL_EVENTS_MAX], size_t *out_count)
{
    shift_numbers(line, frame);
    out[0] = frame;
    *out_count = 1;
    switch ((int)frame->event_case) {
    case LINNET__V1__SERVER_FRAME__EVENT_NEW_MESSAGE:
        message_event(evil, line, arena, out, out_count);
        break;
    case LINNET__V1__SERVER_FRAME__EVENT_RECEIPTS:
    case LINNET__V1__SERVER_FRAME__EVENT_GROUP_RECEIPTS:
        if (line->held_bytes > 0) {
            /* Numbers must rise: what was held goes first, and nothing was done. */
            out[0] = line_release(line, arena);
            out[1] = frame;
            *out_count = 2;
            evil->passed = evil->every;
            evil->deeds--;
        } else if (frame->event_case == LINNET__V1__SERVER_FRAME__EVENT_RECEIPTS) {
            receipts_event(evil, line, frame->receipts, out_count);
        } else {
            counts_event(evil, frame->group_receipts);
        }
        break;
    case LINNET__V1__SERVER_FRAME__EVENT_ANSWER:
        answer_event(evil, arena, out, out_count);
        break;
    default:
        break;
    }
}

void
evil_command(const struct evil_line *line, Linnet__V1__ClientFrame *frame)
{
    if (frame->command_case == LINNET__V1__CLIENT_FRAME__COMMAND_ACK &&
        frame->ack->inbox_number > line->shift) {
        frame->ack->inbox_number -= line->shift;
    }
}
