/* The VGA's window at A0000h: write and read modes, odd/even, chain-4, maps. */
#include <string.h>

#include "tests/chip/vga_rig.h"

static struct vga_rig *r;

static void setup(void) { r = vga_rig_new(); }
static void teardown(void) { vga_rig_free(r); }

/* The graphics controller as the manual's block diagram has it, a plane and a bit at a time. */
struct planes {
    uint8_t memory[4][65536];
    uint8_t latch[4];
    uint8_t map_mask, set_reset, enable, compare, rotate, read_map, mode, care, bit_mask;
};

static void model_write(struct planes *p, unsigned offset, uint8_t cpu)
{
    unsigned turn = p->rotate & 7, function = p->rotate >> 3, mode = p->mode & 3;
    for (unsigned plane = 0; plane < 4; plane++) {
        if (!(p->map_mask >> plane & 1)) continue;
        uint8_t result = 0;
        for (unsigned bit = 0; bit < 8; bit++) {
            unsigned turned = cpu >> ((bit + turn) & 7) & 1;
            unsigned latch = p->latch[plane] >> bit & 1, source = 0, selected = p->bit_mask >> bit & 1;
            if (mode == 0) source = p->enable >> plane & 1 ? p->set_reset >> plane & 1 : turned;
            if (mode == 1) source = latch;
            if (mode == 2) source = cpu >> plane & 1;
            if (mode == 3) {
                source = p->set_reset >> plane & 1;
                selected &= turned;
            }
            if (mode != 1) {
                if (function == 1) source &= latch;
                if (function == 2) source |= latch;
                if (function == 3) source ^= latch;
                if (!selected) source = latch;
            }
            result |= (uint8_t)(source << bit);
        }
        p->memory[plane][offset] = result;
    }
}

static uint8_t model_read(struct planes *p, unsigned offset)
{
    for (unsigned plane = 0; plane < 4; plane++) p->latch[plane] = p->memory[plane][offset];
    if (!(p->mode & 8)) return p->latch[p->read_map];
    uint8_t result = 0;
    for (unsigned bit = 0; bit < 8; bit++) {
        bool equal = true;
        for (unsigned plane = 0; plane < 4; plane++)
            if (p->care >> plane & 1 && (p->latch[plane] >> bit & 1) != (p->compare >> plane & 1)) equal = false;
        result |= (uint8_t)(equal << bit);
    }
    return result;
}

static void random_register(struct planes *p, uint64_t *seed)
{
    uint64_t n = random64(seed);
    uint8_t val = (uint8_t)(n >> 8);
    switch (n % 9) {
    case 0: out_indexed(r, 0x3c4, 2, p->map_mask = val & 15); break;
    case 1: out_indexed(r, 0x3ce, 0, p->set_reset = val & 15); break;
    case 2: out_indexed(r, 0x3ce, 1, p->enable = val & 15); break;
    case 3: out_indexed(r, 0x3ce, 2, p->compare = val & 15); break;
    case 4: out_indexed(r, 0x3ce, 3, p->rotate = val & 31); break;
    case 5: out_indexed(r, 0x3ce, 4, p->read_map = val & 3); break;
    case 6: out_indexed(r, 0x3ce, 5, p->mode = val & 0x0b); break;
    case 7: out_indexed(r, 0x3ce, 7, p->care = val & 15); break;
    default: out_indexed(r, 0x3ce, 8, p->bit_mask = val); break;
    }
}

START_TEST(write_and_read_modes_match_the_block_diagram)
{
    struct planes *p = calloc(1, sizeof *p);
    uint64_t seed = 42;
    vga_rig_set_mode(r, MODE_12);
    p->map_mask = p->care = 15;
    p->bit_mask = 0xff;
    for (unsigned i = 0; i < 200000; i++) {
        uint64_t n = random64(&seed);
        unsigned offset = (unsigned)(n >> 16 & 0xff) + (n >> 8 & 1 ? 0xff00 : 0);
        if (n % 4 == 0) random_register(p, &seed);
        else if (n % 4 == 1) ck_assert_uint_eq(peek8(r, 0xa0000 + offset), model_read(p, offset));
        else {
            poke8(r, 0xa0000 + offset, (uint8_t)(n >> 32));
            model_write(p, offset, (uint8_t)(n >> 32));
        }
    }
    for (unsigned offset = 0; offset < 65536; offset++)
        for (unsigned plane = 0; plane < 4; plane++)
            if (r->vram->data[4 * offset + plane] != p->memory[plane][offset])
                ck_abort_msg("plane %u, offset %04x", plane, offset);
    free(p);
}
END_TEST

START_TEST(wide_accesses_are_bytes_in_ascending_order)
{
    vga_rig_set_mode(r, MODE_12);
    out_indexed(r, 0x3c4, 2, 0x04);
    phys_store(&r->rig.mem, 0xa1000, 0x44332211, 4, false);
    out_indexed(r, 0x3ce, 4, 2);
    for (unsigned i = 0; i < 4; i++) ck_assert_uint_eq(peek8(r, 0xa1000 + i), 0x11 * (i + 1));
    ck_assert_uint_eq(phys_load(&r->rig.mem, 0xa1001, 2, false), 0x3322);
    /* The latches hold what the last byte read. */
    out_indexed(r, 0x3c4, 2, 0x0f);
    out_indexed(r, 0x3ce, 5, 1);
    poke8(r, 0xa2000, 0);
    out_indexed(r, 0x3ce, 5, 0);
    ck_assert_uint_eq(peek8(r, 0xa2000), 0x33);
}
END_TEST

START_TEST(crtc_22h_reads_the_latches)
{
    vga_rig_set_mode(r, MODE_12);
    out_indexed(r, 0x3c4, 2, 0x02);
    poke8(r, 0xa0005, 0x5a);
    peek8(r, 0xa0005);
    out_indexed(r, 0x3ce, 4, 1);
    ck_assert_uint_eq(in_indexed(r, 0x3d4, 0x22), 0x5a);
    out_indexed(r, 0x3ce, 4, 0);
    ck_assert_uint_eq(in_indexed(r, 0x3d4, 0x22), 0);
}
END_TEST

START_TEST(odd_even_puts_characters_in_plane_0_and_attributes_in_plane_1)
{
    vga_rig_set_mode(r, MODE_3);
    phys_store(&r->rig.mem, 0xb8000 + 2 * 100, 0x1e41, 2, false);
    ck_assert_uint_eq(phys_load(&r->rig.mem, 0xb8000 + 2 * 100, 2, false), 0x1e41);
    /* Seen by planes: both at offset 200, and nothing at 201. */
    out_indexed(r, 0x3c4, 4, 0x06);
    out_indexed(r, 0x3ce, 5, 0x00);
    out_indexed(r, 0x3ce, 6, 0x04);
    static const uint8_t expected[2][4] = { { 0x41, 0x1e, 0, 0 }, { 0, 0, 0, 0 } };
    for (unsigned i = 0; i < 2; i++)
        for (unsigned plane = 0; plane < 4; plane++) {
            out_indexed(r, 0x3ce, 4, (uint8_t)plane);
            ck_assert_uint_eq(peek8(r, 0xa0000 + 200 + i), expected[i][plane]);
        }
}
END_TEST

START_TEST(page_bit_moves_odd_even_to_odd_offsets)
{
    vga_rig_set_mode(r, MODE_3);
    outb(r, 0x3c2, 0x67 & ~0x20);
    poke8(r, 0xb8000, 0x77);
    outb(r, 0x3c2, 0x67);
    ck_assert_uint_eq(peek8(r, 0xb8000), 0x00);
    ck_assert_uint_eq(r->vram->data[4 * 1 + 0], 0x77);
}
END_TEST

START_TEST(odd_even_of_128k_takes_a16_for_the_low_bit)
{
    vga_rig_set_mode(r, MODE_3);
    out_indexed(r, 0x3ce, 6, 0x02);
    poke8(r, 0xa0000 + 10, 0x11);
    poke8(r, 0xb0000 + 10, 0x22);
    ck_assert_uint_eq(r->vram->data[4 * 10], 0x11);
    ck_assert_uint_eq(r->vram->data[4 * 11], 0x22);
    ck_assert_uint_eq(peek8(r, 0xa0000 + 10), 0x11);
    ck_assert_uint_eq(peek8(r, 0xb0000 + 10), 0x22);
}
END_TEST

START_TEST(memory_map_select_places_the_window)
{
    static const struct { uint32_t base, size; } maps[4] = {
        { 0xa0000, 0x20000 }, { 0xa0000, 0x10000 }, { 0xb0000, 0x8000 }, { 0xb8000, 0x8000 },
    };
    for (unsigned chain4 = 0; chain4 < 2; chain4++) {
        vga_rig_set_mode(r, chain4 ? MODE_13 : MODE_12);
        for (unsigned map = 0; map < 4; map++) {
            out_indexed(r, 0x3ce, 6, (uint8_t)(map << 2 | 1));
            for (uint32_t a = 0xa0000; a < 0xc0000; a += 0x1000) {
                const char *name = phys_lookup(&r->rig.mem, a, false, true).region->name;
                bool inside = a >= maps[map].base && a < maps[map].base + maps[map].size;
                ck_assert_int_eq(strncmp(name, "vga.", 4) == 0, inside);
            }
        }
    }
}
END_TEST

START_TEST(ram_enable_of_the_misc_register_gates_the_window)
{
    vga_rig_set_mode(r, MODE_13);
    poke8(r, 0xa0000, 0x42);
    outb(r, 0x3c2, 0x61);
    ck_assert_uint_ne(peek8(r, 0xa0000), 0x42);
    outb(r, 0x3c2, 0x63);
    ck_assert_uint_eq(peek8(r, 0xa0000), 0x42);
}
END_TEST

static bool direct(void) { return phys_lookup(&r->rig.mem, 0xa0000, false, true).block != NULL; }

START_TEST(chain4_is_plain_memory_only_while_nothing_stands_between)
{
    static const struct { uint16_t port; uint8_t index, off, on; } barriers[] = {
        { 0x3c4, 2, 0x07, 0x0f }, { 0x3c4, 4, 0x06, 0x0e }, { 0x3ce, 1, 0x01, 0x00 }, { 0x3ce, 3, 0x08, 0x00 },
        { 0x3ce, 3, 0x01, 0x00 }, { 0x3ce, 5, 0x41, 0x40 }, { 0x3ce, 5, 0x48, 0x40 }, { 0x3ce, 8, 0x7f, 0xff },
    };
    vga_rig_set_mode(r, MODE_13);
    ck_assert(direct());
    for (unsigned i = 0; i < sizeof barriers / sizeof barriers[0]; i++) {
        out_indexed(r, barriers[i].port, barriers[i].index, barriers[i].off);
        ck_assert_msg(!direct(), "barrier %u", i);
        out_indexed(r, barriers[i].port, barriers[i].index, barriers[i].on);
        ck_assert(direct());
    }
}
END_TEST

START_TEST(plain_memory_does_not_load_the_latches)
{
    vga_rig_set_mode(r, MODE_13);
    for (unsigned i = 0; i < 8; i++) poke8(r, 0xa0000 + i, (uint8_t)(0x10 + i));
    out_indexed(r, 0x3ce, 8, 0x7f);                   /* through the chip: loads them */
    peek8(r, 0xa0000);
    out_indexed(r, 0x3ce, 8, 0xff);
    peek8(r, 0xa0004);                                /* directly: the next four bytes would be due */
    out_indexed(r, 0x3ce, 4, 0);
    ck_assert_uint_eq(in_indexed(r, 0x3d4, 0x22), 0x10);
}
END_TEST

START_TEST(chain4_through_the_planes_and_directly_is_the_same_memory)
{
    vga_rig_set_mode(r, MODE_13);
    for (unsigned i = 0; i < 64000; i++) poke8(r, 0xa0000 + i, (uint8_t)(i * 7 + i / 320));
    out_indexed(r, 0x3ce, 7, 0x00);                     /* irrelevant to read mode 0 */
    out_indexed(r, 0x3c4, 2, 0x05);                     /* planes 0 and 2 only: no longer direct */
    for (unsigned i = 0; i < 64000; i++) ck_assert_uint_eq(peek8(r, 0xa0000 + i), (uint8_t)(i * 7 + i / 320));
    for (unsigned i = 0; i < 1000; i++) poke8(r, 0xa0000 + i, 0xee);
    out_indexed(r, 0x3c4, 2, 0x0f);
    for (unsigned i = 0; i < 1000; i++) ck_assert_uint_eq(peek8(r, 0xa0000 + i), i & 1 ? (uint8_t)(i * 7 + i / 320) : 0xee);
}
END_TEST

int main(void)
{
    return rig_run("vga memory", setup, teardown, RIG_TESTS(
        &write_and_read_modes_match_the_block_diagram, &wide_accesses_are_bytes_in_ascending_order,
        &crtc_22h_reads_the_latches, &plain_memory_does_not_load_the_latches,
        &odd_even_puts_characters_in_plane_0_and_attributes_in_plane_1,
        &page_bit_moves_odd_even_to_odd_offsets, &odd_even_of_128k_takes_a16_for_the_low_bit,
        &memory_map_select_places_the_window, &ram_enable_of_the_misc_register_gates_the_window,
        &chain4_is_plain_memory_only_while_nothing_stands_between,
        &chain4_through_the_planes_and_directly_is_the_same_memory));
}
