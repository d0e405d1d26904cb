/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/section_message.h"

#include "bench/chance.h"
#include "tests/spec.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static struct section_delays delays;

static struct section_begin
a_begin(void)
{
    struct section_begin begin = {.run = 7,
                                  .share = share_of(&(struct share_whole){1000, 2, 0}, 2, 3),
                                  .actors_all = 500,
                                  .addresses = 4,
                                  .rate_per_s = 12.5};
    strcpy(begin.version, LINNET_VERSION);
    return begin;
}

static void
some_delays(void)
{
    memset(&delays, 0, sizeof delays);
    delays.delay = TALLY_TO_TICK;
    for (uint64_t i = 0; i < 1000; i++) {
        histogram_record(&delays.histogram, i * i);
    }
}

/* A record of a message, and room behind it. */
static size_t
record_write(uint32_t tag, const void *data, uint32_t bytes, unsigned char *out)
{
    section_head_write(tag, bytes, out);
    if (bytes > 0) {
        memcpy(out + SECTION_HEAD_BYTES, data, bytes);
    }
    return SECTION_HEAD_BYTES + (size_t)bytes;
}

static void
written_is_read(void **state)
{
    (void)state;
    static unsigned char room[SECTION_RECORD_BYTES_MAX];
    struct section_begin begin = a_begin();
    uint32_t tag = 0;
    uint32_t bytes = 0;
    size_t count = record_write(SECTION_BEGIN, &begin, sizeof begin, room);
    assert_int_equal(section_record_read(room, count, &tag, &bytes), 0);
    assert_int_equal(tag, SECTION_BEGIN);
    assert_int_equal(bytes, sizeof begin);
    assert_true(section_message_valid(SECTION_BEGIN, &begin, sizeof begin));
    some_delays();
    count = record_write(SECTION_DELAYS, &delays, sizeof delays, room);
    assert_int_equal(count, SECTION_RECORD_BYTES_MAX);
    assert_int_equal(section_record_read(room, count, &tag, &bytes), 0);
    assert_true(section_message_valid(SECTION_DELAYS, &delays, sizeof delays));
    count = record_write(SECTION_STOP, NULL, 0, room);
    assert_int_equal(section_record_read(room, count, &tag, &bytes), 0);
    assert_true(section_message_valid(SECTION_STOP, NULL, 0));
}

static void
parts_wait_for_the_rest(void **state)
{
    (void)state;
    static unsigned char room[SECTION_RECORD_BYTES_MAX];
    struct section_begin begin = a_begin();
    uint32_t tag = 0;
    uint32_t bytes = 0;
    size_t count = record_write(SECTION_BEGIN, &begin, sizeof begin, room);
    for (size_t part = 0; part < count; part++) {
        assert_int_equal(section_record_read(room, part, &tag, &bytes), -EAGAIN);
    }
}

static void
damaged_heads(void **state)
{
    (void)state;
    unsigned char room[SECTION_HEAD_BYTES];
    uint32_t tag = 0;
    uint32_t bytes = 0;
    for (unsigned bit = 0; bit < 8 * SECTION_HEAD_BYTES; bit++) {
        section_head_write(SECTION_NEWS, sizeof(struct section_news), room);
        room[bit / 8] = (unsigned char)(room[bit / 8] ^ 1u << bit % 8);
        int error = section_record_read(room, sizeof room, &tag, &bytes);
        /* Another tag may be one without data. */
        assert_true(error == -EPROTO || (error == 0 && bytes == 0) || error == -EAGAIN);
        assert_false(error == -EAGAIN && bit / 8 != 4);
    }
    section_head_write(SECTION_NEWS, UINT32_MAX, room);
    assert_int_equal(section_record_read(room, sizeof room, &tag, &bytes), -EPROTO);
    section_head_write(SECTION_TAGS_END, 0, room);
    assert_int_equal(section_record_read(room, sizeof room, &tag, &bytes), -EPROTO);
}

static void
refuses(struct section_begin *begin)
{
    assert_false(section_message_valid(SECTION_BEGIN, begin, sizeof *begin));
    *begin = a_begin();
}

static void
damaged_shares(void **state)
{
    (void)state;
    struct section_begin begin = a_begin();
    assert_false(section_message_valid(SECTION_BEGIN, &begin, sizeof begin - 1));
    begin.version[0]++;
    refuses(&begin);
    memset(begin.version, 'x', sizeof begin.version);
    refuses(&begin);
    begin.share.process = begin.share.processes;
    refuses(&begin);
    begin.share.processes = 0;
    refuses(&begin);
    begin.share.users = UINT32_MAX;
    refuses(&begin);
    begin.share.users_first = UINT32_MAX;
    refuses(&begin);
    begin.share.actors = 0;
    refuses(&begin);
    begin.share.actors_first = UINT32_MAX;
    refuses(&begin);
    begin.addresses = 0;
    refuses(&begin);
    begin.writers = begin.writers_all + 1;
    refuses(&begin);
    begin.rate_per_s = -1;
    refuses(&begin);
}

static void
damaged_findings(void **state)
{
    (void)state;
    struct audit_verdict verdict = {.first = AUDIT_LOST};
    struct section_news news = {.spawned = 3, .ready = 3};
    struct crowd_failed failed;
    assert_true(section_message_valid(SECTION_VERDICT, &verdict, sizeof verdict));
    verdict.first = AUDIT_PROMISES;
    assert_false(section_message_valid(SECTION_VERDICT, &verdict, sizeof verdict));
    verdict.first = AUDIT_LOST;
    memset(verdict.text, 'x', sizeof verdict.text);
    assert_false(section_message_valid(SECTION_VERDICT, &verdict, sizeof verdict));
    assert_true(section_message_valid(SECTION_NEWS, &news, sizeof news));
    news.ready = 4;
    assert_false(section_message_valid(SECTION_NEWS, &news, sizeof news));
    news.ready = 3;
    news.heard = 1;
    assert_false(section_message_valid(SECTION_NEWS, &news, sizeof news));
    memset(&failed, 'x', sizeof failed);
    assert_false(section_message_valid(SECTION_FAILED, &failed, sizeof failed));
    assert_false(section_message_valid(0, NULL, 0));
}

static void
damaged_meters(void **state)
{
    (void)state;
    static struct section_meters meters;
    struct crowd_go go = {.span = {1, 2}};
    assert_true(section_message_valid(SECTION_METERS, &meters, sizeof meters));
    assert_false(section_message_valid(SECTION_METERS, &meters, sizeof meters - 8));
    meters.delay = TALLY_DELAYS;
    assert_false(section_message_valid(SECTION_METERS, &meters, sizeof meters));
    assert_true(section_message_valid(SECTION_RETURN, &go, sizeof go));
    go.span.from_ns = 3;
    assert_false(section_message_valid(SECTION_RETURN, &go, sizeof go));
    assert_false(section_message_valid(SECTION_LOOK, NULL, 0));
}

static void
damaged_histograms(void **state)
{
    (void)state;
    some_delays();
    delays.delay = TALLY_DELAYS;
    assert_false(section_message_valid(SECTION_DELAYS, &delays, sizeof delays));
    some_delays();
    delays.histogram.count++;
    assert_false(section_message_valid(SECTION_DELAYS, &delays, sizeof delays));
    some_delays();
    delays.histogram.counts[5] = UINT64_MAX; /* which adds up to one less than nothing */
    assert_false(section_message_valid(SECTION_DELAYS, &delays, sizeof delays));
    some_delays();
    delays.histogram.greatest = UINT64_MAX;
    assert_false(section_message_valid(SECTION_DELAYS, &delays, sizeof delays));
    some_delays();
    delays.histogram.least = delays.histogram.greatest + 1;
    assert_false(section_message_valid(SECTION_DELAYS, &delays, sizeof delays));
}

/* Whatever comes, reading it stays within what is there: address sanitizers watch. */
static void
noise(void **state)
{
    (void)state;
    uint64_t chance = 3;
    for (unsigned i = 0; i < 20000; i++) {
        size_t count = chance_below(&chance, 200);
        unsigned char *bytes = malloc(count + 1);
        uint32_t tag = 0;
        uint32_t data_bytes = 0;
        assert_non_null(bytes);
        for (size_t b = 0; b < count; b++) {
            bytes[b] = (unsigned char)chance_next(&chance);
        }
        if (count >= SECTION_HEAD_BYTES && i % 2 == 0) {
            uint32_t some = SECTION_FIRST + (uint32_t)chance_below(&chance, 16);
            section_head_write(some, (uint32_t)(count - SECTION_HEAD_BYTES), bytes);
        }
        if (section_record_read(bytes, count, &tag, &data_bytes) == 0) {
            assert_true(SECTION_HEAD_BYTES + (size_t)data_bytes <= count);
        }
        free(bytes);
    }
}

/* What the sections found separately is what one would have found. */
static void
merged_is_the_same(void **state)
{
    (void)state;
    static struct histogram whole;
    static struct histogram merged;
    static struct histogram parts[3];
    uint64_t chance = 11;
    for (unsigned i = 0; i < 10000; i++) {
        uint64_t value = chance_next(&chance) >> (20 + chance_below(&chance, 40));
        histogram_record(&whole, value);
        histogram_record(&parts[chance_below(&chance, 3)], value);
    }
    for (unsigned i = 0; i < 3; i++) {
        histogram_merge(&merged, &parts[i]);
    }
    assert_memory_equal(&whole, &merged, sizeof whole);
    assert_true(histogram_valid(&merged));
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("what was written is read", written_is_read),
        SPEC("a part of a record waits for the rest", parts_wait_for_the_rest),
        SPEC("a damaged head is refused", damaged_heads),
        SPEC("a share that can't be is refused, and another version", damaged_shares),
        SPEC("findings that can't be are refused", damaged_findings),
        SPEC("a look of no delay, and a return before its time, are refused", damaged_meters),
        SPEC("a histogram whose parts do not agree is refused", damaged_histograms),
        SPEC("of noise nothing is read that is not there", noise),
        SPEC("merged histograms are those of one process", merged_is_the_same),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
