/* SPDX-License-Identifier: Apache-2.0 */
#include "actors/message_handle.h"
#include "tests/spec.h"

#include <string.h>

static struct message_handle_keys keys;
static const struct message_handle_facts facts = {.recipient = 2,
                                                  .sender = 1,
                                                  .chat_number = 17,
                                                  .time_ms = 1780000000000,
                                                  .entry = 900000000001,
                                                  .expires_at_ms = 1780000060000};

static int
begin(void **state)
{
    (void)state;
    message_handle_keys_derive(&keys, "a secret of thirty-two bytes ...", 32);
    return 0;
}

static void
opens_for_what_it_was_made(void **state)
{
    (void)state;
    unsigned char handle[MESSAGE_HANDLE_BYTES];
    struct message_handle_facts asked = facts;
    message_handle_make(&keys, &facts, handle);
    asked.entry = 0;
    asked.expires_at_ms = 0;
    assert_true(message_handle_open(&keys, handle, sizeof handle, &asked));
    assert_int_equal(asked.entry, facts.entry);
    assert_int_equal(asked.expires_at_ms, facts.expires_at_ms);
}

static void
opens_for_nothing_else(void **state)
{
    (void)state;
    unsigned char handle[MESSAGE_HANDLE_BYTES];
    message_handle_make(&keys, &facts, handle);
    const struct message_handle_facts others[] = {
        {.recipient = 3, .sender = 1, .chat_number = 17, .time_ms = facts.time_ms},
        {.recipient = 2, .sender = 3, .chat_number = 17, .time_ms = facts.time_ms},
        {.recipient = 1, .sender = 2, .chat_number = 17, .time_ms = facts.time_ms},
        {.recipient = 2, .sender = 1, .chat_number = 18, .time_ms = facts.time_ms},
        {.recipient = 2, .sender = 1, .chat_number = 17, .time_ms = facts.time_ms + 1},
    };
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        struct message_handle_facts asked = others[i];
        assert_false(message_handle_open(&keys, handle, sizeof handle, &asked));
    }
}

static void
is_spoilt_by_any_bit(void **state)
{
    (void)state;
    unsigned char handle[MESSAGE_HANDLE_BYTES + 1] = {0};
    message_handle_make(&keys, &facts, handle);
    for (unsigned bit = 0; bit < 8 * MESSAGE_HANDLE_BYTES; bit++) {
        struct message_handle_facts asked = facts;
        handle[bit / 8] ^= (unsigned char)(1u << bit % 8);
        assert_false(message_handle_open(&keys, handle, MESSAGE_HANDLE_BYTES, &asked));
        handle[bit / 8] ^= (unsigned char)(1u << bit % 8);
    }
    struct message_handle_facts asked = facts;
    assert_false(message_handle_open(&keys, handle, MESSAGE_HANDLE_BYTES - 1, &asked));
    assert_false(message_handle_open(&keys, handle, MESSAGE_HANDLE_BYTES + 1, &asked));
    assert_false(message_handle_open(&keys, NULL, 0, &asked));
    assert_true(message_handle_open(&keys, handle, MESSAGE_HANDLE_BYTES, &asked));
}

static void
belongs_to_its_node(void **state)
{
    (void)state;
    unsigned char handle[MESSAGE_HANDLE_BYTES];
    struct message_handle_keys others;
    struct message_handle_facts asked = facts;
    message_handle_keys_derive(&others, "another one of as many bytes ...", 32);
    message_handle_make(&others, &facts, handle);
    assert_false(message_handle_open(&keys, handle, sizeof handle, &asked));
}

/* How much somebody is written to is nobody's business. */
static void
does_not_show_the_entry(void **state)
{
    (void)state;
    unsigned char first[MESSAGE_HANDLE_BYTES];
    unsigned char second[MESSAGE_HANDLE_BYTES];
    struct message_handle_facts next = facts;
    next.entry++;
    message_handle_make(&keys, &facts, first);
    message_handle_make(&keys, &next, second);
    unsigned same = 0;
    for (unsigned i = 8; i < 16; i++) {
        same += first[i] == second[i];
    }
    assert_true(same < 4);
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("a handle opens for what it was made for, and tells the entry",
             opens_for_what_it_was_made),
        SPEC("for another author, recipient, number or time it does not", opens_for_nothing_else),
        SPEC("any other bit or length spoils it", is_spoilt_by_any_bit),
        SPEC("another node's is none", belongs_to_its_node),
        SPEC("the entry's number can't be read from it", does_not_show_the_entry),
    };
    return cmocka_run_group_tests(specs, begin, NULL);
}
