/*
 * Units between their arrival and the verdict on their signature.
 *
 * Each peer that hands units over has a line of them, and in it each author has
 * a voice. Next is whoever has been served the fewest bytes (start-time fair
 * queueing): a line is served up to verify.clock, which is where the one stands
 * that was served last, and who had nothing to say meanwhile stands there, too,
 * not behind it. So whoever says little waits for no more than what is being
 * checked, however many pour, and a large unit counts as much as many small
 * ones. Those whom the owner knows have GOSSIP_VERIFY_KNOWN_TIMES as much, and
 * are first among equals. Within a line its voices have turns, those of known
 * authors before the others': whoever floods waits behind himself, wherever
 * between him and us others' units join his. The verdicts are served in the
 * order of the cut, whichever batch returns first: an author's units that came
 * by one peer come out in the order in which they came. Otherwise it is the
 * order of arrival as long as all fits one batch; beyond that a flood that
 * names somebody as its author must not hold up what he really said.
 */
#include "net/pubsub/gossip_verify.h"

#include <stdlib.h>

#include "base/xmalloc.h"
#include "net/pubsub/gossip_cache.h"
#include "net/pubsub/gossip_id.h"
#include "net/pubsub/gossip_judge.h"
#include "net/pubsub/gossip_rate.h"
#include "net/pubsub/gossip_send.h"

/* A unit that waits, or is being checked. */
struct job {
	struct list order; /* in voice->jobs while it waits */
	struct line *line;
	struct voice *voice; /* NULL: it waits no longer */
	uint64_t arrival;
	uint8_t key[VERIFY_KEY_BYTES]; /* in verify.pending */
	uint8_t *unit;                 /* NULL: the batch has it */
	size_t len;
	size_t cost;
	struct slots from; /* who has handed it over */
};

/* What one peer has handed over. It outlives the peer: last words count. */
struct line {
	struct peer_id peer;
	bool known;            /* to the owner */
	uint64_t served_to;    /* of verify.clock: its turn comes then */
	struct list turn;      /* in verify.turns while something waits */
	struct list voices[2]; /* with something that waits, next first; [1]: of
				  those whom the owner does not know */
	struct table voiced;   /* author -> struct voice, the same */
	size_t bytes;          /* with what is being checked */
	size_t unit_bytes;     /* of these, the units alone */
	size_t count;
};

/* What waits of one author in a line. */
struct voice {
	struct list turn; /* in line->voices[stranger] */
	bool stranger;
	struct list jobs;
	struct peer_id author;
};

/* Charged for a unit and for a voice, each with its entry in a table. */
#define JOB_COST_BYTES (sizeof(struct job) + (size_t)GOSSIP_CACHE_ENTRY_BYTES)
#define VOICE_COST_BYTES \
	(sizeof(struct voice) + (size_t)GOSSIP_CACHE_ENTRY_BYTES)

/* A batch that is out, or back before its turn. */
struct out {
	struct list order;
	uint64_t id;
	size_t count;
	struct job *job[UNIT_BATCH_MAX];
	struct unit_batch *back; /* NULL: still out */
};

void verify_init(struct gossip *g, const struct env *env)
{
	budget_init(&g->verify.budget, env->budget, GOSSIP_VERIFY_BYTES_MAX);
	table_init(&g->verify.lines, env->rng);
	table_init(&g->verify.pending, env->rng);
	list_init(&g->verify.turns);
	list_init(&g->verify.out);
}

/* ---- jobs and lines ---------------------------------------------------- */

static struct line *line_find(const struct gossip *g, const struct peer_id *id)
{
	return table_get(&g->verify.lines, peer_id_bytes(id));
}

static struct line *line_get(
	struct gossip *g, const struct env *env, const struct gpeer *p)
{
	struct line *line = line_find(g, &p->id);

	if (line != NULL)
		return line;
	line = xcalloc(1, sizeof(*line));
	line->peer = p->id;
	line->known = rate_knows(g, &p->id);
	line->served_to = P2P_MAX(p->served_to, g->verify.clock);
	list_init(&line->turn);
	list_init(&line->voices[0]);
	list_init(&line->voices[1]);
	table_init(&line->voiced, env->rng);
	(void)table_put(&g->verify.lines, peer_id_bytes(&line->peer), line);
	return line;
}

/* Its charge is the caller's business. */
static struct voice *voice_get(
	struct gossip *g, struct line *line, const struct peer_id *author)
{
	struct voice *v = table_get(&line->voiced, peer_id_bytes(author));

	if (v != NULL)
		return v;
	v = xcalloc(1, sizeof(*v));
	line->bytes += VOICE_COST_BYTES;
	v->author = *author;
	v->stranger = !rate_knows(g, author);
	list_init(&v->jobs);
	list_push_back(&line->voices[v->stranger], &v->turn);
	(void)table_put(&line->voiced, peer_id_bytes(author), v);
	return v;
}

/* It waits no longer; its line and its voice go behind the others. */
static void job_leave(struct gossip *g, struct job *job)
{
	struct line *line = job->line;
	struct voice *v = job->voice;

	if (v == NULL)
		return;
	job->voice = NULL;
	list_remove(&job->order);
	list_remove(&v->turn);
	list_remove(&line->turn);
	if (!list_empty(&v->jobs)) {
		list_push_back(&line->voices[v->stranger], &v->turn);
	} else {
		(void)table_remove(&line->voiced, peer_id_bytes(&v->author));
		free(v);
		line->bytes -= VOICE_COST_BYTES;
		budget_release(&g->verify.budget, VOICE_COST_BYTES);
	}
	if (line->voiced.count > 0)
		list_push_back(&g->verify.turns, &line->turn);
}

/* What it was served is remembered of the peer, else whoever has one unit here
 * at a time would always be served first. */
static void line_free(struct gossip *g, struct line *line)
{
	struct gpeer *p = gpeer_find(g, &line->peer);

	if (p != NULL)
		p->served_to = line->served_to;
	table_clear(&line->voiced);
	(void)table_remove(&g->verify.lines, peer_id_bytes(&line->peer));
	free(line);
}

static void job_free(struct gossip *g, struct job *job)
{
	struct line *line = job->line;

	(void)table_remove(
		&g->verify.pending, bytes_of(job->key, sizeof(job->key)));
	budget_release(&g->verify.budget, job->cost);
	job_leave(g, job);
	line->bytes -= job->cost;
	line->unit_bytes -= job->len;
	if (--line->count == 0)
		line_free(g, line);
	free(job->unit);
	free(job);
}

void verify_forget_slot(struct gossip *g, unsigned slot)
{
	struct table_entry *e, *tmp;

	TABLE_FOREACH(e, tmp, &g->verify.pending)
		slots_forget(&((struct job *)e->value)->from, slot);
}

void verify_clear(struct gossip *g)
{
	struct table_entry *e, *tmp;
	struct list *pos, *next;

	LIST_FOREACH(pos, next, &g->verify.out) {
		struct out *out = LIST_ITEM(pos, struct out, order);

		if (out->back != NULL)
			msg_free(&out->back->msg);
		free(out);
	}
	TABLE_FOREACH(e, tmp, &g->verify.pending)
		job_free(g, e->value);
	table_clear(&g->verify.pending);
	table_clear(&g->verify.lines);
	budget_clear(&g->verify.budget);
}

/* ---- arrival ----------------------------------------------------------- */

/*
 * A line may hold its share, less when others have taken much, here or of the
 * memory of all: so room is left for whoever comes with little. One unit it may
 * always have.
 */
static size_t share_of_all(const struct gossip *g, bool last)
{
	size_t room = g->verify.budget.max - g->verify.budget.used;

	return P2P_MIN(room, gossip_spare(g)) / (last ? 2 : 4);
}

static bool has_share(
	const struct gossip *g, const struct line *line, size_t cost, bool last)
{
	size_t share = last ? GOSSIP_VERIFY_LAST_BYTES_MAX
			    : GOSSIP_VERIFY_PEER_BYTES_MAX;

	return line == NULL ||
	       line->bytes + cost <= P2P_MIN(share, share_of_all(g, last));
}

bool gossip_has_room(const struct gossip *g, const struct peer_id *peer)
{
	const struct line *line = line_find(g, peer);

	/* From half of it on, so that reading then goes on for a while. */
	return line == NULL ||
	       line->bytes <= P2P_MIN((size_t)GOSSIP_VERIFY_PEER_BYTES_MAX,
				      share_of_all(g, false)) /
				      2;
}

size_t gossip_withheld(
	struct gossip *g, const struct env *env, const struct peer_id *peer)
{
	const struct line *line = line_find(g, peer);
	struct gpeer *p = gpeer_find(g, peer);

	return (line == NULL ? 0 : line->unit_bytes) +
	       (p == NULL ? 0 : rate_over(env, p));
}

size_t gossip_verify_count(const struct gossip *g)
{
	return g->verify.pending.count;
}

size_t gossip_verify_bytes(const struct gossip *g)
{
	return g->verify.budget.used;
}

bool verify_has(struct gossip *g, const struct gpeer *p, struct bytes raw,
	uint8_t key[static VERIFY_KEY_BYTES])
{
	struct job *job;

	crypto_blake2b(key, &raw, 1);
	job = table_get(&g->verify.pending, bytes_of(key, VERIFY_KEY_BYTES));
	if (job == NULL)
		return false;
	(void)slots_add(&job->from, p);
	return true;
}

int verify_add(struct gossip *g, const struct env *env, const struct gpeer *p,
	const struct verify_unit *u)
{
	struct line *line = line_find(g, &p->id);
	struct job *job;
	size_t cost = JOB_COST_BYTES + u->raw.len;
	size_t charged = cost;

	if (line == NULL ||
		table_get(&line->voiced, peer_id_bytes(u->author)) == NULL)
		charged += VOICE_COST_BYTES;
	if (!has_share(g, line, charged, u->last) ||
		budget_charge(&g->verify.budget, charged) != 0)
		return P2P_ERR_LIMIT;
	job = xcalloc(1, sizeof(*job));
	job->line = line = line_get(g, env, p);
	job->arrival = g->verify.arrivals++;
	memcpy(job->key, u->key, sizeof(job->key));
	job->unit = xmemdup(u->raw.data, u->raw.len);
	job->len = u->raw.len;
	job->cost = cost;
	(void)slots_add(&job->from, p);
	job->voice = voice_get(g, line, u->author);
	list_push_back(&job->voice->jobs, &job->order);
	line->bytes += cost;
	line->unit_bytes += job->len;
	line->count++;
	if (list_empty(&line->turn))
		list_push_back(&g->verify.turns, &line->turn);
	(void)table_put(
		&g->verify.pending, bytes_of(u->key, VERIFY_KEY_BYTES), job);
	return 0;
}

/* ---- out --------------------------------------------------------------- */

static bool is_before(const struct line *a, const struct line *b)
{
	return a->served_to != b->served_to ? a->served_to < b->served_to
					    : a->known && !b->known;
}

/* Who has been served least; of equals who is known, then who waits longest. */
static struct line *next_line(const struct gossip *g)
{
	struct line *first = NULL;
	struct list *pos, *tmp;

	LIST_FOREACH(pos, tmp, &g->verify.turns) {
		struct line *line = LIST_ITEM(pos, struct line, turn);

		if (first == NULL || is_before(line, first))
			first = line;
	}
	return first;
}

static struct job *next_job(struct gossip *g)
{
	struct line *line = next_line(g);
	bool strangers = list_empty(&line->voices[0]);
	struct voice *v =
		LIST_ITEM(line->voices[strangers].next, struct voice, turn);
	struct job *job = LIST_ITEM(v->jobs.next, struct job, order);
	uint64_t cost = GOSSIP_VERIFY_LINE_BYTES + job->len;

	g->verify.clock = P2P_MAX(g->verify.clock, line->served_to);
	line->served_to +=
		line->known ? cost / GOSSIP_VERIFY_KNOWN_TIMES : cost;
	job_leave(g, job);
	return job;
}

/* Into its place by arrival: those of one voice are in order already. */
static void insert_job(struct out *out, struct job *job)
{
	size_t at = out->count++;

	for (; at > 0 && out->job[at - 1]->arrival > job->arrival; at--)
		out->job[at] = out->job[at - 1];
	out->job[at] = job;
}

struct unit_batch *gossip_next_verify(struct gossip *g)
{
	struct unit_batch *b;
	struct out *out;
	size_t bytes = 0;

	if (list_empty(&g->verify.turns))
		return NULL;
	out = xcalloc(1, sizeof(*out));
	out->id = g->verify.batches++;
	while (out->count < UNIT_BATCH_MAX && bytes < UNIT_BATCH_BYTES_MAX &&
		!list_empty(&g->verify.turns)) {
		struct job *job = next_job(g);

		bytes += job->len;
		insert_job(out, job);
	}
	b = unit_batch_new(out->id);
	for (size_t i = 0; i < out->count; i++) {
		unit_batch_add_take(b, out->job[i]->unit, out->job[i]->len);
		out->job[i]->unit = NULL;
	}
	list_push_back(&g->verify.out, &out->order);
	return b;
}

/* ---- verdicts ---------------------------------------------------------- */

/* Then it is not sent there again. */
static bool has_it(
	const struct job *job, const struct unit *u, const struct gpeer *p)
{
	if (p->twins)
		return false;
	return slots_have(&job->from, p) || peer_id_equal(&p->id, &u->from);
}

/*
 * IDONTWANT of a large message, to the mesh. The spec allows it as soon as the
 * message is there; but then a forged copy would make the mesh keep back the
 * true one, so it is said behind the check.
 */
static void tell_has(struct gossip *g, const struct topic *t,
	const struct gpeer *from, const struct unit *u)
{
	uint8_t id[GOSSIP_ID_BYTES_MAX];
	struct table_entry *e, *tmp;

	if (u->data.len < GOSSIP_IDONTWANT_BYTES)
		return;
	TABLE_FOREACH(e, tmp, &t->mesh) {
		struct gpeer *p = e->value;
		size_t len;

		if (p == from || p->version < GOSSIP_V12 ||
			peer_id_equal(&p->id, &u->from))
			continue;
		len = gossip_id_of_unit(p->form, u, id);
		if (len > 0 && send_idontwant(g, p, bytes_of(id, len)))
			g->counters.idontwant_sent++;
	}
}

/* How one message is passed on. */
struct passing {
	const struct job *job;
	const struct unit *u;
	struct cached *c;   /* NULL: there was no room for it */
	struct gpeer *from; /* NULL: it has left */
};

static void pass_on(struct gossip *g, const struct passing *m, struct gpeer *p)
{
	struct bytes raw = bytes_of(m->job->unit, m->job->len);

	if (has_it(m->job, m->u, p))
		return;
	if (send_forward(g, m->from, p, raw) && m->c != NULL)
		(void)slots_add(&m->c->given, p);
}

/* To the mesh, and to floodsub and kept peers, who are in none. */
static void forward(
	struct gossip *g, const struct topic *t, const struct passing *m)
{
	struct table_entry *e, *tmp;

	if (m->from != NULL)
		m->from->brought += m->job->len;
	TABLE_FOREACH(e, tmp, &t->mesh)
		pass_on(g, m, e->value);
	TABLE_FOREACH(e, tmp, &g->peers) {
		struct gpeer *p = e->value;

		if ((p->version == GOSSIP_FLOODSUB || p->direct) &&
			gpeer_subscribed(p, m->u->topic) &&
			gpeer_may_publish(g, p))
			pass_on(g, m, p);
	}
}

/* Who brought it while it was being checked was near the first. */
static void praise(struct gossip *g, const struct env *env,
	const struct job *job, const struct unit *u, struct bytes id)
{
	judge_first(g, env, &job->line->peer, u);
	for (size_t i = 0; i < GOSSIP_PEERS_MAX; i++)
		if (g->slots[i] != NULL && slots_have(&job->from, g->slots[i]))
			judge_duplicate(g, env, g->slots[i], id);
}

/* All who brought these very bytes; the first may have left. */
static void blame(struct gossip *g, const struct env *env,
	const struct job *job, const struct unit *u)
{
	const struct peer_id *first = &job->line->peer;

	judge_forged(g, env, first, u);
	for (size_t i = 0; i < GOSSIP_PEERS_MAX; i++) {
		const struct gpeer *p = g->slots[i];

		if (p != NULL && slots_have(&job->from, p) &&
			!peer_id_equal(&p->id, first))
			judge_forged(g, env, &p->id, u);
	}
}

static void accept(struct gossip *g, const struct env *env, struct job *job,
	const struct unit *u)
{
	struct gossip_event ev = {
		.kind = GOSSIP_EV_UNIT, .peer = job->line->peer};
	struct bytes raw = bytes_of(job->unit, job->len);
	uint8_t id_raw[UNIT_GOSSIP_ID_BYTES_MAX];
	struct topic *t;
	struct bytes id;

	id = bytes_of(id_raw, unit_gossip_id(u, id_raw));
	t = table_get(&g->topics, u->topic);
	if (t == NULL) {
		g->counters.units_ignored++;
		return;
	}
	/* Other bytes of the same name have come out before it. */
	if (seen_has(g, id)) {
		g->counters.units_duplicate++;
		return;
	}
	if (table_get(&g->asked, id) != NULL)
		g->counters.iwant_recovered++;
	/* True, so it is known by its id, but no more is made of it. */
	seen_add(g, env, id);
	if (!rate_take(g, env, t, u))
		return;
	g->counters.units_new++;
	tell_has(g, t, gpeer_find(g, &job->line->peer), u);
	cache_add(g, u, raw);
	praise(g, env, job, u, id);
	forward(g, t,
		&(struct passing){.job = job,
			.u = u,
			.c = cache_find(g, id),
			.from = gpeer_find(g, &job->line->peer)});
	ev.unit = job->unit;
	ev.unit_len = job->len;
	job->unit = NULL;
	gossip_emit(g, &ev);
}

/* What the verifier read is good as long as the job has the bytes. */
static void serve_verdict(struct gossip *g, const struct env *env,
	struct job *job, const struct unit_check *c)
{
	switch (gossip_verdict_of(c->verdict)) {
	case GOSSIP_ACCEPT:
		accept(g, env, job, &c->u);
		break;
	case GOSSIP_IGNORE:
		g->counters.units_ignored++;
		break;
	case GOSSIP_REJECT:
		/* A key outside our limits may be good to others. */
		if (c->verdict == P2P_ERR_AUTH)
			blame(g, env, job, &c->u);
		g->counters.units_rejected++;
		break;
	}
	job_free(g, job);
}

static void serve_back(struct gossip *g, const struct env *env, struct out *out)
{
	for (size_t i = 0; i < out->count; i++) {
		struct unit_check *c = &out->back->check[i];

		out->job[i]->unit = c->unit;
		c->unit = NULL;
		serve_verdict(g, env, out->job[i], c);
	}
	msg_free(&out->back->msg);
	list_remove(&out->order);
	free(out);
}

void gossip_verified(
	struct gossip *g, const struct env *env, struct unit_batch *b)
{
	struct list *pos, *tmp;

	LIST_FOREACH(pos, tmp, &g->verify.out) {
		struct out *out = LIST_ITEM(pos, struct out, order);

		if (b == NULL || out->id != b->id)
			continue;
		P2P_ASSERT(out->back == NULL);
		out->back = b;
		b = NULL;
	}
	P2P_ASSERT(b == NULL);
	while (!list_empty(&g->verify.out)) {
		struct out *out =
			LIST_ITEM(g->verify.out.next, struct out, order);

		if (out->back == NULL)
			break;
		serve_back(g, env, out);
	}
}
