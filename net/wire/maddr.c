/* Addresses as values, and what of them a socket needs. */
#include "net/wire/maddr.h"

#include <string.h>

static int take_buf(struct maddr *a, struct buf *b, int err)
{
	if (err == 0) {
		a->len = (uint8_t)b->len;
		memcpy(a->raw, b->data, b->len);
	} else {
		a->len = 0;
	}
	buf_clear(b);
	return err;
}

int maddr_parse(struct maddr *a, struct bytes raw)
{
	int err = raw.len > MADDR_BYTES_MAX ? P2P_ERR_TOO_BIG
					    : multiaddr_check_known(raw);

	a->len = 0;
	if (err != 0)
		return err;
	a->len = (uint8_t)raw.len;
	memcpy(a->raw, raw.data, raw.len);
	return 0;
}

int maddr_parse_text(struct maddr *a, struct bytes text)
{
	struct buf b;

	buf_init(&b, MADDR_BYTES_MAX);
	return take_buf(a, &b, multiaddr_parse_text(text, &b));
}

const char *maddr_text(const struct maddr *a, char out[static MADDR_TEXT_MAX])
{
	struct buf b;

	buf_init(&b, MADDR_TEXT_MAX - 1);
	if (a->len == 0 || multiaddr_to_text(maddr_bytes(a), &b) != 0)
		buf_reset(&b);
	memcpy(out, buf_cstr(&b), b.len + 1);
	buf_clear(&b);
	return out;
}

void maddr_split_peer(
	const struct maddr *whole, struct maddr *base, struct bytes *peer)
{
	struct bytes all = maddr_bytes(whole);
	struct bytes front = multiaddr_without_peer(all);
	struct cursor c = cur_of(bytes_skip(all, front.len));
	struct multiaddr_part part;

	*peer = bytes_of(NULL, 0);
	if (multiaddr_next(&c, &part))
		*peer = part.value;
	base->len = (uint8_t)front.len;
	memcpy(base->raw, front.data, front.len);
}

struct bytes maddr_without_zone(const struct maddr *a)
{
	struct cursor c = cur_of(maddr_bytes(a));
	struct multiaddr_part part;

	if (multiaddr_next(&c, &part) && part.code == MULTIADDR_IP6ZONE)
		return cur_rest(&c);
	return maddr_bytes(a);
}

int maddr_set_zone(struct maddr *a, const char *zone)
{
	struct buf b;

	buf_init(&b, MADDR_BYTES_MAX);
	multiaddr_put(&b, MULTIADDR_IP6ZONE, bytes_str(zone));
	(void)buf_append(&b, maddr_without_zone(a));
	return take_buf(a, &b, b.failed ? P2P_ERR_TOO_BIG : 0);
}

int maddr_join_peer(
	struct maddr *a, const struct maddr *base, struct bytes peer)
{
	struct buf b;

	buf_init(&b, MADDR_BYTES_MAX);
	(void)buf_append(&b, maddr_bytes(base));
	multiaddr_put(&b, MULTIADDR_P2P, peer);
	return take_buf(a, &b, b.failed ? P2P_ERR_TOO_BIG : 0);
}

bool maddr_to_tcp(const struct maddr *a, struct maddr_tcp *tcp)
{
	struct multiaddr_info info;

	*tcp = (struct maddr_tcp){.port = 0};
	if (multiaddr_take_apart(&info, maddr_bytes(a)) != 0 ||
		info.transport != MULTIADDR_OVER_TCP || info.relayed ||
		info.peer.len > 0 || info.zone.len >= sizeof(tcp->zone))
		return false;
	tcp->host = info.host_code;
	tcp->port = info.port;
	if (info.zone.len > 0)
		memcpy(tcp->zone, info.zone.data, info.zone.len);
	if (tcp->host == MULTIADDR_IP4 || tcp->host == MULTIADDR_IP6)
		memcpy(tcp->ip, info.host.data, info.host.len);
	else
		memcpy(tcp->name, info.host.data, info.host.len);
	return true;
}

void maddr_from_ip(
	struct maddr *a, struct bytes ip, const char *zone, uint16_t port)
{
	struct buf b;

	buf_init(&b, MADDR_BYTES_MAX);
	if (zone != NULL && zone[0] != '\0' && ip.len == 16)
		multiaddr_put(&b, MULTIADDR_IP6ZONE, bytes_str(zone));
	multiaddr_put_ip(&b, ip, MULTIADDR_TCP, port);
	P2P_ASSERT(take_buf(a, &b, b.failed) == 0);
}
