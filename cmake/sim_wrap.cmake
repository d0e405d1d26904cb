# SPDX-License-Identifier: Apache-2.0
# linnet_sim_wrap(TARGET): redirects the file calls that liblmdb.a makes inside this executable to the simulated disk
# (runtime/io/sim_wrap.h). The executable must link the static library, not the shared one.

set(LINNET_LMDB_STATIC -l:liblmdb.a)

function(linnet_sim_wrap target)
  target_sources(${target} PRIVATE ${PROJECT_SOURCE_DIR}/runtime/io/sim_wrap.c)
  target_link_libraries(${target} PRIVATE linnet_runtime)
  foreach(call open open64 close pwrite pwrite64 write writev ftruncate ftruncate64 fdatasync fsync)
    target_link_options(${target} PRIVATE -Wl,--wrap=${call})
  endforeach()
endfunction()
