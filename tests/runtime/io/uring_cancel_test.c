/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/runtime/io/rig.h"
#include "tests/spec.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

/* ------------------------------------------------------------------------ cancelling */

static void
cancel_each(void **state)
{
    (void)state;
    struct rig rig;
    io_socket ends[2];
    struct io_address bound;
    struct probe polling = {0};
    struct probe sending = {.rig = &rig};
    struct probe accepting = {0};
    enum { BYTES = 32 << 20 };
    unsigned char *bytes = test_calloc(1, BYTES);
    struct iovec pieces[] = {rig_piece(bytes, BYTES / 2), rig_piece(bytes, BYTES / 2)};
    rig_open_this_way(&rig);
    rig_pair(&rig, ends);
    rig_poll(&rig, 0, &polling, ends[1]);
    rig_cancel_await(&rig, &polling);
    io_socket listener = rig_listen(&rig, "127.0.0.1:0", &bound);
    rig_accept(&rig, 0, &accepting, listener);
    rig_cancel_await(&rig, &accepting);
    /* Nobody reads: sends take what fits, then one waits. */
    int32_t result;
    do {
        probe_reset(&sending);
        rig_send(&rig, 0, &sending, ends[0], pieces, 2);
        rig_cancel(&rig, 0, &sending);
        result = probe_await_end(&sending);
        assert_int_equal(probe_count(&sending), 1);
    } while (result > 0);
    assert_int_equal(result, -ECANCELED);
    rig_cancel(&rig, 0, &sending); /* inactive: nothing happens */
    assert_int_equal(probe_count(&sending), 1);
    assert_int_equal(probe_count(&polling), 1);
    rig_close(&rig);
    test_free(bytes);
}

static void
cancel_connect(void **state)
{
    (void)state;
    /* A listener whose backlog is full leaves a connect waiting. */
    enum { CLIENTS = 8 };
    struct rig rig;
    struct io_address bound;
    struct io_address wanted;
    static struct probe connecting[CLIENTS];
    io_socket listener;
    memset(connecting, 0, sizeof(connecting));
    rig_open_this_way(&rig);
    assert_int_equal(io_address_parse("127.0.0.1:0", &wanted), 0);
    assert_int_equal(io_listen(rig_io(&rig, 0), &wanted, 0, &listener, &bound), 0);
    for (unsigned i = 0; i < CLIENTS; i++) {
        rig_connect(&rig, 0, &connecting[i], &bound);
    }
    unsigned cancelled = 0;
    for (unsigned i = 0; i < CLIENTS; i++) {
        rig_cancel(&rig, 0, &connecting[i]);
        int32_t result = probe_await_end(&connecting[i]);
        assert_true(result >= 0 || result == -ECANCELED);
        assert_int_equal(probe_count(&connecting[i]), 1);
        cancelled += result < 0;
    }
    assert_true(cancelled > 0);
    rig_close(&rig);
}

struct hasty {
    struct probe *probe;
    io_socket socket;
};

static void
start_and_cancel(struct io *io, void *context)
{
    const struct hasty *hasty = context;
    io_poll(io, &hasty->probe->op, hasty->socket);
    io_cancel(io, &hasty->probe->op);
    io_cancel(io, &hasty->probe->op);
}

static void
cancel_at_once(void **state)
{
    (void)state;
    struct rig rig;
    io_socket ends[2];
    struct probe polling = {0};
    rig_open_this_way(&rig);
    rig_pair(&rig, ends);
    rig_poll(&rig, 0, &polling, ends[1]); /* arms the probe's done */
    rig_cancel_await(&rig, &polling);
    for (unsigned i = 0; i < 100; i++) {
        struct hasty hasty = {&polling, ends[1]};
        probe_reset(&polling);
        rig_do(&rig, 0, start_and_cancel, &hasty);
        assert_int_equal(probe_await_end(&polling), -ECANCELED);
        assert_int_equal(probe_count(&polling), 1);
    }
    rig_close(&rig);
}

/* Accepts that come while the cancel is on its way: done must be called once more, and no socket
 * leak. */
static void
cancel_accept_race(void **state)
{
    (void)state;
    enum { ROUNDS = 50 };
    struct rig rig;
    struct io_address bound;
    struct probe accepting = {.rig = &rig};
    rig_open_this_way(&rig);
    io_socket listener = rig_listen(&rig, "127.0.0.1:0", &bound);
    int lowest_before = dup(listener);
    assert_int_equal(close(lowest_before), 0);
    for (unsigned i = 0; i < ROUNDS; i++) {
        struct probe connecting = {0};
        probe_reset(&accepting);
        rig_accept(&rig, 0, &accepting, listener);
        rig_connect(&rig, 0, &connecting, &bound);
        rig_cancel(&rig, 0, &accepting);
        (void)probe_await_end(&accepting);
        int client = probe_await_end(&connecting);
        assert_true(client >= 0);
        /* Those that waited since an earlier round, ours or not, and the last one. */
        unsigned count = probe_count(&accepting);
        for (unsigned j = 0; j < count; j++) {
            assert_true(accepting.results[j] >= 0 || j == count - 1);
            if (accepting.results[j] >= 0) {
                assert_int_equal(close(accepting.results[j]), 0);
            }
        }
        rig_drop(&rig, 0, client, true);
    }
    rig_drop(&rig, 0, listener, false);
    rig_close(&rig);
    int lowest_after = dup(STDIN_FILENO);
    assert_int_equal(close(lowest_after), 0);
    assert_true(lowest_after <= lowest_before);
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("polls, accepts and sends end once when cancelled", cancel_each),
        SPEC("a connect that waits ends once when cancelled", cancel_connect),
        SPEC("an operation can be cancelled in the turn that started it", cancel_at_once),
        SPEC("connections that come while their accept is cancelled are not leaked",
             cancel_accept_race),
    };
    return rig_run(specs, sizeof specs / sizeof specs[0], true);
}
