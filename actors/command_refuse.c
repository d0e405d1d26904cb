/* SPDX-License-Identifier: Apache-2.0 */
/* What the store's errors mean to a client. */
#include "actors/command.h"

#include <errno.h>

enum {
    RETRY_SOON_MS = 100,
    RETRY_LATER_MS = 5000,
};

struct refusal {
    int error;
    Linnet__V1__Error__Code code;
    uint32_t retry_after_ms;
    const char *text;
};

/* What the store's errors mean; the last row is for every other. */
static const struct refusal refusals[] = {
    {-ENOENT, LINNET__V1__ERROR__CODE__UNKNOWN_USER, 0, "sendMessage.chat.userId: no such user"},
    {-ESTALE, LINNET__V1__ERROR__CODE__TOO_OLD, 0,
     "number: below the window; whether it was accepted is no longer known"},
    {-ETIME, LINNET__V1__ERROR__CODE__TOO_LATE, 0,
     "sendMessage.change: the message is too old to be changed"},
    {-EIDRM, LINNET__V1__ERROR__CODE__GONE, 0,
     "sendMessage.change: the message was deleted, or has disappeared"},
    {-ERANGE, LINNET__V1__ERROR__CODE__OUT_OF_RANGE, 0,
     "markRead.chatNumber: beyond the chat's last message"},
    {-EDQUOT, LINNET__V1__ERROR__CODE__RECIPIENT_FULL, RETRY_LATER_MS,
     "no device of the recipient can take the message at present"},
    {-ENOSPC, LINNET__V1__ERROR__CODE__STORAGE_FULL, RETRY_LATER_MS, "the node's disk is full"},
    {-EAGAIN, LINNET__V1__ERROR__CODE__OVERLOADED, RETRY_SOON_MS,
     "the node has more work than it can queue"},
    {-EINVAL, LINNET__V1__ERROR__CODE__BAD_FRAME, 0, "the command makes no sense to the store"},
    {0, LINNET__V1__ERROR__CODE__INTERNAL, RETRY_SOON_MS,
     "the node failed while it worked on the command"},
};

void
command_refuse(struct connection *connection, uint64_t number, uint64_t ref, int error)
{
    const struct refusal *refusal = refusals;
    while (refusal->error != 0 && refusal->error != error) {
        refusal++;
    }
    event_error(connection, number, ref, refusal->code, refusal->text, refusal->retry_after_ms);
}

void
command_refuse_own(struct connection *connection, const struct pending *pending, int error)
{
    if (error == -ENOENT) {
        connection_close(connection, PROTOCOL_CLOSE_REVOKED, "the device or the user was removed");
    } else {
        command_refuse(connection, command_number(pending), pending->ref, error);
    }
}
