/* SPDX-License-Identifier: Apache-2.0 */
#include "net/check.h"

#include <string.h>

static_assert(PROTOCOL_DEVICE_NAME_BYTES_MAX == 64, "in texts");

int
check_device_name(const char *path, const char *name, struct protocol_error *out_error)
{
    const Linnet__V1__Error__Code code = LINNET__V1__ERROR__CODE__NAME_INVALID;
    if (strlen(name) > PROTOCOL_DEVICE_NAME_BYTES_MAX) {
        return check_fail_field(out_error, code, path, "above 64 bytes");
    }
    if (check_holds_control(name)) {
        return check_fail_field(out_error, code, path, "holds a control character");
    }
    return 0;
}

static int
check_device(const char *text, uint32_t device, struct protocol_error *out_error)
{
    return device == 0 || device > UINT16_MAX ? check_fail(out_error, text) : 0;
}

int
check_rename_device(const Linnet__V1__ClientFrame *frame, const struct protocol_limits *limits,
                    struct protocol_error *out_error)
{
    const Linnet__V1__RenameDevice *rename = frame->rename_device;
    (void)limits;
    int rc = check_device("renameDevice.device: not 1 to 65535", rename->device, out_error);
    return rc < 0 ? rc : check_device_name("renameDevice.name", rename->name, out_error);
}

int
check_revoke_device(const Linnet__V1__ClientFrame *frame, const struct protocol_limits *limits,
                    struct protocol_error *out_error)
{
    (void)limits;
    return check_device("revokeDevice.device: not 1 to 65535", frame->revoke_device->device,
                        out_error);
}
