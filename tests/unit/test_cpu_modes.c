/* Code that runs: traps, shadows, breakpoints, faults and SMIs between the instructions of small programs. */
#include "tests/unit/cpu_rig.h"

enum { HANDLER = 0x5000 };

/* Code at 1000h in real mode (CS = DS = SS = 0, SP = 8000h); every vector goes to a HLT of its own at HANDLER + vector. */
static struct rig *program(const char *model, const uint8_t *code, unsigned len)
{
    struct rig *r = rig_create(model);
    struct cpu *c = r->c;
    memcpy(rig_at(r, 0x1000), code, len);
    for (unsigned v = 0; v < 256; v++) {
        rig_w32(r, 4 * v, HANDLER + v);
        *rig_at(r, HANDLER + v) = 0xf4;
    }
    for (unsigned n = 0; n < SEG_COUNT; n++) c->seg[n] = rig_seg(0, 0, 0xffff, A_DATA, 0);
    c->rip = 0x1000;
    c->r[R_SP] = 0x8000;
    cpu_mode_changed(c);
    return r;
}
#define PROGRAM(model, ...) program((model), (const uint8_t[]){ __VA_ARGS__ }, sizeof (const uint8_t[]){ __VA_ARGS__ })

/* Runs until HLT; the vector whose handler it was, or -1. */
static int run(struct rig *r)
{
    for (unsigned n = 0; n < 100 && cpu_activity(r->c) == CPU_RUNNING; n++) cpu_run(r->c, 10);
    uint64_t ip = r->c->rip - 1;
    return ip >= HANDLER && ip < HANDLER + 256 ? (int)(ip - HANDLER) : -1;
}
/* IP that the handler will return to. */
static unsigned saved_ip(struct rig *r) { return rig_r16(r, reg16(r->c, R_SP)); }

START_TEST(single_step_traps_after_one_instruction)
{
    /* pushf; pop ax; or ah, 1; push ax; popf; nop; nop */
    struct rig *r = PROGRAM("pentium3", 0x9c, 0x58, 0x80, 0xcc, 0x01, 0x50, 0x9d, 0x90, 0x90, 0xf4);
    ck_assert_int_eq(run(r), V_DB);
    ck_assert_uint_eq(saved_ip(r), 0x1008);
    ck_assert_uint_eq(r->c->dr[6] & 0xe00f, 0x4000);
    rig_destroy(r);
}
END_TEST

START_TEST(load_of_ss_hides_the_single_step)
{
    /* ...popf; mov ss, bx; nop */
    struct rig *r = PROGRAM("pentium3", 0x9c, 0x58, 0x80, 0xcc, 0x01, 0x50, 0x9d, 0x8e, 0xd3, 0x90, 0xf4);
    ck_assert_int_eq(run(r), V_DB);
    ck_assert_uint_eq(saved_ip(r), 0x100a);
    rig_destroy(r);
}
END_TEST

START_TEST(int_is_not_stepped)
{
    struct rig *r = PROGRAM("pentium3", 0x9c, 0x58, 0x80, 0xcc, 0x01, 0x50, 0x9d, 0xcd, 0x40, 0xf4);
    ck_assert_int_eq(run(r), 0x40);
    ck_assert_uint_eq(saved_ip(r), 0x1009);
    rig_destroy(r);
}
END_TEST

static uint8_t intack_60(void *opaque) { (void)opaque; return 0x60; }

START_TEST(sti_holds_interrupts_for_one_instruction)
{
    struct rig *r = PROGRAM("pentium3", 0xfb, 0x40, 0x40, 0xf4);          /* sti; inc ax; inc ax */
    r->c->pins.intack = intack_60;
    struct irq_line intr = cpu_pin(r->c, CPU_PIN_INTR);
    irq_set(&intr, true);
    ck_assert_int_eq(run(r), 0x60);
    ck_assert_uint_eq(saved_ip(r), 0x1002);
    ck_assert_uint_eq(reg16(r->c, R_AX), 1);
    rig_destroy(r);
}
END_TEST

START_TEST(nmi_is_blocked_until_iret)
{
    struct rig *r = PROGRAM("pentium3", 0x40, 0xeb, 0xfd);                /* inc ax in a loop */
    *rig_at(r, HANDLER + V_NMI) = 0x90;                    /* nop; iret instead of hlt */
    *rig_at(r, HANDLER + V_NMI + 1) = 0xcf;
    struct irq_line nmi = cpu_pin(r->c, CPU_PIN_NMI);
    irq_pulse(&nmi);
    cpu_run(r->c, 1);
    ck_assert_uint_eq(r->c->rip, HANDLER + V_NMI);
    irq_pulse(&nmi);
    cpu_run(r->c, 1);
    ck_assert_uint_eq(r->c->rip, HANDLER + V_NMI + 1);
    cpu_run(r->c, 2);                                      /* iret, then the second one */
    ck_assert_uint_eq(r->c->rip, HANDLER + V_NMI);
    rig_destroy(r);
}
END_TEST

START_TEST(code_breakpoint_stops_before_and_rf_lets_it_pass)
{
    struct rig *r = PROGRAM("pentium3", 0x40, 0x40, 0x40, 0xf4);
    r->c->dr[0] = 0x1001;
    r->c->dr[7] = 0x401;
    cpu_mode_changed(r->c);
    ck_assert_int_eq(run(r), V_DB);
    ck_assert_uint_eq(saved_ip(r), 0x1001);
    ck_assert_uint_eq(reg16(r->c, R_AX), 1);
    r->c->activity = ACT_RUNNING;
    r->c->rip = 0x1001;
    eflags_set(r->c, FL_RF);
    ck_assert_int_eq(run(r), -1);
    ck_assert_uint_eq(reg16(r->c, R_AX), 3);
    ck_assert(!(eflags_get(r->c) & FL_RF));
    rig_destroy(r);
}
END_TEST

START_TEST(data_breakpoint_traps_after_the_access)
{
    struct rig *r = PROGRAM("pentium3", 0x66, 0xb8, 0x02, 0x00, 0x0d, 0x00,      /* mov eax, 000D0002h: write, 4 bytes */
                            0x0f, 0x23, 0xf8, 0x66, 0xb8, 0x00, 0x30, 0x00, 0x00, /* mov dr7, eax; mov eax, 3000h */
                            0x0f, 0x23, 0xc0, 0xa0, 0x02, 0x30, 0xa2, 0x02, 0x30, /* mov dr0, eax; read; write */
                            0x90, 0xf4);
    ck_assert_int_eq(run(r), V_DB);
    ck_assert_uint_eq(saved_ip(r), 0x1018);
    ck_assert_uint_eq(r->c->dr[6] & 0xe00f, 1);
    rig_destroy(r);
}
END_TEST

/* ---- Ways to protected mode and back. */

START_TEST(page_fault_restarts_after_the_handler_maps_the_page)
{
    struct rig *r = rig_create("pentium3");
    struct cpu *c = r->c;
    rig_protected(r, 3);
    for (unsigned n = 0; n < 1024; n++) rig_w32(r, RIG_PT + 4 * n, n << 12 | 7);
    rig_w32(r, RIG_PT + 4 * (RIG_DATA >> 12), 0);
    rig_w32(r, RIG_PD, RIG_PT | 7);
    static const uint8_t user[] = { 0xc7, 0x05, 0x00, 0x00, 0x02, 0x00, 0x78, 0x56, 0x34, 0x12, 0x90, 0xeb, 0xfe };
    memcpy(rig_at(r, RIG_CODE), user, sizeof user);        /* mov dword [20000h], 12345678h; nop; jmp $ */
    static const uint8_t handler[] = { 0x0f, 0x20, 0xd3,                                         /* mov ebx, cr2 */
        0xc7, 0x05, 0x80, 0x10, 0x10, 0x00, 0x07, 0x00, 0x02, 0x00,              /* mov dword [101080h], 20007h */
        0x59, 0xcf };                                                            /* pop ecx; iretd */
    memcpy(rig_at(r, HANDLER), handler, sizeof handler);
    rig_gate(r, RIG_IDT + 8 * V_PF, K_CODE, HANDLER, A_INT32, 0);
    /* The handler's data segments: DPL 3 ones serve. */
    c->cr3 = RIG_PD;
    c->cr0 |= CR0_PG;
    tlb_flush(c, true);
    cpu_mode_changed(c);
    cpu_run(c, 8);
    ck_assert_uint_eq(rig_r32(r, RIG_DATA), 0x12345678);
    ck_assert_uint_eq(c->r[R_BX], RIG_DATA);
    ck_assert_uint_eq(c->r[R_CX], 6);                      /* not present, write, user */
    ck_assert_uint_eq(c->cpl, 3);
    ck_assert_uint_eq(rig_r32(r, RIG_PT + 4 * (RIG_DATA >> 12)), RIG_DATA | 7 | 0x60);
    rig_destroy(r);
}
END_TEST

START_TEST(real_to_protected_and_back_makes_unreal_mode)
{
    struct rig *r = PROGRAM("386", 0x0f, 0x01, 0x16, 0x00, 0x20,                 /* lgdt [2000h] */
                            0x0f, 0x20, 0xc0, 0x40, 0x0f, 0x22, 0xc0,            /* mov eax, cr0; inc ax; mov cr0, eax */
                            0xbb, 0x08, 0x00, 0x8e, 0xdb,                        /* mov bx, 8; mov ds, bx */
                            0x48, 0x0f, 0x22, 0xc0, 0x31, 0xdb, 0x8e, 0xdb,      /* dec ax; mov cr0, eax; xor bx, bx; mov ds, bx */
                            0x66, 0xbe, 0x00, 0x00, 0x20, 0x00,                  /* mov esi, 200000h */
                            0x67, 0xc6, 0x06, 0x5a, 0xf4);                       /* mov byte [esi], 5Ah */
    rig_w16(r, 0x2000, 0xf);
    rig_w32(r, 0x2002, 0x2010);
    rig_desc(r, 0x2018, 0, 0xfffff, A_DATA, 0x8);
    ck_assert_int_eq(run(r), -1);
    ck_assert_uint_eq(*rig_at(r, 0x200000), 0x5a);
    rig_destroy(r);
}
END_TEST

START_TEST(smi_comes_directly_after_the_out_that_raised_it)
{
    struct rig *r = PROGRAM("pentium3", 0xe6, 0xb2, 0x40, 0xf4);          /* out B2h, al; inc ax */
    static const uint8_t handler[] = { 0xbb, 0x34, 0x12, 0x0f, 0xaa };    /* mov bx, 1234h; rsm */
    memcpy(rig_at(r, 0x38000), handler, sizeof handler);
    cpu_run(r->c, 1);
    struct irq_line smi = cpu_pin(r->c, CPU_PIN_SMI);
    irq_pulse(&smi);
    cpu_run(r->c, 1);
    ck_assert(r->c->smm);
    ck_assert_uint_eq(rig_r32(r, 0x3fff0), 0x1002);
    ck_assert_uint_eq(rig_r32(r, 0x3ff10), 0x1000);        /* where an I/O restart would go */
    ck_assert_int_eq(run(r), -1);
    ck_assert(!r->c->smm);
    ck_assert_uint_eq(reg16(r->c, R_AX), 1);
    ck_assert_uint_eq(reg16(r->c, R_BX), 0);               /* RSM restored it */
    rig_destroy(r);
}
END_TEST

START_TEST(models_lack_what_came_later)
{
    static const struct { const char *model; uint8_t code[4]; int vector; } row[] = {
        { "486", { 0x0f, 0x31 }, V_UD }, { "pentium", { 0x0f, 0x31, 0xf4 }, -1 },             /* RDTSC */
        { "pentium", { 0x0f, 0x40, 0xc0 }, V_UD }, { "pentium2", { 0x0f, 0x40, 0xc0, 0xf4 }, -1 },   /* CMOVO */
        { "386", { 0x0f, 0xa2 }, V_UD }, { "486", { 0x0f, 0xa2, 0xf4 }, -1 },                  /* CPUID */
        { "386", { 0x0f, 0x08 }, V_UD }, { "486", { 0x0f, 0x08, 0xf4 }, -1 },                  /* INVD */
        { "pentium", { 0x0f, 0x34 }, V_UD }, { "pentium2", { 0x0f, 0x34 }, V_GP },             /* SYSENTER in real mode */
        { "486", { 0x0f, 0x32 }, V_UD }, { "pentium3", { 0x0f, 0x00, 0xc0 }, V_UD },           /* RDMSR; SLDT in real mode */
        { "386", { 0x0f, 0xaa }, V_UD }, { "286", { 0x0f, 0xa0 }, V_UD },                      /* RSM; PUSH FS */
    };
    for (unsigned n = 0; n < sizeof row / sizeof row[0]; n++) {
        struct rig *r = program(row[n].model, row[n].code, 4);
        ck_assert_msg(run(r) == row[n].vector, "%s: %02x %02x", row[n].model, row[n].code[0], row[n].code[1]);
        rig_destroy(r);
    }
}
END_TEST

int main(void)
{
    Suite *s = suite_create("modes");
    TCase *t = tcase_create("between instructions");
    tcase_add_test(t, single_step_traps_after_one_instruction);
    tcase_add_test(t, load_of_ss_hides_the_single_step);
    tcase_add_test(t, int_is_not_stepped);
    tcase_add_test(t, sti_holds_interrupts_for_one_instruction);
    tcase_add_test(t, nmi_is_blocked_until_iret);
    tcase_add_test(t, code_breakpoint_stops_before_and_rf_lets_it_pass);
    tcase_add_test(t, data_breakpoint_traps_after_the_access);
    tcase_add_test(t, smi_comes_directly_after_the_out_that_raised_it);
    suite_add_tcase(s, t);
    t = tcase_create("modes");
    tcase_add_test(t, page_fault_restarts_after_the_handler_maps_the_page);
    tcase_add_test(t, real_to_protected_and_back_makes_unreal_mode);
    tcase_add_test(t, models_lack_what_came_later);
    suite_add_tcase(s, t);
    return suite_main(s);
}
