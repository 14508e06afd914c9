/* The inside of struct machine: private to machine/. */
#ifndef MACHINE_PC_H
#define MACHINE_PC_H

#include "cpu/cpu.h"
#include "devices/apic_bus.h"
#include "devices/device.h"
#include "machine/machine.h"

struct machine {
    struct machine_config cfg;
    char *cpu_model;                     /* copies of the configuration's strings that outlive the caller's */
    struct log *log;
    struct clock clock;
    struct ram_space ram;
    struct phys_map mem;
    struct port_map ports;
    struct board board;
    struct cpu *cpu;
    struct apic_bus apic_bus;

    struct ram_block *main_ram, *rom, *vram;
    struct region rom_high, video_rom;

    /* Chips that something other than the board's wires talks to: inputs, drives, the screen. */
    struct device *lapic, *kbd, *mouse, *rtc, *pm, *vga, *fdc, *fw_cfg;
    struct pci_bus *pci;
    struct device *ide_drive[MACHINE_IDE];
    struct device *pic_master;

    /* What a device or the CPU asked for; the run loop acts on it between instructions. */
    bool want_reset, want_stop;
    uint64_t guest_resets;               /* how often the guest asked for one: the frontend tells its clients */
    enum stop_reason end;                /* STOP_LIMIT: nothing ended the run */
    uint8_t exit_value;
    char stop_text[640];
    struct surface display;
    struct machine_checkpoint *checkpoint;   /* that the snapshot's dirty marks are since; NULL: none (checkpoint.c) */
};

/* pc.c: puts the board together. False and *e where firmware is missing or an option does not fit. */
bool pc_build(struct machine *m, struct error *e);
/* What the board's reset does besides that of its chips, which it comes before: -boot once= has been. */
void pc_reset(struct machine *m);
#endif
