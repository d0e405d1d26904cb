# SPDX-License-Identifier: Apache-2.0
foreach(noun settings name nearest shell_wire)
  linnet_test(actors_${noun}_test TIER fast SOURCES ${noun}_test.c LIBS linnet_actors)
endforeach()
# A whole node under sim, and an operator at its door.
foreach(noun shell shell_actor shell_message)
  linnet_test(actors_${noun}_test TIER fast
    SOURCES ${noun}_test.c office.c desk.c ../sim/world.c ../sim/person.c ../sim/judge.c ../sim/judge_change.c
    ../store/own_end.c LIBS linnet_actors yajl)
  linnet_sim_wrap(actors_${noun}_test)
  target_link_options(actors_${noun}_test PRIVATE -Wl,--wrap=check_failed)
endforeach()
