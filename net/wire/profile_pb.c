/*
 * Profiles by the one table that reads and writes them.
 */
#include "net/wire/profile_pb.h"

#include "net/wire/pb.h"

static const struct pb_rule rules[] = {
	{1, PB_KIND_VIEW, 0, offsetof(struct profile_pb, name), 0,
		PROFILE_PB_NAME_BYTES_MAX, 0},
};

static const struct pb_schema schema = {
	.rules = rules, .rule_count = P2P_ARRAY_LEN(rules)};

int profile_pb_read(struct profile_pb *p, struct bytes in)
{
	*p = (struct profile_pb){.name = {NULL, 0}};
	if (in.len > PROFILE_PB_BYTES_MAX)
		return P2P_ERR_TOO_BIG;
	return pb_read(&schema, in, p, NULL);
}

void profile_pb_write(const struct profile_pb *p, struct buf *out)
{
	pb_write(&schema, p, 0, out);
}
