/*
 * What a peer does not want (gossipsub v1.2 spec, "IDONTWANT Message"): ids,
 * kept as hashes for GOSSIP_IDONTWANT_HEARTBEATS, at most
 * GOSSIP_IDONTWANT_IDS_MAX a heartbeat.
 */
#ifndef NET_PUBSUB_GOSSIP_IDONTWANT_H
#define NET_PUBSUB_GOSSIP_IDONTWANT_H

#include "net/pubsub/gossip_internal.h"

/* Whether it has named fewer in this heartbeat than are kept. */
bool idontwant_has_room(const struct gossip *g, struct gpeer *p);
/* The peer wants no message of this id (in our form, or where that is not
 * known, in its own). */
void idontwant_note(struct gossip *g, struct gpeer *p, struct bytes id);
bool idontwant_has(const struct gpeer *p, struct bytes id);
/* The same in either form. */
bool idontwant_spares(const struct gpeer *p, const struct shared *m);
void idontwant_heartbeat(struct gossip *g);
void idontwant_clear(struct gpeer *p);

#endif
