/*
 * Stories of rooms in which other programs write: what ours are written in,
 * who is told what, and what becomes of messages that nobody can read.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "tests/unit/chat_host.h"

#define DAY_MS (86400ULL * 1000)

static void says(struct author *a, struct host *h, const char *data)
{
	author_sends(a, h, LOBBY, bytes_str(data));
}

/* What the last own line was written in. */
static enum dialect last_sent(struct host *h)
{
	size_t n = host_sent_count(h, NET_MSG_PUBLISH);
	struct payload p;
	enum dialect d;

	assert_true(n > 0);
	p = host_payload(host_sent(h, NET_MSG_PUBLISH, n - 1));
	d = p.dialect;
	payload_clear(&p);
	return d;
}

static size_t notices(struct host *h, const char *code)
{
	struct ui_msg *m;
	size_t count = 0;

	for (size_t n = 0; (m = host_said(h, UI_MSG_NOTICE, n)) != NULL; n++)
		count += m->code != NULL && strcmp(m->code, code) == 0;
	return count;
}

/* ---- what ours is written in -------------------------------------------- */

/* Who writes JSON may be behind others, and be no member that we see. */
static void test_chat_one_bare_talker_makes_no_room_bare(void **state)
{
	struct fixture *f = *state;
	struct host *h = &f->me;

	author_says_native(&f->mali, h, "from afar", NOW);
	host_meets(h, &f->tom, LOBBY);
	says(&f->tom, h, "bare");
	host_types(h, NULL, "still JSON");
	assert_int_equal(last_sent(h), DIALECT_NATIVE);
	host_restart(h);
	host_meets(h, &f->tom, LOBBY);
	says(&f->tom, h, "bare again");
	host_types(h, NULL, "after a restart, too");
	assert_int_equal(last_sent(h), DIALECT_NATIVE);
	/* Nobody has written JSON for a day. */
	host_wait(h, DAY_MS);
	host_types(h, NULL, "bare now");
	assert_int_equal(last_sent(h), DIALECT_PLAIN);
}

static bool has_go_chat(struct host *h)
{
	size_t n = host_sent_count(h, NET_MSG_PUBLISH);
	struct net_msg *m = host_sent(h, NET_MSG_PUBLISH, n - 1);

	return memmem(m->data, m->data_len, "\"SenderNick\":\"ann\"", 18) !=
	       NULL;
}

static void test_chat_writes_for_go_libp2ps_chat_while_it_is_there(void **state)
{
	struct fixture *f = *state;
	struct host *h = &f->me;

	host_meets(h, &f->tom, LOBBY);
	host_types(h, NULL, "before");
	assert_false(has_go_chat(h));
	says(&f->tom, h,
		"{\"Message\":\"hi\",\"SenderID\":\"x\",\"SenderNick\":"
		"\"tom\"}");
	assert_string_equal(host_line(h, "hi")->line.name, "tom");
	host_types(h, NULL, "to both");
	assert_true(has_go_chat(h));
	assert_int_equal(last_sent(h), DIALECT_NATIVE);
	host_gone(h, f->tom.peer);
	host_meets(h, &f->mali, LOBBY);
	host_types(h, NULL, "after");
	assert_false(has_go_chat(h));
	/* Its own rooms are named so. */
	host_types(h, NULL, "/join chat-room:awesome");
	host_meets(h, &f->mali, "chat-room:awesome");
	host_types(h, NULL, "here it is");
	assert_true(has_go_chat(h));
}

/* A line that is too long for both is still sent to ours. */
static void test_chat_sends_long_lines_beside_go_libp2ps_chat(void **state)
{
	struct fixture *f = *state;
	char *text = malloc(MSG_TEXT_BYTES_MAX + 1);

	memset(text, '"', MSG_TEXT_BYTES_MAX);
	text[MSG_TEXT_BYTES_MAX] = '\0';
	host_types(&f->me, NULL, "/join chat-room:awesome");
	host_meets(&f->me, &f->mali, "chat-room:awesome");
	host_types(&f->me, NULL, text);
	assert_int_equal(last_sent(&f->me), DIALECT_NATIVE);
	assert_null(host_said(&f->me, UI_MSG_ERROR, 0));
	free(text);
}

/* ---- coming and going --------------------------------------------------- */

/* What the last own one says to the Go program, which shows the content. */
static void expect_notice(struct host *h, enum payload_type type,
	const char *room, const char *text)
{
	size_t n = host_sent_count(h, NET_MSG_PUBLISH);
	struct net_msg *m = host_sent(h, NET_MSG_PUBLISH, n - 1);
	struct payload p = host_payload(m);

	assert_int_equal(p.type, type);
	assert_string_equal(buf_cstr(&p.text), text);
	assert_string_equal(p.name, "ann");
	assert_string_equal(m->text, room);
	payload_clear(&p);
}

static void test_chat_comes_and_goes_by_name_for_the_go_program(void **state)
{
	struct fixture *f = *state;
	struct host *h = &f->me;

	host_types(h, NULL, "/join dev");
	host_meets(h, &f->mali, "dev");
	host_topic(h, f->mali.peer, LOBBY, true);
	/* Who has not heard that we came need not hear that we go. */
	host_types(h, NULL, "/part");
	assert_int_equal(host_sent_count(h, NET_MSG_PUBLISH), 0);
	author_says_go(&f->mali, h, "hello", NOW);
	assert_int_equal(host_sent_count(h, NET_MSG_PUBLISH), 1);
	expect_notice(h, PAYLOAD_JOIN, LOBBY, "ann joined the chat");
	host_types(h, NULL, "/join dev");
	assert_int_equal(host_sent_count(h, NET_MSG_PUBLISH), 2);
	expect_notice(h, PAYLOAD_JOIN, "dev", "ann joined the chat");
	host_types(h, NULL, "/part");
	assert_int_equal(host_sent_count(h, NET_MSG_PUBLISH), 3);
	expect_notice(h, PAYLOAD_LEAVE, "dev", "ann left the chat");
	/* Said before the room is left: then nobody would take it. */
	assert_int_equal(h->net[h->net_count - 2]->kind, NET_MSG_PUBLISH);
	assert_int_equal(h->net[h->net_count - 1]->kind, NET_MSG_LEAVE);
	host_types(h, NULL, "/join dev");
	assert_int_equal(host_sent_count(h, NET_MSG_PUBLISH), 4);
	expect_notice(h, PAYLOAD_JOIN, "dev", "ann joined the chat");
	host_types(h, NULL, "/part");
	host_types(h, NULL, "/quit");
	assert_int_equal(host_sent_count(h, NET_MSG_PUBLISH), 6);
	expect_notice(h, PAYLOAD_LEAVE, LOBBY, "ann left the chat");
	assert_int_equal(h->net[h->net_count - 1]->kind, NET_MSG_QUIT);
}

/* All who are there would see the JSON. */
static void test_chat_comes_without_a_word_where_text_is_bare(void **state)
{
	struct fixture *f = *state;
	struct host *h = &f->me;

	host_meets(h, &f->mali, LOBBY);
	author_says_go(&f->mali, h, "hello", NOW);
	host_topic(h, f->mali.peer, "universal-connectivity", true);
	host_forget(h);
	host_types(h, NULL, "/join universal-connectivity");
	host_types(h, NULL, "/part");
	assert_int_equal(host_sent_count(h, NET_MSG_PUBLISH), 0);
}

/* A signal, or the end of standard input. */
static void test_chat_goes_by_name_however_it_ends(void **state)
{
	struct fixture *f = *state;
	struct host *h = &f->me;

	host_meets(h, &f->mali, LOBBY);
	author_says_go(&f->mali, h, "hello", NOW);
	host_ui(h, CHAT_MSG_QUIT, NULL);
	assert_int_equal(host_sent_count(h, NET_MSG_PUBLISH), 2);
	expect_notice(h, PAYLOAD_LEAVE, LOBBY, "ann left the chat");
}

/* ---- who does not read whom --------------------------------------------- */

static void test_chat_says_once_that_programs_do_not_hear_each_other(
	void **state)
{
	struct fixture *f = *state;
	struct host *h = &f->me;

	host_meets(h, &f->mali, LOBBY);
	host_meets(h, &f->tom, LOBBY);
	author_says_native(&f->eve, h, "ours reads all", NOW);
	author_says_go(&f->mali, h, "go", NOW);
	assert_int_equal(notices(h, "dialects"), 0);
	author_says_js(&f->tom, h, "js", NOW);
	assert_int_equal(notices(h, "dialects"), 1);
	assert_non_null(host_text(h, UI_MSG_NOTICE,
		"writes like p2p-chat in JavaScript, somebody else like "
		"p2p-chat-go"));
	author_says_go(&f->mali, h, "go again", NOW);
	says(&f->eve, h, "bare");
	assert_int_equal(notices(h, "dialects"), 1);
}

static void test_chat_says_nothing_where_all_read_each_other(void **state)
{
	struct fixture *f = *state;
	struct host *h = &f->me;

	author_says_native(&f->mali, h, "one", NOW);
	author_says_go(&f->tom, h, "two", NOW);
	author_says_go(&f->eve, h, "three", NOW);
	assert_int_equal(notices(h, "dialects"), 0);
}

/* ---- what cannot be read ------------------------------------------------ */

#define BROKEN "{\"type\":\"message\",\"content\":\"\\ud800\"}"
#define TWO \
	"{\"type\":\"message\",\"content\":\"a\"}" \
	"{\"type\":\"message\",\"content\":\"b\"}"

static void test_chat_says_that_a_line_cannot_be_read(void **state)
{
	struct fixture *f = *state;
	struct host *h = &f->me;

	says(&f->mali, h, BROKEN);
	assert_non_null(host_text(h, UI_MSG_NOTICE, "its JSON is broken"));
	assert_int_equal(notices(h, "unreadable"), 1);
	/* The next ones are counted, and said together. */
	says(&f->tom, h, TWO);
	says(&f->tom, h, "\xff\xfe");
	assert_int_equal(notices(h, "unreadable"), 1);
	assert_int_equal(chat_deadline(h->chat),
		h->te.env.now_ms + CHAT_UNREADABLE_SAY_MS);
	host_wait(h, CHAT_UNREADABLE_SAY_MS);
	assert_int_equal(notices(h, "unreadable"), 2);
	assert_non_null(host_text(h, UI_MSG_NOTICE, "2 more lines could not"));
	host_types(h, NULL, "/info");
	assert_non_null(host_text(h, UI_MSG_NOTICE, "unreadable 3 units"));
	/* Nothing more is due. */
	host_wait(h, CHAT_UNREADABLE_SAY_MS);
	assert_int_equal(notices(h, "unreadable"), 2);
	says(&f->mali, h, "\xff\xfe");
	assert_non_null(host_text(h, UI_MSG_NOTICE, "it is not UTF-8 text"));
}

/* What net has not even passed on, because it is no text. */
static void test_chat_says_by_whom_came_what_is_no_text(void **state)
{
	struct fixture *f = *state;
	struct host *h = &f->me;
	struct chat_net_msg *m =
		chat_net_msg_new(CHAT_MSG_UNREADABLE, LOBBY, bytes_of(NULL, 0));

	host_meets(h, &f->mali, LOBBY);
	author_says_go(&f->mali, h, "hello", NOW);
	snprintf(m->peer, sizeof(m->peer), "%s", f->mali.peer);
	m->number = 3;
	chat_handle(h->chat, &h->te.env, &m->msg);
	host_turn(h);
	assert_non_null(host_text(
		h, UI_MSG_NOTICE, "3 lines that came by way of mali~"));
	host_types(h, NULL, "/info");
	assert_non_null(host_text(h, UI_MSG_NOTICE, "unreadable 3 units"));
}

static void test_chat_says_once_that_something_is_no_line(void **state)
{
	struct fixture *f = *state;
	struct host *h = &f->me;

	for (int i = 0; i < 3; i++)
		says(&f->mali, h, "{\"type\":\"typing\"}");
	assert_int_equal(notices(h, "unreadable"), 1);
	host_wait(h, 2ULL * CHAT_UNREADABLE_SAY_MS);
	assert_int_equal(notices(h, "unreadable"), 1);
	says(&f->mali, h, BROKEN);
	assert_int_equal(notices(h, "unreadable"), 2);
}

/* Nothing of an ignored person is said, that neither. */
static void test_chat_is_silent_about_who_is_ignored(void **state)
{
	struct fixture *f = *state;
	struct host *h = &f->me;

	author_says_go(&f->mali, h, "hello", NOW);
	host_types(h, NULL, "/ignore mali");
	host_forget(h);
	says(&f->mali, h, BROKEN);
	says(&f->mali, h, "{\"type\":\"typing\"}");
	assert_int_equal(notices(h, "unreadable"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORY(test_chat_one_bare_talker_makes_no_room_bare),
		STORY(test_chat_writes_for_go_libp2ps_chat_while_it_is_there),
		STORY(test_chat_sends_long_lines_beside_go_libp2ps_chat),
		STORY(test_chat_comes_and_goes_by_name_for_the_go_program),
		STORY(test_chat_comes_without_a_word_where_text_is_bare),
		STORY(test_chat_goes_by_name_however_it_ends),
		STORY(test_chat_says_once_that_programs_do_not_hear_each_other),
		STORY(test_chat_says_nothing_where_all_read_each_other),
		STORY(test_chat_says_that_a_line_cannot_be_read),
		STORY(test_chat_says_by_whom_came_what_is_no_text),
		STORY(test_chat_says_once_that_something_is_no_line),
		STORY(test_chat_is_silent_about_who_is_ignored),
	};

	return cmocka_run_group_tests_name("chat_dialects", tests, NULL, NULL);
}
