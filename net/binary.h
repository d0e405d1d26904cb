/* SPDX-License-Identifier: Apache-2.0 */
/* binary.h - frames in protobuf's binary form.
 *
 * Structs and descriptors are protobuf-c's, and what is read and written is what it would read and
 * write; but it is lenient where a messenger can't be: it takes strings that are not UTF-8 or hold
 * a U+0000 (and then cuts them), singular fields given twice, several members of a oneof, numbers
 * that don't fit their field. What one client gets past the node must not break the library of
 * another. And it walks along all fields of a message several times.
 */
#pragma once
#include "net/schema.h"
#include "runtime/check.h"

/* Decodes into the input's arena. -EPROTO or -ENOMEM, with *out_error saying why; number and ref
 * are set either way when a client's frame had them before the mistake. */
int binary_decode(const struct schema_input *input, ProtobufCMessage **out_message,
                  struct protocol_error *out_error) MUST_CHECK;

/* As protobuf-c would, with half of its instructions. Returns how many bytes that takes; where
 * these are more than out_bytes_max, what is in `out` means nothing. */
size_t binary_encode(const ProtobufCMessage *message, void *out, size_t out_bytes_max);
