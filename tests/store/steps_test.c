/* SPDX-License-Identifier: Apache-2.0 */
/* The files that steps are kept in, and what is found there. */
#include "store/step_search.h"
#include "tests/spec.h"
#include "tests/store/disk.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    ROW_BYTES = 64 << 10,
    SENDER = 501,
    READER = 502,
    OTHER = 503,
    MARK = 77,
    START = 1000000000, /* ticks */
    ROWS_MAX = 32,
};

static struct disk disk;

static void
row_open(struct step_files *files, uint32_t row, uint32_t rows)
{
    struct step_place place = {
        .driver = &disk.driver, .folder = "scratch", .row = row, .rows = rows};
    place.bytes_max = ROW_BYTES;
    assert_int_equal(step_files_open(files, &place), 0);
}

static int
append(struct step_files *files, const struct step *steps, unsigned count)
{
    uint64_t *words = step_memory(ROWS_MAX);
    assert_non_null(words);
    for (unsigned i = 0; i < count; i++) {
        step_pack(&steps[i], &words[(size_t)i * STEP_WORDS]);
    }
    int error = step_files_append(files, words, count);
    free(words);
    return error;
}

/* Steps of others, one a tick. */
static void
append_noise(struct step_files *files, unsigned count, uint64_t from_ticks)
{
    struct step noise[16];
    for (unsigned done = 0; done < count; done += 16) {
        for (unsigned i = 0; i < 16; i++) {
            noise[i] = (struct step){.kind = STEP_WRITTEN,
                                     .mark = 1000 + done + i,
                                     .user = OTHER,
                                     .device = 1,
                                     .number = done + i,
                                     .ticks = from_ticks + done + i};
        }
        assert_int_equal(append(files, noise, 16), 0);
    }
}

static struct step rows[ROWS_MAX];

static void
find(struct step_search *search)
{
    *search = (struct step_search){.driver = &disk.driver,
                                   .folder = "scratch",
                                   .mark = MARK,
                                   .sender = SENDER,
                                   .rows = rows,
                                   .rows_max = ROWS_MAX};
    int error = step_search_begin(search);
    while (error == 0) {
        error = step_search_segment(search);
    }
    step_search_end(search);
    assert_int_equal(error, -ENODATA);
}

static void
expect_row(unsigned index, enum step_kind kind, uint64_t user, uint16_t device, uint64_t number,
           uint64_t ticks)
{
    assert_string_equal(step_kind_name(rows[index].kind), step_kind_name(kind));
    assert_int_equal(rows[index].user, user);
    assert_int_equal(rows[index].device, device);
    assert_int_equal(rows[index].number, number);
    assert_int_equal(rows[index].ticks, ticks);
}

/* ---------------------------------------------------------------------------------------- bytes */

static void
keeps_every_field(void **state)
{
    (void)state;
    for (int kind = STEP_ACCEPTED; kind < STEP_KINDS; kind++) {
        struct step step = {.kind = (enum step_kind)kind,
                            .device = UINT16_MAX,
                            .mark = UINT64_MAX,
                            .user = STEP_USER_MAX,
                            .number = UINT64_MAX,
                            .ticks = (UINT64_C(1) << 48) - 1};
        struct step back;
        uint64_t words[STEP_WORDS];
        step_pack(&step, words);
        assert_true(step_unpack(words, &back));
        assert_memory_equal(&step, &back, sizeof step);
    }
    uint64_t hole[STEP_WORDS] = {0};
    uint64_t later[STEP_WORDS] = {[1] = (uint64_t)STEP_KINDS << 56};
    struct step none;
    assert_false(step_unpack(hole, &none));
    assert_false(step_unpack(later, &none));
}

static void
marks_messages_apart(void **state)
{
    (void)state;
    uint64_t mark = step_mark(1, SENDER, 2, 3);
    assert_int_equal(step_mark(1, SENDER, 2, 3), mark);
    assert_int_not_equal(step_mark(2, SENDER, 2, 3), mark);
    assert_int_not_equal(step_mark(1, READER, 2, 3), mark);
    assert_int_not_equal(step_mark(1, SENDER, 3, 3), mark);
    assert_int_not_equal(step_mark(1, SENDER, 2, 4), mark);
}

/* ---------------------------------------------------------------------------------------- files */

static void
drops_the_oldest(void **state)
{
    (void)state;
    struct step_files files;
    disk_init(&disk, "scratch");
    row_open(&files, 0, 1);
    assert_int_equal(files.bytes, 0);
    append_noise(&files, 10000, START); /* 320 kB where 64 KiB fit */
    assert_true(files.bytes <= ROW_BYTES && files.bytes > ROW_BYTES / 2);
    assert_false(disk_has(&disk, "000-00000001"));
    uint64_t oldest = files.segments[0].begun;
    assert_true(oldest > START + 10000 - ROW_BYTES / STEP_BYTES && oldest < START + 10000);
    step_files_close(&files);
    struct step_search search;
    find(&search);
    assert_int_equal(search.oldest, oldest);
    assert_int_equal(search.count, 0);
    assert_true(search.bytes <= ROW_BYTES);
}

static void
goes_on_after_a_restart(void **state)
{
    (void)state;
    struct step_files files;
    struct step_search search;
    struct step steps[] = {
        {.kind = STEP_ACCEPTED, .mark = MARK, .user = READER, .ticks = START},
        {.kind = STEP_DURABLE, .mark = MARK, .user = READER, .number = 4, .ticks = START + 50},
    };
    disk_init(&disk, "scratch");
    for (unsigned life = 0; life < 2; life++) {
        row_open(&files, 0, 1);
        assert_int_equal(files.count, life);
        assert_int_equal(append(&files, &steps[life], 1), 0);
        step_files_close(&files);
    }
    find(&search);
    assert_int_equal(search.count, 2);
    expect_row(0, STEP_ACCEPTED, READER, 0, 0, START);
    expect_row(1, STEP_DURABLE, READER, 0, 4, START + 50);
}

static void
many_restarts(void **state)
{
    (void)state;
    struct step_files files;
    struct step step = {.kind = STEP_ACCEPTED, .mark = MARK, .user = READER};
    disk_init(&disk, "scratch");
    for (unsigned life = 0; life < STEP_SEGMENTS_MAX + 10; life++) {
        row_open(&files, 0, 1);
        step.ticks = START + life;
        assert_int_equal(append(&files, &step, 1), 0);
        step_files_close(&files);
    }
    assert_int_equal(files.count, STEP_SEGMENTS_MAX);
    assert_int_equal(files.segments[0].begun, START + 10);
    assert_false(disk_has(&disk, "000-0000000a"));
    assert_true(disk_has(&disk, "000-0000000b"));
}

static void
adopts_rows(void **state)
{
    (void)state;
    struct step_files files;
    struct step_search search;
    struct step step = {.kind = STEP_ACCEPTED, .mark = MARK, .user = READER, .ticks = START};
    disk_init(&disk, "scratch");
    row_open(&files, 3, 4);
    assert_int_equal(append(&files, &step, 1), 0);
    step_files_close(&files);
    row_open(&files, 0, 2); /* 3 is none of its */
    assert_int_equal(files.count, 0);
    step_files_close(&files);
    row_open(&files, 1, 2);
    assert_int_equal(files.count, 1);
    find(&search);
    assert_int_equal(search.count, 1);
    append_noise(&files, ROW_BYTES / STEP_BYTES, START + 1);
    assert_false(disk_has(&disk, "003-00000001"));
    step_files_close(&files);
}

static void
passes_over_what_a_crash_left(void **state)
{
    (void)state;
    struct step_files files;
    struct step_search search;
    struct step steps[] = {
        {.kind = STEP_ACCEPTED, .mark = MARK, .user = READER, .ticks = START},
        {.kind = STEP_DURABLE, .mark = MARK, .user = READER, .number = 4, .ticks = START + 1},
    };
    unsigned char zeros[STEP_BYTES] = {0};
    disk_init(&disk, "scratch");
    row_open(&files, 0, 1);
    assert_int_equal(append(&files, steps, 2), 0);
    step_files_close(&files);
    disk_patch(&disk, "000-00000001", STEP_HEADER_BYTES, zeros,
               STEP_BYTES);                   /* the first never got there */
    disk_write(&disk, "000-00000002", "", 0); /* a header, neither */
    disk_write(&disk, "000-0000000x", "not ours", 8);
    find(&search);
    assert_int_equal(search.count, 1);
    expect_row(0, STEP_DURABLE, READER, 0, 4, START + 1);
    row_open(&files, 0, 1);
    assert_false(disk_has(&disk, "000-00000002"));
    assert_true(disk_has(&disk, "000-0000000x"));
    step_files_close(&files);
}

static void
a_full_disk_costs_the_newest(void **state)
{
    (void)state;
    struct step_files files;
    struct step step = {.kind = STEP_ACCEPTED, .mark = MARK, .user = READER, .ticks = START};
    disk_init(&disk, "scratch");
    row_open(&files, 0, 1);
    assert_int_equal(append(&files, &step, 1), 0);
    for (unsigned i = 0; i < 2 * STEP_SEGMENTS_MAX; i++) {
        /* What fails in turn: the write, or (there is no segment then) making one. */
        disk_fail(&disk, 1, -ENOSPC);
        assert_int_equal(append(&files, &step, 1), -ENOSPC);
    }
    assert_true(disk_has(&disk, "000-00000001"));
    assert_int_equal(files.count, 1);
    disk_fail(&disk, 0, 0);
    assert_int_equal(append(&files, &step, 1), 0);
    assert_int_equal(files.count, 2);
    step_files_close(&files);
}

static void
makes_its_folder(void **state)
{
    (void)state;
    struct step_files files;
    struct step_search search;
    struct step step = {.kind = STEP_ACCEPTED, .mark = MARK, .user = READER, .ticks = START};
    disk_init(&disk, "scratch");
    assert_int_equal(rmdir("scratch"), 0);
    find(&search);
    assert_int_equal(search.count, 0);
    row_open(&files, 0, 1);
    assert_int_equal(files.count, 0);
    assert_int_equal(append(&files, &step, 1), 0);
    step_files_close(&files);
    find(&search);
    assert_int_equal(search.count, 1);
}

/* -------------------------------------------------------------------------------------- finding */

/* Two devices of the reader; the sender has a second one. */
static void
finds_the_whole_way(void **state)
{
    (void)state;
    struct step_files files[2];
    struct step_search search;
    struct step at_reader[] = {
        {.kind = STEP_ACCEPTED, .mark = MARK, .user = READER, .ticks = START},
        {.kind = STEP_DURABLE, .mark = MARK, .user = READER, .number = 4, .ticks = START + 1},
        {STEP_QUEUED, 1, MARK, READER, 90, START + 2},
        {STEP_QUEUED, 2, MARK, READER, 90, START + 2},
        {STEP_WRITTEN, 1, MARK, READER, 90, START + 3},
        {STEP_PUSHED, 2, 0, READER, 89, START + 3},
        {STEP_PUSHED, 2, 0, READER, 91, START + 4},       /* this is it */
        {STEP_ACKNOWLEDGED, 1, 0, READER, 89, START + 4}, /* of what came before */
        {STEP_ACKNOWLEDGED, 1, 0, OTHER, 95, START + 5},  /* of another */
        {STEP_READ, 0, SENDER, READER, 3, START + 6},     /* not as far */
        {STEP_READ, 0, OTHER, READER, 9, START + 7},      /* another chat */
        {STEP_ACKNOWLEDGED, 1, 0, READER, 92, START + 8}, /* this is it */
        {STEP_ACKNOWLEDGED, 1, 0, READER, 95, START + 9}, /* and this comes later */
        {STEP_READ, 0, SENDER, READER, 5, START + 10},    /* this is it */
        {STEP_READ, 0, SENDER, READER, 6, START + 11},
        {STEP_GIVEN_UP, 2, 0, READER, 99, START + 12},
    };
    struct step at_sender[] = {
        {STEP_ANSWERED, 1, MARK, SENDER, 4, START + 2},
        {STEP_QUEUED, 1, MARK, SENDER, 33, START + 3},
        {STEP_QUEUED, 2, MARK, SENDER, 33, START + 3},
        {STEP_ACKNOWLEDGED, 2, 0, SENDER, 33, START + 20},
        {STEP_READ, 0, READER, SENDER, 9, START + 21}, /* what the other wrote */
    };
    disk_init(&disk, "scratch");
    for (unsigned row = 0; row < 2; row++) {
        row_open(&files[row], row, 2);
    }
    assert_int_equal(append(&files[0], at_reader, 16), 0);
    assert_int_equal(append(&files[1], at_sender, 5), 0);
    find(&search);
    assert_int_equal(search.count, 13);
    expect_row(0, STEP_ACCEPTED, READER, 0, 0, START);
    expect_row(1, STEP_DURABLE, READER, 0, 4, START + 1);
    expect_row(2, STEP_ANSWERED, SENDER, 1, 4, START + 2);
    assert_int_equal(rows[3].kind, STEP_QUEUED);
    assert_int_equal(rows[4].kind, STEP_QUEUED);
    assert_int_equal(rows[5].kind, STEP_QUEUED);
    assert_int_equal(rows[6].kind, STEP_QUEUED);
    expect_row(7, STEP_WRITTEN, READER, 1, 90, START + 3);
    expect_row(8, STEP_PUSHED, READER, 2, 91, START + 4);
    expect_row(9, STEP_ACKNOWLEDGED, READER, 1, 92, START + 8);
    expect_row(10, STEP_READ, READER, 0, 5, START + 10);
    expect_row(11, STEP_GIVEN_UP, READER, 2, 99, START + 12);
    expect_row(12, STEP_ACKNOWLEDGED, SENDER, 2, 33, START + 20);
    for (unsigned row = 0; row < 2; row++) {
        step_files_close(&files[row]);
    }
}

/* A group's members read the group's chat. */
static void
finds_readers_of_a_group(void **state)
{
    (void)state;
    enum { GROUP = 900 };
    struct step_files files;
    struct step_search search;
    struct step steps[] = {
        {.kind = STEP_ACCEPTED, .mark = MARK, .user = GROUP, .ticks = START},
        {.kind = STEP_DURABLE, .mark = MARK, .user = GROUP, .number = 7, .ticks = START + 1},
        {STEP_QUEUED, 1, MARK, READER, 90, START + 2},
        {STEP_QUEUED, 1, MARK, OTHER, 17, START + 2},
        {STEP_READ, 0, GROUP, OTHER, 7, START + 3},
        {STEP_READ, 0, GROUP, READER, 6, START + 4},
    };
    disk_init(&disk, "scratch");
    row_open(&files, 0, 1);
    assert_int_equal(append(&files, steps, 6), 0);
    find(&search);
    assert_int_equal(search.count, 5);
    expect_row(4, STEP_READ, OTHER, 0, 7, START + 3);
    step_files_close(&files);
}

/* Nothing of the message is older than its acceptance. */
static void
reads_no_further_than_it_must(void **state)
{
    (void)state;
    struct step_files files;
    struct step_search search;
    uint64_t now = UINT64_C(10) * START;
    struct step steps[] = {
        {.kind = STEP_ACCEPTED, .mark = MARK, .user = READER, .ticks = now},
        {.kind = STEP_DURABLE, .mark = MARK, .user = READER, .number = 4, .ticks = now + 1},
        {STEP_QUEUED, 1, MARK, READER, 90, now + 2},
    };
    disk_init(&disk, "scratch");
    row_open(&files, 0, 1);
    append_noise(&files, 1600, START);
    assert_int_equal(append(&files, steps, 3), 0);
    find(&search);
    assert_int_equal(search.count, 3);
    assert_true(search.bytes <= UINT64_C(4) * STEP_SEGMENT_BYTES_MIN); /* the newest two, twice */
    assert_int_equal(search.oldest, START);
    step_files_close(&files);
}

/* It was sent again much later: its first acceptance is looked for all the same. */
static void
finds_what_was_repeated(void **state)
{
    (void)state;
    struct step_files files;
    struct step_search search;
    uint64_t now = UINT64_C(10) * START;
    struct step first[] = {
        {.kind = STEP_ACCEPTED, .mark = MARK, .user = READER, .ticks = START},
        {.kind = STEP_DURABLE, .mark = MARK, .user = READER, .number = 4, .ticks = START + 1},
        {STEP_QUEUED, 1, MARK, READER, 90, START + 2},
    };
    struct step again[] = {
        {.kind = STEP_ACCEPTED, .mark = MARK, .user = READER, .ticks = now},
        {.kind = STEP_REPEATED, .mark = MARK, .user = READER, .number = 4, .ticks = now + 1},
    };
    disk_init(&disk, "scratch");
    row_open(&files, 0, 1);
    assert_int_equal(append(&files, first, 3), 0);
    append_noise(&files, 800, START + 10);
    assert_int_equal(append(&files, again, 2), 0);
    find(&search);
    assert_int_equal(search.count, 5);
    expect_row(0, STEP_ACCEPTED, READER, 0, 0, START);
    expect_row(4, STEP_REPEATED, READER, 0, 4, now + 1);
    step_files_close(&files);
}

static void
tells_what_is_missing(void **state)
{
    (void)state;
    struct step_files files;
    struct step_search search;
    struct step steps[ROWS_MAX];
    disk_init(&disk, "scratch");
    row_open(&files, 0, 1);
    for (unsigned i = 0; i < ROWS_MAX; i++) {
        steps[i] = (struct step){STEP_WRITTEN, 1, MARK, READER + i, 90, START + i};
    }
    assert_int_equal(append(&files, steps, ROWS_MAX), 0);
    steps[0] = (struct step){.kind = STEP_MISSED, .number = 12, .ticks = START};
    steps[1] = (struct step){STEP_WRITTEN, 1, MARK, READER, 90, START};
    assert_int_equal(append(&files, steps, 2), 0);
    find(&search);
    assert_int_equal(search.count, ROWS_MAX);
    assert_true(search.cut);
    assert_int_equal(search.missed, 12);
    step_files_close(&files);
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("a step keeps every field, and a hole is none", keeps_every_field),
        SPEC("two ids, or two data directories, have different marks", marks_messages_apart),
        SPEC("a row keeps to its bytes: the oldest segment goes, and its age is known",
             drops_the_oldest),
        SPEC("what was noted before a restart is found after it", goes_on_after_a_restart),
        SPEC("however often it restarts a row has so many segments", many_restarts),
        SPEC("rows of schedulers that are no more are found, and go in their turn", adopts_rows),
        SPEC("holes, and files without a header, are passed over", passes_over_what_a_crash_left),
        SPEC("the folder is made when there is something to keep", makes_its_folder),
        SPEC("a disk that stays full costs new steps, not old ones", a_full_disk_costs_the_newest),
        SPEC("a message's way is found over devices, rows and cursors", finds_the_whole_way),
        SPEC("members of a group read by the group's numbers", finds_readers_of_a_group),
        SPEC("what is older than the message is not read", reads_no_further_than_it_must),
        SPEC("a message that was sent again is found from its first time on",
             finds_what_was_repeated),
        SPEC("what does not fit into the answer, or was never noted, is told",
             tells_what_is_missing),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
