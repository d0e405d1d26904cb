/* SPDX-License-Identifier: Apache-2.0 */
/* A report is made on the failing actor's own stack, before anything of it is released; what is too
 * large for a stack is the scheduler's. The codec looks at a state that may be in the middle of a
 * change, so a fault in it costs the report its state, not the node its life. */
#include "runtime/crash.h"

#include "runtime/crash_priv.h"
#include "runtime/io/symbol.h"
#include "runtime/io/trap.h"
#include "runtime/message.h"
#include "runtime/node_priv.h"
#include "runtime/registry.h"
#include "runtime/scheduler.h"
#include "runtime/text.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NS_PER_SECOND = 1000000000 };

struct kept_request {
    bool stalls;
    uint64_t before;
    uint32_t max;
};

static struct crash_log *
crash_log(struct scheduler *self)
{
    if (self->crash_log == NULL) {
        self->crash_log = calloc(1, sizeof *self->crash_log);
        ASSERT(self->crash_log != NULL && "out of memory");
    }
    return self->crash_log;
}

void
crash_log_free(struct scheduler *self)
{
    free(self->crash_log);
    self->crash_log = NULL;
}

/* ------------------------------------------------------------------------------------------ log */

static void
log_line(struct scheduler *self, const char *line)
{
    const struct ln_node *node = self->node;
    if (node->log != NULL) {
        node->log(node->log_context, line);
    } else {
        (void)fprintf(stderr, "linnet: %s\n", line);
    }
}

/* Whether another report may be logged in this second; if not, it is counted. */
static bool
log_room(struct scheduler *self, struct crash_log *log)
{
    uint64_t second = self->now_ns / NS_PER_SECOND;
    if (second != log->second) {
        log->second = second;
        log->logged = 0;
    }
    if (log->logged == LN_CRASH_LOGS) {
        log->left_out++;
        self->stats.reports_left_out++;
        return false;
    }
    log->logged++;
    if (log->left_out > 0) {
        char line[80];
        (void)snprintf(line, sizeof line, "%llu reports were left out, for there were too many",
                       (unsigned long long)log->left_out);
        log->left_out = 0;
        log_line(self, line);
    }
    return true;
}

static void
pid_print(ln_pid pid, struct ln_text *out)
{
    ln_text_print(out, "%u.%u.%u", ln_pid_scheduler(pid), pid_slot(pid), (unsigned)(uint32_t)pid);
}

/* -------------------------------------------------------------------------------------- crashes */

struct codec {
    const struct actor *actor;
    struct ln_text text;
};

static void
codec_run(void *argument)
{
    struct codec *codec = argument;
    codec->actor->behaviour->print(codec->actor->body->state, &codec->text);
}

static void
state_print(const struct actor *actor, char *out, size_t out_bytes)
{
    struct codec codec = {.actor = actor};
    ln_text_init(&codec.text, out, out_bytes);
    if (!actor->unbegun && actor->behaviour->print != NULL && !io_fault_try(codec_run, &codec)) {
        (void)snprintf(out, out_bytes, "its codec faulted");
    }
}

static void
messages_find(const struct scheduler *self, const struct actor *actor, struct ln_crash *crash)
{
    for (uint32_t age = 1; age <= RECENT_MESSAGES; age++) {
        const struct recent_message *recent =
            &self->recent[(self->recent_next - age) % RECENT_MESSAGES];
        if (recent->to == crash->pid && crash->messages_count < LN_CRASH_MESSAGES) {
            crash->messages[crash->messages_count++] =
                (struct ln_crash_message){recent->from, recent->tag, recent->bytes,
                                          ln_tag_name(actor->behaviour, recent->tag)};
        }
    }
}

static void
crash_print(const struct ln_crash *crash, struct ln_text *out)
{
    const struct ln_reason *reason = &crash->reason;
    ln_text_print(out, "actor ");
    pid_print(crash->pid, out);
    ln_text_print(out, " (%s%s%s) failed: %s (%s:%d), parent ", crash->behaviour,
                  crash->name[0] != '\0' ? ", " : "", crash->name,
                  reason->text != NULL ? reason->text : ln_exit_kind_name(reason->kind),
                  reason->file != NULL ? reason->file : "no place", (int)reason->line);
    pid_print(crash->parent, out);
    ln_text_print(out, ", mailbox %u, messages handled %u, memory %u bytes", crash->mailbox,
                  crash->reductions, crash->memory_bytes);
    if (crash->state[0] != '\0') {
        ln_text_print(out, "\n  state: %s", crash->state);
    }
    for (uint32_t i = 0; i < crash->messages_count; i++) {
        const struct ln_crash_message *msg = &crash->messages[i];
        ln_text_print(out, "%s", i == 0 ? "\n  handled last: " : ", ");
        if (msg->tag_name != NULL) {
            ln_text_print(out, "%s from ", msg->tag_name);
        } else {
            ln_text_print(out, "%#x from ", msg->tag);
        }
        pid_print(msg->from, out);
        ln_text_print(out, " (%u bytes)", msg->bytes);
    }
}

void
crash_report(struct scheduler *self, const struct actor *actor, const struct ln_reason *reason)
{
    struct crash_log *log = crash_log(self);
    struct ln_crash *crash = &log->crashes[++log->crashes_count % LN_CRASHES_KEPT];
    memset(crash, 0, sizeof *crash);
    crash->number = log->crashes_count;
    crash->at_wall_ms = io_wall_ms(self->io);
    crash->pid = actor->pid;
    crash->parent = actor->body->parent;
    crash->behaviour = actor->behaviour->name;
    crash->reason = *reason;
    uint32_t lanes[LN_LANES];
    uint64_t lane_bytes[LN_LANES];
    crash->mailbox = mailbox_count(&actor->mailbox, lanes, lane_bytes);
    crash->reductions = actor->reductions;
    crash->memory_bytes = actor->memory_bytes;
    if (actor->body->name != NULL) {
        (void)strncpy(crash->name, name_text(actor->body->name), LN_NAME_BYTES_MAX);
    }
    messages_find(self, actor, crash);
    state_print(actor, crash->state, sizeof crash->state);
    if (log_room(self, log)) {
        struct ln_text text;
        ln_text_init(&text, log->text, sizeof log->text);
        crash_print(crash, &text);
        log_line(self, log->text);
    }
}

/* --------------------------------------------------------------------------------------- stalls */

static uint64_t
stall_count(struct crash_log *log, const char *behaviour)
{
    unsigned i = 0;
    while (i < STALL_BEHAVIOURS - 1 && log->stalled[i].behaviour != NULL &&
           log->stalled[i].behaviour != behaviour) {
        i++;
    }
    log->stalled[i].behaviour = behaviour;
    return ++log->stalled[i].count;
}

/* Other objects name what they export; of what lies between nothing is known. */
static const char *
function_name(uintptr_t place, const Dl_info *info)
{
    const char *name = symbol_find(place);
    return name != NULL ? name : info->dli_sname;
}

void
ln_frame_print(uint64_t frame, struct ln_text *out)
{
    Dl_info info;
    uintptr_t place = (uintptr_t)frame;
    if (dladdr((void *)place, &info) == 0 ||
        info.dli_fname == NULL) { // NOLINT(performance-no-int-to-ptr)
        ln_text_print(out, "%#llx", (unsigned long long)frame);
        return;
    }
    const char *slash = strrchr(info.dli_fname, '/');
    const char *name = function_name(place, &info);
    ln_text_print(out, "%s(+%#llx%s%s)", slash != NULL ? slash + 1 : info.dli_fname,
                  (unsigned long long)(place - (uintptr_t)info.dli_fbase),
                  name != NULL ? " in " : "", name != NULL ? name : "");
}

static void
stall_print(const struct ln_stall *stall, struct ln_text *out)
{
    ln_text_print(out, "actor ");
    pid_print(stall->pid, out);
    ln_text_print(out,
                  " (%s) held its scheduler for %llu ms of CPU time, stall %llu of this "
                  "behaviour there; it was at",
                  stall->behaviour, (unsigned long long)stall->cpu_ms,
                  (unsigned long long)stall->behaviour_count);
    for (uint32_t i = 0; i < stall->frames_count; i++) {
        ln_text_print(out, " ");
        ln_frame_print(stall->frames[i], out);
    }
}

void
watchdog_report(struct scheduler *self)
{
    struct watch *watch = &self->watch;
    if (!watch->notices) {
        return;
    }
    /* The next tick that would write it needs two periods of CPU time in one actor's turn. */
    struct crash_log *log = crash_log(self);
    struct ln_stall *stall = &log->stalls[++log->stalls_count % LN_CRASHES_KEPT];
    *stall = watch->noticed;
    watch->notices = 0;
    stall->number = log->stalls_count;
    stall->at_wall_ms = io_wall_ms(self->io);
    stall->behaviour_count = stall_count(log, stall->behaviour);
    self->stats.stalls++;
    if (log_room(self, log)) {
        struct ln_text text;
        ln_text_init(&text, log->text, sizeof log->text);
        stall_print(stall, &text);
        log_line(self, log->text);
    }
}

/* -------------------------------------------------------------------------------- what was kept */

static struct ln_msg *
kept_copy(struct scheduler *self, const unsigned char *ring, size_t item_bytes, uint64_t count,
          const struct kept_request *request)
{
    uint64_t before =
        request->before != 0 && request->before <= count ? request->before : count + 1;
    uint64_t oldest = count > LN_CRASHES_KEPT ? count - LN_CRASHES_KEPT + 1 : 1;
    uint64_t found = before > oldest ? before - oldest : 0;
    found = found < request->max ? found : request->max;
    struct ln_msg *answer = message_new(self, 0, LN_REPLY, found * item_bytes);
    for (uint64_t i = 0; i < found; i++) {
        memcpy(answer->data + i * item_bytes,
               ring + (before - 1 - i) % LN_CRASHES_KEPT * item_bytes, item_bytes);
    }
    return answer;
}

void
crashes_arrived(struct scheduler *self, struct ln_msg **msg)
{
    struct ln_caller caller = {.pid = (*msg)->from, .ref = (*msg)->ref};
    const struct kept_request *request = (const struct kept_request *)(const void *)(*msg)->data;
    const struct crash_log *log = crash_log(self);
    struct ln_msg *answer = request->stalls
                                ? kept_copy(self, (const unsigned char *)log->stalls,
                                            sizeof log->stalls[0], log->stalls_count, request)
                                : kept_copy(self, (const unsigned char *)log->crashes,
                                            sizeof log->crashes[0], log->crashes_count, request);
    message_answer(caller, &answer, 0);
    ln_msg_free(msg);
}

static int
kept_read(unsigned scheduler, const struct kept_request *request, size_t item_bytes, void *out,
          uint32_t *out_count)
{
    struct ln_msg *msg = signal_new(scheduler_current(), SIGNAL_CRASHES, sizeof *request);
    struct ln_msg *answer = NULL;
    memcpy(msg->data, request, sizeof *request);
    int error = message_call(scheduler_pid(scheduler), &msg, LN_FOREVER, true, &answer);
    if (error == 0) {
        memcpy(out, answer->data, answer->bytes);
        *out_count = (uint32_t)(answer->bytes / item_bytes);
        ln_msg_free(&answer);
    }
    return error;
}

int
ln_crashes_read(unsigned scheduler, uint64_t before, struct ln_crash *out, uint32_t max,
                uint32_t *out_count)
{
    return kept_read(scheduler, &(struct kept_request){.before = before, .max = max}, sizeof *out,
                     out, out_count);
}

int
ln_stalls_read(unsigned scheduler, uint64_t before, struct ln_stall *out, uint32_t max,
               uint32_t *out_count)
{
    return kept_read(scheduler,
                     &(struct kept_request){.stalls = true, .before = before, .max = max},
                     sizeof *out, out, out_count);
}
