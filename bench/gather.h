/* SPDX-License-Identifier: Apache-2.0 */
/* gather.h - a device makes a group of its user and others. */
#pragma once

#include "bench/phone.h"

/* What messages of a group are sent to. */
void gather_chat(uint64_t group, Linnet__V1__Chat *out);
/* Asks for a group with these others; answered with this ref. False: the crowd has failed. */
bool gather_ask(struct phone *phone, const uint64_t *users, uint32_t count, uint64_t ref);
/* Whether a member is told that the group was made: by this user, who may have made one in an
 * earlier run, too; `group` is 0 as long as nobody of this run has been told. */
bool gather_made(const Linnet__V1__ChatUpdate *update, uint64_t maker, uint64_t group);
