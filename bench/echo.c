/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/echo.h"

#include "bench/crowd.h"
#include "net/upgrade.h"
#include "net/websocket.h"
#include "runtime/socket.h"

#include <errno.h>
#include <string.h>

enum { CONNECT_MS = 5000, HEAD_BYTES_MAX = 2048, FRAME_BYTES_MAX = 1 << 20 };

static const struct websocket_rules rules = {
    .frame_bytes_max = FRAME_BYTES_MAX, .message_bytes_max = FRAME_BYTES_MAX, .text_refused = true};

struct echo {
    struct crowd *crowd;
    uint32_t index;
    struct ln_socket *socket;
    struct websocket websocket;
    struct upgrade_offer offer;
    uint64_t sent_at_ns;
    bool upgraded, going, stopped;
    uint32_t head_bytes;
    char head[HEAD_BYTES_MAX]; /* of the upgrade's response */
};

static void
frame_send(struct echo *echo)
{
    struct crowd *crowd = echo->crowd;
    unsigned char header[FRAME_HEADER_BYTES_MAX];
    unsigned char key[FRAME_KEY_BYTES];
    size_t bytes = crowd->options->bytes;
    crowd_random(crowd, key, sizeof key);
    int header_bytes = websocket_header_encode(&echo->websocket, FRAME_BINARY, bytes, key, header);
    ASSERT(header_bytes > 0);
    unsigned char *payload = (unsigned char *)crowd->text;
    memset(payload, 'e', bytes);
    frame_mask(payload, payload, bytes, key, 0);
    echo->sent_at_ns = crowd_now_ns();
    ln_socket_send(echo->socket, header, (size_t)header_bytes);
    ln_socket_send(echo->socket, payload, bytes);
}

static void
quiet_tell(struct echo *echo)
{
    echo->going = false;
    crowd_tell(echo->crowd, CROWD_QUIET);
}

/* A frame is back. */
static void
echoed(struct echo *echo, const struct websocket_event *event)
{
    struct crowd *crowd = echo->crowd;
    if (event->kind != WEBSOCKET_BINARY || event->count != crowd->options->bytes) {
        crowd_fail(crowd, "the echo is none: is it /echo, and switched on?");
        return;
    }
    uint64_t now_ns = crowd_now_ns();
    tally_delay(&crowd->tally, TALLY_TRIP, echo->sent_at_ns, now_ns);
    tally_add(&crowd->tally, TALLY_TRIPS, tally_measures(&crowd->tally, now_ns));
    if (echo->stopped) {
        quiet_tell(echo);
    } else {
        frame_send(echo);
    }
}

/* What is left of the input behind the response's head. */
static struct websocket_input
head_take(struct echo *echo, unsigned char *bytes, size_t count)
{
    struct websocket_input left = {bytes + count, 0};
    if (count > sizeof echo->head - echo->head_bytes) {
        crowd_fail(echo->crowd, "the answer to the upgrade is too long");
        return left;
    }
    memcpy(echo->head + echo->head_bytes, bytes, count);
    echo->head_bytes += (uint32_t)count;
    struct upgrade_response response;
    enum upgrade_fault fault =
        upgrade_response_judge(&echo->offer, echo->head, echo->head_bytes, &response);
    if (fault == UPGRADE_OK) {
        left.count = echo->head_bytes - response.head_bytes;
        left.bytes = bytes + (count - left.count);
        echo->upgraded = true;
        websocket_init(&echo->websocket, WEBSOCKET_CLIENT, &rules);
        crowd_tell(echo->crowd, CROWD_READY);
    } else if (fault != UPGRADE_INCOMPLETE) {
        const char *text = upgrade_fault_text(fault);
        crowd_fail(echo->crowd, "the upgrade failed with status %u: %.*s", response.status,
                   (int)strcspn(text, "\n"), text);
    }
    return left;
}

static void
received(struct echo *echo, const struct ln_socket_event *data)
{
    struct websocket_input input = {data->data, data->bytes};
    struct websocket_event event;
    if (!echo->upgraded) {
        input = head_take(echo, data->data, data->bytes);
    }
    while (echo->upgraded && websocket_next(&echo->websocket, &input, &event) == 0) {
        echoed(echo, &event);
    }
}

static void
call(struct echo *echo)
{
    struct crowd *crowd = echo->crowd;
    size_t used = 0;
    struct io_address address;
    crowd_address(crowd, echo->index, &address);
    int error = ln_socket_connect(&address, CONNECT_MS, &echo->socket);
    if (error == 0) {
        echo->offer = (struct upgrade_offer){.host = crowd->options->url.host,
                                             .path = crowd->options->url.path};
        crowd_random(crowd, echo->offer.key, sizeof echo->offer.key);
        error = upgrade_offer_write(&echo->offer, crowd->text, sizeof crowd->text, &used);
    }
    if (error < 0) {
        crowd_fail(crowd, "%s: %s", crowd->options->url.host, strerrordesc_np(-error));
        return;
    }
    ln_socket_send(echo->socket, crowd->text, used);
}

static void
stop(struct echo *echo)
{
    echo->stopped = true;
    if (!echo->going) {
        quiet_tell(echo);
    }
}

/* ------------------------------------------------------------------------------------ behaviour */

static int
echo_init(void *state, const void *argument)
{
    struct echo *echo = state;
    const struct crowd_place *place = argument;
    echo->crowd = place->crowd;
    echo->index = place->index;
    crowd_call_after(0, 0);
    return 0;
}

static void
echo_handle(void *state, struct ln_msg **msg)
{
    struct echo *echo = state;
    switch ((*msg)->tag) {
    case CROWD_CALL:
        call(echo);
        break;
    case CROWD_GO:
        crowd_go(echo->crowd, *msg);
        echo->going = true;
        frame_send(echo);
        break;
    case CROWD_STOP:
        stop(echo);
        break;
    case CROWD_FINISH:
    case CROWD_ABANDON:
        ln_stop(LN_EXIT_NORMAL, "finished");
        break;
    case LN_TAG_DATA:
        received(echo, ln_socket_event(*msg));
        break;
    case LN_TAG_CLOSED:
        crowd_fail(echo->crowd, "the node has closed a connection");
        break;
    default:
        break;
    }
}

static void
echo_terminate(void *state, const struct ln_reason *reason)
{
    struct echo *echo = state;
    (void)reason;
    websocket_fini(&echo->websocket);
}

const struct ln_behaviour echo_behaviour = {
    .name = "echo",
    .state_bytes = sizeof(struct echo),
    .init = echo_init,
    .handle = echo_handle,
    .terminate = echo_terminate,
};
