/* SPDX-License-Identifier: Apache-2.0 */
/* Actors are killed in the middle of conversations, over many seeds (of the last test
 * LINNET_SEED_FIRST and LINNET_SEED_COUNT choose which): it costs those concerned a reconnect, and
 * nothing else. */
#include "tests/sim/judge.h"
#include "tests/sim/reaper.h"
#include "tests/sim/world.h"
#include "tests/spec.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    SEEDS_EACH = 10,
    SEEDS_ANY = 30,
    SEEDS_STORE = 30,
    KILLS = 8,
    /* So that no supervisor sees ten restarts in ten seconds, and gives up as it should. */
    PAUSE_MS_MIN = 1100,
    PAUSE_MS_SPREAD = 300,
    TALK_MS_MAX = 20,
};

static struct world world;
static struct reaper reaper;

static uint64_t
number_of(const char *variable, uint64_t otherwise)
{
    const char *text = getenv(variable); // NOLINT(concurrency-mt-unsafe): one thread
    return text != NULL ? strtoull(text, NULL, 10) : otherwise;
}

static void
talk(struct person *people[3], unsigned step)
{
    struct person *from = people[step % 3];
    struct person *to = people[(step + 1 + step / 3 % 2) % 3];
    person_says(from, to, 1 + step % 2);
}

static void
live_among_killings(uint64_t seed, const char *only, const char *named)
{
    reaper = (struct reaper){.world = &world,
                             .pause_ms_min = PAUSE_MS_MIN,
                             .pause_ms_spread = PAUSE_MS_SPREAD,
                             .only = only,
                             .named = named};
    world_open_with(&world, seed, reaper_child(&reaper));
    struct person *people[3] = {world_person(&world, "alice"), world_person(&world, "bob"),
                                world_person(&world, "carol")};
    if (!world_settle(&world)) {
        judge_broken(&world, "they did not enrol");
    }
    reaper.kills_left = KILLS;
    for (unsigned step = 0; reaper.kills < KILLS && world.broken[0] == '\0' && step < 2000;
         step++) {
        talk(people, step);
        world_run(&world, 1 + (seed * 31 + (uint64_t)step * 17) % TALK_MS_MAX);
    }
    if (world.broken[0] == '\0' && reaper.kills < KILLS) {
        judge_broken(&world, "only %u were killed", reaper.kills);
    }
    if (world.broken[0] == '\0' && !world_settle(&world)) {
        judge_broken(&world, "they did not come to rest");
    }
    if (world.broken[0] == '\0') {
        judge_rest(&world);
    }
}

static void
judge(uint64_t seed)
{
    if (world.broken[0] != '\0') {
        print_error("seed %llu: %s\n", (unsigned long long)seed, world.broken);
        for (unsigned i = 0; i < reaper.kinds_count; i++) {
            print_error("    killed %u of %s\n", reaper.kinds[i].kills, reaper.kinds[i].behaviour);
        }
    }
    assert_string_equal(world.broken, "");
    world_close(&world);
}

static void
over_seeds(uint64_t first, uint64_t count, const char *only, const char *named)
{
    for (uint64_t seed = first; seed < first + count; seed++) {
        live_among_killings(seed, only, named);
        judge(seed);
    }
}

static void
any_actor_may_be_killed(void **state)
{
    (void)state;
    over_seeds(number_of("LINNET_SEED_FIRST", 1), number_of("LINNET_SEED_COUNT", SEEDS_ANY), NULL,
               NULL);
}

static void
a_connection_may_be_killed(void **state)
{
    (void)state;
    over_seeds(1, SEEDS_EACH, "connection", NULL);
}

static void
a_session_may_be_killed(void **state)
{
    (void)state;
    over_seeds(1, SEEDS_EACH, "session", NULL);
}

static void
the_table_of_sessions_may_be_killed(void **state)
{
    (void)state;
    over_seeds(1, SEEDS_EACH, "sessions", NULL);
}

static void
the_listener_may_be_killed(void **state)
{
    (void)state;
    over_seeds(1, SEEDS_EACH, "listener", NULL);
}

static void
a_partition_may_be_killed(void **state)
{
    (void)state;
    over_seeds(1, SEEDS_EACH, "partition", NULL);
}

static void
a_supervisor_may_be_killed(void **state)
{
    (void)state;
    over_seeds(1, SEEDS_EACH, "supervisor", NULL);
}

/* Its journals, keepers and folders are in the middle of something when the next ones begin. */
static void
the_store_may_be_killed(void **state)
{
    (void)state;
    over_seeds(1, SEEDS_STORE, "supervisor", "store");
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("a connection's end costs its device a reconnect", a_connection_may_be_killed),
        SPEC("a session's end costs its devices a reconnect", a_session_may_be_killed),
        SPEC("the end of the table of sessions costs a home's devices a reconnect",
             the_table_of_sessions_may_be_killed),
        SPEC("the listener's end costs nobody anything who is connected",
             the_listener_may_be_killed),
        SPEC("a partition's end costs its users a reconnect", a_partition_may_be_killed),
        SPEC("a supervisor's end costs all below it a reconnect", a_supervisor_may_be_killed),
        SPEC("the end of the store's supervisor costs everybody a reconnect",
             the_store_may_be_killed),
        SPEC("whichever actor below the root is killed, no promise is broken",
             any_actor_may_be_killed),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
