/* SPDX-License-Identifier: Apache-2.0 */
/* http_date.h - an instant as HTTP writes it: "Sun, 06 Nov 1994 08:49:37 GMT" (RFC 9110, 5.6.7).
 *
 * Of the three forms only this one is read: it is the one that may be written, and has been since
 * 1997. Plain functions; any thread.
 */
#pragma once

#include "net/http_head.h"

/* Seconds since 1970. 0; -EINVAL, with *out untouched: it is not of this form, or before 1970. The
 * name of the day is not held against the date. */
int http_date_parse(struct http_text text, uint64_t *out);
