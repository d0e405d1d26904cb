/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_codec.h - what holds for every frame that was let through: both forms write it, both forms
 * read that again, and what they write then is the same, byte by byte. Otherwise one client could
 * send what another can't read. In protobuf's form it is what protobuf-c writes. */
#pragma once
#include <stdlib.h>
#include <string.h>

#include "net/protocol.h"
#include "runtime/check.h"

enum {
    FUZZ_FRAME_BYTES_MAX = 1 << 20,
};

enum fuzz_side { FUZZ_CLIENT, FUZZ_SERVER };

static const struct protocol_limits fuzz_limits = {.message_bytes_max = FUZZ_FRAME_BYTES_MAX,
                                                   .attachments_max = 1000};

/* NULL if it is refused, and then the refusal is a proper one. */
static ProtobufCMessage *
fuzz_read(enum fuzz_side side, const struct protocol_decoder *decoder, const void *bytes,
          size_t count)
{
    struct protocol_error error;
    memset(&error, 0xA5, sizeof(error));
    Linnet__V1__ClientFrame *client = NULL;
    Linnet__V1__ServerFrame *server = NULL;
    int rc = side == FUZZ_CLIENT ? protocol_decode_client(decoder, bytes, count, &client, &error)
                                 : protocol_decode_server(decoder, bytes, count, &server, &error);
    if (rc < 0) {
        ASSERT(error.code != 0 && error.text[0] != '\0');
        ASSERT(memchr(error.text, 0, sizeof(error.text)) != NULL);
        ASSERT(error.number <= PROTOCOL_NUMBER_MAX && error.ref <= PROTOCOL_NUMBER_MAX);
        return NULL;
    }
    return side == FUZZ_CLIENT ? &client->base : &server->base;
}

static char *
fuzz_write(enum protocol_form form, const ProtobufCMessage *message, size_t *out_bytes)
{
    size_t bytes = protocol_encoded_bytes(form, message);
    char *text = malloc(bytes + 1);
    ASSERT(text != NULL);
    ASSERT(protocol_encode(form, message, text, bytes, out_bytes) == 0 && *out_bytes == bytes);
    if (form == PROTOCOL_BINARY) {
        char *theirs = malloc(bytes + 1);
        ASSERT(theirs != NULL && protobuf_c_message_pack(message, (uint8_t *)theirs) == bytes);
        ASSERT(memcmp(theirs, text, bytes) == 0);
        free(theirs);
    }
    return text;
}

/* Writes the frame in a form, reads that, writes it again. */
static void
fuzz_same_again(enum fuzz_side side, enum protocol_form form, const ProtobufCMessage *message)
{
    struct arena arena;
    arena_init(&arena, NULL, 0, 64 << 20);
    struct protocol_decoder decoder = {.form = form, .limits = &fuzz_limits, .arena = &arena};
    size_t bytes;
    char *text = fuzz_write(form, message, &bytes);
    if (bytes > 0) {
        const ProtobufCMessage *again = fuzz_read(side, &decoder, text, bytes);
        ASSERT(again != NULL);
        size_t again_bytes;
        char *again_text = fuzz_write(form, again, &again_bytes);
        ASSERT(again_bytes == bytes && memcmp(again_text, text, bytes) == 0);
        free(again_text);
    }
    free(text);
    arena_fini(&arena);
}

static void
fuzz_codec(enum protocol_form form, const uint8_t *bytes, size_t count)
{
    for (int side = FUZZ_CLIENT; side <= FUZZ_SERVER; side++) {
        struct arena arena;
        arena_init(&arena, NULL, 0, count % 2 == 0 ? 64 << 20 : 4096);
        struct protocol_decoder decoder = {.form = form, .limits = &fuzz_limits, .arena = &arena};
        const ProtobufCMessage *message = fuzz_read((enum fuzz_side)side, &decoder, bytes, count);
        if (message != NULL) {
            fuzz_same_again((enum fuzz_side)side, PROTOCOL_BINARY, message);
            fuzz_same_again((enum fuzz_side)side, PROTOCOL_JSON, message);
        }
        arena_fini(&arena);
    }
}
