/*
 * Stories of names: who passes as somebody else, as a word of the screen, or as
 * one whose key was compared. A day after they were met, too.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "base/text.h"
#include "tests/lib/vector.h"
#include "tests/unit/chat_host.h"

#define THROW_AWAY_KEYS 5200
#define A_DAY (CHAT_NEW_PERSON_MS + 1)

/* Somebody with a key of his own. */
static void stranger(struct author *a, unsigned number, const char *name)
{
	uint8_t raw[32] = {(uint8_t)number, (uint8_t)(number >> 8), 77};

	identity_from_seed(&a->key, raw);
	peer_id_text(&a->key.id, a->peer);
	a->name = name;
	a->seqno = 1;
}

/* The mark of a line that the author says now. */
static char mark_of(struct host *h, struct author *a)
{
	struct ui_msg *m;

	host_forget(h);
	author_says_native(a, h, "hello", h->te.env.wall_ms);
	m = host_line(h, "hello");
	assert_non_null(m);
	return m->line.name_mark;
}

/* \u{HEX} as the character. */
static void unescape(const char *text, struct buf *out)
{
	char *end;

	while (*text != '\0') {
		if (strncmp(text, "\\u{", 3) == 0) {
			utf8_encode(out, (uint32_t)strtoul(text + 3, &end, 16));
			text = end + 1;
		} else {
			(void)buf_append_u8(out, (uint8_t)*text++);
		}
	}
}

static void test_names_that_look_like_anothers_stay_marked(void **state)
{
	struct fixture *f = *state;
	struct host *h = &f->me;
	struct vector_file v;
	struct author real, fake;
	char known[32] = "";
	unsigned number = 0, unmarked = 0;
	struct buf name;

	buf_init(&name, 256);
	vector_open(&v, "look-alikes.txt");
	while (vector_next(&v, 3)) {
		if (strcmp(known, v.word[0]) != 0) {
			snprintf(known, sizeof(known), "%s", v.word[0]);
			stranger(&real, ++number, known);
			assert_int_equal(mark_of(h, &real), UI_MARK_NEW);
			host_wait(h, A_DAY);
			assert_int_equal(mark_of(h, &real), UI_MARK_KNOWN);
		}
		buf_reset(&name);
		unescape(v.word[1], &name);
		stranger(&fake, ++number, buf_cstr(&name));
		(void)mark_of(h, &fake);
		host_wait(h, A_DAY);
		if (mark_of(h, &fake) != UI_MARK_CLASH) {
			print_error("%s passes as %s\n", v.word[1], known);
			unmarked++;
		}
		assert_int_equal(mark_of(h, &real), UI_MARK_KNOWN);
	}
	buf_clear(&name);
	assert_int_equal(unmarked, 0);
}

static void test_names_of_the_screen_stay_marked(void **state)
{
	static const char *const names[] = {"you", "YOU", "уоu", "-- system",
		"system", "!mali", "?mali", "+mali", "*mali", ">", "> mali",
		"@mali", "..Ah93KnYU", "Alice~abcdef", "\xEF\xBC\x81mali",
		"\xC7\x83mali", "mal\xE2\x80\xA6", "somebody", "here",
		"elsewhere", "Everybody", "nobody", "[ok] mali"};
	struct fixture *f = *state;
	struct host *h = &f->me;
	struct author a;

	for (size_t i = 0; i < P2P_ARRAY_LEN(names); i++) {
		stranger(&a, 100 + (unsigned)i, names[i]);
		(void)mark_of(h, &a);
		host_wait(h, A_DAY);
		if (mark_of(h, &a) != UI_MARK_CLASH)
			fail_msg("'%s' is not marked", names[i]);
		assert_null(
			strpbrk(host_line(h, "hello")->line.name, "~!?>*+@["));
	}
	/* What only looks a little like one is a name. */
	stranger(&a, 99, "一帆");
	(void)mark_of(h, &a);
	host_wait(h, A_DAY);
	assert_int_equal(mark_of(h, &a), UI_MARK_KNOWN);
}

static void test_names_of_old_lines_are_looked_at_too(void **state)
{
	struct fixture *f = *state;
	struct host *h = &f->me;

	(void)mark_of(h, &f->mali);
	host_wait(h, A_DAY);
	f->eve.name = "m\xD0\xB0li";
	author_says_native(&f->eve, h, "send me money", NOW + 1);
	f->eve.name = "eve";
	author_says_native(&f->eve, h, "bye", NOW + 2);
	host_wait(h, A_DAY);
	host_forget(h);
	host_page(h, LOBBY, 10);
	assert_int_equal(
		host_line(h, "send me money")->line.name_mark, UI_MARK_CLASH);
	assert_int_equal(host_line(h, "bye")->line.name_mark, UI_MARK_KNOWN);
}

/* Who came first is in the store, however many keys come after. */
static void test_names_are_not_pushed_out_by_throw_away_keys(void **state)
{
	struct fixture *f = *state;
	struct host *h = &f->me;
	struct author a;
	char name[32];

	(void)mark_of(h, &f->mali);
	for (unsigned i = 0; i < THROW_AWAY_KEYS; i++) {
		snprintf(name, sizeof(name), "guest %u", i);
		stranger(&a, i, name);
		author_says_native(&a, h, "x", h->te.env.wall_ms);
		host_forget(h);
	}
	f->eve.name = "MALI";
	assert_int_equal(mark_of(h, &f->eve), UI_MARK_CLASH);
	host_wait(h, A_DAY);
	assert_int_equal(mark_of(h, &f->eve), UI_MARK_CLASH);
	assert_int_equal(mark_of(h, &f->mali), UI_MARK_KNOWN);
	host_restart(h);
	assert_int_equal(mark_of(h, &f->eve), UI_MARK_CLASH);
}

/* Known for long under another name, one still comes late to this one. */
static void test_names_are_of_who_took_them_first(void **state)
{
	struct fixture *f = *state;
	struct host *h = &f->me;

	(void)mark_of(h, &f->eve);
	host_wait(h, A_DAY);
	(void)mark_of(h, &f->mali);
	host_wait(h, A_DAY);
	f->eve.name = "mali";
	assert_int_equal(mark_of(h, &f->eve), UI_MARK_CLASH);
	assert_int_equal(mark_of(h, &f->mali), UI_MARK_KNOWN);
	/* A capital more is the same name. */
	f->mali.name = "Mali";
	assert_int_equal(mark_of(h, &f->mali), UI_MARK_KNOWN);
	/* Who gives it up lets the next one have it. */
	f->mali.name = "somchai";
	assert_int_equal(mark_of(h, &f->mali), UI_MARK_KNOWN);
	assert_int_equal(mark_of(h, &f->eve), UI_MARK_KNOWN);
}

static void test_names_of_oneself_are_no_marks(void **state)
{
	static const char *const names[] = {
		"~ann", "an~n", "!ann", "you", "\xD0\xB0nn"};
	struct fixture *f = *state;
	struct host *h = &f->me;
	char line[40];

	for (size_t i = 0; i < P2P_ARRAY_LEN(names); i++) {
		host_forget(h);
		snprintf(line, sizeof(line), "/name %s", names[i]);
		host_types(h, NULL, line);
		assert_string_equal(
			host_said(h, UI_MSG_ERROR, 0)->code, "bad-name");
	}
	host_forget(h);
	host_types(h, NULL, "/name Ann_2");
	assert_null(host_said(h, UI_MSG_ERROR, 0));
}

/* The same number is shown at both ends, and to nobody else. */
static void test_verify_shows_the_same_at_both_ends(void **state)
{
	struct fixture *f = *state;
	struct host *h = &f->me, other;
	struct author ann = {.key = h->me, .name = "ann", .seqno = 1};
	const char *here, *there;

	host_init(&other, 1, "mali");
	snprintf(ann.peer, sizeof(ann.peer), "%s", h->id);
	author_says_native(&ann, &other, "hello", NOW);
	stranger(&f->mali, 0, "mali");
	f->mali.key = other.me;
	snprintf(f->mali.peer, sizeof(f->mali.peer), "%s", other.id);
	(void)mark_of(h, &f->mali);
	host_types(h, NULL, "/verify mali");
	host_types(&other, NULL, "/verify ann");
	here = host_text(h, UI_MSG_NOTICE, "has to see the same")->text;
	there = host_text(&other, UI_MSG_NOTICE, "has to see the same")->text;
	/* Twelve groups of five digits, then six words. */
	here = strchr(here, '\n');
	there = strchr(there, '\n');
	assert_int_equal(strcspn(here + 4, "abcdefghijklmnopqrstuvwxyz"),
		3 * strlen("00000 00000 00000 00000\n   "));
	assert_memory_equal(here, there, (size_t)(strstr(here, "\nIf") - here));
	host_forget(h);
	(void)mark_of(h, &f->tom);
	host_types(h, NULL, "/verify tom");
	assert_memory_not_equal(
		strchr(host_text(h, UI_MSG_NOTICE, "has to see")->text, '\n'),
		there, 60);
	host_clear(&other);
}

static void test_verify_marks_a_key_for_good(void **state)
{
	struct fixture *f = *state;
	struct host *h = &f->me;

	(void)mark_of(h, &f->eve);
	(void)mark_of(h, &f->mali);
	/* Not before the number was seen. */
	host_types(h, NULL, "/verify mali yes");
	assert_non_null(host_text(h, UI_MSG_NOTICE, "has to see the same"));
	assert_int_equal(mark_of(h, &f->mali), UI_MARK_NEW);
	/* Nor for another key that has the name by then. */
	host_types(h, NULL, "/verify eve yes");
	assert_int_equal(mark_of(h, &f->eve), UI_MARK_NEW);
	host_types(h, NULL, "/verify eve");
	host_types(h, NULL, "/verify mali");
	host_types(h, NULL, "/verify mali yes");
	assert_int_equal(mark_of(h, &f->mali), UI_MARK_VERIFIED);
	assert_int_equal(mark_of(h, &f->eve), UI_MARK_NEW);
	host_restart(h);
	assert_int_equal(mark_of(h, &f->mali), UI_MARK_VERIFIED);
	host_types(h, NULL, "/verify mali no");
	assert_int_equal(mark_of(h, &f->mali), UI_MARK_NEW);
	host_types(h, NULL, "/verify ann");
	assert_non_null(host_text(h, UI_MSG_ERROR, "That is you."));
}

/* Also when the impostor had the name first, and also when mali is away. */
static void test_verified_names_are_defended_loudly(void **state)
{
	struct fixture *f = *state;
	struct host *h = &f->me;
	struct author other;
	char line[128];

	f->eve.name = "mali";
	(void)mark_of(h, &f->eve);
	host_wait(h, A_DAY);
	assert_int_equal(mark_of(h, &f->mali), UI_MARK_CLASH);
	snprintf(line, sizeof(line), "/verify %s", f->mali.peer);
	host_types(h, NULL, line);
	snprintf(line, sizeof(line), "/verify %s yes", f->mali.peer);
	host_types(h, NULL, line);
	assert_int_equal(mark_of(h, &f->mali), UI_MARK_VERIFIED);
	assert_int_equal(mark_of(h, &f->eve), UI_MARK_CLASH);
	host_restart(h);
	host_forget(h);
	stranger(&other, 1, "m\xD0\xB0li");
	author_says_native(&other, h, "send me money", NOW);
	assert_non_null(host_text(h, UI_MSG_NOTICE, "whom you have verified"));
	assert_int_equal(
		host_text(h, UI_MSG_NOTICE, "verified")->level, UI_LEVEL_WARN);
	/* Keys are thrown away faster than that is said. */
	host_forget(h);
	stranger(&other, 2, "MALI");
	author_says_native(&other, h, "send me money", NOW + 1);
	assert_null(host_text(h, UI_MSG_NOTICE, "whom you have verified"));
	assert_int_equal(
		host_line(h, "send me money")->line.name_mark, UI_MARK_CLASH);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORY(test_names_that_look_like_anothers_stay_marked),
		STORY(test_names_of_the_screen_stay_marked),
		STORY(test_names_of_old_lines_are_looked_at_too),
		STORY(test_names_are_not_pushed_out_by_throw_away_keys),
		STORY(test_names_are_of_who_took_them_first),
		STORY(test_names_of_oneself_are_no_marks),
		STORY(test_verify_shows_the_same_at_both_ends),
		STORY(test_verify_marks_a_key_for_good),
		STORY(test_verified_names_are_defended_loudly),
	};

	return cmocka_run_group_tests_name("chat_names", tests, NULL, NULL);
}
