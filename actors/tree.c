/* SPDX-License-Identifier: Apache-2.0 */
#include "actors/tree.h"

#include "actors/clock.h"
#include "actors/connection.h"
#include "actors/courier.h"
#include "actors/listener.h"
#include "actors/presence.h"
#include "actors/push.h"
#include "actors/shell.h"
#include "runtime/supervisor.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    /* A fault that comes back this often within this time is not one that a restart cures. */
    RESTARTS_MAX = 10,
    RESTARTS_MS = 10000,
    /* Connections crash one by one, not their supervisor: what crashes again and again is a
     * client's doing. */
    DYNAMIC_RESTARTS_MAX = 1,
};

struct home {
    char name[TREE_NAME_BYTES];
    struct ln_child connection;
    struct ln_supervision connections;
    char push_name[PUSH_NAME_BYTES], couriers_name[PUSH_NAME_BYTES];
    struct ln_child courier;
    struct ln_supervision couriers;
};

struct tree {
    struct messenger *messenger;
    struct ln_supervision store;
    struct ln_supervision root;
    struct ln_child *children;
    struct presence **presences; /* the arguments of the next */
    struct ln_child *presence_children;
    struct ln_supervision presence;
    struct home homes[];
};

void
tree_connections_name(unsigned scheduler, char out[TREE_NAME_BYTES])
{
    int bytes = snprintf(out, TREE_NAME_BYTES, "connections.%u", scheduler);
    ASSERT(bytes > 0 && bytes < TREE_NAME_BYTES);
}

static void
home_plant(struct home *home, unsigned scheduler)
{
    tree_connections_name(scheduler, home->name);
    home->connection = (struct ln_child){
        .id = "connection", .behaviour = &connection_behaviour, .restart = LN_TEMPORARY};
    home->connections = (struct ln_supervision){LN_DYNAMIC, DYNAMIC_RESTARTS_MAX, RESTARTS_MS,
                                                &home->connection, 1};
    push_name(scheduler, home->push_name);
    push_couriers_name(scheduler, home->couriers_name);
    home->courier = (struct ln_child){
        .id = "courier", .behaviour = &courier_behaviour, .restart = LN_TEMPORARY};
    home->couriers =
        (struct ln_supervision){LN_DYNAMIC, DYNAMIC_RESTARTS_MAX, RESTARTS_MS, &home->courier, 1};
}

/* Who wakes devices on a scheduler, and those who go there. */
static uint32_t
plant_push(struct tree *tree, unsigned scheduler, uint32_t count)
{
    const struct home *home = &tree->homes[scheduler];
    tree->children[count++] = (struct ln_child){.id = "couriers",
                                                .behaviour = &ln_supervisor,
                                                .argument = &home->couriers,
                                                .bytes = sizeof home->couriers,
                                                .name = home->couriers_name,
                                                .elsewhere = true,
                                                .scheduler = (int)scheduler};
    tree->children[count++] = (struct ln_child){.id = "push",
                                                .behaviour = &push_behaviour,
                                                .argument = &tree->messenger,
                                                .bytes = sizeof(struct messenger *),
                                                .name = home->push_name,
                                                .elsewhere = true,
                                                .scheduler = (int)scheduler};
    return count;
}

static void
presences_plant(struct tree *tree, unsigned schedulers)
{
    tree->presences = calloc(schedulers, sizeof(struct presence *));
    tree->presence_children = calloc(schedulers, sizeof *tree->presence_children);
    ASSERT(tree->presences != NULL && tree->presence_children != NULL && "out of memory");
    tree->messenger->presences = presence_new(tree->messenger, schedulers);
    for (unsigned i = 0; i < schedulers; i++) {
        tree->presences[i] = presence_at(tree->messenger->presences, i);
        tree->presence_children[i] = (struct ln_child){.id = "presence",
                                                       .behaviour = &presence_behaviour,
                                                       .argument = &tree->presences[i],
                                                       .bytes = sizeof(struct presence *),
                                                       .elsewhere = true,
                                                       .scheduler = (int)i};
    }
    tree->presence = (struct ln_supervision){LN_ONE_FOR_ONE, RESTARTS_MAX, RESTARTS_MS,
                                             tree->presence_children, schedulers};
}

struct tree *
tree_new(struct messenger *messenger, unsigned schedulers)
{
    struct tree *tree = calloc(1, sizeof *tree + schedulers * sizeof tree->homes[0]);
    ASSERT(tree != NULL && "out of memory");
    tree->children = calloc(4 * schedulers + 4, sizeof *tree->children);
    ASSERT(tree->children != NULL && "out of memory");
    tree->messenger = messenger;
    size_t store_count = 0;
    const struct ln_child *store_specs = store_children(messenger->store, &store_count);
    tree->store = (struct ln_supervision){LN_ONE_FOR_ONE, RESTARTS_MAX, RESTARTS_MS, store_specs,
                                          (uint32_t)store_count};
    uint32_t count = 0;
    tree->children[count++] = (struct ln_child){.id = "store",
                                                .behaviour = &ln_supervisor,
                                                .argument = &tree->store,
                                                .bytes = sizeof tree->store,
                                                .name = "store"};
    presences_plant(tree, schedulers);
    tree->children[count++] = (struct ln_child){.id = "presence",
                                                .behaviour = &ln_supervisor,
                                                .argument = &tree->presence,
                                                .bytes = sizeof tree->presence,
                                                .name = "presence"};
    for (unsigned i = 0; i < schedulers; i++) {
        home_plant(&tree->homes[i], i);
        tree->children[count++] = (struct ln_child){.id = "connections",
                                                    .behaviour = &ln_supervisor,
                                                    .argument = &tree->homes[i].connections,
                                                    .bytes = sizeof tree->homes[i].connections,
                                                    .name = tree->homes[i].name,
                                                    .elsewhere = true,
                                                    .scheduler = (int)i};
    }
    for (unsigned i = 0; i < schedulers; i++) {
        tree->children[count++] = (struct ln_child){.id = "clock",
                                                    .behaviour = &clock_behaviour,
                                                    .argument = &tree->messenger,
                                                    .bytes = sizeof(struct messenger *),
                                                    .elsewhere = true,
                                                    .scheduler = (int)i};
    }
    for (unsigned i = 0; messenger->push != NULL && i < schedulers; i++) {
        count = plant_push(tree, i, count);
    }
    tree->children[count++] = (struct ln_child){.id = "shell",
                                                .behaviour = &shell_behaviour,
                                                .argument = &tree->messenger,
                                                .bytes = sizeof(struct messenger *),
                                                .name = "shell"};
    tree->children[count++] = (struct ln_child){.id = "listener",
                                                .behaviour = &listener_behaviour,
                                                .argument = &tree->messenger,
                                                .bytes = sizeof(struct messenger *),
                                                .name = "listener"};
    tree->root =
        (struct ln_supervision){LN_ONE_FOR_ONE, RESTARTS_MAX, RESTARTS_MS, tree->children, count};
    return tree;
}

const struct ln_supervision *
tree_root(const struct tree *tree)
{
    return &tree->root;
}

struct tree *
tree_plant(struct messenger *messenger, struct ln_node *node, unsigned schedulers)
{
    struct tree *tree = tree_new(messenger, schedulers);
    ln_node_root(node, &ln_supervisor, &tree->root, sizeof tree->root);
    return tree;
}

void
tree_free(struct tree *tree)
{
    if (tree != NULL) {
        presence_free(tree->messenger->presences);
        tree->messenger->presences = NULL;
        free(tree->presence_children);
        free(tree->presences);
        free(tree->children);
        free(tree);
    }
}
