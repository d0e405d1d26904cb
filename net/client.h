/* SPDX-License-Identifier: Apache-2.0 */
/* client.h - the client's side of the protocol, without socket, clock or thread: bytes in, events
 * out; commands in, bytes out.
 *
 *     client_init(&client, &config);
 *     client_connect(&client, &login);          the stream is there: the handshake waits as output
 *     loop:
 *         count = client_output(&client, &bytes);    ... send n of them ...
 *         client_output_sent(&client, n);
 *         ... count bytes were received ...
 *         struct client_input input = {bytes, count};
 *         while ((rc = client_next(&client, &input, &event)) == 0)
 *             switch (event.kind) ...
 *         rc is -EAGAIN: all used up
 *
 * It keeps what the protocol asks a device to keep: its numbering, and the messages that were not
 * answered yet. They survive a connection's end: client_connect again, and after the welcome they
 * are sent in order under their old numbers. To survive the process, the owner stores them and
 * gives them back: client_resume, client_restore.
 *
 * What the owner decides: when a message is stored (client_ack, only then), what to do about a
 * refusal, when to reconnect. A client at rest holds about half a KiB; buffers exist only while
 * something waits in them.
 *
 * A client is one device for life: after a new password login, begin a new client.
 *
 * One thread at a time. Clients of one thread may share a config and its arena.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/client_event.h"
#include "net/outbox.h"
#include "net/output.h"
#include "net/protocol.h"
#include "net/upgrade.h"
#include "net/websocket.h"
#include "runtime/check.h"

/* What clients of a kind have in common; borrowed until the last of them is gone. */
struct client_config {
    enum protocol_form form;
    const char *host; /* of the Host field: "127.0.0.1:4222" */
    const char *path; /* "/chat" */
    /* Fills `out` with bytes that nobody can guess: keys and masks. */
    void (*random)(void *context, void *out, size_t bytes);
    void *random_context;
    /* Events are decoded here; reset at each client_next. */
    struct arena *arena;
};

/* Who connects; borrowed until the welcome. Either a token, or name, password and the new device's
 * name. */
struct client_login {
    const char *token;
    bool token_in_frame; /* as a command, instead of in the upgrade request */
    const char *name;
    const char *password;
    const char *device_name;
};

/* Bytes that arrived; they are used up from the front, and may be overwritten. */
struct client_input {
    unsigned char *bytes;
    size_t count;
};

/*        client_connect           101                  welcome
 *   OFF --------------> UPGRADING ----> LOGGING_IN --------------> READY
 *    ^                      |               |                        |
 *    +------ closed --------+---------------+------------------------+
 *
 * client_connect works in every state. */
enum client_state {
    CLIENT_OFF,
    CLIENT_UPGRADING,
    CLIENT_LOGGING_IN,
    CLIENT_READY,
};

struct seen;

/* Embedded; the fields are for client.c alone. */
struct client {
    const struct client_config *config;
    const struct client_login *login;
    struct websocket websocket;
    struct output output;
    struct outbox outbox;
    struct seen *seen;
    unsigned char *head; /* of the upgrade's response, while it is incomplete */
    uint32_t head_bytes;
    uint8_t state;
    bool numbered; /* next_number is known: from a welcome, or client_resume */
    unsigned char key[UPGRADE_KEY_BYTES];
    uint64_t user_id; /* whose device this is; 0 before the first welcome */
    uint32_t device;
    uint64_t next_number;
    uint64_t acknowledged; /* the highest inbox number that the owner has stored */
    uint64_t inbox_given;  /* the highest of a message or resync that the owner was given */
    uint64_t inbox_last;   /* the highest on this connection */
    uint32_t others_unanswered;
    uint32_t unanswered_max;
    uint32_t message_bytes_max;
    uint32_t attachments_max;
    uint32_t group_members_max;
};

/* Off, with an empty outbox. Borrows the config for as long as the client lives. */
void client_init(struct client *client, const struct client_config *config);

/* What an earlier process stored of the same device: the next command number, and the highest
 * acknowledged entry. Before the first client_connect. */
void client_resume(struct client *client, uint64_t next_number, uint64_t acknowledged);

/* Gives back all memory. A zeroed struct is allowed. */
void client_fini(struct client *client);

/* Begins a new connection, whatever became of the one before: what it had half received or not yet
 * sent is dropped, the outbox is queued again. Borrows the login until CLIENT_WELCOME or
 * CLIENT_CLOSED. -EINVAL: the texts of the config or the login can't stand in a request.
 * -ENOMEM. */
int client_connect(struct client *client, const struct client_login *login) MUST_CHECK;

/* The next event, or -EAGAIN: the input is used up. -ENOMEM: nothing was lost, call again. After
 * CLIENT_CLOSED the rest of the input is dropped. May add to the output: answers to pings, the
 * outbox, the close. */
int client_next(struct client *client, struct client_input *input,
                struct client_event *out_event) MUST_CHECK;

/* Numbers the message, keeps it in the outbox and sends it, at once or after the next welcome. The
 * message is copied.
 * -EAGAIN: as many are unanswered as the node allows, or as its window can tell apart; -ENOTCONN:
 * before the first welcome of a device that was not resumed there are no numbers; -EMSGSIZE: beyond
 * the node's limits; -EINVAL: a message that no node takes; -ENOMEM. */
int client_send(struct client *client, Linnet__V1__SendMessage *message, uint64_t ref,
                uint64_t *out_number) MUST_CHECK;

/* The same for any other command that takes a number: createChat, modifyChat, joinChat. The frame's
 * number and ref are set; it is answered by CLIENT_ANSWERED, CLIENT_DONE or CLIENT_REFUSED. */
int client_command(struct client *client, Linnet__V1__ClientFrame *command, uint64_t ref,
                   uint64_t *out_number) MUST_CHECK;

/* Puts a message of an earlier process, as client_send numbered it then, back into the outbox.
 * After client_resume, before the first client_connect, in the order of their numbers. -EINVAL: not
 * so; else as client_send. */
int client_restore(struct client *client, Linnet__V1__SendMessage *message, uint64_t ref,
                   uint64_t number) MUST_CHECK;

/* Sends a refused message again. -ENOENT: no such message, or it is not refused. */
int client_resend(struct client *client, uint64_t number) MUST_CHECK;

/* Gives up an unanswered message: it leaves the outbox, but if it was sent it may still arrive.
 * -ENOENT. */
int client_discard(struct client *client, uint64_t number) MUST_CHECK;

/* Everything up to this entry is stored. Remembered: after a reconnect the client says it again if
 * the node forgot.
 * -ENOMEM: say it again. */
int client_ack(struct client *client, uint64_t inbox_number) MUST_CHECK;

/* Everything up to this message of the chat is read. Answered by CLIENT_REFUSED when it fails, and
 * with a ref by CLIENT_DONE when it is done; not kept over a reconnect. -ENOTCONN: not ready;
 * -EAGAIN: too many unanswered; -EINVAL; -ENOMEM. */
int client_mark_read(struct client *client, Linnet__V1__Chat *chat, uint64_t chat_number,
                     uint64_t ref) MUST_CHECK;

/* Any command that needs no number (getChat, listGroups ...): answered by CLIENT_ANSWERED,
 * CLIENT_DONE or CLIENT_REFUSED with the frame's ref. Errors as above. */
int client_ask(struct client *client, const Linnet__V1__ClientFrame *frame) MUST_CHECK;

/* Asks the node for a sign of life: CLIENT_PONG with the ref. Errors as above. */
int client_ping(struct client *client, uint64_t ref) MUST_CHECK;

/* A sign of life that asks for none: a pong that nobody asked for (RFC 6455, 5.5.3). -ENOTCONN: not
 * ready; -ENOMEM. */
int client_beat(struct client *client) MUST_CHECK;

/* Begins the closing handshake, which ends with CLIENT_CLOSED. -ENOTCONN: there is no WebSocket to
 * close. */
int client_close(struct client *client, enum protocol_close code) MUST_CHECK;

/* What waits to be sent, and where; borrowed until the next call. */
size_t client_output(const struct client *client, const unsigned char **out_bytes);

/* So much of it was sent. */
void client_output_sent(struct client *client, size_t bytes);

enum client_state client_state(const struct client *client);
const char *client_state_name(enum client_state state);

/* Messages in the outbox. */
uint32_t client_unanswered(const struct client *client);

/* For the owner to store: the number that the next message will have, 0 if it isn't known yet; the
 * highest acknowledged entry. */
uint64_t client_next_number(const struct client *client);
uint64_t client_acknowledged(const struct client *client);

/* Heap bytes held: 0 before the first message, for a client whose outbox and output are empty. */
size_t client_held_bytes(const struct client *client);
