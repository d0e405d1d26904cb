/* SPDX-License-Identifier: Apache-2.0 */
/* What a client is told of its user's devices. */
#include "actors/connection_priv.h"
#include "actors/event.h"

#include "store/entry.h"

#include <string.h>

/* What protobuf-c is given is text with its NUL. */
struct device_row {
    Linnet__V1__Device device;
    char name[STORE_NAME_BYTES_MAX + 1];
};

static void
row_fill(const struct connection *connection, const struct store_device *stored,
         struct device_row *out)
{
    linnet__v1__device__init(&out->device);
    memcpy(out->name, stored->name.text, stored->name.bytes);
    out->name[stored->name.bytes] = '\0';
    out->device.device = stored->device;
    out->device.name = out->name;
    out->device.linked_at_ms = stored->added_at_ms;
    out->device.last_seen_ms = stored->seen_at_ms;
    out->device.online = stored->session != 0;
    out->device.own = stored->device == connection->device;
    out->device.resync = stored->resync;
}

void
event_devices(struct connection *connection, const struct pending *pending,
              const struct store_device *devices, uint32_t count)
{
    struct device_row *rows = ln_alloc(STORE_DEVICES_LIMIT * sizeof *rows);
    Linnet__V1__Device *pointers[STORE_DEVICES_LIMIT];
    ASSERT(count <= STORE_DEVICES_LIMIT);
    for (uint32_t i = 0; i < count; i++) {
        row_fill(connection, &devices[i], &rows[i]);
        pointers[i] = &rows[i].device;
    }
    Linnet__V1__DeviceList list = LINNET__V1__DEVICE_LIST__INIT;
    list.n_devices = count;
    list.devices = pointers;
    Linnet__V1__Answer answer = LINNET__V1__ANSWER__INIT;
    answer.result_case = LINNET__V1__ANSWER__RESULT_DEVICES;
    answer.devices = &list;
    event_answer(connection, pending, &answer);
    ln_free(rows);
}

void
event_link_code(struct connection *connection, const struct pending *pending, const char *code,
                uint64_t expires_at_ms)
{
    Linnet__V1__LinkCode link = LINNET__V1__LINK_CODE__INIT;
    link.code = (char *)(uintptr_t)code;
    link.expires_at_ms = expires_at_ms;
    Linnet__V1__Answer answer = LINNET__V1__ANSWER__INIT;
    answer.result_case = LINNET__V1__ANSWER__RESULT_LINK_CODE;
    answer.link_code = &link;
    event_answer(connection, pending, &answer);
}

_Static_assert((int)STORE_DEVICE_LINKED == (int)LINNET__V1__DEVICE_CHANGE__CHANGE__LINKED &&
                   (int)STORE_DEVICE_RENAMED == (int)LINNET__V1__DEVICE_CHANGE__CHANGE__RENAMED &&
                   (int)STORE_DEVICE_REVOKED == (int)LINNET__V1__DEVICE_CHANGE__CHANGE__REVOKED &&
                   (int)STORE_DEVICE_WARNED == (int)LINNET__V1__DEVICE_CHANGE__CHANGE__WARNED &&
                   (int)STORE_DEVICE_UNLINKED == (int)LINNET__V1__DEVICE_CHANGE__CHANGE__UNLINKED,
               "changes are told as they are stored");

void
event_device_change(struct connection *connection, const struct store_entry *entry)
{
    const struct store_entry_device *device = &entry->device;
    char name[STORE_NAME_BYTES_MAX + 1];
    memcpy(name, device->name, device->name_bytes);
    name[device->name_bytes] = '\0';
    Linnet__V1__DeviceChange event = LINNET__V1__DEVICE_CHANGE__INIT;
    event.inbox_number = entry->number;
    event.change = (Linnet__V1__DeviceChange__Change)device->change;
    event.device = device->device;
    event.name = name;
    event.server_time_ms = device->time_ms;
    event.unlink_at_ms = device->unlink_at_ms;
    Linnet__V1__ServerFrame frame = LINNET__V1__SERVER_FRAME__INIT;
    frame.event_case = LINNET__V1__SERVER_FRAME__EVENT_DEVICE_CHANGE;
    frame.device_change = &event;
    event_send(connection, &frame);
}
