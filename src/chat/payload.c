/*
 * Payloads read and written, the dialects of payload.h. Bytes come from
 * anybody: they are bounded before the JSON library sees them, and all text is
 * cleaned on the way in. Two programs that have the same unit must come to the
 * same line, so nothing here knows the time, the room or who reads.
 */
#include "chat/payload.h"

#include <jansson.h>
#include <stdlib.h>

#include "base/text.h"
#include "chat/name_internal.h"
#include "chat/payload_members.h"

#define PLAIN_TOPIC "universal-connectivity"
#define GO_CHAT_TOPICS "chat-room:"
#define BYTE_ORDER_MARK "\xef\xbb\xbf"
/* Larger text than anybody may send in a unit. */
#define TEXT_MAX ((size_t)1 << 18)
/* A timestamp "in seconds" above this is in ms: the year 5138 otherwise. */
#define SECONDS_MAX 100000000000LL
/* Larger numbers are cut to this, which a real still holds exactly. */
#define INTEGER_MAX 9.0e15

bool payload_topic_is_plain(struct bytes topic)
{
	return bytes_equal(topic, bytes_str(PLAIN_TOPIC));
}

bool payload_topic_is_go_chat(struct bytes topic)
{
	struct bytes prefix = bytes_str(GO_CHAT_TOPICS);

	return bytes_equal(bytes_first(topic, prefix.len), prefix);
}

const char *dialect_name(enum dialect dialect)
{
	switch (dialect) {
	case DIALECT_NATIVE:
		return "native";
	case DIALECT_SEED_GO:
		return "seed-go";
	case DIALECT_SEED_JS:
		return "seed-js";
	case DIALECT_PLAIN:
		return "plain";
	case DIALECT_GO_CHAT:
		return "go-chat";
	case DIALECT_NONE:
	default:
		return "guessed";
	}
}

/* ---- reading ----------------------------------------------------------- */

/*
 * Bounds what the JSON library is given: nesting, and the number of values
 * (each costs it an allocation). Strings are skipped, escapes included.
 */
static bool json_is_bounded(struct bytes in)
{
	size_t depth = 0, values = 0;
	bool in_string = false;

	for (size_t i = 0; i < in.len; i++) {
		uint8_t c = in.data[i];

		if (in_string) {
			if (c == '\\')
				i++;
			else if (c == '"')
				in_string = false;
			continue;
		}
		if (c == '"')
			in_string = true;
		else if (c == '{' || c == '[')
			depth++, values++;
		else if ((c == '}' || c == ']') && depth > 0)
			depth--;
		else if (c == ',' || c == ':')
			values++;
		if (depth > PAYLOAD_DEPTH_MAX || values > PAYLOAD_VALUES_MAX)
			return false;
	}
	return true;
}

static bool has_word(struct bytes in, const char *word)
{
	return memmem(in.data, in.len, word, strlen(word)) != NULL;
}

/* Whether somebody meant this to be JSON of a chat program. */
static bool looks_like_json(struct bytes in)
{
	in = bytes_trim(in);
	return in.len >= 2 && in.data[0] == '{' && in.data[in.len - 1] == '}' &&
	       (has_word(in, "\"type\"") ||
		       (has_word(in, "\"Message\"") &&
			       has_word(in, "\"SenderNick\"")));
}

/* Some programs of Windows put it in front of all that they write. */
static struct bytes without_mark(struct bytes in)
{
	struct bytes mark = bytes_str(BYTE_ORDER_MARK);

	return bytes_equal(bytes_first(in, mark.len), mark)
		       ? bytes_skip(in, mark.len)
		       : in;
}

/* A positive integer member; programs in JavaScript may write it as a real,
 * and all are read as such: they are exact up to 2^53. */
static bool get_integer(
	const struct members *m, enum member_name name, int64_t *out)
{
	const struct member *member = &m->of[name];

	if (member->kind != MEMBER_NUMBER || !(member->number >= 1))
		return false;
	*out = member->number < INTEGER_MAX ? (int64_t)member->number
					    : (int64_t)INTEGER_MAX;
	return true;
}

/* 0 to 15, or 16. Digits of a hash are any: nothing here should jump. */
static unsigned hex_digit(uint8_t c)
{
	unsigned digit = (unsigned)c - '0', letter = (unsigned)c - 'a';

	letter = letter < 6 ? letter + 10 : 16;
	return digit < 10 ? digit : letter;
}

/* 64 hex digits in lower case. */
static bool get_hash(const struct members *m, enum member_name name,
	uint8_t out[static PAYLOAD_HASH_BYTES])
{
	struct bytes text = m->of[name].text;
	unsigned wrong = 0;

	if (m->of[name].kind != MEMBER_TEXT ||
		text.len != (size_t)2 * PAYLOAD_HASH_BYTES)
		return false;
	for (size_t i = 0; i < PAYLOAD_HASH_BYTES; i++) {
		unsigned high = hex_digit(text.data[2 * i]);
		unsigned low = hex_digit(text.data[2 * i + 1]);

		wrong |= (high | low) & 16;
		out[i] = (uint8_t)(high << 4 | low);
	}
	return wrong == 0;
}

static void set_time(struct payload *p, int64_t ms)
{
	if (ms < 1)
		return;
	p->has_time = true;
	p->time_ms = P2P_MIN((uint64_t)ms, PAYLOAD_TIME_MS_MAX);
}

static void read_time(struct payload *p, const struct members *m)
{
	int64_t value;

	if (p->dialect == DIALECT_NATIVE &&
		get_integer(m, MEMBER_TIME_MS, &value) && value >= 1) {
		set_time(p, value);
		return;
	}
	if (!get_integer(m, MEMBER_TIMESTAMP, &value))
		return;
	if (p->dialect != DIALECT_SEED_JS && value < SECONDS_MAX)
		value = value > 0 ? value * 1000 : 0;
	set_time(p, value);
}

static int read_type(struct payload *p, const struct members *m)
{
	struct bytes type = m->of[MEMBER_TYPE].text;
	int64_t v;

	if (m->of[MEMBER_TYPE].kind != MEMBER_TEXT ||
		(type.len > 0 && memchr(type.data, '\0', type.len) != NULL))
		return P2P_ERR_MALFORMED;
	p->dialect = get_integer(m, MEMBER_V, &v) && v >= 1 ? DIALECT_NATIVE
							    : DIALECT_SEED_GO;
	if (bytes_equal(type, bytes_str("message")))
		p->type = PAYLOAD_MESSAGE;
	else if (bytes_equal(type, bytes_str("join")))
		p->type = PAYLOAD_JOIN;
	else if (bytes_equal(type, bytes_str("leave")))
		p->type = PAYLOAD_LEAVE;
	else if (bytes_equal(type, bytes_str("broadcast")))
		p->dialect = DIALECT_SEED_JS;
	else
		return P2P_ERR_UNSUPPORTED;
	return 0;
}

static void read_name(struct payload *p, const struct member *member)
{
	struct buf name;

	if (member->kind != MEMBER_TEXT)
		return;
	buf_init(&name, sizeof(p->name) - 1);
	/* A name that is too long is cut between clusters; that is no error. */
	(void)name_clean(member->text, &name);
	memcpy(p->name, buf_cstr(&name), name.len + 1);
	buf_clear(&name);
}

/* An object of go-libp2p's chat example: nothing but who and what. */
static int read_go_chat(struct payload *p, const struct members *m)
{
	p->dialect = DIALECT_GO_CHAT;
	if (m->of[MEMBER_MESSAGE].kind != MEMBER_TEXT)
		return P2P_ERR_MALFORMED;
	read_name(p, &m->of[MEMBER_SENDER_NICK]);
	return text_clean(TEXT_BLOCK, m->of[MEMBER_MESSAGE].text, &p->text);
}

/* Of a program whose lines have a type. */
static int read_typed(struct payload *p, const struct members *m)
{
	const struct member *content = &m->of[MEMBER_CONTENT];
	int64_t seq;
	int err = read_type(p, m);

	if (err != 0)
		return err;
	if (content->kind != MEMBER_TEXT && p->type == PAYLOAD_MESSAGE)
		return P2P_ERR_MALFORMED;
	read_name(p, &m->of[MEMBER_USERNAME]);
	read_time(p, m);
	p->has_copy_of = get_hash(m, MEMBER_COPY_OF, p->copy_of);
	p->has_prev = get_hash(m, MEMBER_PREV, p->prev);
	if (get_integer(m, MEMBER_SEQ, &seq) && seq >= 1)
		p->seq = (uint64_t)seq;
	if (content->kind != MEMBER_TEXT)
		return 0;
	return text_clean(TEXT_BLOCK, content->text, &p->text);
}

static int read_members(struct payload *p, const struct members *m)
{
	if (m->of[MEMBER_TYPE].kind == MEMBER_NONE &&
		m->of[MEMBER_SENDER_NICK].kind == MEMBER_TEXT)
		return read_go_chat(p, m);
	return read_typed(p, m);
}

static int parse_json(struct payload *p, struct bytes data)
{
	struct members m;
	int err;

	/* The flat form is within all bounds. */
	if (members_read_flat(&m, data))
		return read_members(p, &m);
	if (!json_is_bounded(data))
		return P2P_ERR_MALFORMED;
	err = members_read(&m, data);
	if (err == 0)
		err = read_members(p, &m);
	members_clear(&m);
	return err;
}

int payload_parse(struct payload *p, struct bytes topic, struct bytes data)
{
	int err;

	*p = (struct payload){.type = PAYLOAD_MESSAGE};
	buf_init(&p->text, TEXT_MAX);
	data = without_mark(data);
	if (!utf8_valid(data)) {
		err = P2P_ERR_UTF8;
	} else if (!payload_topic_is_plain(topic) && looks_like_json(data)) {
		err = parse_json(p, data);
	} else {
		p->dialect = DIALECT_PLAIN;
		err = text_clean(TEXT_BLOCK, data, &p->text);
	}
	if (err != 0)
		payload_clear(p);
	return err;
}

void payload_clear(struct payload *p)
{
	buf_clear(&p->text);
}

/* ---- writing ----------------------------------------------------------- */

static json_t *hash_text(const uint8_t hash[static PAYLOAD_HASH_BYTES])
{
	static const char digits[] = "0123456789abcdef";
	char text[2 * PAYLOAD_HASH_BYTES];

	for (size_t i = 0; i < PAYLOAD_HASH_BYTES; i++) {
		text[2 * i] = digits[hash[i] >> 4];
		text[2 * i + 1] = digits[hash[i] & 15];
	}
	return json_stringn(text, sizeof(text));
}

static const char *type_name(enum dialect dialect, enum payload_type type)
{
	if (type == PAYLOAD_JOIN)
		return "join";
	if (type == PAYLOAD_LEAVE)
		return "leave";
	return dialect == DIALECT_SEED_JS ? "broadcast" : "message";
}

static void add(json_t *object, const char *key, json_t *value)
{
	P2P_ASSERT(json_object_set_new(object, key, value) == 0);
}

static json_t *make_object(enum dialect dialect, const struct payload_out *line)
{
	json_t *o = json_object();
	bool js = dialect == DIALECT_SEED_JS;
	uint64_t stamp = js ? line->time_ms : line->time_ms / 1000;

	add(o, "type", json_string(type_name(dialect, line->type)));
	add(o, "content", json_string(line->text));
	add(o, "username", json_string(line->name));
	add(o, "timestamp", json_integer((json_int_t)P2P_MAX(stamp, 1)));
	add(o, "from", json_string(line->from));
	if (line->copy_of != NULL)
		add(o, "copy_of", hash_text(line->copy_of));
	if (js)
		return o;
	add(o, "v", json_integer(1));
	add(o, "time_ms", json_integer((json_int_t)line->time_ms));
	if (line->seq > 0)
		add(o, "seq", json_integer((json_int_t)line->seq));
	if (line->prev != NULL)
		add(o, "prev", hash_text(line->prev));
	if (line->for_go_chat) {
		add(o, "Message", json_string(line->text));
		add(o, "SenderID", json_string(line->from));
		add(o, "SenderNick", json_string(line->name));
	}
	return o;
}

int payload_write(
	enum dialect dialect, const struct payload_out *line, struct buf *out)
{
	json_t *object;
	char *text;
	int err;

	if (dialect == DIALECT_PLAIN)
		return buf_append_str(out, line->text);
	object = make_object(dialect, line);
	text = json_dumps(object, JSON_COMPACT);
	P2P_ASSERT(text != NULL);
	err = buf_append_str(out, text);
	free(text);
	json_decref(object);
	return err;
}
