# SPDX-License-Identifier: Apache-2.0
foreach(noun window record record_call entry payload command page attached fan)
  linnet_test(store_${noun}_test TIER fast SOURCES ${noun}_test.c LIBS linnet_store)
endforeach()
# What a command does, tried out in a world of ledgers without files.
add_library(linnet_store_world STATIC ${CMAKE_CURRENT_LIST_DIR}/world.c ${CMAKE_CURRENT_LIST_DIR}/world_user.c
  ${CMAKE_CURRENT_LIST_DIR}/world_message.c ${CMAKE_CURRENT_LIST_DIR}/world_group.c
  ${CMAKE_CURRENT_LIST_DIR}/world_expired.c ${CMAKE_CURRENT_LIST_DIR}/world_spec.c)
target_include_directories(linnet_store_world PUBLIC ${PROJECT_BINARY_DIR}/include/tests)
target_link_libraries(linnet_store_world PUBLIC linnet_store PRIVATE linnet_flags cmocka)
set_target_properties(linnet_store_world PROPERTIES LINNET_THREAD_STACK ON)
foreach(noun user device link call expire expired message change sweep cursors stream wake state block replay model group group_change
             group_cursor group_round group_revise group_left history hold chat_ttl group_model forget)
  linnet_test(store_apply_${noun}_test TIER fast SOURCES apply_${noun}_test.c LIBS linnet_store_world)
endforeach()
# A node that ends itself must not end the test: own_end.h.
add_library(linnet_own_end STATIC ${CMAKE_CURRENT_LIST_DIR}/own_end.c)
target_link_options(linnet_own_end INTERFACE -Wl,--wrap=check_failed -Wl,--undefined=__wrap_check_failed)
target_include_directories(linnet_own_end PRIVATE ${PROJECT_BINARY_DIR}/include/tests)
target_link_libraries(linnet_own_end PUBLIC linnet_runtime PRIVATE linnet_flags)
# The actors, on a simulated machine.
add_library(linnet_store_rig STATIC ${CMAKE_CURRENT_LIST_DIR}/rig.c ${CMAKE_CURRENT_LIST_DIR}/hand.c
  ${CMAKE_CURRENT_LIST_DIR}/told.c ${CMAKE_CURRENT_LIST_DIR}/company.c ${CMAKE_CURRENT_LIST_DIR}/people.c ${CMAKE_CURRENT_LIST_DIR}/power.c)
target_include_directories(linnet_store_rig PUBLIC ${PROJECT_BINARY_DIR}/include/tests)
target_link_libraries(linnet_store_rig PUBLIC linnet_store linnet_own_end PRIVATE linnet_flags)
foreach(noun store partition session list cell turn room keeper lives history wake state limits group group_fan reader round power kill ack)
  linnet_test(store_${noun}_test TIER fast SOURCES ${noun}_test.c LIBS linnet_store_rig)
  linnet_sim_wrap(store_${noun}_test)
endforeach()
if(NOT LINNET_SIM_ONLY)
  linnet_test(store_start_test TIER fast THREADS SOURCES start_test.c LIBS linnet_store_rig)
  linnet_sim_wrap(store_start_test)
endif()
linnet_test(store_seen_test TIER fast SOURCES seen_test.c LIBS linnet_store_rig linnet_store_world)
linnet_sim_wrap(store_seen_test)
linnet_test(store_trace_test TIER fast SOURCES trace_test.c LIBS linnet_store_rig)
linnet_test(store_audit_test TIER fast SOURCES audit_test.c LIBS linnet_store_rig)
linnet_sim_wrap(store_audit_test)
linnet_test(store_attach_test TIER fast SOURCES attach_test.c LIBS linnet_store_rig)
linnet_sim_wrap(store_attach_test)
linnet_sim_wrap(store_trace_test)
# The same over more seeds, chosen from outside.
foreach(noun power kill)
  add_test(NAME store_${noun}_seeds COMMAND store_${noun}_test
    WORKING_DIRECTORY ${PROJECT_BINARY_DIR}/scratch/store_${noun}_test)
  set_tests_properties(store_${noun}_seeds PROPERTIES LABELS seeds TIMEOUT 1200)
endforeach()
