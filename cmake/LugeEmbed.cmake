# Compiles the Lua modules in: one C file with the text of each (text, not
# bytecode, so that tracebacks have lines), as src/core/embed.h declares it.
#
# Included, this file defines luge_embed(directory output). Run as a script
# (cmake -DDIRECTORY= -DPATHS= -DOUTPUT= -P), it writes the file: that is the
# command which the function adds to the build.
cmake_minimum_required(VERSION 3.22)

if(NOT CMAKE_SCRIPT_MODE_FILE)
  set(luge_embed_script "${CMAKE_CURRENT_LIST_FILE}")

  function(luge_embed directory output)
    file(GLOB_RECURSE modules CONFIGURE_DEPENDS "${directory}/*.lua")
    # The list is a dependency of its own: a module that is gone must go.
    file(CONFIGURE OUTPUT "${output}.list" CONTENT "${modules}" @ONLY)
    add_custom_command(
      OUTPUT "${output}"
      COMMAND "${CMAKE_COMMAND}" "-DDIRECTORY=${directory}"
              "-DPATHS=${output}.list" "-DOUTPUT=${output}"
              -P "${luge_embed_script}"
      DEPENDS ${modules} "${output}.list" "${luge_embed_script}"
      COMMENT "Embedding the Lua modules"
      VERBATIM)
    # Compilers need not take strings as long as a module; ours do.
    set_source_files_properties("${output}" PROPERTIES
      COMPILE_OPTIONS "-Wno-overlength-strings")
  endfunction()
  return()
endif()

# lua/luge/init.lua is "luge", lua/luge/internal/x.lua "luge.internal.x".
function(module_name variable path)
  file(RELATIVE_PATH name "${DIRECTORY}" "${path}")
  string(REGEX REPLACE "(/init)?\\.lua$" "" name "${name}")
  string(REPLACE "/" "." name "${name}")
  set(${variable} "${name}" PARENT_SCOPE)
endfunction()

# One line of Lua to one C string, so that the result can be read and compared.
# Lines of comment are left empty and lines of code begin at their first word:
# two thirds of the size, and the same numbers.
function(c_string variable path)
  file(READ "${path}" text)
  if(text MATCHES "--\\[=*\\[")
    message(FATAL_ERROR "${path}: comments of several lines are not taken out")
  endif()
  string(REGEX REPLACE "\n[ \t]*--[^\n]*" "\n" text "\n${text}")
  string(SUBSTRING "${text}" 1 -1 text)
  if(NOT text MATCHES "\\[\\[") # no strings of several lines
    string(REGEX REPLACE "\n +" "\n" text "${text}")
  endif()
  string(REPLACE "\\" "\\\\" text "${text}")
  string(REPLACE "\"" "\\\"" text "${text}")
  string(REPLACE "?" "\\?" text "${text}") # or ??= would be a trigraph
  string(REPLACE "\r" "\\r" text "${text}")
  string(REPLACE "\n" "\\n\"\n  \"" text "${text}")
  set(${variable} "\"${text}\"" PARENT_SCOPE)
endfunction()

file(READ "${PATHS}" paths)
set(names "")
foreach(path IN LISTS paths)
  module_name(name "${path}")
  if(name IN_LIST names)
    message(FATAL_ERROR "two files make the module ${name}: one is ${path}")
  endif()
  list(APPEND names "${name}")
  set("path_of_${name}" "${path}")
endforeach()
list(SORT names) # byte by byte, as strcmp does: the lookup is a binary search

set(sources "")
set(rows "")
foreach(name IN LISTS names)
  string(MAKE_C_IDENTIFIER "${name}" symbol)
  c_string(text "${path_of_${name}}")
  string(APPEND sources "static const char ${symbol}[] =\n  ${text};\n\n")
  string(APPEND rows "  {\"${name}\", ${symbol}, sizeof ${symbol} - 1},\n")
endforeach()

file(WRITE "${OUTPUT}" "/* Made from lua/ by cmake/LugeEmbed.cmake. */
#include \"core/embed.h\"

#include <stddef.h>

${sources}const struct luge_embedded luge__embedded[] = {
${rows}  {NULL, NULL, 0},
};
")
