/* The keys of a PC keyboard, by position, with the names QEMU gives them (key.def). What a frontend turns host keys
 * into and ps2_kbd turns into scan codes. All functions are pure; any thread. */
#ifndef BASE_KEY_H
#define BASE_KEY_H

#define KEY(name, qcode, set1, set2, set3, kind) KEY_##name,
enum key {
    KEY_NONE,
#include "base/key.def"
    KEY_COUNT
};
#undef KEY

/* "ret" -> KEY_RET; KEY_NONE for a name that is not a key's. "asterisk" is QEMU's second name of kp_multiply. */
enum key key_from_name(const char *qcode);
/* The key of a set-1 code as QEMU numbers them: 1Ch, or E0xxh / 80h + xx for a key with the prefix E0h. */
enum key key_from_set1(unsigned code);
/* KEY_RET -> "ret"; "unmapped" (QEMU's word) for KEY_NONE and values outside the enum. Never NULL. */
const char *key_name(enum key k);

#endif
