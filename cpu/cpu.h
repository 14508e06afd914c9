/* The CPU, seen from outside: create, pins, run, state. The only public header of cpu/.
 *
 * A CPU is a model (a row of data in model.c) attached to a physical map, a port map and a clock. It runs a budget of
 * instructions and publishes exact time to the clock before any I/O. Everything here belongs to the machine's thread. */
#ifndef CPU_CPU_H
#define CPU_CPU_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include "base/clock.h"
#include "base/irq.h"
#include "base/log.h"
#include "base/state.h"
#include "base/status.h"
#include "mem/phys.h"
#include "mem/port.h"

struct cpu;

/* Input pins, for cpu_pin(). Levels except where noted. Changes made while an instruction runs are sampled at the next
 * instruction boundary. */
enum cpu_pin {
    CPU_PIN_INTR,      /* level */
    CPU_PIN_NMI,       /* rising edge */
    CPU_PIN_SMI,       /* rising edge; one raised by OUT is taken directly after it */
    CPU_PIN_INIT,      /* rising edge: INIT, keeps SMBASE, FPU and caches (SDM vol. 3 table 9-1) */
    CPU_PIN_RESET,     /* rising edge */
    CPU_PIN_A20M,      /* level, true = A20 masked (address bit 20 forced to 0) */
    CPU_PIN_IGNNE,     /* level */
    CPU_PIN_COUNT
};

/* Output pins and callbacks, wired by the board. */
struct cpu_pins {
    uint8_t (*intack)(void *opaque);                          /* interrupt acknowledge cycle: the vector */
    void *intack_opaque;
    struct irq_line ferr;                                     /* FERR#, true = asserted */
    void (*shutdown)(void *opaque);                           /* triple fault: the board decides (the 440FX resets) */
    void (*apic_base)(void *opaque, uint64_t msr_value);      /* IA32_APIC_BASE was written; may be NULL */
    void (*smm)(void *opaque, bool inside);                   /* SMIACT#; may be NULL */
    struct irq_line pmi;                                      /* a performance counter overflowed: a pulse, to the local APIC */
    void *opaque;
};

struct cpu_config {
    const char *model;                                        /* "pentium3", "pentium3,-sse": see cpu_model_help */
    struct phys_map *mem;
    struct port_map *ports;
    struct clock *clock;
    struct log *log;
    struct cpu_pins pins;
    bool apic;                                                /* a local APIC is present (CPUID, APIC_BASE) */
};

/* NULL and *e on an unknown model or feature (names the nearest). The CPU is in its reset state. */
struct cpu *cpu_create(const struct cpu_config *cfg, struct error *e);
void cpu_destroy(struct cpu *c);
/* The outputs whose receivers are created after the CPU: FERR#, and the pulse of a performance counter's overflow. */
void cpu_wire(struct cpu *c, struct irq_line ferr, struct irq_line pmi);
/* The input wire of a pin. */
struct irq_line cpu_pin(struct cpu *c, enum cpu_pin pin);
/* Whether the model (and cpu_config.apic) has a local APIC. */
bool cpu_has_apic(const struct cpu *c);
/* CPUID.1:EAX, and EDX in *features; both 0 for models without CPUID. For SMBIOS. */
uint32_t cpu_signature(struct cpu *c, uint32_t *features);
/* RESET (true) or INIT (false), now; only between runs. */
void cpu_reset(struct cpu *c, bool hard);
/* The per-CPU page that the local APIC overlays on the physical map; base is a 4 KiB page, enabled by APIC_BASE. */
void cpu_set_apic(struct cpu *c, struct region *r);

/* Executes exactly `budget` counted instructions (fixed counting rule, docs/cpu.md) unless it stops early: halted, shut
 * down, or cpu_kick. Returns the number executed, already added to the clock. A budget of 0 executes nothing. */
uint64_t cpu_run(struct cpu *c, uint64_t budget);
enum cpu_activity { CPU_RUNNING, CPU_HALTED, CPU_SHUTDOWN, CPU_WAIT_SIPI };
enum cpu_activity cpu_activity(const struct cpu *c);
/* True if a halted CPU would wake now (INTR with IF, NMI, SMI, INIT, RESET pending). */
bool cpu_would_wake(const struct cpu *c);
/* Makes cpu_run return at the next instruction boundary: a board request or an earlier timer is waiting. Called from
 * device callbacks and from clock.earlier. */
void cpu_kick(struct cpu *c);

/* Frequency of RDTSC in Hz and default instruction rate of the model (instructions a second). */
uint64_t cpu_tsc_hz(const struct cpu *c);
uint64_t cpu_default_rate(const struct cpu *c);
bool cpu_needs_own_bios(const struct cpu *c);                 /* 8086 to 386: SeaBIOS uses BSWAP */
uint64_t cpu_phys_mask(const struct cpu *c);                  /* physical address lines, for phys_init */
void cpu_model_help(FILE *out);                               /* -cpu help */
#define CPU_MODEL_DEFAULT "pentium4"                          /* the newest: Debian's i686, and programs that want SSE2 */

/* State. cpu_canonical() first: folds lazy flags, x87 stack order and counters into the fields the table names. */
void cpu_canonical(struct cpu *c);
void *cpu_state_object(struct cpu *c);
extern const struct state_desc cpu_state;
/* After a state was read into cpu_state_object: rebuilds everything derived. Error: the state is not one a CPU can have. */
enum host_status cpu_loaded(struct cpu *c, struct error *e) MUST_CHECK;

/* Inspection; none changes state. Linear to physical through the current page tables without setting A/D bits. */
bool cpu_translate(struct cpu *c, uint64_t linear, uint64_t *phys);
/* Copies from linear memory; returns bytes copied before the first unmapped one. */
size_t cpu_peek(struct cpu *c, uint64_t linear, void *buf, size_t len);
uint64_t cpu_linear_ip(const struct cpu *c);
/* One register by name: eax, ax, al, eip, eflags, cs, cs.base, cs.limit, ldtr, tr, gdtr.base, cr0, dr7; pc is the linear address
 * of the next instruction. False if there is none of that name. */
bool cpu_register(struct cpu *c, const char *name, uint64_t *value);
/* Prints a view, false if there is none of that name: "registers" (in QEMU's layout as far as it goes); "mem" and "tlb", what
 * the page tables map now, by stretches of equal rights and by page; "gdt", "ldt", "idt" (in real mode the vectors), "tss". */
bool cpu_print(struct cpu *c, const char *view, FILE *out);
/* Disassembles one instruction (Intel syntax) at buf; mode 16, 32 or 64. Returns its length, 0 if it needs more than len. */
unsigned cpu_disasm(const uint8_t *buf, size_t len, unsigned mode, uint64_t ip, char *text, size_t text_size);
unsigned cpu_code_mode(const struct cpu *c);                  /* 16, 32 or 64 */

#endif
