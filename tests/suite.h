/* What every test program needs around its tests: a main that runs one suite, random numbers that are the same every time
 * and on every host, and the text that a printer wrote. */
#ifndef TESTS_SUITE_H
#define TESTS_SUITE_H

#include <check.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/* return suite_main(s) from main: the exit status. */
static inline int suite_main(Suite *s)
{
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* SplitMix64: start it from any seed. */
static inline uint64_t random64(uint64_t *seed)
{
    uint64_t z = *seed += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

/* As many bits as chance has it: small numbers are as likely as large ones. */
static inline uint64_t random_bits(uint64_t *seed)
{
    uint64_t width = random64(seed) % 64;
    return random64(seed) >> width;
}

#endif
