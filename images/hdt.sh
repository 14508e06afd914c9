#!/bin/bash
# hdt.sh - a 2.88 MB floppy with SYSLINUX and its Hardware Detection Tool.   usage: images/hdt.sh OUTDIR
set -euo pipefail
. "$(dirname "$0")/lib.sh"
OUT=$(mkdir -p "$1" && cd "$1" && pwd)
need guests || die "the tools for this guest are missing"
fetch amd64 syslinux-common pci.ids
S=$CACHE/pkg/amd64/syslinux-common/usr/lib/syslinux/modules/bios
F=$OUT/hdt.img
say "hdt: floppy image"
rm -f "$F"; truncate -s 2949120 "$F"; mkfs.fat -F 12 -n HDT "$F" >/dev/null
syslinux --install "$F"
for m in libcom32 libutil libmenu libgpl hdt; do mcopy -i "$F" "$S/$m.c32" ::; done
mcopy -i "$F" "$CACHE/pkg/amd64/pci.ids/usr/share/misc/pci.ids" ::pci.ids
printf 'DEFAULT hdt\nPROMPT 0\nLABEL hdt\n COM32 hdt.c32\n' > "$OUT/syslinux.cfg"
mcopy -i "$F" "$OUT/syslinux.cfg" ::
