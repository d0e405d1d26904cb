/* SPDX-License-Identifier: Apache-2.0 */
/* keeper.h - looks after a log's files, and after the disk's space, so that the journal never waits
 * for either.
 *
 * When a segment is half full the next one is made by a worker; when all cells have folded what a
 * segment holds, it is removed or becomes the next one. When the disk is full the reserve is
 * released and the store told, and from time to time the keeper looks whether there is space again.
 *
 * A process, one per journal; its argument is a struct journal *.
 */
#pragma once

#include "runtime/linnet.h"

extern const struct ln_behaviour keeper_behaviour;

struct store;
/* The disk is full: new messages are refused, and the reserve is freed for all that may go on.
 * Yields. */
void keeper_disk_full(struct store *store);
