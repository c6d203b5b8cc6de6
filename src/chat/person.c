/*
 * People. A person is a signing key; a name is what the key claims. Whoever
 * was first seen with a name keeps it unmarked, later claimants are marked
 * '!'; nobody may pass as oneself.
 */
#include "chat/person_internal.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/text.h"
#include "base/xmalloc.h"
#include "chat/chat_internal.h"
#include "chat/out_internal.h"

/* How stale a stored last_seen may be: not one write for each line. */
#define SEEN_STEP_MS 60000
#define CANDIDATES_SHOWN 5
#define KEY_CHARS_MIN 6

/* ---- names ------------------------------------------------------------- */

static void fold_name(const char *name, struct buf *out)
{
	buf_init(out, 4 * (size_t)MSG_NAME_MAX);
	text_fold(bytes_str(name), out);
}

static struct chat_name *find_name(struct chat *c, struct bytes who)
{
	struct chat_name *n;
	struct buf folded;

	buf_init(&folded, CHAT_NOTICE_BYTES_MAX);
	text_fold(who, &folded);
	n = table_get(&c->names, buf_bytes(&folded));
	buf_clear(&folded);
	return n;
}

/* Seen earlier, or oneself; equal moments are ordered by key. */
static bool comes_before(
	const struct chat_person *a, const struct chat_person *b)
{
	if (a->self != b->self)
		return a->self;
	if (a->row.first_seen_ms != b->row.first_seen_ms)
		return a->row.first_seen_ms < b->row.first_seen_ms;
	return strcmp(a->row.peer, b->row.peer) < 0;
}

/* Only who comes first is unmarked, so only that one's mark can change. */
static void tell_first(struct chat *c, struct chat_name *n)
{
	person_changed(
		c, LIST_ITEM(n->people.next, struct chat_person, same_name));
}

static void leave_name(struct chat *c, struct chat_person *p)
{
	struct chat_name *n = p->claim;
	struct buf folded;

	if (n == NULL)
		return;
	list_remove(&p->same_name);
	p->claim = NULL;
	if (!list_empty(&n->people)) {
		tell_first(c, n);
		return;
	}
	/* Found by the name still in the row: the new one comes after. */
	fold_name(p->row.name, &folded);
	table_remove(&c->names, buf_bytes(&folded));
	buf_clear(&folded);
	free(n);
}

static void take_name(struct chat *c, struct chat_person *p)
{
	struct chat_name *n;
	struct list *at;
	struct buf folded;

	if (p->row.name[0] == '\0')
		return;
	fold_name(p->row.name, &folded);
	n = table_get(&c->names, buf_bytes(&folded));
	if (n == NULL) {
		n = xcalloc(1, sizeof(*n));
		list_init(&n->people);
		table_put(&c->names, buf_bytes(&folded), n);
	}
	buf_clear(&folded);
	/* From the end, where those seen last belong. */
	for (at = n->people.prev; at != &n->people; at = at->prev)
		if (!comes_before(
			    p, LIST_ITEM(at, struct chat_person, same_name)))
			break;
	/* The one that was first so far gets its mark. */
	if (at == &n->people && !list_empty(&n->people))
		tell_first(c, n);
	list_insert_before(at->next, &p->same_name);
	p->claim = n;
}

void person_call(struct chat *c, struct chat_person *p, const char *name)
{
	leave_name(c, p);
	snprintf(p->row.name, sizeof(p->row.name), "%s", name);
	p->dirty = p->dirty || p->row.id != 0;
	p->renamed = true;
	take_name(c, p);
	person_changed(c, p);
}

void person_claim(struct chat *c, struct chat_person *p, const char *name)
{
	if (name[0] == '\0' || strcmp(p->row.name, name) == 0 ||
		p->profile.named)
		return;
	/* Who is ignored stays findable under the name he was ignored by. */
	if (p->row.ignored)
		return;
	person_call(c, p, name);
	p->dirty = true;
}

bool person_borrows(
	struct chat *c, const struct chat_person *p, const char *name)
{
	struct chat_name *n = find_name(c, bytes_str(name));

	if (p->self || n == NULL || n == p->claim)
		return false;
	return comes_before(
		LIST_ITEM(n->people.next, struct chat_person, same_name), p);
}

char person_mark(const struct chat *c, const struct chat_person *p)
{
	uint64_t wall = c->env->wall_ms;

	if (p->self)
		return ' ';
	if (p->claim != NULL && p->claim->people.next != &p->same_name)
		return '!';
	if (wall < p->row.first_seen_ms ||
		wall - p->row.first_seen_ms < CHAT_NEW_PERSON_MS)
		return '?';
	return ' ';
}

void person_tag(const struct chat_person *p, char tag[static 8])
{
	size_t len = strlen(p->row.peer);
	size_t from = len > CHAT_TAG_CHARS ? len - CHAT_TAG_CHARS : 0;

	snprintf(tag, 8, "%s", p->row.peer + from);
}

const char *person_name(
	const struct chat_person *p, char out[static MSG_NAME_MAX])
{
	size_t len = strlen(p->row.peer);
	size_t from = len > CHAT_TAIL_CHARS ? len - CHAT_TAIL_CHARS : 0;

	if (p->row.name[0] != '\0')
		snprintf(out, MSG_NAME_MAX, "%s", p->row.name);
	else
		snprintf(out, MSG_NAME_MAX, "..%s", p->row.peer + from);
	return out;
}

char *person_full_name(const struct chat_person *p)
{
	char tag[8], name[MSG_NAME_MAX];

	person_tag(p, tag);
	if (p->row.name[0] == '\0')
		return xstrdup(person_name(p, name));
	return xasprintf("%s~%s", p->row.name, tag);
}

/* ---- the table --------------------------------------------------------- */

static void free_connection(struct chat_person *p)
{
	free(p->address);
	free(p->agent);
	free(p->protocols);
	p->address = NULL;
	p->agent = NULL;
	p->protocols = NULL;
}

static void free_person(struct chat *c, struct chat_person *p)
{
	leave_name(c, p);
	list_remove(&p->changed);
	list_remove(&p->profile.met);
	free_connection(p);
	free(p);
}

/* Makes room for one more: the one known longest of those not needed now. */
static void evict_one(struct chat *c)
{
	struct table_entry *e, *tmp;

	TABLE_FOREACH(e, tmp, &c->people) {
		struct chat_person *p = e->value;

		if (p->self || p->connected || p->room_count > 0 || p->in_ui)
			continue;
		table_remove(&c->people, table_key(e));
		free_person(c, p);
		return;
	}
}

static struct chat_person *add_person(struct chat *c, const struct peer_id *id,
	const struct store_person *row)
{
	struct chat_person *p = xcalloc(1, sizeof(*p));

	p->row = *row;
	p->id = *id;
	p->rtt_us = UINT64_MAX;
	p->self = peer_id_equal(id, &c->me->id);
	list_init(&p->changed);
	list_init(&p->profile.met);
	table_put(&c->people, peer_id_bytes(id), p);
	take_name(c, p);
	return p;
}

struct chat_person *person_get(struct chat *c, const struct peer_id *id)
{
	struct chat_person *p = table_get(&c->people, peer_id_bytes(id));
	struct store_person row = {.id = 0};
	char text[PEER_ID_TEXT_MAX];
	int err;

	if (p != NULL)
		return p;
	if (c->people.count >= CHAT_PEOPLE_MAX)
		evict_one(c);
	peer_id_text(id, text);
	err = store_find_person(c->store, text, &row);
	/* New to us, and not written: thousands may be met who never say a
	 * word. person_keep gives the row. */
	if (err == P2P_ERR_NOT_FOUND || (err != 0 && !chat_saves(c))) {
		snprintf(row.peer, sizeof(row.peer), "%s", text);
		row.first_seen_ms = c->env->wall_ms;
		row.last_seen_ms = c->env->wall_ms;
	} else if (!chat_store_ok(c, err)) {
		return NULL;
	}
	return add_person(c, id, &row);
}

struct chat_person *person_get_text(struct chat *c, const char *peer)
{
	struct peer_id id;

	if (peer_id_parse_text(&id, bytes_str(peer)) != 0)
		return NULL;
	return person_get(c, &id);
}

struct chat_person *person_find(struct chat *c, const char *peer)
{
	struct peer_id id;

	if (peer_id_parse_text(&id, bytes_str(peer)) != 0)
		return NULL;
	return table_get(&c->people, peer_id_bytes(&id));
}

bool person_keep(struct chat *c, struct chat_person *p)
{
	if (p->row.id != 0)
		return true;
	p->dirty = false;
	return chat_store_ok(c, store_put_person(c->store, &p->row));
}

void person_seen(struct chat *c, struct chat_person *p)
{
	uint64_t wall = c->env->wall_ms;

	if (wall - p->row.last_seen_ms < SEEN_STEP_MS)
		return;
	p->row.last_seen_ms = wall;
	p->dirty = true;
	person_changed(c, p);
}

int people_load(struct chat *c)
{
	struct store_person *rows;
	struct peer_id id;
	size_t count;
	int err;

	/* Half of the room is left to those who are met now. */
	err = store_load_people(c->store, CHAT_PEOPLE_MAX / 2, &rows, &count);
	if (err != 0)
		return err;
	for (size_t i = 0; i < count; i++)
		if (peer_id_parse_text(&id, bytes_str(rows[i].peer)) == 0 &&
			table_get(&c->people, peer_id_bytes(&id)) == NULL)
			add_person(c, &id, &rows[i]);
	free(rows);
	c->self = person_get(c, &c->me->id);
	return c->self == NULL ? c->store_err : 0;
}

void people_restore(struct chat *c)
{
	struct table_entry *e, *tmp;

	TABLE_FOREACH(e, tmp, &c->people) {
		struct chat_person *p = e->value;
		struct store_person row = {.id = 0};

		/* Who is not found will be kept again with his next line. */
		(void)!store_find_person(c->store, p->row.peer, &row);
		p->row.id = row.id;
		p->row.ignored = row.ignored;
		p->row.class = row.class;
		p->row.days = row.days;
		p->row.day = row.day;
		/* The word to net may have been dropped, or not. */
		p->worth_told = p->connected ? CHAT_WORTH_UNTOLD : 0;
		/* A frame of that turn comes once more, and is no second. */
		p->profile.heard = 0;
		/* A name claimed in that turn stands here still, so the line
		 * will not be seen to bring a new one: it is written now. */
		p->dirty = row.id != 0 && strcmp(row.name, p->row.name) != 0;
		if (p->dirty)
			person_changed(c, p);
	}
}

void people_free(struct chat *c)
{
	struct table_entry *e, *tmp;

	TABLE_FOREACH(e, tmp, &c->people)
		free_person(c, e->value);
	table_clear(&c->people);
	table_clear(&c->names);
}

/* ---- telling ----------------------------------------------------------- */

void person_changed(struct chat *c, struct chat_person *p)
{
	if (!p->in_ui)
		list_push_back(&c->changed_people, &p->changed);
	p->in_ui = true;
}

static char *copy_or_null(const char *text)
{
	return text == NULL ? NULL : xstrdup(text);
}

void person_describe(
	const struct chat *c, const struct chat_person *p, struct ui_person *u)
{
	snprintf(u->peer, sizeof(u->peer), "%s", p->row.peer);
	snprintf(u->name, sizeof(u->name), "%s", p->row.name);
	person_tag(p, u->tag);
	u->name_mark = person_mark(c, p);
	u->connected = p->connected;
	u->announce = p->announce;
	u->renamed = p->renamed && p->connected;
	u->outbound = p->outbound;
	u->relayed = p->relayed;
	u->ignored = p->row.ignored;
	u->rtt_us = p->rtt_us;
	u->muxer = p->muxer;
	u->address = copy_or_null(p->address);
	u->agent = copy_or_null(p->agent);
	u->protocols = copy_or_null(p->protocols);
}

void person_tell(struct chat *c, struct chat_person *p)
{
	struct ui_msg *m = ui_msg_new(UI_MSG_PERSON, NULL, NULL);

	person_describe(c, p, &m->person);
	out_ui(c, m);
}

static int worth_of(const struct chat *c, const struct chat_person *p)
{
	uint64_t wall = c->env->wall_ms;

	if (p->row.id == 0 || p->row.ignored)
		return 0;
	if (wall < p->row.first_seen_ms ||
		wall - p->row.first_seen_ms < CHAT_NEW_PERSON_MS)
		return CHAT_WORTH_NEW;
	return CHAT_WORTH_KNOWN;
}

void person_tell_worth(struct chat *c, struct chat_person *p)
{
	int worth = worth_of(c, p);
	struct net_msg *m;

	if (!p->connected || worth == p->worth_told)
		return;
	p->worth_told = worth;
	m = net_msg_new(NET_MSG_WORTH, NULL, bytes_of(NULL, 0));
	snprintf(m->peer, sizeof(m->peer), "%s", p->row.peer);
	m->worth = worth;
	out_net(c, m, NULL);
}

void people_flush(struct chat *c)
{
	struct list *pos, *tmp;

	LIST_FOREACH(pos, tmp, &c->changed_people) {
		struct chat_person *p =
			LIST_ITEM(pos, struct chat_person, changed);

		list_remove(&p->changed);
		p->in_ui = false;
		/* Who was never heard of before is kept with the first line
		 * that is: a name alone costs nothing to claim. */
		if (p->dirty && p->row.id != 0 && chat_saves(c) &&
			chat_store_ok(c, store_put_person(c->store, &p->row)))
			p->dirty = false;
		if (!p->self)
			person_tell(c, p);
		person_tell_worth(c, p);
		p->announce = false;
		p->renamed = false;
	}
}

/* ---- who is meant ------------------------------------------------------ */

struct candidates {
	struct chat_person *found;
	size_t count;
	struct buf text;
};

static void add_candidate(struct candidates *f, struct chat_person *p)
{
	char *name = person_full_name(p);

	f->found = p;
	if (f->count++ < CANDIDATES_SHOWN)
		buf_appendf(&f->text, "%s%s", f->count > 1 ? ", " : "", name);
	free(name);
}

static bool ends_with(const char *text, struct bytes end)
{
	size_t len = strlen(text);

	return len >= end.len &&
	       memcmp(text + len - end.len, end.data, end.len) == 0;
}

/* The key's start or end, as ".." and the end as well; case counts in
 * base58. */
static bool key_matches(const struct chat_person *p, struct bytes who)
{
	if (who.len > 2 && memcmp(who.data, "..", 2) == 0)
		who = bytes_skip(who, 2);
	if (who.len < KEY_CHARS_MIN)
		return false;
	return strncmp(p->row.peer, (const char *)who.data, who.len) == 0 ||
	       ends_with(p->row.peer, who);
}

/* "name~tag": the part after the last '~' is the end of the key. */
static bool tag_matches(const struct chat_person *p, struct bytes who)
{
	const uint8_t *tilde = memrchr(who.data, '~', who.len);
	struct bytes tag, name;

	if (tilde == NULL)
		return false;
	name = bytes_of(who.data, (size_t)(tilde - who.data));
	tag = bytes_skip(who, name.len + 1);
	return tag.len >= 4 && ends_with(p->row.peer, tag) &&
	       (name.len == 0 || bytes_equal(name, bytes_str(p->row.name)));
}

/* By name and by key: somebody's name may be made to look like another's
 * key, so one kind of match does not hide the other. */
static void find_candidates(
	struct chat *c, struct bytes who, struct candidates *f)
{
	struct chat_name *n = find_name(c, who);
	struct table_entry *e, *tmp;

	TABLE_FOREACH(e, tmp, &c->people) {
		struct chat_person *p = e->value;

		if ((n != NULL && p->claim == n) || key_matches(p, who) ||
			tag_matches(p, who))
			add_candidate(f, p);
	}
}

struct chat_person *person_resolve(struct chat *c, struct bytes who)
{
	struct candidates f = {.count = 0};
	char *quoted = out_clean(who);

	buf_init(&f.text, CHAT_NOTICE_BYTES_MAX);
	if (who.len > 0)
		find_candidates(c, who, &f);
	if (f.count == 0)
		out_error(c, "no-such-person", "Nobody here is '%s'.", quoted);
	else if (f.count > 1)
		out_error(c, "ambiguous-person",
			"'%s' can be %zu people: %s. Say which, by name~tag.",
			quoted, f.count, buf_cstr(&f.text));
	buf_clear(&f.text);
	free(quoted);
	return f.count == 1 ? f.found : NULL;
}
