/* SPDX-License-Identifier: Apache-2.0 */
/* command_group.h - groups' commands (command.h). Plain values; decoding borrows. */
#pragma once

#include "store/group.h"

#include <stdbool.h>

/* Little-endian ids, one behind the other. */
struct command_ids {
    uint32_t count;
    const unsigned char *bytes;
};
uint64_t command_id_at(const struct command_ids *ids, uint32_t index);

/* A user is removed; he leaves these groups. Others that he is in (one that he has just been taken
 * into) find out when they next have something to say to him. */
enum { COMMAND_LEFT_MAX = 2000 };
struct command_user_remove {
    uint64_t user;
    struct command_ids groups;
    struct command_ids waiting; /* who wrote to him and never heard how far that got (hold.h) */
};

struct command_group_create {
    uint64_t user;
    uint64_t number;
    uint64_t ttl_ms;
    uint16_t device;
    uint8_t rights;
    uint8_t name_bytes;
    const char *name;
    struct command_ids members;
};

struct command_group_change {
    uint64_t group;
    uint64_t user;
    uint64_t number;
    uint64_t value;
    uint32_t members_max; /* of the group, as the settings were when it was asked */
    uint16_t device;
    uint8_t kind;
    unsigned char invite[STORE_GROUP_INVITE_BYTES];
    uint16_t text_bytes;
    const char *text;
    struct command_ids subjects;
};

/* How far members have got, told to those who wrote. */
struct command_group_tell {
    uint64_t group;
    uint64_t receipts; /* as counted when this was reckoned */
    uint64_t delivered_all;
    uint64_t read_all;
    bool more;        /* it is not all that there is to tell */
    uint64_t log_low; /* what is known of messages up to here is old enough to be forgotten */
    uint32_t count;
    const unsigned char *rows;    /* COMMAND_TELL_BYTES each: command_tell_get */
    struct command_ids forgotten; /* who left so long ago that nothing asks for their rows */
};
enum { COMMAND_TELL_BYTES = 8 + 8 + 4 + 4 + 4, COMMAND_TELL_MAX = 320, COMMAND_FORGET_MAX = 64 };
struct command_tell_row {
    uint64_t user;
    uint64_t chat_number;
    uint32_t delivered;
    uint32_t read;
    uint32_t expired;
};
void command_tell_put(unsigned char *rows, uint32_t index, const struct command_tell_row *row);
void command_tell_get(const struct command_group_tell *tell, uint32_t index,
                      struct command_tell_row *out);
