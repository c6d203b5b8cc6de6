/*
 * Stories of a person who chats: each names what the program promises. Net
 * and screen are played by the test, chat and store are real.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "tests/unit/chat_host.h"

static bool is_prefix(const char *text, const char *prefix)
{
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

/* ---- start ------------------------------------------------------------- */

static void test_chat_start_shows_the_lobby_before_net_is_ready(void **state)
{
	struct fixture *f = *state;
	struct host *h = &f->me;

	assert_string_equal(host_said(h, UI_MSG_NAME, 0)->name, "ann");
	assert_string_equal(host_said(h, UI_MSG_ROOM, 0)->room, LOBBY);
	assert_string_equal(host_said(h, UI_MSG_ROOM, 0)->title, "lobby");
	assert_string_equal(host_said(h, UI_MSG_FOCUS, 0)->room, LOBBY);
	assert_null(host_said(h, UI_MSG_READY, 0));
	assert_string_equal(host_sent(h, NET_MSG_JOIN, 0)->text, LOBBY);
	/* Every line of the checklist stands, and says what is missing. */
	assert_int_equal(host_said_count(h, UI_MSG_STATUS), CHAT_STATUS_COUNT);
	assert_non_null(host_text(h, UI_MSG_STATUS, "not fetched"));
}

static void test_chat_is_ready_when_net_listens(void **state)
{
	struct fixture *f = *state;
	struct host *h = &f->me;
	struct ui_msg *ready;

	chat_handle(h->chat, &h->te.env,
		&chat_net_msg_new(CHAT_MSG_NET_READY, "/ip4/10.0.0.1/tcp/4001",
			bytes_of(NULL, 0))
			 ->msg);
	host_turn(h);
	ready = host_said(h, UI_MSG_READY, 0);
	assert_non_null(ready);
	assert_string_equal(ready->text, "/ip4/10.0.0.1/tcp/4001");
	assert_string_equal(ready->room, LOBBY);
	assert_string_equal(ready->name, "ann");
	assert_true(is_prefix(ready->peer, "12D3Koo"));
}

static void test_chat_proposes_two_words_and_keeps_them(void **state)
{
	static struct host h;
	char name[MSG_NAME_MAX];

	(void)state;
	host_init(&h, 9, NULL);
	snprintf(name, sizeof(name), "%s", host_said(&h, UI_MSG_NAME, 0)->name);
	assert_non_null(strchr(name, '-'));
	host_restart(&h);
	assert_string_equal(host_said(&h, UI_MSG_NAME, 0)->name, name);
	host_clear(&h);
}

/* ---- receiving --------------------------------------------------------- */

static void test_chat_shows_each_dialect(void **state)
{
	struct fixture *f = *state;
	struct host *h = &f->me;
	struct ui_msg *line;

	author_says_go(&f->mali, h, "from go", NOW);
	author_says_js(&f->tom, h, "from js", NOW + 5);
	author_says_native(&f->mali, h, "from ours", NOW + 10);
	author_sends(&f->tom, h, LOBBY, bytes_str("bare text"));
	line = host_line(h, "from go");
	assert_string_equal(line->line.name, "mali");
	assert_string_equal(line->line.from, f->mali.peer);
	assert_int_equal(line->line.time_ms, NOW);
	assert_false(line->line.own);
	assert_int_equal(line->line.origin, UI_LINE_LIVE);
	assert_int_equal(host_line(h, "from js")->line.time_ms, NOW + 5);
	assert_int_equal(host_line(h, "from ours")->line.time_ms, NOW + 10);
	/* Its name is the one claimed last. */
	assert_string_equal(host_line(h, "bare text")->line.name, "tom");
}

static void test_chat_author_is_the_signing_key(void **state)
{
	struct fixture *f = *state;

	f->tom.name = "mali\",\"from\":\"12D3KooWsomebodyelse";
	author_sends(&f->tom, &f->me, LOBBY,
		bytes_str("{\"type\":\"message\",\"content\":\"x\","
			  "\"username\":\"mali\",\"timestamp\":5,"
			  "\"from\":\"12D3KooWEyoppNCUx8Yx66oV9fJnriXwCcXwDDU"
			  "A2kj6vnc6iDEp\"}"));
	assert_string_equal(host_line(&f->me, "x")->line.from, f->tom.peer);
}

static void test_chat_shows_a_line_once(void **state)
{
	struct fixture *f = *state;
	struct host *h = &f->me;

	for (int i = 0; i < 3; i++) {
		f->mali.seqno = 77;
		author_says_go(&f->mali, h, "said once", NOW);
	}
	assert_int_equal(host_line_count(h, "said once"), 1);
	host_restart(h);
	f->mali.seqno = 77;
	author_says_go(&f->mali, h, "said once", NOW);
	assert_int_equal(host_line_count(h, "said once"), 0);
}

static void test_chat_shows_a_local_line_once(void **state)
{
	struct fixture *f = *state;
	struct host *h = &f->me;

	for (int i = 0; i < 3; i++) {
		f->mali.seqno = 77; /* no time in it */
		author_sends(&f->mali, h, LOBBY, bytes_str("plain"));
		host_wait(h, 1000);
	}
	assert_int_equal(host_line_count(h, "plain"), 1);
	host_forget(h);
	host_page(h, LOBBY, 10);
	assert_int_equal(host_said_count(h, UI_MSG_LINE), 1);
}

static void test_chat_ignores_lines_of_other_rooms(void **state)
{
	struct fixture *f = *state;

	author_sends(&f->mali, &f->me, "elsewhere", bytes_str("hidden"));
	assert_null(host_line(&f->me, "hidden"));
}

static void test_chat_never_shows_a_copy(void **state)
{
	struct fixture *f = *state;

	author_sends(&f->mali, &f->me, LOBBY,
		bytes_str("{\"type\":\"broadcast\",\"content\":\"twice\","
			  "\"username\":\"mali\",\"timestamp\":1767225600000,"
			  "\"copy_of\":\"00112233445566778899aabbccddeeff0011"
			  "2233445566778899aabbccddeeff\"}"));
	assert_null(host_line(&f->me, "twice"));
	host_page(&f->me, LOBBY, 10);
	assert_null(host_line(&f->me, "twice"));
}

static void test_chat_cleans_text_and_names(void **state)
{
	struct fixture *f = *state;
	struct ui_msg *line;

	f->mali.name = "ma\\u001b[31mli\\u202e";
	author_says_go(&f->mali, &f->me, "\\u001b]0;owned\\u0007text", NOW);
	line = host_line(&f->me, "text");
	assert_null(strchr(line->line.text, 0x1b));
	assert_null(strchr(line->line.text, 0x07));
	assert_null(strchr(line->line.name, 0x1b));
	assert_null(strstr(line->line.name, "\xe2\x80\xae"));
}

static void test_chat_drops_garbage_and_goes_on(void **state)
{
	struct fixture *f = *state;
	struct host *h = &f->me;

	host_unit(h, bytes_str("\x0a\xff\xff garbage"));
	author_sends(&f->mali, h, LOBBY, bytes_of("\xff\xfe\x80", 3));
	author_sends(&f->mali, h, LOBBY, bytes_str("{\"type\":\"status\"}"));
	author_sends(&f->mali, h, LOBBY, bytes_str("{\"type\":7}"));
	author_sends(&f->mali, h, LOBBY, bytes_of(NULL, 0));
	assert_int_equal(host_said_count(h, UI_MSG_LINE), 0);
	author_says_go(&f->mali, h, "still here", NOW);
	assert_non_null(host_line(h, "still here"));
}

static void test_chat_folds_join_and_leave(void **state)
{
	struct fixture *f = *state;
	struct host *h = &f->me;
	struct ui_msg *line;

	author_sends(&f->mali, h, LOBBY,
		bytes_str("{\"type\":\"join\",\"content\":\"\",\"username\":"
			  "\"mali\",\"timestamp\":1767225600}"));
	line = host_said(h, UI_MSG_LINE, 0);
	assert_int_equal(line->line.type, UI_TYPE_JOIN);
	assert_string_equal(line->line.name, "mali");
	host_forget(h);
	host_page(h, LOBBY, 10);
	assert_int_equal(host_said_count(h, UI_MSG_LINE), 0);
}

static void test_chat_marks_a_mention(void **state)
{
	struct fixture *f = *state;

	author_says_go(&f->mali, &f->me, "Ann: are you there?", NOW);
	author_says_go(&f->mali, &f->me, "annoying channel", NOW + 1000);
	assert_true(host_line(&f->me, "Ann:")->line.mention);
	assert_false(host_line(&f->me, "annoying")->line.mention);
}

/* ---- sending ----------------------------------------------------------- */

static void test_chat_own_line_waits_while_nobody_is_there(void **state)
{
	struct fixture *f = *state;
	struct host *h = &f->me;
	struct ui_msg *line;

	host_types(h, NULL, "anybody?");
	line = host_line(h, "anybody?");
	assert_true(line->line.own);
	assert_int_equal(line->line.state, UI_STATE_WAITING);
	assert_int_equal(host_sent_count(h, NET_MSG_PUBLISH), 0);
}

static void test_chat_waiting_lines_go_out_in_order(void **state)
{
	struct fixture *f = *state;
	struct host *h = &f->me;
	char text[16];

	for (int i = 0; i < 40; i++) {
		snprintf(text, sizeof(text), "line %d", i);
		host_types(h, NULL, text);
	}
	host_restart(h);
	host_meets(h, &f->mali, LOBBY);
	for (int i = 0; i < 20; i++)
		host_wait(h, 100);
	assert_int_equal(host_sent_count(h, NET_MSG_PUBLISH), 40);
	for (size_t i = 0; i < 40; i++) {
		struct payload p =
			host_payload(host_sent(h, NET_MSG_PUBLISH, i));

		snprintf(text, sizeof(text), "line %zu", i);
		assert_string_equal(buf_cstr(&p.text), text);
		assert_int_equal(p.seq, i + 1);
		payload_clear(&p);
	}
}

static void test_chat_handed_line_says_so_and_is_not_sent_again(void **state)
{
	struct fixture *f = *state;
	struct host *h = &f->me;
	struct net_msg *sent;
	struct ui_msg *mark;

	host_meets(h, &f->mali, LOBBY);
	host_types(h, NULL, "hello");
	sent = host_sent(h, NET_MSG_PUBLISH, 0);
	assert_non_null(sent);
	assert_memory_equal(
		sent->id, host_line(h, "hello")->line.id, sizeof(sent->id));
	host_handed(h, sent->id);
	mark = host_said(h, UI_MSG_STATE, 0);
	assert_int_equal(mark->line.state, UI_STATE_HANDED);
	assert_memory_equal(mark->line.id, sent->id, sizeof(sent->id));
	host_restart(h);
	host_meets(h, &f->tom, LOBBY);
	host_wait(h, 60000);
	assert_int_equal(host_sent_count(h, NET_MSG_PUBLISH), 0);
	host_page(h, LOBBY, 5);
	assert_int_equal(host_line(h, "hello")->line.state, UI_STATE_HANDED);
}

static void test_chat_offers_again_what_nobody_answered_for(void **state)
{
	struct fixture *f = *state;
	struct host *h = &f->me;

	host_meets(h, &f->mali, LOBBY);
	host_types(h, NULL, "hello");
	host_wait(h, CHAT_OFFER_RETRY_MS / 2);
	assert_int_equal(host_sent_count(h, NET_MSG_PUBLISH), 1);
	host_wait(h, CHAT_OFFER_RETRY_MS);
	assert_int_equal(host_sent_count(h, NET_MSG_PUBLISH), 2);
	assert_memory_equal(host_sent(h, NET_MSG_PUBLISH, 0)->id,
		host_sent(h, NET_MSG_PUBLISH, 1)->id, 32);
	host_gone(h, f->mali.peer);
	assert_true(chat_deadline(h->chat) == P2P_NEVER);
}

static void test_chat_lines_are_chained(void **state)
{
	struct fixture *f = *state;
	struct host *h = &f->me;
	struct payload first, second;

	host_meets(h, &f->mali, LOBBY);
	host_types(h, NULL, "one");
	host_restart(h);
	host_types(h, NULL, "two");
	host_meets(h, &f->mali, LOBBY);
	host_wait(h, 1000);
	first = host_payload(host_sent(h, NET_MSG_PUBLISH, 0));
	second = host_payload(host_sent(h, NET_MSG_PUBLISH, 1));
	assert_false(first.has_prev);
	assert_int_equal(second.seq, 2);
	assert_true(second.has_prev);
	assert_memory_equal(
		second.prev, host_sent(h, NET_MSG_PUBLISH, 0)->id, 32);
	assert_true(second.time_ms > first.time_ms);
	payload_clear(&first);
	payload_clear(&second);
}

static uint64_t seqno_of(const struct net_msg *m)
{
	struct unit u;

	assert_int_equal(unit_parse(&u, bytes_of(m->data, m->data_len)), 0);
	return get_be64(u.seqno);
}

static void test_chat_seqno_grows_even_when_the_clock_goes_back(void **state)
{
	struct fixture *f = *state;
	struct host *h = &f->me;
	uint64_t before;

	host_meets(h, &f->mali, LOBBY);
	host_types(h, NULL, "one");
	before = seqno_of(host_sent(h, NET_MSG_PUBLISH, 0));
	assert_in_range(
		before, NOW * 1000000, NOW * 1000000 + 2 * CHAT_SEQNO_STEP);
	host_handed(h, host_sent(h, NET_MSG_PUBLISH, 0)->id);
	h->te.env.wall_ms = 1000;
	host_restart(h);
	host_meets(h, &f->mali, LOBBY);
	host_types(h, NULL, "two");
	assert_true(seqno_of(host_sent(h, NET_MSG_PUBLISH, 0)) > before);
}

static void test_chat_refuses_what_cannot_be_said(void **state)
{
	struct fixture *f = *state;
	struct host *h = &f->me;
	char *long_text = malloc(MSG_TEXT_BYTES_MAX + 2);

	memset(long_text, 'x', MSG_TEXT_BYTES_MAX + 1);
	long_text[MSG_TEXT_BYTES_MAX + 1] = '\0';
	host_types(h, NULL, long_text);
	assert_string_equal(host_said(h, UI_MSG_ERROR, 0)->code, "too-long");
	host_types(h, NULL, "caf\xe9");
	assert_string_equal(host_said(h, UI_MSG_ERROR, 1)->code, "not-utf8");
	host_types(h, NULL, "  \n ");
	/* Short enough, were each of them not shown by three bytes. */
	memset(long_text, '\x02', MSG_TEXT_BYTES_MAX - 1);
	long_text[MSG_TEXT_BYTES_MAX - 1] = '\0';
	host_types(h, NULL, long_text);
	assert_non_null(host_text(h, UI_MSG_ERROR, "control characters"));
	assert_int_equal(host_said_count(h, UI_MSG_LINE), 0);
	memset(long_text, 'x', MSG_TEXT_BYTES_MAX);
	long_text[MSG_TEXT_BYTES_MAX] = '\0';
	host_types(h, NULL, long_text);
	assert_int_equal(host_said_count(h, UI_MSG_LINE), 1);
	free(long_text);
}

static void test_chat_writes_what_the_go_program_takes(void **state)
{
	struct fixture *f = *state;
	struct host *h = &f->me;
	struct net_msg *m;
	struct unit u;
	char *data;

	host_meets(h, &f->mali, LOBBY);
	host_types(h, NULL, "hi \"you\"");
	m = host_sent(h, NET_MSG_PUBLISH, 0);
	assert_int_equal(unit_parse(&u, bytes_of(m->data, m->data_len)), 0);
	data = strndup((const char *)u.data.data, u.data.len);
	assert_true(is_prefix(data,
		"{\"type\":\"message\",\"content\":\"hi \\\"you\\\"\","
		"\"username\":\"ann\",\"timestamp\":1767225600,\"from\":"));
	free(data);
}

/* ---- dialects ---------------------------------------------------------- */

static size_t sent_in(struct host *h, enum dialect dialect)
{
	struct net_msg *m;
	size_t count = 0;

	for (size_t n = 0; (m = host_sent(h, NET_MSG_PUBLISH, n)) != NULL;
		n++) {
		struct payload p = host_payload(m);

		count += p.dialect == dialect;
		payload_clear(&p);
	}
	return count;
}

static void test_chat_copies_for_the_js_program_while_it_is_there(void **state)
{
	struct fixture *f = *state;
	struct host *h = &f->me;
	struct payload copy;

	host_meets(h, &f->mali, LOBBY);
	host_meets(h, &f->tom, LOBBY);
	author_says_go(&f->mali, h, "go", NOW);
	host_types(h, NULL, "before");
	assert_int_equal(sent_in(h, DIALECT_SEED_JS), 0);
	author_says_js(&f->tom, h, "js", NOW);
	host_types(h, NULL, "both");
	assert_int_equal(sent_in(h, DIALECT_SEED_JS), 1);
	copy = host_payload(host_sent(
		h, NET_MSG_PUBLISH, host_sent_count(h, NET_MSG_PUBLISH) - 1));
	assert_true(copy.has_copy_of);
	assert_memory_equal(copy.copy_of, host_line(h, "both")->line.id, 32);
	payload_clear(&copy);
	assert_int_equal(host_line_count(h, "both"), 1);
	host_gone(h, f->tom.peer);
	host_types(h, NULL, "after");
	assert_int_equal(sent_in(h, DIALECT_SEED_JS), 1);
	host_page(h, LOBBY, 20);
	assert_int_equal(host_line_count(h, "both"), 1);
}

static void test_chat_knows_the_silent_js_program_by_its_hint(void **state)
{
	struct fixture *f = *state;
	struct host *h = &f->me;

	host_peer(h, f->tom.peer, "libp2p/1.9.4 UserAgent=v22.1.0",
		"/mplex/6.7.0");
	host_topic(h, f->tom.peer, LOBBY, true);
	host_types(h, NULL, "hello");
	assert_int_equal(sent_in(h, DIALECT_SEED_JS), 1);
	/* It speaks otherwise: no copies any more. */
	author_says_go(&f->tom, h, "I am no JavaScript", NOW);
	host_types(h, NULL, "so");
	assert_int_equal(sent_in(h, DIALECT_SEED_JS), 1);
}

static void test_chat_speaks_plain_where_only_plain_is_heard(void **state)
{
	struct fixture *f = *state;
	struct host *h = &f->me;

	host_meets(h, &f->tom, LOBBY);
	author_sends(&f->tom, h, LOBBY, bytes_str("plain words"));
	host_types(h, NULL, "plain too");
	assert_int_equal(sent_in(h, DIALECT_PLAIN), 1);
	host_meets(h, &f->mali, LOBBY);
	author_says_go(&f->mali, h, "json", NOW);
	host_forget(h); /* the join that it brought */
	host_types(h, NULL, "now json");
	assert_int_equal(sent_in(h, DIALECT_NATIVE), 1);
}

static void test_chat_universal_connectivity_is_always_plain(void **state)
{
	struct fixture *f = *state;
	struct host *h = &f->me;
	struct net_msg *m;
	struct unit u;

	host_types(h, NULL, "/join universal-connectivity");
	host_meets(h, &f->tom, "universal-connectivity");
	author_sends(&f->tom, h, "universal-connectivity",
		bytes_str("{\"type\":\"message\",\"content\":\"raw\"}"));
	assert_non_null(host_line(h, "{\"type\""));
	host_types(h, NULL, "bare");
	m = host_sent(h, NET_MSG_PUBLISH, 0);
	assert_int_equal(unit_parse(&u, bytes_of(m->data, m->data_len)), 0);
	assert_true(bytes_equal(u.data, bytes_str("bare")));
	/* Behind what has come, as it does at the others'. */
	assert_true(host_line(h, "bare")->line.time_ms >
		    host_line(h, "{\"type\"")->line.time_ms);
}

static void test_chat_says_join_once_where_a_go_program_is(void **state)
{
	struct fixture *f = *state;
	struct host *h = &f->me;
	struct payload p;

	host_meets(h, &f->tom, LOBBY);
	author_says_native(&f->tom, h, "ours", NOW);
	assert_int_equal(host_sent_count(h, NET_MSG_PUBLISH), 0);
	host_meets(h, &f->mali, LOBBY);
	author_says_go(&f->mali, h, "one", NOW);
	author_says_go(&f->mali, h, "two", NOW);
	assert_int_equal(host_sent_count(h, NET_MSG_PUBLISH), 1);
	p = host_payload(host_sent(h, NET_MSG_PUBLISH, 0));
	assert_int_equal(p.type, PAYLOAD_JOIN);
	payload_clear(&p);
}

static void test_chat_says_join_in_a_room_where_a_go_program_sits(void **state)
{
	struct fixture *f = *state;
	struct host *h = &f->me;
	struct net_msg *sent;

	author_says_go(&f->mali, h, "hello", NOW);
	host_meets(h, &f->mali, "dev");
	assert_int_equal(host_sent_count(h, NET_MSG_PUBLISH), 0);
	host_types(h, NULL, "/join dev");
	sent = host_sent(h, NET_MSG_PUBLISH, 0);
	assert_non_null(sent);
	assert_string_equal(sent->text, "dev");
	assert_string_equal(host_said(h, UI_MSG_MEMBER, 0)->peer, f->mali.peer);
}

static void test_chat_opens_the_room_of_its_flag_again(void **state)
{
	static const char *const rooms[] = {"kitchen"};
	static struct host h;

	(void)state;
	host_init(&h, 9, "ann");
	h.cfg.rooms = rooms;
	h.cfg.room_count = 1;
	host_restart_with(&h);
	assert_string_equal(host_said(&h, UI_MSG_FOCUS, 0)->room, "kitchen");
	host_restart(&h);
	assert_string_equal(host_said(&h, UI_MSG_FOCUS, 0)->room, "kitchen");
	host_clear(&h);
}

/* ---- clocks ------------------------------------------------------------ */

static void test_chat_marks_a_clock_far_ahead_and_is_not_dragged(void **state)
{
	struct fixture *f = *state;
	struct host *h = &f->me;

	author_says_native(
		&f->tom, h, "from the year 9999", 253402300000000ULL);
	assert_true(host_line(h, "9999")->line.clock_wrong);
	host_types(h, NULL, "now");
	assert_int_equal(host_line(h, "now")->line.time_ms, NOW);
	author_says_native(&f->mali, h, "right", NOW + 1000);
	assert_false(host_line(h, "right")->line.clock_wrong);
}

static void test_chat_own_line_stands_behind_what_was_seen(void **state)
{
	struct fixture *f = *state;
	struct host *h = &f->me;

	author_says_native(&f->mali, h, "a minute ahead", NOW + 60000);
	host_types(h, NULL, "answer");
	assert_int_equal(host_line(h, "answer")->line.time_ms, NOW + 60001);
}

static void test_chat_a_late_line_proves_no_wrong_clock(void **state)
{
	struct fixture *f = *state;

	author_says_native(&f->mali, &f->me, "typed three days ago",
		NOW - 3 * 86400000ULL);
	assert_false(host_line(&f->me, "three days")->line.clock_wrong);
	author_says_native(&f->mali, &f->me, "in 1970", 86400000);
	assert_true(host_line(&f->me, "in 1970")->line.clock_wrong);
}

static void test_chat_machine_in_1970_takes_the_rooms_time(void **state)
{
	struct fixture *f = *state;
	struct host *h = &f->me;

	h->te.env.wall_ms = 5000;
	author_says_native(&f->mali, h, "hello", NOW);
	author_says_native(&f->tom, h, "hello too", NOW + 10);
	assert_false(host_line(h, "hello too")->line.clock_wrong);
	host_wait(h, 60000);
	host_types(h, NULL, "what time is it");
	assert_in_range(host_line(h, "what time")->line.time_ms, NOW + 60000,
		NOW + 60010);
}

/* ---- two people ------------------------------------------------------- */

static void carry(struct host *from, struct host *to)
{
	struct net_msg *m;

	for (size_t n = 0; (m = host_sent(from, NET_MSG_PUBLISH, n)) != NULL;
		n++) {
		host_unit(to, bytes_of(m->data, m->data_len));
		host_handed(from, m->id);
	}
	host_forget(from);
}

static void test_chat_two_people_talk(void **state)
{
	struct fixture *f = *state;
	struct host *ann = &f->me;
	static struct host bob;
	struct ui_msg *line;

	host_init(&bob, 8, "bob");
	host_peer(ann, host_id(&bob), "p2pchat-tui/0.1.0", "/yamux/1.0.0");
	host_topic(ann, host_id(&bob), LOBBY, true);
	host_peer(&bob, host_id(ann), "p2pchat-tui/0.1.0", "/yamux/1.0.0");
	host_topic(&bob, host_id(ann), LOBBY, true);
	host_types(ann, NULL, "hello bob");
	carry(ann, &bob);
	line = host_line(&bob, "hello bob");
	assert_string_equal(line->line.name, "ann");
	assert_true(line->line.mention);
	host_types(&bob, NULL, "hello ann");
	carry(&bob, ann);
	line = host_line(ann, "hello ann");
	assert_string_equal(line->line.from, host_id(&bob));
	/* The answer stands behind what it answers, on both screens. */
	host_page(ann, LOBBY, 2);
	assert_string_equal(
		host_text(ann, UI_MSG_LINE, "hello")->line.text, "hello ann");
	host_clear(&bob);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORY(test_chat_start_shows_the_lobby_before_net_is_ready),
		STORY(test_chat_is_ready_when_net_listens),
		cmocka_unit_test(test_chat_proposes_two_words_and_keeps_them),
		STORY(test_chat_shows_each_dialect),
		STORY(test_chat_author_is_the_signing_key),
		STORY(test_chat_shows_a_line_once),
		STORY(test_chat_shows_a_local_line_once),
		STORY(test_chat_ignores_lines_of_other_rooms),
		STORY(test_chat_never_shows_a_copy),
		STORY(test_chat_cleans_text_and_names),
		STORY(test_chat_drops_garbage_and_goes_on),
		STORY(test_chat_folds_join_and_leave),
		STORY(test_chat_marks_a_mention),
		STORY(test_chat_own_line_waits_while_nobody_is_there),
		STORY(test_chat_waiting_lines_go_out_in_order),
		STORY(test_chat_handed_line_says_so_and_is_not_sent_again),
		STORY(test_chat_offers_again_what_nobody_answered_for),
		STORY(test_chat_lines_are_chained),
		STORY(test_chat_seqno_grows_even_when_the_clock_goes_back),
		STORY(test_chat_refuses_what_cannot_be_said),
		STORY(test_chat_writes_what_the_go_program_takes),
		STORY(test_chat_copies_for_the_js_program_while_it_is_there),
		STORY(test_chat_knows_the_silent_js_program_by_its_hint),
		STORY(test_chat_speaks_plain_where_only_plain_is_heard),
		STORY(test_chat_universal_connectivity_is_always_plain),
		STORY(test_chat_says_join_once_where_a_go_program_is),
		STORY(test_chat_says_join_in_a_room_where_a_go_program_sits),
		cmocka_unit_test(test_chat_opens_the_room_of_its_flag_again),
		STORY(test_chat_marks_a_clock_far_ahead_and_is_not_dragged),
		STORY(test_chat_own_line_stands_behind_what_was_seen),
		STORY(test_chat_a_late_line_proves_no_wrong_clock),
		STORY(test_chat_machine_in_1970_takes_the_rooms_time),
		STORY(test_chat_two_people_talk),
	};

	return cmocka_run_group_tests_name("chat", tests, NULL, NULL);
}
