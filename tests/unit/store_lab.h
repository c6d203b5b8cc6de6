/*
 * A profile's database in a folder of its own, for tests of the store.
 */
#ifndef TESTS_UNIT_STORE_LAB_H
#define TESTS_UNIT_STORE_LAB_H

#include "store/store_internal.h"

struct fixture {
	char dir[64];
	char path[96];
	char lock[96];
	struct store *store; /* open after lab_reopen */
};

int lab_begin(void **state);
int lab_end(void **state);
/* Closes what is open, as a crash would, and opens the file again. */
void reopen(struct fixture *f);
/* Closes it: then the file is the test's. */
void lab_close(struct fixture *f);
/* Runs SQL on a closed database. */
void sql_on_file(const char *path, const char *sql);

int64_t add_room(struct store *s, const char *topic);
int64_t add_person(struct store *s, const char *peer, bool ignored);
/* A line whose id follows from its time. */
struct store_message line(int64_t room, int64_t author, uint64_t ms);
/* Whether it is new. */
bool insert(struct store *s, struct store_message m);
/* Lines on the newest page of 100. */
size_t page_count(struct store *s, int64_t room);

/* The file of that name with that end: "", "-wal". */
char *lab_beside(const struct fixture *f, const char *end); /* caller frees */
bool lab_is_there(const struct fixture *f, const char *end);
struct buf lab_file(const struct fixture *f, const char *end);
void lab_put_file(const struct fixture *f, const char *end, struct bytes in);
void lab_remove(const struct fixture *f, const char *end);
/* Lines from one time up to another, which is our count as well. */
void lab_say(struct fixture *f, int64_t room, uint64_t from, uint64_t to);
/* Rooms that are missed. */
size_t lab_lost_count(struct fixture *f);

#define STORY(name) cmocka_unit_test_setup_teardown(name, lab_begin, lab_end)

#endif
