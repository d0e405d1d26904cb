/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/share.h"

#include "runtime/check.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stddef.h>
#include <string.h>

uint32_t
share_actors(const struct share_whole *whole)
{
    ASSERT(whole->users_each > 0);
    return (uint32_t)(((uint64_t)whole->users + whole->users_each - 1) / whole->users_each);
}

static uint32_t
present_each(const struct share_whole *whole)
{
    ASSERT(whole->absent_each < whole->users_each);
    return whole->users_each - whole->absent_each;
}

uint32_t
share_connections(const struct share_whole *whole)
{
    uint64_t most = (uint64_t)share_actors(whole) * present_each(whole);
    return most < whole->users ? (uint32_t)most : whole->users;
}

uint32_t
share_connection(const struct share_whole *whole, uint32_t user)
{
    ASSERT(user % whole->users_each < present_each(whole));
    return user / whole->users_each * present_each(whole) + user % whole->users_each;
}

/* Where the share of a process begins: the last one's ends with the whole. */
static uint32_t
first_of(uint32_t count, uint32_t process, uint32_t processes)
{
    return (uint32_t)((uint64_t)count * process / processes);
}

uint32_t
share_count(uint32_t count, uint32_t process, uint32_t processes)
{
    return first_of(count, process + 1, processes) - first_of(count, process, processes);
}

struct share
share_of(const struct share_whole *whole, uint32_t process, uint32_t processes)
{
    ASSERT(process < processes);
    uint32_t actors = share_actors(whole);
    struct share share = {.process = process, .processes = processes};
    share.actors_first = first_of(actors, process, processes);
    share.actors = share_count(actors, process, processes);
    uint64_t users_first = (uint64_t)share.actors_first * whole->users_each;
    uint64_t users_end = users_first + (uint64_t)share.actors * whole->users_each;
    users_end = users_end < whole->users ? users_end : whole->users;
    share.users_first = (uint32_t)users_first;
    share.users = (uint32_t)(users_end - users_first);
    return share;
}

uint32_t
share_processes(const struct share_whole *whole, uint64_t descriptors, unsigned cores)
{
    uint64_t room = descriptors > SHARE_DESCRIPTORS_KEPT ? descriptors - SHARE_DESCRIPTORS_KEPT : 0;
    /* Whole actors only. */
    uint64_t actors_each = room / present_each(whole);
    uint64_t actors = share_actors(whole);
    if (actors_each == 0) {
        return 0;
    }
    uint64_t needed = (actors + actors_each - 1) / actors_each;
    uint64_t busy = whole->users / SHARE_CROWDED;
    uint64_t spare = busy < cores / 2 ? busy : cores / 2; /* the other half is the node's */
    spare = spare < actors ? spare : actors;
    uint64_t processes = needed > spare ? needed : spare;
    processes = processes > 0 ? processes : 1;
    return processes <= SHARE_PROCESSES_MAX ? (uint32_t)processes : 0;
}

/* ------------------------------------------------------------------------------------ addresses */

static sa_family_t
family_of(const struct io_address *address)
{
    struct sockaddr base;
    memcpy(&base, address->raw, sizeof base);
    return base.sa_family;
}

uint32_t
share_addresses(const struct io_address *address, uint32_t connections)
{
    enum { LOOPBACK = 127, LOOPBACK_SHIFT = 24 };
    struct sockaddr_in internet;
    memcpy(&internet, address->raw, sizeof internet);
    if (family_of(address) != AF_INET ||
        ntohl(internet.sin_addr.s_addr) >> LOOPBACK_SHIFT != LOOPBACK) {
        return 1;
    }
    uint32_t addresses =
        connections / SHARE_ADDRESS_CONNECTIONS + (connections % SHARE_ADDRESS_CONNECTIONS != 0);
    return addresses > 0 ? addresses : 1;
}

/* Adds to the last four bytes. */
static int
bytes_add(unsigned char *last_four, uint32_t index)
{
    uint32_t number;
    memcpy(&number, last_four, sizeof number);
    number = ntohl(number);
    if (number > UINT32_MAX - index) {
        return -EINVAL;
    }
    number = htonl(number + index);
    memcpy(last_four, &number, sizeof number);
    return 0;
}

int
share_address(const struct io_address *address, uint32_t index, struct io_address *out)
{
    struct io_address moved = *address;
    int error = 0;
    switch (family_of(address)) {
    case AF_INET:
        error = bytes_add(moved.raw + offsetof(struct sockaddr_in, sin_addr), index);
        break;
    case AF_INET6:
        error = bytes_add(moved.raw + offsetof(struct sockaddr_in6, sin6_addr) + 12, index);
        break;
    default:
        error = index == 0 ? 0 : -EINVAL;
        break;
    }
    if (error == 0) {
        *out = moved;
    }
    return error;
}
