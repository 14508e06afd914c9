# Debian's cross compiler for 64-bit ARM; tests run under qemu-user. See cross.cmake.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(BEIGE_CROSS_TRIPLET aarch64-linux-gnu)
set(BEIGE_CROSS_EMULATOR qemu-aarch64)
include(${CMAKE_CURRENT_LIST_DIR}/cross.cmake)
