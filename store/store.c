/*
 * The one database connection: how it is opened, hardened, and asked. Every
 * write is in a transaction that store_commit ends, and a commit that SQLite
 * undid by itself is an error, not a success. The file may be anybody's:
 * triggers, views and extensions are off, sizes are limited, and what does not
 * fit our fixed statements is damage.
 */
#include "store/store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/xmalloc.h"
#include "store/store_carve.h"
#include "store/store_internal.h"

const char *store_error(const struct store *s)
{
	return s->error;
}

const struct store_damage *store_damage(const struct store *s)
{
	return &s->damage;
}

int store_commit(struct store *s)
{
	sqlite3_stmt *st;

	if (!s->in_transaction)
		return 0;
	/* A failed write may have rolled everything back by itself: then a
	 * commit must not look like success. */
	if (sqlite3_get_autocommit(s->db) != 0) {
		s->in_transaction = false;
		return P2P_ERR_IO;
	}
	if (store_look_at_place(s) != 0)
		return P2P_ERR_MOVED;
	if (store_sums_flush(s) != 0 || store_tallies_flush(s) != 0)
		return store_last_err(s);
	st = store_stmt(s, STMT_COMMIT);
	if (st == NULL)
		return store_last_err(s);
	if (store_run(s, st) != 0)
		return store_last_err(s);
	s->in_transaction = false;
	store_shown_saved(s);
	store_sums_saved(s);
	store_mend_log(s);
	return 0;
}

void store_rollback(struct store *s)
{
	sqlite3_stmt *st;

	if (s->in_transaction && sqlite3_get_autocommit(s->db) == 0) {
		st = store_stmt(s, STMT_ROLLBACK);
		if (st != NULL && store_run(s, st) != 0)
			log_printf(s->log, LOG_LEVEL_ERROR,
				"store: roll back failed");
	}
	s->in_transaction = false;
	store_sums_undo(s);
	store_tallies_forget(s);
	store_shown_undo(s);
}

/* ---- opening ----------------------------------------------------------- */

/* Settings that do not depend on the file's content;
 * a library built without one of them is no reason to stop. */
static void harden(struct store *s)
{
	sqlite3 *db = s->db;

	sqlite3_extended_result_codes(db, 1);
	sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	sqlite3_db_config(db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0, NULL);
	sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
	sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_VIEW, 0, NULL);
	sqlite3_db_config(db, SQLITE_DBCONFIG_DQS_DML, 0, NULL);
	sqlite3_db_config(db, SQLITE_DBCONFIG_DQS_DDL, 0, NULL);
	sqlite3_limit(db, SQLITE_LIMIT_LENGTH, STORE_VALUE_BYTES_MAX);
	sqlite3_limit(db, SQLITE_LIMIT_SQL_LENGTH, STORE_SQL_BYTES_MAX);
	sqlite3_limit(db, SQLITE_LIMIT_ATTACHED, 0);
	sqlite3_limit(db, SQLITE_LIMIT_COLUMN, 64);
	sqlite3_limit(db, SQLITE_LIMIT_EXPR_DEPTH, 32);
	sqlite3_limit(db, SQLITE_LIMIT_VARIABLE_NUMBER, 32);
	sqlite3_limit(db, SQLITE_LIMIT_WORKER_THREADS, 0);
}

#define STR_(x) #x
#define STR(x) STR_(x)

/* The exclusive mode comes before WAL: then no shared memory is made and no
 * second connection can come in. What is not ours is refused before WAL would
 * change its header. */
static int configure(struct store *s)
{
	/* The size of a page is what salvage knows. */
	static const char common[] =
		"PRAGMA page_size = 4096;"
		"PRAGMA cell_size_check = ON;"
		"PRAGMA mmap_size = 0;"
		"PRAGMA temp_store = MEMORY;"
		"PRAGMA cache_size = -" STR(STORE_CACHE_KIB) ";";
	static const char file[] =
		"PRAGMA journal_mode = WAL;"
		"PRAGMA synchronous = FULL;"
		"PRAGMA wal_autocheckpoint = " STR(STORE_WAL_PAGES) ";";
	char limit[80];
	int err = 0, version = 0;

	if (!s->memory)
		err = store_exec(s, "PRAGMA locking_mode = EXCLUSIVE");
	if (err == 0)
		err = store_exec(s, common);
	if (err == 0)
		err = store_check(s, &version);
	/* Seals of an older form are not there yet, its structure is. */
	if (err == 0 && version > 0)
		err = store_mend_structure(s, store_is_suspect(s));
	if (err == 0 && !s->memory)
		err = store_exec(s, file);
	if (err != 0 || s->memory)
		return err;
	snprintf(limit, sizeof(limit), "PRAGMA journal_size_limit = %d",
		STORE_WAL_BYTES_MAX);
	return store_exec(s, limit);
}

/*
 * Makes the file with our mode before SQLite would with its own. Only a file
 * that did not exist is opened here: closing a descriptor of an open database
 * would drop its locks.
 */
static int make_file(const char *path)
{
	int fd = open(path, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0600);

	if (fd >= 0) {
		close(fd);
		return 0;
	}
	if (errno == EEXIST)
		return 0;
	if (errno == EACCES || errno == EPERM || errno == EROFS)
		return P2P_ERR_DENIED;
	return errno == ENOSPC ? P2P_ERR_NO_SPACE : P2P_ERR_IO;
}

static int open_db(struct store *s, const char *path)
{
	int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX |
		    SQLITE_OPEN_PRIVATECACHE | SQLITE_OPEN_EXRESCODE;
	int rc;

	if (s->memory)
		flags |= SQLITE_OPEN_MEMORY | SQLITE_OPEN_CREATE;
	rc = sqlite3_open_v2(path, &s->db, flags, NULL);
	if (s->db == NULL)
		return P2P_ERR_IO;
	if (rc != SQLITE_OK)
		return store_fail(s, rc);
	/* What is refused is left as it is, its log as well. */
	sqlite3_db_config(s->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
	harden(s);
	return store_seal_setup(s);
}

static int load_image(struct store *s, struct bytes image)
{
	unsigned char *copy = sqlite3_malloc64(image.len);
	int rc;

	if (copy == NULL)
		return P2P_ERR_IO;
	memcpy(copy, image.data, image.len);
	rc = sqlite3_deserialize(s->db, "main", copy, (int64_t)image.len,
		(int64_t)image.len,
		SQLITE_DESERIALIZE_FREEONCLOSE | SQLITE_DESERIALIZE_RESIZEABLE);
	return rc == SQLITE_OK ? 0 : store_fail(s, rc);
}

/* What is there, before anybody asks for it. */
static int look_through(struct store *s)
{
	bool done;
	int err = store_mend_schema(s);

	if (err == 0)
		err = store_mend_rows(s);
	if (err == 0)
		err = store_sums_load(s);
	if (err == 0)
		err = store_shown_open(s);
	if (err == 0)
		err = store_salvage_load(s);
	if (err == 0)
		err = store_last_row(s, &s->last_row);
	if (err == 0)
		err = store_count_lines(s, STORE_COUNTED_AT_START, &done);
	return err == 0 ? store_commit(s) : err;
}

static int finish_open(struct store **out, struct store *s, int err)
{
	if (err == 0)
		err = configure(s);
	if (err == 0)
		err = store_migrate(s);
	if (err == 0)
		err = look_through(s);
	if (err != 0) {
		store_close(s);
		return err;
	}
	if (s->path != NULL)
		store_suspect_clear(s->path);
	sqlite3_db_config(s->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, NULL);
	s->open = true;
	*out = s;
	return 0;
}

int store_open_bare(struct store **out, const char *path, struct log *log)
{
	struct store *s;
	int err;

	*out = NULL;
	err = make_file(path);
	if (err != 0)
		return err;
	s = xcalloc(1, sizeof(*s));
	s->log = log;
	return finish_open(out, s, open_db(s, path));
}

int store_open(struct store **out, const char *path, struct log *log)
{
	struct store *s;
	int err;

	*out = NULL;
	err = store_salvage_finish(path);
	if (err == 0)
		err = make_file(path);
	if (err != 0)
		return err;
	/* SQLite takes some of its bits for a wish, such as not to write. */
	if (!carve_header_is_sound(path))
		return P2P_ERR_CORRUPT;
	s = xcalloc(1, sizeof(*s));
	s->log = log;
	s->path = xstrdup(path);
	s->shown.fd = -1;
	return finish_open(out, s, open_db(s, path));
}

int store_open_memory(struct store **out, struct bytes image, struct log *log)
{
	struct store *s = xcalloc(1, sizeof(*s));
	int err;

	*out = NULL;
	s->log = log;
	s->memory = true;
	s->space.free_bytes = UINT64_MAX;
	err = open_db(s, ":memory:");
	if (err == 0 && image.len > 0)
		err = load_image(s, image);
	return finish_open(out, s, err);
}

int store_save_image(struct store *s, struct buf *image)
{
	sqlite3_int64 size = 0;
	unsigned char *data;
	int err;

	store_rollback(s);
	data = sqlite3_serialize(s->db, "main", &size, 0);
	if (data == NULL)
		return P2P_ERR_IO;
	err = buf_append(image, bytes_of(data, (size_t)size));
	sqlite3_free(data);
	return err;
}

void store_close(struct store *s)
{
	if (s == NULL)
		return;
	store_rollback(s);
	for (int i = 0; i < STMT_COUNT; i++)
		sqlite3_finalize(s->stmts[i]);
	sqlite3_close(s->db);
	store_shown_close(s);
	free(s->sums.items);
	free(s->path);
	free(s);
}

const char *store_library_version(void)
{
	return sqlite3_libversion();
}
