# Installs the build in the directory BUILD under a prefix of its own, then
# builds and runs the programs beside this file against it: found by CMake, and
# by pkg-config with the compiler CC.
cmake_minimum_required(VERSION 3.22)

function(run)
  execute_process(COMMAND ${ARGN} RESULT_VARIABLE status
                  OUTPUT_VARIABLE output ERROR_VARIABLE output)
  if(NOT status EQUAL 0)
    message(FATAL_ERROR "${ARGN}\n${output}\nexit status: ${status}")
  endif()
endfunction()

set(source "${CMAKE_CURRENT_LIST_DIR}")
set(work "${BUILD}/tests/install")
set(prefix "${work}/prefix")
file(REMOVE_RECURSE "${work}")

run("${CMAKE_COMMAND}" --install "${BUILD}" --prefix "${prefix}" --strip)
run("${prefix}/bin/luge" -e "assert(require 'luge')")

run("${CMAKE_COMMAND}" -S "${source}" -B "${work}/build" -G "${GENERATOR}"
    "-DCMAKE_PREFIX_PATH=${prefix}" "-DCMAKE_BUILD_TYPE=Debug"
    "-DCMAKE_C_FLAGS=-Wall -Wextra -Wpedantic -Wshadow -Werror"
    "-DCMAKE_CXX_FLAGS=-Wall -Wextra -Wpedantic -Wshadow -Werror")
run("${CMAKE_COMMAND}" --build "${work}/build")
foreach(program shared static cxx)
  run("${work}/build/${program}")
endforeach()

set(examples "${source}/../../examples/embed")
run("${CMAKE_COMMAND}" -S "${examples}" -B "${work}/examples" -G "${GENERATOR}"
    "-DCMAKE_PREFIX_PATH=${prefix}" "-DCMAKE_BUILD_TYPE=Release"
    "-DCMAKE_C_FLAGS=-Wall -Wextra -Wpedantic -Wshadow -Werror")
run("${CMAKE_COMMAND}" --build "${work}/examples")
foreach(program minimal pool glib_loop)
  if(EXISTS "${work}/examples/${program}") # glib_loop: where there is GLib
    run("${work}/examples/${program}")
  endif()
endforeach()
run("${work}/examples/sandbox_server" "${examples}/sandbox_server.lua")

file(GLOB_RECURSE pc_file "${prefix}/luge.pc")
get_filename_component(pc_directory "${pc_file}" DIRECTORY)
get_filename_component(lib_directory "${pc_directory}" DIRECTORY)
set(ENV{PKG_CONFIG_PATH} "${pc_directory}:$ENV{PKG_CONFIG_PATH}")
set(ENV{LD_LIBRARY_PATH} "${lib_directory}:$ENV{LD_LIBRARY_PATH}")
set(ENV{DYLD_LIBRARY_PATH} "${lib_directory}:$ENV{DYLD_LIBRARY_PATH}")
execute_process(COMMAND pkg-config --cflags --libs luge
                OUTPUT_VARIABLE flags COMMAND_ERROR_IS_FATAL ANY)
separate_arguments(flags UNIX_COMMAND "${flags}")
run("${CC}" "${source}/consumer.c" -o "${work}/found" ${flags})
run("${work}/found")

# Packagers say where libraries go by a path that is absolute.
run("${CMAKE_COMMAND}" -S "${source}/../.." -B "${work}/absolute"
    -G "${GENERATOR}" "-DCMAKE_C_COMPILER=${CC}" "-DBUILD_TESTING=OFF"
    "-DCMAKE_INSTALL_PREFIX=/opt/luge" "-DCMAKE_INSTALL_LIBDIR=/opt/luge/lib64")
file(READ "${work}/absolute/luge.pc" text)
if(NOT text MATCHES "libdir=/opt/luge/lib64\nincludedir=/opt/luge/include\n")
  message(FATAL_ERROR "luge.pc has other folders than were asked for:\n${text}")
endif()
