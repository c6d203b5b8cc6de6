/*
 * The system's clocks, for those who drive the state machines (net/loop,
 * src/app). Everybody else is told the time.
 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include "base/compiler.h"

/* Since some moment before the start; goes on during suspend. Both are one
 * clock: the ms are the us without their fraction. */
uint64_t clock_now_us(void);
uint64_t clock_now_ms(void);
/* Milliseconds since 1970, as the machine believes; can jump. */
uint64_t clock_wall_ms(void);

#endif
