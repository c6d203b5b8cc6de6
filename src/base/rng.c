/*
 * Numbers from a generator that is an argument. The seeded one is frozen: a
 * change in it would change what every recorded seed of the simulator means.
 */
#include "base/rng.h"

#include <string.h>

#define PCG_MUL_HIGH 2549297995355413924ULL
#define PCG_MUL_LOW 4865540595714422341ULL
#define PCG_INC_HIGH 6364136223846793005ULL
#define PCG_INC_LOW 1442695040888963407ULL

__extension__ typedef unsigned __int128 u128;

static uint64_t pcg_next(struct rng *r)
{
	u128 s = (u128)r->state[1] << 64 | r->state[0];
	uint64_t x;
	unsigned rot;

	s = s * ((u128)PCG_MUL_HIGH << 64 | PCG_MUL_LOW) +
	    ((u128)PCG_INC_HIGH << 64 | PCG_INC_LOW);
	r->state[0] = (uint64_t)s;
	r->state[1] = (uint64_t)(s >> 64);
	x = r->state[0] ^ r->state[1];
	rot = (unsigned)(r->state[1] >> 58);
	return x >> rot | x << ((64 - rot) & 63);
}

static void seeded_fill(struct rng *r, uint8_t *out, size_t len)
{
	while (len > 0) {
		uint64_t v = pcg_next(r);
		size_t n = P2P_MIN(len, sizeof(v));

		memcpy(out, &v, n);
		out += n;
		len -= n;
	}
}

void rng_init_seeded(struct rng *r, uint64_t seed)
{
	*r = (struct rng){.fill = seeded_fill, .state = {seed, ~seed}};
	(void)pcg_next(r);
	(void)pcg_next(r);
}

void rng_fill(struct rng *r, void *out, size_t len)
{
	r->fill(r, out, len);
}

uint64_t rng_u64(struct rng *r)
{
	uint64_t v;

	r->fill(r, (uint8_t *)&v, sizeof(v));
	return v;
}

uint64_t rng_below(struct rng *r, uint64_t bound)
{
	uint64_t limit, v;

	P2P_ASSERT(bound > 0);
	/* Values past the last whole multiple of bound would favour some. */
	limit = UINT64_MAX - UINT64_MAX % bound;
	do
		v = rng_u64(r);
	while (v >= limit);
	return v % bound;
}

bool rng_one_in(struct rng *r, uint64_t n)
{
	return rng_below(r, n) == 0;
}
