/* SPDX-License-Identifier: Apache-2.0 */
#include "actors/turn_office.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static int
fail(char why[TURN_OFFICE_WHY_BYTES], const char *what, const char *detail)
{
    (void)snprintf(why, TURN_OFFICE_WHY_BYTES, "%s %s", what, detail);
    return -EINVAL;
}

static int
servers_split(struct turn_office *office, char why[TURN_OFFICE_WHY_BYTES])
{
    char *rest = NULL;
    (void)snprintf(office->uris, sizeof office->uris, "%s", office->settings->turn_uris);
    for (char *uri = strtok_r(office->uris, ", ", &rest); uri != NULL;
         uri = strtok_r(NULL, ", ", &rest)) {
        if (strncmp(uri, "turn:", 5) != 0 && strncmp(uri, "turns:", 6) != 0) {
            return fail(why, "turn_uris: neither turn: nor turns: (RFC 7065):", uri);
        }
        if (office->count == TURN_OFFICE_SERVERS_MAX) {
            return fail(why, "turn_uris:", "more than 8");
        }
        office->each[office->count++] = uri;
    }
    return 0;
}

static int
secret_read(struct io_driver *driver, struct turn_office *office, char why[TURN_OFFICE_WHY_BYTES])
{
    const char *path = office->settings->turn_secret_file;
    io_file file;
    int error = io_file_open(driver, path, IO_OPEN_READ, &file);
    if (error != 0) {
        return fail(why, "turn_secret_file can't be opened:", path);
    }
    ssize_t got = io_file_read(driver, file, office->secret, sizeof office->secret, 0);
    io_file_close(driver, file);
    if (got < 0 || got == (ssize_t)sizeof office->secret) {
        return fail(why, "turn_secret_file can't be read, or is above 255 bytes:", path);
    }
    while (got > 0 && (office->secret[got - 1] == '\n' || office->secret[got - 1] == '\r')) {
        got--;
    }
    if (got == 0) {
        return fail(why, "turn_secret_file is empty:", path);
    }
    office->secret_bytes = (size_t)got;
    return 0;
}

int
turn_office_open(struct io_driver *driver, const struct settings *settings, struct turn_office *out,
                 char why[TURN_OFFICE_WHY_BYTES])
{
    *out = (struct turn_office){.settings = settings};
    if (settings->turn_uris[0] == '\0') {
        return 0;
    }
    if (settings->turn_secret_file[0] == '\0') {
        return fail(why, "turn_uris:", "needs turn_secret_file beside it");
    }
    int error = servers_split(out, why);
    return error != 0 ? error : secret_read(driver, out, why);
}
