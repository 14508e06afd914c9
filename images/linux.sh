#!/bin/bash
# linux.sh - Debian's i686 kernel with a busybox shell, in three shapes.
#   usage: images/linux.sh OUTDIR
#   makes  OUTDIR/vmlinuz OUTDIR/initrd.gz   for -kernel and -initrd
#          OUTDIR/disk.img                   hard disk: SYSLINUX on a FAT partition, and an ext4 partition
#          OUTDIR/linux.iso                  CD: ISOLINUX
# The guest says GUEST-UP on serial and on the screen, has a shell on both, mounts the partitions under /mnt, and powers
# off by `poweroff`.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
OUT=$(mkdir -p "$1" && cd "$1" && pwd)
MODULES="crc32c_generic ata_piix ata_generic sd_mod sr_mod isofs ext4 vfat nls_cp437 nls_ascii nls_iso8859-1 floppy psmouse evdev"
need guests || die "the tools for this guest are missing"
fetch i386 linux-image-686 busybox-static

K=$CACHE/pkg/i386/linux-image-686
V=$(basename "$K"/lib/modules/*)
cp "$K/boot/vmlinuz-$V" "$OUT/vmlinuz"

# modules.dep is made at installation; it is made here from the modules themselves.
M=$K/lib/modules/$V
needed() {      # needed MODULE : the module's file after those of all that it depends on
  local f d name=${1//_/[-_]}
  f=$(find "$M/kernel" -name "$name.ko" | head -1)
  [ -n "$f" ] || return 0                                        # built in
  for d in $(strings -a "$f" 2>/dev/null | sed -n 's/^depends=//p' | tr ',' ' '); do needed "$d"; done
  # soft dependencies that ext4 and others name
  for d in $(strings -a "$f" 2>/dev/null | sed -n 's/^softdep=pre: *//p'); do needed "${d//-/_}"; done
  echo "$f"
}

say "linux: initial RAM disk ($V)"
R=$OUT/root; rm -rf "$R"
mkdir -p "$R"/{bin,sbin,etc,proc,sys,dev,tmp,root,mnt/fat,mnt/ext4,mnt/cd,lib/modules}
cp "$CACHE/pkg/i386/busybox-static/bin/busybox" "$R/bin/"
ln -s bin/busybox "$R/init"
n=0
for m in $MODULES; do needed "$m"; done | awk '!seen[$0]++' | while read -r f; do
  n=$((n + 1)); cp "$f" "$R/lib/modules/$(printf '%02d' $n)-$(basename "$f")"
done
cat > "$R/etc/inittab" <<'I'
::sysinit:/etc/rcS
ttyS0::respawn:/bin/busybox sh -l
tty1::respawn:/bin/busybox sh -l
::ctrlaltdel:/bin/busybox reboot
::shutdown:/bin/busybox umount -a -r
I
cat > "$R/etc/profile" <<'I'
export PATH=/bin:/sbin HOME=/root PS1='guest# '
cd /root
I
cat > "$R/etc/rcS" <<'I'
#!/bin/busybox sh
/bin/busybox --install -s /bin
export PATH=/bin:/sbin
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev 2>/dev/null
for m in /lib/modules/*.ko; do insmod "$m" 2>/dev/null; done
i=0
while [ ! -e /dev/sda ] && [ ! -e /dev/sr0 ] && [ $i -lt 20 ]; do usleep 50000; i=$((i + 1)); done
[ -e /dev/sda1 ] && mount -t vfat /dev/sda1 /mnt/fat 2>/dev/null
[ -e /dev/sda2 ] && mount -t ext4 /dev/sda2 /mnt/ext4 2>/dev/null
[ -e /dev/sr0 ] && mount -t iso9660 -o ro /dev/sr0 /mnt/cd 2>/dev/null
say() { echo "$*" > /dev/tty1; echo "$*" > /dev/ttyS0; }
say "$(grep -m1 'model name' /proc/cpuinfo | cut -d: -f2-), $(grep MemTotal /proc/meminfo | tr -s ' ')"
say "$(uname -srm)"
say "GUEST-UP $(cut -d' ' -f1 /proc/uptime)"
I
chmod +x "$R/etc/rcS"
# A fixed owner, date and order: the same packages give the same bytes.
(cd "$R" && find . -exec touch -h -d @1000000000 {} + && find . | LC_ALL=C sort | cpio -o -H newc --quiet -R 0:0 --reproducible) |
  gzip -9n > "$OUT/initrd.gz"

say "linux: hard disk image"
D=$OUT/disk.img; rm -f "$D"; truncate -s 64M "$D"
printf 'label: dos\nlabel-id: 0xbe19e001\nstart=2048, size=65536, type=e, bootable\nstart=67584, size=63488, type=83\n' | sfdisk -q "$D"
dd if=/usr/lib/syslinux/mbr/mbr.bin of="$D" bs=440 count=1 conv=notrunc status=none
mkfs.fat -F 16 -i be19e001 --offset 2048 "$D" 32768 >/dev/null 2>&1
syslinux --install --offset 1048576 "$D"
printf 'DEFAULT linux\nPROMPT 0\nSERIAL 0 115200\nLABEL linux\n LINUX /vmlinuz\n INITRD /initrd.gz\n APPEND console=tty0 console=ttyS0,115200 quiet cryptomgr.notests\n' > "$OUT/syslinux.cfg"
for f in vmlinuz initrd.gz syslinux.cfg; do mcopy -o -i "$D@@1048576" "$OUT/$f" "::/$f"; done
rm -rf "$OUT/ext4"; mkdir -p "$OUT/ext4"; echo "a file on ext4" > "$OUT/ext4/hello.txt"
mke2fs -q -F -t ext4 -U be19e001-0000-4000-8000-000000000001 -L beige -d "$OUT/ext4" -E offset=34603008 "$D" 31744k

say "linux: CD image"
I=$OUT/iso; rm -rf "$I"; mkdir -p "$I/isolinux"
cp /usr/lib/ISOLINUX/isolinux.bin /usr/lib/syslinux/modules/bios/ldlinux.c32 "$I/isolinux/"
cp "$OUT/vmlinuz" "$OUT/initrd.gz" "$I/isolinux/"
printf 'DEFAULT linux\nPROMPT 0\nSERIAL 0 115200\nLABEL linux\n LINUX vmlinuz\n INITRD initrd.gz\n APPEND console=tty0 console=ttyS0,115200 quiet cryptomgr.notests\n' > "$I/isolinux/isolinux.cfg"
xorriso -as mkisofs -quiet -V BEIGE -o "$OUT/linux.iso" -b isolinux/isolinux.bin -c isolinux/boot.cat -no-emul-boot \
  -boot-load-size 4 -boot-info-table "$I" 2>/dev/null
rm -rf "$I" "$R" "$OUT/ext4"
