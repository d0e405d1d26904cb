/* SPDX-License-Identifier: Apache-2.0 */
/* Who is told what is new, looked over: sessions that ask whether they were told everything, and
 * sessions that ended while nobody could hear it. */
#include "store/audit.h"
#include "store/partition_priv.h"

#include <string.h>

static enum ask_outcome
run_audit(struct partition *partition, struct ask *ask, bool act)
{
    const struct store_audit *audit = ASK_DATA(store_audit, ask);
    if (!act) {
        return ASK_READY;
    }
    const struct attached_session *session =
        attached_find(&partition->attached, audit->user, audit->device);
    struct store_audited audited = {0};
    if (session != NULL && session->pid == audit->session) {
        audited = (struct store_audited){.attached = true, .newest = session->newest};
    }
    struct ln_msg *msg = ln_msg_new(STORE_AUDITED, LN_REPLY, sizeof(audited));
    memcpy(msg->data, &audited, sizeof(audited));
    ln_send(audit->session, &msg);
    return partition_refuse(ask, 0);
}

const struct ask_kind ask_audit = {
    .bytes = sizeof(struct store_audit), .valid = partition_valid_user, .run = run_audit};

/* A session says when it ends. What it said while there was no actor to hear it, or to one that
 * ended before its turn, is made up for here: those who have ended are told of at once, the others
 * when they do. */
void
partition_watch_sessions(struct partition *partition)
{
    const struct attached *attached = &partition->attached;
    for (uint32_t i = 0; i < attached->capacity; i++) {
        if (attached->places[i].user != 0) {
            (void)ln_monitor(attached->places[i].pid);
        }
    }
}

void
partition_session_ended(struct partition *partition, ln_pid pid)
{
    const struct attached *attached = &partition->attached;
    for (uint32_t i = 0; i < attached->capacity; i++) {
        struct attached_session session = attached->places[i];
        if (session.user != 0 && session.pid == pid) {
            struct store_detach detach = {
                .user = session.user, .device = session.device, .session = pid};
            partition_detach(partition, &detach);
            return;
        }
    }
}
