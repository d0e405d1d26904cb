/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/sections.h"

#include "bench/relay.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* It was started and has not ended. */
static bool
seat_plays(const struct seat *seat)
{
    return seat->pid != 0 && !seat->gone;
}

static void fail(struct sections *sections, const char *format, ...) PRINTF_LIKE(2, 3);

static void
fail(struct sections *sections, const char *format, ...)
{
    va_list arguments;
    if (!sections->failed) {
        sections->failed = true;
        va_start(arguments, format);
        (void)vsnprintf(sections->why, sizeof sections->why, format, arguments);
        va_end(arguments);
    }
}

/* ------------------------------------------------------------------------------------- starting */

/* Beside the conductor. 0 or a negative errno. */
static int
start_here(struct sections *sections, struct seat *seat)
{
    uint64_t monitor;
    struct section_start start = {.section = sections->here, .owner = ln_self()};
    return ln_spawn_monitor(&section_behaviour, &start, sizeof start, &seat->pid, &monitor);
}

static int
start_process(struct sections *sections, struct seat *seat)
{
    uint64_t monitor;
    int error = worker_start(sections->options, &seat->worker);
    if (error < 0) {
        return error;
    }
    struct relay_start start = {.socket = seat->worker.socket, .owner = ln_self()};
    return ln_spawn_monitor(&relay_behaviour, &start, sizeof start, &seat->pid, &monitor);
}

static void
tell(struct seat *seat, enum section_tag tag, const void *data, size_t bytes)
{
    if (tag != SECTION_LOOK) { /* it goes on with what is under way */
        seat->told = tag;
    }
    struct ln_msg *msg = ln_msg_new(tag, LN_REPLY, bytes);
    if (bytes > 0) {
        memcpy(msg->data, data, bytes);
    }
    ln_send(seat->pid, &msg);
}

void
sections_start(struct sections *sections, const struct options *options, struct section *here,
               const struct section_begin *begin)
{
    sections->options = options;
    sections->here = here;
    sections->count = options->processes;
    sections->alone = ln_alloc(TALLY_DELAYS * sizeof *sections->alone);
    sections->seats = ln_alloc(sections->count * sizeof *sections->seats);
    for (uint32_t i = 0; i < sections->count && !sections->failed; i++) {
        struct seat *seat = &sections->seats[i];
        struct section_begin words = *begin;
        int error =
            sections->count == 1 ? start_here(sections, seat) : start_process(sections, seat);
        if (error < 0) {
            seat->gone = true;
            fail(sections, "process %u of %u can't be started: %s", i + 1, sections->count,
                 strerrordesc_np(-error));
            return;
        }
        seat->meters = ln_alloc(TALLY_DELAYS * sizeof *seat->meters);
        seat->share = share_of(&options->whole, i, sections->count);
        words.share = seat->share;
        words.writers = share_count(begin->writers_all, i, sections->count);
        tell(seat, SECTION_BEGIN, &words, sizeof words);
    }
}

void
sections_tell(struct sections *sections, enum section_tag tag, const void *data, size_t bytes)
{
    for (uint32_t i = 0; i < sections->count; i++) {
        if (seat_plays(&sections->seats[i])) {
            tell(&sections->seats[i], tag, data, bytes);
        }
    }
}

void
sections_tell_some(struct sections *sections, enum section_tag tag, const void *data, size_t bytes,
                   uint32_t at_once_max)
{
    uint32_t busy = 0;
    for (uint32_t i = 0; i < sections->count && busy < at_once_max; i++) {
        struct seat *seat = &sections->seats[i];
        if (!seat_plays(seat)) {
            continue;
        }
        if (seat->told != tag) {
            tell(seat, tag, data, bytes);
        }
        busy += seat->news.done != tag;
    }
}

/* -------------------------------------------------------------------------------------- hearing */

static struct seat *
seat_of(struct sections *sections, ln_pid pid)
{
    for (uint32_t i = 0; i < sections->count; i++) {
        if (sections->seats[i].pid == pid) {
            return &sections->seats[i];
        }
    }
    return NULL;
}

struct waiting {
    const struct worker *worker;
    char text[WORKER_TEXT_BYTES];
};

/* For ln_work. */
static void
wait_for(void *argument)
{
    struct waiting *waiting = argument;
    worker_wait(waiting->worker, waiting->text);
}

static void
ended(struct sections *sections, struct seat *seat, const struct ln_down *down)
{
    seat->gone = true;
    if (seat->worker.pid == 0) {
        if (!sections->ending) {
            fail(sections, "the generator itself failed: %s",
                 down->reason.text != NULL ? down->reason.text : "a section has ended");
        }
        return;
    }
    if (down->reason.kind != LN_EXIT_NORMAL) {
        fail(sections, "process %u of %u of the generator: %s",
             (unsigned)(seat - sections->seats) + 1, sections->count,
             down->reason.text != NULL ? down->reason.text : "its relay has ended");
    }
    struct waiting waiting = {.worker = &seat->worker};
    ln_work(wait_for, &waiting, LN_WORK_NORMAL);
    if (!sections->ending) {
        fail(sections, "process %u of %u of the generator (pid %d) %s",
             (unsigned)(seat - sections->seats) + 1, sections->count, (int)seat->worker.pid,
             waiting.text);
    }
}

void
sections_note(struct sections *sections, const struct ln_msg *msg)
{
    const void *data = msg->data;
    struct seat *seat = NULL;
    switch (msg->tag) {
    case SECTION_NEWS:
        seat = seat_of(sections, msg->from);
        if (seat != NULL) {
            memcpy(&seat->news, data, sizeof seat->news);
        }
        break;
    case SECTION_METERS:
        seat = seat_of(sections, msg->from);
        if (seat != NULL) {
            const struct section_meters *meters = data;
            seat->meters[meters->delay] = meters->look;
        }
        break;
    case SECTION_DELAYS: {
        const struct section_delays *delays = data;
        struct histogram *into =
            delays->episode == TALLY_ALONE ? sections->alone : sections->found.delays;
        histogram_merge(&into[delays->delay], &delays->histogram);
        break;
    }
    case SECTION_VERDICT:
        audit_verdict_merge(&sections->found.verdict, data);
        break;
    case SECTION_FAILED:
        fail(sections, "%s", ((const struct crowd_failed *)data)->text);
        break;
    case LN_TAG_DOWN:
        seat = seat_of(sections, ((const struct ln_down *)data)->pid);
        if (seat != NULL && !seat->gone) {
            ended(sections, seat, data);
        }
        break;
    default:
        break;
    }
}

bool
sections_heard(const struct sections *sections, enum section_tag tag)
{
    for (uint32_t i = 0; i < sections->count; i++) {
        if (seat_plays(&sections->seats[i]) && sections->seats[i].news.heard != tag) {
            return false;
        }
    }
    return true;
}

bool
sections_done(const struct sections *sections, enum section_tag tag)
{
    for (uint32_t i = 0; i < sections->count; i++) {
        if (seat_plays(&sections->seats[i]) && sections->seats[i].news.done != tag) {
            return false;
        }
    }
    return true;
}

uint64_t
sections_count(const struct sections *sections, enum tally_counter counter)
{
    uint64_t count = 0;
    for (uint32_t i = 0; i < sections->count; i++) {
        count += sections->seats[i].news.counters[counter];
    }
    return count;
}

struct section_news
sections_news(const struct sections *sections)
{
    struct section_news sum = {0};
    for (uint32_t i = 0; i < sections->count; i++) {
        const struct section_news *news = &sections->seats[i].news;
        sum.spawned += news->spawned;
        sum.ready += news->ready;
        sum.quiet += news->quiet;
        sum.ended += news->ended;
        sum.users_made += news->users_made;
        sum.users_removed += news->users_removed;
        for (unsigned c = 0; c < TALLY_COUNTERS; c++) {
            sum.counters[c] += news->counters[c];
        }
    }
    return sum;
}

void
sections_look(struct sections *sections)
{
    struct section_look look = {.number = ++sections->looks};
    sections_tell(sections, SECTION_LOOK, &look, sizeof look);
}

bool
sections_looked(const struct sections *sections)
{
    for (uint32_t i = 0; i < sections->count; i++) {
        if (seat_plays(&sections->seats[i]) && sections->seats[i].news.looks < sections->looks) {
            return false;
        }
    }
    return true;
}

void
sections_looked_at(const struct sections *sections, struct series_look *look)
{
    for (uint32_t i = 0; i < sections->count; i++) {
        const struct seat *seat = &sections->seats[i];
        for (unsigned c = 0; c < TALLY_COUNTERS; c++) {
            look->counts[c] += seat->news.counters[c];
        }
        for (unsigned d = 0; d < TALLY_DELAYS; d++) {
            meter_look_add(&look->meters[d], &seat->meters[d]);
        }
    }
}

/* ------------------------------------------------------------------------------------------ end */

static bool
all_gone(const struct sections *sections)
{
    for (uint32_t i = 0; i < sections->count; i++) {
        if (seat_plays(&sections->seats[i])) {
            return false;
        }
    }
    return true;
}

void
sections_end(struct sections *sections)
{
    sections->ending = true;
    sections_tell(sections, SECTION_END, NULL, 0);
    while (!all_gone(sections)) {
        struct ln_msg *msg = NULL;
        if (ln_receive(LN_FOREVER, &msg) == -ECANCELED) {
            return;
        }
        sections_note(sections, msg);
        ln_msg_free(&msg);
    }
    for (unsigned i = 0; i < TALLY_COUNTERS; i++) {
        tally_add(&sections->found, (enum tally_counter)i,
                  sections_count(sections, (enum tally_counter)i));
    }
}
