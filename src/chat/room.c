/*
 * Rooms: topics that we are in, were in, or know of from peers. A topic is any
 * bytes; a room is called by its title, which can be typed and leads back to
 * the topic and to no other.
 */
#include "chat/room_internal.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/text.h"
#include "base/xmalloc.h"
#include "chat/chat_internal.h"
#include "chat/out_internal.h"
#include "chat/payload.h"
#include "chat/person_internal.h"

#define LOBBY_TITLE "lobby"
#define ONLY_SETTING "only_known/"

/* ---- titles ------------------------------------------------------------ */

/* Whether the topic, typed as it is, is that topic. */
static bool is_own_title(struct bytes topic)
{
	return text_is_clean(TEXT_LINE, topic) && topic.data[0] != '#' &&
	       topic.data[0] != '"' && bytes_trim(topic).len == topic.len &&
	       !bytes_equal(topic, bytes_str(LOBBY_TITLE)) &&
	       !bytes_equal(topic, bytes_str(ROOM_LOBBY_TOPIC));
}

/* In quotation marks, with \" and \\, and \xHH for what cannot be shown. */
static void quote(struct buf *out, struct bytes topic, bool clean)
{
	buf_append_str(out, "\"");
	for (size_t i = 0; i < topic.len; i++) {
		uint8_t c = topic.data[i];

		if (c == '"' || c == '\\')
			buf_appendf(out, "\\%c", c);
		else if ((c >= ' ' && c < 0x7f) || (clean && c >= 0x80))
			buf_append_u8(out, c);
		else
			buf_appendf(out, "\\x%02x", c);
	}
	buf_append_str(out, "\"");
}

static char *title_of(const char *topic)
{
	struct bytes t = bytes_str(topic);
	struct buf quoted;
	char *title;

	if (strcmp(topic, ROOM_LOBBY_TOPIC) == 0)
		return xstrdup(LOBBY_TITLE);
	if (is_own_title(t))
		return xstrdup(topic);
	buf_init(&quoted, (size_t)4 * MSG_TOPIC_MAX + 2);
	quote(&quoted, t, text_is_clean(TEXT_LINE, t));
	if (!text_is_clean(TEXT_LINE, buf_bytes(&quoted))) {
		buf_reset(&quoted);
		quote(&quoted, t, false);
	}
	title = xstrdup(buf_cstr(&quoted));
	buf_clear(&quoted);
	return title;
}

static int hex_value(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* What stands behind a backslash; 0 when that is nothing. */
static uint8_t unescape(struct bytes *in)
{
	uint8_t c = in->len > 0 ? in->data[0] : 0;
	int high, low;

	*in = bytes_skip(*in, 1);
	if (c == '"' || c == '\\')
		return c;
	if (c != 'x' || in->len < 2)
		return 0;
	high = hex_value(in->data[0]);
	low = hex_value(in->data[1]);
	*in = bytes_skip(*in, 2);
	return high < 0 || low < 0 ? 0 : (uint8_t)(high << 4 | low);
}

/* `in` begins behind the first quotation mark and must end with the last. */
static int unquote(struct bytes in, char out[static MSG_TOPIC_MAX])
{
	size_t len = 0;

	while (in.len > 0 && in.data[0] != '"') {
		uint8_t c = in.data[0];

		in = bytes_skip(in, 1);
		if (c == '\\')
			c = unescape(&in);
		if (c == 0)
			return P2P_ERR_INVAL;
		if (len == MSG_TOPIC_MAX - 1)
			return P2P_ERR_TOO_BIG;
		out[len++] = (char)c;
	}
	out[len] = '\0';
	return in.len == 1 && len > 0 ? 0 : P2P_ERR_INVAL;
}

/* ---- topics that carry no lines ----------------------------------------- */

#define FILES "-file"

static bool ends_in(const char *text, const char *end)
{
	size_t len = strlen(text), n = strlen(end);

	return len >= n && strcmp(text + len - n, end) == 0;
}

bool room_topic_is_control(const char *topic)
{
	return ends_in(topic, "-browser-peer-discovery") ||
	       strcmp(topic, "universal-connectivity" FILES) == 0 ||
	       strcmp(topic, "_peer-discovery._p2p._pubsub") == 0;
}

/* Whose files are told of there is in the room that it belongs to, too. Where
 * somebody talks it is a room, and nobody makes us mute by entering both. */
bool room_is_control(const struct chat *c, const struct chat_room *r)
{
	const struct chat_room *talk;
	struct table_entry *e, *tmp;
	bool shared = false;

	if (r->control || !r->maybe_files)
		return r->control;
	talk = table_get(&c->rooms_by_topic,
		bytes_of(r->row.topic, strlen(r->row.topic) - strlen(FILES)));
	if (talk == NULL || r->row.dialect == DIALECT_NATIVE)
		return false;
	TABLE_FOREACH(e, tmp, &r->members) {
		const struct chat_person *p = e->value;

		if (p->speaks == DIALECT_NATIVE)
			return false;
		shared |= table_get(&talk->members, peer_id_bytes(&p->id)) !=
			  NULL;
	}
	return shared;
}

/* ---- the list ----------------------------------------------------------- */

static struct chat_room *add_room(struct chat *c, const struct store_room *row)
{
	struct chat_room *r = xcalloc(1, sizeof(*r));

	r->row = *row;
	r->title = title_of(row->topic);
	r->control = room_topic_is_control(row->topic);
	r->maybe_files = ends_in(row->topic, FILES);
	table_init(&r->members, c->env->rng);
	list_push_back(&c->rooms, &r->order);
	table_put(&c->rooms_by_topic, bytes_str(row->topic), r);
	return r;
}

static void free_room(struct chat_room *r)
{
	table_clear(&r->members);
	free(r->title);
	free(r);
}

struct chat_room *room_find(struct chat *c, const char *topic)
{
	return table_get(&c->rooms_by_topic, bytes_str(topic));
}

struct chat_room *room_of_row(struct chat *c, int64_t id)
{
	struct list *pos, *tmp;

	LIST_FOREACH(pos, tmp, &c->rooms)
		if (ROOM_OF(pos)->row.id == id)
			return ROOM_OF(pos);
	return NULL;
}

/* Rooms that we are or were in. */
static size_t kept_count(struct chat *c)
{
	struct list *pos, *tmp;
	size_t n = 0;

	LIST_FOREACH(pos, tmp, &c->rooms)
		n += ROOM_OF(pos)->row.joined || ROOM_OF(pos)->row.id != 0;
	return n;
}

bool rooms_may_keep_one(struct chat *c)
{
	return kept_count(c) < CHAT_ROOMS_KEPT_MAX;
}

static struct chat_room *make_room(struct chat *c, const char *topic)
{
	struct store_room row = {.id = 0};

	snprintf(row.topic, sizeof(row.topic), "%s", topic);
	if (payload_topic_is_plain(bytes_str(topic)))
		row.dialect = DIALECT_PLAIN;
	return add_room(c, &row);
}

struct chat_room *room_get(struct chat *c, const char *topic)
{
	struct chat_room *r = room_find(c, topic);

	if (r == NULL && rooms_may_keep_one(c))
		r = make_room(c, topic);
	return r;
}

struct chat_room *room_hear_of(struct chat *c, const char *topic)
{
	struct chat_room *r = room_find(c, topic);

	if (r == NULL &&
		c->rooms_by_topic.count - kept_count(c) < CHAT_ROOMS_KNOWN_MAX)
		r = make_room(c, topic);
	return r;
}

static int load_only(struct chat *c, struct chat_room *r)
{
	char key[sizeof(ONLY_SETTING) + MSG_TOPIC_MAX];
	uint64_t only = 0;
	int err;

	snprintf(key, sizeof(key), ONLY_SETTING "%s", r->row.topic);
	err = store_get_u64(c->store, key, &only);
	r->only_known = only != 0;
	return err == P2P_ERR_NOT_FOUND ? 0 : err;
}

int rooms_load(struct chat *c)
{
	struct store_room *rows;
	struct store_rows waiting;
	size_t count;
	int err;

	err = store_load_rooms(c->store, &rows, &count);
	for (size_t i = 0; err == 0 && i < count; i++) {
		struct chat_room *r = add_room(c, &rows[i]);

		r->json_heard_ms = c->env->now_ms;
		if (r->row.joined)
			c->joined_count++;
		/* Whether any line waits: a room without one is never asked
		 * again until something is said in it. */
		err = store_waiting(
			c->store, r->row.id, &store_key_first, 1, &waiting);
		if (err != 0)
			break;
		err = load_only(c, r);
		r->maybe_waiting = waiting.count > 0;
		store_rows_clear(&waiting);
	}
	free(rows);
	return err;
}

void room_set_only(struct chat *c, struct chat_room *r, bool only_known)
{
	char key[sizeof(ONLY_SETTING) + MSG_TOPIC_MAX];

	snprintf(key, sizeof(key), ONLY_SETTING "%s", r->row.topic);
	if (!chat_store_ok(c, store_set_u64(c->store, key, only_known)))
		return;
	r->only_known = only_known;
	room_tell(c, r, false);
}

struct chat_room *room_first_joined(struct chat *c)
{
	struct list *pos, *tmp;

	LIST_FOREACH(pos, tmp, &c->rooms)
		if (ROOM_OF(pos)->row.joined)
			return ROOM_OF(pos);
	return NULL;
}

/*
 * The store went back to its last commit, and all that counts lines goes with
 * it: the same turn will be done again and must find the same numbers. Net
 * was not told of joins and leaves of this turn, so they are undone as well.
 */
void rooms_restore(struct chat *c)
{
	struct store_room *rows;
	struct list *pos, *tmp;
	size_t count;

	/* Unreadable: as it stands is the best that is known. */
	if (store_load_rooms(c->store, &rows, &count) != 0)
		return;
	LIST_FOREACH(pos, tmp, &c->rooms) {
		struct chat_room *r = ROOM_OF(pos);

		r->row.id = 0;
		r->row.joined = false;
		r->row.seq = 0;
		r->dirty = false;
		/* What this turn offered never reached net; what waits is
		 * looked up anew. */
		r->offering = false;
		r->offer_due_ms = c->env->now_ms;
	}
	c->joined_count = 0;
	for (size_t i = 0; i < count; i++) {
		struct chat_room *r = room_find(c, rows[i].topic);

		c->joined_count += rows[i].joined;
		if (r != NULL)
			r->row = rows[i];
	}
	free(rows);
	if (c->focus == NULL || !c->focus->row.joined)
		c->focus = room_first_joined(c);
}

void rooms_free(struct chat *c)
{
	struct list *pos, *tmp;

	LIST_FOREACH(pos, tmp, &c->rooms)
		free_room(ROOM_OF(pos));
	list_init(&c->rooms);
	table_clear(&c->rooms_by_topic);
}

void room_tell(struct chat *c, struct chat_room *r, bool changed)
{
	struct ui_msg *m = ui_msg_new(UI_MSG_ROOM, r->row.topic, NULL);

	m->title = xstrdup(r->title);
	m->joined = r->row.joined;
	m->changed = changed;
	m->members = (uint32_t)r->members.count;
	m->unread = r->row.unread;
	m->mentions = r->row.mentions;
	m->only_known = r->only_known;
	r->ui_dirty = false;
	out_ui(c, m);
}

void rooms_flush(struct chat *c)
{
	struct list *pos, *tmp;

	LIST_FOREACH(pos, tmp, &c->rooms) {
		struct chat_room *r = ROOM_OF(pos);

		if (r->dirty && chat_saves(c) &&
			chat_store_ok(c, store_put_room(c->store, &r->row)))
			r->dirty = false;
		if (r->ui_dirty)
			room_tell(c, r, false);
	}
}

int room_topic_of(struct bytes typed, char out[static MSG_TOPIC_MAX])
{
	typed = bytes_trim(typed);
	if (!utf8_valid(typed))
		return P2P_ERR_UTF8;
	/* '#' is how rooms are shown; a topic that really starts so is shown
	 * in quotation marks, and nobody leads elsewhere by making one. */
	if (typed.len > 1 && typed.data[0] == '#')
		typed = bytes_trim(bytes_skip(typed, 1));
	if (typed.len == 0 || !text_is_clean(TEXT_LINE, typed))
		return P2P_ERR_INVAL;
	if (typed.data[0] == '"')
		return unquote(bytes_skip(typed, 1), out);
	if (typed.len >= MSG_TOPIC_MAX)
		return P2P_ERR_TOO_BIG;
	if (bytes_equal(typed, bytes_str(LOBBY_TITLE)))
		typed = bytes_str(ROOM_LOBBY_TOPIC);
	memcpy(out, typed.data, typed.len);
	out[typed.len] = '\0';
	return 0;
}

int chat_check_room(const char *wanted)
{
	char topic[MSG_TOPIC_MAX];

	return room_topic_of(bytes_str(wanted), topic);
}

static void tell_member(struct chat *c, const struct chat_room *r,
	const struct chat_person *p, bool joined)
{
	struct ui_msg *m = ui_msg_new(UI_MSG_MEMBER, r->row.topic, NULL);

	snprintf(m->peer, sizeof(m->peer), "%s", p->row.peer);
	m->joined = joined;
	out_ui(c, m);
}

void room_tell_members(struct chat *c, const struct chat_room *r)
{
	struct table_entry *e, *tmp;

	TABLE_FOREACH(e, tmp, &r->members)
		tell_member(c, r, e->value, true);
}

static void member_changed(struct chat *c, struct chat_room *r,
	const struct chat_person *p, bool joined)
{
	if (!r->row.joined)
		return;
	tell_member(c, r, p, joined);
	r->ui_dirty = true;
}

void room_add_member(struct chat *c, struct chat_room *r, struct chat_person *p)
{
	if (r->members.count >= CHAT_MEMBERS_MAX ||
		table_put(&r->members, peer_id_bytes(&p->id), p) != NULL)
		return;
	p->room_count++;
	member_changed(c, r, p, true);
}

/* A room that only others were in is forgotten with the last of them. */
void room_remove_member(
	struct chat *c, struct chat_room *r, struct chat_person *p)
{
	if (table_remove(&r->members, peer_id_bytes(&p->id)) == NULL)
		return;
	p->room_count--;
	member_changed(c, r, p, false);
	if (r->members.count > 0 || r->row.joined || r->row.id != 0 ||
		r->dirty || r == c->focus)
		return;
	table_remove(&c->rooms_by_topic, bytes_str(r->row.topic));
	list_remove(&r->order);
	free_room(r);
}
