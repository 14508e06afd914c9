/* A PC, as a library: create it from a configuration, run it, feed it inputs, look inside.
 *
 * One thread owns a machine. Two machines in one process are independent. Nothing here reads the host's clock or
 * sleeps: pacing (pace.h) wraps it. */
#ifndef MACHINE_MACHINE_H
#define MACHINE_MACHINE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include "base/clock.h"
#include "base/key.h"
#include "base/log.h"
#include "base/status.h"
#include "host/block.h"
#include "host/char.h"
#include "host/surface.h"

struct machine;

enum { MACHINE_FLOPPIES = 2, MACHINE_IDE = 4, MACHINE_SERIALS = 4, MACHINE_PARALLELS = 3, MACHINE_DEBUGCONS = 4,
       MACHINE_MODULES = 16 };

enum drive_if { DRIVE_IDE, DRIVE_FLOPPY };
struct drive_config {
    bool present;                      /* a drive is there, with or without a medium */
    bool cdrom;
    struct blk *blk;                   /* the medium; NULL: empty. The machine owns it from here on */
};

/* A file that the guest reads through fw_cfg; name as QEMU's users give it, "opt/...", at most 55 characters. */
struct machine_fw_file { const char *name; const void *data; uint32_t len; };

struct machine_config {                /* machine_config_default() fills it */
    uint64_t ram_size;                 /* bytes; 1 MiB to 3.5 GiB */
    const char *cpu;                   /* model string */
    uint64_t rate;                     /* instructions a virtual second; 0: the model's */
    const char *bios;                  /* path, or NULL: SeaBIOS from the system folders and lib_dir */
    const char *lib_dir;               /* -L, or NULL */
    bool vga;                          /* -vga std / none */
    struct drive_config ide[MACHINE_IDE], floppy[MACHINE_FLOPPIES];
    struct chr *serial[MACHINE_SERIALS], *parallel[MACHINE_PARALLELS];   /* NULL: no such port */
    struct { uint16_t iobase; struct chr *chr; } debugcon[MACHINE_DEBUGCONS];
    unsigned debugcons;
    bool debug_exit; uint16_t debug_exit_iobase, debug_exit_iosize;
    const char *boot_order;            /* "acdn" subset; NULL: default "cad" */
    const char *boot_once;             /* the same, until the machine is reset; NULL: boot_order */
    bool boot_menu;
    const char *kernel, *initrd, *append;   /* direct boot; initrd of a multiboot kernel: "file args,file args" */
    const struct machine_fw_file *fw_file;  /* only read by machine_create */
    unsigned fw_files;
    int64_t rtc_base;                  /* seconds since 1970 UTC at power-on */
    const char *uuid, *name;
    bool no_reboot;                    /* a reset ends the run with STOP_RESET */
    struct log *log;                   /* outlives the machine */
};
void machine_config_default(struct machine_config *c);

/* NULL and *e. Takes ownership of the blks in every case. */
struct machine *machine_create(const struct machine_config *cfg, struct error *e);
void machine_destroy(struct machine *m);

enum stop_reason {
    STOP_LIMIT,        /* reached until_time or until_count */
    STOP_IDLE,         /* the CPU is halted; with skip_idle: and no timer is armed, so only an input can wake it */
    STOP_POWER_OFF, STOP_RESET /* no_reboot */, STOP_TRIPLE_FAULT /* no_reboot */, STOP_DEBUG_EXIT, STOP_HOST_FAILED,
    STOP_REQUESTED,    /* machine_stop() */
};
/* Runs until virtual time or instruction count, exactly. skip_idle: a halted CPU jumps to the next timer; otherwise
 * STOP_IDLE is returned with *idle_until (may be NULL) set to when the next timer is due, and machine_skip() moves on. */
enum stop_reason machine_run(struct machine *m, vtime until_time, uint64_t until_count, bool skip_idle, vtime *idle_until);
/* Lets a halted machine's time pass up to t (no instruction is counted). */
void machine_skip(struct machine *m, vtime t);
/* Makes machine_run return STOP_REQUESTED soon. May be called from an input callback. */
void machine_stop(struct machine *m);
uint8_t machine_exit_value(const struct machine *m);       /* after STOP_DEBUG_EXIT: the value the guest wrote */
const char *machine_stop_text(const struct machine *m);    /* one sentence for STOP_*; host failures name file and cause */
void machine_reset(struct machine *m);                     /* as the reset button; an input */

uint64_t machine_guest_resets(const struct machine *m);    /* resets that the guest asked for since create */

vtime machine_time(const struct machine *m);
uint64_t machine_icount(const struct machine *m);
uint64_t machine_rate(const struct machine *m);            /* instructions a virtual second */
/* Rate that --speed real may not exceed: the model's own for CPUs up to the Pentium, 0 (none) for newer ones. */
uint64_t machine_rate_cap(const struct machine *m);
void machine_cpu_help(FILE *out);                          /* -cpu help */
void machine_set_rate(struct machine *m, uint64_t insns_per_sec);   /* an input (adapt) */

/* ---- inputs: applied at once, between instructions, at the machine's current position. Only from the machine's thread
 * and never from a device callback. */
void machine_key(struct machine *m, enum key k, bool down);
void machine_mouse(struct machine *m, int dx, int dy, int dz, unsigned buttons);  /* bit 0 left, 1 right, 2 middle */
size_t machine_chr_room(struct machine *m, struct chr *c);
void machine_chr_input(struct machine *m, struct chr *c, const uint8_t *data, size_t len);
void machine_chr_event(struct machine *m, struct chr *c, int event);
void machine_powerdown(struct machine *m);                 /* ACPI power button */
void machine_nmi(struct machine *m);
/* A port read or written as by the CPU: the chips see it. size 1, 2 or 4. */
uint32_t machine_port_in(struct machine *m, uint16_t port, unsigned size);
void machine_port_out(struct machine *m, uint16_t port, uint32_t val, unsigned size);
/* Changes or removes (blk NULL) the medium of "floppy0" "floppy1" "ide0-cd0".. (QEMU's names, see machine_block).
 * force: even if the guest locked the tray. Takes ownership of blk. */
enum host_status machine_change_medium(struct machine *m, const char *drive, struct blk *blk, bool force, struct error *e);

/* ---- drives, for query-block and info block */
struct machine_block { const char *id; bool removable, locked, tray_open; struct blk *blk; };
unsigned machine_blocks(struct machine *m, struct machine_block *out, unsigned max);
/* Syncs every image to disk (at exit). First error in *e. */
enum host_status machine_flush(struct machine *m, struct error *e);

/* ---- state */
enum host_status machine_save(struct machine *m, const char *path, struct error *e) MUST_CHECK;
/* The virtual time at which the machine in a file was saved, from the file's header. Errors as those of machine_load. */
enum host_status machine_saved_time(const char *path, vtime *t, struct error *e) MUST_CHECK;
/* Into a machine created with the same configuration, with the same media in its drives. On error the machine must be destroyed. */
enum host_status machine_load(struct machine *m, const char *path, struct error *e) MUST_CHECK;
void machine_hash(struct machine *m, uint8_t sha256[32]);

/* ---- checkpoints, in memory (checkpoint.c). Only between runs; freed before the machine. */
struct machine_checkpoint;
/* Keeps the state as it is now. HOST_REFUSED if a drive writes to its image directly. */
enum host_status machine_checkpoint(struct machine *m, struct machine_checkpoint **out, struct error *e) MUST_CHECK;
/* Goes back to it, any number of times; an input. HOST_REFUSED, and nothing has happened, if a medium was changed since. After
 * another error the machine must be destroyed. */
enum host_status machine_restore(struct machine_checkpoint *p, struct error *e) MUST_CHECK;
void machine_checkpoint_free(struct machine_checkpoint *p);
/* Bytes that were copied for it: what it does not share with the one before. */
uint64_t machine_checkpoint_size(const struct machine_checkpoint *p);

/* ---- looking inside; none changes the state hash */
const struct surface *machine_display(struct machine *m);  /* renders the current picture; NULL with no adapter */
bool machine_text_cursor(struct machine *m, unsigned *col, unsigned *row);
uint64_t machine_phys_read(struct machine *m, uint64_t addr, void *buf, uint64_t len);   /* bytes of memory read */
uint64_t machine_virt_read(struct machine *m, uint64_t linear, void *buf, uint64_t len);
bool machine_translate(struct machine *m, uint64_t linear, uint64_t *phys);       /* false: not mapped */
/* A register of the CPU by name, and a view of it: names as those of cpu_register and cpu_print (cpu/cpu.h). */
bool machine_register(struct machine *m, const char *name, uint64_t *value);
bool machine_print_cpu(struct machine *m, const char *view, FILE *out);
/* Prints one device's state table, or lists the devices if id is NULL. False if there is none of that id. */
bool machine_print_device(struct machine *m, const char *id, FILE *out);
void machine_print_map(struct machine *m, FILE *out);      /* info mtree */
void machine_print_pci(struct machine *m, FILE *out);      /* info pci */
uint64_t machine_disasm(struct machine *m, uint64_t linear, unsigned count, bool physical, FILE *out);  /* next address */
uint64_t machine_linear_ip(struct machine *m);
uint8_t machine_kbd_leds(struct machine *m);               /* bit 0 scroll, 1 num, 2 caps */
bool machine_halted(struct machine *m);
uint64_t machine_ram_size(struct machine *m);
/* True while the guest listens to the PS/2 mouse (data reporting on). */
bool machine_mouse_wanted(struct machine *m);

#endif
