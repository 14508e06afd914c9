/* Which handler runs a record: one made for its form (fast.h), or the general one that calls the operation's slow body.
 *
 * A block is gone through from its end, because a handler may leave out flags that later instructions overwrite before
 * anyone could see them. "Anyone" is whatever reads flags, may fault, may leave the block or touches memory: so flags are
 * dead before an instruction that sets them all, and stay dead only across register-only fast handlers. */
#include "cpu/fast.h"
#include "cpu/fast_seq.h"
#include "cpu/fast_simd.h"

#include "cpu/model.h"

/* ---- operations that come in forms: what the table's rows have in common */

enum form { FORM_NONE, FORM_E_G, FORM_G_E, FORM_E_I };

struct alu_row { uint8_t alu, form, byte; };
#define ALU_ROWS(name, op) \
    [OP_##name##_Eb_Gb] = { op, FORM_E_G, 1 }, [OP_##name##_Ev_Gv] = { op, FORM_E_G, 0 }, \
    [OP_##name##_Gb_Eb] = { op, FORM_G_E, 1 }, [OP_##name##_Gv_Ev] = { op, FORM_G_E, 0 }, \
    [OP_##name##_Eb_Ib] = { op, FORM_E_I, 1 }, [OP_##name##_Ev_Iz] = { op, FORM_E_I, 0 }, \
    [OP_##name##_Ev_Ib] = { op, FORM_E_I, 0 }, [OP_##name##_AL_Ib] = { op, FORM_E_I, 1 }, \
    [OP_##name##_eAX_Iz] = { op, FORM_E_I, 0 }
enum { ALU_TEST = 8 };
static const struct alu_row alu_rows[OP_COUNT] = {
    ALU_ROWS(add, ALU_ADD), ALU_ROWS(or, ALU_OR), ALU_ROWS(adc, ALU_ADC), ALU_ROWS(sbb, ALU_SBB),
    ALU_ROWS(and, ALU_AND), ALU_ROWS(sub, ALU_SUB), ALU_ROWS(xor, ALU_XOR), ALU_ROWS(cmp, ALU_CMP),
    [OP_test_Eb_Gb] = { ALU_TEST, FORM_E_G, 1 }, [OP_test_Ev_Gv] = { ALU_TEST, FORM_E_G, 0 },
    [OP_test_Eb_Ib] = { ALU_TEST, FORM_E_I, 1 }, [OP_test_Ev_Iz] = { ALU_TEST, FORM_E_I, 0 },
    [OP_test_AL_Ib] = { ALU_TEST, FORM_E_I, 1 }, [OP_test_eAX_Iz] = { ALU_TEST, FORM_E_I, 0 },
};

struct shift_row { bool here; uint8_t op; bool cl, byte; };
#define SHIFT_ROWS(name, which) \
    [OP_##name##_Eb_1] = { true, which, false, true }, [OP_##name##_Eb_Ib] = { true, which, false, true }, \
    [OP_##name##_Eb_CL] = { true, which, true, true }, [OP_##name##_Ev_1] = { true, which, false, false }, \
    [OP_##name##_Ev_Ib] = { true, which, false, false }, [OP_##name##_Ev_CL] = { true, which, true, false }
static const struct shift_row shift_rows[OP_COUNT] = {
    SHIFT_ROWS(rol, SHIFT_ROL), SHIFT_ROWS(ror, SHIFT_ROR), SHIFT_ROWS(rcl, SHIFT_RCL), SHIFT_ROWS(rcr, SHIFT_RCR),
    SHIFT_ROWS(shl, SHIFT_SHL), SHIFT_ROWS(shr, SHIFT_SHR), SHIFT_ROWS(sar, SHIFT_SAR),
};

/* ---- forms of one record */

static enum ea address_form(const struct insn *i, unsigned mode)
{
    static const uint8_t flat[8] = { [SEG_ES] = MODE_FLAT_ES, [SEG_CS] = MODE_FLAT_CS, [SEG_SS] = MODE_FLAT_SS,
                                     [SEG_DS] = MODE_FLAT_DS };
    if ((i->flags & INSN_ADDRSIZE) != INSN_ADDR32 || !(mode & flat[insn_seg(i)])) return EA_SEGMENT;
    /* A code segment is never writable; a store through a flat CS override must fault in its body. */
    if (insn_seg(i) == SEG_CS) return EA_SEGMENT;
    return i->index == R_NONE ? EA_BASE : EA_FLAT;
}

static void swap_reg_rm(struct insn *i)
{
    uint8_t reg = i->reg;
    i->reg = i->rm;
    i->rm = reg;
}

/* `quiet`: nobody will see the flags. */
static insn_handler *select_alu(struct insn *i, unsigned mode, bool quiet)
{
    const struct alu_row *row = &alu_rows[i->op];
    unsigned size = row->byte ? 0 : i->flags & INSN_OPSIZE;
    const struct fast_alu *f = row->alu == ALU_TEST ? &fast_test : &fast_alu[row->alu];
    if (size > 2) return NULL;
    if (quiet && (row->alu == ALU_TEST || row->alu == ALU_CMP)) quiet = false;
    if (!insn_is_mem(i)) {
        if (row->form == FORM_E_I) return quiet ? f->riq[size] : f->ri[size];
        if (row->form == FORM_G_E) swap_reg_rm(i);          /* the destination is in rm from here on */
        return quiet ? f->rrq[size] : f->rr[size];
    }
    enum ea ea = address_form(i, mode);
    switch (row->form) {
    case FORM_E_I: return f->mi[size][ea];
    case FORM_G_E: return quiet ? f->rmq[size][ea] : f->rm[size][ea];
    default: return row->alu == ALU_TEST ? f->rm[size][ea] : f->mr[size][ea];
    }
}

static insn_handler *select_shift(const struct cpu *c, const struct insn *i, bool quiet)
{
    const struct shift_row *row = &shift_rows[i->op];
    unsigned size = row->byte ? 0 : i->flags & INSN_OPSIZE;
    if (insn_is_mem(i) || size > 2 || cpu_level(c) == LEVEL_8086) return NULL;
    if (!row->cl && (i->imm & 31) == 0) return NULL;
    /* Undefined flags of their own (alu_early.h). */
    if (cpu_level(c) <= LEVEL_386) return quiet && !row->cl ? fast_shift_riq[row->op][size] : NULL;
    if (row->cl) return fast_shift_rc[row->op][size];
    return quiet ? fast_shift_riq[row->op][size] : fast_shift_ri[row->op][size];
}

static insn_handler *select_inc(const struct insn *i, unsigned mode, bool dec, bool byte, bool quiet)
{
    unsigned size = byte ? 0 : i->flags & INSN_OPSIZE;
    if (size > 2) return NULL;
    if (insn_is_mem(i)) return fast_inc_m[dec][size][address_form(i, mode)];
    return quiet ? fast_incq[dec][size] : fast_inc[dec][size];
}

static insn_handler *select_move(struct insn *i, unsigned mode, enum form form, bool byte)
{
    unsigned size = byte ? 0 : i->flags & INSN_OPSIZE;
    if (size > 2) return NULL;
    if (!insn_is_mem(i)) {
        if (form == FORM_E_I) return fast_mov_ri[size];
        if (form == FORM_G_E) swap_reg_rm(i);
        return fast_mov_rr[size];
    }
    enum ea ea = address_form(i, mode);
    return form == FORM_E_I ? fast_store_imm[size][ea] : form == FORM_G_E ? fast_load[size][ea] : fast_store[size][ea];
}

static insn_handler *select_movx(const struct insn *i, unsigned mode, bool sign, bool word)
{
    if ((i->flags & INSN_OPSIZE) != 2) return NULL;
    return insn_is_mem(i) ? fast_movx_rm[sign][word][address_form(i, mode)] : fast_movx_rr[sign][word];
}

/* A relative jump of the code's own size: its target's offset in the page, and whether it may be linked to: it lies inside. */
static bool prepare_jump(struct insn *i, unsigned mode)
{
    i->disp = (int32_t)((uint32_t)i->off + i->len + (uint32_t)i->imm);
    return i->disp >= 0 && i->disp < (int32_t)PAGE_SIZE && !(mode & MODE_CROSS);
}

static insn_handler *select_branch(struct insn *i, unsigned mode)
{
    bool wide = (i->flags & INSN_OPSIZE) == 2, flat = (mode & MODE_FLAT_SS) && (mode & MODE_SS32);
    if ((mode & MODE_EDGE) || wide != ((mode & MODE_D32) != 0)) return NULL;
    switch (i->op) {
    case OP_jcc_Jb: case OP_jcc_Jz: return fast_jcc[prepare_jump(i, mode)][i->reg];
    case OP_jmp_Jb: case OP_jmp_Jz: return fast_jmp[prepare_jump(i, mode)];
    case OP_call_Jz: return fast_call[prepare_jump(i, mode)][wide][flat];
    case OP_loop_Jb: return insn_addrsize(i) == 4 ? fast_loop[prepare_jump(i, mode)] : NULL;
    case OP_jcxz_Jb: return insn_addrsize(i) == 4 ? fast_jcxz[prepare_jump(i, mode)] : NULL;
    case OP_ret: return fast_ret[wide][flat];
    case OP_ret_Iw: return fast_ret_i[wide][flat];
    case OP_jmp_Ev:
        if (!wide) return NULL;
        return insn_is_mem(i) ? fast_jmp_m[address_form(i, mode)] : fast_jmp_r;
    case OP_call_Ev:
        if (!wide || !flat) return NULL;
        return insn_is_mem(i) ? fast_call_m[address_form(i, mode)] : fast_call_r;
    default: return NULL;
    }
}

/* Leaves other undefined flags on the 386 than on later models (alu_early.h). */
static bool flags_of_its_own(const struct insn *i)
{
    switch (i->op) {
    case OP_imul_Gv_Ev: case OP_imul_Gv_Ev_Iz: case OP_imul_Gv_Ev_Ib: case OP_div_Ev: case OP_bsf_Gv_Ev: case OP_bsr_Gv_Ev:
    case OP_shld_Ev_Gv_Ib: case OP_shld_Ev_Gv_CL: case OP_shrd_Ev_Gv_Ib: case OP_shrd_Ev_Gv_CL:
    case OP_bt_Ev_Gv: case OP_bt_Ev_Ib: return true;
    default: return false;
    }
}

static insn_handler *select_fast(const struct cpu *c, struct insn *i, unsigned mode, bool quiet)
{
    bool wide = (i->flags & INSN_OPSIZE) == 2, mem = insn_is_mem(i);
    bool flat = (mode & MODE_FLAT_SS) && (mode & MODE_SS32);
    if (mode & MODE_L64 || (cpu_level(c) == LEVEL_386 && flags_of_its_own(i))) return NULL;
    if (alu_rows[i->op].form) return select_alu(i, mode, quiet);
    if (shift_rows[i->op].here) return select_shift(c, i, quiet);
    switch (i->op) {
    case OP_inc_Zv: case OP_inc_Ev: return select_inc(i, mode, false, false, quiet);
    case OP_dec_Zv: case OP_dec_Ev: return select_inc(i, mode, true, false, quiet);
    case OP_inc_Eb: return select_inc(i, mode, false, true, quiet);
    case OP_dec_Eb: return select_inc(i, mode, true, true, quiet);
    case OP_neg_Eb: return mem ? NULL : fast_neg[0];
    case OP_neg_Ev: return mem ? NULL : fast_neg[i->flags & INSN_OPSIZE];
    case OP_not_Eb: return mem ? NULL : fast_not[0];
    case OP_not_Ev: return mem ? NULL : fast_not[i->flags & INSN_OPSIZE];
    case OP_imul_Gv_Ev: return !wide ? NULL : mem ? fast_imul_rm[address_form(i, mode)] : fast_imul_rr;
    case OP_imul_Gv_Ev_Iz: case OP_imul_Gv_Ev_Ib: return mem || !wide ? NULL : fast_imul_rri;
    case OP_mul_Ev: return !wide ? NULL : mem ? fast_mul_m[address_form(i, mode)] : fast_mul_r;
    case OP_div_Ev: return mem || !wide ? NULL : fast_div_r;
    case OP_shld_Ev_Gv_Ib: return mem || !wide ? NULL : fast_double_shift[1][0];
    case OP_shld_Ev_Gv_CL: return mem || !wide ? NULL : fast_double_shift[1][1];
    case OP_shrd_Ev_Gv_Ib: return mem || !wide ? NULL : fast_double_shift[0][0];
    case OP_shrd_Ev_Gv_CL: return mem || !wide ? NULL : fast_double_shift[0][1];
    case OP_bt_Ev_Gv: return mem || !wide ? NULL : fast_bt[0];
    case OP_bt_Ev_Ib: return mem || !wide ? NULL : fast_bt[1];
    case OP_bsf_Gv_Ev: return mem || !wide ? NULL : fast_bit_scan[0];
    case OP_bsr_Gv_Ev: return mem || !wide ? NULL : fast_bit_scan[1];

    case OP_mov_Eb_Gb: case OP_mov_Ob_AL: return select_move(i, mode, FORM_E_G, true);
    case OP_mov_Ev_Gv: case OP_mov_Ov_eAX: return select_move(i, mode, FORM_E_G, false);
    case OP_mov_Gb_Eb: case OP_mov_AL_Ob: return select_move(i, mode, FORM_G_E, true);
    case OP_mov_Gv_Ev: case OP_mov_eAX_Ov: return select_move(i, mode, FORM_G_E, false);
    case OP_mov_Eb_Ib: case OP_mov_Zb_Ib: return select_move(i, mode, FORM_E_I, true);
    case OP_mov_Ev_Iz: case OP_mov_Zv_Iv: return select_move(i, mode, FORM_E_I, false);
    case OP_movzx_Gv_Eb: return select_movx(i, mode, false, false);
    case OP_movzx_Gv_Ew: return select_movx(i, mode, false, true);
    case OP_movsx_Gv_Eb: return select_movx(i, mode, true, false);
    case OP_movsx_Gv_Ew: return select_movx(i, mode, true, true);
    case OP_lea_Gv_M:
        if (!mem || !wide || insn_addrsize(i) != 4) return NULL;
        return fast_lea[i->index == R_NONE];
    case OP_xchg_Eb_Gb: return mem ? NULL : fast_xchg_rr[0];
    case OP_xchg_Ev_Gv: case OP_xchg_eAX_Zv: return mem ? NULL : fast_xchg_rr[i->flags & INSN_OPSIZE];

    case OP_push_Zv: return i->rm == R_SP && cpu_level(c) == LEVEL_8086 ? NULL : fast_push_r[wide][flat];
    case OP_push_Iz: case OP_push_Ib: return fast_push_i[wide][flat];
    case OP_pop_Zv: return fast_pop_r[wide][flat];
    case OP_push_Ev: return mem && wide && flat ? fast_push_m[address_form(i, mode)] : NULL;
    case OP_leave: return wide && flat ? fast_leave : NULL;

    case OP_cwd: return wide ? fast_cdq : NULL;
    case OP_cbw: return wide ? fast_cwde : NULL;
    case OP_nop: case OP_nop_Ev: case OP_pause: return fast_nop;
    case OP_cld: return fast_cld;
    case OP_std: return fast_std;
    case OP_setcc_Eb: return mem ? NULL : fast_setcc[i->imm];
    case OP_cmovcc_Gv_Ev: return !wide ? NULL : mem ? fast_cmov_rm[i->imm][address_form(i, mode)] : fast_cmov_rr[i->imm];

    case OP_lods_AL_Xb: return fast_lods[0];
    case OP_lods_eAX_Xv: return fast_lods[i->flags & INSN_OPSIZE];
    case OP_stos_Yb_AL: return fast_stos[0];
    case OP_stos_Yv_eAX: return fast_stos[i->flags & INSN_OPSIZE];
    case OP_movs_Yb_Xb: return fast_movs[0];
    case OP_movs_Yv_Xv: return fast_movs[i->flags & INSN_OPSIZE];
    case OP_scas_AL_Yb: return fast_scas[0];
    case OP_scas_eAX_Yv: return fast_scas[i->flags & INSN_OPSIZE];
    default: {
        insn_handler *simd = fast_simd(i, mem ? address_form(i, mode) : EA_SEGMENT);
        return simd ? simd : select_branch(i, mode);
    }
    }
}

/* ---- fusion: the handler for i together with the conditional jump or x87 instruction that follows it, or NULL. i has its
 * own handler already, so a register form has its destination in rm. */
static insn_handler *select_fused(const struct insn *i, const struct insn *jump, unsigned mode)
{
    if (jump->run == run_body) return NULL;
    if (jump->op != OP_jcc_Jb && jump->op != OP_jcc_Jz)
        return fast_x87_pair(i, address_form(i, mode), jump, address_form(jump, mode));
    bool near = jump->disp >= 0 && jump->disp < (int32_t)PAGE_SIZE;
    unsigned cc = jump->reg;
    if ((i->op == OP_dec_Zv || i->op == OP_dec_Ev) && !insn_is_mem(i) && (i->flags & INSN_OPSIZE) == 2) return fuse_dec[near][cc];
    const struct alu_row *row = &alu_rows[i->op];
    if (!row->form || (row->alu != ALU_CMP && row->alu != ALU_TEST)) return NULL;
    bool test = row->alu == ALU_TEST, byte = row->byte;
    if (!byte && (i->flags & INSN_OPSIZE) != 2) return NULL;
    if (!insn_is_mem(i)) {
        if (row->form == FORM_E_I) {
            if (byte) return test ? fuse_test_ri8[near][cc] : fuse_cmp_ri8[near][cc];
            return test ? fuse_test_ri[near][cc] : fuse_cmp_ri[near][cc];
        }
        if (byte) return test ? fuse_test_rr8[near][cc] : fuse_cmp_rr8[near][cc];
        return test ? fuse_test_rr[near][cc] : fuse_cmp_rr[near][cc];
    }
    enum ea ea = address_form(i, mode);
    if (row->form == FORM_G_E && !byte && !test) return fuse_cmp_rm[near][cc][ea];
    if (row->form == FORM_E_G && !byte && !test) return fuse_cmp_mr[near][cc][ea];
    if (row->form != FORM_E_I) return NULL;
    if (byte) return test ? fuse_test_mi8[near][cc][ea] : fuse_cmp_mi8[near][cc][ea];
    return test ? NULL : fuse_cmp_mi[near][cc][ea];
}

/* Its quiet handler neither writes nor reads flags, though the instruction as such does both. */
static bool leaves_flags_alone(const struct insn *i)
{
    switch (i->op) {
    case OP_inc_Zv: case OP_inc_Ev: case OP_inc_Eb: case OP_dec_Zv: case OP_dec_Ev: case OP_dec_Eb: return true;
    default: break;
    }
    const struct shift_row *row = &shift_rows[i->op];
    return row->here && !row->cl && row->op != SHIFT_RCL && row->op != SHIFT_RCR;
}

bool select_patchable(const struct insn *i)
{
    const struct alu_row *row = &alu_rows[i->op];
    if (row->form) return row->form == FORM_E_I || insn_is_mem(i);
    switch (i->op) {
    case OP_mov_Eb_Gb: case OP_mov_Ev_Gv: case OP_mov_Gb_Eb: case OP_mov_Gv_Ev: case OP_lea_Gv_M: return insn_is_mem(i);
    case OP_mov_Eb_Ib: case OP_mov_Ev_Iz: case OP_mov_Zb_Ib: case OP_mov_Zv_Iv: case OP_push_Ib: case OP_push_Iz: return true;
    default: return false;
    }
}

void select_handlers(const struct cpu *c, struct insn *first, unsigned count, unsigned mode)
{
    bool live = true;                         /* somebody may look at the flags after this record */
    for (unsigned n = count; n-- > 0;) {
        struct insn *i = &first[n];
        uint16_t attr = optable[i->op].attr;
        bool repeated = (attr & OPA_REP) && (i->flags & (INSN_REP | INSN_REPNE));
        insn_handler *fast = repeated || (attr & OPA_TIME) ? NULL : select_fast(c, i, mode, !live);
        if (!fast) {
            i->run = repeated ? run_body_rep : attr & OPA_TIME ? run_body_time : run_body;
            live = true;
            continue;
        }
        i->run = fast;
        insn_handler *fused = n + 1 < count ? select_fused(i, i + 1, mode) : NULL;
        if (fused) i->run = fused;
        if (insn_is_mem(i) || !(attr & OPA_PURE)) live = true;
        else if (!live && leaves_flags_alone(i)) live = false;
        else if (attr & OPA_FR) live = true;
        else if (attr & OPA_FW) live = false;
    }

    seq_share(c->blocks->seqs, first, count);
}
