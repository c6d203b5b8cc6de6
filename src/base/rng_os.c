/*
 * The system's generator. It is asked until it has given everything: what is
 * drawn here becomes keys, and there is nothing sensible to do without it.
 */
#include <errno.h>
#include <sys/random.h>

#include "base/rng.h"

static void os_fill(struct rng *r, uint8_t *out, size_t len)
{
	(void)r;
	while (len > 0) {
		ssize_t n = getrandom(out, len, 0);

		if (n < 0 && errno == EINTR)
			continue;
		P2P_ASSERT(n > 0);
		out += n;
		len -= (size_t)n;
	}
}

void rng_init_os(struct rng *r)
{
	*r = (struct rng){.fill = os_fill};
}
