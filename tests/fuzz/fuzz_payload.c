/*
 * Payloads: the first byte chooses the topic, eight more are of no meaning, the
 * rest is the data. What is read is clean and in bounds, and a line written
 * from it reads back the same. What the quick reader of members takes, the
 * library reads alike.
 */
#include "base/text.h"
#include "chat/payload.h"
#include "chat/payload_members.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_round_trip(struct payload *p)
{
	struct payload_out line = {.text = buf_cstr(&p->text),
		.name = "n",
		.from = "f",
		.time_ms = P2P_MAX(p->time_ms, 1),
		.seq = P2P_MIN(p->seq, (uint64_t)INT64_MAX)};
	struct payload again;
	struct buf out;

	buf_init(&out, (size_t)1 << 20);
	P2P_ASSERT(payload_write(DIALECT_NATIVE, &line, &out) == 0);
	P2P_ASSERT(payload_parse(&again, bytes_str("t"), buf_bytes(&out)) == 0);
	P2P_ASSERT(again.time_ms == line.time_ms && again.seq == line.seq);
	P2P_ASSERT(bytes_equal(buf_bytes(&again.text), buf_bytes(&p->text)));
	payload_clear(&again);
	buf_clear(&out);
}

static bool same_member(const struct member *a, const struct member *b)
{
	if (a->kind != b->kind || !bytes_equal(a->text, b->text))
		return false;
	return !(a->number < b->number) && !(a->number > b->number);
}

static void check_readers(struct bytes data)
{
	struct members flat, any;

	if (!utf8_valid(data) || !members_read_flat(&flat, data))
		return;
	P2P_ASSERT(members_read(&any, data) == 0);
	for (size_t i = 0; i < MEMBER_COUNT; i++)
		P2P_ASSERT(same_member(&flat.of[i], &any.of[i]));
	members_clear(&any);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct payload p;
	const char *topic;

	if (size < 9)
		return 0;
	check_readers(bytes_of(data + 9, size - 9));
	topic = data[0] & 1 ? "universal-connectivity" : "room";
	if (payload_parse(&p, bytes_str(topic), bytes_of(data + 9, size - 9)) !=
		0)
		return 0;
	P2P_ASSERT(text_is_clean(TEXT_BLOCK, buf_bytes(&p.text)));
	P2P_ASSERT(text_is_clean(TEXT_NAME, bytes_str(p.name)));
	P2P_ASSERT(p.time_ms <= PAYLOAD_TIME_MS_MAX);
	P2P_ASSERT(p.has_time == (p.time_ms > 0));
	check_round_trip(&p);
	payload_clear(&p);
	return 0;
}
