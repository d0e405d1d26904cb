/* SPDX-License-Identifier: Apache-2.0 */
/* What happens in a run, phase by phase, and what is read of the node between them. */
#include "bench/conductor_priv.h"

#include "bench/process.h"
#include "runtime/io/uring.h"

enum {
    /* Actors that connect at the same time, in all processes. With two connections each that is
     * half of a listener's queue, so that it is not what is measured. */
    CONNECTING_MAX = 1024,
    CONNECTING_EACH_MAX = 512,
    /* Sections that connect at a time, or half of the cores, if that is more. Fewer that do much
     * each time they run cost less than many that do little: 80,000 logins from 32 processes took
     * 18.4 s of CPU (node and generator) instead of 22.1 s. One calls while another's last come. */
    CALLERS_LEAST = 2,
    QUIET_MS = 20000,        /* for what is under way at the end, beyond a node's absence */
    SPLIT_USERS_MAX = 50000, /* the node lists its actors for that, one by one */
};

/* ---------------------------------------------------------------------------- what it has taken */

void
run_usage_read(struct run *run, const struct sections *sections, struct run_usage *usage)
{
    /* What can't be read stays 0. */
    *usage = (struct run_usage){0};
    for (uint32_t i = 0; i <= sections->count; i++) {
        uint32_t pid = i < sections->count ? (uint32_t)sections->seats[i].worker.pid : 0;
        uint64_t cpu_ms = 0;
        uint64_t resident = 0;
        if (i < sections->count && pid == 0) {
            continue; /* it plays in this process, which comes last */
        }
        (void)!process_cpu_ms(run->driver, pid, &cpu_ms);
        (void)!process_resident(run->driver, pid, &resident);
        usage->generator_cpu_ms += cpu_ms;
        usage->generator_resident_bytes += resident;
    }
    if (run->node_pid != 0) {
        (void)!process_cpu_ms(run->driver, run->node_pid, &usage->node_cpu_ms);
        (void)!process_resident(run->driver, run->node_pid, &usage->node_resident_bytes);
        (void)!process_own(run->driver, run->node_pid, &usage->node_own_bytes);
    }
    struct kernel kernel;
    kernel_read(run->driver, &kernel);
    usage->segments = kernel.segments;
    usage->segments_with_data = kernel.segments_with_data;
}

static void
usage_read(struct conductor *conductor, struct run_usage *usage)
{
    run_usage_read(conductor->run, &conductor->sections, usage);
}

/* Of what the node's memory consists. */
static void
memory_read(struct conductor *conductor, const struct run_usage *usage, struct split *out)
{
    const struct options *options = conductor->run->options;
    if (options->data != NULL && options->users <= SPLIT_USERS_MAX) {
        split_read(&conductor->client, usage->node_resident_bytes, out);
        linnet_client_close(&conductor->client);
    }
}

void
found_read(struct conductor *conductor)
{
    struct idle_found *idle = &conductor->run->idle;
    usage_read(conductor, &idle->found);
    memory_read(conductor, &idle->found, &idle->memory_found);
}

uint64_t
conductor_patience_ms(const struct options *options)
{
    return ((uint64_t)options->patience_s + 1) * 1000;
}

/* Some sections at a time, and of each some actors. False: it does not come to an end. */
static bool
in_turns(struct conductor *conductor, enum section_tag tag, bool writers_only)
{
    const struct options *options = conductor->run->options;
    uint32_t count = conductor->sections.count;
    uint32_t callers = uring_cores() / 2 > CALLERS_LEAST ? uring_cores() / 2 : CALLERS_LEAST;
    callers = callers < count ? callers : count;
    uint32_t each = CONNECTING_MAX / callers;
    each = each > CONNECTING_EACH_MAX ? CONNECTING_EACH_MAX : each;
    uint32_t present_each = options->whole.users_each - options->whole.absent_each;
    each = present_each > 2 ? each * 2 / present_each : each;
    struct section_connect connect = {.at_once_max = each > 0 ? each : 1,
                                      .writers_only = writers_only};
    struct word word = {tag, &connect, sizeof connect};
    return await_in_turns(conductor, &word, callers, conductor_patience_ms(options));
}

static void
phase_connect(struct conductor *conductor, bool writers_only)
{
    struct run *run = conductor->run;
    uint64_t start_ns = crowd_now_ns();
    if (!in_turns(conductor, SECTION_CONNECT, writers_only)) {
        run_fail(run, "the node does not let us in");
    }
    run->connect_ns = crowd_now_ns() - start_ns;
}

/* idle: what a connection costs is asked after it has been used both ways. */
static void
phase_greet(struct conductor *conductor)
{
    struct run *run = conductor->run;
    uint64_t start_ns = crowd_now_ns();
    if (!in_turns(conductor, SECTION_GREET, false)) {
        run_fail(run, "not all hear their peer's hello");
    }
    run->greet_ns = crowd_now_ns() - start_ns;
}

/* Until nothing is under way any more, or nothing has come for so long that nothing will: a node
 * that is gone comes back within the patience of those who call it, or they fail; and who is to act
 * until some instant is waited for until then. */
static void
phase_quiet(struct conductor *conductor, enum section_tag tag, uint64_t acts_until_ns)
{
    const struct sections *sections = &conductor->sections;
    bool all_there = false;
    do {
        if (await_done(conductor, tag, QUIET_MS)) {
            return;
        }
        all_there =
            crowd_now_ns() > acts_until_ns + (uint64_t)QUIET_MS * NS_PER_MS &&
            sections_count(sections, TALLY_SOUGHT) == sections_count(sections, TALLY_SETTLED);
    } while (!all_there && !conductor_failed(conductor));
}

/* offline: from the first return to the last at most. */
static uint64_t
returns_ns(const struct options *options)
{
    double span_s = options->returns_per_s > 0 ? options->users / options->returns_per_s : 0;
    return (uint64_t)(span_s * NS_PER_S);
}

/* offline: fill the inboxes, then have their owners come back. */
static void
phase_inboxes(struct conductor *conductor)
{
    struct run *run = conductor->run;
    struct sections *sections = &conductor->sections;
    struct crowd_go go = {.start_ns = crowd_now_ns(), .writes = 1};
    go.span = (struct tally_span){go.start_ns, UINT64_MAX};
    conductor->progress.start_ns = go.start_ns;
    conductor->progress.shown_at_ns = go.start_ns;
    usage_read(conductor, &run->before);
    sections_tell(sections, SECTION_GO, &go, sizeof go);
    sampler_begin(&conductor->sampler, run, sections, go.start_ns);
    conductor_tell(conductor, SECTION_STOP);
    phase_quiet(conductor, SECTION_STOP, 0);
    usage_read(conductor, &run->after);
    if (!sections_done(sections, SECTION_STOP)) {
        run_fail(run, "the inboxes do not fill up");
        return;
    }
    go.start_ns = crowd_now_ns();
    sections_tell(sections, SECTION_RETURN, &go, sizeof go);
    phase_quiet(conductor, SECTION_RETURN, go.start_ns + returns_ns(run->options));
    usage_read(conductor, &run->later);
}

/* 0: nobody is to be killed. */
static ln_pid
killer_spawn(struct run *run)
{
    const struct options *options = run->options;
    struct killer *killer = &run->killer;
    struct ln_spawn_options spawn = {0};
    ln_pid pid = 0;
    killer->data = options->data;
    killer->per_s = options->kills_per_s;
    killer->seed = options->seed;
    if (options->kills_per_s > 0 &&
        ln_spawn(&killer_behaviour, &killer, sizeof(struct killer *), &spawn, &pid) < 0) {
        run_fail(run, "the runtime takes no more actors");
    }
    return pid;
}

/* What the node's own audits have found broken since the run began; of one that was started again
 * meanwhile, since then. */
static void
audits_look(struct conductor *conductor)
{
    struct run *run = conductor->run;
    struct node_status node = {0};
    if (run->options->data == NULL || node_status_read(&conductor->client, &node) != SHELL_DONE) {
        return;
    }
    linnet_client_close(&conductor->client);
    uint64_t before = node.pid == run->node_pid ? run->violations : 0;
    if (node.violations > before) {
        audit_broken(&run->tally.verdict, AUDIT_NONSENSE,
                     "the node's own audits have found %llu promises broken",
                     (unsigned long long)(node.violations - before));
    }
}

/* Warm up, measure, let what is under way arrive. */
static void
phase_traffic(struct conductor *conductor, enum tally_episode episode)
{
    struct run *run = conductor->run;
    const struct options *options = run->options;
    struct sections *sections = &conductor->sections;
    struct crowd_go go = {.start_ns = crowd_now_ns(), .episode = episode, .writes = 1};
    go.span.from_ns = go.start_ns + (uint64_t)options->warmup_s * NS_PER_S;
    go.span.until_ns = go.span.from_ns + (uint64_t)options->seconds * NS_PER_S;
    conductor->progress.start_ns = go.start_ns;
    conductor->progress.shown_at_ns = go.start_ns;
    sections_tell(sections, SECTION_GO, &go, sizeof go);
    sampler_begin(&conductor->sampler, run, sections, go.start_ns);
    await_instant(conductor, go.span.from_ns);
    usage_read(conductor, &run->before);
    ln_pid killer = killer_spawn(run);
    await_instant(conductor, go.span.until_ns);
    ln_kill(killer, LN_EXIT_KILLED);
    usage_read(conductor, &run->after);
    run->measured_ns = go.span.until_ns - go.span.from_ns;
    conductor_tell(conductor, SECTION_STOP);
    while (!sections_heard(sections, SECTION_STOP) && !conductor_failed(conductor)) {
        (void)conductor_listen(conductor, from_now_ns(LOOK_MS));
    }
    /* On a day some are away, and what is written to them can't be through. What was due is known
     * to the last when all of it was told, be it late. */
    bool days = scenario_in(options->scenario, SCENARIO_DAY_BITS);
    uint64_t reached = sections_count(sections, days ? TALLY_ANSWERED : TALLY_THROUGH);
    phase_quiet(conductor, SECTION_STOP, 0);
    uint64_t due = sections_count(sections, TALLY_DUE);
    run->behind = due > reached ? due - reached : 0;
    tally_add(&run->tally, TALLY_KILLS, atomic_load(&run->killer.kills));
    audits_look(conductor);
}

/* idle: all are logged in; now nothing happens but heartbeats. */
static void
phase_silence(struct conductor *conductor)
{
    struct run *run = conductor->run;
    struct idle_found *idle = &run->idle;
    struct crowd_go go = {.start_ns = crowd_now_ns()};
    go.span.from_ns = go.start_ns + (uint64_t)run->options->settle_s * NS_PER_S;
    go.span.until_ns = go.span.from_ns + (uint64_t)run->options->seconds * NS_PER_S;
    sections_tell(&conductor->sections, SECTION_GO, &go, sizeof go);
    await_instant(conductor, go.span.from_ns);
    usage_read(conductor, &idle->connected);
    idle->beats = sections_count(&conductor->sections, TALLY_BEATS);
    await_instant(conductor, go.span.until_ns);
    usage_read(conductor, &idle->later);
    kernel_read(run->driver, &idle->kernel_later);
    idle->beats = sections_count(&conductor->sections, TALLY_BEATS) - idle->beats;
    memory_read(conductor, &idle->later, &idle->memory_later);
}

void
play_idle(struct conductor *conductor)
{
    struct run *run = conductor->run;
    struct idle_found *idle = &run->idle;
    bool writes = run->options->chat_pairs > 0;
    idle->connections = run->options->users - 2 * run->options->chat_pairs;
    if (writes) {
        phase_connect(conductor, true);
        if (!run->failed) {
            phase_traffic(conductor, TALLY_ALONE);
        }
        idle->alone_measured = sections_count(&conductor->sections, TALLY_MEASURED);
        idle->alone_due = sections_count(&conductor->sections, TALLY_DUE_INSIDE);
        found_read(conductor);
    }
    conductor->progress.start_ns = crowd_now_ns();
    conductor->progress.shown_at_ns = crowd_now_ns();
    sampler_begin(&conductor->sampler, run, &conductor->sections, conductor->progress.start_ns);
    usage_read(conductor, &idle->before);
    kernel_read(run->driver, &idle->kernel_before);
    if (!run->failed) {
        phase_connect(conductor, false);
        usage_read(conductor, &idle->logged_in);
    }
    if (!run->failed) {
        phase_greet(conductor);
        usage_read(conductor, &idle->greeted);
    }
    if (!run->failed) {
        phase_silence(conductor);
    }
    if (!run->failed && writes) {
        phase_traffic(conductor, TALLY_WHOLE);
    }
}

void
play_traffic(struct conductor *conductor)
{
    conductor->progress.shown_at_ns = crowd_now_ns();
    phase_connect(conductor, false);
    if (!conductor->run->failed && conductor->run->options->scenario == SCENARIO_OFFLINE) {
        phase_inboxes(conductor);
    } else if (!conductor->run->failed) {
        phase_traffic(conductor, TALLY_WHOLE);
    }
}
