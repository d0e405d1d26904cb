/* SPDX-License-Identifier: Apache-2.0 */
/* getTurnCredentials: made on the spot, kept nowhere. */
#include "actors/command.h"
#include "actors/turn_office.h"
#include "net/turn.h"

static void
credentials_send(struct connection *connection, const Linnet__V1__ClientFrame *frame,
                 struct turn_credentials *made, uint64_t ends_at_s)
{
    const struct turn_office *office = connection->messenger->turn;
    Linnet__V1__TurnServer servers[TURN_OFFICE_SERVERS_MAX];
    Linnet__V1__TurnServer *list[TURN_OFFICE_SERVERS_MAX];
    for (unsigned i = 0; i < office->count; i++) {
        linnet__v1__turn_server__init(&servers[i]);
        servers[i].uri = (char *)(uintptr_t)office->each[i];
        list[i] = &servers[i];
    }
    Linnet__V1__TurnCredentials credentials = LINNET__V1__TURN_CREDENTIALS__INIT;
    credentials.n_servers = office->count;
    credentials.servers = list;
    credentials.username = made->username;
    credentials.password = made->password;
    credentials.expires_at_ms = ends_at_s * 1000;
    Linnet__V1__Answer answer = LINNET__V1__ANSWER__INIT;
    answer.result_case = LINNET__V1__ANSWER__RESULT_TURN_CREDENTIALS;
    answer.turn_credentials = &credentials;
    event_answer_to(connection, frame->number, frame->ref, &answer);
}

static void
get_turn_credentials(struct connection *connection, const Linnet__V1__ClientFrame *frame)
{
    const struct turn_office *office = connection->messenger->turn;
    struct turn_credentials made = {0};
    if (office == NULL) {
        event_error(connection, frame->number, frame->ref, LINNET__V1__ERROR__CODE__NOT_EXPECTED,
                    "getTurnCredentials: this node has no TURN server", 0);
        return;
    }
    uint64_t ends_at_s = ((uint64_t)ln_wall_ms() + office->settings->turn_lifetime_ms) / 1000;
    if (turn_credentials_make(office->secret, office->secret_bytes, ends_at_s, connection->user,
                              &made) != 0) {
        event_error(connection, frame->number, frame->ref, LINNET__V1__ERROR__CODE__INTERNAL,
                    "getTurnCredentials: this node can't make any", 0);
        return;
    }
    credentials_send(connection, frame, &made, ends_at_s);
}

const struct command_kind command_get_turn_credentials = {get_turn_credentials};
