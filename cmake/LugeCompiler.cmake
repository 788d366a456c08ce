# How our own sources are compiled and linked, as two targets:
#   luge_settings       language, warnings, definitions, sanitizers
#   luge_link_settings  the linker's part of them, for what links our objects
set(CMAKE_C_STANDARD 11)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS OFF)
set(CMAKE_C_VISIBILITY_PRESET hidden)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

# Without this, CMake leaves the choice of a position-independent executable to
# the compiler's default.
include(CheckPIESupported)
check_pie_supported(LANGUAGES C)

if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "Kind of build" FORCE)
endif()
set(CMAKE_C_FLAGS_RELEASE "-O2 -DNDEBUG")

add_library(luge_settings INTERFACE)
add_library(luge_link_settings INTERFACE)

target_include_directories(luge_settings INTERFACE
  "${PROJECT_SOURCE_DIR}/include" "${PROJECT_SOURCE_DIR}/src")
target_compile_definitions(luge_settings INTERFACE
  _GNU_SOURCE=1
  $<$<BOOL:${LUGE_DEV}>:LUGE_DEV=1>
  $<$<BOOL:${LUGE_GCSTRESS}>:LUGE_GCSTRESS=1>)
target_compile_options(luge_settings INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wstrict-prototypes -Wmissing-prototypes
  -Wpointer-arith -Wwrite-strings -Wundef -Wvla -Wformat=2
  $<$<BOOL:${LUGE_WERROR}>:-Werror>
  $<$<CONFIG:Release>:-ffunction-sections -fdata-sections
    -fno-asynchronous-unwind-tables
    # Places that are only jumped to are a hundredth of the code in padding.
    $<$<C_COMPILER_ID:GNU>:-fno-align-jumps>>)

if(APPLE)
  target_link_options(luge_link_settings INTERFACE
    $<$<CONFIG:Release>:-Wl,-dead_strip>)
else()
  target_link_options(luge_link_settings INTERFACE
    $<$<CONFIG:Release>:-Wl,--gc-sections>)
endif()

if(LUGE_SANITIZE)
  target_compile_options(luge_settings INTERFACE
    -fsanitize=${LUGE_SANITIZE} -fno-sanitize-recover=all
    -fno-omit-frame-pointer)
  target_link_options(luge_link_settings INTERFACE -fsanitize=${LUGE_SANITIZE})
  if(LUGE_SANITIZE STREQUAL "thread" AND CMAKE_C_COMPILER_ID STREQUAL "GNU")
    # Lua's library leaves functions by __longjmp_chk, which ThreadSanitizer does
    # not see: its own notes of who called whom would grow until they overflow.
    target_compile_options(luge_settings INTERFACE
      --param=tsan-instrument-func-entry-exit=0)
  endif()
endif()
