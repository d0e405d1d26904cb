/* SPDX-License-Identifier: Apache-2.0 */
/* posix_host.h - names of hosts, as the system's resolver knows them. It reads /etc and asks
 * servers, so it blocks: for worker threads. */
#pragma once

#include "runtime/check.h"
#include "runtime/io/io.h"

/* As io_resolve. */
MUST_CHECK int posix_host_resolve(const char *host, uint16_t port,
                                  struct io_address out[IO_RESOLVE_MAX], unsigned *out_count);
