/*
 * One yamux muxer whose other side is forged, for the tests of yamux: frames
 * in, valid or bent, and the frames it sent. Static, since they stop the test
 * that called them.
 */
#ifndef TESTS_UNIT_YAMUX_LONE_H
#define TESTS_UNIT_YAMUX_LONE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>

#include "net/upgrade/mux_internal.h"
#include "net/upgrade/yamux.h"
#include "tests/lib/mux_pair.h"

/* Any header at all, valid or bent. */
struct forged {
	uint8_t version, type;
	uint16_t flags;
	uint32_t id, length;
};

static inline int feed_head(struct mux_side *s, struct forged f)
{
	uint8_t raw[12] = {f.version, f.type};

	put_be16(raw + 2, f.flags);
	put_be32(raw + 4, f.id);
	put_be32(raw + 8, f.length);
	return mux_side_feed(s, raw, sizeof(raw));
}

static inline int feed_frame(
	struct mux_side *s, int type, int flags, uint32_t id, uint32_t length)
{
	return feed_head(s, (struct forged){.type = (uint8_t)type,
				    .flags = (uint16_t)flags,
				    .id = id,
				    .length = length});
}

static inline int feed_zeros(struct mux_side *s, size_t len)
{
	uint8_t *zeros = calloc(1, len);
	int err = mux_side_feed(s, zeros, len);

	free(zeros);
	return err;
}

static inline int feed_data(
	struct mux_side *s, int flags, uint32_t id, const char *text)
{
	uint32_t len = (uint32_t)strlen(text);
	int err = feed_frame(s, YAMUX_DATA, flags, id, len);

	return err != 0 ? err : mux_side_feed(s, text, len);
}

/* The next frame that the muxer sent; its payload is skipped. */
static inline void expect_sent(
	struct mux_side *s, int type, int flags, uint32_t id, uint32_t length)
{
	struct yamux_head h;

	assert_true(s->out.len >= YAMUX_HEAD_BYTES);
	assert_int_equal(yamux_read_head(&h, bufq_peek(&s->out).data), 0);
	assert_int_equal(h.type, type);
	assert_int_equal(h.flags, flags);
	assert_int_equal(h.id, id);
	assert_int_equal(h.length, length);
	bufq_consume(
		&s->out, YAMUX_HEAD_BYTES + (type == YAMUX_DATA ? length : 0));
}

static inline void expect_bytes(
	struct mux_side *s, uint64_t stream, const char *text, bool want_end)
{
	bool end;
	struct bytes got = muxer_read_peek(s->m, stream, &end);

	assert_int_equal(got.len, strlen(text));
	assert_memory_equal(got.data, text, got.len);
	assert_int_equal(end, want_end);
}

/* A muxer alone; the forged other side is the initiator (odd ids). */
struct lone {
	struct test_env te;
	struct mux_side s;
};

static inline int setup_lone(void **state)
{
	struct lone *l = calloc(1, sizeof(*l));

	test_env_init(&l->te, 5);
	mux_side_init(&l->s, &l->te, MUXER_YAMUX, false);
	*state = l;
	return 0;
}

static inline int teardown_lone(void **state)
{
	struct lone *l = *state;

	mux_side_clear(&l->s);
	free(l);
	return 0;
}

static inline uint64_t open_forged(struct mux_side *s, uint32_t id)
{
	uint64_t stream;

	assert_int_equal(feed_frame(s, YAMUX_WINDOW, YAMUX_SYN, id, 0), 0);
	stream = mux_side_await(s, MUX_EV_OPENED);
	assert_int_not_equal(stream, 0);
	assert_int_equal(muxer_accept(s->m, stream, &s->out), 0);
	expect_sent(s, YAMUX_WINDOW, YAMUX_ACK, id, 0);
	return stream;
}

static inline uint64_t open_own(struct mux_side *s)
{
	uint64_t stream = 0;
	int err = muxer_open(s->m, &s->te->env, &stream, &s->out);

	assert_int_equal(err, 0);
	return stream;
}

#define LONE(t) cmocka_unit_test_setup_teardown(t, setup_lone, teardown_lone)

#endif
