/*
 * Stories of a chat among people who mean harm, or whose programs do odd
 * things: each names what they cannot do.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "store/store_internal.h"
#include "tests/unit/chat_host.h"

/* ---- rooms ------------------------------------------------------------- */

static void test_chat_rooms_of_others_never_keep_me_out(void **state)
{
	struct fixture *f = *state;
	struct host *h = &f->me;
	char topic[32];

	host_peer(h, f->eve.peer, "evil/1", "yamux");
	for (int i = 0; i < 1000; i++) {
		snprintf(topic, sizeof(topic), "spam %d", i);
		host_topic(h, f->eve.peer, topic, true);
	}
	host_forget(h);
	host_types(h, NULL, "/join kitchen");
	assert_null(host_said(h, UI_MSG_ERROR, 0));
	assert_string_equal(host_said(h, UI_MSG_FOCUS, 0)->room, "kitchen");
	assert_string_equal(host_sent(h, NET_MSG_JOIN, 0)->text, "kitchen");
	/* Net names those who are in it, whom nobody could count before. */
	host_types(h, NULL, "anybody?");
	assert_null(host_sent(h, NET_MSG_PUBLISH, 0));
	host_topic(h, f->mali.peer, "kitchen", true);
	assert_non_null(host_sent(h, NET_MSG_PUBLISH, 0));
	host_topic(h, f->mali.peer, "kitchen", true);
	assert_int_equal(host_sent_count(h, NET_MSG_PUBLISH), 1);
	assert_int_equal(host_said_count(h, UI_MSG_MEMBER), 1);
}

static void test_chat_rooms_left_never_keep_me_out(void **state)
{
	struct fixture *f = *state;
	struct host *h = &f->me;
	char line[32];

	for (int i = 0; i < 600; i++) {
		snprintf(line, sizeof(line), "/join room %d", i);
		host_types(h, NULL, line);
		host_types(h, NULL, "/part");
		host_forget(h);
	}
	host_types(h, NULL, "/join kitchen");
	assert_string_equal(host_said(h, UI_MSG_FOCUS, 0)->room, "kitchen");
	host_restart(h);
	assert_string_equal(host_said(h, UI_MSG_FOCUS, 0)->room, "kitchen");
	host_types(h, NULL, "/join room 599");
	assert_null(host_said(h, UI_MSG_ERROR, 0));
	host_types(h, NULL, "hello again");
	assert_non_null(host_line(h, "hello again"));
}

/* ---- names ------------------------------------------------------------- */

static void test_chat_history_marks_a_borrowed_name(void **state)
{
	struct fixture *f = *state;
	struct host *h = &f->me;

	author_says_native(&f->mali, h, "it is me", NOW);
	host_wait(h, CHAT_NEW_PERSON_MS + 1);
	f->eve.name = "mali";
	author_says_native(&f->eve, h, "send me money", NOW + 1);
	assert_int_equal(host_line(h, "send me money")->line.name_mark, '!');
	/* She goes back to her own name; that line must not look honest. */
	f->eve.name = "eve";
	author_says_native(&f->eve, h, "bye", NOW + 2);
	host_wait(h, CHAT_NEW_PERSON_MS + 1);
	host_forget(h);
	host_page(h, LOBBY, 10);
	assert_string_equal(host_line(h, "send me money")->line.name, "mali");
	assert_int_equal(host_line(h, "send me money")->line.name_mark, '!');
	assert_int_equal(host_line(h, "it is me")->line.name_mark, ' ');
	assert_int_equal(host_line(h, "bye")->line.name_mark, ' ');
}

static void test_chat_a_name_inside_a_word_is_no_mention(void **state)
{
	struct fixture *f = *state;
	struct host *h = &f->me;

	host_types(h, NULL, "/name aa");
	author_says_native(&f->mali, h, "baaa", NOW);
	assert_false(host_line(h, "baaa")->line.mention);
	author_says_native(&f->mali, h, "baaa aa!", NOW + 1);
	assert_true(host_line(h, "baaa aa!")->line.mention);
}

/* ---- payloads ---------------------------------------------------------- */

static void test_chat_shows_lines_with_odd_but_legal_json(void **state)
{
	struct fixture *f = *state;
	struct host *h = &f->me;

	author_sends(&f->mali, h, LOBBY,
		bytes_str(
			"{\"type\":\"message\",\"content\":\"nul\\u0000here\","
			"\"username\":\"mali\",\"timestamp\":1767225600,"
			"\"from\":\"x\"}"));
	assert_non_null(host_line(h, "here"));
	author_sends(&f->mali, h, LOBBY,
		bytes_str("{\"type\":\"message\",\"content\":\"big\","
			  "\"username\":\"mali\",\"timestamp\":1767225600,"
			  "\"from\":\"x\",\"nonce\":18446744073709551615}"));
	assert_non_null(host_line(h, "big"));
	assert_int_equal(host_line(h, "big")->line.time_ms, NOW);
	/* A type is compared whole. */
	author_sends(&f->mali, h, LOBBY,
		bytes_str("{\"type\":\"message\\u0000x\",\"content\":\"no\","
			  "\"username\":\"mali\",\"timestamp\":1767225600}"));
	assert_null(host_line(h, "no"));
}

/* ---- clocks ------------------------------------------------------------ */

#define YEAR_9999_MS 253402300000000ULL

static void test_chat_far_dated_lines_never_hide_the_newest_page(void **state)
{
	struct fixture *f = *state;
	struct host *h = &f->me;
	uint64_t latest = h->te.env.wall_ms + CHAT_CLOCK_LEAD_MS_MAX;

	author_says_native(&f->mali, h, "hello", NOW);
	author_says_native(&f->mali, h, "the last good", latest);
	/* After a start nobody's clock is known but the own one. */
	host_restart(h);
	host_page(h, LOBBY, CHAT_PAGE_MAX);
	assert_null(host_said(h, UI_MSG_NOTICE, 0));
	author_says_native(&f->eve, h, "one too late", latest + 1);
	host_restart(h);
	host_page(h, LOBBY, CHAT_PAGE_MAX);
	assert_non_null(host_said(h, UI_MSG_NOTICE, 0));
	assert_string_equal(host_said(h, UI_MSG_NOTICE, 0)->text,
		"1 line is dated far ahead and is not shown here; /history "
		"shows it.");
	for (uint64_t i = 1; i < CHAT_PAGE_MAX; i++)
		author_says_native(&f->eve, h, "spam", YEAR_9999_MS + i);
	host_restart(h);
	host_page(h, LOBBY, CHAT_PAGE_MAX);
	assert_int_equal(host_said_count(h, UI_MSG_LINE), 2);
	assert_non_null(host_line(h, "hello"));
	assert_non_null(host_line(h, "the last good"));
	assert_string_equal(host_said(h, UI_MSG_NOTICE, 0)->text,
		"200 lines are dated far ahead and are not shown here; "
		"/history shows them.");
	assert_string_equal(host_said(h, UI_MSG_NOTICE, 0)->room, LOBBY);
	/* Nothing is dropped for its time. */
	host_forget(h);
	host_types(h, NULL, "/history 201");
	assert_int_equal(host_said_count(h, UI_MSG_LINE), 201);
	author_says_native(&f->eve, h, "spam", YEAR_9999_MS);
	host_forget(h);
	host_page(h, LOBBY, 10);
	assert_non_null(host_text(h, UI_MSG_NOTICE, "More than 200 lines"));
}

/* ---- queues and disks -------------------------------------------------- */

static void test_chat_offers_again_when_the_word_of_room_is_lost(void **state)
{
	struct fixture *f = *state;
	struct host *h = &f->me;
	struct msg *m;

	host_meets(h, &f->mali, LOBBY);
	for (int i = 0; i < MSG_QUEUE_TO_NET; i++) {
		m = &net_msg_new(NET_MSG_CONNECT, "/ip4/10.0.0.1/tcp/1",
			bytes_of(NULL, 0))
			     ->msg;
		assert_int_equal(mailbox_post(h->to_net, &m), 0);
	}
	chat_handle(h->chat, &h->te.env,
		&chat_ui_msg_new(CHAT_MSG_LINE, NULL, "hello")->msg);
	chat_turn_end(h->chat, &h->te.env);
	host_turn(h);
	assert_null(host_sent(h, NET_MSG_PUBLISH, 0));
	/* CHAT_MSG_NET_ROOM found chat's own queue full and never came. */
	assert_true(chat_deadline(h->chat) <=
		    h->te.env.now_ms + CHAT_OFFER_RETRY_MS);
	host_wait(h, CHAT_OFFER_RETRY_MS);
	assert_non_null(host_sent(h, NET_MSG_PUBLISH, 0));
}

static void test_chat_can_be_left_in_the_turn_that_fails(void **state)
{
	struct fixture *f = *state;
	struct host *h = &f->me;

	assert_int_equal(store_exec(h->store, "PRAGMA query_only = 1"), 0);
	chat_handle(h->chat, &h->te.env,
		&chat_ui_msg_new(CHAT_MSG_LINE, NULL, "lost")->msg);
	chat_handle(h->chat, &h->te.env,
		&chat_ui_msg_new(CHAT_MSG_QUIT, NULL, NULL)->msg);
	host_turn(h);
	assert_true(chat_finished(h->chat));
	assert_int_equal(
		host_said(h, UI_MSG_QUIT, 0)->number, CHAT_EXIT_UNSAVED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORY(test_chat_rooms_of_others_never_keep_me_out),
		STORY(test_chat_rooms_left_never_keep_me_out),
		STORY(test_chat_history_marks_a_borrowed_name),
		STORY(test_chat_a_name_inside_a_word_is_no_mention),
		STORY(test_chat_shows_lines_with_odd_but_legal_json),
		STORY(test_chat_far_dated_lines_never_hide_the_newest_page),
		STORY(test_chat_offers_again_when_the_word_of_room_is_lost),
		STORY(test_chat_can_be_left_in_the_turn_that_fails),
	};

	return cmocka_run_group_tests_name("chat_hostile", tests, NULL, NULL);
}
