/* SPDX-License-Identifier: Apache-2.0 */
#include "actors/push_office.h"

#include "net/base64.h"
#include "net/webpush.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    PATH_BYTES = SETTINGS_PATH_BYTES + 32,
    KEY_TEXT_BYTES = 44, /* 32 bytes in base64url, and a line's end */
    CERTIFICATES_BYTES_MAX = 16 << 20,
    DRAWS_MAX = 4, /* of a key: each is none once in 2^32 */
};

static int PRINTF_LIKE(3, 4)
    failed(char why[PUSH_OFFICE_WHY_BYTES], int error, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(why, PUSH_OFFICE_WHY_BYTES, format, arguments);
    va_end(arguments);
    return error;
}

/* ---------------------------------------------------------------------------------------- files */

/* The whole file, NUL-terminated beyond its bytes; the caller's to free. */
static int
file_read(struct io_driver *driver, const char *path, size_t bytes_max, char **out,
          size_t *out_bytes)
{
    io_file file;
    uint64_t size = 0;
    char *bytes = NULL;
    int error = io_file_open(driver, path, IO_OPEN_READ, &file);
    if (error != 0) {
        return error;
    }
    error = io_file_size(driver, file, &size);
    if (error == 0 && size > bytes_max) {
        error = -EFBIG;
    }
    if (error == 0) {
        bytes = malloc(size + 1);
        error = bytes != NULL ? 0 : -ENOMEM;
    }
    if (error == 0) {
        ssize_t got = io_file_read(driver, file, bytes, size, 0);
        error = got < 0 ? (int)got : 0;
        size = got > 0 ? (uint64_t)got : 0;
    }
    io_file_close(driver, file);
    if (error != 0) {
        free(bytes);
        return error;
    }
    bytes[size] = '\0';
    *out = bytes;
    *out_bytes = size;
    return 0;
}

/* Whole or not at all, whenever the power goes. */
static int
file_write(struct io_driver *driver, const char *folder, const char *path, const char *text)
{
    char draft[PATH_BYTES + 8];
    io_file file;
    (void)snprintf(draft, sizeof draft, "%s.new", path);
    int error = io_file_open(driver, draft, IO_OPEN_WRITE | IO_OPEN_CREATE, &file);
    if (error != 0) {
        return error;
    }
    error = io_file_truncate(driver, file, 0);
    if (error == 0) {
        error = io_file_write(driver, file, text, strlen(text), 0);
    }
    if (error == 0) {
        error = io_file_sync(driver, file);
    }
    io_file_close(driver, file);
    if (error == 0) {
        error = io_rename(driver, draft, path);
    }
    return error == 0 ? io_sync_directory(driver, folder) : error;
}

/* A line of text from a file of the data directory, which is made of random bytes when there is
 * none. */
static int
key_read(struct io_driver *driver, const char *folder, const char *path, char **out,
         size_t *out_bytes)
{
    int error = file_read(driver, path, WEBHOOK_SECRET_BYTES_MAX, out, out_bytes);
    if (error == -ENOENT) {
        unsigned char drawn[P256_SCALAR_BYTES];
        char text[KEY_TEXT_BYTES + 1] = "";
        io_random(io_of(driver, 0), drawn, sizeof drawn);
        base64url_encode(drawn, sizeof drawn, text);
        text[KEY_TEXT_BYTES - 1] = '\n';
        error = file_write(driver, folder, path, text);
        explicit_bzero(drawn, sizeof drawn);
        explicit_bzero(text, sizeof text);
        if (error == 0) {
            error = file_read(driver, path, WEBHOOK_SECRET_BYTES_MAX, out, out_bytes);
        }
    }
    while (error == 0 && *out_bytes > 0 && strchr("\r\n \t", (*out)[*out_bytes - 1]) != NULL) {
        --*out_bytes;
    }
    return error;
}

/* ----------------------------------------------------------------------------------------- keys */

static int
vapid_open(struct io_driver *driver, struct push_office *office, char why[PUSH_OFFICE_WHY_BYTES])
{
    const char *folder = office->settings->data;
    char path[PATH_BYTES];
    char *text = NULL;
    size_t text_bytes = 0;
    unsigned char scalar[KEY_TEXT_BYTES];
    size_t count = 0;
    (void)snprintf(path, sizeof path, "%s/push.vapid", folder);
    int error = key_read(driver, folder, path, &text, &text_bytes);
    if (error != 0) {
        return failed(why, error, "%s: %s", path, strerrordesc_np(-error));
    }
    if (text_bytes > KEY_TEXT_BYTES || base64_decode(text, text_bytes, scalar, &count) != 0 ||
        count != P256_SCALAR_BYTES || p256_open(scalar, &office->vapid) != 0) {
        error = failed(why, -EINVAL, "%s: is no private key of P-256, 32 bytes in base64url", path);
    } else {
        p256_public(office->vapid, office->vapid_public);
    }
    explicit_bzero(scalar, sizeof scalar);
    explicit_bzero(text, text_bytes);
    free(text);
    return error;
}

static int
secret_open(struct io_driver *driver, struct push_office *office, char why[PUSH_OFFICE_WHY_BYTES])
{
    const char *folder = office->settings->data;
    char path[PATH_BYTES];
    char *text = NULL;
    size_t count = 0;
    (void)snprintf(path, sizeof path, "%s/push.webhook", folder);
    int error = key_read(driver, folder, path, &text, &count);
    if (error != 0) {
        return failed(why, error, "%s: %s", path, strerrordesc_np(-error));
    }
    if (count == 0) {
        error = failed(why, -EINVAL, "%s: is empty", path);
    }
    memcpy(office->secret, text, count);
    office->secret_bytes = count;
    explicit_bzero(text, count);
    free(text);
    return error;
}

/* ---------------------------------------------------------------------------------------- trust */

static int
certificates_add(struct io_driver *driver, struct push_office *office, const char *path,
                 char why[PUSH_OFFICE_WHY_BYTES])
{
    char *pem = NULL;
    size_t bytes = 0;
    unsigned count = 0;
    if (path[0] == '\0') {
        return 0;
    }
    int error = file_read(driver, path, CERTIFICATES_BYTES_MAX, &pem, &bytes);
    if (error == 0) {
        error = tls_trust_add(office->trust, pem, bytes, &count);
    }
    free(pem);
    if (error == 0 && count == 0) {
        error = -EBADMSG;
    }
    if (error == -EBADMSG) {
        return failed(why, error, "%s: holds no certificates in PEM", path);
    }
    return error == 0 ? 0 : failed(why, error, "%s: %s", path, strerrordesc_np(-error));
}

/* An operator who pushes in his own network needs no system's store. */
static int
trust_open(struct io_driver *driver, struct push_office *office, char why[PUSH_OFFICE_WHY_BYTES])
{
    int error = tls_trust_new(&office->trust);
    if (error != 0) {
        return failed(why, error, "libssl does not start");
    }
    error = certificates_add(driver, office, office->settings->push_ca_file, why);
    if (error == 0) {
        error = certificates_add(driver, office, office->settings->push_ca_extra_file, why);
    }
    return error;
}

int
push_office_open(struct io_driver *driver, const struct settings *settings, struct push_office *out,
                 char why[PUSH_OFFICE_WHY_BYTES])
{
    int error = 0;
    *out = (struct push_office){
        .settings = settings,
        .web = settings->push_subject[0] != '\0',
        .webhook = settings->push_webhook[0] != '\0',
    };
    if (out->web || out->webhook) {
        error = trust_open(driver, out, why);
    }
    if (error == 0 && out->web) {
        error = vapid_open(driver, out, why);
    }
    if (error == 0 && out->webhook) {
        error = secret_open(driver, out, why);
    }
    if (error == 0 && out->webhook) {
        const char *url = settings->push_webhook;
        error = url_parse(url, strlen(url), &out->webhook_url);
    }
    if (error != 0) {
        push_office_close(out);
    }
    return error;
}

void
push_office_close(struct push_office *office)
{
    p256_close(&office->vapid);
    tls_trust_free(&office->trust);
    explicit_bzero(office->secret, sizeof office->secret);
}
