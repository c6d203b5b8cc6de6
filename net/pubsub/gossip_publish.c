/*
 * Who is sent our own lines (gossipsub v1.1 spec, "Flood Publishing"; why not
 * everybody: docs/decisions/0015-own-lines-in-a-crowd.md). Everybody is while
 * they are few. In a crowd those are left out who have shown that others tell
 * them: they had a message that we did not give them. Some of them are sent it
 * all the same, so that a mesh full of liars cannot hold a line back; the rest
 * hear it from others, and of it by IHAVE. Where more have no others than have
 * some it would save little and make those few wait: there all are sent it.
 */
#include "net/pubsub/gossip_cache.h"
#include "net/pubsub/gossip_pick.h"
#include "net/pubsub/gossip_send.h"
#include "net/pubsub/gossip_told.h"

/* Those to whom an own line may go. */
struct crowd {
	size_t sure_count, new_count, told_count;
	size_t asked_count;                   /* of those to whom it must */
	struct gpeer *sure[GOSSIP_PEERS_MAX]; /* those to whom it must */
	struct gpeer *new[GOSSIP_PEERS_MAX];  /* none was left out for yet */
	struct gpeer *told[GOSSIP_PEERS_MAX]; /* whom others tell, too */
};

static void put(const struct choice *c, struct crowd *all, struct gpeer *p)
{
	/* IHAVE must reach whoever is left out; and of two programs with one
	 * key others may tell one alone. */
	bool loose = !in_mesh(c->t, p) && !p->direct && !p->twins &&
		     pick_is_told(c->g, p);

	if (loose && told_is_untried(c->g, c->t, p))
		all->new[all->new_count++] = p;
	else if (loose && told_by_others(c->t, p))
		all->told[all->told_count++] = p;
	else
		all->sure[all->sure_count++] = p;
	all->asked_count += told_has_asked(c->t, p);
}

static void gather(const struct choice *c, struct crowd *all)
{
	struct table_entry *e, *tmp;

	all->sure_count = all->new_count = 0;
	all->told_count = all->asked_count = 0;
	TABLE_FOREACH(e, tmp, &c->g->peers) {
		struct gpeer *p = e->value;

		if (p->ready && gpeer_subscribed(p, topic_name(c->t)) &&
			gpeer_may_publish(c->g, p))
			put(c, all, p);
	}
}

/* To try one is to risk that it hears a line late. So one is tried at first, by
 * chance, and with each line as many more as others have been found to tell:
 * where all have others it takes few lines. The more have had to ask, the more
 * seldom another one is tried: where nobody has others hardly a line is late.
 */
static void leave_out_some(const struct choice *c, struct crowd *all)
{
	size_t most = P2P_MAX(all->told_count, (size_t)1);

	if (all->asked_count > all->told_count)
		most = rng_below(c->env->rng, all->asked_count + 1) <=
		       all->told_count;
	pick_shuffle(c->env, all->new, all->new_count);
	for (; most > 0 && all->new_count > 0; most--)
		told_leave_out(c->g, c->env, c->t, all->new[--all->new_count]);
}

/* Of those who need not be, up to GOSSIP_PUBLISH_PEERS in all: half the best
 * that we know, half by chance, so that neither merits won beforehand nor
 * numbers alone decide. */
static void draw_some(const struct choice *c, struct crowd *all)
{
	size_t sure = all->sure_count + all->new_count;
	size_t more = 0, best;

	if (sure < GOSSIP_PUBLISH_PEERS)
		more = P2P_MIN(GOSSIP_PUBLISH_PEERS - sure, all->told_count);
	best = more / 2;
	pick_shuffle(c->env, all->told, all->told_count);
	pick_rank(c->g, all->told, all->told_count);
	pick_shuffle(c->env, all->told + best, all->told_count - best);
	while (all->told_count > more)
		told_leave_out(
			c->g, c->env, c->t, all->told[--all->told_count]);
}

/* The message to all of a list; returns how many have taken it. `kept` is it
 * in the cache, or NULL. */
static int send_all(struct gossip *g, struct gpeer *const *list, size_t n,
	struct bytes raw, struct cached *kept)
{
	int taken = 0;

	for (size_t i = 0; i < n; i++) {
		if (!send_message(g, list[i], raw))
			continue;
		taken++;
		if (kept != NULL)
			(void)slots_add(&kept->given, list[i]);
	}
	return taken;
}

int gossip_publish(struct gossip *g, const struct env *env, struct bytes raw)
{
	uint8_t id[UNIT_GOSSIP_ID_BYTES_MAX];
	struct choice c = {.g = g, .env = env};
	struct cached *kept;
	struct crowd all;
	size_t id_len;
	struct unit u;
	int err = unit_parse(&u, raw);

	if (err != 0)
		return err;
	c.t = table_get(&g->topics, u.topic);
	if (c.t == NULL)
		return P2P_ERR_NOT_FOUND;
	id_len = unit_gossip_id(&u, id);
	seen_add(g, env, bytes_of(id, id_len));
	cache_add(g, &u, raw);
	kept = cache_find(g, bytes_of(id, id_len));
	if (kept != NULL)
		kept->came_ms = env->now_ms;
	gather(&c, &all);
	if (all.sure_count + all.new_count + all.told_count >
		GOSSIP_PUBLISH_PEERS) {
		leave_out_some(&c, &all);
		/* If not it would save little, and make those few wait. */
		if (all.told_count >= all.asked_count)
			draw_some(&c, &all);
	}
	return send_all(g, all.sure, all.sure_count, raw, kept) +
	       send_all(g, all.new, all.new_count, raw, kept) +
	       send_all(g, all.told, all.told_count, raw, kept);
}
