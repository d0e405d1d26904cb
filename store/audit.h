/* SPDX-License-Identifier: Apache-2.0 */
/* audit.h - a session asks whether it has been told everything.
 *
 * Pushes can't get lost, as far as anybody knows. That is what an audit is for: now and then a
 * session asks its partition for the newest entry that it should have been told of, and compares.
 * The answer comes behind every push that was sent before it, on one scheduler, so an entry that is
 * missing then has been refused (and the notice is on its way), or is lost.
 *
 * The partition answers from its table of sessions: no audit reads LMDB, or keeps a silent user's
 * records in memory. Plain values.
 */
#pragma once

#include "store/request.h"

enum store_audit_tag {
    STORE_AUDIT = STORE_TAG_FIRST + 0xC0, /* to a partition: store_audit; STORE_AUDITED follows */
    STORE_AUDITED,                        /* to the session: store_audited */
};

struct store_audit {
    uint64_t user;
    uint16_t device;
    ln_pid session; /* the asker */
};
struct store_audited {
    bool attached;   /* the session is the one that is told what is new for the device */
    uint32_t newest; /* the lower bits of the newest entry's number since it was attached */
};

/* Whether entry `newest` is one that comes after `number`: both are of one node's life. */
static inline bool
store_audit_misses(uint32_t newest, uint64_t number)
{
    return (int32_t)(newest - (uint32_t)number) > 0;
}
