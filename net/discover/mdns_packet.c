/*
 * A whole packet, for what does not come by way of Avahi. Nothing is tied to
 * a name here: a random label says no more than the peer id in each address.
 */
#include <stdio.h>

#include "net/discover/mdns.h"

/* RFC 1035 section 4.1.1: a response, a plain query's, without an error. */
#define FLAGS_MASK 0xF80F
#define FLAGS_RESPONSE 0x8000
#define FLAGS_ANSWER 0x8400 /* and of the one who knows */
#define CLASS_IN 1
/* RFC 6762 section 10.2: forget what you knew under this name; in a question
 * the same bit asks for unicast (section 5.4). */
#define CLASS_TOP_BIT 0x8000
#define TYPE_ANY 255
/* rust-libp2p asks again after five minutes, and uses this itself. */
#define ANSWER_TTL_S 360
/* RFC 1035 section 4.1.4: the rest of the name stands elsewhere. */
#define COMPRESSED 0xC0

/* The bytes of a name as they stand there; no pointer is followed. */
static struct bytes take_name(struct cursor *c)
{
	struct cursor start = *c;
	struct bytes all = cur_rest(&start);
	uint8_t n;

	while ((n = cur_u8(c)) > 0 && n < COMPRESSED) {
		if (n > MDNS_LABEL_BYTES_MAX)
			cur_fail(c, P2P_ERR_MALFORMED);
		cur_skip(c, n);
	}
	if (n >= COMPRESSED)
		cur_skip(c, 1);
	return bytes_of(all.data, all.len - cur_left(c));
}

static bool is_service(struct bytes owner)
{
	static const uint8_t service[] = "\4_p2p\4_udp\5local";

	return bytes_equal(owner, bytes_of(service, sizeof(service)));
}

static size_t add_txt(struct maddr *out, size_t count, struct bytes data,
	const struct mdns_origin *from)
{
	struct maddr found[MDNS_ADDRESSES_MAX];
	size_t n = mdns_txt_addresses(found, data, from);

	for (size_t i = 0; i < n && count < MDNS_ADDRESSES_MAX; i++)
		out[count++] = found[i];
	return count;
}

size_t mdns_packet_addresses(struct maddr out[static MDNS_ADDRESSES_MAX],
	struct bytes raw, const struct mdns_origin *from)
{
	struct cursor c = cur_of(raw);
	size_t count = 0, records = 0;
	bool of_libp2p = false;
	unsigned flags, questions;

	(void)cur_be16(&c); /* its number */
	flags = cur_be16(&c);
	questions = cur_be16(&c);
	for (int i = 0; i < 3; i++) /* answers, authorities, additionals */
		records += cur_be16(&c);
	if ((flags & FLAGS_MASK) != FLAGS_RESPONSE || questions > 0)
		return 0;
	records = P2P_MIN(records, (size_t)MDNS_RECORDS_MAX);
	for (size_t i = 0; i < records && cur_ok(&c); i++) {
		struct bytes owner = take_name(&c);
		unsigned type = cur_be16(&c);
		struct bytes data;

		cur_skip(&c, 2); /* class, always of the Internet */
		if (cur_be32(&c) == 0)
			type = 0; /* a goodbye */
		data = cur_take(&c, cur_be16(&c));
		if (cur_ok(&c) && type == MDNS_TYPE_PTR && is_service(owner))
			of_libp2p = true;
		else if (cur_ok(&c) && type == MDNS_TYPE_TXT)
			count = add_txt(out, count, data, from);
	}
	return of_libp2p ? count : 0;
}

int mdns_packet_question(struct buf *out, const char *name)
{
	static const uint16_t header[] = {0, 0, 1, 0, 0, 0};
	int err;

	for (size_t i = 0; i < P2P_ARRAY_LEN(header); i++)
		(void)buf_append_be16(out, header[i]);
	err = mdns_name_put(out, name);
	(void)buf_append_be16(out, MDNS_TYPE_PTR);
	(void)buf_append_be16(out, CLASS_IN);
	return err;
}

bool mdns_packet_asks(struct bytes raw)
{
	struct cursor c = cur_of(raw);
	unsigned flags, questions;

	(void)cur_be16(&c); /* its number */
	flags = cur_be16(&c);
	questions = cur_be16(&c);
	cur_skip(&c, 6);
	if ((flags & FLAGS_MASK) != 0)
		return false;
	questions = P2P_MIN(questions, (unsigned)MDNS_QUESTIONS_MAX);
	for (unsigned i = 0; i < questions && cur_ok(&c); i++) {
		struct bytes name = take_name(&c);
		unsigned type = cur_be16(&c);
		unsigned in = cur_be16(&c) & ~(unsigned)CLASS_TOP_BIT;

		if (cur_ok(&c) && is_service(name) && in == CLASS_IN &&
			(type == MDNS_TYPE_PTR || type == TYPE_ANY))
			return true;
	}
	return false;
}

static void put_record(struct buf *out, struct bytes owner, enum mdns_type type,
	struct bytes data)
{
	unsigned in = CLASS_IN | (type == MDNS_TYPE_TXT ? CLASS_TOP_BIT : 0);

	(void)buf_append(out, owner);
	(void)buf_append_be16(out, (uint16_t)type);
	(void)buf_append_be16(out, (uint16_t)in);
	(void)buf_append_be32(out, ANSWER_TTL_S);
	(void)buf_append_be16(out, (uint16_t)data.len);
	(void)buf_append(out, data);
}

int mdns_packet_answer(struct buf *out, const char *instance,
	const struct maddr *addrs, size_t count)
{
	/* Number 0 (RFC 6762 section 18.1), one answer, one additional. */
	static const uint16_t header[] = {0, FLAGS_ANSWER, 0, 1, 0, 1};
	char text[MDNS_INSTANCE_CHARS + sizeof("." MDNS_SERVICE)];
	struct buf service, name, txt;
	int err = P2P_ERR_NOT_FOUND;

	buf_init(&service, MDNS_NAME_BYTES_MAX);
	buf_init(&name, MDNS_NAME_BYTES_MAX);
	buf_init(&txt, MDNS_TXT_OWN_BYTES_MAX);
	(void)snprintf(text, sizeof(text), "%s.%s", instance, MDNS_SERVICE);
	if (mdns_txt_put(&txt, addrs, count) > 0 &&
		mdns_name_put(&service, MDNS_SERVICE) == 0 &&
		mdns_name_put(&name, text) == 0) {
		for (size_t i = 0; i < sizeof(header) / sizeof(*header); i++)
			(void)buf_append_be16(out, header[i]);
		put_record(out, buf_bytes(&service), MDNS_TYPE_PTR,
			buf_bytes(&name));
		put_record(
			out, buf_bytes(&name), MDNS_TYPE_TXT, buf_bytes(&txt));
		err = out->failed ? P2P_ERR_TOO_BIG : 0;
	}
	buf_clear(&service);
	buf_clear(&name);
	buf_clear(&txt);
	return err;
}
