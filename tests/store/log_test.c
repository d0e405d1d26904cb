/* SPDX-License-Identifier: Apache-2.0 */
/* Appending, without crashes: what goes where. */
#include "store/log.h"
#include "store/log_scan.h"
#include "tests/spec.h"
#include "tests/store/disk.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Two of the largest batches fill one. */
enum { SEGMENT_BYTES = LOG_SEGMENT_HEADER_BYTES + 2 * 2048 };

struct logs {
    struct disk disk;
    struct log_place place;
    struct log *log;
    char why[LOG_WHY_BYTES];
};

static void
open_at(struct logs *logs, const struct log_end *end)
{
    int result = log_open(&logs->place, end, &logs->log, logs->why);
    assert_int_equal(result, 0);
}

static int
setup(void **state)
{
    struct logs *logs = calloc(1, sizeof(*logs));
    struct log_end end;
    assert_non_null(logs);
    disk_init(&logs->disk, "log");
    logs->place = (struct log_place){
        .driver = &logs->disk.driver,
        .folder = "log",
        .identity = "0123456789abcde",
        .generation = 1,
        .segment_bytes = SEGMENT_BYTES,
        .batch_bytes_max = 2048,
    };
    log_end_fresh(&end);
    open_at(logs, &end);
    *state = logs;
    return 0;
}

static int
teardown(void **state)
{
    struct logs *logs = *state;
    log_close(&logs->log);
    free(logs);
    return 0;
}

static int
append(struct logs *logs, uint8_t partition, const void *body, size_t bytes)
{
    struct log_command command = {
        .partition = partition,
        .kind = 5,
        .version = 2,
        .body = body,
        .body_bytes = (uint32_t)bytes,
    };
    return log_append(logs->log, &command);
}

static void
write_batch(struct logs *logs, const struct log_write *write)
{
    int result = io_file_write(&logs->disk.driver, write->file, write->piece.iov_base,
                               write->piece.iov_len, write->offset);
    assert_int_equal(result, 0);
    log_written(logs->log);
}

/* A batch of one command with a body of so many bytes; makes the next segment when it is asked
 * for. */
static struct log_batch
commit(struct logs *logs, size_t bytes)
{
    static const unsigned char body[4096];
    struct log_batch batch;
    struct log_write write;
    uint32_t number;
    uint32_t recycle;
    assert_int_equal(append(logs, 1, body, bytes), 0);
    int result = log_seal(logs->log, &batch, &write);
    if (log_segment_wanted(logs->log, &number, &recycle)) {
        struct log_segment segment;
        assert_int_equal(log_segment_make(log_place_of(logs->log), number, recycle, &segment), 0);
        log_segment_ready(logs->log, &segment);
    }
    if (result == -EAGAIN) {
        result = log_seal(logs->log, &batch, &write);
    }
    assert_int_equal(result, 0);
    write_batch(logs, &write);
    return batch;
}

struct told {
    unsigned batches;
    unsigned commands;
    uint64_t last_position;
};

static int
tell(void *context, struct log_batch *batch)
{
    struct told *told = context;
    struct log_command command;
    int result;
    told->batches++;
    while ((result = log_batch_next(batch, &command, &told->last_position)) > 0) {
        told->commands++;
    }
    return result;
}

/* What a scan tells of the files as they are now. */
static struct told
scan(struct logs *logs, struct log_end *out_end)
{
    struct told told = {0};
    struct log_scan log_scan = {.place = &logs->place, .each = tell, .context = &told};
    assert_int_equal(log_scan_run(&log_scan, out_end), 0);
    return told;
}

/* -------------------------------------------------------------------------------------- batches */

static void
a_batch_holds_what_was_appended(void **state)
{
    struct logs *logs = *state;
    struct log_batch batch;
    struct log_write write;
    struct log_command command;
    uint64_t position;
    assert_int_equal(append(logs, 7, "hello", 5), 0);
    assert_int_equal(append(logs, 8, NULL, 0), 0);
    assert_int_equal(log_open_commands(logs->log), 2);
    assert_int_equal(log_open_bytes(logs->log), 8 + 5 + 8);
    assert_int_equal(log_seal(logs->log, &batch, &write), 0);
    assert_int_equal(batch.position, log_position_first());
    assert_int_equal(batch.number, 1);
    assert_int_equal(batch.previous, 0);
    assert_int_equal(write.offset, LOG_SEGMENT_HEADER_BYTES);
    assert_int_equal(write.piece.iov_len, 512); /* 48 + 21, filled up to a multiple of 512 */
    assert_int_equal(batch.end - batch.position, 512);
    assert_int_equal(log_batch_next(&batch, &command, &position), 1);
    assert_int_equal(position, batch.position + LOG_BATCH_HEADER_BYTES);
    assert_int_equal(command.partition, 7);
    assert_int_equal(command.kind, 5);
    assert_int_equal(command.version, 2);
    assert_int_equal(command.body_bytes, 5);
    assert_memory_equal(command.body, "hello", 5);
    assert_int_equal(log_batch_next(&batch, &command, &position), 1);
    assert_int_equal(position, batch.position + LOG_BATCH_HEADER_BYTES + 13);
    assert_int_equal(command.body_bytes, 0);
    assert_int_equal(log_batch_next(&batch, &command, &position), 0);
    write_batch(logs, &write);
}

static void
a_body_made_in_its_place_stays_there(void **state)
{
    struct logs *logs = *state;
    struct log_batch batch;
    struct log_write write;
    struct log_command command;
    uint64_t position;
    size_t before;
    size_t after;
    assert_int_equal(append(logs, 1, "first", 5), 0);
    unsigned char *place = log_body_room(logs->log, &before);
    assert_int_equal(before, 2048 - LOG_BATCH_HEADER_BYTES - 2 * LOG_COMMAND_HEADER_BYTES - 5);
    memcpy(place, "second", 6);
    assert_int_equal(append(logs, 2, place, 6), 0);
    assert_ptr_equal(log_body_room(logs->log, &after), place + 6 + LOG_COMMAND_HEADER_BYTES);
    assert_int_equal(after, before - 6 - LOG_COMMAND_HEADER_BYTES);
    assert_int_equal(append(logs, 3, "third", 5), 0);
    assert_int_equal(log_seal(logs->log, &batch, &write), 0);
    assert_int_equal(log_batch_next(&batch, &command, &position), 1);
    assert_int_equal(log_batch_next(&batch, &command, &position), 1);
    assert_int_equal(command.partition, 2);
    assert_int_equal(command.body_bytes, 6);
    assert_ptr_equal(command.body, place);
    assert_memory_equal(command.body, "second", 6);
    assert_int_equal(log_batch_next(&batch, &command, &position), 1);
    assert_memory_equal(command.body, "third", 5);
    write_batch(logs, &write);
}

static void
no_room_for_a_body_is_told(void **state)
{
    struct logs *logs = *state;
    static const unsigned char body[4096];
    size_t room;
    (void)log_body_room(logs->log, &room);
    assert_int_equal(append(logs, 1, body, room), 0);
    (void)log_body_room(logs->log, &room);
    assert_int_equal(room, 0);
}

static void
the_next_batch_fills_while_one_is_in_flight(void **state)
{
    struct logs *logs = *state;
    struct log_batch first;
    struct log_batch second;
    struct log_write write;
    assert_int_equal(append(logs, 1, "first", 5), 0);
    assert_int_equal(log_seal(logs->log, &first, &write), 0);
    assert_true(log_in_flight(logs->log));
    assert_int_equal(log_durable_position(logs->log), first.position);
    assert_int_equal(append(logs, 1, "second", 6), 0);
    assert_memory_equal(first.bytes + LOG_COMMAND_HEADER_BYTES, "first", 5);
    write_batch(logs, &write);
    assert_int_equal(log_durable_position(logs->log), first.end);
    assert_int_equal(log_seal(logs->log, &second, &write), 0);
    assert_int_equal(second.position, first.end);
    assert_int_equal(second.number, 2);
    assert_int_equal(second.previous, first.checksum);
    assert_memory_equal(second.bytes + LOG_COMMAND_HEADER_BYTES, "second", 6);
    write_batch(logs, &write);
}

static void
a_full_batch_asks_to_be_sealed(void **state)
{
    struct logs *logs = *state;
    unsigned char body[2048] = {0};
    uint32_t most = log_body_bytes_max(logs->log);
    assert_int_equal(most, 2048 - LOG_BATCH_HEADER_BYTES - LOG_COMMAND_HEADER_BYTES);
    assert_int_equal(append(logs, 1, body, most), 0);
    assert_int_equal(append(logs, 1, body, 0), -EAGAIN);
    assert_int_equal(log_open_commands(logs->log), 1);
    struct log_batch batch;
    struct log_write write;
    assert_int_equal(log_seal(logs->log, &batch, &write), 0);
    assert_int_equal(write.piece.iov_len, 2048);
    assert_int_equal(append(logs, 1, body, 0), 0);
    write_batch(logs, &write);
}

static void
senseless_bytes_end_a_batch(void **state)
{
    (void)state;
    unsigned char bytes[16] = {9}; /* a body of 9 bytes, of which 8 are there */
    struct log_batch batch = {.bytes = bytes, .bytes_count = 16, .commands = 1};
    struct log_command command;
    uint64_t position;
    assert_int_equal(log_batch_next(&batch, &command, &position), -EBADMSG);
    bytes[0] = 8;
    assert_int_equal(log_batch_next(&batch, &command, &position), 1);
    batch.at = 0;
    bytes[7] = 1; /* must be 0 */
    assert_int_equal(log_batch_next(&batch, &command, &position), -EBADMSG);
    batch.at = 0;
    batch.bytes_count = 7; /* not even a head */
    assert_int_equal(log_batch_next(&batch, &command, &position), -EBADMSG);
}

/* ------------------------------------------------------------------------------------- segments */

static void
what_does_not_fit_goes_to_the_next_segment(void **state)
{
    struct logs *logs = *state;
    struct log_end end;
    (void)commit(logs, 1900);
    struct log_batch last = commit(logs, 1900);
    assert_int_equal(log_position_segment(last.position), 1);
    last = commit(logs, 1900);
    assert_int_equal(last.position, log_position(2, LOG_SEGMENT_HEADER_BYTES));
    assert_int_equal(last.number, 3);
    assert_true(disk_has(&logs->disk, "00000001-000-00000002"));
    struct told told = scan(logs, &end);
    assert_int_equal(told.batches, 3);
    assert_int_equal(end.position, last.end);
    assert_int_equal(end.number, 4);
    assert_int_equal(end.previous, last.checksum);
    assert_int_equal(end.last_position, last.position);
    assert_int_equal(end.torn_bytes, 0);
}

static void
a_segment_fills_to_its_last_byte(void **state)
{
    struct logs *logs = *state;
    (void)commit(logs, log_body_bytes_max(logs->log));
    struct log_batch last = commit(logs, log_body_bytes_max(logs->log));
    assert_int_equal(last.end, log_position(1, SEGMENT_BYTES));
    last = commit(logs, 0);
    assert_int_equal(log_position_segment(last.position), 2);
    struct log_end end;
    assert_int_equal(scan(logs, &end).batches, 3);
}

static void
sealing_waits_for_a_segment_that_is_not_ready(void **state)
{
    struct logs *logs = *state;
    static const unsigned char body[2048];
    struct log_batch batch;
    struct log_write write;
    struct log_segment segment;
    uint32_t number = 0;
    uint32_t recycle = 1;
    uint64_t end = log_position_first();
    assert_false(log_segment_wanted(logs->log, &number, &recycle));
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(append(logs, 1, body, 1900), 0);
        assert_int_equal(log_seal(logs->log, &batch, &write), 0);
        write_batch(logs, &write);
        end = batch.end;
    }
    assert_true(log_segment_wanted(logs->log, &number, &recycle)); /* more than half is used */
    assert_int_equal(number, 2);
    assert_int_equal(recycle, 0);
    assert_false(log_segment_wanted(logs->log, &number, &recycle)); /* it is being made */
    assert_int_equal(append(logs, 1, body, 1900), 0);
    assert_int_equal(log_seal(logs->log, &batch, &write), -EAGAIN);
    assert_int_equal(log_open_commands(logs->log), 1);
    assert_false(log_in_flight(logs->log));
    log_segment_failed(logs->log); /* the disk was full */
    assert_int_equal(log_seal(logs->log, &batch, &write), -EAGAIN);
    assert_true(log_segment_wanted(logs->log, &number, &recycle));
    assert_int_equal(log_segment_make(log_place_of(logs->log), number, recycle, &segment), 0);
    log_segment_ready(logs->log, &segment);
    assert_int_equal(log_seal(logs->log, &batch, &write), 0);
    assert_int_equal(batch.number, 3);
    assert_true(batch.position > end);
    write_batch(logs, &write);
}

static void
a_large_batch_asks_for_a_segment_early(void **state)
{
    struct logs *logs = *state;
    log_close(&logs->log);
    disk_init(&logs->disk, "log");
    logs->place.batch_bytes_max = SEGMENT_BYTES;
    struct log_end end;
    log_end_fresh(&end);
    open_at(logs, &end);
    (void)commit(logs,
                 100); /* less than half is used; commit asserts that sealing succeeds in the end */
    struct log_batch batch = commit(logs, log_body_bytes_max(logs->log));
    assert_int_equal(log_position_segment(batch.position), 2);
    assert_int_equal(batch.end, log_position(2, SEGMENT_BYTES));
    assert_int_equal(scan(logs, &end).batches, 2);
}

static void
a_segment_that_cannot_be_made_leaves_nothing(void **state)
{
    struct logs *logs = *state;
    struct log_segment segment;
    for (unsigned n = 1; n <= 20; n++) {
        disk_fail(&logs->disk, n, -ENOSPC);
        int result = log_segment_make(&logs->place, 2, 0, &segment);
        bool failed = logs->disk.calls >= logs->disk.fail_at;
        disk_fail(&logs->disk, 0, 0);
        if (!failed) {
            assert_int_equal(result, 0);
            io_file_close(&logs->disk.driver, segment.file);
            assert_true(n > 6); /* remove, open, allocate, write, sync, rename, sync */
            return;
        }
        assert_int_equal(result, -ENOSPC);
        assert_false(disk_has(&logs->disk, "00000001-000-00000002.new"));
    }
    fail();
}

/* ------------------------------------------------------------------------------------- trimming */

static void
trimmed_segments_are_removed_but_for_one(void **state)
{
    struct logs *logs = *state;
    uint32_t first = 0;
    uint32_t count = 0;
    struct log_batch batch;
    do {
        batch = commit(logs, 1900);
    } while (log_position_segment(batch.position) < 5);
    assert_false(log_trim(logs->log, log_position(1, 500), &first, &count));
    assert_true(log_trim(logs->log, batch.position, &first, &count));
    assert_int_equal(first, 1);
    assert_int_equal(count, 3);
    assert_int_equal(log_segments_remove(&logs->place, first, count), 0);
    assert_false(disk_has(&logs->disk, "00000001-000-00000003"));
    assert_true(disk_has(&logs->disk, "00000001-000-00000004"));
    assert_false(log_trim(logs->log, batch.position, &first, &count));
    do {
        batch = commit(logs, 1900);
    } while (log_position_segment(batch.position) < 6);
    (void)commit(logs, 1900);
    assert_false(
        disk_has(&logs->disk, "00000001-000-00000004")); /* its file is segment 6 or 7 now */
}

static void
a_recycled_segment_shows_nothing_of_its_past(void **state)
{
    struct logs *logs = *state;
    uint32_t first;
    uint32_t count;
    struct log_end end;
    uint64_t trimmed = 0;
    for (unsigned i = 0; i < 200; i++) {
        /* Batches of one size: those of a file's last life lie just where new ones will end. */
        struct log_batch batch = commit(logs, 100);
        if (i % 30 == 29) {
            trimmed = batch.position;
            if (log_trim(logs->log, batch.position, &first, &count)) {
                assert_int_equal(log_segments_remove(&logs->place, first, count), 0);
            }
        }
        struct told told = {0};
        struct log_scan log_scan = {
            .place = &logs->place, .from = trimmed, .each = tell, .context = &told};
        assert_int_equal(log_scan_run(&log_scan, &end), 0);
        assert_int_equal(end.position, batch.end);
        assert_int_equal(end.number, i + 2);
        assert_int_equal(told.last_position, batch.position + LOG_BATCH_HEADER_BYTES);
    }
}

/* -------------------------------------------------------------------------------- opening again */

static void
appending_goes_on_where_it_ended(void **state)
{
    struct logs *logs = *state;
    struct log_end end;
    uint64_t last = 0;
    for (unsigned i = 0; i < 20; i++) {
        last = commit(logs, 700).end;
        log_close(&logs->log);
        struct told told = scan(logs, &end);
        assert_int_equal(told.batches, i + 1);
        assert_int_equal(end.position, last);
        open_at(logs, &end);
        assert_int_equal(log_durable_position(logs->log), last);
    }
}

static void
the_last_batch_is_written_again_and_synced(void **state)
{
    struct logs *logs = *state;
    struct log_end end;
    (void)commit(logs, 700);
    log_close(&logs->log);
    (void)scan(logs, &end);
    unsigned calls = logs->disk.calls;
    open_at(logs, &end);
    assert_int_equal(logs->disk.calls, calls + 3); /* written, synced, and the folder */
    log_close(&logs->log);
    for (unsigned n = 1; n <= 3; n++) {
        disk_fail(&logs->disk, n, -EIO);
        assert_int_equal(log_open(&logs->place, &end, &logs->log, logs->why), -EIO);
        assert_null(logs->log);
        assert_non_null(strstr(
            logs->why, n < 3 ? "can't write the last batch of log/00000001-000-00000001 again"
                             : "can't sync log"));
    }
}

static void
unfinished_segments_are_swept(void **state)
{
    struct logs *logs = *state;
    disk_write(&logs->disk, "00000001-000-00000002.new", "half", 4);
    disk_write(&logs->disk, "notes.new", "not ours", 8);
    assert_int_equal(log_segments_sweep(&logs->disk.driver, "log"), 0);
    assert_false(disk_has(&logs->disk, "00000001-000-00000002.new"));
    assert_true(disk_has(&logs->disk, "notes.new"));
    assert_true(disk_has(&logs->disk, "00000001-000-00000001"));
}

static void
positions_can_be_reckoned_with(void **state)
{
    (void)state;
    assert_int_equal(log_position_segment(log_position(3, 77)), 3);
    assert_int_equal(log_position_offset(log_position(3, 77)), 77);
    assert_int_equal(log_position_distance(log_position(1, 100), log_position(1, 300), 4096), 200);
    assert_int_equal(log_position_distance(log_position(1, 4000), log_position(3, 100), 4096),
                     2 * 4096 - 3900);
    assert_int_equal(log_position_distance(log_position(2, 0), log_position(1, 300), 4096), 0);
    struct log_mark marks[] = {{1, 500}, {1, 501}, {2, 0}};
    for (int i = 0; i < 3; i++) {
        for (int j = 0; j < 3; j++) {
            assert_int_equal(log_mark_compare(&marks[i], &marks[j]), (i > j) - (i < j));
        }
    }
}

#define LOG_SPEC(title, function)                  \
    {                                              \
        (title), (function), setup, teardown, NULL \
    }

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        LOG_SPEC("a batch holds what was appended, in order and with positions",
                 a_batch_holds_what_was_appended),
        LOG_SPEC("a body made in its place in the batch stays there",
                 a_body_made_in_its_place_stays_there),
        LOG_SPEC("a batch without room for another body says so", no_room_for_a_body_is_told),
        LOG_SPEC("while a batch is in flight the next one fills",
                 the_next_batch_fills_while_one_is_in_flight),
        LOG_SPEC("a full batch asks to be sealed", a_full_batch_asks_to_be_sealed),
        LOG_SPEC("bytes that make no sense as commands are refused", senseless_bytes_end_a_batch),
        LOG_SPEC("a batch that does not fit goes to the next segment",
                 what_does_not_fit_goes_to_the_next_segment),
        LOG_SPEC("a segment is filled to its last byte", a_segment_fills_to_its_last_byte),
        LOG_SPEC("sealing waits for a segment that is not ready, and nothing is lost",
                 sealing_waits_for_a_segment_that_is_not_ready),
        LOG_SPEC("a batch larger than what is left asks for a segment before half is used",
                 a_large_batch_asks_for_a_segment_early),
        LOG_SPEC("a segment that can't be made leaves nothing behind",
                 a_segment_that_cannot_be_made_leaves_nothing),
        LOG_SPEC("trimmed segments are removed, but for one that is recycled",
                 trimmed_segments_are_removed_but_for_one),
        LOG_SPEC("a recycled segment shows nothing of its past",
                 a_recycled_segment_shows_nothing_of_its_past),
        LOG_SPEC("after opening again appending goes on where it ended",
                 appending_goes_on_where_it_ended),
        LOG_SPEC("on opening the last batch is written again and synced, or opening fails",
                 the_last_batch_is_written_again_and_synced),
        LOG_SPEC("unfinished segments are swept, other files are not",
                 unfinished_segments_are_swept),
        LOG_SPEC("positions are ordered and can be reckoned with", positions_can_be_reckoned_with),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
