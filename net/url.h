/* SPDX-License-Identifier: Apache-2.0 */
/* url.h - where a request goes: "https://push.example.net:8443/send/abc?d=1" in its parts.
 *
 *     struct url url;
 *     error = url_parse(text, strlen(text), &url);
 *
 * As strict as what is asked for with it has to be: http or https, a host, perhaps a port, a path.
 * No user, no fragment, nothing that a request line can't hold as it stands. Names of hosts are
 * letters, digits, dots and hyphens; an IPv6 address stands in brackets.
 *
 * Nothing is copied: the pieces point into the text, which is borrowed. Plain functions; any
 * thread. RFC 3986.
 */
#pragma once

#include "net/http_head.h"

enum {
    URL_BYTES_MAX = 1024,
    URL_HOST_BYTES_MAX = 253, /* RFC 1035's 255 as text */
    /* "https://", a host in brackets, a port, and the terminating zero. */
    URL_ORIGIN_BYTES = 8 + URL_HOST_BYTES_MAX + 2 + 6 + 1,
};

struct url {
    bool tls; /* https */
    uint16_t port;
    struct http_text host;      /* without brackets */
    struct http_text authority; /* as a Host field has it: with brackets, and the port if given */
    struct http_text target;    /* path and query; "/" where there is none */
};

/* 0; -EINVAL: it is none of these; -EMSGSIZE: beyond URL_BYTES_MAX. *out is untouched then. */
MUST_CHECK int url_parse(const char *text, size_t count, struct url *out);

/* Whether the host is a numeric address, rather than a name. */
bool url_host_is_address(const struct url *url);

/* Scheme, host and port, unless that is the scheme's own, in lower case and terminated: what tells
 * servers apart (RFC 6454, 6.2). */
void url_origin(const struct url *url, char out[URL_ORIGIN_BYTES]);
