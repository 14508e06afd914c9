/* Direct boot of a kernel. */
#include "bios/items.h"

enum host_status bios_add_direct_boot(const struct bios_config *c, struct bios_items *out, struct error *e)
{
    (void)out;
    if (!c->kernel) return HOST_OK;
    return error_set(e, HOST_REFUSED, "%s: direct boot is not part of this build", c->kernel);
}
