/* SPDX-License-Identifier: Apache-2.0 */
/* effects.h - what the world is to learn of a command that was applied, as plain values.
 *
 * apply only writes down what should be told; whoever called it tells it, after it has returned, so
 * that apply stays a function of its data. When commands are applied again at a start, nobody
 * listens and the effects are cleared.
 *
 *     effects_init(&effects);
 *     apply_command(ledger, &command, &effects, &result);
 *     for (i = 0; i < effects.count; i++) { ... effects.items[i] ... }
 *     ... effects_streams_next(&effects, ...) ...
 *     effects_clear(&effects);
 *
 * One per journal, used again and again; it keeps its memory. One thread.
 */
#pragma once

#include "runtime/check.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum effect_kind {
    /* A new entry `number` in the user's inbox; the one before it was `previous`. It may have made
     * way already for a later one of the same command: then it is not there. */
    EFFECT_PUSH,
    EFFECT_RESYNC,  /* the device lost its place */
    EFFECT_REVOKED, /* the device, or (0) the user, is gone */
    EFFECT_DEVICES, /* the user has `devices` devices now */
    EFFECT_DUE,     /* the device is to be woken, for entry `number`; `devices`: due.h */
    EFFECT_RULES,   /* who may see what of the user changed; `number`: for this one alone, 0: all */
    EFFECT_EXPIRY,  /* something is due at time `number` (expiry.h); `devices`: 1: somebody waits */
    EFFECT_EXPIRED, /* the message's time is over: entry `number` is gone */
    EFFECT_CALL,    /* something to count: `number` is an enum store_call_count */
    /* Is the user's device, which is in the call that is named as a message is, still there?
     * `devices`: 1 when it was not the last time. */
    EFFECT_CALL_LOOK,
};

struct effect {
    enum effect_kind kind;
    uint16_t device;
    uint16_t devices;
    uint64_t user;
    uint64_t number;
    uint64_t previous;
    /* EFFECT_PUSH and EFFECT_EXPIRED of a message: its id, and the first of the `devices` that it
     * waits for. */
    uint64_t sender; /* 0: it is no message */
    uint64_t sender_number;
    uint16_t sender_device;
    uint32_t holders; /* in effects.holders */
};

/* Embedded; items and count may be read. */
struct effects {
    struct effect *items;
    size_t count;
    size_t capacity;
    uint16_t *holders; /* devices for which the messages wait */
    uint32_t holders_count;
    uint32_t holders_capacity;
    uint64_t streams[4];    /* a bit per partition that has something new in its stream */
    uint64_t streams_bytes; /* so much */
    uint32_t fan_members;   /* the streams are a group's, of so many members (fan.h) */
    uint64_t fan_group;
    unsigned char *scratch;
    size_t scratch_bytes;
};

void effects_init(struct effects *effects);
void effects_fini(struct effects *effects);
void effects_clear(struct effects *effects);

void effects_add(struct effects *effects, const struct effect *effect);
/* The message of the effect waits for this device, too. All of an effect's before another's. */
void effects_hold(struct effects *effects, struct effect *effect, uint16_t device);

/* The stream to this partition has grown. */
void effects_stream(struct effects *effects, uint8_t destination);
/* Takes one of the partitions so marked; false when there is none left. */
bool effects_streams_next(struct effects *effects, uint8_t *out_destination);

/* Room for encoding one record; good until the next call. */
unsigned char *effects_scratch(struct effects *effects, size_t bytes);
