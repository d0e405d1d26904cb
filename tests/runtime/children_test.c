/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/children.h"

#include "tests/runtime/stage.h"
#include "tests/spec.h"

enum { PIDS = 300, STEPS = 6000 };

/* Neighbours in slot and in generation, as a crowd's pids are. */
static ln_pid
pid_of(uint32_t number)
{
    return (ln_pid)(number / 2 + 1) << 32 | number % 2;
}

/* Nobody looks into a record. */
static struct child *
record_of(uint32_t number)
{
    static char records[PIDS];
    return (struct child *)(void *)&records[number];
}

static void
agree(bool records)
{
    struct children children = {0};
    bool there[PIDS] = {false};
    uint32_t count = 0;
    for (unsigned i = 0; i < STEPS; i++) {
        uint32_t number;
        uint32_t place;
        struct child *record = NULL;
        ln_random(&number, sizeof number);
        number %= i < STEPS / 2 ? PIDS : PIDS / 4;
        EXPECT(children_find(&children, pid_of(number), &place) == there[number]);
        if (there[number]) {
            EXPECT(children_remove(&children, pid_of(number), &record));
            EXPECT(record == (records ? record_of(number) : NULL));
            EXPECT(!children_remove(&children, pid_of(number), &record));
            count--;
        } else {
            children_reserve(&children, records);
            children_add(&children, pid_of(number), records ? record_of(number) : NULL);
            EXPECT(children_find(&children, pid_of(number), &place));
            EXPECT(children_record(&children, place) == (records ? record_of(number) : NULL));
            count++;
        }
        there[number] = !there[number];
        EXPECT(children.count == count);
    }
    EXPECT(!children_find(&children, 0, &(uint32_t){0}));
}

static void
story(void)
{
    agree(false);
    agree(true);
}

static void
agrees_with_an_array(void **state)
{
    (void)state;
    stage_play(story);
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("children are found by pid, whoever comes and goes, with records and without",
             agrees_with_an_array),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
