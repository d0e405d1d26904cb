/* SPDX-License-Identifier: Apache-2.0 */
/* renumber.h - an encoded event with another inbox number, in place.
 *
 * What many are told is the same frame for all of them but for the number of the entry in each
 * one's inbox, with which such an event begins. Pure functions.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/protocol.h"

/* Where the event's inbox number stands in a frame that protocol_encode has written with this one,
 * and in how many bytes. False: it is no event that begins so, or it has another. */
bool renumber_find(enum protocol_form form, const void *frame, size_t bytes, uint64_t number,
                   size_t *out_at, size_t *out_bytes);

/* Writes `number` there instead. False, with nothing written: it takes more bytes, or fewer. */
bool renumber(enum protocol_form form, void *at, size_t bytes, uint64_t number);
