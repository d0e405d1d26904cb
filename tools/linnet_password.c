/* SPDX-License-Identifier: Apache-2.0 */
/* A terminal's echo is off only while a person types, and on again whatever happens in between but
 * a SIGKILL: the signals that end a program wait until then. */
#include "net/protocol.h"
#include "tools/linnet_call.h"

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

static bool
typed(FILE *terminal, const char *prompt, char line[LINE_BYTES])
{
    struct termios before;
    sigset_t ending;
    sigset_t mask;
    if (tcgetattr(fileno(terminal), &before) != 0) {
        (void)fprintf(stderr, "linnet: the terminal can't be asked without echo; use "
                              "--password-stdin\n");
        return false;
    }
    (void)sigemptyset(&ending);
    (void)sigaddset(&ending, SIGINT);
    (void)sigaddset(&ending, SIGTERM);
    (void)sigaddset(&ending, SIGTSTP);
    (void)sigaddset(&ending, SIGHUP);
    (void)pthread_sigmask(SIG_BLOCK, &ending, &mask);
    struct termios silent = before;
    silent.c_lflag &= ~(tcflag_t)(ECHO | ISIG);
    (void)tcsetattr(fileno(terminal), TCSAFLUSH, &silent);
    (void)fputs(prompt, terminal);
    (void)fflush(terminal);
    bool read = line_read(terminal, line);
    (void)fputs("\n", terminal);
    (void)tcsetattr(fileno(terminal), TCSAFLUSH, &before);
    (void)pthread_sigmask(SIG_SETMASK, &mask, NULL);
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
