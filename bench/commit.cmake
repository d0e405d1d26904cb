# SPDX-License-Identifier: Apache-2.0
# Writes which commit is built into a source, where the sources are a git repository; touches it only when it changes.
#
#     cmake -D SOURCE=FOLDER -D OUT=FILE -P commit.cmake
cmake_minimum_required(VERSION 3.25)
find_program(GIT git)
set(commit "")
if(GIT)
  execute_process(COMMAND ${GIT} -C ${SOURCE} describe --always --dirty --abbrev=12 --exclude=*
    OUTPUT_VARIABLE commit ERROR_QUIET OUTPUT_STRIP_TRAILING_WHITESPACE)
endif()
file(CONFIGURE OUTPUT ${OUT} CONTENT "#include \"bench/commit.h\"\n\nconst char bench_commit[] = \"@commit@\";\n" @ONLY)
