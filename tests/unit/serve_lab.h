/*
 * Two hosts of swarm_lab whose services remember what they are told, all in one
 * list a host, and do what a story wants. Host 0 opens, host 1 serves.
 */
#ifndef TESTS_UNIT_SERVE_LAB_H
#define TESTS_UNIT_SERVE_LAB_H

#include "tests/unit/swarm_lab.h"

enum what {
	OPENED = 1,
	READABLE = 2,
	WRITABLE = 4,
	GONE = 8,
	CONN_UP = 16,
	CONN_DOWN = 32,
	UP = 64,
	DOWN = 128,
};

struct word {
	enum what what;
	uint64_t stream;
	char text[32]; /* what there was to be read, its beginning */
	size_t len;
	bool end;
	int err;
};

#define USER_WORDS 300

/* What the services of a host were told, and what they do. */
struct user {
	struct word word[USER_WORDS];
	unsigned count;
	size_t takes;       /* of what there is to be read */
	int err;            /* of readable, always */
	unsigned resets;    /* the stream, in these (enum what) */
	unsigned closes;    /* the same */
	bool holds;         /* from opened on */
	const char *answer; /* written in opened, to those who come */
	/* Instead of taking. */
	int (*reads)(struct user *u, const struct env *env, struct sstream *st,
		struct serve_in *in);
	/* After the others, in opened. */
	void (*opens)(
		struct user *u, const struct env *env, struct sstream *st);
	struct serve *sv;
};

extern struct user users[2];

/* A service of one name; its other members may follow. */
#define SERVICE(name, ...) \
	{ \
		.names = (const char *const[]){name, NULL}, USER_OPS, \
		__VA_ARGS__ \
	}
#define USER_OPS \
	.start = user_start, .free = free, .opened = user_opened, \
	.readable = user_readable, .writable = user_writable, \
	.gone = user_gone

void *user_start(struct serve *sv, const struct service_ops *ops,
	const struct serve_cfg *cfg, const struct env *env);
void user_opened(void *arg, const struct env *env, struct sstream *st);
int user_readable(void *arg, const struct env *env, struct sstream *st,
	struct serve_in *in);
void user_writable(void *arg, const struct env *env, struct sstream *st);
void user_gone(void *arg, const struct env *env, struct sstream *st,
	struct bytes rest, int err);

/* Set-up: hosts 0 and 1 with such services, before or after they have met. The
 * first of their services hears of connections and peers. */
struct swarm_lab *serve_lab_apart(const struct service_ops *const *services);
struct swarm_lab *serve_lab(const struct service_ops *const *services);
/* Another host in the place of one, with services of its own and without those
 * of the program, if its `services` say so. */
void serve_lab_replace(
	struct swarm_lab *l, unsigned i, const struct serve_cfg *cfg);
int serve_lab_end(void **state);

/* Host 0 opens a stream; text is written at once, if there is any. */
struct sstream *serve_lab_open(
	struct swarm_lab *l, const struct service_ops *ops, const char *text);
/* Host i writes. */
void serve_lab_say(
	struct swarm_lab *l, unsigned i, struct sstream *st, const char *text);
/* All that host 0 has to say arrives at host 1 in one piece, and is not served
 * yet. */
void serve_lab_blurt(struct swarm_lab *l);

/* How often host i was told that; the nth of them (the first is 0), which there
 * must be, and its place among all. */
unsigned told(unsigned i, unsigned what);
const struct word *told_nth(unsigned i, enum what what, unsigned n);
unsigned told_at(unsigned i, enum what what, unsigned n);

#endif
