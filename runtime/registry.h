/* SPDX-License-Identifier: Apache-2.0 */
/* registry.h - names of actors, read from every thread. For runtime/ alone.
 *
 * ConcurrencyKit's hash table: readers take no lock, writers take one; what a writer removes is
 * freed when no reader can still look at it (epochs, one record per scheduler and one for each
 * other thread that looks at that moment). A name ends with its actor.
 */
#pragma once

#include "runtime/actor.h"

struct registry;

struct registry *registry_new(unsigned schedulers);
/* No scheduler runs any more. NULL is allowed. */
void registry_free(struct registry *registry);

/* On the actor's scheduler. 0, -EEXIST (the name, or the actor has one), -EINVAL (empty or too
 * long). */
int registry_add(struct registry *registry, unsigned scheduler, const char *name,
                 struct actor *actor);
void registry_remove(struct registry *registry, unsigned scheduler, struct actor *actor);
/* 0 when there is none. `scheduler`: the calling one, or -1 on any other thread. *out_leaving (may
 * be NULL): whether that actor is ending, so that the name will soon be free. */
ln_pid registry_find(struct registry *registry, int scheduler, const char *name, bool *out_leaving);
/* The actor who has it is ending. Its scheduler only. */
void name_leave(struct name *name);
/* The actor's name. Its scheduler only. */
const char *name_text(const struct name *name);
