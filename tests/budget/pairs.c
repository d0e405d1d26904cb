/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/budget/pairs.h"

#include "tests/spec.h"

#include <string.h>

enum {
    STEP_MS = 1,
    PATIENCE_MS = 60000,
    LOOKED_MS = 21000,
};

/* What a member knows of its own last message, and of its peer's. */
struct half {
    bool waiting;    /* the last is under way */
    bool answered;   /* it is durable */
    uint64_t chat;   /* its number */
    uint64_t read;   /* the peer has read so far */
    uint64_t shown;  /* the peer's messages, so far */
    uint64_t marked; /* of them */
};

static struct half halves[MEMBERS];
static uint32_t left;    /* to be written */
static uint32_t through; /* were read, and this was told */

static void
member_chat(const struct member *member, Linnet__V1__Chat *out)
{
    *out = (Linnet__V1__Chat)LINNET__V1__CHAT__INIT;
    out->peer_case = LINNET__V1__CHAT__PEER_USER_ID;
    out->user_id = member_at(member->index ^ 1)->user;
}

static void
member_marks(struct member *member, uint64_t chat_number)
{
    Linnet__V1__Chat chat;
    member_chat(member, &chat);
    Linnet__V1__MarkRead mark = LINNET__V1__MARK_READ__INIT;
    mark.chat = &chat;
    mark.chat_number = chat_number;
    Linnet__V1__ClientFrame frame = LINNET__V1__CLIENT_FRAME__INIT;
    frame.command_case = LINNET__V1__CLIENT_FRAME__COMMAND_MARK_READ;
    frame.mark_read = &mark;
    member_says(member, &frame);
}

static void
member_goes_on(struct member *member)
{
    struct half *half = &halves[member->index];
    if (half->waiting && half->answered && half->read >= half->chat) {
        half->waiting = false;
        through++;
    }
    if (!half->waiting && left > 0) {
        Linnet__V1__Chat chat;
        member_chat(member, &chat);
        left--;
        half->waiting = true;
        half->answered = false;
        member_writes(member, &chat);
    }
}

static void
member_hears_pair(struct member *member, const Linnet__V1__ServerFrame *frame)
{
    struct half *half = &halves[member->index];
    switch ((int)frame->event_case) {
    case LINNET__V1__SERVER_FRAME__EVENT_ANSWER:
        assert_int_equal(frame->answer->result_case, LINNET__V1__ANSWER__RESULT_SENT);
        half->answered = true;
        half->chat = frame->answer->sent->chat_number;
        break;
    case LINNET__V1__SERVER_FRAME__EVENT_NEW_MESSAGE:
        half->shown = frame->new_message->chat_number;
        member_was_shown(member, frame->new_message->inbox_number);
        break;
    case LINNET__V1__SERVER_FRAME__EVENT_RECEIPTS:
        half->read = frame->receipts->read;
        member_was_shown(member, frame->receipts->inbox_number);
        break;
    default:
        fail_msg("nothing of the kind was asked for");
    }
}

static void
member_answers_pair(struct member *member)
{
    struct half *half = &halves[member->index];
    member_acknowledges(member);
    if (half->shown > half->marked) {
        half->marked = half->shown;
        member_marks(member, half->shown);
    }
    member_goes_on(member);
}

void
pairs_open(struct world *world)
{
    memset(halves, 0, sizeof halves);
    left = 0;
    through = 0;
    members_enrol(world, member_hears_pair, member_answers_pair);
    world_run(world, LOOKED_MS); /* each partition knows by then when something is due */
}

void
pairs_write(struct world *world, uint32_t messages)
{
    uint32_t wanted = through + messages;
    left = messages;
    for (unsigned i = 0; i < MEMBERS; i++) {
        member_goes_on(member_at(i));
        member_flush(member_at(i));
    }
    for (unsigned ms = 0; through < wanted; ms += STEP_MS) {
        assert_true(ms < PATIENCE_MS);
        world_run(world, STEP_MS);
    }
}
