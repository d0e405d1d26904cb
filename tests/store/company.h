/* SPDX-License-Identifier: Apache-2.0 */
/* company.h - groups for stories of a whole store (rig.h): somebody makes one, and speaks in it.
 *
 *     company_create(rig, &owner, ids, 40);
 *     group = company_group(rig, owner, 1, ids, 40);
 *     company_done(rig, company_say(rig, owner, group, 2, 100));
 */
#pragma once

#include "tests/store/rig.h"

enum { COMPANY_TIMEOUT_MS = 30000 };

/* "alice" and "member0" to the last, all with a device; their numbers rise. */
void company_create(struct rig *rig, uint64_t *out_owner, uint64_t *ids, unsigned count);
/* Of the owner and others, sorted. `number` is the owner's next. */
uint64_t company_group(struct rig *rig, uint64_t owner, uint64_t number, const uint64_t *ids,
                       uint16_t count);
/* A text of so many bytes; the request's reference, for company_done. */
uint64_t company_say(struct rig *rig, uint64_t from, uint64_t group, uint64_t number,
                     uint32_t bytes);
/* Waits for its answer: 0 or a negative errno. */
int company_answer(uint64_t ref);
/* The same, which must be 0. */
void company_done(struct rig *rig, uint64_t ref);
