/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/slab.h"
#include "store/span.h"
#include "tests/spec.h"
#include "tests/store/chance.h"

#include <pthread.h>
#include <string.h>

enum { SPANS = 300, STEPS = 20000, LENGTHS = 6, REGION_BYTES = SPAN_BYTES_MAX };

static void
needs_regions(void)
{
    if (SLAB_MALLOC_ONLY) {
        skip(); /* AddressSanitizer watches the heap's */
    }
}

static size_t
length(unsigned order)
{
    return (size_t)SPAN_BYTES_MIN << order;
}

/* Marks both ends of each unit. */
static void
mark(const struct span *span, unsigned char with)
{
    unsigned char *memory = span->memory;
    for (size_t at = 0; at < span->bytes; at += SPAN_BYTES_MIN) {
        memory[at] = with;
        memory[at + SPAN_BYTES_MIN - 1] = with;
    }
}

static void
check_mark(const struct span *span, unsigned char with)
{
    const unsigned char *memory = span->memory;
    for (size_t at = 0; at < span->bytes; at += SPAN_BYTES_MIN) {
        assert_int_equal(memory[at], with);
        assert_int_equal(memory[at + SPAN_BYTES_MIN - 1], with);
    }
}

static void
spans_keep_apart(void **state)
{
    (void)state;
    needs_regions();
    static struct span spans[SPANS];
    struct chance chance = {1};
    uint64_t taken = 0;
    span_rest();
    for (unsigned step = 0; step < STEPS; step++) {
        unsigned i = (unsigned)chance_below(&chance, SPANS);
        struct span *span = &spans[i];
        if (span->memory != NULL) {
            check_mark(span, (unsigned char)i);
            taken -= span->bytes;
            span_give(span);
        } else {
            size_t bytes = length((unsigned)chance_below(&chance, LENGTHS));
            *span = span_take(bytes);
            assert_int_equal((uintptr_t)span->memory % bytes, 0);
            assert_int_equal(span->bytes, bytes);
            mark(span, (unsigned char)i);
            taken += bytes;
        }
        assert_int_equal((taken + span_spare_bytes()) % REGION_BYTES, 0);
    }
    for (unsigned i = 0; i < SPANS; i++) {
        span_give(&spans[i]); /* none is allowed */
    }
    span_rest();
    assert_int_equal(span_spare_bytes(), 0);
}

static void
fills_what_has_least_room(void **state)
{
    (void)state;
    needs_regions();
    struct span half = span_take(REGION_BYTES / 2);
    struct span quarter = span_take(REGION_BYTES / 4);
    struct span another = span_take(REGION_BYTES / 2);
    struct span least = span_take(SPAN_BYTES_MIN);
    assert_ptr_equal(quarter.region, half.region);
    assert_ptr_not_equal(another.region, half.region);
    assert_ptr_equal(least.region, half.region);
    span_give(&half);
    span_give(&quarter);
    span_give(&another);
    struct span whole = span_take(REGION_BYTES); /* the other region's, whole again */
    assert_int_equal(span_spare_bytes(), REGION_BYTES - SPAN_BYTES_MIN);
    span_give(&whole);
    span_give(&least);
    span_rest();
}

static void
is_the_heaps(void **state)
{
    (void)state;
    static const size_t lengths[] = {1,
                                     4096,
                                     SPAN_BYTES_MIN - 1,
                                     SPAN_BYTES_MIN + 1,
                                     3 * (size_t)SPAN_BYTES_MIN,
                                     2 * (size_t)SPAN_BYTES_MAX};
    for (unsigned i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        struct span span = span_take(lengths[i]);
        assert_null(span.region);
        assert_int_equal((uintptr_t)span.memory % 64, 0);
        memset(span.memory, 1, lengths[i]);
        span_give(&span);
        assert_null(span.memory);
    }
    assert_int_equal(span_spare_bytes(), 0);
}

static const uint64_t window_ns = UINT64_C(10000000000);

static void
gives_half_back(void **state)
{
    (void)state;
    needs_regions();
    enum { REGIONS = 8 };
    struct span spans[REGIONS];
    uint64_t now_ns = 5 * window_ns;
    span_rest();
    for (unsigned i = 0; i < REGIONS; i++) {
        spans[i] = span_take(REGION_BYTES);
    }
    span_settle(now_ns);
    for (unsigned i = 0; i < REGIONS; i++) {
        span_give(&spans[i]);
        span_settle(now_ns + i + 1); /* folds that are through at about the same time */
    }
    assert_int_equal(span_spare_bytes(), (uint64_t)REGIONS * REGION_BYTES);
    span_settle(now_ns += window_ns); /* at some time in this window all were in use */
    assert_int_equal(span_spare_bytes(), (uint64_t)REGIONS * REGION_BYTES);
    struct span one = span_take(REGION_BYTES);
    span_give(&one);
    span_settle(now_ns += window_ns); /* seven were not: four go */
    assert_int_equal(span_spare_bytes(), (uint64_t)(REGIONS / 2) * REGION_BYTES);
    for (unsigned i = 0; i < 3; i++) {
        span_settle(now_ns += window_ns);
    }
    assert_int_equal(span_spare_bytes(), 0);
}

static void
rests(void **state)
{
    (void)state;
    needs_regions();
    struct span first = span_take(SPAN_BYTES_MIN);
    struct span between = span_take(SPAN_BYTES_MIN);
    struct span whole = span_take(REGION_BYTES);
    unsigned char *gap = between.memory;
    mark(&first, 1);
    mark(&between, 2);
    span_give(&between);
    span_give(&whole);
    span_rest();
    assert_int_equal(span_spare_bytes(), REGION_BYTES - SPAN_BYTES_MIN); /* the one that is used */
    assert_int_equal(gap[0], 0);                                         /* without its pages */
    check_mark(&first, 1);
    span_give(&first);
    span_rest();
}

enum { THREADS = 3, ROUNDS = 20000, HELD = 16 };

static void *
take_and_give(void *argument)
{
    struct chance chance = {*(const uint64_t *)argument};
    struct span spans[HELD] = {0};
    unsigned char with = (unsigned char)chance.state;
    for (unsigned round = 0; round < ROUNDS; round++) {
        struct span *span = &spans[chance_below(&chance, HELD)];
        if (span->memory != NULL) {
            check_mark(span, with);
            span_give(span);
        } else {
            *span = span_take(length((unsigned)chance_below(&chance, LENGTHS)));
            mark(span, with);
        }
        if (round % 256 == 0) {
            span_settle(round * window_ns);
        }
    }
    for (unsigned i = 0; i < HELD; i++) {
        span_give(&spans[i]);
    }
    return NULL;
}

static void
threads_share_them(void **state)
{
    (void)state;
    pthread_t threads[THREADS];
    static const uint64_t seeds[THREADS] = {1, 2, 3};
    for (unsigned i = 0; i < THREADS; i++) {
        assert_int_equal(
            pthread_create(&threads[i], NULL, take_and_give, (void *)(uintptr_t)&seeds[i]), 0);
    }
    for (unsigned i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    }
    span_rest();
    assert_int_equal(span_spare_bytes(), 0);
}

int
main(void)
{
    const struct CMUnitTest specs[] = {
        SPEC("spans keep apart, lie at multiples of their length, and all come back",
             spans_keep_apart),
        SPEC("a span is cut from what has least room for it", fills_what_has_least_room),
        SPEC("what is no length of a span's is the heap's", is_the_heaps),
        SPEC("half of what nobody has needed goes back at a time", gives_half_back),
        SPEC("at rest all goes back that nobody has, pages between spans too", rests),
        SPEC("threads share what there is", threads_share_them),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
