#!/bin/bash
# installer.sh - Debian's graphical installer, from its package for network boot.   usage: images/installer.sh OUTDIR
# Makes OUTDIR/vmlinuz, initrd.gz (-kernel, -initrd; wants -m 1024) and logo.png, the picture that it shows at the top.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
OUT=$(mkdir -p "$1" && cd "$1" && pwd)
need guests || die "the tools for this guest are missing"
fetch amd64 debian-installer-12-netboot-i386
FROM=$CACHE/pkg/amd64/debian-installer-12-netboot-i386/usr/lib/debian-installer/images/12/i386/gtk/debian-installer/i386
cp "$FROM/linux" "$OUT/vmlinuz"
cp "$FROM/initrd.gz" "$OUT/initrd.gz"
( cd "$OUT" && zcat initrd.gz | cpio -i --quiet --to-stdout usr/share/graphics/logo_debian.png > logo.png )
