/*
 * Field numbers of the pubsub RPC and its control messages (pubsub spec, "The
 * RPC"; gossipsub v1.0 and v1.1, "Control Messages"; v1.2 and v1.3, "Protobuf";
 * message ids are bytes in all implementations).
 */
#ifndef NET_PUBSUB_GOSSIP_RPC_H
#define NET_PUBSUB_GOSSIP_RPC_H

enum gossip_rpc_field {
	RPC_SUBSCRIPTIONS = 1,
	RPC_PUBLISH = 2,
	RPC_CONTROL = 3,
};

/* net/unit has the others. */
enum gossip_message_field {
	MESSAGE_TOPIC = 4,
};

enum gossip_subopts_field {
	SUBOPTS_SUBSCRIBE = 1,
	SUBOPTS_TOPIC = 2,
};

enum gossip_control_field {
	CONTROL_IHAVE = 1,
	CONTROL_IWANT = 2,
	CONTROL_GRAFT = 3,
	CONTROL_PRUNE = 4,
	CONTROL_IDONTWANT = 5,
	CONTROL_EXTENSIONS = 6,
};

enum gossip_part_field {
	IHAVE_TOPIC = 1,
	IHAVE_IDS = 2,
	IWANT_IDS = 1,
	GRAFT_TOPIC = 1,
	PRUNE_TOPIC = 1,
	PRUNE_PEERS = 2,
	PRUNE_BACKOFF = 3,
	PEER_INFO_ID = 1,
	PEER_INFO_RECORD = 2,
	IDONTWANT_IDS = 1,
};

#endif
