/* struct cpu: all of the processor. Private to cpu/.
 *
 * Registers are 64 bits wide from the start, so that an x86-64 model is a row of data. What the hot path needs stands
 * first. */
#ifndef CPU_STATE_H
#define CPU_STATE_H

#include <setjmp.h>
#include "cpu/cpu.h"
#include "cpu/insn.h"

enum { /* EFLAGS, SDM vol. 1 fig. 3-8 */
    FL_CF = 1u << 0, FL_1 = 1u << 1, FL_PF = 1u << 2, FL_AF = 1u << 4, FL_ZF = 1u << 6, FL_SF = 1u << 7, FL_TF = 1u << 8,
    FL_IF = 1u << 9, FL_DF = 1u << 10, FL_OF = 1u << 11, FL_IOPL = 3u << 12, FL_NT = 1u << 14, FL_RF = 1u << 16,
    FL_VM = 1u << 17, FL_AC = 1u << 18, FL_VIF = 1u << 19, FL_VIP = 1u << 20, FL_ID = 1u << 21,
    FL_ARITH = FL_CF | FL_PF | FL_AF | FL_ZF | FL_SF | FL_OF,
};
enum { CR0_PE = 1u << 0, CR0_MP = 1u << 1, CR0_EM = 1u << 2, CR0_TS = 1u << 3, CR0_ET = 1u << 4, CR0_NE = 1u << 5,
       CR0_WP = 1u << 16, CR0_AM = 1u << 18, CR0_NW = 1u << 29, CR0_CD = 1u << 30, CR0_PG = 1u << 31 };
enum { CR4_VME = 1, CR4_PVI = 2, CR4_TSD = 4, CR4_DE = 8, CR4_PSE = 16, CR4_PAE = 32, CR4_MCE = 64, CR4_PGE = 128,
       CR4_PCE = 256, CR4_OSFXSR = 512, CR4_OSXMMEXCPT = 1024 };
enum vector { V_DE = 0, V_DB = 1, V_NMI = 2, V_BP = 3, V_OF = 4, V_BR = 5, V_UD = 6, V_NM = 7, V_DF = 8, V_CSO = 9,
              V_TS = 10, V_NP = 11, V_SS = 12, V_GP = 13, V_PF = 14, V_MF = 16, V_AC = 17, V_MC = 18, V_XM = 19 };

/* A segment register with its hidden part. attr is the descriptor's second dword >> 8, masked to F0FFh: access byte in
 * bits 0-7, AVL L D G in bits 12-15. limit is in bytes, granularity applied. attr == 0: unusable (null selector). */
struct seg {
    uint64_t base;
    uint32_t limit;
    uint16_t sel;
    uint16_t attr;
};
enum { SEG_TYPE = 0x0f, SEG_S = 0x10, SEG_DPL = 0x60, SEG_P = 0x80, SEG_AVL = 0x1000, SEG_L = 0x2000, SEG_D = 0x4000,
       SEG_G = 0x8000, SEG_ACCESSED = 1, SEG_WRITABLE = 2 /* data */, SEG_READABLE = 2 /* code */,
       SEG_EXPAND_DOWN = 4 /* data */, SEG_CONFORMING = 4 /* code */, SEG_CODE = 8 };
struct desc_table { uint64_t base; uint16_t limit; uint16_t unused[3]; };

struct f80 { uint64_t mant, se; };                                /* sign and exponent in bits 0 to 15 of se */
union xmm { uint64_t q[2]; };                                     /* q[0] is the low half on every host */

enum { /* c->attention: reasons to leave a block; 0 on the fast path */
    ATT_INTR = 1, ATT_NMI = 2, ATT_SMI = 4, ATT_INIT = 8, ATT_RESET = 16, ATT_KICK = 32,
    ATT_TRAP = 64,           /* single step or a data breakpoint is due after this instruction */
    ATT_SHADOW = 128,        /* one-instruction shadow of STI or MOV/POP SS is open */
    ATT_MODE = 256,          /* mode bits, segment limits or mapping changed: look the next block up again */
};

enum { /* c->activity */ ACT_RUNNING = CPU_RUNNING, ACT_HALTED = CPU_HALTED, ACT_SHUTDOWN = CPU_SHUTDOWN,
       ACT_WAIT_SIPI = CPU_WAIT_SIPI };

enum { LBR_MOST = 16 };
enum { DEBUGCTL_LBR = 1, DEBUGCTL_BTF = 2, DEBUGCTL_TR = 0x40 };

struct cpu {
    /* Hot. r[R_NONE] is always 0: address forms without a base or index read it. */
    uint64_t r[17];
    uint64_t rip;                /* valid in slow bodies and between blocks */
    uint64_t next_rip;
    uint64_t page_eip;           /* DERIVED: EIP minus page offset, set on entering a page */
    /* Lazy flags: eflags_get()/eflags_set() in flags.h are the only readers outside the hot handlers. Canonical: cc_kind
     * is CC_EFLAGS and the others are 0. */
    uint64_t cc_result, cc_operand, cc_inc;
    uint32_t cc_kind;
    uint32_t eflags;             /* all non-arithmetic bits always; arithmetic ones only when cc_kind says so */
    uint32_t attention;          /* ATT_* */
    uint32_t mode;               /* mode bits of the block key, see block.h */
    int64_t budget;              /* instructions left, as of the last publish */
    int64_t budget_published;    /* budget at the moment of the last clock_advance */
    struct tlb_entry *tlb_read, *tlb_write;   /* DERIVED: the arrays of the current privilege (tlb.h) */
    /* DERIVED: bytes of each segment that plain reads and writes may touch from offset 0 up; 0 where the slow path has to
     * look (expand-down, null, wrong type). Index SEG_*, 6 and 7 are unused. */
    uint64_t seg_read_end[8], seg_write_end[8];
    uint64_t ip_mask;            /* DERIVED: the IP wraps at 16 bits on the 8086 and 80286 */
    uint64_t page_eip_max;       /* DERIVED: a page with page_eip <= this lies within the CS limit and the IP's width */
    struct jump_entry *jump_cache;            /* block.h */
    uint64_t jump_context;       /* DERIVED: mode, privilege and mapping generation of valid jump_cache entries */
    const struct insn *go;       /* the plain call loop's next record (exec.h) */
    int64_t go_budget;
    uint64_t go_spare;
    struct insn *link_from;      /* a jump that wants to be linked to the block at c->rip */
    int64_t shadow_mark;         /* DERIVED: budget at the last instruction that opened a shadow nobody waits in */
    bool shadow_mark_ss;         /* DERIVED: it was a load of SS */
    uint8_t unused7[7];
    struct seg seg[SEG_COUNT];
    uint8_t cpl;
    uint8_t activity;            /* ACT_* */
    bool smm;
    bool shadow_ss;              /* MOV SS/POP SS shadow (also masks debug traps); STI's is shadow_sti */
    bool shadow_sti;
    bool nmi_blocked;            /* until IRET */
    bool nmi_pending, smi_pending, init_pending, reset_pending;
    bool intr_level;
    bool a20_masked, ignne;
    bool in_exception;           /* a fault is being delivered: the next one may be a double fault */
    uint8_t exception_vector;    /* the one being delivered */
    bool rep_open;               /* the last instruction was an iteration of a repetition that goes on */
    uint64_t a20_mask;           /* DERIVED: all ones, or bit 20 clear */

    /* System registers. */
    struct seg ldtr, tr;
    struct desc_table gdtr, idtr;
    uint32_t cr0, cr4;
    uint64_t cr2, cr3;
    uint64_t pdpte[4];           /* PAE: loaded by MOV CR3 */
    uint64_t dr[8];              /* 4 and 5 unused */
    uint64_t dr6_pending;        /* data breakpoints hit by the running instruction */
    uint64_t test_tlb[32];       /* what TR6 and TR7 wrote (testreg.c) */
    uint32_t test_reg[5];        /* TR3 to TR7 */
    uint32_t smbase;

    /* The last I/O instruction, for SMM I/O restart: where it stood and the registers before it (io.c). */
    uint32_t io_eip, io_ecx, io_esi, io_edi;
    uint64_t io_count;           /* instruction count at which it started */

    /* MSRs. tsc is derived: tsc_offset + exact clock. */
    uint64_t tsc_offset, tsc_last;
    uint64_t apic_base, pat, mtrr_def, mtrr_fix[11], mtrr_var[16];
    uint64_t sysenter_cs, sysenter_esp, sysenter_eip, efer, ucode_rev, misc_enable, mcg_status;
    uint64_t mc_bank[20];        /* CTL, STATUS, ADDR, MISC of five banks */
    uint64_t evntsel[2], pmc[2], pmc_start[2];   /* counters: value at pmc_start of what they count (perfmon.c) */
    uint64_t interrupts;         /* taken from INTR since power-on; counters can count them */
    struct timer pmi_timer;      /* the earliest overflow that raises an interrupt */
    uint8_t pmc_live;            /* bit n: counter n counts at this privilege level */
    bool pmc_levels;             /* DERIVED: which do may change with the privilege level */
    bool branched;               /* DERIVED: the instruction that step() ran was a taken branch */
    uint8_t lbr_top;             /* the newest branch record */
    uint32_t unused8;
    uint64_t ebl_cr_poweron, debugctl;
    uint64_t branch_from[LBR_MOST], branch_to[LBR_MOST], last_int[2];   /* branch records (debug.c) */
    uint64_t star, lstar, cstar, sfmask, kernel_gs_base, tsc_aux;

    /* x87 (fpu_*.c). st[] is physical; the canonical form for save and hash is TOP-ordered. */
    struct f80 st[8];
    uint16_t fcw, fsw, fop, fcs, fds;
    uint8_t ftag;                /* bit n: physical register n holds a value */
    uint8_t ftop;                /* TOP; fsw's own TOP bits are kept 0 */
    bool ferr;                   /* FERR# asserted */
    uint8_t unused3[3];
    uint64_t fip, fdp;
    union xmm xmm[16];
    uint32_t mxcsr;
    uint32_t unused4;

    /* Wiring and derived. */
    const struct model *model;
    struct model *model_own;     /* a copy, where -cpu MODEL,+x,-x changed it */
    uint64_t features[4];        /* DERIVED from the model: bit per enum feature (model.h) */
    struct phys_map *mem;
    struct port_map *ports;
    struct clock *clock;
    struct log *log;
    struct cpu_pins pins;
    struct region *apic_region;
    bool has_apic;
    uint8_t unused5[7];
    struct tlb *tlb;             /* tlb.h */
    struct block_store *blocks;  /* block.h */
    struct ram_listener ram_listener;
    struct phys_listener phys_listener;
    jmp_buf landing;             /* cpu_fault() lands in run.c */
    uint32_t fault_vector, fault_error;
    bool fault_has_error;
    uint8_t unused6[7];
};

/* Leaves the running body: the exception is delivered with c->rip as the saved IP. Error code used only by vectors that
 * push one. The only unwinding there is; never called below a device callback. (run.c) */
_Noreturn void cpu_fault(struct cpu *c, enum vector v, uint32_t error);
#define cpu_gp0(c) cpu_fault((c), V_GP, 0)
#define cpu_ud(c) cpu_fault((c), V_UD, 0)

static inline bool cpu_protected(const struct cpu *c) { return (c->cr0 & CR0_PE) && !(c->eflags & FL_VM); }
static inline bool cpu_v86(const struct cpu *c) { return (c->eflags & FL_VM) != 0; }      /* VM lives in c->eflags always */
static inline bool cpu_real(const struct cpu *c) { return !(c->cr0 & CR0_PE); }
static inline unsigned cpu_iopl(const struct cpu *c) { return (c->eflags >> 12) & 3; }
static inline bool cpu_ss32(const struct cpu *c) { return (c->seg[SEG_SS].attr & SEG_D) != 0; }

/* Whole EFLAGS with lazy arithmetic flags folded in; and the reverse. (flags.h has the inline parts; flags.c) */
uint32_t eflags_get(struct cpu *c);
void eflags_set(struct cpu *c, uint32_t value);             /* replaces all bits; bit 1 is forced to 1; recomputes mode/attention */

/* attention from the state: pins, pending events, shadows. (run.c) */
void attention_derive(struct cpu *c);
/* Segment registers, base, limit, CPL, D bits, CR0, CR4 or EFLAGS.VM/TF/AC changed: recompute c->mode (run.c). */
void cpu_mode_changed(struct cpu *c);
/* The same where only CS, SS and CPL may have changed. */
void cpu_level_changed(struct cpu *c);
/* The same where only c->seg[seg] changed. */
void cpu_seg_changed(struct cpu *c, unsigned seg);
/* The instruction that has just run, with c->budget not yet lowered for it, opened a shadow. For tests of bodies. */
static inline bool shadow_is_open(const struct cpu *c) { return c->shadow_sti || c->shadow_ss || c->shadow_mark == c->budget; }
/* The running instruction opens the one-instruction shadow of STI, or of a load of SS. Where no event is pending nothing can
 * come in before the next instruction ends, unless the run ends here: then cpu_run() turns the mark into the flag. */
static inline void shadow_open(struct cpu *c, bool ss)
{
    if (!(c->attention | (c->eflags & FL_TF) | (c->dr[7] & 0xff)) && !c->intr_level) {
        c->shadow_mark = c->budget;
        c->shadow_mark_ss = ss;
        return;
    }
    if (ss) c->shadow_ss = true;
    else c->shadow_sti = true;
    c->attention |= ATT_SHADOW;
}
/* Paging registers changed. global: also entries with G. (tlb.c) */
void tlb_flush(struct cpu *c, bool global);
void tlb_flush_page(struct cpu *c, uint64_t linear);
/* Brings the clock up to date with the running instruction's start; before I/O, RDTSC. (run.c) */
void cpu_publish(struct cpu *c);

/* ---- memory, as slow bodies use it (access.c). All fault as the hardware would: #GP/#SS on limit and type, #AC, #PF.
 * seg: SEG_*; off: offset already cut to the address size. The privilege is CPL unless the name says otherwise. */
uint8_t mem_read8(struct cpu *c, unsigned seg, uint64_t off);
uint16_t mem_read16(struct cpu *c, unsigned seg, uint64_t off);
uint32_t mem_read32(struct cpu *c, unsigned seg, uint64_t off);
uint64_t mem_read64(struct cpu *c, unsigned seg, uint64_t off);
void mem_write8(struct cpu *c, unsigned seg, uint64_t off, uint8_t v);
void mem_write16(struct cpu *c, unsigned seg, uint64_t off, uint16_t v);
void mem_write32(struct cpu *c, unsigned seg, uint64_t off, uint32_t v);
void mem_write64(struct cpu *c, unsigned seg, uint64_t off, uint64_t v);
/* size 1, 2, 4 or 8. */
uint64_t mem_read(struct cpu *c, unsigned seg, uint64_t off, unsigned size);
void mem_write(struct cpu *c, unsigned seg, uint64_t off, uint64_t v, unsigned size);
/* Any length up to 4096; wraps within the segment as 16-bit addressing does only where the manual says so. */
void mem_read_bytes(struct cpu *c, unsigned seg, uint64_t off, void *buf, unsigned len);
void mem_write_bytes(struct cpu *c, unsigned seg, uint64_t off, const void *buf, unsigned len);
/* Every check of a later read or write, without doing it: faults now or never. */
void access_probe_read(struct cpu *c, unsigned seg, uint64_t off, unsigned len);
void access_probe_write(struct cpu *c, unsigned seg, uint64_t off, unsigned len);
/* Linear addresses with supervisor rights: descriptor tables, TSS, IDT. size 1, 2, 4 or 8. */
uint64_t lin_read_sys(struct cpu *c, uint64_t linear, unsigned size);
void lin_write_sys(struct cpu *c, uint64_t linear, uint64_t v, unsigned size);
void lin_probe_write_sys(struct cpu *c, uint64_t linear, unsigned len);
/* Linear addresses with given rights and no segment checks (stack switches: the new stack, before it is loaded). */
uint64_t lin_read(struct cpu *c, uint64_t linear, unsigned size, bool user);
void lin_write(struct cpu *c, uint64_t linear, uint64_t v, unsigned size, bool user);
void lin_probe_write(struct cpu *c, uint64_t linear, unsigned len, bool user);
/* Physical, with this CPU's A20, SMM and APIC page applied. (access.c) */
uint64_t cpu_phys_load(struct cpu *c, uint64_t phys, unsigned size);
void cpu_phys_store(struct cpu *c, uint64_t phys, uint64_t v, unsigned size);
/* Offset of the memory operand, cut to the address size. (modrm.h has the inline one) */
uint64_t insn_ea(struct cpu *c, const struct insn *i);
/* Stack, by SS.B; size 2, 4 or 8 bytes. Push checks before it writes; the SP changes last. (access.c) */
void stack_push(struct cpu *c, uint64_t v, unsigned size);
uint64_t stack_pop(struct cpu *c, unsigned size);
/* Reads the word/dword at SP + off without popping. */
uint64_t stack_peek(struct cpu *c, uint64_t off, unsigned size);
void stack_add(struct cpu *c, int64_t delta);               /* SP, ESP or RSP by SS.B / mode */
/* r/m operand of 2, 4 or 8 bytes, register or memory. */
uint64_t rm_read(struct cpu *c, const struct insn *i, unsigned size);
void rm_write(struct cpu *c, const struct insn *i, uint64_t v, unsigned size);
static inline uint16_t reg16(const struct cpu *c, unsigned n) { return (uint16_t)c->r[n]; }
static inline uint32_t reg32(const struct cpu *c, unsigned n) { return (uint32_t)c->r[n]; }
static inline void set_reg16(struct cpu *c, unsigned n, uint16_t v) { c->r[n] = (c->r[n] & ~0xffffull) | v; }
static inline void set_reg32(struct cpu *c, unsigned n, uint32_t v) { c->r[n] = v; }
static inline void set_reg(struct cpu *c, unsigned n, uint64_t v, unsigned size)
{
    if (size == 2) set_reg16(c, n, (uint16_t)v);
    else if (size == 4) set_reg32(c, n, (uint32_t)v);
    else c->r[n] = v;
}

/* ---- paging.c: the page walk. */
enum { PAGE_READ = 0, PAGE_WRITE = 1, PAGE_FETCH = 2 };
struct xlate {
    uint64_t phys;               /* of the 4 KiB page that holds linear (A20 not yet applied) */
    bool user, writable;         /* what the tables allow: U/S and R/W of all levels combined */
    bool dirty;                  /* D is set (after this access): a write tag may be made */
    bool global;
    bool nx;
    uint8_t page_shift;          /* 12, 21, 22: size of the page in the tables */
    uint16_t bits;               /* the lowest 12 bits of the entry that maps it */
};
/* Walks for an access, sets A (and D for writes) in the tables, faults with #PF and CR2. Without CR0.PG: identity. */
void paging_walk(struct cpu *c, uint64_t linear, unsigned kind, bool user, struct xlate *x);
/* The same without side effects; false where it would fault: everything within page_shift around is missing then, too. */
bool paging_peek(struct cpu *c, uint64_t linear, struct xlate *x);
/* Loads the four PDPTEs (MOV CR3, CR0.PG/CR4.PAE changes); #GP(0) on reserved bits. */
void paging_load_pdptes(struct cpu *c, uint64_t cr3);

/* ---- event.c: interrupts and exceptions. */
enum event_kind { EVENT_EXCEPTION, EVENT_EXTERNAL, EVENT_SOFT /* INT n */, EVENT_INT3_INTO, EVENT_ICEBP };
/* Delivers one event from c->rip (the IP to save). May itself fault: run.c catches that and calls event_fault. */
void event_deliver(struct cpu *c, enum vector v, enum event_kind kind, bool has_error, uint32_t error);
/* A fault arrived by cpu_fault: applies the double-fault table (SDM vol. 3 table 6-5) against the event being delivered,
 * sets RF and DR6 as the vector demands, and delivers; three in a row shut the CPU down. Called by run.c in a loop. */
void event_fault(struct cpu *c, enum vector v, uint32_t error);
static inline bool vector_has_error(enum vector v) { return v == V_DF || (v >= V_TS && v <= V_PF) || v == V_AC; }

/* ---- seg.c */
/* Loads DS, ES, FS, GS or SS as MOV/POP/LxS do, with all checks of the current mode. */
void seg_load(struct cpu *c, unsigned seg, uint16_t sel);
/* Real-mode or V86 load: base = sel * 16; keeps limit and attr in real mode ("unreal" mode works). */
void seg_load_real(struct cpu *c, unsigned seg, uint16_t sel);

/* ---- smm.c */
void smm_enter(struct cpu *c);

/* ---- debug.c */
/* Instruction breakpoint at the linear address of c->rip? Then cpu_fault(#DB) with DR6 set, unless RF. Called by run.c
 * only when a code breakpoint is armed on the page. */
void debug_check_fetch(struct cpu *c);
/* A data access was made: records hits in dr6_pending and sets ATT_TRAP. Called by the slow path only. */
void debug_check_data(struct cpu *c, uint64_t linear, unsigned len, bool write);
bool debug_page_watched(struct cpu *c, uint64_t linear, bool fetch);

/* ---- fpu.c */
void fpu_reset(struct cpu *c, bool finit);                   /* power-on (fcw 0040h) or FINIT (037Fh) */
void fpu_canonical(struct cpu *c);

#endif
