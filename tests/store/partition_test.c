/* SPDX-License-Identifier: Apache-2.0 */
/* The store's actors at work on a simulated machine: what its users, the messenger's actors, can
 * ask and are told. */
#include "store/presence.h"
#include "store/store_priv.h"
#include "tests/spec.h"
#include "tests/store/hand.h"
#include "tests/store/rig.h"
#include "tests/store/told.h"

#include <errno.h>
#include <string.h>

static struct rig rig;

/* ------------------------------------------------------------------------------------- accounts */

static void
account_story(struct rig *r)
{
    uint64_t alice;
    uint64_t found;
    struct store_user user;
    struct store_password password;
    RIG_CHECK(r, hand_name_find(r->store, "alice", &found) == -ENOENT);
    RIG_CHECK(r, hand_user_create(r->store, "alice", true, &alice) == 0);
    RIG_CHECK(r, hand_user_create(r->store, "alice", true, &found) == -EEXIST);
    RIG_CHECK(r, hand_name_find(r->store, "alice", &found) == 0 && found == alice);
    RIG_CHECK(r, hand_user_get(r->store, alice, &user) == 0);
    RIG_CHECK(r, user.user == alice && user.devices == 1 && user.name.bytes == 5 &&
                     memcmp(user.name.text, "alice", 5) == 0);
    RIG_CHECK(r, hand_password_get(r->store, alice, &password) == 0);
    RIG_CHECK(r, password.bytes == 4 && memcmp(password.text, "$pw$", 4) == 0);
    RIG_CHECK(r, hand_password_set(r->store, alice, "$new$") == 0);
    RIG_CHECK(r, hand_password_get(r->store, alice, &password) == 0 && password.bytes == 5);
    RIG_CHECK(r, hand_user_get(r->store, alice + 256, &user) == -ENOENT);
    RIG_CHECK(r, hand_user_remove(r->store, alice) == 0);
    RIG_CHECK(r, hand_user_get(r->store, alice, &user) == -ENOENT);
    RIG_CHECK(r, hand_password_get(r->store, alice, &password) == -ENOENT);
    RIG_CHECK(r, hand_name_find(r->store, "alice", &found) == -ENOENT);
    RIG_CHECK(r, hand_user_create(r->store, "alice", false, &found) == 0 && found != alice);
    RIG_CHECK(r, hand_password_get(r->store, found, &password) == 0);
}

/* Many at once, so that the streams they wait for are acknowledged in another order. */
static void
crowd_story(struct rig *r)
{
    enum { CROWD = 200 };
    for (unsigned i = 0; i < CROWD; i++) {
        struct store_user_create create = {.with_device = true};
        create.name.bytes =
            (uint8_t)snprintf(create.name.text, sizeof(create.name.text), "crowd%u", i);
        struct ln_msg *request = ln_msg_new(STORE_USER_CREATE, LN_DURABLE, sizeof(create));
        memcpy(request->data, &create, sizeof(create));
        (void)ln_request(store_name_pid(r->store, create.name.text, create.name.bytes), &request);
    }
    for (unsigned i = 0; i < CROWD; i++) {
        struct ln_msg *answer = NULL;
        struct store_user user;
        if (ln_receive(5000, &answer) != 0 || answer->error != 0) {
            rig_wrong(r, "a user was not created");
            return;
        }
        const struct store_user_created *created =
            (const struct store_user_created *)(const void *)answer->data;
        RIG_CHECK(r, hand_user_get(r->store, created->user, &user) == 0 && user.devices == 1);
        ln_msg_free(&answer);
    }
}

static void
creates_crowds(void **state)
{
    (void)state;
    rig_open(&rig, 9);
    rig.schedulers = 3;
    rig_play(&rig, crowd_story);
    rig_close(&rig);
}

static void
keeps_accounts(void **state)
{
    (void)state;
    rig_play_once(&rig, 1, account_story);
}

static void
device_story(struct rig *r)
{
    uint64_t alice;
    uint16_t device = 0;
    uint32_t count = 0;
    struct store_device devices[8];
    RIG_CHECK(r, hand_user_create(r->store, "alice", true, &alice) == 0);
    RIG_CHECK(r, hand_device_add(r->store, alice, 7, &device) == 0 && device == 2);
    RIG_CHECK(r, hand_device_check(r->store, alice, 2, 7) == 0);
    RIG_CHECK(r, hand_device_check(r->store, alice, 2, 8) == -EACCES);
    RIG_CHECK(r, hand_device_check(r->store, alice, 3, 7) == -ENOENT);
    RIG_CHECK(r, hand_device_check(r->store, alice + 256, 2, 7) == -ENOENT);
    RIG_CHECK(r, hand_device_list(r->store, alice, devices, 8, &count) == 0 && count == 2);
    RIG_CHECK(r, devices[1].device == 2 && devices[1].name.bytes == 5);
    RIG_CHECK(r, hand_device_add(r->store, alice, 9, &device) == -EMFILE);
    RIG_CHECK(r, hand_device_revoke(r->store, alice, 2) == 0);
    RIG_CHECK(r, hand_device_check(r->store, alice, 2, 7) == -ENOENT);
    RIG_CHECK(r, hand_device_revoke(r->store, alice, 2) == -EALREADY);
    RIG_CHECK(r, hand_device_revoke(r->store, alice, 3) == -ENOENT);
}

static void
keeps_devices(void **state)
{
    (void)state;
    rig_open(&rig, 2);
    rig.options.devices_max = 2;
    rig_play(&rig, device_story);
    rig_close(&rig);
}

/* ------------------------------------------------------------------------------------- messages */

static void
message_story(struct rig *r)
{
    uint64_t alice;
    uint64_t bob;
    struct store_attached attached;
    struct store_sent sent;
    struct store_sent again;
    struct store_entry entry;
    RIG_CHECK(r, hand_user_create(r->store, "alice", true, &alice) == 0);
    RIG_CHECK(r, hand_user_create(r->store, "bob", true, &bob) == 0);
    RIG_CHECK(r, hand_attach(r->store, bob, 1, &attached) == 0);
    RIG_CHECK(r, attached.acked == 0 && attached.last == 0 && attached.devices == 1);
    RIG_CHECK(r, attached.next_command < STORE_NODE_NUMBER_MIN);
    RIG_CHECK(r, attached.node_number == STORE_NODE_NUMBER_MIN + attached.next_command);

    struct hand_message hello = {.from = alice, .to = bob, .number = 1, .text = "hello"};
    RIG_CHECK(r, hand_message(r->store, &hello, &sent) == 0);
    RIG_CHECK(r, sent.chat_number == 1 && !sent.duplicate && sent.time_ms > 0);
    RIG_CHECK(r, hand_message(r->store, &hello, &again) == 0);
    RIG_CHECK(r, again.duplicate && again.chat_number == 1 && again.time_ms == sent.time_ms);

    struct ln_msg *push = told();
    RIG_CHECK(r, push != NULL && push->tag == STORE_PUSH && entry_of(push, &entry));
    const struct store_push *data = (const struct store_push *)(const void *)push->data;
    uint64_t number = data->number;
    RIG_CHECK(r, data->user == bob && data->previous == 0 && entry.number == number);
    RIG_CHECK(r, entry.kind == STORE_ENTRY_MESSAGE && entry.message.body_bytes == 5 &&
                     memcmp(entry.message.body, "hello", 5) == 0);
    ln_msg_free(&push);

    RIG_CHECK(r, hand_attach(r->store, alice, 1, &attached) == 0); /* for both, here */
    RIG_CHECK(r, hand_ack(r->store, bob, 1, number + 1) == -ERANGE);
    RIG_CHECK(r, hand_ack(r->store, bob, 1, number) == 0);
    push = told();
    RIG_CHECK(r, push != NULL && push->tag == STORE_PUSH && entry_of(push, &entry));
    RIG_CHECK(r, entry.kind == STORE_ENTRY_CURSORS && entry.peer == bob &&
                     entry.cursors.peer_delivered == 1 && entry.cursors.peer_read == 0);
    ln_msg_free(&push);
    RIG_CHECK(r, hand_read(r->store, bob, alice, 2) == -ERANGE);
    RIG_CHECK(r, hand_read(r->store, bob, alice, 1) == 0);
    push = told();
    RIG_CHECK(r, push != NULL && entry_of(push, &entry) && entry.cursors.peer_read == 1);
    ln_msg_free(&push);
    hello.to = bob + 256;
    hello.number = 2;
    RIG_CHECK(r, hand_message(r->store, &hello, &sent) == -ENOENT);
}

static void
carries_messages(void **state)
{
    (void)state;
    for (uint64_t seed = 3; seed < 6; seed++) {
        rig_open(&rig, seed);
        rig.schedulers = (unsigned)(seed - 2);
        rig_play(&rig, message_story);
        rig_close(&rig);
    }
}

static void
notice_story(struct rig *r)
{
    uint64_t bob;
    uint16_t device;
    struct store_attached attached;
    RIG_CHECK(r, hand_user_create(r->store, "bob", true, &bob) == 0);
    RIG_CHECK(r, hand_attach(r->store, bob, 1, &attached) == 0);
    RIG_CHECK(r, hand_device_add(r->store, bob, 2, &device) == 0);
    RIG_CHECK(r, noticed(STORE_DEVICES, 0, 2));
    RIG_CHECK(r, told_change(STORE_DEVICE_LINKED, 2));
    RIG_CHECK(r, hand_attach(r->store, bob, 2, &attached) == 0);
    RIG_CHECK(r, hand_device_revoke(r->store, bob, 2) == 0);
    RIG_CHECK(r, noticed(STORE_REVOKED, 2, 0)); /* that session alone */
    RIG_CHECK(r, noticed(STORE_DEVICES, 0, 1)); /* and both */
    RIG_CHECK(r, noticed(STORE_DEVICES, 0, 1));
    RIG_CHECK(r, told_change(STORE_DEVICE_REVOKED, 2));
    RIG_CHECK(r, told_change(STORE_DEVICE_REVOKED, 2));
    RIG_CHECK(r, hand_detach(r->store, bob, 2) == 0);
    RIG_CHECK(r, hand_user_remove(r->store, bob) == 0);
    RIG_CHECK(r, noticed(STORE_REVOKED, 0, 0));
    RIG_CHECK(r, hand_detach(r->store, bob, 1) == 0);
}

static void
tells_sessions(void **state)
{
    (void)state;
    rig_play_once(&rig, 7, notice_story);
}

static void
replace_story(struct rig *r)
{
    const ln_pid other = UINT64_C(1) << 40; /* nobody, elsewhere */
    uint64_t bob;
    struct store_attached attached;
    struct store_stats stats;
    RIG_CHECK(r, hand_user_create(r->store, "bob", true, &bob) == 0);
    RIG_CHECK(r, hand_attach(r->store, bob, 1, &attached) == 0);
    RIG_CHECK(r, hand_attach(r->store, bob, 1, &attached) == 0);
    RIG_CHECK(r, told() == NULL); /* it is itself that came again */
    RIG_CHECK(r, hand_attach_for(r->store, bob, 1, other, &attached) == 0);
    RIG_CHECK(r, noticed(STORE_REPLACED, 1, 0));
    RIG_CHECK(r, hand_attach_again(r->store, bob, 1, &attached) == -EBUSY); /* it was too late */
    RIG_CHECK(r, told() == NULL);
    RIG_CHECK(r, hand_detach(r->store, bob, 1) == 0); /* late: the place is the other's */
    store_stats_read(r->store, &stats);
    RIG_CHECK(r, stats.sessions_attached == 1 && stats.users_online == 1);
}

static void
replaces_sessions(void **state)
{
    (void)state;
    rig_play_once(&rig, 7, replace_story);
}

static unsigned
cells_at_rest(const struct store *store)
{
    unsigned count = 0;
    for (unsigned i = 0; i < store->cells_count; i++) {
        count += environment_rests(store->cells[i].environment);
    }
    return count;
}

/* What is online and silent costs the store a place among the attached, no more. */
static void
rest_story(struct rig *r)
{
    uint64_t alice;
    uint64_t bob;
    struct store_attached attached;
    struct store_stats stats;
    RIG_CHECK(r, hand_user_create(r->store, "alice", true, &alice) == 0);
    RIG_CHECK(r, hand_user_create(r->store, "bob", true, &bob) == 0);
    RIG_CHECK(r, hand_attach(r->store, bob, 1, &attached) == 0);
    store_stats_read(r->store, &stats);
    RIG_CHECK(r, stats.delta_entries > 0);
    (void)ln_sleep(UINT64_C(4) * CELL_LOOK_MS);
    store_stats_read(r->store, &stats);
    RIG_CHECK(r, stats.delta_entries == 0 && stats.sessions_attached == 1);
    unsigned at_rest = cells_at_rest(r->store);
    uint64_t folds = stats.folds;
    (void)ln_sleep(UINT64_C(4) * CELL_LOOK_MS);
    store_stats_read(r->store, &stats);
    RIG_CHECK(r, stats.folds == folds); /* it sleeps now */
    struct hand_message hello = {.from = alice, .to = bob, .number = 1, .text = "hello"};
    RIG_CHECK(r, hand_message(r->store, &hello, NULL) == 0);
    struct ln_msg *push = told();
    RIG_CHECK(r, push != NULL && push->tag == STORE_PUSH);
    RIG_CHECK(r, at_rest > 0 && cells_at_rest(r->store) < at_rest);
    ln_msg_free(&push);
}

static void
rests(void **state)
{
    (void)state;
    rig_play_once(&rig, 10, rest_story);
}

/* Alice writes to herself, and never stops; cells in which nobody acts rest all the same. */
static void
lone_rest_story(struct rig *r)
{
    uint64_t alice;
    struct store_attached attached;
    struct hand_message note = {.text = "note"};
    RIG_CHECK(r, hand_user_create(r->store, "alice", true, &alice) == 0);
    RIG_CHECK(r, hand_attach(r->store, alice, 1, &attached) == 0);
    note.from = note.to = alice;
    for (unsigned i = 0; i < 50; i++) {
        note.number = i + 1;
        RIG_CHECK(r, hand_message(r->store, &note, NULL) == 0);
        (void)ln_sleep(CELL_LOOK_MS / 10);
    }
    unsigned busy = store_cell_of(r->store, store_user_partition(r->store, alice));
    for (unsigned i = 0; i < r->store->cells_count; i++) {
        RIG_CHECK(r, environment_rests(r->store->cells[i].environment) == (i != busy));
    }
}

static void
cells_rest_alone(void **state)
{
    (void)state;
    rig_play_once(&rig, 11, lone_rest_story);
}

/* Alice has written a lot to herself; then she writes a word in each look. */
static void
trickle_story(struct rig *r)
{
    enum { BUSY = 1100, WORDS = 5 };
    uint64_t alice;
    struct store_stats stats;
    struct hand_message note = {.text = "note"};
    RIG_CHECK(r, hand_user_create(r->store, "alice", true, &alice) == 0);
    note.from = note.to = alice;
    for (note.number = 1; note.number <= BUSY; note.number++) {
        RIG_CHECK(r, hand_message(r->store, &note, NULL) == 0);
    }
    store_stats_read(r->store, &stats);
    RIG_CHECK(r, stats.delta_entries > BUSY);
    for (; note.number <= BUSY + WORDS; note.number++) {
        (void)ln_sleep(CELL_LOOK_MS);
        RIG_CHECK(r, hand_message(r->store, &note, NULL) == 0);
    }
    store_stats_read(r->store, &stats);
    RIG_CHECK(r, stats.delta_entries < BUSY / 10);
    /* Of so little none is folded before she falls silent. */
    uint64_t folds = stats.folds;
    for (; note.number <= BUSY + 4 * WORDS; note.number++) {
        (void)ln_sleep(CELL_LOOK_MS / 2);
        RIG_CHECK(r, hand_message(r->store, &note, NULL) == 0);
    }
    store_stats_read(r->store, &stats);
    RIG_CHECK(r, stats.folds == folds);
}

static void
rests_in_a_trickle(void **state)
{
    (void)state;
    rig_play_once(&rig, 12, trickle_story);
}

/* Users are asked for who are not in memory, again and again, and nobody writes. */
static void
read_story(struct rig *r)
{
    enum { USERS = 64 };
    uint64_t users[USERS];
    unsigned count = 0;
    unsigned busy = 0;
    for (unsigned i = 0; i < USERS; i++) {
        char name[16];
        uint64_t user;
        (void)snprintf(name, sizeof(name), "reader%u", i);
        RIG_CHECK(r, hand_user_create(r->store, name, false, &user) == 0);
        unsigned cell = store_cell_of(r->store, store_user_partition(r->store, user));
        busy = i == 0 ? cell : busy;
        if (cell == busy) {
            users[count++] = user;
        }
    }
    (void)ln_sleep(UINT64_C(6) * CELL_LOOK_MS);
    RIG_CHECK(r, count > 4);
    uint64_t reads = r->store->cells[busy].reads;
    for (unsigned i = 0; i < 4 * count; i++) {
        struct store_user user;
        RIG_CHECK(r, hand_user_get(r->store, users[i % count], &user) == 0);
        (void)ln_sleep(CELL_LOOK_MS / 8);
        RIG_CHECK(r, !environment_rests(r->store->cells[busy].environment));
    }
    RIG_CHECK(r, r->store->cells[busy].reads > reads + count);
    (void)ln_sleep(UINT64_C(6) * CELL_LOOK_MS);
    RIG_CHECK(r, environment_rests(r->store->cells[busy].environment));
}

static void
cells_that_are_read_stay_open(void **state)
{
    (void)state;
    rig_play_once(&rig, 12, read_story);
}

/* -EAGAIN: there was no room for it; -ETIMEDOUT: it waits. */
static int
asked(ln_pid partition, uint32_t tag, const void *data, size_t bytes)
{
    struct ln_msg *request = ln_msg_new(tag, LN_DURABLE, bytes);
    memcpy(request->data, data, bytes);
    return ln_call(partition, &request, 100, NULL);
}

static void
fill_queue(struct partition *partition, uint64_t user, uint32_t count)
{
    while (partition->waiting.count < count) {
        for (unsigned i = 0; i < 256; i++) {
            struct ln_msg *get =
                ln_msg_new(STORE_USER_GET, LN_DURABLE, sizeof(struct store_user_id));
            *(struct store_user_id *)(void *)get->data = (struct store_user_id){user};
            ln_send(store_pid_get(&partition->pid), &get);
        }
        (void)ln_sleep(1);
    }
}

/* Its queue stands, as if it waited for a reader that does not answer. */
static void
crowded_story(struct rig *r)
{
    uint64_t bob;
    struct store_attached attached;
    RIG_CHECK(r, hand_user_create(r->store, "bob", true, &bob) == 0);
    RIG_CHECK(r, hand_attach(r->store, bob, 1, &attached) == 0);
    struct partition *partition = &r->store->partitions[store_user_partition(r->store, bob)];
    ln_pid pid = store_pid_get(&partition->pid);
    struct store_seen_get seen = {.user = bob, .watcher = bob};
    struct store_ack ack = {.user = bob, .number = attached.last, .device = 1};
    struct store_user_id get = {bob};
    partition->fetching = true;
    fill_queue(partition, bob, PARTITION_WAITING_MAX / 2);
    RIG_CHECK(r, asked(pid, STORE_SEEN_GET, &seen, sizeof seen) == -EAGAIN);
    RIG_CHECK(r, asked(pid, STORE_ACK, &ack, sizeof ack) == -ETIMEDOUT);
    fill_queue(partition, bob, PARTITION_WAITING_MAX / 4 * 3);
    RIG_CHECK(r, asked(pid, STORE_ACK, &ack, sizeof ack) == -EAGAIN);
    RIG_CHECK(r, asked(pid, STORE_USER_GET, &get, sizeof get) == -ETIMEDOUT);
    fill_queue(partition, bob, PARTITION_WAITING_MAX);
    RIG_CHECK(r, asked(pid, STORE_USER_GET, &get, sizeof get) == -EAGAIN);
    partition->fetching = false;
    partition_wake(partition);
    (void)ln_sleep(1000);
    RIG_CHECK(r, partition->waiting.count == 0);
    RIG_CHECK(r, asked(pid, STORE_SEEN_GET, &seen, sizeof seen) == 0);
}

static void
what_may_wait_is_refused_first(void **state)
{
    (void)state;
    rig_play_once(&rig, 12, crowded_story);
}

/* Both devices' sessions are the caller. */
static void
many_devices_story(struct rig *r)
{
    uint64_t alice;
    uint64_t bob;
    uint16_t device;
    struct store_attached attached;
    struct store_device devices[2];
    uint32_t count = 0;
    struct store_stats stats;
    RIG_CHECK(r, hand_user_create(r->store, "alice", true, &alice) == 0);
    RIG_CHECK(r, hand_user_create(r->store, "bob", true, &bob) == 0);
    RIG_CHECK(r, hand_device_add(r->store, bob, 2, &device) == 0);
    RIG_CHECK(r, hand_attach(r->store, bob, 1, &attached) == 0);
    RIG_CHECK(r, hand_device_list(r->store, bob, devices, 2, &count) == 0 && count == 2);
    RIG_CHECK(r, devices[0].session == ln_self() && devices[1].session == 0);
    RIG_CHECK(r, hand_attach(r->store, bob, device, &attached) == 0);
    store_stats_read(r->store, &stats);
    RIG_CHECK(r, stats.sessions_attached == 2 && stats.users_online == 1);
    struct hand_message hello = {.from = alice, .to = bob, .number = 1, .text = "hello"};
    RIG_CHECK(r, hand_message(r->store, &hello, NULL) == 0);
    for (unsigned i = 0; i < 2; i++) {
        struct store_entry entry;
        struct ln_msg *push = told();
        RIG_CHECK(r, push != NULL && push->tag == STORE_PUSH && entry_of(push, &entry));
        RIG_CHECK(r, entry.message.body_bytes == 5);
        ln_msg_free(&push);
    }
    RIG_CHECK(r, told() == NULL);
}

static void
pushes_to_each_device(void **state)
{
    (void)state;
    rig_play_once(&rig, 9, many_devices_story);
}

static void
detach_story(struct rig *r)
{
    uint64_t alice;
    uint64_t bob;
    struct store_attached attached;
    RIG_CHECK(r, hand_user_create(r->store, "alice", true, &alice) == 0);
    RIG_CHECK(r, hand_user_create(r->store, "bob", true, &bob) == 0);
    RIG_CHECK(r, hand_attach(r->store, bob, 1, &attached) == 0);
    RIG_CHECK(r, hand_detach(r->store, bob, 1) == 0);
    struct hand_message hello = {.from = alice, .to = bob, .number = 1, .text = "hello"};
    RIG_CHECK(r, hand_message(r->store, &hello, NULL) == 0);
    RIG_CHECK(r, told() == NULL);
    RIG_CHECK(r, hand_attach(r->store, bob, 1, &attached) == 0);
    RIG_CHECK(r, attached.last > attached.acked);
    struct store_stats stats;
    store_stats_read(r->store, &stats);
    RIG_CHECK(r, stats.sessions_attached == 1);
}

static void
detaches_in_order(void **state)
{
    (void)state;
    rig_play_once(&rig, 8, detach_story);
}

/* ---------------------------------------------------------------------------------------- pages */

enum { PAGED = 300 };

static void
page_story(struct rig *r)
{
    uint64_t alice;
    uint64_t bob;
    uint64_t after = 0;
    uint64_t expected = 1;
    RIG_CHECK(r, hand_user_create(r->store, "alice", true, &alice) == 0);
    RIG_CHECK(r, hand_user_create(r->store, "bob", true, &bob) == 0);
    for (uint64_t i = 1; i <= PAGED; i++) {
        struct hand_message hello = {.from = alice, .to = bob, .number = i, .text = "0123456789"};
        RIG_CHECK(r, hand_message(r->store, &hello, NULL) == 0);
    }
    bool more = true;
    while (more) {
        struct store_inbox inbox = {.user = bob, .after = after, .entries_max = 70};
        struct ln_msg *answer = NULL;
        struct store_entry entry;
        size_t at = 0;
        if (hand_inbox(r->store, &inbox, &answer) != 0 || answer->buffer == NULL) {
            rig_wrong(r, "no page after %llu", (unsigned long long)after);
            return;
        }
        const struct store_page *page = (const struct store_page *)(const void *)answer->data;
        RIG_CHECK(r, page->count <= 70);
        while (entry_next(ln_buffer_data(answer->buffer), ln_buffer_bytes(answer->buffer), &at,
                          &entry)) {
            RIG_CHECK(r, entry.message.chat_number == expected);
            expected++;
            after = entry.number;
        }
        more = page->more;
        ln_msg_free(&answer);
    }
    RIG_CHECK(r, expected == PAGED + 1);
    struct store_inbox tiny = {.user = bob, .bytes_max = 1};
    struct ln_msg *answer = NULL;
    RIG_CHECK(r, hand_inbox(r->store, &tiny, &answer) == 0);
    const struct store_page *page = (const struct store_page *)(const void *)answer->data;
    RIG_CHECK(r, page->count == 1 && page->more); /* one at least */
    ln_msg_free(&answer);
    struct store_stats stats;
    store_stats_read(r->store, &stats);
    RIG_CHECK(r, stats.folds > 0); /* so some of it came from LMDB */
    RIG_CHECK(r, hand_ack(r->store, bob, 1, after) == 0);
    struct store_user user;
    RIG_CHECK(r, hand_user_get(r->store, bob, &user) == 0 && user.inbox_entries == 0);
}

static void
pages_through_folds(void **state)
{
    (void)state;
    for (uint64_t seed = 10; seed < 14; seed++) {
        rig_open(&rig, seed);
        rig.options.replay_commands_max = 60;
        rig.options.cells = 1;
        rig_play(&rig, page_story);
        rig_close(&rig);
    }
}

static void
list_story(struct rig *r)
{
    enum { USERS = 40 };
    uint64_t ids[USERS];
    uint64_t seen = 0;
    for (unsigned i = 0; i < USERS; i++) {
        char name[16];
        (void)snprintf(name, sizeof(name), "user%u", i);
        RIG_CHECK(r, hand_user_create(r->store, name, i % 2 == 0, &ids[i]) == 0);
        if (i > 0) {
            struct hand_message hello = {.from = ids[i], .to = ids[0], .number = 1, .text = "hi"};
            RIG_CHECK(r, hand_message(r->store, &hello, NULL) == 0);
        }
    }
    RIG_CHECK(r, hand_user_remove(r->store, ids[5]) == 0);
    for (unsigned p = 0; p < 256; p++) {
        struct store_rows rows = {.more = true};
        uint64_t after = 0;
        while (rows.more) {
            struct store_user users[2];
            if (hand_user_list(r->store, (uint8_t)p, after, 2, users, &rows) != 0) {
                rig_wrong(r, "partition %u does not list its users", p);
                return;
            }
            for (unsigned i = 0; i < rows.count; i++) {
                RIG_CHECK(r, users[i].user > after && users[i].user != ids[5]);
                RIG_CHECK(r, users[i].inbox_entries == (users[i].user == ids[0] ? USERS - 1 : 0));
                after = users[i].user;
                seen++;
            }
        }
    }
    RIG_CHECK(r, seen == USERS - 1);
    struct store_rows rows = {.more = true};
    uint64_t after = 0;
    seen = 0;
    while (rows.more) {
        struct store_chat chats[7];
        RIG_CHECK(r, hand_chats(r->store, ids[0], after, 7, chats, &rows) == 0);
        for (unsigned i = 0; i < rows.count; i++) {
            RIG_CHECK(r, chats[i].peer > after && chats[i].last == 1 && chats[i].delivered == 0);
            after = chats[i].peer;
            seen++;
        }
    }
    RIG_CHECK(r, seen == USERS - 1);
}

static void
lists(void **state)
{
    (void)state;
    for (uint64_t seed = 20; seed < 23; seed++) {
        rig_open(&rig, seed);
        rig.options.replay_commands_max = 30;
        rig_play(&rig, list_story);
        rig_close(&rig);
    }
}

/* --------------------------------------------------------------------------------- bad requests */

static void
bad_story(struct rig *r)
{
    uint64_t bob;
    RIG_CHECK(r, hand_user_create(r->store, "bob", true, &bob) == 0);
    struct hand_message wrong[] = {
        {.from = 0, .to = bob, .number = 1, .text = "no sender"},
        {.from = 9, .to = bob, .number = 0, .text = "no number"},
    };
    for (unsigned i = 0; i < 2; i++) {
        RIG_CHECK(r, hand_message(r->store, &wrong[i], NULL) == -EINVAL);
    }
    RIG_CHECK(r, hand_read(r->store, bob, 0, 1) == -EINVAL);
    struct ln_msg *odd = ln_msg_new(STORE_READ, LN_DURABLE, 3);
    RIG_CHECK(r, ln_call(store_user_pid(r->store, bob), &odd, 1000, NULL) == -EINVAL);
    odd = ln_msg_new(STORE_TAG_FIRST, LN_DURABLE, 3);
    RIG_CHECK(r, ln_call(store_user_pid(r->store, bob), &odd, 1000, NULL) == -ENOSYS);
    /* Another partition's user. */
    struct store_user_id id = {bob};
    ln_pid elsewhere =
        store_partition_pid(r->store, (uint8_t)(store_user_partition(r->store, bob) + 1));
    odd = ln_msg_new(STORE_USER_GET, LN_DURABLE, sizeof(id));
    memcpy(odd->data, &id, sizeof(id));
    RIG_CHECK(r, ln_call(elsewhere, &odd, 1000, NULL) == -EINVAL);
    uint64_t user;
    RIG_CHECK(r, hand_name_find(r->store, "bob", &user) == 0);
}

static void
refuses_nonsense(void **state)
{
    (void)state;
    rig_play_once(&rig, 30, bad_story);
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("a user is created, found, changed, removed, and the name is free again",
             keeps_accounts),
        SPEC("a user whose creation is answered is there, however many are created at once",
             creates_crowds),
        SPEC("devices are added, checked, listed and revoked, up to the limit", keeps_devices),
        SPEC("a message is stored once, pushed, acknowledged and read, and its sender told",
             carries_messages),
        SPEC("a session is told of devices that come and go, and of its user's end",
             tells_sessions),
        SPEC("a device's new session replaces the one before, which is told so and does not come "
             "back",
             replaces_sessions),
        SPEC("a store that nobody changes keeps no records in memory, and sleeps", rests),
        SPEC("under overload presence is refused first, then receipts, then everything else",
             what_may_wait_is_refused_first),
        SPEC("a cell in which nobody acts rests, whatever others do", cells_rest_alone),
        SPEC("what was written in a busy hour leaves the memory, though somebody writes now and "
             "then",
             rests_in_a_trickle),
        SPEC("a cell that is read keeps its files open, though nobody writes",
             cells_that_are_read_stay_open),
        SPEC("a message is pushed to each of its reader's devices that is online",
             pushes_to_each_device),
        SPEC("a session that has detached is told nothing more", detaches_in_order),
        SPEC("an inbox is read in pages, out of memory and out of LMDB", pages_through_folds),
        SPEC("users and chats are listed in pages", lists),
        SPEC("requests that make no sense are refused, and harm nobody", refuses_nonsense),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
