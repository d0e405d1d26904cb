/* SPDX-License-Identifier: Apache-2.0 */
/* in_an_actor.h - a test's story inside of a process under sim, for what takes memory that is its
 * actor's. It fails by ASSERT: it has no stack that cmocka could leave. */
#pragma once

#include "runtime/io/sim.h"
#include "runtime/node.h"
#include "tests/spec.h"

static inline void
in_an_actor(void (*run)(void *state))
{
    static struct ln_behaviour behaviour = {.name = "story", .stack_bytes = 256 << 10};
    struct io_driver *driver;
    behaviour.run = run;
    assert_int_equal(sim_open(&(struct sim_options){.seed = 1}, &driver), 0);
    struct ln_node *node = ln_node_open(driver, &(struct ln_node_options){0});
    ln_node_root(node, &behaviour, NULL, 0);
    assert_int_equal(ln_node_start(node), 0);
    assert_int_equal(ln_node_join(node).kind, LN_EXIT_NORMAL);
    ln_node_close(&node);
    io_driver_close(driver);
}
