/* A hard disk on an ATA cable (ATA-6: PIO 4, multiword DMA 2, Ultra DMA 5, 48-bit addresses). Machine's thread only. */
#ifndef DEVICES_ATA_DISK_H
#define DEVICES_ATA_DISK_H

#include "devices/ata.h"

/* unit: 0 master, 1 slave. Owns blk (not NULL) from here on. serial: up to 20 characters, copied. */
struct device *ata_disk_create(struct board *b, const char *id, struct ata_channel *c, unsigned unit, struct blk *blk,
                               const char *serial);
/* The default translation, as IDENTIFY words 1, 3 and 6 give it (at most 16383/16/63). */
void ata_disk_geometry(struct device *disk, unsigned *cylinders, unsigned *heads, unsigned *sectors);

#endif
