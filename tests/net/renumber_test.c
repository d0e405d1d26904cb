/* SPDX-License-Identifier: Apache-2.0 */
#include "net/renumber.h"

#include <string.h>

#include "tests/net/frames.h"
#include "tests/spec.h"

enum { FRAME_BYTES_MAX = 24 << 10 };

struct frame {
    unsigned char bytes[FRAME_BYTES_MAX];
    size_t count;
};

static void
encode(enum protocol_form form, const ProtobufCMessage *message, struct frame *out)
{
    assert_int_equal(protocol_encode(form, message, out->bytes, sizeof out->bytes, &out->count), 0);
}

static const Linnet__V1__ServerFrame *
sample(size_t index)
{
    return (const Linnet__V1__ServerFrame *)(const void *)server_frames[index].message;
}

/* A message with one number, and the same with another, as the encoder writes it. */
static void
expect_renumbered(enum protocol_form form, const Linnet__V1__NewMessage *message, uint64_t before,
                  uint64_t number, bool fits)
{
    static struct frame old;
    static struct frame new;
    size_t at = 0;
    size_t bytes = 0;
    Linnet__V1__NewMessage event = *message;
    Linnet__V1__ServerFrame frame = LINNET__V1__SERVER_FRAME__INIT;
    frame.event_case = LINNET__V1__SERVER_FRAME__EVENT_NEW_MESSAGE;
    frame.new_message = &event;
    event.inbox_number = before;
    encode(form, &frame.base, &old);
    assert_false(renumber_find(form, old.bytes, old.count, before + 1, &at, &bytes));
    assert_false(renumber_find(form, old.bytes, old.count, before / 10, &at, &bytes));
    assert_true(renumber_find(form, old.bytes, old.count, before, &at, &bytes));
    assert_int_equal(renumber(form, old.bytes + at, bytes, number), fits);
    event.inbox_number = fits ? number : before;
    encode(form, &frame.base, &new);
    assert_int_equal(old.count, new.count);
    assert_memory_equal(old.bytes, new.bytes, new.count);
}

static void
what_is_renumbered_is_what_the_encoder_writes(void **state)
{
    unsigned messages = 0;
    (void)state;
    for (size_t i = 0; i < server_frames_count; i++) {
        const Linnet__V1__ServerFrame *frame = sample(i);
        if (frame->event_case != LINNET__V1__SERVER_FRAME__EVENT_NEW_MESSAGE) {
            continue;
        }
        messages++;
        for (int form = PROTOCOL_BINARY; form <= PROTOCOL_JSON; form++) {
            expect_renumbered(form, frame->new_message, 900000000000001, 900000000000002, true);
            expect_renumbered(form, frame->new_message, 900000000000001, 600000000000000, true);
            expect_renumbered(form, frame->new_message, 1, 9, true);
            expect_renumbered(form, frame->new_message, 127, 128, form == PROTOCOL_JSON);
            expect_renumbered(form, frame->new_message, 99, 100, form == PROTOCOL_BINARY);
            expect_renumbered(form, frame->new_message, 5, UINT64_C(1) << 52, false);
        }
    }
    assert_true(messages > 0);
}

static void
a_frame_without_the_number_has_none(void **state)
{
    static struct frame frame;
    size_t at;
    size_t bytes;
    (void)state;
    for (size_t i = 0; i < server_frames_count; i++) {
        bool has = strstr(server_frames[i].json, ":{\"inboxNumber\":") != NULL;
        for (int form = PROTOCOL_BINARY; !has && form <= PROTOCOL_JSON; form++) {
            encode(form, server_frames[i].message, &frame);
            assert_false(
                renumber_find(form, frame.bytes, frame.count, UINT64_C(1) << 51, &at, &bytes));
        }
    }
}

static void
a_frame_that_is_cut_has_none(void **state)
{
    static struct frame frame;
    size_t at;
    size_t bytes;
    (void)state;
    Linnet__V1__NewMessage event = LINNET__V1__NEW_MESSAGE__INIT;
    event.inbox_number = 900000000000001;
    event.chat_number = 1;
    Linnet__V1__ServerFrame whole = LINNET__V1__SERVER_FRAME__INIT;
    whole.event_case = LINNET__V1__SERVER_FRAME__EVENT_NEW_MESSAGE;
    whole.new_message = &event;
    for (int form = PROTOCOL_BINARY; form <= PROTOCOL_JSON; form++) {
        encode(form, &whole.base, &frame);
        assert_true(renumber_find(form, frame.bytes, frame.count, event.inbox_number, &at, &bytes));
        for (size_t count = 0; count <= at + bytes; count++) {
            size_t found_at;
            size_t found_bytes;
            assert_false(renumber_find(form, frame.bytes, count, event.inbox_number, &found_at,
                                       &found_bytes));
        }
    }
}

int
main(void)
{
    const struct CMUnitTest specs[] = {
        SPEC("what is renumbered is what the encoder writes",
             what_is_renumbered_is_what_the_encoder_writes),
        SPEC("a frame without the number has none", a_frame_without_the_number_has_none),
        SPEC("a frame that is cut has none", a_frame_that_is_cut_has_none),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
