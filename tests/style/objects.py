#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Lists who reaches the kernel outside runtime/io: reads the undefined symbols of our object files.

    objects.py BUILD

A symbol must be one of ours, of a library that is named here, or of libc's that touches memory alone. Everything else
is a call into the kernel, or one that may become one, and needs an entry in kernel_objects.txt: source, symbol, reason.
What the libraries themselves call, and how the simulated machine holds it, is told in runtime/io/README.md.
"""
import os
import re
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ALLOWED = os.path.join(HERE, "kernel_objects.txt")
LAYERS = ("runtime", "net", "store", "actors", "tools")
DOOR = "runtime/io/"
# These talk to a person.
PROGRAMS = ("tools/", "runtime/examples/")
PRINTING = set("printf puts putchar fprintf vfprintf fputs fputc fwrite fflush stdout stderr".split())

# Libraries by the beginning of their names: CK, LMDB, libsodium, xxHash, protobuf-c, yajl, inih; then libcrypto and
# libssl, but for what reads files or sockets of its own.
LIBRARIES = re.compile(
    r"(ck_|mdb_|crypto_|sodium_|randombytes_|XXH|protobuf_c_|yajl_|ini_parse"
    r"|EVP_|EC_|ECDSA_|d2i_ECDSA_|BN_|HMAC$|OSSL_PARAM_|OPENSSL_cleanse|ERR_|PEM_read_bio_"
    r"|BIO_(new|new_mem_buf|s_mem|free|read|write)$|SSL_(?!CTX_(load|use|set_default)|load|set_fd)|TLS_client_method"
    r"|X509_(?!LOOKUP|STORE_load|STORE_set_default|load))")
MEMORY_ALONE = set("""
    abort aligned_alloc calloc free malloc realloc reallocarray explicit_bzero strdup qsort
    memchr memcmp memcpy memmove memset strchr strcmp strcspn strlen strncmp strncpy strnlen strrchr strsep strspn
    strtok_r strtol strtoul strtoull strtod strstr strcpy strcasecmp strncasecmp stpcpy memrchr memmem bsearch
    strerrordesc_np strerrorname_np sigabbrev_np snprintf vsnprintf sscanf __isoc99_sscanf __isoc23_strtoul
    sigaddset sigemptyset longjmp _setjmp __sigsetjmp __longjmp_chk __errno_location __ctype_toupper_loc
    __ctype_b_loc __ctype_tolower_loc __tls_get_addr __assert_fail __stack_chk_fail _GLOBAL_OFFSET_TABLE_
    _Unwind_Backtrace _Unwind_GetIPInfo _Unwind_GetIP _dl_find_object backtrace getopt_long optarg optind opterr
    sqrt log exp pow ceil floor round lround cos sin fmod
""".split())
SANITIZERS = re.compile(r"__(asan|ubsan|tsan|sanitizer|lsan|start|stop)|AnnotateHappens")


def symbols(paths):
    """{path: (undefined, defined)} of object files, asked for at once."""
    found = {path: (set(), set()) for path in paths}
    command = ["nm", "--print-file-name", "--format=posix", *paths]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    for line in done.stdout.splitlines():
        path, rest = line.split(": ", 1)
        name, kind = rest.split()[:2]
        found[path][kind not in "Uw"].add(name)
    return found


def objects(build):
    """Yields (source, path): runtime/CMakeFiles/linnet_runtime.dir/io/uring.c.o is of runtime/io/uring.c."""
    for layer in LAYERS:
        for folder, _, names in os.walk(os.path.join(build, layer)):
            for name in names:
                path = os.path.join(folder, name)
                inside = re.search(r"^(.*)/?CMakeFiles/[^/]+\.dir/(.*)\.o$", os.path.relpath(path, build))
                if inside:
                    yield os.path.normpath(os.path.join(inside.group(1), inside.group(2).replace("__", ".."))), path


def allowed_uses():
    uses = {}
    with open(ALLOWED, encoding="utf-8") as stream:
        for number, line in enumerate(stream, 1):
            if line.strip() and not line.startswith("#"):
                source, symbol, _ = line.split(None, 2)
                uses[(source, symbol)] = number
    return uses


def main(build):
    ours, wanted = set(), {}
    sources = {path: source for source, path in objects(build)}
    if not sources:
        print(f"objects: no object file below {build}")
        return 2
    for path, (undefined, defined) in symbols(list(sources)).items():
        ours |= defined
        wanted.setdefault(sources[path], set()).update(undefined)
    allowed, used, findings = allowed_uses(), set(), 0
    for source in sorted(wanted):
        for symbol in sorted(wanted[source]):
            held = symbol in ours or symbol in MEMORY_ALONE or LIBRARIES.match(symbol) or SANITIZERS.match(symbol)
            printing = symbol in PRINTING and source.startswith(PROGRAMS)
            if held or printing or source.startswith(DOOR):
                continue
            if (source, symbol) in allowed:
                used.add((source, symbol))
                continue
            findings += 1
            print(f"{source}: {symbol} is called outside {DOOR}")
    for entry, number in allowed.items():
        if entry not in used and entry[0] in wanted:
            findings += 1
            print(f"kernel_objects.txt:{number}: {entry[0]} does not call {entry[1]} (any more)")
    print(f"objects: {len(wanted)} sources read, {findings} findings")
    return 1 if findings else 0


sys.exit(main(sys.argv[1]))
