# SPDX-License-Identifier: Apache-2.0
# The store's parts alone; each prints lines of JSON.
file(MAKE_DIRECTORY ${PROJECT_BINARY_DIR}/include/bench)
file(CREATE_LINK ${PROJECT_SOURCE_DIR}/bench ${PROJECT_BINARY_DIR}/include/bench/bench SYMBOLIC)
foreach(part table log steps)
  linnet_program(bench_store_${part} SOURCES store_${part}.c $<$<STREQUAL:${part},steps>:histogram.c> LIBS linnet_store m)
  target_include_directories(bench_store_${part} PRIVATE ${PROJECT_BINARY_DIR}/include/bench)
endforeach()
# The whole of it, with its actors.
linnet_program(bench_store SOURCES store.c histogram.c LIBS linnet_store m)
target_include_directories(bench_store PRIVATE ${PROJECT_BINARY_DIR}/include/bench)
# Where the bodies of groups' messages stand at rest: two ways, one beside the other.
linnet_program(bench_group_bodies SOURCES group_bodies.c bodies.c file_text.c histogram.c LIBS linnet_store m)
target_include_directories(bench_group_bodies PRIVATE ${PROJECT_BINARY_DIR}/include/bench)
