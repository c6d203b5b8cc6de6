/* Multiaddrs checked, read and written, by one table of what is known. */
#include "net/wire/multiaddr.h"

#include <arpa/inet.h>
#include <sys/socket.h>

#include "net/wire/cid.h"
#include "net/wire/multibase.h"
#include "net/wire/multihash.h"
#include "net/wire/varint.h"

#define IP4_BYTES 4
#define IP6_BYTES 16
#define PORT_BYTES 2
#define ONION3_HOST_BYTES 35
#define ONION3_BYTES (ONION3_HOST_BYTES + PORT_BYTES)
/* Longest text of an address, a port or an onion host. */
#define WORD_BYTES_MAX 64

/* What a component's value is. */
enum shape {
	SHAPE_NONE,
	SHAPE_IP4,
	SHAPE_IP6,
	SHAPE_PORT,
	SHAPE_NAME,     /* of a host or an interface */
	SHAPE_PATH,     /* to the end of the text, with its slashes */
	SHAPE_PEER,     /* multihash */
	SHAPE_CERTHASH, /* multihash, multibase in text */
	SHAPE_ONION3,
};

struct protocol {
	uint32_t code;
	enum shape shape;
	const char *name;
};

static const struct protocol protocols[] = {
	{MULTIADDR_IP4, SHAPE_IP4, "ip4"},
	{MULTIADDR_TCP, SHAPE_PORT, "tcp"},
	{MULTIADDR_IP6, SHAPE_IP6, "ip6"},
	{MULTIADDR_IP6ZONE, SHAPE_NAME, "ip6zone"},
	{MULTIADDR_DNS, SHAPE_NAME, "dns"},
	{MULTIADDR_DNS4, SHAPE_NAME, "dns4"},
	{MULTIADDR_DNS6, SHAPE_NAME, "dns6"},
	{MULTIADDR_DNSADDR, SHAPE_NAME, "dnsaddr"},
	{MULTIADDR_UDP, SHAPE_PORT, "udp"},
	{MULTIADDR_WEBRTC_DIRECT, SHAPE_NONE, "webrtc-direct"},
	{MULTIADDR_WEBRTC, SHAPE_NONE, "webrtc"},
	{MULTIADDR_P2P_CIRCUIT, SHAPE_NONE, "p2p-circuit"},
	{MULTIADDR_UNIX, SHAPE_PATH, "unix"},
	{MULTIADDR_P2P, SHAPE_PEER, "p2p"},
	{MULTIADDR_P2P, SHAPE_PEER, "ipfs"}, /* only read */
	{MULTIADDR_ONION3, SHAPE_ONION3, "onion3"},
	{MULTIADDR_TLS, SHAPE_NONE, "tls"},
	{MULTIADDR_SNI, SHAPE_NAME, "sni"},
	{MULTIADDR_QUIC, SHAPE_NONE, "quic"},
	{MULTIADDR_QUIC_V1, SHAPE_NONE, "quic-v1"},
	{MULTIADDR_WEBTRANSPORT, SHAPE_NONE, "webtransport"},
	{MULTIADDR_CERTHASH, SHAPE_CERTHASH, "certhash"},
	{MULTIADDR_WS, SHAPE_NONE, "ws"},
	{MULTIADDR_WSS, SHAPE_NONE, "wss"},
	{MULTIADDR_HTTP, SHAPE_NONE, "http"},
};

static const struct protocol *protocol_by_code(uint64_t code)
{
	for (size_t i = 0; i < P2P_ARRAY_LEN(protocols); i++) {
		if (protocols[i].code == code)
			return &protocols[i];
	}
	return NULL;
}

static const struct protocol *protocol_by_name(struct bytes name)
{
	for (size_t i = 0; i < P2P_ARRAY_LEN(protocols); i++) {
		if (bytes_equal(name, bytes_str(protocols[i].name)))
			return &protocols[i];
	}
	return NULL;
}

/* Bytes of the value, or SIZE_MAX when a length stands in front of it. */
static size_t shape_size(enum shape shape)
{
	switch (shape) {
	case SHAPE_NONE:
		return 0;
	case SHAPE_IP4:
		return IP4_BYTES;
	case SHAPE_IP6:
		return IP6_BYTES;
	case SHAPE_PORT:
		return PORT_BYTES;
	case SHAPE_ONION3:
		return ONION3_BYTES;
	case SHAPE_NAME:
	case SHAPE_PATH:
	case SHAPE_PEER:
	case SHAPE_CERTHASH:
	default:
		return SIZE_MAX;
	}
}

/* ---- checks ---------------------------------------------------------------
 */

/* A name that text can hold: no slash, space or control character. */
static bool name_is_right(struct bytes v)
{
	for (size_t i = 0; i < v.len; i++) {
		if (v.data[i] <= ' ' || v.data[i] == 0x7f || v.data[i] == '/')
			return false;
	}
	return v.len > 0 && v.len <= MULTIADDR_NAME_BYTES_MAX;
}

/* A path starts with a slash, has no NUL and does not end in a slash, so that
 * its text leads back to it. */
static bool path_is_right(struct bytes v)
{
	return v.len > 1 && v.data[0] == '/' && v.data[v.len - 1] != '/' &&
	       memchr(v.data, 0, v.len) == NULL;
}

static bool hash_is_right(struct bytes v)
{
	struct cursor c = cur_of(v);

	(void)multihash_read(&c);
	return cur_done(&c);
}

static bool value_is_right(enum shape shape, struct bytes v)
{
	switch (shape) {
	case SHAPE_NAME:
		return name_is_right(v);
	case SHAPE_PATH:
		return path_is_right(v);
	case SHAPE_PEER:
		return multihash_is_peer_id(v);
	case SHAPE_CERTHASH:
		return hash_is_right(v);
	case SHAPE_ONION3:
		return get_be16(v.data + ONION3_HOST_BYTES) != 0;
	case SHAPE_NONE:
	case SHAPE_IP4:
	case SHAPE_IP6:
	case SHAPE_PORT:
	default:
		return true;
	}
}

bool multiaddr_next(struct cursor *c, struct multiaddr_part *part)
{
	const uint8_t *start = c->at;
	const struct protocol *p;
	uint64_t code;
	size_t size;

	if (cur_left(c) == 0)
		return false;
	code = cur_uvarint(c, VARINT_SHORT_BYTES_MAX);
	p = protocol_by_code(code);
	if (p == NULL) {
		cur_fail(c, P2P_ERR_UNSUPPORTED);
		return false;
	}
	size = shape_size(p->shape);
	if (size == SIZE_MAX) {
		uint64_t len = cur_uvarint(c, VARINT_SHORT_BYTES_MAX);

		/* Above the size limit of a whole address: same verdict. */
		size = (size_t)P2P_MIN(len, (uint64_t)SIZE_MAX / 2);
	}
	part->code = p->code;
	part->value = cur_take(c, size);
	if (cur_ok(c) && !value_is_right(p->shape, part->value))
		cur_fail(c, P2P_ERR_MALFORMED);
	if (!cur_ok(c))
		return false;
	part->whole = bytes_of(start, (size_t)(c->at - start));
	return true;
}

int multiaddr_check(struct bytes addr)
{
	struct cursor c = cur_of(addr);
	struct multiaddr_part part;
	unsigned count = 0;

	if (addr.len > MULTIADDR_BYTES_MAX)
		return P2P_ERR_TOO_BIG;
	while (multiaddr_next(&c, &part)) {
		if (++count > MULTIADDR_PARTS_MAX)
			return P2P_ERR_TOO_BIG;
		/* A path runs to the end of the text. */
		if (part.code == MULTIADDR_UNIX && cur_left(&c) > 0)
			return P2P_ERR_MALFORMED;
	}
	if (cur_err(&c) != 0)
		return cur_err(&c);
	return count > 0 ? 0 : P2P_ERR_MALFORMED;
}

int multiaddr_check_known(struct bytes addr)
{
	int err = multiaddr_check(addr);

	/* All in front of the unknown code has been looked at. */
	return err == P2P_ERR_UNSUPPORTED ? 0 : err;
}

/* ---- binary to text -------------------------------------------------------
 */

static void write_ip(int family, struct bytes v, struct buf *out)
{
	char text[WORD_BYTES_MAX];

	if (inet_ntop(family, v.data, text, sizeof(text)) != NULL)
		buf_append_str(out, text);
}

static void write_value(enum shape shape, struct bytes v, struct buf *out)
{
	switch (shape) {
	case SHAPE_IP4:
		write_ip(AF_INET, v, out);
		break;
	case SHAPE_IP6:
		write_ip(AF_INET6, v, out);
		break;
	case SHAPE_PORT:
		buf_appendf(out, "%u", get_be16(v.data));
		break;
	case SHAPE_PEER:
		multibase_encode(MULTIBASE_58BTC, v, out);
		break;
	case SHAPE_CERTHASH:
		buf_append_u8(out, MULTIBASE_64URL);
		multibase_encode(MULTIBASE_64URL, v, out);
		break;
	case SHAPE_ONION3:
		multibase_encode(
			MULTIBASE_32, bytes_first(v, ONION3_HOST_BYTES), out);
		buf_appendf(out, ":%u", get_be16(v.data + ONION3_HOST_BYTES));
		break;
	case SHAPE_NONE:
	case SHAPE_NAME:
	case SHAPE_PATH:
	default:
		buf_append(out, v);
	}
}

static void write_unknown(struct bytes rest, struct buf *out)
{
	buf_append_str(out, "/unknown/0x");
	for (size_t i = 0; i < rest.len; i++)
		buf_appendf(out, "%02x", rest.data[i]);
}

int multiaddr_to_text(struct bytes addr, struct buf *out)
{
	struct cursor c = cur_of(addr);
	struct multiaddr_part part;
	size_t before = out->len, known = 0;
	int err = multiaddr_check_known(addr);

	if (err != 0)
		return err;
	while (multiaddr_next(&c, &part)) {
		const struct protocol *p = protocol_by_code(part.code);

		known += part.whole.len;
		buf_appendf(out, "/%s", p->name);
		/* A path brings its own slash. */
		if (p->shape != SHAPE_NONE && p->shape != SHAPE_PATH)
			buf_append_u8(out, '/');
		write_value(p->shape, part.value, out);
	}
	if (known < addr.len)
		write_unknown(bytes_skip(addr, known), out);
	if (!out->failed)
		return 0;
	buf_truncate(out, before);
	return P2P_ERR_TOO_BIG;
}

/* ---- text to binary -------------------------------------------------------
 */

static int read_ip(int family, struct bytes word, struct buf *out)
{
	char text[WORD_BYTES_MAX];
	uint8_t raw[IP6_BYTES];

	if (word.len == 0 || word.len >= sizeof(text) ||
		memchr(word.data, 0, word.len) != NULL)
		return P2P_ERR_MALFORMED;
	memcpy(text, word.data, word.len);
	text[word.len] = '\0';
	if (inet_pton(family, text, raw) != 1)
		return P2P_ERR_MALFORMED;
	return buf_append(
		out, bytes_of(raw, family == AF_INET ? IP4_BYTES : IP6_BYTES));
}

/* Decimal, 0 to 65535, without superfluous zeros. */
static int read_port(struct bytes word, struct buf *out)
{
	unsigned port = 0;

	if (word.len == 0 || word.len > 5 ||
		(word.len > 1 && word.data[0] == '0'))
		return P2P_ERR_MALFORMED;
	for (size_t i = 0; i < word.len; i++) {
		if (word.data[i] < '0' || word.data[i] > '9')
			return P2P_ERR_MALFORMED;
		port = port * 10 + (word.data[i] - '0');
	}
	if (port > UINT16_MAX)
		return P2P_ERR_MALFORMED;
	return buf_append_be16(out, (uint16_t)port);
}

static int read_onion3(struct bytes word, struct buf *out)
{
	const uint8_t *colon =
		word.len == 0 ? NULL : memchr(word.data, ':', word.len);
	struct bytes host;
	int err;

	if (colon == NULL)
		return P2P_ERR_MALFORMED;
	host = bytes_first(word, (size_t)(colon - word.data));
	err = multibase_decode(MULTIBASE_32, host, out);
	if (err != 0)
		return err;
	return read_port(bytes_skip(word, host.len + 1), out);
}

/* The value's bytes, without a length, into out. */
static int read_value(enum shape shape, struct bytes word, struct buf *out)
{
	switch (shape) {
	case SHAPE_IP4:
		return read_ip(AF_INET, word, out);
	case SHAPE_IP6:
		return read_ip(AF_INET6, word, out);
	case SHAPE_PORT:
		return read_port(word, out);
	case SHAPE_PEER:
		return cid_parse_peer_text(word, out);
	case SHAPE_CERTHASH:
		return multibase_decode_any(word, out);
	case SHAPE_ONION3:
		return read_onion3(word, out);
	case SHAPE_NONE:
	case SHAPE_NAME:
	case SHAPE_PATH:
	default:
		return buf_append(out, word);
	}
}

/* The word behind a slash; the rest starts at the next slash. */
static struct bytes next_word(struct bytes *rest)
{
	struct bytes in = bytes_skip(*rest, 1);
	const uint8_t *slash =
		in.len == 0 ? NULL : memchr(in.data, '/', in.len);
	struct bytes word =
		slash == NULL ? in : bytes_first(in, (size_t)(slash - in.data));

	*rest = bytes_skip(in, word.len);
	return word;
}

static int read_part(struct bytes *rest, struct buf *out)
{
	const struct protocol *p = protocol_by_name(next_word(rest));
	struct bytes word = bytes_of(NULL, 0);
	struct buf value;
	int err;

	if (p == NULL)
		return P2P_ERR_UNSUPPORTED;
	if (p->shape == SHAPE_PATH) {
		word = *rest;
		*rest = bytes_skip(*rest, rest->len);
	} else if (p->shape != SHAPE_NONE) {
		if (rest->len == 0)
			return P2P_ERR_MALFORMED;
		word = next_word(rest);
	}
	buf_init(&value, MULTIADDR_BYTES_MAX);
	err = read_value(p->shape, word, &value);
	if (err == 0 && (value.len == shape_size(p->shape) ||
				shape_size(p->shape) == SIZE_MAX))
		multiaddr_put(out, p->code, buf_bytes(&value));
	else if (err == 0)
		err = P2P_ERR_MALFORMED;
	buf_clear(&value);
	return err;
}

int multiaddr_parse_text(struct bytes text, struct buf *out)
{
	size_t before = out->len;
	struct bytes rest = text;
	int err = 0;

	if (text.len == 0 || text.data[0] != '/')
		return P2P_ERR_MALFORMED;
	if (text.len > MULTIADDR_TEXT_BYTES_MAX)
		return P2P_ERR_TOO_BIG;
	while (err == 0 && rest.len > 0 && !out->failed)
		err = read_part(&rest, out);
	if (out->failed)
		err = P2P_ERR_TOO_BIG;
	if (err == 0)
		err = multiaddr_check(bytes_skip(buf_bytes(out), before));
	if (err != 0)
		buf_truncate(out, before);
	return err;
}

void multiaddr_put(struct buf *out, uint32_t code, struct bytes value)
{
	const struct protocol *p = protocol_by_code(code);

	P2P_ASSERT(p != NULL);
	varint_append(out, code);
	if (shape_size(p->shape) == SIZE_MAX)
		varint_append(out, value.len);
	else
		P2P_ASSERT(value.len == shape_size(p->shape));
	buf_append(out, value);
}

void multiaddr_put_ip(struct buf *out, struct bytes ip,
	enum multiaddr_code transport, uint16_t port)
{
	uint8_t raw[PORT_BYTES];

	put_be16(raw, port);
	multiaddr_put(
		out, ip.len == IP4_BYTES ? MULTIADDR_IP4 : MULTIADDR_IP6, ip);
	multiaddr_put(out, transport, bytes_of(raw, sizeof(raw)));
}
