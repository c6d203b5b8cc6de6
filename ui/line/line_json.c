/*
 * The --json form. Member names and values are a promise (man page, "JSON"):
 * members may be added, never renamed or taken away.
 */
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "msg/net_figures.h"
#include "ui/line/line_internal.h"

static const char hex_digits[] = "0123456789abcdef";

/* A string member; NULL gives null. Topics may be any bytes, so what is not
 * UTF-8 is shown as text_clean shows it. */
static void put_text(json_t *o, const char *key, const char *text)
{
	struct buf clean;

	if (text == NULL) {
		(void)json_object_set_new(o, key, json_null());
		return;
	}
	if (utf8_valid(bytes_str(text))) {
		(void)json_object_set_new(o, key, json_string(text));
		return;
	}
	buf_init(&clean, 4 * strlen(text) + 4);
	(void)text_clean(TEXT_BLOCK, bytes_str(text), &clean);
	(void)json_object_set_new(o, key, json_string(buf_cstr(&clean)));
	buf_clear(&clean);
}

static void put_bool(json_t *o, const char *key, bool value)
{
	(void)json_object_set_new(o, key, json_boolean(value));
}

static void put_count(json_t *o, const char *key, uint64_t value)
{
	(void)json_object_set_new(
		o, key, json_integer((json_int_t)P2P_MIN(value, INT64_MAX)));
}

static void put_id(json_t *o, const uint8_t id[static MSG_UNIT_ID_BYTES])
{
	char text[MSG_ID_TEXT_MAX];

	for (size_t i = 0; i < MSG_UNIT_ID_BYTES; i++) {
		text[2 * i] = hex_digits[id[i] >> 4];
		text[2 * i + 1] = hex_digits[id[i] & 15];
	}
	text[MSG_ID_TEXT_MAX - 1] = '\0';
	put_text(o, "id", text);
}

/* An array of the lines of `text`. */
static void put_list(json_t *o, const char *key, const char *text)
{
	json_t *list = json_array();

	while (text != NULL && *text != '\0') {
		size_t len = strcspn(text, "\n");

		if (len > 0)
			(void)json_array_append_new(
				list, json_stringn(text, len));
		text += len + (text[len] == '\n');
	}
	(void)json_object_set_new(o, key, list);
}

/* Writes the object as one line; takes it. */
static void emit(struct line_face *f, json_t *o)
{
	char *text = json_dumps(o, JSON_COMPACT);

	if (text != NULL) {
		(void)buf_append_str(&f->out, text);
		(void)buf_append_u8(&f->out, '\n');
	}
	/* A part of a line would break the reader's parser. */
	if (f->out.failed)
		buf_reset(&f->out);
	free(text);
	json_decref(o);
}

static json_t *event(const char *name)
{
	json_t *o = json_object();

	put_text(o, "event", name);
	return o;
}

static void emit_ready(struct line_face *f, const struct ui_msg *m)
{
	json_t *o;

	if (f->ready_told)
		return;
	f->ready_told = true;
	o = event("ready");
	put_text(o, "peer_id", m->peer);
	put_list(o, "listen", m->text);
	put_text(o, "name", m->name);
	put_text(o, "room", line_room_title(f, m));
	put_text(o, "topic", m->room);
	emit(f, o);
}

static void emit_room(struct line_face *f, const struct ui_msg *m)
{
	json_t *o;

	if (!m->changed)
		return;
	o = event("room");
	put_text(o, "room", line_room_title(f, m));
	put_text(o, "topic", m->room);
	put_text(o, "state", m->joined ? "joined" : "left");
	put_count(o, "members", m->members);
	emit(f, o);
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
	}
	return NULL;
}

static void emit_line(struct line_face *f, const struct ui_msg *m)
{
	const struct ui_line *l = &m->line;
	json_t *o;

	if (l->origin == UI_LINE_PAGE)
		return;
	o = event(l->origin == UI_LINE_HISTORY ? "history" : "message");
	put_text(o, "room", line_room_title(f, m));
	put_text(o, "topic", m->room);
	put_id(o, l->id);
	put_text(o, "from", l->from);
	put_text(o, "name", l->name);
	put_text(o, "text", l->text == NULL ? "" : l->text);
	put_text(o, "type", type_name(l->type));
	put_count(o, "time_ms", l->time_ms);
	put_bool(o, "own", l->own);
	put_text(o, "state", state_name(l->state));
	emit(f, o);
}

static void emit_state(struct line_face *f, const struct ui_msg *m)
{
	json_t *o = event("state");

	put_id(o, m->line.id);
	put_text(o, "state", state_name(m->line.state));
	emit(f, o);
}

static void emit_peer(struct line_face *f, const struct ui_msg *m)
{
	const struct ui_person *p = &m->person;
	json_t *o;

	if (!p->announce)
		return;
	o = event("peer");
	put_text(o, "peer_id", p->peer);
	put_text(o, "state", p->connected ? "connected" : "disconnected");
	put_text(o, "addr", p->address);
	put_text(o, "direction", p->outbound ? "out" : "in");
	put_bool(o, "relayed", p->relayed);
	put_text(o, "agent", p->agent);
	put_text(o, "muxer", p->muxer);
	put_list(o, "protocols", p->protocols);
	emit(f, o);
}

static void emit_notice(
	struct line_face *f, const char *level, const char *text)
{
	json_t *o = event("notice");

	put_text(o, "level", level);
	put_text(o, "text", text == NULL ? "" : text);
	emit(f, o);
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
	emit_notice(f, m->status == CHAT_STATE_FAILED ? "warn" : "info",
		buf_cstr(&text));
	buf_clear(&text);
}

static void emit_net(struct line_face *f, const struct ui_msg *m)
{
	json_t *o;

	if (m->figures == NULL)
		return;
	o = event("net");
	for (size_t i = 0; i < NET_FIGURE_COUNT; i++)
		put_count(o, net_figure_table[i].name, m->figures[i]);
	emit(f, o);
}

void line_json_error(struct line_face *f, const char *code, const char *text)
{
	json_t *o = event("error");

	put_text(o, "code", code == NULL ? "failed" : code);
	put_text(o, "text", text == NULL ? "" : text);
	emit(f, o);
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
		emit_peer(f, m);
		break;
	case UI_MSG_STATUS:
		emit_status(f, m);
		break;
	case UI_MSG_NOTICE:
		emit_notice(f, level_name(m->level), m->text);
		break;
	case UI_MSG_NET:
		emit_net(f, m);
		break;
	case UI_MSG_ERROR:
		line_json_error(f, m->code, m->text);
		break;
	case UI_MSG_NAME:
	case UI_MSG_FOCUS:
	case UI_MSG_PAGE_END:
	case UI_MSG_MEMBER:
	case UI_MSG_CLEAR:
	case UI_MSG_RELOAD:
	case UI_MSG_QUIT:
		break;
	}
}
