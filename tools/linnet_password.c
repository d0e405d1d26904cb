/* SPDX-License-Identifier: Apache-2.0 */
/* A terminal's echo is off only while a person types, and on again whatever happens in between but
 * a SIGKILL: the signals that end a program take effect behind it. */
#include "net/protocol.h"
#include "tools/linnet_call.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

enum {
    /* One more than a password can have, so that too long is noticed; the newline; the NUL. */
    LINE_BYTES = PROTOCOL_PASSWORD_BYTES_MAX + 3,
};

/* A line without its end. False: there is none, or it is too long. */
static bool
line_read(FILE *from, char line[LINE_BYTES])
{
    if (fgets(line, LINE_BYTES, from) == NULL) {
        (void)fprintf(stderr, "linnet: no password was given\n");
        return false;
    }
    size_t bytes = strcspn(line, "\r\n");
    if (bytes == 0 || bytes > PROTOCOL_PASSWORD_BYTES_MAX) {
        (void)fprintf(stderr, "linnet: a password has 1 to %d bytes\n",
                      PROTOCOL_PASSWORD_BYTES_MAX);
        return false;
    }
    line[bytes] = '\0';
    return true;
}

/* The signal that came while a person should have typed; 0: none. */
static volatile sig_atomic_t ended_by;

static void
ended(int number)
{
    ended_by = number;
}

/* Until there is a line, or false: one of `ending` came. They are blocked, so that none can slip by
 * between a look at ended_by and the wait. */
static bool
line_awaited(FILE *terminal, const sigset_t *waiting)
{
    struct pollfd line = {.fd = fileno(terminal), .events = POLLIN};
    while (ended_by == 0 && ppoll(&line, 1, NULL, waiting) < 0 && errno == EINTR) {
    }
    return ended_by == 0;
}

/* Reads a line without echo. A signal that ends programs ends this one, once the echo is on again;
 * one that stops it waits for the line. */
static bool
typed_unseen(FILE *terminal, const char *prompt, char line[LINE_BYTES])
{
    static const int ending[] = {SIGINT, SIGQUIT, SIGTERM, SIGHUP};
    enum { ENDING = sizeof ending / sizeof ending[0] };
    struct sigaction action = {.sa_handler = ended};
    struct sigaction before[ENDING];
    sigset_t blocked;
    sigset_t mask;
    sigset_t waiting;
    (void)sigemptyset(&blocked);
    (void)sigaddset(&blocked, SIGTSTP);
    for (unsigned i = 0; i < ENDING; i++) {
        (void)sigaddset(&blocked, ending[i]);
    }
    (void)pthread_sigmask(SIG_BLOCK, &blocked, &mask);
    waiting = mask;
    (void)sigaddset(&waiting, SIGTSTP);
    for (unsigned i = 0; i < ENDING; i++) {
        (void)sigaction(ending[i], &action, &before[i]);
    }
    (void)fputs(prompt, terminal);
    (void)fflush(terminal);
    bool read = line_awaited(terminal, &waiting) && line_read(terminal, line);
    (void)fputs("\n", terminal);
    for (unsigned i = 0; i < ENDING; i++) {
        (void)sigaction(ending[i], &before[i], NULL);
    }
    (void)pthread_sigmask(SIG_SETMASK, &mask, NULL);
    return read;
}

static bool
typed(FILE *terminal, const char *prompt, char line[LINE_BYTES])
{
    struct termios before;
    if (tcgetattr(fileno(terminal), &before) != 0) {
        (void)fprintf(stderr, "linnet: the terminal can't be asked without echo; use "
                              "--password-stdin\n");
        return false;
    }
    struct termios silent = before;
    silent.c_lflag &= ~(tcflag_t)ECHO;
    (void)tcsetattr(fileno(terminal), TCSAFLUSH, &silent);
    bool read = typed_unseen(terminal, prompt, line);
    (void)tcsetattr(fileno(terminal), TCSAFLUSH, &before);
    if (ended_by != 0) {
        (void)raise(ended_by);
    }
    return read;
}

const char *
linnet_password_read(bool from_stdin, bool twice)
{
    static char line[LINE_BYTES];
    static char again[LINE_BYTES];
    if (from_stdin) {
        return line_read(stdin, line) ? line : NULL;
    }
    FILE *terminal = fopen("/dev/tty", "r+");
    if (terminal == NULL) {
        (void)fprintf(stderr, "linnet: no terminal to ask for a password; use --password-stdin\n");
        return NULL;
    }
    bool good = typed(terminal, "password: ", line);
    if (good && twice) {
        good = typed(terminal, "once more: ", again);
        if (good && strcmp(line, again) != 0) {
            (void)fprintf(stderr, "linnet: the two passwords differ\n");
            good = false;
        }
    }
    (void)fclose(terminal);
    return good ? line : NULL;
}
