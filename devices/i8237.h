/* The two 8237A DMA controllers and the page registers of a PC/AT, as one chip (82C206, PIIX). */
#ifndef DEVICES_I8237_H
#define DEVICES_I8237_H

#include "devices/device.h"
#include "devices/isa_dma.h"

struct i8237_pins {
    uint16_t base8;                   /* 00h: channels 0-3 */
    uint16_t base16;                  /* C0h: channels 4-7, registers two ports apart */
    uint16_t pages;                   /* 80h: sixteen page and diagnostic registers */
};

struct device *i8237_create(struct board *b, const char *id, const struct i8237_pins *pins);
/* The bus that DMA chips sit on; lives as long as the device. */
struct isa_dma *i8237_bus(struct device *d);

#endif
