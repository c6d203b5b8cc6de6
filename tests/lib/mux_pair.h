/*
 * Two muxers joined by a pipe that cuts at random places, and one muxer fed
 * with forged bytes. Both check after each step what must always hold.
 */
#ifndef TESTS_LIB_MUX_PAIR_H
#define TESTS_LIB_MUX_PAIR_H

#include "net/upgrade/muxer.h"
#include "tests/lib/mem_pipe.h"
#include "tests/lib/test_env.h"

#define MUX_TEST_OUT_BYTES (128u << 10)
#define MUX_TEST_BUDGET_BYTES (32u << 20)

/* One muxer with all it needs. */
struct mux_side {
	struct test_env *te; /* borrowed */
	struct muxer *m;
	struct budget budget;
	struct bufq out;
};

struct mux_pair {
	struct test_env te;
	struct mux_side side[2]; /* side[0] is the initiator */
	struct mem_pipe pipe;
};

void mux_side_init(struct mux_side *s, struct test_env *te,
	enum muxer_kind kind, bool initiator);
/* Frees the muxer; everything charged must be back then. */
void mux_side_clear(struct mux_side *s);
/* Feeds all of it, emptying `out` nowhere: what the muxer answered. */
int mux_side_feed(struct mux_side *s, const void *raw, size_t len);
/* Aborts when sums, windows or charges are not what they must be. */
void mux_side_check(const struct mux_side *s);
/* True when the next event is of this kind on this stream. */
bool mux_side_expect(
	struct mux_side *s, enum mux_event_kind kind, uint64_t stream);
/* The next event of that kind, others forgotten; its stream or 0. */
uint64_t mux_side_await(struct mux_side *s, enum mux_event_kind kind);
/* Writes all of it; aborts when that is not possible. */
void mux_side_say(struct mux_side *s, uint64_t stream, const char *text);

void mux_pair_init(struct mux_pair *p, enum muxer_kind kind, uint64_t seed);
void mux_pair_clear(struct mux_pair *p);
/* Steps the pipe until nothing moves, checking both sides on the way. */
void mux_pair_run(struct mux_pair *p);
/* As mux_side_check for both, and that neither may send more than the other
 * is ready to take. */
void mux_pair_check(const struct mux_pair *p);

#endif
