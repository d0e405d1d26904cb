/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/store/rig.h"

#include "tests/spec.h"
#include "tests/store/own_end.h"

#include <ftw.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    STORY_MS_MAX = 600000,
    STOP_MS_MAX = 30000,
};
#define NS_PER_MS UINT64_C(1000000)

static int
remove_one(const char *path, const struct stat *status, int kind, struct FTW *at)
{
    (void)status;
    (void)kind;
    (void)at;
    return remove(path);
}

uint64_t
rig_setting(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name); // NOLINT(concurrency-mt-unsafe): one thread
    return text != NULL ? strtoull(text, NULL, 10) : otherwise;
}

static void
remove_all(const struct rig *rig)
{
    (void)nftw(rig->root, remove_one, 16, FTW_DEPTH | FTW_PHYS); // NOLINT(concurrency-mt-unsafe)
}

void
rig_open(struct rig *rig, uint64_t seed)
{
    memset(rig, 0, sizeof(*rig));
    rig->seed = seed;
    rig->schedulers = 1;
    rig->now_ns = 1000 * NS_PER_MS;
    (void)snprintf(rig->root, sizeof(rig->root), "/dev/shm/linnet-store-%d", (int)getpid());
    (void)snprintf(rig->path, sizeof(rig->path), "%s/data", rig->root);
    remove_all(rig);
    rig->options = (struct store_options){
        .path = rig->path,
        .map_bytes = 64 << 20,
        .segment_bytes = 256 << 10,
        .reserve_bytes = 64 << 10,
        .reads_until_warm = (uint32_t)(seed % 2), /* from the first, or seldom */
    };
}

void
rig_close(struct rig *rig)
{
    if (rig->driver != NULL) {
        rig_bury(rig);
    }
    remove_all(rig);
}

void
rig_wrong(struct rig *rig, const char *format, ...)
{
    va_list arguments;
    if (rig->wrong[0] != '\0') {
        return;
    }
    va_start(arguments, format);
    (void)vsnprintf(rig->wrong, sizeof(rig->wrong), format, arguments);
    va_end(arguments);
}

/* -------------------------------------------------------------------------------------- scripts */

struct script {
    struct rig *rig;
    unsigned index;
};

static int
script_start(void *state, const void *argument)
{
    *(struct script *)state = *(const struct script *)argument;
    return 0;
}

static void
script_run(void *state)
{
    struct script *script = state;
    script->rig->scripts[script->index](script->rig, script->index);
}

static const struct ln_behaviour script_behaviour = {
    .name = "script",
    .state_bytes = sizeof(struct script),
    .init = script_start,
    .run = script_run,
    .stack_bytes = 64 << 10,
};

static void
tell_story(struct rig *rig, unsigned index)
{
    (void)index;
    rig->story(rig);
    rig->done = true;
}

/* ---------------------------------------------------------------------------------------- lives */

static void
plant(struct rig *rig)
{
    static struct script arguments[RIG_SCRIPTS_MAX];
    size_t count;
    const struct ln_child *children = store_children(rig->store, &count);
    rig->store_tree =
        (struct ln_supervision){LN_ONE_FOR_ONE, 1000, 1000, children, (uint32_t)count};
    rig->children[0] = (struct ln_child){.id = "store",
                                         .behaviour = &ln_supervisor,
                                         .argument = &rig->store_tree,
                                         .bytes = sizeof(rig->store_tree),
                                         .name = "store"};
    for (unsigned i = 0; i < rig->scripts_count; i++) {
        arguments[i] = (struct script){rig, i};
        rig->children[1 + i] = (struct ln_child){.id = "script",
                                                 .behaviour = &script_behaviour,
                                                 .argument = &arguments[i],
                                                 .bytes = sizeof(arguments[i]),
                                                 .restart = LN_TEMPORARY,
                                                 .elsewhere = true,
                                                 .scheduler = (int)(i % rig->schedulers)};
    }
    rig->root_tree =
        (struct ln_supervision){LN_ONE_FOR_ONE, 100, 1000, rig->children, 1 + rig->scripts_count};
    ln_node_root(rig->node, &ln_supervisor, &rig->root_tree, sizeof(rig->root_tree));
}

int
rig_boot(struct rig *rig)
{
    struct sim_options sim = {
        .seed = rig->seed * 1000 + rig->lives,
        .loops = rig->schedulers,
        .root = rig->root,
        .now_start_ns = rig->now_ns,
        .drop_syncs = rig->drop_syncs,
        .faults = rig->faults,
        .log = rig->log,
        .log_context = rig->log_context,
        .disk_bytes_max = rig->disk_bytes_max,
        .disk_delay_ns_max = rig->disk_delay_ns_max,
        .work_delay_ns_max = rig->work_delay_ns_max,
        .page_wait_one_in = rig->page_wait_one_in,
    };
    assert_int_equal(sim_open(&sim, &rig->driver), 0);
    own_end_expect(rig->driver);
    if (rig->crash_event != 0) {
        sim_crash_at(rig->driver, rig->crash_event);
    }
    rig->options.driver = rig->driver;
    rig->lives++;
    rig->done = false;
    int error = store_open(&rig->options, &rig->store, &rig->report);
    if (error != 0) {
        rig->disk_failed = own_end_disk_failed(rig->driver) || sim_crashed(rig->driver);
        own_end_expect(NULL);
        io_driver_close(rig->driver);
        rig->driver = NULL;
        return error;
    }
    rig->node = ln_node_open(rig->driver, &(struct ln_node_options){0});
    plant(rig);
    assert_int_equal(ln_node_start(rig->node), 0);
    return 0;
}

bool
rig_run(struct rig *rig, uint64_t ms)
{
    uint64_t end_ns = sim_now_ns(rig->driver) + ms * NS_PER_MS;
    while (!rig->done && sim_now_ns(rig->driver) < end_ns && !sim_crashed(rig->driver)) {
        uint64_t before_ns = sim_now_ns(rig->driver);
        bool more = sim_run(rig->driver, before_ns + NS_PER_MS);
        if (!more && !rig->done && !sim_crashed(rig->driver) &&
            sim_now_ns(rig->driver) == before_ns) {
            rig_wrong(rig, "the node ended, or nobody waits for anything that can happen");
            break;
        }
    }
    return rig->done;
}

void
rig_stop(struct rig *rig)
{
    ln_node_stop(rig->node);
    (void)sim_run(rig->driver, sim_now_ns(rig->driver) + STOP_MS_MAX * NS_PER_MS);
}

void
rig_bury(struct rig *rig)
{
    rig->now_ns = sim_now_ns(rig->driver);
    own_end_expect(NULL);
    ln_node_close(&rig->node);
    store_close(&rig->store);
    io_driver_close(rig->driver);
    rig->driver = NULL;
}

void
rig_tell(struct rig *rig, rig_story *story)
{
    rig->story = story;
    rig->scripts[0] = tell_story;
    rig->scripts_count = 1;
    int error = rig_boot(rig);
    if (error != 0) {
        print_message("%s\n", rig->report.why);
    }
    assert_int_equal(error, 0);
}

void
rig_play(struct rig *rig, rig_story *story)
{
    rig_tell(rig, story);
    bool done = rig_run(rig, STORY_MS_MAX);
    rig_stop(rig);
    rig_bury(rig);
    if (rig->wrong[0] != '\0' || !done) {
        rig_close(rig);
        fail_msg("%s", done ? rig->wrong : "the story did not come to its end");
    }
}

void
rig_play_once(struct rig *rig, uint64_t seed, rig_story *story)
{
    rig_open(rig, seed);
    rig_play(rig, story);
    rig_close(rig);
}
