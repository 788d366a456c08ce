# One CTest test per file, each its own process, named by its path:
#   tests/unit/*_test.c      C, against libluge and its private headers
#   tests/embed/*_test.c     C, against luge.h and the shared library
#   examples/embed/*.c       the same; also against the installed package
#   tests/lua/**/*_test.lua  run by the command
#   tests/command/*_test.sh  the command from outside, in the shell; and in C
#   tests/command/*_test.c   where that takes signals or terminals
#   tests/clock/*            timers and stores while the wall clock is set
#   tests/regress/*          one file per bug, C or Lua
#   examples/**/*.lua        run as they are, without a key; what they print is
#                            compared with what they say they print
# Files below a folder named `long` take minutes: label `long`.
#
# On a machine that is busy with other things a test may take many times its few
# seconds. A limit that is far away costs nothing but where something hangs, and
# that is told by `luge test`, with where it waits.
set(test_timeout 900)
set(test_patience 10)

# Where scripts/setup puts the model server that others wrote.
set(cache "$ENV{XDG_CACHE_HOME}")
if(NOT cache)
  set(cache "$ENV{HOME}/.cache")
endif()

# A leak, a data race or undefined behaviour fails the test that met it.
set(test_environment
  "ASAN_OPTIONS=detect_leaks=1:strict_string_checks=1"
  "UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1"
  "TSAN_OPTIONS=halt_on_error=1:second_deadlock_stack=1:suppressions=${PROJECT_SOURCE_DIR}/tests/tsan.supp"
  "LUGE=${PROJECT_BINARY_DIR}/luge"
  "LUGE_LLMOCK=${cache}/luge/test-tools/bin/llmock")

# luge_add_test(path command...)
function(luge_add_test path)
  luge_test_name(name "${path}")
  add_test(NAME "${name}" COMMAND ${ARGN}
           WORKING_DIRECTORY "${PROJECT_SOURCE_DIR}")
  set_tests_properties("${name}" PROPERTIES
    TIMEOUT ${test_timeout} ENVIRONMENT "${test_environment}")
  if(name MATCHES "(^|/)long/")
    set_tests_properties("${name}" PROPERTIES LABELS long TIMEOUT 3600)
  endif()
endfunction()

# tests/unit/json_test.c is the test "unit/json_test".
function(luge_test_name variable path)
  file(RELATIVE_PATH name "${PROJECT_SOURCE_DIR}" "${path}")
  string(REGEX REPLACE "^tests/|\\.[a-z]+$" "" name "${name}")
  set(${variable} "${name}" PARENT_SCOPE)
endfunction()

# luge_add_program(variable path library...): a test's executable.
function(luge_add_program variable path)
  luge_test_name(name "${path}")
  string(MAKE_C_IDENTIFIER "${name}" target)
  add_executable(${target} "${path}")
  set_target_properties(${target} PROPERTIES
    RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/tests")
  target_link_libraries(${target} PRIVATE ${ARGN} luge_link_settings)
  set(${variable} ${target} PARENT_SCOPE)
endfunction()

# luge_add_embedder(variable path): one that uses luge.h and nothing else of ours.
function(luge_add_embedder variable path)
  luge_add_program(target "${path}" luge_shared luge_headers luge_libraries)
  target_compile_options(${target} PRIVATE
    $<TARGET_PROPERTY:luge_settings,INTERFACE_COMPILE_OPTIONS>)
  set(${variable} ${target} PARENT_SCOPE)
endfunction()

# luge_add_module(name path): a shared library that a test loads or preloads.
function(luge_add_module name path)
  add_library(${name} MODULE "${path}")
  set_target_properties(${name} PROPERTIES
    C_VISIBILITY_PRESET default
    PREFIX "" LIBRARY_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/tests")
  target_link_libraries(${name} PRIVATE luge_settings luge_headers)
endfunction()

file(GLOB_RECURSE unit_tests CONFIGURE_DEPENDS
     tests/unit/*_test.c tests/regress/*.c)
if(NOT CMAKE_SYSTEM_NAME STREQUAL "Linux") # where one may stand before libc
  list(FILTER unit_tests EXCLUDE REGEX "/disk_faults_test\\.c$")
endif()
foreach(path IN LISTS unit_tests)
  luge_add_program(target "${path}"
                   luge_settings luge_headers luge_static luge_libraries)
  if(path MATCHES "/disk_faults_test\\.c$")
    set_target_properties(${target} PROPERTIES ENABLE_EXPORTS ON)
  endif()
  luge_add_test("${path}" ${target})
endforeach()

file(GLOB embed_tests CONFIGURE_DEPENDS
     tests/embed/*_test.c tests/embed/long/*_test.c)
foreach(path IN LISTS embed_tests)
  luge_add_embedder(target "${path}")
  luge_add_test("${path}" ${target})
endforeach()

file(GLOB_RECURSE lua_tests CONFIGURE_DEPENDS
     tests/lua/*_test.lua tests/regress/*.lua)
foreach(path IN LISTS lua_tests)
  luge_add_test("${path}" luge_command test
                --patience ${test_patience} "${path}")
  luge_test_name(name "${path}")
  set_tests_properties("${name}" PROPERTIES # all of it, that is
    SKIP_REGULAR_EXPRESSION "\n0 passed, 0 failed, [1-9][0-9]* skipped")
endforeach()

file(GLOB command_tests CONFIGURE_DEPENDS tests/command/*_test.sh)
foreach(path IN LISTS command_tests)
  luge_add_test("${path}" sh "${path}")
endforeach()
file(GLOB command_c_tests CONFIGURE_DEPENDS tests/command/*_test.c)
foreach(path IN LISTS command_c_tests)
  luge_add_program(target "${path}" luge_settings)
  target_sources(${target} PRIVATE tests/support/process.c)
  luge_add_test("${path}" ${target})
endforeach()

file(GLOB_RECURSE examples CONFIGURE_DEPENDS examples/*.lua)
list(FILTER examples EXCLUDE REGEX "/examples/embed/") # for programs in C
foreach(path IN LISTS examples)
  luge_add_test("${path}" luge_command tests/support/example.lua "${path}")
endforeach()

# Programs that embed luge, built here against the shared library; run.cmake
# below builds them as their users would.
pkg_check_modules(GLIB QUIET IMPORTED_TARGET glib-2.0)
file(GLOB embed_examples CONFIGURE_DEPENDS examples/embed/*.c)
foreach(path IN LISTS embed_examples)
  get_filename_component(name "${path}" NAME_WE)
  if(name STREQUAL "glib_loop" AND NOT GLIB_FOUND)
    message(STATUS "No GLib: examples/embed/glib_loop is left out")
    continue()
  endif()
  luge_add_embedder(target "${path}")
  if(name STREQUAL "glib_loop")
    target_link_libraries(${target} PRIVATE PkgConfig::GLIB)
  endif()
  string(REGEX REPLACE "\\.c$" ".lua" script "${path}")
  if(NOT EXISTS "${script}")
    set(script)
  endif()
  luge_add_test("${path}" ${target} ${script})
endforeach()

# A program that loads the shared library by itself, and stands before libc.
if(CMAKE_SYSTEM_NAME STREQUAL "Linux")
  set(path "${PROJECT_SOURCE_DIR}/tests/plugin/unload_test.c")
  luge_add_program(target "${path}" luge_settings luge_headers ${CMAKE_DL_LIBS})
  set_target_properties(${target} PROPERTIES ENABLE_EXPORTS ON)
  luge_add_test("${path}" ${target} $<TARGET_FILE:luge_shared>)
endif()

# A C module that `require` finds in a file.
luge_add_module(probe tests/cmodule/probe.c)
if(APPLE)
  target_link_options(probe PRIVATE -undefined dynamic_lookup)
endif()
luge_add_test("${PROJECT_SOURCE_DIR}/tests/cmodule/probe_test.lua"
  luge_command tests/cmodule/probe_test.lua)
set_property(TEST cmodule/probe_test APPEND PROPERTY
  ENVIRONMENT "LUA_CPATH=${PROJECT_BINARY_DIR}/tests/?.so")

# Libraries that are preloaded: a disk that hangs, and a wall clock that is set
# while timers run and stores are used.
if(CMAKE_SYSTEM_NAME STREQUAL "Linux" AND NOT LUGE_SANITIZE)
  luge_add_module(hang tests/support/hang.c)
  set_property(TEST command/signals_test APPEND PROPERTY
    ENVIRONMENT "LUGE_HANG=$<TARGET_FILE:hang>")
  luge_add_module(clock_jump tests/clock/jump.c)
  foreach(name jump_test store_test)
    foreach(jump 86400 -86400)
      add_test(NAME "clock/${name} ${jump}" COMMAND
        ${CMAKE_COMMAND} -E env "CLOCK_JUMP=${jump}"
        "LD_PRELOAD=$<TARGET_FILE:clock_jump>" $<TARGET_FILE:luge_command>
        "${PROJECT_SOURCE_DIR}/tests/clock/${name}.lua")
      set_tests_properties("clock/${name} ${jump}" PROPERTIES
        TIMEOUT ${test_timeout})
    endforeach()
  endforeach()
endif()

# What `cmake --install` leaves serves programs of others, in C and in C++.
if(CMAKE_BUILD_TYPE STREQUAL "Release")
  luge_add_test("${PROJECT_SOURCE_DIR}/tests/install/run.cmake"
    ${CMAKE_COMMAND} "-DBUILD=${PROJECT_BINARY_DIR}"
    "-DGENERATOR=${CMAKE_GENERATOR}" "-DCC=${CMAKE_C_COMPILER}"
    -P "${PROJECT_SOURCE_DIR}/tests/install/run.cmake")
endif()

# Each tests/fuzz/NAME_fuzz.c defines LLVMFuzzerTestOneInput. With LUGE_FUZZ it
# becomes a libFuzzer program, for scripts/fuzz; otherwise a test that runs it
# on its corpus, tests/fuzz/corpus/NAME.
file(GLOB fuzz_targets CONFIGURE_DEPENDS tests/fuzz/*_fuzz.c)
foreach(path IN LISTS fuzz_targets)
  luge_add_program(target "${path}"
                   luge_settings luge_headers luge_static luge_libraries)
  if(LUGE_FUZZ)
    target_link_options(${target} PRIVATE -fsanitize=fuzzer)
  else()
    target_sources(${target} PRIVATE tests/fuzz/run_corpus.c)
    string(REGEX REPLACE "_fuzz\\.c$" "" corpus "${path}")
    get_filename_component(corpus "${corpus}" NAME)
    set(corpus "${PROJECT_SOURCE_DIR}/tests/fuzz/corpus/${corpus}")
    if(IS_DIRECTORY "${corpus}")
      luge_add_test("${path}" ${target} "${corpus}")
    endif()
  endif()
endforeach()
