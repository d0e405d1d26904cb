/* SPDX-License-Identifier: Apache-2.0 */
/* proc(5). */
#include "bench/machine.h"

#include "bench/file_text.h"
#include "runtime/io/uring.h"

#include <stdio.h>
#include <string.h>

enum { FILE_BYTES = 1536 };

static void
line_take(const char *line, char out[MACHINE_TEXT_BYTES])
{
    (void)snprintf(out, MACHINE_TEXT_BYTES, "%.*s", (int)strcspn(line, "\n"), line);
}

/* The processor's name, in the beginning of /proc/cpuinfo. */
static void
cpu_take(const char *cpuinfo, char out[MACHINE_TEXT_BYTES])
{
    static const char name[] = "\nmodel name\t: "; /* x86-64; others have no name there */
    const char *found = strstr(cpuinfo, name);
    line_take(found != NULL ? found + sizeof name - 1 : "", out);
}

void
machine_read(struct io_driver *driver, struct machine *out)
{
    char text[FILE_BYTES];
    out->cores = uring_cores();
    bool known = file_text(driver, "/proc/cpuinfo", text, sizeof text) == 0;
    cpu_take(known ? text : "", out->cpu);
    known = file_text(driver, "/proc/sys/kernel/osrelease", text, sizeof text) == 0;
    line_take(known ? text : "", out->kernel);
}

void
machine_print_json(const struct machine *machine, struct ln_text *out)
{
    ln_text_print(out, "{\"cores\":%u,\"cpu\":\"", machine->cores);
    ln_text_json(out, machine->cpu);
    ln_text_print(out, "\",\"kernel\":\"");
    ln_text_json(out, machine->kernel);
    ln_text_print(out, "\"}");
}
