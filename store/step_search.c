/* SPDX-License-Identifier: Apache-2.0 */
#include "store/step_search.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
    CHUNK_BYTES = 256 << 10,
    CHUNK_WORDS = CHUNK_BYTES / sizeof(uint64_t),
    /* Wall clocks of schedulers are compared, each a little off: a second in ticks. */
    SLACK_TICKS = 1000000 / STEP_TICK_US,
};

/* Cursors that a place in an inbox waits for. */
enum passed {
    PASSED_PUSHED,
    PASSED_ACKNOWLEDGED,
    PASSED_GIVEN_UP,
    PASSED_EXPIRED,
    PASSED_READ,
    PASSED_KINDS
};

/* Where the message was queued, and the first cursor of each kind that went past it. */
struct step_target {
    uint64_t user;
    uint64_t number;
    uint64_t queued_at;
    uint16_t device;
    struct step passed[PASSED_KINDS]; /* kind STEP_NONE: none yet */
};

/* ------------------------------------------------------------------------------------ beginning */

/* A segment ends where the next of its row begins; each row's newest goes on. */
static void
find_ends(struct step_search *search)
{
    for (unsigned i = 0; i < search->segments_count; i++) {
        const struct step_segment *segment = &search->segments[i];
        search->ended[i] = UINT64_MAX;
        if (i + 1 < search->segments_count && segment[1].row == segment->row) {
            search->ended[i] = segment[1].begun;
        }
        if (search->oldest == 0 || segment->begun < search->oldest) {
            search->oldest = segment->begun;
        }
    }
}

/* There are some dozens. */
static void
sort_by_end(struct step_search *search)
{
    for (unsigned i = 1; i < search->segments_count; i++) {
        struct step_segment moving = search->segments[i];
        uint64_t ended = search->ended[i];
        unsigned at = i;
        for (; at > 0 && search->ended[at - 1] < ended; at--) {
            search->segments[at] = search->segments[at - 1];
            search->ended[at] = search->ended[at - 1];
        }
        search->segments[at] = moving;
        search->ended[at] = ended;
    }
}

int
step_search_begin(struct step_search *search)
{
    search->segments = calloc(STEP_SEARCH_SEGMENTS_MAX, sizeof search->segments[0]);
    search->ended = calloc(STEP_SEARCH_SEGMENTS_MAX, sizeof search->ended[0]);
    search->chunk = malloc(CHUNK_BYTES);
    ASSERT(search->segments != NULL && search->ended != NULL && search->chunk != NULL);
    /* In the order of their names: row by row, each from its oldest on. */
    int count = step_segments_list(search->driver, search->folder, search->segments,
                                   STEP_SEARCH_SEGMENTS_MAX);
    if (count < 0) {
        return count;
    }
    search->segments_count = (unsigned)count;
    find_ends(search);
    sort_by_end(search);
    return 0;
}

void
step_search_end(struct step_search *search)
{
    free(search->segments);
    free(search->ended);
    free(search->chunk);
    free(search->targets);
    search->segments = NULL;
    search->ended = NULL;
    search->chunk = NULL;
    search->targets = NULL;
}

/* ----------------------------------------------------------------------- the first round: marks */

static void
row_add(struct step_search *search, const struct step *step)
{
    if (search->count == search->rows_max) {
        search->cut = true;
        return;
    }
    search->rows[search->count++] = *step;
}

static void
note(struct step_search *search, const struct step *step)
{
    row_add(search, step);
    if (step->kind == STEP_ACCEPTED &&
        (search->accepted_at == 0 || step->ticks < search->accepted_at)) {
        search->accepted_at = step->ticks;
    } else if (step->kind == STEP_DURABLE) {
        search->durable_at = step->ticks;
        search->chat = step->user;
        search->chat_number = step->number;
    }
}

static void
look_for_mark(struct step_search *search, const uint64_t *words, size_t count)
{
    for (size_t i = 0; i < count; i += STEP_WORDS) {
        struct step step;
        if (words[i] == search->mark && step_unpack(&words[i], &step) && step.kind != STEP_READ) {
            note(search, &step);
        } else if (words[i] == 0 && step_unpack(&words[i], &step) && step.kind == STEP_MISSED) {
            search->missed += step.number;
        }
    }
}

/* Whether the segment may hold a step of the message: none comes before it is accepted. A
 * repetition is accepted, too, so it takes both. */
static bool
may_have_mark(const struct step_search *search, unsigned segment)
{
    bool begun = search->durable_at != 0 && search->accepted_at != 0 &&
                 search->accepted_at <= search->durable_at + SLACK_TICKS;
    return !begun || search->ended[segment] + SLACK_TICKS >= search->accepted_at ||
           search->ended[segment] == UINT64_MAX;
}

/* -------------------------------------------------------------------- the second round: cursors */

static int
target_compare(const void *x_in, const void *y_in)
{
    const struct step_target *x = x_in;
    const struct step_target *y = y_in;
    if (x->user != y->user) {
        return x->user < y->user ? -1 : 1;
    }
    return (int)x->device - (int)y->device;
}

static void
find_targets(struct step_search *search)
{
    search->targets = calloc(search->count + 1, sizeof search->targets[0]);
    ASSERT(search->targets != NULL);
    search->queued_at = UINT64_MAX;
    for (unsigned i = 0; i < search->count; i++) {
        const struct step *row = &search->rows[i];
        if (row->kind == STEP_QUEUED) {
            search->targets[search->targets_count++] =
                (struct step_target){.user = row->user,
                                     .device = row->device,
                                     .number = row->number,
                                     .queued_at = row->ticks};
            search->queued_at = row->ticks < search->queued_at ? row->ticks : search->queued_at;
        }
    }
    qsort(search->targets, search->targets_count, sizeof search->targets[0], target_compare);
}

/* The first target of the user, or where it would be. */
static unsigned
target_first(const struct step_search *search, uint64_t user)
{
    unsigned low = 0;
    unsigned high = search->targets_count;
    while (low < high) {
        unsigned middle = (low + high) / 2;
        if (search->targets[middle].user < user) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static void
pass(struct step_target *target, enum passed passed, const struct step *step)
{
    struct step *first = &target->passed[passed];
    if (first->kind == STEP_NONE || step->ticks < first->ticks) {
        *first = *step;
    }
}

/* The sender's own reading of what he wrote tells nothing. */
static bool
reads_the_chat(const struct step_search *search, const struct step *step)
{
    bool of_sender = step->user == search->chat && step->mark == search->sender;
    bool of_group = step->mark == search->chat && step->user != search->sender;
    return (of_sender || of_group) && search->durable_at != 0 &&
           step->number >= search->chat_number;
}

static void
move_cursor(struct step_search *search, const struct step *step)
{
    static const enum passed kinds[STEP_KINDS] = {
        [STEP_PUSHED] = PASSED_PUSHED,     [STEP_ACKNOWLEDGED] = PASSED_ACKNOWLEDGED,
        [STEP_GIVEN_UP] = PASSED_GIVEN_UP, [STEP_EXPIRED] = PASSED_EXPIRED,
        [STEP_READ] = PASSED_READ,
    };
    unsigned at = target_first(search, step->user);
    if (step->kind == STEP_EXPIRED && step->mark != 0) {
        return; /* of one message alone */
    }
    for (; at < search->targets_count && search->targets[at].user == step->user; at++) {
        struct step_target *target = &search->targets[at];
        if (step->kind == STEP_READ) {
            if (reads_the_chat(search, step)) {
                pass(target, PASSED_READ, step);
            }
            return; /* told once for all devices */
        }
        bool device = target->device == step->device || target->device == 0;
        if (device && step->number >= target->number) {
            pass(target, kinds[step->kind], step);
        }
    }
}

static void
look_for_cursors(struct step_search *search, const uint64_t *words, size_t count)
{
    for (size_t i = 0; i < count; i += STEP_WORDS) {
        struct step step;
        if (step_unpack(&words[i], &step) && step.kind >= STEP_PUSHED &&
            step.kind <= STEP_EXPIRED) {
            move_cursor(search, &step);
        }
    }
}

/* ------------------------------------------------------------------------------------- segments */

static int
read_segment(struct step_search *search, const struct step_segment *segment)
{
    io_file file;
    uint64_t offset = STEP_BYTES;
    ssize_t got = 0;
    int error = step_segment_open(search->driver, search->folder, segment, &file);
    if (error < 0) {
        return error == -ENOENT ? 0 : error;
    }
    do {
        got = io_file_read(search->driver, file, search->chunk, CHUNK_BYTES, offset);
        if (got > 0) {
            size_t count = (size_t)got / STEP_BYTES * STEP_WORDS;
            const uint64_t *words = (const uint64_t *)(const void *)search->chunk;
            offset += (uint64_t)got;
            search->bytes += (uint64_t)got;
            if (search->targets == NULL) {
                look_for_mark(search, words, count);
            } else {
                look_for_cursors(search, words, count);
            }
        }
    } while (got == CHUNK_BYTES);
    io_file_close(search->driver, file);
    return got < 0 ? (int)got : 0;
}

static int
row_compare(const void *x_in, const void *y_in)
{
    const struct step *x = x_in;
    const struct step *y = y_in;
    if (x->ticks != y->ticks) {
        return x->ticks < y->ticks ? -1 : 1;
    }
    return (int)x->kind - (int)y->kind;
}

static void
finish(struct step_search *search)
{
    for (unsigned i = 0; i < search->targets_count; i++) {
        for (unsigned kind = 0; kind < PASSED_KINDS; kind++) {
            if (search->targets[i].passed[kind].kind != STEP_NONE) {
                row_add(search, &search->targets[i].passed[kind]);
            }
        }
    }
    qsort(search->rows, search->count, sizeof search->rows[0], row_compare);
}

int
step_search_segment(struct step_search *search)
{
    bool first_round = search->targets == NULL;
    while (search->at < search->segments_count) {
        unsigned at = search->at++;
        bool wanted =
            first_round ? may_have_mark(search, at) : search->ended[at] >= search->queued_at;
        if (wanted) {
            return read_segment(search, &search->segments[at]);
        }
    }
    if (first_round) {
        find_targets(search);
        search->at = search->targets_count > 0 ? 0 : search->segments_count;
        return 0;
    }
    finish(search);
    return -ENODATA;
}
