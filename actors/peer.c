/* SPDX-License-Identifier: Apache-2.0 */
#include "actors/peer.h"

#include <stdio.h>
#include <string.h>

enum {
    MAPPED_BYTES = 12, /* ::ffff:0:0/96 */
    LOOPBACK = 127,
};

static bool
is_ipv4(const unsigned char host[IO_HOST_BYTES])
{
    static const unsigned char mapped[MAPPED_BYTES] = {[10] = 0xff, [11] = 0xff};
    return memcmp(host, mapped, MAPPED_BYTES) == 0;
}

static bool
is_local(const unsigned char host[IO_HOST_BYTES])
{
    static const unsigned char loopback[IO_HOST_BYTES] = {[15] = 1};
    return is_ipv4(host) ? host[MAPPED_BYTES] == LOOPBACK
                         : memcmp(host, loopback, IO_HOST_BYTES) == 0;
}

static uint32_t
key_of(const unsigned char host[IO_HOST_BYTES])
{
    uint64_t halves[2];
    memcpy(halves, host, sizeof halves);
    uint64_t spread = (is_ipv4(host) ? halves[1] : halves[0]) * UINT64_C(0xbf58476d1ce4e5b9);
    uint32_t key = (uint32_t)(spread >> 32 ^ spread);
    return key != 0 ? key : 1;
}

/* What stands in the field: an address without a port. */
static bool
host_parse(struct http_text text, unsigned char out[IO_HOST_BYTES])
{
    char with_port[IO_ADDRESS_TEXT_MAX];
    struct io_address address;
    bool ipv6 = memchr(text.bytes, ':', text.count) != NULL;
    int bytes = snprintf(with_port, sizeof with_port, "%s%.*s%s:0", ipv6 ? "[" : "",
                         (int)text.count, text.bytes, ipv6 ? "]" : "");
    return bytes > 0 && (size_t)bytes < sizeof with_port &&
           io_address_parse(with_port, &address) == 0 && io_address_host(&address, out);
}

/* The last element: the others came from further away, and anybody can write them. */
static bool
forwarded_for(const struct http_head *head, unsigned char out[IO_HOST_BYTES])
{
    struct http_list list = {.head = head, .name = "x-forwarded-for"};
    struct http_text element;
    bool found = false;
    while (http_list_next(&list, &element)) {
        found = host_parse(element, out);
    }
    return found;
}

uint32_t
peer_key(const struct io_address *address, const struct http_head *head)
{
    unsigned char host[IO_HOST_BYTES];
    if (io_address_host(address, host) && !is_local(host)) {
        return key_of(host);
    }
    return forwarded_for(head, host) && !is_local(host) ? key_of(host) : 0;
}
