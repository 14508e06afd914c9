#!/bin/bash
# memtest.sh - memtest86+ from Debian's package.   usage: images/memtest.sh OUTDIR   makes OUTDIR/memtest.bin (-kernel)
set -euo pipefail
. "$(dirname "$0")/lib.sh"
mkdir -p "$1"
fetch amd64 memtest86+
cp "$CACHE/pkg/amd64/memtest86+/boot/memtest86+ia32.bin" "$1/memtest.bin"
