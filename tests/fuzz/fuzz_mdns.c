/*
 * Record data from the LAN. The first byte says where it came from; the rest
 * is read as a TXT record, as a packet and as a name. What is taken are whole
 * addresses with a peer id that lead somewhere, and publishing them again and
 * reading that gives addresses again.
 */
#include "net/discover/mdns.h"
#include "net/wire/dialable.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_again(const struct maddr *addrs, size_t count)
{
	struct mdns_origin from = {.zone = "eth1", .loopback = true};
	struct maddr again[MDNS_ADDRESSES_MAX];
	struct buf txt;
	size_t put;

	buf_init(&txt, MDNS_TXT_OWN_BYTES_MAX);
	put = mdns_txt_put(&txt, addrs, count);
	P2P_ASSERT(put <= count && txt.len > 0);
	P2P_ASSERT(mdns_txt_addresses(again, buf_bytes(&txt), &from) == put);
	buf_clear(&txt);
}

static void check_taken(
	const struct maddr *addrs, size_t count, const struct mdns_origin *from)
{
	struct dialable at;
	struct maddr base;
	struct bytes peer;

	P2P_ASSERT(count <= MDNS_ADDRESSES_MAX);
	for (size_t i = 0; i < count; i++) {
		P2P_ASSERT(multiaddr_check(maddr_bytes(&addrs[i])) == 0);
		maddr_split_peer(&addrs[i], &base, &peer);
		P2P_ASSERT(base.len > 0 && peer.len > 0);
		dialable_of(&at, &addrs[i]);
		P2P_ASSERT(from->loopback || !dialable_is_loopback(&at));
	}
	check_again(addrs, count);
}

static void check_txt(struct bytes raw, const struct mdns_origin *from)
{
	struct maddr addrs[MDNS_ADDRESSES_MAX];

	check_taken(addrs, mdns_txt_addresses(addrs, raw, from), from);
}

static void check_packet(struct bytes raw, const struct mdns_origin *from)
{
	struct maddr addrs[MDNS_ADDRESSES_MAX];

	check_taken(addrs, mdns_packet_addresses(addrs, raw, from), from);
	(void)mdns_packet_asks(raw);
}

static void check_name(struct bytes raw)
{
	char text[MDNS_NAME_TEXT_MAX];
	struct buf again;

	if (mdns_name_text(raw, text) != 0) {
		P2P_ASSERT(text[0] == '\0');
		return;
	}
	P2P_ASSERT(text[0] != '\0');
	for (const char *p = text; *p != '\0'; p++)
		P2P_ASSERT(*p > ' ' && *p < 0x7F);
	buf_init(&again, MDNS_NAME_BYTES_MAX);
	if (strchr(text, '\\') == NULL) {
		P2P_ASSERT(mdns_name_put(&again, text) == 0);
		P2P_ASSERT(bytes_equal(buf_bytes(&again), raw));
	}
	buf_clear(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mdns_origin from = {.zone = "eth0"};
	struct bytes raw = bytes_skip(bytes_of(data, size), 1);

	if (size == 0)
		return 0;
	from.loopback = (data[0] & 1) != 0;
	if ((data[0] & 2) != 0)
		from.zone[0] = '\0';
	check_txt(raw, &from);
	check_packet(raw, &from);
	check_name(raw);
	return 0;
}
