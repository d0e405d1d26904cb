/* SPDX-License-Identifier: Apache-2.0 */
/* ask.h - a request as its partition keeps it: until everything it needs is known, and then until
 * it is applied.
 *
 *     waiting in the partition ---- all known ----> answered (a read, a refusal)
 *        ^    |                                \--> in the journal's batch --> applied --> answered
 *        |    v                                                           \
 *     a reader fetches                                          awaiting a stream --> answered
 *
 * Asks outlive the partition's actor, so they hold copies, not messages. The partition's own
 * commands (what comes from other partitions' streams) are asks that nobody waits for.
 *
 * On the partition's scheduler.
 */
#pragma once

#include "runtime/linnet.h"
#include "store/fetch.h"
#include "store/group.h"
#include "store/history.h"
#include "store/record_inbox.h"
#include "store/request.h"

struct partition;
struct result;

/* Tags between the store's actors. */
enum ask_tag {
    /* struct ask_stream, buffer: payloads, each after its length */
    ASK_STREAM = STORE_TAG_INTERNAL,
    ASK_STREAM_ACK,   /* struct ask_stream_ack */
    ASK_STARTED,      /* struct ask_started: what was sent to it may be lost */
    ASK_PUMP,         /* nothing: what stalled may go on */
    ASK_WATCH,        /* nothing: records are under way; the partition sets itself a timer */
    ASK_TICK,         /* nothing: the timer; what got no acknowledgement is sent again */
    ASK_GROUP_REPORT, /* struct store_group_id: its members' cursors are due */
    ASK_GROUP_TELL,   /* struct store_group_id: its senders are due */
    ASK_GROUP_WATCH,  /* nothing: something of groups is due; the partition sets itself a timer */
    ASK_GROUP_TICK,   /* nothing: the timer */
    ASK_FAN_WATCH,    /* nothing: a round of groups' messages is to begin later; as above */
    ASK_FAN,          /* nothing: it is time */
    ASK_HISTORY_LOOK, /* nothing: some of the histories are looked through */
    ASK_HISTORY_TICK, /* nothing: the timer */
    ASK_FETCH,        /* to a reader: fetch.h */
    ASK_KICK,         /* to a journal: there is something to write, or to look after */
    ASK_LINGERED,     /* to a journal, its timer: what is not urgent has waited long enough */
    ASK_FOLD,         /* to a folder: a cell is frozen */
    ASK_SEGMENT,      /* to a keeper: look after the log's segments */
    ASK_STEPS,        /* to a step writer: there is something to write; a request: all of it */
    ASK_END,          /* to whoever is ending: its end answers (post.h) */
    ASK_EXPIRY,       /* nothing: something is due earlier than the partition knew */
    ASK_ALARM,        /* nothing: the timer; something is due, or may be */
    ASK_SWEEP,        /* struct ask_sweep, the partition's own: what was due then is removed */
    ASK_ROUND,        /* nothing: a page of what may be due by its age (partition_round.c) */
    ASK_UNSEEN,       /* in a partition: struct command_device_unseen */
    ASK_EXPIRE,       /* in a partition: store_user_id */
    ASK_CALL_RELAY,   /* store_call_told, buffer: from the other one's partition */
    ASK_CALL_CHECK,   /* in a partition: struct ask_call_check */
};

struct ask_stream {
    uint64_t first; /* number of the first */
    uint32_t count; /* in an ask: of those that make one command */
    uint8_t source;
};
struct ask_stream_ack {
    uint64_t number;
    uint8_t destination;
};

struct ask_started {
    uint8_t partition;
};

struct ask_sweep {
    uint64_t now_ms;
};

struct ask_call_check {
    uint64_t user;
    struct store_call_id id;
    bool present;
};

/* A range that the ask needs from LMDB, and what a reader found there. */
struct ask_range {
    bool wanted;
    bool read;
    uint32_t index; /* in the fetch */
    struct page_rows rows;
    struct ln_buffer *buffer; /* holds the rows */
};

enum {
    ASK_RANGES = 2,
    ASK_DATA_BYTES = sizeof(struct store_user_create),
};

struct ask {
    struct ask *next;
    struct partition *partition;
    uint32_t tag;
    bool answered; /* nobody waits (any more) */
    bool ticketed;
    bool logged; /* false: it only takes its turn among the applies */
    uint64_t ticket;
    struct ln_caller caller;
    ln_pid taker;              /* the partition's actor then: when that ends its callers are told */
    uint64_t after;            /* a list: how far it has got through rows that showed nothing */
    struct record_place place; /* a long acknowledgement: how far it has been logged */
    uint64_t stream_number;    /* awaiting */
    uint8_t stream_to;
    struct ask_range ranges[ASK_RANGES];
    struct ln_buffer *buffer;   /* the request's */
    struct store_value records; /* ASK_STREAM: in the buffer, as payload_next reads them */
    _Alignas(8) unsigned char data[ASK_DATA_BYTES];
};

/* What was asked, as the struct that request.h names beside the tag. */
#define ASK_DATA(type, ask) ((const struct type *)(const void *)(ask)->data)

/* For a request (LN_MSG_REQUEST: somebody waits), with its data and buffer; its buffer is taken out
 * of the message. */
struct ask *ask_of_message(struct partition *partition, struct ln_msg *msg);
/* The partition's own. */
struct ask *ask_new(struct partition *partition, uint32_t tag, const void *data, size_t bytes);
/* Leaves its ticket, lets its buffers go. */
void ask_free(struct ask *ask);

/* Between the two the delta keeps what it knows for this ask. Again: no effect. */
void ask_enter(struct ask *ask);
/* Likewise for what was read under that ticket, which somebody still holds. */
void ask_enter_with(struct ask *ask, uint64_t ticket);
void ask_leave(struct ask *ask);

/* A buffer to fill as the answer, or NULL with data alone; once. */
void ask_answer(struct ask *ask, const void *data, size_t bytes, struct ln_buffer *buffer);
/* error 0: an empty answer. */
void ask_answer_error(struct ask *ask, int error);

/* First in, first out. Embedded; first and count may be read. */
struct ask_queue {
    struct ask *first;
    struct ask **end;
    uint32_t count;
};
void ask_queue_init(struct ask_queue *queue);
void ask_queue_push(struct ask_queue *queue, struct ask *ask);
struct ask *ask_queue_pop(struct ask_queue *queue);
/* Makes it the first again. */
void ask_queue_put_back(struct ask_queue *queue, struct ask *ask);
/* All of them, in their order; the queue is empty then. */
struct ask *ask_queue_take(struct ask_queue *queue);
/* Moves all of them, in their order, to `to`, which is empty. */
void ask_queue_move(struct ask_queue *queue, struct ask_queue *to);
/* Frees them. */
void ask_queue_fini(struct ask_queue *queue);
