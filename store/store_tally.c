/*
 * What hours and shares hold (decision 0018), kept in memory between commits:
 * a burst of lines counts into the same few of them, and each costs one
 * statement a turn then, not five a line. What changed is written inside the
 * turn's own transaction, before it ends, so the sums are on disk with the
 * lines that they count or not at all. A rollback forgets everything; what is
 * asked for next is read again. When all places are taken, all are written and
 * emptied: lines that are dated over a thousand hours cost what they cost
 * without this file.
 */
#include "store/store_internal.h"

/* ---- hours -------------------------------------------------------------- */

static int hour_read(struct store *s, struct store_hour *h)
{
	sqlite3_stmt *st = STORE_BOUND(s, STMT_HOUR_GET, h->room, h->hour);
	int err;

	if (st == NULL)
		return store_last_err(s);
	err = store_step(s, st);
	if (err > 0) {
		h->bytes = sqlite3_column_int64(st, 0);
		h->saturated = sqlite3_column_int(st, 1) != 0;
		h->shut = sqlite3_column_int(st, 2) != 0;
		h->has_cut = sqlite3_column_type(st, 3) != SQLITE_NULL;
		h->cut = sqlite3_column_int64(st, 3);
		err = 0;
	}
	sqlite3_reset(st);
	return err;
}

static int hour_write(struct store *s, const struct store_hour *h)
{
	sqlite3_stmt *st = STORE_BOUND(s, STMT_HOUR_PUT, h->room, h->hour,
		h->bytes, h->saturated, h->shut);

	if (st == NULL)
		return store_last_err(s);
	if (h->has_cut)
		sqlite3_bind_int64(st, 6, h->cut);
	return store_run(s, st);
}

static struct store_hour *hour_find(
	struct store_tallies *t, int64_t room, int64_t hour)
{
	for (size_t i = 0; i < t->hour_count; i++)
		if (t->hours[i].hour == hour && t->hours[i].room == room)
			return &t->hours[i];
	return NULL;
}

/* The place of an hour, which is free for it. */
static int hour_place(
	struct store *s, const struct store_hour *h, struct store_hour **place)
{
	struct store_tallies *t = &s->tallies;
	int err = 0;

	*place = hour_find(t, h->room, h->hour);
	if (*place != NULL)
		return 0;
	if (t->hour_count == STORE_TALLIES_MAX) {
		err = store_tallies_flush(s);
		if (err != 0)
			return err;
		t->hour_count = 0;
	}
	*place = &t->hours[t->hour_count++];
	**place = *h;
	return 0;
}

int store_hour_get(
	struct store *s, int64_t room, int64_t hour, struct store_hour *h)
{
	struct store_hour *place = hour_find(&s->tallies, room, hour);
	int err;

	if (place != NULL) {
		*h = *place;
		return 0;
	}
	*h = (struct store_hour){.room = room, .hour = hour};
	err = hour_read(s, h);
	return err != 0 ? err : hour_place(s, h, &place);
}

int store_hour_put(struct store *s, const struct store_hour *h)
{
	struct store_hour *place;
	int err = hour_place(s, h, &place);

	if (err != 0)
		return err;
	*place = *h;
	place->bytes = P2P_MAX(h->bytes, (int64_t)0);
	place->changed = s->tallies.changed = true;
	return 0;
}

/* ---- shares ------------------------------------------------------------- */

static int share_read(struct store *s, struct store_share *share)
{
	sqlite3_stmt *st =
		STORE_BOUND(s, STMT_SHARE_GET, share->room, share->author);
	int err;

	if (st == NULL)
		return store_last_err(s);
	err = store_step(s, st);
	if (err > 0) {
		share->bytes = sqlite3_column_int64(st, 0);
		share->has_floor = store_column_key(st, 1, &share->floor);
	}
	sqlite3_reset(st);
	return P2P_MIN(err, 0);
}

static int share_write(struct store *s, const struct store_share *share)
{
	sqlite3_stmt *st = STORE_BOUND(
		s, STMT_SHARE_PUT, share->room, share->author, share->bytes);

	if (st == NULL)
		return store_last_err(s);
	if (share->has_floor)
		store_bind_key(st, 4, &share->floor);
	return store_run(s, st);
}

static struct store_share *share_find(
	struct store_tallies *t, int64_t room, int64_t author)
{
	for (size_t i = 0; i < t->share_count; i++)
		if (t->shares[i].author == author && t->shares[i].room == room)
			return &t->shares[i];
	return NULL;
}

static int share_place(struct store *s, const struct store_share *share,
	struct store_share **place)
{
	struct store_tallies *t = &s->tallies;
	int err = 0;

	*place = share_find(t, share->room, share->author);
	if (*place != NULL)
		return 0;
	if (t->share_count == STORE_TALLIES_MAX) {
		err = store_tallies_flush(s);
		if (err != 0)
			return err;
		t->share_count = 0;
	}
	*place = &t->shares[t->share_count++];
	**place = *share;
	return 0;
}

int store_share_get(struct store *s, int64_t room, int64_t author,
	struct store_share *share)
{
	struct store_share *place = share_find(&s->tallies, room, author);
	int err;

	if (place != NULL) {
		*share = *place;
		return 0;
	}
	*share = (struct store_share){.room = room, .author = author};
	err = share_read(s, share);
	return err != 0 ? err : share_place(s, share, &place);
}

int store_share_put(struct store *s, const struct store_share *share)
{
	struct store_share *place;
	int err = share_place(s, share, &place);

	if (err != 0)
		return err;
	*place = *share;
	place->bytes = P2P_MAX(share->bytes, (int64_t)0);
	place->changed = s->tallies.changed = true;
	return 0;
}

/* ---- commits ------------------------------------------------------------ */

int store_tallies_flush(struct store *s)
{
	struct store_tallies *t = &s->tallies;
	int err = 0;

	if (!t->changed)
		return 0;
	for (size_t i = 0; err == 0 && i < t->hour_count; i++) {
		if (t->hours[i].changed)
			err = hour_write(s, &t->hours[i]);
		t->hours[i].changed = err != 0;
	}
	for (size_t i = 0; err == 0 && i < t->share_count; i++) {
		if (t->shares[i].changed)
			err = share_write(s, &t->shares[i]);
		t->shares[i].changed = err != 0;
	}
	t->changed = err != 0;
	return err;
}

void store_tallies_forget(struct store *s)
{
	s->tallies.hour_count = s->tallies.share_count = 0;
	s->tallies.changed = false;
}
