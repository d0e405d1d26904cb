/* SPDX-License-Identifier: Apache-2.0 */
/* One small log of three segments is changed in every way that matters, byte by byte, and scanned
 * each time. */
#include "store/log_scan.h"
#include "tests/spec.h"
#include "tests/store/disk.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SEGMENT_BYTES = 7 << 10, BATCHES = 19, SEGMENTS = 3 };

static const char *const NAMES[SEGMENTS] = {
    "00000001-002-00000001",
    "00000001-002-00000002",
    "00000001-002-00000003",
};

static struct disk disk;
static struct log_place place;
static struct log_batch written[BATCHES];
static unsigned char *images[SEGMENTS];

/* -------------------------------------------------------------------------------- writing a log */

static void
make_next(struct log *log)
{
    uint32_t number;
    uint32_t recycle;
    struct log_segment segment;
    if (log_segment_wanted(log, &number, &recycle)) {
        assert_int_equal(log_segment_make(log_place_of(log), number, recycle, &segment), 0);
        log_segment_ready(log, &segment);
    }
}

/* A batch of one or two commands, together so many bytes. */
static struct log_batch
commit(struct log *log, uint32_t bytes)
{
    static unsigned char body[4096];
    struct log_batch batch;
    struct log_write write;
    struct log_command small = {
        .partition = 1, .kind = 1, .version = 1, .body = body, .body_bytes = 3};
    struct log_command command = {.partition = 2, .kind = 2, .version = 1, .body = body};
    memset(body, 0xa5, sizeof(body));
    command.body_bytes = bytes;
    if (bytes > 100) {
        assert_int_equal(log_append(log, &small), 0);
    }
    assert_int_equal(log_append(log, &command), 0);
    int result = log_seal(log, &batch, &write);
    make_next(log);
    if (result == -EAGAIN) {
        result = log_seal(log, &batch, &write);
    }
    assert_int_equal(result, 0);
    assert_int_equal(io_file_write(&disk.driver, write.file, write.piece.iov_base,
                                   write.piece.iov_len, write.offset),
                     0);
    log_written(log);
    return batch;
}

static struct log *
open_at(const struct log_end *end)
{
    struct log *log = NULL;
    char why[LOG_WHY_BYTES];
    assert_int_equal(log_open(&place, end, &log, why), 0);
    return log;
}

static int
setup(void **state)
{
    (void)state;
    static const uint32_t sizes[] = {900, 17, 600, 0, 1100, 33, 800};
    struct log_end end;
    disk_init(&disk, "log");
    place = (struct log_place){
        .driver = &disk.driver,
        .folder = "log",
        .identity = "0123456789abcde",
        .generation = 1,
        .log = 2,
        .segment_bytes = SEGMENT_BYTES,
        .batch_bytes_max = 2048,
    };
    log_end_fresh(&end);
    struct log *log = open_at(&end);
    for (unsigned i = 0; i < BATCHES; i++) {
        written[i] = commit(log, sizes[i % 7]);
    }
    log_close(&log);
    assert_int_equal(log_position_segment(written[BATCHES - 1].position), SEGMENTS);
    /* The one made ready behind them has a test of its own. */
    assert_int_equal(log_segments_remove(&place, SEGMENTS + 1, 1), 0);
    for (unsigned i = 0; i < SEGMENTS; i++) {
        size_t bytes;
        images[i] = disk_read(&disk, NAMES[i], &bytes);
        assert_int_equal(bytes, SEGMENT_BYTES);
    }
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    for (unsigned i = 0; i < SEGMENTS; i++) {
        free(images[i]);
        images[i] = NULL;
    }
    return 0;
}

/* ---------------------------------------------------------------------------------- scanning it */

struct result {
    int code;
    unsigned batches; /* told */
    struct log_end end;
    char why[LOG_WHY_BYTES];
};

static int
tell(void *context, struct log_batch *batch)
{
    struct result *result = context;
    struct log_command command;
    uint64_t position;
    unsigned commands = 0;
    int code;
    while ((code = log_batch_next(batch, &command, &position)) > 0) {
        commands++;
    }
    assert_int_equal(code, 0);
    assert_int_equal(commands, batch->commands);
    result->batches++;
    return 0;
}

static struct result
scan(uint64_t from, uint64_t at_least)
{
    struct result result = {0};
    struct log_scan log_scan = {
        .place = &place,
        .from = from,
        .at_least = at_least,
        .each = tell,
        .context = &result,
    };
    result.code = log_scan_run(&log_scan, &result.end);
    memcpy(result.why, log_scan.why, sizeof(result.why));
    return result;
}

/* The log ends before batch `index`, and all before it were told. */
static void
check_ends_before(const struct result *result, unsigned index)
{
    assert_int_equal(result->code, 0);
    assert_int_equal(result->batches, index);
    assert_int_equal(result->end.number, index + 1);
    assert_int_equal(result->end.position,
                     index > 0 ? written[index - 1].end : log_position_first());
}

static void
check_damage(const struct result *result, const char *text)
{
    assert_int_equal(result->code, -EUCLEAN);
    if (strstr(result->why, text) == NULL) {
        print_error("\"%s\" is not in \"%s\"\n", text, result->why);
    }
    assert_non_null(strstr(result->why, text));
}

/* The batch that has the byte: BATCHES when none does. */
static unsigned
batch_at(unsigned segment, uint32_t offset)
{
    uint64_t position = log_position(segment + 1, offset);
    for (unsigned i = 0; i < BATCHES; i++) {
        if (position >= written[i].position && position < written[i].end) {
            return i;
        }
    }
    return BATCHES;
}

static void
restore(unsigned segment)
{
    disk_write(&disk, NAMES[segment], images[segment], SEGMENT_BYTES);
}

/* ----------------------------------------------------------------------------------- whole logs */

static void
an_intact_log_is_told_whole(void **state)
{
    (void)state;
    struct result result = scan(0, written[BATCHES - 1].end);
    check_ends_before(&result, BATCHES);
    assert_int_equal(result.end.last_position, written[BATCHES - 1].position);
    assert_int_equal(result.end.previous, written[BATCHES - 1].checksum);
    assert_int_equal(result.end.torn_bytes, 0);
    assert_int_equal(result.end.first_segment, 1);
}

static void
batches_before_the_mark_are_passed_over(void **state)
{
    (void)state;
    for (unsigned i = 0; i < BATCHES; i++) {
        struct result result = scan(written[i].end, 0);
        assert_int_equal(result.code, 0);
        assert_int_equal(result.batches, BATCHES - 1 - i);
        assert_int_equal(result.end.position, written[BATCHES - 1].end);
    }
}

static void
segments_below_the_mark_may_be_anything(void **state)
{
    (void)state;
    disk_write(&disk, NAMES[0], "rubbish", 7);
    assert_int_equal(scan(written[BATCHES - 1].position, 0).code, 0);
    assert_int_equal(scan(log_position_first(), 0).code, -EUCLEAN);
    restore(0);
}

static void
a_mark_within_a_batch_is_damage(void **state)
{
    (void)state;
    struct result result = scan(written[3].position + 8, 0);
    check_damage(&result, "within a batch");
}

static void
a_fresh_log_needs_no_segment(void **state)
{
    (void)state;
    struct log_place fresh = place;
    struct log_scan log_scan = {.place = &fresh};
    struct log_end end;
    fresh.generation = 2;
    assert_int_equal(log_scan_run(&log_scan, &end), 0);
    assert_int_equal(end.position, log_position_first());
    assert_int_equal(end.number, 1);
    assert_int_equal(end.last_segment, 0);
    log_scan.from = log_position_first();
    assert_int_equal(log_scan_run(&log_scan, &end), 0);
    log_scan.from = log_position(1, 200);
    assert_int_equal(log_scan_run(&log_scan, &end), -EUCLEAN);
    assert_non_null(strstr(log_scan.why, "00000002-002-00000001 is missing"));
}

static int
stop_at_third(void *context, struct log_batch *batch)
{
    unsigned *told = context;
    (void)batch;
    return ++*told == 3 ? 42 : 0;
}

static void
the_callback_ends_the_scan(void **state)
{
    (void)state;
    unsigned told = 0;
    struct log_scan log_scan = {.place = &place, .each = stop_at_third, .context = &told};
    struct log_end end;
    assert_int_equal(log_scan_run(&log_scan, &end), 42);
    assert_int_equal(told, 3);
}

/* ----------------------------------------------------------------------------------- every byte */

static void
check_flipped(unsigned segment, uint32_t offset)
{
    struct result result = scan(0, 0);
    unsigned index = batch_at(segment, offset);
    if (offset >= 8 && offset < 12) {
        assert_int_equal(result.code, -EPROTO); /* the format version */
        assert_non_null(strstr(result.why, NAMES[segment]));
    } else if (offset < LOG_SEGMENT_HEADER_BYTES) {
        check_damage(&result, NAMES[segment]);
    } else if (index == BATCHES) {
        check_ends_before(&result, BATCHES);
    } else if (index == BATCHES - 1) {
        check_ends_before(&result, BATCHES - 1);
    } else {
        char where[64];
        (void)snprintf(where, sizeof(where),
                       "damaged at offset %u:", log_position_offset(written[index].position));
        /* At the start of a segment the chain may as well have broken off at the end of the one
         * before. */
        if (written[index].position == log_position(segment + 1, LOG_SEGMENT_HEADER_BYTES) &&
            segment > 0) {
            check_damage(&result, NAMES[segment - 1]);
        } else {
            check_damage(&result, where);
            check_damage(&result, NAMES[segment]);
        }
    }
}

static void
every_flipped_byte_is_judged_rightly(void **state)
{
    (void)state;
    for (unsigned segment = 0; segment < SEGMENTS; segment++) {
        const unsigned char *image = images[segment];
        for (uint32_t offset = 0; offset < SEGMENT_BYTES; offset += SEEDS_STRIDE) {
            unsigned char flip = (unsigned char)(1 << (offset % 8));
            unsigned char flipped = image[offset] ^ flip;
            disk_patch(&disk, NAMES[segment], offset, &flipped, 1);
            check_flipped(segment, offset);
            disk_patch(&disk, NAMES[segment], offset, &image[offset], 1);
        }
        restore(segment);
    }
}

/* From the offset on the last segment holds what the disk happened to hold: zeros, or rubbish. */
static void
check_lost_from(uint32_t offset, unsigned char fill)
{
    unsigned char bytes[SEGMENT_BYTES];
    memcpy(bytes, images[SEGMENTS - 1], SEGMENT_BYTES);
    memset(bytes + offset, fill, SEGMENT_BYTES - offset);
    disk_patch(&disk, NAMES[SEGMENTS - 1], 0, bytes, SEGMENT_BYTES);
    struct result result = scan(0, 0);
    unsigned first_lost = BATCHES;
    while (first_lost > 0 && written[first_lost - 1].end > log_position(SEGMENTS, offset)) {
        first_lost--;
    }
    if (result.code == 0 && result.batches == first_lost + 1) {
        /* What it lost was the same before. */
        uint32_t end = log_position_offset(written[first_lost].end);
        assert_memory_equal(bytes, images[SEGMENTS - 1], end);
        return;
    }
    check_ends_before(&result, first_lost);
    /* A torn tail is told from nothing by the salt. */
    uint64_t begun = log_position(SEGMENTS, offset) - result.end.position;
    bool torn = log_position_segment(result.end.position) == SEGMENTS && begun >= 8;
    assert_true(!torn || first_lost == BATCHES || result.end.torn_bytes > 0);
    struct result strict = scan(0, written[BATCHES - 1].end);
    assert_int_equal(strict.code, first_lost < BATCHES ? -EUCLEAN : 0);
}

static void
a_tail_lost_at_every_offset_is_cut(void **state)
{
    (void)state;
    for (uint32_t offset = LOG_SEGMENT_HEADER_BYTES; offset < SEGMENT_BYTES;
         offset += SEEDS_STRIDE) {
        check_lost_from(offset, 0);
        check_lost_from(offset, 0xee);
    }
    restore(SEGMENTS - 1);
}

static void
a_file_cut_short_is_damage(void **state)
{
    (void)state;
    for (unsigned segment = 0; segment < SEGMENTS; segment++) {
        for (uint32_t bytes = 0; bytes < SEGMENT_BYTES; bytes += 1 + bytes / 64) {
            disk_write(&disk, NAMES[segment], images[segment], bytes);
            struct result result = scan(0, 0);
            check_damage(&result, "is shorter than");
            check_damage(&result, NAMES[segment]);
        }
        restore(segment);
    }
}

static void
a_hole_before_a_good_batch_is_damage(void **state)
{
    (void)state;
    for (unsigned i = 0; i + 1 < BATCHES; i++) {
        unsigned segment = log_position_segment(written[i].position) - 1;
        unsigned char bytes[SEGMENT_BYTES];
        memcpy(bytes, images[segment], SEGMENT_BYTES);
        memset(bytes + log_position_offset(written[i].position), 0,
               (size_t)(written[i].end - written[i].position));
        disk_write(&disk, NAMES[segment], bytes, SEGMENT_BYTES);
        struct result result = scan(0, 0);
        check_damage(&result, "is intact at offset");
        restore(segment);
    }
}

/* ------------------------------------------------------------------------------------- segments */

static void
a_missing_segment_is_damage(void **state)
{
    (void)state;
    char path[64];
    for (unsigned segment = 0; segment < SEGMENTS; segment++) {
        (void)snprintf(path, sizeof(path), "log/%s", NAMES[segment]);
        assert_int_equal(io_remove(&disk.driver, path), 0);
        struct result result = scan(log_position_first(), written[BATCHES - 1].end);
        if (segment + 1 < SEGMENTS) {
            check_damage(&result, "is missing");
            check_damage(&result, NAMES[segment]);
        } else {
            check_damage(&result, "before what has been folded");
        }
        restore(segment);
    }
}

static void
exchanged_segments_are_damage(void **state)
{
    (void)state;
    disk_write(&disk, NAMES[0], images[1], SEGMENT_BYTES);
    struct result result = scan(0, 0);
    check_damage(&result, "another segment's content");
    restore(0);
}

static void
another_directorys_segment_is_damage(void **state)
{
    (void)state;
    place.identity[0] ^= 1;
    struct result result = scan(0, 0);
    check_damage(&result, "belongs to another data directory");
    place.identity[0] ^= 1;
}

static void
an_older_copy_of_the_last_segment_is_noticed(void **state)
{
    (void)state;
    /* As after a careless restore: good batches, but fewer than were folded. */
    unsigned char bytes[SEGMENT_BYTES];
    memcpy(bytes, images[SEGMENTS - 1], SEGMENT_BYTES);
    uint32_t offset = log_position_offset(written[BATCHES - 1].position);
    memset(bytes + offset, 0, SEGMENT_BYTES - offset);
    disk_write(&disk, NAMES[SEGMENTS - 1], bytes, SEGMENT_BYTES);
    struct result result = scan(0, 0);
    check_ends_before(&result, BATCHES - 1);
    result = scan(0, written[BATCHES - 1].end);
    check_damage(&result, "before what has been folded");
    restore(SEGMENTS - 1);
}

/* ------------------------------------------------------------------------------ batches by hand */

/* Puts a well-formed batch with these properties at the end of the log. */
static void
forge(uint64_t salt_change, uint64_t number, uint64_t previous, uint64_t position_change)
{
    unsigned char bytes[SEGMENT_BYTES];
    uint64_t salt;
    uint64_t end = written[BATCHES - 1].end;
    memcpy(bytes, images[SEGMENTS - 1], SEGMENT_BYTES);
    memcpy(&salt, bytes + 32, sizeof(salt));
    struct log_batch batch = {
        .position = end + position_change,
        .number = number,
        .previous = previous,
        .commands = 1,
        .bytes_count = 8,
    };
    log_batch_write(&batch, salt ^ salt_change, bytes + log_position_offset(end));
    disk_write(&disk, NAMES[SEGMENTS - 1], bytes, SEGMENT_BYTES);
}

static void
only_a_batch_that_continues_is_taken(void **state)
{
    (void)state;
    uint64_t sum = written[BATCHES - 1].checksum;
    forge(0, BATCHES + 1, sum, 0);
    struct result result = scan(0, 0);
    assert_int_equal(result.code, 0);
    assert_int_equal(result.batches, BATCHES + 1);
    forge(1, BATCHES + 1, sum, 0); /* the file's last use */
    result = scan(0, 0);
    check_ends_before(&result, BATCHES);
    forge(0, BATCHES + 1, sum, 8); /* moved from elsewhere */
    result = scan(0, 0);
    check_ends_before(&result, BATCHES);
    forge(0, BATCHES + 2, sum, 0); /* one is missing before it */
    result = scan(0, 0);
    check_damage(&result, "is expected there");
    forge(0, BATCHES + 1, sum + 1, 0); /* of another history */
    result = scan(0, 0);
    check_damage(&result, "is expected there");
    restore(SEGMENTS - 1);
}

/* ------------------------------------------------------------------------------------- going on */

static void
appending_goes_on_after_a_torn_tail(void **state)
{
    (void)state;
    struct log_end end;
    struct result result;
    /* A crash within each batch in turn, from the last one back to the first; then life goes on. */
    for (unsigned cut = BATCHES; cut-- > 0;) {
        for (unsigned segment = 0; segment < SEGMENTS; segment++) {
            restore(segment);
        }
        /* What came later never was. */
        for (unsigned i = cut; i < BATCHES; i++) {
            unsigned segment = log_position_segment(written[i].position) - 1;
            size_t bytes;
            unsigned char *image = disk_read(&disk, NAMES[segment], &bytes);
            uint32_t from = log_position_offset(written[i].position) + (i == cut ? 20 : 0);
            memset(image + from, 0,
                   (size_t)(written[i].end - written[i].position) - (i == cut ? 20 : 0));
            disk_write(&disk, NAMES[segment], image, bytes);
            free(image);
        }
        result = scan(0, 0);
        check_ends_before(&result, cut);
        assert_true(result.end.torn_bytes > 0);
        end = result.end;
        char why[LOG_WHY_BYTES];
        struct log *log = NULL;
        assert_int_equal(log_open(&place, &end, &log, why), 0);
        for (unsigned i = 0; i < 10; i++) {
            (void)commit(log, 500);
        }
        uint64_t last = log_durable_position(log);
        log_close(&log);
        result = scan(0, last);
        assert_int_equal(result.code, 0);
        assert_int_equal(result.batches, cut + 10);
        assert_int_equal(result.end.position, last);
        /* Nothing beyond the three segments stays for the next turn. */
        assert_int_equal(log_segments_remove(&place, SEGMENTS + 1, 8), 0);
    }
    for (unsigned segment = 0; segment < SEGMENTS; segment++) {
        restore(segment);
    }
}

static void
a_segment_made_ready_is_used_after_opening(void **state)
{
    (void)state;
    struct log_segment segment;
    _Alignas(LOG_ALIGN_BYTES) unsigned char half[LOG_ALIGN_BYTES] = {0};
    assert_int_equal(log_segment_make(&place, SEGMENTS + 1, 0, &segment), 0);
    /* Half a batch got there before the power went. */
    memcpy(half, &segment.salt, sizeof(segment.salt));
    assert_int_equal(
        io_file_write(&disk.driver, segment.file, half, sizeof(half), LOG_SEGMENT_HEADER_BYTES), 0);
    io_file_close(&disk.driver, segment.file);
    struct result result = scan(0, written[BATCHES - 1].end);
    check_ends_before(&result, BATCHES);
    assert_int_equal(result.end.last_segment, SEGMENTS + 1);
    assert_true(result.end.torn_bytes > 0);
    struct log *log = open_at(&result.end);
    struct log_batch batch;
    do {
        batch = commit(log, 1500);
    } while (log_position_segment(batch.position) == SEGMENTS);
    log_close(&log);
    assert_int_equal(batch.position, log_position(SEGMENTS + 1, LOG_SEGMENT_HEADER_BYTES));
    result = scan(0, batch.end);
    assert_int_equal(result.code, 0);
    assert_int_equal(result.end.position, batch.end);
    assert_int_equal(log_segments_remove(&place, SEGMENTS + 1, 2), 0);
    restore(SEGMENTS - 1);
}

static void
a_removed_log_is_fresh(void **state)
{
    (void)state;
    struct result result;
    assert_int_equal(log_scan_remove(&place), 0);
    assert_int_equal(log_scan_remove(&place), 0);
    result = scan(0, 0);
    assert_int_equal(result.code, 0);
    assert_int_equal(result.end.last_segment, 0);
    for (unsigned segment = 0; segment < SEGMENTS; segment++) {
        restore(segment);
    }
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("an intact log is told whole", an_intact_log_is_told_whole),
        SPEC("batches before the mark are passed over", batches_before_the_mark_are_passed_over),
        SPEC("segments below the mark may hold anything", segments_below_the_mark_may_be_anything),
        SPEC("a mark within a batch is damage", a_mark_within_a_batch_is_damage),
        SPEC("a log without a segment is fresh, unless something was folded from it",
             a_fresh_log_needs_no_segment),
        SPEC("the callback's value ends the scan", the_callback_ends_the_scan),
        SPEC("each byte flipped: damage before the last batch, a torn tail in it, nothing after it",
             every_flipped_byte_is_judged_rightly),
        SPEC("a tail lost from any offset on is cut, be it zeros or rubbish",
             a_tail_lost_at_every_offset_is_cut),
        SPEC("a file cut short anywhere is damage", a_file_cut_short_is_damage),
        SPEC("a hole with a good batch behind it is damage", a_hole_before_a_good_batch_is_damage),
        SPEC("a missing segment is damage", a_missing_segment_is_damage),
        SPEC("exchanged segments are damage", exchanged_segments_are_damage),
        SPEC("another directory's segment is damage", another_directorys_segment_is_damage),
        SPEC("an older copy of the last segment is noticed by what was folded",
             an_older_copy_of_the_last_segment_is_noticed),
        SPEC("only a batch with the right salt, place, number and predecessor is taken",
             only_a_batch_that_continues_is_taken),
        SPEC("after a torn tail appending goes on, and the log is whole again",
             appending_goes_on_after_a_torn_tail),
        SPEC("a segment made ready before a crash is used after it, whatever half a batch left in "
             "it",
             a_segment_made_ready_is_used_after_opening),
        SPEC("a removed log is fresh, and removing it can be repeated", a_removed_log_is_fresh),
    };
    return cmocka_run_group_tests(specs, setup, teardown);
}
