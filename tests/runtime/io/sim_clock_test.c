/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/runtime/io/sim_rig.h"
#include "tests/spec.h"

#include <errno.h>
#include <signal.h>
#include <string.h>

enum {
    SEEDS = 50,
    LOG_MAX = 256,
};

static const uint64_t NS_PER_MS = 1000000;

/* A loop that writes down its turns and does what the test has put in. */
struct actor {
    struct io_driver *driver;
    struct io *io;
    char letter;
    char *log; /* shared */
    unsigned turns, turns_max;
    uint64_t next_ns; /* what the turn answers */
    uint64_t last_turn_ns;
    unsigned busy_answers; /* how often idle says no */
    void (*act)(struct actor *actor);
    struct actor *other;
};

static uint64_t
actor_turn(void *context)
{
    struct actor *actor = context;
    size_t at = strlen(actor->log);
    if (at + 1 < LOG_MAX) {
        actor->log[at] = actor->letter;
        actor->log[at + 1] = '\0';
    }
    actor->turns++;
    actor->last_turn_ns = io_now_ns(actor->io);
    if (actor->act) {
        actor->act(actor);
    }
    return actor->next_ns;
}

static bool
actor_idle(void *context)
{
    struct actor *actor = context;
    if (actor->busy_answers > 0) {
        actor->busy_answers--;
        return false;
    }
    return true;
}

static bool
actor_stopped(void *context)
{
    const struct actor *actor = context;
    return actor->turns_max > 0 && actor->turns >= actor->turns_max;
}

/* How much the loops say they have done; NULL: they don't. */
static uint64_t (*works)(void *context);

struct stage {
    struct io_driver *driver;
    struct actor actors[3];
    char log[LOG_MAX];
};

static void
stage_open(struct stage *stage, const struct sim_options *options)
{
    struct io_loop loops[3];
    memset(stage, 0, sizeof(*stage));
    assert_int_equal(sim_open(options, &stage->driver), 0);
    for (unsigned i = 0; i < io_loops(stage->driver); i++) {
        stage->actors[i] = (struct actor){
            .driver = stage->driver,
            .io = io_of(stage->driver, i),
            .letter = (char)('a' + i),
            .log = stage->log,
            .next_ns = IO_NEVER,
            .other = &stage->actors[(i + 1) % io_loops(stage->driver)],
        };
        loops[i] = (struct io_loop){.turn = actor_turn,
                                    .idle = actor_idle,
                                    .stopped = actor_stopped,
                                    .context = &stage->actors[i],
                                    .work = works};
    }
    assert_int_equal(io_start(stage->driver, loops), 0);
}

/* ---------------------------------------------------------------------------------------- turns */

static void
first_turn(void **state)
{
    (void)state;
    struct stage stage;
    stage_open(&stage, &(struct sim_options){.seed = 1, .loops = 3});
    assert_int_equal(strlen(stage.log), 0); /* nothing before io_join */
    io_join(stage.driver);
    assert_int_equal(strlen(stage.log), 3);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(stage.actors[i].turns, 1);
    }
    io_driver_close(stage.driver);
}

static void
order_from_seed(void **state)
{
    (void)state;
    bool differs = false;
    char first[LOG_MAX];
    for (uint64_t seed = 0; seed < 10; seed++) {
        struct stage stage;
        char once[LOG_MAX] = "";
        for (int run = 0; run < 2; run++) {
            stage_open(&stage, &(struct sim_options){.seed = seed, .loops = 3});
            for (int i = 0; i < 3; i++) {
                stage.actors[i].next_ns = 0;
                stage.actors[i].turns_max = 20;
            }
            io_join(stage.driver);
            if (run == 1) {
                assert_string_equal(stage.log, once);
            }
            strcpy(once, stage.log);
            io_driver_close(stage.driver);
        }
        if (seed == 0) {
            strcpy(first, once);
        }
        differs = differs || strcmp(first, once) != 0;
    }
    assert_true(differs);
}

static void
busy_loop_moves_time(void **state)
{
    (void)state;
    struct stage stage;
    stage_open(&stage, &(struct sim_options){.seed = 1, .loops = 1, .turn_cost_ns_max = 1000});
    stage.actors[0].next_ns = 0;
    stage.actors[0].turns_max = 1000;
    uint64_t cpu_ns = io_cpu_ns(stage.actors[0].io);
    io_join(stage.driver);
    uint64_t now_ns = sim_now_ns(stage.driver);
    assert_in_range(now_ns, 1000, 1000 * 1000);
    assert_in_range(io_cpu_ns(stage.actors[0].io) - cpu_ns, now_ns, now_ns + 1000);
    io_driver_close(stage.driver);
}

static stack_t handlers_now;

static void
note_handlers(struct actor *actor)
{
    assert_int_equal(sigaltstack(NULL, &handlers_now), 0);
    actor->next_ns = io_now_ns(actor->io) + NS_PER_MS;
}

/* Tests run a machine for a millisecond at a time: a mapping for each would take most of their
 * time. */
static void
one_stack_for_handlers(void **state)
{
    (void)state;
    struct stage stage;
    stack_t before;
    stack_t after;
    assert_int_equal(sigaltstack(NULL, &before), 0);
    stage_open(&stage, &(struct sim_options){.seed = 1, .loops = 1});
    stage.actors[0].act = note_handlers;
    void *first = NULL;
    for (unsigned ms = 1; ms < 10; ms++) {
        assert_true(sim_run(stage.driver, ms * NS_PER_MS));
        first = first == NULL ? handlers_now.ss_sp : first;
        assert_non_null(first);
        assert_ptr_equal(handlers_now.ss_sp, first);
        assert_int_equal(sigaltstack(NULL, &after), 0);
        assert_ptr_equal(after.ss_sp, before.ss_sp);
    }
    assert_true(stage.actors[0].turns >= 9);
    io_driver_close(stage.driver);
}

static uint64_t
actor_work(void *context)
{
    const struct actor *actor = context;
    return (uint64_t)actor->turns * 3;
}

static void
work_takes_its_time(void **state)
{
    (void)state;
    struct stage stage;
    works = actor_work;
    stage_open(&stage, &(struct sim_options){.seed = 1, .loops = 1, .turn_cost_ns_max = 1});
    works = NULL;
    stage.actors[0].next_ns = 0;
    stage.actors[0].turns_max = 101;
    sim_work_cost_set(stage.driver, 1000);
    io_join(stage.driver);
    assert_in_range(sim_now_ns(stage.driver), 100 * 3000, 101 * 3001);
    io_driver_close(stage.driver);
}

static void
deadline_comes(void **state)
{
    (void)state;
    struct stage stage;
    stage_open(&stage, &(struct sim_options){.seed = 1, .loops = 2});
    stage.actors[0].next_ns = 3600000 * NS_PER_MS;
    stage.actors[0].turns_max = 2;
    assert_true(sim_run(stage.driver, 1000 * NS_PER_MS)); /* there is more to come */
    assert_int_equal(sim_now_ns(stage.driver), 1000 * NS_PER_MS);
    assert_int_equal(stage.actors[0].turns, 1);
    assert_false(sim_run(stage.driver, IO_NEVER)); /* loop 1 waits for ever: nothing can happen */
    assert_int_equal(stage.actors[0].turns, 2);
    assert_int_equal(stage.actors[0].last_turn_ns, stage.actors[0].next_ns);
    assert_int_equal(stage.actors[1].turns, 1);
    io_driver_close(stage.driver);
}

static void
wake_other(struct actor *actor)
{
    if (actor->letter == 'a') {
        io_wake(actor->other->io);
    }
}

static void
wake_gives_a_turn(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct stage stage;
        stage_open(&stage, &(struct sim_options){.seed = seed, .loops = 2});
        stage.actors[0].act = wake_other;
        io_join(stage.driver);
        unsigned turns = stage.actors[1].turns;
        assert_in_range(turns, 1, 2);
        assert_true(strrchr(stage.log, 'b') > strrchr(stage.log, 'a')); /* b saw what a did */
        struct io_stats stats;
        io_stats_read(stage.actors[1].io, &stats);
        assert_int_equal(stats.wakes, 1);
        assert_int_equal(stats.enters, turns);
        io_driver_close(stage.driver);
    }
}

static void
idle_is_asked(void **state)
{
    (void)state;
    struct stage stage;
    stage_open(&stage, &(struct sim_options){.seed = 1});
    stage.actors[0].busy_answers = 3;
    io_join(stage.driver);
    assert_int_equal(stage.actors[0].turns, 4);
    io_driver_close(stage.driver);
}

static void
stopped_loop_rests(void **state)
{
    (void)state;
    struct stage stage;
    stage_open(&stage, &(struct sim_options){.seed = 1, .loops = 2});
    stage.actors[0].next_ns = 0;
    stage.actors[0].turns_max = 2;
    stage.actors[1].next_ns = 0;
    stage.actors[1].turns_max = 5;
    assert_false(sim_run(stage.driver, IO_NEVER));
    assert_int_equal(stage.actors[0].turns, 2);
    assert_int_equal(stage.actors[1].turns, 5);
    io_wake(stage.actors[0].io);
    assert_false(sim_run(stage.driver, IO_NEVER));
    assert_int_equal(stage.actors[0].turns, 2);
    io_driver_close(stage.driver);
}

static void
clock_stands_still(struct actor *actor)
{
    uint64_t now_ns = io_now_ns(actor->io);
    int64_t wall_ms = io_wall_ms(actor->io);
    for (int i = 0; i < 1000; i++) {
        assert_int_equal(io_now_ns(actor->io), now_ns);
    }
    assert_int_equal(io_wall_ms(actor->io), wall_ms);
}

static void
time_inside_a_turn(void **state)
{
    (void)state;
    struct stage stage;
    stage_open(&stage, &(struct sim_options){.seed = 1, .wall_start_ms = 5000});
    stage.actors[0].act = clock_stands_still;
    stage.actors[0].next_ns = 70 * NS_PER_MS;
    stage.actors[0].turns_max = 2;
    io_join(stage.driver);
    assert_int_equal(io_wall_ms(stage.actors[0].io), 5070);
    io_driver_close(stage.driver);
}

/* ----------------------------------------------------------------------------- scripts, crashes */

static void
note_letter(void *context)
{
    char *log = context;
    (void)strcat(log, "x");
}

static void
scripts_fire(void **state)
{
    (void)state;
    char log[16] = "";
    struct io_driver *driver;
    assert_int_equal(sim_open(&(struct sim_options){.seed = 1}, &driver), 0);
    sim_at(driver, 30, note_letter, log);
    sim_at(driver, 10, note_letter, log);
    assert_true(sim_run(driver, 20)); /* before any loop is started */
    assert_string_equal(log, "x");
    assert_int_equal(sim_now_ns(driver), 20);
    sim_at(driver, 5, note_letter, log); /* past: at once */
    assert_true(sim_run(driver, 20));
    assert_string_equal(log, "xx");
    assert_false(sim_run(driver, IO_NEVER));
    assert_string_equal(log, "xxx");
    assert_int_equal(sim_now_ns(driver), 30);
    io_driver_close(driver);
}

static void
crash_at_event(void **state)
{
    (void)state;
    for (uint64_t event = 1; event < 30; event++) {
        struct stage stage;
        stage_open(&stage, &(struct sim_options){.seed = 1, .loops = 2});
        stage.actors[0].next_ns = stage.actors[1].next_ns = 0;
        sim_crash_at(stage.driver, event);
        io_join(stage.driver);
        assert_true(sim_crashed(stage.driver));
        assert_int_equal(sim_events(stage.driver), event);
        assert_int_equal(strlen(stage.log), event - 1); /* the event itself does not happen */
        assert_false(sim_run(stage.driver, IO_NEVER));
        io_driver_close(stage.driver);
    }
}

static void
crash_self(struct actor *actor)
{
    if (actor->turns == 3) {
        sim_crash(actor->driver);
    }
}

static void
crash_in_a_turn(void **state)
{
    (void)state;
    struct stage stage;
    stage_open(&stage, &(struct sim_options){.seed = 1});
    stage.actors[0].next_ns = 0;
    stage.actors[0].act = crash_self;
    io_join(stage.driver);
    assert_true(sim_crashed(stage.driver));
    assert_int_equal(stage.actors[0].turns, 3);
    io_driver_close(stage.driver);
}

/* ----------------------------------------------------------------------------------------- jobs */

struct job {
    struct io_work work;
    char name;
    char *runs, *dones;
    uint64_t run_ns, done_ns;
};

static void
job_run(struct io_work *work)
{
    struct job *job = (struct job *)work;
    (void)strncat(job->runs, &job->name, 1);
    job->run_ns = io_now_ns(work->io);
}

static void
job_done(struct io_work *work)
{
    struct job *job = (struct job *)work;
    (void)strncat(job->dones, &job->name, 1);
    job->done_ns = io_now_ns(work->io);
}

static void
jobs_run(uint64_t seed, enum io_priority priority, struct job jobs[4], char runs[16],
         char dones[16])
{
    struct sim_rig rig;
    sim_rig_open(&rig, &(struct sim_options){.seed = seed, .loops = 2});
    runs[0] = dones[0] = '\0';
    for (unsigned i = 0; i < 4; i++) {
        jobs[i] =
            (struct job){{.run = job_run, .done = job_done}, (char)('1' + i), runs, dones, 0, 0};
        io_work_start(sim_rig_io(&rig, i % 2), &jobs[i].work, priority);
    }
    assert_string_equal(runs, ""); /* never inside the start */
    sim_rig_settle(&rig);
    sim_rig_close(&rig);
}

static void
normal_jobs_overtake(void **state)
{
    (void)state;
    unsigned overtaken = 0;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct job jobs[4];
        char runs[16], dones[16];
        jobs_run(seed, IO_WORK_NORMAL, jobs, runs, dones);
        assert_int_equal(strlen(dones), 4);
        overtaken += strcmp(runs, "1234") != 0 || strcmp(runs, dones) != 0;
        for (int i = 0; i < 4; i++) {
            assert_true(jobs[i].run_ns > 0 && jobs[i].done_ns > jobs[i].run_ns);
        }
    }
    assert_true(overtaken > SEEDS / 2);
}

static void
low_jobs_queue(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct job jobs[4];
        char runs[16], dones[16];
        jobs_run(seed, IO_WORK_LOW, jobs, runs, dones);
        assert_string_equal(runs, "1234");
        for (int i = 1; i < 4; i++) {
            assert_true(jobs[i].run_ns > jobs[i - 1].run_ns);
        }
    }
}

/* The second is taken back at once, the third when all have run. */
static void
jobs_taken_back(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        enum io_priority priority = seed % 2 ? IO_WORK_LOW : IO_WORK_NORMAL;
        struct sim_rig rig;
        struct job jobs[4];
        char runs[16] = "", dones[16] = "";
        sim_rig_open(&rig, &(struct sim_options){.seed = seed});
        for (unsigned i = 0; i < 4; i++) {
            jobs[i] = (struct job){
                {.run = job_run, .done = job_done}, (char)('1' + i), runs, dones, 0, 0};
            io_work_start(sim_rig_io(&rig, 0), &jobs[i].work, priority);
        }
        assert_true(io_work_withdraw(sim_rig_io(&rig, 0), &jobs[1].work));
        assert_false(io_work_withdraw(sim_rig_io(&rig, 0), &jobs[1].work));
        sim_rig_settle(&rig);
        assert_false(io_work_withdraw(sim_rig_io(&rig, 0), &jobs[2].work));
        assert_int_equal(strlen(runs), 3);
        assert_int_equal(strlen(dones), 3);
        assert_null(strchr(runs, '2'));
        sim_rig_close(&rig);
    }
}

static void
jobs_left_behind(void **state)
{
    (void)state;
    struct sim_rig rig;
    struct job jobs[4];
    char runs[16] = "", dones[16] = "";
    sim_rig_open(&rig, &(struct sim_options){.seed = 1});
    for (unsigned i = 0; i < 4; i++) {
        jobs[i] =
            (struct job){{.run = job_run, .done = job_done}, (char)('1' + i), runs, dones, 0, 0};
        io_work_start(sim_rig_io(&rig, 0), &jobs[i].work, i % 2 ? IO_WORK_LOW : IO_WORK_NORMAL);
    }
    sim_crash(rig.driver);
    sim_rig_settle(&rig);
    sim_rig_close(&rig);
    assert_string_equal(runs, "");
}

static void
random_from_seed(void **state)
{
    (void)state;
    unsigned char bytes[3][33];
    for (int run = 0; run < 3; run++) {
        struct io_driver *driver;
        assert_int_equal(sim_open(&(struct sim_options){.seed = run == 2 ? 8 : 7}, &driver), 0);
        (void)sim_random(driver, 100 * (uint64_t)(run + 1)); /* a stream of its own */
        io_random(io_of(driver, 0), bytes[run], sizeof(bytes[run]));
        assert_in_range(sim_random(driver, 10), 0, 9);
        io_driver_close(driver);
    }
    assert_memory_equal(bytes[0], bytes[1], sizeof(bytes[0]));
    assert_memory_not_equal(bytes[0], bytes[2], sizeof(bytes[0]));
}

static void
note_side(void *context)
{
    struct actor *side = context;
    size_t at = strlen(side->log);
    side->log[at] = side->letter;
    side->log[at + 1] = '\0';
}

static void
sides_one_by_one(void **state)
{
    (void)state;
    char log[LOG_MAX] = "";
    struct sim_rig rig;
    struct actor sides[] = {{.letter = 'a', .log = log}, {.letter = 'b', .log = log}};
    void *contexts[] = {&sides[0], &sides[1]};
    struct sim_options options = {.seed = 1};
    sim_rig_open(&rig, &options);
    io_run_all(rig.driver, note_side, contexts, 2);
    assert_string_equal(log, "ab");
    sim_rig_close(&rig);
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("nothing runs before io_join, then each loop takes a turn", first_turn),
        SPEC("the order of turns follows from the seed", order_from_seed),
        SPEC("a loop that is always ready cannot stop the clock", busy_loop_moves_time),
        SPEC("from one run to the next the handlers of faults have the same stack",
             one_stack_for_handlers),
        SPEC("work takes its time where it costs any", work_takes_its_time),
        SPEC("the clock jumps to the next deadline", deadline_comes),
        SPEC("a woken loop takes a turn that sees what came before", wake_gives_a_turn),
        SPEC("a loop that is not idle takes another turn before it sleeps", idle_is_asked),
        SPEC("a stopped loop takes no more turns, and the run ends with the last",
             stopped_loop_rests),
        SPEC("the clock stands still inside a turn", time_inside_a_turn),
        SPEC("a test's script fires at its instants, even without loops", scripts_fire),
        SPEC("the power goes at the very event that was named", crash_at_event),
        SPEC("a crash in a turn lets the turn end and nothing after", crash_in_a_turn),
        SPEC("normal jobs take their time and overtake one another", normal_jobs_overtake),
        SPEC("low jobs run one after the other", low_jobs_queue),
        SPEC("a job that is taken back never runs, and the others do", jobs_taken_back),
        SPEC("jobs that wait when the power goes never run", jobs_left_behind),
        SPEC("what a start does side by side is done one after the other", sides_one_by_one),
        SPEC("randomness comes from the seed, in a stream of its own", random_from_seed),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
