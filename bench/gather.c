/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/gather.h"

#include <string.h>

void
gather_chat(uint64_t group, Linnet__V1__Chat *out)
{
    linnet__v1__chat__init(out);
    out->peer_case = LINNET__V1__CHAT__PEER_GROUP_ID;
    out->group_id = group;
}

bool
gather_ask(struct phone *phone, const uint64_t *users, uint32_t count, uint64_t ref)
{
    Linnet__V1__Participant *participants = ln_alloc(count * sizeof *participants);
    Linnet__V1__Participant **list = ln_alloc(count * sizeof(void *));
    for (uint32_t i = 0; i < count; i++) {
        linnet__v1__participant__init(&participants[i]);
        participants[i].user_case = LINNET__V1__PARTICIPANT__USER_USER_ID;
        participants[i].user_id = users[i];
        list[i] = &participants[i];
    }
    Linnet__V1__CreateChat create = LINNET__V1__CREATE_CHAT__INIT;
    create.name = (char *)(uintptr_t) "linnet-bench";
    create.n_participants = count;
    create.participants = list;
    Linnet__V1__ClientFrame frame = LINNET__V1__CLIENT_FRAME__INIT;
    frame.command_case = LINNET__V1__CLIENT_FRAME__COMMAND_CREATE_CHAT;
    frame.create_chat = &create;
    uint64_t number = 0;
    int error = client_command(&phone->client, &frame, ref, &number);
    if (error < 0) {
        crowd_fail(phone->crowd, "no group of %u: %s", count + 1, strerrordesc_np(-error));
    }
    phone_flush(phone);
    ln_free(list);
    ln_free(participants);
    return error == 0;
}

bool
gather_made(const Linnet__V1__ChatUpdate *update, uint64_t maker, uint64_t group)
{
    return update->change_case == LINNET__V1__CHAT_UPDATE__CHANGE_CREATED &&
           update->author_user_id == maker && (group == 0 || update->chat->group_id == group);
}
