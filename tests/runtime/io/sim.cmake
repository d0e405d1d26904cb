# SPDX-License-Identifier: Apache-2.0
include(${PROJECT_SOURCE_DIR}/cmake/sim_wrap.cmake)

add_library(linnet_sim_rig STATIC sim_rig.c sim_life.c)
target_include_directories(linnet_sim_rig PRIVATE ${PROJECT_BINARY_DIR}/include/tests)
target_link_libraries(linnet_sim_rig PUBLIC linnet_runtime PRIVATE linnet_flags cmocka)

foreach(noun clock connect stream ends faults peer disk names replay)
  linnet_test(sim_${noun}_test TIER fast SOURCES sim_${noun}_test.c LIBS linnet_sim_rig linnet_runtime)
endforeach()

linnet_test(sim_lmdb_test TIER fast SOURCES sim_lmdb_test.c LIBS linnet_sim_rig linnet_runtime ${LMDB_STATIC})
linnet_sim_wrap(sim_lmdb_test)
