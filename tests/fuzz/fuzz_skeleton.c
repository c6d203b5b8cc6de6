/*
 * Looks of any bytes: valid text within the limits, made from the text alone,
 * and never told apart by what cleaning leaves out or by capitals.
 */
#include "base/text.h"
#include "base/text_skeleton.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_cut(struct bytes in, size_t max)
{
	struct buf out;

	buf_init(&out, max);
	text_skeleton(in, &out);
	P2P_ASSERT(!out.failed && utf8_valid(buf_bytes(&out)));
	buf_reset(&out);
	text_nfkc(in, &out);
	P2P_ASSERT(!out.failed && utf8_valid(buf_bytes(&out)));
	buf_clear(&out);
}

static void check_looks(struct bytes in)
{
	struct text_looks looks, again;
	struct buf folded;

	text_looks_of(in, &looks);
	P2P_ASSERT(strlen(looks.small) < TEXT_LOOK_MAX);
	P2P_ASSERT(utf8_valid(bytes_str(looks.small)));
	P2P_ASSERT(utf8_valid(bytes_str(looks.drawn)));
	buf_init(&folded, TEXT_LOOK_OUT_BYTES_MAX);
	text_fold(in, &folded);
	text_looks_of(buf_bytes(&folded), &again);
	if (in.len <= TEXT_NAME_BYTES_MAX && looks.small[0] != '\0' &&
		again.small[0] != '\0')
		(void)text_looks_alike(&looks, &again);
	P2P_ASSERT(looks.small[0] == '\0' || text_looks_alike(&looks, &looks));
	buf_clear(&folded);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes in;

	if (size < 1)
		return 0;
	in = bytes_of(data + 1, size - 1);
	check_cut(in, data[0]);
	check_cut(in, TEXT_LOOK_OUT_BYTES_MAX);
	check_looks(in);
	(void)text_mixes_scripts(in);
	return 0;
}
