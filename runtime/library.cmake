# SPDX-License-Identifier: Apache-2.0
# The runtime as others get it: headers, liblinnet.so and liblinnet.a, linnet.pc, the package for find_package.
#
# Both libraries are made of the objects of linnet_runtime, the one that this tree's programs and tests link, in which
# nothing is closed to them. What is exported is what LN_API marks. While the version begins with 0, each minor
# version has a SONAME of its own (liblinnet.so.0.1); from 1.0 on, each major one.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

if(PROJECT_VERSION_MAJOR EQUAL 0)
  set(linnet_abi ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR})
else()
  set(linnet_abi ${PROJECT_VERSION_MAJOR})
endif()

# Headers: the tree includes its own as "runtime/x.h", everybody else as <linnet/x.h>.
set(public_headers api.h crash.h file.h group.h inspect.h linnet.h node.h socket.h supervisor.h text.h trace.h io/io.h io/sim.h io/uring.h)
set(public_root ${PROJECT_BINARY_DIR}/include/public)
set(public_outputs "")
file(MAKE_DIRECTORY ${public_root}/linnet/io)
foreach(header ${public_headers})
  set(output ${public_root}/linnet/${header})
  add_custom_command(OUTPUT ${output} DEPENDS ${header}
    COMMAND sed "s|^#include \"runtime/\\(.*\\)\"|#include <linnet/\\1>|" ${CMAKE_CURRENT_SOURCE_DIR}/${header} > ${output}
    VERBATIM)
  list(APPEND public_outputs ${output})
endforeach()
add_custom_target(linnet_headers ALL DEPENDS ${public_outputs})

# The manual, written from the headers, where there is a Python: nothing else needs one to build.
find_program(MANUAL_PYTHON python3)
if(MANUAL_PYTHON)
  set(manual ${PROJECT_BINARY_DIR}/man/man3)
  set(manual_headers ${public_outputs})
  list(REMOVE_ITEM manual_headers ${public_root}/linnet/api.h)
  add_custom_command(OUTPUT ${manual}/linnet.3 DEPENDS manual.py ${public_outputs}
    COMMAND ${MANUAL_PYTHON} ${CMAKE_CURRENT_SOURCE_DIR}/manual.py --out ${manual} --root ${public_root} ${manual_headers}
    VERBATIM)
  add_custom_target(linnet_manual ALL DEPENDS ${manual}/linnet.3)
  install(DIRECTORY ${manual} DESTINATION ${CMAKE_INSTALL_MANDIR} COMPONENT library)
endif()

# A sanitizer's runtime belongs to the program: a library that is installed has none.
if(LINNET_SANITIZE OR LINNET_FUZZ)
  return()
endif()

# Objects: the wrappers of LMDB's calls belong to simulated programs of this tree, not into the library.
set(objects "$<FILTER:$<TARGET_OBJECTS:linnet_runtime>,EXCLUDE,sim_wrap>")

add_library(linnet_shared SHARED ${objects})
set_target_properties(linnet_shared PROPERTIES
  OUTPUT_NAME linnet VERSION ${PROJECT_VERSION} SOVERSION ${linnet_abi} LINKER_LANGUAGE C)
target_link_options(linnet_shared PRIVATE
  -Wl,--exclude-libs,ALL -Wl,-Bsymbolic-functions -Wl,-z,defs -Wl,-z,relro
  -Wl,--version-script=${CMAKE_CURRENT_SOURCE_DIR}/linnet.map)
target_link_libraries(linnet_shared PRIVATE PkgConfig::URING ${CK_LIBRARY} Threads::Threads)

# One object, in which what is hidden is local: a program may have a mailbox_push of its own.
add_custom_command(OUTPUT liblinnet.a DEPENDS linnet_runtime ${objects}
  COMMAND ${CMAKE_LINKER} -r -o liblinnet.o ${objects}
  COMMAND ${CMAKE_OBJCOPY} --localize-hidden ${linnet_shared_code} liblinnet.o
  COMMAND ${CMAKE_COMMAND} -E rm -f liblinnet.a
  COMMAND ${CMAKE_AR} rcs liblinnet.a liblinnet.o
  COMMAND_EXPAND_LISTS VERBATIM)
add_custom_target(linnet_static ALL DEPENDS ${CMAKE_CURRENT_BINARY_DIR}/liblinnet.a)

set(pc_folder ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
set(cmake_folder ${CMAKE_INSTALL_LIBDIR}/cmake/linnet)
# From there back to the prefix, so that an installed tree may be moved.
file(RELATIVE_PATH linnet_prefix_from_pc /prefix/${pc_folder} /prefix)
file(RELATIVE_PATH linnet_prefix_from_cmake /prefix/${cmake_folder} /prefix)
configure_file(linnet.pc.in linnet.pc @ONLY)
configure_file(linnet-config.cmake.in linnet-config.cmake @ONLY)
write_basic_package_version_file(linnet-config-version.cmake COMPATIBILITY SameMinorVersion)

install(TARGETS linnet_shared DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT library)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/liblinnet.a DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT library)
install(DIRECTORY ${public_root}/linnet DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT library)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/linnet.pc DESTINATION ${pc_folder} COMPONENT library)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/linnet-config.cmake ${CMAKE_CURRENT_BINARY_DIR}/linnet-config-version.cmake
  DESTINATION ${cmake_folder} COMPONENT library)
