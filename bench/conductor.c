/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/conductor.h"

#include "bench/interrupt.h"
#include "bench/process.h"
#include "bench/progress.h"
#include "bench/sampler.h"
#include "runtime/bounds.h"
#include "runtime/io/uring.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    NS_PER_S = 1000000000,
    NS_PER_MS = 1000000,
    /* Actors that connect at the same time, in all processes. With two connections each that is
     * half of a listener's queue, so that it is not what is measured. */
    CONNECTING_MAX = 1024,
    CONNECTING_EACH_MAX = 512,
    /* Sections that connect at a time, or half of the cores, if that is more. Fewer that do much
     * each time they run cost less than many that do little: 80,000 logins from 32 processes took
     * 18.4 s of CPU (node and generator) instead of 22.1 s. One calls while another's last come. */
    CALLERS_LEAST = 2,
    /* Sections that speak with the operator's socket, which has 32 places. */
    OPERATORS_MAX = 16,
    START_MS = 60000,        /* until a process of the generator has begun */
    LOOK_MS = 100,           /* how soon an interrupt is seen */
    QUIET_MS = 20000,        /* for what is under way at the end, beyond a node's absence */
    USERS_MS = 60000,        /* until a page of users is made or removed */
    SPLIT_USERS_MAX = 50000, /* the node lists its actors for that, one by one */
};

struct conductor {
    struct run *run;
    struct linnet_client client;
    struct sections sections;
    struct progress progress;
    struct sampler sampler;
    bool finishing;
};

struct word {
    enum section_tag tag;
    const void *data;
    size_t bytes;
};

static void
run_fail(struct run *run, const char *why)
{
    if (!run->failed) {
        run->failed = true;
        (void)snprintf(run->why, sizeof run->why, "%s", why);
    }
}

/* -------------------------------------------------------------------------------------- waiting */

static uint64_t
from_now_ns(uint64_t delay_ms)
{
    return crowd_now_ns() + delay_ms * NS_PER_MS;
}

/* Takes note of what one section says, if one does within LOOK_MS. A progress line each second.
 * True: it took so much longer that the machine was paused, and the node with it; nobody is to
 * blame for what did not happen meanwhile. */
static bool
listen(struct conductor *conductor, uint64_t until_ns)
{
    struct run *run = conductor->run;
    uint64_t now_ns = crowd_now_ns();
    /* At least one: a look that does not wait lets nobody else run. */
    uint64_t wait_ms = until_ns > now_ns ? (until_ns - now_ns) / NS_PER_MS + 1 : 1;
    struct ln_msg *msg = NULL;
    int error = ln_receive(wait_ms < LOOK_MS ? wait_ms : LOOK_MS, &msg);
    bool paused = crowd_now_ns() > now_ns + NS_PER_S;
    if (error == 0) {
        sections_note(&conductor->sections, msg);
        ln_msg_free(&msg);
    }
    if (conductor->sections.failed) {
        run_fail(run, conductor->sections.why);
    }
    if (error == -ECANCELED || (interrupted() && !conductor->finishing)) {
        run_fail(run, "stopped");
    }
    now_ns = crowd_now_ns();
    if (now_ns >= progress_next_ns(&conductor->progress)) {
        progress_show(&conductor->progress, &conductor->sections, now_ns);
    }
    if (!conductor->finishing) {
        sampler_go_on(&conductor->sampler, now_ns);
    }
    return paused;
}

/* Is it over, one way or the other? What has to be tidied up is tidied up in a run that failed,
 * too. */
static bool
failed(const struct conductor *conductor)
{
    return conductor->run->failed && !conductor->finishing;
}

static void
await_instant(struct conductor *conductor, uint64_t until_ns)
{
    while (crowd_now_ns() < until_ns && !failed(conductor)) {
        (void)listen(conductor, until_ns);
    }
}

/* Whatever shows that a run moves on. */
static uint64_t
news(const struct conductor *conductor)
{
    struct section_news sum = sections_news(&conductor->sections);
    return sum.counters[TALLY_ANSWERED] + sum.counters[TALLY_SHOWN] +
           sum.counters[TALLY_DELIVERED] + sum.counters[TALLY_THROUGH] +
           sum.counters[TALLY_CONNECTED] + sum.ready + sum.quiet + sum.ended + sum.users_made +
           sum.users_removed;
}

/* Until all sections have carried a word out. False: they have not, and nothing has moved for so
 * long that nothing will, or the run has failed. */
static bool
await_done(struct conductor *conductor, enum section_tag tag, uint64_t patience_ms)
{
    uint64_t last = news(conductor);
    uint64_t until_ns = from_now_ns(patience_ms);
    while (!sections_done(&conductor->sections, tag) && !failed(conductor)) {
        if (crowd_now_ns() >= until_ns) {
            return false;
        }
        if (listen(conductor, until_ns) || news(conductor) != last) {
            last = news(conductor);
            until_ns = from_now_ns(patience_ms);
        }
    }
    return !failed(conductor);
}

/* The same of a word that only `at_once_max` sections may be about at a time: tells it, too. */
static bool
await_in_turns(struct conductor *conductor, const struct word *word, uint32_t at_once_max,
               uint64_t patience_ms)
{
    struct sections *sections = &conductor->sections;
    uint64_t last = news(conductor);
    uint64_t until_ns = from_now_ns(patience_ms);
    do {
        sections_tell_some(sections, word->tag, word->data, word->bytes, at_once_max);
        if (listen(conductor, until_ns) || news(conductor) != last) {
            last = news(conductor);
            until_ns = from_now_ns(patience_ms);
        }
    } while (!sections_done(sections, word->tag) && !failed(conductor) &&
             crowd_now_ns() < until_ns);
    return sections_done(sections, word->tag) && !failed(conductor);
}

static void
tell(struct conductor *conductor, enum section_tag tag)
{
    sections_tell(&conductor->sections, tag, NULL, 0);
}

/* --------------------------------------------------------------------------------- the sections */

static void
sections_gather(struct conductor *conductor)
{
    struct run *run = conductor->run;
    const struct options *options = run->options;
    struct section_begin begin = {.run = run->number,
                                  .actors_all = share_actors(&options->whole),
                                  .writers_all = options_writers(options),
                                  .addresses = options->addresses,
                                  .rate_per_s = options->rate_per_s};
    (void)snprintf(begin.version, sizeof begin.version, "%s", LINNET_VERSION);
    sections_start(&conductor->sections, options, run->here, &begin);
    if (!await_done(conductor, SECTION_BEGIN, START_MS)) {
        run_fail(run, "the generator's processes do not start");
    }
}

/* ---------------------------------------------------------------------------------------- users */

/* Which node it is, and with which settings. */
static void
node_ask(struct conductor *conductor)
{
    struct run *run = conductor->run;
    const struct options *options = run->options;
    struct node_status node = {0};
    if (options->data != NULL &&
        (node_status_read(&conductor->client, &node) != SHELL_DONE ||
         node_settings_read(&conductor->client, run->ground.node_settings) != SHELL_DONE)) {
        run_fail(run, "");
    }
    (void)snprintf(run->ground.node_version, sizeof run->ground.node_version, "%s", node.version);
    run->node_pid = options->pid != 0 ? options->pid : node.pid;
    run->violations = node.violations;
    /* The node may be started again, and then another process has to be asked. */
    linnet_client_close(&conductor->client);
}

static void
users_get(struct conductor *conductor)
{
    struct word make = {.tag = SECTION_MAKE};
    if (!await_in_turns(conductor, &make, OPERATORS_MAX, USERS_MS)) {
        run_fail(conductor->run, "the node makes no users");
    }
}

/* Of a process that has gone: as many as it had said that it has made. */
static uint32_t
users_of_gone(struct conductor *conductor, const struct seat *seat)
{
    struct run *run = conductor->run;
    struct users users;
    char prefix[USERS_PREFIX_BYTES_MAX + 1];
    uint32_t removed = seat->news.users_removed;
    options_users_prefix(run->options, run->number, prefix);
    users_init(&users, seat->share.users);
    users_name(&users, prefix, seat->share.users_first);
    users.made = seat->news.users_made;
    users.removed = removed;
    while (users.removed < users.made && users_remove(&users, &conductor->client) == SHELL_DONE) {
    }
    removed = users.removed - removed;
    users_fini(&users);
    return removed;
}

/* What was made for this run alone goes with it; not if it is needed to find out what happened. */
static void
users_return(struct conductor *conductor)
{
    struct run *run = conductor->run;
    struct sections *sections = &conductor->sections;
    uint32_t made = sections_news(sections).users_made;
    if (!options_users_ours(run->options) || made == 0) {
        return;
    }
    if (audit_verdict_count(&sections->found.verdict) > 0) {
        (void)fprintf(stderr, "the users bench-%08x-1 ... are kept, since a promise was broken\n",
                      run->number);
        return;
    }
    /* What went wrong is told, and nothing more can be done about it. */
    struct word remove = {.tag = SECTION_REMOVE};
    (void)!await_in_turns(conductor, &remove, OPERATORS_MAX, USERS_MS);
    uint32_t removed = sections_news(sections).users_removed;
    for (uint32_t i = 0; i < sections->count; i++) {
        removed += sections->seats[i].gone ? users_of_gone(conductor, &sections->seats[i]) : 0;
    }
    if (run->failed || removed < made) {
        (void)fprintf(stderr, "%u of the %u users that were made for this run were removed\n",
                      removed, made);
    }
}

/* --------------------------------------------------------------------------------------- phases */

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

/* idle: the node before it has what the run costs it. What it has used before and keeps would hide
 * that, so this is before users are made for the run; but what pairs took is not the others'. */
static void
found_read(struct conductor *conductor)
{
    struct idle_found *idle = &conductor->run->idle;
    usage_read(conductor, &idle->found);
    memory_read(conductor, &idle->found, &idle->memory_found);
}

/* A little more than the actors': they know why. */
static uint64_t
patience_ms(const struct options *options)
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
    uint32_t users_each = options->whole.users_each;
    each = users_each > 2 ? each * 2 / users_each : each;
    struct section_connect connect = {.at_once_max = each > 0 ? each : 1,
                                      .writers_only = writers_only};
    struct word word = {tag, &connect, sizeof connect};
    return await_in_turns(conductor, &word, callers, patience_ms(options));
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
    } while (!all_there && !failed(conductor));
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
    tell(conductor, SECTION_STOP);
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
    tell(conductor, SECTION_STOP);
    while (!sections_heard(sections, SECTION_STOP) && !failed(conductor)) {
        (void)listen(conductor, from_now_ns(LOOK_MS));
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

/* idle: its pairs, if there are any, write alone; then the others come and are silent; then the
 * pairs write beside them. */
static void
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

/* All but idle. */
static void
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

static void
phase_finish(struct conductor *conductor)
{
    enum section_tag tag = conductor->run->failed ? SECTION_ABANDON : SECTION_FINISH;
    conductor->finishing = true;
    conductor->progress.start_ns = 0;
    tell(conductor, tag);
    if (!await_done(conductor, tag, patience_ms(conductor->run->options))) {
        run_fail(conductor->run, "an actor of the generator does not end");
    }
}

static void
conduct(struct conductor *conductor)
{
    struct run *run = conductor->run;
    sections_gather(conductor);
    if (!run->failed) {
        node_ask(conductor);
    }
    if (!run->failed && run->options->scenario == SCENARIO_IDLE) {
        found_read(conductor);
    }
    if (!run->failed) {
        users_get(conductor);
    }
    if (!run->failed && run->options->scenario == SCENARIO_IDLE) {
        play_idle(conductor);
    } else if (!run->failed) {
        play_traffic(conductor);
    }
    phase_finish(conductor);
    users_return(conductor);
    sections_end(&conductor->sections);
    tally_merge(&run->tally, &conductor->sections.found);
    memcpy(run->idle.alone, conductor->sections.alone, sizeof run->idle.alone);
}

/* ------------------------------------------------------------------------------------ behaviour */

static int
conductor_init(void *state, const void *argument)
{
    struct conductor *conductor = state;
    struct run *run = ((const struct conductor_start *)argument)->run;
    conductor->run = run;
    conductor->client.data = run->options->data;
    return 0;
}

static void
conductor_run(void *state)
{
    struct conductor *conductor = state;
    conduct(conductor);
    linnet_client_close(&conductor->client);
}

const struct ln_behaviour conductor_behaviour = {
    .name = "conductor",
    .state_bytes = sizeof(struct conductor),
    .init = conductor_init,
    .run = conductor_run,
    .stack_bytes = LN_LENT_STACK_BYTES, /* yajl and printf run on it */
};
