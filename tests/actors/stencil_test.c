/* SPDX-License-Identifier: Apache-2.0 */
#include "actors/stencil.h"

#include "tests/spec.h"

#include <stdio.h>
#include <string.h>

enum { GROUPS = 100 };

struct frame {
    unsigned char bytes[8192];
    size_t count;
};

/* What a connection would send of it. */
static void
encode(enum protocol_form form, const struct store_entry *entry, struct frame *out)
{
    Linnet__V1__MessageId id = LINNET__V1__MESSAGE_ID__INIT;
    id.user_id = entry->message.sender;
    id.number = entry->message.sender_number;
    Linnet__V1__Chat chat = LINNET__V1__CHAT__INIT;
    chat.peer_case = LINNET__V1__CHAT__PEER_GROUP_ID;
    chat.group_id = entry->peer;
    Linnet__V1__NewMessage event = LINNET__V1__NEW_MESSAGE__INIT;
    event.inbox_number = entry->number;
    event.id = &id;
    event.chat = &chat;
    event.chat_number = entry->message.chat_number;
    event.server_time_ms = entry->message.time_ms;
    event.body_case = LINNET__V1__NEW_MESSAGE__BODY_TEXT;
    event.text = (char *)(uintptr_t)entry->message.body;
    Linnet__V1__ServerFrame frame = LINNET__V1__SERVER_FRAME__INIT;
    frame.event_case = LINNET__V1__SERVER_FRAME__EVENT_NEW_MESSAGE;
    frame.new_message = &event;
    assert_int_equal(protocol_encode(form, &frame.base, out->bytes, sizeof out->bytes, &out->count),
                     0);
}

static struct store_entry
entry_of(uint64_t group, uint64_t chat_number, uint64_t number, const char *text)
{
    return (struct store_entry){
        .number = number,
        .peer = group,
        .kind = STORE_ENTRY_GROUP_MESSAGE,
        .message = {.sender = 7,
                    .sender_number = 3,
                    .sender_device = 1,
                    .chat_number = chat_number,
                    .time_ms = 1795342811993,
                    .body_kind = LINNET__V1__NEW_MESSAGE__BODY_TEXT,
                    .sender_name = "alice",
                    .sender_name_bytes = 5,
                    .body = (const unsigned char *)text,
                    .body_bytes = (uint32_t)strlen(text) + 1},
    };
}

static void
keep(enum protocol_form form, const struct store_entry *entry)
{
    static struct frame frame;
    encode(form, entry, &frame);
    stencil_keep(form, entry, frame.bytes, frame.count);
}

static void
expect_same(enum protocol_form form, const struct store_entry *entry)
{
    static struct frame frame;
    const struct stencil *stencil = stencil_find(form, entry);
    assert_non_null(stencil);
    encode(form, entry, &frame);
    assert_int_equal(stencil->frame_bytes, frame.count);
    assert_memory_equal(stencil->frame, frame.bytes, frame.count);
}

static void
every_member_gets_what_would_be_encoded_for_him(void **state)
{
    char text[64] = "It's me again, \"Bob\"";
    (void)state;
    for (int form = PROTOCOL_BINARY; form <= PROTOCOL_JSON; form++) {
        struct store_entry entry = entry_of(900, 5, 912286315184129, text);
        assert_null(stencil_find(form, &entry));
        keep(form, &entry);
        expect_same(form, &entry);
        for (unsigned i = 1; i <= 300; i++) {
            entry.number += 7;
            expect_same(form, &entry);
        }
    }
    memset(text, 'x', sizeof text); /* it was copied */
    struct store_entry entry = entry_of(900, 5, 912286315184129, "It's me again, \"Bob\"");
    expect_same(PROTOCOL_BINARY, &entry);
    expect_same(PROTOCOL_JSON, &entry);
}

static void
what_is_said_otherwise_is_another(void **state)
{
    (void)state;
    struct store_entry entry = entry_of(901, 5, 912286315184129, "first");
    struct store_entry others[16];
    unsigned count = 0;
    keep(PROTOCOL_BINARY, &entry);
    for (; count < 16; count++) {
        others[count] = entry;
    }
    count = 0;
    others[count++].peer++;
    others[count++].message.chat_number++;
    others[count++].message.sender++;
    others[count++].message.sender_number++;
    others[count++].message.sender_device++;
    others[count++].message.time_ms++;
    others[count++].message.expires_at_ms++;
    others[count++].message.body_kind++;
    others[count++].message.content_kind++;
    others[count++].message.deleted = true;
    others[count++].message.edited = true;
    others[count++].message.body = (const unsigned char *)"First";
    others[count++].message.sender_name = "Alice";
    others[count++].message.body_bytes--;
    others[count++].message.sender_name_bytes--;
    others[count].message.attachments = (const unsigned char *)"a";
    others[count++].message.attachments_bytes = 1;
    assert_int_equal(count, 16);
    for (unsigned i = 0; i < count; i++) {
        assert_null(stencil_find(PROTOCOL_BINARY, &others[i]));
    }
    assert_null(stencil_find(PROTOCOL_JSON, &entry));
    expect_same(PROTOCOL_BINARY, &entry);
}

static void
a_number_of_another_length_is_encoded_anew(void **state)
{
    (void)state;
    struct store_entry entry = entry_of(902, 5, 99, "hello");
    keep(PROTOCOL_JSON, &entry);
    entry.number = 100;
    assert_null(stencil_find(PROTOCOL_JSON, &entry));
    entry.number = 98;
    expect_same(PROTOCOL_JSON, &entry);
}

static void
what_is_long_is_not_kept(void **state)
{
    static char text[STENCIL_BYTES + 1];
    (void)state;
    memset(text, 'x', STENCIL_BYTES);
    struct store_entry entry = entry_of(903, 5, 912286315184129, text);
    keep(PROTOCOL_BINARY, &entry);
    assert_null(stencil_find(PROTOCOL_BINARY, &entry));
}

static void
many_groups_never_get_each_others(void **state)
{
    static char texts[GROUPS][32];
    unsigned found = 0;
    (void)state;
    for (unsigned i = 0; i < GROUPS; i++) {
        (void)snprintf(texts[i], sizeof texts[i], "of group %u", i);
        struct store_entry entry = entry_of(1000 + i, 1, 912286315184129 + i, texts[i]);
        keep(PROTOCOL_BINARY, &entry);
    }
    for (unsigned i = 0; i < GROUPS; i++) {
        struct store_entry entry = entry_of(1000 + i, 1, 912286315184999 + i, texts[i]);
        if (stencil_find(PROTOCOL_BINARY, &entry) != NULL) {
            expect_same(PROTOCOL_BINARY, &entry);
            found++;
        }
    }
    assert_in_range(found, 1, GROUPS - 1);
}

int
main(void)
{
    const struct CMUnitTest specs[] = {
        SPEC("every member gets what would be encoded for him",
             every_member_gets_what_would_be_encoded_for_him),
        SPEC("what is said otherwise is another", what_is_said_otherwise_is_another),
        SPEC("a number of another length is encoded anew",
             a_number_of_another_length_is_encoded_anew),
        SPEC("what is long is not kept", what_is_long_is_not_kept),
        SPEC("many groups never get each other's", many_groups_never_get_each_others),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
