/* What the monitor shows of a CPU: registers by name, page tables, descriptor tables. Nothing of it may change state. */
#define _GNU_SOURCE
#include "tests/unit/cpu_rig.h"

static char *text;

/* The view as text, until the next call. */
static const char *view(struct rig *r, const char *name)
{
    size_t len;
    free(text);
    FILE *out = open_memstream(&text, &len);
    ck_assert(cpu_print(r->c, name, out));
    fclose(out);
    return text;
}

static uint64_t reg(struct rig *r, const char *name)
{
    uint64_t v = 0;
    ck_assert_msg(cpu_register(r->c, name, &v), "%s", name);
    return v;
}

START_TEST(registers_have_their_names)
{
    struct rig *r = rig_create("pentium3");
    uint64_t v;
    rig_protected(r, 0);
    r->c->r[R_BX] = 0x12345678;
    r->c->r[R_SI] = 0x9abcdef0;
    r->c->seg[SEG_FS] = rig_seg(0x43, 0x80001000, 0x1fff, A_DATA3, 4);
    r->c->rip = 0x10020;
    r->c->cr2 = 0xdeadb000;
    eflags_set(r->c, FL_ZF | FL_IF);
    ck_assert_uint_eq(reg(r, "ebx"), 0x12345678);
    ck_assert_uint_eq(reg(r, "bx"), 0x5678);
    ck_assert_uint_eq(reg(r, "bl"), 0x78);
    ck_assert_uint_eq(reg(r, "bh"), 0x56);
    ck_assert_uint_eq(reg(r, "esi"), 0x9abcdef0);
    ck_assert_uint_eq(reg(r, "fs"), 0x43);
    ck_assert_uint_eq(reg(r, "fs.base"), 0x80001000);
    ck_assert_uint_eq(reg(r, "fs.limit"), 0x1fff);
    ck_assert_uint_eq(reg(r, "tr.base"), RIG_TSS);
    ck_assert_uint_eq(reg(r, "eip"), 0x10020);
    ck_assert_uint_eq(reg(r, "pc"), 0x10020 + reg(r, "cs.base"));
    ck_assert_uint_eq(reg(r, "cr2"), 0xdeadb000);
    ck_assert_uint_eq(reg(r, "eflags"), FL_ZF | FL_IF | FL_1);
    ck_assert_uint_eq(reg(r, "gdtr.base"), RIG_GDT);
    ck_assert(!cpu_register(r->c, "rax", &v) && !cpu_register(r->c, "fs.x", &v) && !cpu_register(r->c, "", &v));
    ck_assert(!cpu_print(r->c, "nothing", stderr));
    rig_destroy(r);
}
END_TEST

enum { P = 1, W = 2, U = 4, A = 0x20, D = 0x40, PS = 0x80, G = 0x100 };

START_TEST(page_tables_are_shown_by_stretches_and_by_page)
{
    struct rig *r = rig_create("pentium3");
    ck_assert_str_eq(view(r, "mem"), "PG disabled\n");
    rig_w32(r, RIG_PD, RIG_PT | P | W | U);
    rig_w32(r, RIG_PD + 0x301 * 4, 0x00400000 | P | W | PS | G | A | D);
    rig_w32(r, RIG_PT + 4, 0x00005000 | P | W | U | A);                    /* two pages of equal rights, not of one frame */
    rig_w32(r, RIG_PT + 8, 0x00009000 | P | W | U);
    rig_w32(r, RIG_PT + 12, 0x00003000 | P | U | 0x10);
    rig_w32(r, RIG_PT + 0xffc, 0x00007000 | P | W);
    r->c->cr3 = RIG_PD;
    r->c->cr4 = CR4_PSE | CR4_PGE;
    r->c->cr0 |= CR0_PE | CR0_PG;
    ck_assert_str_eq(view(r, "mem"), "0000000000001000-0000000000003000 0000000000002000 urw\n"
                                     "0000000000003000-0000000000004000 0000000000001000 ur-\n"
                                     "00000000003ff000-0000000000400000 0000000000001000 -rw\n"
                                     "00000000c0400000-00000000c0800000 0000000000400000 -rw\n");
    ck_assert_str_eq(view(r, "tlb"), "0000000000001000: 0000000000005000 ----A--UW\n"
                                     "0000000000002000: 0000000000009000 -------UW\n"
                                     "0000000000003000: 0000000000003000 -----C-U-\n"
                                     "00000000003ff000: 0000000000007000 --------W\n"
                                     "00000000c0400000: 0000000000400000 -GPDA---W\n");
    ck_assert_uint_eq(rig_r32(r, RIG_PD), RIG_PT | P | W | U);             /* looking leaves no accessed bit */
    rig_destroy(r);
}
END_TEST

START_TEST(pae_tables_are_shown_too)
{
    struct rig *r = rig_create("pentium3");
    rig_w32(r, RIG_PD, 0x00200000 | P | W | U | PS);
    rig_w32(r, RIG_PD + 511 * 8, RIG_PT | P | W);
    rig_w32(r, RIG_PT + 511 * 8, 0x00006000 | P | W | D | A);
    rig_w32(r, RIG_PT + 511 * 8 + 4, 1);
    r->c->pdpte[3] = RIG_PD | P;
    r->c->cr4 = CR4_PAE;
    r->c->cr0 |= CR0_PE | CR0_PG;
    ck_assert_str_eq(view(r, "mem"), "00000000c0000000-00000000c0200000 0000000000200000 urw\n"
                                     "00000000fffff000-0000000100000000 0000000000001000 -rw\n");
    ck_assert_str_eq(view(r, "tlb"), "00000000c0000000: 0000000000200000 --P----UW\n"
                                     "00000000fffff000: 0000000100006000 ---DA---W\n");
    rig_destroy(r);
}
END_TEST

START_TEST(descriptors_are_put_into_words)
{
    struct rig *r = rig_create("pentium3");
    rig_protected(r, 0);
    r->c->gdtr.limit = S_FREE3 + 7;
    rig_gdt(r, U_DATA, 0x1000, 0x7fff, 0xf6, 0);
    rig_gate(r, RIG_GDT + S_FREE, K_CODE, 0x12345678, A_CALL32 | 0x60, 3);
    rig_gdt(r, S_FREE2, 0x100, 0xff, 0x1e, 0);
    ck_assert_str_eq(view(r, "gdt"), "0008: base 00000000 limit ffffffff, 32-bit code, readable, accessed, DPL 0\n"
                                     "0010: base 00000000 limit ffffffff, data, 32-bit stack, accessed, DPL 0\n"
                                     "0018: base 00000000 limit ffffffff, 32-bit code, readable, accessed, DPL 3\n"
                                     "0020: base 00001000 limit 00007fff, data, expands down, DPL 3\n"
                                     "0028: base 00003000 limit 00000067, busy 32-bit TSS, DPL 0\n"
                                     "0030: base 00004000 limit 00000067, available 32-bit TSS, DPL 0\n"
                                     "0038: base 00005000 limit 000000ff, LDT, DPL 0\n"
                                     "0040: 32-bit call gate 0008:12345678, 3 words, DPL 3\n"
                                     "0048: base 00000100 limit 000000ff, 16-bit code, readable, conforming, DPL 0, not present\n");
    rig_gate(r, RIG_IDT + 8 * 8, S_TSS2, 0, A_TASK, 0);
    rig_gate(r, RIG_IDT + 0x80 * 8, K_CODE, 0xc0101234, A_TRAP32 | 0x60, 0);
    rig_gate(r, RIG_IDT + 0x81 * 8, K_CODE, 0xc0101234, A_INT16, 0);
    ck_assert_str_eq(view(r, "idt"), "08: task gate 0030, DPL 0\n"
                                     "80: 32-bit trap gate 0008:c0101234, DPL 3\n"
                                     "81: 16-bit interrupt gate 0008:00001234, DPL 0\n");
    ck_assert_str_eq(view(r, "ldt"), "");
    r->c->ldtr.sel = 0;
    ck_assert_str_eq(view(r, "ldt"), "LDTR is null\n");
    const char *tss = view(r, "tss");
    ck_assert_msg(strstr(tss, "TR=0028 base 00003000 limit 00000067, busy 32-bit TSS\n") == tss, "%s", tss);
    ck_assert_msg(strstr(tss, "ESP0=00008000    SS0=00000010") && strstr(tss, "I/O map at 0068"), "%s", tss);
    rig_destroy(r);
}
END_TEST

START_TEST(real_mode_has_vectors)
{
    struct rig *r = rig_create("pentium3");
    r->c->idtr = (struct desc_table){ .base = 0, .limit = 0x3ff };
    rig_w32(r, 8 * 4, 0xf000fea5);
    const char *idt = view(r, "idt");
    ck_assert_msg(strstr(idt, "08: f000:fea5 ") && strstr(idt, "ff: 0000:0000\n"), "%s", idt);
    r->c->idtr.limit = 0x0b;
    ck_assert_str_eq(view(r, "idt"), "00: 0000:0000 01: 0000:0000 02: 0000:0000\n");
    rig_destroy(r);
}
END_TEST

START_TEST(tables_nowhere_are_not_read)
{
    struct rig *r = rig_create("pentium3");
    rig_protected(r, 0);
    r->c->gdtr = (struct desc_table){ .base = 0xfffffff0, .limit = 0xffff };
    r->c->tr.base = 0x3ffffc;                                              /* runs out of memory behind its first dword */
    ck_assert_str_eq(view(r, "gdt"), "0000: not mapped\n");
    ck_assert_ptr_nonnull(strstr(view(r, "tss"), "not mapped\n"));
    rig_destroy(r);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("looking inside");
    TCase *t = tcase_create("views");
    tcase_add_test(t, registers_have_their_names);
    tcase_add_test(t, page_tables_are_shown_by_stretches_and_by_page);
    tcase_add_test(t, pae_tables_are_shown_too);
    tcase_add_test(t, descriptors_are_put_into_words);
    tcase_add_test(t, real_mode_has_vectors);
    tcase_add_test(t, tables_nowhere_are_not_read);
    suite_add_tcase(s, t);
    return suite_main(s);
}
