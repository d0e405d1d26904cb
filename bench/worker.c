/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/worker.h"

#include "bench/section.h"
#include "runtime/io/uring.h"
#include "runtime/node.h"

#include <errno.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PATH_BYTES = 1024, WHY_BYTES = 512, FAILED = 3, STALL_MS = 100 };

extern char **environ;

/* The program again: its name, `worker`, and the rest of the first one's command line. */
static int
spawn(const struct options *options, const posix_spawn_file_actions_t *files,
      const posix_spawnattr_t *attributes, pid_t *out_pid)
{
    char path[PATH_BYTES] = "/proc/self/exe";
    char **argv = calloc((size_t)options->argc + 2, sizeof *argv);
    ASSERT(argv != NULL);
    /* By its own name, for whoever lists processes; if that has gone, the file is still there. */
    ssize_t bytes = readlink("/proc/self/exe", path, sizeof path - 1);
    path[bytes > 0 ? bytes : 0] = '\0';
    if (bytes <= 0 || access(path, X_OK) < 0) {
        (void)snprintf(path, sizeof path, "/proc/self/exe");
    }
    argv[0] = options->argv[0];
    argv[1] = (char[]){"worker"};
    memcpy(argv + 2, options->argv + 1, (size_t)(options->argc - 1) * sizeof *argv);
    int error = posix_spawn(out_pid, path, files, attributes, argv, environ);
    free(argv);
    return -error;
}

int
worker_start(const struct options *options, struct worker *out)
{
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attributes;
    int ends[2] = {-1, -1};
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) < 0) {
        return -errno;
    }
    /* These fail for want of memory only, which the node treats alike. */
    int error = posix_spawn_file_actions_init(&files);
    error = error == 0 ? posix_spawnattr_init(&attributes) : error;
    ASSERT(error == 0);
    error = posix_spawn_file_actions_adddup2(&files, ends[1], WORKER_SOCKET);
    ASSERT(error == 0);
    error = posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
    ASSERT(error == 0);
    error = spawn(options, &files, &attributes, &out->pid);
    (void)posix_spawnattr_destroy(&attributes);
    (void)posix_spawn_file_actions_destroy(&files);
    (void)close(ends[1]);
    if (error < 0) {
        (void)close(ends[0]);
        return error;
    }
    out->socket = ends[0];
    return 0;
}

void
worker_wait(const struct worker *worker, char out[WORKER_TEXT_BYTES])
{
    int status = 0;
    pid_t found = 0;
    do {
        found = waitpid(worker->pid, &status, 0);
    } while (found < 0 && errno == EINTR);
    if (found < 0) {
        (void)snprintf(out, WORKER_TEXT_BYTES, "is not known any more");
    } else if (WIFSIGNALED(status)) {
        (void)snprintf(out, WORKER_TEXT_BYTES, "was killed by signal %d (%s)", WTERMSIG(status),
                       sigdescr_np(WTERMSIG(status)));
    } else {
        (void)snprintf(out, WORKER_TEXT_BYTES, "ended with exit code %d", WEXITSTATUS(status));
    }
}

/* ---------------------------------------------------------------------------------- in a worker */

static int
section_play(struct section *section)
{
    struct ln_node *node =
        ln_node_open(section->driver, &(struct ln_node_options){.watchdog_ms = STALL_MS});
    struct section_start start = {.section = section, .socket = WORKER_SOCKET};
    ln_node_root(node, &section_behaviour, &start, sizeof start);
    int error = ln_node_start(node);
    struct ln_reason reason = {.kind = LN_EXIT_ERROR, .text = "its threads can't be started"};
    if (error == 0) {
        reason = ln_node_join(node);
    }
    ln_node_close(&node);
    if (reason.kind != LN_EXIT_NORMAL) {
        (void)fprintf(stderr, "linnet-bench: a process of the generator failed: %s\n",
                      reason.text != NULL ? reason.text : ln_exit_kind_name(reason.kind));
        return FAILED;
    }
    return 0;
}

int
worker_run(const struct options *options)
{
    char why[WHY_BYTES] = "";
    struct io_driver *driver = NULL;
    int domain = 0;
    socklen_t bytes = sizeof domain;
    if (getsockopt(WORKER_SOCKET, SOL_SOCKET, SO_DOMAIN, &domain, &bytes) < 0 ||
        domain != AF_UNIX) {
        (void)fputs("linnet-bench: `worker` is what linnet-bench calls itself with\n", stderr);
        return FAILED;
    }
    const struct uring_options rings = {.loops = options->threads, .workers = 1};
    if (uring_open(&rings, &driver, why, sizeof why) < 0) {
        (void)fprintf(stderr, "linnet-bench: %s\n", why);
        return FAILED;
    }
    struct section *section = section_new(options, driver);
    int code = section_play(section);
    io_driver_close(driver);
    section_free(section);
    return code;
}
