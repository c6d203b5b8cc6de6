/*
 * Lines: who said what when, and whom it reached after how long.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/xmalloc.h"
#include "tests/sim/attack/attack.h"

static struct bytes id_bytes(const struct unit_id *id)
{
	return bytes_of(id->raw, sizeof(id->raw));
}

static void keep(struct world *w, struct line *l, const struct unit_id *id)
{
	l->index = (unsigned)w->line_count;
	w->line = xreallocarray(
		w->line, w->line_count + 1, sizeof(struct line *));
	w->line[w->line_count++] = l;
	(void)table_put(&w->lines, id_bytes(id), l);
}

void line_say(struct host *h, struct buf *out, struct unit_id *id)
{
	struct world *w = h->world;
	struct line *l = xcalloc(1, sizeof(*l));
	uint64_t seqno = h->env.wall_ms * 1000000 + w->line_count;
	struct unit u;
	char text[600], me[PEER_ID_TEXT_MAX];

	/* As long as a line of the program that has eighty signs. */
	(void)snprintf(text, sizeof(text),
		"{\"type\":\"message\",\"content\":\"line %-74zu\","
		"\"username\":\"h%u\",\"timestamp\":%" PRIu64
		",\"from\":\"%s\",\"v\":1,\"time_ms\":%" PRIu64
		",\"seq\":%zu,\"prev\":\"%064zx\"}",
		w->line_count, h->index, h->env.wall_ms / 1000,
		peer_id_text(&h->me.id, me), h->env.wall_ms, w->line_count,
		w->line_count);
	P2P_ASSERT(unit_sign(&h->me, seqno, bytes_str(ATTACK_TOPIC),
			   bytes_str(text), out) == 0);
	P2P_ASSERT(unit_parse(&u, buf_bytes(out)) == 0);
	unit_id_of(&u, id);
	l->id_len = unit_gossip_id(&u, l->id);
	l->author = h->index;
	l->at_us = w->now_us;
	l->has = xcalloc(w->cfg.honest / 8 + 1, 1);
	for (unsigned i = 0; i < w->cfg.honest; i++)
		l->owed += i != h->index && w->host[i].node != NULL;
	keep(w, l, id);
}

struct line *line_find(const struct world *w, struct bytes raw)
{
	struct unit_id id;
	struct unit u;

	if (unit_parse(&u, raw) != 0)
		return NULL;
	unit_id_of(&u, &id);
	return table_get(&w->lines, id_bytes(&id));
}

static void note_delay(struct world *w, uint64_t delay_us)
{
	if (w->delay_count == w->delay_cap) {
		w->delay_cap = w->delay_cap == 0 ? 4096 : 2 * w->delay_cap;
		w->delays_us = xreallocarray(
			w->delays_us, w->delay_cap, sizeof(*w->delays_us));
	}
	w->delays_us[w->delay_count++] = delay_us;
}

void line_arrived(struct host *h, struct bytes unit)
{
	struct world *w = h->world;
	struct line *l = line_find(w, unit);
	uint8_t bit = (uint8_t)(1u << (h->index % 8));

	if (l == NULL || l->author == h->index ||
		(l->has[h->index / 8] & bit) != 0)
		return;
	l->has[h->index / 8] |= bit;
	w->hash = (w->hash ^ l->index ^ (uint64_t)h->index << 32 ^
			  w->now_us << 8) *
		  0x100000001b3ULL;
	if (h->started_us > l->at_us)
		return;
	l->arrived++;
	l->last_us = w->now_us;
	if (l->at_us >= attack_from_us(w))
		note_delay(w, w->now_us - l->at_us);
}

static int compare_u64(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static int compare_size(const void *a, const void *b)
{
	const size_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static void sizes(struct world *w, uint64_t from_us, struct line_figures *f)
{
	size_t *list = xcalloc(w->line_count + 1, sizeof(*list));
	size_t n = 0;

	for (size_t i = 0; i < w->line_count; i++)
		if (w->line[i]->at_us >= from_us && w->line[i]->author == 0)
			list[n++] = w->line[i]->at_once;
	qsort(list, n, sizeof(*list), compare_size);
	if (n > 0) {
		f->at_once = list[n / 2];
		f->at_once_max = list[n - 1];
	}
	if (f->lines > 0)
		f->bytes = w->bytes / f->lines;
	free(list);
}

void line_figures(struct world *w, uint64_t from_us, struct line_figures *f)
{
	*f = (struct line_figures){0};
	for (size_t i = 0; i < w->line_count; i++) {
		if (w->line[i]->at_us < from_us)
			continue;
		f->lines++;
		f->owed += w->line[i]->owed;
		f->arrived += w->line[i]->arrived;
	}
	sizes(w, from_us, f);
	if (w->delay_count == 0)
		return;
	qsort(w->delays_us, w->delay_count, sizeof(*w->delays_us), compare_u64);
	f->p50_us = w->delays_us[w->delay_count / 2];
	f->p99_us = w->delays_us[w->delay_count * 99 / 100];
	f->max_us = w->delays_us[w->delay_count - 1];
}

void lines_free(struct world *w)
{
	for (size_t i = 0; i < w->line_count; i++) {
		free(w->line[i]->has);
		free(w->line[i]);
	}
	free(w->line);
	free(w->delays_us);
	table_clear(&w->lines);
}
