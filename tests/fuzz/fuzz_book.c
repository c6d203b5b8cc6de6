/*
 * The address book as a sequence of verbs on a few peers: whatever is learnt,
 * certified, failed and aged, the caps and the budget hold, the newest record
 * only ever gives way to a newer one, and what is typed or held stays.
 */
#include <stdlib.h>

#include "net/swarm/book.h"
#include "tests/lib/test_env.h"

#define PEERS 4
#define ADDRESSES 64
#define STEPS ((size_t)100)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct world {
	struct test_env te;
	struct book book;
	struct book_entry e[PEERS];
	uint64_t now_ms;
};

static void pick_addr(uint8_t n, struct maddr *a)
{
	uint8_t ip[4] = {(n & 1) ? 10 : 8, 0, 0, (uint8_t)(1 + n % ADDRESSES)};

	maddr_from_ip(a, bytes_of(ip, sizeof(ip)), NULL, 4001);
}

static void check(const struct world *w)
{
	size_t bytes = 0;
	struct list *pos, *tmp;
	size_t listed = 0;

	for (unsigned i = 0; i < PEERS; i++) {
		const struct book_entry *e = &w->e[i];

		P2P_ASSERT(e->count <= SWARM_ADDRESSES_PER_PEER_MAX);
		bytes += e->count * sizeof(struct book_addr) + e->record.len;
		for (unsigned j = 0; j < e->count; j++)
			P2P_ASSERT(book_find(e, &e->addrs[j]->addr) ==
				   e->addrs[j]);
	}
	LIST_FOREACH(pos, tmp, &w->book.entries)
		listed++;
	P2P_ASSERT(listed == w->book.count);
	P2P_ASSERT(w->book.budget.used == bytes);
	P2P_ASSERT(bytes <= w->book.budget.max);
}

static void certify(struct world *w, struct book_entry *e, const uint8_t *op)
{
	static const uint8_t envelope[SWARM_RECORD_BYTES_MAX + 200];
	struct peer_record r = {.seq = op[2], .addr_count = op[3] % 20};
	struct maddr a[20];
	uint64_t seq = e->record_seq;
	bool had = e->record_ms != P2P_NEVER;
	int err;

	for (size_t i = 0; i < r.addr_count; i++) {
		pick_addr((uint8_t)(op[2] + i * 3), &a[i]);
		r.addrs[i] = maddr_bytes(&a[i]);
	}
	err = book_certify(&w->book, e,
		&(struct book_record){.record = &r,
			.envelope = bytes_of(
				envelope, sizeof(envelope) * op[3] / 255),
			.from = (enum book_teller)(op[2] % 3)},
		w->now_ms);
	/* The one that is held may be read again, and find no room. */
	P2P_ASSERT(err == P2P_ERR_LIMIT ||
		   (err == P2P_ERR_EXISTS) == (had && r.seq <= seq));
	P2P_ASSERT(e->record_seq == (had && r.seq <= seq ? seq : r.seq));
}

static void victim(struct world *w, uint8_t worth)
{
	enum book_worth newcomer = (enum book_worth)(worth % 4);
	struct book_entry *e = book_victim(&w->book, newcomer);

	if (e == NULL)
		return;
	P2P_ASSERT(!e->held && book_worth(e) <= newcomer);
	P2P_ASSERT(book_worth(e) != BOOK_WANTED);
	book_remove(&w->book, e);
	book_add(&w->book, e, w->now_ms);
}

static bool typed(const struct book_entry *e, const struct maddr *a)
{
	const struct book_addr *known = book_find(e, a);

	return known != NULL && (known->sources & BOOK_TYPED) != 0;
}

static void learn(struct world *w, struct book_entry *e, const struct maddr *a,
	uint8_t source)
{
	int err = book_learn(&w->book, e, a,
		(enum book_source)(1u << source % 5), w->now_ms);

	P2P_ASSERT(
		(err == 0) == (book_find(e, a) != NULL &&
				      book_find(e, a)->seen_ms == w->now_ms) ||
		err == P2P_ERR_EXISTS);
	P2P_ASSERT(err == 0 || err == P2P_ERR_EXISTS || err == P2P_ERR_FULL ||
		   err == P2P_ERR_LIMIT);
}

static void step(struct world *w, const uint8_t *op)
{
	struct book_entry *e = &w->e[op[1] % PEERS];
	struct maddr a;
	bool was_typed;

	pick_addr(op[2], &a);
	was_typed = typed(e, &a);
	switch (op[0] % 9) {
	case 0:
	case 1:
		learn(w, e, &a, op[3]);
		return;
	case 2:
		certify(w, e, op);
		break;
	case 3:
		book_worked(&w->book, e, &a, w->now_ms);
		break;
	case 4:
		book_failed(e, &a, w->now_ms, op[3]);
		break;
	case 5:
		w->now_ms += (uint64_t)op[3] << op[2] % 24;
		book_age(&w->book, e, w->now_ms);
		break;
	case 6:
		victim(w, op[3]);
		return;
	case 7:
		e->held = op[3] & 1;
		e->proven = e->proven || (op[3] & 2) != 0;
		e->outdated = op[3] & 4;
		book_seen(&w->book, e, w->now_ms);
		break;
	default:
		w->book.budget.max = op[3] * 200u + w->book.budget.used;
		return;
	}
	P2P_ASSERT(!was_typed || typed(e, &a));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct world w = {.now_ms = 1000};

	test_env_init(&w.te, 1);
	book_init(&w.book, &w.te.budget);
	for (unsigned i = 0; i < PEERS; i++)
		book_add(&w.book, &w.e[i], w.now_ms);
	for (size = P2P_MIN(size, STEPS * 4); size >= 4; data += 4, size -= 4) {
		step(&w, data);
		check(&w);
	}
	for (unsigned i = 0; i < PEERS; i++)
		book_remove(&w.book, &w.e[i]);
	book_clear(&w.book);
	P2P_ASSERT(w.te.budget.used == 0);
	return 0;
}
