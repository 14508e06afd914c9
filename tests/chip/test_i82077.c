/* The floppy controller from its ports: reset, seeks, data by DMA and by FIFO, ends of transfers, formats, media. */
#include "base/bytes.h"
#include "tests/chip/fdc_rig.h"

static void setup(void)
{
    create(1474560, false);
    start(RATE_500K, true);
}


static const uint8_t *sector(unsigned c, unsigned h, unsigned s)
{
    return b->image[0]->data + ((c * 2 + h) * 18 + s - 1) * 512;
}

static void seek(uint8_t cylinder)
{
    SEND(0x0f, 0, cylinder);
    ck_assert(wait_irq());
    SEND(0x08);
    EXPECT(0x20, cylinder);
}

START_TEST(reset_owes_four_interrupt_statuses_but_interrupts_once)
{
    teardown();
    create(1474560, false);
    ck_assert_uint_eq(in(MSR), 0);                                 /* held in reset */
    out(DOR, 0x0c);
    ck_assert(wait_irq());
    SEND(0x08);
    ck_assert(!irq());
    EXPECT(0xc0, 0);
    for (uint8_t n = 1; n < 4; n++) {
        SEND(0x08);
        EXPECT((uint8_t)(0xc0 | n), 0);
    }
    ck_assert(!irq());
    SEND(0x08);
    EXPECT(0x80);                                                  /* nothing left: an invalid command */
    out(DSR, 0x80 | RATE_500K);                                    /* resets, and clears itself */
    ck_assert(wait_irq());
    SEND(0x08);
    EXPECT(0xc0, 0);
}
END_TEST

START_TEST(dmagate_keeps_the_interrupt_off_the_bus)
{
    out(DOR, 0x14);
    SEND(0x07, 0);
    rig_step_ns(&b->r, 100000000);
    ck_assert(!irq());
    out(DOR, 0x1c);
    ck_assert(irq());
}
END_TEST

START_TEST(version_lock_and_unknown_commands_answer)
{
    SEND(0x10);
    EXPECT(0x90);
    SEND(0x94);
    EXPECT(0x10);
    SEND(0x14);
    EXPECT(0x00);
    SEND(0x18);                                                    /* PART ID came with the 82078 */
    EXPECT(0x80);
    SEND(0x1f);
    EXPECT(0x80);
}
END_TEST

START_TEST(dumpreg_shows_settings_and_lock_keeps_them)
{
    SEND(0x13, 0, 0x5a, 0x22);                                     /* EIS, POLL off, threshold 10 */
    SEND(0x12, 0x87);                                              /* OW, D0, GAP, WGATE */
    SEND(0x0e);
    EXPECT(0, 0, 0, 0, 0xdf, 0x02, 0, 0x07, 0x5a, 0x22);
    SEND(0x94);
    EXPECT(0x10);
    out(DOR, 0x18);
    out(DOR, 0x1c);
    wait_irq();
    SEND(0x0e);
    EXPECT(0, 0, 0, 0, 0xdf, 0x02, 0, 0x84, 0x0a, 0x22);           /* FIFO kept; EIS, POLL, GAP and WGATE not */
    SEND(0x14);
    EXPECT(0x00);
    out(DOR, 0x18);
    out(DOR, 0x1c);
    wait_irq();
    SEND(0x0e);
    EXPECT(0, 0, 0, 0, 0xdf, 0x02, 0, 0x04, 0x20, 0x00);
}
END_TEST

START_TEST(seek_shows_busy_and_interrupts_at_its_end)
{
    SEND(0x0f, 0, 40);
    ck_assert_uint_eq(in(MSR), RQM | 1);
    ck_assert(wait_irq());
    ck_assert_uint_eq(in(MSR), RQM);
    SEND(0x08);
    EXPECT(0x20, 40);
    SEND(0x04, 0);
    EXPECT(0x28);                                                  /* not at track 0 */
    SEND(0xcf, 0, 5);                                              /* five further in */
    wait_irq();
    SEND(0x08);
    EXPECT(0x20, 45);
    SEND(0x8f, 0, 45);
    wait_irq();
    SEND(0x08);
    EXPECT(0x20, 0);
    SEND(0x04, 0);
    EXPECT(0x38);
}
END_TEST

START_TEST(recalibrate_without_a_drive_is_an_equipment_check)
{
    out(DOR, 0x2d);
    SEND(0x07, 1);
    ck_assert(wait_irq());
    SEND(0x08);
    EXPECT(0x71, 0);
}
END_TEST

START_TEST(dma_read_ends_at_terminal_count_with_the_next_address)
{
    seek(3);
    dma_program(1024);
    SEND(MFM | READ, 4, 3, 1, 5, 2, 18, 0x1b, 0xff);
    ck_assert_uint_eq(in(MSR), BUSY);
    ck_assert(wait_irq());
    EXPECT(0x04, 0, 0, 3, 1, 7, 2);
    ck_assert(!irq());
    ck_assert_uint_eq(in(MSR), RQM);
    ck_assert_mem_eq(b->memory, sector(3, 1, 5), 1024);
    ck_assert(!b->dreq);
}
END_TEST

START_TEST(a_bios_that_sets_no_rate_and_never_seeks_can_read)
{
    teardown();
    lenient = true;
    create(1474560, false);
    out(DOR, 0x1c);
    ck_assert(wait_irq());
    for (uint8_t n = 0; n < 4; n++) {
        SEND(0x08);
        EXPECT((uint8_t)(0xc0 | n), 0);
    }
    dma_program(512);
    SEND(MFM | READ, 0, 3, 0, 5, 2, 18, 0x1b, 0xff);
    ck_assert(wait_irq());
    EXPECT(0, 0, 0, 3, 0, 6, 2);
    ck_assert_mem_eq(b->memory, sector(3, 0, 5), 512);
}
END_TEST

START_TEST(terminal_count_in_the_last_sector_of_a_track_names_the_next_cylinder)
{
    dma_program(512);
    SEND(MFM | READ, 0, 0, 0, 18, 2, 18, 0x1b, 0xff);
    wait_irq();
    EXPECT(0, 0, 0, 1, 0, 1, 2);
    dma_program(512);
    SEND(MT | MFM | READ, 0, 0, 0, 18, 2, 18, 0x1b, 0xff);
    wait_irq();
    EXPECT(0, 0, 0, 0, 1, 1, 2);                                   /* multi-track: the other side first */
    dma_program(512);
    SEND(MT | MFM | READ, 4, 0, 1, 18, 2, 18, 0x1b, 0xff);
    wait_irq();
    EXPECT(0x04, 0, 0, 1, 0, 1, 2);
}
END_TEST

START_TEST(end_of_cylinder_without_terminal_count_is_abnormal)
{
    dma_program(4096);
    SEND(MFM | READ, 0, 0, 0, 17, 2, 18, 0x1b, 0xff);
    wait_irq();
    EXPECT(0x40, 0x80, 0, 1, 0, 1, 2);
    ck_assert_uint_eq(b->at, 1024);
}
END_TEST

START_TEST(multi_track_read_goes_on_at_the_other_side)
{
    dma_program(36 * 512);
    SEND(MT | MFM | READ, 0, 0, 0, 1, 2, 18, 0x1b, 0xff);
    wait_irq();
    EXPECT(0x04, 0, 0, 1, 0, 1, 2);
    ck_assert_mem_eq(b->memory, sector(0, 0, 1), 36 * 512);
}
END_TEST

START_TEST(write_goes_to_the_image_and_a_cut_sector_is_filled_with_zeros)
{
    memset(b->memory, 0xab, 1024);
    dma_program(700);
    SEND(MFM | WRITE, 0, 0, 0, 2, 2, 18, 0x1b, 0xff);
    wait_irq();
    EXPECT(0, 0, 0, 0, 0, 4, 2);
    ck_assert_mem_eq(sector(0, 0, 2), b->memory, 700);
    for (unsigned i = 700; i < 1024; i++) ck_assert_uint_eq(sector(0, 0, 2)[i], 0);
    ck_assert_uint_eq(ld32(sector(0, 0, 4)), 3);
}
END_TEST

START_TEST(write_protected_disk_is_not_writable)
{
    b->image[0]->blk.read_only = true;
    SEND(0x04, 0);
    EXPECT(0x78);
    dma_program(512);
    SEND(MFM | WRITE, 0, 0, 0, 2, 2, 18, 0x1b, 0xff);
    wait_irq();
    EXPECT(0x40, 0x02, 0, 0, 0, 2, 2);
    SEND(MFM | 0x0d, 0, 2, 18, 0x54, 0xf6);
    wait_irq();
    uint8_t r[16];
    ck_assert_uint_eq(receive(r), 7);
    ck_assert_uint_eq(r[1], 0x02);
}
END_TEST

START_TEST(sectors_that_are_not_there_are_reported)
{
    dma_program(512);
    SEND(MFM | READ, 0, 0, 0, 19, 2, 19, 0x1b, 0xff);              /* no such number */
    wait_irq();
    EXPECT(0x40, 0x04, 0, 0, 0, 19, 2);
    SEND(MFM | READ, 0, 1, 0, 1, 2, 18, 0x1b, 0xff);               /* the head is not at cylinder 1 */
    wait_irq();
    EXPECT(0x40, 0x04, 0x10, 1, 0, 1, 2);
    SEND(MFM | READ, 0, 0, 0, 1, 3, 18, 0x1b, 0xff);               /* no sectors of 1024 bytes */
    wait_irq();
    EXPECT(0x40, 0x04, 0, 0, 0, 1, 3);
    SEND(READ, 0, 0, 0, 1, 2, 18, 0x1b, 0xff);                     /* FM: no address marks */
    wait_irq();
    EXPECT(0x40, 0x01, 0, 0, 0, 1, 2);
    out(CCR, RATE_250K);
    SEND(MFM | READ, 0, 0, 0, 1, 2, 18, 0x1b, 0xff);               /* wrong rate */
    wait_irq();
    EXPECT(0x40, 0x01, 0, 0, 0, 1, 2);
    out(CCR, RATE_500K);
    seek(82);                                                      /* beyond the last track */
    SEND(MFM | 0x0a, 0);
    wait_irq();
    EXPECT(0x40, 0x01, 0, 0, 0, 0, 2);
}
END_TEST

START_TEST(read_id_finds_where_the_head_is)
{
    uint8_t r[16];
    seek(7);
    SEND(MFM | 0x0a, 4);
    wait_irq();
    ck_assert_uint_eq(receive(r), 7);
    ck_assert_uint_eq(r[0], 4);
    ck_assert_uint_eq(r[3], 7);
    ck_assert_uint_eq(r[4], 1);
    ck_assert(r[5] >= 1 && r[5] <= 18);
}
END_TEST

START_TEST(implied_seek_moves_the_head_first)
{
    SEND(0x13, 0, 0x60, 0);
    dma_program(512);
    SEND(MFM | READ, 0, 33, 0, 1, 2, 18, 0x1b, 0xff);
    wait_irq();
    EXPECT(0, 0, 0, 33, 0, 2, 2);
    ck_assert_mem_eq(b->memory, sector(33, 0, 1), 512);
    SEND(0x0e);
    EXPECT(33, 0, 0, 0, 0xdf, 0x02, 18, 0, 0x60, 0);
}
END_TEST

static void pio_read(unsigned bursts_per_sector)
{
    uint8_t buf[1024];
    unsigned n = 0, interrupts = b->r.probe[IRQ].rises;
    SEND(MFM | READ, 0, 0, 0, 17, 2, 18, 0x1b, 0xff);
    while (n < 1024) {
        ck_assert(wait_irq());
        while ((in(MSR) & (RQM | NON_DMA)) == (RQM | NON_DMA) && n < 1024) buf[n++] = in(FIFO);
    }
    ck_assert_uint_eq(b->r.probe[IRQ].rises - interrupts, 2 * bursts_per_sector);
    ck_assert(wait_irq());
    EXPECT(0x40, 0x80, 0, 1, 0, 1, 2);
    ck_assert_mem_eq(buf, sector(0, 0, 17), 1024);
}

START_TEST(without_dma_the_fifo_interrupts_by_its_threshold)
{
    SEND(0x03, 0xdf, 0x03);
    pio_read(512);                                                 /* FIFO off: each byte */
    SEND(0x13, 0, 0x00, 0);
    pio_read(32);                                                  /* 16 bytes */
    SEND(0x13, 0, 0x08, 0);
    pio_read(64);                                                  /* 8 bytes */
}
END_TEST

START_TEST(without_dma_writes_take_bytes_too)
{
    SEND(0x03, 0xdf, 0x03);
    SEND(0x13, 0, 0x00, 0);
    SEND(MFM | WRITE, 0, 0, 0, 18, 2, 18, 0x1b, 0xff);
    for (unsigned n = 0; n < 512;) {
        ck_assert(wait_irq());
        ck_assert_uint_eq(in(MSR), RQM | NON_DMA | BUSY);
        while ((in(MSR) & (RQM | NON_DMA)) == (RQM | NON_DMA) && n < 512) out(FIFO, (uint8_t)n++);
    }
    ck_assert(wait_irq());
    EXPECT(0x40, 0x80, 0, 1, 0, 1, 2);
    for (unsigned i = 0; i < 512; i++) ck_assert_uint_eq(sector(0, 0, 18)[i], (uint8_t)i);
}
END_TEST

START_TEST(format_fills_the_sectors_of_a_track)
{
    seek(9);
    for (unsigned s = 0; s < 18; s++) st32(b->memory + 4 * s, 0x02000109 | (18 - s) << 16);     /* C 9, H 1, R, N 2 */
    dma_program(72);
    SEND(MFM | 0x0d, 4, 2, 18, 0x54, 0xe5);
    ck_assert(wait_irq());
    uint8_t r[16];
    ck_assert_uint_eq(receive(r), 7);
    ck_assert_uint_eq(r[0], 4);
    ck_assert_uint_eq(r[1], 0);
    for (unsigned i = 0; i < 18 * 512; i++) ck_assert_uint_eq(sector(9, 1, 1)[i], 0xe5);
    ck_assert_uint_ne(sector(10, 0, 1)[100], 0xe5);
    ck_assert_uint_ne(sector(9, 0, 18)[511], 0xe5);
}
END_TEST

START_TEST(format_of_other_sectors_leaves_the_image_alone)
{
    uint8_t before[512];
    memcpy(before, sector(9, 1, 1), 512);
    seek(9);
    st32(b->memory, 0x01010109);                                   /* 256 bytes a sector */
    dma_program(4);
    SEND(MFM | 0x0d, 4, 1, 1, 0x32, 0xe5);
    ck_assert(wait_irq());
    uint8_t r[16];
    ck_assert_uint_eq(receive(r), 7);
    ck_assert_uint_eq(r[0], 4);
    ck_assert_mem_eq(sector(9, 1, 1), before, 512);
}
END_TEST

START_TEST(fifo_waits_for_a_slow_host)
{
    SEND(0x03, 0xdf, 0x03);
    SEND(MFM | READ, 0, 0, 0, 18, 2, 18, 0x1b, 0xff);
    ck_assert(wait_irq());
    rig_step_ns(&b->r, 1000000000);                                /* a drive would have overrun it 31,250 times */
    for (unsigned n = 0; n < 512; n++) {
        while (!(in(MSR) & RQM)) rig_step_ns(&b->r, 1000);
        ck_assert_uint_eq(in(FIFO), sector(0, 0, 18)[n]);
    }
    ck_assert(wait_irq());
    EXPECT(0x40, 0x80, 0, 1, 0, 1, 2);
}
END_TEST

START_TEST(verify_moves_nothing_and_counts)
{
    dma_program(512);
    SEND(MFM | 0x16, 0x80, 0, 0, 3, 2, 18, 0x1b, 4);               /* four sectors */
    wait_irq();
    EXPECT(0, 0, 0, 0, 0, 7, 2);
    SEND(MFM | 0x16, 0, 0, 0, 3, 2, 18, 0x1b, 0xff);               /* to the end of the track */
    wait_irq();
    EXPECT(0, 0, 0, 1, 0, 1, 2);
    ck_assert_uint_eq(b->at, 0);
}
END_TEST

START_TEST(scan_looks_for_a_sector)
{
    memcpy(b->memory, sector(0, 0, 1), 512);
    memcpy(b->memory + 512, sector(0, 0, 2), 512);
    memset(b->memory, 0, 4);                                       /* sector 1 differs, sector 2 is equal */
    b->memory[3] = 1;
    memset(b->memory + 600, 0xff, 50);                             /* FFh matches anything */
    dma_program(18 * 512);
    SEND(MFM | 0x11, 0, 0, 0, 1, 2, 18, 0x1b, 1);
    wait_irq();
    EXPECT(0, 0, 0x08, 0, 0, 2, 2);
    dma_program(512);
    SEND(MFM | 0x19, 0, 0, 0, 1, 2, 1, 0x1b, 1);                   /* disk 00 00 00 00 is lower */
    wait_irq();
    EXPECT(0, 0, 0, 0, 0, 1, 2);
    dma_program(512);
    SEND(MFM | 0x1d, 0, 0, 0, 1, 2, 1, 0x1b, 1);                   /* and not higher */
    wait_irq();
    uint8_t r[16];
    ck_assert_uint_eq(receive(r), 7);
    ck_assert_uint_eq(r[2], 0x04);
}
END_TEST

START_TEST(read_track_takes_sectors_in_order_whatever_they_are_called)
{
    dma_program(3 * 512);
    SEND(MFM | 0x02, 0, 0, 0, 9, 2, 3, 0x1b, 0xff);
    wait_irq();
    uint8_t r[16];
    ck_assert_uint_eq(receive(r), 7);
    ck_assert_uint_eq(r[0], 0);
    ck_assert_uint_eq(r[1], 0x04);                                 /* the IDs did not match */
    ck_assert_mem_eq(b->memory, sector(0, 0, 1), 3 * 512);
}
END_TEST

START_TEST(deleted_data_read_finds_data_marks)
{
    dma_program(1024);
    SEND(MFM | 0x0c, 0, 0, 0, 4, 2, 18, 0x1b, 0xff);
    wait_irq();
    EXPECT(0, 0, 0x40, 0, 0, 4, 2);                                /* one sector, control mark */
    ck_assert_uint_eq(b->at, 512);
    SEND(MFM | SK | 0x0c, 0, 0, 0, 4, 2, 18, 0x1b, 0xff);
    wait_irq();
    EXPECT(0x40, 0x80, 0x40, 1, 0, 1, 2);                          /* skipped them all */
    ck_assert_uint_eq(b->at, 512);
}
END_TEST

START_TEST(deleted_data_marks_stay_with_the_disk)
{
    dma_program(512);
    SEND(MFM | 0x09, 0, 0, 0, 4, 2, 4, 0x1b, 0xff);                /* WRITE DELETED DATA, one sector */
    wait_irq();
    EXPECT(0, 0, 0, 1, 0, 1, 2);
    dma_program(2048);
    SEND(MFM | READ, 0, 0, 0, 3, 2, 18, 0x1b, 0xff);               /* ends with the deleted one */
    wait_irq();
    EXPECT(0, 0, 0x40, 0, 0, 4, 2);
    ck_assert_uint_eq(b->at, 1024);
    dma_program(1024);
    SEND(MFM | SK | READ, 0, 0, 0, 3, 2, 18, 0x1b, 0xff);          /* or skips it: sectors 3 and 5 */
    wait_irq();
    EXPECT(0, 0, 0x40, 0, 0, 6, 2);
    ck_assert_uint_eq(b->at, 1024);
    dma_program(512);
    SEND(MFM | 0x0c, 0, 0, 0, 4, 2, 18, 0x1b, 0xff);
    wait_irq();
    EXPECT(0, 0, 0, 0, 0, 5, 2);
    dma_program(512);
    SEND(MFM | 0x05, 0, 0, 0, 4, 2, 18, 0x1b, 0xff);               /* WRITE DATA takes the mark away */
    wait_irq();
    EXPECT(0, 0, 0, 0, 0, 5, 2);
    dma_program(512);
    SEND(MFM | READ, 0, 0, 0, 4, 2, 18, 0x1b, 0xff);
    wait_irq();
    EXPECT(0, 0, 0, 0, 0, 5, 2);
}
END_TEST

START_TEST(power_down_lasts_until_a_reset)
{
    rig_out8(&b->r, 0x3f4, 0x40);
    ck_assert_uint_eq(rig_in8(&b->r, 0x3f4), 0);
    rig_out8(&b->r, 0x3f5, 0x10);
    rig_out8(&b->r, 0x3f4, 0x00);                                  /* the bit alone does not end it */
    ck_assert_uint_eq(rig_in8(&b->r, 0x3f4), 0);
    rig_out8(&b->r, 0x3f4, 0x80);
    ck_assert_uint_eq(rig_in8(&b->r, 0x3f4), 0x80);
}
END_TEST

START_TEST(masked_dma_channel_is_an_overrun_in_the_end)
{
    dma_program(512);
    b->granted = false;
    SEND(MFM | READ, 0, 0, 0, 1, 2, 18, 0x1b, 0xff);
    rig_step_ns(&b->r, 50000000);
    ck_assert(!irq());
    ck_assert(b->dreq);
    ck_assert(wait_irq());
    EXPECT(0x40, 0x10, 0, 0, 0, 1, 2);
    ck_assert(!b->dreq);
}
END_TEST

START_TEST(empty_drive_or_stopped_motor_waits_for_the_index_pulse)
{
    out(DOR, 0x0c);                                                /* motor off */
    dma_program(512);
    SEND(MFM | READ, 0, 0, 0, 1, 2, 18, 0x1b, 0xff);
    ck_assert(!wait_irq());
    ck_assert_uint_eq(in(MSR), BUSY);
    rig_check_device(b->fdc);
    out(DOR, 0x1c);
    ck_assert(wait_irq());
    EXPECT(0, 0, 0, 0, 0, 2, 2);
    ck_assert_int_eq(i82077_change(b->fdc, 0, NULL), HOST_OK);
    SEND(MFM | 0x0a, 0);
    ck_assert(!wait_irq());
    out(DOR, 0x18);                                                /* only a reset ends it */
    out(DOR, 0x1c);
    ck_assert(wait_irq());
    SEND(0x08);
    EXPECT(0xc0, 0);
}
END_TEST

START_TEST(change_line_is_reset_by_a_step_with_a_disk)
{
    seek(1);
    ck_assert_uint_eq(in(DIR) & 0x80, 0);
    i82077_change(b->fdc, 0, NULL);
    ck_assert_uint_eq(in(DIR) & 0x80, 0x80);
    seek(0);
    ck_assert_uint_eq(in(DIR) & 0x80, 0x80);                       /* still no disk */
    ck_assert_int_eq(i82077_change(b->fdc, 0, &memory_blk_create(1474560)->blk), HOST_OK);
    SEND(0x07, 0);
    wait_irq();
    SEND(0x08);
    EXPECT(0x20, 0);
    ck_assert_uint_eq(in(DIR) & 0x80, 0x80);                       /* at track 0 already: no step */
    seek(1);
    ck_assert_uint_eq(in(DIR) & 0x80, 0);
    out(DOR, 0x2d);
    ck_assert_uint_eq(in(DIR) & 0x80, 0);                          /* nobody there */
}
END_TEST

START_TEST(host_failure_stops_the_machine_and_is_tried_again)
{
    b->image[0]->fail = 1;
    dma_program(512);
    SEND(MFM | READ, 0, 0, 0, 1, 2, 18, 0x1b, 0xff);
    ck_assert(wait_irq());
    EXPECT(0, 0, 0, 0, 0, 2, 2);
    ck_assert_uint_eq(b->r.requests, 1);
    ck_assert_str_eq(b->r.board.host_error.text, "made to fail");
    memset(b->memory, 0x3c, 512);
    b->image[0]->fail = 2;
    dma_program(512);
    SEND(MFM | WRITE, 0, 0, 0, 1, 2, 18, 0x1b, 0xff);
    ck_assert(wait_irq());
    EXPECT(0, 0, 0, 0, 0, 2, 2);
    ck_assert_uint_eq(b->r.requests, 3);
    ck_assert_uint_eq(sector(0, 0, 1)[511], 0x3c);
}
END_TEST

START_TEST(state_survives_in_the_middle_of_a_sector)
{
    SEND(0x03, 0xdf, 0x03);
    SEND(0x13, 0, 0x00, 0);
    SEND(MFM | READ, 0, 0, 0, 18, 2, 18, 0x1b, 0xff);
    for (unsigned n = 0; n < 512;) {
        ck_assert(wait_irq());
        if (n == 160) rig_check_device(b->fdc);
        for (unsigned i = 0; i < 16; i++, n++) ck_assert_uint_eq(in(FIFO), sector(0, 0, 18)[n]);
    }
}
END_TEST

/* Whole commands with random parameters, disks and DMA. */
static void poke(struct rig *r, struct device *d, uint64_t random)
{
    static const uint8_t codes[] = { 0xe6, 0x66, 0x45, 0xc5, 0x4d, 0x42, 0x4a, 0x0f, 0x07, 0x08, 0x13, 0x4c, 0x6c, 0xc9,
                                     0x56, 0x51, 0x59, 0xdd, 0x8f, 0xcf, 0x12, 0x14, 0x03 };
    uint64_t seed = random;
    dma_program((random >> 8 & 0x3fff) + 1);
    b->granted = random & 0x80;
    if ((random & 0x7f) == 1) {
        struct memory_blk *disk = random & 0x100 ? memory_blk_create((random >> 20) % 2949121) : NULL;
        if (i82077_change(d, 0, disk ? &disk->blk : NULL) != HOST_OK && disk) blk_close(&disk->blk);
    }
    rig_out8(r, DOR, 0x1c);
    rig_step_ns(r, 1000000);
    for (unsigned i = 0; i < 16 && (rig_in8(r, MSR) & (RQM | DIO)) == (RQM | DIO); i++) rig_in8(r, FIFO);
    uint64_t x = rig_random(&seed);
    rig_out8(r, FIFO, codes[x % sizeof codes]);
    rig_out8(r, FIFO, (uint8_t)(x >> 8 & 4));
    uint8_t bits = random & 0x1000 ? 0x1f : 1;
    for (unsigned i = 0; i < 7; i++) rig_out8(r, FIFO, i == 3 ? 2 : (uint8_t)(x >> (16 + 4 * i)) & bits);
}

START_TEST(random_accesses_never_crash)
{
    static const struct rig_window windows[] = { { 0x3f0, 6, false }, { 0x3f7, 1, false } };
    for (unsigned long seed = 0; seed < rig_seeds(); seed++) rig_fuzz(&b->r, b->fdc, windows, 2, seed, 10000, poke);
}
END_TEST

START_TEST(hostile_state_is_refused_or_runs)
{
    static const struct rig_window windows[] = { { 0x3f0, 6, false }, { 0x3f7, 1, false } };
    dma_program(700);
    b->granted = false;
    SEND(MT | MFM | READ, 0, 0, 0, 17, 2, 18, 0x1b, 0xff);
    rig_step_ns(&b->r, 1000000);
    rig_fuzz_state(&b->r, b->fdc, windows, 2, 1, 500);
    teardown();
    create(1474560, false);
    start(RATE_500K, false);
    SEND(MFM | WRITE, 0, 0, 0, 17, 2, 18, 0x1b, 0xff);
    rig_step_ns(&b->r, 1000000);
    rig_fuzz_state(&b->r, b->fdc, windows, 2, 2, 500);
}
END_TEST

int main(void)
{
    return rig_run("i82077", setup, teardown, RIG_TESTS(
        &reset_owes_four_interrupt_statuses_but_interrupts_once,
        &dmagate_keeps_the_interrupt_off_the_bus,
        &version_lock_and_unknown_commands_answer,
        &dumpreg_shows_settings_and_lock_keeps_them,
        &seek_shows_busy_and_interrupts_at_its_end,
        &recalibrate_without_a_drive_is_an_equipment_check,
        &dma_read_ends_at_terminal_count_with_the_next_address,
        &a_bios_that_sets_no_rate_and_never_seeks_can_read,
        &terminal_count_in_the_last_sector_of_a_track_names_the_next_cylinder,
        &end_of_cylinder_without_terminal_count_is_abnormal,
        &multi_track_read_goes_on_at_the_other_side,
        &write_goes_to_the_image_and_a_cut_sector_is_filled_with_zeros,
        &write_protected_disk_is_not_writable,
        &sectors_that_are_not_there_are_reported,
        &read_id_finds_where_the_head_is,
        &implied_seek_moves_the_head_first,
        &without_dma_the_fifo_interrupts_by_its_threshold,
        &without_dma_writes_take_bytes_too,
        &format_fills_the_sectors_of_a_track,
        &format_of_other_sectors_leaves_the_image_alone,
        &fifo_waits_for_a_slow_host,
        &verify_moves_nothing_and_counts,
        &scan_looks_for_a_sector,
        &read_track_takes_sectors_in_order_whatever_they_are_called,
        &deleted_data_read_finds_data_marks,
        &deleted_data_marks_stay_with_the_disk,
        &power_down_lasts_until_a_reset,
        &masked_dma_channel_is_an_overrun_in_the_end,
        &empty_drive_or_stopped_motor_waits_for_the_index_pulse,
        &change_line_is_reset_by_a_step_with_a_disk,
        &host_failure_stops_the_machine_and_is_tried_again,
        &state_survives_in_the_middle_of_a_sector,
        &random_accesses_never_crash,
        &hostile_state_is_refused_or_runs));
}
