/* SPDX-License-Identifier: Apache-2.0 */
/* Puts the simulated machine in the place of the real one, under programs that know nothing of it:
 * linked in with --wrap=uring_open where there is no io_uring (qemu-user). */
#include "runtime/io/sim.h"
#include "runtime/io/uring.h"

int __wrap_uring_open(const struct uring_options *options, struct io_driver **out, char *why,
                      size_t why_bytes);

int
__wrap_uring_open(const struct uring_options *options, struct io_driver **out, char *why,
                  size_t why_bytes)
{
    if (why_bytes > 0) {
        why[0] = '\0';
    }
    return sim_open(&(struct sim_options){.seed = 1,
                                          .loops = options->loops != 0 ? options->loops : 2,
                                          .root = "."},
                    out);
}
