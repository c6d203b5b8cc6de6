/*
 * Scores of sixteen peers in four rooms under any sequence of events. A score
 * is always a finite number, merit never outgrows its caps, who is gone is
 * worth nothing, those remembered are few; at the end all is given back (the
 * leak checker looks).
 */
#include "base/cursor.h"
#include "net/pubsub/score.h"
#include "tests/lib/test_env.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define PEERS 16
#define ROOMS 4

struct fuzz {
	struct test_env te;
	struct score_params params;
	struct score *s;
	struct peer_id who[PEERS];
	bool connected[PEERS];
	struct cursor c;
};

static struct bytes room_of(uint8_t n)
{
	static const char *const names[ROOMS] = {"a", "b", "room", "d"};

	return bytes_str(names[n % ROOMS]);
}

static void come(struct fuzz *f, unsigned i, uint8_t n)
{
	struct score_site site = {.local = n & 128,
		.len = n & 64 ? 8 : 4,
		.net = {[3] = (uint8_t)(n % 3)}};

	if (n == 0)
		site = score_site_of(
			cur_take(&f->c, P2P_MIN((size_t)20, cur_left(&f->c))));
	P2P_ASSERT(site.len <= sizeof(site.net));
	score_connect(f->s, &f->te.env, &f->who[i], &site);
	f->connected[i] = true;
}

static void deed(struct fuzz *f, uint8_t op, const struct peer_id *who)
{
	uint8_t n = cur_u8(&f->c);
	uint64_t bits;
	double value;

	switch (op) {
	case 0:
		score_graft(f->s, who, room_of(n));
		break;
	case 1:
		score_prune(f->s, who, room_of(n));
		break;
	case 2:
		score_first(f->s, who, room_of(n));
		break;
	case 3:
		score_near_first(f->s, who, room_of(n));
		break;
	case 4:
		score_invalid(f->s, &f->te.env, who, room_of(n));
		break;
	default:
		/* Any bits: huge ones, no numbers. */
		bits = cur_be64(&f->c);
		memcpy(&value, &bits, sizeof(value));
		if (n & 1)
			score_misbehave(f->s, who, value);
		else
			score_app(f->s, who, value);
	}
}

static void step(struct fuzz *f)
{
	uint8_t op = cur_u8(&f->c);
	unsigned i = op / 16;

	switch (op % 16) {
	case 0:
	case 1:
		come(f, i, cur_u8(&f->c));
		break;
	case 2:
		score_disconnect(f->s, &f->te.env, &f->who[i]);
		f->connected[i] = false;
		break;
	case 3:
		f->te.env.now_ms += (uint64_t)cur_u8(&f->c) * 250;
		score_refresh(f->s, &f->te.env);
		break;
	case 4:
		f->te.env.now_ms += (uint64_t)cur_u8(&f->c) << 20;
		break;
	default:
		deed(f, (uint8_t)(op % 16 - 5), &f->who[i]);
	}
}

static void check(const struct fuzz *f)
{
	const struct score_params *p = &f->params;

	for (unsigned i = 0; i < PEERS; i++) {
		double v = score_of(f->s, &f->who[i]);

		/* False for what is no number, too. */
		P2P_ASSERT(v > -1e16 && v <= p->topics_cap + SCORE_APP_MAX);
		P2P_ASSERT(f->connected[i] || (v <= 0 && v >= 0));
	}
	P2P_ASSERT(score_retained(f->s) <= PEERS);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct fuzz f;
	uint8_t key[36] = {8, 1, 18, 32};

	f = (struct fuzz){
		.c = cur_of(bytes_of(data, size)), .params = score_params_chat};
	test_env_init(&f.te, 1);
	for (unsigned i = 0; i < PEERS; i++) {
		key[4] = (uint8_t)i;
		peer_id_of_key(&f.who[i], bytes_of(key, sizeof(key)));
	}
	/* P3 at work, too, on every second input. */
	if (cur_u8(&f.c) & 1) {
		f.params.topic.mesh_weight = -1;
		f.params.topic.failure_weight = -1;
	}
	f.s = score_new(&f.params, &f.te.env);
	while (cur_left(&f.c) > 0) {
		step(&f);
		check(&f);
	}
	score_free(f.s);
	return 0;
}
