# SPDX-License-Identifier: Apache-2.0
foreach(noun key cursor holes pool table delta hot)
  linnet_test(store_${noun}_test TIER fast SOURCES ${noun}_test.c LIBS linnet_store)
endforeach()

# These need files: disk.c is a driver for files alone that fails when it is told to.
foreach(noun log log_scan environment fold directory steps)
  linnet_test(store_${noun}_test TIER fast SOURCES ${noun}_test.c disk.c LIBS linnet_store)
endforeach()

# On the simulated disk, LMDB's calls too.
include(${PROJECT_SOURCE_DIR}/cmake/sim_wrap.cmake)
linnet_test(store_crash_test TIER fast SOURCES crash_test.c LIBS linnet_store)
linnet_sim_wrap(store_crash_test)

linnet_fuzzer(fuzz_log SOURCES fuzz_log.c LIBS linnet_store)
