/*
 * Stories of rooms, of the people in them and of commands: each names what the
 * program promises. Net and screen are played by the test, chat and store are
 * real.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "tests/unit/chat_host.h"

/* ---- rooms ------------------------------------------------------------- */

static void test_chat_rooms_survive_a_restart(void **state)
{
	struct fixture *f = *state;
	struct host *h = &f->me;

	host_types(h, NULL, "/join kitchen");
	assert_string_equal(host_sent(h, NET_MSG_JOIN, 1)->text, "kitchen");
	host_types(h, NULL, "/join #dev");
	host_types(h, NULL, "/join lobby");
	host_types(h, NULL, "/part kitchen");
	assert_string_equal(host_sent(h, NET_MSG_LEAVE, 0)->text, "kitchen");
	host_types(h, NULL, "/j dev");
	host_restart(h);
	assert_int_equal(host_said_count(h, UI_MSG_ROOM), 2);
	assert_string_equal(host_said(h, UI_MSG_ROOM, 0)->room, LOBBY);
	assert_string_equal(host_said(h, UI_MSG_ROOM, 1)->room, "dev");
	assert_string_equal(host_said(h, UI_MSG_FOCUS, 0)->room, "dev");
	assert_int_equal(host_sent_count(h, NET_MSG_JOIN), 2);
}

static void test_chat_keeps_the_last_room(void **state)
{
	struct fixture *f = *state;

	host_types(&f->me, NULL, "/part");
	assert_string_equal(
		host_said(&f->me, UI_MSG_ERROR, 0)->code, "last-room");
	host_types(&f->me, NULL, "/part nowhere");
	assert_string_equal(
		host_said(&f->me, UI_MSG_ERROR, 1)->code, "no-such-room");
}

static struct ui_msg *last_room(struct host *h, const char *topic)
{
	struct ui_msg *found = NULL, *m;

	for (size_t n = 0; (m = host_said(h, UI_MSG_ROOM, n)) != NULL; n++)
		if (strcmp(m->room, topic) == 0)
			found = m;
	return found;
}

static void test_chat_counts_unread_and_mentions_over_a_restart(void **state)
{
	struct fixture *f = *state;
	struct host *h = &f->me;

	host_types(h, NULL, "/join dev");
	author_says_go(&f->mali, h, "one", NOW);
	author_says_go(&f->mali, h, "ann, two", NOW + 1000);
	/* Late, and still news. */
	author_says_go(&f->mali, h, "late", NOW - 100000);
	assert_int_equal(last_room(h, LOBBY)->unread, 3);
	assert_int_equal(last_room(h, LOBBY)->mentions, 1);
	host_restart(h);
	assert_int_equal(last_room(h, LOBBY)->unread, 3);
	assert_int_equal(last_room(h, LOBBY)->mentions, 1);
	host_ui(h, CHAT_MSG_FOCUS, LOBBY);
	assert_int_equal(last_room(h, LOBBY)->unread, 0);
	host_restart(h);
	assert_int_equal(last_room(h, LOBBY)->unread, 0);
	assert_string_equal(host_said(h, UI_MSG_FOCUS, 0)->room, LOBBY);
}

static void test_chat_shows_who_is_in_a_room(void **state)
{
	struct fixture *f = *state;
	struct host *h = &f->me;

	host_meets(h, &f->mali, LOBBY);
	assert_string_equal(host_said(h, UI_MSG_MEMBER, 0)->peer, f->mali.peer);
	assert_true(host_said(h, UI_MSG_MEMBER, 0)->joined);
	assert_int_equal(last_room(h, LOBBY)->members, 1);
	host_gone(h, f->mali.peer);
	assert_false(host_said(h, UI_MSG_MEMBER, 1)->joined);
	assert_int_equal(last_room(h, LOBBY)->members, 0);
}

static void test_chat_bounds_rooms_that_others_name(void **state)
{
	struct fixture *f = *state;
	struct host *h = &f->me;
	char topic[32];

	host_meets(h, &f->mali, LOBBY);
	for (int i = 0; i < 1000; i++) {
		snprintf(topic, sizeof(topic), "room %d", i);
		host_topic(h, f->mali.peer, topic, true);
	}
	host_forget(h);
	host_types(h, NULL, "/rooms");
	assert_non_null(host_text(h, UI_MSG_NOTICE, "room 1:"));
	assert_null(host_text(h, UI_MSG_NOTICE, "room 999"));
	host_gone(h, f->mali.peer);
	host_types(h, NULL, "/join room 5");
	assert_non_null(last_room(h, "room 5"));
}

/* Joined by what /rooms says of it: the topic, to the byte. */
static void check_listed(
	struct host *h, const struct author *a, const char *topic)
{
	char typed[5 * MSG_TOPIC_MAX + 8], line[5 * MSG_TOPIC_MAX];
	struct ui_msg *m;
	const char *end;

	host_topic(h, a->peer, topic, true);
	host_forget(h);
	host_types(h, NULL, "/rooms");
	m = host_text(h, UI_MSG_NOTICE, ": 1 other here (/join enters)");
	assert_non_null(m);
	end = strstr(m->text, ": 1 other here (/join");
	while (end > m->text && end[-1] != '\n')
		end--;
	snprintf(line, sizeof(line), "%s", end + 2);
	*strstr(line, ": 1 other") = '\0';
	snprintf(typed, sizeof(typed), "/join %s", line);
	host_types(h, NULL, typed);
	m = host_said(h, UI_MSG_FOCUS, 0);
	if (m == NULL || strcmp(m->room, topic) != 0)
		fail_msg("%s leads to %s", typed, m == NULL ? "-" : m->room);
	/* Told apart on the screen, too. */
	assert_string_equal(last_room(h, topic)->title, line);
	host_types(h, NULL, "/part");
	host_topic(h, a->peer, topic, false);
}

static void test_chat_enters_each_room_as_it_is_listed(void **state)
{
	static const char *const topics[] = {"kitchen", "lobby", "#kitchen",
		" kitchen", "kitchen ", "Kitchen", "kit\"chen\"", "\"kitchen\"",
		"\"", "\\", "a\\x41", "a\nb", "\x01\x7f", "\xff\xfe", "\xc3",
		"\xe2\x80\xae"
		"abc",
		"\xe0\xb8\xa1", "\xcc\x81 mark", "chat-room:awesome", "##", "#",
		"a  b", "\xef\xbb\xbfx"};
	struct fixture *f = *state;
	struct host *h = &f->me;
	char longest[MSG_TOPIC_MAX];

	host_peer(h, f->mali.peer, NULL, "/yamux/1.0.0");
	for (size_t i = 0; i < P2P_ARRAY_LEN(topics); i++)
		check_listed(h, &f->mali, topics[i]);
	memset(longest, 1, sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	check_listed(h, &f->mali, longest);
}

static void test_chat_refuses_what_names_no_room(void **state)
{
	static const char *const bad[] = {"\"", "\"\"", "\"a", "\"a\" b",
		"\"\\x00\"", "\"\\x4\"", "\"\\xzz\"", "\"\\n\"", "\"a\\\"",
		"#\"", "\"a\x01\""};
	struct fixture *f = *state;
	char typed[64];

	for (size_t i = 0; i < P2P_ARRAY_LEN(bad); i++) {
		host_forget(&f->me);
		snprintf(typed, sizeof(typed), "/join %s", bad[i]);
		host_types(&f->me, NULL, typed);
		if (host_said_count(&f->me, UI_MSG_ERROR) != 1)
			fail_msg("%s is a room", typed);
	}
}

/* Whoever is in "#kitchen" leads nobody there who types what a screen shows. */
static void test_chat_number_sign_is_how_rooms_are_shown(void **state)
{
	struct fixture *f = *state;
	struct host *h = &f->me;

	host_meets(h, &f->mali, "#kitchen");
	host_forget(h);
	host_types(h, NULL, "/join #kitchen");
	assert_string_equal(host_said(h, UI_MSG_FOCUS, 0)->room, "kitchen");
	host_types(h, NULL, "/join #\"#kitchen\"");
	assert_string_equal(host_said(h, UI_MSG_FOCUS, 1)->room, "#kitchen");
}

/* ---- topics that carry no lines ---------------------------------------- */

static void check_hidden(struct host *h, const char *topic)
{
	char typed[MSG_TOPIC_MAX + 8];

	host_forget(h);
	host_types(h, NULL, "/rooms");
	if (host_text(h, UI_MSG_NOTICE, topic) != NULL)
		fail_msg("%s is offered", topic);
	snprintf(typed, sizeof(typed), "/join %s", topic);
	host_types(h, NULL, typed);
	assert_string_equal(
		host_said(h, UI_MSG_ERROR, 0)->code, "control-topic");
	assert_int_equal(host_sent_count(h, NET_MSG_JOIN), 0);
}

static void test_chat_offers_no_topics_without_lines(void **state)
{
	static const char *const topics[] = {"universal-connectivity-file",
		"universal-connectivity-browser-peer-discovery",
		"my-browser-peer-discovery", "_peer-discovery._p2p._pubsub"};
	struct fixture *f = *state;
	struct host *h = &f->me;

	host_peer(h, f->mali.peer, "universal-connectivity/go-peer",
		"/yamux/1.0.0");
	host_topic(h, f->mali.peer, "dev", true);
	host_topic(h, f->mali.peer, "dev-file", true);
	for (size_t i = 0; i < P2P_ARRAY_LEN(topics); i++) {
		host_topic(h, f->mali.peer, topics[i], true);
		check_hidden(h, topics[i]);
	}
	check_hidden(h, "dev-file");
}

/* A room of people may be called so. */
static void test_chat_a_room_may_end_in_file(void **state)
{
	struct fixture *f = *state;
	struct host *h = &f->me;

	host_meets(h, &f->tom, "dev");
	host_meets(h, &f->mali, "tax-file");
	host_types(h, NULL, "/join tax-file");
	assert_null(host_said(h, UI_MSG_ERROR, 0));
	/* In both are our own programs. */
	host_types(h, NULL, "/join dev");
	host_peer(h, f->tom.peer, "p2pchat-tui/0.1.0", "/yamux/1.0.0");
	host_topic(h, f->tom.peer, "dev-file", true);
	host_types(h, NULL, "/join dev-file");
	assert_null(host_said(h, UI_MSG_ERROR, 0));
	/* Nobody makes it mute by coming into both. */
	host_meets(h, &f->eve, "dev");
	host_topic(h, f->eve.peer, "dev-file", true);
	host_types(h, NULL, "still a room");
	assert_null(host_said(h, UI_MSG_ERROR, 0));
	/* Where people have talked it is one, whoever is there now. */
	host_types(h, NULL, "/join notes");
	host_types(h, NULL, "/join notes-file");
	author_sends(&f->mali, h, "notes-file",
		bytes_str("{\"type\":\"message\",\"content\":\"a\"}"));
	host_meets(h, &f->eve, "notes");
	host_topic(h, f->eve.peer, "notes-file", true);
	host_types(h, "notes-file", "a room, too");
	assert_null(host_said(h, UI_MSG_ERROR, 0));
}

/* A line that waits in such a topic is kept, and goes nowhere while they are
 * there: it would end their programs. */
static void test_chat_says_nothing_where_files_are_handed_over(void **state)
{
	struct fixture *f = *state;
	struct host *h = &f->me;

	host_types(h, NULL, "/join dev-file");
	host_types(h, NULL, "said before they came");
	host_topic(h, f->mali.peer, "dev", true);
	host_peer(h, f->mali.peer, NULL, "/yamux/1.0.0");
	host_topic(h, f->mali.peer, "dev", true);
	host_topic(h, f->mali.peer, "dev-file", true);
	host_wait(h, 60000);
	host_types(h, NULL, "and after");
	assert_string_equal(
		host_said(h, UI_MSG_ERROR, 0)->code, "control-topic");
	assert_int_equal(host_sent_count(h, NET_MSG_PUBLISH), 0);
}

/* ---- people ------------------------------------------------------------ */

static void test_chat_announces_a_peer_once(void **state)
{
	struct fixture *f = *state;
	struct host *h = &f->me;

	host_peer(h, f->mali.peer, NULL, "/yamux/1.0.0");
	host_peer(h, f->mali.peer, "agent/2", "/yamux/1.0.0");
	host_gone(h, f->mali.peer);
	assert_int_equal(host_said_count(h, UI_MSG_PERSON), 3);
	assert_true(host_said(h, UI_MSG_PERSON, 0)->person.announce);
	assert_false(host_said(h, UI_MSG_PERSON, 1)->person.announce);
	assert_string_equal(
		host_said(h, UI_MSG_PERSON, 1)->person.agent, "agent/2");
	assert_true(host_said(h, UI_MSG_PERSON, 2)->person.announce);
	assert_false(host_said(h, UI_MSG_PERSON, 2)->person.connected);
	assert_non_null(host_text(h, UI_MSG_STATUS, "1 connected"));
}

static void test_chat_marks_new_people_and_clashing_names(void **state)
{
	struct fixture *f = *state;
	struct host *h = &f->me;

	author_says_go(&f->tom, h, "first tom", NOW);
	assert_int_equal(host_line(h, "first tom")->line.name_mark, '?');
	host_wait(h, 2 * CHAT_NEW_PERSON_MS);
	author_says_go(&f->tom, h, "known tom", NOW);
	assert_int_equal(host_line(h, "known tom")->line.name_mark, ' ');
	f->mali.name = "TOM";
	author_says_go(&f->mali, h, "false tom", NOW);
	assert_int_equal(host_line(h, "false tom")->line.name_mark, '!');
	author_says_go(&f->tom, h, "it is me", NOW);
	assert_int_equal(host_line(h, "it is me")->line.name_mark, ' ');
	/* Nobody passes as oneself. */
	f->mali.name = "ann";
	author_says_go(&f->mali, h, "I am ann", NOW);
	assert_int_equal(host_line(h, "I am ann")->line.name_mark, '!');
}

static void test_chat_ignores_by_key_over_a_restart(void **state)
{
	struct fixture *f = *state;
	struct host *h = &f->me;

	author_says_go(&f->mali, h, "noise", NOW);
	host_types(h, NULL, "/ignore MALI");
	f->mali.name = "another name";
	author_says_go(&f->mali, h, "more noise", NOW + 1000);
	assert_null(host_line(h, "more noise"));
	host_restart(h);
	author_says_go(&f->mali, h, "third noise", NOW + 2000);
	host_page(h, LOBBY, 10);
	assert_null(host_line(h, "noise"));
	host_types(h, NULL, "/unignore mali");
	/* What was said before is shown again, what came since was not kept:
	 * somebody ignored takes no room. */
	host_types(h, NULL, "/history");
	assert_non_null(host_line(h, "noise"));
	assert_null(host_line(h, "more noise"));
	assert_null(host_line(h, "third noise"));
}

static void test_chat_never_resolves_an_ambiguous_name(void **state)
{
	struct fixture *f = *state;
	struct host *h = &f->me;
	struct ui_msg *error;
	char command[128];

	f->mali.name = "tom";
	author_says_go(&f->tom, h, "a", NOW);
	author_says_go(&f->mali, h, "b", NOW);
	host_types(h, NULL, "/ignore tom");
	error = host_said(h, UI_MSG_ERROR, 0);
	assert_string_equal(error->code, "ambiguous-person");
	assert_non_null(
		strstr(error->text, f->mali.peer + strlen(f->mali.peer) - 6));
	assert_non_null(
		strstr(error->text, f->tom.peer + strlen(f->tom.peer) - 6));
	snprintf(command, sizeof(command), "/ignore tom~%s",
		f->tom.peer + strlen(f->tom.peer) - 6);
	host_types(h, NULL, command);
	author_says_go(&f->tom, h, "hidden", NOW + 1000);
	author_says_go(&f->mali, h, "shown", NOW + 1000);
	assert_null(host_line(h, "hidden"));
	assert_non_null(host_line(h, "shown"));
	host_types(h, NULL, "/ignore nobody");
	assert_non_null(host_text(h, UI_MSG_ERROR, "Nobody here"));
}

/* One form everywhere, without the key's end said twice. */
static void test_chat_nameless_author_is_the_end_of_its_key(void **state)
{
	struct fixture *f = *state;
	struct host *h = &f->me;
	const char *tail = f->tom.peer + strlen(f->tom.peer) - 8;
	struct ui_msg *line;
	char want[64];

	host_meets(h, &f->tom, LOBBY);
	author_sends(&f->tom, h, LOBBY, bytes_str("no name"));
	line = host_line(h, "no name");
	snprintf(want, sizeof(want), "..%s", tail);
	assert_string_equal(line->line.name, want);
	assert_string_equal(line->line.tag, "");
	host_types(h, NULL, "/peers");
	chat_handle(h->chat, &h->te.env,
		&chat_net_msg_new(CHAT_MSG_WHOIS, NULL, bytes_of(NULL, 0))
			 ->msg);
	host_turn(h);
	snprintf(want, sizeof(want), "?..%s  direct", tail);
	assert_non_null(host_text(h, UI_MSG_PEERS, want));
	snprintf(want, sizeof(want), "/ignore ..%s", tail);
	host_types(h, NULL, want);
	author_sends(&f->tom, h, LOBBY, bytes_str("hidden"));
	assert_null(host_line(h, "hidden"));
}

/* ---- commands ---------------------------------------------------------- */

static void test_chat_unknown_command_is_not_sent(void **state)
{
	struct fixture *f = *state;
	struct host *h = &f->me;

	host_meets(h, &f->mali, LOBBY);
	host_types(h, NULL, "/hsitory 5");
	assert_non_null(host_text(h, UI_MSG_ERROR, "Did you mean /history"));
	host_types(h, NULL, "/frobnicate");
	assert_non_null(host_text(h, UI_MSG_ERROR, "/help lists them"));
	assert_int_equal(host_sent_count(h, NET_MSG_PUBLISH), 0);
	assert_int_equal(host_said_count(h, UI_MSG_LINE), 0);
	host_types(h, NULL, "//etc/hosts");
	assert_string_equal(host_line(h, "etc")->line.text, "/etc/hosts");
}

static void test_chat_name_changes_and_stays(void **state)
{
	struct fixture *f = *state;
	struct host *h = &f->me;
	struct payload p;

	host_types(h, NULL,
		"/nick \xe0\xb8\xa1\xe0\xb8\xb2\xe0\xb8\xa5\xe0\xb8\xb5");
	host_restart(h);
	assert_string_equal(host_said(h, UI_MSG_NAME, 0)->name,
		"\xe0\xb8\xa1\xe0\xb8\xb2\xe0\xb8\xa5\xe0\xb8\xb5");
	host_meets(h, &f->tom, LOBBY);
	host_types(h, NULL, "hi");
	p = host_payload(host_sent(h, NET_MSG_PUBLISH, 0));
	assert_string_equal(
		p.name, "\xe0\xb8\xa1\xe0\xb8\xb2\xe0\xb8\xa5\xe0\xb8\xb5");
	payload_clear(&p);
	host_types(h, NULL, "/name \x01\x02");
	host_types(h, NULL, "/name");
	assert_non_null(host_text(h, UI_MSG_NOTICE, "You are "));
}

static void test_chat_history_by_count_and_by_day(void **state)
{
	struct fixture *f = *state;
	struct host *h = &f->me;
	char text[16];

	for (uint64_t i = 0; i < 60; i++) {
		snprintf(text, sizeof(text), "old %d", (int)i);
		author_says_native(
			&f->mali, h, text, NOW - 86400000 + i * 1000);
	}
	author_says_native(&f->mali, h, "new", NOW + 1000);
	host_forget(h);
	host_types(h, NULL, "/history");
	assert_int_equal(host_said_count(h, UI_MSG_LINE), 50);
	assert_int_equal(
		host_said(h, UI_MSG_LINE, 0)->line.origin, UI_LINE_HISTORY);
	assert_string_equal(host_said(h, UI_MSG_LINE, 49)->line.text, "new");
	host_forget(h);
	host_types(h, NULL, "/history 2026-01-01");
	assert_int_equal(host_said_count(h, UI_MSG_LINE), 1);
	host_forget(h);
	host_types(h, NULL, "/history 2025-12-31");
	assert_int_equal(host_said_count(h, UI_MSG_LINE), 61);
	assert_string_equal(host_said(h, UI_MSG_LINE, 0)->line.text, "old 0");
	host_types(h, NULL, "/history yesterday");
	host_types(h, NULL, "/history 2026-02-30");
	host_types(h, NULL, "/history 0");
	assert_int_equal(host_said_count(h, UI_MSG_ERROR), 3);
}

static void test_chat_pages_go_back_to_the_first_line(void **state)
{
	struct fixture *f = *state;
	struct host *h = &f->me;
	struct chat_ui_msg *ask;
	struct ui_msg *first;
	char text[16];

	for (uint64_t i = 0; i < 5; i++) {
		snprintf(text, sizeof(text), "line %d", (int)i);
		author_says_native(&f->mali, h, text, NOW + i);
	}
	host_forget(h);
	host_page(h, LOBBY, 3);
	assert_int_equal(host_said_count(h, UI_MSG_LINE), 3);
	assert_true(host_said(h, UI_MSG_PAGE_END, 0)->more);
	first = host_said(h, UI_MSG_LINE, 0);
	assert_string_equal(first->line.text, "line 2");
	assert_int_equal(first->line.origin, UI_LINE_PAGE);
	ask = chat_ui_msg_new(CHAT_MSG_PAGE, LOBBY, NULL);
	ask->time_ms = first->line.time_ms;
	memcpy(ask->id, first->line.id, 32);
	ask->count = 3;
	host_forget(h);
	chat_handle(h->chat, &h->te.env, &ask->msg);
	host_turn(h);
	assert_int_equal(host_said_count(h, UI_MSG_LINE), 2);
	assert_false(host_said(h, UI_MSG_PAGE_END, 0)->more);
}

static void test_chat_connect_looks_at_the_address(void **state)
{
	struct fixture *f = *state;
	struct host *h = &f->me;
	struct chat_net_msg *failed;

	host_types(h, NULL, "/connect 192.168.1.20:4001");
	host_types(h, NULL, "/add /ip4/10.0.0.1/tcp/4001");
	assert_string_equal(
		host_sent(h, NET_MSG_CONNECT, 0)->text, "192.168.1.20:4001");
	assert_string_equal(host_sent(h, NET_MSG_CONNECT, 1)->text,
		"/ip4/10.0.0.1/tcp/4001");
	host_types(h, NULL, "/connect over there");
	host_types(h, NULL, "/connect");
	assert_int_equal(host_said_count(h, UI_MSG_ERROR), 2);
	assert_int_equal(host_sent_count(h, NET_MSG_CONNECT), 2);
	failed = chat_net_msg_new(
		CHAT_MSG_DIAL_FAILED, "192.168.1.20:4001", bytes_of(NULL, 0));
	failed->agent = strdup("timed out");
	chat_handle(h->chat, &h->te.env, &failed->msg);
	host_turn(h);
	assert_string_equal(
		host_text(h, UI_MSG_ERROR, "timed out")->code, "dial-failed");
}

static void test_chat_says_what_it_knows(void **state)
{
	struct fixture *f = *state;
	struct host *h = &f->me;

	host_meets(h, &f->mali, LOBBY);
	author_says_go(&f->mali, h, "hello", NOW);
	host_types(h, NULL, "/info");
	assert_non_null(host_text(h, UI_MSG_NOTICE, "1 lines"));
	host_types(h, NULL, "/version");
	assert_non_null(host_text(h, UI_MSG_NOTICE, "p2pchat-tui test"));
	host_types(h, NULL, "/help");
	assert_non_null(host_text(h, UI_MSG_NOTICE, "/unignore"));
	host_types(h, NULL, "/help join");
	assert_non_null(host_text(h, UI_MSG_NOTICE, "Also: /j"));
	host_types(h, NULL, "/clear");
	assert_string_equal(host_said(h, UI_MSG_CLEAR, 0)->room, LOBBY);
}

static void test_chat_quits_when_all_is_saved(void **state)
{
	struct fixture *f = *state;
	struct host *h = &f->me;

	host_types(h, NULL, "last words");
	host_types(h, NULL, "/exit");
	assert_non_null(host_sent(h, NET_MSG_QUIT, 0));
	assert_int_equal(host_said(h, UI_MSG_QUIT, 0)->number, 0);
	assert_true(chat_finished(h->chat));
	host_restart(h);
	host_page(h, LOBBY, 5);
	assert_non_null(host_line(h, "last words"));
}

static void test_chat_saved_peers_are_told_to_net(void **state)
{
	struct fixture *f = *state;
	struct host *h = &f->me;
	struct chat_net_msg *m = chat_net_msg_new(
		CHAT_MSG_ADDRESS, "/ip4/10.0.0.9/tcp/4001", bytes_of(NULL, 0));

	snprintf(m->peer, sizeof(m->peer), "%s", f->mali.peer);
	chat_handle(h->chat, &h->te.env, &m->msg);
	host_turn(h);
	host_restart(h);
	assert_string_equal(host_sent(h, NET_MSG_KNOWN_PEER, 0)->text,
		"/ip4/10.0.0.9/tcp/4001");
	assert_string_equal(
		host_sent(h, NET_MSG_KNOWN_PEER, 0)->peer, f->mali.peer);
}

static void test_chat_saved_records_are_told_to_net_until_stale(void **state)
{
	struct fixture *f = *state;
	struct host *h = &f->me;
	struct chat_net_msg *m = chat_net_msg_new(
		CHAT_MSG_RECORD, NULL, bytes_str("an envelope"));

	snprintf(m->peer, sizeof(m->peer), "%s", f->mali.peer);
	chat_handle(h->chat, &h->te.env, &m->msg);
	host_turn(h);
	host_restart(h);
	assert_non_null(host_sent(h, NET_MSG_KNOWN_RECORD, 0));
	assert_memory_equal(
		host_sent(h, NET_MSG_KNOWN_RECORD, 0)->data, "an envelope", 11);
	h->te.env.wall_ms += CHAT_STALE_RECORD_MS + 1;
	host_restart(h);
	assert_null(host_sent(h, NET_MSG_KNOWN_RECORD, 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORY(test_chat_rooms_survive_a_restart),
		STORY(test_chat_keeps_the_last_room),
		STORY(test_chat_counts_unread_and_mentions_over_a_restart),
		STORY(test_chat_shows_who_is_in_a_room),
		STORY(test_chat_bounds_rooms_that_others_name),
		STORY(test_chat_enters_each_room_as_it_is_listed),
		STORY(test_chat_refuses_what_names_no_room),
		STORY(test_chat_number_sign_is_how_rooms_are_shown),
		STORY(test_chat_offers_no_topics_without_lines),
		STORY(test_chat_a_room_may_end_in_file),
		STORY(test_chat_says_nothing_where_files_are_handed_over),
		STORY(test_chat_announces_a_peer_once),
		STORY(test_chat_marks_new_people_and_clashing_names),
		STORY(test_chat_ignores_by_key_over_a_restart),
		STORY(test_chat_never_resolves_an_ambiguous_name),
		STORY(test_chat_nameless_author_is_the_end_of_its_key),
		STORY(test_chat_unknown_command_is_not_sent),
		STORY(test_chat_name_changes_and_stays),
		STORY(test_chat_history_by_count_and_by_day),
		STORY(test_chat_pages_go_back_to_the_first_line),
		STORY(test_chat_connect_looks_at_the_address),
		STORY(test_chat_says_what_it_knows),
		STORY(test_chat_quits_when_all_is_saved),
		STORY(test_chat_saved_peers_are_told_to_net),
		STORY(test_chat_saved_records_are_told_to_net_until_stale),
	};

	return cmocka_run_group_tests_name("chat_rooms", tests, NULL, NULL);
}
