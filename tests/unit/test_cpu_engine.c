/* The engine: counting, blocks, code that is overwritten, and above all that it does not matter how a program is cut into
 * runs. A run of one instruction at a time uses slow bodies only; whole blocks use fast handlers, fused and without dead
 * flags. Both must leave the same machine. */
#include "base/state.h"
#include "cpu/block.h"
#include "cpu/flags.h"
#include "tests/unit/cpu_rig.h"

/* Code at RIG_CODE in flat 32-bit protected mode; every exception goes to a HLT. */
static struct rig *program(const uint8_t *code, unsigned len)
{
    struct rig *r = rig_create("pentium3");
    memcpy(rig_at(r, RIG_CODE), code, len);
    for (unsigned v = 0; v < 256; v++) rig_gate(r, RIG_IDT + 8 * v, K_CODE, 0x7000, A_INT32, 0);
    *rig_at(r, 0x7000) = 0xf4;
    rig_protected(r, 0);
    return r;
}
#define PROGRAM(...) program((const uint8_t[]){ __VA_ARGS__ }, sizeof (const uint8_t[]){ __VA_ARGS__ })

static uint8_t first_user_vector(void *opaque)
{
    (void)opaque;
    return 0x20;
}

START_TEST(every_byte_of_the_cpu_is_named)
{
    ck_assert_uint_eq(state_uncovered(&cpu_state, stderr), 0);
}
END_TEST

START_TEST(each_instruction_counts_one_and_hlt_too)
{
    struct rig *r = PROGRAM(0x40, 0x40, 0xeb, 0x00, 0x40, 0xf4);   /* inc eax; inc eax; jmp +0; inc eax; hlt */
    ck_assert_uint_eq(cpu_run(r->c, 100), 5);
    ck_assert_uint_eq(r->c->r[R_AX], 3);
    ck_assert_uint_eq(r->clock.icount, 5);
    rig_destroy(r);
}
END_TEST

START_TEST(each_repetition_counts_one)
{
    struct rig *r = PROGRAM(0xf3, 0xaa, 0xf4);                     /* rep stosb; hlt */
    r->c->r[R_CX] = 10000;
    r->c->r[R_DI] = RIG_DATA;
    ck_assert_uint_eq(cpu_run(r->c, 1234), 1234);                  /* stops between two iterations */
    ck_assert_uint_eq(r->c->r[R_CX], 10000 - 1234);
    ck_assert_uint_eq(r->c->rip, RIG_CODE);
    ck_assert_uint_eq(cpu_run(r->c, 1000000), 10000 - 1234 + 1);
    rig_destroy(r);
}
END_TEST

START_TEST(a_repetition_of_zero_counts_one)
{
    struct rig *r = PROGRAM(0xf3, 0xa4, 0xf4);
    r->c->r[R_CX] = 0;
    ck_assert_uint_eq(cpu_run(r->c, 100), 2);
    rig_destroy(r);
}
END_TEST

START_TEST(a_fault_counts_for_its_delivery_only)
{
    struct rig *r = PROGRAM(0x40, 0x0f, 0x0b);                     /* inc eax; ud2 -> hlt */
    ck_assert_uint_eq(cpu_run(r->c, 100), 3);
    rig_destroy(r);
}
END_TEST

START_TEST(a_deadline_is_met_exactly_in_a_loop)
{
    struct rig *r = PROGRAM(0x40, 0x41, 0xeb, 0xfc);               /* inc eax; inc ecx; jmp -4 */
    uint64_t total = 0;
    for (unsigned n = 1; n < 200; n++) {
        ck_assert_uint_eq(cpu_run(r->c, n), n);
        total += n;
        ck_assert_uint_eq(r->c->r[R_AX], (total + 2) / 3);
    }
    rig_destroy(r);
}
END_TEST

START_TEST(a_run_that_ends_after_sti_keeps_the_shadow)
{
    struct rig *r = PROGRAM(0xfb, 0x40, 0xf4);                     /* sti; inc eax; hlt */
    uint64_t ax = r->c->r[R_AX];
    cpu_run(r->c, 1);
    ck_assert(r->c->shadow_sti);
    r->c->pins.intack = first_user_vector;
    struct irq_line intr = cpu_pin(r->c, CPU_PIN_INTR);
    irq_set(&intr, true);
    cpu_run(r->c, 1);                                              /* the INC, not the interrupt */
    ck_assert_uint_eq(r->c->r[R_AX], ax + 1);
    ck_assert(!r->c->shadow_sti);
    cpu_run(r->c, 1);
    ck_assert_uint_eq(r->c->rip, 0x7000);
    rig_destroy(r);
}
END_TEST

START_TEST(the_next_instruction_may_be_rewritten)
{
    /* mov byte [RIG_CODE + 8], 0x43 (inc ebx for the inc eax at +7..8); nop; inc eax; hlt */
    struct rig *r = PROGRAM(0xc6, 0x05, 0x08, 0x00, 0x01, 0x00, 0x43, 0x90, 0x40, 0xf4);
    r->c->r[R_AX] = r->c->r[R_BX] = 0;
    cpu_run(r->c, 100);
    ck_assert_uint_eq(r->c->r[R_AX], 0);
    ck_assert_uint_eq(r->c->r[R_BX], 1);
    rig_destroy(r);
}
END_TEST

START_TEST(a_loop_that_rewrites_itself_sees_every_version)
{
    /* l: add eax, 1 (imm patched); inc byte [l + 2]; dec ecx; jnz l; hlt */
    struct rig *r = PROGRAM(0x83, 0xc0, 0x01, 0xfe, 0x05, 0x02, 0x00, 0x01, 0x00, 0x49, 0x75, 0xf4, 0xf4);
    r->c->r[R_AX] = 0;
    r->c->r[R_CX] = 100;
    cpu_run(r->c, 100000);
    ck_assert_uint_eq(r->c->r[R_AX], 100 * 101 / 2);
    rig_destroy(r);
}
END_TEST

/* One rig runs blocks, another one instruction at a time; a store changes one byte ahead of it, in every place. */
START_TEST(every_byte_of_an_instruction_may_be_rewritten)
{
    static const uint8_t code[2][15] = {
        { 0x88, 0x06, 0x81, 0xc3, 0x78, 0x56, 0x34, 0x12, 0x90, 0x90, 0x90, 0xf4 },    /* mov [esi], al; add ebx, imm32 */
        { 0x88, 0x06, 0x8b, 0x9a, 0x00, 0x00, 0x02, 0x00, 0x90, 0x90, 0x90, 0xf4 },    /* mov ebx, [edx+disp32] */
    };
    uint64_t seed = 11;
    for (unsigned n = 0; n < 600; n++) {
        struct rig *r[2] = { program(code[n & 1], 12), program(code[n & 1], 12) };
        for (unsigned round = 0; round < 6; round++) {
            uint64_t al = random64(&seed) & 0xff, at = RIG_CODE + 2 + random64(&seed) % 6;
            for (unsigned k = 0; k < 2; k++) {
                r[k]->c->r[R_AX] = al;
                r[k]->c->r[R_SI] = at;
                r[k]->c->r[R_DX] = round;
                r[k]->c->rip = RIG_CODE;
                r[k]->c->activity = ACT_RUNNING;
                for (unsigned step = 0; step < (k ? 60 : 1); step++) cpu_run(r[k]->c, k ? 1 : 60);
            }
            ck_assert_uint_eq(r[0]->c->r[R_BX], r[1]->c->r[R_BX]);
            ck_assert_uint_eq(r[0]->c->rip, r[1]->c->rip);
        }
        rig_destroy(r[0]);
        rig_destroy(r[1]);
    }
}
END_TEST

START_TEST(code_written_by_a_bus_master_is_decoded_anew)
{
    struct rig *r = PROGRAM(0x40, 0xeb, 0xfd);                     /* l: inc eax; jmp l */
    const struct dma_port port = { .map = &r->map, .who = "test" };
    const uint8_t patch = 0x43;
    cpu_run(r->c, 100);
    dma_write(&port, RIG_CODE, &patch, 1);
    uint64_t ax = r->c->r[R_AX];
    cpu_run(r->c, 100);
    ck_assert_uint_eq(r->c->r[R_AX], ax);
    ck_assert_uint_eq(r->c->r[R_BX], 50);
    rig_destroy(r);
}
END_TEST

START_TEST(a_write_hits_a_block_that_begins_far_before_it)
{
    static const uint8_t store[10] = { 0xc7, 0x05, 0x00, 0x00, 0x02, 0x00, 1, 2, 3, 4 };   /* mov dword [RIG_DATA], 04030201h */
    static const uint8_t last[2][2] = { { 0x40, 0xf4 }, { 0x43, 0xf4 } };                  /* inc eax; inc ebx */
    uint8_t code[47 * sizeof store + 2];
    for (unsigned n = 0; n < 47; n++) memcpy(code + n * sizeof store, store, sizeof store);
    memcpy(code + sizeof code - 2, last[0], 2);
    struct rig *r = program(code, sizeof code);
    r->c->r[R_AX] = r->c->r[R_BX] = 0;
    for (unsigned pass = 0; pass < 4; pass++) {
        memcpy(rig_at(r, RIG_CODE + sizeof code - 2), last[pass & 1], 2);
        ram_written(r->block, RIG_CODE + sizeof code - 2, 2);
        r->c->rip = RIG_CODE;
        r->c->activity = ACT_RUNNING;
        ck_assert_uint_eq(cpu_run(r->c, 100), 49);
    }
    ck_assert_uint_eq(r->c->r[R_AX], 2);
    ck_assert_uint_eq(r->c->r[R_BX], 2);
    rig_destroy(r);
}
END_TEST

START_TEST(an_instruction_may_cross_a_page)
{
    struct rig *r = PROGRAM(0xf4);
    static const uint8_t code[] = { 0xb8, 0x78, 0x56, 0x34, 0x12, 0x83, 0xe9, 0x01, 0x75, 0xf6, 0xf4 };
    for (unsigned at = 1; at < sizeof code; at++) {                /* mov eax, 12345678h; sub ecx, 1; jnz; hlt */
        memcpy(rig_at(r, RIG_CODE + 0x1000 - at), code, sizeof code);
        ram_written(r->block, RIG_CODE + 0x1000 - at, sizeof code);
        r->c->rip = RIG_CODE + 0x1000 - at;
        r->c->r[R_AX] = 0;
        r->c->r[R_CX] = 10;
        r->c->activity = ACT_RUNNING;
        ck_assert_uint_eq(cpu_run(r->c, 1000), 31);
        ck_assert_uint_eq(r->c->r[R_AX], 0x12345678);
        ck_assert_uint_eq(r->c->r[R_CX], 0);
    }
    rig_destroy(r);
}
END_TEST

START_TEST(the_second_half_of_a_crossing_instruction_may_be_rewritten)
{
    struct rig *r = PROGRAM(0xf4);
    static const uint8_t code[] = { 0xb8, 0x78, 0x56, 0x34, 0x12, 0xf4 };
    for (unsigned pass = 0; pass < 3; pass++) {
        memcpy(rig_at(r, RIG_CODE + 0xffe), code, sizeof code);
        *rig_at(r, RIG_CODE + 0x1002) = (uint8_t)(0x10 + pass);
        ram_written(r->block, RIG_CODE + 0x1000, 3);
        r->c->rip = RIG_CODE + 0xffe;
        r->c->activity = ACT_RUNNING;
        cpu_run(r->c, 2);
        ck_assert_uint_eq(r->c->r[R_AX], 0x00345678u | (0x10u + pass) << 24);
    }
    rig_destroy(r);
}
END_TEST

START_TEST(a_jump_to_a_supervisor_page_faults_though_the_supervisor_was_there)
{
    struct rig *r = PROGRAM(0xe9, 0xfb, 0xff, 0x01, 0x00);         /* jmp 30000 */
    struct cpu *c = r->c;
    memset(rig_at(r, 0x30000), 0x40, 8);                           /* inc eax */
    rig_w32(r, RIG_PD, RIG_PT | 7);
    for (uint32_t page = 0; page < 1024; page++) rig_w32(r, RIG_PT + 4 * page, page << 12 | (page == 0x30 ? 3 : 7));
    c->cr3 = RIG_PD;
    c->cr0 |= CR0_PG;
    tlb_flush(c, true);
    ck_assert_uint_eq(cpu_run(c, 5), 5);
    ck_assert_uint_eq(c->rip, 0x30004);
    c->cpl = 3;
    c->seg[SEG_CS] = rig_seg(U_CODE, 0, 0xffffffff, A_CODE3, 0xc);
    c->seg[SEG_SS] = c->seg[SEG_DS] = c->seg[SEG_ES] = rig_seg(U_DATA, 0, 0xffffffff, A_DATA3, 0xc);
    cpu_mode_changed(c);
    c->rip = RIG_CODE;
    cpu_run(c, 60);
    ck_assert_uint_eq(c->cr2, 0x30000);
    ck_assert_int_eq(cpu_activity(c), CPU_HALTED);
    ck_assert_uint_eq(c->r[R_AX], 4);
    rig_destroy(r);
}
END_TEST

START_TEST(a_store_beside_code_does_not_disturb_it)
{
    /* l: inc dword [RIG_CODE + 800h]; dec ecx; jnz l; hlt */
    struct rig *r = PROGRAM(0xff, 0x05, 0x00, 0x08, 0x01, 0x00, 0x49, 0x75, 0xf7, 0xf4);
    r->c->r[R_CX] = 1000;
    cpu_run(r->c, 10000);
    ck_assert_uint_eq(rig_r32(r, RIG_CODE + 0x800), 1000);
    ck_assert_uint_eq(r->c->blocks->blocks_used, 1);               /* decoded once */
    rig_destroy(r);
}
END_TEST

START_TEST(a_jump_beyond_the_limit_faults_on_the_jump)
{
    struct rig *r = PROGRAM(0x40, 0xe9, 0x00, 0x10, 0x00, 0x00);   /* inc eax; jmp +1000h */
    r->c->seg[SEG_CS].limit = RIG_CODE + 0xfff;
    rig_gdt(r, K_CODE, 0, 0xfffff, A_CODE, 0xc);
    cpu_mode_changed(r->c);
    cpu_run(r->c, 3);                                              /* inc, delivery of #GP, hlt */
    ck_assert_uint_eq(rig_r32(r, reg32(r->c, R_SP) + 4), RIG_CODE + 1);
    rig_destroy(r);
}
END_TEST

START_TEST(the_8086_wraps_at_the_end_of_its_segment)
{
    struct rig *r = rig_create("8086");
    struct cpu *c = r->c;
    for (unsigned n = 0; n < SEG_COUNT; n++) c->seg[n] = rig_seg(0x1000, 0x10000, 0xffff, A_DATA, 0);
    static const uint8_t tail[] = { 0x40, 0xb8 };                  /* inc ax; mov ax, 1234h, across the wrap */
    memcpy(rig_at(r, 0x1fffe), tail, 2);
    memcpy(rig_at(r, 0x10000), (const uint8_t[]){ 0x34, 0x12, 0x43, 0xf4 }, 4);
    c->rip = 0xfffe;
    cpu_mode_changed(c);
    ck_assert_uint_eq(cpu_run(c, 100), 4);
    ck_assert_uint_eq(reg16(c, R_AX), 0x1234);
    ck_assert_uint_eq(reg16(c, R_BX), 1);
    ck_assert_uint_eq(c->rip, 4);
    rig_destroy(r);
}
END_TEST

/* ---- flags against a bit-by-bit model */

static uint32_t model_flags(bool subtract, uint64_t a, uint64_t b, bool carry, unsigned bits, uint64_t *result)
{
    uint32_t f = 0;
    uint64_t r = 0;
    bool cy = carry, into_sign = false;
    for (unsigned n = 0; n < bits; n++) {
        bool x = a >> n & 1, y = b >> n & 1, d = x != y;
        into_sign = cy;
        r |= (uint64_t)(d != cy) << n;
        cy = subtract ? (!x && y) || (!d && cy) : (x && y) || (d && cy);
        if (n == 3 && cy) f |= FL_AF;
    }
    if (cy) f |= FL_CF;
    if (cy != into_sign) f |= FL_OF;
    unsigned ones_in_byte = 0;
    for (unsigned n = 0; n < 8; n++) ones_in_byte += r >> n & 1;
    if (ones_in_byte % 2 == 0) f |= FL_PF;
    if (r == 0) f |= FL_ZF;
    if (r >> (bits - 1) & 1) f |= FL_SF;
    *result = r;
    return f;
}

START_TEST(lazy_flags_are_what_adders_say)
{
    static const uint8_t opcodes[] = { 0x00, 0x10, 0x18, 0x28, 0x38 };   /* ADD ADC SBB SUB CMP Eb,Gb; +1: Ev,Gv */
    struct rig *r = PROGRAM(0x90, 0x90, 0x90, 0xf4);
    uint64_t seed = 7;
    for (unsigned n = 0; n < 3000; n++) {
        unsigned op = (unsigned)(random64(&seed) % 5), size = (unsigned)(random64(&seed) % 3), bits = 8u << size, at = 0;
        uint8_t code[4];
        if (size == 1) code[at++] = 0x66;
        code[at++] = (uint8_t)(opcodes[op] + (size > 0));
        code[at++] = 0xc8;                                         /* (e)ax/al, (e)cx/cl */
        code[at++] = 0xf4;
        memcpy(rig_at(r, RIG_CODE), code, at);
        ram_written(r->block, RIG_CODE, at);
        uint64_t mask = size_mask(size), a = random_bits(&seed) & mask, b = random_bits(&seed) & mask, want;
        bool carry = random64(&seed) & 1, subtract = op >= 2, uses = op == 1 || op == 2;
        r->c->r[R_AX] = a;
        r->c->r[R_CX] = b;
        r->c->rip = RIG_CODE;
        r->c->activity = ACT_RUNNING;
        eflags_set(r->c, carry ? FL_CF : 0);
        uint32_t flags = model_flags(subtract, a, b, uses && carry, bits, &want);
        cpu_run(r->c, 60);
        ck_assert_uint_eq(eflags_get(r->c) & FL_ARITH, flags);
        ck_assert_uint_eq(r->c->r[R_AX] & mask, op == 4 ? a : want);
    }
    rig_destroy(r);
}
END_TEST

START_TEST(inc_keeps_the_carry_of_what_came_before)
{
    struct rig *r = PROGRAM(0x01, 0xc8, 0x43, 0x4a, 0xf4);         /* add eax, ecx; inc ebx; dec edx; hlt */
    r->c->r[R_AX] = 0xffffffff;
    r->c->r[R_CX] = 1;
    r->c->r[R_BX] = 0x7fffffff;
    r->c->r[R_DX] = 0x80000000;
    cpu_run(r->c, 3);
    ck_assert_uint_eq(eflags_get(r->c) & FL_ARITH, FL_CF | FL_OF | FL_AF | FL_PF);
    rig_destroy(r);
}
END_TEST

/* ---- random programs, whole and in pieces */

/* Instructions that a random program may consist of: no far transfers, no port I/O, no control registers. */
static bool tame(const struct insn *i)
{
    const struct op_row *row = &optable[i->op];
    switch (i->op) {
    case OP_bad: case OP_too_long: case OP_hlt: case OP_cli: case OP_sti: case OP_popf: case OP_mov_Sw_Ew: case OP_pop_Sw:
    case OP_into: case OP_fwait: case OP_rdtsc: case OP_les_Gv_Mp: case OP_lds_Gv_Mp: case OP_lss_Gv_Mp: case OP_lfs_Gv_Mp:
    case OP_lgs_Gv_Mp: case OP_invd: case OP_wbinvd: case OP_leave: case OP_enter_Iw_Ib: case OP_sgdt: case OP_sidt:
    case OP_lgdt: case OP_lidt: case OP_lldt: case OP_ltr: case OP_lmsw: case OP_bound_Gv_Ma: case OP_aam_Ib:
    case OP_div_Eb: case OP_div_Ev: case OP_idiv_Eb: case OP_idiv_Ev:
        return false;
    default: break;
    }
    return !(row->attr & (OPA_END | OPA_TIME)) && !(i->op >= OP_loadall286 && i->op <= OP_loadall386);
}

/* What compilers like to put side by side, and what handlers of two instructions are made of. */
static const uint8_t ordinary[] = {
    0x01, 0x03, 0x09, 0x0b, 0x21, 0x23, 0x29, 0x2b, 0x31, 0x33, 0x39, 0x3b, 0x40, 0x48, 0x50, 0x58, 0x74, 0x75, 0x7c, 0x83, 0x83,
    0x85, 0x89, 0x89, 0x89, 0x8b, 0x8b, 0x8b, 0x8d, 0xb8, 0xc1, 0xc7,
};

/* A loop of random instructions, registers near the data, everything else random. */
static struct rig *random_program(uint64_t seed)
{
    struct rig *r = PROGRAM(0xf4);
    uint8_t *code = rig_at(r, RIG_CODE + 0xf80);                   /* runs across a page */
    unsigned at = 0;
    bool plain = seed & 1;
    while (at < 200) {
        struct insn i;
        for (unsigned n = 0; n < INSN_MAX; n++) code[at + n] = (uint8_t)random64(&seed);
        if (random64(&seed) & 1) code[at] &= 0x3f;                 /* more arithmetic */
        if (plain) {
            code[at] = ordinary[random64(&seed) % sizeof ordinary];
            if ((code[at] & 0xe0) == 0x40) code[at] |= (uint8_t)(random64(&seed) & 7);
        }
        if (!decode_insn(&r->c->blocks->map, code + at, INSN_MAX, CODE_32, &i) || !tame(&i)) continue;
        if (i.op == OP_jcc_Jb || i.op == OP_jcxz_Jb || i.op == OP_loop_Jb || i.op == OP_loope_Jb || i.op == OP_loopne_Jb)
            code[at + i.len - 1] = (uint8_t)(random64(&seed) % 9);
        if (i.op == OP_jcc_Jz) continue;
        at += i.len;
    }
    memset(code + at, 0x90, 16);
    code[at + 16] = 0xe9;                                          /* jmp to the start */
    st32(code + at + 17, (uint32_t)-(int32_t)(at + 21));
    for (unsigned n = 0; n < 0x1000; n += 8) st64(rig_at(r, RIG_DATA + n), random64(&seed));
    for (unsigned n = 0; n < 8; n++)
        r->c->r[n] = n == R_SP ? RIG_DATA + 0x800 : random64(&seed) & 3 ? RIG_DATA + (random64(&seed) & 0xfff)
                                                                       : (uint32_t)random_bits(&seed);
    r->c->rip = RIG_CODE + 0xf80;
    eflags_set(r->c, (uint32_t)random64(&seed) & (FL_ARITH | FL_DF));
    return r;
}

static uint64_t digest(struct rig *r)
{
    struct state_buf buf = { 0 };
    cpu_canonical(r->c);
    state_write(&cpu_state, r->c, &buf);
    uint64_t h = 1469598103934665603u;
    for (size_t n = 0; n < buf.len; n++) h = (h ^ buf.data[n]) * 1099511628211u;
    for (uint64_t n = 0; n < r->block->size; n++) h = (h ^ r->block->data[n]) * 1099511628211u;
    state_buf_fini(&buf);
    return h;
}

/* Runs `total` instructions in pieces of at most `most`; returns the state's digest. */
static uint64_t run_in_pieces(uint64_t seed, uint64_t total, uint64_t most)
{
    struct rig *r = random_program(seed);
    uint64_t cut = seed, done = 0;
    while (done < total && cpu_activity(r->c) == CPU_RUNNING) {
        uint64_t n = most == 1 ? 1 : 1 + random64(&cut) % most;
        done += cpu_run(r->c, n < total - done ? n : total - done);
    }
    uint64_t h = digest(r);
    rig_destroy(r);
    return h;
}

START_TEST(it_does_not_matter_how_a_program_is_cut_into_runs)
{
    for (uint64_t seed = 1; seed <= 60; seed++) {
        uint64_t whole = run_in_pieces(seed, 3000, 3000);
        ck_assert_msg(run_in_pieces(seed, 3000, 1) == whole, "seed %llu, one at a time", (unsigned long long)seed);
        ck_assert_msg(run_in_pieces(seed, 3000, 100) == whole, "seed %llu, in pieces", (unsigned long long)seed);
    }
}
END_TEST

START_TEST(eviction_in_the_middle_changes_nothing)
{
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct rig *a = random_program(seed), *b = random_program(seed);
        cpu_run(a->c, 1500);
        cpu_run(b->c, 700);
        block_evict_all(b->c);
        tlb_flush(b->c, true);
        cpu_run(b->c, 800);
        ck_assert_uint_eq(digest(a), digest(b));
        rig_destroy(a);
        rig_destroy(b);
    }
}
END_TEST

int main(void)
{
    Suite *s = suite_create("cpu engine");
    TCase *tc = tcase_create("engine");
    tcase_set_timeout(tc, 120);
    tcase_add_test(tc, every_byte_of_the_cpu_is_named);
    tcase_add_test(tc, each_instruction_counts_one_and_hlt_too);
    tcase_add_test(tc, each_repetition_counts_one);
    tcase_add_test(tc, a_repetition_of_zero_counts_one);
    tcase_add_test(tc, a_fault_counts_for_its_delivery_only);
    tcase_add_test(tc, a_deadline_is_met_exactly_in_a_loop);
    tcase_add_test(tc, a_run_that_ends_after_sti_keeps_the_shadow);
    tcase_add_test(tc, the_next_instruction_may_be_rewritten);
    tcase_add_test(tc, a_loop_that_rewrites_itself_sees_every_version);
    tcase_add_test(tc, every_byte_of_an_instruction_may_be_rewritten);
    tcase_add_test(tc, code_written_by_a_bus_master_is_decoded_anew);
    tcase_add_test(tc, a_write_hits_a_block_that_begins_far_before_it);
    tcase_add_test(tc, an_instruction_may_cross_a_page);
    tcase_add_test(tc, the_second_half_of_a_crossing_instruction_may_be_rewritten);
    tcase_add_test(tc, a_jump_to_a_supervisor_page_faults_though_the_supervisor_was_there);
    tcase_add_test(tc, a_store_beside_code_does_not_disturb_it);
    tcase_add_test(tc, a_jump_beyond_the_limit_faults_on_the_jump);
    tcase_add_test(tc, the_8086_wraps_at_the_end_of_its_segment);
    tcase_add_test(tc, lazy_flags_are_what_adders_say);
    tcase_add_test(tc, inc_keeps_the_carry_of_what_came_before);
    tcase_add_test(tc, it_does_not_matter_how_a_program_is_cut_into_runs);
    tcase_add_test(tc, eviction_in_the_middle_changes_nothing);
    suite_add_tcase(s, tc);
    return suite_main(s);
}
