/* The ATA cable: one channel with up to two drives. AT Attachment with Packet Interface - 6 (T13/1410D).
 *
 * Board: ata_channel_create for each cable, ata_disk_create / atapi_cd_create (ata_disk.h, atapi_cd.h) for each drive
 * on it, piix_ide_create (piix_ide.h) for the PCI function that decodes the ports and moves data by bus master. Drives
 * include this header as the bus they sit on. All calls come from the machine's thread. */
#ifndef DEVICES_ATA_H
#define DEVICES_ATA_H

#include "devices/device.h"
#include "host/block.h"

/* Status register (read), ATA-6 7.14. */
enum { ATA_BSY = 0x80, ATA_DRDY = 0x40, ATA_DF = 0x20, ATA_DSC = 0x10, ATA_DRQ = 0x08, ATA_CORR = 0x04, ATA_IDX = 0x02,
       ATA_ERR = 0x01 };
/* Error register (read), ATA-6 7.9. */
enum { ATA_ICRC = 0x80, ATA_UNC = 0x40, ATA_MC = 0x20, ATA_IDNF = 0x10, ATA_MCR = 0x08, ATA_ABRT = 0x04, ATA_NM = 0x02,
       ATA_AMNF = 0x01 };
/* Write protected: bit 6 for a write command to a removable-media device; fixed disks report ABRT beside it. */
enum { ATA_WP = 0x40 };
/* Device control register (write), ATA-6 7.8. */
enum { ATA_CTL_HOB = 0x80, ATA_CTL_SRST = 0x04, ATA_CTL_NIEN = 0x02 };
/* Device register, ATA-6 7.7. */
enum { ATA_DEV_LBA = 0x40, ATA_DEV_DEV = 0x10, ATA_DEV_OBSOLETE = 0xa0 };

struct ata_channel;
struct ata_drive;

struct ata_pins {
    uint16_t command_base;                      /* 1F0h or 170h: eight ports */
    uint16_t control_base;                      /* 3F6h or 376h: one port */
    struct irq_line intrq;                      /* IRQ14 or IRQ15 */
};
struct ata_channel *ata_channel_create(struct board *b, const char *id, const struct ata_pins *pins);
struct device *ata_channel_device(struct ata_channel *c);

/* The medium of a drive made by ata_disk_create or atapi_cd_create; NULL: empty. */
struct blk *ata_blk(struct device *drive);

/* ---- the host adapter's side (piix_ide.c) */

enum ata_dma_result {
    ATA_DMA_DONE,                               /* all bytes moved */
    ATA_DMA_WAIT,                               /* the bus master is stopped or at the end of its list: when started */
    ATA_DMA_AGAIN,                              /* the work of one call is done: call again a little later */
    ATA_DMA_HOST_FAILED,                        /* the mover said so: nothing beyond *moved has happened */
};
/* Fills (to memory) or takes (from memory) len bytes at host address p: bytes [done, done+len) of this transfer. */
typedef enum host_status ata_dma_mover(struct ata_drive *d, void *p, uint64_t done, uint32_t len, struct error *e);

struct ata_host_ops {
    /* INTRQ on the cable changed (after nIEN and the selection). */
    void (*intrq)(void *host, unsigned channel, bool level);
    /* DMARQ: moves up to len bytes through the transfer list, and adds what was moved to *moved. */
    enum ata_dma_result (*dma)(void *host, unsigned channel, struct ata_drive *d, bool to_memory, uint32_t len,
                               ata_dma_mover *mover, uint64_t *moved, struct error *e);
};
/* Connects the cable to an adapter. Without one the channel answers its ports always and DMA commands wait forever. */
void ata_channel_set_host(struct ata_channel *c, const struct ata_host_ops *ops, void *host, unsigned channel);
/* Whether the adapter decodes the channel's ports (IDETIM bit 15 and the I/O space enable). */
void ata_channel_decode(struct ata_channel *c, bool command_block);
/* The bus master was started: a drive that waits with DMARQ goes on. */
void ata_channel_dma_started(struct ata_channel *c);

/* ---- the drives' side */

/* A command block register that is two deep for 48-bit commands. */
struct ata_reg { uint8_t cur, prev; };

enum ata_phase {
    ATA_IDLE,                                   /* no command */
    ATA_COMMAND,                                /* BSY, decoding: the timer calls ops->command */
    ATA_MEDIUM,                                 /* BSY, the timer calls ops->work */
    ATA_PIO_IN, ATA_PIO_OUT,                    /* DRQ, the host moves the buffer */
    ATA_DMA,                                    /* BSY, the timer calls ops->work, which moves data by bus master */
    ATA_DMA_STOPPED,                            /* DMARQ is up and the bus master does not take it */
    ATA_RESETTING,                              /* BSY after power-on, SRST or DEVICE RESET */
    ATA_PHASES
};

struct ata_drive_ops {
    /* The registers hold a command whose decoding time is over. Ends by one of the ata_drive_* calls below. */
    void (*command)(struct ata_drive *d);
    /* Goes on with a command: in phase ATA_MEDIUM or ATA_DMA when its time has come. */
    void (*work)(struct ata_drive *d);
    /* The host has moved the whole DRQ block. In PIO_IN DRQ is down already if the command is at its end. */
    void (*block_done)(struct ata_drive *d);
    /* hard: power-on or RESET#; otherwise SRST. Puts mode settings back; ata.c does the registers. */
    void (*reset)(struct ata_drive *d, bool hard);
    bool packet;                                /* signature EB14h, DRDY only after the first command */
};

enum { ATA_BUFFER = 65536 };

/* First member of a drive's struct, in place of struct device. */
struct ata_drive {
    struct device dev;
    const struct ata_drive_ops *ops;
    struct ata_channel *channel;
    struct blk *blk;                            /* owned */
    uint32_t unit;                              /* 0 or 1 */
    uint32_t phase;                             /* enum ata_phase */
    struct timer timer;
    struct ata_reg features, count, lba_low, lba_mid, lba_high;
    uint8_t device;                             /* device register as written */
    uint8_t command;                            /* the command that runs or ran last */
    uint8_t status, error;
    bool intrq;                                 /* interrupt pending in the drive, whatever nIEN and selection */
    bool asleep;                                /* SLEEP: only a reset wakes it */
    uint32_t buf_len, buf_pos;                  /* the DRQ block is buf[buf_pos..block_end) */
    uint32_t block_end;
    uint32_t unused;
    uint8_t buf[ATA_BUFFER];
};
extern const struct state_desc ata_drive_state;

/* Called first by the create function of a drive: device_init, timer, place on the cable. It ends with ata_drive_reset.
 */
void ata_drive_init(struct ata_drive *d, const struct device_class *class, const struct ata_drive_ops *ops,
                    const char *id, struct ata_channel *c, unsigned unit, struct blk *blk);
void ata_drive_fini(struct ata_drive *d);
/* Device reset of the class: the drive's power-on or RESET#. */
void ata_drive_reset(struct device *dev, enum reset_kind kind);
/* Common part of loaded(). */
void ata_drive_loaded(struct ata_drive *d);
/* ops->work is called after a time, in phase ATA_MEDIUM or ATA_DMA. */
void ata_drive_work_after(struct ata_drive *d, enum ata_phase phase, vtime delay);
/* Offers buf[from..end) to the host as one DRQ block; irq: with an interrupt. */
void ata_drive_pio(struct ata_drive *d, enum ata_phase phase, uint32_t from, uint32_t end, bool irq);
/* Ends the command. error 0: success. irq: with an interrupt. */
void ata_drive_finish(struct ata_drive *d, uint8_t status, uint8_t error, bool irq);
/* Moves the data of a DMA command; the drive's work calls it in phase ATA_DMA. True when all len bytes have been moved;
 * otherwise the work is called again when there is something to do. *moved is how far the transfer is (STATE of the
 * drive). */
bool ata_drive_dma(struct ata_drive *d, bool to_memory, uint64_t len, uint64_t *moved, ata_dma_mover *mover);
/* A backend failed: the machine stops, the guest sees a slow drive, and ops->work runs again when the machine goes on.
 */
void ata_drive_host_failed(struct ata_drive *d, enum host_status st, const struct error *e);
/* Signature and diagnostic code, as after a reset. */
void ata_drive_signature(struct ata_drive *d);
/* DEVICE RESET (packet devices), while BSY too. */
void ata_drive_device_reset(struct ata_drive *d);

#endif
