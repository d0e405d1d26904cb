/* SPDX-License-Identifier: Apache-2.0 */
/* Step 5: an echo server, an actor for each connection, on all cores.
 *
 *     ninja -C build/release 5_echo && build/release/runtime/examples/5_echo 127.0.0.1:7777
 *     nc 127.0.0.1 7777              in another terminal
 *
 * Bytes arrive as messages. An idle connection holds no stack and no buffer. A socket ends with its
 * owner, so there is nothing to clean up, however a connection ends. */
#include <linnet/io/uring.h>
#include <linnet/node.h>
#include <linnet/socket.h>

#include <stdio.h>
#include <string.h>

struct echo {
    struct ln_socket *socket;
};

static int
echo_init(void *state, const void *argument)
{
    io_socket descriptor;
    memcpy(&descriptor, argument, sizeof descriptor);
    ((struct echo *)state)->socket = ln_socket_attach(descriptor);
    return 0;
}

static void
echo_handle(void *state, struct ln_msg **msg)
{
    struct echo *echo = state;
    const struct ln_socket_event *event = ln_socket_event(*msg);
    if ((*msg)->tag == LN_TAG_DATA) {
        ln_socket_send(echo->socket, event->data, event->bytes);
    } else if ((*msg)->tag == LN_TAG_CLOSED) {
        ln_stop(LN_EXIT_NORMAL, "the peer has left");
    }
}

static const struct ln_behaviour echo = {
    .name = "echo", .state_bytes = sizeof(struct echo), .init = echo_init, .handle = echo_handle};

static int
listener_init(void *state, const void *argument)
{
    struct ln_socket *listener;
    struct io_address bound;
    char text[IO_ADDRESS_TEXT_MAX];
    (void)state;
    int error = ln_socket_listen(argument, &listener, &bound);
    if (error == 0) {
        io_address_print(&bound, text);
        (void)printf("listening on %s\n", text);
        (void)fflush(stdout);
    }
    return error;
}

static void
listener_handle(void *state, struct ln_msg **msg)
{
    (void)state;
    if ((*msg)->tag == LN_TAG_ACCEPT) {
        ln_pid pid;
        io_socket descriptor = ln_socket_event(*msg)->descriptor;
        struct ln_spawn_options anywhere = {.elsewhere = true, .scheduler = LN_ANYWHERE};
        if (ln_spawn(&echo, &descriptor, sizeof descriptor, &anywhere, &pid) != 0) {
            io_close(ln_io(), descriptor, true);
        }
    }
}

static const struct ln_behaviour listener = {
    .name = "listener", .init = listener_init, .handle = listener_handle};

int
main(int count, char **arguments)
{
    struct io_driver *driver;
    struct io_address address;
    if (io_address_parse(count > 1 ? arguments[1] : "127.0.0.1:7777", &address) != 0 ||
        uring_open(&(struct uring_options){0}, &driver, NULL, 0) != 0) {
        return 1;
    }
    struct ln_node *node = ln_node_open(driver, &(struct ln_node_options){0});
    ln_node_root(node, &listener, &address, sizeof address);
    if (ln_node_start(node) == 0) {
        (void)ln_node_join(node); /* until Ctrl-C: it keeps nothing that could be lost */
    }
    ln_node_close(&node);
    io_driver_close(driver);
    return 1;
}
