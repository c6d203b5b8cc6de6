/*
 * The two readers of an object's members. The quick one takes nothing that it
 * does not understand to the last byte: rather than guess it hands over to the
 * JSON library, whose answer is the one that counts.
 */
#include "chat/payload_members.h"

#include <jansson.h>

#include "base/text.h"

/* 10^15 is below 2^53: a real holds every such number. */
#define DIGITS_MAX 15

static const char *const names[MEMBER_COUNT] = {
	[MEMBER_TYPE] = "type",
	[MEMBER_CONTENT] = "content",
	[MEMBER_USERNAME] = "username",
	[MEMBER_TIMESTAMP] = "timestamp",
	[MEMBER_FROM] = "from",
	[MEMBER_V] = "v",
	[MEMBER_TIME_MS] = "time_ms",
	[MEMBER_SEQ] = "seq",
	[MEMBER_PREV] = "prev",
	[MEMBER_COPY_OF] = "copy_of",
	[MEMBER_MESSAGE] = "Message",
	[MEMBER_SENDER_ID] = "SenderID",
	[MEMBER_SENDER_NICK] = "SenderNick",
};

/* ---- the flat form ----------------------------------------------------- */

/* Takes the byte that must stand next, behind spaces. */
static bool take(struct bytes *in, uint8_t c)
{
	while (in->len > 0 && bytes_is_blank(in->data[0]))
		*in = bytes_skip(*in, 1);
	if (in->len == 0 || in->data[0] != c)
		return false;
	*in = bytes_skip(*in, 1);
	return true;
}

/* A string without escapes; its first quote has been taken. */
static bool take_string(struct bytes *in, struct bytes *text)
{
	*text = bytes_first(*in, text_json_run(*in));
	if (text->len == in->len || in->data[text->len] != '"')
		return false;
	*in = bytes_skip(*in, text->len + 1);
	return true;
}

/* A whole number that no other digit or sign stands beside. */
static bool take_number(struct bytes *in, double *number)
{
	uint64_t value = 0;
	size_t n = 0;

	while (n < in->len && n <= DIGITS_MAX && in->data[n] >= '0' &&
		in->data[n] <= '9')
		value = value * 10 + (uint64_t)(in->data[n++] - '0');
	if (n == 0 || n > DIGITS_MAX || (n > 1 && in->data[0] == '0'))
		return false;
	if (n == in->len || (!bytes_is_blank(in->data[n]) &&
				    in->data[n] != ',' && in->data[n] != '}'))
		return false;
	*number = (double)value;
	*in = bytes_skip(*in, n);
	return true;
}

static struct member *member_of(struct members *m, struct bytes name)
{
	for (size_t i = 0; i < MEMBER_COUNT; i++)
		if (name.len > 0 && (uint8_t)names[i][0] == name.data[0] &&
			bytes_equal(name, bytes_str(names[i])))
			return &m->of[i];
	return NULL;
}

static bool take_member(struct members *m, struct bytes *in)
{
	struct member *member;
	struct bytes name;

	if (!take(in, '"') || !take_string(in, &name) || !take(in, ':'))
		return false;
	member = member_of(m, name);
	if (member == NULL || member->kind != MEMBER_NONE)
		return false;
	if (take(in, '"')) {
		member->kind = MEMBER_TEXT;
		return take_string(in, &member->text);
	}
	member->kind = MEMBER_NUMBER;
	return take_number(in, &member->number);
}

bool members_read_flat(struct members *m, struct bytes in)
{
	*m = (struct members){.object = NULL};
	if (!take(&in, '{'))
		return false;
	do {
		if (!take_member(m, &in))
			return false;
	} while (take(&in, ','));
	if (!take(&in, '}'))
		return false;
	return bytes_trim(in).len == 0;
}

/* ---- any object -------------------------------------------------------- */

int members_read(struct members *m, struct bytes in)
{
	json_error_t error;

	*m = (struct members){.object = NULL};
	/* Numbers as reals: one too large for 64 bits, in a member that we do
	 * not even know, is no reason to hide the line. Nor is a NUL. */
	m->object = json_loadb((const char *)in.data, in.len,
		JSON_REJECT_DUPLICATES | JSON_DECODE_INT_AS_REAL |
			JSON_ALLOW_NUL,
		&error);
	if (!json_is_object((json_t *)m->object))
		return P2P_ERR_MALFORMED;
	for (size_t i = 0; i < MEMBER_COUNT; i++) {
		const json_t *value = json_object_get(m->object, names[i]);

		if (json_is_string(value)) {
			m->of[i].kind = MEMBER_TEXT;
			m->of[i].text = bytes_of(json_string_value(value),
				json_string_length(value));
		} else if (json_is_real(value)) {
			m->of[i].kind = MEMBER_NUMBER;
			m->of[i].number = json_real_value(value);
		}
	}
	return 0;
}

void members_clear(struct members *m)
{
	json_decref(m->object);
	m->object = NULL;
}
