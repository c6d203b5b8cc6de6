/*
 * The --json form. Member names and values are a promise (man page, "JSON"):
 * members may be added, never renamed or taken away.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "msg/net_figures.h"
#include "ui/line/line_internal.h"

static const char hex_digits[] = "0123456789abcdef";

/* ---- writing ----------------------------------------------------------- */

/* A byte that may not stand for itself (RFC 8259, section 7). */
static void put_escape(struct buf *out, uint8_t byte)
{
	static const char bytes[] = "\"\\\b\f\n\r\t";
	static const char letters[] = "\"\\bfnrt";
	const char *at = byte == 0 ? NULL : strchr(bytes, byte);

	(void)buf_append_u8(out, '\\');
	if (at != NULL)
		(void)buf_append_u8(out, (uint8_t)letters[at - bytes]);
	else
		(void)buf_appendf(out, "u%04X", byte);
}

/* A string in quotes; the text is UTF-8. */
static void put_string(struct buf *out, struct bytes text)
{
	(void)buf_append_u8(out, '"');
	for (;;) {
		size_t run = text_json_run(text);

		(void)buf_append(out, bytes_first(text, run));
		if (run == text.len)
			break;
		put_escape(out, text.data[run]);
		text = bytes_skip(text, run + 1);
	}
	(void)buf_append_u8(out, '"');
}

/* Between members, and between the items of an array. */
static void put_comma(struct buf *out)
{
	if (out->len > 0 && strchr("{[", out->data[out->len - 1]) == NULL)
		(void)buf_append_u8(out, ',');
}

static void put_key(struct buf *out, const char *key)
{
	put_comma(out);
	(void)buf_append_u8(out, '"');
	(void)buf_append_str(out, key);
	(void)buf_append_str(out, "\":");
}

/* A string member; NULL gives null. Topics may be any bytes, so what is not
 * UTF-8 is shown as text_clean shows it. */
static void put_text(struct buf *out, const char *key, const char *text)
{
	struct buf clean;

	put_key(out, key);
	if (text == NULL) {
		(void)buf_append_str(out, "null");
		return;
	}
	if (utf8_valid(bytes_str(text))) {
		put_string(out, bytes_str(text));
		return;
	}
	buf_init(&clean, 4 * strlen(text) + 4);
	(void)text_clean(TEXT_BLOCK, bytes_str(text), &clean);
	put_string(out, buf_bytes(&clean));
	buf_clear(&clean);
}

static void put_bool(struct buf *out, const char *key, bool value)
{
	put_key(out, key);
	(void)buf_append_str(out, value ? "true" : "false");
}

static void put_count(struct buf *out, const char *key, uint64_t value)
{
	char digits[24];

	put_key(out, key);
	(void)snprintf(digits, sizeof(digits), "%" PRIu64,
		P2P_MIN(value, (uint64_t)INT64_MAX));
	(void)buf_append_str(out, digits);
}

static void put_id(struct buf *out, const uint8_t id[static MSG_UNIT_ID_BYTES])
{
	char text[MSG_ID_TEXT_MAX];

	for (size_t i = 0; i < MSG_UNIT_ID_BYTES; i++) {
		text[2 * i] = hex_digits[id[i] >> 4];
		text[2 * i + 1] = hex_digits[id[i] & 15];
	}
	text[MSG_ID_TEXT_MAX - 1] = '\0';
	put_text(out, "id", text);
}

/* An array of the lines of `text`; what is not UTF-8 is left out. */
static void put_list(struct buf *out, const char *key, const char *text)
{
	bool first = true;

	put_key(out, key);
	(void)buf_append_u8(out, '[');
	while (text != NULL && *text != '\0') {
		struct bytes item = bytes_of(text, strcspn(text, "\n"));

		text += item.len + (text[item.len] == '\n');
		if (item.len == 0 || !utf8_valid(item))
			continue;
		if (!first)
			(void)buf_append_u8(out, ',');
		first = false;
		put_string(out, item);
	}
	(void)buf_append_u8(out, ']');
}

/* Begins an event behind those that wait to be written. */
static struct buf *event(struct line_face *f, const char *name)
{
	f->event_at = f->out.len;
	(void)buf_append_str(&f->out, "{\"event\":\"");
	(void)buf_append_str(&f->out, name);
	(void)buf_append_u8(&f->out, '"');
	return &f->out;
}

/* Ends it. A part of a line would break the reader's parser, so one that has
 * no room is left out. */
static void emit(struct line_face *f)
{
	(void)buf_append_str(&f->out, "}\n");
	if (!f->out.failed)
		return;
	buf_truncate(&f->out, f->event_at);
	f->out.failed = false;
}

/* ---- the events -------------------------------------------------------- */

static void emit_ready(struct line_face *f, const struct ui_msg *m)
{
	struct buf *o;

	if (f->ready_told)
		return;
	f->ready_told = true;
	o = event(f, "ready");
	put_text(o, "peer_id", m->peer);
	put_list(o, "listen", m->text);
	put_text(o, "name", m->name);
	put_text(o, "room", line_room_title(f, m));
	put_text(o, "topic", m->room);
	emit(f);
}

static void emit_room(struct line_face *f, const struct ui_msg *m)
{
	struct buf *o;

	if (!m->changed)
		return;
	o = event(f, "room");
	put_text(o, "room", line_room_title(f, m));
	put_text(o, "topic", m->room);
	put_text(o, "state", m->joined ? "joined" : "left");
	put_count(o, "members", m->members);
	emit(f);
}

static const char *type_name(enum ui_line_type type)
{
	switch (type) {
	case UI_TYPE_MESSAGE:
		return "message";
	case UI_TYPE_JOIN:
		return "join";
	case UI_TYPE_LEAVE:
		return "leave";
	case UI_TYPE_DAMAGED:
		return "damaged";
	}
	return "message";
}

static const char *state_name(enum ui_line_state state)
{
	switch (state) {
	case UI_STATE_NONE:
		return NULL;
	case UI_STATE_WAITING:
		return "waiting";
	case UI_STATE_HANDED:
		return "handed";
	case UI_STATE_UNSAVED:
		return "unsaved";
	case UI_STATE_SAVED:
		return "saved";
	}
	return NULL;
}

/* Null: known, and nobody else's name. */
static const char *mark_name(char mark)
{
	switch (mark) {
	case UI_MARK_NEW:
		return "new";
	case UI_MARK_CLASH:
		return "clash";
	case UI_MARK_VERIFIED:
		return "verified";
	default:
		return NULL;
	}
}

static void emit_line(struct line_face *f, const struct ui_msg *m)
{
	const struct ui_line *l = &m->line;
	bool damaged = l->type == UI_TYPE_DAMAGED;
	struct buf *o;

	if (l->origin == UI_LINE_PAGE)
		return;
	o = event(f, l->origin == UI_LINE_HISTORY ? "history" : "message");
	put_text(o, "room", line_room_title(f, m));
	put_text(o, "topic", m->room);
	put_id(o, l->id);
	/* Of a damaged line these are not known. */
	put_text(o, "from", damaged ? NULL : l->from);
	put_text(o, "name", damaged ? NULL : l->nameless ? "" : l->name);
	put_text(o, "mark", l->own ? NULL : mark_name(l->name_mark));
	put_text(o, "text", damaged ? NULL : l->text == NULL ? "" : l->text);
	put_text(o, "type", type_name(l->type));
	put_count(o, "time_ms", l->time_ms);
	put_bool(o, "own", l->own);
	put_bool(o, "known", l->known);
	put_text(o, "state", state_name(l->state));
	put_bool(o, "kept", !l->not_kept && l->state != UI_STATE_UNSAVED);
	emit(f);
}

static void emit_state(struct line_face *f, const struct ui_msg *m)
{
	struct buf *o = event(f, "state");

	put_id(o, m->line.id);
	put_text(o, "state", state_name(m->line.state));
	emit(f);
}

/* Names often become known a moment after the peer has come. */
static void emit_name(struct line_face *f, const struct ui_person *p)
{
	struct buf *o = event(f, "name");

	put_text(o, "peer_id", p->peer);
	put_text(o, "name", p->name);
	put_text(o, "mark", mark_name(p->name_mark));
	emit(f);
}

static void emit_peer(struct line_face *f, const struct ui_person *p)
{
	struct buf *o = event(f, "peer");

	put_text(o, "peer_id", p->peer);
	put_text(o, "name", p->name[0] == '\0' ? NULL : p->name);
	put_text(o, "mark", mark_name(p->name_mark));
	put_text(o, "state", p->connected ? "connected" : "disconnected");
	put_text(o, "addr", p->address);
	put_text(o, "direction", p->outbound ? "out" : "in");
	put_bool(o, "relayed", p->relayed);
	put_text(o, "agent", p->agent);
	put_text(o, "muxer", p->muxer);
	put_list(o, "protocols", p->protocols);
	emit(f);
}

static void emit_person(struct line_face *f, const struct ui_person *p)
{
	if (p->announce)
		emit_peer(f, p);
	else if (p->renamed)
		emit_name(f, p);
}

static void emit_notice(struct line_face *f, const char *level,
	const char *code, const char *text)
{
	struct buf *o = event(f, "notice");

	put_text(o, "level", level);
	if (code != NULL)
		put_text(o, "code", code);
	put_text(o, "text", text == NULL ? "" : text);
	emit(f);
}

static const char *level_name(enum ui_level level)
{
	switch (level) {
	case UI_LEVEL_INFO:
		return "info";
	case UI_LEVEL_WARN:
		return "warn";
	case UI_LEVEL_ERROR:
		return "error";
	}
	return "info";
}

static void emit_status(struct line_face *f, const struct ui_msg *m)
{
	struct buf text;

	if (!line_status_is_news(f, m))
		return;
	buf_init(&text, 4096);
	(void)buf_appendf(&text, "%s: %s", line_status_item(m->item),
		m->text == NULL ? "" : m->text);
	emit_notice(f, m->status == CHAT_STATE_FAILED ? "warn" : "info", NULL,
		buf_cstr(&text));
	buf_clear(&text);
}

static void emit_net(struct line_face *f, const struct ui_msg *m)
{
	struct buf *o;

	if (m->figures == NULL)
		return;
	o = event(f, "net");
	for (size_t i = 0; i < NET_FIGURE_COUNT; i++)
		put_count(o, net_figure_table[i].name, m->figures[i]);
	emit(f);
}

/* A score; in hundredths, whatever the locale's decimal point. */
static void put_hundredths(struct buf *out, const char *key, double value)
{
	long long n = (long long)(P2P_MAX(P2P_MIN(value, 1e12), -1e12) * 100);

	put_key(out, key);
	(void)buf_appendf(out, "%s%lld.%02lld", n < 0 ? "-" : "",
		(n < 0 ? -n : n) / 100, (n < 0 ? -n : n) % 100);
}

/* A number, or null where there is none. */
static void put_span(struct buf *out, const char *key, uint64_t value)
{
	if (value == UINT64_MAX)
		put_text(out, key, NULL);
	else
		put_count(out, key, value);
}

/* Microseconds as ms with a fraction, or null. */
static void put_ms(struct buf *out, const char *key, uint64_t us)
{
	if (us == UINT64_MAX) {
		put_text(out, key, NULL);
		return;
	}
	put_key(out, key);
	(void)buf_appendf(out, "%llu.%03u", (unsigned long long)(us / 1000),
		(unsigned)(us % 1000));
}

/* The words between commas as an array. */
static void put_sources(struct buf *out, const char *words)
{
	char lines[sizeof(((struct peer_address *)0)->sources)];
	size_t n = 0;

	for (const char *at = words; *at != '\0'; at++)
		if (*at != ' ' || at == words || at[-1] != ',')
			lines[n++] = *at == ',' ? '\n' : *at;
	lines[n] = '\0';
	put_list(out, "sources", lines);
}

/* An object in an array. */
static void put_begin(struct buf *out)
{
	put_comma(out);
	(void)buf_append_u8(out, '{');
}

static void put_address(struct buf *o, const struct peer_address *a)
{
	put_text(o, "addr", a->addr);
	put_sources(o, a->sources);
	put_bool(o, "certified", a->certified);
	put_bool(o, "in_use", a->in_use);
	put_span(o, "seen_ms_ago", a->seen_ms_ago);
	put_span(o, "worked_ms_ago", a->ok_ms_ago);
	put_count(o, "failures", a->failures);
	put_count(o, "rests_ms", a->retry_in_ms);
	put_text(o, "why_not", a->why_not);
}

static void put_person(struct buf *o, const struct ui_person *p)
{
	put_text(o, "peer_id", p->peer);
	put_text(o, "name", p->name);
	put_text(o, "mark", mark_name(p->name_mark));
	put_text(o, "state", p->connected ? "connected" : "disconnected");
	put_text(o, "addr", p->connected ? p->address : NULL);
	put_text(o, "how", p->how);
	put_text(o, "direction",
		!p->connected ? NULL
		: p->outbound ? "out"
			      : "in");
	put_bool(o, "relayed", p->relayed);
	put_text(o, "agent", p->agent);
	put_text(o, "muxer", p->muxer);
	put_ms(o, "rtt_ms", p->rtt_us);
	put_list(o, "rooms", p->rooms);
	put_bool(o, "ignored", p->ignored);
	put_span(o, "first_seen_ms",
		p->first_seen_ms == 0 ? UINT64_MAX : p->first_seen_ms);
}

static void emit_whois(struct line_face *f, const struct ui_msg *m)
{
	const struct ui_person *p = &m->person;
	struct buf *o = event(f, "whois");

	put_person(o, p);
	put_list(o, "protocols", p->protocols);
	put_text(o, "key", p->key);
	put_bool(o, "kept", p->kept);
	if (p->scored)
		put_hundredths(o, "score", p->score);
	else
		put_text(o, "score", NULL);
	put_key(o, "addresses");
	(void)buf_append_u8(o, '[');
	for (size_t i = 0; i < m->address_count; i++) {
		put_begin(o);
		put_address(o, &m->addresses[i]);
		(void)buf_append_u8(o, '}');
	}
	(void)buf_append_u8(o, ']');
	emit(f);
}

static void emit_peers(struct line_face *f, const struct ui_msg *m)
{
	struct buf *o = event(f, "peers");

	put_key(o, "connected");
	(void)buf_append_u8(o, '[');
	for (size_t i = 0; i < m->people_count; i++) {
		put_begin(o);
		put_person(o, &m->people[i]);
		(void)buf_append_u8(o, '}');
	}
	(void)buf_append_u8(o, ']');
	put_count(o, "known_count", m->known);
	put_key(o, "known");
	(void)buf_append_u8(o, '[');
	for (size_t i = 0; i < m->address_count; i++) {
		put_begin(o);
		put_text(o, "peer_id",
			m->addresses[i].peer[0] == '\0' ? NULL
							: m->addresses[i].peer);
		put_address(o, &m->addresses[i]);
		put_count(o, "more", m->addresses[i].more);
		(void)buf_append_u8(o, '}');
	}
	(void)buf_append_u8(o, ']');
	emit(f);
}

void line_json_error(struct line_face *f, const char *code, const char *text)
{
	struct buf *o = event(f, "error");

	put_text(o, "code", code == NULL ? "failed" : code);
	put_text(o, "text", text == NULL ? "" : text);
	emit(f);
}

void line_json_event(struct line_face *f, const struct ui_msg *m)
{
	switch ((enum ui_msg_kind)m->msg.kind) {
	case UI_MSG_READY:
		emit_ready(f, m);
		break;
	case UI_MSG_ROOM:
		emit_room(f, m);
		break;
	case UI_MSG_LINE:
		emit_line(f, m);
		break;
	case UI_MSG_STATE:
		emit_state(f, m);
		break;
	case UI_MSG_PERSON:
		emit_person(f, &m->person);
		break;
	case UI_MSG_STATUS:
		emit_status(f, m);
		break;
	case UI_MSG_NOTICE:
		emit_notice(f, level_name(m->level), m->code, m->text);
		break;
	case UI_MSG_NET:
		emit_net(f, m);
		break;
	case UI_MSG_WHOIS:
		emit_whois(f, m);
		break;
	case UI_MSG_PEERS:
		emit_peers(f, m);
		break;
	case UI_MSG_ERROR:
		line_json_error(f, m->code, m->text);
		break;
	case UI_MSG_NAME:
	case UI_MSG_FOCUS:
	case UI_MSG_PAGE_END:
	case UI_MSG_MEMBER:
	case UI_MSG_UNFOLD:
	case UI_MSG_CLEAR:
	case UI_MSG_RELOAD:
	case UI_MSG_QUIT:
		break;
	}
}
