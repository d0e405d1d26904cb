/* SPDX-License-Identifier: Apache-2.0 */
/* Actors are killed in the middle of conversations, over many seeds: it costs those concerned a
 * reconnect, and nothing else. Of the last test LINNET_SEED_FIRST and LINNET_SEED_COUNT choose
 * which; where they do, the others take more as well. */
#include "tests/sim/story.h"
#include "tests/spec.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    SEEDS_EACH = SEEDS_OF(4),
    SEEDS_EACH_LONG = 10,
    SEEDS_ANY = SEEDS_OF(12),
    SEEDS_STORE = SEEDS_OF(10),
    SEEDS_STORE_LONG = 30
};

static uint64_t
number_of(const char *variable, uint64_t otherwise)
{
    const char *text = getenv(variable); // NOLINT(concurrency-mt-unsafe): one thread
    return text != NULL ? strtoull(text, NULL, 10) : otherwise;
}

static void
over_seeds(uint64_t first, uint64_t count, const char *only, const char *named)
{
    for (uint64_t seed = first; seed < first + count; seed++) {
        struct story_play play = {.seed = seed};
        story_kill(&play, only, named);
        if (play.broken[0] != '\0') {
            print_error("seed %llu: %s\n", (unsigned long long)seed, play.broken);
            story_kill_print();
        }
        assert_string_equal(play.broken, "");
    }
}

static void
over_fixed(uint64_t count, uint64_t count_long, const char *only, const char *named)
{
    bool chosen = number_of("LINNET_SEED_COUNT", 0) != 0;
    over_seeds(1, chosen ? count_long : count, only, named);
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
    over_fixed(SEEDS_EACH, SEEDS_EACH_LONG, "connection", NULL);
}

static void
the_listener_may_be_killed(void **state)
{
    (void)state;
    over_fixed(SEEDS_EACH, SEEDS_EACH_LONG, "listener", NULL);
}

static void
a_partition_may_be_killed(void **state)
{
    (void)state;
    over_fixed(SEEDS_EACH, SEEDS_EACH_LONG, "partition", NULL);
}

static void
a_supervisor_may_be_killed(void **state)
{
    (void)state;
    over_fixed(SEEDS_EACH, SEEDS_EACH_LONG, "supervisor", NULL);
}

/* Its journals, keepers and folders are in the middle of something when the next ones begin. */
static void
the_store_may_be_killed(void **state)
{
    (void)state;
    over_fixed(SEEDS_STORE, SEEDS_STORE_LONG, "supervisor", "store");
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("a connection's end costs its device a reconnect", a_connection_may_be_killed),
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
