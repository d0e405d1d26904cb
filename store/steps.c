/* SPDX-License-Identifier: Apache-2.0 */
#include "store/steps.h"

#include "runtime/text.h"
#include "store/ask.h"
#include "store/store_priv.h"
#include "store/tag.h"

#include <errno.h>
#include <stdlib.h>

enum {
    NS_PER_TICK = 1000 * STEP_TICK_US,
    TICKS_PER_MS = 1000 / STEP_TICK_US,
    /* Wall time is taken anew when it has moved away by more: milliseconds are all it tells, and
     * steps are not to jump by one. */
    DRIFT_TICKS = 5 * TICKS_PER_MS,
};

struct writer {
    struct steps *steps;
    uint64_t due_ns; /* 0: nothing is to be written */
};

static void
publish(struct steps *steps)
{
    const struct step_files *files = &steps->files;
    counter_set(&steps->bytes, files->bytes);
    counter_set(&steps->oldest_ticks, files->count > 0 ? files->segments[0].begun : 0);
}

int
steps_init(struct steps *steps, struct store *store, const struct step_place *place)
{
    *steps = (struct steps){.files = {.file = -1}};
    if (place->bytes_max == 0) {
        return 0;
    }
    int error = step_files_open(&steps->files, place);
    for (unsigned i = 0; i < 2; i++) {
        steps->halves[i].words = step_memory(STEPS_HALF);
        ASSERT(steps->halves[i].words != NULL);
    }
    steps->store = store;
    steps->io = io_of(place->driver, place->row);
    publish(steps);
    return error;
}

/* --------------------------------------------------------------------------------------- noting */

/* The wall clock at 0 of the other, in ticks: one for all schedulers, so that what happens on two
 * has an order. Relaxed: any that was ever stored is good. */
static uint64_t
now_ticks(const struct steps *steps)
{
    uint64_t base = atomic_load_explicit(&steps->store->steps_clock, memory_order_relaxed);
    return base + io_now_ns(steps->io) / NS_PER_TICK;
}

/* At the beginning of each half. */
static void
set_clock(struct steps *steps)
{
    uint64_t wall = (uint64_t)io_wall_ms(steps->io) * TICKS_PER_MS;
    int64_t drift = (int64_t)(wall - now_ticks(steps));
    if (drift > DRIFT_TICKS || drift < -DRIFT_TICKS) {
        atomic_store_explicit(&steps->store->steps_clock, wall - io_now_ns(steps->io) / NS_PER_TICK,
                              memory_order_relaxed);
    }
}

static void
kick(struct steps *steps)
{
    ln_pid pid = store_pid_get(&steps->pid);
    if (!steps->kicked && pid != 0) {
        struct ln_msg *msg = ln_msg_new(ASK_STEPS, LN_REPLY, 0);
        steps->kicked = true;
        ln_send(pid, &msg);
    }
}

static void
put(struct steps *steps, const struct step *step)
{
    struct steps_half *half = &steps->halves[steps->filling];
    step_pack(step, &half->words[(size_t)half->count * STEP_WORDS]);
    half->count++;
}

/* A half with room for two, or NULL. */
static struct steps_half *
room(struct steps *steps)
{
    struct steps_half *half = &steps->halves[steps->filling];
    if (half->count + 2 > STEPS_HALF) {
        struct steps_half *other = &steps->halves[!steps->filling];
        if (other->count > 0) {
            return NULL;
        }
        steps->filling = !steps->filling;
        half = other;
    }
    if (half->count == 0) {
        set_clock(steps);
    }
    return half;
}

void
steps_note(struct steps *steps, enum step_kind kind, uint64_t mark, uint64_t user, uint16_t device,
           uint64_t number)
{
    if (steps->store == NULL) {
        return;
    }
    struct steps_half *half = room(steps);
    if (half == NULL) {
        steps->missed++;
        counter_add(&steps->dropped, 1);
        return;
    }
    if (steps->ticks == 0) {
        steps->ticks = now_ticks(steps);
    }
    struct step step = {.kind = kind,
                        .device = device,
                        .mark = mark,
                        .user = user,
                        .number = number,
                        .ticks = steps->ticks};
    if (steps->missed > 0) {
        struct step missed = {.kind = STEP_MISSED, .number = steps->missed, .ticks = step.ticks};
        put(steps, &missed);
        steps->missed = 0;
    }
    put(steps, &step);
    counter_add(&steps->noted, 1);
    /* A first note sets the writer's clock, a last one makes it write. */
    if (half->count <= 2 || half->count + 2 > STEPS_HALF) {
        kick(steps);
    }
}

/* -------------------------------------------------------------------------------------- writing */

static void
write_work(void *argument)
{
    struct steps_write *write = *(struct steps_write *const *)argument;
    write->error = step_files_append(write->files, write->half->words, write->half->count);
    write->done = true;
}

/* The files' owner has been given it back. */
static void
write_end(struct steps *steps)
{
    struct steps_half *half = &steps->halves[steps->write.half != &steps->halves[0]];
    if (steps->write.error < 0) {
        steps->missed += half->count;
        counter_add(&steps->failed, 1);
        counter_add(&steps->dropped, half->count);
    }
    half->count = 0;
    publish(steps);
    steps->write = (struct steps_write){0};
}

static void
write_half(struct steps *steps, unsigned index)
{
    struct steps_write *write = &steps->write;
    if (steps->halves[index].count == 0) {
        return;
    }
    *write = (struct steps_write){.files = &steps->files, .half = &steps->halves[index]};
    if (store_disk_full(steps->store)) {
        write->error = -ENOSPC; /* what is left is for messages to leave */
    } else {
        ln_work(write_work, &write, LN_WORK_NORMAL);
    }
    write_end(steps);
}

/* The half that is full; or all there is. */
static void
write_out(struct steps *steps, bool all)
{
    write_half(steps, !steps->filling);
    struct steps_half *half = &steps->halves[steps->filling];
    if (half->count > 0 && (all || half->count + 2 > STEPS_HALF)) {
        steps->filling = !steps->filling;
        write_half(steps, !steps->filling);
    }
}

void
steps_fini(struct steps *steps)
{
    if (steps->store != NULL) {
        if (steps->write.files != NULL && steps->write.done) {
            write_end(steps);
        }
        for (unsigned i = 0; i < 2 && !store_disk_full(steps->store); i++) {
            struct steps_half *half = &steps->halves[i == 0 ? !steps->filling : steps->filling];
            int error =
                half->count > 0 ? step_files_append(&steps->files, half->words, half->count) : 0;
            if (error < 0) {
                break; /* notes: who closes the store has nothing to do about it */
            }
        }
    }
    step_files_close(&steps->files);
    free(steps->halves[0].words);
    free(steps->halves[1].words);
}

/* ----------------------------------------------------------------------------------- the writer */

static void
writer_told(struct writer *writer, struct ln_msg *msg)
{
    struct steps *steps = writer->steps;
    bool asked = (msg->flags & LN_MSG_REQUEST) != 0;
    if (msg->tag != ASK_STEPS) {
        return; /* ASK_END: our end answers */
    }
    steps->kicked = steps->kicked && asked;
    write_out(steps, asked);
    if (asked) {
        struct ln_msg *answer = NULL;
        ln_reply(ln_caller(msg), &answer);
    }
}

/* How long nothing needs to be written. */
static uint64_t
writer_patience_ms(struct writer *writer)
{
    if (writer->steps->halves[writer->steps->filling].count == 0) {
        writer->due_ns = 0;
        return LN_FOREVER;
    }
    uint64_t now_ns = ln_now_ns();
    if (writer->due_ns == 0) {
        writer->due_ns = now_ns + UINT64_C(1000000) * STEPS_DELAY_MS;
    }
    return writer->due_ns > now_ns ? (writer->due_ns - now_ns) / 1000000 + 1 : 0;
}

static void
writer_run(void *state)
{
    struct writer *writer = state;
    struct steps *steps = writer->steps;
    if (!post_take(&steps->post)) {
        return;
    }
    if (steps->write.files != NULL && steps->write.done) {
        write_end(steps); /* its writer was killed meanwhile */
    }
    write_out(steps, false);
    for (;;) {
        struct ln_msg *msg = NULL;
        int error = ln_receive(writer_patience_ms(writer), &msg);
        if (error == -ECANCELED) {
            return;
        }
        if (error == 0) {
            writer_told(writer, msg);
            ln_msg_free(&msg);
        } else {
            writer->due_ns = 0;
            write_out(steps, true);
        }
    }
}

static int
writer_start(void *state, const void *argument)
{
    struct writer *writer = state;
    writer->steps = *(struct steps *const *)argument;
    writer->steps->kicked = false;
    store_pid_set(&writer->steps->pid, ln_self());
    return 0;
}

static void
writer_print(const void *state, struct ln_text *out)
{
    const struct steps *steps = ((const struct writer *)state)->steps;
    ln_text_print(out, "%u and %u steps to write, %llu bytes in %u segments",
                  steps->halves[steps->filling].count, steps->halves[!steps->filling].count,
                  (unsigned long long)counter_get(&steps->bytes), steps->files.count);
}

const struct ln_behaviour steps_behaviour = {
    .name = "step writer",
    .tag_name = store_tag_name,
    .state_bytes = sizeof(struct writer),
    .init = writer_start,
    .run = writer_run,
    .print = writer_print,
};
