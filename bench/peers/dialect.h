/* SPDX-License-Identifier: Apache-2.0 */
/* dialect.h - a messenger of others, as the client here needs it: how a user logs in, writes, and
 * says that something was received.
 *
 * Users have numbers and come in pairs: the one that `index` writes to is `index ^ 1`. A message
 * begins with its number; what follows is filling.
 */
#pragma once

#include "runtime/socket.h"

#include <stddef.h>
#include <stdint.h>

enum {
    DIALECT_NUMBER_BYTES = 16,    /* in hexadecimal */
    DIALECT_TEXT_BYTES_MAX = 512, /* two of them in a stack frame */
};

/* A user's connection, as far as its dialect has to know it. */
struct speaker {
    struct ln_socket *socket;
    uint32_t index;
    uint16_t packet; /* the dialect's: the last id of what was sent */
    uint8_t step;    /* the dialect's: of the login */
};

enum dialect_kind {
    DIALECT_NOTHING, /* of no interest */
    DIALECT_READY,   /* logged in; messages will be shown */
    DIALECT_MESSAGE, /* is shown */
    DIALECT_RECEIPT, /* the other one has received it */
};
struct dialect_event {
    enum dialect_kind kind;
    uint64_t number; /* of the message */
};

struct dialect {
    const char *name;
    /* Connected: sends the first words of the login. */
    void (*greet)(struct speaker *speaker);
    /* The first thing that these bytes tell, answered where the protocol asks for it: how many
     * bytes it took, 0 when it is not all there, or a negative errno. */
    int (*next)(struct speaker *speaker, const unsigned char *bytes, size_t count,
                struct dialect_event *out);
    /* Sends a text, which begins with the number. */
    void (*write)(struct speaker *speaker, uint64_t number, const char *text, size_t bytes);
    /* Tells the other one that its message was received. */
    void (*receipt)(struct speaker *speaker, uint64_t number);
};

extern const struct dialect dialect_mqtt, dialect_xmpp;

/* DIALECT_NUMBER_BYTES digits and a zero. */
void dialect_number_print(uint64_t number, char *out);
/* 0, or -EPROTO: these are not such digits. */
int dialect_number_read(const char *text, size_t bytes, uint64_t *out);
