# luge_embed(output table directory file...): compiles files below `directory`,
# Lua modules for instance, into the C file `output`, which has them in `table`;
# cmake/embed.c says how.
add_executable(luge_embed cmake/embed.c)
target_link_libraries(luge_embed PRIVATE ${ZLIB_LIBRARY})
target_include_directories(luge_embed SYSTEM PRIVATE ${ZLIB_INCLUDE_DIRS})

function(luge_embed output table directory)
  # The list is a dependency of its own: a module that is gone must go.
  file(CONFIGURE OUTPUT "${output}.list" CONTENT "${ARGN}" @ONLY)
  add_custom_command(
    OUTPUT "${output}"
    COMMAND luge_embed "${output}" "${directory}" "${output}.list" ${table}
    DEPENDS ${ARGN} "${output}.list" luge_embed
    COMMENT "Embedding ${directory}"
    VERBATIM)
endfunction()

# luge_concatenate(output file...): one file after the other.
function(luge_concatenate output)
  get_filename_component(directory "${output}" DIRECTORY)
  file(MAKE_DIRECTORY "${directory}")
  add_custom_command(
    OUTPUT "${output}"
    COMMAND ${CMAKE_COMMAND} "-DOUTPUT=${output}" "-DFILES=${ARGN}"
            -P "${PROJECT_SOURCE_DIR}/cmake/concatenate.cmake"
    DEPENDS ${ARGN} "${PROJECT_SOURCE_DIR}/cmake/concatenate.cmake"
    COMMENT "Concatenating ${output}"
    VERBATIM)
endfunction()
