/* SPDX-License-Identifier: Apache-2.0 */
/* From a URL to a connection: a worker looks its host up, and whoever answers first of those that
 * may be spoken to is it. */
#include "actors/courier_priv.h"
#include "actors/messenger.h"

#include <errno.h>
#include <string.h>

enum {
    /* Until it is tried again whether a name may be looked up. */
    PLACE_WAIT_MS = 50,
    /* What was found is used for so long, so that a server that many are woken by needs no
     * place. */
    LOOKED_UP_S = 60,
};

static void
look_up_run(void *argument)
{
    struct courier_look_up *look = argument;
    look->error = io_resolve(look->driver, look->host, look->port, look->addresses, &look->count);
}

/* Its place is free again: not when nobody waits for it any more, but when no worker has to do with
 * it. */
static void
look_up_over(void *argument)
{
    const struct courier_look_up *look = argument;
    if (look->place != NULL) {
        atomic_store_explicit(look->place, 0, memory_order_relaxed);
    }
}

static const struct ln_job look_up_job = {.run = look_up_run, .release = look_up_over};

static uint64_t
left_ms(const struct courier *courier)
{
    uint64_t now_ns = ln_now_ns();
    return courier->deadline_ns > now_ns ? (courier->deadline_ns - now_ns) / 1000000 : 0;
}

/* Workers look up names as long as whoever answers for them takes, seconds if he likes, and have
 * everything else to do beside: so of names that clients gave fewer are under way than there are
 * workers, and one of a user's. What the operator gave needs no place. 0, or -EBUSY. */
static int
find_place(struct courier *courier)
{
    struct messenger *messenger = courier->messenger;
    uint64_t user = courier->order.set.user;
    if (courier->order.set.kind == STORE_WAKE_WEBHOOK) {
        return 0;
    }
    for (unsigned i = 0; i < messenger->look_ups_max; i++) {
        if (atomic_load_explicit(&messenger->look_ups[i], memory_order_relaxed) == user) {
            return -EBUSY;
        }
    }
    for (unsigned i = 0; i < messenger->look_ups_max; i++) {
        uint64_t nobody = 0;
        if (atomic_compare_exchange_strong(&messenger->look_ups[i], &nobody, user)) {
            courier->look.place = &messenger->look_ups[i];
            return 0;
        }
    }
    return -EBUSY;
}

/* Whose turn it is not waits where all do who wait, not in a courier; only the operator's test
 * waits here, for half its time. 0, -EBUSY, or -ECANCELED. Yields. */
static int
take_place(struct courier *courier)
{
    int error;
    while ((error = find_place(courier)) == -EBUSY && courier->order.test &&
           left_ms(courier) > courier->office->settings->push_timeout_ms / 2) {
        if (ln_sleep(PLACE_WAIT_MS) != 0) {
            return -ECANCELED;
        }
    }
    return error;
}

/* The host's addresses, into courier->look. 0 or a negative errno. Yields. */
static int
look_up(struct courier *courier, const struct url *url)
{
    struct courier_look_up *look = &courier->look;
    uint64_t now_ns = ln_now_ns();
    if (now_ns < courier->looked_until_ns && look->port == url->port &&
        strlen(look->host) == url->host.count &&
        memcmp(look->host, url->host.bytes, url->host.count) == 0) {
        return 0;
    }
    courier->looked_until_ns = 0;
    *look = (struct courier_look_up){.driver = courier->messenger->driver, .port = url->port};
    memcpy(look->host, url->host.bytes, url->host.count);
    int error = take_place(courier);
    if (error == 0) {
        error = ln_work_for(&look_up_job, look, sizeof *look, left_ms(courier));
    }
    if (error != 0) {
        return error;
    }
    look_up_over(look); /* whom nobody waits for is released by the runtime */
    if (look->error != 0) {
        return look->error == -EAGAIN ? -EHOSTUNREACH : look->error;
    }
    courier->looked_until_ns = now_ns + LOOKED_UP_S * UINT64_C(1000000000);
    return 0;
}

/* Whether a client may send us there. The operator may go where he likes. */
static bool
may_go(const struct courier *courier, const struct io_address *address)
{
    return courier->order.set.kind == STORE_WAKE_WEBHOOK ||
           courier->office->settings->push_private_endpoints || io_address_is_public(address);
}

/* To the first of the host's addresses that answers. 0 or a negative errno. Yields. */
static int
dial(struct courier *courier, const struct url *url)
{
    const struct courier_look_up *look = &courier->look;
    int error = look_up(courier, url);
    if (error != 0) {
        return error;
    }
    error = -EACCES;
    for (unsigned i = 0; i < look->count; i++) {
        if (!may_go(courier, &look->addresses[i])) {
            continue;
        }
        /* One that is silent leaves time to the others. */
        uint64_t share_ms = left_ms(courier) / (look->count - i);
        error = ln_socket_connect(&look->addresses[i], share_ms, &courier->socket);
        if (error == 0 || error == -ECANCELED) {
            break;
        }
    }
    if (error != 0) {
        courier->looked_until_ns = 0; /* it may have moved */
    }
    return error;
}

static const char *
dial_fault(int error)
{
    switch (error) {
    case -ENOENT:
        return "there is no such host";
    case -EACCES:
        return "the host is not in the public network (push_private_endpoints)";
    case -EHOSTUNREACH:
        return "the host's name could not be looked up";
    case -EBUSY:
        return "too many names are being looked up";
    default:
        return strerrordesc_np(-error);
    }
}

/* 0, or a negative errno with why. */
int
courier_connect(struct courier *courier, const struct url *url, const char **out_why)
{
    char host[URL_HOST_BYTES_MAX + 1] = "";
    int error = dial(courier, url);
    if (error != 0) {
        *out_why = dial_fault(error);
        return error;
    }
    url_origin(url, courier->origin);
    courier->kind = courier->order.set.kind;
    if (url->tls) {
        memcpy(host, url->host.bytes, url->host.count);
        error = tls_client_new(courier->office->trust, host, &courier->tls);
        *out_why = "libssl makes no connection";
    }
    return error;
}
