# SPDX-License-Identifier: Apache-2.0
foreach(noun key cursor pool table delta)
  linnet_test(store_${noun}_test TIER fast SOURCES ${CMAKE_CURRENT_LIST_DIR}/${noun}_test.c LIBS linnet_store)
endforeach()

# These need files: disk.c is a driver for files alone that fails when it is told to.
foreach(noun log log_scan)
  linnet_test(store_${noun}_test TIER fast
    SOURCES ${CMAKE_CURRENT_LIST_DIR}/${noun}_test.c ${CMAKE_CURRENT_LIST_DIR}/disk.c LIBS linnet_store)
endforeach()
