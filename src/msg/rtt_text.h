/*
 * A round trip as people read it, never longer than RTT_TEXT_COLS with a space
 * before the unit and one column less without, so that it fits a column whose
 * width stays: "0.4 ms", "12 ms", "1.2 s". What a tenth of a millisecond tells
 * matters below 10 ms only.
 */
#ifndef MSG_RTT_TEXT_H
#define MSG_RTT_TEXT_H

#include "base/compiler.h"

#define RTT_TEXT_COLS 6
#define RTT_TEXT_MAX 16

/* UINT64_MAX, not measured, is the empty text. */
void rtt_text(uint64_t rtt_us, bool spaced, char out[static RTT_TEXT_MAX]);

#endif
