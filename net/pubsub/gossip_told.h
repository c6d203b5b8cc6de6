/*
 * Whom others tell what is said in a topic, so that in a crowd our own lines
 * need not go to it (docs/decisions/0015-own-lines-in-a-crowd.md):
 *
 *   told   it had a message that it did not write and that we did not give it
 *   trial  then a line of ours is left out for it, and named as soon as it
 *          could have come by others; several times, for others may name it,
 *          too
 *   asked  it had to ask us for a line of ours, so others do not tell it those
 *
 * A sign holds for one to two times GOSSIP_TOLD_HEARTBEATS, and what trials
 * have shown as long as there are signs; all of it as long as the peer is in
 * the topic. Sets of fixed size: nothing is charged.
 */
#ifndef NET_PUBSUB_GOSSIP_TOLD_H
#define NET_PUBSUB_GOSSIP_TOLD_H

#include "net/pubsub/gossip_internal.h"

/* The peer has this message. */
void told_has(struct gossip *g, const struct cached *c, const struct gpeer *p);
/* It has asked us for this message. */
void told_asks(struct gossip *g, const struct env *env, const struct cached *c,
	const struct gpeer *p);
/* Whether others tell it: it has shown so, and did not ask for a line that was
 * left out for it. */
bool told_by_others(const struct topic *t, const struct gpeer *p);
/* Whether it had to ask. */
bool told_has_asked(const struct topic *t, const struct gpeer *p);
/* Whether no line of ours was left out for it yet, and it asked for none. Who
 * has just come is not tried. */
bool told_is_untried(
	const struct gossip *g, const struct topic *t, const struct gpeer *p);
/* A line of ours is not sent to it: it is to be named to it at g->trials_ms. */
void told_leave_out(struct gossip *g, const struct env *env, struct topic *t,
	const struct gpeer *p);
/* Whether one is to be named to this peer now, which is a trial then. */
bool told_take_trial(struct topic *t, const struct gpeer *p);
/* Another peer has the slot, or this one has left the topic. */
void told_forget(struct topic *t, unsigned slot);
/* To be called once a heartbeat. */
void told_heartbeat(const struct gossip *g, struct topic *t);

#endif
