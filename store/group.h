/* SPDX-License-Identifier: Apache-2.0 */
/* group.h - groups, as requests and answers carry them.
 *
 * A group is an owner like a user, with an id of the same kind that is no user's. Its own partition
 * decides and counts: messages 1, 2, 3 ... and, in the same order, updates (who joined, what it is
 * called) 1, 2, 3 ... The partition of each member keeps what that member sees: entries in his
 * inbox, and his membership, which outlives his leaving, so that his devices can show the chat.
 *
 *     STORE_GROUP_CREATE   to the creator's partition
 *     the others           to the group's (store_user_pid(store, group)), those marked * to the
 *                          user's
 *
 * Errors beside those of request.h:
 *     -ENOENT     no such group, or the user never was in it
 *     -EPERM      not (or no longer) a member, or the group's rules don't allow it to this one
 *     -EMFILE     it would have more members than allowed
 *     -EINVAL     a subject who is no member, a role that nobody can be given, a bad length
 *     -ESTALE     the command's number lies below the window
 *     -ENOKEY     the invitation was revoked, or never was
 */
#pragma once

#include "store/account.h"
#include "store/entry.h"
#include "store/holes.h"

enum {
    STORE_GROUP_NAME_BYTES_MAX = 100,
    STORE_GROUP_DESCRIPTION_BYTES_MAX = 512,
    STORE_GROUP_PICTURE_BYTES_MAX = 128,
    STORE_GROUP_MEMBERS_LIMIT = 4096, /* whatever the setting: a creation is one command */
    STORE_GROUP_SUBJECTS_MAX = 256,   /* of one change */
    STORE_GROUP_ADMINS_MAX = 64,      /* owners among them */
    STORE_GROUP_INVITE_BYTES = 16,
};

enum store_group_tag {
    STORE_GROUP_TAG_FIRST = 0x00010040,
    /* store_group_create, buffer: name, then the members' ids -> store_group_id */
    STORE_GROUP_CREATE,
    /* store_group_change, buffer: text, then the subjects' ids -> store_group_changed */
    STORE_GROUP_CHANGE,
    STORE_GROUP_MESSAGE, /* store_message, its recipient a group; buffer -> store_sent */
    STORE_GROUP_GET,     /* store_group_ask -> store_group, buffer: name, description, picture */
    STORE_GROUP_MEMBERS, /* store_group_list -> store_rows, buffer: struct store_member [count] */
    STORE_GROUP_READ,    /* * store_read, its peer a group -> store_marked; -ERANGE */
    STORE_GROUP_CHATS,   /* * store_list -> store_rows, buffer: struct store_membership [count] */
    /* store_change (change.h): the recipient is a group, which knows the author; until_ms counts
     * from the message's time; buffer -> store_sent; -ERANGE, -ETIME, -EIDRM */
    STORE_GROUP_REVISE,
    /* store_group_typing -> store_rows, buffer: the other members' ids; -EOVERFLOW: too many */
    STORE_GROUP_TYPING,
    /* To any partition: those of its groups. store_list -> store_rows, buffer: struct
     * store_group_row [count] */
    STORE_GROUP_LIST,
};

enum store_group_role {
    STORE_GROUP_NOBODY, /* has left */
    STORE_GROUP_MEMBER,
    STORE_GROUP_ADMIN,
    STORE_GROUP_OWNER,
};

/* What a group's rules leave to all members; without the bit, to admins and owners. */
enum store_group_right {
    STORE_GROUP_ALL_SEND = 1 << 0,
    STORE_GROUP_ALL_ADD = 1 << 1,
    STORE_GROUP_ALL_EDIT = 1 << 2, /* name, description, picture, time to live */
};

enum store_group_change_kind {
    STORE_GROUP_CREATED = 1, /* an update's alone: nobody asks for it */
    STORE_GROUP_ADD,
    STORE_GROUP_REMOVE,
    STORE_GROUP_PROMOTE, /* to admin */
    STORE_GROUP_DEMOTE,  /* to member */
    STORE_GROUP_ENTITLE, /* to owner */
    STORE_GROUP_LEAVE,
    STORE_GROUP_RENAME,   /* text: the name */
    STORE_GROUP_DESCRIBE, /* text */
    STORE_GROUP_PICTURE,  /* text: a reference */
    STORE_GROUP_TTL,      /* value: how long messages live, in milliseconds; 0: for good */
    STORE_GROUP_RIGHTS,   /* value: bits of store_group_right */
    STORE_GROUP_INVITE,   /* a new invitation, which revokes the one before */
    STORE_GROUP_REVOKE,   /* no invitation */
    STORE_GROUP_JOIN,     /* by invitation */
    STORE_GROUP_DELETE,
    STORE_GROUP_CHANGE_KINDS,
};

struct store_group_id {
    uint64_t group;
    bool duplicate; /* of a creation: it had been made before */
};

/* All members or none: the creator is one without being named. The buffer holds the name, then
 * `members` ids of users who exist. */
struct store_group_create {
    uint64_t user; /* the creator, its owner */
    uint64_t number;
    uint64_t ttl_ms;
    uint32_t members;
    uint16_t device;
    uint8_t rights;
    uint8_t name_bytes;
    bool known_only; /* only what was accepted before is answered; else -EUSERS */
};

/* The buffer holds the text, then `subjects` ids. */
struct store_group_change {
    uint64_t group;
    uint64_t user; /* who asks */
    uint64_t number;
    uint64_t value;
    uint32_t subjects;
    uint16_t device;
    uint16_t text_bytes;
    uint8_t kind;
    bool known_only; /* only what was accepted before is answered; else -EUSERS */
    unsigned char invite[STORE_GROUP_INVITE_BYTES]; /* INVITE: the new one; JOIN: the one shown */
};
struct store_group_changed {
    uint64_t update; /* the group's newest */
    bool duplicate;
};

struct store_group_ask {
    uint64_t group;
    uint64_t user; /* who asks: a member; 0: the operator */
};
/* He does something there that the others may see now: who are they? */
struct store_group_typing {
    uint64_t group;
    uint64_t user; /* a member who may send */
    uint32_t members_max;
};
struct store_group {
    uint64_t group;
    uint64_t created_at_ms;
    uint64_t creator;
    uint64_t last;   /* number of the newest message */
    uint64_t update; /* number of the newest update */
    uint64_t ttl_ms;
    uint64_t delivered_all; /* messages up to here are delivered to all, read by all */
    uint64_t read_all;
    uint64_t log_low; /* who wrote messages up to here is not known any more */
    uint32_t members;
    uint16_t name_bytes, description_bytes, picture_bytes;
    uint8_t rights;
    uint8_t role; /* of who asked */
    bool due;     /* receipts are to be told in a moment */
    bool invited; /* there is an invitation; shown to admins */
    unsigned char invite[STORE_GROUP_INVITE_BYTES];
};

struct store_group_row {
    uint64_t group;
    uint64_t created_at_ms;
    uint64_t last, update; /* numbers of the newest */
    uint32_t members;      /* 0: it was deleted */
    uint8_t name_bytes;
    char name[STORE_GROUP_NAME_BYTES_MAX];
};

struct store_group_list {
    uint64_t group;
    uint64_t user;    /* who asks: a member; 0: the operator */
    uint64_t after;   /* members above this id */
    uint64_t message; /* 0, or one that he wrote: else -EPERM; -ERANGE: nothing is known of it */
    uint32_t max;     /* 0: STORE_ROWS_MAX */
};
/* One who left stands there, too: with role NOBODY. */
struct store_member {
    uint64_t user;
    uint64_t joined;    /* messages above this number concern him */
    uint64_t left;      /* NOBODY: and up to this */
    uint64_t delivered; /* how far he got */
    uint64_t read;
    struct holes gaps;    /* but these: he was away */
    struct holes expired; /* he will never have these */
    uint8_t role;
};

struct store_membership {
    uint64_t group;
    uint64_t joined;
    uint64_t last; /* the newest message that the user has seen the group have */
    uint64_t delivered;
    uint64_t read;
    uint64_t unread; /* by others, above `read` */
    uint8_t role;
    bool gone; /* left, was removed, or the group was deleted */
};
