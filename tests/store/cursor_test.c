/* SPDX-License-Identifier: Apache-2.0 */
#include "store/cursor.h"
#include "tests/spec.h"

#include <errno.h>
#include <string.h>

static const unsigned char FIELDS[] = {
    0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x09,
    0x0a, 0x0b, 0x0c, 0x0d, 0x0e, 0x0f, 'a',  'b',  'c',
};

static void
reads_little_endian_in_order(void **state)
{
    (void)state;
    struct cursor_in in;
    cursor_in_init(&in, FIELDS, sizeof(FIELDS));
    assert_int_equal(cursor_get_u8(&in), 0x01);
    assert_int_equal(cursor_get_u16(&in), 0x0302);
    assert_int_equal(cursor_get_u32(&in), 0x07060504);
    assert_int_equal(cursor_get_u64(&in), 0x0f0e0d0c0b0a0908);
    assert_int_equal(cursor_in_left(&in), 3);
    assert_int_equal(cursor_in_end(&in), -EBADMSG);
    assert_memory_equal(cursor_get_bytes(&in, 3), "abc", 3);
    assert_int_equal(cursor_in_end(&in), 0);
}

static void
writes_what_it_reads(void **state)
{
    (void)state;
    unsigned char bytes[sizeof(FIELDS)];
    struct cursor_out out;
    cursor_out_init(&out, bytes, sizeof(bytes));
    cursor_put_u8(&out, 0x01);
    cursor_put_u16(&out, 0x0302);
    cursor_put_u32(&out, 0x07060504);
    cursor_put_u64(&out, 0x0f0e0d0c0b0a0908);
    cursor_put_bytes(&out, "abc", 3);
    assert_int_equal(cursor_out_end(&out), sizeof(FIELDS));
    assert_memory_equal(bytes, FIELDS, sizeof(FIELDS));
}

/* Reads a record of all kinds of fields from its first `count` bytes. */
static int
read_record(size_t count)
{
    struct cursor_in in;
    unsigned char copy[3];
    cursor_in_init(&in, FIELDS, count);
    (void)cursor_get_u64(&in);
    (void)cursor_get_u32(&in);
    (void)cursor_get_u16(&in);
    (void)cursor_get_u8(&in);
    cursor_get_copy(&in, copy, sizeof(copy));
    return cursor_in_end(&in);
}

static void
every_cut_is_noticed(void **state)
{
    (void)state;
    for (size_t count = 0; count < sizeof(FIELDS); count++) {
        assert_int_equal(read_record(count), -EBADMSG);
    }
    assert_int_equal(read_record(sizeof(FIELDS)), 0);
}

static void
reads_zeros_after_failing(void **state)
{
    (void)state;
    struct cursor_in in;
    unsigned char copy[4] = {9, 9, 9, 9};
    cursor_in_init(&in, FIELDS, 3);
    assert_int_equal(cursor_get_u32(&in), 0);
    assert_int_equal(cursor_get_u8(&in), 0); /* though three bytes were there */
    assert_null(cursor_get_bytes(&in, 0));
    cursor_get_copy(&in, copy, sizeof(copy));
    assert_memory_equal(copy, "\0\0\0\0", 4);
    assert_int_equal(cursor_in_left(&in), 0);
    assert_int_equal(cursor_in_end(&in), -EBADMSG);
}

static void
can_be_failed_by_its_user(void **state)
{
    (void)state;
    struct cursor_in in;
    cursor_in_init(&in, FIELDS, sizeof(FIELDS));
    cursor_in_fail(&in);
    assert_int_equal(cursor_in_end(&in), -EBADMSG);
}

static void
takes_nothing_for_an_empty_record(void **state)
{
    (void)state;
    struct cursor_in in;
    cursor_in_init(&in, NULL, 0);
    assert_non_null(cursor_get_bytes(&in, 0));
    assert_int_equal(cursor_in_end(&in), 0);
    assert_int_equal(cursor_get_u8(&in), 0);
    assert_int_equal(cursor_in_end(&in), -EBADMSG);
}

static void
a_length_from_outside_cannot_wrap(void **state)
{
    (void)state;
    struct cursor_in in;
    cursor_in_init(&in, FIELDS, sizeof(FIELDS));
    assert_null(cursor_get_bytes(&in, SIZE_MAX));
    assert_int_equal(cursor_in_end(&in), -EBADMSG);
}

static void
never_writes_past_its_end(void **state)
{
    (void)state;
    unsigned char bytes[8] = {0, 0, 0, 0, 0, 0, 7, 7};
    struct cursor_out out;
    cursor_out_init(&out, bytes, 6);
    cursor_put_u32(&out, 0x04030201);
    cursor_put_u32(&out, 0xffffffff);
    assert_true(out.failed);
    cursor_put_u8(&out, 0xff); /* would fit, but nothing follows a failure */
    assert_int_equal(cursor_out_bytes(&out), 4);
    assert_memory_equal(bytes, "\1\2\3\4\0\0\7\7", 8);
}

static void
parts_are_cursors_of_their_own(void **state)
{
    (void)state;
    struct cursor_in in;
    struct cursor_in part = {0};
    cursor_in_init(&in, FIELDS, sizeof(FIELDS));
    assert_true(cursor_get_part(&in, 3, &part));
    assert_int_equal(cursor_get_u8(&in), 0x04);
    assert_int_equal(cursor_get_u8(&part), 0x01);
    assert_int_equal(cursor_get_u16(&part), 0x0302);
    assert_int_equal(cursor_in_end(&part), 0);
    assert_int_equal(cursor_get_u8(&part), 0);
    assert_int_equal(cursor_in_end(&part), -EBADMSG);
    assert_false(cursor_get_part(&in, cursor_in_left(&in) + 1, &part));
    assert_int_equal(cursor_in_end(&in), -EBADMSG);
}

static void
parts_are_filled_by_cursors_of_their_own(void **state)
{
    (void)state;
    unsigned char bytes[4] = {0};
    struct cursor_out out;
    struct cursor_out part = {0};
    cursor_out_init(&out, bytes, sizeof(bytes));
    assert_true(cursor_put_part(&out, 3, &part));
    cursor_put_u8(&out, 9);
    cursor_put_u16(&part, 0x0201);
    cursor_put_u16(&part, 0x0403);
    assert_true(part.failed); /* it has a byte left, and does not go on into what is behind it */
    assert_memory_equal(bytes, "\x01\x02\x00\x09", 4);
    assert_int_equal(cursor_out_end(&out), 4);
    assert_false(cursor_put_part(&out, 1, &part));
    assert_true(out.failed);
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("fields are read little-endian, one after the other", reads_little_endian_in_order),
        SPEC("fields are written as they are read", writes_what_it_reads),
        SPEC("a record cut anywhere is refused", every_cut_is_noticed),
        SPEC("after a failure only zeros are read", reads_zeros_after_failing),
        SPEC("whoever reads a field that can't be right fails the cursor",
             can_be_failed_by_its_user),
        SPEC("no bytes at all are an empty record", takes_nothing_for_an_empty_record),
        SPEC("a length as large as can be is refused without wrapping",
             a_length_from_outside_cannot_wrap),
        SPEC("a part is read by a cursor of its own", parts_are_cursors_of_their_own),
        SPEC("and is filled by one", parts_are_filled_by_cursors_of_their_own),
        SPEC("nothing is written past the end, nor after a failure", never_writes_past_its_end),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
