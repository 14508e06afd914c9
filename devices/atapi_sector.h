/* Raw sectors of a data CD, made from their 2048 bytes of user data. ECMA-130 (Yellow Book), mode 1. Pure; any thread.
 */
#ifndef DEVICES_ATAPI_SECTOR_H
#define DEVICES_ATAPI_SECTOR_H

#include <stdint.h>

enum { CD_DATA = 2048, CD_RAW = 2352 };
/* Where the parts are: sync 0, header 12, user data 16, EDC, zeros and ECC from 2064 on. */
enum { CD_SYNC_AT = 0, CD_HEADER_AT = 12, CD_DATA_AT = 16, CD_EDC_AT = 2064 };

/* raw[CD_DATA_AT..] holds the data; fills in the rest for that block address. */
void cd_sector_complete(uint8_t raw[CD_RAW], uint32_t lba);
/* Minute, second, frame of a block address, binary. Address 0 is 00:02:00. */
void cd_msf(uint32_t lba, uint8_t msf[3]);

#endif
