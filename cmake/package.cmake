# package.cmake: what `cmake --install` puts where, and the Debian package (`cpack -G DEB`).
include(GNUInstallDirs)
set(BEIGE_MAINTAINER "The Beige authors <beige@example.org>" CACHE STRING "Maintainer field of the Debian package")
set(assets ${CMAKE_CURRENT_LIST_DIR}/package)

install(TARGETS beige RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(FILES ${assets}/beige.svg DESTINATION ${CMAKE_INSTALL_DATADIR}/icons/hicolor/scalable/apps)
install(FILES ${assets}/beige.desktop DESTINATION ${CMAKE_INSTALL_DATADIR}/applications)
install(FILES README.md SECURITY.md CHANGELOG.md DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(DIRECTORY docs/ DESTINATION ${CMAKE_INSTALL_DOCDIR}/docs)
install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR} RENAME copyright)

# The program prints its own manual from its option table. A cross build would need an emulator to ask it.
find_program(GZIP gzip)
if(GZIP AND (NOT CMAKE_CROSSCOMPILING OR CMAKE_CROSSCOMPILING_EMULATOR))
  set(man ${CMAKE_BINARY_DIR}/beige.1.gz)
  set(changes ${CMAKE_BINARY_DIR}/changelog)
  string(TIMESTAMP now "%a, %d %b %Y %H:%M:%S +0000" UTC)      # or $SOURCE_DATE_EPOCH
  file(WRITE ${changes} "beige (${PROJECT_VERSION}) unstable; urgency=medium

  * See CHANGELOG.md.

 -- ${BEIGE_MAINTAINER}  ${now}
")
  add_custom_command(OUTPUT ${man}
    COMMAND beige --man > ${CMAKE_BINARY_DIR}/beige.1
    COMMAND ${GZIP} -9nf ${CMAKE_BINARY_DIR}/beige.1
    DEPENDS beige VERBATIM)
  add_custom_command(OUTPUT ${changes}.gz COMMAND ${GZIP} -9nkf ${changes} DEPENDS ${changes} VERBATIM)
  add_custom_target(manual ALL DEPENDS ${man} ${changes}.gz)
  install(FILES ${man} DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
  install(FILES ${changes}.gz DESTINATION ${CMAKE_INSTALL_DOCDIR})
endif()

set(CPACK_PACKAGE_NAME beige)
set(CPACK_PACKAGE_VENDOR "The Beige authors")
set(CPACK_PACKAGE_CONTACT ${BEIGE_MAINTAINER})
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "x86 PC emulator in software, the same on every run")
set(CPACK_DEBIAN_PACKAGE_DESCRIPTION "Beige is a PC of the i440FX generation built entirely in software. It boots
operating systems from floppy, hard disk, CD or directly, in a window or on
a serial console, without hardware virtualization and on any host.
.
The same inputs give the same run, instruction by instruction. A machine can
be saved, loaded, hashed, scripted with timed inputs, and driven by QMP.")
set(CPACK_GENERATOR DEB)
set(CPACK_STRIP_FILES ON)
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION otherosfs)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_DEPENDS "seabios, libsdl2-2.0-0")
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS
  OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
include(CPack)
