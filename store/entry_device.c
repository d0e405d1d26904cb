/* SPDX-License-Identifier: Apache-2.0 */
/* What becomes of one device, as the user's others are told of it. */
#include "store/entry.h"

#include "store/cursor.h"

enum { DEVICE_BYTES = 1 + 2 + 2 * 8 + 1 };

size_t
entry_device_bytes(const struct store_entry_device *device)
{
    return (size_t)DEVICE_BYTES + device->name_bytes;
}

void
entry_put_device(struct cursor_out *out, const struct store_entry_device *device)
{
    cursor_put_u8(out, device->change);
    cursor_put_u16(out, device->device);
    cursor_put_u64(out, device->time_ms);
    cursor_put_u64(out, device->unlink_at_ms);
    cursor_put_u8(out, device->name_bytes);
    cursor_put_bytes(out, device->name, device->name_bytes);
}

void
entry_get_device(struct cursor_in *in, struct store_entry_device *out)
{
    out->change = cursor_get_u8(in);
    out->device = cursor_get_u16(in);
    out->time_ms = cursor_get_u64(in);
    out->unlink_at_ms = cursor_get_u64(in);
    out->name_bytes = cursor_get_u8(in);
    out->name = (const char *)cursor_get_bytes(in, out->name_bytes);
    if (out->change < STORE_DEVICE_LINKED || out->change > STORE_DEVICE_UNLINKED ||
        out->name_bytes > ENTRY_NAME_BYTES_MAX) {
        cursor_in_fail(in);
    }
}
