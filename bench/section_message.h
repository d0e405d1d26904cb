/* SPDX-License-Identifier: Apache-2.0 */
/* section_message.h - what the conductor and the sections of the generator say to each other.
 *
 *     conductor                    section (one per process)
 *         SECTION_BEGIN ------------->    who you are: your share of the run
 *         SECTION_MAKE -------------->    make your users, or load them
 *         SECTION_CONNECT ----------->    spawn your actors, which connect and log in
 *         SECTION_GREET ------------->    idle: each says hello to its peer
 *         SECTION_GO ---------------->    write, from these instants on
 *         SECTION_RETURN ------------>    offline: who is away is to be back; done when
 *                                         all is quiet
 *         SECTION_STOP -------------->    nothing new any more; it is done when all is quiet
 *         SECTION_FINISH ------------>    judge the rest, close, end
 *         SECTION_ABANDON ----------->    ... or without judging: the run did not get there
 *         <--- SECTION_DELAYS, SECTION_VERDICT    ... what that has found
 *         SECTION_REMOVE ------------>    remove the users that you made
 *         SECTION_END --------------->
 *
 *         SECTION_LOOK -------------->    at any time: what have you counted so far?
 *         <---------- SECTION_METERS --   ... of each delay that has changed, then the news
 *
 *         <------------ SECTION_NEWS --   now and then, and when a word was heard, and was done
 *         <---------- SECTION_FAILED --   at any time: this run can't go on
 *
 * A section of another process is reached through a pipe (relay.h). There each message is a record:
 *
 *     magic (4 bytes)  tag (4)  bytes (4)  data
 *
 * in the machine's own order: both ends are the same program on the same host, which SECTION_BEGIN
 * makes sure of. What arrives is held against its tag's size and meaning all the same, so that a
 * damaged record ends the run instead of entering its figures.
 */
#pragma once

#include "bench/audit.h"
#include "bench/crowd.h"
#include "bench/histogram.h"
#include "bench/share.h"
#include "bench/tally.h"
#include "runtime/check.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum section_tag {
    SECTION_FIRST = 0x5e00,
    SECTION_BEGIN = SECTION_FIRST, /* struct section_begin */
    SECTION_MAKE,
    SECTION_CONNECT, /* struct section_connect */
    SECTION_GREET,   /* likewise */
    SECTION_GO,      /* struct crowd_go */
    SECTION_RETURN,  /* struct crowd_go */
    SECTION_STOP,
    SECTION_FINISH,
    SECTION_ABANDON,
    SECTION_REMOVE,
    SECTION_END,
    SECTION_LOOK,    /* struct section_look */
    SECTION_METERS,  /* struct section_meters */
    SECTION_NEWS,    /* struct section_news */
    SECTION_DELAYS,  /* struct section_delays: one of its histograms */
    SECTION_VERDICT, /* struct audit_verdict */
    SECTION_FAILED,  /* struct crowd_failed */
    SECTION_TAGS_END,
};

enum { SECTION_VERSION_BYTES = 32 };

struct section_begin {
    char version[SECTION_VERSION_BYTES]; /* LINNET_VERSION */
    uint32_t run;                        /* the run's number */
    struct share share;
    uint32_t actors_all;
    uint32_t writers, writers_all; /* pairs who write: its first actors; those of all */
    uint32_t addresses;
    double rate_per_s; /* of the whole run */
};
struct section_connect {
    uint32_t at_once_max;  /* actors that connect, or greet, at the same time */
    uint32_t writers_only; /* 1: the others come later, by the same word */
};
struct section_news {
    uint32_t heard, done; /* the last of the conductor's words; 0: none yet */
    uint32_t spawned, ready, quiet, ended;
    uint32_t users_made, users_removed;
    uint64_t looks;                    /* the last one that was answered */
    uint64_t counters[TALLY_COUNTERS]; /* by enum tally_counter */
};
struct section_look {
    uint64_t number; /* from 1 */
};
struct section_meters {
    uint64_t delay; /* enum tally_delay */
    struct meter_look look;
};
struct section_delays {
    uint32_t delay;   /* enum tally_delay */
    uint32_t episode; /* enum tally_episode */
    struct histogram histogram;
};

/* Whether `bytes` of data, aligned to 8, may come with this tag and mean something. */
MUST_CHECK bool section_message_valid(uint32_t tag, const void *data, size_t bytes);

/* ------------------------------------------------------------------------------------- records */

enum {
    SECTION_HEAD_BYTES = 12,
    SECTION_DATA_BYTES_MAX = sizeof(struct section_delays), /* the largest */
    SECTION_RECORD_BYTES_MAX = SECTION_HEAD_BYTES + SECTION_DATA_BYTES_MAX,
};

void section_head_write(uint32_t tag, uint32_t bytes, unsigned char out[SECTION_HEAD_BYTES]);
/* Does a whole record stand at the beginning of these bytes? 0 with its tag and how much data
 * follows its head; -EAGAIN: more must come; -EPROTO: it is none. */
MUST_CHECK int section_record_read(const unsigned char *bytes, size_t count, uint32_t *out_tag,
                                   uint32_t *out_bytes);
