/*
 * Where the files are while they are open: a database that was moved or removed
 * goes on taking lines, and all of them are lost with its descriptor. SQLite
 * itself looks only with other journals than ours.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/xmalloc.h"
#include "store/store_internal.h"

bool store_has_file(const struct store *s)
{
	return !s->memory;
}

int store_look_at_place(struct store *s)
{
	int moved = 0;

	if (s->memory || sqlite3_file_control(s->db, "main",
				 SQLITE_FCNTL_HAS_MOVED, &moved) != SQLITE_OK)
		return 0;
	if (!moved)
		return 0;
	(void)snprintf(s->error, sizeof(s->error),
		"the database was moved or removed");
	return P2P_ERR_MOVED;
}

void store_mend_log(struct store *s)
{
	char *path;
	struct stat st;
	bool there;

	if (s->path == NULL)
		return;
	path = xasprintf("%s-wal", s->path);
	there = stat(path, &st) == 0 || errno != ENOENT;
	free(path);
	/* It is made by the first write, again after this. */
	if (there || !s->log_seen) {
		s->log_seen = there;
		return;
	}
	s->log_seen = false;
	log_printf(s->log, LOG_LEVEL_WARN,
		"store: the log beside the database was removed; what was in "
		"it is saved");
	/* Leaving the mode writes all of the log into the database. */
	if (store_exec(s, "PRAGMA journal_mode = DELETE;"
			  "PRAGMA journal_mode = WAL;") != 0)
		log_printf(s->log, LOG_LEVEL_ERROR,
			"store: no new log beside the database");
}
