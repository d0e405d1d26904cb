/* SPDX-License-Identifier: Apache-2.0 */
#include "net/check.h"

#include <string.h>

static_assert(PROTOCOL_PASSWORD_BYTES_MAX == 1024 && PROTOCOL_TOKEN_BYTES_MAX == 256, "in texts");
static_assert(PROTOCOL_DEVICE_NAME_BYTES_MAX == 64, "in texts");

int
check_authenticate(const Linnet__V1__ClientFrame *frame, const struct protocol_limits *limits,
                   struct protocol_error *out_error)
{
    const Linnet__V1__Authenticate *authenticate = frame->authenticate;
    (void)limits;
    if (authenticate->method_case == LINNET__V1__AUTHENTICATE__METHOD_TOKEN) {
        size_t bytes = strlen(authenticate->token);
        if (bytes == 0 || bytes > PROTOCOL_TOKEN_BYTES_MAX) {
            return check_fail_field(out_error, LINNET__V1__ERROR__CODE__TOKEN_INVALID,
                                    "authenticate.token", "not 1 to 256 bytes");
        }
        return 0;
    }
    if (authenticate->method_case != LINNET__V1__AUTHENTICATE__METHOD_PASSWORD_LOGIN) {
        return check_fail(out_error, "authenticate: neither passwordLogin nor token");
    }
    const Linnet__V1__PasswordLogin *login = authenticate->password_login;
    int rc = check_name("authenticate.passwordLogin.name", login->name, out_error);
    if (rc < 0) {
        return rc;
    }
    size_t password_bytes = strlen(login->password);
    if (password_bytes == 0 || password_bytes > PROTOCOL_PASSWORD_BYTES_MAX) {
        return check_fail_field(out_error, LINNET__V1__ERROR__CODE__WRONG_CREDENTIALS,
                                "authenticate.passwordLogin.password", "not 1 to 1024 bytes");
    }
    if (strlen(login->device_name) > PROTOCOL_DEVICE_NAME_BYTES_MAX) {
        return check_fail_field(out_error, LINNET__V1__ERROR__CODE__NAME_INVALID,
                                "authenticate.passwordLogin.deviceName", "above 64 bytes");
    }
    if (check_holds_control(login->device_name)) {
        return check_fail_field(out_error, LINNET__V1__ERROR__CODE__NAME_INVALID,
                                "authenticate.passwordLogin.deviceName",
                                "holds a control character");
    }
    return 0;
}
