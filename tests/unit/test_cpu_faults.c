/* The rule that everything rests on: an instruction that faults has changed nothing. Random tables, registers and
 * instructions; after a fault registers and memory must be what they were, unless a task switch had passed its point of
 * no return. What the random guest does must also leave a CPU that can go on. */
#include "tests/unit/cpu_rig.h"

enum { MEMORY = 0x30000, ROUNDS = 6000 };

static insn_body *const bodies[] = {
    op_mov_Sw_Ew, op_mov_Ew_Sw, op_pop_Sw, op_lxs_Gv_Mp, op_arpl, op_lar, op_lsl, op_verr, op_verw, op_sldt, op_str, op_lldt,
    op_ltr, op_jmp_Ap, op_jmp_Mp, op_call_Ap, op_call_Mp, op_retf, op_retf_Iw, op_iret, op_sysenter, op_sysexit, op_int3,
    op_int_Ib, op_into, op_icebp, op_pushf, op_popf, op_cli, op_sti, op_in_AL_DX, op_in_eAX_DX, op_out_DX_AL, op_out_DX_eAX,
    op_hlt, op_sgdt, op_sidt, op_lgdt, op_lidt, op_smsw, op_lmsw, op_clts, op_invlpg, op_mov_Rd_Cd, op_mov_Rd_Dd, op_mov_Dd_Rd,
    op_rdmsr, op_wrmsr, op_rdtsc, op_rdpmc, op_cpuid, op_rsm, op_loadall286, op_loadall386,
};

/* Likely values: a selector of the tables, a stack, a descriptor that is nearly right. */
static uint16_t random_sel(uint64_t *seed)
{
    uint64_t v = random64(seed);
    return (uint16_t)(v & 0x300 ? (v & 0x7f) : v >> 16);
}

static void random_tables(struct rig *r, uint64_t *seed)
{
    static const uint8_t access[] = { 0x9b, 0x93, 0xfb, 0xf3, 0x9f, 0xff, 0x99, 0x91, 0x97, 0x9a, 0x92, 0x82, 0x81, 0x89,
                                      0x83, 0x8b, 0x84, 0x8c, 0x85, 0x86, 0x8e, 0x87, 0x8f, 0xec, 0xe4, 0xe5, 0xee, 0xef,
                                      0xb3, 0xbb, 0x1b, 0x13, 0x00, 0x0e };
    for (uint32_t at = RIG_GDT + 8; at < RIG_GDT + 0x80; at += 8) {
        uint64_t v = random64(seed);
        unsigned a = v & 0xf00 ? access[v % sizeof access] : (unsigned)(v >> 12 & 0xff);
        if (a & 0x10 || !(v & 0x1000)) rig_desc(r, at, (v >> 16 & 3) * 0x1000, v >> 20 & 1 ? 0xfffff : 0x2fff, a, v >> 24 & 0xd);
        else rig_gate(r, at, random_sel(seed), (uint32_t)(v >> 32) & 0x3fff, a, v >> 28 & 0x1f);
        memcpy(rig_at(r, RIG_LDT + (at - RIG_GDT)), rig_at(r, at), 8);
    }
    for (unsigned v = 0; v < 32; v++)
        rig_gate(r, RIG_IDT + 8 * v, random_sel(seed), (uint32_t)random64(seed) & 0x3fff,
                 access[random64(seed) % sizeof access], 0);
    for (unsigned n = 0; n < 0x68; n += 2) {
        rig_w16(r, RIG_TSS + n, n & 2 ? 0 : random_sel(seed));
        rig_w16(r, RIG_TSS2 + n, n & 2 ? 0 : random_sel(seed));
    }
    for (unsigned n = 0; n < 64; n += 2) {
        rig_w16(r, RIG_STACK0 + n, n & 2 && random64(seed) & 1 ? 0 : random_sel(seed));
        rig_w16(r, RIG_STACK3 + n, n & 2 && random64(seed) & 1 ? 0 : random_sel(seed));
    }
}

/* The first megabyte mapped to itself, a page in eight absent, read-only or the supervisor's. */
static void random_pages(struct rig *r, uint64_t *seed)
{
    for (unsigned n = 0; n < 256; n++) {
        uint64_t v = random64(seed);
        rig_w32(r, RIG_PT + 4 * n, n << 12 | (v & 7 ? 7 : v >> 8 & 7));
    }
    rig_w32(r, RIG_PD, RIG_PT | 7);
    r->c->cr3 = RIG_PD;
    r->c->cr0 |= CR0_PG | (random64(seed) & 1 ? CR0_WP : 0);
    tlb_flush(r->c, true);
}

static void random_cpu(struct rig *r, uint64_t *seed)
{
    struct cpu *c = r->c;
    uint64_t v = random64(seed);
    c->cr0 &= ~(uint32_t)(CR0_PG | CR0_WP | CR0_TS);
    tlb_flush(c, true);
    switch (v & 7) {
    case 0: model_reset_registers(c, true); c->r[R_SP] = random64(seed) & 0xffff; break;
    case 1: rig_v86(r, v >> 8 & 3); break;
    default: rig_protected(r, v >> 8 & 1 ? 3 : 0); break;
    }
    if (!cpu_real(c)) random_tables(r, seed);
    if (!cpu_real(c) && cpu_level(c) >= LEVEL_386 && v >> 60 & 1) random_pages(r, seed);
    for (unsigned n = 0; n < 8; n++) if (n != R_SP) c->r[n] = random_sel(seed);
    c->cr4 = v >> 16 & (CR4_VME | CR4_PVI | CR4_DE);
    if (v >> 40 & 1) c->tr = rig_seg(S_TSS, RIG_TSS, 0x2b + (v >> 41 & 0x7f), v >> 48 & 1 ? 0x8b : 0x83, 0);
    c->sysenter_cs = random_sel(seed);
    uint32_t keep = c->eflags & FL_VM;
    eflags_set(c, ((uint32_t)random64(seed) & (FL_ARITH | FL_IF | FL_TF | FL_DF | FL_IOPL | FL_NT | FL_VIF | FL_VIP)) | keep);
    cpu_mode_changed(c);
}

static struct insn random_insn(uint64_t *seed)
{
    uint64_t v = random64(seed);
    struct insn i = v & 0x100 ? rig_reg(v & 7, v >> 4 & 7, v >> 9 & 1 ? INSN_O16 : INSN_O32)
                              : rig_mem(v & 7, RIG_STACK0 + (v >> 32 & 0x3f), v >> 9 & 1 ? INSN_O16 : INSN_O32);
    i.imm = random_sel(seed);
    if (!insn_is_mem(&i)) i.disp = random_sel(seed);
    return i;
}

/* One random instruction; false if its fault left a trace. */
static bool round_is_clean(struct rig *r, uint64_t *seed, uint8_t *memory)
{
    struct cpu *c = r->c;
    random_cpu(r, seed);
    insn_body *body = bodies[random64(seed) % (sizeof bodies / sizeof bodies[0])];
    struct insn i = random_insn(seed);
    if (body == op_lxs_Gv_Mp) i.imm = (int32_t)(random64(seed) & 1 ? SEG_DS : SEG_SS);
    if (body == op_pop_Sw) i.reg = random64(seed) & 1 ? SEG_SS : SEG_ES;    /* what the decoder can name */
    memcpy(memory, r->block->data, MEMORY);
    struct cpu before = *c;
    before.eflags = eflags_get(c);
    int v = rig_body(r, body, &i);
    ck_assert_uint_eq(c->r[R_NONE], 0);
    ck_assert_uint_le(c->cpl, 3);
    ck_assert(eflags_get(c) & FL_1);
    if (v == NO_FAULT) return true;
    if (!(c->cr0 & CR0_TS)) {                              /* a task switch sets it at its point of no return */
        if (memcmp(memory, r->block->data, MEMORY) || memcmp(c->r, before.r, sizeof c->r) || c->rip != before.rip ||
            memcmp(c->seg, before.seg, sizeof c->seg) || c->cpl != before.cpl || c->cr0 != before.cr0 ||
            ((eflags_get(c) ^ before.eflags) & ~(uint32_t)FL_RF) || c->ldtr.sel != before.ldtr.sel)
            return false;
    }
    rig_fault(r, (enum vector)v, r->error);                /* and its delivery ends, whatever the tables hold */
    if (c->activity != ACT_SHUTDOWN) ck_assert(!c->in_exception);
    return true;
}

START_TEST(a_faulting_instruction_changes_nothing)
{
    static const char *const model[] = { "pentium3", "386", "286" };
    uint8_t *memory = malloc(MEMORY);
    struct rig *r = rig_create(model[_i]);
    r->log.enabled[LOG_GUEST] = false;
    uint64_t seed = 0x1234 + (uint64_t)_i;
    for (unsigned n = 0; n < ROUNDS; n++) {
        uint64_t at = seed;
        ck_assert_msg(round_is_clean(r, &seed, memory), "round %u (seed %llx)", n, (unsigned long long)at);
        r->c->in_exception = false;
    }
    rig_destroy(r);
    free(memory);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("faults");
    TCase *t = tcase_create("commit last");
    tcase_add_loop_test(t, a_faulting_instruction_changes_nothing, 0, 3);
    tcase_set_timeout(t, 60);
    suite_add_tcase(s, t);
    return suite_main(s);
}
