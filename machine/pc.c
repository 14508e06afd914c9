/* The board: which chip is on which port, interrupt and DMA channel. This file is to be read as a schematic.
 *
 * It is a PC of the 440FX generation: 82441FX host bridge, PIIX3 with its IDE function, PIIX4 power management, the usual
 * ISA chips, an I/O APIC and a HPET. Order of creation = order of reset = order in a saved machine = who goes first among
 * timers due at one instant. docs/board.txt draws it as a tree. */
#include "machine/pc.h"

#include <assert.h>
#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "bios/bios.h"
#include "devices/ata_disk.h"
#include "devices/atapi_cd.h"
#include "devices/debug_exit.h"
#include "devices/debugcon.h"
#include "devices/fw_cfg.h"
#include "devices/hpet.h"
#include "devices/i440fx.h"
#include "devices/i8042.h"
#include "devices/i82077.h"
#include "devices/i8237.h"
#include "devices/i8254.h"
#include "devices/i8259.h"
#include "devices/ioapic_82093.h"
#include "devices/lapic.h"
#include "devices/mc146818.h"
#include "devices/ns16550a.h"
#include "devices/parport.h"
#include "devices/piix3.h"
#include "devices/piix4_pm.h"
#include "devices/piix_ide.h"
#include "devices/port61.h"
#include "devices/port92.h"
#include "devices/portf0.h"
#include "devices/ps2_kbd.h"
#include "devices/ps2_mouse.h"
#include "devices/vga.h"
#include "machine/wires.h"

/* ---- what the chips ask of the CPU and the machine -------------------------------------------------------------------- */

static uint8_t pc_extint(void *opaque) { return i8259_intack(((struct machine *)opaque)->pic_master); }

static uint8_t pc_intack(void *opaque)
{
    struct machine *m = opaque;
    return m->lapic ? lapic_intack(m->lapic) : i8259_intack(m->pic_master);
}

static void pc_apic_base(void *opaque, uint64_t msr)
{
    struct machine *m = opaque;
    if (m->lapic) lapic_set_base(m->lapic, msr);
}

/* RESET of the CPU alone (8042 output port, port 92h). The BIOS tells by CMOS byte 0Fh, the shutdown byte, what a CPU that
 * starts over is to do: 0 is a reboot, which begins with resetting the board; anything else is a 286's way back from
 * protected mode, where every chip must keep its state. */
static void pc_cpu_reset(void *opaque, unsigned pin, bool level)
{
    struct machine *m = opaque;
    (void)pin;
    if (!level) return;
    if (mc146818_cmos(m->rtc, 0x0f) == 0) {
        m->want_reset = true;
        cpu_kick(m->cpu);
    } else {
        struct irq_line init = m->lapic ? lapic_init_pin(m->lapic) : cpu_pin(m->cpu, CPU_PIN_INIT);
        irq_pulse(&init);
    }
}

/* IRQ8 wakes a sleeping board. */
static void pc_rtc_wake(void *opaque, unsigned pin, bool level)
{
    struct machine *m = opaque;
    (void)pin;
    if (level) piix4_pm_rtc(m->pm);
}

/* A triple fault: the 440FX answers the CPU's shutdown cycle with a reset. */
static void pc_cpu_shutdown(void *opaque)
{
    struct machine *m = opaque;
    if (m->cfg.no_reboot) {
        m->end = STOP_TRIPLE_FAULT;
        snprintf(m->stop_text, sizeof m->stop_text, "the guest crashed: triple fault at linear address %08" PRIx64,
                 cpu_linear_ip(m->cpu));
    } else {
        m->want_reset = true;
    }
    cpu_kick(m->cpu);
}

static void pc_clock_earlier(void *opaque) { cpu_kick(((struct machine *)opaque)->cpu); }

static void pc_request(void *opaque, struct device *from, enum board_request what, uint64_t value)
{
    struct machine *m = opaque;
    switch (what) {
    case BOARD_RESET:
        m->want_reset = true;
        break;
    case BOARD_POWER_OFF:
        m->end = STOP_POWER_OFF;
        snprintf(m->stop_text, sizeof m->stop_text, "the guest powered off");
        break;
    case BOARD_DEBUG_EXIT:
        m->end = STOP_DEBUG_EXIT;
        m->exit_value = (uint8_t)value;
        break;
    case BOARD_HOST_FAILED:
        m->end = STOP_HOST_FAILED;
        snprintf(m->stop_text, sizeof m->stop_text, "%s: %s", from->id, host_status_text((enum host_status)value));
        break;
    }
    cpu_kick(m->cpu);
}

/* ---- memory and firmware ---------------------------------------------------------------------------------------------- */

static bool pc_memory(struct machine *m, struct error *e)
{
    struct bios_image rom = { 0 };
    if (bios_load_firmware(m->cfg.bios, m->cfg.lib_dir, &rom, e) != HOST_OK) return false;
    m->main_ram = ram_create(&m->ram, "ram", m->cfg.ram_size, false, true);
    m->rom = ram_create(&m->ram, "bios", rom.size, true, false);
    if (m->main_ram && m->rom) memcpy(m->rom->data, rom.data, rom.size);
    bios_image_free(&rom);
    if (m->main_ram && m->rom) return true;
    error_set(e, HOST_NO_MEMORY, "not enough memory for %" PRIu64 " MiB of RAM", m->cfg.ram_size >> 20);
    return false;
}

/* A CPU with 24 address lines starts at FFFFF0h: the ROM answers below 16 MiB, too. */
static void pc_rom_below_16m(struct machine *m)
{
    if (m->mem.addr_mask != 0xffffff) return;
    m->rom_high = (struct region){ .name = "bios-16m", .base = 0x1000000 - m->rom->size, .size = m->rom->size, .prio = PRIO_ROM,
                                   .enabled = true, .reads = true, .block = m->rom };
    region_add(&m->mem, &m->rom_high);
}

/* A BIOS of the user's own looks for the video BIOS where an ISA adapter has it: one from before PCI knows no other place. */
static void pc_isa_video_rom(struct machine *m, struct ram_block *rom, uint64_t size)
{
    if (!m->cfg.bios) return;
    m->video_rom = (struct region){ .name = "vgabios.isa", .base = 0xc0000, .size = (size + 0xfff) & ~0xfffull, .prio = PRIO_ROM,
                                    .enabled = true, .reads = true, .block = rom };
    region_add(&m->mem, &m->video_rom);
}

static bool pc_video(struct machine *m, struct pci_bus *pci, struct error *e)
{
    struct bios_image image = { 0 };
    struct ram_block *rom = NULL;
    if (!m->cfg.vga) return true;
    m->vram = ram_create(&m->ram, "vram", VGA_VRAM_SIZE, false, true);
    if (!m->cfg.bios || m->cfg.lib_dir) {              /* a ROM of the user's own may bring its own video BIOS */
        if (bios_load_option_rom("vgabios-stdvga.bin", m->cfg.lib_dir, &image, e) != HOST_OK) return false;
    } else {
        struct error ignored;
        if (bios_load_option_rom("vgabios-stdvga.bin", NULL, &image, &ignored) != HOST_OK) image.size = 0;
    }
    if (image.size && image.size <= VGA_ROM_SIZE && (rom = ram_create(&m->ram, "vgabios", VGA_ROM_SIZE, true, false))) {
        memcpy(rom->data, image.data, image.size);
        pc_isa_video_rom(m, rom, image.size);
    }
    bios_image_free(&image);
    if (!m->vram) {
        error_set(e, HOST_NO_MEMORY, "not enough memory for the display adapter");
        return false;
    }
    m->vga = vga_create(&m->board, "vga", &(struct vga_pins){ .bus = pci, .slot = 2, .vram = m->vram, .rom = rom });
    return true;
}

/* A hard disk's geometry, as type 47 (19h on); and in 39h, 2 bits a drive, how the BIOS is to make heads of cylinders: 0 not at
 * all, 1 by the size (255 heads from 4 GiB on). SeaBIOS reads the latter only, others both. */
static void pc_cmos_disks(struct machine *m)
{
    uint8_t translation = 0;
    for (unsigned i = 0; i < MACHINE_IDE; i++) {
        unsigned cylinders, heads, sectors;
        if (!m->ide_drive[i] || m->cfg.ide[i].cdrom) continue;
        ata_disk_geometry(m->ide_drive[i], &cylinders, &heads, &sectors);
        if (cylinders > 1024) translation |= (uint8_t)(1u << 2 * i);
        if (i >= 2) continue;
        const uint8_t low = (uint8_t)cylinders, high = (uint8_t)(cylinders >> 8);
        const uint8_t info[9] = { low, high, (uint8_t)heads, 0xff, 0xff, (uint8_t)(heads > 8 ? 0xc8 : 0xc0), low, high,
                                  (uint8_t)sectors };
        mc146818_set_cmos(m->rtc, 0x19 + i, 47);
        for (unsigned n = 0; n < sizeof info; n++) mc146818_set_cmos(m->rtc, 0x1b + i * 9 + n, info[n]);
    }
    mc146818_set_cmos(m->rtc, 0x39, translation);
}

/* The boot order as three digits, where a BIOS of the user's own may look for it: SeaBIOS has it in a file. */
static unsigned pc_boot_digits(const struct machine *m, bool first)
{
    static const char letters[] = "acdn";
    const char *order = m->cfg.boot_once && first ? m->cfg.boot_once : m->cfg.boot_order ? m->cfg.boot_order : "cad";
    unsigned digits = 0;
    for (unsigned n = 0; n < 3 && order[n]; n++) {
        const char *at = strchr(letters, order[n]);
        if (at) digits |= (unsigned)(at - letters + 1) << 4 * n;
    }
    return m->cfg.bios ? digits : 0;
}

static void pc_cmos_boot(struct machine *m, bool first)
{
    unsigned boot = pc_boot_digits(m, first);
    mc146818_set_cmos(m->rtc, 0x38, (uint8_t)(boot >> 4 & 0xf0) | 0x01);            /* third digit; no signature check */
    mc146818_set_cmos(m->rtc, 0x3d, (uint8_t)boot);
}

void pc_reset(struct machine *m)
{
    if (m->cfg.bios && m->cfg.boot_once && !fw_cfg_was_reset(m->fw_cfg)) pc_cmos_boot(m, false);
}

/* What the AT's BIOS keeps in CMOS about memory and drives (SeaBIOS reads these, older systems too). */
static void pc_cmos(struct machine *m)
{
    uint64_t kib = m->cfg.ram_size >> 10;
    uint64_t ext = kib > 1024 ? kib - 1024 : 0, ext_max = ext < 0xffff ? ext : 0xffff;
    uint64_t high = kib > 16384 ? (kib - 16384) / 64 : 0;
    unsigned a = i82077_drive_type(m->fdc, 0), b = i82077_drive_type(m->fdc, 1), floppies = (a != 0) + (b != 0);
    const struct { uint8_t index, value; } bytes[] = {
        { 0x10, (uint8_t)(a << 4 | b) },                                            /* floppy types */
        { 0x12, (uint8_t)((m->cfg.ide[0].present && !m->cfg.ide[0].cdrom ? 0xf0 : 0) |
                          (m->cfg.ide[1].present && !m->cfg.ide[1].cdrom ? 0x0f : 0)) },
        { 0x14, (uint8_t)(0x06 | (floppies ? 1 | (floppies - 1) << 6 : 0)) },       /* FPU, mouse, floppies */
        { 0x15, 0x80 }, { 0x16, 0x02 },                                             /* 640 KiB */
        { 0x17, (uint8_t)ext_max }, { 0x18, (uint8_t)(ext_max >> 8) },
        { 0x30, (uint8_t)ext_max }, { 0x31, (uint8_t)(ext_max >> 8) },
        { 0x34, (uint8_t)high }, { 0x35, (uint8_t)(high >> 8) },                    /* above 16 MiB, in 64 KiB */
        { 0x5f, 0 },                                                                /* CPUs - 1 */
    };
    pc_cmos_disks(m);
    pc_cmos_boot(m, true);
    for (unsigned i = 0; i < sizeof bytes / sizeof bytes[0]; i++) mc146818_set_cmos(m->rtc, bytes[i].index, bytes[i].value);
    mc146818_set_checksum(m->rtc);
}

static bool parse_uuid(const char *text, uint8_t out[16])
{
    static const char form[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
    if (strlen(text) != sizeof form - 1) return false;
    for (const char *p = text, *f = form; *p; p++, f++)
        if (*f == '-' ? *p != '-' : !isxdigit((unsigned char)*p)) return false;
    for (unsigned n = 0; n < 16; n++) {
        unsigned v;
        text += *text == '-';
        if (sscanf(text, "%2x", &v) != 1) return false;
        out[n] = (uint8_t)v;
        text += 2;
    }
    return true;
}

static bool pc_firmware_items(struct machine *m, struct error *e)
{
    struct bios_items items = { 0 };
    uint8_t uuid[16];
    struct bios_config c = {
        .ram_size = m->cfg.ram_size, .cpus = 1,
        .cpu_mhz = (uint32_t)(cpu_tsc_hz(m->cpu) / 1000000), .cpu_name = m->cpu_model, .apic = m->lapic != NULL, .hpet = true,
        .boot_order = m->cfg.boot_order, .boot_once = m->cfg.boot_once, .boot_menu = m->cfg.boot_menu,
        .nographic = !m->vga, .name = m->cfg.name,
        .kernel = m->cfg.kernel, .initrd = m->cfg.initrd, .append = m->cfg.append, .log = m->log,
    };
    c.cpu_signature = cpu_signature(m->cpu, &c.cpu_features);
    if (m->cfg.uuid) {
        if (!parse_uuid(m->cfg.uuid, uuid)) {
            error_set(e, HOST_BAD_FORMAT, "-uuid %s: not a UUID", m->cfg.uuid);
            return false;
        }
        c.uuid = uuid;
    }
    for (unsigned i = 0; i < MACHINE_IDE; i++) {
        c.ide[i] = m->cfg.ide[i].present;
        c.ide_cdrom[i] = m->cfg.ide[i].cdrom;
    }
    /* SeaBIOS polls an empty floppy drive for 5 s a try, since no index pulse ever ends the command: boot from it last. */
    for (unsigned i = 0; i < MACHINE_FLOPPIES; i++) c.floppy[i] = i82077_blk(m->fdc, i) != NULL;
    for (unsigned i = 0; i < MACHINE_SERIALS; i++) c.serial[i] = m->cfg.serial[i];
    for (unsigned i = 0; i < MACHINE_PARALLELS; i++) c.parallel[i] = m->cfg.parallel[i];
    bool ok = bios_build(&c, &items, e) == HOST_OK;
    for (unsigned i = 0; ok && i < items.len; i++) {
        const struct bios_item *it = &items.item[i];
        if (it->until_reset) fw_cfg_until_reset(m->fw_cfg, it->name, it->data, it->len);
        else if (it->name[0]) fw_cfg_add_file(m->fw_cfg, it->name, it->data, it->len);
        else fw_cfg_add(m->fw_cfg, it->key, it->data, it->len);
    }
    bios_items_free(&items);
    for (unsigned i = 0; ok && i < m->cfg.fw_files; i++)
        fw_cfg_add_file(m->fw_cfg, m->cfg.fw_file[i].name, m->cfg.fw_file[i].data, m->cfg.fw_file[i].len);
    return ok;
}

/* ---- the schematic ---------------------------------------------------------------------------------------------------- */

static bool pc_cpu(struct machine *m, struct error *e)
{
    struct cpu_config cfg = {
        .model = m->cpu_model, .mem = &m->mem, .ports = &m->ports, .clock = &m->clock, .log = m->log, .apic = true,
        .pins = { .intack = pc_intack, .intack_opaque = m, .shutdown = pc_cpu_shutdown, .apic_base = pc_apic_base, .opaque = m },
    };
    m->cpu = cpu_create(&cfg, e);
    if (!m->cpu) return false;
    if (cpu_needs_own_bios(m->cpu) && !m->cfg.bios) {
        error_set(e, HOST_REFUSED, "-cpu %s: SeaBIOS needs a 486 or later (it uses BSWAP); give a BIOS for this CPU with -bios",
                  m->cpu_model);
        return false;
    }
    m->mem.addr_mask = cpu_phys_mask(m->cpu);
    clock_set_rate(&m->clock, m->cfg.rate ? m->cfg.rate : cpu_default_rate(m->cpu));
    m->clock.earlier = pc_clock_earlier;
    m->clock.earlier_opaque = m;
    return true;
}

static void pc_drives(struct machine *m, struct pci_bus *pci, struct device *wires)
{
    struct ata_channel *ch[2];
    static const char *const cables[2] = { "ide0", "ide1" };
    static const char *const hd[] = { "ide0-hd0", "ide0-hd1", "ide1-hd0", "ide1-hd1" };
    static const char *const cd[] = { "ide0-cd0", "ide0-cd1", "ide1-cd0", "ide1-cd1" };
    ch[0] = ata_channel_create(&m->board, cables[0], &(struct ata_pins){ 0x1f0, 0x3f6, wires_irq(wires, 14, WIRE_CHIP) });
    ch[1] = ata_channel_create(&m->board, cables[1], &(struct ata_pins){ 0x170, 0x376, wires_irq(wires, 15, WIRE_CHIP) });
    for (unsigned i = 0; i < MACHINE_IDE; i++) {
        struct drive_config *d = &m->cfg.ide[i];
        char serial[21];
        if (!d->present) continue;
        snprintf(serial, sizeof serial, "BG%05u", i + 1);
        m->ide_drive[i] = d->cdrom ? atapi_cd_create(&m->board, cd[i], ch[i / 2], i % 2, d->blk)
                                   : ata_disk_create(&m->board, hd[i], ch[i / 2], i % 2, d->blk, serial);
        d->blk = NULL;                                 /* the drive owns it now */
    }
    piix_ide_create(pci, "piix-ide", &(struct piix_ide_pins){ .device = 1, .function = 1, .channel = { ch[0], ch[1] },
                                                             .always = m->cfg.bios != NULL });
}

/* A port that the user chose: taken by nobody yet. */
static bool pc_port_free(struct machine *m, const char *who, uint16_t base, unsigned count, struct error *e)
{
    if (base + count > 0x10000) {
        error_set(e, HOST_REFUSED, "-device %s: ports %xh to %xh: the last one is ffffh", who, base, base + count - 1);
        return false;
    }
    for (unsigned n = 0; n < count; n++) {
        const char *owner = port_owner(&m->ports, (uint16_t)(base + n));
        if (!owner) continue;
        error_set(e, HOST_BUSY, "-device %s: port %xh belongs to %s", who, base + n, owner);
        return false;
    }
    return true;
}

static bool pc_ports(struct machine *m, struct device *wires, struct error *e)
{
    static const struct { const char *id; uint16_t base; uint8_t irq; uint8_t source; } com[MACHINE_SERIALS] = {
        { "serial0", 0x3f8, 4, WIRE_CHIP }, { "serial1", 0x2f8, 3, WIRE_CHIP },
        { "serial2", 0x3e8, 4, WIRE_SECOND }, { "serial3", 0x2e8, 3, WIRE_SECOND } };
    static const struct { const char *id; uint16_t base; uint8_t irq; uint8_t source; } lpt[MACHINE_PARALLELS] = {
        { "parallel0", 0x378, 7, WIRE_CHIP }, { "parallel1", 0x278, 5, WIRE_CHIP }, { "parallel2", 0x3bc, 7, WIRE_SECOND } };
    static const char *const debug_ids[MACHINE_DEBUGCONS] = { "debugcon0", "debugcon1", "debugcon2", "debugcon3" };
    for (unsigned i = 0; i < MACHINE_SERIALS; i++)
        if (m->cfg.serial[i])
            ns16550a_create(&m->board, com[i].id, &(struct ns16550a_pins){ .base = com[i].base, .chr = m->cfg.serial[i],
                            .irq = wires_irq(wires, com[i].irq, com[i].source), .hurry = true });
    for (unsigned i = 0; i < MACHINE_PARALLELS; i++)
        if (m->cfg.parallel[i])
            parport_create(&m->board, lpt[i].id, &(struct parport_pins){ .base = lpt[i].base, .chr = m->cfg.parallel[i],
                           .irq = wires_irq(wires, lpt[i].irq, lpt[i].source) });
    for (unsigned i = 0; i < m->cfg.debugcons; i++) {
        uint16_t base = m->cfg.debugcon[i].iobase;
        if (!pc_port_free(m, "isa-debugcon", base, 1, e)) return false;
        debugcon_create(&m->board, debug_ids[i], &(struct debugcon_pins){ .iobase = base, .readback = 0xe9,
                        .chr = m->cfg.debugcon[i].chr });
    }
    if (!m->cfg.debug_exit) return true;
    struct debug_exit_pins pins = { m->cfg.debug_exit_iobase, m->cfg.debug_exit_iosize };
    if (!pc_port_free(m, "isa-debug-exit", pins.iobase, pins.iosize, e)) return false;
    debug_exit_create(&m->board, "debug-exit", &pins);
    return true;
}

bool pc_build(struct machine *m, struct error *e)
{
    if (!pc_cpu(m, e) || !pc_memory(m, e)) return false;
    struct board *b = &m->board;
    b->request = pc_request;
    b->request_opaque = m;
    bool apic = cpu_has_apic(m->cpu);

    /* Interrupt controllers, from the CPU outward. */
    struct irq_line intr = cpu_pin(m->cpu, CPU_PIN_INTR), nmi = cpu_pin(m->cpu, CPU_PIN_NMI);
    struct irq_line init = cpu_pin(m->cpu, CPU_PIN_INIT);
    if (apic) {
        uint32_t features;
        bool p6 = (cpu_signature(m->cpu, &features) >> 8 & 15) == 6;
        m->lapic = lapic_create(b, "lapic", &(struct lapic_pins){ .bus = &m->apic_bus, .id = 0, .bus_clock = { 100000000, 1 },
                                .version = p6 ? LAPIC_P6 : LAPIC_PENTIUM4,
                                .intr = intr, .nmi = nmi, .smi = cpu_pin(m->cpu, CPU_PIN_SMI),
                                .init = cpu_pin(m->cpu, CPU_PIN_INIT), .extint = pc_extint, .extint_opaque = m });
        intr = lapic_lint(m->lapic, 0);
        nmi = lapic_lint(m->lapic, 1);
        init = lapic_init_pin(m->lapic);
        cpu_set_apic(m->cpu, lapic_region(m->lapic));
    }
    m->pic_master = i8259_create(b, "pic0", &(struct i8259_pins){ .base = 0x20, .elcr = 0x4d0, .elcr_mask = 0xf8, .master = true,
                                 .intr = intr });
    struct device *pic_slave = i8259_create(b, "pic1", &(struct i8259_pins){ .base = 0xa0, .elcr = 0x4d1, .elcr_mask = 0xde,
                                            .intr = i8259_input(m->pic_master, 2) });
    i8259_connect_slave(m->pic_master, pic_slave);
    struct device *ioapic = NULL;
    if (apic) ioapic = ioapic_create(b, "ioapic", &(struct ioapic_pins){ .bus = &m->apic_bus, .base = 0xfec00000 });

    struct wires_pins wp = { .a20m = cpu_pin(m->cpu, CPU_PIN_A20M) };
    for (unsigned n = 0; n < WIRES_ISA_IRQS; n++) {
        if (n == 2) continue;                          /* the slave's place */
        wp.pic[n] = i8259_input(n < 8 ? m->pic_master : pic_slave, n & 7);
        if (ioapic) wp.ioapic[n] = ioapic_input(ioapic, n == 0 ? 2 : n);
    }
    struct device *wires = wires_create(b, "wires", &wp);

    /* Timers. */
    struct hpet_pins hp = { .base = 0xfed00000, .irq0 = wires_irq(wires, 0, WIRE_CHIP),
                            .irq8 = wires_irq(wires, 8, WIRE_CHIP) };
    for (unsigned n = 0; ioapic && n < 8; n++) hp.irq[n] = ioapic_input(ioapic, HPET_FIRST_PIN + n);
    struct device *hpet = hpet_create(b, "hpet", &hp);
    struct device *pit = i8254_create(b, "pit", &(struct i8254_pins){ .base = 0x40, .out = { hpet_pit_in(hpet) } });
    struct device *port61 = port61_create(b, "port61", &(struct port61_pins){ .base = 0x61, .gate2 = i8254_gate(pit, 2),
                                          .nmi = nmi, .out2 = i8254_out_sense(pit, 2), .refresh = i8254_toggle_sense(pit, 1) });
    m->rtc = mc146818_create(b, "rtc", &(struct mc146818_pins){ .base = 0x70, .date = m->cfg.rtc_base, .century = 0x32,
                             .irq = hpet_rtc_in(hpet), .wake = IRQ_LINE(pc_rtc_wake, m, 0),
                             .nmi_mask = port61_input(port61, PORT61_NMI_MASK) });

    /* Keyboard, mouse, A20. */
    struct device *kbc = i8042_create(b, "kbc", &(struct i8042_pins){ .data = 0x60, .command = 0x64,
                                      .irq_kbd = wires_irq(wires, 1, WIRE_CHIP), .irq_aux = wires_irq(wires, 12, WIRE_CHIP),
                                      .a20 = wires_a20(wires, A20_KBC), .init = IRQ_LINE(pc_cpu_reset, m, 0) });
    m->kbd = ps2_kbd_create(b, "kbd", &(struct ps2_kbd_pins){ i8042_port(kbc, 0) });
    m->mouse = ps2_mouse_create(b, "mouse", &(struct ps2_mouse_pins){ i8042_port(kbc, 1) });
    port92_create(b, "port92", &(struct port92_pins){ .base = 0x92, .a20 = wires_a20(wires, A20_PORT92),
                  .init = IRQ_LINE(pc_cpu_reset, m, 1) });

    /* x87 errors. */
    struct device *portf0 = portf0_create(b, "portf0", &(struct portf0_pins){ .base = 0xf0, .irq = wires_irq(wires, 13, WIRE_CHIP),
                                          .ignne = cpu_pin(m->cpu, CPU_PIN_IGNNE) });
    cpu_wire(m->cpu, portf0_ferr(portf0), m->lapic ? lapic_perf(m->lapic) : (struct irq_line){ 0 });

    /* PCI: 00.0 host bridge, 01.0 ISA bridge, 01.1 IDE, 01.3 power management, 02.0 display. */
    struct pci_bus *pci = m->pci = pci_bus_create(b, "pci", &(struct pci_pins){ 0 });
    i440fx_create(b, "i440fx", &(struct i440fx_pins){ .bus = pci, .ram = m->main_ram, .rom = m->rom,
                  .init = init });
    pc_rom_below_16m(m);
    struct piix3_pins p3 = { .bus = pci, .init = init };
    for (unsigned n = 0; n < WIRES_ISA_IRQS; n++) p3.irq[n] = wires_irq(wires, n, WIRE_PCI);
    piix3_create(b, "piix3", &p3);
    m->pm = piix4_pm_create(b, "pm", &(struct piix4_pm_pins){ .bus = pci, .sci = wires_irq(wires, 9, WIRE_SCI),
                            .smi = cpu_pin(m->cpu, CPU_PIN_SMI) });
    if (!pc_video(m, pci, e)) return false;

    /* DMA and drives. */
    struct device *dma = i8237_create(b, "dma", &(struct i8237_pins){ .base8 = 0x00, .base16 = 0xc0, .pages = 0x80 });
    struct i82077_pins fp = { .base = 0x3f0, .irq = wires_irq(wires, 6, WIRE_CHIP), .dma = i8237_bus(dma), .dma_channel = 2,
                              .lenient = m->cfg.bios != NULL };
    for (unsigned i = 0; i < MACHINE_FLOPPIES; i++) {
        fp.drive[i].present = m->cfg.floppy[i].present;
        fp.drive[i].blk = m->cfg.floppy[i].blk;
        m->cfg.floppy[i].blk = NULL;
    }
    m->fdc = i82077_create(b, "fdc", &fp);
    pc_drives(m, pci, wires);
    m->fw_cfg = fw_cfg_create(b, "fw_cfg");
    if (!pc_ports(m, wires, e)) return false;
    pc_cmos(m);
    return pc_firmware_items(m, e);
}
