/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/conductor.h"

#include "bench/conductor_priv.h"
#include "runtime/bounds.h"

#include <stdio.h>
#include <string.h>

enum {
    /* Sections that speak with the operator's socket, which has 32 places. */
    OPERATORS_MAX = 16,
    START_MS = 60000, /* until a process of the generator has begun */
    USERS_MS = 60000, /* until a page of users is made or removed */
};

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

/* -------------------------------------------------------------------------------------- the run */

static void
phase_finish(struct conductor *conductor)
{
    enum section_tag tag = conductor->run->failed ? SECTION_ABANDON : SECTION_FINISH;
    conductor->finishing = true;
    conductor->progress.start_ns = 0;
    conductor_tell(conductor, tag);
    if (!await_done(conductor, tag, conductor_patience_ms(conductor->run->options))) {
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
