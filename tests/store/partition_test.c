/* SPDX-License-Identifier: Apache-2.0 */
/* The store's actors at work on a simulated machine: accounts, a message's way through two
 * partitions, and what a partition refuses. */
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

/* ------------------------------------------------------------------------------ what is refused */

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
        SPEC("under overload presence is refused first, then receipts, then everything else",
             what_may_wait_is_refused_first),
        SPEC("requests that make no sense are refused, and harm nobody", refuses_nonsense),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
