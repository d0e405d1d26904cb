/* SPDX-License-Identifier: Apache-2.0 */
#include "net/check.h"

#include <string.h>

static_assert(PROTOCOL_PASSWORD_BYTES_MAX == 1024 && PROTOCOL_TOKEN_BYTES_MAX == 256, "in texts");
static_assert(PROTOCOL_LINK_CODE_BYTES_MAX == 64, "in texts");

static int
check_token(const char *token, struct protocol_error *out_error)
{
    size_t bytes = strlen(token);
    if (bytes == 0 || bytes > PROTOCOL_TOKEN_BYTES_MAX) {
        return check_fail_field(out_error, LINNET__V1__ERROR__CODE__TOKEN_INVALID,
                                "authenticate.token", "not 1 to 256 bytes");
    }
    return 0;
}

static int
check_password_login(const Linnet__V1__PasswordLogin *login, struct protocol_error *out_error)
{
    int rc = check_name("authenticate.passwordLogin.name", login->name, out_error);
    if (rc < 0) {
        return rc;
    }
    size_t password_bytes = strlen(login->password);
    if (password_bytes == 0 || password_bytes > PROTOCOL_PASSWORD_BYTES_MAX) {
        return check_fail_field(out_error, LINNET__V1__ERROR__CODE__WRONG_CREDENTIALS,
                                "authenticate.passwordLogin.password", "not 1 to 1024 bytes");
    }
    return check_device_name("authenticate.passwordLogin.deviceName", login->device_name,
                             out_error);
}

static int
check_link_login(const Linnet__V1__LinkLogin *login, struct protocol_error *out_error)
{
    int rc = check_name("authenticate.linkCode.name", login->name, out_error);
    if (rc < 0) {
        return rc;
    }
    size_t code_bytes = strlen(login->code);
    if (code_bytes == 0 || code_bytes > PROTOCOL_LINK_CODE_BYTES_MAX) {
        return check_fail_field(out_error, LINNET__V1__ERROR__CODE__WRONG_CREDENTIALS,
                                "authenticate.linkCode.code", "not 1 to 64 bytes");
    }
    return check_device_name("authenticate.linkCode.deviceName", login->device_name, out_error);
}

int
check_authenticate(const Linnet__V1__ClientFrame *frame, const struct protocol_limits *limits,
                   struct protocol_error *out_error)
{
    const Linnet__V1__Authenticate *authenticate = frame->authenticate;
    (void)limits;
    switch ((int)authenticate->method_case) {
    case LINNET__V1__AUTHENTICATE__METHOD_TOKEN:
        return check_token(authenticate->token, out_error);
    case LINNET__V1__AUTHENTICATE__METHOD_PASSWORD_LOGIN:
        return check_password_login(authenticate->password_login, out_error);
    case LINNET__V1__AUTHENTICATE__METHOD_LINK_CODE:
        return check_link_login(authenticate->link_code, out_error);
    default:
        return check_fail(out_error, "authenticate: neither passwordLogin, linkCode nor token");
    }
}
