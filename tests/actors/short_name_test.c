/* SPDX-License-Identifier: Apache-2.0 */
#include "actors/short_name.h"

#include "runtime/check.h"
#include "tests/actors/in_an_actor.h"

#include <string.h>

static struct store_name
name_of(uint8_t bytes, char first)
{
    struct store_name name = {.bytes = bytes};
    for (uint8_t i = 0; i < bytes; i++) {
        name.text[i] = (char)(first + i % 20);
    }
    return name;
}

static void
each_length(void *state)
{
    (void)state;
    for (unsigned count = 0; count <= STORE_NAME_BYTES_MAX; count++) {
        uint8_t bytes = (uint8_t)count;
        struct short_name name = {0};
        struct store_name told = name_of(STORE_NAME_BYTES_MAX, 'a');
        struct store_name given = name_of(bytes, 'A');
        short_name_set(&name, &given);
        short_name_get(&name, &told);
        ASSERT(told.bytes == bytes && memcmp(told.text, given.text, bytes) == 0);
    }
}

static void
one_after_the_other(void *state)
{
    static const uint8_t lengths[] = {64, 3, 13, 64, 12, 0, 14};
    struct short_name name = {0};
    (void)state;
    for (size_t i = 0; i < sizeof lengths; i++) {
        struct store_name told;
        struct store_name given = name_of(lengths[i], (char)('A' + i));
        short_name_set(&name, &given);
        short_name_get(&name, &told);
        ASSERT(told.bytes == lengths[i] && memcmp(told.text, given.text, told.bytes) == 0);
    }
}

static void
keeps_each_length(void **state)
{
    (void)state;
    in_an_actor(each_length);
}

static void
takes_another(void **state)
{
    (void)state;
    in_an_actor(one_after_the_other);
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("a name of any length is kept as it is", keeps_each_length),
        SPEC("another name takes its place, however long either is", takes_another),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
