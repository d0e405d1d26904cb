/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/crash.h"
#include "runtime/inspect.h"
#include "runtime/text.h"
#include "tests/runtime/stage.h"
#include "tests/spec.h"

#include <signal.h>
#include <stdio.h>

enum tag { COUNT = 1, FAIL, QUIT };

static char heard[16384];
static unsigned heard_count;

static void
hear(void *context, const char *report)
{
    EXPECT(context == &heard_count);
    heard_count++;
    (void)snprintf(heard, sizeof heard, "%s", report);
}

static const struct ln_node_options hearing = {.log = hear, .log_context = &heard_count};

/* -------------------------------------------------------------------------------------- reports */

struct clerk {
    unsigned counted;
};

static void
clerk_handle(void *state, struct ln_msg **msg)
{
    struct clerk *clerk = state;
    clerk->counted += (*msg)->tag == COUNT;
    ln_actor_check((*msg)->tag != FAIL);
    if ((*msg)->tag == QUIT) {
        ln_stop(LN_EXIT_SHUTDOWN, "asked to");
    }
}

static void
clerk_print(const void *state, struct ln_text *out)
{
    const struct clerk *clerk = state;
    ln_text_print(out, "counted %u", clerk->counted);
}

/* It has no name for QUIT. */
static const char *
clerk_tag_name(uint32_t tag)
{
    return tag == COUNT ? "COUNT" : tag == FAIL ? "FAIL" : NULL;
}

static const struct ln_behaviour clerk = {.name = "clerk",
                                          .tag_name = clerk_tag_name,
                                          .state_bytes = sizeof(struct clerk),
                                          .handle = clerk_handle,
                                          .print = clerk_print};

static void
newest_crash(unsigned scheduler, struct ln_crash *out)
{
    uint32_t count = 0;
    EXPECT(ln_crashes_read(scheduler, 0, out, 1, &count) == 0);
    EXPECT(count == 1);
}

static void
report_story(void)
{
    ln_pid pid;
    uint64_t monitor;
    struct ln_spawn_options options = {.name = "petra",
                                       .monitor = true,
                                       .out_monitor = &monitor,
                                       .elsewhere = true,
                                       .scheduler = 1};
    heard_count = 0;
    EXPECT(ln_spawn(&clerk, NULL, 0, &options, &pid) == 0);
    for (unsigned i = 0; i < 10; i++) {
        struct ln_msg *msg = ln_msg_new(COUNT, LN_DURABLE, i);
        ln_send(pid, &msg);
    }
    stage_say(pid, FAIL);
    struct ln_reason reason = stage_down(monitor);
    struct ln_crash crash;
    newest_crash(1, &crash);
    EXPECT(crash.number == 1 && crash.pid == pid && crash.parent == ln_self());
    EXPECT(strcmp(crash.behaviour, "clerk") == 0 && strcmp(crash.name, "petra") == 0);
    EXPECT(crash.reason.kind == reason.kind && crash.reason.line == reason.line);
    EXPECT(crash.reason.text == reason.text && crash.reason.file == reason.file);
    EXPECT(strcmp(crash.state, "counted 10") == 0);
    EXPECT(crash.reductions == 11 && crash.mailbox == 0 && crash.at_wall_ms > 0);
    EXPECT(crash.messages_count == LN_CRASH_MESSAGES);
    EXPECT(crash.messages[0].tag == FAIL && crash.messages[0].from == ln_self());
    EXPECT(crash.messages[1].tag == COUNT && crash.messages[1].bytes == 9);
    EXPECT(crash.messages[7].tag == COUNT && crash.messages[7].bytes == 3);
    EXPECT(heard_count == 1); /* and the log says the same, once */
    EXPECT(strstr(heard, "(clerk, petra) failed: (*msg)->tag != FAIL (") != NULL);
    EXPECT(strstr(heard, "state: counted 10") != NULL);
    EXPECT(strstr(heard, "handled last: FAIL from 0.") != NULL);
    EXPECT(strstr(heard, ", COUNT from 0.") != NULL);
    EXPECT(strcmp(crash.messages[0].tag_name, "FAIL") == 0);
    EXPECT(ln_tag_name(&clerk, QUIT) == NULL);
    EXPECT(strcmp(ln_tag_name(&clerk, LN_TAG_TIMEOUT), "TIMEOUT") == 0);
    EXPECT(ln_tag_name(&clerk, LN_TAG_TIMEOUT + 1) == NULL);
}

static void
crashes_are_reported(void **state)
{
    (void)state;
    stage_play_with(report_story, &hearing);
}

/* ----------------------------------------------------------------------------- what is no crash */

static void
linked_handle(void *state, struct ln_msg **msg)
{
    ln_pid pid;
    struct ln_spawn_options options = {.link = true};
    (void)state;
    (void)msg;
    EXPECT(ln_spawn(&clerk, NULL, 0, &options, &pid) == 0);
    stage_say(pid, FAIL);
}
static const struct ln_behaviour linked = {.name = "linked", .handle = linked_handle};

static void
quiet_story(void)
{
    ln_pid pid;
    uint64_t monitor;
    struct ln_spawn_options options = {.monitor = true, .out_monitor = &monitor};
    heard_count = 0;
    EXPECT(ln_spawn(&clerk, NULL, 0, &options, &pid) == 0);
    stage_say(pid, QUIT);
    (void)stage_down(monitor);
    EXPECT(ln_spawn(&clerk, NULL, 0, &options, &pid) == 0);
    ln_kill(pid, LN_EXIT_KILLED);
    (void)stage_down(monitor);
    EXPECT(heard_count == 0);
    EXPECT(ln_spawn(&linked, NULL, 0, &options, &pid) == 0);
    stage_say(pid, COUNT);
    EXPECT(stage_down(monitor).kind == LN_EXIT_ERROR); /* it ends with the clerk */
    EXPECT(heard_count == 1 && strstr(heard, "(clerk)") != NULL);
}

static void
others_are_not_reported(void **state)
{
    (void)state;
    stage_play_with(quiet_story, &hearing);
}

/* ------------------------------------------------------------------------------------ too many */

static void
flood_story(void)
{
    enum { CRASHES = LN_CRASHES_KEPT + 36 };
    heard_count = 0;
    for (unsigned i = 0; i < CRASHES; i++) {
        ln_pid pid;
        uint64_t monitor;
        struct ln_spawn_options options = {.monitor = true, .out_monitor = &monitor};
        EXPECT(ln_spawn(&clerk, NULL, 0, &options, &pid) == 0);
        stage_say(pid, FAIL);
        (void)stage_down(monitor);
    }
    struct ln_scheduler_info info;
    EXPECT(ln_inspect_scheduler(0, &info) == 0);
    EXPECT(info.reports_left_out > 0);
    EXPECT(heard_count + info.reports_left_out >= CRASHES);
    struct ln_crash *kept = ln_alloc(CRASHES * sizeof *kept);
    uint32_t count = 0;
    EXPECT(ln_crashes_read(0, 0, kept, CRASHES, &count) == 0 && count == LN_CRASHES_KEPT);
    EXPECT(kept[0].number == CRASHES && kept[count - 1].number == CRASHES - count + 1);
    EXPECT(ln_crashes_read(0, kept[0].number, kept, 2, &count) == 0 && count == 2);
    EXPECT(kept[0].number == CRASHES - 1 && kept[1].number == CRASHES - 2);
    EXPECT(ln_sleep(1000) == 0); /* another second: the log is told what it missed */
    ln_pid pid;
    EXPECT(ln_spawn(&clerk, NULL, 0, NULL, &pid) == 0);
    unsigned before = heard_count;
    stage_say(pid, FAIL);
    stage_settle();
    EXPECT(heard_count == before + 2);
}

static void
floods_are_bounded(void **state)
{
    (void)state;
    stage_play_with(flood_story, &hearing);
}

/* ----------------------------------------------------------------------------------- bad codecs */

static void
wild_print(const void *state, struct ln_text *out)
{
    static const char *volatile nowhere = (const char *)64;
    (void)state;
    ln_text_print(out, "%c", *nowhere);
}
static const struct ln_behaviour wild = {.name = "wild",
                                         .state_bytes = sizeof(struct clerk),
                                         .handle = clerk_handle,
                                         .print = wild_print};

static void
codec_story(void)
{
    ln_pid pid;
    struct ln_crash crash;
    EXPECT(ln_spawn(&wild, NULL, 0, NULL, &pid) == 0);
    stage_say(pid, FAIL);
    stage_settle();
    newest_crash(0, &crash);
    EXPECT(crash.pid == pid && strcmp(crash.state, "its codec faulted") == 0);
}

static void
codecs_may_fault(void **state)
{
    (void)state;
    (void)signal(SIGSEGV, SIG_DFL); /* cmocka's handler would have it */
    stage_play_with(codec_story, &hearing);
}

/* -------------------------------------------------------------------------- fails while it ends */

static void
clumsy_terminate(void *state, const struct ln_reason *reason)
{
    (void)state;
    (void)reason;
    ln_actor_check(false && "it ends well");
}
static const struct ln_behaviour clumsy = {.name = "clumsy",
                                           .state_bytes = sizeof(struct clerk),
                                           .handle = clerk_handle,
                                           .terminate = clumsy_terminate};

static void
end_clumsily(enum tag tag, enum ln_exit_kind kind)
{
    ln_pid pid;
    uint64_t monitor;
    struct ln_spawn_options options = {.monitor = true, .out_monitor = &monitor};
    heard_count = 0;
    EXPECT(ln_spawn(&clumsy, NULL, 0, &options, &pid) == 0);
    stage_say(pid, tag);
    EXPECT(stage_down(monitor).kind == kind); /* the first reason stays */
    EXPECT(heard_count == 1);
}

static void
clumsy_story(void)
{
    end_clumsily(FAIL, LN_EXIT_ERROR);
    EXPECT(strstr(heard, "(*msg)->tag != FAIL") != NULL);
    end_clumsily(QUIT, LN_EXIT_SHUTDOWN);
    EXPECT(strstr(heard, "it ends well") != NULL);
}

static void
ends_are_reported_once(void **state)
{
    (void)state;
    stage_play_with(clumsy_story, &hearing);
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("a crash is reported: who, why, in which state, after which messages, by their names",
             crashes_are_reported),
        SPEC("who is killed, stops, or ends with another is no crash", others_are_not_reported),
        SPEC("who fails while it ends is reported, and once where it had failed before",
             ends_are_reported_once),
        SPEC("many crashes at once are counted, a few logged, the newest kept", floods_are_bounded),
#if !defined(LINNET_SANITIZED)
        SPEC("a codec that faults costs the report its state", codecs_may_fault),
#endif
    };
#if defined(LINNET_SANITIZED)
    (void)codecs_may_fault;
#endif
    return cmocka_run_group_tests(specs, NULL, NULL);
}
