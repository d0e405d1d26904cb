/* SPDX-License-Identifier: Apache-2.0 */
/* How fast a client may be: its connection, its user with all connections, and the address that it
 * comes from, by class of command. */
#include "actors/connection_rate.h"

#include "actors/connection_priv.h"
#include "actors/limiter.h"

/* Of the scheduler where the user is at home: an export is none of his connections there. */
static struct messenger_rates *
rates_of(const struct connection *connection)
{
    struct messenger *messenger = connection->messenger;
    if (connection->phase == CONNECTION_EXPORT) {
        return &messenger->rates[store_user_home(messenger->store, connection->user)];
    }
    return messenger_rates(messenger);
}

uint64_t
connection_rate_frame(struct connection *connection, size_t bytes)
{
    const struct settings *settings = connection->messenger->settings;
    uint64_t now_ns = ln_now_ns();
    uint64_t wait_ms = 0;
    uint64_t bytes_wait_ms = 0;
    enum rate_verdict commands =
        rate_charge(&connection->commands, now_ns, 1, settings->commands_per_s, &wait_ms);
    enum rate_verdict of_bytes = rate_charge(&connection->bytes, now_ns, bytes,
                                             settings->command_bytes_per_s, &bytes_wait_ms);
    if (commands == RATE_ABUSED || of_bytes == RATE_ABUSED) {
        messenger_count(&connection->messenger->counters.rate_closed);
        connection_close(connection, PROTOCOL_CLOSE_RATE_LIMITED, "far too fast for far too long");
    }
    return wait_ms > bytes_wait_ms ? wait_ms : bytes_wait_ms;
}

/* What so many more of a class cost the connection's user, and its address. */
struct charges {
    struct limiter_charge user, address;
};

static struct charges
charges_of(const struct connection *connection, enum rate_class class, uint32_t amount)
{
    const struct settings *settings = connection->messenger->settings;
    struct charges charges = {0};
    if (class < RATE_CLASSES) {
        charges.user = (struct limiter_charge){.key = connection->user,
                                               .class = class,
                                               .limit = settings->user_rates[class],
                                               .amount = amount};
        charges.address = (struct limiter_charge){.key = connection->address,
                                                  .class = class,
                                                  .limit = settings->address_rates[class],
                                                  .amount = amount};
    }
    return charges;
}

static uint64_t
wait_many_ms(const struct connection *connection, enum rate_class class, uint32_t amount)
{
    struct charges charges = charges_of(connection, class, amount);
    uint64_t now_ns = ln_now_ns();
    uint64_t user_ms = limiter_wait_ms(&rates_of(connection)->users, &charges.user, now_ns);
    uint64_t address_ms =
        limiter_wait_ms(&connection->messenger->addresses, &charges.address, now_ns);
    return user_ms > address_ms ? user_ms : address_ms;
}

uint64_t
connection_rate_wait_ms(const struct connection *connection, enum rate_class class)
{
    return wait_many_ms(connection, class, 1);
}

static void
charge_many(const struct connection *connection, enum rate_class class, uint32_t amount)
{
    struct charges charges = charges_of(connection, class, amount);
    uint64_t now_ns = ln_now_ns();
    limiter_charge(&rates_of(connection)->users, &charges.user, now_ns);
    limiter_charge(&connection->messenger->addresses, &charges.address, now_ns);
}

void
connection_rate_owes(const struct connection *connection, enum rate_class class, uint32_t amount)
{
    if (amount > 0) {
        charge_many(connection, class, amount);
    }
}

void
connection_rate_charge(const struct connection *connection, enum rate_class class)
{
    charge_many(connection, class, 1);
}

bool
connection_rate_limits(const struct connection *connection, enum rate_class class)
{
    struct charges charges = charges_of(connection, class, 1);
    return charges.user.limit > 0 || charges.address.limit > 0;
}

bool
connection_rate_takes(const struct connection *connection, enum rate_class class, uint32_t amount)
{
    if (wait_many_ms(connection, class, amount) > 0) {
        return false;
    }
    charge_many(connection, class, amount);
    return true;
}

void
connection_rate_gives_back(const struct connection *connection, enum rate_class class,
                           uint32_t amount)
{
    struct charges charges = charges_of(connection, class, amount);
    limiter_refund(&rates_of(connection)->users, &charges.user);
    limiter_refund(&connection->messenger->addresses, &charges.address);
}

void
connection_rate_say(struct connection *connection, uint64_t number, uint64_t ref,
                    enum rate_class class, uint32_t amount)
{
    messenger_count(&connection->messenger->counters.rate_refused[class]);
    event_error(connection, number, ref, LINNET__V1__ERROR__CODE__RATE_LIMITED,
                rate_class_refusal(class), wait_many_ms(connection, class, amount));
}

/* Registrations are counted for more than the address: whoever has many networks of 64 bits has
 * them in one of 48, and all together may not become more than the node can take. */
enum {
    NODE_KEY = 1,
    /* A network of 48 bits may be a household's, or a provider's with many. */
    SITE_ADDRESSES = 4,
};
#define SITE_KEY (UINT64_C(1) << 32) /* with the site's; those of addresses have 32 bits */

static struct limiter_charge
registration_at_node(const struct connection *connection)
{
    return (struct limiter_charge){.key = NODE_KEY,
                                   .class = RATE_REGISTRATIONS,
                                   .limit = connection->messenger->settings->registrations_per_hour,
                                   .amount = 1};
}

static struct limiter_charge
registration_at_site(const struct connection *connection)
{
    uint64_t limit = connection->messenger->settings->address_rates[RATE_REGISTRATIONS];
    limit *= SITE_ADDRESSES;
    return (struct limiter_charge){.key = connection->site != 0 ? SITE_KEY | connection->site : 0,
                                   .class = RATE_REGISTRATIONS,
                                   .limit = limit < UINT32_MAX ? (uint32_t)limit : UINT32_MAX,
                                   .amount = 1};
}

uint64_t
connection_rate_registration_wait_ms(const struct connection *connection)
{
    const struct messenger *messenger = connection->messenger;
    struct limiter_charge node = registration_at_node(connection);
    struct limiter_charge site = registration_at_site(connection);
    uint64_t now_ns = ln_now_ns();
    uint64_t waits_ms[] = {limiter_wait_ms(&messenger->node, &node, now_ns),
                           limiter_wait_ms(&messenger->addresses, &site, now_ns),
                           connection_rate_wait_ms(connection, RATE_REGISTRATIONS)};
    uint64_t longest_ms = 0;
    for (unsigned i = 0; i < sizeof waits_ms / sizeof waits_ms[0]; i++) {
        longest_ms = waits_ms[i] > longest_ms ? waits_ms[i] : longest_ms;
    }
    return longest_ms;
}

bool
connection_rate_registers(const struct connection *connection)
{
    struct messenger *messenger = connection->messenger;
    struct limiter_charge node = registration_at_node(connection);
    struct limiter_charge site = registration_at_site(connection);
    uint64_t now_ns = ln_now_ns();
    if (connection_rate_registration_wait_ms(connection) > 0) {
        messenger_count(&messenger->counters.rate_refused[RATE_REGISTRATIONS]);
        return false;
    }
    connection_rate_charge(connection, RATE_REGISTRATIONS);
    limiter_charge(&messenger->addresses, &site, now_ns);
    limiter_charge(&messenger->node, &node, now_ns);
    return true;
}

/* For `linnet hot`. */
static void
count_hot(const struct connection *connection, const Linnet__V1__ClientFrame *frame)
{
    struct messenger_rates *rates = rates_of(connection);
    uint64_t now_ns = ln_now_ns();
    if (connection->user != 0) {
        hot_count(&rates->hot_users, connection->user, 1, now_ns);
    }
    bool send = frame->command_case == LINNET__V1__CLIENT_FRAME__COMMAND_SEND_MESSAGE;
    if (send && frame->send_message->chat->peer_case == LINNET__V1__CHAT__PEER_GROUP_ID) {
        hot_count(&rates->hot_groups, frame->send_message->chat->group_id, 1, now_ns);
    }
}

/* An acknowledgement is never told to wait: it has no answer, and lightens the node. It is charged
 * all the same; of the others what is refused costs the user nothing. */
bool
connection_rate_refuses(struct connection *connection, const Linnet__V1__ClientFrame *frame,
                        uint64_t connection_wait_ms)
{
    enum rate_class class = rate_class_of(frame);
    uint64_t class_wait_ms = connection_rate_wait_ms(connection, class);
    count_hot(connection, frame);
    bool ack = frame->command_case == LINNET__V1__CLIENT_FRAME__COMMAND_ACK;
    if (ack || (connection_wait_ms == 0 && class_wait_ms == 0)) {
        connection_rate_charge(connection, class);
        return false;
    }
    if (class_wait_ms > 0) {
        messenger_count(&connection->messenger->counters.rate_refused[class]);
    }
    event_error(connection, frame->number, frame->ref, LINNET__V1__ERROR__CODE__RATE_LIMITED,
                class_wait_ms > 0 ? rate_class_refusal(class) : "faster than a connection may be",
                class_wait_ms > connection_wait_ms ? class_wait_ms : connection_wait_ms);
    return true;
}
