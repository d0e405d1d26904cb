/* SPDX-License-Identifier: Apache-2.0 */
/* relay.h - an actor that carries the conductor's and a section's messages between two processes.
 *
 *     conductor <--> relay ==== socket pair ==== relay <--> section
 *
 * One stands at each end. What it is sent it writes as a record (section_message.h), what it reads
 * it sends to its owner. It ends when the other end does, normally; and with an error when what it
 * reads is no record.
 */
#pragma once

#include "runtime/linnet.h"

#include "runtime/io/io.h"

struct relay_start {
    io_socket socket; /* taken */
    ln_pid owner;
};
/* Its argument: a struct relay_start. */
extern const struct ln_behaviour relay_behaviour;
