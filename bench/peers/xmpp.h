/* SPDX-License-Identifier: Apache-2.0 */
/* xmpp.h - an XMPP stream cut into its stanzas, by their tags alone.
 *
 *     used = xmpp_next(bytes, count, &stanza);
 *     if (used > 0 && xmpp_named(&stanza, "message")) { xmpp_behind(&stanza, "<body>"); ... }
 *
 * A stream is one XML document that stays open (RFC 6120, 4.2). It has no comments, no declarations
 * within and no entities but the predefined ones (11.1), so that tags and their quotes are all that
 * must be known to find where a stanza ends. No parser: what is inside is searched as text. Pure.
 */
#pragma once

#include "runtime/check.h"

#include <stdbool.h>
#include <stddef.h>

struct xmpp_stanza {
    const char *text; /* of the input: from its "<" to its last ">" */
    size_t bytes;
    bool opening; /* the stream's own tag, or the XML declaration before it */
};

/* The first stanza of these bytes: how many it has, with white space before it; 0 when it is not
 * all there; -EPROTO: an end tag without a beginning, as of the stream, or what is no tag. */
MUST_CHECK int xmpp_next(const char *bytes, size_t count, struct xmpp_stanza *out);

bool xmpp_named(const struct xmpp_stanza *stanza, const char *name);
/* What follows this text for the first time, or NULL. */
const char *xmpp_behind(const struct xmpp_stanza *stanza, const char *text);
