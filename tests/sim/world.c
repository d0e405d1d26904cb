/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/sim/world.h"

#include "actors/auth.h"
#include "tests/sim/judge.h"
#include "tests/sim/person.h"
#include "tests/spec.h"
#include "tests/store/own_end.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    SETTLE_MS_MAX = 60000,
    BOOT_MS_MAX = 10000,
    STOP_MS_MAX = 20000,
    BOOTS_MAX = 50, /* on a failing disk */
    /* Who has waited so long for a node without hearing anything hangs up; only where peers may
     * vanish. */
    SILENCE_MS_MAX = 8000,
    /* The cheapest that Argon2id allows: enrolling is not what is tested. */
    PASSWORD_MEMORY_BYTES = 8192,
    SEGMENT_BYTES = 256 << 10,
    ROOMY_SEGMENT_BYTES = 16 << 20,
    ROOMY_REPLAY_COMMANDS_MAX = 1 << 20,
};

uint64_t
world_chance(struct world *world, uint64_t below)
{
    /* splitmix64 */
    world->chance += UINT64_C(0x9e3779b97f4a7c15);
    uint64_t z = world->chance;
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return (z ^ (z >> 31)) % below;
}

static void
chance_fill(void *context, void *out, size_t bytes)
{
    unsigned char *at = out;
    for (size_t i = 0; i < bytes; i++) {
        at[i] = (unsigned char)world_chance(context, 256);
    }
}

/* ---------------------------------------------------------------------------------------- lives */

/* With a guest the tree hangs in a root of its own, which ends when the tree does. */
static void
plant(struct world *world)
{
    if (world->guest.behaviour == NULL) {
        world->tree = tree_plant(&world->messenger, world->node, world->schedulers);
        return;
    }
    world->tree = tree_new(&world->messenger, world->schedulers);
    world->root_children[0] = (struct ln_child){.id = "tree",
                                                .behaviour = &ln_supervisor,
                                                .argument = tree_root(world->tree),
                                                .bytes = sizeof *tree_root(world->tree)};
    world->root_children[1] = world->guest;
    world->guest_root = (struct ln_supervision){LN_ONE_FOR_ONE, 0, 1000, world->root_children, 2};
    ln_node_root(world->node, &ln_supervisor, &world->guest_root, sizeof world->guest_root);
}

/* The machine is off: nothing of it is left but the disk and what the people remember. */
static void
bury(struct world *world)
{
    world->now_ns = sim_now_ns(world->driver);
    own_end_expect(NULL);
    for (unsigned i = 0; i < world->people_count; i++) {
        if (world->people[i].peer != NULL) {
            judge_unanswered(&world->people[i]);
        }
        world->people[i].peer = NULL;
        world->people[i].calling = false;
    }
    uint64_t violations = messenger_counted(&world->messenger.counters.invariant_violations);
    if (violations > 0 && !world->lost_pushes) {
        judge_broken(world, "audits found %llu gaps", (unsigned long long)violations);
    }
    ln_node_close(&world->node);
    tree_free(world->tree);
    push_office_close(&world->office);
    messenger_fini(&world->messenger);
    store_close(&world->store);
    io_driver_close(world->driver);
    world->tree = NULL;
    world->driver = NULL;
}

/* What the disk refused may go well the next time; all else is wrong. */
static bool
unopened(struct world *world, int error, const char *why)
{
    if (!own_end_disk_failed(world->driver)) {
        judge_broken(world, "the store does not open: %s (%d)", why, error);
    }
    world->now_ns = sim_now_ns(world->driver) + UINT64_C(1000000000);
    own_end_expect(NULL);
    io_driver_close(world->driver);
    world->driver = NULL;
    return false;
}

/* A world that pushes. */
static void
office_open(struct world *world)
{
    char why[PUSH_OFFICE_WHY_BYTES] = "";
    assert_int_equal(push_office_open(world->driver, &world->settings, &world->office, why), 0);
    if (world->office.web || world->office.webhook) {
        world->messenger.push = &world->office;
    }
}

/* False: the disk failed before the node stood. */
static bool
boot_once(struct world *world)
{
    struct sim_options sim = {.seed = world->seed * 1000 + world->lives,
                              .loops = world->schedulers,
                              .root = world->root,
                              .now_start_ns = world->now_ns,
                              .disk_bytes_max = world->disk_bytes_max,
                              .drop_syncs = world->drop_syncs,
                              .faults = world->faults,
                              .log = world->log,
                              .log_context = world->log_context};
    sim.wall_start_ms = INT64_C(1767225600000) + (int64_t)(world->now_ns / 1000000);
    world->lives++;
    assert_int_equal(sim_open(&sim, &world->driver), 0);
    own_end_expect(world->driver);
    assert_int_equal(auth_open(io_of(world->driver, 0)), 0);
    char path[128];
    (void)snprintf(path, sizeof path, "%s/data", world->root);
    struct store_options store = {
        .driver = world->driver,
        .path = path,
        .map_bytes = 64 << 20,
        .segment_bytes = world->roomy ? ROOMY_SEGMENT_BYTES : SEGMENT_BYTES,
        .reserve_bytes = SEGMENT_BYTES,
        .replay_commands_max =
            world->roomy ? ROOMY_REPLAY_COMMANDS_MAX : 64 + 400 * (world->seed % 3),
        .reads_until_warm = (uint32_t)(world->seed / 2 % 2), /* from the first, or seldom */
        .inbox_entries_max = world->settings.inbox_entries_max,
        .plant_lost_pushes = world->lost_pushes,
        .steps_bytes_max = 8 << 20,
        .states_max = world->settings.states_max,
        .group_log_ms = settings_group_log_ms(&world->settings),
        .group_waits_max = world->group_waits_max,
        .history_ms = settings_history_ms(&world->settings),
        .history_until_read = settings_history_until_read(&world->settings),
        .device_unseen_ms = world->settings.device_unseen_ms,
        .device_warn_ms = world->settings.device_warn_ms,
        .inbox_age_ms = world->settings.inbox_age_ms,
        .hold_ms = world->settings.hold_unknown_ms,
        .plant_answer_before_sync = world->answer_early};
    struct store_report report;
    int error = store_open(&store, &world->store, &report);
    if (error != 0) {
        return unopened(world, error, report.why);
    }
    messenger_init(&world->messenger, world->driver, world->store, &world->settings);
    office_open(world);
    if (world->seed % 2 == 1) {
        world->messenger.room.connections_settle_from = (io_socket)(world->seed / 2 % 8);
    }
    world->node = ln_node_open(world->driver, &(struct ln_node_options){0});
    plant(world);
    assert_int_equal(ln_node_start(world->node), 0);
    uint64_t deadline_ns = world->now_ns + BOOT_MS_MAX * UINT64_C(1000000);
    while (!atomic_load(&world->messenger.serving) && sim_now_ns(world->driver) < deadline_ns &&
           !sim_crashed(world->driver)) {
        (void)sim_run(world->driver, sim_now_ns(world->driver) + 1000000);
    }
    if (own_end_met()) {
        world->ended++;
        bury(world);
        return false;
    }
    assert_true(atomic_load(&world->messenger.serving));
    return true;
}

void
world_faults(struct world *world, const struct sim_faults *faults)
{
    world->faults = *faults;
    world->hangs_up = world->hangs_up || faults->vanish_one_in > 0;
    if (world->driver != NULL) {
        sim_faults_set(world->driver, faults);
    }
}

/* An operator starts it again until it stands. */
static void
boot(struct world *world)
{
    struct sim_faults faults = world->faults;
    unsigned tries = 0;
    while (!boot_once(world)) {
        if (tries > BOOTS_MAX / 2) {
            world->faults = (struct sim_faults){0}; /* on another disk, for once */
        }
        if (world->broken[0] != '\0' || ++tries == BOOTS_MAX) {
            judge_broken(world, "the node does not start");
            return;
        }
    }
    world_faults(world, &faults);
    for (unsigned i = 0; i < world->people_count; i++) {
        if (!world->people[i].away) {
            person_connect(&world->people[i]);
        }
    }
}

static int
remove_one(const char *path, const struct stat *status, int kind, struct FTW *at)
{
    (void)status;
    (void)kind;
    (void)at;
    return remove(path);
}

static void
remove_all(const char *root)
{
    // NOLINTNEXTLINE(concurrency-mt-unsafe): the simulator is one thread
    (void)nftw(root, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

void
world_open(struct world *world, uint64_t seed)
{
    world_open_with(world, seed, (struct ln_child){.behaviour = NULL});
}

void
world_open_with(struct world *world, uint64_t seed, struct ln_child guest)
{
    world_fresh(world, seed);
    world->guest = guest;
    world_begin(world);
}

void
world_fresh(struct world *world, uint64_t seed)
{
    memset(world, 0, sizeof *world);
    world->seed = seed;
}

void
world_begin(struct world *world)
{
    uint64_t seed = world->seed;
    world->chance = seed;
    world->schedulers = 1 + (unsigned)(seed % 3);
    world->now_ns = 1000000000;
    (void)snprintf(world->root, sizeof world->root, "/dev/shm/linnet-sim-%d", (int)getpid());
    remove_all(world->root);
    settings_init(&world->settings);
    world->settings.registration = REGISTRATION_OPEN;
    world->settings.password_memory_bytes = PASSWORD_MEMORY_BYTES;
    world->settings.password_ops = 1;
    (void)snprintf(world->settings.listen, sizeof world->settings.listen, "127.0.0.1:4222");
    (void)snprintf(world->settings.data, sizeof world->settings.data, "%s/data", world->root);
    world->settings.push_ca_file[0] = '\0'; /* there is no such file on the simulated disk */
    if (world->set != NULL) {
        world->set(&world->settings);
    }
    arena_init(&world->arena, world->arena_room, sizeof world->arena_room, 1 << 20);
    world->config = (struct client_config){.form = seed % 2 == 0 ? PROTOCOL_BINARY : PROTOCOL_JSON,
                                           .host = "127.0.0.1:4222",
                                           .path = "/chat",
                                           .random = chance_fill,
                                           .random_context = world,
                                           .arena = &world->arena};
    boot(world);
}

void
world_abandon(struct world *world)
{
    if (world->driver != NULL) {
        bury(world);
    }
    for (unsigned i = 0; i < world->people_count; i++) {
        client_fini(&world->people[i].client);
    }
    arena_fini(&world->arena);
    remove_all(world->root);
}

void
world_close(struct world *world)
{
    ln_node_stop(world->node);
    for (unsigned i = 0; i < world->people_count; i++) {
        world->people[i].away = true;
    }
    (void)sim_run(world->driver, sim_now_ns(world->driver) + STOP_MS_MAX * UINT64_C(1000000));
    world_abandon(world);
}

struct person *
world_person(struct world *world, const char *name)
{
    assert_true(world->people_count < WORLD_PEOPLE_MAX);
    struct person *person = &world->people[world->people_count];
    person->world = world;
    person->name = name;
    person->index = world->people_count++;
    person->reads = true;
    client_init(&person->client, &world->config);
    person_connect(person);
    return person;
}

/* ----------------------------------------------------------------------------------------- time */

static void
hang_up(struct world *world)
{
    for (unsigned i = 0; world->hangs_up && world->driver != NULL && i < world->people_count; i++) {
        struct person *person = &world->people[i];
        if (person->peer != NULL &&
            sim_now_ns(world->driver) - person->heard_at_ns > SILENCE_MS_MAX * UINT64_C(1000000)) {
            person_is_cut(person);
        }
    }
}

void
world_run(struct world *world, uint64_t ms)
{
    if (world->driver == NULL) {
        return;
    }
    uint64_t until_ns = sim_now_ns(world->driver) + ms * 1000000;
    (void)sim_run(world->driver, until_ns);
    if (own_end_met()) {
        world->ended++;
        bury(world);
        boot(world);
    }
    hang_up(world);
}

static bool
pair_settled(const struct person *from, const struct person *to)
{
    const struct acquaintance *said = &from->with[to->index];
    if (from->away || said->said == 0) {
        return true;
    }
    if (said->handed < said->said || client_unanswered(&from->client) > 0) {
        return false;
    }
    if (to->away) {
        return true;
    }
    uint64_t last = judge_last_chat(said);
    if (!judge_changes_seen(from, to)) {
        return false;
    }
    return said->delivered >= last && (!to->reads || said->read >= last);
}

static bool
settled(const struct world *world)
{
    for (unsigned i = 0; i < world->people_count; i++) {
        const struct person *person = &world->people[i];
        if (!person->away && client_state(&person->client) != CLIENT_READY) {
            return false;
        }
        for (unsigned j = 0; j < world->people_count; j++) {
            if (i != j && !pair_settled(person, &world->people[j])) {
                return false;
            }
        }
    }
    return true;
}

/* For whoever reads the failed test: who still waits for what. */
static void
unsettled_print(const struct world *world)
{
    for (unsigned i = 0; i < world->people_count; i++) {
        const struct person *person = &world->people[i];
        print_error("person %s: %s%s%s, %u unanswered, last close %u\n", person->name,
                    client_state_name(client_state(&person->client)), person->away ? ", away" : "",
                    person->peer != NULL ? ", connected" : "", client_unanswered(&person->client),
                    person->last_close);
        for (unsigned j = 0; j < world->people_count; j++) {
            const struct acquaintance *with = &person->with[j];
            print_error("    to %s: said %u, handed %u, delivered %llu, read %llu, heard %u\n",
                        world->people[j].name, with->said, with->handed,
                        (unsigned long long)with->delivered, (unsigned long long)with->read,
                        with->heard_count);
        }
    }
}

bool
world_settle(struct world *world)
{
    for (unsigned ms = 0; ms < SETTLE_MS_MAX && world->broken[0] == '\0'; ms += 10) {
        world_run(world, 10);
        if (settled(world)) {
            return true;
        }
    }
    unsettled_print(world);
    return false;
}

void
world_crash(struct world *world)
{
    sim_crash(world->driver);
    bury(world);
    boot(world);
}

void
world_crash_within(struct world *world, uint64_t events, uint64_t ms)
{
    if (world->driver == NULL) {
        return; /* it is broken */
    }
    sim_crash_at(world->driver, sim_events(world->driver) + events);
    world_run(world, ms);
    if (!sim_crashed(world->driver)) {
        sim_crash(world->driver);
    }
    bury(world);
    boot(world);
}

void
world_restart(struct world *world)
{
    ln_node_stop(world->node);
    (void)sim_run(world->driver, sim_now_ns(world->driver) + STOP_MS_MAX * UINT64_C(1000000));
    bury(world);
    boot(world);
}
