/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/sim/reaper.h"

#include "runtime/inspect.h"
#include "tests/sim/person.h"

#include <string.h>

enum { VICTIMS_MAX = 1024, REAPER_TICK = 1 };

struct victims {
    unsigned count;
    struct ln_actor_info list[VICTIMS_MAX];
};

struct reaper_actor {
    struct reaper *reaper;
    const char *behaviour; /* of the victim whose end is awaited */
    char name[LN_NAME_BYTES_MAX + 1];
    uint64_t monitor;        /* of it; 0: none is */
    enum ln_exit_kind asked; /* of it */
};

static void
tick_later(const struct reaper *reaper)
{
    struct ln_msg *tick = ln_msg_new(REAPER_TICK, LN_REPLY, 0);
    uint64_t pause_ms = reaper->pause_ms_min + world_chance(reaper->world, reaper->pause_ms_spread);
    (void)ln_send_after(pause_ms, ln_self(), &tick);
}

static void
victims_list(struct victims *victims)
{
    for (unsigned scheduler = 0; scheduler < ln_schedulers(); scheduler++) {
        uint32_t slot = 0;
        do {
            uint32_t count = 0;
            uint32_t room = VICTIMS_MAX - victims->count;
            if (ln_inspect_list(scheduler, &slot, victims->list + victims->count, room, &count) !=
                0) {
                return;
            }
            victims->count += count;
        } while (slot != 0 && victims->count < VICTIMS_MAX);
    }
}

static bool
spared(const struct victims *victims, const struct ln_actor_info *actor)
{
    if (actor->parent == 0 || actor->pid == ln_self()) {
        return true;
    }
    for (unsigned i = 0; i < victims->count; i++) {
        if (victims->list[i].pid == actor->parent) {
            return victims->list[i].parent == 0;
        }
    }
    return true; /* its supervisor is gone: so will it be */
}

static void
victims_spare(struct victims *victims, const struct reaper *reaper)
{
    unsigned kept = 0;
    /* Whom an actor's parent is, is looked up among all: so they are marked first, then moved. */
    bool keep[VICTIMS_MAX];
    for (unsigned i = 0; i < victims->count; i++) {
        const struct ln_actor_info *actor = &victims->list[i];
        bool wanted = reaper->only == NULL || strcmp(actor->behaviour, reaper->only) == 0;
        bool called = reaper->named == NULL || strcmp(actor->name, reaper->named) == 0;
        keep[i] = wanted && called && !spared(victims, actor);
    }
    for (unsigned i = 0; i < victims->count; i++) {
        if (keep[i]) {
            victims->list[kept++] = victims->list[i];
        }
    }
    victims->count = kept;
}

static const struct ln_actor_info *
victim_choose(const struct victims *victims, struct world *world)
{
    const char *kinds[REAPER_KINDS_MAX];
    unsigned kinds_count = 0;
    for (unsigned i = 0; i < victims->count; i++) {
        unsigned at = 0;
        while (at < kinds_count && strcmp(kinds[at], victims->list[i].behaviour) != 0) {
            at++;
        }
        if (at == kinds_count && kinds_count < REAPER_KINDS_MAX) {
            kinds[kinds_count++] = victims->list[i].behaviour;
        }
    }
    if (kinds_count == 0) {
        return NULL;
    }
    const char *kind = kinds[world_chance(world, kinds_count)];
    const struct ln_actor_info *chosen = NULL;
    unsigned seen = 0;
    for (unsigned i = 0; i < victims->count; i++) {
        if (strcmp(victims->list[i].behaviour, kind) == 0 && world_chance(world, ++seen) == 0) {
            chosen = &victims->list[i];
        }
    }
    return chosen;
}

static void
note(struct reaper *reaper, const char *behaviour)
{
    unsigned at = 0;
    while (at < reaper->kinds_count && strcmp(reaper->kinds[at].behaviour, behaviour) != 0) {
        at++;
    }
    if (at < REAPER_KINDS_MAX) {
        reaper->kinds[at].behaviour = behaviour;
        reaper->kinds[at].kills++;
        reaper->kinds_count += at == reaper->kinds_count;
    }
    reaper->kills++;
    reaper->kills_left--;
}

/* Nobody traps KILLED. A connection can also be told to go, and does; a journal that is told may
 * put it off, and the listener would take it for the end of the node. */
static enum ln_exit_kind
kind_choose(const char *behaviour, struct world *world)
{
    bool goes = strcmp(behaviour, "connection") == 0 && world_chance(world, 2) == 0;
    return goes ? LN_EXIT_SHUTDOWN : LN_EXIT_KILLED;
}

static void
reap(struct reaper_actor *actor)
{
    struct reaper *reaper = actor->reaper;
    struct victims *victims = ln_alloc(sizeof *victims);
    victims_list(victims);
    victims_spare(victims, reaper);
    const struct ln_actor_info *victim = victim_choose(victims, reaper->world);
    if (victim != NULL) {
        actor->behaviour = victim->behaviour;
        memcpy(actor->name, victim->name, sizeof actor->name);
        actor->asked = kind_choose(victim->behaviour, reaper->world);
        actor->monitor = ln_monitor(victim->pid);
        ln_kill(victim->pid, actor->asked);
    }
    ln_free(victims);
}

static void
reaper_handle(void *state, struct ln_msg **msg)
{
    struct reaper_actor *actor = state;
    if ((*msg)->tag == LN_TAG_DOWN) {
        const struct ln_down *down = (const struct ln_down *)(const void *)(*msg)->data;
        if (down->reason.kind == actor->asked) {
            note(actor->reaper, actor->behaviour);
            if (actor->reaper->told != NULL) {
                actor->reaper->told(actor->reaper->context, actor->behaviour, actor->name);
            }
        } /* else it had ended by itself */
        actor->monitor = 0;
        return;
    }
    if (actor->reaper->kills_left > 0 && actor->monitor == 0) {
        reap(actor);
    }
    tick_later(actor->reaper);
}

static int
reaper_init(void *state, const void *argument)
{
    struct reaper_actor *actor = state;
    actor->reaper = *(struct reaper *const *)argument;
    tick_later(actor->reaper);
    return 0;
}

static const struct ln_behaviour reaper_behaviour = {
    .name = "reaper",
    .state_bytes = sizeof(struct reaper_actor),
    .init = reaper_init,
    .handle = reaper_handle,
};

struct ln_child
reaper_child(struct reaper *reaper)
{
    static struct reaper *argument; /* one world at a time */
    argument = reaper;
    return (struct ln_child){.id = "reaper",
                             .behaviour = &reaper_behaviour,
                             .argument = &argument,
                             .bytes = sizeof(struct reaper *)};
}
