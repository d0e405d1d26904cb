# SPDX-License-Identifier: Apache-2.0
# linnet_sim_wrap(TARGET): redirects the file calls that liblmdb.a makes inside this executable to the simulated disk
# (runtime/io/sim_wrap.h). The executable must link the static library, ${LMDB_STATIC}, not the shared one.

find_library(LMDB_STATIC NAMES liblmdb.a REQUIRED)

function(linnet_sim_wrap target)
  target_link_libraries(${target} PRIVATE linnet_runtime)
  foreach(call open open64 close pwrite pwrite64 write writev ftruncate ftruncate64 fdatasync fsync)
    target_link_options(${target} PRIVATE -Wl,--wrap=${call})
  endforeach()
  # Nothing else names the object with the wrappers: taken from the archive in any case, wherever it stands in the
  # order of libraries.
  target_link_options(${target} PRIVATE -Wl,--undefined=__wrap_open)
endfunction()
