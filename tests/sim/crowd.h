/* SPDX-License-Identifier: Apache-2.0 */
/* crowd.h - people with several devices each, who talk one to one and in groups, come and go, and
 * the judge of what each device is shown.
 *
 *     crowd_open(&crowd, seed, guest);
 *     for (...) { crowd_step(&crowd); }
 *     crowd_rest(&crowd);                  everybody has everything, and all ticks are there
 *     crowd_close(&crowd);
 *
 * A device has one message under way at a time, and says it again under its number until it is
 * answered; so what all of those in a chat are shown of it (the device itself as well) is its
 * first, second, third ... message there, and nothing else. It stores what it is shown before it
 * acknowledges it, and passes over what it had before. What is broken fails the test, with the
 * device's name.
 *
 * In the same way it edits or deletes the last message that it wrote in a chat: all are shown its
 * changes there in their order, but for edits of what was deleted before they came. And it calls
 * (crowd_call.c): each call goes one way, and ends for all as it ended.
 */
#pragma once

#include "tests/sim/wire.h"

enum {
    CROWD_PEOPLE = 4,
    CROWD_DEVICES_EACH = 2,
    CROWD_DEVICES = CROWD_PEOPLE * CROWD_DEVICES_EACH,
    CROWD_GROUPS = 2,
    CROWD_CHATS = CROWD_PEOPLE * (CROWD_PEOPLE - 1) / 2 + CROWD_GROUPS,
    CROWD_COMMAND_BYTES = 512,
    CROWD_CHANGES_MAX = 4096,
    CROWD_CALLS_MAX = 1024,
};

struct crowd;

struct crowd_chat {
    unsigned members; /* a bit for each person */
    uint64_t group;   /* 0: one to one */
};

/* A device's last message in a chat, as it was answered. */
struct crowd_last {
    uint64_t chat_number, time_ms;
    char handle[64];
    bool deleted;
    bool finds; /* its handle finds it: it is not a repeated answer's */
};

/* What a device has done to one of its messages in a chat. */
struct crowd_change {
    unsigned place, chat; /* whose it is, where */
    uint64_t number;      /* of its command */
    uint64_t chat_number; /* of the message */
    uint32_t n;           /* which of the device's messages it is ... */
    uint32_t k;           /* ... and which of the device's changes this one, in this chat */
    bool deletes, finds;
    uint64_t answered_ms; /* 0: it was not yet */
};

/* A call that a device began. */
struct crowd_call {
    unsigned place, callee; /* a device, a person */
    uint64_t number;        /* of its command */
    bool accepted;
    uint64_t ended_ms; /* as the first who heard of it was told; 0: nobody was */
    char outcome[16];
    uint8_t told[CROWD_DEVICES]; /* how far each device has heard: enum call_step */
};

/* What is under way. */
enum crowd_deed { CROWD_WRITES, CROWD_CHANGES, CROWD_OFFERS };

/* What a device knows of a chat. */
struct crowd_view {
    struct crowd_last last;
    uint32_t changes;                /* of its own */
    uint32_t changed[CROWD_DEVICES]; /* of each device's, the last that it was shown; stored */
    uint32_t said;                   /* of its own messages, accepted */
    uint32_t heard[CROWD_DEVICES];   /* of each device's, its own too, the last; stored */
    uint64_t others, own;            /* the last numbers of either direction; of a group: others */
    uint64_t sent;                   /* the highest number that it was told of its own messages */
    uint64_t acked;                  /* of `others`, acknowledged */
    uint64_t marked;                 /* of `others`, marked read; on this connection: marking */
    uint64_t marking;
    uint64_t delivered, read; /* ticks that it was shown; of a group: by all */
};

struct crowd_device {
    struct crowd *crowd;
    unsigned person;
    char name[24];
    uint64_t user;
    char token[PROTOCOL_TOKEN_BYTES_MAX + 1];
    struct wire wire;
    bool wired, away;
    uint64_t number; /* of its last message's command */
    bool unanswered; /* `command` is */
    unsigned chat;   /* where that goes */
    enum crowd_deed deed;
    unsigned pending; /* commands without a number that were not answered on this connection */
    uint64_t spoke_ms, connected_ms;
    uint64_t stored, acked; /* inbox numbers */
    unsigned closed;        /* times that the node ended its connection */
    char command[CROWD_COMMAND_BYTES];
    struct crowd_view views[CROWD_CHATS];
};

struct crowd {
    struct world world;
    struct crowd_chat chats[CROWD_CHATS];
    struct crowd_device devices[CROWD_DEVICES];
    struct crowd_change changes[CROWD_CHANGES_MAX];
    unsigned changes_count;
    struct crowd_call calls[CROWD_CALLS_MAX];
    unsigned calls_count;
    unsigned accepted;       /* messages */
    unsigned may_close;      /* so many connections that are at rest may be closed now ... */
    uint64_t may_close_ms;   /* ... until then */
    unsigned closed_at_rest; /* connections that were, though they were */
};

/* A world in which all have enrolled and the groups are made. */
void crowd_open(struct crowd *crowd, uint64_t seed, struct ln_child guest);
/* Some milliseconds pass; somebody does something. */
void crowd_step(struct crowd *crowd);
/* Nothing new is said; all are there; ends when all was heard and ticked, or fails. */
void crowd_rest(struct crowd *crowd);
void crowd_close(struct crowd *crowd);
uint64_t crowd_now_ms(const struct crowd *crowd);
