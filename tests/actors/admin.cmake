# SPDX-License-Identifier: Apache-2.0
foreach(noun settings name nearest shell_wire)
  linnet_test(actors_${noun}_test TIER fast SOURCES ${noun}_test.c LIBS linnet_actors)
endforeach()
# A whole node under sim, and an operator at its door.
add_library(linnet_office STATIC office.c desk.c ../sim/world.c ../sim/person.c ../sim/judge.c ../sim/judge_change.c
  ../store/own_end.c)
target_include_directories(linnet_office PUBLIC ${PROJECT_BINARY_DIR}/include/tests)
target_link_libraries(linnet_office PUBLIC linnet_actors yajl PRIVATE linnet_flags cmocka)
target_link_options(linnet_office INTERFACE -Wl,--wrap=check_failed)
set_target_properties(linnet_office PROPERTIES LINNET_THREAD_STACK ON)
foreach(noun shell shell_user shell_node shell_trace shell_actor shell_message)
  linnet_test(actors_${noun}_test TIER fast SOURCES ${noun}_test.c LIBS linnet_office)
  linnet_sim_wrap(actors_${noun}_test)
endforeach()
