/*
 * The time as the faces are told it. Nothing in ui/ reads a clock: src/app
 * (and the simulator) fill this in before each call.
 */
#ifndef UI_MODEL_UI_CLOCK_H
#define UI_MODEL_UI_CLOCK_H

#include "base/compiler.h"

struct ui_clock {
	uint64_t now_ms;      /* monotonic: for deadlines */
	uint64_t wall_ms;     /* since 1970 UTC: for days and times shown */
	int32_t utc_offset_s; /* of the place where the person sits */
};

#endif
