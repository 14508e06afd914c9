/* The CPU as a part: create, pins, reset, its state table, and what the board may ask it. */
#include "cpu/cpu.h"

#include <stdlib.h>
#include <string.h>

#include "cpu/block.h"
#include "cpu/exec.h"
#include "cpu/model.h"
#include "cpu/system.h"
#include "cpu/tlb.h"

/* ---- create and destroy */

struct cpu *cpu_create(const struct cpu_config *cfg, struct error *e)
{
    struct cpu *c = calloc(1, sizeof *c);
    if (!c) goto out_memory;
    c->model = model_find(cfg->model, &c->model_own, e);
    if (!c->model) {
        free(c);
        return NULL;
    }
    c->mem = cfg->mem;
    c->ports = cfg->ports;
    c->clock = cfg->clock;
    c->log = cfg->log;
    c->pins = cfg->pins;
    c->has_apic = cfg->apic;
    model_derive(c);
    c->has_apic = c->has_apic && cpu_has(c, F_APIC);
    c->tlb = tlb_create();
    c->blocks = block_store_create();
    c->jump_cache = malloc(JUMP_CACHE * sizeof *c->jump_cache);
    if (!c->tlb || !c->blocks || !c->jump_cache) {
        cpu_destroy(c);
        c = NULL;
        goto out_memory;
    }
    memset(c->jump_cache, 0xff, JUMP_CACHE * sizeof *c->jump_cache);
    decode_map_build(&c->blocks->map, cpu_level(c), c->features[0]);
    perf_init(c);
    c->a20_mask = ~0ull;
    c->shadow_mark = INT64_MIN;
    c->ip_mask = cpu_level(c) <= LEVEL_286 ? 0xffff : 0xffffffff;
    c->phys_listener = (struct phys_listener){ .map_changed = smc_map_changed, .opaque = c };
    c->ram_listener = (struct ram_listener){ .code_written = smc_code_written, .watch_changed = smc_watch_changed, .opaque = c };
    phys_add_listener(c->mem, &c->phys_listener);
    ram_add_listener(c->mem->ram, &c->ram_listener);
    cpu_reset(c, true);
    return c;

out_memory:
    error_set(e, HOST_NO_MEMORY, "CPU: out of memory");
    return NULL;
}

void cpu_destroy(struct cpu *c)
{
    if (!c) return;
    timer_fini(&c->pmi_timer);
    free(c->tlb);
    free(c->jump_cache);
    block_store_destroy(c->blocks);
    free(c->model_own);
    free(c);
}

/* ---- pins */

static void pin_set(void *opaque, unsigned pin, bool level)
{
    struct cpu *c = opaque;
    switch ((enum cpu_pin)pin) {
    case CPU_PIN_INTR:
        c->intr_level = level;
        if (level && (c->eflags & FL_IF)) c->attention |= ATT_INTR;
        return;
    case CPU_PIN_NMI:
        if (!level) return;
        c->nmi_pending = true;
        c->attention |= ATT_NMI;
        return;
    case CPU_PIN_SMI:
        if (!level || !cpu_has(c, F_SMM)) return;
        c->smi_pending = true;
        c->attention |= ATT_SMI;
        return;
    case CPU_PIN_INIT:
        if (!level) return;
        c->init_pending = true;
        c->attention |= ATT_INIT;
        return;
    case CPU_PIN_RESET:
        if (!level) return;
        c->reset_pending = true;
        c->attention |= ATT_RESET;
        return;
    case CPU_PIN_A20M:
        if (level == c->a20_masked) return;
        c->a20_masked = level;
        c->a20_mask = level ? ~(1ull << 20) : ~0ull;
        tlb_flush(c, true);
        c->attention |= ATT_MODE;             /* the next instruction may lie elsewhere */
        return;
    case CPU_PIN_IGNNE: c->ignne = level; return;
    case CPU_PIN_COUNT: return;
    }
}

struct irq_line cpu_pin(struct cpu *c, enum cpu_pin pin) { return IRQ_LINE(pin_set, c, pin); }

void cpu_wire(struct cpu *c, struct irq_line ferr, struct irq_line pmi)
{
    c->pins.ferr = ferr;
    c->pins.pmi = pmi;
}

void cpu_reset(struct cpu *c, bool hard)
{
    c->init_pending = false;
    trace(c->log, cpu_reset, (uint64_t)hard);
    if (hard) {
        c->reset_pending = c->nmi_pending = c->smi_pending = false;
        c->in_exception = false;
    }
    model_reset_registers(c, hard);
    attention_derive(c);
}

void cpu_set_apic(struct cpu *c, struct region *r)
{
    c->apic_region = r;
    r->log = c->log;
    tlb_flush(c, true);
}

void cpu_kick(struct cpu *c) { c->attention |= ATT_KICK; }
enum cpu_activity cpu_activity(const struct cpu *c) { return (enum cpu_activity)c->activity; }

/* ---- what the model says */

bool cpu_has_apic(const struct cpu *c) { return c->has_apic; }
uint64_t cpu_tsc_hz(const struct cpu *c) { return c->model->tsc_hz; }
uint64_t cpu_default_rate(const struct cpu *c) { return c->model->rate; }
bool cpu_needs_own_bios(const struct cpu *c) { return cpu_level(c) < LEVEL_486; }
uint64_t cpu_phys_mask(const struct cpu *c) { return (1ull << c->model->phys_bits) - 1; }

uint32_t cpu_signature(struct cpu *c, uint32_t *features)
{
    bool there = cpu_has(c, F_CPUID);
    if (features) *features = there ? model_cpuid_bits(c, 0) : 0;
    return there ? c->model->family_model_stepping : 0;
}

/* ---- state */

static const struct state_field seg_fields[] = {
    FIELD(struct seg, base, "base"),
    FIELD(struct seg, limit, "limit in bytes"),
    FIELD(struct seg, sel, "selector"),
    FIELD(struct seg, attr, "attributes, 0: unusable"),
};
static const struct state_desc seg_state = STATE_DESC(struct seg, "segment", seg_fields);

static const struct state_field table_fields[] = {
    FIELD(struct desc_table, base, "base"),
    FIELD(struct desc_table, limit, "limit"),
    FIELD_DERIVED(struct desc_table, unused),
};
static const struct state_desc table_state = STATE_DESC(struct desc_table, "descriptor table", table_fields);

static const struct state_field f80_fields[] = {
    FIELD(struct f80, mant, "significand"),
    FIELD(struct f80, se, "sign and exponent"),
};
static const struct state_desc f80_state = STATE_DESC(struct f80, "x87 register", f80_fields);

static const struct state_field xmm_fields[] = { FIELD_ARRAY(union xmm, q, "low and high half") };
static const struct state_desc xmm_state = STATE_DESC(union xmm, "XMM register", xmm_fields);

#define T struct cpu
static const struct state_field cpu_fields[] = {
    FIELD_ARRAY(T, r, "general registers, in ModRM order"),
    FIELD(T, rip, "instruction pointer"),
    FIELD_DERIVED(T, next_rip),
    FIELD_DERIVED(T, page_eip),
    FIELD_DERIVED(T, cc_result),
    FIELD_DERIVED(T, cc_operand),
    FIELD_DERIVED(T, cc_inc),
    FIELD_DERIVED(T, cc_kind),
    FIELD(T, eflags, "EFLAGS"),
    FIELD_DERIVED(T, attention),
    FIELD_DERIVED(T, mode),
    FIELD_DERIVED(T, budget),
    FIELD_DERIVED(T, budget_published),
    FIELD_DERIVED(T, tlb_read),
    FIELD_DERIVED(T, tlb_write),
    FIELD_DERIVED(T, seg_read_end),
    FIELD_DERIVED(T, seg_write_end),
    FIELD_DERIVED(T, ip_mask),
    FIELD_DERIVED(T, page_eip_max),
    FIELD_WIRING(T, jump_cache),
    FIELD_DERIVED(T, jump_context),
    FIELD_DERIVED(T, go),
    FIELD_DERIVED(T, go_budget),
    FIELD_DERIVED(T, go_spare),
    FIELD_DERIVED(T, link_from),
    FIELD_DERIVED(T, shadow_mark),
    FIELD_DERIVED(T, shadow_mark_ss),
    FIELD_DERIVED(T, unused7),
    FIELD_STRUCTS(T, seg, &seg_state, "ES CS SS DS FS GS"),
    FIELD_RANGE(T, cpl, 0, 3, "privilege level"),
    FIELD_RANGE(T, activity, 0, ACT_WAIT_SIPI, "0 running, 1 halted, 2 shut down, 3 waits for SIPI"),
    FIELD(T, smm, "in system management mode"),
    FIELD(T, shadow_ss, "one-instruction shadow of a load of SS"),
    FIELD(T, shadow_sti, "one-instruction shadow of STI"),
    FIELD(T, nmi_blocked, "NMI blocked until IRET"),
    FIELD(T, nmi_pending, "NMI latched"),
    FIELD(T, smi_pending, "SMI latched"),
    FIELD(T, init_pending, "INIT latched"),
    FIELD(T, reset_pending, "RESET latched"),
    FIELD(T, intr_level, "INTR pin"),
    FIELD(T, a20_masked, "A20M pin"),
    FIELD(T, ignne, "IGNNE pin"),
    FIELD(T, in_exception, "an exception is being delivered"),
    FIELD(T, exception_vector, "which"),
    FIELD(T, rep_open, "between two iterations of a repetition"),
    FIELD_DERIVED(T, a20_mask),
    FIELD_STRUCT(T, ldtr, &seg_state, "LDTR"),
    FIELD_STRUCT(T, tr, &seg_state, "TR"),
    FIELD_STRUCT(T, gdtr, &table_state, "GDTR"),
    FIELD_STRUCT(T, idtr, &table_state, "IDTR"),
    FIELD(T, cr0, "CR0"),
    FIELD(T, cr4, "CR4"),
    FIELD(T, cr2, "CR2"),
    FIELD(T, cr3, "CR3"),
    FIELD_ARRAY(T, pdpte, "PAE page directory pointers"),
    FIELD_ARRAY(T, dr, "debug registers"),
    FIELD(T, dr6_pending, "debug traps due"),
    FIELD_ARRAY(T, test_tlb, "entries written by TR6 and TR7"),
    FIELD_ARRAY(T, test_reg, "test registers TR3 to TR7"),
    FIELD(T, smbase, "base of SMRAM"),
    FIELD(T, io_eip, "EIP of the last I/O instruction"),
    FIELD(T, io_ecx, "ECX before it"),
    FIELD(T, io_esi, "ESI before it"),
    FIELD(T, io_edi, "EDI before it"),
    FIELD(T, io_count, "instruction count at which it started"),
    FIELD(T, tsc_offset, "added to the clock for RDTSC"),
    FIELD(T, tsc_last, "last value RDTSC gave"),
    FIELD(T, apic_base, "IA32_APIC_BASE"),
    FIELD(T, pat, "IA32_PAT"),
    FIELD(T, mtrr_def, "IA32_MTRR_DEF_TYPE"),
    FIELD_ARRAY(T, mtrr_fix, "fixed MTRRs"),
    FIELD_ARRAY(T, mtrr_var, "variable MTRRs"),
    FIELD(T, sysenter_cs, "SYSENTER_CS"),
    FIELD(T, sysenter_esp, "SYSENTER_ESP"),
    FIELD(T, sysenter_eip, "SYSENTER_EIP"),
    FIELD(T, efer, "EFER"),
    FIELD(T, ucode_rev, "BIOS_SIGN_ID"),
    FIELD(T, misc_enable, "IA32_MISC_ENABLE"),
    FIELD(T, mcg_status, "MCG_STATUS"),
    FIELD_ARRAY(T, mc_bank, "machine check banks"),
    FIELD_ARRAY(T, evntsel, "performance event selectors"),
    FIELD_ARRAY(T, pmc, "performance counters"),
    FIELD_ARRAY(T, pmc_start, "what they counted from"),
    FIELD(T, interrupts, "interrupts taken"),
    FIELD(T, pmi_timer, "next overflow of a performance counter that interrupts"),
    FIELD_RANGE(T, pmc_live, 0, 3, "performance counters that count now"),
    FIELD_DERIVED(T, pmc_levels),
    FIELD_DERIVED(T, branched),
    FIELD_RANGE(T, lbr_top, 0, LBR_MOST - 1, "newest branch record"),
    FIELD_DERIVED(T, unused8),
    FIELD(T, ebl_cr_poweron, "EBL_CR_POWERON"),
    FIELD(T, debugctl, "DEBUGCTL"),
    FIELD_ARRAY(T, branch_from, "branch records: source"),
    FIELD_ARRAY(T, branch_to, "branch records: target"),
    FIELD_ARRAY(T, last_int, "last branch before an interrupt: from, to"),
    FIELD(T, star, "STAR"),
    FIELD(T, lstar, "LSTAR"),
    FIELD(T, cstar, "CSTAR"),
    FIELD(T, sfmask, "SFMASK"),
    FIELD(T, kernel_gs_base, "KERNEL_GS_BASE"),
    FIELD(T, tsc_aux, "TSC_AUX"),
    FIELD_STRUCTS(T, st, &f80_state, "x87 registers, in physical order"),
    FIELD(T, fcw, "x87 control word"),
    FIELD(T, fsw, "x87 status word without TOP"),
    FIELD(T, fop, "last x87 opcode"),
    FIELD(T, fcs, "its CS"),
    FIELD(T, fds, "its operand's segment"),
    FIELD(T, ftag, "x87 registers in use"),
    FIELD_RANGE(T, ftop, 0, 7, "x87 TOP"),
    FIELD(T, ferr, "FERR# asserted"),
    FIELD_DERIVED(T, unused3),
    FIELD(T, fip, "EIP of the last x87 instruction"),
    FIELD(T, fdp, "its operand's offset"),
    FIELD_STRUCTS(T, xmm, &xmm_state, "XMM registers"),
    FIELD(T, mxcsr, "MXCSR"),
    FIELD_DERIVED(T, unused4),
    FIELD_WIRING(T, model),
    FIELD_HOST(T, model_own),
    FIELD_DERIVED(T, features),
    FIELD_WIRING(T, mem),
    FIELD_WIRING(T, ports),
    FIELD_WIRING(T, clock),
    FIELD_WIRING(T, log),
    FIELD_WIRING(T, pins),
    FIELD_WIRING(T, apic_region),
    FIELD_WIRING(T, has_apic),
    FIELD_WIRING(T, unused5),
    FIELD_WIRING(T, tlb),
    FIELD_WIRING(T, blocks),
    FIELD_WIRING(T, ram_listener),
    FIELD_WIRING(T, phys_listener),
    FIELD_HOST(T, landing),
    FIELD_DERIVED(T, fault_vector),
    FIELD_DERIVED(T, fault_error),
    FIELD_DERIVED(T, fault_has_error),
    FIELD_DERIVED(T, unused6),
};
#undef T
const struct state_desc cpu_state = STATE_DESC(struct cpu, "cpu", cpu_fields);

void cpu_canonical(struct cpu *c)
{
    c->eflags = eflags_get(c);
    c->cc_kind = CC_EFLAGS;
    c->cc_result = c->cc_operand = c->cc_inc = 0;
    fpu_canonical(c);
}

void *cpu_state_object(struct cpu *c) { return c; }

enum host_status cpu_loaded(struct cpu *c, struct error *e)
{
    if ((c->cr0 & CR0_PG) && !(c->cr0 & CR0_PE)) return error_set(e, HOST_BAD_FORMAT, "CPU: paging without protected mode");
    if ((c->eflags & FL_VM) && c->cpl != 3) return error_set(e, HOST_BAD_FORMAT, "CPU: virtual-8086 mode at CPL %u", c->cpl);
    if (!(c->cr0 & CR0_PE) && c->cpl != 0) return error_set(e, HOST_BAD_FORMAT, "CPU: real mode at CPL %u", c->cpl);
    model_derive(c);
    c->r[R_NONE] = 0;
    c->eflags |= FL_1;
    c->next_rip = c->page_eip = 0;
    c->cc_result = c->cc_operand = c->cc_inc = 0;
    c->cc_kind = CC_EFLAGS;
    c->budget = c->budget_published = c->go_budget = 0;
    c->go_spare = 0;
    c->go = NULL;
    c->link_from = NULL;
    c->shadow_mark = INT64_MIN;
    c->shadow_mark_ss = false;
    c->a20_mask = c->a20_masked ? ~(1ull << 20) : ~0ull;
    c->ip_mask = cpu_level(c) <= LEVEL_286 ? 0xffff : 0xffffffff;
    c->fault_vector = c->fault_error = 0;
    c->fault_has_error = false;
    c->branched = false;
    c->pins.ferr.level = c->ferr;
    c->pins.pmi.level = false;
    c->unused8 = 0;
    perf_derive(c);
    c->jump_context = 0;
    memset(c->jump_cache, 0xff, JUMP_CACHE * sizeof *c->jump_cache);
    tlb_flush(c, true);
    block_evict_all(c);
    cpu_mode_changed(c);
    attention_derive(c);
    return HOST_OK;
}

void cpu_model_help(FILE *out)
{
    for (unsigned n = 0; n < models_count; n++)
        fprintf(out, "%-11s %s%s\n", models[n].name, models[n].title,
                strcmp(models[n].name, MODEL_DEFAULT) == 0 ? " (default)" : "");
}
