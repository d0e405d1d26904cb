/* SPDX-License-Identifier: Apache-2.0 */
/* hold.h - what is written to a name that nobody has yet, kept for whoever takes it
 * (store_options.hold_ms): as requests and answers carry it.
 *
 *     STORE_NAME_HOLD, to the name's partition    the id that whoever takes the name will have
 *     STORE_HOLD, to the sender's                 he writes to that one: counted
 *     STORE_MESSAGE with `holds`, to that id's    waits there
 *     STORE_HOLD, `back`, to the sender's         it was refused there: not counted after all
 *
 * The name is promised an id, and what is written to that id lies in an inbox which is nobody's:
 * its head says so, there is no user record, and for every other request there is no such user.
 * When the name is claimed the user is made with that id and finds the inbox as it is. So nothing
 * is moved, and messages, their order, ticks, changes and expiry are those of any chat.
 *
 * Bounded twice: of each sender, how many such recipients wait for him; of each recipient, how many
 * messages wait. A recipient waits until he has taken something in, has lost it by age, or is
 * removed. A count whose message never came (the sender's connection went between the two) ends by
 * itself, when whatever could have been written meanwhile would be too old.
 */
#pragma once

#include "store/account.h"

enum {
    STORE_HOLD_MESSAGES_MAX = 100,
    STORE_HOLD_RECIPIENTS_MAX = 32,
    STORE_HOLD_RECIPIENTS_LIMIT = 255, /* whatever the setting */
};

enum store_hold_tag {
    /* store_name_hold -> store_name_held; -EUSERS: the name is neither taken nor promised */
    STORE_NAME_HOLD = 0x000100D0,
    /* store_hold -> store_hold_counted; -EMFILE: as many wait for messages of this sender as may */
    STORE_HOLD,
};

struct store_name_hold {
    struct store_name name;
    bool known_only; /* nothing is promised anew */
};
struct store_name_held {
    uint64_t user;
    bool waits; /* nobody has taken the name yet */
};

struct store_hold {
    uint64_t user; /* the sender */
    uint64_t recipient;
    uint32_t recipients_max;
    uint64_t until_ms; /* the count ends then at the latest; the sender's partition says it */
    bool back;         /* he counts no more: the message that he was counted for was refused */
};
struct store_hold_counted {
    bool anew; /* he was not counted before */
};
