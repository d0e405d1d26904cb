# SPDX-License-Identifier: Apache-2.0
foreach(noun key cursor pool table delta)
  linnet_test(store_${noun}_test TIER fast SOURCES ${noun}_test.c LIBS linnet_store)
endforeach()

# These need files: disk.c is a driver for files alone that fails when it is told to.
foreach(noun log log_scan environment fold directory)
  linnet_test(store_${noun}_test TIER fast SOURCES ${noun}_test.c disk.c LIBS linnet_store)
endforeach()
