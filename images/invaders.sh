#!/bin/bash
# invaders.sh - GRUB Invaders on a CD that goes straight into the game.   usage: images/invaders.sh OUTDIR
set -euo pipefail
. "$(dirname "$0")/lib.sh"
OUT=$(mkdir -p "$1" && cd "$1" && pwd)
need guests || die "the tools for this guest are missing"
fetch amd64 grub-invaders
R=$OUT/iso; rm -rf "$R"; mkdir -p "$R/boot/grub"
cp "$CACHE/pkg/amd64/grub-invaders/boot/invaders.exec" "$R/boot/"
printf 'set timeout=0\nmenuentry "Invaders" { multiboot /boot/invaders.exec }\n' > "$R/boot/grub/grub.cfg"
say "invaders: CD image"
grub-mkrescue -d /usr/lib/grub/i386-pc -o "$OUT/invaders.iso" "$R" -- -volid INVADERS >"$OUT/grub.log" 2>&1 || { cat "$OUT/grub.log" >&2; exit 1; }
rm -rf "$R"
