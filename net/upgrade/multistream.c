/*
 * Frames of multistream-select and the two sides' turns. A frame that has not
 * come whole is left untaken, so this keeps no bytes; what a side answers goes
 * out whole or not at all, and then the frame that it answers stays untaken,
 * too.
 */
#include "net/upgrade/multistream.h"

#include "base/cursor.h"

/* A length of at most MULTISTREAM_FRAME_BYTES_MAX takes two bytes. */
#define LENGTH_BYTES_MAX 2

static const char header_name[] = "/multistream/1.0.0";
static const char refusal[] = "na";

/* Length (counting the newline), text, newline. P2P_ERR_FULL with nothing
 * appended. */
static int put_frame(struct bufq *out, const char *text)
{
	size_t text_len = strlen(text);
	size_t len = text_len + 1;
	size_t length_len = len < 0x80 ? 1 : 2;
	uint8_t *to = bufq_extend(out, length_len + len);

	if (to == NULL)
		return P2P_ERR_FULL;
	to[0] = (uint8_t)(len & 0x7f);
	if (length_len == 2) {
		to[0] |= 0x80;
		to[1] = (uint8_t)(len >> 7);
	}
	memcpy(to + length_len, text, text_len);
	to[length_len + text_len] = '\n';
	return 0;
}

/* Both or none. */
static int put_two_frames(
	struct bufq *out, const char *first, const char *second)
{
	size_t before = out->len;
	int err = put_frame(out, first);

	if (err == 0)
		err = put_frame(out, second);
	if (err != 0)
		bufq_unextend(out, out->len - before);
	return err;
}

int multistream_init(struct multistream *ms, const char *const *names,
	bool initiator, struct bufq *out)
{
	*ms = (struct multistream){
		.names = names,
		.chosen = -1,
		.initiator = initiator,
	};
	P2P_ASSERT(names[0] != NULL);
	for (size_t i = 0; names[i] != NULL; i++)
		P2P_ASSERT(strlen(names[i]) <= MULTISTREAM_NAME_BYTES_MAX);
	if (!initiator)
		return 0;
	return put_two_frames(out, header_name, names[0]);
}

/*
 * The text of the next whole frame without its newline; *size is what the
 * frame takes in all. P2P_ERR_TRUNCATED when more bytes are needed.
 */
static int next_frame(struct bytes in, struct bytes *text, size_t *size)
{
	struct cursor c = cur_of(in);
	uint64_t len = cur_uvarint(&c, LENGTH_BYTES_MAX);
	struct bytes frame;

	/* A third length byte can only belong to a frame that is too large. */
	if (cur_err(&c) == P2P_ERR_MALFORMED && in.len >= LENGTH_BYTES_MAX &&
		in.data[LENGTH_BYTES_MAX - 1] >= 0x80)
		return P2P_ERR_TOO_BIG;
	if (!cur_ok(&c))
		return cur_err(&c);
	if (len > MULTISTREAM_FRAME_BYTES_MAX)
		return P2P_ERR_TOO_BIG;
	frame = cur_take(&c, (size_t)len);
	if (!cur_ok(&c))
		return cur_err(&c);
	if (frame.len == 0 || frame.data[frame.len - 1] != '\n')
		return P2P_ERR_MALFORMED;
	*text = bytes_first(frame, frame.len - 1);
	*size = in.len - cur_left(&c);
	return 0;
}

static int initiator_answer(
	struct multistream *ms, struct bytes text, struct bufq *out)
{
	int err;

	if (bytes_equal(text, bytes_str(ms->names[ms->next]))) {
		ms->chosen = (int)ms->next;
		return 0;
	}
	if (!bytes_equal(text, bytes_str(refusal)))
		return P2P_ERR_MALFORMED;
	if (ms->names[ms->next + 1] == NULL)
		return P2P_ERR_NO_PROTOCOL;
	err = put_frame(out, ms->names[ms->next + 1]);
	if (err == 0)
		ms->next++;
	return err;
}

static int listener_answer(
	struct multistream *ms, struct bytes text, struct bufq *out)
{
	int err;

	for (int i = 0; ms->names[i] != NULL; i++) {
		if (!bytes_equal(text, bytes_str(ms->names[i])))
			continue;
		err = put_frame(out, ms->names[i]);
		if (err == 0)
			ms->chosen = i;
		return err;
	}
	if (ms->refusals >= MULTISTREAM_REFUSALS_MAX)
		return P2P_ERR_LIMIT;
	err = put_frame(out, refusal);
	if (err == 0)
		ms->refusals++;
	return err;
}

static int take_header(
	struct multistream *ms, struct bytes text, struct bufq *out)
{
	int err = 0;

	if (!bytes_equal(text, bytes_str(header_name)))
		return P2P_ERR_MALFORMED;
	if (!ms->initiator)
		err = put_frame(out, header_name);
	if (err == 0)
		ms->header_seen = true;
	return err;
}

static int take_frame(
	struct multistream *ms, struct bytes text, struct bufq *out)
{
	if (!ms->header_seen)
		return take_header(ms, text, out);
	return ms->initiator ? initiator_answer(ms, text, out)
			     : listener_answer(ms, text, out);
}

int multistream_feed(struct multistream *ms, struct bytes in, size_t *taken,
	struct bufq *out)
{
	*taken = 0;
	if (ms->failed)
		return P2P_ERR_STATE;
	while (!multistream_done(ms)) {
		struct bytes text;
		size_t size;
		int err = next_frame(bytes_skip(in, *taken), &text, &size);

		if (err == P2P_ERR_TRUNCATED)
			return 0;
		if (err == 0)
			err = take_frame(ms, text, out);
		/* A full queue is no fault: the frame stays untaken. */
		ms->failed = err != 0 && err != P2P_ERR_FULL;
		if (err != 0)
			return err;
		*taken += size;
	}
	return 0;
}
