/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/outgoing.h"
#include "tests/spec.h"

#include <string.h>

enum { PIECES_MAX = 64 };

static struct slab slab;
static struct outgoing queue;

static int
set_up(void **state)
{
    (void)state;
    slab_init(&slab);
    memset(&queue, 0, sizeof queue);
    return 0;
}

static int
tear_down(void **state)
{
    (void)state;
    outgoing_drop(&queue, &slab);
    bool all_freed = slab_blocks_used(&slab) == 0 && queue.bytes == 0;
    slab_fini(&slab);
    return all_freed ? 0 : -1;
}

/* Gathers and takes `count` bytes, comparing them with `expected`. */
static void
expect_bytes(const char *expected, size_t count)
{
    struct iovec pieces[PIECES_MAX];
    unsigned filled = outgoing_gather(&queue, pieces, PIECES_MAX);
    assert_int_equal(filled, outgoing_pieces(&queue, PIECES_MAX));
    size_t at = 0;
    for (unsigned i = 0; i < filled && at < count; i++) {
        size_t part = pieces[i].iov_len < count - at ? pieces[i].iov_len : count - at;
        assert_memory_equal(pieces[i].iov_base, expected + at, part);
        at += part;
    }
    assert_int_equal(at, count);
    outgoing_take(&queue, &slab, count);
}

static void
leaves_in_order(void **state)
{
    (void)state;
    struct ln_buffer *shared = ln_buffer_new(5);
    memcpy(ln_buffer_data(shared), "XYZZY", 5);
    outgoing_add(&queue, &slab, "ab", 2);
    struct ln_buffer *reference = ln_buffer_get(shared);
    outgoing_add_buffer(&queue, &slab, &reference, 1, 3);
    assert_null(reference);
    outgoing_add(&queue, &slab, "cd", 2);
    outgoing_add(&queue, &slab, "ef", 2);
    assert_int_equal(queue.bytes, 9);
    assert_int_equal(outgoing_pieces(&queue, PIECES_MAX), 3);
    expect_bytes("abYZZcdef", 9);
    assert_int_equal(queue.bytes, 0);
    ln_buffer_put(&shared);
}

static void
takes_any_part(void **state)
{
    (void)state;
    char bytes[5000];
    for (size_t i = 0; i < sizeof bytes; i++) {
        bytes[i] = (char)(i * 7);
    }
    for (size_t part = 1; part < 3000; part = part * 3 + 1) {
        outgoing_add(&queue, &slab, bytes, sizeof bytes);
        size_t at = 0;
        while (at < sizeof bytes) {
            size_t count = part < sizeof bytes - at ? part : sizeof bytes - at;
            expect_bytes(bytes + at, count);
            at += count;
        }
    }
}

static void
gathered_bytes_stay(void **state)
{
    (void)state;
    struct iovec pieces[PIECES_MAX];
    outgoing_add(&queue, &slab, "first", 5);
    assert_int_equal(outgoing_gather(&queue, pieces, PIECES_MAX), 1);
    outgoing_add(&queue, &slab, "second", 6);
    assert_int_equal(pieces[0].iov_len, 5);
    assert_memory_equal(pieces[0].iov_base, "first", 5);
    outgoing_take(&queue, &slab, 3);
    expect_bytes("stsecond", 8);
}

static void
gathers_no_more_than_asked(void **state)
{
    (void)state;
    struct iovec pieces[2];
    char bytes[4000] = {0};
    outgoing_add(&queue, &slab, bytes, sizeof bytes);
    assert_int_equal(outgoing_gather(&queue, pieces, 2), 2);
    assert_int_equal(outgoing_gather(&queue, pieces, 0), 0);
}

static void
nothing_is_no_chunk(void **state)
{
    (void)state;
    struct ln_buffer *buffer = ln_buffer_new(3);
    outgoing_add(&queue, &slab, NULL, 0);
    outgoing_add_buffer(&queue, &slab, &buffer, 3, 0);
    assert_null(buffer);
    assert_int_equal(outgoing_pieces(&queue, PIECES_MAX), 0);
}

#define QUEUE_SPEC(title, function)                  \
    {                                                \
        (title), (function), set_up, tear_down, NULL \
    }

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        QUEUE_SPEC("copied and shared bytes leave in the order in which they were added",
                   leaves_in_order),
        QUEUE_SPEC("any part may be taken at a time", takes_any_part),
        QUEUE_SPEC("what was gathered stays until it is taken, whatever is added",
                   gathered_bytes_stay),
        QUEUE_SPEC("a gather fills no more pieces than there is room for",
                   gathers_no_more_than_asked),
        QUEUE_SPEC("adding nothing adds nothing", nothing_is_no_chunk),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
