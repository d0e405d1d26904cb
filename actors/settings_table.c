/* SPDX-License-Identifier: Apache-2.0 */
/* The table is the only place that lists settings: reading, printing and the help all walk it. */
#include "actors/nearest.h"
#include "actors/settings_priv.h"
#include "runtime/bounds.h"
#include "store/environment.h"
#include "store/group.h"
#include "store/hold.h"
#include "store/log_segment.h"
#include "store/request.h"
#include "store/state.h"
#include "store/store.h"

#include <errno.h>

#define FIELD(member) offsetof(struct settings, member), sizeof(((struct settings *)0)->member)
#define RATE_MAX 1000000000
#define KIB UINT64_C(1024)
#define MIB (KIB * 1024)
#define GIB (MIB * 1024)
#define TIB (GIB * 1024)
#define SPAN_MIN UINT64_C(1000)
#define SPAN_MAX (SETTINGS_HISTORY_FOREVER_DAYS * STORE_DAY_MS)
#define SETTINGS_YEAR_MS (UINT64_C(366) * 24 * 3600 * 1000)

static const char *const registration_choices[] = {"closed", "open", NULL};
static const char *const delete_after_choices[] = {"delivered", "read", NULL};
static const char *const never_words[] = {"never", NULL};
static const char *const off_words[] = {"off", NULL};
static const char *const history_words[] = {"off", "forever", NULL};
static const char *const io_level_choices[] = {"probe", "6.1", NULL};
_Static_assert(REGISTRATION_CLOSED == 0 && REGISTRATION_OPEN == 1, "the order of the choices");
_Static_assert(DELETE_AFTER_DELIVERED == 0 && DELETE_AFTER_READ == 1, "the order of the choices");
_Static_assert(IO_LEVEL_PROBE == 0 && IO_LEVEL_6_1 == 1, "the order of the choices");

static const struct setting table[] = {
    {"data", SETTING_TEXT, FIELD(data), 1, SETTINGS_PATH_BYTES - 1, NULL, NULL,
     "directory of everything that is kept"},
    {"listen", SETTING_TEXT, FIELD(listen), 1, SETTINGS_ADDRESS_BYTES - 1, NULL, NULL,
     "address and port for clients; port 0 takes a free one"},
    {"registration", SETTING_CHOICE, FIELD(registration), 0, 0, NULL, registration_choices,
     "whether a login with an unknown name makes a new user"},
    {"echo", SETTING_SWITCH, FIELD(echo), 0, 1, NULL, NULL,
     "/echo sends WebSocket messages back: for outside test suites"},

    {"schedulers", SETTING_NUMBER, FIELD(schedulers), 0, LN_SCHEDULERS_MAX, "one per core", NULL,
     "threads that run actors"},
    {"workers", SETTING_NUMBER, FIELD(workers), 0, 1024, "one per core, at least 2", NULL,
     "threads for what blocks: reads, password hashes"},
    {"io_level", SETTING_CHOICE, FIELD(io_level), 0, 0, NULL, io_level_choices,
     "io_uring features: those the kernel has, or those of Linux 6.1"},
    {"spin_us", SETTING_NUMBER, FIELD(spin_us), 0, 1000000, NULL, NULL,
     "how long an idle scheduler polls before it sleeps"},
    {"watchdog_ms", SETTING_NUMBER, FIELD(watchdog_ms), 1, 60000, NULL, NULL,
     "CPU time an actor may hold its scheduler for; beyond it it is named"},
    {"stuck_ms", SETTING_NUMBER, FIELD(stuck_ms), 100, 3600000, NULL, NULL,
     "a scheduler held for so much CPU time ends the node"},

    {"connections_max", SETTING_NUMBER, FIELD(connections_max), 1, UINT64_C(16) << 20, NULL, NULL,
     "open connections of clients; further ones are refused"},
    {"logins_pending_max", SETTING_NUMBER, FIELD(logins_pending_max), 1, 65536, NULL, NULL,
     "passwords being verified at the same time; further ones are told to wait"},
    {"exports_max", SETTING_NUMBER, FIELD(exports_max), 0, SETTINGS_EXPORTS_MAX, NULL, NULL,
     "exports under way at the same time, one of a user; 0: users get none"},
    {"login_timeout_ms", SETTING_NUMBER, FIELD(login_timeout_ms), 100, 3600000, NULL, NULL,
     "a connection must have logged in by then"},
    {"idle_timeout_ms", SETTING_NUMBER, FIELD(limits.idle_timeout_ms), 1000, 86400000, NULL, NULL,
     "silence after which a connection is closed"},
    {"password_memory_bytes", SETTING_BYTES, FIELD(password_memory_bytes), 8 * KIB, 4 * GIB - KIB,
     NULL, NULL, "Argon2id's memory, for passwords set from now on"},
    {"password_ops", SETTING_NUMBER, FIELD(password_ops), 1, 1000, NULL, NULL,
     "Argon2id's passes, likewise"},

    {"message_bytes_max", SETTING_BYTES, FIELD(limits.message_bytes_max), 1,
     STORE_BODY_BYTES_MAX / 2, NULL, NULL, "content and references of one message"},
    {"attachments_max", SETTING_NUMBER, FIELD(limits.attachments_max), 0, 64, NULL, NULL,
     "references in one message"},
    {"frame_bytes_max", SETTING_BYTES, FIELD(limits.frame_bytes_max), KIB, MIB, NULL, NULL,
     "one WebSocket message, either form"},
    {"commands_unanswered_max", SETTING_NUMBER, FIELD(limits.commands_unanswered_max), 1,
     PROTOCOL_COMMAND_WINDOW, NULL, NULL,
     "commands of a connection under way; then it is not read any further"},
    {"commands_per_s", SETTING_NUMBER, FIELD(commands_per_s), 1, 1000000, NULL, NULL,
     "commands of a connection; faster ones are told to wait, then it is closed"},
    {"command_bytes_per_s", SETTING_BYTES, FIELD(command_bytes_per_s), MIB, TIB, NULL, NULL,
     "the same in bytes"},
    {"user_changes_per_minute", SETTING_NUMBER, FIELD(user_rates[RATE_CHANGES]), 0, RATE_MAX, NULL,
     NULL, "messages and other changes of a user; 0 is no limit"},
    {"user_receipts_per_minute", SETTING_NUMBER, FIELD(user_rates[RATE_RECEIPTS]), 0, RATE_MAX,
     NULL, NULL, "receipts of a user; 0 is no limit"},
    {"user_presence_per_minute", SETTING_NUMBER, FIELD(user_rates[RATE_PRESENCE]), 0, RATE_MAX,
     NULL, NULL, "what a user tells and watches of presence; 0 is no limit"},
    {"user_typing_per_minute", SETTING_NUMBER, FIELD(user_rates[RATE_TYPING]), 0, RATE_MAX, NULL,
     NULL, "what a user tells of typing; 0 is no limit"},
    {"user_queries_per_minute", SETTING_NUMBER, FIELD(user_rates[RATE_QUERIES]), 0, RATE_MAX, NULL,
     NULL, "questions of a user; 0 is no limit"},
    {"user_groups_per_hour", SETTING_NUMBER, FIELD(user_rates[RATE_GROUPS]), 0, RATE_MAX, NULL,
     NULL, "groups that a user makes, members that it adds; 0 is no limit"},
    {"user_strangers_per_hour", SETTING_NUMBER, FIELD(user_rates[RATE_STRANGERS]), 0, RATE_MAX,
     NULL, NULL, "people that a user first writes to or calls, or adds to groups; 0 is no limit"},
    {"user_calls_per_minute", SETTING_NUMBER, FIELD(user_rates[RATE_CALLS]), 0, RATE_MAX, NULL,
     NULL, "calls of a user; 0 is no limit"},
    {"user_signals_per_minute", SETTING_NUMBER, FIELD(user_rates[RATE_SIGNALS]), 0, RATE_MAX, NULL,
     NULL, "what a user says within calls; 0 is no limit"},
    {"user_exports_per_day", SETTING_NUMBER, FIELD(user_rates[RATE_EXPORTS]), 0, RATE_MAX, NULL,
     NULL, "exports of a user's own data (GET /export); 0 is no limit"},
    {"user_deletions_per_minute", SETTING_NUMBER, FIELD(user_rates[RATE_DELETIONS]), 0, RATE_MAX,
     NULL, NULL,
     "what a user's deletions in groups cost: 64 entries of members' inboxes each; 0 is no limit"},
    {"address_changes_per_minute", SETTING_NUMBER, FIELD(address_rates[RATE_CHANGES]), 0, RATE_MAX,
     NULL, NULL, "messages and other changes of an address; 0 is no limit"},
    {"address_receipts_per_minute", SETTING_NUMBER, FIELD(address_rates[RATE_RECEIPTS]), 0,
     RATE_MAX, NULL, NULL, "receipts of an address; 0 is no limit"},
    {"address_presence_per_minute", SETTING_NUMBER, FIELD(address_rates[RATE_PRESENCE]), 0,
     RATE_MAX, NULL, NULL, "what an address tells and watches of presence; 0 is no limit"},
    {"address_typing_per_minute", SETTING_NUMBER, FIELD(address_rates[RATE_TYPING]), 0, RATE_MAX,
     NULL, NULL, "what an address tells of typing; 0 is no limit"},
    {"address_queries_per_minute", SETTING_NUMBER, FIELD(address_rates[RATE_QUERIES]), 0, RATE_MAX,
     NULL, NULL, "questions of an address; 0 is no limit"},
    {"address_groups_per_hour", SETTING_NUMBER, FIELD(address_rates[RATE_GROUPS]), 0, RATE_MAX,
     NULL, NULL, "groups that an address makes, members that it adds; 0 is no limit"},
    {"address_strangers_per_hour", SETTING_NUMBER, FIELD(address_rates[RATE_STRANGERS]), 0,
     RATE_MAX, NULL, NULL,
     "people that an address first writes to or calls, or adds to groups; 0 is no limit"},
    {"address_calls_per_minute", SETTING_NUMBER, FIELD(address_rates[RATE_CALLS]), 0, RATE_MAX,
     NULL, NULL, "calls of an address; 0 is no limit"},
    {"address_signals_per_minute", SETTING_NUMBER, FIELD(address_rates[RATE_SIGNALS]), 0, RATE_MAX,
     NULL, NULL, "what an address says within calls; 0 is no limit"},
    {"address_exports_per_day", SETTING_NUMBER, FIELD(address_rates[RATE_EXPORTS]), 0, RATE_MAX,
     NULL, NULL, "exports that go to an address; 0 is no limit"},
    {"address_deletions_per_minute", SETTING_NUMBER, FIELD(address_rates[RATE_DELETIONS]), 0,
     RATE_MAX, NULL, NULL, "what an address' deletions in groups cost, likewise; 0 is no limit"},
    {"address_failed_logins_per_hour", SETTING_NUMBER, FIELD(address_rates[RATE_FAILED_LOGINS]), 0,
     RATE_MAX, NULL, NULL, "logins from an address that may fail; 0 is no limit"},
    {"address_registrations_per_hour", SETTING_NUMBER, FIELD(address_rates[RATE_REGISTRATIONS]), 0,
     RATE_MAX, NULL, NULL, "users that an address registers; 0 is no limit"},
    {"registrations_per_hour", SETTING_NUMBER, FIELD(registrations_per_hour), 0, RATE_MAX, NULL,
     NULL, "users that register at this node; 0 is no limit"},
    {"rate_entries_max", SETTING_NUMBER, FIELD(rate_entries_max), 8, 16777216, NULL, NULL,
     "users whose rates each scheduler remembers, and addresses of which the node does"},
    {"unacknowledged_entries_max", SETTING_NUMBER, FIELD(limits.unacknowledged_entries_max), 1,
     STORE_ROWS_MAX, NULL, NULL, "entries sent to a device ahead of its acknowledgement"},
    {"unacknowledged_bytes_max", SETTING_BYTES, FIELD(limits.unacknowledged_bytes_max), KIB,
     64 * MIB, NULL, NULL, "the same in bytes"},

    {"inbox_entries_max", SETTING_NUMBER, FIELD(inbox_entries_max), 1, 10000000, NULL, NULL,
     "messages that wait for one device; beyond it the device is set to resync"},
    {"inbox_bytes_max", SETTING_BYTES, FIELD(inbox_bytes_max), MIB, TIB, NULL, NULL,
     "the same in bytes"},
    {"devices_max", SETTING_NUMBER, FIELD(devices_max), 1, STORE_DEVICES_LIMIT, NULL, NULL,
     "devices of one user"},
    {"device_unseen_days", SETTING_SPAN, FIELD(device_unseen_ms), 0, SPAN_MAX, "never", never_words,
     "a device that did not connect for so long is unlinked"},
    {"device_warn_days", SETTING_SPAN, FIELD(device_warn_ms), SPAN_MIN, SPAN_MAX, NULL, NULL,
     "so long before that the user's other devices are warned"},
    {"inbox_age_days", SETTING_SPAN, FIELD(inbox_age_ms), 0, SPAN_MAX, "never", never_words,
     "how long a message waits for a device; then the device is set to resync"},
    {"hold_unknown", SETTING_SPAN, FIELD(hold_unknown_ms), 0, SPAN_MAX, "off", off_words,
     "how long messages to a name nobody has wait for whoever takes it; 0: they are refused"},
    {"hold_messages_max", SETTING_NUMBER, FIELD(hold_messages_max), 1, 100000, NULL, NULL,
     "messages that wait for one such name"},
    {"hold_recipients_max", SETTING_NUMBER, FIELD(hold_recipients_max), 1,
     STORE_HOLD_RECIPIENTS_LIMIT, NULL, NULL, "such names that wait for messages of one user"},
    {"link_code_s", SETTING_NUMBER, FIELD(link_code_s), 10, 3600, NULL, NULL,
     "seconds that a code links a new device for"},
    {"link_code_tries", SETTING_NUMBER, FIELD(link_code_tries), 1, 100, NULL, NULL,
     "wrong codes until a code is void"},
    {"group_members_max", SETTING_NUMBER, FIELD(limits.group_members_max), 2,
     STORE_GROUP_MEMBERS_LIMIT, NULL, NULL, "members of one group"},
    {"group_log_days", SETTING_SPAN, FIELD(group_log_ms), SPAN_MIN, SPAN_MAX, NULL, NULL,
     "how long a group knows who wrote a message, and whom it reached; longer what somebody "
     "may still miss"},
    {"history_days", SETTING_SPAN, FIELD(history_ms), 0, SPAN_MAX, "off", history_words,
     "how long what was said is kept for getHistory; forever: for good; off: what was kept before "
     "goes"},
    {"delete_after", SETTING_CHOICE, FIELD(delete_after), 0, 0, NULL, delete_after_choices,
     "without history_days: when a message goes that all devices have"},
    {"states_max", SETTING_NUMBER, FIELD(states_max), 1, 1000000, NULL, NULL,
     "what one user may have set: contacts, settings of chats, blocks"},
    {"states_bytes_max", SETTING_BYTES, FIELD(states_bytes_max), KIB, GIB, NULL, NULL,
     "the same in bytes"},

    {"presence_interval_ms", SETTING_NUMBER, FIELD(limits.presence_interval_ms), 1000, 3600000,
     NULL, NULL, "how often an app in the foreground says so; missing twice, its user is offline"},
    {"presence_watches_max", SETTING_NUMBER, FIELD(limits.presence_watches_max), 0, 65536, NULL,
     NULL, "users whose presence one connection watches"},
    {"presence_watchers_max", SETTING_NUMBER, FIELD(presence_watchers_max), 0, 65535, NULL, NULL,
     "connections that watch the presence of one user; further ones are told to wait"},
    {"group_typing_members_max", SETTING_NUMBER, FIELD(group_typing_members_max), 0, STORE_ROWS_MAX,
     NULL, NULL, "members of a group who are told who types there; in larger ones nobody is"},
    {"presence_updates_per_s", SETTING_NUMBER, FIELD(presence_updates_per_s), 1, 10000000, NULL,
     NULL,
     "what a scheduler tells watchers in a second, and as much of typing in groups; the rest "
     "waits, or is dropped"},
    {"edit_window_ms", SETTING_NUMBER, FIELD(edit_window_ms), 0, SETTINGS_YEAR_MS, NULL, NULL,
     "how long after it was accepted a message may be edited by its author"},
    {"delete_window_ms", SETTING_NUMBER, FIELD(delete_window_ms), 0, SETTINGS_YEAR_MS, NULL, NULL,
     "how long it may be deleted for everyone"},

    {"call_ring_ms", SETTING_NUMBER, FIELD(limits.call_ring_ms), 1000, STORE_CALL_RING_MS_MAX, NULL,
     NULL, "how long a call rings that nobody answers"},
    {"turn_uris", SETTING_TEXT, FIELD(turn_uris), 0, SETTINGS_TURN_URIS_BYTES - 1, NULL, NULL,
     "TURN servers for calls, as in RFC 7065, with commas between them"},
    {"turn_secret_file", SETTING_TEXT, FIELD(turn_secret_file), 0, SETTINGS_PATH_BYTES - 1, NULL,
     NULL, "file with the secret that they share with the node"},
    {"turn_lifetime_ms", SETTING_NUMBER, FIELD(turn_lifetime_ms), 1000, SETTINGS_YEAR_MS, NULL,
     NULL, "how long credentials for them are good"},
    {"push_subject", SETTING_TEXT, FIELD(push_subject), 0, SETTINGS_SUBJECT_BYTES - 1, NULL, NULL,
     "mailto: or https: of whom a push service may write to; empty: no Web Push"},
    {"push_webhook", SETTING_TEXT, FIELD(push_webhook), 0, SETTINGS_URL_BYTES - 1, NULL, NULL,
     "your own server, which wakes devices by FCM, APNs and the like; empty: none"},
    {"push_ca_file", SETTING_TEXT, FIELD(push_ca_file), 0, SETTINGS_PATH_BYTES - 1, NULL, NULL,
     "certificates that servers of pushes must lead to, in PEM"},
    {"push_ca_extra_file", SETTING_TEXT, FIELD(push_ca_extra_file), 0, SETTINGS_PATH_BYTES - 1,
     NULL, NULL, "further ones: of your own authority"},
    {"push_private_endpoints", SETTING_SWITCH, FIELD(push_private_endpoints), 0, 1, NULL, NULL,
     "clients' endpoints may be http, and in private networks"},
    {"push_delay_ms", SETTING_NUMBER, FIELD(push_delay_ms), 0, 600000, NULL, NULL,
     "a device that acknowledges within it is not pushed to"},
    {"push_interval_ms", SETTING_NUMBER, FIELD(push_interval_ms), 0, 86400000, NULL, NULL,
     "least time between two pushes to a device"},
    {"push_timeout_ms", SETTING_NUMBER, FIELD(push_timeout_ms), 100, 600000, NULL, NULL,
     "what one attempt may take"},
    {"push_retry_ms", SETTING_NUMBER, FIELD(push_retry_ms), 10, 3600000, NULL, NULL,
     "pause after a first attempt that failed; doubled each time"},
    {"push_retry_max_ms", SETTING_NUMBER, FIELD(push_retry_max_ms), 10, 86400000, NULL, NULL,
     "what it is doubled up to, and what a server may ask for"},
    {"push_attempts_max", SETTING_NUMBER, FIELD(push_attempts_max), 1, 100, NULL, NULL,
     "attempts to wake a device; then the next message is waited for"},
    {"push_ttl_s", SETTING_NUMBER, FIELD(push_ttl_s), 0, 2419200, NULL, NULL,
     "how long a push service keeps a push, and how long one is tried"},
    {"push_waiting_max", SETTING_NUMBER, FIELD(push_waiting_max), 16, 10000000, NULL, NULL,
     "devices to be pushed to that a scheduler keeps in mind; the others wait in the store"},
    {"push_connections_max", SETTING_NUMBER, FIELD(push_connections_max), 1, 1024, NULL, NULL,
     "connections for pushes, of each scheduler"},
    {"push_host_connections_max", SETTING_NUMBER, FIELD(push_host_connections_max), 1, 1024, NULL,
     NULL, "the same to one server"},

    {"store_cells", SETTING_NUMBER, FIELD(store_cells), 0, 256,
     "the schedulers rounded up, at least 8", NULL,
     "databases the partitions are spread over, a power of two; fixed at creation"},
    {"store_map_bytes", SETTING_BYTES, FIELD(store_map_bytes), 16 * MIB, 64 * TIB, NULL, NULL,
     "address space of each database: how large it may become"},
    {"store_segment_bytes", SETTING_BYTES, FIELD(store_segment_bytes), LOG_SEGMENT_BYTES_MIN,
     LOG_SEGMENT_BYTES_MAX, NULL, NULL, "one file of the log"},
    {"store_delta_bytes", SETTING_BYTES, FIELD(store_delta_bytes), 0, TIB,
     "an eighth of the memory, 64M to 4G", NULL,
     "memory for what is not yet folded into the databases"},
    {"store_replay_bytes", SETTING_BYTES, FIELD(store_replay_bytes), MIB, TIB, NULL, NULL,
     "what a start may have to apply again of a log; each scheduler has one"},
    {"store_replay_commands", SETTING_NUMBER, FIELD(store_replay_commands), 1000, 1000000000, NULL,
     NULL, "the same in commands of a cell"},
    {"store_reserve_bytes", SETTING_BYTES, FIELD(store_reserve_bytes), MIB, TIB, NULL, NULL,
     "disk kept free, so that a full one still lets messages leave"},
    {"trace_bytes_max", SETTING_BYTES, FIELD(trace_bytes_max), 0, TIB, NULL, NULL,
     "steps of messages that msg trace finds; the oldest go; 0 keeps none"},
};
enum { SETTINGS_COUNT = sizeof table / sizeof table[0] };
_Static_assert(SETTINGS_COUNT <= (int)SETTINGS_MAX, "room for every setting's origin");

const struct setting *
settings_table(unsigned *out_count)
{
    *out_count = SETTINGS_COUNT;
    return table;
}

/* But for what the protocol says. */
static const struct settings defaults = {
    .data = "var",
    .listen = "127.0.0.1:4222",
    .registration = REGISTRATION_CLOSED,
    .io_level = IO_LEVEL_PROBE,
    .spin_us = 5,
    .watchdog_ms = 10,
    .stuck_ms = 10000,
    .connections_max = 100000, /* about a gigabyte with the kernel's part */
    .logins_pending_max = 64,  /* about a second of hashing on two cores */
    .exports_max = 4,
    .login_timeout_ms = 10000,
    .password_memory_bytes = 64 * MIB, /* libsodium's "interactive", and the next too */
    .password_ops = 2,
    /* What one connection reaches over the loopback with a full window stays below both. */
    .commands_per_s = 50000,
    .command_bytes_per_s = 32 * MIB,
    /* As much as one connection may; of an address, which may be many people's, ten times. */
    .user_rates = {[RATE_CHANGES] = 3000000,
                   [RATE_RECEIPTS] = 3000000,
                   [RATE_PRESENCE] = 6000,
                   [RATE_TYPING] = 6000,
                   [RATE_QUERIES] = 60000,
                   [RATE_GROUPS] = 200,
                   [RATE_STRANGERS] = 2000,
                   [RATE_CALLS] = 60,
                   [RATE_SIGNALS] = 6000,
                   [RATE_EXPORTS] = 10,
                   [RATE_DELETIONS] = 10000},
    .address_rates = {[RATE_CHANGES] = 30000000,
                      [RATE_RECEIPTS] = 30000000,
                      [RATE_PRESENCE] = 60000,
                      [RATE_TYPING] = 60000,
                      [RATE_QUERIES] = 600000,
                      [RATE_GROUPS] = 2000,
                      [RATE_STRANGERS] = 20000,
                      [RATE_CALLS] = 600,
                      [RATE_SIGNALS] = 60000,
                      [RATE_EXPORTS] = 1000,
                      [RATE_DELETIONS] = 100000,
                      [RATE_FAILED_LOGINS] = 100,
                      [RATE_REGISTRATIONS] = 100},
    .registrations_per_hour = 10000,
    .rate_entries_max = 16384,
    .inbox_entries_max = STORE_INBOX_ENTRIES_MAX,
    .inbox_bytes_max = STORE_INBOX_BYTES_MAX,
    .devices_max = STORE_DEVICES_MAX,
    .device_unseen_ms = STORE_DEVICE_UNSEEN_MS,
    .device_warn_ms = STORE_DEVICE_WARN_MS,
    .inbox_age_ms = STORE_INBOX_AGE_MS,
    .hold_messages_max = STORE_HOLD_MESSAGES_MAX,
    .group_log_ms = STORE_GROUP_LOG_MS,
    .hold_recipients_max = STORE_HOLD_RECIPIENTS_MAX,
    .link_code_s = 120,
    .link_code_tries = 5,
    .group_typing_members_max = 256,
    .presence_watchers_max = 4096,
    .presence_updates_per_s = 50000,
    .states_max = STORE_STATES_MAX,
    .states_bytes_max = STORE_STATES_BYTES_MAX,
    .turn_lifetime_ms = UINT64_C(12) * 3600 * 1000,
    .edit_window_ms = UINT64_C(15) * 60 * 1000, /* as WhatsApp has both */
    .delete_window_ms = UINT64_C(2) * 24 * 3600 * 1000,
    .push_ca_file = "/etc/ssl/certs/ca-certificates.crt",
    .push_delay_ms = 3000,
    .push_interval_ms = 10000,
    .push_timeout_ms = 10000,
    .push_retry_ms = 5000,
    .push_retry_max_ms = 3600000,
    .push_attempts_max = 10,
    .push_ttl_s = 604800, /* a week: who is away for longer looks by himself */
    .push_waiting_max = 100000,
    .push_connections_max = 32,
    .push_host_connections_max = 16,
    .store_map_bytes = ENVIRONMENT_MAP_BYTES,
    .store_segment_bytes = LOG_SEGMENT_BYTES,
    .store_replay_bytes = STORE_REPLAY_BYTES_MAX,
    .store_replay_commands = STORE_REPLAY_COMMANDS_MAX,
    .store_reserve_bytes = STORE_RESERVE_BYTES,
    .trace_bytes_max = GIB,
};

void
settings_init(struct settings *settings)
{
    *settings = defaults;
    settings->limits = protocol_limits_default;
}

int
settings_find(const char *name, size_t bytes)
{
    for (unsigned i = 0; i < SETTINGS_COUNT; i++) {
        const char *known = table[i].name;
        size_t same = 0;
        while (same < bytes && known[same] != '\0' &&
               (name[same] == known[same] || (name[same] == '-' && known[same] == '_'))) {
            same++;
        }
        if (same == bytes && known[same] == '\0') {
            return (int)i;
        }
    }
    return -ENOENT;
}

void
settings_print_unknown(const char *name, struct ln_text *out)
{
    ln_text_print(out, "there is no setting '%s'", name);
    unsigned least = UINT32_MAX;
    const char *nearest = NULL;
    for (unsigned i = 0; i < SETTINGS_COUNT; i++) {
        unsigned distance = nearest_distance(name, table[i].name);
        if (distance < least) {
            least = distance;
            nearest = table[i].name;
        }
    }
    if (nearest_plausible(least, name)) {
        ln_text_print(out, "; did you mean %s?", nearest);
    }
}
