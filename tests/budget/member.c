/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/budget/member.h"

#include "tests/spec.h"

#include <stdio.h>
#include <string.h>

enum {
    ROOM_BYTES = 65536,
    OPCODE_BINARY = 0x82,
    MASKED = 0x80,
    LENGTH_16 = 126,
    FRAME_HEAD_MAX = 8,
    STEP_MS = 5,
    PATIENCE_MS = 60000,
};

static struct member members[MEMBERS];
static member_hears *hears;
static member_answers *answers;

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

struct member *
member_at(unsigned index)
{
    assert_true(index < MEMBERS);
    return &members[index];
}

/* --------------------------------------------------------------------------------------- saying */

void
member_says(struct member *member, const Linnet__V1__ClientFrame *frame)
{
    size_t bytes = linnet__v1__client_frame__get_packed_size(frame);
    unsigned char *out = member->out;
    size_t at = member->out_bytes;
    assert_true(bytes <= UINT16_MAX && at + bytes + FRAME_HEAD_MAX <= sizeof member->out);
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
    member->out_bytes = at;
}

void
member_flush(struct member *member)
{
    if (member->out_bytes > 0) {
        sim_peer_send(member->peer, member->out, member->out_bytes);
        member->out_bytes = 0;
    }
}

static void
member_enrols(struct member *member)
{
    char name[32];
    (void)snprintf(name, sizeof name, "member%u", member->index);
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
    member_flush(member);
}

void
member_acknowledges(struct member *member)
{
    if (member->shown <= member->acknowledged) {
        return;
    }
    member->acknowledged = member->shown;
    Linnet__V1__Ack ack = LINNET__V1__ACK__INIT;
    ack.inbox_number = member->shown;
    Linnet__V1__ClientFrame frame = LINNET__V1__CLIENT_FRAME__INIT;
    frame.command_case = LINNET__V1__CLIENT_FRAME__COMMAND_ACK;
    frame.ack = &ack;
    member_says(member, &frame);
}

void
member_writes(struct member *member, Linnet__V1__Chat *chat)
{
    static const char text[] = "As long as what people write to each other, a hundred bytes and "
                               "some more, since a group has much to say: as a rule that's it.";
    Linnet__V1__SendMessage message = LINNET__V1__SEND_MESSAGE__INIT;
    message.chat = chat;
    message.body_case = LINNET__V1__SEND_MESSAGE__BODY_TEXT;
    message.text = (char *)(uintptr_t)text;
    Linnet__V1__ClientFrame frame = LINNET__V1__CLIENT_FRAME__INIT;
    frame.number = ++member->number;
    frame.command_case = LINNET__V1__CLIENT_FRAME__COMMAND_SEND_MESSAGE;
    frame.send_message = &message;
    member_says(member, &frame);
}

/* -------------------------------------------------------------------------------------- hearing */

void
member_was_shown(struct member *member, uint64_t number)
{
    member->shown = number > member->shown ? number : member->shown;
}

static void
member_hears_frame(struct member *member, const unsigned char *bytes, size_t count)
{
    room_used = 0;
    Linnet__V1__ServerFrame *frame = linnet__v1__server_frame__unpack(&member_memory, count, bytes);
    assert_non_null(frame);
    if (frame->event_case == LINNET__V1__SERVER_FRAME__EVENT_WELCOME) {
        member->user = frame->welcome->user_id;
    } else {
        hears(member, frame);
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
    member_hears_frame(member, in + head, bytes);
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
    answers(member);
    member_flush(member);
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

/* ---------------------------------------------------------------------------------- all of them */

void
members_settings(struct settings *settings)
{
    memset(settings->user_rates, 0, sizeof settings->user_rates);
    memset(settings->address_rates, 0, sizeof settings->address_rates);
    settings->registrations_per_hour = 0;
    settings->logins_pending_max = MEMBERS;
}

static bool
members_unknown(void)
{
    for (unsigned i = 0; i < MEMBERS; i++) {
        if (members[i].user == 0) {
            return true;
        }
    }
    return false;
}

void
members_enrol(struct world *world, member_hears *each, member_answers *after)
{
    static const struct sim_peer_events events = {member_connected, member_received, member_closed};
    memset(members, 0, sizeof members);
    hears = each;
    answers = after;
    for (unsigned i = 0; i < MEMBERS; i++) {
        members[i].world = world;
        members[i].index = i;
        members[i].peer =
            sim_peer_connect(world->driver, &world->messenger.bound, &events, &members[i]);
    }
    for (unsigned ms = 0; members_unknown(); ms += STEP_MS) {
        assert_true(ms < PATIENCE_MS);
        world_run(world, STEP_MS);
    }
}

void
members_close(void)
{
    for (unsigned i = 0; i < MEMBERS; i++) {
        sim_peer_free(members[i].peer);
    }
}
