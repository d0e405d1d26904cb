/* SPDX-License-Identifier: Apache-2.0 */
/* A process plays several worlds, one after the other, and none leaves anything to the next. */
#include "tests/sim/story.h"
#include "tests/spec.h"

/* All that was logged, as one number. */
struct record {
    uint64_t hash; /* FNV-1a */
    unsigned lines;
};

static void
record_line(void *context, const char *line)
{
    struct record *record = context;
    for (const char *at = line; *at != '\0'; at++) {
        record->hash = (record->hash ^ (unsigned char)*at) * UINT64_C(0x100000001b3);
    }
    record->lines++;
}

static struct record
recorded(void (*story)(struct story_play *play), uint64_t seed)
{
    struct record record = {.hash = UINT64_C(0xcbf29ce484222325)};
    struct story_play play = {.seed = seed, .log = record_line, .log_context = &record};
    story(&play);
    assert_string_equal(play.broken, "");
    return record;
}

static void
kill_any(struct story_play *play)
{
    story_kill(play, NULL, NULL);
}

/* The first story is the first of its process: what libraries do once, they do there. */
static void
a_seed_plays_the_same_whichever_came_before(void **state)
{
    (void)state;
    static void (*const stories[])(struct story_play * play) = {story_chat, kill_any};
    for (unsigned i = 0; i < sizeof stories / sizeof stories[0]; i++) {
        struct record first = recorded(stories[i], 1);
        struct record other = recorded(stories[i], 2);
        struct record again = recorded(stories[i], 1);
        assert_true(first.lines > 1000 && other.hash != first.hash);
        assert_int_equal(again.lines, first.lines);
        assert_true(again.hash == first.hash);
    }
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("a seed plays the same, event for event, whichever was played before it in the "
             "process",
             a_seed_plays_the_same_whichever_came_before),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
