/*
 * The small tables: rooms, people, addresses, settings.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/xmalloc.h"
#include "store/store_internal.h"

void store_bind_bytes(sqlite3_stmt *st, int at, struct bytes value)
{
	/* A NULL pointer would bind SQL's NULL, which no column takes. */
	sqlite3_bind_blob64(st, at,
		value.len == 0 ? "" : (const void *)value.data, value.len,
		SQLITE_STATIC);
}

void store_bind_text(sqlite3_stmt *st, int at, const char *text)
{
	sqlite3_bind_text(st, at, text, -1, SQLITE_STATIC);
}

void store_column_text(sqlite3_stmt *st, int at, char *out, size_t size)
{
	const void *text = sqlite3_column_blob(st, at);
	size_t len = (size_t)sqlite3_column_bytes(st, at);

	len = P2P_MIN(len, size - 1);
	if (len > 0)
		memcpy(out, text, len);
	out[len] = '\0';
}

void store_column_fixed(sqlite3_stmt *st, int at, uint8_t *out, size_t len)
{
	const void *data = sqlite3_column_blob(st, at);

	if (data != NULL && (size_t)sqlite3_column_bytes(st, at) == len)
		memcpy(out, data, len);
	else
		memset(out, 0, len);
}

bool store_column_key(sqlite3_stmt *st, int at, struct store_key *key)
{
	if (sqlite3_column_type(st, at) == SQLITE_NULL)
		return false;
	key->time_ms = store_u64(sqlite3_column_int64(st, at));
	store_column_fixed(st, at + 1, key->id, STORE_ID_BYTES);
	return true;
}

void store_bind_key(sqlite3_stmt *st, int at, const struct store_key *key)
{
	sqlite3_bind_int64(st, at, store_i64(key->time_ms));
	sqlite3_bind_blob(st, at + 1, key->id, STORE_ID_BYTES, SQLITE_STATIC);
}

static uint64_t column_u64(sqlite3_stmt *st, int at)
{
	return store_u64(sqlite3_column_int64(st, at));
}

/* Runs what has a row to change. That it finds none means that the row is not
 * as it was written, and so is not written to. */
static int run_found(struct store *s, sqlite3_stmt *st)
{
	int err = store_run(s, st);

	if (err != 0 || sqlite3_changes(s->db) > 0)
		return err;
	(void)snprintf(s->error, sizeof(s->error), "a damaged row");
	return P2P_ERR_CORRUPT;
}

/* ---- rooms ------------------------------------------------------------- */

static void bind_room(sqlite3_stmt *st, const struct store_room *room)
{
	sqlite3_bind_int(st, 2, room->joined);
	sqlite3_bind_int(st, 3, room->position);
	sqlite3_bind_int(st, 4, room->dialect);
	sqlite3_bind_int64(st, 5, store_i64(room->read.time_ms));
	store_bind_bytes(st, 6, bytes_of(room->read.id, STORE_ID_BYTES));
	sqlite3_bind_int64(st, 7, room->unread);
	sqlite3_bind_int64(st, 8, room->mentions);
	sqlite3_bind_int64(st, 9, store_i64(room->seq));
	store_bind_bytes(st, 10, bytes_of(room->prev, STORE_ID_BYTES));
	sqlite3_bind_int64(st, 11, store_i64(room->clock_ms));
}

struct store_shown_room *store_shown_find(struct store *s, int64_t id)
{
	struct store_shown *sh = &s->shown;

	for (size_t i = 0; i < sh->count; i++)
		if (sh->rooms[i].id == id)
			return &sh->rooms[i];
	return NULL;
}

void store_shown_room(struct store *s, const struct store_room *room)
{
	struct store_shown *sh = &s->shown;
	struct store_shown_room *r = store_shown_find(s, room->id);

	if (s->path == NULL || room->topic[0] == '\0')
		return;
	if (r == NULL && sh->count == STORE_ROOMS_MAX)
		return;
	if (r == NULL) {
		if (sh->count == sh->cap) {
			sh->cap = P2P_MAX(16u, 2 * sh->cap);
			sh->rooms = xreallocarray(
				sh->rooms, sh->cap, sizeof(*sh->rooms));
		}
		r = &sh->rooms[sh->count++];
		*r = (struct store_shown_room){.id = room->id, .changed = true};
	}
	/* A number that a rolled back turn gave may come to another room. */
	memcpy(r->topic, room->topic, sizeof(r->topic));
	r->changed =
		r->changed || r->seq != room->seq || r->joined != room->joined;
	r->joined = room->joined;
	r->seq = room->seq;
	memcpy(r->prev, room->prev, sizeof(r->prev));
}

int store_put_room(struct store *s, struct store_room *room)
{
	bool insert = room->id == 0;
	sqlite3_stmt *st = store_write_stmt(
		s, insert ? STMT_ROOM_INSERT : STMT_ROOM_UPDATE);
	int err;

	if (st == NULL)
		return store_last_err(s);
	bind_room(st, room);
	if (insert)
		store_bind_bytes(st, 1, bytes_str(room->topic));
	else
		sqlite3_bind_int64(st, 1, room->id);
	err = run_found(s, st);
	if (err == 0 && insert)
		room->id = sqlite3_last_insert_rowid(s->db);
	if (err == 0)
		store_shown_room(s, room);
	return err;
}

int store_put_room_again(struct store *s, const struct store_room *room)
{
	sqlite3_stmt *st = store_write_stmt(s, STMT_ROOM_INSERT);
	int err;

	if (st == NULL)
		return store_last_err(s);
	bind_room(st, room);
	store_bind_bytes(st, 1, bytes_str(room->topic));
	sqlite3_bind_int64(st, 12, room->id);
	err = store_run(s, st);
	if (err == 0)
		store_shown_room(s, room);
	return err;
}

static void read_room_id(sqlite3_stmt *st, void *item)
{
	*(int64_t *)item = sqlite3_column_int64(st, 0);
}

static void read_room(sqlite3_stmt *st, struct store_room *room)
{
	room->id = sqlite3_column_int64(st, 0);
	store_column_text(st, 1, room->topic, sizeof(room->topic));
	room->joined = sqlite3_column_int(st, 2) != 0;
	room->position = sqlite3_column_int(st, 3);
	room->dialect = sqlite3_column_int(st, 4);
	room->read.time_ms = column_u64(st, 5);
	store_column_fixed(st, 6, room->read.id, STORE_ID_BYTES);
	room->unread = (uint32_t)sqlite3_column_int64(st, 7);
	room->mentions = (uint32_t)sqlite3_column_int64(st, 8);
	room->seq = column_u64(st, 9);
	store_column_fixed(st, 10, room->prev, STORE_ID_BYTES);
	room->clock_ms = column_u64(st, 11);
}

/* One loader for all small tables: `size` bytes an item, filled by `read`. */
struct loader {
	size_t size;
	size_t max;
	void (*read)(sqlite3_stmt *st, void *item);
};

static int load_all(struct store *s, enum store_stmt which,
	const struct loader *how, void **items, size_t *count)
{
	sqlite3_stmt *st = store_stmt(s, which);
	char *array = NULL;
	size_t n = 0, cap = 0;
	int err;

	*items = NULL;
	*count = 0;
	if (st == NULL)
		return store_last_err(s);
	sqlite3_bind_int64(st, 1, (int64_t)how->max);
	while ((err = store_step(s, st)) > 0) {
		if (n == cap) {
			cap = cap == 0 ? 16 : cap * 2;
			array = xreallocarray(array, cap, how->size);
		}
		memset(array + n * how->size, 0, how->size);
		how->read(st, array + n * how->size);
		n++;
	}
	sqlite3_reset(st);
	if (err < 0) {
		free(array);
		return err;
	}
	*items = array;
	*count = n;
	return 0;
}

static void read_room_item(sqlite3_stmt *st, void *item)
{
	read_room(st, item);
}

int store_load_rooms(struct store *s, struct store_room **rooms, size_t *count)
{
	static const struct loader how = {
		sizeof(struct store_room), STORE_ROOMS_MAX, read_room_item};
	void *items;
	int err = load_all(s, STMT_ROOM_LOAD, &how, &items, count);

	*rooms = items;
	return err;
}

int store_lost_rooms(struct store *s, int64_t **rooms, size_t *count)
{
	static const struct loader how = {
		sizeof(int64_t), STORE_ROOMS_MAX, read_room_id};
	void *items;
	int err = load_all(s, STMT_ROOMS_LOST, &how, &items, count);

	*rooms = items;
	return err;
}

/* ---- people ------------------------------------------------------------ */

static void read_person(sqlite3_stmt *st, void *item)
{
	struct store_person *person = item;

	person->id = sqlite3_column_int64(st, 0);
	store_column_text(st, 1, person->peer, sizeof(person->peer));
	store_column_text(st, 2, person->name, sizeof(person->name));
	store_column_text(
		st, 3, person->looks.small, sizeof(person->looks.small));
	store_column_text(
		st, 4, person->looks.drawn, sizeof(person->looks.drawn));
	person->named_ms = column_u64(st, 5);
	person->first_seen_ms = column_u64(st, 6);
	person->last_seen_ms = column_u64(st, 7);
	person->ignored = sqlite3_column_int(st, 8) != 0;
	person->verified = sqlite3_column_int(st, 9) != 0;
	person->class = (enum store_class)sqlite3_column_int(st, 10);
	person->days = (uint32_t)sqlite3_column_int64(st, 11);
	person->day = sqlite3_column_int64(st, 12);
	person->since_day = sqlite3_column_int64(st, 13);
	person->since_room = sqlite3_column_int64(st, 14);
}

static void bind_name(sqlite3_stmt *st, const struct store_person *person)
{
	store_bind_text(st, 2, person->name);
	store_bind_text(st, 3, person->looks.small);
	store_bind_text(st, 4, person->looks.drawn);
	sqlite3_bind_int64(st, 5, store_i64(person->named_ms));
}

static int insert_person(struct store *s, struct store_person *person)
{
	sqlite3_stmt *st = store_write_stmt(s, STMT_PERSON_INSERT);
	int err;

	if (st == NULL)
		return store_last_err(s);
	store_bind_text(st, 1, person->peer);
	bind_name(st, person);
	sqlite3_bind_int64(st, 6, store_i64(person->first_seen_ms));
	sqlite3_bind_int64(st, 7, store_i64(person->last_seen_ms));
	sqlite3_bind_int(st, 8, person->ignored);
	sqlite3_bind_int(st, 9, person->verified);
	sqlite3_bind_int64(st, 10, person->days);
	sqlite3_bind_int64(st, 11, person->day);
	err = store_step(s, st);
	if (err > 0) {
		person->id = sqlite3_column_int64(st, 0);
		person->class = (enum store_class)sqlite3_column_int(st, 1);
		/* RETURNING gives its row before the statement ends. */
		err = store_step(s, st);
	} else if (err == 0) {
		/* The peer has a row, which is damaged. */
		err = P2P_ERR_CORRUPT;
	}
	sqlite3_reset(st);
	return err;
}

int store_put_person(struct store *s, struct store_person *person)
{
	sqlite3_stmt *st;

	if (person->id == 0)
		return insert_person(s, person);
	st = store_write_stmt(s, STMT_PERSON_UPDATE);
	if (st == NULL)
		return store_last_err(s);
	sqlite3_bind_int64(st, 1, person->id);
	bind_name(st, person);
	sqlite3_bind_int64(st, 6, store_i64(person->last_seen_ms));
	sqlite3_bind_int(st, 7, person->ignored);
	sqlite3_bind_int(st, 8, person->verified);
	sqlite3_bind_int64(st, 9, person->days);
	sqlite3_bind_int64(st, 10, person->day);
	return run_found(s, st);
}

/* One row by one text. */
static int find_person(struct store *s, enum store_stmt which, const char *text,
	struct store_person *person)
{
	sqlite3_stmt *st = store_stmt(s, which);
	int err;

	if (st == NULL)
		return store_last_err(s);
	store_bind_text(st, 1, text);
	err = store_step(s, st);
	if (err > 0)
		read_person(st, person);
	sqlite3_reset(st);
	if (err == 0)
		return P2P_ERR_NOT_FOUND;
	return err > 0 ? 0 : err;
}

int store_find_person(
	struct store *s, const char *peer, struct store_person *person)
{
	return find_person(s, STMT_PERSON_FIND, peer, person);
}

static bool comes_first(
	const struct store_person *a, const struct store_person *b)
{
	if (a->verified != b->verified)
		return a->verified;
	if (a->named_ms != b->named_ms)
		return a->named_ms < b->named_ms;
	return a->id < b->id;
}

int store_first_of_look(
	struct store *s, const char *look, struct store_person *person)
{
	struct store_person drawn = {.id = 0};
	int err = find_person(s, STMT_PERSON_FIRST_SMALL, look, person);
	int other;

	if (err != 0 && err != P2P_ERR_NOT_FOUND)
		return err;
	other = find_person(s, STMT_PERSON_FIRST_DRAWN, look, &drawn);
	if (other == 0 && (err != 0 || comes_first(&drawn, person)))
		*person = drawn;
	return other == P2P_ERR_NOT_FOUND ? err : other;
}

static int add_look(struct store *s, int64_t id, const char *name)
{
	sqlite3_stmt *st = store_stmt(s, STMT_PERSON_LOOK);
	struct text_looks looks;

	if (st == NULL)
		return store_last_err(s);
	text_looks_of(bytes_str(name), &looks);
	sqlite3_bind_int64(st, 1, id);
	store_bind_text(st, 2, looks.small);
	store_bind_text(st, 3, looks.drawn);
	return store_run(s, st);
}

int store_add_looks(struct store *s)
{
	const struct loader how = {
		sizeof(struct store_person), INT64_MAX, read_person};
	struct store_person *people;
	void *items;
	size_t count;
	int err = load_all(s, STMT_PERSON_LOAD, &how, &items, &count);

	people = items;
	for (size_t i = 0; err == 0 && i < count; i++)
		err = add_look(s, people[i].id, people[i].name);
	free(items);
	return err;
}

int store_load_people(struct store *s, size_t max, struct store_person **people,
	size_t *count)
{
	const struct loader how = {
		sizeof(struct store_person), max, read_person};
	void *items;
	int err = load_all(s, STMT_PERSON_LOAD, &how, &items, count);

	*people = items;
	return err;
}

/* ---- addresses --------------------------------------------------------- */

static int trim_addresses(struct store *s, const char *peer)
{
	sqlite3_stmt *st = store_write_stmt(s, STMT_ADDRESS_TRIM_PEER);
	int err;

	if (st == NULL)
		return store_last_err(s);
	store_bind_text(st, 1, peer);
	sqlite3_bind_int(st, 2, STORE_ADDRS_PER_PEER_MAX);
	err = store_run(s, st);
	if (err != 0)
		return err;
	st = store_write_stmt(s, STMT_ADDRESS_TRIM);
	if (st == NULL)
		return store_last_err(s);
	sqlite3_bind_int(st, 1, STORE_ADDRS_MAX);
	return store_run(s, st);
}

int store_put_address(struct store *s, const struct store_address *address)
{
	sqlite3_stmt *st = store_write_stmt(s, STMT_ADDRESS_PUT);
	int err;

	if (st == NULL)
		return store_last_err(s);
	store_bind_text(st, 1, address->peer);
	store_bind_text(st, 2, address->addr);
	sqlite3_bind_int64(st, 3, store_i64(address->last_ok_ms));
	err = store_run(s, st);
	return err != 0 ? err : trim_addresses(s, address->peer);
}

static void read_address(sqlite3_stmt *st, void *item)
{
	struct store_address *address = item;

	store_column_text(st, 0, address->peer, sizeof(address->peer));
	store_column_text(st, 1, address->addr, sizeof(address->addr));
	address->last_ok_ms = column_u64(st, 2);
}

int store_load_addresses(struct store *s, size_t max,
	struct store_address **addresses, size_t *count)
{
	const struct loader how = {
		sizeof(struct store_address), max, read_address};
	void *items;
	int err = load_all(s, STMT_ADDRESS_LOAD, &how, &items, count);

	*addresses = items;
	return err;
}

int store_put_record(struct store *s, const struct store_record *record)
{
	sqlite3_stmt *st = store_write_stmt(s, STMT_RECORD_PUT);
	int err;

	if (st == NULL)
		return store_last_err(s);
	store_bind_text(st, 1, record->peer);
	store_bind_bytes(st, 2, bytes_of(record->record, record->len));
	sqlite3_bind_int64(st, 3, store_i64(record->seen_ms));
	err = store_run(s, st);
	if (err != 0)
		return err;
	st = store_write_stmt(s, STMT_RECORD_TRIM);
	if (st == NULL)
		return store_last_err(s);
	sqlite3_bind_int(st, 1, STORE_RECORDS_MAX);
	return store_run(s, st);
}

static void read_record(sqlite3_stmt *st, void *item)
{
	struct store_record *record = item;
	const void *blob = sqlite3_column_blob(st, 1);
	int len = sqlite3_column_bytes(st, 1);

	store_column_text(st, 0, record->peer, sizeof(record->peer));
	record->seen_ms = column_u64(st, 2);
	/* One that is too long is none: its length stays 0. */
	if (len <= 0 || (size_t)len > sizeof(record->record))
		return;
	record->len = (size_t)len;
	memcpy(record->record, blob, record->len);
}

int store_load_records(struct store *s, size_t max,
	struct store_record **records, size_t *count)
{
	const struct loader how = {
		sizeof(struct store_record), max, read_record};
	void *items;
	int err = load_all(s, STMT_RECORD_LOAD, &how, &items, count);

	*records = items;
	return err;
}

static int forget(struct store *s, enum store_stmt which, uint64_t before_ms)
{
	sqlite3_stmt *st = store_write_stmt(s, which);

	if (st == NULL)
		return store_last_err(s);
	sqlite3_bind_int64(st, 1, store_i64(before_ms));
	return store_run(s, st);
}

int store_forget_stale(struct store *s, uint64_t addresses_before_ms,
	uint64_t records_before_ms)
{
	int err = forget(s, STMT_ADDRESS_FORGET, addresses_before_ms);

	return err != 0 ? err
			: forget(s, STMT_RECORD_FORGET, records_before_ms);
}

/* ---- settings ---------------------------------------------------------- */

int store_set(struct store *s, const char *key, struct bytes value)
{
	sqlite3_stmt *st;

	if (value.len > STORE_SETTING_BYTES_MAX)
		return P2P_ERR_TOO_BIG;
	st = store_write_stmt(s, STMT_SETTING_PUT);
	if (st == NULL)
		return store_last_err(s);
	store_bind_text(st, 1, key);
	store_bind_bytes(st, 2, value);
	return store_run(s, st);
}

int store_set_u64(struct store *s, const char *key, uint64_t value)
{
	uint8_t raw[8];

	put_be64(raw, value);
	return store_set(s, key, bytes_of(raw, sizeof(raw)));
}

int store_get(struct store *s, const char *key, struct buf *value)
{
	sqlite3_stmt *st = store_stmt(s, STMT_SETTING_GET);
	int err;

	if (st == NULL)
		return store_last_err(s);
	store_bind_text(st, 1, key);
	err = store_step(s, st);
	if (err > 0)
		err = buf_append(
			value, bytes_of(sqlite3_column_blob(st, 0),
				       (size_t)sqlite3_column_bytes(st, 0)));
	else if (err == 0)
		err = P2P_ERR_NOT_FOUND;
	sqlite3_reset(st);
	return err;
}

int store_get_u64(struct store *s, const char *key, uint64_t *value)
{
	struct buf raw;
	int err;

	buf_init(&raw, STORE_SETTING_BYTES_MAX);
	err = store_get(s, key, &raw);
	if (err == 0 && raw.len == 8)
		*value = get_be64(raw.data);
	else if (err == 0)
		err = P2P_ERR_NOT_FOUND;
	buf_clear(&raw);
	return err;
}
