/*
 * The message of identify, by a table. Lists and texts that are longer than we
 * keep are cut and not refused: others may have more addresses and protocols
 * than we care for, and that is no fault. Key and record are taken whole or not
 * at all.
 */
#include "net/wire/identify_pb.h"

#include "net/wire/pb.h"

#define FIELD(name) offsetof(struct identify, name)

static const struct pb_rule rules[] = {
	{1, PB_KIND_VIEW, 0, FIELD(public_key), 0, WIRE_KEY_PB_BYTES_MAX, 0},
	{2, PB_KIND_VIEWS, PB_CUT, FIELD(listen_addrs),
		FIELD(listen_addr_count), IDENTIFY_PB_ADDR_BYTES_MAX,
		IDENTIFY_PB_ADDRS_MAX},
	{3, PB_KIND_VIEWS, PB_CUT, FIELD(protocols), FIELD(protocol_count),
		WIRE_PROTOCOL_BYTES_MAX, IDENTIFY_PB_PROTOCOLS_MAX},
	{4, PB_KIND_VIEW, PB_CUT, FIELD(observed_addr), 0,
		IDENTIFY_PB_ADDR_BYTES_MAX, 0},
	{5, PB_KIND_VIEW, PB_CUT, FIELD(protocol_version), 0,
		IDENTIFY_PB_AGENT_BYTES_MAX, 0},
	{6, PB_KIND_VIEW, PB_CUT, FIELD(agent_version), 0,
		IDENTIFY_PB_AGENT_BYTES_MAX, 0},
	{8, PB_KIND_VIEW, 0, FIELD(signed_peer_record), 0, ENVELOPE_BYTES_MAX,
		0},
};

static const struct pb_schema schema = {
	.rules = rules, .rule_count = P2P_ARRAY_LEN(rules)};

int identify_pb_read(struct identify *id, struct bytes in)
{
	return pb_read(&schema, in, id, NULL);
}

void identify_pb_write(const struct identify *id, struct buf *out)
{
	pb_write(&schema, id, 0, out);
}
