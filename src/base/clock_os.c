/*
 * The system's two clocks, for those who may ask (tests/lint/check-banned). The
 * one for intervals goes on while the machine sleeps: a connection that was
 * silent for a night is not to look as if it had been silent for a second.
 */
#include <time.h>

#include "base/clock.h"

static uint64_t read_us(clockid_t id)
{
	struct timespec ts;

	P2P_ASSERT(clock_gettime(id, &ts) == 0);
	if (ts.tv_sec < 0)
		return 0;
	return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

uint64_t clock_now_us(void)
{
#ifdef CLOCK_BOOTTIME
	return read_us(CLOCK_BOOTTIME);
#else
	return read_us(CLOCK_MONOTONIC);
#endif
}

uint64_t clock_now_ms(void)
{
	return clock_now_us() / 1000;
}

uint64_t clock_wall_ms(void)
{
	return read_us(CLOCK_REALTIME) / 1000;
}
