/* SPDX-License-Identifier: Apache-2.0 */
/* Which addresses everybody can reach. */
#include "runtime/io/io.h"

#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

/* RFC 6890's table, and multicast: the first `bits` bits are these. */
struct prefix {
    unsigned char bytes[16];
    unsigned bits;
};

static const struct prefix private_ipv4[] = {
    {{0}, 8},
    {{10}, 8},
    {{100, 64}, 10},
    {{127}, 8},
    {{169, 254}, 16},
    {{172, 16}, 12},
    {{192, 0, 0}, 24},
    {{192, 0, 2}, 24},
    {{192, 88, 99}, 24},
    {{192, 168}, 16},
    {{198, 18}, 15},
    {{198, 51, 100}, 24},
    {{203, 0, 113}, 24},
    {{224}, 4},
    {{240}, 4},
};

/* Only 2000::/3 is given to anybody, and of that not these. */
static const struct prefix public_ipv6 = {{0x20}, 3};
static const struct prefix private_ipv6[] = {
    {{0x20, 0x01, 0x00}, 23}, {{0x20, 0x01, 0x0d, 0xb8}, 32}, {{0x3f, 0xff}, 20}};

/* An IPv4 address stands within these, behind the prefix. */
static const struct prefix mapped[] = {
    {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff}, 96}, /* ::ffff:0:0/96 */
    {{0x00, 0x64, 0xff, 0x9b}, 96},                   /* NAT64 */
    {{0x20, 0x02}, 16},                               /* 6to4 */
};

static bool
has_prefix(const unsigned char *bytes, const struct prefix *prefix)
{
    unsigned whole = prefix->bits / 8;
    unsigned rest = prefix->bits % 8;
    unsigned char mask = (unsigned char)(0xff00u >> rest);
    return memcmp(bytes, prefix->bytes, whole) == 0 &&
           (rest == 0 || ((bytes[whole] ^ prefix->bytes[whole]) & mask) == 0);
}

static bool
has_any(const unsigned char *bytes, const struct prefix *prefixes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (has_prefix(bytes, &prefixes[i])) {
            return true;
        }
    }
    return false;
}

static bool
ipv4_is_public(const unsigned char bytes[4])
{
    return !has_any(bytes, private_ipv4, sizeof private_ipv4 / sizeof private_ipv4[0]);
}

static bool
ipv6_is_public(const unsigned char bytes[16])
{
    for (size_t i = 0; i < sizeof mapped / sizeof mapped[0]; i++) {
        if (has_prefix(bytes, &mapped[i])) {
            return ipv4_is_public(bytes + mapped[i].bits / 8);
        }
    }
    return has_prefix(bytes, &public_ipv6) &&
           !has_any(bytes, private_ipv6, sizeof private_ipv6 / sizeof private_ipv6[0]);
}

bool
io_address_is_public(const struct io_address *address)
{
    struct sockaddr_in in;
    struct sockaddr_in6 in6;
    sa_family_t family = AF_UNSPEC;
    if (address->bytes >= sizeof(family)) {
        memcpy(&family, address->raw, sizeof(family));
    }
    if (family == AF_INET && address->bytes >= sizeof(in)) {
        memcpy(&in, address->raw, sizeof(in));
        return ipv4_is_public((const unsigned char *)&in.sin_addr);
    }
    if (family == AF_INET6 && address->bytes >= sizeof(in6)) {
        memcpy(&in6, address->raw, sizeof(in6));
        return ipv6_is_public(in6.sin6_addr.s6_addr);
    }
    return false;
}
