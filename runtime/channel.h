/* SPDX-License-Identifier: Apache-2.0 */
/* channel.h - the way of messages from one scheduler to another: a ring with one writer and one
 * reader per ordered pair.
 *
 * The sender gathers messages in a list and publishes it in one go; what the ring has no room for
 * stays in the list, in order, for the next time. Memory to be freed by its owner travels the same
 * way, a whole chain as one entry, with the next message or when there is much of it.
 *
 * Sender's thread: channel_send, channel_send_home, channel_publish. Receiver's thread:
 * channel_receive.
 */
#pragma once

#include "runtime/linnet.h"

struct channel;

struct channel *channel_new(void);
/* Frees it and the messages still inside by `discard`. Neither thread runs any more. NULL is
 * allowed. */
void channel_free(struct channel *channel, void (*discard)(struct ln_msg *msg));

/* Takes *msg. */
void channel_send(struct channel *channel, struct ln_msg **msg);
/* Takes a message that is free but whose memory is the receiver's. */
void channel_send_home(struct channel *channel, struct ln_msg *msg);
/* Makes what was sent visible to the receiver. True when something was: it should be woken. */
bool channel_publish(struct channel *channel);
/* Entries that a publish would make visible, had the ring room. */
uint32_t channel_unpublished(const struct channel *channel);

/* The next message, or NULL; *out_homeward tells that it is a chain of free messages, linked by
 * next. */
struct ln_msg *channel_receive(struct channel *channel, bool *out_homeward);
/* Whether something waits. Receiver's thread; ordered after an earlier announcement that it
 * sleeps. */
bool channel_waiting(const struct channel *channel);
