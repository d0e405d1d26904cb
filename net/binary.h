/* SPDX-License-Identifier: Apache-2.0 */
/* binary.h - frames in protobuf's binary form.
 *
 * protobuf-c decodes and encodes. It is lenient where a messenger can't be: it takes strings that
 * are not UTF-8 or hold a U+0000 (and then cuts them), singular fields given twice, several members
 * of a oneof, numbers that don't fit their field. What one client gets past the node must not break
 * the library of another, so every frame is checked first.
 */
#pragma once
#include "net/schema.h"
#include "runtime/check.h"

/* Decodes into the input's arena. -EPROTO or -ENOMEM, with *out_error saying why; number and ref
 * are set either way when a client's frame had them before the mistake. */
int binary_decode(const struct schema_input *input, ProtobufCMessage **out_message,
                  struct protocol_error *out_error) MUST_CHECK;
