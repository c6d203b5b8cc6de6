/*
 * Looks of any bytes: valid text within the limits, and capitals of ASCII tell
 * no names apart.
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
	struct text_looks looks;

	text_looks_of(in, &looks);
	P2P_ASSERT(strlen(looks.small) < TEXT_LOOK_MAX);
	P2P_ASSERT(strlen(looks.drawn) < TEXT_LOOK_MAX);
	P2P_ASSERT(utf8_valid(bytes_str(looks.small)));
	P2P_ASSERT(utf8_valid(bytes_str(looks.drawn)));
	P2P_ASSERT(looks.small[0] == '\0' || text_looks_alike(&looks, &looks));
}

/* Of ASCII alone: folding joins some letters with the mark behind them. */
static void check_capitals(struct bytes in)
{
	struct text_looks looks, capitals;
	uint8_t name[TEXT_NAME_BYTES_MAX];

	in = bytes_first(in, P2P_MIN(in.len, sizeof(name)));
	for (size_t i = 0; i < in.len; i++)
		name[i] = in.data[i] >= 'a' && in.data[i] <= 'z'
				  ? (uint8_t)(in.data[i] - 32)
				  : in.data[i];
	for (size_t i = 0; i < in.len; i++)
		if (in.data[i] >= 0x80)
			return;
	text_looks_of(in, &looks);
	text_looks_of(bytes_of(name, in.len), &capitals);
	P2P_ASSERT(strcmp(looks.small, capitals.small) == 0);
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
	check_capitals(in);
	(void)text_mixes_scripts(in);
	return 0;
}
