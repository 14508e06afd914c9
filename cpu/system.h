/* What the system half of the CPU offers to the engine: the slow bodies of the instructions that move between privilege
 * levels, tables and modes, and a few functions that only the run loop or the string I/O instructions call.
 *
 * All of it runs inside a slow body or at the run loop's landing place; faults leave by cpu_fault(). */
#ifndef CPU_SYSTEM_H
#define CPU_SYSTEM_H

#include "cpu/state.h"

/* One line an instruction; the operand letters are the SDM's. SEG_* is in insn.reg for MOV and POP, in insn.imm for LxS. */
#define SYSTEM_OPS(OP) \
    /* seg.c */ OP(mov_Sw_Ew) OP(mov_Ew_Sw) OP(pop_Sw) OP(lxs_Gv_Mp) \
    /* selector.c */ OP(arpl) OP(lar) OP(lsl) OP(verr) OP(verw) OP(sldt) OP(str) OP(lldt) OP(ltr) \
    /* farcall.c */ OP(jmp_Ap) OP(jmp_Mp) OP(call_Ap) OP(call_Mp) \
    /* farret.c */ OP(retf) OP(retf_Iw) OP(iret) OP(sysenter) OP(sysexit) \
    /* event.c */ OP(int3) OP(int_Ib) OP(into) OP(icebp) \
    /* v86.c */ OP(pushf) OP(popf) OP(cli) OP(sti) \
    /* io.c */ OP(in_AL_Ib) OP(in_eAX_Ib) OP(in_AL_DX) OP(in_eAX_DX) OP(out_Ib_AL) OP(out_Ib_eAX) OP(out_DX_AL) \
    OP(out_DX_eAX) \
    /* sysops.c */ OP(hlt) OP(sgdt) OP(sidt) OP(lgdt) OP(lidt) OP(smsw) OP(lmsw) OP(clts) OP(invlpg) OP(invd) \
    OP(wbinvd) OP(mov_Rd_Cd) OP(mov_Cd_Rd) OP(loadall286) OP(loadall386) \
    /* debug.c */ OP(mov_Rd_Dd) OP(mov_Dd_Rd) \
    /* msr.c, cpuid.c, smm.c */ OP(rdmsr) OP(wrmsr) OP(rdtsc) OP(rdpmc) OP(cpuid) OP(rsm)

#define SYSTEM_OP_DECLARE(name) enum status op_##name(struct cpu *c, const struct insn *i);
SYSTEM_OPS(SYSTEM_OP_DECLARE)
#undef SYSTEM_OP_DECLARE

/* Before every port access, INS and OUTS included: IOPL, the TSS bitmap and V86 rules (#GP(0)); remembers the
 * instruction for SMM I/O restart; notes I/O breakpoints. */
void io_check(struct cpu *c, uint16_t port, unsigned size);

/* Register values after RESET (hard) or INIT: SDM vol. 3 table 9-1. Pins and pending events are the caller's. */
void model_reset_registers(struct cpu *c, bool hard);

/* event_deliver for a body that delivers its own event: ip is the IP to save. */
void event_deliver_at(struct cpu *c, enum vector v, enum event_kind kind, bool has_error, uint32_t error, uint64_t ip);
/* Delivers the #DB trap that is due between two instructions: data breakpoints collected in dr6_pending and, where
 * `step`, the single step of TF. Sets DR6; RF is not set (a trap). Called by the run loop on ATT_TRAP. */
void debug_trap(struct cpu *c, bool step);

/* Branch records and stepping by branches, MSR DEBUGCTL (debug.c). debug_place: the IP as a record has it. */
uint64_t debug_place(const struct cpu *c);
/* A branch was taken, from `from` to the IP. */
void debug_branch(struct cpu *c, uint64_t from);
/* An exception or interrupt was delivered from there; `trap`: it is a debug exception, which ends the recording. */
void debug_event(struct cpu *c, uint64_t from, bool trap);

/* Performance counters 0 and 1 (perfmon.c): as RDMSR and RDPMC read them, their value, what they select (Pentium: both in CESR).
 * Time must be published. */
uint64_t perf_read(struct cpu *c, unsigned n);
void perf_write(struct cpu *c, unsigned n, uint64_t v);
void perf_select(struct cpu *c, unsigned n, uint64_t v);
/* The privilege level changed, and a selection depends on it; an interrupt was taken. */
void perf_level_changed(struct cpu *c);
void perf_interrupt_taken(struct cpu *c);
/* At create, at hard reset, after a load. */
void perf_init(struct cpu *c);
void perf_reset(struct cpu *c);
void perf_derive(struct cpu *c);

/* Current value of the time-stamp counter; never the same twice on one CPU. Time must be published. */
uint64_t tsc_read(struct cpu *c);
/* MSRs as RDMSR and WRMSR see them; false where the instruction takes #GP(0). */
bool msr_read(struct cpu *c, uint32_t index, uint64_t *value);
bool msr_write(struct cpu *c, uint32_t index, uint64_t value);
/* CPUID as the instruction sees it: out is EAX, EBX, ECX, EDX. */
void cpuid_query(struct cpu *c, uint32_t leaf, uint32_t subleaf, uint32_t out[4]);

#endif
