/* SPDX-License-Identifier: Apache-2.0 */
/* symbol.h - which function of the program an instruction belongs to, static ones included.
 *
 * The program's own file has a table of them (.symtab) until it is stripped; the loader does not
 * map it, so it is read once, when the first node opens, and kept: a look, which may be made while
 * something is badly stuck, reads no file, takes no lock and allocates nothing.
 *
 *     symbols_load();
 *     const char *name = symbol_find(place);        "connection_handle", or NULL
 */
#pragma once

#include <stdint.h>

/* Reads the table, the first time; blocks for a file of the program's size at most. Where it can't
 * be read no name is found. Any thread, but before any looks. */
void symbols_load(void);

/* The function of the program itself that has this instruction; NULL where none is known: other
 * objects, a stripped program. Lives as long as the process. Any thread. */
const char *symbol_find(uintptr_t place);
