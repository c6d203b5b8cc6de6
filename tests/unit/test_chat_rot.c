/*
 * A disk that changes single bits, told by what a person sees: a line is as it
 * was said, or is shown as damaged, or its loss is said, or the database is
 * refused. Nothing is lost or changed without a word, and nothing damaged is
 * handed to anybody. ROT_FLIPS says how many bits, ROT_SEED which.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "base/xmalloc.h"
#include "store/store_internal.h"
#include "tests/unit/chat_host.h"

#define LINES 300
#define BIRDS "birds"
#define FLIPS 200
#define SHOWN_MAX 1000

/* All that a face is told of a line, as one text. */
struct seen {
	uint8_t id[32];
	char *what;
	char name[MSG_NAME_MAX];
	bool damaged;
	bool of_eve;
};

struct screen {
	struct seen lines[SHOWN_MAX];
	size_t count;
};

struct rot {
	struct host me;
	struct author mali, tom, eve;
	struct buf image;
	struct screen before; /* eve is not ignored yet */
	struct store_person *people;
	size_t person_count;
	struct store_room *rooms;
	size_t room_count;
};

/* ---- what is shown ------------------------------------------------------ */

static void screen_add(
	struct screen *s, const struct ui_msg *m, const char *eve)
{
	const struct ui_line *l = &m->line;
	struct seen *seen = &s->lines[s->count++];

	assert_true(s->count < SHOWN_MAX);
	memcpy(seen->id, l->id, sizeof(seen->id));
	seen->damaged = l->type == UI_TYPE_DAMAGED;
	seen->of_eve = strcmp(l->from, eve) == 0;
	snprintf(seen->name, sizeof(seen->name), "%s", l->name);
	seen->what = xasprintf("%s|%llu|%s|%d%d%d%d|%d|%s", m->room,
		(unsigned long long)l->time_ms, l->from, l->own, l->mention,
		l->clock_wrong, l->not_kept, (int)l->state,
		l->text == NULL ? "" : l->text);
	/* Nobody is made to have said it. */
	if (seen->damaged) {
		assert_string_equal(l->from, "");
		assert_string_equal(l->name, "");
		assert_null(l->text);
		assert_false(l->own);
	}
}

static void screen_clear(struct screen *s)
{
	for (size_t i = 0; i < s->count; i++)
		free(s->lines[i].what);
	s->count = 0;
}

/* Page by page, as somebody who scrolls to the top sees it. */
static void look(struct rot *r, const char *room, struct screen *s)
{
	struct store_key before = {.time_ms = UINT64_MAX};
	const struct ui_msg *end, *m;

	do {
		host_forget(&r->me);
		host_page_before(&r->me, room, &before, 50);
		end = host_said(&r->me, UI_MSG_PAGE_END, 0);
		m = host_said(&r->me, UI_MSG_LINE, 0);
		if (m != NULL) {
			before.time_ms = m->line.time_ms;
			memcpy(before.id, m->line.id, sizeof(before.id));
		}
		for (size_t n = 0; (m = host_said(&r->me, UI_MSG_LINE, n)); n++)
			screen_add(s, m, r->eve.peer);
	} while (end != NULL && end->more);
}

static const struct seen *find(const struct screen *s, const struct seen *like)
{
	for (size_t i = 0; i < s->count; i++)
		if (memcmp(s->lines[i].id, like->id, 32) == 0)
			return &s->lines[i];
	return NULL;
}

/* ---- the database ------------------------------------------------------- */

static void talk(struct rot *r)
{
	struct host *h = &r->me;
	uint64_t now = h->te.env.wall_ms;

	for (int i = 0; i < LINES; i++) {
		char *text = xasprintf(
			"%sline %d of the talk", i % 17 == 0 ? "ann: " : "", i);

		now += 1000;
		host_wait(h, 1000);
		if (i % 5 == 0)
			host_types(h, i % 2 == 0 ? LOBBY : BIRDS, text);
		else if (i % 5 == 1)
			author_says_native(&r->mali, h, text, now);
		else if (i % 5 == 2)
			author_says_go(&r->tom, h, text, now);
		else if (i % 5 == 3)
			author_says_js(&r->eve, h, text, now);
		else
			author_sends(&r->tom, h, BIRDS, bytes_str(text));
		if (i % 10 == 0)
			host_handed(h, host_line(h, text)->line.id);
		host_forget(h);
		free(text);
	}
}

static int begin(void **state)
{
	struct rot *r = calloc(1, sizeof(*r));
	struct host *h = &r->me;

	host_init(h, 7, "ann");
	author_init(&r->mali, 1, "mali");
	author_init(&r->tom, 2, "tom");
	author_init(&r->eve, 3, "eve");
	host_types(h, NULL, "/join " BIRDS);
	host_meets(h, &r->mali, LOBBY);
	talk(r);
	host_gone(h, r->mali.peer);
	host_types(h, NULL, "/verify mali");
	host_types(h, NULL, "/verify mali yes");
	look(r, LOBBY, &r->before);
	look(r, BIRDS, &r->before);
	host_types(h, NULL, "/ignore eve");
	host_restart(h);
	buf_init(&r->image, 64u << 20);
	assert_int_equal(store_save_image(h->store, &r->image), 0);
	assert_int_equal(
		store_load_people(h->store, 99, &r->people, &r->person_count),
		0);
	assert_int_equal(
		store_load_rooms(h->store, &r->rooms, &r->room_count), 0);
	*state = r;
	return 0;
}

static int end(void **state)
{
	struct rot *r = *state;

	host_clear(&r->me);
	screen_clear(&r->before);
	buf_clear(&r->image);
	free(r->people);
	free(r->rooms);
	free(r);
	return 0;
}

/* ---- one bit ------------------------------------------------------------ */

struct outcomes {
	unsigned refused;
	unsigned stopped; /* while it was read; the person was told */
	unsigned said;
	unsigned damaged;
	unsigned unharmed;
};

static bool same_person(
	const struct store_person *a, const struct store_person *b)
{
	return a->id == b->id && strcmp(a->peer, b->peer) == 0 &&
	       strcmp(a->name, b->name) == 0 &&
	       strcmp(a->looks.small, b->looks.small) == 0 &&
	       strcmp(a->looks.drawn, b->looks.drawn) == 0 &&
	       a->named_ms == b->named_ms &&
	       a->first_seen_ms == b->first_seen_ms &&
	       a->last_seen_ms == b->last_seen_ms && a->ignored == b->ignored &&
	       a->verified == b->verified && a->class == b->class &&
	       a->days == b->days && a->day == b->day;
}

/* Marks, names and classes: all as they were, or some are said to be gone;
 * what is there is true in any case. */
static void check_people(struct rot *r, const struct store *s)
{
	struct store_person *people;
	size_t count, same = 0;

	assert_int_equal(
		store_load_people(r->me.store, 99, &people, &count), 0);
	for (size_t i = 0; i < count; i++) {
		bool known = strncmp(people[i].peer, "damaged ", 8) == 0;

		for (size_t k = 0; k < r->person_count && !known; k++) {
			known = same_person(&people[i], &r->people[k]);
			same += known;
		}
		if (!known)
			fail_msg("%s (%s) is not as it was", people[i].peer,
				people[i].name);
	}
	assert_true(same == r->person_count || store_damage(s)->people > 0);
	free(people);
}

static void check_rooms(struct rot *r, const struct store *s)
{
	struct store_room *rooms;
	size_t count;

	assert_int_equal(store_load_rooms(r->me.store, &rooms, &count), 0);
	assert_true(count == r->room_count || store_damage(s)->rooms > 0);
	for (size_t i = 0; i < count; i++)
		for (size_t k = 0; k < r->room_count; k++)
			if (rooms[i].id == r->rooms[k].id &&
				store_damage(s)->rooms == 0)
				assert_memory_equal(&rooms[i], &r->rooms[k],
					sizeof(rooms[i]));
	free(rooms);
}

static bool says(struct host *h, const char *text)
{
	return host_text(h, UI_MSG_NOTICE, text) != NULL;
}

static void check_lines(struct rot *r, struct outcomes *sum)
{
	const struct store_damage *d = store_damage(r->me.store);
	struct screen now = {.count = 0};
	size_t damaged = 0, missing = 0;

	look(r, LOBBY, &now);
	look(r, BIRDS, &now);
	for (size_t i = 0; i < now.count; i++) {
		const struct seen *was = find(&r->before, &now.lines[i]);

		damaged += now.lines[i].damaged;
		if (now.lines[i].damaged)
			continue;
		if (was == NULL || strcmp(was->what, now.lines[i].what) != 0)
			fail_msg("falsified: %s\nit was: %s", now.lines[i].what,
				was == NULL ? "nothing" : was->what);
		/* Who is forgotten is called by the end of the key. */
		if (strcmp(was->name, now.lines[i].name) != 0)
			assert_true(
				d->people > 0 && now.lines[i].name[0] == '.');
		if (was->of_eve && d->people == 0)
			fail_msg("of the ignored: %s", was->what);
	}
	for (size_t i = 0; i < r->before.count; i++) {
		const struct seen *is = find(&now, &r->before.lines[i]);

		missing += !r->before.lines[i].of_eve &&
			   (is == NULL || is->damaged);
	}
	screen_clear(&now);
	if (!chat_is_saving(r->me.chat)) {
		sum->stopped++;
		return;
	}
	/* One that is found elsewhere may stand far ahead. */
	if (missing > damaged + d->lines + d->moved && !d->uncounted)
		fail_msg("%zu lines are missing, %zu damaged, %llu said",
			missing, damaged, (unsigned long long)d->lines);
	sum->damaged += damaged > 0;
	sum->unharmed += damaged == 0 && missing == 0;
}

static void flip(struct rot *r, uint64_t bit, struct outcomes *sum)
{
	uint8_t *byte = &r->image.data[bit / 8];
	uint8_t mask = (uint8_t)(1u << bit % 8);
	struct store *s = NULL;
	int err;

	*byte ^= mask;
	err = store_open_memory(&s, buf_bytes(&r->image), NULL);
	if (err == 0) {
		struct store *mine = r->me.store;

		r->me.store = s;
		check_people(r, s);
		check_rooms(r, s);
		r->me.store = mine;
		store_close(s);
	}
	if (err == 0)
		err = host_restart_on(&r->me, buf_bytes(&r->image));
	if (err != 0) {
		assert_true(err == P2P_ERR_CORRUPT || err == P2P_ERR_TOO_NEW ||
			    err == P2P_ERR_DENIED);
		sum->refused++;
	} else {
		sum->said += says(&r->me, "The database was damaged");
		check_lines(r, sum);
	}
	*byte ^= mask;
}

static uint64_t setting(const char *name, uint64_t otherwise)
{
	const char *text = getenv(name);

	return text == NULL ? otherwise : strtoull(text, NULL, 10);
}

static void test_rot_nothing_is_lost_or_changed_without_a_word(void **state)
{
	struct rot *r = *state;
	uint64_t flips = setting("ROT_FLIPS", FLIPS);
	struct outcomes sum = {0};
	struct test_env te;

	assert_true(r->before.count == LINES);
	test_env_init(&te, setting("ROT_SEED", 1));
	for (uint64_t i = 0; i < flips; i++) {
		uint64_t bit = rng_below(te.env.rng, 8 * r->image.len);

		if (getenv("ROT_SAY") != NULL)
			print_message("bit %llu\n", (unsigned long long)bit);
		flip(r, bit, &sum);
	}
	print_message("%llu bits of %zu bytes: %u refused, %u stopped while "
		      "reading, %u said, %u with a damaged line, %u unharmed\n",
		(unsigned long long)flips, r->image.len, sum.refused,
		sum.stopped, sum.said, sum.damaged, sum.unharmed);
	assert_int_equal(host_restart_on(&r->me, buf_bytes(&r->image)), 0);
}

/* ---- by name ------------------------------------------------------------ */

/* Changes rows behind the store's back, and starts again on them. */
static void spoil(struct rot *r, const char *sql)
{
	struct buf image;

	assert_int_equal(host_restart_on(&r->me, buf_bytes(&r->image)), 0);
	assert_int_equal(store_exec(r->me.store, sql), 0);
	buf_init(&image, 64u << 20);
	assert_int_equal(store_save_image(r->me.store, &image), 0);
	assert_int_equal(host_restart_on(&r->me, buf_bytes(&image)), 0);
	buf_clear(&image);
}

static void test_rot_a_damaged_line_is_nobodys(void **state)
{
	struct rot *r = *state;
	struct screen now = {.count = 0};
	size_t damaged = 0;

	/* A row that is damaged, and one whose seal is right but that is not
	 * what its author signed: as an older program could have kept it. */
	spoil(r, "UPDATE messages SET mention = 1 - mention WHERE row = 11;"
		 "UPDATE messages SET unit = (SELECT unit FROM messages"
		 " WHERE row = 10) WHERE row = 15;"
		 "UPDATE messages SET seal = " SEAL_OF_MESSAGE
		 " WHERE row = 15");
	look(r, LOBBY, &now);
	look(r, BIRDS, &now);
	for (size_t i = 0; i < now.count; i++)
		damaged += now.lines[i].damaged;
	assert_int_equal(damaged, 2);
	screen_clear(&now);
}

static size_t offered(struct rot *r)
{
	size_t count = 0;

	host_meets(&r->me, &r->mali, LOBBY);
	host_meets(&r->me, &r->mali, BIRDS);
	for (int i = 0; i < 400; i++) {
		host_wait(&r->me, 250);
		for (size_t n = 0; n < r->me.net_count; n++) {
			struct net_msg *m = net_msg_of(r->me.net[n]);
			struct payload p;

			if (m->msg.kind != NET_MSG_PUBLISH)
				continue;
			/* Its signature is checked here. */
			p = host_payload(m);
			host_handed(&r->me, m->id);
			count += p.type == PAYLOAD_MESSAGE && !p.has_copy_of;
			payload_clear(&p);
		}
		host_forget(&r->me);
	}
	return count;
}

static void test_rot_nothing_damaged_is_handed_on(void **state)
{
	struct rot *r = *state;
	size_t all;

	spoil(r, "SELECT 1");
	all = offered(r);
	assert_int_equal(all, LINES / 10);
	/* The last byte of what is signed; and a signature alone, under a seal
	 * that is right. */
	spoil(r, "UPDATE messages SET local = 1 - local WHERE row ="
		 " (SELECT min(row) FROM messages WHERE state = 1);"
		 "UPDATE messages SET unit = CAST(substr(unit, 1,"
		 " length(unit) - 60) || x'00' || substr(unit,"
		 " length(unit) - 58) AS BLOB) WHERE row ="
		 " (SELECT max(row) FROM messages WHERE state = 1);"
		 "UPDATE messages SET seal = " SEAL_OF_MESSAGE " WHERE row ="
		 " (SELECT max(row) FROM messages WHERE state = 1)");
	assert_int_equal(offered(r), all - 2);
}

static void test_rot_a_room_is_found_again_by_its_lines(void **state)
{
	struct rot *r = *state;
	struct screen now = {.count = 0};

	spoil(r, "UPDATE rooms SET topic = x'6265617273' WHERE topic ="
		 " CAST('birds' AS BLOB)");
	assert_true(says(&r->me, "1 room is gone"));
	look(r, BIRDS, &now);
	for (size_t i = 0; i < now.count; i++)
		assert_string_equal(now.lines[i].what,
			find(&r->before, &now.lines[i])->what);
	assert_int_equal(now.count, LINES / 10 + LINES / 5);
	screen_clear(&now);
	host_types(&r->me, BIRDS, "and on");
	assert_non_null(host_line(&r->me, "and on"));
}

static void test_rot_lost_lines_are_said_once(void **state)
{
	struct rot *r = *state;
	struct buf image;

	spoil(r, "DELETE FROM messages WHERE row IN (3, 5, 8)");
	assert_true(says(&r->me, "3 lines that were kept here are gone"));
	buf_init(&image, 64u << 20);
	assert_int_equal(store_save_image(r->me.store, &image), 0);
	assert_int_equal(host_restart_on(&r->me, buf_bytes(&image)), 0);
	assert_false(says(&r->me, "damaged"));
	buf_clear(&image);
}

static void test_rot_our_own_name_outlives_its_setting(void **state)
{
	struct rot *r = *state;

	spoil(r, "UPDATE settings SET value = x'626f62' WHERE key = 'name'");
	assert_true(says(&r->me, "1 setting is gone. Your name is ann"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			test_rot_nothing_is_lost_or_changed_without_a_word),
		cmocka_unit_test(test_rot_a_damaged_line_is_nobodys),
		cmocka_unit_test(test_rot_nothing_damaged_is_handed_on),
		cmocka_unit_test(test_rot_a_room_is_found_again_by_its_lines),
		cmocka_unit_test(test_rot_lost_lines_are_said_once),
		cmocka_unit_test(test_rot_our_own_name_outlives_its_setting),
	};

	return cmocka_run_group_tests_name("chat_rot", tests, begin, end);
}
