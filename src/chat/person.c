/*
 * People. A person is a signing key; a name is what the key claims. Whoever
 * claimed a name first keeps it unmarked, who comes later with one that looks
 * like it is marked '!'; nobody may pass as oneself.
 */
#include "chat/person_internal.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/text.h"
#include "base/xmalloc.h"
#include "chat/chat_internal.h"
#include "chat/name_internal.h"
#include "chat/out_internal.h"

/* How stale a stored last_seen may be: not one write for each line. */
#define SEEN_STEP_MS 60000
#define CANDIDATES_SHOWN 5
#define KEY_CHARS_MIN 6

/* ---- names ------------------------------------------------------------- */

/*
 * Oneself, then who was verified, then who has had the name longest: whoever is
 * known for years under another name takes nobody's. What is equal has an
 * order all the same; the store's is the same for those who are in it.
 */
static bool comes_before(
	const struct store_person *a, const struct store_person *b)
{
	if (a->verified != b->verified)
		return a->verified;
	if (a->named_ms != b->named_ms)
		return a->named_ms < b->named_ms;
	if (a->id != b->id)
		return b->id == 0 || (a->id != 0 && a->id < b->id);
	return strcmp(a->peer, b->peer) < 0;
}

static bool is_before(const struct chat_person *a, const struct chat_person *b)
{
	return a->self != b->self ? a->self : comes_before(&a->row, &b->row);
}

static const char *look_of(const struct chat_person *p, size_t which)
{
	return which == 0 ? p->row.looks.small : p->row.looks.drawn;
}

static struct chat_person *first_here(const struct chat_name *n)
{
	return LIST_ITEM(n->claims.next, struct chat_claim, in)->who;
}

static void leave_look(struct chat *c, struct chat_person *p, size_t which)
{
	struct chat_claim *claim = &p->claims[which];
	struct chat_name *n = claim->name;

	if (n == NULL)
		return;
	list_remove(&claim->in);
	claim->name = NULL;
	/* Only who comes first can be unmarked, so only that mark changes. */
	if (!list_empty(&n->claims)) {
		person_changed(c, first_here(n));
		return;
	}
	/* Found by the look still in the row: the new one comes after. */
	table_remove(&c->names, bytes_str(look_of(p, which)));
	free(n);
}

static void leave_name(struct chat *c, struct chat_person *p)
{
	leave_look(c, p, 0);
	leave_look(c, p, 1);
	c->names_epoch++;
}

static void take_look(struct chat *c, struct chat_person *p, size_t which)
{
	struct bytes look = bytes_str(look_of(p, which));
	struct chat_claim *claim = &p->claims[which];
	struct chat_name *n = table_get(&c->names, look);
	struct list *at;

	if (n == NULL) {
		n = xcalloc(1, sizeof(*n));
		list_init(&n->claims);
		table_put(&c->names, look, n);
	}
	/* From the end, where those named last belong. */
	for (at = n->claims.prev; at != &n->claims; at = at->prev)
		if (!is_before(p, LIST_ITEM(at, struct chat_claim, in)->who))
			break;
	/* The one that was first so far gets its mark. */
	if (at == &n->claims && !list_empty(&n->claims))
		person_changed(c, first_here(n));
	claim->who = p;
	claim->name = n;
	list_insert_before(at->next, &claim->in);
}

static void take_name(struct chat *c, struct chat_person *p)
{
	p->odd = name_is_odd(p->row.name, &p->row.looks);
	c->names_epoch++;
	if (p->row.looks.small[0] == '\0')
		return;
	take_look(c, p, 0);
	if (p->row.looks.drawn[0] != '\0' &&
		strcmp(p->row.looks.small, p->row.looks.drawn) != 0)
		take_look(c, p, 1);
}

/*
 * Who comes first with the look among those here and those in the store, who
 * may be absent and long out of memory. Copied to *first; *self: it is us.
 */
static bool find_first(struct chat *c, const char *look,
	struct store_person *first, bool *self)
{
	struct chat_name *n = table_get(&c->names, bytes_str(look));
	struct store_person stored = {.id = 0};
	bool found = n != NULL;
	int err = store_first_of_look(c->store, look, &stored);

	*self = found && first_here(n)->self;
	if (found)
		*first = first_here(n)->row;
	if (err == P2P_ERR_NOT_FOUND || (err != 0 && !chat_saves(c)) ||
		!chat_store_ok(c, err))
		return found;
	/* Of those here the store may not know the newest name yet. */
	if (*self || person_find(c, stored.peer) != NULL ||
		(found && comes_before(first, &stored)))
		return found;
	*first = stored;
	return true;
}

/* Somebody else who comes before p with one of the looks of the name. */
static bool is_preceded(
	struct chat *c, const struct chat_person *p, struct store_person *by)
{
	bool self;

	for (size_t i = 0; i < 2; i++) {
		const char *look = look_of(p, i);

		if (look[0] == '\0' || !find_first(c, look, by, &self) ||
			strcmp(by->peer, p->row.peer) == 0)
			continue;
		if (self || comes_before(by, &p->row))
			return true;
	}
	return false;
}

static bool clashes(struct chat *c, struct chat_person *p)
{
	struct store_person by;

	if (p->clash_epoch != c->names_epoch) {
		p->clashes = is_preceded(c, p, &by);
		p->clash_epoch = c->names_epoch;
	}
	return p->clashes;
}

/* Who takes the name of somebody whose key was compared is spoken of, but not
 * as often as keys are thrown away. */
static void warn_of_clash(struct chat *c, struct chat_person *p)
{
	struct store_person by;
	char *name;

	if (p->self || !is_preceded(c, p, &by) || !by.verified ||
		(c->clash_said_ms != P2P_NEVER &&
			c->env->now_ms - c->clash_said_ms < CHAT_CLASH_SAY_MS))
		return;
	c->clash_said_ms = c->env->now_ms;
	name = person_full_name(p);
	out_notice(c, UI_LEVEL_WARN, NULL,
		"%s has a name like %s, whom you have verified, and is "
		"somebody else.",
		name, by.name);
	free(name);
}

void person_call(struct chat *c, struct chat_person *p, const char *name)
{
	struct text_looks looks;

	leave_name(c, p);
	snprintf(p->row.name, sizeof(p->row.name), "%s", name);
	text_looks_of(bytes_str(name), &looks);
	/* A capital more is no new name. */
	if (strcmp(looks.small, p->row.looks.small) != 0)
		p->row.named_ms = c->env->wall_ms;
	p->row.looks = looks;
	p->dirty = p->dirty || p->row.id != 0;
	p->renamed = true;
	take_name(c, p);
	warn_of_clash(c, p);
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
	struct store_person by;
	struct text_looks looks;
	bool self;

	if (p->self || name[0] == '\0' || strcmp(name, p->row.name) == 0)
		return false;
	text_looks_of(bytes_str(name), &looks);
	if (name_is_odd(name, &looks))
		return true;
	if (text_looks_alike(&looks, &p->row.looks))
		return false;
	for (size_t i = 0; i < 2; i++) {
		const char *look = i == 0 ? looks.small : looks.drawn;

		if (find_first(c, look, &by, &self) &&
			(self || by.verified ||
				by.first_seen_ms < p->row.first_seen_ms))
			return true;
	}
	return false;
}

char person_mark(struct chat *c, struct chat_person *p)
{
	uint64_t wall = c->env->wall_ms;

	if (p->self)
		return UI_MARK_KNOWN;
	if (clashes(c, p))
		return UI_MARK_CLASH;
	if (p->row.verified)
		return UI_MARK_VERIFIED;
	if (p->odd)
		return UI_MARK_CLASH;
	if (wall < p->row.first_seen_ms ||
		wall - p->row.first_seen_ms < CHAT_NEW_PERSON_MS)
		return UI_MARK_NEW;
	return UI_MARK_KNOWN;
}

void person_verify(struct chat *c, struct chat_person *p, bool verified)
{
	leave_name(c, p);
	p->row.verified = verified;
	p->dirty = true;
	take_name(c, p);
	person_changed(c, p);
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

/* A /name that was not kept waits with its turn; until then we are called what
 * we would be called after a restart, here and by others. */
static void restore_own_name(struct chat *c)
{
	struct buf kept;

	buf_init(&kept, MSG_NAME_MAX - 1);
	if (store_get(c->store, "name", &kept) == 0 && kept.len > 0 &&
		strcmp(buf_cstr(&kept), c->self->row.name) != 0)
		person_call(c, c->self, buf_cstr(&kept));
	buf_clear(&kept);
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
		if (p->row.verified != row.verified)
			person_verify(c, p, row.verified);
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
	restore_own_name(c);
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

bool person_is_known(const struct chat_person *p)
{
	return p->self || p->row.class != STORE_STRANGER;
}

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

void person_describe(struct chat *c, struct chat_person *p, struct ui_person *u)
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
	u->known = person_is_known(p);
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
			chat_store_ok(c, store_put_person(c->store, &p->row))) {
			p->dirty = false;
			/* The store may name another as first now. */
			if (p->renamed)
				c->names_epoch++;
		}
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

/* In any case, and as it is spelt: a look-alike is somebody else. */
static bool name_matches(const struct chat_person *p, struct bytes folded)
{
	struct buf name;
	bool same;

	if (p->row.name[0] == '\0')
		return false;
	buf_init(&name, CHAT_NOTICE_BYTES_MAX);
	text_fold(bytes_str(p->row.name), &name);
	same = bytes_equal(buf_bytes(&name), folded);
	buf_clear(&name);
	return same;
}

/* By name and by key: somebody's name may be made to look like another's
 * key, so one kind of match does not hide the other. */
static void find_candidates(
	struct chat *c, struct bytes who, struct candidates *f)
{
	struct table_entry *e, *tmp;
	struct buf folded;

	buf_init(&folded, CHAT_NOTICE_BYTES_MAX);
	text_fold(who, &folded);
	TABLE_FOREACH(e, tmp, &c->people) {
		struct chat_person *p = e->value;

		if (name_matches(p, buf_bytes(&folded)) ||
			key_matches(p, who) || tag_matches(p, who))
			add_candidate(f, p);
	}
	buf_clear(&folded);
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
