/* SPDX-License-Identifier: Apache-2.0 */
/* share.h - how a run is divided among processes, and over addresses.
 *
 * A process may have only so many descriptors, and two addresses only so many connections between
 * them. So a large crowd is played by several processes, each with its share of the actors and
 * their users, and its connections go to several addresses of the node in turn.
 *
 * Pure functions; any thread.
 */
#pragma once

#include "runtime/io/io.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    SHARE_PROCESSES_MAX = 256,
    SHARE_ADDRESSES_MAX = 4096,
    /* A source address has 28,232 ports towards each destination by default, and finding a free one
     * takes longer the fewer there are. */
    SHARE_ADDRESS_CONNECTIONS = 13500,
    /* Beside its connections: standard streams, rings, timers, doorbells, worker threads' files,
     * the operator's socket, the link to the conductor. */
    SHARE_DESCRIPTORS_KEPT = 100,
    /* More processes than descriptors ask for make sense where cores are free, and each has enough
     * to do. */
    SHARE_CROWDED = 5000,
};

/* Of one process: a range of all actors, and of all users, counted from 0. */
struct share {
    uint32_t process, processes;
    uint32_t actors_first, actors;
    uint32_t users_first, users;
};

/* What is divided: so many users, of whom each actor plays so many; the last one may have fewer. */
struct share_whole {
    uint32_t users, users_each;
    uint32_t absent_each; /* of these, the last: they never connect */
};
uint32_t share_actors(const struct share_whole *whole);
/* How many of the users connect, and how many of them come before this one, who does. */
uint32_t share_connections(const struct share_whole *whole);
uint32_t share_connection(const struct share_whole *whole, uint32_t user);

/* The share of a process; together they are the whole, none overlaps, and no two differ by more
 * than one actor. `process` is below `processes`, of which there are no more than actors. */
struct share share_of(const struct share_whole *whole, uint32_t process, uint32_t processes);
/* Of a number of something that is spread over the same processes, how many fall to one. */
uint32_t share_count(uint32_t count, uint32_t process, uint32_t processes);

/* How many processes it takes, or, where cores are free, is best spread over. 0: more than
 * SHARE_PROCESSES_MAX. */
uint32_t share_processes(const struct share_whole *whole, uint64_t descriptors, unsigned cores);

/* How many addresses so many connections should be spread over, if the node's is a loopback one;
 * every other node has one, unless told. */
uint32_t share_addresses(const struct io_address *address, uint32_t connections);
/* The address `index` behind `address`: 127.0.0.1:4222 -> 127.0.0.3:4222. 0, or -EINVAL: there is
 * none, or it is no internet address. */
int share_address(const struct io_address *address, uint32_t index, struct io_address *out);
