/* SPDX-License-Identifier: Apache-2.0 */
/* tree.h - the supervision tree of a node:
 *
 *     root (one_for_one)
 *      +- store (one_for_one)          journals, readers, folders, 256 partitions (store/store.h)
 *      +- presence (one_for_one)       on each scheduler: who is online of those at home there
 *      +- connections.N (dynamic)      on each scheduler: its connections
 *      +- clock                        on each scheduler: wakes them now and then
 *      +- couriers.N (dynamic)         on each scheduler: they carry pushes
 *      +- push.N                       on each scheduler: wakes devices that are offline
 *      +- shell                        the operator's socket
 *      +- listener                     clients' socket
 *
 * A node that does not push has neither of the two.
 *
 * It starts from the top and stops from the bottom: nobody new, then connections say good-bye, then
 * presences tell the store who was there, then the store.
 */
#pragma once

#include "actors/messenger.h"
#include "runtime/node.h"
#include "runtime/supervisor.h"

struct tree;

/* "connections.3": the supervisor of a scheduler's connections. */
enum { TREE_NAME_BYTES = 32 };
void tree_connections_name(unsigned scheduler, char out[TREE_NAME_BYTES]);

/* Builds the tables. They live until tree_free, after the node was closed. */
struct tree *tree_new(struct messenger *messenger, unsigned schedulers);
/* The argument of the ln_supervisor that is the tree's root; borrowed from the tree. */
const struct ln_supervision *tree_root(const struct tree *tree);
/* tree_new, and makes it the node's root. */
struct tree *tree_plant(struct messenger *messenger, struct ln_node *node, unsigned schedulers);
/* NULL is allowed. */
void tree_free(struct tree *tree);
