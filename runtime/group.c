/* SPDX-License-Identifier: Apache-2.0 */
/* Each scheduler has a table of the groups that have members or watchers of its own. A membership
 * is a resource of the member, a watch is one of the watcher and leaves a struct watcher at every
 * scheduler. What crosses are signals to a scheduler itself, in the channels that actors use. */
#include "runtime/group.h"

#include "runtime/check.h"
#include "runtime/message.h"
#include "runtime/node_priv.h"

#include <errno.h>
#include <string.h>

enum { BUCKETS_FIRST = 16 };

struct membership {
    struct ln_resource own;
    struct group *group;
    struct membership *next, **previous; /* in the group */
    ln_pid pid;
};

struct watcher {
    struct watcher *next;
    ln_pid pid;
    uint64_t monitor;
};

struct group {
    struct group *next; /* in the bucket */
    struct membership *members, **members_tail;
    struct watcher *watchers;
    uint32_t members_count;
    uint32_t hash;
    char name[LN_NAME_BYTES_MAX + 1];
};

/* What crosses: a message for all members, or a question about them. */
struct group_letter {
    char name[LN_NAME_BYTES_MAX + 1];
    uint32_t tag, key, bytes;
    uint32_t max; /* SIGNAL_GROUP_MEMBERS */
    uint8_t lane;
    unsigned char data[] __attribute__((aligned(8)));
};

struct group_members {
    uint32_t total, count;
    ln_pid pids[];
};

/* The watcher's side. */
struct group_monitor {
    struct ln_resource own;
    uint64_t handle;
    ln_pid watcher;
    char name[LN_NAME_BYTES_MAX + 1];
};

/* ------------------------------------------------------------------------------------ the table */

static bool
name_valid(const char *name)
{
    size_t bytes = strnlen(name, LN_NAME_BYTES_MAX + 1);
    return bytes > 0 && bytes <= LN_NAME_BYTES_MAX;
}

/* FNV-1a. Nobody gains by names that collide: a look only takes longer. */
static uint32_t
name_hash(const char *name)
{
    uint32_t hash = 2166136261u;
    for (; *name != '\0'; name++) {
        hash = (hash ^ (unsigned char)*name) * 16777619u;
    }
    return hash;
}

static struct group *
group_find(const struct scheduler *self, const char *name)
{
    if (self->groups_count == 0) {
        return NULL;
    }
    uint32_t hash = name_hash(name);
    struct group *group = self->groups[hash & (self->groups_max - 1)];
    while (group != NULL && (group->hash != hash || strcmp(group->name, name) != 0)) {
        group = group->next;
    }
    return group;
}

static void
group_insert(struct scheduler *self, struct group *group)
{
    struct group **bucket = &self->groups[group->hash & (self->groups_max - 1)];
    group->next = *bucket;
    *bucket = group;
}

static void
buckets_resize(struct scheduler *self, uint32_t buckets_max)
{
    struct group **old = self->groups;
    uint32_t old_max = self->groups_max;
    self->groups = slab_alloc(&self->slab, buckets_max * sizeof(struct group *));
    memset(self->groups, 0, buckets_max * sizeof(struct group *));
    self->groups_max = buckets_max;
    for (uint32_t i = 0; i < old_max; i++) {
        while (old[i] != NULL) {
            struct group *group = old[i];
            old[i] = group->next;
            group_insert(self, group);
        }
    }
    slab_free(&self->slab, old, old_max * sizeof(struct group *));
}

static struct group *
group_get(struct scheduler *self, const char *name)
{
    struct group *group = group_find(self, name);
    if (group != NULL) {
        return group;
    }
    if (self->groups_count >= self->groups_max) {
        buckets_resize(self, self->groups_max == 0 ? BUCKETS_FIRST : self->groups_max * 2);
    }
    group = slab_alloc(&self->slab, sizeof *group);
    memset(group, 0, sizeof *group);
    memcpy(group->name, name, strlen(name));
    group->hash = name_hash(name);
    group->members_tail = &group->members;
    group_insert(self, group);
    self->groups_count++;
    return group;
}

/* Frees a group in which nobody is left. */
static void
group_put(struct scheduler *self, struct group *group)
{
    if (group->members != NULL || group->watchers != NULL) {
        return;
    }
    struct group **at = &self->groups[group->hash & (self->groups_max - 1)];
    while (*at != group) {
        at = &(*at)->next;
    }
    *at = group->next;
    slab_free(&self->slab, group, sizeof *group);
    ASSERT(self->groups_count > 0);
    if (--self->groups_count == 0) {
        slab_free(&self->slab, self->groups, self->groups_max * sizeof(struct group *));
        self->groups = NULL;
        self->groups_max = 0;
    }
}

/* -------------------------------------------------------------------------------------- members */

static void
watcher_tell(struct scheduler *self, const struct watcher *watcher, uint32_t tag, ln_pid member)
{
    struct ln_msg *event = signal_new(self, tag, 0);
    event->from = member;
    event->ref = watcher->monitor;
    message_post(self, watcher->pid, &event);
}

static void
watchers_tell(struct scheduler *self, const struct group *group, uint32_t tag, ln_pid member)
{
    for (const struct watcher *watcher = group->watchers; watcher != NULL;
         watcher = watcher->next) {
        watcher_tell(self, watcher, tag, member);
    }
}

static void
membership_release(struct ln_resource *resource)
{
    struct membership *membership = (struct membership *)resource;
    struct scheduler *self = scheduler_current();
    struct group *group = membership->group;
    *membership->previous = membership->next;
    if (membership->next != NULL) {
        membership->next->previous = membership->previous;
    } else {
        group->members_tail = membership->previous;
    }
    group->members_count--;
    watchers_tell(self, group, LN_TAG_LEFT, membership->pid);
    slab_free(&self->slab, membership, sizeof *membership);
    group_put(self, group);
}

/* Looked for among what the caller owns, which is little, not among the members. */
static struct membership *
membership_find(const struct actor *actor, const char *name)
{
    for (struct ln_resource *own = actor->resources; own != NULL; own = own->next) {
        struct membership *membership = (struct membership *)own;
        if (own->release == membership_release && strcmp(membership->group->name, name) == 0) {
            return membership;
        }
    }
    return NULL;
}

int
ln_group_join(const char *name)
{
    struct scheduler *self = scheduler_current();
    struct actor *actor = actor_current();
    if (!name_valid(name)) {
        return -EINVAL;
    }
    if (membership_find(actor, name) != NULL) {
        return -EEXIST;
    }
    struct group *group = group_get(self, name);
    struct membership *membership = slab_alloc(&self->slab, sizeof *membership);
    membership->group = group;
    membership->pid = actor->pid;
    membership->next = NULL;
    membership->previous = group->members_tail;
    *group->members_tail = membership;
    group->members_tail = &membership->next;
    group->members_count++;
    ln_own(&membership->own, membership_release);
    watchers_tell(self, group, LN_TAG_JOINED, actor->pid);
    return 0;
}

int
ln_group_leave(const char *name)
{
    struct membership *membership = membership_find(actor_current(), name);
    if (membership == NULL) {
        return -ENOENT;
    }
    ln_disown(&membership->own);
    membership_release(&membership->own);
    return 0;
}

static struct ln_msg *
members_message(struct scheduler *self, const char *name, uint32_t max)
{
    const struct group *group = group_find(self, name);
    uint32_t total = group != NULL ? group->members_count : 0;
    uint32_t count = total < max ? total : max;
    struct ln_msg *msg =
        message_new(self, 0, LN_REPLY, sizeof(struct group_members) + count * sizeof(ln_pid));
    struct group_members *members = (struct group_members *)(void *)msg->data;
    members->total = total;
    const struct membership *member = group != NULL ? group->members : NULL;
    for (; members->count < count; member = member->next) {
        members->pids[members->count++] = member->pid;
    }
    return msg;
}

/* -------------------------------------------------------------------------------------- letters */

/* A signal with a letter to the group, whose data is still zeroes. */
static struct ln_msg *
letter_new(struct scheduler *self, uint32_t tag, const char *name, size_t bytes,
           struct group_letter **out_letter)
{
    struct ln_msg *signal = signal_new(self, tag, offsetof(struct group_letter, data) + bytes);
    struct group_letter *letter = (struct group_letter *)(void *)signal->data;
    letter->bytes = (uint32_t)bytes;
    memcpy(letter->name, name, strnlen(name, LN_NAME_BYTES_MAX));
    *out_letter = letter;
    return signal;
}

static const struct group_letter *
letter_of(const struct ln_msg *signal)
{
    return (const struct group_letter *)(const void *)signal->data;
}

void
ln_group_send(const char *name, struct ln_msg **msg)
{
    struct scheduler *self = scheduler_current();
    struct ln_msg *sent = *msg;
    ln_actor_check(sent->tag != LN_TAG_DATA);
    for (unsigned i = 0; name_valid(name) && i < ln_schedulers(); i++) {
        struct group_letter *letter;
        struct ln_msg *signal = letter_new(self, SIGNAL_GROUP_SEND, name, sent->bytes, &letter);
        letter->tag = sent->tag;
        letter->key = (sent->flags & LN_MSG_REQUEST) == 0 ? sent->key : 0;
        letter->lane = (sent->flags & LN_MSG_REFUSED) == 0 ? sent->lane : LN_DURABLE;
        memcpy(letter->data, sent->data, sent->bytes);
        signal->from = ln_self();
        signal->buffer = sent->buffer != NULL ? ln_buffer_get(sent->buffer) : NULL;
        message_post(self, scheduler_pid(i), &signal);
    }
    ln_msg_free(msg);
}

/* Done in one go, since what the sender says next to a member must not overtake, it counts for as
 * many messages: the channel it came through rests until the next turn, the sender's turn here is
 * over, and the clock is looked at. */
static void
hand_out_charge(struct scheduler *self, uint32_t members)
{
    self->handed_out += members;
    self->turn_steps += members;
    if (self->current != NULL && members >= self->node->turn_messages) {
        self->turn_expired = 1;
    }
}

static void
letter_hand_out(struct scheduler *self, const struct ln_msg *signal)
{
    const struct group_letter *letter = letter_of(signal);
    const struct group *group = group_find(self, letter->name);
    const struct membership *member = group != NULL ? group->members : NULL;
    for (; member != NULL; member = member->next) {
        struct ln_msg *copy = message_new(self, letter->tag, letter->lane, letter->bytes);
        memcpy(copy->data, letter->data, letter->bytes);
        copy->key = letter->key;
        copy->from = signal->from;
        copy->buffer = signal->buffer != NULL ? ln_buffer_get(signal->buffer) : NULL;
        message_post(self, member->pid, &copy);
    }
    hand_out_charge(self, group != NULL ? group->members_count : 0);
}

static int
members_ask(unsigned scheduler, const char *name, uint32_t max, struct ln_msg **out)
{
    struct scheduler *self = scheduler_current();
    if (scheduler == self->index) {
        *out = members_message(self, name, max);
        return 0;
    }
    struct group_letter *letter;
    struct ln_msg *signal = letter_new(self, SIGNAL_GROUP_MEMBERS, name, 0, &letter);
    letter->max = max;
    return message_call(scheduler_pid(scheduler), &signal, LN_FOREVER, true, out);
}

int
ln_group_members(const char *name, int scheduler, ln_pid *out, uint32_t max, uint32_t *out_count)
{
    unsigned first = scheduler == LN_ANYWHERE ? 0 : (unsigned)scheduler;
    unsigned last = scheduler == LN_ANYWHERE ? ln_schedulers() - 1 : first;
    if (scheduler == LN_HERE) {
        first = last = ln_scheduler();
    }
    ln_actor_check(last < ln_schedulers());
    uint32_t total = 0;
    uint32_t count = 0;
    for (unsigned i = first; name_valid(name) && i <= last; i++) {
        struct ln_msg *answer = NULL;
        int error = members_ask(i, name, max - count, &answer);
        if (error != 0) {
            return error;
        }
        const struct group_members *members =
            (const struct group_members *)(const void *)answer->data;
        memcpy(out + count, members->pids, members->count * sizeof *out);
        count += members->count;
        total += members->total;
        ln_msg_free(&answer);
    }
    *out_count = total;
    return 0;
}

/* ------------------------------------------------------------------------------------- watching */

static void
monitor_post(struct scheduler *self, const struct group_monitor *monitor, uint32_t tag)
{
    for (unsigned i = 0; i < ln_schedulers(); i++) {
        struct group_letter *letter;
        struct ln_msg *signal = letter_new(self, tag, monitor->name, 0, &letter);
        signal->from = monitor->watcher;
        signal->ref = monitor->handle;
        message_post(self, scheduler_pid(i), &signal);
    }
}

static void
group_monitor_release(struct ln_resource *resource)
{
    struct group_monitor *monitor = (struct group_monitor *)resource;
    struct scheduler *self = scheduler_current();
    monitor_post(self, monitor, SIGNAL_GROUP_DEMONITOR);
    (void)handle_free(&self->handles, monitor->handle);
    slab_free(&self->slab, monitor, sizeof *monitor);
}

int
ln_group_monitor(const char *name, uint64_t *out_monitor)
{
    struct scheduler *self = scheduler_current();
    if (!name_valid(name)) {
        return -EINVAL;
    }
    struct group_monitor *monitor = slab_alloc(&self->slab, sizeof *monitor);
    memset(monitor, 0, sizeof *monitor);
    memcpy(monitor->name, name, strlen(name));
    monitor->handle = handle_new(&self->handles, monitor);
    monitor->watcher = ln_self();
    ln_own(&monitor->own, group_monitor_release);
    *out_monitor = monitor->handle;
    monitor_post(self, monitor, SIGNAL_GROUP_MONITOR);
    return 0;
}

static struct group_monitor *
group_monitor_find(struct scheduler *self, uint64_t handle)
{
    struct group_monitor *monitor = handle_get(&self->handles, handle);
    return monitor != NULL && monitor->own.release == group_monitor_release ? monitor : NULL;
}

static bool
is_event_of(const struct ln_msg *msg, void *handle)
{
    return (msg->tag == LN_TAG_JOINED || msg->tag == LN_TAG_LEFT) &&
           msg->ref == *(const uint64_t *)handle;
}

void
ln_group_demonitor(uint64_t handle)
{
    struct group_monitor *monitor = group_monitor_find(scheduler_current(), handle);
    if (monitor == NULL) {
        return;
    }
    ln_actor_check(monitor->watcher == ln_self());
    ln_disown(&monitor->own);
    group_monitor_release(&monitor->own);
    struct ln_msg *event;
    while ((event = actor_pop_match(actor_current(), is_event_of, &handle)) != NULL) {
        ln_msg_free(&event);
    }
}

void
group_event_arrived(struct scheduler *self, struct actor *actor, struct ln_msg **msg)
{
    if (group_monitor_find(self, (*msg)->ref) == NULL) {
        ln_msg_free(msg);
        return;
    }
    (*msg)->flags = 0;
    message_deliver(self, actor->pid, msg);
}

static void
watch(struct scheduler *self, const struct ln_msg *signal)
{
    if (self->shutting_down) {
        return; /* who would forget it? */
    }
    struct group *group = group_get(self, letter_of(signal)->name);
    struct watcher *watcher = slab_alloc(&self->slab, sizeof *watcher);
    *watcher = (struct watcher){.pid = signal->from, .monitor = signal->ref};
    struct watcher **last = &group->watchers;
    while (*last != NULL) {
        last = &(*last)->next;
    }
    *last = watcher;
    for (const struct membership *member = group->members; member != NULL; member = member->next) {
        watcher_tell(self, watcher, LN_TAG_JOINED, member->pid);
    }
}

static void
watch_no_more(struct scheduler *self, const struct ln_msg *signal)
{
    struct group *group = group_find(self, letter_of(signal)->name);
    struct watcher **at = group != NULL ? &group->watchers : NULL;
    while (at != NULL && *at != NULL) {
        struct watcher *watcher = *at;
        if (watcher->pid == signal->from && watcher->monitor == signal->ref) {
            *at = watcher->next;
            slab_free(&self->slab, watcher, sizeof *watcher);
            group_put(self, group);
            return;
        }
        at = &watcher->next;
    }
}

void
groups_forget(struct scheduler *self)
{
    for (uint32_t i = 0; i < self->groups_max; i++) {
        while (self->groups_max > 0 && self->groups[i] != NULL) {
            struct group *group = self->groups[i];
            ASSERT(group->members == NULL);
            while (group->watchers != NULL) {
                struct watcher *watcher = group->watchers;
                group->watchers = watcher->next;
                slab_free(&self->slab, watcher, sizeof *watcher);
            }
            group_put(self, group);
        }
    }
}

/* -------------------------------------------------------------------------------------- arrival */

void
group_signal(struct scheduler *self, struct ln_msg **msg)
{
    const struct ln_msg *signal = *msg;
    switch (signal->tag) {
    case SIGNAL_GROUP_SEND:
        letter_hand_out(self, signal);
        break;
    case SIGNAL_GROUP_MEMBERS: {
        struct ln_caller caller = {.pid = signal->from, .ref = signal->ref};
        const struct group_letter *letter = letter_of(signal);
        struct ln_msg *answer = members_message(self, letter->name, letter->max);
        message_answer(caller, &answer, 0);
        break;
    }
    case SIGNAL_GROUP_MONITOR:
        watch(self, signal);
        break;
    case SIGNAL_GROUP_DEMONITOR:
        watch_no_more(self, signal);
        break;
    default:
        check_failed("a signal that no group knows", __FILE__, __LINE__);
    }
    ln_msg_free(msg);
}
