/* SPDX-License-Identifier: Apache-2.0 */
/* Addresses as text. An address is kept as the kernel's own sockaddr with its length, so that the
 * drivers pass it on as it is. Parsing is strict: what it takes, io_address_print gives back (IPv6
 * in its shortest form). Names are not looked up: that blocks. */
#include "runtime/io/io.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

static const char unix_prefix[] = "unix:";

enum {
    PORT_MAX = 65535,
    HOST_TEXT_MAX = INET6_ADDRSTRLEN,
    UNIX_PATH_OFFSET = offsetof(struct sockaddr_un, sun_path),
    UNIX_PATH_MAX = sizeof(struct sockaddr_un) - UNIX_PATH_OFFSET - 1,
};

static_assert(sizeof(struct sockaddr_un) <= sizeof(((struct io_address *)0)->raw),
              "the largest address we speak fits");
static_assert(sizeof(unix_prefix) + UNIX_PATH_MAX <= IO_ADDRESS_TEXT_MAX, "and so does its text");

static int
parse_port(const char *text, in_port_t *out)
{
    unsigned port = 0;
    if (*text == '\0' || (*text == '0' && text[1] != '\0')) {
        return -EINVAL;
    }
    for (; *text != '\0'; text++) {
        if (*text < '0' || *text > '9') {
            return -EINVAL;
        }
        port = port * 10 + (unsigned)(*text - '0');
        if (port > PORT_MAX) {
            return -EINVAL;
        }
    }
    *out = htons((uint16_t)port);
    return 0;
}

static int
parse_unix(const char *path, struct io_address *out)
{
    struct sockaddr_un un = {.sun_family = AF_UNIX};
    size_t length = strlen(path);
    if (length == 0 || length > UNIX_PATH_MAX) {
        return -EINVAL;
    }
    memcpy(un.sun_path, path, length);
    *out = (struct io_address){.bytes = (uint32_t)(UNIX_PATH_OFFSET + length + 1)};
    memcpy(out->raw, &un, sizeof(un));
    return 0;
}

/* Copies [from, to) as text of a host; false when it cannot be one. */
static bool
host_copy(const char *from, const char *to, char out[HOST_TEXT_MAX])
{
    size_t length = (size_t)(to - from);
    if (length == 0 || length >= HOST_TEXT_MAX) {
        return false;
    }
    memcpy(out, from, length);
    out[length] = '\0';
    return true;
}

static int
parse_ipv6(const char *text, struct io_address *out)
{
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};
    char host[HOST_TEXT_MAX];
    const char *end = strchr(text, ']');
    if (end == NULL || end[1] != ':' || !host_copy(text + 1, end, host)) {
        return -EINVAL;
    }
    if (inet_pton(AF_INET6, host, &in6.sin6_addr) != 1 || parse_port(end + 2, &in6.sin6_port) < 0) {
        return -EINVAL;
    }
    *out = (struct io_address){.bytes = sizeof(in6)};
    memcpy(out->raw, &in6, sizeof(in6));
    return 0;
}

static int
parse_ipv4(const char *text, struct io_address *out)
{
    struct sockaddr_in in = {.sin_family = AF_INET};
    char host[HOST_TEXT_MAX];
    const char *end = strchr(text, ':');
    if (end == NULL || !host_copy(text, end, host)) {
        return -EINVAL;
    }
    if (inet_pton(AF_INET, host, &in.sin_addr) != 1 || parse_port(end + 1, &in.sin_port) < 0) {
        return -EINVAL;
    }
    *out = (struct io_address){.bytes = sizeof(in)};
    memcpy(out->raw, &in, sizeof(in));
    return 0;
}

int
io_address_parse(const char *text, struct io_address *out)
{
    if (strncmp(text, unix_prefix, sizeof(unix_prefix) - 1) == 0) {
        return parse_unix(text + sizeof(unix_prefix) - 1, out);
    }
    return text[0] == '[' ? parse_ipv6(text, out) : parse_ipv4(text, out);
}

static void
print_unix(const struct io_address *address, char out[IO_ADDRESS_TEXT_MAX])
{
    struct sockaddr_un un;
    memcpy(&un, address->raw, sizeof(un));
    size_t path_bytes = 0;
    if (address->bytes > UNIX_PATH_OFFSET) {
        path_bytes = address->bytes - UNIX_PATH_OFFSET;
    }
    if (path_bytes > UNIX_PATH_MAX) {
        path_bytes = UNIX_PATH_MAX;
    }
    /* A peer that never bound its end has no path at all. */
    (void)snprintf(out, IO_ADDRESS_TEXT_MAX, "%s%.*s", unix_prefix, (int)path_bytes, un.sun_path);
}

void
io_address_print(const struct io_address *address, char out[IO_ADDRESS_TEXT_MAX])
{
    char host[HOST_TEXT_MAX];
    struct sockaddr_in in;
    struct sockaddr_in6 in6;
    sa_family_t family = AF_UNSPEC;
    if (address->bytes >= sizeof(family)) {
        memcpy(&family, address->raw, sizeof(family));
    }
    if (family == AF_UNIX) {
        print_unix(address, out);
        return;
    }
    if (family == AF_INET && address->bytes >= sizeof(in)) {
        memcpy(&in, address->raw, sizeof(in));
        if (inet_ntop(AF_INET, &in.sin_addr, host, sizeof(host)) != NULL) {
            (void)snprintf(out, IO_ADDRESS_TEXT_MAX, "%s:%u", host, ntohs(in.sin_port));
            return;
        }
    }
    if (family == AF_INET6 && address->bytes >= sizeof(in6)) {
        memcpy(&in6, address->raw, sizeof(in6));
        if (inet_ntop(AF_INET6, &in6.sin6_addr, host, sizeof(host)) != NULL) {
            (void)snprintf(out, IO_ADDRESS_TEXT_MAX, "[%s]:%u", host, ntohs(in6.sin6_port));
            return;
        }
    }
    (void)snprintf(out, IO_ADDRESS_TEXT_MAX, "unknown");
}

bool
io_address_host(const struct io_address *address, unsigned char out[IO_HOST_BYTES])
{
    static const unsigned char mapped[12] = {[10] = 0xff, [11] = 0xff};
    struct sockaddr_in in;
    struct sockaddr_in6 in6;
    sa_family_t family = AF_UNSPEC;
    if (address->bytes >= sizeof(family)) {
        memcpy(&family, address->raw, sizeof(family));
    }
    if (family == AF_INET && address->bytes >= sizeof(in)) {
        memcpy(&in, address->raw, sizeof(in));
        memcpy(out, mapped, sizeof(mapped));
        memcpy(out + sizeof(mapped), &in.sin_addr, sizeof(in.sin_addr));
        return true;
    }
    if (family == AF_INET6 && address->bytes >= sizeof(in6)) {
        memcpy(&in6, address->raw, sizeof(in6));
        memcpy(out, &in6.sin6_addr, sizeof(in6.sin6_addr));
        return true;
    }
    return false;
}
