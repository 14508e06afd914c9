#!/bin/bash
# grub-floppy.sh - the GRUB rescue floppy.   usage: images/grub-floppy.sh OUTDIR   makes OUTDIR/grub-floppy.img
set -euo pipefail
. "$(dirname "$0")/lib.sh"
mkdir -p "$1"
fetch amd64 grub-rescue-pc
cp "$CACHE/pkg/amd64/grub-rescue-pc/usr/lib/grub-rescue/grub-rescue-floppy.img" "$1/grub-floppy.img"
