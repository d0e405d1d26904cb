# SPDX-License-Identifier: Apache-2.0
foreach(noun settings name nearest shell_wire)
  linnet_test(actors_${noun}_test TIER fast SOURCES ${noun}_test.c LIBS linnet_actors)
endforeach()
