/* SPDX-License-Identifier: Apache-2.0 */
/* The file is mapped, its functions are copied in the order of their addresses, with the names'
 * section behind them, into a mapping of our own that is never given back, and the file is let go.
 * What the file says of itself is believed only within its bounds. */
#include "runtime/io/symbol.h"

#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NAMES_BYTES_MAX = 64 << 20 }; /* far more than any program's */

struct function {
    uintptr_t start; /* as the file has it: before the program was placed */
    uint32_t bytes;
    uint32_t name; /* in names */
};

/* Written once, by symbols_load. */
static struct function *functions;
static size_t functions_count;
static const char *names;
static uintptr_t placed_at; /* what was added to the file's addresses */

/* The program's file, or a part that it says it has. */
struct bytes {
    const unsigned char *data;
    size_t count;
};

/* count 0: it is not inside. */
static struct bytes
part(struct bytes file, uint64_t offset, uint64_t bytes)
{
    bool inside = offset <= file.count && bytes <= file.count - offset;
    return inside ? (struct bytes){file.data + offset, bytes} : (struct bytes){NULL, 0};
}

/* A copy, since nothing says that it is aligned. */
static bool
section_read(struct bytes file, const ElfW(Ehdr) * header, size_t index, ElfW(Shdr) * out)
{
    struct bytes found = part(file, header->e_shoff + index * sizeof *out, sizeof *out);
    if (index >= header->e_shnum || found.count == 0) {
        return false;
    }
    memcpy(out, found.data, sizeof *out);
    return true;
}

/* The table of all symbols and the section of its names. */
static bool
tables_find(struct bytes file, struct bytes *out_symbols, struct bytes *out_names)
{
    ElfW(Ehdr) header;
    ElfW(Shdr) table;
    ElfW(Shdr) text;
    struct bytes found = part(file, 0, sizeof header);
    if (found.count == 0 || memcmp(found.data, ELFMAG, SELFMAG) != 0) {
        return false;
    }
    memcpy(&header, found.data, sizeof header);
    for (size_t i = 0; i < header.e_shnum; i++) {
        if (section_read(file, &header, i, &table) && table.sh_type == SHT_SYMTAB &&
            section_read(file, &header, table.sh_link, &text)) {
            *out_symbols = part(file, table.sh_offset, table.sh_size);
            *out_names = part(file, text.sh_offset, text.sh_size);
            return out_symbols->count > 0 && out_names->count > 0 &&
                   out_names->count <= NAMES_BYTES_MAX &&
                   out_names->data[out_names->count - 1] == '\0';
        }
    }
    return false;
}

static int
by_start(const void *a, const void *b)
{
    const struct function *one = a;
    const struct function *other = b;
    return one->start < other->start ? -1 : one->start > other->start;
}

/* How many functions the table has; those, too, unless `out` is NULL. */
static size_t
functions_take(struct bytes symbols, size_t names_bytes, struct function *out)
{
    size_t count = 0;
    for (size_t at = 0; at + sizeof(ElfW(Sym)) <= symbols.count; at += sizeof(ElfW(Sym))) {
        ElfW(Sym) symbol;
        memcpy(&symbol, symbols.data + at, sizeof symbol);
        if (ELF64_ST_TYPE(symbol.st_info) != STT_FUNC || symbol.st_shndx == SHN_UNDEF ||
            symbol.st_size == 0 || symbol.st_size > UINT32_MAX || symbol.st_name >= names_bytes) {
            continue;
        }
        if (out != NULL) {
            out[count] =
                (struct function){symbol.st_value, (uint32_t)symbol.st_size, symbol.st_name};
        }
        count++;
    }
    return count;
}

static void
functions_keep(struct bytes file)
{
    struct bytes symbols;
    struct bytes text;
    if (!tables_find(file, &symbols, &text)) {
        return;
    }
    size_t count = functions_take(symbols, text.count, NULL);
    size_t table_bytes = count * sizeof(struct function);
    unsigned char *kept = mmap(NULL, table_bytes + text.count, PROT_READ | PROT_WRITE,
                               MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (kept == MAP_FAILED) {
        return;
    }
    functions = (struct function *)(void *)kept;
    functions_count = functions_take(symbols, text.count, functions);
    qsort(functions, functions_count, sizeof *functions, by_start);
    memcpy(kept + table_bytes, text.data, text.count);
    names = (const char *)kept + table_bytes;
}

/* The first object is the program. */
static int
placed_at_note(struct dl_phdr_info *object, size_t bytes, void *context)
{
    (void)bytes;
    (void)context;
    placed_at = object->dlpi_addr;
    return 1;
}

static void
load(void)
{
    (void)dl_iterate_phdr(placed_at_note, NULL);
    /* openat, since open is a simulated disk's in programs that have one. */
    int file = openat(AT_FDCWD, "/proc/self/exe", O_RDONLY | O_CLOEXEC);
    struct stat status;
    if (file < 0) {
        return;
    }
    if (fstat(file, &status) == 0 && status.st_size > 0) {
        size_t bytes = (size_t)status.st_size;
        void *data = mmap(NULL, bytes, PROT_READ, MAP_PRIVATE, file, 0);
        if (data != MAP_FAILED) {
            functions_keep((struct bytes){data, bytes});
            (void)munmap(data, bytes);
        }
    }
    (void)close(file);
}

void
symbols_load(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    (void)pthread_once(&once, load);
}

const char *
symbol_find(uintptr_t place)
{
    uintptr_t at = place - placed_at;
    size_t first = 0; /* the first that starts behind it is in first..last */
    size_t last = functions_count;
    while (first < last) {
        size_t middle = first + (last - first) / 2;
        if (functions[middle].start <= at) {
            first = middle + 1;
        } else {
            last = middle;
        }
    }
    if (first == 0 || at - functions[first - 1].start >= functions[first - 1].bytes) {
        return NULL;
    }
    return names + functions[first - 1].name;
}
