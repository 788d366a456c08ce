# luge_embed(directory output): compiles the Lua modules below `directory` into
# the C file `output`; cmake/embed.c says how.
add_executable(luge_embed cmake/embed.c)
target_link_libraries(luge_embed PRIVATE ${ZLIB_LIBRARY})
target_include_directories(luge_embed SYSTEM PRIVATE ${ZLIB_INCLUDE_DIRS})

function(luge_embed directory output)
  file(GLOB_RECURSE modules CONFIGURE_DEPENDS "${directory}/*.lua")
  # The list is a dependency of its own: a module that is gone must go.
  file(CONFIGURE OUTPUT "${output}.list" CONTENT "${modules}" @ONLY)
  add_custom_command(
    OUTPUT "${output}"
    COMMAND luge_embed "${output}" "${directory}" "${output}.list"
    DEPENDS ${modules} "${output}.list" luge_embed
    COMMENT "Embedding the Lua modules"
    VERBATIM)
endfunction()
