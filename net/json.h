/* SPDX-License-Identifier: Apache-2.0 */
/* json.h - frames in proto3's JSON mapping, driven by the schema's descriptors: no message is
 * written twice.
 *
 * Reading takes what the mapping allows (lowerCamelCase or original names, 64-bit numbers as
 * strings or numbers, either base64, enums by name or number, null for absent) and is strict about
 * all else: unknown and duplicate keys, lone surrogates, UTF-8, numbers that no integer holds.
 * Writing is the mapping's own form, without blanks: 64-bit numbers as strings, fields at their
 * default left out.
 */
#pragma once
#include "net/schema.h"
#include "runtime/check.h"

/* Decodes into the input's arena. -EPROTO or -ENOMEM, with *out_error saying why; number and ref
 * are set either way when a client's frame had them before the mistake. */
int json_decode(const struct schema_input *input, ProtobufCMessage **out_message,
                struct protocol_error *out_error) MUST_CHECK;

/* Writes as much as fits of the message and returns how long all of it is. */
size_t json_encode(const ProtobufCMessage *message, void *out, size_t out_bytes_max);
