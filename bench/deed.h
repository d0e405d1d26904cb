/* SPDX-License-Identifier: Apache-2.0 */
/* deed.h - what people do, when a schedule calls for it. */
#pragma once

enum deed {
    DEED_WRITE,  /* to the partner */
    DEED_POST,   /* to the group */
    DEED_CHANGE, /* the last letter to the partner is edited, or taken back */
    DEED_BEAT,   /* a ping, and its answer */
    DEED_MOVE,   /* the connection is cut, and they call again: another network */
    DEED_LEAVE,  /* go offline, with a goodbye */
    DEED_SLEEP,  /* the phone sleeps: it neither reads nor answers, and says nothing */
    DEED_RETURN, /* online again */
    DEEDS,
};
