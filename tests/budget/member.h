/* SPDX-License-Identifier: Apache-2.0 */
/* member.h - people by the thousand, who speak the binary form.
 *
 *     members_enrol(&world, hears, answers);       a thousand are connected and known
 *     member_says(member, &frame);                 gathered
 *     member_flush(member);                        and sent in one segment
 *     members_close();
 *
 * They know as much of the protocol as that takes, and what they do in their own functions
 * (member_...) is left out of the count.
 */
#pragma once

#include "net/linnet.pb-c.h"
#include "tests/sim/world.h"

enum {
    MEMBERS = 1000,
    MEMBER_IN_BYTES = 16384,
    MEMBER_OUT_BYTES = 32768,
};

struct member {
    struct world *world;
    struct sim_peer *peer;
    unsigned index;
    bool upgraded;
    unsigned char in[MEMBER_IN_BYTES]; /* the beginning of a frame */
    size_t in_bytes;
    unsigned char out[MEMBER_OUT_BYTES];
    size_t out_bytes;
    uint64_t user;
    uint64_t number;       /* of its last command */
    uint64_t shown;        /* the highest inbox number */
    uint64_t acknowledged; /* of it */
};

/* A frame that is not its welcome. Borrowed. */
typedef void member_hears(struct member *member, const Linnet__V1__ServerFrame *frame);
/* All of a segment has been heard. */
typedef void member_answers(struct member *member);

/* Before the world is: nobody is held back. */
void members_settings(struct settings *settings);
void members_enrol(struct world *world, member_hears *hears, member_answers *answers);
struct member *member_at(unsigned index);
void members_close(void);

void member_says(struct member *member, const Linnet__V1__ClientFrame *frame);
/* A text of some hundred bytes. */
void member_writes(struct member *member, Linnet__V1__Chat *chat);
/* What it was shown, if that is more than it has acknowledged. */
void member_acknowledges(struct member *member);
void member_flush(struct member *member);
/* It was shown an entry of this number. */
void member_was_shown(struct member *member, uint64_t number);
