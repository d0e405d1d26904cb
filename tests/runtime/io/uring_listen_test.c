/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/runtime/io/rig.h"
#include "tests/spec.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

/* ------------------------------------------------------------- listening, accepting, connecting */

static void
accepts_many(void **state)
{
    (void)state;
    enum { CLIENTS = 20 };
    struct rig rig;
    struct io_address bound;
    struct probe accepting = {0};
    static struct probe connecting[CLIENTS];
    memset(connecting, 0, sizeof(connecting));
    rig_open_this_way(&rig);
    io_socket listener = rig_listen(&rig, "127.0.0.1:0", &bound);
    rig_accept(&rig, 0, &accepting, listener);
    for (unsigned i = 0; i < CLIENTS; i++) {
        rig_connect(&rig, 0, &connecting[i], &bound);
    }
    for (unsigned i = 0; i < CLIENTS; i++) {
        assert_true(probe_await_end(&connecting[i]) >= 0);
        int server = probe_await(&accepting, i + 1);
        int no_delay = 0;
        socklen_t bytes = sizeof(no_delay);
        assert_true(server >= 0);
        assert_int_equal(getsockopt(server, IPPROTO_TCP, TCP_NODELAY, &no_delay, &bytes), 0);
        assert_int_not_equal(no_delay, 0);
        assert_int_not_equal(fcntl(server, F_GETFD) & FD_CLOEXEC, 0);
        rig_drop(&rig, 0, server, false);
    }
    rig_cancel_await(&rig, &accepting);
    rig_close(&rig);
}

static void
peers(void **state)
{
    (void)state;
    struct rig rig;
    struct io_address bound;
    struct io_address peer;
    struct probe accepting = {0};
    struct probe connecting = {0};
    char text[IO_ADDRESS_TEXT_MAX];
    char bound_text[IO_ADDRESS_TEXT_MAX];
    rig_open_this_way(&rig);
    io_socket listener = rig_listen(&rig, "[::1]:0", &bound);
    rig_accept(&rig, 0, &accepting, listener);
    rig_connect(&rig, 0, &connecting, &bound);
    int client = probe_await_end(&connecting);
    int server = probe_await(&accepting, 1);
    assert_int_equal(io_peer(rig_io(&rig, 0), client, &peer), 0);
    io_address_print(&peer, text);
    io_address_print(&bound, bound_text);
    assert_string_equal(text, bound_text);
    assert_int_equal(io_peer(rig_io(&rig, 0), server, &peer), 0);
    io_address_print(&peer, text);
    assert_int_equal(strncmp(text, "[::1]:", 6), 0);
    assert_int_equal(io_peer(rig_io(&rig, 0), listener, &peer), -ENOTCONN);
    rig_close(&rig);
}

static void
nobody_listens(void **state)
{
    (void)state;
    struct rig rig;
    struct io_address bound;
    struct io_address absent;
    struct probe connecting = {0};
    rig_open_this_way(&rig);
    io_socket listener = rig_listen(&rig, "127.0.0.1:0", &bound);
    rig_drop(&rig, 0, listener, false);
    rig_connect(&rig, 0, &connecting, &bound);
    assert_int_equal(probe_await_end(&connecting), -ECONNREFUSED);
    assert_int_equal(io_address_parse("unix:absent", &absent), 0);
    probe_reset(&connecting);
    rig_connect(&rig, 0, &connecting, &absent);
    assert_int_equal(probe_await_end(&connecting), -ENOENT);
    rig_close(&rig);
}

static void
address_taken(void **state)
{
    (void)state;
    struct rig rig;
    struct io_address bound;
    io_socket second = -7;
    rig_open_this_way(&rig);
    io_socket listener = rig_listen(&rig, "127.0.0.1:0", &bound);
    assert_int_equal(io_listen(rig_io(&rig, 0), &bound, 1, &second, NULL), -EADDRINUSE);
    assert_int_equal(second, -7);
    rig_drop(&rig, 0, listener, false);
    rig_close(&rig);
}

static void
unix_listener(void **state)
{
    (void)state;
    struct rig rig;
    struct io_address address;
    struct io_address peer;
    struct probe accepting = {0};
    struct probe connecting = {0};
    struct probe receiving = {.rig = &rig};
    struct stat status;
    io_socket second = -7;
    char text[IO_ADDRESS_TEXT_MAX];
    (void)unlink("shell");
    rig_open_this_way(&rig);
    mode_t mask = umask(0);
    io_socket listener = rig_listen(&rig, "unix:shell", &address);
    (void)umask(mask);
    io_address_print(&address, text);
    assert_string_equal(text, "unix:shell");
    assert_int_equal(stat("shell", &status), 0);
    assert_int_equal(status.st_mode & 07777, 0600);

    rig_accept(&rig, 0, &accepting, listener);
    rig_connect(&rig, 0, &connecting, &address);
    int client = probe_await_end(&connecting);
    int server = probe_await(&accepting, 1);
    rig_say(&rig, client, "status");
    assert_int_equal(rig_receive_now(&rig, &receiving, server), 6);
    rig_release(&rig, 0, &receiving);
    assert_int_equal(io_peer(rig_io(&rig, 0), server, &peer), 0);
    io_address_print(&peer, text);
    assert_string_equal(text, "unix:");

    /* While somebody listens the path is taken; once nobody does it is replaced. */
    assert_int_equal(io_listen(rig_io(&rig, 0), &address, 1, &second, NULL), -EADDRINUSE);
    rig_cancel_await(&rig, &accepting);
    rig_drop(&rig, 0, listener, false);
    assert_int_equal(stat("shell", &status), 0);
    listener = rig_listen(&rig, "unix:shell", NULL);
    assert_true(listener >= 0);
    rig_close(&rig);
    assert_int_equal(unlink("shell"), 0);
}

static void
not_a_socket(void **state)
{
    (void)state;
    struct rig rig;
    struct io_address address;
    io_socket listener = -7;
    struct stat status;
    rig_open_this_way(&rig);
    FILE *file = fopen("precious", "w");
    assert_non_null(file);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(io_address_parse("unix:precious", &address), 0);
    assert_int_equal(io_listen(rig_io(&rig, 0), &address, 1, &listener, NULL), -EADDRINUSE);
    assert_int_equal(stat("precious", &status), 0);
    assert_true(S_ISREG(status.st_mode));
    assert_int_equal(unlink("precious"), 0);
    assert_int_equal(io_address_parse("unix:no/such/folder", &address), 0);
    assert_int_equal(io_listen(rig_io(&rig, 0), &address, 1, &listener, NULL), -ENOENT);
    assert_int_equal(listener, -7);
    rig_close(&rig);
}

/* An accept that meets a limit on descriptors: a client is connected, the accept was told -EMFILE.
 * The limit counts as it was when the accept was armed. */
struct shortage {
    struct probe accepting, connecting;
    struct rlimit before;
    int client;
};

static void
shortage_make(struct rig *rig, struct shortage *shortage)
{
    struct io_address bound;
    memset(shortage, 0, sizeof(*shortage));
    io_socket listener = rig_listen(rig, "127.0.0.1:0", &bound);
    shortage->client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(shortage->client > listener);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &shortage->before), 0);
    struct rlimit limit = {.rlim_cur = (rlim_t)shortage->client + 1,
                           .rlim_max = shortage->before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    rig_accept(rig, 0, &shortage->accepting, listener);
    const struct sockaddr *address = (const struct sockaddr *)(const void *)bound.raw;
    assert_int_equal(connect(shortage->client, address, bound.bytes), 0);
    assert_int_equal(probe_await(&shortage->accepting, 1), -EMFILE);
    rig_connect(rig, 0, &shortage->connecting, &bound);
    assert_int_equal(probe_await_end(&shortage->connecting), -EMFILE);
}

static void
shortage_end(struct shortage *shortage)
{
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &shortage->before), 0);
}

static void
out_of_descriptors(void **state)
{
    (void)state;
    struct rig rig;
    struct shortage shortage;
    rig_open_this_way(&rig);
    shortage_make(&rig, &shortage);
    shortage_end(&shortage);
    /* It goes on by itself: the connection that waited is accepted. */
    int32_t result;
    unsigned count = 2;
    while ((result = probe_await(&shortage.accepting, count)) == -EMFILE) {
        count++;
    }
    assert_true(result >= 0);
    rig_cancel_await(&rig, &shortage.accepting);
    assert_int_equal(close(shortage.client), 0);
    rig_close(&rig);
}

static void
cancel_while_paused(void **state)
{
    (void)state;
    struct rig rig;
    struct shortage shortage;
    rig_open_this_way(&rig);
    shortage_make(&rig, &shortage);
    rig_cancel_await(&rig, &shortage.accepting);
    shortage_end(&shortage);
    assert_int_equal(close(shortage.client), 0);
    rig_close(&rig);
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("one accept brings every connection, without delay and not inherited", accepts_many),
        SPEC("both ends know each other's address", peers),
        SPEC("a connect to where nobody listens is refused", nobody_listens),
        SPEC("an address in use cannot be listened on", address_taken),
        SPEC("a unix listener is its owner's alone and replaces a dead one", unix_listener),
        SPEC("a unix listener leaves alone what is no socket", not_a_socket),
        SPEC("an accept out of descriptors says so and goes on later", out_of_descriptors),
        SPEC("an accept that pauses can be cancelled", cancel_while_paused),
    };
    return rig_run(specs, sizeof specs / sizeof specs[0], false);
}
