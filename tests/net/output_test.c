/* SPDX-License-Identifier: Apache-2.0 */
#include "net/output.h"

#include <string.h>

#include "tests/spec.h"

static void
gives_out_what_came_in(void **state)
{
    (void)state;
    struct output output = {0};
    unsigned char expected = 0;
    unsigned char next = 0;
    const unsigned char *bytes;
    for (unsigned round = 0; round < 2000; round++) {
        size_t count = round * 7 % 301;
        unsigned char *room = output_reserve(&output, count);
        assert_non_null(room);
        for (size_t i = 0; i < count; i++) {
            room[i] = next++;
        }
        output_commit(&output, count);
        size_t waiting = output_peek(&output, &bytes);
        size_t taken = waiting < round * 11 % 311 ? waiting : round * 11 % 311;
        for (size_t i = 0; i < taken; i++) {
            assert_int_equal(bytes[i], expected++);
        }
        output_pop(&output, taken);
    }
    output_clear(&output);
    assert_int_equal(output_peek(&output, &bytes), 0);
}

static void
has_a_bound(void **state)
{
    (void)state;
    struct output output = {0};
    assert_null(output_reserve(&output, OUTPUT_BYTES_MAX + 1));
    assert_non_null(output_reserve(&output, OUTPUT_BYTES_MAX));
    output_commit(&output, OUTPUT_BYTES_MAX);
    assert_null(output_reserve(&output, 1));
    output_pop(&output, 1);
    assert_non_null(output_reserve(&output, 1));
    output_clear(&output);
}

static void
holds_nothing_when_drained(void **state)
{
    (void)state;
    struct output output = {0};
    memset(output_reserve(&output, 10), 0, 10);
    output_commit(&output, 10);
    output_pop(&output, 10);
    assert_null(output.bytes);
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("an output gives out what came in, in any sizes", gives_out_what_came_in),
        SPEC("an output refuses more than its bound", has_a_bound),
        SPEC("an output holds no memory while nothing waits", holds_nothing_when_drained),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
