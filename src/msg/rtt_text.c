#include "msg/rtt_text.h"

#include <stdio.h>

#define S_US UINT64_C(1000000)
#define RTT_S_MAX 999

/* Two digits with a point where that tells something, else none; rounded. */
static void put(char out[static RTT_TEXT_MAX], uint64_t rtt_us,
	uint64_t unit_us, const char *unit)
{
	unsigned tenths = (unsigned)((rtt_us * 10 + unit_us / 2) / unit_us);
	unsigned whole = (unsigned)((rtt_us + unit_us / 2) / unit_us);

	/* Nothing takes no time. */
	tenths = P2P_MAX(tenths, 1u);
	if (tenths < 100)
		snprintf(out, RTT_TEXT_MAX, "%u.%u%s", tenths / 10, tenths % 10,
			unit);
	else
		snprintf(out, RTT_TEXT_MAX, "%u%s", whole, unit);
}

void rtt_text(uint64_t rtt_us, bool spaced, char out[static RTT_TEXT_MAX])
{
	out[0] = '\0';
	if (rtt_us == UINT64_MAX)
		return;
	rtt_us = P2P_MIN(rtt_us, RTT_S_MAX * S_US);
	if (rtt_us < S_US - 500)
		put(out, rtt_us, 1000, spaced ? " ms" : "ms");
	else
		put(out, rtt_us, S_US, spaced ? " s" : "s");
}
