/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/phone.h"

#include "bench/chance.h"

#include <errno.h>
#include <string.h>

enum {
    CONNECT_MS = 5000,
    PAUSE_MS_FIRST = 20,
    PAUSE_MS_MAX = 1000,
    NS_PER_S = 1000000000,
};

void
phone_init(struct phone *phone, struct crowd *crowd, uint32_t user, uint32_t end)
{
    *phone = (struct phone){.crowd = crowd, .user = &crowd->users->list[user], .end = end};
    phone->login = (struct client_login){.token = phone->user->token};
    client_init(&phone->client, &crowd->config);
}

void
phone_fini(struct phone *phone)
{
    client_fini(&phone->client);
}

static uint32_t
user_of(const struct phone *phone)
{
    return (uint32_t)(phone->user - phone->crowd->users->list);
}

static void
address_print(const struct phone *phone, char out[IO_ADDRESS_TEXT_MAX])
{
    struct io_address address;
    crowd_address(phone->crowd, user_of(phone), &address);
    io_address_print(&address, out);
}

/* From when it is to be connected until it is, or is not to be any more. */
static void
seeking_set(struct phone *phone, bool seeking)
{
    if (phone->seeking != seeking) {
        phone->seeking = seeking;
        tally_add(&phone->crowd->tally, seeking ? TALLY_SOUGHT : TALLY_SETTLED, 1);
    }
}

/* Doubles with each try, and is spread over its upper half, so that a crowd does not come back in
 * one rush. */
static uint64_t
pause_ms(struct phone *phone)
{
    uint64_t pause = PAUSE_MS_FIRST;
    if (!phone->crowd->options->back_off) {
        return phone->tries > 1; /* a refused call is not to be repeated without end in one turn */
    }
    for (uint32_t i = 1; i < phone->tries && pause < PAUSE_MS_MAX; i++) {
        pause *= 2;
    }
    return pause / 2 + chance_below(&phone->crowd->chance, pause / 2 + 1);
}

/* The next call, unless there have been enough. `error` is what became of the last; 0: the
 * connection stood. */
static void
call_again(struct phone *phone, int error)
{
    uint64_t now_ns = crowd_now_ns();
    seeking_set(phone, true);
    if (phone->cut_at_ns == 0) {
        phone->cut_at_ns = now_ns;
    }
    if (now_ns > phone->cut_at_ns + (uint64_t)phone->crowd->options->patience_s * NS_PER_S) {
        char address[IO_ADDRESS_TEXT_MAX];
        address_print(phone, address);
        crowd_fail(phone->crowd, "%s could not log in at %s for %u s%s%s", phone->user->name,
                   address, phone->crowd->options->patience_s, error < 0 ? ": " : "",
                   error < 0 ? strerrordesc_np(-error) : "");
        return;
    }
    if (!phone->calling) {
        phone->calling = true;
        crowd_call_after(pause_ms(phone), phone->end);
    }
}

void
phone_call(struct phone *phone)
{
    struct io_address address;
    phone->calling = false;
    if (phone->away || phone->socket != NULL) {
        return; /* it has left meanwhile, or was back before that */
    }
    seeking_set(phone, true);
    phone->calling = true;
    tally_add(&phone->crowd->tally, TALLY_RETRIES, phone->tries > 0);
    phone->tries++;
    phone->called_at_ns = crowd_now_ns();
    crowd_address(phone->crowd, user_of(phone), &address);
    int error = ln_socket_connect(&address, CONNECT_MS, &phone->socket);
    phone->calling = false;
    if (error == -ECANCELED) {
        return;
    }
    if (error == 0) {
        error = client_connect(&phone->client, &phone->login);
    }
    if (error == 0) {
        phone_flush(phone);
        return;
    }
    if (error == -EINVAL) {
        crowd_fail(phone->crowd, "the token of %s can't stand in a request", phone->user->name);
        return;
    }
    ln_socket_close(&phone->socket, true);
    call_again(phone, error);
}

static void
welcomed(struct phone *phone)
{
    struct tally *tally = &phone->crowd->tally;
    uint64_t now_ns = crowd_now_ns();
    tally_add(tally, TALLY_CONNECTED, 1);
    tally_delay(tally, TALLY_LOGIN, phone->called_at_ns, now_ns);
    if (phone->cut_at_ns != 0) {
        tally_delay(tally, TALLY_BACK, phone->cut_at_ns, now_ns);
    }
    seeking_set(phone, false);
    phone->tries = 0;
    phone->cut_at_ns = 0;
    phone->welcomed = true;
    ln_socket_close(&phone->asleep, true);
}

bool
phone_next(struct phone *phone, struct client_input *input, struct client_event *out_event)
{
    int error = client_next(&phone->client, input, out_event);
    ASSERT(error == 0 || error == -EAGAIN); /* a generator without memory measures nothing */
    if (error == 0 && out_event->kind == CLIENT_WELCOME) {
        welcomed(phone);
    }
    return error == 0;
}

void
phone_flush(struct phone *phone)
{
    const unsigned char *bytes;
    size_t count = client_output(&phone->client, &bytes);
    if (phone->socket != NULL && count > 0) {
        ln_socket_send(phone->socket, bytes, count);
        client_output_sent(&phone->client, count);
    }
}

void
phone_cut(struct phone *phone)
{
    phone_flush(phone);
    ln_socket_close(&phone->socket, false);
    tally_add(&phone->crowd->tally, TALLY_CUT, phone->welcomed);
    phone->welcomed = false;
    call_again(phone, 0);
}

/* It has no connection any more, and wished so. */
static void
left(struct phone *phone)
{
    phone->left_ns = crowd_now_ns();
    tally_add(&phone->crowd->tally, TALLY_LEFT, phone->welcomed);
    phone->welcomed = false;
}

void
phone_drop(struct phone *phone, uint64_t due_ns)
{
    if (phone->away) {
        return;
    }
    ln_socket_close(&phone->socket, true);
    left(phone);
    phone->cut_at_ns = phone->cut_at_ns == 0 ? due_ns : phone->cut_at_ns;
    call_again(phone, 0);
}

void
phone_leave(struct phone *phone)
{
    phone_close(phone);
    left(phone);
    phone->away = true;
    seeking_set(phone, false);
}

void
phone_sleep(struct phone *phone)
{
    if (phone->socket != NULL) {
        phone_flush(phone);
        ln_socket_pause(phone->socket, true);
        ln_socket_close(&phone->asleep, true);
        phone->asleep = phone->socket;
        phone->socket = NULL;
    }
    left(phone);
    phone->away = true;
    seeking_set(phone, false);
}

void
phone_return(struct phone *phone, uint64_t due_ns, uint64_t pause_ms)
{
    if (!phone->away) {
        return;
    }
    if (chance_below(&phone->crowd->chance, 2) == 0) {
        ln_socket_close(&phone->asleep, true);
    }
    phone->away = false;
    phone->tries = 0;
    phone->returned_ns = due_ns;
    phone->cut_at_ns = due_ns;
    seeking_set(phone, true);
    if (!phone->calling) {
        phone->calling = true;
        crowd_call_after(pause_ms, phone->end);
    }
}

/* A node that has much to do may come to read a login later than the next one, which was made since
 * the first connection had been left: then the later one is replaced by a connection that is no
 * more. */
static bool
replaced_by_left(const struct phone *phone)
{
    return phone->left_ns != 0 &&
           crowd_now_ns() < phone->left_ns + (uint64_t)phone->crowd->options->patience_s * NS_PER_S;
}

bool
phone_may_return(struct phone *phone, const struct client_event *closed)
{
    enum { HTTP_REFUSED_FIRST = 400, HTTP_REFUSED_LAST = 499 };
    switch (closed->code) {
    case PROTOCOL_CLOSE_REPLACED:
        if (replaced_by_left(phone)) {
            return true;
        }
        break;
    case PROTOCOL_CLOSE_UNAUTHENTICATED:
    case PROTOCOL_CLOSE_REVOKED:
    case PROTOCOL_CLOSE_BAD_FRAMES:
        break;
    default:
        if (closed->code < HTTP_REFUSED_FIRST || closed->code > HTTP_REFUSED_LAST) {
            return true;
        }
    }
    crowd_fail(phone->crowd, "%s was sent away with %u: %s", phone->user->name, closed->code,
               closed->text);
    return false;
}

void
phone_close(struct phone *phone)
{
    /* -ENOTCONN: there is nothing to take leave of. */
    (void)!client_close(&phone->client, PROTOCOL_CLOSE_NORMAL);
    phone_flush(phone);
    ln_socket_close(&phone->socket, false);
}
