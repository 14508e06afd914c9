// v86 in Node, as a peer of ./run:  node v86.mjs PACKAGE DISK MEGABYTES
// PACKAGE is the folder of the npm package "v86". Boots DISK with SeaBIOS; the serial port goes to standard output, a byte
// at a time, so that the reader can time it. There is no way out from inside: ./run ends the process.
import { readFileSync, writeSync } from "node:fs";

const [folder, disk, megabytes] = process.argv.slice(2);
const { V86 } = await import(`${folder}/build/libv86.mjs`);
const file = name => ({ buffer: new Uint8Array(readFileSync(name)).buffer });

const machine = new V86({
    wasm_path: `${folder}/build/v86.wasm`,
    bios: file("/usr/share/seabios/bios.bin"),
    vga_bios: file("/usr/share/seabios/vgabios-stdvga.bin"),
    hda: file(disk),
    boot_order: 0x312,                  // hard disk first
    memory_size: megabytes * 2 ** 20,
    vga_memory_size: 8 * 2 ** 20,
    disable_speaker: true,
    autostart: true,
});
machine.add_listener("serial0-output-byte", byte => writeSync(1, Uint8Array.of(byte)));
