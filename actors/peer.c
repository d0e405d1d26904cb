/* SPDX-License-Identifier: Apache-2.0 */
#include "actors/peer.h"

#include <stdio.h>
#include <string.h>

enum {
    MAPPED_BYTES = 12, /* ::ffff:0:0/96 */
    LOOPBACK = 127,
    SITE_BYTES = 6,
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
spread(uint64_t bits)
{
    uint64_t product = bits * UINT64_C(0xbf58476d1ce4e5b9);
    uint32_t key = (uint32_t)(product >> 32 ^ product);
    return key != 0 ? key : 1;
}

static struct peer_keys
keys_of(const unsigned char host[IO_HOST_BYTES])
{
    uint64_t halves[2];
    uint64_t site = 0;
    memcpy(halves, host, sizeof halves);
    memcpy(&site, host, SITE_BYTES);
    if (is_ipv4(host)) {
        return (struct peer_keys){.address = spread(halves[1])};
    }
    return (struct peer_keys){.address = spread(halves[0]), .site = spread(site)};
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

struct peer_keys
peer_keys(const struct io_address *address, const struct http_head *head)
{
    unsigned char host[IO_HOST_BYTES];
    if (io_address_host(address, host) && !is_local(host)) {
        return keys_of(host);
    }
    return forwarded_for(head, host) && !is_local(host) ? keys_of(host) : (struct peer_keys){0};
}
