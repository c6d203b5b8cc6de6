#include <stdarg.h>
#include <stdlib.h>

#include "base/xmalloc.h"
#include "tests/sim/sim.h"

/* ---- the heap ---------------------------------------------------------- */

static bool before(const struct sim_event *a, const struct sim_event *b)
{
	return a->at_us != b->at_us ? a->at_us < b->at_us : a->seq < b->seq;
}

static void swap(struct sim_event *a, struct sim_event *b)
{
	struct sim_event keep = *a;

	*a = *b;
	*b = keep;
}

static void heap_push(struct sim *s, const struct sim_event *ev)
{
	size_t i = s->heap_count++;

	if (s->heap_count > s->heap_cap) {
		s->heap_cap = s->heap_cap == 0 ? 256 : s->heap_cap * 2;
		s->heap = xreallocarray(s->heap, s->heap_cap, sizeof(*s->heap));
	}
	s->heap[i] = *ev;
	while (i > 0 && before(&s->heap[i], &s->heap[(i - 1) / 2])) {
		swap(&s->heap[i], &s->heap[(i - 1) / 2]);
		i = (i - 1) / 2;
	}
}

static struct sim_event heap_pop(struct sim *s)
{
	struct sim_event first = s->heap[0];
	size_t i = 0;

	s->heap[0] = s->heap[--s->heap_count];
	for (;;) {
		size_t least = i, l = 2 * i + 1, r = 2 * i + 2;

		if (l < s->heap_count && before(&s->heap[l], &s->heap[least]))
			least = l;
		if (r < s->heap_count && before(&s->heap[r], &s->heap[least]))
			least = r;
		if (least == i)
			return first;
		swap(&s->heap[i], &s->heap[least]);
		i = least;
	}
}

uint64_t sim_at(struct sim *s, uint64_t at_us, struct sim_event ev)
{
	ev.at_us = P2P_MAX(at_us, s->now_us);
	ev.seq = ++s->next_seq;
	ev.gen = ev.host < 0 ? 0 : s->host[ev.host].gen;
	heap_push(s, &ev);
	return ev.seq;
}

/* ---- the world --------------------------------------------------------- */

void sim_init(struct sim *s, uint64_t seed, const char *scenario)
{
	*s = (struct sim){.seed = seed, .scenario = scenario};
	P2P_ASSERT(crypto_init() == 0);
	rng_init_seeded(&s->rng, seed);
	s->hash = 14695981039346656037ULL;
	table_init(&s->tcps, &s->rng);
	table_init(&s->said, &s->rng);
	list_init(&s->said_order);
	s->next_tcp = 1;
	s->latency_us = 1000;
	s->bytes_per_s = 10000000;
	s->window_bytes = 256 << 10;
	s->room[s->room_count++] = "p2p-chat-default";
	buf_init(&s->story, 1 << 20);
}

static void free_tcps(struct sim *s)
{
	struct table_entry *e, *tmp;

	TABLE_FOREACH(e, tmp, &s->tcps) {
		struct tcp *t = e->value;

		for (int i = 0; i < 2; i++) {
			bufq_clear(&t->end[i].chunk);
			bufq_clear(&t->end[i].rx);
			bufq_clear(&t->end[i].tx.flight);
		}
		free(t);
	}
	table_clear(&s->tcps);
}

void sim_clear(struct sim *s)
{
	struct table_entry *e, *tmp;

	for (int i = 0; i < s->host_count; i++)
		host_clear(&s->host[i]);
	free_tcps(s);
	TABLE_FOREACH(e, tmp, &s->said) {
		struct said *said = e->value;

		free(said->unit);
		free(said);
	}
	table_clear(&s->said);
	for (size_t i = 0; i < SIM_TRACE_LINES; i++)
		free(s->lines[i]);
	free(s->heap);
	buf_clear(&s->story);
}

static bool is_forgotten(const struct sim *s, const struct sim_event *ev)
{
	return ev->host >= 0 && s->host[ev->host].gen != ev->gen;
}

bool sim_run(struct sim *s, uint64_t until_us)
{
	if (s->until_us != 0)
		until_us = P2P_MIN(until_us, s->until_us);
	while (!s->failed && s->heap_count > 0 &&
		s->heap[0].at_us <= until_us) {
		struct sim_event ev = heap_pop(s);

		s->now_us = ev.at_us;
		if (is_forgotten(s, &ev))
			continue;
		s->events++;
		sim_hash(s, &ev.at_us, sizeof(ev.at_us));
		sim_hash(s, ev.name, strlen(ev.name));
		sim_hash(s, &ev.host, sizeof(ev.host));
		ev.fn(s, &ev);
	}
	s->now_us = P2P_MAX(s->now_us, until_us);
	return !s->failed;
}

/* ---- what is told of it ------------------------------------------------ */

void sim_hash(struct sim *s, const void *data, size_t len)
{
	const uint8_t *p = data;

	for (size_t i = 0; i < len; i++)
		s->hash = (s->hash ^ p[i]) * 1099511628211ULL;
}

void sim_trace(struct sim *s, int host, const char *fmt, ...)
{
	char text[512];
	char **slot = &s->lines[s->line_count % SIM_TRACE_LINES];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	free(*slot);
	*slot = xasprintf("%8llu.%03llu %-8s %s",
		(unsigned long long)(s->now_us / 1000),
		(unsigned long long)(s->now_us % 1000),
		host < 0 ? "-" : s->host[host].cfg.name, text);
	s->line_count++;
	sim_hash(s, text, strlen(text));
	if (s->trace)
		(void)puts(*slot);
}

void sim_fail(struct sim *s, const char *fmt, ...)
{
	va_list ap;

	if (s->failed)
		return;
	s->failed = true;
	va_start(ap, fmt);
	(void)vsnprintf(s->why, sizeof(s->why), fmt, ap);
	va_end(ap);
	sim_trace(s, -1, "FAILED: %s", s->why);
}

uint64_t sim_draw(struct sim *s, uint64_t low, uint64_t high)
{
	return low + rng_below(&s->rng, high - low + 1);
}

int sim_room(const struct sim *s, const char *topic)
{
	for (int i = 0; topic != NULL && i < s->room_count; i++)
		if (strcmp(s->room[i], topic) == 0)
			return i;
	return -1;
}
