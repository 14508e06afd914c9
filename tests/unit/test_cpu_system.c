/* Control, debug and model-specific registers, CPUID, port protection, SMM, LOADALL, reset values. */
#include "tests/unit/cpu_rig.h"
#include "cpu/block.h"
#include "cpu/optable.h"

/* ---- CR0 and CR4. */

static int write_cr(struct rig *r, unsigned n, uint32_t v)
{
    struct insn i = rig_reg(n, R_AX, INSN_O32);
    r->c->r[R_AX] = v;
    return rig_body(r, op_mov_Cd_Rd, &i);
}

START_TEST(cr0_rules)
{
    struct rig *r = rig_create("pentium3");
    ck_assert_uint_eq(r->c->cr0, CR0_CD | CR0_NW | CR0_ET);
    ck_assert_int_eq(write_cr(r, 0, CR0_PG), V_GP);        /* paging without protection */
    ck_assert_int_eq(write_cr(r, 0, CR0_NW), V_GP);
    ck_assert_int_eq(write_cr(r, 0, 0x1ffeffc0 | CR0_PE), NO_FAULT);
    ck_assert_uint_eq(r->c->cr0, CR0_PE | CR0_ET | CR0_AM);      /* reserved bits are ignored, ET is wired */
    ck_assert_int_eq(write_cr(r, 1, 0), V_UD);
    ck_assert_int_eq(write_cr(r, 5, 0), V_UD);
    r->c->cpl = 3;
    ck_assert_int_eq(write_cr(r, 0, 0), V_GP);
    rig_destroy(r);
    r = rig_create("386");
    ck_assert_int_eq(write_cr(r, 0, 0xffffffff), NO_FAULT);
    ck_assert_uint_eq(r->c->cr0, CR0_PG | CR0_PE | CR0_MP | CR0_EM | CR0_TS | CR0_ET);
    ck_assert_int_eq(write_cr(r, 4, 0), V_UD);
    rig_destroy(r);
}
END_TEST

START_TEST(cr4_has_the_bits_of_the_model)
{
    struct rig *r = rig_create("pentium3");
    ck_assert_int_eq(write_cr(r, 4, CR4_VME | CR4_PVI | CR4_TSD | CR4_DE | CR4_PSE | CR4_PAE | CR4_MCE | CR4_PGE | CR4_PCE),
                     NO_FAULT);
    ck_assert_int_eq(write_cr(r, 4, 1u << 11), V_GP);
    rig_destroy(r);
    r = rig_create("pentium");
    ck_assert_int_eq(write_cr(r, 4, CR4_VME | CR4_PVI | CR4_TSD | CR4_DE | CR4_PSE | CR4_MCE), NO_FAULT);
    ck_assert_int_eq(write_cr(r, 4, CR4_PAE), V_GP);
    ck_assert_int_eq(write_cr(r, 4, CR4_PGE), V_GP);
    rig_destroy(r);
    r = rig_create("486");
    ck_assert_int_eq(write_cr(r, 4, CR4_VME | CR4_PVI), NO_FAULT);
    ck_assert_int_eq(write_cr(r, 4, CR4_PSE), V_GP);
    rig_destroy(r);
}
END_TEST

START_TEST(lmsw_sets_pe_and_never_clears_it)
{
    struct rig *r = rig_create("286");
    struct insn i = rig_reg(6, R_AX, INSN_O16);
    r->c->r[R_AX] = 0xffff;
    ck_assert_int_eq(rig_body(r, op_lmsw, &i), NO_FAULT);
    ck_assert_uint_eq(r->c->cr0, 0xf);
    r->c->r[R_AX] = 0;
    ck_assert_int_eq(rig_body(r, op_lmsw, &i), NO_FAULT);
    ck_assert_uint_eq(r->c->cr0, CR0_PE);
    ck_assert_int_eq(rig_body(r, op_smsw, &i), NO_FAULT);
    ck_assert_uint_eq(reg16(r->c, R_AX), 0xfff1);
    rig_destroy(r);
}
END_TEST

START_TEST(descriptor_table_registers)
{
    struct rig *r = rig_create("pentium3");
    struct insn i = rig_mem(2, 0x500, INSN_O16);
    rig_w16(r, 0x500, 0x1234);
    rig_w32(r, 0x502, 0x89abcdef);
    ck_assert_int_eq(rig_body(r, op_lgdt, &i), NO_FAULT);
    ck_assert_uint_eq(r->c->gdtr.limit, 0x1234);
    ck_assert_uint_eq(r->c->gdtr.base, 0xabcdef);
    i = rig_mem(3, 0x500, INSN_O32);
    ck_assert_int_eq(rig_body(r, op_lidt, &i), NO_FAULT);
    ck_assert_uint_eq(r->c->idtr.base, 0x89abcdef);
    i = rig_mem(1, 0x600, INSN_O32);
    ck_assert_int_eq(rig_body(r, op_sidt, &i), NO_FAULT);
    ck_assert_uint_eq(rig_r16(r, 0x600), 0x1234);
    ck_assert_uint_eq(rig_r32(r, 0x602), 0x89abcdef);
    r->c->cpl = 3;
    ck_assert_int_eq(rig_body(r, op_lgdt, &i), V_GP);
    rig_destroy(r);
}
END_TEST

/* ---- Debug registers. */

static int write_dr(struct rig *r, unsigned n, uint32_t v)
{
    struct insn i = rig_reg(n, R_AX, INSN_O32);
    r->c->r[R_AX] = v;
    return rig_body(r, op_mov_Dd_Rd, &i);
}

static int fetch(struct rig *r, uint32_t ip)
{
    r->c->rip = ip;
    if (setjmp(r->c->landing)) return (int)r->c->fault_vector;
    debug_check_fetch(r->c);
    return NO_FAULT;
}

START_TEST(debug_registers_have_fixed_bits)
{
    struct rig *r = rig_create("pentium3");
    ck_assert_int_eq(write_dr(r, 6, 0), NO_FAULT);
    ck_assert_uint_eq(r->c->dr[6], 0xffff0ff0);
    ck_assert_int_eq(write_dr(r, 7, 0xffffdfff), NO_FAULT);
    ck_assert_uint_eq(r->c->dr[7], 0xffff07ff);
    ck_assert_int_eq(write_dr(r, 5, 0), NO_FAULT);         /* the alias of DR7 */
    ck_assert_uint_eq(r->c->dr[7], 0x400);
    r->c->cr4 = CR4_DE;
    ck_assert_int_eq(write_dr(r, 5, 0), V_UD);
    rig_destroy(r);
}
END_TEST

START_TEST(general_detect_faults_once)
{
    struct rig *r = rig_create("pentium3");
    ck_assert_int_eq(write_dr(r, 7, 0x2000), NO_FAULT);
    ck_assert_int_eq(write_dr(r, 0, 1), V_DB);
    ck_assert_uint_eq(r->c->dr[6] & 0xe00f, 0x2000);
    rig_w32(r, 4, 0x00000100);
    r->c->r[R_SP] = 0x1000;
    rig_fault(r, V_DB, 0);
    ck_assert_uint_eq(r->c->dr[7], 0x400);                 /* GD is clear in the handler */
    rig_destroy(r);
}
END_TEST

START_TEST(instruction_breakpoint_yields_to_rf)
{
    struct rig *r = rig_create("pentium3");
    uint32_t base = (uint32_t)r->c->seg[SEG_CS].base;
    write_dr(r, 2, base + 0x123);
    write_dr(r, 7, 0x20);                                  /* G2, execute */
    ck_assert_int_eq(fetch(r, 0x122), NO_FAULT);
    ck_assert_int_eq(fetch(r, 0x123), V_DB);
    ck_assert_uint_eq(r->c->dr[6] & 0xe00f, 4);
    ck_assert(debug_page_watched(r->c, base + 0x800, true));
    ck_assert(!debug_page_watched(r->c, base + 0x800, false));
    eflags_set(r->c, FL_RF);
    ck_assert_int_eq(fetch(r, 0x123), NO_FAULT);
    rig_destroy(r);
}
END_TEST

START_TEST(data_breakpoint_matches_its_length_and_kind)
{
    static const struct { uint32_t at; unsigned len; bool write; bool hit; } row[] = {
        { 0x5000, 1, true, false }, { 0x5004, 1, true, true }, { 0x5007, 1, true, true }, { 0x5008, 4, true, false },
        { 0x5002, 4, true, true }, { 0x5000, 4, true, false }, { 0x5004, 4, false, false },
    };
    for (unsigned n = 0; n < sizeof row / sizeof row[0]; n++) {
        struct rig *r = rig_create("pentium3");
        write_dr(r, 1, 0x5006);                            /* four bytes from 5004h: low bits are ignored */
        write_dr(r, 7, 0x4 | 0xd << 20);
        debug_check_data(r->c, row[n].at, row[n].len, row[n].write);
        ck_assert_msg(r->c->dr6_pending == (row[n].hit ? 2u : 0), "row %u", n);
        rig_destroy(r);
    }
}
END_TEST

START_TEST(trap_joins_step_and_data_breakpoints)
{
    struct rig *r = rig_create("pentium3");
    r->c->r[R_SP] = 0x1000;
    rig_w32(r, 4, 0x00000100);
    write_dr(r, 0, 0x5000);
    write_dr(r, 7, 0x1 | 0x3 << 16);
    debug_check_data(r->c, 0x5000, 1, false);
    ck_assert(r->c->attention & ATT_TRAP);
    debug_trap(r->c, true);
    ck_assert_uint_eq(r->c->rip, 0x100);
    ck_assert_uint_eq(r->c->dr[6] & 0xe00f, 0x4001);
    ck_assert(!(r->c->attention & ATT_TRAP));
    rig_destroy(r);
}
END_TEST

/* ---- Ports. */

static uint64_t port_read(void *dev, uint64_t off, unsigned size) { (void)dev; return 0x11 * (off + 1) * (size ? 1 : 0); }
static void port_write(void *dev, uint64_t off, uint64_t v, unsigned size)
{
    (void)off;
    (void)size;
    *(uint32_t *)dev = (uint32_t)v;
}
static const struct io_ops port_ops = { port_read, port_write, 1, 4 };

START_TEST(port_instructions_reach_the_bus)
{
    struct rig *r = rig_create("pentium3");
    uint32_t got = 0;
    struct error e;
    ck_assert_int_eq(port_claim(&r->ports, &(struct port_window){ .name = "probe", .base = 0x60, .count = 4, .ops = &port_ops,
                                                                  .dev = &got }, &e), 0);
    struct insn i = rig_plain(INSN_O32);
    i.imm = 0x61;
    r->c->r[R_AX] = 0x12345678;
    ck_assert_int_eq(rig_body(r, op_in_AL_Ib, &i), NO_FAULT);
    ck_assert_uint_eq(r->c->r[R_AX], 0x12345622);
    r->c->r[R_DX] = 0x60;
    ck_assert_int_eq(rig_body(r, op_out_DX_eAX, &i), NO_FAULT);
    ck_assert_uint_eq(got, 0x12345622);
    rig_destroy(r);
}
END_TEST

START_TEST(io_permission_map)
{
    struct rig *r = rig_create("pentium3");
    struct cpu *c = r->c;
    struct insn i = rig_plain(INSN_O16);
    rig_protected(r, 3);
    c->tr.limit = 0x68 + 8;                                /* map of 9 bytes: ports 0 to 3Fh, the last byte all ones */
    *rig_at(r, RIG_TSS + 0x68 + 8) = 0xff;
    *rig_at(r, RIG_TSS + 0x68 + 2) = 0x04;                 /* port 12h */
    static const struct { uint16_t port; insn_body *body; int vector; } row[] = {
        { 0x10, op_in_AL_DX, NO_FAULT }, { 0x12, op_in_AL_DX, V_GP }, { 0x11, op_in_eAX_DX, V_GP },
        { 0x13, op_in_eAX_DX, NO_FAULT }, { 0x3f, op_in_AL_DX, NO_FAULT }, { 0x3f, op_in_eAX_DX, V_GP },
        { 0x40, op_in_AL_DX, V_GP }, { 0x1000, op_in_AL_DX, V_GP },
    };
    for (unsigned n = 0; n < sizeof row / sizeof row[0]; n++) {
        c->r[R_DX] = row[n].port;
        ck_assert_msg(rig_body(r, row[n].body, &i) == row[n].vector, "port %x", row[n].port);
    }
    c->r[R_DX] = 0x12;
    eflags_set(c, FL_IOPL);                                /* IOPL 3: no look at the map */
    ck_assert_int_eq(rig_body(r, op_in_AL_DX, &i), NO_FAULT);
    eflags_set(c, FL_IOPL | FL_VM);                        /* but in V86 mode only the map counts */
    ck_assert_int_eq(rig_body(r, op_in_AL_DX, &i), V_GP);
    rig_destroy(r);
}
END_TEST

/* ---- MSRs, TSC, CPUID. */

START_TEST(unknown_msr_is_gp)
{
    struct rig *r = rig_create("pentium3");
    uint64_t v;
    ck_assert(!msr_read(r->c, 0xc0000080, &v));
    ck_assert(!msr_write(r->c, 0xfe, 0));                  /* MTRRcap is read-only */
    ck_assert(msr_read(r->c, 0xfe, &v));
    ck_assert_uint_eq(v, 0x508);
    ck_assert(!msr_write(r->c, 0x277, 0x0202020202020202));    /* no such memory type */
    ck_assert(msr_write(r->c, 0x277, 0x0706050401000601));
    ck_assert(!msr_write(r->c, 0x200, 1ull << 36));
    ck_assert(msr_write(r->c, 0x174, 0x10));
    struct insn i = rig_plain(INSN_O32);
    r->c->r[R_CX] = 0x174;
    ck_assert_int_eq(rig_body(r, op_rdmsr, &i), NO_FAULT);
    ck_assert_uint_eq(r->c->r[R_AX], 0x10);
    r->c->cpl = 3;
    ck_assert_int_eq(rig_body(r, op_rdmsr, &i), V_GP);
    rig_destroy(r);
    r = rig_create("pentium");
    ck_assert(!msr_read(r->c, 0x174, &v));
    ck_assert(!msr_read(r->c, 0x1b, &v));
    ck_assert(msr_read(r->c, 0, &v));
    rig_destroy(r);
}
END_TEST

START_TEST(tsc_follows_the_clock_and_never_repeats)
{
    struct rig *r = rig_create("pentium3");
    uint64_t a = tsc_read(r->c), b = tsc_read(r->c);
    ck_assert_uint_eq(b, a + 1);
    clock_advance(&r->clock, 100);                         /* 100 instructions at 100 M/s: 1 us, 500 ticks */
    ck_assert_uint_eq(tsc_read(r->c), 500);
    ck_assert(msr_write(r->c, 0x10, 0x1234567890));
    ck_assert_uint_eq(tsc_read(r->c), 0x34567890);         /* the P6 clears the high half */
    struct insn i = rig_plain(INSN_O32);
    r->c->cr4 = CR4_TSD;
    r->c->cpl = 1;
    ck_assert_int_eq(rig_body(r, op_rdtsc, &i), V_GP);
    rig_destroy(r);
}
END_TEST

START_TEST(performance_counter_counts_instructions)
{
    struct rig *r = rig_create("pentium3");
    uint64_t v;
    ck_assert(msr_write(r->c, 0xc1, 0xfffffffe));          /* sign-extended to 40 bits */
    ck_assert(msr_read(r->c, 0xc1, &v));
    ck_assert_uint_eq(v, 0xfffffffffe);
    ck_assert(msr_write(r->c, 0x186, 0xc0 | 3 << 16 | 1 << 22));
    clock_advance(&r->clock, 5);
    msr_read(r->c, 0xc1, &v);
    ck_assert_uint_eq(v, 3);
    ck_assert(msr_write(r->c, 0x186, 0));
    clock_advance(&r->clock, 5);
    msr_read(r->c, 0xc1, &v);
    ck_assert_uint_eq(v, 3);
    rig_destroy(r);
}
END_TEST

START_TEST(cpuid_describes_the_model)
{
    uint32_t out[4];
    struct rig *r = rig_create("pentium3");
    cpuid_query(r->c, 0, 0, out);
    ck_assert_uint_eq(out[0], 2);
    ck_assert_uint_eq(out[1], 0x756e6547);
    ck_assert_uint_eq(out[2], 0x6c65746e);
    ck_assert_uint_eq(out[3], 0x49656e69);
    cpuid_query(r->c, 1, 0, out);
    ck_assert_uint_eq(out[0], 0x683);
    ck_assert_uint_eq(out[3] & 0x8100, 0x8100);            /* CMOV and CMPXCHG8B */
    cpuid_query(r->c, 0x80000000, 0, out);
    ck_assert_uint_eq(out[0], 0x03020101);                 /* no extended leaves: the last basic one answers */
    msr_write(r->c, 0x1b, 0xfee00000);
    cpuid_query(r->c, 1, 0, out);
    ck_assert(!(out[3] & 0x200));
    rig_destroy(r);
    r = rig_create("pentium");
    cpuid_query(r->c, 1, 0, out);
    ck_assert_uint_eq(out[3], 0x1bf);
    rig_destroy(r);
    r = rig_create("pentium-mmx");
    cpuid_query(r->c, 1, 0, out);
    ck_assert_uint_eq(out[3], 0x8001bf);
    rig_destroy(r);
}
END_TEST

START_TEST(cpuid_of_the_pentium4_has_brand_and_caches)
{
    struct rig *r = rig_create("pentium4");
    uint32_t out[4];
    cpuid_query(r->c, 1, 0, out);
    ck_assert_uint_eq(out[0], 0xf34);
    ck_assert_uint_eq(out[1], 8 << 8);                     /* CLFLUSH lines of 64 bytes */
    ck_assert_uint_eq(out[2], 1);                          /* SSE3 */
    ck_assert_uint_eq(out[3] >> 23, 0xf);                  /* MMX, FXSR, SSE, SSE2 */
    char brand[48];
    for (unsigned n = 0; n < 3; n++) {
        cpuid_query(r->c, 0x80000002 + n, 0, out);
        for (unsigned k = 0; k < 4; k++) st32(brand + 16 * n + 4 * k, out[k]);
    }
    ck_assert_str_eq(brand, "              Intel(R) Pentium(R) 4 CPU 2.80GHz");
    cpuid_query(r->c, 4, 1, out);
    ck_assert_uint_eq(((out[1] >> 22) + 1) * ((out[1] >> 12 & 0x3ff) + 1) * ((out[1] & 0xfff) + 1) * (out[2] + 1), 1 << 20);
    cpuid_query(r->c, 4, 2, out);
    ck_assert_uint_eq(out[0], 0);
    ck_assert(msr_write(r->c, 0x1a0, 1 << 22));            /* the limit for Windows NT */
    cpuid_query(r->c, 0, 0, out);
    ck_assert_uint_eq(out[0], 3);
    rig_destroy(r);
}
END_TEST

/* What a model announces is what its decoder takes. */
START_TEST(features_go_with_what_they_need)
{
    static const struct { const char *model; unsigned features; } row[] = {
        { "pentium3", 7 }, { "pentium3,-sse", 3 }, { "pentium4,-sse", 3 }, { "pentium4,-fxsr", 1 }, { "pentium2", 3 },
        { "pentium,+mmx", 1 }, { "pentium3,+sse2", 15 }, { "486,+fxsr,+sse,+sse2", 14 }, { "pentium4", 15 },
    };
    static const uint8_t movq[] = { 0x0f, 0x6f, 0xc1 }, fxsave[] = { 0x0f, 0xae, 0x00 }, addps[] = { 0x0f, 0x58, 0xc1 },
                         addpd[] = { 0x66, 0x0f, 0x58, 0xc1 };
    static const struct { const uint8_t *bytes; unsigned len; } code[] = {
        { movq, sizeof movq }, { fxsave, sizeof fxsave }, { addps, sizeof addps }, { addpd, sizeof addpd },
    };
    for (unsigned n = 0; n < sizeof row / sizeof row[0]; n++) {
        struct rig *r = rig_create(row[n].model);
        uint32_t out[4];
        cpuid_query(r->c, 1, 0, out);
        ck_assert_uint_eq(out[3] >> 23 & 15, row[n].features);
        for (unsigned k = 0; k < 4; k++) {
            struct insn i;
            ck_assert(decode_insn(&r->c->blocks->map, code[k].bytes, code[k].len, CODE_32, &i));
            ck_assert_msg((i.op != OP_bad) == (row[n].features >> k & 1), "%s: %u", row[n].model, k);
        }
        rig_destroy(r);
    }
}
END_TEST

START_TEST(model_names_and_features)
{
    struct model *own;
    struct error e;
    ck_assert(model_find("pentium3", &own, &e) != NULL && own == NULL);
    ck_assert(model_find("pentum3", &own, &e) == NULL);
    ck_assert(strstr(e.text, "pentium3") != NULL);
    const struct model *m = model_find("pentium3,-cmov,-pae", &own, &e);
    ck_assert(m != NULL && m == own && !(m->features >> F_CMOV & 1) && !(m->features >> F_PAE & 1));
    free(own);
    ck_assert(model_find("pentium3,-cmv", &own, &e) == NULL);
    ck_assert(strstr(e.text, "cmov") != NULL);
    ck_assert(model_find("pentium3,cmov", &own, &e) == NULL);
}
END_TEST

/* ---- Reset, SMM, SYSENTER, LOADALL. */

START_TEST(reset_values_by_model)
{
    static const struct { const char *model; uint32_t base, ip, edx, cr0, flags; } row[] = {
        { "8086", 0xffff0, 0, 0, 0, 0xf002 }, { "286", 0xff0000, 0xfff0, 0, 0, 2 },
        { "386", 0xffff0000, 0xfff0, 0x308, 0x10, 2 }, { "pentium3", 0xffff0000, 0xfff0, 0x683, 0x60000010, 2 },
    };
    for (unsigned n = 0; n < 4; n++) {
        struct rig *r = rig_create(row[n].model);
        ck_assert_uint_eq(r->c->seg[SEG_CS].base, row[n].base);
        ck_assert_uint_eq(r->c->rip, row[n].ip);
        ck_assert_uint_eq(r->c->r[R_DX], row[n].edx);
        ck_assert_uint_eq(r->c->cr0, row[n].cr0);
        ck_assert_uint_eq(eflags_get(r->c), row[n].flags);
        rig_destroy(r);
    }
}
END_TEST

START_TEST(smi_saves_and_rsm_restores_everything)
{
    struct rig *r = rig_create("pentium3");
    struct cpu *c = r->c;
    rig_v86(r, 3);
    for (unsigned n = 0; n < 8; n++) c->r[n] = 0x1000 * n + n;
    c->cr4 = CR4_VME;
    c->seg[SEG_FS].limit = 0x1234;
    struct cpu before = *c;
    smm_enter(c);
    ck_assert(c->smm);
    ck_assert_uint_eq(c->rip, 0x8000);
    ck_assert_uint_eq(c->seg[SEG_CS].base, 0x30000);
    ck_assert_uint_eq(c->seg[SEG_CS].sel, 0x3000);
    ck_assert_uint_eq(c->seg[SEG_DS].limit, 0xffffffff);
    ck_assert_uint_eq(c->cr0 & (CR0_PE | CR0_PG), 0);
    ck_assert_uint_eq(c->cr4, 0);
    ck_assert_uint_eq(rig_r32(r, 0x3fef8), 0x30000);
    ck_assert_uint_eq(rig_r32(r, 0x3fefc) & 0x20000, 0x20000);
    ck_assert_uint_eq(rig_r32(r, 0x3fff0), (uint32_t)before.rip);
    ck_assert_uint_eq(rig_r32(r, 0x3ffd8), 0x2002);        /* EDX */
    ck_assert_uint_eq(rig_r32(r, 0x3ffac), 0x1000);        /* CS */
    rig_w32(r, 0x3fef8, 0xa0000);                          /* relocation, as SeaBIOS does it */
    memset(c->r, 0, sizeof c->r);
    struct insn i = rig_plain(INSN_O16);
    ck_assert_int_eq(rig_body(r, op_rsm, &i), NO_FAULT);
    ck_assert(!c->smm);
    ck_assert_uint_eq(c->smbase, 0xa0000);
    ck_assert(!memcmp(c->r, before.r, sizeof c->r));
    ck_assert(!memcmp(c->seg, before.seg, sizeof c->seg));
    ck_assert(!memcmp(&c->tr, &before.tr, sizeof c->tr));
    ck_assert(!memcmp(&c->gdtr, &before.gdtr, sizeof c->gdtr));
    ck_assert(!memcmp(&c->idtr, &before.idtr, sizeof c->idtr));
    ck_assert_uint_eq(eflags_get(c), eflags_get(&before));
    ck_assert_uint_eq(c->cpl, 3);
    ck_assert_uint_eq(c->cr4, CR4_VME);
    ck_assert_int_eq(rig_body(r, op_rsm, &i), V_UD);
    rig_destroy(r);
}
END_TEST

START_TEST(rsm_halts_again_or_repeats_the_io)
{
    struct rig *r = rig_create("pentium3");
    struct cpu *c = r->c;
    struct insn i = rig_plain(INSN_O16);
    c->activity = ACT_HALTED;
    smm_enter(c);
    ck_assert_uint_eq(rig_r16(r, 0x3ff02), 1);
    rig_body(r, op_rsm, &i);
    ck_assert_int_eq(c->activity, ACT_HALTED);
    smm_enter(c);
    rig_w16(r, 0x3ff02, 0);
    rig_body(r, op_rsm, &i);
    ck_assert_int_eq(c->activity, ACT_RUNNING);

    c->rip = 0x100;
    c->next_rip = 0x102;
    c->r[R_CX] = 7;
    io_check(c, 0xb2, 1);
    c->rip = 0x102;
    c->r[R_CX] = 6;
    clock_advance(&r->clock, 1);
    smm_enter(c);
    rig_w16(r, 0x3ff00, 0xff);
    rig_body(r, op_rsm, &i);
    ck_assert_uint_eq(c->rip, 0x100);
    ck_assert_uint_eq(c->r[R_CX], 7);
    rig_destroy(r);
}
END_TEST

START_TEST(sysenter_and_sysexit_use_flat_segments)
{
    struct rig *r = rig_create("pentium3");
    struct cpu *c = r->c;
    struct insn i = rig_plain(INSN_O32);
    rig_protected(r, 3);
    ck_assert_int_eq(rig_body(r, op_sysenter, &i), V_GP);  /* SYSENTER_CS is null */
    c->sysenter_cs = 0x63;
    c->sysenter_esp = 0x8888;
    c->sysenter_eip = 0xc0101234;
    eflags_set(c, FL_IF | FL_CF);
    ck_assert_int_eq(rig_body(r, op_sysenter, &i), NO_FAULT);
    ck_assert_uint_eq(c->seg[SEG_CS].sel, 0x60);
    ck_assert_uint_eq(c->seg[SEG_SS].sel, 0x68);
    ck_assert_uint_eq(c->cpl, 0);
    ck_assert_uint_eq(c->rip, 0xc0101234);
    ck_assert_uint_eq(eflags_get(c), FL_CF | FL_1);
    c->r[R_CX] = 0x9999;
    c->r[R_DX] = 0x08001234;
    ck_assert_int_eq(rig_body(r, op_sysexit, &i), NO_FAULT);
    ck_assert_uint_eq(c->seg[SEG_CS].sel, 0x73);
    ck_assert_uint_eq(c->seg[SEG_SS].sel, 0x7b);
    ck_assert_uint_eq(c->cpl, 3);
    ck_assert_uint_eq(c->r[R_SP], 0x9999);
    ck_assert_int_eq(rig_body(r, op_sysexit, &i), V_GP);
    rig_destroy(r);
}
END_TEST

START_TEST(loadall_reaches_what_the_selector_cannot)
{
    struct rig *r = rig_create("286");
    struct insn i = rig_plain(INSN_O16);
    rig_w16(r, 0x81a, 0x4321);                             /* IP */
    rig_w16(r, 0x834, 0xaaaa);                             /* AX */
    rig_w16(r, 0x826, 0xdddd);                             /* DI */
    rig_w16(r, 0x824, 0x1111);                             /* ES */
    rig_w32(r, 0x836, 0x93123456);                         /* its base and rights */
    rig_w16(r, 0x83a, 0x7fff);
    ck_assert_int_eq(rig_body(r, op_loadall286, &i), NO_FAULT);
    ck_assert_uint_eq(r->c->rip, 0x4321);
    ck_assert_uint_eq(r->c->r[R_AX], 0xaaaa);
    ck_assert_uint_eq(r->c->r[R_DI], 0xdddd);
    ck_assert_uint_eq(r->c->seg[SEG_ES].sel, 0x1111);
    ck_assert_uint_eq(r->c->seg[SEG_ES].base, 0x123456);
    ck_assert_uint_eq(r->c->seg[SEG_ES].limit, 0x7fff);
    rig_destroy(r);
    r = rig_create("386");
    r->c->r[R_DI] = 0x500;
    rig_w32(r, 0x508, 0x4321);
    rig_w32(r, 0x528, 0xaaaaaaaa);
    rig_w16(r, 0x550, 0x1111);
    rig_w32(r, 0x5c0, 0x00cf9300);
    rig_w32(r, 0x5c4, 0x12345678);
    rig_w32(r, 0x5c8, 0xffffffff);
    ck_assert_int_eq(rig_body(r, op_loadall386, &i), NO_FAULT);
    ck_assert_uint_eq(r->c->rip, 0x4321);
    ck_assert_uint_eq(r->c->r[R_AX], 0xaaaaaaaa);
    ck_assert_uint_eq(r->c->seg[SEG_ES].sel, 0x1111);
    ck_assert_uint_eq(r->c->seg[SEG_ES].base, 0x12345678);
    ck_assert_uint_eq(r->c->seg[SEG_ES].attr, 0xc093);
    rig_destroy(r);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("system");
    TCase *t = tcase_create("registers");
    tcase_add_test(t, cr0_rules);
    tcase_add_test(t, cr4_has_the_bits_of_the_model);
    tcase_add_test(t, lmsw_sets_pe_and_never_clears_it);
    tcase_add_test(t, descriptor_table_registers);
    suite_add_tcase(s, t);
    t = tcase_create("debug");
    tcase_add_test(t, debug_registers_have_fixed_bits);
    tcase_add_test(t, general_detect_faults_once);
    tcase_add_test(t, instruction_breakpoint_yields_to_rf);
    tcase_add_test(t, data_breakpoint_matches_its_length_and_kind);
    tcase_add_test(t, trap_joins_step_and_data_breakpoints);
    suite_add_tcase(s, t);
    t = tcase_create("ports");
    tcase_add_test(t, port_instructions_reach_the_bus);
    tcase_add_test(t, io_permission_map);
    suite_add_tcase(s, t);
    t = tcase_create("model");
    tcase_add_test(t, unknown_msr_is_gp);
    tcase_add_test(t, tsc_follows_the_clock_and_never_repeats);
    tcase_add_test(t, performance_counter_counts_instructions);
    tcase_add_test(t, cpuid_describes_the_model);
    tcase_add_test(t, cpuid_of_the_pentium4_has_brand_and_caches);
    tcase_add_test(t, features_go_with_what_they_need);
    tcase_add_test(t, model_names_and_features);
    tcase_add_test(t, reset_values_by_model);
    suite_add_tcase(s, t);
    t = tcase_create("modes");
    tcase_add_test(t, smi_saves_and_rsm_restores_everything);
    tcase_add_test(t, rsm_halts_again_or_repeats_the_io);
    tcase_add_test(t, sysenter_and_sysexit_use_flat_segments);
    tcase_add_test(t, loadall_reaches_what_the_selector_cannot);
    suite_add_tcase(s, t);
    return suite_main(s);
}
