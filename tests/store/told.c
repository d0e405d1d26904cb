/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/store/told.h"

struct ln_msg *
told(void)
{
    struct ln_msg *msg = NULL;
    int error = ln_receive(2000, &msg);
    return error == 0 ? msg : NULL;
}

bool
entry_of(const struct ln_msg *msg, struct store_entry *out)
{
    size_t at = 0;
    return msg->buffer != NULL &&
           entry_next(ln_buffer_data(msg->buffer), ln_buffer_bytes(msg->buffer), &at, out);
}

bool
noticed(uint32_t tag, uint16_t device, uint16_t devices)
{
    struct ln_msg *msg = told();
    const struct store_notice *notice = msg != NULL && msg->tag == tag
                                            ? (const struct store_notice *)(const void *)msg->data
                                            : NULL;
    bool right = notice != NULL && notice->device == device && notice->devices == devices;
    ln_msg_free(&msg);
    return right;
}

bool
told_change(enum store_device_change change, uint16_t device)
{
    struct store_entry entry;
    struct ln_msg *msg = told();
    bool right = msg != NULL && msg->tag == STORE_PUSH && entry_of(msg, &entry) &&
                 entry.kind == STORE_ENTRY_DEVICE && entry.device.change == change &&
                 entry.device.device == device;
    ln_msg_free(&msg);
    return right;
}
