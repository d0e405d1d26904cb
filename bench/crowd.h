/* SPDX-License-Identifier: Apache-2.0 */
/* crowd.h - what the generator's actors on one thread have in common, and what they and their
 * process's section (section.h) say to each other.
 *
 *     section                      actors (pair, idle, echo)
 *         ln_spawn ------------------>    connect, log in
 *         <------------ CROWD_READY --
 *         CROWD_GREET --------------->    idle: say hello to your peer
 *         <------------ CROWD_QUIET --    both have heard it, and that it was sent
 *         CROWD_GO ------------------>    write, from struct crowd_go's instants on
 *         CROWD_STOP ---------------->    nothing new any more
 *         <------------ CROWD_QUIET --    and nothing is under way
 *         CROWD_FINISH -------------->    judge the rest, close, end
 *         CROWD_ABANDON ------------>    ... or without judging: the run did not get there
 *         <------------ CROWD_FAILED -    at any time: this run can't go on
 */
#pragma once

#include "bench/deed.h"
#include "bench/options.h"
#include "bench/tally.h"
#include "bench/users.h"
#include "net/client.h"
#include "runtime/check.h"
#include "runtime/linnet.h"

enum crowd_tag {
    CROWD_READY = 1,
    CROWD_GREET,
    CROWD_GO, /* struct crowd_go */
    /* struct crowd_go: offline: those who are away are to be back, from start_ns on */
    CROWD_RETURN,
    CROWD_STOP,
    CROWD_QUIET,
    CROWD_FINISH,
    CROWD_ABANDON,
    CROWD_FAILED, /* struct crowd_failed */
    CROWD_CALL,   /* to itself: struct crowd_call: connect now */
    CROWD_DEED,   /* of the pacer, or to itself: struct crowd_deed */
    CROWD_RESEND, /* to itself: struct crowd_resend */
    CROWD_BEAT,   /* to itself: the next heartbeat is due */
};

struct crowd_go {
    uint64_t start_ns;
    struct tally_span span;
    uint32_t episode; /* enum tally_episode */
    uint32_t writes;  /* 0: only what is not written is measured */
};
struct crowd_failed {
    char text[AUDIT_TEXT_BYTES];
};
struct crowd_call {
    uint32_t end;
};
struct crowd_deed {
    uint64_t due_ns;
    uint32_t end;
    enum deed deed;
};
struct crowd_resend {
    uint64_t number; /* 0: a mark of what was read */
    uint32_t end;
};

enum {
    CROWD_ARENA_BYTES = 16 << 10,
    CROWD_NOISE_BYTES = 4096,
    /* A node's frame: beyond its own limit of what a client may send. */
    CROWD_FRAME_BYTES_MAX = 4 << 20,
};

/* One per thread; its actors' alone while they run. */
struct crowd {
    const struct options *options; /* shared, as are the users: read only */
    const struct users *users;
    uint32_t run;          /* this run's number */
    uint32_t index;        /* of the thread, over all processes */
    uint32_t actors_first; /* of this process, among those of all processes */
    uint32_t users_first;  /* likewise */
    uint32_t addresses;    /* of the node: from the URL's on */
    ln_pid section;
    ln_pid *actors; /* of this thread, in the order of their index; filled before CROWD_GO */
    uint32_t actors_count;
    uint32_t writers_count; /* of these, the first: those who write by a schedule */
    uint64_t start_ns;
    uint64_t chance; /* of pauses */
    struct client_config config;
    struct arena arena;
    uint32_t noise_left;
    unsigned char arena_room[CROWD_ARENA_BYTES];
    unsigned char noise[CROWD_NOISE_BYTES];
    char text[PROTOCOL_TOKEN_BYTES_MAX + 65536 +
              1]; /* of one letter or frame, while it is written */
    enum tally_episode episode;
    struct tally tally;
    struct histogram *earlier; /* delays of TALLY_ALONE, once that is over; NULL: there are none */
};

/* What actors are spawned with. */
struct crowd_place {
    struct crowd *crowd;
    uint32_t index; /* of the actor, over all threads of its process, as its users' are */
};

struct section_begin;
/* Of the thread `index`. Never NULL. Borrows options and users. */
struct crowd *crowd_new(const struct options *options, const struct users *users,
                        const struct section_begin *begin, uint32_t index);
void crowd_free(struct crowd *crowd);

/* Where the connection of one of its process's users goes: to each address in turn. */
void crowd_address(const struct crowd *crowd, uint32_t user, struct io_address *out);

/* From its actors: */
uint64_t crowd_now_ns(void); /* now, not as of the turn */
void crowd_random(void *crowd, void *out, size_t bytes);
void crowd_go(struct crowd *crowd, const struct ln_msg *go);
static inline bool
crowd_going(const struct crowd *crowd)
{
    return crowd->start_ns != 0;
}
void crowd_tell(struct crowd *crowd, enum crowd_tag tag);
void crowd_fail(struct crowd *crowd, const char *format, ...) PRINTF_LIKE(2, 3);
/* To the calling actor itself, after a while; at an instant, or within a millisecond of it. */
void crowd_call_after(uint64_t delay_ms, uint32_t end);
void crowd_deed_at(uint64_t due_ns, uint32_t end, enum deed deed);
