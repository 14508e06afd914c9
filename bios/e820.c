/* etc/e820: the RAM that the firmware will find, in the form of INT 15h, E820h.
 *
 * SeaBIOS takes RAM below 4 GiB from CMOS first and uses this to check and extend it. It adds its own reservations. */
#include "bios/items.h"

#include "base/bytes.h"

enum { E820_RAM = 1 };

void bios_add_e820(const struct bios_config *c, struct bios_items *out)
{
    uint8_t entry[20];                        /* base, length, type */
    st64(entry, 0);
    st64(entry + 8, c->ram_size);
    st32(entry + 16, E820_RAM);
    bios_add_file(out, "etc/e820", entry, sizeof entry);
}
