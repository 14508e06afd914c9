# What the cross toolchain files share. The target's own packages (Check, zlib, nettle, cJSON) come from a folder that
# cmake/cross-packages.sh filled:
#
#   cmake/cross-packages.sh s390x build-s390x/packages
#   cmake -G Ninja -B build-s390x -DCMAKE_TOOLCHAIN_FILE=cmake/s390x.cmake \
#         -DBEIGE_CROSS_PACKAGES=$PWD/build-s390x/packages -DCMAKE_BUILD_TYPE=Portable -DBEIGE_MINIMAL=ON
#   ninja -C build-s390x tests && ctest --test-dir build-s390x
set(CMAKE_C_COMPILER ${BEIGE_CROSS_TRIPLET}-gcc)
set(BEIGE_SANITIZE OFF CACHE BOOL "The target's sanitizer runtimes do not work under qemu-user")
set(BEIGE_CROSS_PACKAGES "" CACHE PATH "Unpacked packages of the target")
list(APPEND CMAKE_TRY_COMPILE_PLATFORM_VARIABLES BEIGE_CROSS_PACKAGES)

set(loader_path /usr/${BEIGE_CROSS_TRIPLET})
set(CMAKE_CROSSCOMPILING_EMULATOR ${BEIGE_CROSS_EMULATOR};-L;${loader_path})
if(BEIGE_CROSS_PACKAGES)
  set(libraries ${BEIGE_CROSS_PACKAGES}/usr/lib/${BEIGE_CROSS_TRIPLET})
  set(libraries_root ${BEIGE_CROSS_PACKAGES}/lib/${BEIGE_CROSS_TRIPLET})
  set(ENV{PKG_CONFIG_LIBDIR} ${libraries}/pkgconfig:${BEIGE_CROSS_PACKAGES}/usr/share/pkgconfig)
  set(ENV{PKG_CONFIG_SYSROOT_DIR} ${BEIGE_CROSS_PACKAGES})
  set(CMAKE_FIND_ROOT_PATH ${BEIGE_CROSS_PACKAGES})
  set(CMAKE_PREFIX_PATH ${BEIGE_CROSS_PACKAGES}/usr)
  list(APPEND CMAKE_CROSSCOMPILING_EMULATOR -E LD_LIBRARY_PATH=${libraries}:${libraries_root})
  # Debian puts the target's headers beside those of the host, in a folder per architecture.
  add_compile_options("SHELL:-isystem ${BEIGE_CROSS_PACKAGES}/usr/include/${BEIGE_CROSS_TRIPLET}"
                      "SHELL:-isystem ${BEIGE_CROSS_PACKAGES}/usr/include")
  add_link_options(-L${libraries} -L${libraries_root} -Wl,-rpath-link,${libraries}:${libraries_root})
else()
  set(ENV{PKG_CONFIG_LIBDIR} ${loader_path}/lib/pkgconfig)
endif()
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
