# What luge is built on, as three targets:
#   luge_headers            what every source file may include
#   luge_libraries          what libluge links
#   luge_command_libraries  what the command links: the same, as archives where
#                           there are any, which spares it the dynamic loader
#
# libcurl, SQLite and libedit are never linked: they are loaded when first needed,
# because loading them and their dependencies takes longer than all the rest of
# the start.
find_package(Threads REQUIRED)

# Homebrew keeps these out of the way of the system's own, which may be too old.
if(APPLE)
  execute_process(COMMAND brew --prefix OUTPUT_VARIABLE brew_prefix
                  OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
  foreach(formula lua@5.4 curl sqlite zlib libedit)
    if(IS_DIRECTORY "${brew_prefix}/opt/${formula}")
      list(APPEND CMAKE_PREFIX_PATH "${brew_prefix}/opt/${formula}")
    endif()
  endforeach()
endif()
find_package(PkgConfig REQUIRED)

# Debian calls it lua5.4, others lua-5.4 or just lua.
pkg_search_module(LUA REQUIRED
  "lua5.4>=5.4.0" "lua-5.4>=5.4.0" "lua54>=5.4.0" "lua>=5.4.0")
if(LUA_VERSION VERSION_GREATER_EQUAL 5.5)
  message(FATAL_ERROR "luge needs Lua 5.4, not ${LUA_VERSION}")
endif()
pkg_check_modules(UV REQUIRED "libuv>=1.43")
pkg_check_modules(CURL REQUIRED "libcurl>=7.81")
pkg_check_modules(ZLIB REQUIRED zlib)
pkg_check_modules(SQLITE REQUIRED "sqlite3>=3.35")

find_library(LUA_LIBRARY NAMES lua5.4 lua-5.4 lua54 lua REQUIRED
             HINTS ${LUA_LIBRARY_DIRS} ${LUA_LIBDIR})
find_library(UV_LIBRARY NAMES uv REQUIRED HINTS ${UV_LIBRARY_DIRS})
find_library(CURL_LIBRARY NAMES curl REQUIRED HINTS ${CURL_LIBRARY_DIRS})
find_library(ZLIB_LIBRARY NAMES z REQUIRED HINTS ${ZLIB_LIBRARY_DIRS})
find_library(SQLITE_LIBRARY NAMES sqlite3 REQUIRED HINTS ${SQLITE_LIBRARY_DIRS})
find_path(EDIT_INCLUDE_DIR histedit.h REQUIRED)
find_library(EDIT_LIBRARY NAMES edit REQUIRED)

# llhttp is the maintained one; http_parser 2.9 is what older systems have.
find_path(LLHTTP_INCLUDE_DIR llhttp.h)
find_library(LLHTTP_LIBRARY NAMES llhttp)
if(LLHTTP_INCLUDE_DIR AND LLHTTP_LIBRARY)
  set(parser LLHTTP)
  set(parser_name llhttp)
else()
  find_path(HTTP_PARSER_INCLUDE_DIR http_parser.h REQUIRED)
  find_library(HTTP_PARSER_LIBRARY NAMES http_parser REQUIRED)
  set(parser HTTP_PARSER)
  set(parser_name http_parser)
endif()
message(STATUS "HTTP parser: ${${parser}_LIBRARY}")

# The name under which the dynamic loader finds the shared library at `path`. On
# macOS it looks for bare names in /usr/lib, which has the system's own, of which
# only a stub is seen here (.tbd); Homebrew's are named with their path.
function(luge_soname variable path)
  file(REAL_PATH "${path}" real)
  get_filename_component(name "${real}" NAME)
  if(NOT APPLE)
    string(REGEX REPLACE "^(.+\\.so\\.[0-9]+).*$" "\\1" name "${name}")
  elseif(name MATCHES "^(.+)\\.tbd$")
    set(name "${CMAKE_MATCH_1}.dylib")
  else()
    set(name "${path}")
  endif()
  set(${variable} "${name}" PARENT_SCOPE)
endfunction()
luge_soname(curl_soname "${CURL_LIBRARY}")
luge_soname(sqlite_soname "${SQLITE_LIBRARY}")
luge_soname(edit_soname "${EDIT_LIBRARY}")

add_library(luge_headers INTERFACE)
target_include_directories(luge_headers SYSTEM INTERFACE
  ${LUA_INCLUDE_DIRS} ${UV_INCLUDE_DIRS} ${CURL_INCLUDE_DIRS}
  ${ZLIB_INCLUDE_DIRS} ${SQLITE_INCLUDE_DIRS} ${${parser}_INCLUDE_DIR})
target_compile_definitions(luge_headers INTERFACE
  LUGE_HAVE_${parser}=1
  LUGE_CURL_SONAME="${curl_soname}"
  LUGE_SQLITE_SONAME="${sqlite_soname}")

add_library(luge_libraries INTERFACE)
target_link_libraries(luge_libraries INTERFACE
  ${LUA_LIBRARY} ${UV_LIBRARY} ${${parser}_LIBRARY} ${ZLIB_LIBRARY}
  Threads::Threads ${CMAKE_DL_LIBS} m)

# The archive of a library found above, or the shared library itself.
function(luge_archive variable shared)
  get_filename_component(directory "${shared}" DIRECTORY)
  set(${variable} "${shared}" PARENT_SCOPE)
  if(LUGE_STATIC_DEPS)
    find_file(${variable}_FILE NAMES ${ARGN} HINTS "${directory}"
              PATH_SUFFIXES lib NO_CACHE)
    if(${variable}_FILE)
      set(${variable} "${${variable}_FILE}" PARENT_SCOPE)
    endif()
  endif()
endfunction()
luge_archive(lua_archive "${LUA_LIBRARY}"
             liblua5.4.a liblua-5.4.a liblua54.a liblua.a)
luge_archive(uv_archive "${UV_LIBRARY}" libuv_a.a libuv.a)
luge_archive(parser_archive "${${parser}_LIBRARY}" lib${parser_name}.a)
luge_archive(zlib_archive "${ZLIB_LIBRARY}" libz.a)

add_library(luge_command_libraries INTERFACE)
target_include_directories(luge_command_libraries SYSTEM INTERFACE
  ${EDIT_INCLUDE_DIR})
target_compile_definitions(luge_command_libraries INTERFACE
  LUGE_EDIT_SONAME="${edit_soname}")
find_library(CJSON_ARCHIVE NAMES liblua5.4-cjson.a)
if(CJSON_ARCHIVE)
  target_compile_definitions(luge_command_libraries INTERFACE LUGE_HAVE_CJSON=1)
  target_link_libraries(luge_command_libraries INTERFACE ${CJSON_ARCHIVE})
else()
  message(STATUS "lua-cjson's archive is missing: `require \"cjson\"` will "
                 "look for a shared one")
endif()
target_link_libraries(luge_command_libraries INTERFACE
  ${lua_archive} ${uv_archive} ${parser_archive} ${zlib_archive}
  Threads::Threads ${CMAKE_DL_LIBS} m)
message(STATUS "The command links ${lua_archive} ${uv_archive} "
               "${parser_archive} ${zlib_archive}")
