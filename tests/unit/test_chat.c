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

#define NOW 1767225600000ULL /* the test clock's start */

struct fixture {
	struct host me;
	struct author mali;
	struct author tom;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	host_init(&f->me, 7, "ann");
	author_init(&f->mali, 1, "mali");
	author_init(&f->tom, 2, "tom");
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	host_clear(&f->me);
	free(f);
	return 0;
}

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
	assert_int_equal(before, NOW * 1000000);
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
	/* What others make of its seqno is the time that we keep. */
	assert_int_equal(host_line(h, "bare")->line.time_ms,
		get_be64(u.seqno) / 1000000);
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
	/* Kept all the while: shown again from the store. */
	host_types(h, NULL, "/history");
	assert_non_null(host_line(h, "more noise"));
	assert_non_null(host_line(h, "third noise"));
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

#define STORY(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

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
		STORY(test_chat_rooms_survive_a_restart),
		STORY(test_chat_keeps_the_last_room),
		STORY(test_chat_counts_unread_and_mentions_over_a_restart),
		STORY(test_chat_shows_who_is_in_a_room),
		STORY(test_chat_bounds_rooms_that_others_name),
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
		STORY(test_chat_two_people_talk),
	};

	return cmocka_run_group_tests_name("chat", tests, NULL, NULL);
}
