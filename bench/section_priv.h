/* SPDX-License-Identifier: Apache-2.0 */
/* section_priv.h - a section's actor, the player: its state, how it speaks (section.c), and what it
 * does for its users (section_users.c) and for its actors (section_actors.c), each a step at a time
 * so that it hears the conductor meanwhile. */
#pragma once

#include "bench/section.h"

/* The actor. */
struct player {
    struct section *section;
    struct linnet_client client;
    ln_pid owner;
    ln_pid *actors;
    ln_pid pacers[OPTIONS_THREADS_MAX];
    struct section_connect connect;
    uint32_t greeting; /* actors that were told to greet */
    uint32_t word;     /* what is under way; 0: nothing */
    bool failed, finishing, over;
    struct section_news news;
    uint64_t told_at_ns;
    struct meter_look *told; /* by enum tally_delay: the last look */
};

/* What is under way is done: the conductor is told. */
void player_done(struct player *player);
/* Tells why this run can't go on, once. */
void player_fail(struct player *player, const char *why);
/* To one of its actors; `go` may be NULL. */
void player_send(ln_pid to, enum crowd_tag tag, const struct crowd_go *go);

/* ---------------------------------------------------------------------------------------- users */

/* SECTION_MAKE: loads them, or sees to their names. */
void player_users_begin(struct player *player);
/* Of those that are made or removed, a page. */
void player_users_go_on(struct player *player);

/* --------------------------------------------------------------------------------------- actors */

/* SECTION_BEGIN: what each thread's actors share, without any of them. */
void player_crowds_make(struct player *player);
/* Some more, as others have come through; the pacers at last. */
void player_connect_go_on(struct player *player);
/* Of those who do not write, some more, as others have been through it. */
void player_greet_go_on(struct player *player);
