/* SPDX-License-Identifier: Apache-2.0 */
/* What an actor owns and the runtime releases when it ends: resources in the reverse order of their
 * making, then alarms, then memory (resources may lie in it), then the messages it holds. */
#include "runtime/actor.h"
#include "runtime/alarm.h"
#include "runtime/bounds.h"
#include "runtime/message.h"

#include <string.h>

void
resource_add(struct ln_resource **list, struct ln_resource *resource,
             void (*release)(struct ln_resource *resource))
{
    ASSERT(release != NULL);
    resource->release = release;
    resource->next = *list;
    resource->previous = list;
    if (resource->next != NULL) {
        resource->next->previous = &resource->next;
    }
    *list = resource;
}

void
ln_own(struct ln_resource *resource, void (*release)(struct ln_resource *resource))
{
    resource_add(&actor_current()->resources, resource, release);
}

void
ln_disown(struct ln_resource *resource)
{
    ASSERT(resource->previous != NULL);
    *resource->previous = resource->next;
    if (resource->next != NULL) {
        resource->next->previous = resource->previous;
    }
    resource->previous = NULL;
    resource->next = NULL;
}

void
resource_list_release(struct ln_resource **list)
{
    while (*list != NULL) {
        struct ln_resource *resource = *list;
        ln_disown(resource);
        resource->release(resource);
    }
}

void
resources_release(struct actor *actor)
{
    struct scheduler *self = scheduler_current();
    ASSERT(self->current == actor);
    resource_list_release(&actor->resources);
    alarms_release(self, actor);
    resource_list_release(&actor->body->memory);
    ASSERT(actor->memory_bytes == 0);
    message_settle(self);
    while (actor->held != NULL) {
        struct ln_msg *msg = actor->held;
        ln_msg_free(&msg);
    }
    if (actor->behaviour->run != NULL) {
        requests_release(self, actor_process(actor));
    }
}

/* --------------------------------------------------------------------------------------- memory */

struct owned_memory {
    struct ln_resource own;
    struct actor *actor;
    uint64_t bytes;
    unsigned char data[] __attribute__((aligned(16)));
};

static void
owned_memory_release(struct ln_resource *resource)
{
    struct owned_memory *memory = (struct owned_memory *)resource;
    ASSERT(memory->actor->memory_bytes >= memory->bytes);
    memory->actor->memory_bytes -= (uint32_t)memory->bytes;
    slab_free(&scheduler_current()->slab, memory, sizeof *memory + memory->bytes);
}

void *
ln_alloc(size_t bytes)
{
    struct actor *actor = actor_current();
    const struct ln_behaviour *behaviour = actor->behaviour;
    uint32_t budget =
        behaviour->memory_bytes_max != 0 ? behaviour->memory_bytes_max : LN_MEMORY_BYTES_MAX;
    ASSERT(actor->memory_bytes <= budget);
    if (bytes > budget - actor->memory_bytes) {
        ln_exit_at(LN_EXIT_ERROR, "memory over its budget", behaviour->name, 0);
    }
    struct owned_memory *memory = slab_alloc(&scheduler_current()->slab, sizeof *memory + bytes);
    memset(memory, 0, sizeof *memory + bytes);
    memory->bytes = bytes;
    memory->actor = actor;
    actor->memory_bytes += (uint32_t)bytes;
    resource_add(&actor->body->memory, &memory->own, owned_memory_release);
    return memory->data;
}

void
ln_free(void *data)
{
    if (data == NULL) {
        return;
    }
    struct owned_memory *memory =
        (void *)((unsigned char *)data - offsetof(struct owned_memory, data));
    ln_disown(&memory->own);
    owned_memory_release(&memory->own);
}
