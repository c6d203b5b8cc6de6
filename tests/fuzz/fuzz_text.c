/*
 * Text from others: cleaning gives valid text with nothing in it that could
 * steer a terminal, and is a fixed point; clusters, fitting and wrapping take
 * any bytes, cleaned or not, move on, and add up.
 */
#include "base/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool is_forbidden(uint32_t cp, enum text_mode mode)
{
	if (cp < 0x20)
		return cp != '\n' || mode != TEXT_BLOCK;
	return (cp >= 0x7F && cp < 0xA0) || cp == 0x61C || cp == 0x200B ||
	       cp == 0x200C || cp == 0x200E || cp == 0x200F ||
	       (cp >= 0x2028 && cp <= 0x202E) ||
	       (cp >= 0x2060 && cp <= 0x206F) || cp == 0xFEFF ||
	       (cp >= 0xE000 && cp <= 0xF8FF) ||
	       (cp >= 0xE0000 && cp <= 0xE0FFF) || cp >= 0xF0000;
}

static void check_shown(struct bytes text, enum text_mode mode)
{
	size_t n;

	P2P_ASSERT(utf8_valid(text));
	while (text.len > 0) {
		P2P_ASSERT(!is_forbidden(utf8_decode(text, &n), mode));
		text = bytes_skip(text, n);
	}
}

/* Every cluster but a newline is seen, so names cannot differ unseen. */
static void check_clusters_are_seen(struct bytes text)
{
	int columns;
	size_t n;

	while ((n = text_cluster(text, &columns)) > 0) {
		P2P_ASSERT(columns > 0 || text.data[0] == '\n');
		text = bytes_skip(text, n);
	}
}

static void check_clean(struct bytes in, enum text_mode mode, size_t max)
{
	struct buf once, twice;
	int err;

	buf_init(&once, max);
	buf_init(&twice, max);
	err = text_clean(mode, in, &once);
	P2P_ASSERT(err == 0 || err == P2P_ERR_TOO_BIG);
	P2P_ASSERT(!once.failed);
	check_shown(buf_bytes(&once), mode);
	check_clusters_are_seen(buf_bytes(&once));
	if (mode == TEXT_NAME) {
		P2P_ASSERT(once.len <= TEXT_NAME_BYTES_MAX);
		P2P_ASSERT(
			text_width(buf_bytes(&once)) <= TEXT_NAME_COLUMNS_MAX);
	}
	if (mode != TEXT_NAME || err == 0) {
		P2P_ASSERT(text_clean(mode, buf_bytes(&once), &twice) == 0);
		P2P_ASSERT(bytes_equal(buf_bytes(&once), buf_bytes(&twice)));
		P2P_ASSERT(text_is_clean(mode, buf_bytes(&once)));
	}
	buf_clear(&once);
	buf_clear(&twice);
}

static void check_shape(struct bytes in, size_t columns)
{
	size_t at = 0, width = 0, last = 0, used, n, next;
	int more;

	while ((n = text_cluster(bytes_skip(in, at), &more)) > 0) {
		P2P_ASSERT(n <= TEXT_CLUSTER_BYTES_MAX);
		P2P_ASSERT(more >= 0 && more <= 2);
		width += (size_t)more;
		at += n;
		last = n;
	}
	P2P_ASSERT(at == in.len);
	P2P_ASSERT(text_width(in) == width);
	P2P_ASSERT(text_last_cluster(in) == last);
	n = text_fit(in, columns, &used);
	P2P_ASSERT(n <= in.len && used <= columns);
	P2P_ASSERT(text_width(bytes_first(in, n)) == used);
	while (in.len > 0) {
		n = text_wrap(in, columns, &next);
		P2P_ASSERT(next > 0 && next <= in.len && n <= next);
		P2P_ASSERT(text_width(bytes_first(in, n)) <= columns);
		in = bytes_skip(in, next);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes in;
	struct buf folded;

	if (size < 2)
		return 0;
	in = bytes_of(data + 2, size - 2);
	for (int mode = TEXT_LINE; mode <= TEXT_NAME; mode++) {
		check_clean(in, (enum text_mode)mode, 4 * size + 64);
		check_clean(in, (enum text_mode)mode, data[0]);
	}
	check_shape(in, 2 + data[1] % 40);
	buf_init(&folded, 64 * size);
	text_fold(in, &folded);
	P2P_ASSERT(utf8_valid(buf_bytes(&folded)));
	buf_clear(&folded);
	return 0;
}
