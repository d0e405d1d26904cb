/* SPDX-License-Identifier: Apache-2.0 */
/* peer.h - whom to count a connection to: the address at its other end, as a key.
 *
 * An IPv4 address, or an IPv6 network of 64 bits, which is what one customer has. Who comes from
 * the machine itself is a proxy, or the operator: what it says in X-Forwarded-For, the last
 * element, is whom it speaks for; without that it is nobody (0), who has no limits. What others say
 * of themselves there is not believed.
 *
 * Pure; any thread.
 */
#pragma once

#include "net/http_head.h"
#include "runtime/io/io.h"

/* The key of a connection from `address` with this request; 0: nobody's. */
uint32_t peer_key(const struct io_address *address, const struct http_head *head);
