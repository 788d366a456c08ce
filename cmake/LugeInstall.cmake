# cmake --install: the command, the header, both libraries, type files for
# lua-language-server, luge.pc for pkg-config, and a CMake package with luge::luge
# (shared) and luge::static.
include(CMakePackageConfigHelpers)
set(package_dir "${CMAKE_INSTALL_LIBDIR}/cmake/luge")

install(TARGETS luge_command RUNTIME)
set_target_properties(luge_shared PROPERTIES EXPORT_NAME luge)
set_target_properties(luge_static PROPERTIES EXPORT_NAME static)
# Installed, they name their own dependencies, as lugeConfig.cmake finds them.
# luge.h includes Lua's and libuv's headers, so these come with both.
foreach(library luge_shared luge_static)
  target_link_libraries(${library} INTERFACE
    $<INSTALL_INTERFACE:PkgConfig::LUGE_LUA>
    $<INSTALL_INTERFACE:PkgConfig::LUGE_UV>)
endforeach()
target_link_libraries(luge_static INTERFACE
  $<INSTALL_INTERFACE:PkgConfig::LUGE_ZLIB>
  $<INSTALL_INTERFACE:${parser_name}>
  $<INSTALL_INTERFACE:Threads::Threads>
  $<INSTALL_INTERFACE:${CMAKE_DL_LIBS}>
  $<INSTALL_INTERFACE:m>)
install(TARGETS luge_shared luge_static EXPORT luge
        LIBRARY ARCHIVE INCLUDES DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(FILES include/luge.h TYPE INCLUDE)
install(FILES LICENSE TYPE DOC)
install(DIRECTORY types DESTINATION "${CMAKE_INSTALL_DATADIR}/luge")

install(EXPORT luge NAMESPACE luge:: DESTINATION "${package_dir}")
configure_package_config_file(cmake/lugeConfig.cmake.in lugeConfig.cmake
                              INSTALL_DESTINATION "${package_dir}")
write_basic_package_version_file(lugeConfigVersion.cmake
                                 COMPATIBILITY SameMinorVersion)
install(FILES "${PROJECT_BINARY_DIR}/lugeConfig.cmake"
              "${PROJECT_BINARY_DIR}/lugeConfigVersion.cmake"
        DESTINATION "${package_dir}")

# luge.pc finds its prefix from where it is, so that `cmake --install --prefix`
# may choose another; unless the packager has said where each folder is.
set(pc_libdir "\${prefix}/${CMAKE_INSTALL_LIBDIR}")
set(pc_includedir "\${prefix}/${CMAKE_INSTALL_INCLUDEDIR}")
if(IS_ABSOLUTE "${CMAKE_INSTALL_LIBDIR}" OR
   IS_ABSOLUTE "${CMAKE_INSTALL_INCLUDEDIR}")
  set(pc_prefix "${CMAKE_INSTALL_PREFIX}")
  set(pc_libdir "${CMAKE_INSTALL_FULL_LIBDIR}")
  set(pc_includedir "${CMAKE_INSTALL_FULL_INCLUDEDIR}")
else()
  file(RELATIVE_PATH up "/${CMAKE_INSTALL_LIBDIR}/pkgconfig" "/")
  set(pc_prefix "\${pcfiledir}/${up}")
endif()
configure_file(cmake/luge.pc.in luge.pc @ONLY)
install(FILES "${PROJECT_BINARY_DIR}/luge.pc"
        DESTINATION "${CMAKE_INSTALL_LIBDIR}/pkgconfig")
