/* SPDX-License-Identifier: Apache-2.0 */
#include "actors/flight.h"

#include "runtime/linnet.h"

enum { ROOM_FIRST = 8 }; /* a conversation has a few under way; a drain grows it to the credit */

static void
flight_grow(struct flight *flight)
{
    uint32_t room = flight->room == 0 ? ROOM_FIRST : flight->room * 2;
    struct flight_entry *entries = ln_alloc(room * sizeof *entries);
    for (uint32_t i = 0; i < flight->count; i++) {
        entries[i] = flight->entries[(flight->first + i) % flight->room];
    }
    ln_free(flight->entries);
    flight->entries = entries;
    flight->room = room;
    flight->first = 0;
}

void
flight_add(struct flight *flight, uint64_t number, uint64_t bytes)
{
    if (flight->count == flight->room) {
        flight_grow(flight);
    }
    uint32_t last = (flight->first + flight->count) % flight->room;
    flight->entries[last] = (struct flight_entry){number, bytes};
    flight->count++;
    flight->bytes += bytes;
}

void
flight_ack(struct flight *flight, uint64_t number)
{
    while (flight->count > 0 && flight->entries[flight->first].number <= number) {
        flight->bytes -= flight->entries[flight->first].bytes;
        flight->first = (flight->first + 1) % flight->room;
        flight->count--;
    }
    if (flight->count == 0) {
        flight_fini(flight);
    }
}

void
flight_fini(struct flight *flight)
{
    ln_free(flight->entries);
    *flight = (struct flight){0};
}
