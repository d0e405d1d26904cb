/* SPDX-License-Identifier: Apache-2.0 */
/* connection_rate.h - how fast a connection may be: by itself, as one of its user's, and as one of
 * its address'. In the connection's actor. */
#pragma once

#include "actors/rate_class.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct connection;

/* A frame has come. 0; how long its command has to wait; or the connection is closing. */
uint64_t connection_rate_frame(struct connection *connection, size_t bytes);
/* True: the command has been refused, for the connection's sake (how long it has to wait) or its
 * class'; else it was charged. */
bool connection_rate_refuses(struct connection *connection, const Linnet__V1__ClientFrame *frame,
                             uint64_t connection_wait_ms);
/* How long its user or address has to wait for one more of the class; and takes one. */
uint64_t connection_rate_wait_ms(const struct connection *connection, enum rate_class class);
void connection_rate_charge(const struct connection *connection, enum rate_class class);
/* Charges what something was found to have cost when it was done: the next may have to wait for
 * all of it. */
void connection_rate_owes(const struct connection *connection, enum rate_class class,
                          uint32_t amount);
/* Whether there is a limit to the class. */
bool connection_rate_limits(const struct connection *connection, enum rate_class class);
/* Takes so many, if they would pass. */
bool connection_rate_takes(const struct connection *connection, enum rate_class class,
                           uint32_t amount);
/* So many were taken for what changed nothing. */
void connection_rate_gives_back(const struct connection *connection, enum rate_class class,
                                uint32_t amount);
/* Counts and answers what was refused for the sake of so many of the class. */
void connection_rate_say(struct connection *connection, uint64_t number, uint64_t ref,
                         enum rate_class class, uint32_t amount);
/* Whether one more may register, which is charged then; and how long he has to wait. */
bool connection_rate_registers(const struct connection *connection);
uint64_t connection_rate_registration_wait_ms(const struct connection *connection);
