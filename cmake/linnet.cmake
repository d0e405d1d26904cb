# SPDX-License-Identifier: Apache-2.0
# How a layer, a program, a test and a fuzzer are declared, and the flags they all share.

include(CheckCCompilerFlag)
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)

if(NOT LINNET_SANITIZE MATCHES "^(|address|thread)$")
  message(FATAL_ERROR "LINNET_SANITIZE is '', 'address' or 'thread', not '${LINNET_SANITIZE}'")
endif()
if(LINNET_FUZZ AND NOT CMAKE_C_COMPILER_ID STREQUAL "Clang")
  message(FATAL_ERROR "LINNET_FUZZ needs clang: cmake --preset fuzz")
endif()

add_library(linnet_flags INTERFACE)
target_compile_definitions(linnet_flags INTERFACE _GNU_SOURCE)
target_compile_options(linnet_flags INTERFACE
  -Wall -Wextra -Werror -Wshadow -Wconversion -Wno-sign-conversion -Wstrict-prototypes -Wmissing-prototypes
  -Wvla -Wcast-qual -Wformat=2 -Wundef -Wswitch-enum -fno-common -fno-omit-frame-pointer -fvisibility=hidden)
if(LINNET_SIM_ONLY)
  target_compile_definitions(linnet_flags INTERFACE LINNET_SIM_ONLY=1)
endif()
if(LINNET_VALGRIND)
  target_compile_definitions(linnet_flags INTERFACE LINNET_VALGRIND=1)
endif()
if(LINNET_SANITIZE STREQUAL "address")
  target_compile_options(linnet_flags INTERFACE -fsanitize=address,undefined -fno-sanitize-recover=all -O1 -gline-tables-only)
  target_link_options(linnet_flags INTERFACE -fsanitize=address,undefined)
elseif(LINNET_SANITIZE STREQUAL "thread")
  target_compile_options(linnet_flags INTERFACE -fsanitize=thread -O1 -gline-tables-only)
  target_link_options(linnet_flags INTERFACE -fsanitize=thread)
elseif(CMAKE_BUILD_TYPE STREQUAL "Release")
  # Fiber stacks are small; a sanitizer's frames are not, so only the plain build is held to it, and of that not the
  # tests, whose cases run on the thread's own stack.
  target_compile_options(linnet_flags INTERFACE
    $<$<NOT:$<BOOL:$<TARGET_PROPERTY:LINNET_THREAD_STACK>>>:-Wframe-larger-than=2048>)
endif()

if(LINNET_FUZZ)
  # A fuzzer sees only the branches of code compiled for it: the layers are, not the harness alone.
  target_compile_options(linnet_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()

# linnet_layer(NAME sources...): the library target linnet_NAME of a top-level folder. Its include path holds that
# folder alone, so "NAME/x.h" is found only by targets that link it: a wrong include does not compile.
function(linnet_layer name)
  add_library(linnet_${name} STATIC ${ARGN})
  set(root ${PROJECT_BINARY_DIR}/include/${name})
  file(MAKE_DIRECTORY ${root})
  file(CREATE_LINK ${PROJECT_SOURCE_DIR}/${name} ${root}/${name} SYMBOLIC)
  target_include_directories(linnet_${name} PUBLIC ${root})
  target_link_libraries(linnet_${name} PRIVATE linnet_flags)
endfunction()

# linnet_shared_code(TARGET): the code of a static library works on what many actors share, so a stack overflow in it ends
# the node, not an actor alone: a section tells the runtime (runtime/overflow.c). Sanitizers report faults themselves.
function(linnet_shared_code target)
  if(LINNET_SANITIZE)
    return()
  endif()
  add_custom_command(TARGET ${target} POST_BUILD COMMAND ${CMAKE_OBJCOPY} ${linnet_shared_code} $<TARGET_FILE:${target}>)
endfunction()
foreach(part "" .unlikely .hot .startup .exit)
  list(APPEND linnet_shared_code --rename-section .text${part}=linnet_text)
endforeach()

# linnet_program(NAME SOURCES ... LIBS ...): an executable of ours.
function(linnet_program name)
  cmake_parse_arguments(P "" "" "SOURCES;LIBS" ${ARGN})
  add_executable(${name} ${P_SOURCES})
  target_link_libraries(${name} PRIVATE linnet_flags ${P_LIBS} Threads::Threads)
endfunction()

# linnet_test(NAME TIER fast|long [THREADS] SOURCES ... LIBS ...): a cmocka program under ctest, labelled with its tier.
# It runs in its own scratch folder, build/scratch/NAME. The target fast_tests builds those that are fast. One that
# starts threads says so, is labelled threads as well and built by threads_tests: the thread sanitizer sees no others.
add_custom_target(fast_tests)
add_custom_target(threads_tests)
function(linnet_test name)
  cmake_parse_arguments(T "THREADS" "TIER" "SOURCES;LIBS" ${ARGN})
  linnet_program(${name} SOURCES ${T_SOURCES} LIBS ${T_LIBS} cmocka)
  target_include_directories(${name} PRIVATE ${PROJECT_BINARY_DIR}/include/tests)
  set_target_properties(${name} PROPERTIES LINNET_THREAD_STACK ON)
  file(MAKE_DIRECTORY ${PROJECT_BINARY_DIR}/scratch/${name})
  add_test(NAME ${name} COMMAND ${name} WORKING_DIRECTORY ${PROJECT_BINARY_DIR}/scratch/${name})
  set_tests_properties(${name} PROPERTIES LABELS ${T_TIER} TIMEOUT 300)
  if(T_TIER STREQUAL fast)
    add_dependencies(fast_tests ${name})
  endif()
  if(T_THREADS)
    set_property(TEST ${name} APPEND PROPERTY LABELS threads)
    add_dependencies(threads_tests ${name})
  else()
    target_link_libraries(${name} PRIVATE linnet_one_thread)
  endif()
endfunction()

# linnet_fuzzer(NAME SOURCES ... LIBS ...): a libFuzzer harness; built only with clang and -DLINNET_FUZZ=ON.
function(linnet_fuzzer name)
  if(NOT LINNET_FUZZ)
    return()
  endif()
  cmake_parse_arguments(F "" "" "SOURCES;LIBS" ${ARGN})
  linnet_program(${name} SOURCES ${F_SOURCES} LIBS ${F_LIBS})
  target_compile_options(${name} PRIVATE -fsanitize=fuzzer)
  # libFuzzer declares its entry point in no header. A source's options come last, after the shared flags.
  set_source_files_properties(${F_SOURCES} PROPERTIES COMPILE_OPTIONS -Wno-missing-prototypes)
  target_link_options(${name} PRIVATE -fsanitize=fuzzer)
endfunction()
