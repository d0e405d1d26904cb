/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/io/posix_host.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

/* The resolver's words for what went wrong. */
static int
error_of(int code)
{
    switch (code) {
    case EAI_NONAME:
    case EAI_NODATA:
    case EAI_ADDRFAMILY:
    case EAI_FAIL:
        return -ENOENT;
    case EAI_AGAIN:
        return -EAGAIN;
    case EAI_MEMORY:
        return -ENOMEM;
    case EAI_SYSTEM:
        return errno > 0 ? -errno : -EIO;
    default:
        return -EINVAL;
    }
}

int
posix_host_resolve(const char *host, uint16_t port, struct io_address out[IO_RESOLVE_MAX],
                   unsigned *out_count)
{
    /* In the order of RFC 6724, and only families that this machine has an address of. */
    struct addrinfo hints = {
        .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG};
    struct addrinfo *found = NULL;
    char service[8];
    unsigned count = 0;
    (void)snprintf(service, sizeof service, "%u", port);
    int code = getaddrinfo(host, service, &hints, &found);
    if (code != 0) {
        return error_of(code);
    }
    for (const struct addrinfo *at = found; at != NULL && count < IO_RESOLVE_MAX;
         at = at->ai_next) {
        if (at->ai_addrlen <= sizeof out[count].raw) {
            out[count] = (struct io_address){.bytes = at->ai_addrlen};
            memcpy(out[count].raw, at->ai_addr, at->ai_addrlen);
            count++;
        }
    }
    freeaddrinfo(found);
    if (count == 0) {
        return -ENOENT;
    }
    *out_count = count;
    return 0;
}
