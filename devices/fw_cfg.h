/* fw_cfg: how the firmware learns what the board is. Ports 510h/511h, DMA at 514h. Machine's thread only.
 * QEMU's docs/specs/fw_cfg defines the interface; SeaBIOS is its reader. */
#ifndef DEVICES_FW_CFG_H
#define DEVICES_FW_CFG_H

#include "devices/device.h"

enum {                                        /* keys of items that are not files */
    FW_CFG_SIGNATURE = 0x00, FW_CFG_ID = 0x01, FW_CFG_UUID = 0x02, FW_CFG_RAM_SIZE = 0x03, FW_CFG_NOGRAPHIC = 0x04,
    FW_CFG_NB_CPUS = 0x05, FW_CFG_BOOT_MENU = 0x0e, FW_CFG_MAX_CPUS = 0x0f, FW_CFG_FILE_DIR = 0x19,
    FW_CFG_FILE_FIRST = 0x20,
};
enum { FW_CFG_NAME_MAX = 55 };

struct device *fw_cfg_create(struct board *b, const char *id);
/* Items are added while the board is built, in a fixed order. Data is copied. A key or name that is there already is
 * replaced. Integers are stored little-endian. */
void fw_cfg_add(struct device *d, uint16_t key, const void *data, uint32_t len);
void fw_cfg_add_u16(struct device *d, uint16_t key, uint16_t val);
void fw_cfg_add_u32(struct device *d, uint16_t key, uint32_t val);
void fw_cfg_add_u64(struct device *d, uint16_t key, uint64_t val);
/* A named file; returns its key. Asserts that the name is at most FW_CFG_NAME_MAX characters. */
uint16_t fw_cfg_add_file(struct device *d, const char *name, const void *data, uint32_t len);
/* What the file of that name, which is there, holds from power-on until the first reset. */
void fw_cfg_until_reset(struct device *d, const char *name, const void *data, uint32_t len);
bool fw_cfg_was_reset(struct device *d);      /* since power-on */
/* Everything that was put in (name is "" for an item without one), but for the directory and files that the guest may write:
 * in the order of adding, what a file holds until the first reset after what it holds later. */
typedef void fw_cfg_visit(void *opaque, const char *name, uint16_t key, const void *data, uint32_t len);
void fw_cfg_contents(struct device *d, fw_cfg_visit *visit, void *opaque);
/* A file that the guest may write by DMA: its bytes are state. Together at most 256 bytes. */
uint16_t fw_cfg_add_writable(struct device *d, const char *name, const void *data, uint32_t len);

#endif
