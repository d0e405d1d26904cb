/* SPDX-License-Identifier: Apache-2.0 */
/* person.h - what world.c asks of a person. */
#pragma once

#include "tests/sim/world.h"

/* Calls the node. Not while a connection is there. */
void person_connect(struct person *person);
/* Below `below`, from the seed. */
uint64_t world_chance(struct world *world, uint64_t below);
