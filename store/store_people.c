/*
 * Questions about all people, and about the disk: how many are regulars and
 * strangers, whom to forget, how much room there is.
 */
#include <sys/statvfs.h>

#include "store/store_internal.h"

int store_drop_person(struct store *s, struct store_person *person)
{
	int err = STORE_RUN(s, STMT_PERSON_DROP, person->id);

	if (err == 0)
		person->id = 0;
	return err;
}

static int read_one(struct store *s, sqlite3_stmt *st, uint64_t *value)
{
	int err;

	*value = 0;
	if (st == NULL)
		return store_last_err(s);
	err = store_step(s, st);
	if (err > 0)
		*value = store_u64(sqlite3_column_int64(st, 0));
	sqlite3_reset(st);
	return P2P_MIN(err, 0);
}

int store_regulars(
	struct store *s, int64_t day, int64_t room, struct store_regulars *r)
{
	sqlite3_stmt *st;
	int err;

	*r = (struct store_regulars){.count = 0};
	err = read_one(
		s, STORE_BOUND(s, STMT_PERSON_COUNT, STORE_REGULAR), &r->count);
	if (err == 0)
		err = read_one(s,
			STORE_BOUND(s, STMT_PERSON_NEW_REGULARS, day, room),
			&r->new_here);
	if (err != 0)
		return err;
	st = store_write_stmt(s, STMT_PERSON_LEAST_REGULAR);
	if (st == NULL)
		return store_last_err(s);
	err = store_step(s, st);
	if (err > 0) {
		store_column_text(st, 0, r->least, sizeof(r->least));
		r->least_days = (uint32_t)sqlite3_column_int64(st, 1);
	}
	sqlite3_reset(st);
	return P2P_MIN(err, 0);
}

int store_count_strangers(struct store *s, uint64_t *count)
{
	return read_one(
		s, STORE_BOUND(s, STMT_PERSON_COUNT, STORE_STRANGER), count);
}

int store_forget_strangers(struct store *s, uint64_t keep)
{
	uint64_t count;
	int err = store_count_strangers(s, &count);

	if (err != 0 || count <= keep)
		return err;
	return STORE_RUN(s, STMT_PERSON_FORGET, store_i64(count - keep));
}

/* ---- space ------------------------------------------------------------- */

int store_look_at_space(struct store *s, struct store_space *space)
{
	struct statvfs fs;
	uint64_t pages = 0;
	int64_t unused;
	int err = store_size_bytes(s, &pages);

	*space = s->space;
	if (err != 0 || s->memory)
		return err;
	err = store_ask(s,
		"SELECT freelist_count * page_size"
		" FROM pragma_freelist_count, pragma_page_size",
		&unused);
	if (err != 0)
		return err;
	space->used_bytes = pages - P2P_MIN(store_u64(unused), pages) +
			    STORE_WAL_LARGEST_BYTES;
	/* Nobody knows: then writing tells. */
	space->free_bytes = UINT64_MAX;
	if (statvfs(s->path, &fs) == 0)
		space->free_bytes = (uint64_t)fs.f_bavail * fs.f_frsize;
	return 0;
}
