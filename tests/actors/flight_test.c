/* SPDX-License-Identifier: Apache-2.0 */
#include "actors/flight.h"

#include "runtime/check.h"
#include "tests/actors/in_an_actor.h"

static void
cumulative(void *state)
{
    (void)state;
    struct flight flight = {0};
    for (uint64_t number = 1; number <= 100; number++) {
        flight_add(&flight, number * 10, number);
    }
    ASSERT(flight.count == 100 && flight.bytes == 5050);
    flight_ack(&flight, 9);
    ASSERT(flight.count == 100);
    flight_ack(&flight, 505);
    ASSERT(flight.count == 50 && flight.bytes == 5050 - 50 * 51 / 2);
    flight_ack(&flight, 10);
    ASSERT(flight.count == 50);
    flight_ack(&flight, UINT64_MAX);
    ASSERT(flight.count == 0 && flight.bytes == 0 && flight.entries == NULL);
}

static void
around_the_ring(void *state)
{
    (void)state;
    struct flight flight = {0};
    uint64_t acked = 0;
    for (uint64_t number = 1; number <= 1000; number++) {
        flight_add(&flight, number, 3);
        if (number % 7 == 0) {
            acked = number - 5;
            flight_ack(&flight, acked);
        }
        ASSERT(flight.count == number - acked && flight.bytes == 3 * (number - acked));
    }
    ASSERT(flight.room <= 16);
    flight_fini(&flight);
}

static void
acknowledgements_are_cumulative(void **state)
{
    (void)state;
    in_an_actor(cumulative);
}

static void
the_ring_is_used_again(void **state)
{
    (void)state;
    in_an_actor(around_the_ring);
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("acknowledgements are cumulative, and an empty flight holds no memory",
             acknowledgements_are_cumulative),
        SPEC("a few under way need a few places, however many come after one another",
             the_ring_is_used_again),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
