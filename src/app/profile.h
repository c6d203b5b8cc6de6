/*
 * The profile on disk: its folder, its lock, its key and its database.
 *   DIR/identity.key  the libp2p private-key protobuf, mode 0600
 *   DIR/chat.db       the store; chat.db-lines: what it should have
 *   DIR/lock          who runs
 *   DIR/log           the log, unless --log names another
 */
#ifndef APP_PROFILE_H
#define APP_PROFILE_H

#include "app/options.h"
#include "net/identity/key.h"
#include "store/store.h"

struct profile {
	char *folder; /* owned */
	struct store_lock *lock;
	struct store *store;
	struct identity me;
	bool fresh; /* the key was made just now */
};

/* Finds the folder, or makes it, and locks it. 0, or an exit status and "what:
 * why". Close it either way. */
int profile_open(struct profile *p, const struct options *o,
	options_env_fn get_env, char error[static OPTIONS_ERROR_MAX]);
/* Then the key and the database, which take their time when they are made. */
int profile_load(struct profile *p, struct log *log,
	char error[static OPTIONS_ERROR_MAX]);
/* When the database turns out to be damaged later: opens a new one of what can
 * be read in it (store_salvage). An exit status as above. */
int profile_salvage(struct profile *p, struct log *log,
	char error[static OPTIONS_ERROR_MAX]);
void profile_close(struct profile *p);

#endif
