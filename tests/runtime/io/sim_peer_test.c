/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/runtime/io/sim_rig.h"
#include "tests/spec.h"

#include <errno.h>
#include <string.h>

enum { SEEDS = SEEDS_OF(40) };

static void
fill(unsigned char *bytes, size_t count, unsigned salt)
{
    for (size_t i = 0; i < count; i++) {
        bytes[i] = (unsigned char)(i * 7 + (i >> 8) + salt);
    }
}

struct heard {
    int connected, closed;
    int error;
    bool reset, free_at_once;
    size_t count;
    unsigned char bytes[4096];
};

static void
heard_connected(void *context, struct sim_peer *peer, int error)
{
    struct heard *heard = context;
    (void)peer;
    heard->connected++;
    heard->error = error;
}

static void
heard_bytes(void *context, struct sim_peer *peer, const unsigned char *bytes, size_t count)
{
    struct heard *heard = context;
    assert_true(heard->count + count <= sizeof(heard->bytes));
    memcpy(heard->bytes + heard->count, bytes, count);
    heard->count += count;
    if (heard->free_at_once) {
        sim_peer_free(peer);
    }
}

static void
heard_closed(void *context, struct sim_peer *peer, bool reset)
{
    struct heard *heard = context;
    (void)peer;
    heard->closed++;
    heard->reset = reset;
}

static const struct sim_peer_events heard_events = {
    .connected = heard_connected, .received = heard_bytes, .closed = heard_closed};

struct guest {
    struct sim_rig rig;
    struct io *io;
    io_socket listener, socket;
    struct sim_probe accepting;
    struct sim_peer *peer;
    struct heard heard;
};

static void
guest_arrives(struct guest *guest, uint64_t seed)
{
    struct io_address address = sim_rig_address("127.0.0.1:4222");
    memset(guest, 0, sizeof(*guest));
    sim_rig_open(&guest->rig, &(struct sim_options){.seed = seed, .connection_bytes_max = 1000});
    guest->io = sim_rig_io(&guest->rig, 0);
    assert_int_equal(io_listen(guest->io, &address, 8, &guest->listener, NULL), 0);
    sim_probe_accept(&guest->accepting, guest->io, guest->listener);
    guest->peer = sim_peer_connect(guest->rig.driver, &address, &heard_events, &guest->heard);
    sim_rig_settle(&guest->rig);
    assert_int_equal(guest->heard.connected, 1);
    assert_int_equal(guest->heard.error, 0);
    guest->socket = guest->accepting.results[0];
}

static void
peer_talks(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        static struct guest guest;
        static unsigned char bytes[3000], got[3000];
        size_t count = 0;
        guest_arrives(&guest, seed);
        fill(bytes, sizeof(bytes), 5);
        sim_peer_send(guest.peer, bytes, sizeof(bytes)); /* more than there is room for */
        sim_peer_shutdown(guest.peer);
        int32_t end = -EAGAIN;
        while (end == -EAGAIN) {
            sim_rig_settle(&guest.rig);
            count += sim_rig_receive(&guest.rig, 0, guest.socket, got + count, sizeof(got) - count,
                                     &end);
        }
        assert_int_equal(end, 0);
        assert_int_equal(count, sizeof(bytes));
        assert_memory_equal(got, bytes, sizeof(bytes));
        sim_rig_send(&guest.rig, 0, guest.socket, bytes, sizeof(bytes));
        io_close(guest.io, guest.socket, false);
        sim_rig_settle(&guest.rig);
        assert_int_equal(guest.heard.count, sizeof(bytes));
        assert_memory_equal(guest.heard.bytes, bytes, sizeof(bytes));
        assert_int_equal(guest.heard.closed, 1);
        assert_false(guest.heard.reset);
        sim_peer_free(guest.peer);
        sim_rig_close(&guest.rig);
    }
}

static void
peer_refused(void **state)
{
    (void)state;
    struct sim_rig rig;
    static struct heard heard;
    struct io_address nobody = sim_rig_address("127.0.0.1:1");
    sim_rig_open(&rig, &(struct sim_options){.seed = 1});
    struct sim_peer *peer = sim_peer_connect(rig.driver, &nobody, &heard_events, &heard);
    sim_rig_settle(&rig);
    assert_int_equal(heard.connected, 1);
    assert_int_equal(heard.error, -ECONNREFUSED);
    sim_peer_free(peer);
    sim_rig_close(&rig);
}

static void
peer_cut(void **state)
{
    (void)state;
    static struct guest guest;
    int32_t end;
    unsigned char got[1000];
    guest_arrives(&guest, 3);
    sim_peer_send(guest.peer, "lost", 4);
    sim_peer_cut(guest.peer);
    sim_rig_settle(&guest.rig);
    assert_int_equal(sim_rig_receive(&guest.rig, 0, guest.socket, got, sizeof(got), &end), 0);
    assert_int_equal(end, -ECONNRESET);
    assert_int_equal(guest.heard.closed, 0);
    sim_peer_send(guest.peer, "nobody", 6);
    sim_peer_free(guest.peer);
    sim_rig_settle(&guest.rig);
    io_close(guest.io, guest.socket, false);
    sim_rig_close(&guest.rig);
}

static void
peer_paused(void **state)
{
    (void)state;
    static struct guest guest;
    static unsigned char bytes[2000];
    struct sim_probe sending;
    guest_arrives(&guest, 3);
    fill(bytes, sizeof(bytes), 6);
    sim_peer_pause(guest.peer, true);
    sim_rig_send(&guest.rig, 0, guest.socket, bytes, 1000);
    assert_int_equal(guest.heard.count, 0);
    struct iovec piece = {.iov_base = bytes + 1000, .iov_len = 1000};
    sim_probe_init(&sending);
    io_send(guest.io, &sending.op, guest.socket, &piece, 1);
    sim_rig_run_ms(&guest.rig, 60000);
    assert_true(sending.op.active);
    sim_peer_pause(guest.peer, false);
    sim_rig_settle(&guest.rig);
    assert_int_equal(guest.heard.count, 1000 + sim_probe_only(&sending));
    assert_memory_equal(guest.heard.bytes, bytes, guest.heard.count);
    sim_rig_close(&guest.rig); /* the peer goes with the driver */
}

static void
peer_freed_in_callback(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        static struct guest guest;
        int32_t end;
        guest_arrives(&guest, seed);
        guest.heard.free_at_once = true;
        sim_rig_send(&guest.rig, 0, guest.socket, "hello", 5);
        sim_rig_settle(&guest.rig);
        assert_true(guest.heard.count > 0);
        (void)sim_rig_receive(&guest.rig, 0, guest.socket, NULL, 0, &end);
        assert_true(end == 0 || end == -ECONNRESET);
        sim_rig_close(&guest.rig);
    }
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("a test's peer sends, receives and hears the end", peer_talks),
        SPEC("a test's peer is refused where nobody listens", peer_refused),
        SPEC("a cut loses what flies and shows as a reset", peer_cut),
        SPEC("a paused peer stalls those who send to it", peer_paused),
        SPEC("a peer may be freed inside its own callback", peer_freed_in_callback),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
