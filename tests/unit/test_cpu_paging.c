/* The page walk: permissions, error codes, A and D bits, large pages, PAE, reserved bits (SDM vol. 3 ch. 4). */
#include "tests/unit/cpu_rig.h"

enum { P = 1, W = 2, U = 4, A = 0x20, D = 0x40, PS = 0x80, G = 0x100 };
enum { PF_P = 1, PF_W = 2, PF_U = 4, PF_RSVD = 8 };
#define LINEAR 0x00c05678u                 /* directory entry 3, table entry 5 */

static struct rig *paged(const char *model, uint32_t pde, uint32_t pte)
{
    struct rig *r = rig_create(model);
    rig_w32(r, RIG_PD + 3 * 4, pde);
    rig_w32(r, RIG_PT + 5 * 4, pte);
    r->c->cr3 = RIG_PD;
    r->c->cr0 |= CR0_PE | CR0_PG;
    return r;
}

/* The vector of the walk's fault, or NO_FAULT. */
static int walk(struct rig *r, uint32_t linear, unsigned kind, bool user, struct xlate *x)
{
    if (setjmp(r->c->landing)) {
        r->error = r->c->fault_error;
        return (int)r->c->fault_vector;
    }
    paging_walk(r->c, linear, kind, user, x);
    return NO_FAULT;
}

/* Every combination of U/S and R/W in both levels, CR0.WP, the access and its privilege: ch. 4.6.1. */
START_TEST(permissions_combine_both_levels)
{
    for (unsigned n = 0; n < 128; n++) {
        uint32_t pde = P | (n & 1 ? W : 0) | (n & 2 ? U : 0), pte = P | (n & 4 ? W : 0) | (n & 8 ? U : 0);
        bool wp = n & 16, write = n & 32, user = n & 64;
        struct rig *r = paged("pentium3", RIG_PT | pde, 0x300000 | pte);
        struct xlate x;
        if (wp) r->c->cr0 |= CR0_WP;
        bool all_user = (pde & pte & U) != 0, all_write = (pde & pte & W) != 0;
        bool allowed = user ? all_user && (!write || all_write) : !write || all_write || !wp;
        int v = walk(r, LINEAR, write ? PAGE_WRITE : PAGE_READ, user, &x);
        ck_assert_msg(v == (allowed ? NO_FAULT : V_PF), "case %u", n);
        if (allowed) {
            ck_assert_uint_eq(x.phys, 0x300000);
            ck_assert(x.user == all_user && x.writable == all_write && x.dirty == write);
            ck_assert_uint_eq(rig_r32(r, RIG_PD + 12), RIG_PT | pde | A);
            ck_assert_uint_eq(rig_r32(r, RIG_PT + 20), 0x300000 | pte | A | (write ? D : 0));
        } else {
            ck_assert_uint_eq(r->error, PF_P | (write ? PF_W : 0) | (user ? PF_U : 0));
            ck_assert_uint_eq(r->c->cr2, LINEAR);
            ck_assert_uint_eq(rig_r32(r, RIG_PT + 20), 0x300000 | pte);
        }
        rig_destroy(r);
    }
}
END_TEST

START_TEST(missing_pages_report_p_clear)
{
    struct xlate x;
    struct rig *r = paged("pentium3", RIG_PT, 0x300000 | P | W | U);
    ck_assert_int_eq(walk(r, LINEAR, PAGE_READ, true, &x), V_PF);
    ck_assert_uint_eq(r->error, PF_U);
    rig_w32(r, RIG_PD + 12, RIG_PT | P | W | U);
    rig_w32(r, RIG_PT + 20, 0x300000);
    ck_assert_int_eq(walk(r, LINEAR, PAGE_WRITE, false, &x), V_PF);
    ck_assert_uint_eq(r->error, PF_W);
    ck_assert(!paging_peek(r->c, LINEAR, &x));
    ck_assert_uint_eq(rig_r32(r, RIG_PD + 12), RIG_PT | P | W | U);
    rig_destroy(r);
}
END_TEST

START_TEST(peek_changes_nothing)
{
    struct xlate x;
    struct rig *r = paged("pentium3", RIG_PT | P, 0x300000 | P);
    ck_assert(paging_peek(r->c, LINEAR, &x));
    ck_assert_uint_eq(x.phys, 0x300000);
    ck_assert_uint_eq(rig_r32(r, RIG_PT + 20), 0x300000 | P);
    rig_destroy(r);
}
END_TEST

START_TEST(large_page_needs_cr4_pse)
{
    struct xlate x;
    struct rig *r = paged("pentium3", 0x01800000 | P | W | PS | G, 0);
    ck_assert_int_eq(walk(r, LINEAR, PAGE_READ, false, &x), NO_FAULT);  /* a table at 1800000h: no memory, all ones */
    ck_assert_uint_eq(x.phys, 0xfffff000);
    ck_assert_uint_eq(x.page_shift, 12);
    r->c->cr4 = CR4_PSE | CR4_PGE;
    ck_assert_int_eq(walk(r, LINEAR, PAGE_WRITE, false, &x), NO_FAULT);
    ck_assert_uint_eq(x.phys, 0x01805000);
    ck_assert_uint_eq(x.page_shift, 22);
    ck_assert(x.global);
    ck_assert_uint_eq(rig_r32(r, RIG_PD + 12), 0x01800000 | P | W | PS | G | A | D);
    rig_destroy(r);
}
END_TEST

START_TEST(pse36_gives_four_more_address_bits_and_faults_on_the_rest)
{
    struct xlate x;
    struct rig *r = paged("pentium3", 0x01800000 | 0xa << 13 | P | PS, 0);
    r->c->cr4 = CR4_PSE;
    ck_assert_int_eq(walk(r, LINEAR, PAGE_READ, false, &x), NO_FAULT);
    ck_assert_uint_eq(x.phys, 0xa01805000);
    rig_w32(r, RIG_PD + 12, 0x01800000 | 1 << 17 | P | PS);
    ck_assert_int_eq(walk(r, LINEAR, PAGE_READ, true, &x), V_PF);
    ck_assert_uint_eq(r->error, PF_P | PF_RSVD | PF_U);
    rig_destroy(r);
    r = paged("pentium", 0x01800000 | 1 << 13 | P | PS, 0);             /* no PSE-36 there */
    r->c->cr4 = CR4_PSE;
    ck_assert_int_eq(walk(r, LINEAR, PAGE_READ, false, &x), V_PF);
    ck_assert_uint_eq(r->error, PF_P | PF_RSVD);
    rig_destroy(r);
}
END_TEST

static void w64(struct rig *r, uint32_t at, uint64_t v) { st64(rig_at(r, at), v); }

static struct rig *pae(uint64_t pde, uint64_t pte)
{
    struct rig *r = rig_create("pentium3");
    w64(r, RIG_PD, 0x102000 | P);                          /* PDPTE 0 */
    w64(r, 0x102000 + 6 * 8, pde);                         /* LINEAR >> 21 */
    w64(r, RIG_PT + 5 * 8, pte);
    r->c->cr3 = RIG_PD;
    r->c->cr4 = CR4_PAE;
    r->c->cr0 |= CR0_PE | CR0_PG;
    return r;
}

static int load_pdptes(struct rig *r)
{
    if (setjmp(r->c->landing)) return (int)r->c->fault_vector;
    paging_load_pdptes(r->c, r->c->cr3);
    return NO_FAULT;
}

START_TEST(pae_reaches_above_4_gib)
{
    struct xlate x;
    struct rig *r = pae(RIG_PT | P | W | U, 0xf00300000ull | P | W | U | G);
    ck_assert_int_eq(load_pdptes(r), NO_FAULT);
    ck_assert_int_eq(walk(r, LINEAR, PAGE_WRITE, true, &x), NO_FAULT);
    ck_assert_uint_eq(x.phys, 0xf00300000ull);
    ck_assert(!x.global);                                  /* CR4.PGE is off */
    w64(r, 0x102000 + 6 * 8, 0xf00a00000ull | P | PS);
    ck_assert_int_eq(walk(r, LINEAR, PAGE_READ, false, &x), NO_FAULT);
    ck_assert_uint_eq(x.phys, 0xf00a05000ull);
    ck_assert_uint_eq(x.page_shift, 21);
    rig_destroy(r);
}
END_TEST

START_TEST(pae_reserved_bits_fault)
{
    static const uint64_t bad[] = { 1ull << 36, 1ull << 62, 1ull << 63, 1ull << 52 };
    struct xlate x;
    for (unsigned n = 0; n < 4; n++) {
        struct rig *r = pae(RIG_PT | P | U, 0x300000 | P | U | bad[n]);
        load_pdptes(r);
        ck_assert_int_eq(walk(r, LINEAR, PAGE_READ, true, &x), V_PF);
        ck_assert_uint_eq(r->error, PF_P | PF_U | PF_RSVD);
        w64(r, 0x102000 + 6 * 8, RIG_PT | P | U | bad[n]);
        ck_assert_int_eq(walk(r, LINEAR, PAGE_READ, true, &x), V_PF);
        ck_assert_uint_eq(r->error, PF_P | PF_U | PF_RSVD);
        rig_destroy(r);
    }
    struct rig *r = pae(0xa00000 | 1 << 13 | P | PS, 0);
    load_pdptes(r);
    ck_assert_int_eq(walk(r, LINEAR, PAGE_READ, false, &x), V_PF);
    ck_assert_uint_eq(r->error, PF_P | PF_RSVD);
    rig_destroy(r);
}
END_TEST

START_TEST(pdptes_are_registers)
{
    struct xlate x;
    struct rig *r = pae(RIG_PT | P | W | U, 0x300000 | P);
    ck_assert_int_eq(load_pdptes(r), NO_FAULT);
    w64(r, RIG_PD, 0);                                     /* memory changed, the register did not */
    ck_assert_int_eq(walk(r, LINEAR, PAGE_READ, false, &x), NO_FAULT);
    w64(r, RIG_PD + 8, 0x2 | P);
    ck_assert_int_eq(load_pdptes(r), V_GP);
    ck_assert_int_eq(walk(r, LINEAR, PAGE_READ, false, &x), NO_FAULT);  /* none was loaded */
    rig_destroy(r);
}
END_TEST

START_TEST(a_386_ignores_wp)
{
    struct xlate x;
    struct rig *r = paged("386", RIG_PT | P, 0x300000 | P);
    struct insn i = rig_reg(0, R_AX, INSN_O32);
    r->c->r[R_AX] = CR0_PE | CR0_PG | CR0_WP;
    ck_assert_int_eq(rig_body(r, op_mov_Cd_Rd, &i), NO_FAULT);
    ck_assert_int_eq(walk(r, LINEAR, PAGE_WRITE, false, &x), NO_FAULT);
    rig_destroy(r);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("paging");
    TCase *t = tcase_create("walk");
    tcase_add_test(t, permissions_combine_both_levels);
    tcase_add_test(t, missing_pages_report_p_clear);
    tcase_add_test(t, peek_changes_nothing);
    tcase_add_test(t, large_page_needs_cr4_pse);
    tcase_add_test(t, pse36_gives_four_more_address_bits_and_faults_on_the_rest);
    tcase_add_test(t, a_386_ignores_wp);
    suite_add_tcase(s, t);
    t = tcase_create("pae");
    tcase_add_test(t, pae_reaches_above_4_gib);
    tcase_add_test(t, pae_reserved_bits_fault);
    tcase_add_test(t, pdptes_are_registers);
    suite_add_tcase(s, t);
    return suite_main(s);
}
