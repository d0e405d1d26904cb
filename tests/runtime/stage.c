/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/runtime/stage.h"

#include "runtime/io/sim.h"
#include "runtime/io/uring.h"
#include "runtime/node_priv.h"

#include <stdio.h>
#include <string.h>

enum { ROOT_STACK_BYTES = 256 * 1024, PATIENCE_MS = 60 * 1000, SETTLE_MS = 10 };

static struct io_driver *current;

static void
root_run(void *state)
{
    void (*story)(void) = *(void (**)(void))state;
    story();
}

static int
root_init(void *state, const void *argument)
{
    memcpy(state, argument, sizeof(void (*)(void)));
    return 0;
}

static const struct ln_behaviour root = {
    .name = "root",
    .state_bytes = sizeof(void (*)(void)),
    .init = root_init,
    .run = root_run,
    .stack_bytes = ROOT_STACK_BYTES,
};

static const struct ln_behaviour root_trapping = {
    .name = "root",
    .state_bytes = sizeof(void (*)(void)),
    .init = root_init,
    .run = root_run,
    .stack_bytes = ROOT_STACK_BYTES,
    .trap_exit = true,
};

/* ------------------------------------------------------------------------------------ the books */

static void
send_home(struct ln_msg *msg)
{
    struct scheduler *self = scheduler_self;
    ln_buffer_put(&msg->buffer);
    slab_free(&self->node->schedulers[msg->home].slab, msg, msg->block_bytes);
}

static void
channels_drain(struct ln_node *node)
{
    for (unsigned i = 0; i < node->schedulers_count; i++) {
        for (unsigned j = 0; j < node->schedulers_count; j++) {
            if (i != j) {
                scheduler_self = &node->schedulers[i];
                channel_free(node->schedulers[i].out[j], send_home);
                node->schedulers[i].out[j] = NULL;
                node->schedulers[j].in[i] = NULL;
            }
        }
    }
    scheduler_self = NULL;
}

/* A scheduler's memory holds nothing any more. */
static void
expect_all_home(struct ln_node *node)
{
    channels_drain(node);
    for (unsigned i = 0; i < node->schedulers_count; i++) {
        const struct scheduler *scheduler = &node->schedulers[i];
        EXPECT(slab_blocks_used(&scheduler->slab) == 0 && scheduler->actors.used_count == 0);
        EXPECT(scheduler->handles.count == 0);
        EXPECT(scheduler->timers.set_count == 0 && scheduler->alarms.used_count == 0);
        EXPECT(scheduler->sockets_count == 0);
    }
}

/* Stories crash actors on purpose. */
static void
hear_nothing(void *context, const char *report)
{
    (void)context;
    (void)report;
}

static void
play(struct io_driver *driver, const struct ln_behaviour *behaviour, void (*story)(void),
     const struct ln_node_options *options)
{
    current = driver;
    struct ln_node_options quiet = *options;
    quiet.log = options->log != NULL ? options->log : hear_nothing;
    struct ln_node *node = ln_node_open(driver, &quiet);
    ln_node_root(node, behaviour, &story, sizeof story);
    EXPECT(ln_node_start(node) == 0);
    struct ln_reason reason = ln_node_join(node);
    if (reason.kind != LN_EXIT_NORMAL) {
        (void)fprintf(stderr, "%s: the story ended: %s, %s (%s:%d)\n", io_driver_name(driver),
                      ln_exit_kind_name(reason.kind), reason.text, reason.file, reason.line);
    }
    EXPECT(reason.kind == LN_EXIT_NORMAL);
    expect_all_home(node);
    ln_node_close(&node);
}

void
stage_play_once(void (*story)(void), const struct sim_options *machine,
                const struct ln_node_options *options)
{
    struct sim_options once = *machine;
    struct io_driver *driver;
    once.loops = STAGE_LOOPS;
    once.root = ".";
    EXPECT(sim_open(&once, &driver) == 0);
    play(driver, &root, story, options);
    io_driver_close(driver);
}

static void
play_machine(const struct ln_behaviour *behaviour, void (*story)(void),
             const struct ln_node_options *options, struct sim_options machine)
{
    machine.loops = STAGE_LOOPS;
    machine.root = ".";
    for (machine.seed = 1; machine.seed <= STAGE_SEEDS; machine.seed++) {
        struct io_driver *driver;
        EXPECT(sim_open(&machine, &driver) == 0);
        play(driver, behaviour, story, options);
        io_driver_close(driver);
    }
}

static void
play_seeds(const struct ln_behaviour *behaviour, void (*story)(void),
           const struct ln_node_options *options)
{
    play_machine(behaviour, story, options, (struct sim_options){0});
}

void
stage_play_machine(void (*story)(void), const struct sim_options *machine)
{
    play_machine(&root, story, &(struct ln_node_options){0}, *machine);
}

void
stage_play(void (*story)(void))
{
    play_seeds(&root, story, &(struct ln_node_options){0});
}

void
stage_play_trapping(void (*story)(void))
{
    play_seeds(&root_trapping, story, &(struct ln_node_options){0});
}

void
stage_play_with(void (*story)(void), const struct ln_node_options *options)
{
    play_seeds(&root, story, options);
}

void
stage_play_threads(void (*story)(void), unsigned loops)
{
    stage_play_threads_with(story, loops, &(struct ln_node_options){0});
}

void
stage_play_threads_with(void (*story)(void), unsigned loops, const struct ln_node_options *options)
{
#if defined(LINNET_SIM_ONLY)
    (void)printf("left out, since it needs io_uring: the story on %u threads\n", loops);
    return;
#endif
    char why[256];
    struct io_driver *driver;
    int error = uring_open(&(struct uring_options){.loops = loops}, &driver, why, sizeof why);
    if (error != 0) {
        (void)fprintf(stderr, "%s\n", why);
    }
    EXPECT(error == 0);
    play(driver, &root, story, options);
    io_driver_close(driver);
}

struct ln_node *
stage_open(const struct ln_behaviour *behaviour, unsigned loops, struct io_driver **out_driver)
{
    char why[256];
    EXPECT(uring_open(&(struct uring_options){.loops = loops}, out_driver, why, sizeof why) == 0);
    struct ln_node *node = ln_node_open(*out_driver, &(struct ln_node_options){0});
    ln_node_root(node, behaviour, NULL, 0);
    EXPECT(ln_node_start(node) == 0);
    return node;
}

void
stage_close(struct ln_node **node, struct io_driver *driver)
{
    ln_node_stop(*node);
    EXPECT(ln_node_join(*node).kind == LN_EXIT_SHUTDOWN);
    expect_all_home(*node);
    ln_node_close(node);
    io_driver_close(driver);
}

uint32_t
stage_stacks_max(const struct ln_node *node)
{
    return node->stacks_max;
}

bool
stage_play_until(void (*story)(void), uint64_t seed, uint64_t event)
{
    struct io_driver *driver;
    EXPECT(sim_open(&(struct sim_options){.seed = seed, .loops = STAGE_LOOPS, .root = "."},
                    &driver) == 0);
    current = driver;
    sim_crash_at(driver, event);
    struct ln_node *node = ln_node_open(driver, &(struct ln_node_options){.log = hear_nothing});
    ln_node_root(node, &root, &story, sizeof story);
    EXPECT(ln_node_start(node) == 0);
    (void)ln_node_join(node);
    bool over = !sim_crashed(driver);
    ln_node_close(&node);
    io_driver_close(driver);
    return over;
}

/* ---------------------------------------------------------------------------------- for stories */

struct io_driver *
stage_driver(void)
{
    return current;
}

struct ln_msg *
stage_next(void)
{
    struct ln_msg *msg = NULL;
    EXPECT(ln_receive(PATIENCE_MS, &msg) == 0);
    return msg;
}

void
stage_expect(uint32_t tag, void *out, size_t bytes)
{
    struct ln_msg *msg = stage_next();
    if (msg->tag != tag) {
        (void)fprintf(stderr, "expected tag %#x, got %#x\n", tag, msg->tag);
    }
    EXPECT(msg->tag == tag && msg->bytes >= bytes);
    if (out != NULL) {
        memcpy(out, msg->data, bytes);
    }
    ln_msg_free(&msg);
}

static bool
is_down_of(const struct ln_msg *msg, void *monitor)
{
    return msg->tag == LN_TAG_DOWN && msg->ref == *(const uint64_t *)monitor;
}

struct ln_reason
stage_down(uint64_t monitor)
{
    struct ln_msg *msg = NULL;
    EXPECT(ln_receive_match(is_down_of, &monitor, PATIENCE_MS, &msg) == 0);
    struct ln_down down;
    memcpy(&down, msg->data, sizeof down);
    ln_msg_free(&msg);
    return down.reason;
}

void
stage_expect_silence(uint64_t ms)
{
    struct ln_msg *msg = NULL;
    int error = ln_receive(ms, &msg);
    if (error == 0) {
        (void)fprintf(stderr, "unexpected message %#x\n", msg->tag);
    }
    EXPECT(error == -ETIMEDOUT);
}

void
stage_say(ln_pid to, uint32_t tag)
{
    struct ln_msg *msg = ln_msg_new(tag, LN_DURABLE, 0);
    ln_send(to, &msg);
}

void
stage_settle(void)
{
    EXPECT(ln_sleep(SETTLE_MS) == 0);
}
