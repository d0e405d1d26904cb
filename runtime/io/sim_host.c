/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/io/sim_host.h"

#include "runtime/check.h"
#include "runtime/io/sim.h"
#include "runtime/io/sim_work.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { RESOLVE_NS = 3 * 1000 * 1000 };

void
sim_host_add(struct io_driver *driver, const char *name, const char *address)
{
    struct sim *sim = sim_of(driver);
    ASSERT(sim->hosts_count < SIM_HOSTS_MAX);
    struct sim_host *host = &sim->hosts[sim->hosts_count++];
    int bytes = snprintf(host->name, sizeof host->name, "%s", name);
    ASSERT(bytes > 0 && (size_t)bytes < sizeof host->name);
    bytes = snprintf(host->address, sizeof host->address, "%s", address);
    ASSERT(bytes > 0 && (size_t)bytes < sizeof host->address);
}

/* "10.0.0.1" or "::1", with a port. */
static int
numeric(const char *host, uint16_t port, struct io_address *out)
{
    char text[IO_ADDRESS_TEXT_MAX];
    bool bracketed = strchr(host, ':') != NULL;
    int bytes = snprintf(text, sizeof text, "%s%s%s:%u", bracketed ? "[" : "", host,
                         bracketed ? "]" : "", port);
    if (bytes < 0 || (size_t)bytes >= sizeof text || io_address_parse(text, out) != 0) {
        return -ENOENT;
    }
    return 0;
}

void
sim_host_silence(struct io_driver *driver, const char *address)
{
    struct sim *sim = sim_of(driver);
    struct io_address parsed;
    int error = numeric(address, 1, &parsed);
    sim->silence = error == 0 && io_address_host(&parsed, sim->silent_host);
    ASSERT(sim->silence);
}

bool
sim_host_is_silent(const struct sim *sim, const struct io_address *address)
{
    unsigned char host[IO_HOST_BYTES];
    return sim->silence && io_address_host(address, host) &&
           memcmp(host, sim->silent_host, sizeof host) == 0;
}

int
sim_host_resolve(struct io_driver *driver, const char *host, uint16_t port,
                 struct io_address out[IO_RESOLVE_MAX], unsigned *out_count)
{
    struct sim *sim = sim_of(driver);
    unsigned count = 0;
    sim_work_charge(sim, RESOLVE_NS);
    for (unsigned i = 0; i < sim->hosts_count && count < IO_RESOLVE_MAX; i++) {
        if (strcmp(sim->hosts[i].name, host) == 0) {
            int error = numeric(sim->hosts[i].address, port, &out[count]);
            ASSERT(error == 0);
            count++;
        }
    }
    if (count == 0 && numeric(host, port, &out[0]) == 0) {
        count = 1;
    }
    if (count == 0) {
        return -ENOENT;
    }
    *out_count = count;
    return 0;
}
