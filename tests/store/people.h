/* SPDX-License-Identifier: Apache-2.0 */
/* people.h - users who write to each other through the store, life after life, and check every
 * promise.
 *
 * A person is a session and a client in one: creates its user, attaches, sends messages to the
 * others and repeats those that were not answered, takes in what is pushed, reads pages where it
 * has missed something, acknowledges and marks as read. What it was answered and what it has seen
 * outlives the power cuts, as it would on a phone; everything that contradicts it is wrong.
 *
 *     people_begin(&people, seed);
 *     people_enter(&people, rig);        its scripts, for the next boot
 *     ... boot, crash, bury, boot, ...
 *     people.finishing = true;           the last life: repeat and read until all is done
 *     people_done(&people)
 *     people_judge(&people, rig)         after it: everything is where it should be
 */
#pragma once

#include "tests/store/chance.h"
#include "tests/store/rig.h"

enum {
    PEOPLE = 5,
    PEOPLE_MESSAGES_MAX = 2000, /* of one to one other */
    PEOPLE_ENTRIES_MAX = 40000,
    PEOPLE_WINDOW = 12, /* unanswered messages of a person */
};

/* A message as its sender remembers it. */
struct people_sent {
    bool answered;
    uint64_t chat_number;
    uint64_t time_ms;
    uint8_t to;
    uint64_t ref; /* of the request under way in this life; 0: none */
};

/* An inbox entry as its reader remembers it: a number stands for the same thing forever. */
struct people_entry {
    uint64_t number;
    uint64_t sender; /* 0: a mark */
    uint64_t sender_number;
};

struct person {
    char name[16];
    bool copies;     /* has its messages copied to its own inbox, as for another device */
    uint64_t user;   /* 0: not known yet */
    bool created;    /* the answer came */
    uint64_t ranges; /* the highest command number ever given to the device */
    uint64_t next;   /* number of the next message */
    struct people_sent sent[PEOPLE_MESSAGES_MAX * PEOPLE];
    uint64_t acked;       /* the highest acknowledgement that was answered */
    uint64_t acked_asked; /* the highest that was ever sent */
    uint64_t read_answered[PEOPLE];
    uint64_t heard[PEOPLE]; /* from each: the highest chat number taken in */
    bool seen[PEOPLE][PEOPLE_MESSAGES_MAX * PEOPLE]; /* by sender's number */
    bool copied[PEOPLE_MESSAGES_MAX * PEOPLE];       /* by number: the own copy came back */
    uint64_t told_delivered[PEOPLE], told_read[PEOPLE];
    struct people_entry entries[PEOPLE_ENTRIES_MAX];
    uint32_t entries_count;
    /* Of this life. */
    uint64_t place; /* the newest entry taken in */
    bool attached;
    bool reading; /* a page is under way, or is needed */
    uint64_t page_ref, ack_ref, ack_number, read_ref, read_number;
    unsigned read_peer;
    unsigned unanswered;
};

struct people {
    struct rig *rig;
    struct chance chance;
    bool finishing;
    struct person persons[PEOPLE];
};

void people_begin(struct people *people, uint64_t seed);
void people_enter(struct people *people, struct rig *rig);
/* Whether all that was said is answered, heard, acknowledged and known to be. */
bool people_done(const struct people *people);
/* The end of the last life, `finishing`: runs until all is done, for a minute at most, then stops
 * and buries it. What has not arrived then is wrong. */
void people_finish(const struct people *people, struct rig *rig);
/* How many messages were said. */
uint64_t people_said(const struct people *people);
