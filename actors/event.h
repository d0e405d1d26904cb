/* SPDX-License-Identifier: Apache-2.0 */
/* event.h - entries of an inbox as the events that a device is sent: event_NOUN.c, each with its
 * kinds, and one table of all of them in connection_event.c. And the answers that speak of the same
 * nouns.
 *
 * An entry becomes one event, or a few with the same inbox number. Entries are borrowed; nothing
 * here yields.
 */
#pragma once

#include "actors/connection_priv.h"
#include "store/entry.h"
#include "store/history.h"

typedef void event_of_entry(struct connection *connection, const struct store_entry *entry);

/* The chat of an entry: its peer is a user or, of a group's kinds, a group. */
void event_chat(const struct store_entry *entry, Linnet__V1__Chat *out);

/* Who reads entries as events and is no client: they come to `take`, as they come, and are counted
 * and traced nowhere. Embedded; the frames are borrowed. */
struct event_reader {
    struct connection connection;
    struct messenger messenger;
    void (*take)(struct event_reader *reader, Linnet__V1__ServerFrame *frame);
};
void event_reader_init(struct event_reader *reader, const struct messenger *messenger,
                       uint64_t user,
                       void (*take)(struct event_reader *reader, Linnet__V1__ServerFrame *frame));

/* connection_event.c: an event that others are told of, too, in the same words (stencil.h). False:
 * it was not sent, since it was not made for anybody lately. */
bool event_send_again(struct connection *connection, const struct store_entry *entry);
/* Made now, and kept for the others. */
void event_send_first(struct connection *connection, const struct store_entry *entry,
                      Linnet__V1__ServerFrame *frame);
void event_receipts(struct connection *connection, const struct store_entry *entry, uint64_t reader,
                    uint64_t delivered, uint64_t read);

/* event_message.c */
event_of_entry event_message;
/* A message of a history, and how far it has got; its number is 0. */
void event_told(struct connection *connection, const struct store_history_row *row);
event_of_entry event_changed;

/* event_history.c: the rows of a history's page (STORE_HISTORY). */
void event_history(struct connection *connection, const struct ln_buffer *rows);

/* event_call.c */
event_of_entry event_call;
void event_call_offered(struct connection *connection, const struct pending *pending,
                        const struct store_sent *stored);
/* STORE_CALL_TOLD; the message is borrowed. */
void event_call_signal(struct connection *connection, const struct ln_msg *msg);

/* event_group.c */
event_of_entry event_group_update;
event_of_entry event_group_cursors;
event_of_entry event_group_counts;

/* event_state.c */
event_of_entry event_state;
/* Answers; the buffers are borrowed, NULL: nothing is there. */
void event_states(struct connection *connection, uint64_t number, uint64_t ref,
                  const struct store_states *states, struct ln_buffer *buffer);
void event_profile(struct connection *connection, uint64_t number, uint64_t ref,
                   const struct store_profile *profile, struct ln_buffer *buffer);

/* event_expired.c: what expired, as a client gets it. The places point into it: it stays where it
 * was filled in. */
struct event_expired {
    uint64_t after, to; /* the last hole; 0: there is none */
    uint64_t unknown;
    unsigned count; /* of those before it */
    Linnet__V1__Hole holes[HOLES_MAX];
    Linnet__V1__Hole *places[HOLES_MAX];
};
void event_expired(const struct expired *expired, struct event_expired *out);

/* event_chats.c */
/* A row of chats has at most 310 bytes of JSON, and 450 more where much has expired; one of groups
 * 240. So both pages, as a resync has them, stay below CONNECTION_UNSENT_MAX but for such chats. */
enum { CHAT_PAGE_MAX = 200 };
/* STORE_CHATS's answer as a client gets it. It borrows nothing. */
struct chat_page {
    Linnet__V1__ChatList list;
    void *memory;
};
void chat_page_fill(const struct ln_msg *answer, struct chat_page *out);
void chat_page_free(struct chat_page *page);
/* Likewise STORE_GROUP_CHATS's. */
struct group_page {
    Linnet__V1__Memberships list;
    void *memory;
};
void group_page_fill(const struct ln_msg *answer, struct group_page *out);
void group_page_free(struct group_page *page);

/* event_device.c */
void event_devices(struct connection *connection, const struct pending *pending,
                   const struct store_device *devices, uint32_t count);
void event_link_code(struct connection *connection, const struct pending *pending, const char *code,
                     uint64_t expires_at_ms);
event_of_entry event_device_change;
