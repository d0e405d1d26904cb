/* SPDX-License-Identifier: Apache-2.0 */
/* peer.h - whom to count a connection to: the address at its other end, as a key.
 *
 * An IPv4 address, or an IPv6 network of 64 bits, which is what one customer has at least: some
 * have 256, or 65,536 of them, a site. Who comes from
 * the machine itself is a proxy, or the operator: what it says in X-Forwarded-For, the last
 * element, is whom it speaks for; without that it is nobody (0), who has no limits. What others say
 * of themselves there is not believed.
 *
 * Pure; any thread.
 */
#pragma once

#include "net/http_head.h"
#include "runtime/io/io.h"

struct peer_keys {
    uint32_t address; /* 0: nobody's */
    uint32_t site;    /* the IPv6 network of 48 bits that it is in; 0: none */
};

/* The keys of a connection from `address` with this request. */
struct peer_keys peer_keys(const struct io_address *address, const struct http_head *head);
