/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/budget/group.h"

#include "net/linnet.pb-c.h"
#include "tests/spec.h"

#include <stdio.h>
#include <string.h>

enum {
    IN_BYTES = 16384,
    OUT_BYTES = 32768,
    ROOM_BYTES = 65536,
    OPCODE_BINARY = 0x82,
    OPCODE_MASK = 15,
    MASKED = 0x80,
    LENGTH_16 = 126,
    STEP_MS = 5,
    PATIENCE_MS = 60000,
};

struct member {
    struct world *world;
    struct sim_peer *peer;
    bool upgraded;
    unsigned char in[IN_BYTES]; /* the beginning of a frame */
    size_t in_bytes;
    uint64_t user;
    uint64_t number; /* of its last command */
    uint64_t shown;  /* the highest inbox number */
    uint32_t heard;  /* messages */
};

static struct member members[GROUP_MEMBERS];
static uint64_t group_id;
static uint32_t group_said;

/* What protobuf-c asks for goes to one room, which is empty again with the next frame. */
static _Alignas(16) unsigned char room[ROOM_BYTES];
static size_t room_used;

static void *
member_alloc(void *context, size_t bytes)
{
    (void)context;
    void *out = room + room_used;
    room_used += (bytes + 15) / 16 * 16;
    assert_true(room_used <= sizeof room);
    return out;
}

static void
member_free(void *context, void *pointer)
{
    (void)context;
    (void)pointer;
}

static ProtobufCAllocator member_memory = {.alloc = member_alloc, .free = member_free};

/* --------------------------------------------------------------------------------------- saying */

static void
member_says(struct member *member, const Linnet__V1__ClientFrame *frame)
{
    static unsigned char out[OUT_BYTES];
    size_t bytes = linnet__v1__client_frame__get_packed_size(frame);
    size_t at = 0;
    assert_true(bytes <= UINT16_MAX && bytes + 8 <= sizeof out);
    out[at++] = OPCODE_BINARY;
    if (bytes < LENGTH_16) {
        out[at++] = (unsigned char)(MASKED | bytes);
    } else {
        out[at++] = MASKED | LENGTH_16;
        out[at++] = (unsigned char)(bytes >> 8);
        out[at++] = (unsigned char)bytes;
    }
    memset(out + at, 0, 4); /* a mask of zeros */
    at += 4 + linnet__v1__client_frame__pack(frame, out + at + 4);
    sim_peer_send(member->peer, out, at);
}

static void
member_enrols(struct member *member)
{
    char name[32];
    (void)snprintf(name, sizeof name, "member%zu", (size_t)(member - members));
    Linnet__V1__PasswordLogin login = LINNET__V1__PASSWORD_LOGIN__INIT;
    login.name = name;
    login.password = (char *)(uintptr_t) "correct horse";
    Linnet__V1__Authenticate authenticate = LINNET__V1__AUTHENTICATE__INIT;
    authenticate.method_case = LINNET__V1__AUTHENTICATE__METHOD_PASSWORD_LOGIN;
    authenticate.password_login = &login;
    Linnet__V1__ClientFrame frame = LINNET__V1__CLIENT_FRAME__INIT;
    frame.command_case = LINNET__V1__CLIENT_FRAME__COMMAND_AUTHENTICATE;
    frame.authenticate = &authenticate;
    member_says(member, &frame);
}

static void
member_acknowledges(struct member *member)
{
    Linnet__V1__Ack ack = LINNET__V1__ACK__INIT;
    ack.inbox_number = member->shown;
    Linnet__V1__ClientFrame frame = LINNET__V1__CLIENT_FRAME__INIT;
    frame.command_case = LINNET__V1__CLIENT_FRAME__COMMAND_ACK;
    frame.ack = &ack;
    member_says(member, &frame);
}

static void
member_founds(struct member *member)
{
    static Linnet__V1__Participant participants[GROUP_MEMBERS - 1];
    static Linnet__V1__Participant *list[GROUP_MEMBERS - 1];
    for (unsigned i = 0; i + 1 < GROUP_MEMBERS; i++) {
        participants[i] = (Linnet__V1__Participant)LINNET__V1__PARTICIPANT__INIT;
        participants[i].user_case = LINNET__V1__PARTICIPANT__USER_USER_ID;
        participants[i].user_id = members[i + 1].user;
        list[i] = &participants[i];
    }
    Linnet__V1__CreateChat create = LINNET__V1__CREATE_CHAT__INIT;
    create.name = (char *)(uintptr_t) "everybody";
    create.n_participants = GROUP_MEMBERS - 1;
    create.participants = list;
    Linnet__V1__ClientFrame frame = LINNET__V1__CLIENT_FRAME__INIT;
    frame.number = ++member->number;
    frame.command_case = LINNET__V1__CLIENT_FRAME__COMMAND_CREATE_CHAT;
    frame.create_chat = &create;
    member_says(member, &frame);
}

static void
member_writes(struct member *member)
{
    static const char text[] = "As long as what people write to each other, a hundred bytes and "
                               "some more, since a group has much to say: as a rule that's it.";
    Linnet__V1__Chat chat = LINNET__V1__CHAT__INIT;
    chat.peer_case = LINNET__V1__CHAT__PEER_GROUP_ID;
    chat.group_id = group_id;
    Linnet__V1__SendMessage message = LINNET__V1__SEND_MESSAGE__INIT;
    message.chat = &chat;
    message.body_case = LINNET__V1__SEND_MESSAGE__BODY_TEXT;
    message.text = (char *)(uintptr_t)text;
    Linnet__V1__ClientFrame frame = LINNET__V1__CLIENT_FRAME__INIT;
    frame.number = ++member->number;
    frame.command_case = LINNET__V1__CLIENT_FRAME__COMMAND_SEND_MESSAGE;
    frame.send_message = &message;
    member_says(member, &frame);
}

/* -------------------------------------------------------------------------------------- hearing */

static void
member_was_shown(struct member *member, uint64_t number)
{
    member->shown = number > member->shown ? number : member->shown;
}

static void
member_hears(struct member *member, const unsigned char *bytes, size_t count)
{
    room_used = 0;
    Linnet__V1__ServerFrame *frame = linnet__v1__server_frame__unpack(&member_memory, count, bytes);
    assert_non_null(frame);
    switch ((int)frame->event_case) {
    case LINNET__V1__SERVER_FRAME__EVENT_WELCOME:
        member->user = frame->welcome->user_id;
        break;
    case LINNET__V1__SERVER_FRAME__EVENT_ANSWER:
        assert_true(frame->answer->result_case != LINNET__V1__ANSWER__RESULT_ERROR);
        if (frame->answer->result_case == LINNET__V1__ANSWER__RESULT_CHAT) {
            group_id = frame->answer->chat->chat->group_id;
        }
        break;
    case LINNET__V1__SERVER_FRAME__EVENT_NEW_MESSAGE:
        member->heard++;
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

/* The first whole frame of what is there; 0: there is none. */
static size_t
member_frame(struct member *member)
{
    const unsigned char *in = member->in;
    size_t head = member->in_bytes < 2 || in[1] < LENGTH_16 ? 2 : 4;
    if (member->in_bytes < head) {
        return 0;
    }
    size_t bytes = head == 2 ? in[1] : (size_t)in[2] << 8 | in[3];
    if (member->in_bytes < head + bytes) {
        return 0;
    }
    assert_int_equal(in[0], OPCODE_BINARY);
    member_hears(member, in + head, bytes);
    return head + bytes;
}

static void
member_upgraded(struct member *member)
{
    member->in[member->in_bytes] = '\0';
    const char *end = strstr((const char *)member->in, "\r\n\r\n");
    if (end != NULL) {
        assert_memory_equal(member->in, "HTTP/1.1 101", 12);
        member->upgraded = true;
        member->in_bytes = 0;
        member_enrols(member);
    }
}

static void
member_received(void *context, struct sim_peer *peer, const unsigned char *bytes, size_t count)
{
    struct member *member = context;
    uint64_t shown = member->shown;
    size_t used;
    (void)peer;
    assert_true(member->in_bytes + count < sizeof member->in);
    memcpy(member->in + member->in_bytes, bytes, count);
    member->in_bytes += count;
    if (!member->upgraded) {
        member_upgraded(member);
        return;
    }
    while ((used = member_frame(member)) > 0) {
        member->in_bytes -= used;
        memmove(member->in, member->in + used, member->in_bytes);
    }
    if (member->shown > shown) {
        member_acknowledges(member);
    }
}

static void
member_connected(void *context, struct sim_peer *peer, int error)
{
    static const char request[] = "GET /chat HTTP/1.1\r\nHost: node\r\nConnection: Upgrade\r\n"
                                  "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                                  "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
                                  "Sec-WebSocket-Protocol: linnet.v1.proto\r\n\r\n";
    (void)context;
    assert_int_equal(error, 0);
    sim_peer_send(peer, request, strlen(request));
}

static void
member_closed(void *context, struct sim_peer *peer, bool reset)
{
    (void)context;
    (void)peer;
    fail_msg("a member was closed%s", reset ? ", with a reset" : "");
}

/* ------------------------------------------------------------------------------------ the group */

void
group_settings(struct settings *settings)
{
    memset(settings->user_rates, 0, sizeof settings->user_rates);
    memset(settings->address_rates, 0, sizeof settings->address_rates);
    settings->registrations_per_hour = 0;
    settings->logins_pending_max = GROUP_MEMBERS;
}

static bool
member_misses(const struct member *member, bool enrolled)
{
    return enrolled ? member->user == 0 : member->heard < group_said;
}

/* Each is shown all but what it wrote itself, which counts with the rest. */
static void
group_waits(struct world *world, bool enrolled)
{
    for (unsigned ms = 0; ms < PATIENCE_MS; ms += STEP_MS) {
        unsigned missing = 0;
        world_run(world, STEP_MS);
        for (unsigned i = 0; i < GROUP_MEMBERS; i++) {
            missing += member_misses(&members[i], enrolled);
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
    static const struct sim_peer_events events = {member_connected, member_received, member_closed};
    memset(members, 0, sizeof members);
    group_id = 0;
    group_said = 0;
    for (unsigned i = 0; i < GROUP_MEMBERS; i++) {
        members[i].world = world;
        members[i].peer =
            sim_peer_connect(world->driver, &world->messenger.bound, &events, &members[i]);
    }
    group_waits(world, true);
    member_founds(&members[0]);
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
        struct member *writer = &members[group_said % GROUP_MEMBERS];
        group_said++;
        writer->heard++;
        member_writes(writer);
    }
    group_waits(world, false);
}

void
group_close(void)
{
    for (unsigned i = 0; i < GROUP_MEMBERS; i++) {
        sim_peer_free(members[i].peer);
    }
}
