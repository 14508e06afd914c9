/* MOVS CMPS STOS LODS SCAS INS OUTS and their repetition (SDM vol. 2, "REP").
 *
 * One iteration commits: registers and memory are as after a complete instruction, and an interrupt, a fault or the end
 * of the budget may come between any two. A body does as many iterations as the budget and attention allow, lowers
 * c->budget by all but the last (which its wrapper counts), and returns BODY_AGAIN if there are more to do. MOVS and STOS
 * go by spans where both ends lie in ordinary memory: the bytes of one page at a time, with the same result and count.
 * The oddest behaviour: F2 before MOVS, STOS, LODS, INS and OUTS repeats like F3. */
#include <string.h>

#include "cpu/ops.h"
#include "cpu/system.h"
#include "cpu/tlb.h"

static bool repeats(const struct insn *i) { return i->flags & (INSN_REP | INSN_REPNE); }

/* Moves SI or DI by one element. */
static void advance(struct cpu *c, const struct insn *i, unsigned reg, unsigned size)
{
    uint64_t step = 1u << size;
    set_addr_reg(c, i, reg, c->r[reg] + (c->eflags & FL_DF ? 0 - step : step));
}

/* May another iteration follow in this call? Counts the one that is done if so. */
static bool go_on(struct cpu *c)
{
    if (c->budget <= 1 || c->attention || (c->eflags & FL_TF)) return false;
    c->budget--;
    return true;
}

/* The 80286 moves its registers ahead of the accesses: where a word lies across the end of its segment, the fault finds SI,
 * DI and CX changed already (captured from the chip; CX is `counts` lower in a repetition). */
enum { AHEAD_SI = 1, AHEAD_DI = 2 };
static void ahead_286(struct cpu *c, const struct insn *i, unsigned seg, uint64_t off, unsigned size, unsigned ahead,
                      unsigned counts)
{
    if (cpu_level(c) != LEVEL_286 || off + (1u << size) - 1 <= c->seg[seg].limit) return;
    if (ahead & AHEAD_SI) advance(c, i, R_SI, size);
    if (ahead & AHEAD_DI) advance(c, i, R_DI, size);
    if (repeats(i)) set_addr_reg(c, i, R_CX, c->r[R_CX] - counts);
}

typedef void iteration(struct cpu *c, const struct insn *i, unsigned size);

/* Repeats `one`; `compares`: it sets ZF, which may end the repetition. */
static inline __attribute__((always_inline)) enum status repeat(struct cpu *c, const struct insn *i, unsigned size,
                                                                 iteration *one, bool compares)
{
    if (!repeats(i)) {
        one(c, i, size);
        return BODY_NEXT;
    }
    for (;;) {
        uint64_t count = addr_reg(c, i, R_CX);
        if (count == 0) return BODY_NEXT;
        one(c, i, size);
        set_addr_reg(c, i, R_CX, count - 1);
        if (count == 1) return BODY_NEXT;
        if (compares && flag_zf(c) != ((i->flags & INSN_REP) != 0)) return BODY_NEXT;
        if (!go_on(c)) return BODY_AGAIN;
    }
}

/* ---- spans: elements, at most the iterations that may be done now, for which all accesses of `reg` stay in one page of
 * ordinary memory, forward. *host is set. 0: take the slow way. */
static uint64_t span_of(struct cpu *c, const struct insn *i, unsigned seg, unsigned reg, unsigned size, bool write,
                        uint64_t most, uint8_t **host)
{
    uint64_t off = addr_reg(c, i, reg), end = (write ? c->seg_write_end : c->seg_read_end)[seg];
    if (off >= end) return 0;
    uint64_t room = end - off, linear = (uint32_t)(c->seg[seg].base + off), page = PAGE_SIZE - (linear & (PAGE_SIZE - 1));
    if (page < room) room = page;
    if (insn_addrsize(i) == 2 && 0x10000 - off < room) room = 0x10000 - off;
    uint64_t n = room >> size;
    if (n == 0) return 0;
    *host = tlb_hit(write ? c->tlb_write : c->tlb_read, linear, 1);
    if (!*host) return 0;
    return n < most ? n : most;
}

/* Iterations that may be done in this call. */
static uint64_t span_limit(const struct cpu *c, const struct insn *i)
{
    if (!repeats(i) || (c->eflags & (FL_DF | FL_TF)) || c->attention || c->budget <= 1) return 0;
    uint64_t count = addr_reg(c, i, R_CX);
    return count < (uint64_t)c->budget ? count : (uint64_t)c->budget;
}

static void move_forward(uint8_t *to, const uint8_t *from, uint64_t elements, unsigned size)
{
    uint64_t bytes = elements << size;
    if (to <= from || to >= from + bytes) {
        memmove(to, from, bytes);             /* source and destination may be the same bytes; a forward copy is fine */
        return;
    }
    /* The destination runs ahead into the source: element by element, as the processor does it (a fill pattern). */
    for (uint64_t n = 0; n < elements; n++, to += 1u << size, from += 1u << size) {
        uint64_t v = ld_size(from, 1u << size);
        st_size(to, v, 1u << size);
    }
}

static void fill(uint8_t *to, uint64_t v, uint64_t elements, unsigned size)
{
    if (size == 0) {
        memset(to, (int)(v & 0xff), elements);
        return;
    }
    for (uint64_t n = 0; n < elements; n++, to += 1u << size) st_size(to, v, 1u << size);
}

/* Accounts n iterations but the last; true if the instruction is complete. */
static bool span_done(struct cpu *c, const struct insn *i, uint64_t n, unsigned size, bool source, bool *again)
{
    uint64_t count = addr_reg(c, i, R_CX) - n;
    set_addr_reg(c, i, R_CX, count);
    if (source) set_addr_reg(c, i, R_SI, c->r[R_SI] + (n << size));
    set_addr_reg(c, i, R_DI, c->r[R_DI] + (n << size));
    c->budget -= (int64_t)(n - 1);
    *again = count != 0 && !go_on(c);
    return count == 0;
}

/* ---- the instructions */

static inline void movs_one(struct cpu *c, const struct insn *i, unsigned size)
{
    uint64_t from = addr_reg(c, i, R_SI), to = addr_reg(c, i, R_DI);
    ahead_286(c, i, insn_seg(i), from, size, AHEAD_SI, 1);
    uint64_t v = mem_read(c, insn_seg(i), from, 1u << size);
    ahead_286(c, i, SEG_ES, to, size, AHEAD_SI | AHEAD_DI, 2);
    mem_write(c, SEG_ES, to, v, 1u << size);
    advance(c, i, R_SI, size);
    advance(c, i, R_DI, size);
}

static enum status movs(struct cpu *c, const struct insn *i, unsigned size)
{
    for (;;) {
        uint8_t *from, *to;
        uint64_t n = span_limit(c, i);
        if (n > 1) n = span_of(c, i, SEG_ES, R_DI, size, true, n, &to);
        if (n > 1) n = span_of(c, i, insn_seg(i), R_SI, size, false, n, &from);
        bool again = false;
        if (n > 1) {
            move_forward(to, from, n, size);
            if (span_done(c, i, n, size, true, &again)) return BODY_NEXT;
            if (again) return BODY_AGAIN;
            continue;
        }
        if (!repeats(i)) {
            movs_one(c, i, size);
            return BODY_NEXT;
        }
        uint64_t count = addr_reg(c, i, R_CX);
        if (count == 0) return BODY_NEXT;
        movs_one(c, i, size);
        set_addr_reg(c, i, R_CX, count - 1);
        if (count == 1) return BODY_NEXT;
        if (!go_on(c)) return BODY_AGAIN;
    }
}
BODY(movs_Yb_Xb) { return movs(c, i, 0); }
BODY(movs_Yv_Xv) { return movs(c, i, size_of(i)); }

static inline void stos_one(struct cpu *c, const struct insn *i, unsigned size)
{
    uint64_t to = addr_reg(c, i, R_DI);
    ahead_286(c, i, SEG_ES, to, size, AHEAD_DI, 2);
    mem_write(c, SEG_ES, to, c->r[R_AX] & size_mask(size), 1u << size);
    advance(c, i, R_DI, size);
}

static enum status stos(struct cpu *c, const struct insn *i, unsigned size)
{
    for (;;) {
        uint8_t *to;
        uint64_t n = span_limit(c, i);
        if (n > 1) n = span_of(c, i, SEG_ES, R_DI, size, true, n, &to);
        bool again = false;
        if (n > 1) {
            fill(to, c->r[R_AX], n, size);
            if (span_done(c, i, n, size, false, &again)) return BODY_NEXT;
            if (again) return BODY_AGAIN;
            continue;
        }
        if (!repeats(i)) {
            stos_one(c, i, size);
            return BODY_NEXT;
        }
        uint64_t count = addr_reg(c, i, R_CX);
        if (count == 0) return BODY_NEXT;
        stos_one(c, i, size);
        set_addr_reg(c, i, R_CX, count - 1);
        if (count == 1) return BODY_NEXT;
        if (!go_on(c)) return BODY_AGAIN;
    }
}
BODY(stos_Yb_AL) { return stos(c, i, 0); }
BODY(stos_Yv_eAX) { return stos(c, i, size_of(i)); }

static inline void lods_one(struct cpu *c, const struct insn *i, unsigned size)
{
    uint64_t from = addr_reg(c, i, R_SI);
    ahead_286(c, i, insn_seg(i), from, size, AHEAD_SI, 1);
    uint64_t v = mem_read(c, insn_seg(i), from, 1u << size);
    if (size == 0) set_al(c, (uint8_t)v);
    else set_reg(c, R_AX, v, 1u << size);
    advance(c, i, R_SI, size);
}
BODY(lods_AL_Xb) { return repeat(c, i, 0, lods_one, false); }
BODY(lods_eAX_Xv) { return repeat(c, i, size_of(i), lods_one, false); }

static inline void scas_one(struct cpu *c, const struct insn *i, unsigned size)
{
    uint64_t to = addr_reg(c, i, R_DI);
    ahead_286(c, i, SEG_ES, to, size, AHEAD_DI, 1);
    uint64_t v = mem_read(c, SEG_ES, to, 1u << size);
    flags_put(c, ALU_CMP, alu(ALU_CMP, c->r[R_AX] & size_mask(size), v, size, false));
    advance(c, i, R_DI, size);
}
BODY(scas_AL_Yb) { return repeat(c, i, 0, scas_one, true); }
BODY(scas_eAX_Yv) { return repeat(c, i, size_of(i), scas_one, true); }

static inline void cmps_one(struct cpu *c, const struct insn *i, unsigned size)
{
    uint64_t from = addr_reg(c, i, R_SI), to = addr_reg(c, i, R_DI), a, b;
    if (cpu_level(c) == LEVEL_286) {          /* reads its second operand first */
        ahead_286(c, i, SEG_ES, to, size, AHEAD_DI, 0);
        b = mem_read(c, SEG_ES, to, 1u << size);
        ahead_286(c, i, insn_seg(i), from, size, AHEAD_SI | AHEAD_DI, 1);
        a = mem_read(c, insn_seg(i), from, 1u << size);
    } else {
        a = mem_read(c, insn_seg(i), from, 1u << size);
        b = mem_read(c, SEG_ES, to, 1u << size);
    }
    flags_put(c, ALU_CMP, alu(ALU_CMP, a, b, size, false));
    advance(c, i, R_SI, size);
    advance(c, i, R_DI, size);
}
BODY(cmps_Xb_Yb) { return repeat(c, i, 0, cmps_one, true); }
BODY(cmps_Xv_Yv) { return repeat(c, i, size_of(i), cmps_one, true); }

/* The port is read only when the store is known to succeed. */
static inline void ins_one(struct cpu *c, const struct insn *i, unsigned size)
{
    uint16_t port = reg16(c, R_DX);
    uint64_t to = addr_reg(c, i, R_DI);
    cpu_publish(c);
    io_check(c, port, 1u << size);
    ahead_286(c, i, SEG_ES, to, size, AHEAD_DI, 2);
    access_probe_write(c, SEG_ES, to, 1u << size);
    mem_write(c, SEG_ES, to, port_in(c->ports, port, 1u << size), 1u << size);
    advance(c, i, R_DI, size);
}

static inline void outs_one(struct cpu *c, const struct insn *i, unsigned size)
{
    uint16_t port = reg16(c, R_DX);
    cpu_publish(c);
    io_check(c, port, 1u << size);
    uint64_t from = addr_reg(c, i, R_SI);
    ahead_286(c, i, insn_seg(i), from, size, AHEAD_SI, 1);
    uint32_t v = (uint32_t)mem_read(c, insn_seg(i), from, 1u << size);
    port_out(c->ports, port, v, 1u << size);
    advance(c, i, R_SI, size);
}

static unsigned port_size(const struct insn *i) { return size_of(i) > 2 ? 2 : size_of(i); }
BODY(ins_Yb_DX) { return repeat(c, i, 0, ins_one, false); }
BODY(ins_Yz_DX) { return repeat(c, i, port_size(i), ins_one, false); }
BODY(outs_DX_Xb) { return repeat(c, i, 0, outs_one, false); }
BODY(outs_DX_Xz) { return repeat(c, i, port_size(i), outs_one, false); }
