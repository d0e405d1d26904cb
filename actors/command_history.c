/* SPDX-License-Identifier: Apache-2.0 */
/* getHistory: what was said in a chat before. It leaves as the inbox's events do, without a number
 * there; the answer behind them says how to go on. */
#include "actors/command.h"
#include "actors/event.h"

#include "store/history.h"

#include <errno.h>
#include <string.h>

enum {
    /* Of one page's records. In JSON content has a third more, and each of STORE_HISTORY_MAX
     * messages its names around it: about what makes a connection wait until its peer reads. */
    PAGE_BYTES_MAX = 64 << 10,
    HISTORY_AGAIN_MS = 100,
};

static void
answer_page(struct connection *connection, const struct pending *pending,
            const struct store_history_page *page)
{
    struct event_expired expired;
    struct event_expired peer_expired;
    Linnet__V1__HistoryPage event = LINNET__V1__HISTORY_PAGE__INIT;
    event.count = page->count;
    event.next = page->more ? page->reached : 0;
    event.delivered = page->delivered;
    event.read = page->read;
    event.peer_delivered = page->peer_delivered;
    event.peer_read = page->peer_read;
    event_expired(&page->expired, &expired);
    event.expired_after = expired.after;
    event.expired = expired.to;
    event.n_expired_earlier = expired.count;
    event.expired_earlier = expired.places;
    event.expired_unknown = expired.unknown;
    event_expired(&page->peer_expired, &peer_expired);
    event.peer_expired_after = peer_expired.after;
    event.peer_expired = peer_expired.to;
    event.n_peer_expired_earlier = peer_expired.count;
    event.peer_expired_earlier = peer_expired.places;
    event.peer_expired_unknown = peer_expired.unknown;
    Linnet__V1__Answer result = LINNET__V1__ANSWER__INIT;
    result.result_case = LINNET__V1__ANSWER__RESULT_HISTORY;
    result.history = &event;
    event_answer(connection, pending, &result);
}

static void
told(struct connection *connection, const struct pending *pending, const struct ln_msg *answer)
{
    const struct store_history_page *page =
        (const struct store_history_page *)(const void *)answer->data;
    if (answer->buffer != NULL) {
        event_history(connection, answer->buffer);
    }
    answer_page(connection, pending, page);
}

static void
history_refused(struct connection *connection, const struct pending *pending, int error)
{
    if (error == -ENXIO) {
        event_error(connection, command_number(pending), pending->ref,
                    LINNET__V1__ERROR__CODE__UNKNOWN_CHAT,
                    "getHistory.chat: there is no such group, or you were never in it", 0);
    } else {
        command_refuse_own(connection, pending, error);
    }
}

static const struct request_kind request_history = {
    .tag = STORE_HISTORY, .done = told, .refused = history_refused};

/* One page at a time: each is about as much as may wait for a peer that doesn't read. */
static bool
page_under_way(const struct connection *connection)
{
    const struct pending *at = connection->pendings.first;
    while (at != NULL && at->kind != &request_history) {
        at = at->next;
    }
    return at != NULL;
}

static void
get_history(struct connection *connection, const Linnet__V1__ClientFrame *frame)
{
    const Linnet__V1__GetHistory *asked = frame->get_history;
    struct store_history history = {
        .user = connection->user,
        .number = asked->from,
        .sender = asked->sender_user_id,
        .content_kind = (uint8_t)asked->content_kind,
        .only = (uint8_t)asked->only,
        .from_ms = asked->since_ms,
        .to_ms = asked->until_ms,
        .max = asked->max < STORE_HISTORY_MAX ? (uint32_t)asked->max : STORE_HISTORY_MAX,
        .bytes_max = PAGE_BYTES_MAX,
        .forward = asked->forward,
    };
    if (settings_history_ms(connection->messenger->settings) == 0) {
        event_error(connection, frame->number, frame->ref, LINNET__V1__ERROR__CODE__NOT_PERMITTED,
                    "getHistory: this node keeps no history", 0);
        return;
    }
    if (page_under_way(connection)) {
        event_error(connection, frame->number, frame->ref,
                    LINNET__V1__ERROR__CODE__TOO_MANY_UNANSWERED,
                    "getHistory: the page before is not answered yet", HISTORY_AGAIN_MS);
        return;
    }
    if (asked->chat->peer_case == LINNET__V1__CHAT__PEER_GROUP_ID) {
        history.chat = asked->chat->group_id;
        history.in_group = true;
    } else {
        int error = command_chat_resolve(connection, asked->chat, &history.chat);
        if (error != 0) {
            command_refuse_name(connection, frame, "getHistory.chat", error);
            return;
        }
    }
    command_ask(connection, frame, &request_history, history.user, &history, sizeof history, NULL);
}

const struct command_kind command_get_history = {get_history};
