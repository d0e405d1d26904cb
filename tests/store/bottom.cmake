# SPDX-License-Identifier: Apache-2.0
linnet_test(store_span_test TIER fast THREADS SOURCES span_test.c LIBS linnet_store)
foreach(noun key cursor holes expired pool table table_index table_record delta keep hot runs)
  linnet_test(store_${noun}_test TIER fast SOURCES ${noun}_test.c LIBS linnet_store)
endforeach()

# These need files: disk.c is a driver for files alone that fails when it is told to.
add_library(linnet_store_disk STATIC ${CMAKE_CURRENT_LIST_DIR}/disk.c)
target_include_directories(linnet_store_disk PUBLIC ${PROJECT_BINARY_DIR}/include/tests)
target_link_libraries(linnet_store_disk PUBLIC linnet_store PRIVATE linnet_flags cmocka)
set_target_properties(linnet_store_disk PROPERTIES LINNET_THREAD_STACK ON)
foreach(noun log log_scan environment environment_runs fold directory steps)
  linnet_test(store_${noun}_test TIER fast SOURCES ${noun}_test.c LIBS linnet_store_disk)
endforeach()
linnet_test(store_environment_rest_test TIER fast THREADS SOURCES environment_rest_test.c LIBS linnet_store_disk)

# On the simulated disk, LMDB's calls too.
include(${PROJECT_SOURCE_DIR}/cmake/sim_wrap.cmake)
linnet_test(store_crash_test TIER fast SOURCES crash_test.c LIBS linnet_store)
linnet_sim_wrap(store_crash_test)

linnet_fuzzer(fuzz_log SOURCES fuzz_log.c LIBS linnet_store)
