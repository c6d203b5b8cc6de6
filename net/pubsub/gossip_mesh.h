/*
 * The mesh of each topic: whom full messages are exchanged with (gossipsub
 * v1.0 spec, "Mesh maintenance"; v1.1, "Prune backoff").
 */
#ifndef NET_PUBSUB_GOSSIP_MESH_H
#define NET_PUBSUB_GOSSIP_MESH_H

#include "net/pubsub/gossip_internal.h"

/* The peer is new in a topic: it is grafted if the mesh lacks some. The others
 * had their chance. */
void mesh_offer(struct gossip *g, const struct env *env, struct topic *t,
	struct gpeer *p);
/* It has no stream any more: others take its places. */
void mesh_lose(struct gossip *g, const struct env *env, const struct gpeer *p);
void mesh_graft(struct gossip *g, struct topic *t, struct gpeer *p);
void mesh_remove(struct gossip *g, struct topic *t, const struct gpeer *p);
/* It sent a GRAFT, or a PRUNE with its back-off (0: it named none). */
void mesh_on_graft(struct gossip *g, const struct env *env, struct gpeer *p,
	struct bytes name);
/* It is not subscribed any more. */
void mesh_on_unsubscribe(struct gossip *g, const struct env *env,
	struct gpeer *p, struct bytes name);
/* Our stream to it is a new one: it keeps its place in a mesh if it may, or is
 * offered one. */
void mesh_renew(struct gossip *g, const struct env *env, struct topic *t,
	struct gpeer *p);
/* True when the mesh lacks it now: then others are welcome. */
bool mesh_on_prune(struct gossip *g, const struct env *env, struct gpeer *p,
	struct bytes name, uint64_t backoff_s);
/* Takes it out of all meshes and tells it. */
void mesh_leave_all(struct gossip *g, const struct env *env, struct gpeer *p);
/* A stream to it is open now: GRAFTs that came too early are answered. */
void mesh_answer_early(
	struct gossip *g, const struct env *env, struct gpeer *p);
void mesh_back_off(const struct env *env, struct topic *t,
	const struct gpeer *p, uint64_t seconds);
/* Fills the mesh of a topic up to GOSSIP_D. */
void mesh_fill(struct gossip *g, const struct env *env, struct topic *t);
/* Back-offs whose time is over are forgotten. */
void mesh_forget_backoffs(const struct env *env, struct topic *t);
/* Out of the mesh and told so; or refused, and told so. */
void mesh_prune(struct gossip *g, const struct env *env, struct topic *t,
	struct gpeer *p);
/* The same because there are too many: the peer is told of others. */
void mesh_prune_surplus(struct gossip *g, const struct env *env,
	struct topic *t, struct gpeer *p);
/* Keeps only the back-offs of a topic that was left. */
void topic_leave(struct gossip *g, struct topic *t);
struct topic *topic_new(
	struct gossip *g, const struct env *env, struct bytes name);
void topic_free(struct topic *t);

#endif
