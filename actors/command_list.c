/* SPDX-License-Identifier: Apache-2.0 */
/* listChats: how far each of the user's chats has got, a page at a time. */
#include "actors/command.h"
#include "actors/event.h"

#include <string.h>

static void
listed(struct connection *connection, const struct pending *pending, const struct ln_msg *answer)
{
    Linnet__V1__Answer event = LINNET__V1__ANSWER__INIT;
    struct chat_page page;
    chat_page_fill(answer, &page);
    event.result_case = LINNET__V1__ANSWER__RESULT_CHATS;
    event.chats = &page.list;
    event_answer(connection, pending, &event);
    chat_page_free(&page);
}

static const struct request_kind request_chats = {
    .tag = STORE_CHATS, .done = listed, .refused = command_refuse_own};

static void
list_chats(struct connection *connection, const Linnet__V1__ClientFrame *frame)
{
    const Linnet__V1__ListChats *asked = frame->list_chats;
    struct store_list list = {
        .user = connection->user,
        .after = asked->after,
        .max = asked->max > 0 && asked->max < CHAT_PAGE_MAX ? asked->max : CHAT_PAGE_MAX,
    };
    command_ask(connection, frame, &request_chats, list.user, &list, sizeof list, NULL);
}

const struct command_kind command_list_chats = {list_chats};
