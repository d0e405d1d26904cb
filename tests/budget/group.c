/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/budget/group.h"

#include "tests/spec.h"

#include <string.h>

enum {
    STEP_MS = 5,
    PATIENCE_MS = 60000,
};

static uint64_t group_id;
static uint32_t group_said;
static uint32_t heard[MEMBERS]; /* messages */

/* --------------------------------------------------------------------------------------- saying */

static void
member_founds(struct member *member)
{
    static Linnet__V1__Participant participants[MEMBERS - 1];
    static Linnet__V1__Participant *list[MEMBERS - 1];
    for (unsigned i = 0; i + 1 < MEMBERS; i++) {
        participants[i] = (Linnet__V1__Participant)LINNET__V1__PARTICIPANT__INIT;
        participants[i].user_case = LINNET__V1__PARTICIPANT__USER_USER_ID;
        participants[i].user_id = member_at(i + 1)->user;
        list[i] = &participants[i];
    }
    Linnet__V1__CreateChat create = LINNET__V1__CREATE_CHAT__INIT;
    create.name = (char *)(uintptr_t) "everybody";
    create.n_participants = MEMBERS - 1;
    create.participants = list;
    Linnet__V1__ClientFrame frame = LINNET__V1__CLIENT_FRAME__INIT;
    frame.number = ++member->number;
    frame.command_case = LINNET__V1__CLIENT_FRAME__COMMAND_CREATE_CHAT;
    frame.create_chat = &create;
    member_says(member, &frame);
    member_flush(member);
}

static void
member_tells_all(struct member *member)
{
    Linnet__V1__Chat chat = LINNET__V1__CHAT__INIT;
    chat.peer_case = LINNET__V1__CHAT__PEER_GROUP_ID;
    chat.group_id = group_id;
    member_writes(member, &chat);
    member_flush(member);
}

/* -------------------------------------------------------------------------------------- hearing */

static void
member_hears_group(struct member *member, const Linnet__V1__ServerFrame *frame)
{
    switch ((int)frame->event_case) {
    case LINNET__V1__SERVER_FRAME__EVENT_ANSWER:
        assert_true(frame->answer->result_case != LINNET__V1__ANSWER__RESULT_ERROR);
        if (frame->answer->result_case == LINNET__V1__ANSWER__RESULT_CHAT) {
            group_id = frame->answer->chat->chat->group_id;
        }
        break;
    case LINNET__V1__SERVER_FRAME__EVENT_NEW_MESSAGE:
        heard[member->index]++;
        member_was_shown(member, frame->new_message->inbox_number);
        break;
    case LINNET__V1__SERVER_FRAME__EVENT_CHAT_UPDATE:
        member_was_shown(member, frame->chat_update->inbox_number);
        break;
    case LINNET__V1__SERVER_FRAME__EVENT_GROUP_RECEIPTS:
        member_was_shown(member, frame->group_receipts->inbox_number);
        break;
    default:
        fail_msg("nothing of the kind was asked for");
    }
}

/* ------------------------------------------------------------------------------------ the group */

/* Each is shown all but what it wrote itself, which counts with the rest. */
static void
group_waits(struct world *world)
{
    for (unsigned ms = 0; ms < PATIENCE_MS; ms += STEP_MS) {
        unsigned missing = 0;
        world_run(world, STEP_MS);
        for (unsigned i = 0; i < MEMBERS; i++) {
            missing += heard[i] < group_said;
        }
        if (missing == 0) {
            return;
        }
    }
    fail_msg("not all members have it");
}

void
group_open(struct world *world)
{
    group_id = 0;
    group_said = 0;
    memset(heard, 0, sizeof heard);
    members_enrol(world, member_hears_group, member_acknowledges);
    member_founds(member_at(0));
    for (unsigned ms = 0; group_id == 0 && ms < PATIENCE_MS; ms += STEP_MS) {
        world_run(world, STEP_MS);
    }
    assert_true(group_id != 0);
    world_run(world, 2000);
}

void
group_hears(struct world *world, uint32_t messages)
{
    for (uint32_t i = 0; i < messages; i++) {
        struct member *writer = member_at(group_said % MEMBERS);
        group_said++;
        heard[writer->index]++;
        member_tells_all(writer);
    }
    group_waits(world);
}
