/* SPDX-License-Identifier: Apache-2.0 */
/* client_priv.h - what the client's sources share: client.c (life and commands), client_write.c
 * (frames into the output), client_event.c (the node's frames into events). */
#pragma once
#include "net/client.h"
#include "runtime/check.h"

/* Encodes, masks and appends a command. -ENOMEM; -ENOTCONN once a close was sent or received. */
int client_command_write(struct client *client, const Linnet__V1__ClientFrame *frame) MUST_CHECK;

/* The command that logs in, from client->login. */
int client_login_write(struct client *client) MUST_CHECK;

int client_ack_write(struct client *client, uint64_t inbox_number) MUST_CHECK;

/* Writes queued messages as far as the node's credit goes. What finds no memory stays queued for
 * the next time. */
void client_outbox_write(struct client *client);

/* The close frame; -ENOTCONN if one was sent before. */
int client_close_write(struct client *client, unsigned code, const char *reason) MUST_CHECK;

/* The connection is over, and the event says so. */
void client_closed(struct client *client, struct client_event *out_event, unsigned code,
                   const char *text);

/* The same by our own decision, which the node is told: it said something that it can't have meant,
 * or there is no memory to hear it. */
void client_give_up(struct client *client, struct client_event *out_event, unsigned code,
                    const char *text);

/* Makes an event of a message that the WebSocket brought. 0, or -EAGAIN if it is none for the
 * owner. */
int client_event_read(struct client *client, const struct websocket_event *message,
                      struct client_event *out_event) MUST_CHECK;

static inline void
client_random(const struct client *client, void *out, size_t bytes)
{
    client->config->random(client->config->random_context, out, bytes);
}
