/* SPDX-License-Identifier: Apache-2.0 */
/* world.h - a whole node under the sim driver, and the people who use it.
 *
 *     struct world world;
 *     world_open(&world, seed);
 *     struct person *alice = world_person(&world, "alice"), *bob = world_person(&world, "bob");
 *     world_settle(&world);                         both have enrolled
 *     person_says(alice, bob, 3);                   three messages
 *     world_run(&world, 5);                         five milliseconds pass
 *     world_crash(&world);                          the power goes, and comes back
 *     world_settle(&world);                         until nobody has anything left to do
 *     assert_int_equal(person_heard(bob, alice), 3);
 *     world_close(&world);
 *
 * Everything that anyone is told is judged on the spot against what was promised (judge.h); the
 * first broken promise is kept in world.broken. People come back by themselves when they are cut
 * off, keep what they did not get answered, acknowledge only what they have stored, and read what
 * they see when they are told to.
 *
 * With faults of the disk a node may end itself, which is as it should be: its world goes dark, and
 * the next world_run finds it started again.
 */
#pragma once

#include "actors/messenger.h"
#include "actors/push_office.h"
#include "actors/tree.h"
#include "net/client.h"
#include "runtime/io/sim.h"
#include "runtime/node.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    WORLD_PEOPLE_MAX = 8,
    WORLD_SAID_MAX = 4096, /* messages from one to another, in one test */
    WORLD_TEXT_BYTES = 160,
    WORLD_DELETED = 255,
};

struct world;

/* What one person knows of another. */
struct acquaintance {
    uint32_t said;                 /* messages that I have written to them, 1, 2, 3 ... */
    uint32_t handed;               /* of them, given to the client */
    uint8_t sent[WORLD_SAID_MAX];  /* [n]: I was told that it is durable */
    uint8_t again[WORLD_SAID_MAX]; /* [n]: it was refused for now and said again, maybe later */
    uint8_t shown[WORLD_SAID_MAX]; /* [n]: I was shown theirs of this number */
    uint64_t chat[WORLD_SAID_MAX]; /* [n]: its number in the chat, when sent */
    uint64_t sent_ms[WORLD_SAID_MAX];
    uint8_t handle[WORLD_SAID_MAX][24]; /* [n]: what a change of it has to bring */
    /* [n]: edits of it, 1, 2, 3 ..., or WORLD_DELETED: the last that I have asked for, that was
     * accepted; of theirs: that I was shown. */
    uint8_t asked[WORLD_SAID_MAX], changed[WORLD_SAID_MAX], seen[WORLD_SAID_MAX];
    uint64_t delivered, read; /* ticks that I was shown */
    uint32_t heard;           /* their last message that I was shown */
    uint32_t heard_count;     /* how many */
    uint64_t heard_chat;      /* the highest chat number that I have stored */
    uint64_t read_chat;       /* the highest that I have marked read */
    uint64_t read_said;       /* the same, on this connection */
    uint64_t heard_time_ms;
};

struct person {
    struct world *world;
    const char *name;
    unsigned index;
    uint64_t user;
    char token[PROTOCOL_TOKEN_BYTES_MAX + 1];
    struct client client;
    struct client_login login;
    struct sim_peer *peer;
    bool away;            /* wants to be offline */
    bool reads;           /* marks what it sees as read */
    bool calling;         /* a reconnect is on its way */
    uint64_t heard_at_ns; /* the last sign of life on this connection */
    uint32_t refused;
    uint32_t last_close; /* why the node closed the last connection */
    struct acquaintance with[WORLD_PEOPLE_MAX];
};

struct world {
    uint64_t seed;
    char root[64];
    unsigned schedulers;
    unsigned lives;
    uint64_t now_ns;
    uint64_t chance;                              /* the people's */
    struct sim_faults faults;                     /* in all lives to come: world_faults */
    bool hangs_up;                                /* people do, when they hear nothing for long */
    void (*log)(void *context, const char *line); /* of every event; NULL: nobody */
    void *log_context;
    unsigned ended;  /* lives that the node has ended itself, after the disk had failed */
    bool drop_syncs; /* a planted bug, for judging the judges: in all lives to come */
    bool answer_early;
    bool lost_pushes; /* audits find that, and it does not break a promise */
    /* Of the disk, in all lives to come; 0: no limit. */
    uint64_t disk_bytes_max;
    uint32_t group_waits_max; /* the store's; likewise */
    bool roomy; /* the store's log takes what a large group says; else it folds often */
    /* An actor that lives beside the node's tree, in all lives to come; behaviour NULL: none. */
    struct ln_child guest;
    struct ln_child root_children[2];
    struct ln_supervision guest_root;
    void (*set)(struct settings *settings); /* before the first boot; NULL: nothing */
    struct settings settings;
    struct push_office office; /* as push_subject and push_webhook ask for */
    struct io_driver *driver;
    struct store *store;
    struct ln_node *node;
    struct tree *tree;
    struct messenger messenger;
    struct client_config config;
    struct arena arena;
    unsigned char arena_room[4096];
    struct person people[WORLD_PEOPLE_MAX];
    unsigned people_count;
    char broken[WORLD_TEXT_BYTES]; /* the first broken promise; empty: none */
};

/* A new world on an empty disk, with its node running. Fails the test when it can't. */
void world_open(struct world *world, uint64_t seed);
/* The same with a guest beside the node's tree. */
void world_open_with(struct world *world, uint64_t seed, struct ln_child guest);
/* The same in two steps, for a world with faults: what is set between holds from the first boot. */
void world_fresh(struct world *world, uint64_t seed);
void world_begin(struct world *world);
/* From now on, and in all lives to come. */
void world_faults(struct world *world, const struct sim_faults *faults);
/* Ends it all and removes the disk. */
void world_close(struct world *world);

/* The same for a world whose promises are broken: nobody waits for its node to stop. */
void world_abandon(struct world *world);

/* A person who goes online at once, enrols by password, and stays. */
struct person *world_person(struct world *world, const char *name);

void world_run(struct world *world, uint64_t ms);
/* Until all that was said has been sent, heard, acknowledged and ticked, as far as those online
 * can; false when that takes more than a (virtual) minute. */
bool world_settle(struct world *world);
/* The power goes; the node starts again from what the disk kept. */
void world_crash(struct world *world);
/* The same, at the n-th event from now, if the world gets there while it runs for `ms`. */
void world_crash_within(struct world *world, uint64_t events, uint64_t ms);
/* The operator stops the node, and starts it again. */
void world_restart(struct world *world);

void person_says(struct person *person, struct person *to, uint32_t count);
/* Edits its n-th message to that person, or takes it back; nothing happens when it is not sent yet,
 * a change of it is under way, or it is gone. */
void person_edits(struct person *person, struct person *to, uint32_t n);
void person_deletes(struct person *person, struct person *to, uint32_t n);
/* Goes offline (the connection is cut), comes back. */
void person_leaves(struct person *person);
void person_returns(struct person *person);
/* The connection breaks; the person comes back by itself. */
void person_is_cut(struct person *person);
uint32_t person_heard(const struct person *person, const struct person *from);
/* How many of the messages to `to` were sent; delivered; read, as the ticks say. */
uint32_t person_ticks_sent(const struct person *person, const struct person *to);
uint64_t person_ticks_delivered(const struct person *person, const struct person *to);
uint64_t person_ticks_read(const struct person *person, const struct person *to);
