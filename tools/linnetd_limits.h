/* SPDX-License-Identifier: Apache-2.0 */
/* linnetd_limits.h - how many descriptors the process may have: one for each connection. */
#pragma once

#include <stdint.h>

/* Raises the soft limit to the hard one, and returns how many connections fit into it beside all
 * else that a node has open. */
uint64_t linnetd_connections_possible(void);
