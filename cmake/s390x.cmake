# Debian's cross compiler for IBM Z, the big-endian host; tests run under qemu-user. See cross.cmake.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR s390x)
set(BEIGE_CROSS_TRIPLET s390x-linux-gnu)
set(BEIGE_CROSS_EMULATOR qemu-s390x)
include(${CMAKE_CURRENT_LIST_DIR}/cross.cmake)
