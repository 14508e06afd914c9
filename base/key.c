/* Names of keys. Recordings, scripts and QMP speak of keys by name, so the order of key.def may change freely. */
#include "base/key.h"

#include <string.h>

#define KEY(name, qcode, set1, set2, set3, kind) [KEY_##name] = qcode,
static const char *const key_names[KEY_COUNT] = {
    [KEY_NONE] = "unmapped",
#include "base/key.def"
};
#undef KEY

enum key key_from_name(const char *qcode)
{
    for (unsigned k = KEY_NONE + 1; k < KEY_COUNT; k++)
        if (strcmp(key_names[k], qcode) == 0) return (enum key)k;
    return strcmp(qcode, "asterisk") == 0 ? KEY_KP_MULTIPLY : KEY_NONE;
}

#define KEY(name, qcode, set1, set2, set3, kind) [KEY_##name] = set1,
static const unsigned short key_set1[KEY_COUNT] = {
#include "base/key.def"
};
#undef KEY

enum key key_from_set1(unsigned code)
{
    if (code >= 0x80 && code < 0x100) code = 0xe000 | (code & 0x7f);
    for (unsigned k = KEY_NONE + 1; code && k < KEY_COUNT; k++)
        if (key_set1[k] == code) return (enum key)k;
    return KEY_NONE;
}

const char *key_name(enum key k)
{
    return (unsigned)k < KEY_COUNT ? key_names[k] : key_names[KEY_NONE];
}
