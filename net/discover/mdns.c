/*
 * libp2p's names and records in multicast DNS, as bytes. Anybody on the LAN may
 * have written them. Addresses are told in the order of their use, private ones
 * first, since a string and a record have room for few; a link-local address
 * that is heard gets the zone of the interface that it was heard on, which only
 * the reader knows.
 */
#include "net/discover/mdns.h"

#include "net/wire/dialable.h"
#include "net/wire/multihash.h"

#define KEY "dnsaddr="

/* ---- names -------------------------------------------------------------- */

static bool is_plain(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9') || c == '-' || c == '_';
}

static int put_label(struct buf *out, struct bytes label)
{
	if (label.len == 0)
		return P2P_ERR_MALFORMED;
	if (label.len > MDNS_LABEL_BYTES_MAX)
		return P2P_ERR_TOO_BIG;
	for (size_t i = 0; i < label.len; i++)
		if (!is_plain(label.data[i]))
			return P2P_ERR_MALFORMED;
	(void)buf_append_u8(out, (uint8_t)label.len);
	return buf_append(out, label);
}

int mdns_name_put(struct buf *out, const char *text)
{
	size_t start = out->len;
	int err = 0;

	while (err == 0) {
		size_t n = strcspn(text, ".");

		err = put_label(out, bytes_of(text, n));
		if (text[n] == '\0')
			break;
		text += n + 1;
	}
	if (err == 0)
		err = buf_append_u8(out, 0);
	if (err == 0 && out->len - start > MDNS_NAME_BYTES_MAX)
		err = P2P_ERR_TOO_BIG;
	return err;
}

static void escape(struct buf *out, uint8_t c)
{
	if (is_plain(c))
		(void)buf_append_u8(out, c);
	else if (c == '.' || c == '\\')
		(void)buf_appendf(out, "\\%c", c);
	else
		(void)buf_appendf(out, "\\%03u", c);
}

static void read_name(struct cursor *c, struct buf *out)
{
	struct bytes label;
	uint8_t n;

	while ((n = cur_u8(c)) > 0) {
		/* The two high bits mark a compressed name. */
		if (n > MDNS_LABEL_BYTES_MAX)
			cur_fail(c, P2P_ERR_MALFORMED);
		label = cur_take(c, n);
		if (out->len > 0)
			(void)buf_append_u8(out, '.');
		for (size_t i = 0; i < label.len; i++)
			escape(out, label.data[i]);
	}
	if (cur_ok(c) && (out->len == 0 || cur_left(c) > 0))
		cur_fail(c, P2P_ERR_MALFORMED);
}

int mdns_name_text(struct bytes raw, char out[static MDNS_NAME_TEXT_MAX])
{
	struct cursor c = cur_of(raw);
	struct buf text;

	out[0] = '\0';
	if (raw.len > MDNS_NAME_BYTES_MAX)
		return P2P_ERR_TOO_BIG;
	buf_init(&text, MDNS_NAME_TEXT_MAX - 1);
	read_name(&c, &text);
	if (cur_ok(&c) && text.failed)
		cur_fail(&c, P2P_ERR_TOO_BIG);
	if (cur_ok(&c))
		memcpy(out, buf_cstr(&text), text.len + 1);
	buf_clear(&text);
	return cur_err(&c);
}

void mdns_instance_name(
	struct rng *rng, char out[static MDNS_INSTANCE_CHARS + 1])
{
	static const char chars[] = "abcdefghijklmnopqrstuvwxyz0123456789";

	for (size_t i = 0; i < MDNS_INSTANCE_CHARS; i++)
		out[i] = chars[rng_below(rng, sizeof(chars) - 1)];
	out[MDNS_INSTANCE_CHARS] = '\0';
}

/* ---- writing ------------------------------------------------------------ */

int mdns_srv_put(struct buf *out, uint16_t port, const char *target)
{
	(void)buf_append_be16(out, 0);
	(void)buf_append_be16(out, 0);
	(void)buf_append_be16(out, port);
	return mdns_name_put(out, target);
}

static bool has_twin_before(const struct maddr *addrs, size_t i)
{
	struct bytes own = maddr_without_zone(&addrs[i]);

	for (size_t k = 0; k < i; k++)
		if (bytes_equal(own, maddr_without_zone(&addrs[k])))
			return true;
	return false;
}

static bool put_string(struct buf *out, struct bytes addr)
{
	struct buf text;
	bool fits;

	buf_init(&text, MDNS_STRING_BYTES_MAX);
	(void)buf_append_str(&text, KEY);
	(void)multiaddr_to_text(addr, &text);
	fits = !text.failed && text.len > sizeof(KEY) - 1 &&
	       buf_room(out) > text.len;
	if (fits) {
		(void)buf_append_u8(out, (uint8_t)text.len);
		(void)buf_append(out, buf_bytes(&text));
	}
	buf_clear(&text);
	return fits;
}

/* Those from `from` on, before `to`. */
static size_t put_part(
	struct buf *out, const struct maddr *addrs, size_t from, size_t to)
{
	static const enum ip_scope order[] = {IP_SCOPE_PRIVATE, IP_SCOPE_PUBLIC,
		IP_SCOPE_RESERVED, IP_SCOPE_LINK_LOCAL};
	size_t done = 0;

	for (size_t k = 0; k < sizeof(order) / sizeof(order[0]); k++) {
		for (size_t i = from; i < to; i++) {
			struct dialable at;

			dialable_of(&at, &addrs[i]);
			if (at.scope == order[k] &&
				!has_twin_before(addrs, i) &&
				put_string(out, maddr_without_zone(&addrs[i])))
				done++;
		}
	}
	return done;
}

size_t mdns_txt_put_near(
	struct buf *out, const struct maddr *addrs, size_t count, size_t near)
{
	size_t done = put_part(out, addrs, 0, near);

	done += put_part(out, addrs, near, count);
	if (done == 0)
		(void)buf_append_u8(out, 0);
	return done;
}

size_t mdns_txt_put(struct buf *out, const struct maddr *addrs, size_t count)
{
	return mdns_txt_put_near(out, addrs, count, 0);
}

/* ---- reading ------------------------------------------------------------ */

static bool has_key(struct bytes string)
{
	static const char key[] = KEY;

	if (string.len < sizeof(key) - 1)
		return false;
	for (size_t i = 0; i < sizeof(key) - 1; i++) {
		uint8_t c = string.data[i];

		if (c >= 'A' && c <= 'Z')
			c = (uint8_t)(c + ('a' - 'A'));
		if (c != (uint8_t)key[i])
			return false;
	}
	return true;
}

static int judge(struct maddr *addr, const struct mdns_origin *from)
{
	struct dialable at;

	dialable_of(&at, addr);
	switch (at.scope) {
	case IP_SCOPE_UNSPECIFIED:
	case IP_SCOPE_MULTICAST:
		return P2P_ERR_INVAL;
	case IP_SCOPE_LOOPBACK:
		return from->loopback ? 0 : P2P_ERR_INVAL;
	case IP_SCOPE_LINK_LOCAL:
		if (at.host != DIALABLE_HOST_IP6)
			return 0;
		/* Only the reader knows by which of its interfaces fe80:: is
		 * reached. */
		return from->zone[0] == '\0' ? P2P_ERR_INVAL
					     : maddr_set_zone(addr, from->zone);
	case IP_SCOPE_PRIVATE:
	case IP_SCOPE_RESERVED:
	case IP_SCOPE_PUBLIC:
		break;
	}
	return 0;
}

int mdns_dnsaddr(
	struct maddr *addr, struct bytes string, const struct mdns_origin *from)
{
	struct bytes peer;
	struct maddr base;
	int err;

	addr->len = 0;
	if (!has_key(string))
		return P2P_ERR_NOT_FOUND;
	err = maddr_parse_text(addr, bytes_skip(string, sizeof(KEY) - 1));
	if (err == 0) {
		maddr_split_peer(addr, &base, &peer);
		if (base.len == 0 || !multihash_is_peer_id(peer))
			err = P2P_ERR_MALFORMED;
	}
	if (err == 0)
		err = judge(addr, from);
	if (err != 0)
		addr->len = 0;
	return err;
}

size_t mdns_txt_addresses(struct maddr out[static MDNS_ADDRESSES_MAX],
	struct bytes raw, const struct mdns_origin *from)
{
	struct cursor c = cur_of(raw);
	size_t count = 0;

	for (int i = 0; i < MDNS_STRINGS_MAX && cur_left(&c) > 0 &&
			count < MDNS_ADDRESSES_MAX;
		i++) {
		struct bytes string = cur_take(&c, cur_u8(&c));

		if (cur_ok(&c) && mdns_dnsaddr(&out[count], string, from) == 0)
			count++;
	}
	return count;
}
