/*
 * Multiaddrs. Binary that is taken has a text, and the text leads back to the
 * same bytes, unless it ends in what is not known; text that is taken becomes
 * binary with one canonical text.
 */
#include "net/wire/multiaddr.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define BYTES_MAX 65536

static void check_views(struct bytes addr)
{
	struct multiaddr_info info;
	struct bytes shorter = multiaddr_without_peer(addr);

	P2P_ASSERT(shorter.len <= addr.len);
	P2P_ASSERT(multiaddr_take_apart(&info, addr) == 0);
	P2P_ASSERT(info.base.len <= addr.len);
	P2P_ASSERT(bytes_equal(info.base, bytes_first(addr, info.base.len)));
	P2P_ASSERT(info.relay.len == 0 || info.relayed);
	(void)multiaddr_scope(addr);
}

/* The buffers have room for any text of an address within its limit. */
static void check_binary(struct bytes addr)
{
	struct buf text, back;
	int err;

	if (multiaddr_check_known(addr) != 0)
		return;
	check_views(addr);
	buf_init(&text, BYTES_MAX);
	buf_init(&back, BYTES_MAX);
	P2P_ASSERT(multiaddr_to_text(addr, &text) == 0);
	err = multiaddr_parse_text(buf_bytes(&text), &back);
	if (multiaddr_check(addr) != 0) {
		P2P_ASSERT(err != 0);
	} else if (text.len <= MULTIADDR_TEXT_BYTES_MAX) {
		P2P_ASSERT(err == 0);
		P2P_ASSERT(bytes_equal(buf_bytes(&back), addr));
	} else {
		P2P_ASSERT(err == P2P_ERR_TOO_BIG);
	}
	buf_clear(&text);
	buf_clear(&back);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes in = bytes_of(data, size);
	struct buf raw;

	check_binary(in);
	buf_init(&raw, BYTES_MAX);
	if (multiaddr_parse_text(in, &raw) == 0) {
		P2P_ASSERT(multiaddr_check(buf_bytes(&raw)) == 0);
		check_binary(buf_bytes(&raw));
	} else {
		P2P_ASSERT(raw.len == 0);
	}
	buf_clear(&raw);
	return 0;
}
