/* SPDX-License-Identifier: Apache-2.0 */
/* base64.h - bytes as text (RFC 4648).
 *
 * Encoding writes the standard alphabet with padding, or the URL-safe one without. Decoding takes
 * the standard and the URL-safe alphabet, padded or not, and nothing else: no blanks, no bits left
 * over. Pure functions.
 */
#pragma once
#include <stddef.h>

#include "runtime/check.h"

/* The length of the text for so many bytes; not terminated. */
static inline size_t
base64_encoded_bytes(size_t count)
{
    return (count + 2) / 3 * 4;
}

/* The same in the URL-safe alphabet, which is not padded here. */
static inline size_t
base64url_encoded_bytes(size_t count)
{
    return (count * 4 + 2) / 3;
}

/* An upper bound of what a text of this length decodes to. */
static inline size_t
base64_decoded_bytes_max(size_t text_bytes)
{
    return text_bytes / 4 * 3 + 3;
}

/* Writes base64_encoded_bytes(count) characters to `out`. */
void base64_encode(const void *bytes, size_t count, char *out);

/* Writes base64url_encoded_bytes(count) characters to `out`. */
void base64url_encode(const void *bytes, size_t count, char *out);

/* -EINVAL if the text is not base64. `out` has room for base64_decoded_bytes_max(text_bytes). */
int base64_decode(const char *text, size_t text_bytes, void *out, size_t *out_bytes) MUST_CHECK;
