/* SPDX-License-Identifier: Apache-2.0 */
/* rate_class.h - classes of commands, each with a rate of its own for a user and for an address.
 *
 * What a person needs most is limited last and apart from the rest: who floods the node with typing
 * can still send, and who sends without end is held up in nothing but sending. The table in
 * rate_class.c gives every command its class; a command that is not in it is a change.
 *
 * A limit is so many in a period of its class, from a minute to a day, of which all may come at
 * once; 0 is none. Plain values.
 */
#pragma once

#include "net/protocol.h"

#include <stdint.h>

enum rate_class {
    RATE_CHANGES,  /* what becomes durable: messages above all */
    RATE_RECEIPTS, /* acknowledgements, read marks */
    RATE_PRESENCE,
    RATE_TYPING,
    RATE_QUERIES,       /* what only asks */
    RATE_GROUPS,        /* groups that are made, members that are added */
    RATE_STRANGERS,     /* first messages: charged beside the change, when they were accepted;
                           people who are put into groups: beside the group */
    RATE_CALLS,         /* offers */
    RATE_SIGNALS,       /* what is said within a call */
    RATE_EXPORTS,       /* of all that is the user's */
    RATE_DELETIONS,     /* in groups, by what it costs to find the message: beside the change */
    RATE_FAILED_LOGINS, /* of an address; charged when they have failed */
    RATE_REGISTRATIONS, /* of an address, and of the node: names that nobody had */
    RATE_CLASSES,
    RATE_FREE = RATE_CLASSES, /* costs the connection's rate alone */
};

/* "strangers" */
const char *rate_class_name(enum rate_class class);

enum rate_class rate_class_of(const Linnet__V1__ClientFrame *frame);

/* What `limit` in a period of the class costs each; 0: nothing. */
uint64_t rate_class_period_ns(enum rate_class class);

/* "faster than a user may write" */
const char *rate_class_refusal(enum rate_class class);
