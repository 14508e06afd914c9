/* A CD-ROM/DVD-ROM drive on an ATA cable: PACKET commands of SFF-8020i and MMC-3. Machine's thread only. */
#ifndef DEVICES_ATAPI_CD_H
#define DEVICES_ATAPI_CD_H

#include "devices/ata.h"

/* blk NULL: no disc. Owns blk. */
struct device *atapi_cd_create(struct board *b, const char *id, struct ata_channel *c, unsigned unit, struct blk *blk);
/* Changes the disc (tray out, tray in with the new one) or takes it out (blk NULL: the tray stays open). The old one is
 * closed. HOST_BUSY, and nothing but an eject request to the guest, if the guest locked the tray and !force; blk is
 * then still the caller's. */
enum host_status atapi_cd_change(struct device *cd, struct blk *blk, bool force);
bool atapi_cd_locked(struct device *cd);
bool atapi_cd_tray_open(struct device *cd);

#endif
