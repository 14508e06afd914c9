/* The inside of the 82077AA, shared by i82077.c (registers, commands without data, seeks) and i82077_data.c (commands
 * that move data). Not for others: they use i82077.h. */
#ifndef DEVICES_I82077_STATE_H
#define DEVICES_I82077_STATE_H

#include "devices/i82077_formats.h"
#include "devices/i82077.h"
#include "devices/isa_dma.h"

/* Status registers of the result phase, 82077AA datasheet table 5-11 and on. */
enum { ST0_ABNORMAL = 0x40, ST0_INVALID = 0x80, ST0_POLLED = 0xc0, ST0_SEEK_END = 0x20, ST0_EQUIPMENT = 0x10 };
enum { ST1_EN = 0x80, ST1_DE = 0x20, ST1_OR = 0x10, ST1_ND = 0x04, ST1_NW = 0x02, ST1_MA = 0x01 };
enum { ST2_CM = 0x40, ST2_WC = 0x10, ST2_SH = 0x08, ST2_SN = 0x04, ST2_BC = 0x02, ST2_MD = 0x01 };
enum { DOR_DMAGATE = 0x08, DOR_RESET = 0x04 };
enum { CONFIG_EIS = 0x40, CONFIG_EFIFO = 0x20, CONFIG_POLL = 0x10, CONFIG_THRESHOLD = 0x0f };
enum { SPECIFY_NON_DMA = 0x01 };               /* in its second byte */
enum { FDC_SECTOR = 512, FDC_SECTORS_MAX = 84 * 2 * 36 };

/* Commands by their low five bits. */
enum { CMD_READ_TRACK = 0x02, CMD_SPECIFY = 0x03, CMD_SENSE_DRIVE = 0x04, CMD_WRITE = 0x05, CMD_READ = 0x06,
       CMD_RECALIBRATE = 0x07, CMD_SENSE_INTERRUPT = 0x08, CMD_WRITE_DELETED = 0x09, CMD_READ_ID = 0x0a,
       CMD_READ_DELETED = 0x0c, CMD_FORMAT = 0x0d, CMD_DUMPREG = 0x0e, CMD_SEEK = 0x0f, CMD_VERSION = 0x10,
       CMD_SCAN_EQUAL = 0x11, CMD_PERPENDICULAR = 0x12, CMD_CONFIGURE = 0x13, CMD_LOCK = 0x14, CMD_VERIFY = 0x16,
       CMD_SCAN_LOW = 0x19, CMD_SCAN_HIGH = 0x1d };
enum { CMD_MT = 0x80, CMD_MFM = 0x40, CMD_SK = 0x20 };

enum fdc_phase {
    FDC_COMMAND,                               /* takes command bytes */
    FDC_RESULT,                                /* gives result bytes */
    FDC_IMPLIED_SEEK, FDC_SEARCH,              /* timer: the head moves; the sector comes round */
    FDC_NO_INDEX,                              /* no disk turns in the drive: waits, as the chip does, for ever */
    FDC_DMA,                                   /* timer: bytes are offered to, or wanted from, the DMA controller */
    FDC_PIO, FDC_PIO_GAP,                      /* the host moves bytes; timer: until the FIFO wants service again */
    FDC_COMMIT,                                /* timer: the sector is written */
    FDC_PHASES
};

/* The disk side: a mechanism, and what lies in it. */
struct floppy_drive {
    struct blk *blk;                           /* owned */
    struct floppy_geometry geometry;           /* of blk */
    bool present;
    uint8_t type;                              /* enum floppy_drive_type */
    uint8_t cylinder;                          /* where the head is */
    bool changed;                              /* DSKCHG: set without a disk, reset by a step with one */
    uint8_t deleted[FDC_SECTORS_MAX / 8];      /* sectors with a deleted data mark, while the disk is in */
    uint8_t unused[3];
};

/* The controller's side of a drive number. */
struct fdc_seek {
    struct timer timer;
    uint8_t pcn;                               /* present cylinder number, as the controller believes */
    uint8_t target;                            /* PCN when the timer fires */
    uint8_t st0;                               /* for SENSE INTERRUPT STATUS */
    bool pending;                              /* st0 has not been fetched */
    bool busy;
    uint8_t unused[11];
};

struct i82077 {
    struct device dev;
    struct isa_dma *dma;
    uint32_t dma_channel;
    bool ps2, lenient;
    uint8_t unused[10];
    struct irq_line irq;
    struct floppy_drive drive[I82077_DRIVES];
    struct timer timer;                        /* of the execution phase */
    struct timer poll;                         /* after a reset: until polling has seen the drives */
    struct fdc_seek seek[4];
    uint8_t dor, tdr, dsr;
    uint8_t rate;                              /* enum floppy_rate, from DSR or CCR, whichever was written last */
    bool interrupt;                            /* INT before DMAGATE */
    uint8_t phase;                             /* enum fdc_phase */
    uint8_t command[9], command_len, command_pos;
    uint8_t result[10], result_len, result_pos;
    uint8_t specify[2], config, precompensation_track, perpendicular, last_eot;
    bool lock;
    uint8_t st0, st1, st2;
    uint8_t c, h, r;                           /* sector ID wanted now */
    uint8_t head;                              /* side of the disk */
    uint8_t unit;                              /* drive that DOR selected when the command began */
    bool tc;
    uint8_t scan;                              /* enum scan_order of the sector so far */
    uint16_t left;                             /* sectors of FORMAT, VERIFY, READ TRACK still to come */
    uint16_t tries;                            /* DMA requests that were not granted in a row */
    uint16_t len, pos, burst_end;              /* of buf */
    uint8_t unused2[8];
    uint8_t buf[FDC_SECTOR];
};

/* From i82077.c. */
void fdc_set_interrupt(struct i82077 *f, bool on);
/* Ends a command with so many result bytes in f->result; irq: with an interrupt. */
void fdc_result(struct i82077 *f, unsigned len, bool irq);
/* Moves a drive's head to another cylinder by steps; the time it takes. */
vtime fdc_step(struct i82077 *f, unsigned unit, int steps);
/* The drive that DOR selects (NULL: none is connected there). */
struct floppy_drive *fdc_drive(struct i82077 *f, unsigned unit);
bool fdc_motor_on(const struct i82077 *f, unsigned unit);

/* From i82077_data.c: the commands that use the execution phase. */
void fdc_start_data(struct i82077 *f);
void fdc_start_read_id(struct i82077 *f);
void fdc_data_timer(struct i82077 *f);
/* A disk was put in, or a motor started: a command that waits for the index pulse goes on. */
void fdc_index_may_come(struct i82077 *f);
uint8_t fdc_pio_read(struct i82077 *f);
void fdc_pio_write(struct i82077 *f, uint8_t v);
/* Execution phase with data to the host? */
bool fdc_data_to_host(const struct i82077 *f);

#endif
