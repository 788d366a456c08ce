# One CTest test per file, each its own process, named by its path:
#   tests/unit/*_test.c      C, against libluge and its private headers
#   tests/lua/**/*_test.lua  run by the command
#   tests/regress/*          one file per bug, C or Lua
set(test_timeout 30)
if(LUGE_SANITIZE OR LUGE_GCSTRESS)
  set(test_timeout 120)
endif()

# A leak, a data race or undefined behaviour fails the test that met it.
set(test_environment
  "ASAN_OPTIONS=detect_leaks=1:strict_string_checks=1"
  "UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1"
  "TSAN_OPTIONS=halt_on_error=1:second_deadlock_stack=1"
  "LUGE=$<$<TARGET_EXISTS:luge_command>:$<TARGET_FILE:luge_command>>")

function(luge_add_test name)
  add_test(NAME "${name}" COMMAND ${ARGN}
           WORKING_DIRECTORY "${PROJECT_SOURCE_DIR}")
  set_tests_properties("${name}" PROPERTIES
    TIMEOUT ${test_timeout} ENVIRONMENT "${test_environment}")
endfunction()

# tests/unit/json_test.c is the test "unit/json_test".
function(luge_test_name variable path)
  file(RELATIVE_PATH name "${PROJECT_SOURCE_DIR}/tests" "${path}")
  string(REGEX REPLACE "\\.[a-z]+$" "" name "${name}")
  set(${variable} "${name}" PARENT_SCOPE)
endfunction()

file(GLOB unit_tests CONFIGURE_DEPENDS
     tests/unit/*_test.c tests/regress/*.c)
foreach(path IN LISTS unit_tests)
  luge_test_name(name "${path}")
  string(MAKE_C_IDENTIFIER "${name}" target)
  add_executable(${target} "${path}")
  set_target_properties(${target} PROPERTIES
    RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/tests")
  target_link_libraries(${target} PRIVATE
    luge_settings luge_headers luge_static luge_libraries luge_link_settings)
  luge_add_test("${name}" ${target})
endforeach()

if(TARGET luge_command)
  file(GLOB_RECURSE lua_tests CONFIGURE_DEPENDS
       tests/lua/*_test.lua tests/regress/*.lua)
  foreach(path IN LISTS lua_tests)
    luge_test_name(name "${path}")
    luge_add_test("${name}" luge_command "${path}")
  endforeach()
endif()
