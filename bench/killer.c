/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/killer.h"

#include "bench/chance.h"
#include "runtime/bounds.h"
#include "tools/linnet_client.h"

static const double ms_per_s = 1000;

struct killer_actor {
    struct killer *killer;
    struct linnet_client client;
};

static void
kill_one(struct killer_actor *actor)
{
    const char *words[] = {"kill", "any"};
    struct linnet_answer answer;
    if (linnet_ask(&actor->client, words, 2, &answer) == SHELL_DONE) {
        atomic_fetch_add(&actor->killer->kills, 1);
    }
    /* It may be the one who would be asked next; and places at the operator's socket are few. */
    linnet_client_close(&actor->client);
}

static void
killer_run(void *state)
{
    struct killer_actor *actor = state;
    uint64_t pause_ms = (uint64_t)(ms_per_s / actor->killer->per_s);
    uint64_t chance = actor->killer->seed;
    while (ln_sleep(pause_ms * 3 / 4 + chance_below(&chance, pause_ms / 2 + 1)) == 0) {
        kill_one(actor);
    }
}

static int
killer_init(void *state, const void *argument)
{
    struct killer_actor *actor = state;
    actor->killer = *(struct killer *const *)argument;
    actor->client = (struct linnet_client){.data = actor->killer->data};
    return 0;
}

const struct ln_behaviour killer_behaviour = {
    .name = "killer",
    .state_bytes = sizeof(struct killer_actor),
    .init = killer_init,
    .run = killer_run,
    .stack_bytes = LN_LENT_STACK_BYTES, /* yajl and printf run on it */
};
