/* SPDX-License-Identifier: Apache-2.0 */
/* linnet-sim: whole stories under the simulator, from any seed, with any faults.
 *
 * Each seed is played by a process of its own, so that one that ends (an assertion, a crash, a loop
 * without end) is told like any other broken promise, with the one command that plays it again.
 * It stands beside the tests since the judges are theirs. */
#include "runtime/io/sim_tree.h"
#include "tests/sim/story.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    SEED_SECONDS_MAX = 240, /* a sanitizer on a slow machine makes 120 of 7 */
    FAULT_ONE_IN_MAX = 1000000,
};

/* ----------------------------------------------------------------------------------- scenarios */

static void
kill_any(struct story_play *play)
{
    story_kill(play, NULL, NULL);
}

static const struct scenario {
    const char *name;
    void (*play)(struct story_play *play);
    const char *what;
} scenarios[] = {
    {"runtime", story_runtime, "actors hold the runtime to order, ends, answers, supervision"},
    {"store", story_store, "scripts write through the store; the power fails"},
    {"chat", story_chat, "people talk through the whole node; the power fails"},
    {"kill", kill_any, "people talk while the node's actors are killed"},
};
enum { SCENARIOS = sizeof scenarios / sizeof scenarios[0] };

/* -------------------------------------------------------------------------------------- faults */

static const struct fault {
    const char *name;
    uint32_t one_in; /* unless it is said */
    size_t place;
    const char *what;
} faults[] = {
    {"far", 3, offsetof(struct sim_faults, far_one_in), "connections with a long way"},
    {"held", 30, offsetof(struct sim_faults, held_one_in), "segments that are held up"},
    {"parts", 2, offsetof(struct sim_faults, part_one_in), "sends and receives of a part"},
    {"cut", 100, offsetof(struct sim_faults, cut_one_in), "connections that break"},
    {"vanish", 200, offsetof(struct sim_faults, vanish_one_in), "half-open connections"},
    {"slow", 50, offsetof(struct sim_faults, slow_one_in), "slow writes and syncs"},
    {"full", 5, offsetof(struct sim_faults, full_one_in), "a disk without room"},
    {"write-error", 150, offsetof(struct sim_faults, write_error_one_in), "writes that fail"},
    {"sync-error", 150, offsetof(struct sim_faults, sync_error_one_in), "syncs that fail"},
    {"read-error", 50, offsetof(struct sim_faults, read_error_one_in), "reads that fail"},
    {"unsettled", 3, offsetof(struct sim_faults, unsettled_one_in), "sockets that can't settle"},
};
enum { FAULTS = sizeof faults / sizeof faults[0] };

static void
fault_set(struct sim_faults *out, const struct fault *fault, uint32_t one_in)
{
    memcpy((char *)out + fault->place, &one_in, sizeof one_in);
}

/* Half of them, as the seed says. */
static void
faults_of_seed(uint64_t seed, struct sim_faults *out)
{
    uint64_t bits = seed * UINT64_C(0x9e3779b97f4a7c15);
    for (unsigned i = 0; i < FAULTS; i++) {
        if ((bits >> (2 * i + 20) & 1) != 0) {
            fault_set(out, &faults[i], faults[i].one_in << (bits >> (2 * i + 21) & 1));
        }
    }
}

static bool
fault_parse(const char *text, size_t length, struct sim_faults *out)
{
    const char *equals = memchr(text, '=', length);
    size_t name = equals != NULL ? (size_t)(equals - text) : length;
    unsigned long one_in = equals != NULL ? strtoul(equals + 1, NULL, 10) : 0;
    for (unsigned i = 0; i < FAULTS; i++) {
        if (strlen(faults[i].name) == name && memcmp(faults[i].name, text, name) == 0) {
            if (equals != NULL && (one_in == 0 || one_in > FAULT_ONE_IN_MAX)) {
                return false;
            }
            fault_set(out, &faults[i], equals != NULL ? (uint32_t)one_in : faults[i].one_in);
            return true;
        }
    }
    return false;
}

/* "none", "all", "seed", or names with commas between, each with "=N" for one in N or without. */
static bool
faults_parse(const char *text, uint64_t seed, struct sim_faults *out)
{
    *out = (struct sim_faults){0};
    if (strcmp(text, "seed") == 0) {
        faults_of_seed(seed, out);
        return true;
    }
    for (unsigned i = 0; strcmp(text, "all") == 0 && i < FAULTS; i++) {
        fault_set(out, &faults[i], faults[i].one_in);
    }
    if (strcmp(text, "all") == 0 || strcmp(text, "none") == 0) {
        return true;
    }
    while (*text != '\0') {
        size_t length = strcspn(text, ",");
        if (!fault_parse(text, length, out)) {
            return false;
        }
        text += length + (text[length] == ',');
    }
    return true;
}

/* ------------------------------------------------------------------------------------- options */

struct options {
    uint64_t seed, seeds;
    double minutes;                  /* 0: as many as `seeds` says */
    const struct scenario *scenario; /* NULL: each in turn */
    const char *faults;
    const char *log;
};

static void
usage(FILE *out)
{
    (void)fprintf(out, "usage: linnet-sim [--seed N] [--seeds COUNT | --minutes M] [--scenario "
                       "NAME] [--faults LIST] [--log FILE]\n\nscenarios (all of them in turn, "
                       "unless one is named):\n");
    for (unsigned i = 0; i < SCENARIOS; i++) {
        (void)fprintf(out, "  %-12s %s\n", scenarios[i].name, scenarios[i].what);
    }
    (void)fprintf(out, "\nfaults (none, all, seed: as the seed says, the default; or a list, each "
                       "NAME or NAME=N, one in N):\n");
    for (unsigned i = 0; i < FAULTS; i++) {
        (void)fprintf(out, "  %-12s %s, one in %u\n", faults[i].name, faults[i].what,
                      faults[i].one_in);
    }
}

static const struct scenario *
scenario_named(const char *name)
{
    for (unsigned i = 0; i < SCENARIOS; i++) {
        if (strcmp(scenarios[i].name, name) == 0) {
            return &scenarios[i];
        }
    }
    return NULL;
}

static bool
number_parse(const char *text, uint64_t *out)
{
    char *end;
    errno = 0;
    *out = strtoull(text, &end, 10);
    return errno == 0 && end != text && *end == '\0';
}

static bool
option_take(struct options *options, int option)
{
    struct sim_faults ignored;
    switch (option) {
    case 's':
        return number_parse(optarg, &options->seed);
    case 'n':
        return number_parse(optarg, &options->seeds);
    case 'm':
        options->minutes = strtod(optarg, NULL);
        return options->minutes > 0;
    case 'c':
        options->scenario = scenario_named(optarg);
        return options->scenario != NULL;
    case 'f':
        options->faults = optarg;
        return faults_parse(optarg, 0, &ignored);
    case 'l':
        options->log = optarg;
        return true;
    default:
        return false;
    }
}

static bool
options_parse(struct options *options, int count, char **words)
{
    static const struct option names[] = {
        {"seed", required_argument, NULL, 's'},
        {"seeds", required_argument, NULL, 'n'},
        {"minutes", required_argument, NULL, 'm'},
        {"scenario", required_argument, NULL, 'c'},
        {"faults", required_argument, NULL, 'f'},
        {"log", required_argument, NULL, 'l'},
        {NULL, 0, NULL, 0},
    };
    *options = (struct options){.seed = 1, .seeds = 1, .faults = "seed"};
    int option;
    // NOLINTNEXTLINE(concurrency-mt-unsafe): before anything runs
    while ((option = getopt_long(count, words, "", names, NULL)) != -1) {
        if (!option_take(options, option)) {
            return false;
        }
    }
    return optind == count;
}

/* ------------------------------------------------------------------------------------- one seed */

static void
write_line(void *context, const char *line)
{
    (void)fprintf(context, "%s\n", line);
}

/* In the process of this seed. */
static void
play_here(const struct options *options, const struct scenario *scenario, struct story_play *play)
{
    FILE *log = options->log != NULL ? fopen(options->log, "w") : NULL;
    if (options->log != NULL && log == NULL) {
        (void)snprintf(play->broken, sizeof play->broken, "%s can't be written", options->log);
        return;
    }
    play->log = log != NULL ? write_line : NULL;
    play->log_context = log;
    scenario->play(play);
    if (log != NULL) {
        (void)fclose(log);
    }
}

static void
ended(int status, char broken[STORY_BROKEN_BYTES])
{
    if (WIFSIGNALED(status)) {
        int signal = WTERMSIG(status);
        (void)snprintf(broken, STORY_BROKEN_BYTES, "it ended by signal %d (%s)%s", signal,
                       sigabbrev_np(signal), signal == SIGALRM ? ": it took too long" : "");
    } else if (WIFEXITED(status) && WEXITSTATUS(status) != 0 && broken[0] == '\0') {
        (void)snprintf(broken, STORY_BROKEN_BYTES, "it ended with %d", WEXITSTATUS(status));
    }
}

/* What a process that did not come to its end has left of its disk. */
static void
sweep(pid_t child)
{
    static const char *const names[] = {"sim", "store"};
    for (unsigned i = 0; i < sizeof names / sizeof names[0]; i++) {
        char path[64];
        (void)snprintf(path, sizeof path, "/dev/shm/linnet-%s-%d", names[i], (int)child);
        if (access(path, F_OK) == 0 && sim_tree_remove(path) != 0) {
            (void)fprintf(stderr, "%s stays\n", path);
        }
    }
}

static bool
play_seed(const struct options *options, const struct scenario *scenario, uint64_t seed)
{
    struct story_play *play =
        mmap(NULL, sizeof *play, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (play == MAP_FAILED) {
        return false;
    }
    *play = (struct story_play){.seed = seed};
    (void)faults_parse(options->faults, seed, &play->faults);
    (void)fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        (void)alarm(SEED_SECONDS_MAX);
        play_here(options, scenario, play);
        (void)fflush(NULL);
        _exit(0);
    }
    int status = 0;
    if (child < 0 || waitpid(child, &status, 0) != child) {
        (void)snprintf(play->broken, sizeof play->broken, "no process for it");
    } else {
        ended(status, play->broken);
        sweep(child);
    }
    bool fine = play->broken[0] == '\0';
    if (!fine) {
        (void)printf("BROKEN seed %llu, %s: %s\nreplay: linnet-sim --seed %llu --scenario %s "
                     "--faults %s\n",
                     (unsigned long long)seed, scenario->name, play->broken,
                     (unsigned long long)seed, scenario->name, options->faults);
        (void)fflush(stdout);
    }
    (void)munmap(play, sizeof *play);
    return fine;
}

static double
minutes_since_start(void)
{
    static struct timespec start;
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    start = start.tv_sec == 0 ? now : start;
    return (double)(now.tv_sec - start.tv_sec) / 60;
}

int
main(int count, char **words)
{
    struct options options;
    if (!options_parse(&options, count, words)) {
        usage(stderr);
        return 2;
    }
    (void)printf("seed %llu, scenario %s, faults %s\n", (unsigned long long)options.seed,
                 options.scenario != NULL ? options.scenario->name : "each in turn",
                 options.faults);
    uint64_t played = 0;
    uint64_t seed = options.seed;
    (void)minutes_since_start();
    for (; options.minutes > 0 ? minutes_since_start() < options.minutes
                               : seed < options.seed + options.seeds;
         seed++) {
        for (unsigned i = 0; i < SCENARIOS; i++) {
            if (options.scenario != NULL && options.scenario != &scenarios[i]) {
                continue;
            }
            played++;
            if (!play_seed(&options, &scenarios[i], seed)) {
                return 1;
            }
        }
    }
    (void)printf("%llu plays of %llu seeds, every promise kept\n", (unsigned long long)played,
                 (unsigned long long)(seed - options.seed));
    return 0;
}
