/*
 * GossipSub's parameters (gossipsub v1.0 spec, "Parameters"; v1.1; figures for
 * a chat where the spec leaves it open) and every maximum of this folder.
 */
#ifndef NET_PUBSUB_GOSSIP_LIMITS_H
#define NET_PUBSUB_GOSSIP_LIMITS_H

#define GOSSIP_D 6
#define GOSSIP_D_LOW 4
#define GOSSIP_D_HIGH 12
#define GOSSIP_D_LAZY 6
/* Who asked us for messages is told of new ones at each of the following
 * heartbeats, so many such peers at most. */
#define GOSSIP_NEEDY_HEARTBEATS 30
#define GOSSIP_NEEDY_MAX 12
/* Own lines go to so many peers, and beyond them to those only who have not
 * shown that others tell them (gossip_told.h). */
#define GOSSIP_PUBLISH_PEERS 18
#define GOSSIP_TOLD_AFTER_HEARTBEATS 60 /* by then a peer has found others */
#define GOSSIP_TOLD_HEARTBEATS 300      /* what they show holds once or twice */
#define GOSSIP_TOLD_TRIALS 4    /* lines that are named at once instead */
#define GOSSIP_LATE_MS 150      /* by then a line came by others */
#define GOSSIP_FACTOR_DIVISOR 4 /* gossip to a quarter of the others */
#define GOSSIP_HEARTBEAT_MS 1000
#define GOSSIP_HISTORY_WINDOWS 8
#define GOSSIP_HISTORY_GOSSIP 5
#define GOSSIP_SEEN_MS 120000
#define GOSSIP_PRUNE_BACKOFF_S 60
#define GOSSIP_UNSUBSCRIBE_BACKOFF_S 10
#define GOSSIP_BACKOFF_S_MAX 3600

#define GOSSIP_RPC_BYTES_MAX (1u << 20) /* read and written */
/* Small things share an RPC up to this size: some programs take no RPC above
 * 64 KiB. A larger message goes alone. */
#define GOSSIP_RPC_PACK_BYTES (32u << 10)
/* Subscriptions and control of one RPC, together. rust-libp2p's gossipsub 0.50
 * ends the stream at an RPC with more than 16,384 bytes of them, and heeds none
 * of the subscriptions where there are more than 100. */
#define GOSSIP_CONTROL_PACK_BYTES (12u << 10)
#define GOSSIP_SUBSCRIPTIONS_PER_RPC 100
/* So far one field of the control message is filled: its head and what else is
 * said of its topic fit in the same RPC. */
#define GOSSIP_FIELD_BYTES_MAX (GOSSIP_CONTROL_PACK_BYTES - 256)
/* Ids asked for in one go: so many of our own form fill a field. */
#define GOSSIP_IWANT_BATCH 240
/* Entries of one RPC that are looked at. A message is at least 100 bytes when
 * it is honest, so the RPC's own limit allows fewer than this; emptier ones are
 * an attack. */
#define GOSSIP_RPC_ENTRIES_MAX 12000
/* IHAVE, IWANT and IDONTWANT waiting for one peer. */
#define GOSSIP_CONTROL_BYTES_MAX (512u << 10)
#define GOSSIP_TOPIC_BYTES_MAX 128
#define GOSSIP_TOPICS_PER_PEER_MAX 100
#define GOSSIP_TOPICS_MAX 256 /* that we are in */
#define GOSSIP_PEERS_MAX 512
#define GOSSIP_OUT_BYTES_MAX (2u << 20) /* waiting for one peer */
#define GOSSIP_CACHE_MESSAGES_MAX 20000
#define GOSSIP_CACHE_BYTES_MAX (8u << 20) /* with what is noted beside */
#define GOSSIP_CACHE_ENTRY_BYTES 128      /* of a table, and malloc's own */
/* About 150 bytes each. A line that is older than these many and comes again
 * is known to the store, so it is not shown twice. */
#define GOSSIP_SEEN_MAX 30000
/* Waiting for all peers; subscriptions, GRAFT and PRUNE, of which a topic has
 * the last alone, may come on top. */
#define GOSSIP_OUT_TOTAL_BYTES_MAX (4u << 20)
/* Whose queue was not empty for so long gives way to others when that is used
 * up. */
#define GOSSIP_BEHIND_HEARTBEATS 3
/* Who brings more new messages than this, over two heartbeats or so, fills
 * a quarter of the room at most: a flood drowns itself first. */
#define GOSSIP_MODEST_BYTES (16u << 10)
#define GOSSIP_BACKOFFS_MAX 1024 /* per topic; the oldest make room */
/* Ids asked for in one heartbeat; one peer can be the first to name a quarter.
 */
#define GOSSIP_ASKED_MAX 20000

/* Units that wait for the check of their signature, with what is noted beside:
 * in all; of one peer, which is some batches for each verifier; and of one
 * whose stream has ended (it holds what is not read yet of that stream). */
#define GOSSIP_VERIFY_BYTES_MAX (4u << 20)
#define GOSSIP_VERIFY_PEER_BYTES_MAX (128u << 10)
#define GOSSIP_VERIFY_LAST_BYTES_MAX (1u << 20)
/* What a line counts beside its bytes where peers have turns by bytes, and how
 * many times as much those have whom the owner knows. */
#define GOSSIP_VERIFY_LINE_BYTES 4096u
#define GOSSIP_VERIFY_KNOWN_TIMES 8u

/* What one RPC can cause at most waits here until the owner takes it. */
#define GOSSIP_EVENTS_BYTES_MAX (32u << 20)

#define GOSSIP_IHAVE_IDS_MAX 5000    /* per peer and heartbeat, both ways */
#define GOSSIP_IHAVE_MESSAGES_MAX 10 /* RPCs, per peer and heartbeat */
#define GOSSIP_IWANT_ANSWERS_MAX 3   /* per id and peer */
#define GOSSIP_ID_BYTES_MAX 128
/* So long recent messages are named by hashes after somebody used one, and what
 * is charged for those of one message meanwhile. */
#define GOSSIP_ALIAS_HEARTBEATS 120
#define GOSSIP_ALIAS_COST_BYTES (3 * (size_t)GOSSIP_CACHE_ENTRY_BYTES)

/* Gossipsub v1.1: whom the mesh keeps, and what is counted against a peer. */
#define GOSSIP_D_SCORE 4 /* the best ones that stay when it is too large */
#define GOSSIP_D_OUT 2   /* dialled by us; below D_LOW, at most D / 2 */
#define GOSSIP_OPPORTUNISTIC_HEARTBEATS 10
#define GOSSIP_OPPORTUNISTIC_PEERS 2
/* A GRAFT this soon after the PRUNE counts twice. */
#define GOSSIP_GRAFT_FLOOD_MS 10000
#define GOSSIP_PROMISE_MS 3000 /* to follow up an IHAVE that was answered */
/* Tracked at once: a line that stands still for a moment breaks no more than
 * these, which are below what P7 forgives. */
#define GOSSIP_PROMISES_PER_PEER_MAX 4

/* Scores (score.h); their weights and thresholds are in score_params.c. */
#define SCORE_ROOMS_MAX 256     /* of one peer; as many as we can be in */
#define SCORE_RETAINED_MAX 1024 /* peers that left and were not good */
#define SCORE_APP_MAX 1000      /* of P5, up and down */

#define GOSSIP_DIRECT_MAX 256
/* Peer exchange: in one PRUNE, and believed of one peer in a heartbeat. */
#define GOSSIP_PX_PEERS_MAX 16
/* Believed of a stranger whom a person has named, while it is connected. */
#define GOSSIP_PX_STRANGERS_MAX 16
/* Of one peer. As many are named as a field holds. */
#define GOSSIP_PX_RECORD_BYTES_MAX 1900

/* IDONTWANT (gossipsub v1.2): said of data from this size on. */
#define GOSSIP_IDONTWANT_BYTES 1024
#define GOSSIP_IDONTWANT_HEARTBEATS 3 /* so long an id is kept */
#define GOSSIP_IDONTWANT_IDS_MAX 1000 /* per peer and heartbeat */
/* Sent in one RPC; go-libp2p-pubsub reads no more of one. */
#define GOSSIP_IDONTWANT_PER_RPC 10

/* Left free, of what all may hold, by recent messages and by units that wait
 * for their check: connections need it. */
#define GOSSIP_SPARE_BYTES (3u << 20)
/* What is charged for a peer as such; for the name of a topic in one of its
 * tables; for an id that was seen and for a back-off, with their entries. */
#define GOSSIP_PEER_COST_BYTES 2048
#define GOSSIP_NAME_COST_BYTES \
	(GOSSIP_TOPIC_BYTES_MAX + (size_t)GOSSIP_CACHE_ENTRY_BYTES)
#define GOSSIP_SEEN_COST_BYTES ((size_t)GOSSIP_CACHE_ENTRY_BYTES + 16)
#define GOSSIP_BACKOFF_COST_BYTES ((size_t)GOSSIP_CACHE_ENTRY_BYTES + 64)

/* ---- what may be pushed (gossip_rate.c, decision 0018) ----
 * Of strangers, whom the owner does not know: new authors that a peer brings;
 * their lines and bytes a second, by peer, by room, in all rooms. Of every
 * author: bytes a second; its lines are the owner's setting. */
#define GOSSIP_RATE_NEW_A_MINUTE 10u
#define GOSSIP_RATE_NEW_BURST 30u
#define GOSSIP_RATE_AUTHOR_BYTES (64u << 10)
#define GOSSIP_RATE_AUTHOR_BYTES_BURST (1u << 20)
#define GOSSIP_RATE_PEER_LINES 20u
#define GOSSIP_RATE_PEER_LINES_BURST 200u
#define GOSSIP_RATE_PEER_BYTES (256u << 10)
#define GOSSIP_RATE_PEER_BYTES_BURST (1u << 20)
#define GOSSIP_RATE_ROOM_LINES 100u
#define GOSSIP_RATE_ROOM_LINES_BURST 600u
#define GOSSIP_RATE_ROOM_BYTES (512u << 10)
#define GOSSIP_RATE_ROOM_BYTES_BURST (1u << 20)
#define GOSSIP_RATE_ALL_BYTES (1u << 20)
#define GOSSIP_RATE_ALL_BYTES_BURST (2u << 20)
/* What a line over a rate counts beside its bytes, and the most that is noted
 * of a peer: its stream has no credit for that until it is forgiven. */
#define GOSSIP_RATE_OVER_LINE_BYTES 512u
#define GOSSIP_RATE_OVER_BYTES_MAX (512u << 10)
/* Authors whose rate is noted, and those whom the owner knows. */
#define GOSSIP_RATE_AUTHORS_MAX 4096
#define GOSSIP_RATE_AUTHOR_COST_BYTES ((size_t)GOSSIP_CACHE_ENTRY_BYTES + 32)
#define GOSSIP_KNOWN_MAX 2048

/* ---- its streams (stream_gossip.c) ---- */

/* Streams of one peer that bring gossip: one, and a newer one taking over. */
#define STREAM_GOSSIP_IN_MAX 2
/* Bytes handed to a stream before the rest waits in the gossip queue, where
 * what is urgent can still overtake: two RPCs of ordinary size. */
#define STREAM_GOSSIP_BACKLOG_BYTES (64u << 10)
#define STREAM_GOSSIP_REOPEN_MS 1000
/* So often it is looked whether credit that was withheld can be given. */
#define STREAM_GOSSIP_CREDIT_MS 50
/* So long a peer has two streams to us, on two connections, before it is taken
 * for two programs, and for two once more, since what is recent is sent again
 * then; and what may wait for the second of them. */
#define STREAM_GOSSIP_TWIN_MS 1500
#define STREAM_GOSSIP_TWIN_AGAIN_MS 10000
#define STREAM_GOSSIP_TWIN_BYTES (4 * STREAM_GOSSIP_BACKLOG_BYTES)
/* Events that wait for the owner: then no more is read; what a stream held at
 * its end is heard up to the larger number. */
#define STREAM_GOSSIP_EVENTS_MAX 256
#define STREAM_GOSSIP_LAST_EVENTS_MAX 4096

#endif
