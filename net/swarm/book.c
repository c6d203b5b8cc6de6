/*
 * The address book: who names what, what came of it, who makes room.
 *
 * Everything here is a walk over a few: a peer has at most
 * SWARM_ADDRESSES_PER_PEER_MAX addresses, in no order, and the order in which
 * they are dialled is made by dial.c each time, since it changes with every
 * failure. Only the entries themselves stand in an order, least recently seen
 * first, because one of them is looked for whenever the book is full.
 */
#include "net/swarm/book.h"

#include <stdlib.h>

#include "base/xmalloc.h"

void book_init(struct book *b, struct budget *parent)
{
	*b = (struct book){.count = 0};
	list_init(&b->entries);
	budget_init(&b->budget, parent, SWARM_BOOK_BYTES);
}

void book_clear(struct book *b)
{
	P2P_ASSERT(b->count == 0 && b->budget.used == 0);
	budget_clear(&b->budget);
}

/* ---- entries ----------------------------------------------------------- */

void book_add(struct book *b, struct book_entry *e, uint64_t now_ms)
{
	*e = (struct book_entry){.seen_ms = now_ms, .record_ms = P2P_NEVER};
	buf_init(&e->record, SWARM_RECORD_BYTES_MAX);
	list_push_back(&b->entries, &e->of_book);
	b->count++;
}

static void drop_record(struct book *b, struct book_entry *e)
{
	budget_release(&b->budget, e->record.len);
	buf_clear(&e->record);
}

static void drop_at(struct book *b, struct book_entry *e, unsigned i)
{
	free(e->addrs[i]);
	e->addrs[i] = e->addrs[--e->count];
	e->addrs[e->count] = NULL;
	budget_release(&b->budget, sizeof(struct book_addr));
}

void book_remove(struct book *b, struct book_entry *e)
{
	while (e->count > 0)
		drop_at(b, e, 0);
	drop_record(b, e);
	list_remove(&e->of_book);
	b->count--;
}

void book_seen(struct book *b, struct book_entry *e, uint64_t now_ms)
{
	e->seen_ms = now_ms;
	list_remove(&e->of_book);
	list_push_back(&b->entries, &e->of_book);
}

enum book_worth book_worth(const struct book_entry *e)
{
	enum book_worth worth = e->valued   ? BOOK_PROVEN
				: e->proven ? BOOK_CALLED
					    : BOOK_HINT;

	for (unsigned i = 0; i < e->count; i++) {
		const struct book_addr *a = e->addrs[i];

		if ((a->sources & BOOK_TYPED) != 0)
			return BOOK_WANTED;
		if (a->ok_ms != P2P_NEVER || (a->sources & BOOK_SAVED) != 0)
			worth = BOOK_PROVEN;
	}
	return worth;
}

struct book_entry *book_victim(const struct book *b, enum book_worth newcomer)
{
	struct list *pos, *tmp;
	struct book_entry *victim = NULL;
	enum book_worth least = BOOK_WANTED;

	LIST_FOREACH(pos, tmp, &b->entries) {
		struct book_entry *e =
			LIST_ITEM(pos, struct book_entry, of_book);
		enum book_worth worth = book_worth(e);

		/* Of equals the first stays chosen: it was seen longest ago. */
		if (e->held || worth > newcomer || worth >= least)
			continue;
		victim = e;
		least = worth;
		/* Nobody is worth less: in a flood of invented peers the walk
		 * is short. */
		if (worth == BOOK_HINT)
			break;
	}
	return victim;
}

/* ---- addresses --------------------------------------------------------- */

/* Of what use an address is, for who makes room: the higher the longer. */
static int use_of(const struct book_addr *a)
{
	if ((a->sources & BOOK_TYPED) != 0)
		return 6;
	/* Kept to be shown only. */
	if (!dialable_is_spoken(&a->at))
		return 0;
	if (a->ok_ms != P2P_NEVER)
		return 5;
	/* Whoever has many addresses has mostly some of networks that only he
	 * sees, and this is not one of them. */
	if ((a->sources & BOOK_ON_LINK) != 0)
		return 4;
	if ((a->sources & BOOK_SIGNED) != 0)
		return 3;
	/* It did work once, but perhaps in another network. */
	if ((a->sources & BOOK_SAVED) != 0)
		return 2;
	return 1;
}

static bool of_less_use(const struct book_addr *a, const struct book_addr *b)
{
	if (use_of(a) != use_of(b))
		return use_of(a) < use_of(b);
	if (a->failures != b->failures)
		return a->failures > b->failures;
	return a->seen_ms < b->seen_ms;
}

static unsigned index_of(const struct book_entry *e, const struct maddr *addr)
{
	unsigned i = 0;

	while (i < e->count && !maddr_equal(&e->addrs[i]->addr, addr))
		i++;
	return i;
}

struct book_addr *book_find(
	const struct book_entry *e, const struct maddr *addr)
{
	unsigned i = index_of(e, addr);

	return i == e->count ? NULL : e->addrs[i];
}

/* A place for one more address like `wanted`, by dropping a lesser one. */
static int make_room(
	struct book *b, struct book_entry *e, const struct book_addr *wanted)
{
	unsigned worst = 0;

	if (e->count < SWARM_ADDRESSES_PER_PEER_MAX)
		return 0;
	for (unsigned i = 1; i < e->count; i++)
		if (of_less_use(e->addrs[i], e->addrs[worst]))
			worst = i;
	/* Of equal use the newcomer wins: it was named later. */
	if (of_less_use(wanted, e->addrs[worst]))
		return P2P_ERR_FULL;
	drop_at(b, e, worst);
	return 0;
}

static int add(struct book *b, struct book_entry *e, struct book_addr *a)
{
	int err;

	/* First of all, since use_of asks for it. */
	dialable_of(&a->at, &a->addr);
	err = make_room(b, e, a);
	if (err == 0)
		err = budget_charge(&b->budget, sizeof(*a));
	if (err != 0)
		return err;
	e->addrs[e->count] = xcalloc(1, sizeof(*a));
	*e->addrs[e->count++] = *a;
	return 0;
}

int book_learn(struct book *b, struct book_entry *e, const struct maddr *addr,
	unsigned sources, uint64_t now_ms)
{
	struct book_addr *a = book_find(e, addr);
	struct book_addr new = {.addr = *addr,
		.sources = sources,
		.seen_ms = now_ms,
		.ok_ms = P2P_NEVER};

	/* A record names all that the peer wants dialled; what it tells beside
	 * is not added. */
	if (sources == BOOK_TOLD && e->record_ms != P2P_NEVER && !e->outdated)
		return P2P_ERR_EXISTS;
	if (a == NULL)
		return add(b, e, &new);
	/* The person has thought better of it: this peer alone is meant. */
	if ((sources & (BOOK_TYPED | BOOK_ANYBODY)) == BOOK_TYPED)
		a->sources &= ~(unsigned)BOOK_ANYBODY;
	a->sources |= sources;
	a->seen_ms = now_ms;
	return 0;
}

/* Sources that no longer hold; what nobody names any more is dropped. */
static void withdraw(struct book *b, struct book_entry *e, unsigned sources)
{
	/* From the end: drop_at puts the last one into the gap. */
	for (unsigned i = e->count; i-- > 0;) {
		struct book_addr *a = e->addrs[i];

		if ((a->sources & sources) == 0)
			continue;
		a->sources &= ~sources;
		/* What we have reached is known without anybody's word. */
		if (a->sources == 0 && a->ok_ms == P2P_NEVER)
			drop_at(b, e, i);
	}
}

static int keep_envelope(
	struct book *b, struct book_entry *e, struct bytes envelope)
{
	int err;

	drop_record(b, e);
	/* Its addresses count all the same; it is not passed on. */
	if (envelope.len > SWARM_RECORD_BYTES_MAX)
		return 0;
	err = budget_charge(&b->budget, envelope.len);
	if (err == 0)
		P2P_ASSERT(buf_append(&e->record, envelope) == 0);
	return err;
}

int book_complete(struct book *b, struct book_entry *e,
	const struct book_record *r, uint64_t now_ms)
{
	int err = keep_envelope(b, e, r->envelope);

	for (size_t i = 0; i < r->record->addr_count; i++) {
		struct maddr whole, a;
		struct bytes peer;

		if (maddr_parse(&whole, r->record->addrs[i]) != 0)
			continue;
		maddr_split_peer(&whole, &a, &peer);
		/* Signed by the peer says nothing of where it sends us. */
		if (r->usable != NULL && !r->usable(&a, r->from))
			continue;
		if (book_learn(b, e, &a, BOOK_SIGNED, now_ms) == P2P_ERR_LIMIT)
			err = P2P_ERR_LIMIT;
	}
	return err;
}

/* The very record that is held, from somebody nearer: more of its addresses
 * may be used. */
static int know_again(struct book *b, struct book_entry *e,
	const struct book_record *r, uint64_t now_ms)
{
	if (r->from <= e->record_from ||
		!bytes_equal(r->envelope, buf_bytes(&e->record))) {
		b->records_stale++;
		return 0;
	}
	e->record_from = r->from;
	return book_complete(b, e, r, now_ms);
}

int book_certify(struct book *b, struct book_entry *e,
	const struct book_record *r, uint64_t now_ms)
{
	if (e->record_ms != P2P_NEVER && r->record->seq <= e->record_seq) {
		int err = know_again(b, e, r, now_ms);

		return err == 0 ? P2P_ERR_EXISTS : err;
	}
	/* Before the new ones come, so that these find the room. */
	withdraw(b, e, BOOK_TOLD | BOOK_SIGNED);
	e->record_from = r->from;
	e->record_seq = r->record->seq;
	e->record_ms = now_ms;
	e->outdated = false;
	return book_complete(b, e, r, now_ms);
}

/* ---- what came of it --------------------------------------------------- */

void book_worked(struct book *b, struct book_entry *e, const struct maddr *addr,
	uint64_t now_ms)
{
	struct book_addr *a = book_find(e, addr);
	struct book_addr new = {
		.addr = *addr, .seen_ms = now_ms, .ok_ms = now_ms};

	if (a == NULL) {
		/* Not worth anybody's place when it finds none. */
		(void)add(b, e, &new);
		return;
	}
	a->ok_ms = now_ms;
	a->failures = 0;
	a->retry_ms = 0;
	a->other_key = false;
}

void book_failed(struct book_entry *e, const struct maddr *addr,
	uint64_t now_ms, uint64_t pause_ms)
{
	struct book_addr *a = book_find(e, addr);

	/* It was forgotten while the dial was under way. */
	if (a == NULL)
		return;
	a->failures++;
	a->retry_ms = now_ms + pause_ms;
}

void book_drop(struct book *b, struct book_entry *e, const struct maddr *addr)
{
	unsigned i = index_of(e, addr);

	if (i < e->count)
		drop_at(b, e, i);
}

void book_rested(struct book_entry *e)
{
	for (unsigned i = 0; i < e->count; i++) {
		e->addrs[i]->failures = 0;
		e->addrs[i]->retry_ms = 0;
	}
}

void book_hurry(struct book_entry *e, unsigned failures, uint64_t until_ms)
{
	/* A sight never makes a rest longer. */
	for (unsigned i = 0; i < e->count; i++) {
		struct book_addr *a = e->addrs[i];

		a->failures = P2P_MIN(a->failures, failures);
		a->retry_ms = P2P_MIN(a->retry_ms, until_ms);
	}
}

/* The longest that any of its sources, or our own success, is believed. */
static uint64_t believed_ms(const struct book_addr *a)
{
	if ((a->sources & BOOK_TYPED) != 0)
		return P2P_NEVER;
	if (a->ok_ms != P2P_NEVER || (a->sources & BOOK_SAVED) != 0)
		return SWARM_STALE_WORKED_MS;
	if ((a->sources & BOOK_SIGNED) != 0)
		return SWARM_STALE_SIGNED_MS;
	if ((a->sources & BOOK_TOLD) != 0)
		return SWARM_STALE_TOLD_MS;
	return SWARM_STALE_LAN_MS;
}

static bool is_older(uint64_t then_ms, uint64_t now_ms, uint64_t age_ms)
{
	return now_ms > then_ms && now_ms - then_ms > age_ms;
}

void book_age(struct book *b, struct book_entry *e, uint64_t now_ms)
{
	if (e->held)
		return;
	for (unsigned i = e->count; i-- > 0;) {
		const struct book_addr *a = e->addrs[i];
		uint64_t last = a->seen_ms;

		if (a->ok_ms != P2P_NEVER)
			last = P2P_MAX(last, a->ok_ms);
		/* While the peer was there its addresses were good. */
		last = P2P_MAX(last, e->proven ? e->seen_ms : 0);
		if (is_older(last, now_ms, believed_ms(a)))
			drop_at(b, e, i);
	}
	if (e->record_ms != P2P_NEVER &&
		is_older(P2P_MAX(e->record_ms, e->proven ? e->seen_ms : 0),
			now_ms, SWARM_STALE_SIGNED_MS)) {
		withdraw(b, e, BOOK_SIGNED);
		drop_record(b, e);
		/* Its seq counts no more either: a peer whose clock begins anew
		 * is believed again. */
		e->record_ms = P2P_NEVER;
	}
}

/* The best first. */
static const struct {
	enum book_source source;
	const char *word;
} words[] = {
	{BOOK_TYPED, "typed"},
	{BOOK_SIGNED, "signed"},
	{BOOK_LAN, "LAN"},
	{BOOK_TOLD, "told by itself"},
	{BOOK_SAVED, "saved"},
};

#define WORD_NOBODY "found by us"

const char *book_source_word(const struct book_addr *a)
{
	for (size_t i = 0; i < P2P_ARRAY_LEN(words); i++)
		if ((a->sources & words[i].source) != 0)
			return words[i].word;
	return WORD_NOBODY;
}

void book_source_words(const struct book_addr *a, char *out, size_t size)
{
	struct buf text;

	buf_init(&text, size - 1);
	for (size_t i = 0; i < P2P_ARRAY_LEN(words); i++)
		if ((a->sources & words[i].source) != 0)
			(void)buf_appendf(&text, "%s%s",
				text.len == 0 ? "" : ", ", words[i].word);
	if (text.len == 0)
		(void)buf_append_str(&text, WORD_NOBODY);
	memcpy(out, buf_cstr(&text), text.len + 1);
	buf_clear(&text);
}
