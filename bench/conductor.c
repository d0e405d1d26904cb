/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/conductor.h"

#include "bench/echo.h"
#include "bench/idle.h"
#include "bench/pair.h"
#include "bench/process.h"
#include "runtime/bounds.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    NS_PER_S = 1000000000,
    NS_PER_MS = 1000000,
    /* Actors that connect at the same time: a listener's queue is not to be measured. */
    CONNECTING_MAX = 128,
    QUIET_MS = 20000, /* for what is under way at the end, beyond a node's absence */
    SETTLE_MS = 1000, /* idle: until freed memory is given back and timers have run */
    PROGRESS_MS = 1000,
    TOKENS_BYTES_MAX = 64 << 20,
    REACHED_PERCENT = 99, /* of what was due in an open loop */
    BEHIND_MS_MAX = 100,  /* what may be under way when the span ends: so much of the rate, ... */
    BEHIND_MAX = 10,      /* ... and these */
};

struct conductor {
    struct run *run;
    struct linnet_client client;
    ln_pid *actors;
    uint32_t spawned, ready, quiet, ended;
    uint64_t shown_at_ns; /* the last progress line */
    uint64_t shown_count;
    uint64_t start_ns;
    bool finishing;
};

/* ------------------------------------------------------------------------------------- progress */

static uint64_t
count_of(const struct run *run, enum tally_counter counter)
{
    uint64_t count = 0;
    for (uint32_t i = 0; i < run->options->threads; i++) {
        count += tally_count(&run->crowds[i]->tally, counter);
    }
    return count;
}

static enum tally_counter
progress_counter(const struct run *run)
{
    static const enum tally_counter counters[] = {TALLY_THROUGH, TALLY_CONNECTED, TALLY_TRIPS};
    return counters[run->options->scenario];
}

static void
progress_print(const struct conductor *conductor, uint64_t now_ns)
{
    const struct run *run = conductor->run;
    uint64_t count = count_of(run, progress_counter(run));
    double seconds = (double)(now_ns - conductor->shown_at_ns) / NS_PER_S;
    double rate = (double)(count - conductor->shown_count) / seconds;
    double at_s = (double)(now_ns - conductor->start_ns) / NS_PER_S;
    switch (run->options->scenario) {
    case SCENARIO_CHAT:
        (void)fprintf(stderr,
                      "%5.0f s  %8.0f messages/s   written %llu  sent %llu  shown %llu  delivered "
                      "%llu  through %llu   cut %llu\n",
                      at_s, rate, (unsigned long long)count_of(run, TALLY_WRITTEN),
                      (unsigned long long)count_of(run, TALLY_ANSWERED),
                      (unsigned long long)count_of(run, TALLY_SHOWN),
                      (unsigned long long)count_of(run, TALLY_DELIVERED), (unsigned long long)count,
                      (unsigned long long)count_of(run, TALLY_CUT));
        break;
    case SCENARIO_IDLE:
        (void)fprintf(stderr, "%5.0f s  %llu logins, %llu cut\n", at_s, (unsigned long long)count,
                      (unsigned long long)count_of(run, TALLY_CUT));
        break;
    case SCENARIO_ECHO:
        (void)fprintf(stderr, "%5.0f s  %8.0f round trips/s\n", at_s, rate);
        break;
    }
}

static void
progress_show(struct conductor *conductor, uint64_t now_ns)
{
    if (conductor->start_ns != 0 && !conductor->finishing) {
        progress_print(conductor, now_ns);
    }
    conductor->shown_at_ns = now_ns;
    conductor->shown_count = count_of(conductor->run, progress_counter(conductor->run));
}

/* ------------------------------------------------------------------------------------- messages */

static void
run_fail(struct run *run, const char *why)
{
    if (!run->failed) {
        run->failed = true;
        (void)snprintf(run->why, sizeof run->why, "%s", why);
    }
}

static void
took_note(struct conductor *conductor, const struct ln_msg *msg)
{
    struct run *run = conductor->run;
    switch (msg->tag) {
    case CROWD_READY:
        conductor->ready++;
        break;
    case CROWD_QUIET:
        conductor->quiet++;
        break;
    case CROWD_FAILED:
        run_fail(run, ((const struct crowd_failed *)(const void *)msg->data)->text);
        break;
    case LN_TAG_DOWN: {
        const struct ln_down *down = (const struct ln_down *)(const void *)msg->data;
        conductor->ended++;
        if (!conductor->finishing || down->reason.kind != LN_EXIT_NORMAL) {
            run_fail(run, down->reason.text != NULL ? down->reason.text : "an actor has ended");
        }
        break;
    }
    default:
        break;
    }
}

/* Takes note of what actors say until *count has reached `goal`, or `until_ns`, or the run has
 * failed. A progress line each second. */
static void
await(struct conductor *conductor, const uint32_t *count, uint32_t goal, uint64_t until_ns)
{
    struct run *run = conductor->run;
    uint64_t now_ns = crowd_now_ns();
    while (*count < goal && now_ns < until_ns && (!run->failed || conductor->finishing)) {
        uint64_t next_ns = conductor->shown_at_ns + (uint64_t)PROGRESS_MS * NS_PER_MS;
        uint64_t wake_ns = until_ns < next_ns ? until_ns : next_ns;
        /* At least one: a look that does not wait lets nobody else run. */
        uint64_t wait_ms = wake_ns > now_ns ? (wake_ns - now_ns) / NS_PER_MS + 1 : 1;
        struct ln_msg *msg = NULL;
        int error = ln_receive(wait_ms, &msg);
        if (error == 0) {
            took_note(conductor, msg);
            ln_msg_free(&msg);
        } else if (error == -ECANCELED) {
            run_fail(run, "stopped");
            return;
        }
        now_ns = crowd_now_ns();
        if (now_ns >= next_ns) {
            progress_show(conductor, now_ns);
        }
    }
}

static void
await_instant(struct conductor *conductor, uint64_t until_ns)
{
    static const uint32_t never = 0;
    await(conductor, &never, 1, until_ns);
}

static uint64_t
from_now_ns(uint64_t delay_ms)
{
    return crowd_now_ns() + delay_ms * NS_PER_MS;
}

/* ---------------------------------------------------------------------------------------- users */

struct tokens_file {
    struct run *run;
    int error;
    char why[USERS_TEXT_BYTES];
};

/* For ln_work. */
static void
tokens_read(void *argument)
{
    struct tokens_file *tokens = argument;
    struct run *run = tokens->run;
    char *text = NULL;
    io_file file = -1;
    uint64_t bytes = 0;
    tokens->error = io_file_open(run->driver, run->options->tokens, IO_OPEN_READ, &file);
    if (tokens->error == 0) {
        tokens->error = io_file_size(run->driver, file, &bytes);
    }
    if (tokens->error == 0 && bytes > TOKENS_BYTES_MAX) {
        tokens->error = -EFBIG;
    }
    if (tokens->error == 0) {
        text = calloc(1, bytes + 1);
        ASSERT(text != NULL);
        ssize_t got = io_file_read(run->driver, file, text, bytes, 0);
        tokens->error = got < 0 ? (int)got : 0;
    }
    if (tokens->error < 0) {
        (void)snprintf(tokens->why, sizeof tokens->why, "--tokens: %s",
                       strerrordesc_np(-tokens->error));
    } else {
        tokens->error = users_load(&run->users, text, tokens->why);
    }
    free(text);
    if (file >= 0) {
        io_file_close(run->driver, file);
    }
}

static void
users_get(struct conductor *conductor)
{
    struct run *run = conductor->run;
    const struct options *options = run->options;
    char why[USERS_TEXT_BYTES] = "";
    int code = SHELL_DONE;
    if (options->tokens != NULL) {
        struct tokens_file tokens = {.run = run};
        ln_work(tokens_read, &tokens, false);
        if (tokens.error < 0) {
            run_fail(run, tokens.why);
        }
    } else if (options->scenario != SCENARIO_ECHO) {
        char prefix[USERS_PREFIX_BYTES_MAX + 1];
        (void)snprintf(prefix, sizeof prefix, "bench-%08x-", run->number);
        const char *name = options->keep_users != NULL ? options->keep_users : prefix;
        code = users_make(&run->users, &conductor->client, name, why);
    }
    run->node_pid = options->pid;
    if (code == SHELL_DONE && options->data != NULL && run->node_pid == 0) {
        code = users_node_pid(&conductor->client, &run->node_pid);
    }
    /* Whoever removes them may have to ask another process: the node may be started again. */
    linnet_client_close(&conductor->client);
    if (code != SHELL_DONE) {
        run_fail(run, why);
    }
}

/* What was made for this run alone goes with it; not if it is needed to find out what happened. */
static void
users_return(struct conductor *conductor)
{
    struct run *run = conductor->run;
    bool ours = run->options->keep_users == NULL && run->users.fresh;
    if (!ours || run->failed) {
        return;
    }
    if (audit_verdict_count(&run->tally.verdict) > 0) {
        (void)fprintf(stderr, "the users bench-%08x-1 ... are kept, since a promise was broken\n",
                      run->number);
        return;
    }
    /* What went wrong is told, and nothing more can be done about it. */
    (void)!users_remove(&run->users, &conductor->client);
}

/* --------------------------------------------------------------------------------------- actors */

static const struct ln_behaviour *
behaviour_of(const struct run *run)
{
    static const struct ln_behaviour *const behaviours[] = {&pair_behaviour, &idle_behaviour,
                                                            &echo_behaviour};
    return behaviours[run->options->scenario];
}

static bool
actor_spawn(struct conductor *conductor, uint32_t index)
{
    struct run *run = conductor->run;
    ASSERT(run->options->threads > 0);
    uint32_t thread = index % run->options->threads;
    struct crowd *crowd = run->crowds[thread];
    struct crowd_place place = {.crowd = crowd, .index = index};
    uint64_t monitor;
    struct ln_spawn_options options = {
        .monitor = true, .elsewhere = true, .scheduler = (int)thread, .out_monitor = &monitor};
    int error =
        ln_spawn(behaviour_of(run), &place, sizeof place, &options, &conductor->actors[index]);
    if (error < 0) {
        run_fail(run, "the runtime takes no more actors");
        return false;
    }
    /* Nobody reads it before CROWD_GO. */
    crowd->actors[index / run->options->threads] = conductor->actors[index];
    return true;
}

static void
actors_spawn(struct conductor *conductor)
{
    struct run *run = conductor->run;
    uint64_t until_ns = from_now_ns(CROWD_PATIENCE_MS);
    for (uint32_t i = 0; i < run->options->threads; i++) {
        run->crowds[i]->conductor = ln_self();
    }
    while (conductor->ready < run->actors_count && !run->failed) {
        while (conductor->spawned < run->actors_count &&
               conductor->spawned - conductor->ready < CONNECTING_MAX) {
            if (!actor_spawn(conductor, conductor->spawned)) {
                return;
            }
            conductor->spawned++;
        }
        uint32_t before = conductor->ready;
        await(conductor, &conductor->ready, before + 1, until_ns);
        if (conductor->ready > before) {
            until_ns = from_now_ns(CROWD_PATIENCE_MS);
        } else if (crowd_now_ns() >= until_ns) {
            run_fail(run, "the node does not let us in");
        }
    }
}

static void
pacers_spawn(struct conductor *conductor)
{
    struct run *run = conductor->run;
    for (uint32_t i = 0; i < run->options->threads && run->options->rate_per_s > 0; i++) {
        double share = (double)run->crowds[i]->actors_count / (double)run->actors_count;
        ln_pid pacer;
        struct ln_spawn_options options = {.elsewhere = true, .scheduler = (int)i};
        struct pace_start start = {.pace =
                                       pace_new(run->crowds[i], run->options->rate_per_s * share)};
        run->paces[i] = start.pace;
        if (start.pace == NULL ||
            ln_spawn(&pace_behaviour, &start, sizeof start, &options, &pacer) < 0) {
            run_fail(run, "no timer for the schedule");
            return;
        }
        conductor->actors[run->actors_count + i] = pacer;
    }
}

/* To all actors, and the pacers behind them. */
static void
broadcast(const struct conductor *conductor, enum crowd_tag tag, const struct crowd_go *go)
{
    const struct run *run = conductor->run;
    for (uint32_t i = 0; i < run->actors_count + run->options->threads; i++) {
        if (conductor->actors[i] != 0) {
            struct ln_msg *msg = ln_msg_new(tag, LN_REPLY, go != NULL ? sizeof *go : 0);
            if (go != NULL) {
                *(struct crowd_go *)(void *)msg->data = *go;
            }
            ln_send(conductor->actors[i], &msg);
        }
    }
}

/* --------------------------------------------------------------------------------------- phases */

static void
usage_read(struct run *run, struct run_usage *out)
{
    /* What /proc does not tell stays 0, and is not printed. */
    (void)!process_cpu_ms(run->driver, 0, &out->generator_cpu_ms);
    if (run->node_pid != 0) {
        (void)!process_cpu_ms(run->driver, run->node_pid, &out->node_cpu_ms);
        (void)!process_resident(run->driver, run->node_pid, &out->node_resident_bytes);
    }
}

static void
memory_read(struct conductor *conductor, const struct run_usage *usage, struct split *out)
{
    const struct options *options = conductor->run->options;
    if (options->scenario == SCENARIO_IDLE && options->data != NULL) {
        split_read(&conductor->client, usage->node_resident_bytes, out);
        linnet_client_close(&conductor->client);
    }
}

/* Whatever moves the run on. */
static uint64_t
news(const struct run *run)
{
    return count_of(run, TALLY_ANSWERED) + count_of(run, TALLY_SHOWN) +
           count_of(run, TALLY_DELIVERED) + count_of(run, TALLY_THROUGH) +
           count_of(run, TALLY_CONNECTED);
}

/* Until nothing is under way any more, or nothing has come for so long that nothing will: a node
 * that is gone comes back within the patience of those who call it, or they fail. */
static void
phase_quiet(struct conductor *conductor)
{
    struct run *run = conductor->run;
    uint64_t until_ns = from_now_ns(QUIET_MS);
    uint64_t last = news(run);
    while (conductor->quiet < run->actors_count && crowd_now_ns() < until_ns && !run->failed) {
        await(conductor, &conductor->quiet, run->actors_count, from_now_ns(PROGRESS_MS));
        uint64_t now = news(run);
        bool all_there =
            count_of(run, TALLY_CONNECTED) == run->users.count + count_of(run, TALLY_CUT);
        if (now != last || !all_there) {
            until_ns = from_now_ns(QUIET_MS);
            last = now;
        }
    }
}

/* chat, echo: warm up, measure, let what is under way arrive. */
static void
phase_traffic(struct conductor *conductor)
{
    struct run *run = conductor->run;
    const struct options *options = run->options;
    struct crowd_go go = {.start_ns = crowd_now_ns()};
    go.span.from_ns = go.start_ns + (uint64_t)options->warmup_s * NS_PER_S;
    go.span.until_ns = go.span.from_ns + (uint64_t)options->seconds * NS_PER_S;
    conductor->start_ns = go.start_ns;
    conductor->shown_at_ns = go.start_ns;
    broadcast(conductor, CROWD_GO, &go);
    await_instant(conductor, go.span.from_ns);
    usage_read(run, &run->before);
    await_instant(conductor, go.span.until_ns);
    usage_read(run, &run->after);
    run->behind = count_of(run, TALLY_DUE) - count_of(run, TALLY_THROUGH);
    run->measured_ns = go.span.until_ns - go.span.from_ns;
    broadcast(conductor, CROWD_STOP, NULL);
    phase_quiet(conductor);
}

/* idle: all are logged in; now nothing happens. */
static void
phase_silence(struct conductor *conductor)
{
    struct run *run = conductor->run;
    await_instant(conductor, from_now_ns(SETTLE_MS));
    usage_read(run, &run->after);
    await_instant(conductor, from_now_ns((uint64_t)run->options->seconds * 1000));
    usage_read(run, &run->later);
    memory_read(conductor, &run->later, &run->memory_later);
    run->measured_ns = (uint64_t)run->options->seconds * NS_PER_S;
}

static void
phase_finish(struct conductor *conductor)
{
    struct run *run = conductor->run;
    conductor->finishing = true;
    broadcast(conductor, CROWD_FINISH, NULL);
    await(conductor, &conductor->ended, conductor->spawned, from_now_ns(QUIET_MS));
    if (conductor->ended < conductor->spawned) {
        run_fail(run, "an actor of the generator does not end");
    }
    for (uint32_t i = 0; i < run->options->threads; i++) {
        /* Its actors have ended: their last writes came before the DOWNs that were received. */
        tally_merge(&run->tally, &run->crowds[i]->tally);
    }
}

static void
conduct(struct conductor *conductor)
{
    struct run *run = conductor->run;
    bool idle = run->options->scenario == SCENARIO_IDLE;
    users_get(conductor);
    if (run->failed) {
        return;
    }
    conductor->start_ns = idle ? crowd_now_ns() : 0;
    conductor->shown_at_ns = crowd_now_ns();
    usage_read(run, &run->before);
    memory_read(conductor, &run->before, &run->memory_before);
    actors_spawn(conductor);
    pacers_spawn(conductor);
    if (!run->failed && idle) {
        phase_silence(conductor);
    } else if (!run->failed) {
        phase_traffic(conductor);
    }
    phase_finish(conductor);
    users_return(conductor);
}

/* Less came through in the span than was due in it, and not for the little that is always under way
 * when a span begins and ends. */
static bool
rate_missed(const struct run *run)
{
    const struct tally *tally = &run->tally;
    uint64_t due = tally->delays[TALLY_LAG].count;
    uint64_t reached = tally_count(tally, TALLY_MEASURED);
    double allowed = run->options->rate_per_s * BEHIND_MS_MAX / 1000 + BEHIND_MAX;
    bool short_of = reached * 100 < due * REACHED_PERCENT;
    return tally_count(tally, TALLY_SKIPPED) > 0 || (short_of && (double)run->behind > allowed);
}

enum run_exit
run_exit_code(const struct run *run)
{
    const struct tally *tally = &run->tally;
    if (audit_verdict_count(&tally->verdict) > 0) {
        return RUN_BROKEN;
    }
    if (run->failed) {
        return RUN_FAILED;
    }
    bool cut = run->options->scenario == SCENARIO_IDLE && tally_count(tally, TALLY_CUT) > 0;
    bool kept = objectives_kept(&run->options->objectives, tally);
    return cut || !kept || rate_missed(run) ? RUN_MISSED : RUN_GOOD;
}

/* ------------------------------------------------------------------------------------ behaviour */

static int
conductor_init(void *state, const void *argument)
{
    struct conductor *conductor = state;
    struct run *run = ((const struct conductor_start *)argument)->run;
    conductor->run = run;
    conductor->client.data = run->options->data;
    conductor->actors =
        ln_alloc(((size_t)run->actors_count + run->options->threads) * sizeof *conductor->actors);
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
