/*
 * One muxer under a fuzzer: the input is a script of its user's calls and of
 * bytes from the other side, in cuts of the fuzzer's choice. After each step
 * everything that must always hold is checked, and at the end that the whole
 * budget is back.
 *
 *   op byte, low 4 bits what, high 4 bits which of the last 16 streams
 *   feed:    u8 length, bytes           write, consume: u8 size, times 256
 *   flood:   u8 times 4 KiB of zeros    time: u8, times 100 ms
 */
#ifndef TESTS_FUZZ_FUZZ_MUX_H
#define TESTS_FUZZ_FUZZ_MUX_H

#include "base/cursor.h"
#include "net/upgrade/muxer.h"

void fuzz_mux(enum muxer_kind kind, struct bytes script);

#endif
