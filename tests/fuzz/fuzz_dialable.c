/*
 * What an address is made of. Any address that is taken has one description: a
 * carrier takes exactly what is said to be spoken, what can be dialled is
 * somewhere and at a port, a circuit anywhere makes it relayed, and neither the
 * port nor what follows the host changes its site.
 */
#include "net/wire/dialable.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool has(const struct maddr *a, uint32_t code)
{
	struct cursor c = cur_of(maddr_bytes(a));
	struct multiaddr_part part;

	while (multiaddr_next(&c, &part))
		if (part.code == code)
			return true;
	return false;
}

static void check_host(const struct maddr *a, const struct dialable *d)
{
	struct bytes ip = dialable_ip(a);
	struct dialable other;
	struct maddr b;

	P2P_ASSERT((ip.len > 0) == (d->host == DIALABLE_HOST_IP4 ||
					   d->host == DIALABLE_HOST_IP6));
	P2P_ASSERT(d->site.bits <= 8 * sizeof(d->site.net));
	for (size_t i = d->site.bits / 8; i < sizeof(d->site.net); i++)
		P2P_ASSERT(d->site.net[i] == 0);
	if (ip.len == 0)
		return;
	P2P_ASSERT(ip.data > a->raw && ip.data + ip.len <= a->raw + a->len);
	maddr_from_ip(&b, ip, NULL, 1);
	dialable_of(&other, &b);
	P2P_ASSERT(dialable_same_site(&d->site, &other.site));
	P2P_ASSERT(other.host == d->host && other.scope == d->scope);
}

static void check(const struct maddr *a)
{
	const char *why;
	struct maddr_tcp tcp;
	struct dialable d;
	char text[MADDR_TEXT_MAX];

	dialable_of(&d, a);
	why = dialable_why_not(&d);
	P2P_ASSERT(dialable_is_spoken(&d) == maddr_to_tcp(a, &tcp));
	P2P_ASSERT(d.relayed == has(a, MULTIADDR_P2P_CIRCUIT));
	if (dialable_is_spoken(&d))
		P2P_ASSERT(d.port == tcp.port);
	P2P_ASSERT((why == NULL) ==
		   (dialable_is_spoken(&d) && !dialable_is_nowhere(&d)));
	check_host(a, &d);
	P2P_ASSERT(a->len == 0 || maddr_text(a, text)[0] == '/');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct maddr a, base;
	struct bytes peer;

	if (maddr_parse(&a, bytes_of(data, size)) != 0)
		return 0;
	check(&a);
	maddr_split_peer(&a, &base, &peer);
	check(&base);
	return 0;
}
