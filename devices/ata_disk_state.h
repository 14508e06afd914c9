/* The inside of an ATA disk, shared by ata_disk.c (commands and data) and ata_identify.c (what it says of itself).
 * Not for others: they use ata_disk.h. */
#ifndef DEVICES_ATA_DISK_STATE_H
#define DEVICES_ATA_DISK_STATE_H

#include "devices/ata_disk.h"

enum { SECTOR = 512, MULTIPLE_MAX = 16 };
enum disk_power { POWER_ACTIVE, POWER_IDLE, POWER_STANDBY };

struct ata_disk {
    struct ata_drive drive;
    uint64_t sectors;                          /* of the image; a last partial one cannot be reached */
    uint16_t default_cylinders;
    uint8_t default_heads, default_sectors;
    uint8_t current_heads, current_sectors;    /* INITIALIZE DEVICE PARAMETERS */
    uint16_t current_cylinders;
    uint64_t lba;                              /* next sector of the command */
    uint64_t moved;                            /* bytes of the DMA transfer that are done */
    vtime last_use;                            /* of the medium, for the standby timer */
    uint32_t left;                             /* sectors still to move between medium and buffer */
    uint32_t dma_len;                          /* bytes of the DMA transfer, up to the end of the disk */
    uint8_t multiple;                          /* sectors a DRQ block of READ/WRITE MULTIPLE; 0: not set */
    uint8_t transfer_mode;                     /* as SET FEATURES 03h gave it */
    uint8_t power;                             /* enum disk_power */
    uint8_t standby_timer;                     /* as STANDBY or IDLE gave it */
    bool write_cache, look_ahead, smart, smart_autosave;
    bool keep_settings;                        /* SET FEATURES 66h: SRST leaves the settings alone */
    uint8_t work;                              /* enum disk_work */
    char serial[20];
    uint8_t buffer[SECTOR];                    /* WRITE BUFFER to READ BUFFER */
    uint8_t unused[10];
};

/* IDENTIFY DEVICE data, 512 bytes. */
void ata_disk_identify(const struct ata_disk *k, uint8_t *buf);
/* SMART READ DATA, 512 bytes with checksum; and its thresholds. */
void ata_disk_smart_data(const struct ata_disk *k, uint8_t *buf);
void ata_disk_smart_thresholds(uint8_t *buf);
/* CHS translation for a number of heads and sectors: cylinders, at most 65535. */
unsigned ata_disk_cylinders(const struct ata_disk *k, unsigned heads, unsigned sectors);

#endif
