/* The faces without a screen, fed with words of the chat thread. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/mailbox.h"
#include "base/xmalloc.h"
#include "msg/ui_msg.h"
#include "ui/line/line_face.h"

struct world {
	struct mailbox *chat;
	struct line_face *face;
	struct buf out;
	struct ui_clock clock;
	int write_result;
};

static int collect(void *arg, struct bytes out)
{
	struct world *w = arg;

	assert_int_equal(buf_append(&w->out, out), 0);
	return w->write_result;
}

static void world_open(struct world *w, struct line_face_cfg cfg, size_t room)
{
	struct mailbox_cfg mc = {.count_max = room, .bytes_max = 1 << 20};

	memset(w, 0, sizeof(*w));
	buf_init(&w->out, 1 << 20);
	w->chat = mailbox_new(&mc);
	w->clock = (struct ui_clock){
		.now_ms = 1000, .wall_ms = 1763647320000 /* 20 Nov 14:02 */};
	cfg.chat = w->chat;
	cfg.write = collect;
	cfg.write_arg = w;
	w->face = line_face_new(&cfg);
}

static void world_close(struct world *w)
{
	line_face_free(w->face);
	mailbox_free(w->chat);
	buf_clear(&w->out);
}

static void type(struct world *w, const char *text)
{
	line_face_on_input(w->face, bytes_str(text), &w->clock);
}

/* The next word to the chat thread has this kind and text. */
static void expect_post(struct world *w, int kind, const char *text)
{
	struct msg *m = mailbox_take(w->chat);

	assert_non_null(m);
	assert_int_equal(m->kind, kind);
	if (text != NULL)
		assert_string_equal(chat_ui_msg_of(m)->text, text);
	msg_free(m);
}

static void expect_out(struct world *w, const char *text)
{
	assert_string_equal(buf_cstr(&w->out), text);
	buf_reset(&w->out);
}

static struct ui_msg *line_msg(const char *name, const char *text, bool own)
{
	struct ui_msg *m = ui_msg_new(UI_MSG_LINE, "p2p-chat-default", NULL);

	m->title = xstrdup("lobby");
	m->line.text = xstrdup(text);
	m->line.own = own;
	m->line.state = own ? UI_STATE_WAITING : UI_STATE_NONE;
	m->line.time_ms = 1763647320000;
	m->line.name_mark = ' ';
	m->line.id[0] = 0xab;
	m->line.id[31] = 0x01;
	snprintf(m->line.name, sizeof(m->line.name), "%s", name);
	snprintf(m->line.from, sizeof(m->line.from), "%s", "12D3KooWmali");
	return m;
}

static void feed(struct world *w, struct ui_msg *m)
{
	line_face_on_msg(w->face, m, &w->clock);
	line_face_flush(w->face);
}

#define ID_AB "ab00000000000000000000000000000000000000000000000000000000000001"

static void test_json_message_has_the_promised_members(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, (struct line_face_cfg){.json = true}, 8);
	feed(&w, line_msg("mali", "a \"b\"\n\xe0\xb8\x81", false));
	expect_out(&w, "{\"event\":\"message\",\"room\":\"lobby\","
		       "\"topic\":\"p2p-chat-default\","
		       "\"id\":\"" ID_AB "\",\"from\":\"12D3KooWmali\","
		       "\"name\":\"mali\",\"mark\":null,\"text\":\"a "
		       "\\\"b\\\"\\n\xe0\xb8\x81"
		       "\",\"type\":\"message\",\"time_ms\":1763647320000,"
		       "\"own\":false,\"known\":false,\"state\":null,\"kept\":"
		       "true}\n");
	world_close(&w);
}

/* What stands on a screen for a name that is not known is no name. */
static void test_json_says_no_name_where_none_was_claimed(void **state)
{
	struct ui_msg *m = line_msg("..Ah93KnYU", "hi", false);
	struct world w;

	(void)state;
	world_open(&w, (struct line_face_cfg){.json = true}, 8);
	m->line.nameless = true;
	feed(&w, m);
	assert_non_null(strstr(buf_cstr(&w.out), "\"name\":\"\","));
	assert_null(strstr(buf_cstr(&w.out), "Ah93KnYU"));
	world_close(&w);
}

/* Whatever else stands in the message is nobody's. */
static void test_damaged_line_is_nobodys(void **state)
{
	for (int json = 0; json < 2; json++) {
		struct ui_msg *m = line_msg("mali", "not hers", false);
		struct world w;

		(void)state;
		world_open(&w, (struct line_face_cfg){.json = json == 1}, 8);
		m->line.type = UI_TYPE_DAMAGED;
		feed(&w, m);
		assert_null(strstr(buf_cstr(&w.out), "mali"));
		assert_null(strstr(buf_cstr(&w.out), "not hers"));
		assert_non_null(strstr(buf_cstr(&w.out),
			json == 1 ? "\"from\":null,\"name\":null,\"mark\":null,"
				    "\"text\":null,\"type\":\"damaged\""
				  : UI_DAMAGED_TEXT));
		world_close(&w);
	}
}

static void test_json_says_ready_once(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, (struct line_face_cfg){.json = true}, 8);
	for (int i = 0; i < 2; i++) {
		struct ui_msg *m = ui_msg_new(UI_MSG_READY, "p2p-chat-default",
			"/ip4/10.0.0.1/tcp/4001\n/ip6/::1/tcp/4001");

		m->title = xstrdup("lobby");
		snprintf(m->peer, sizeof(m->peer), "%s", "12D3KooWme");
		snprintf(m->name, sizeof(m->name), "%s", "amber-otter");
		feed(&w, m);
	}
	expect_out(&w, "{\"event\":\"ready\",\"peer_id\":\"12D3KooWme\","
		       "\"listen\":[\"/ip4/10.0.0.1/tcp/4001\","
		       "\"/ip6/::1/tcp/4001\"],\"name\":\"amber-otter\","
		       "\"room\":\"lobby\",\"topic\":\"p2p-chat-default\"}\n");
	world_close(&w);
}

static struct ui_msg *person_msg(bool connected, bool announce)
{
	struct ui_msg *m = ui_msg_new(UI_MSG_PERSON, NULL, NULL);

	snprintf(m->person.peer, sizeof(m->person.peer), "%s", "12D3KooWmali");
	m->person.connected = connected;
	m->person.announce = announce;
	m->person.outbound = true;
	m->person.muxer = "/yamux/1.0.0";
	m->person.address = xstrdup("/ip4/10.0.0.2/tcp/4001");
	m->person.protocols = xstrdup("/meshsub/1.1.0\n/ipfs/ping/1.0.0");
	return m;
}

static void test_json_peer_event_comes_once_each_way(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, (struct line_face_cfg){.json = true}, 8);
	feed(&w, person_msg(true, true));
	feed(&w, person_msg(true, false)); /* only changed */
	expect_out(&w,
		"{\"event\":\"peer\",\"peer_id\":\"12D3KooWmali\","
		"\"name\":null,\"mark\":null,\"state\":\"connected\",\"addr\":"
		"\"/ip4/"
		"10.0.0.2/tcp/4001\","
		"\"direction\":\"out\",\"relayed\":false,\"agent\":null,"
		"\"muxer\":\"/yamux/1.0.0\",\"protocols\":[\"/meshsub/1.1.0\","
		"\"/ipfs/ping/1.0.0\"]}\n");
	world_close(&w);
}

static struct ui_msg *named_msg(bool announce, bool renamed)
{
	struct ui_msg *m = person_msg(true, announce);

	snprintf(m->person.name, sizeof(m->person.name), "mali");
	snprintf(m->person.tag, sizeof(m->person.tag), "oWmali");
	m->person.name_mark = '?';
	m->person.renamed = renamed;
	return m;
}

static void test_json_names_are_told_once(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, (struct line_face_cfg){.json = true}, 8);
	/* With the coming when it is known, which is then no change. */
	feed(&w, named_msg(true, true));
	assert_non_null(strstr(buf_cstr(&w.out),
		"\"name\":\"mali\",\"mark\":\"new\",\"state\":"));
	assert_null(strstr(buf_cstr(&w.out), "\"event\":\"name\""));
	buf_reset(&w.out);
	feed(&w, named_msg(false, false));
	feed(&w, named_msg(false, true));
	expect_out(&w, "{\"event\":\"name\",\"peer_id\":\"12D3KooWmali\","
		       "\"name\":\"mali\",\"mark\":\"new\"}\n");
	world_close(&w);
}

static void test_plain_names_are_told_once(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, (struct line_face_cfg){.json = false}, 8);
	feed(&w, person_msg(true, true));
	feed(&w, named_msg(false, true));
	feed(&w, named_msg(false, false));
	expect_out(&w, "* 12D3KooWmali is connected: /ip4/10.0.0.2/tcp/4001\n"
		       "* 12D3KooWmali is ?mali~oWmali\n");
	world_close(&w);
}

/* What the screen shows in front of a name is in both forms. */
static void test_marks_of_names_are_told_apart(void **state)
{
	static const struct {
		char mark;
		const char *plain;
		const char *json;
	} all[] = {{' ', " mali: hi\n", "\"mark\":null"},
		{'?', " ?mali~oWmali: hi\n", "\"mark\":\"new\""},
		{'!', " !mali~oWmali: hi\n", "\"mark\":\"clash\""},
		{'+', " +mali: hi\n", "\"mark\":\"verified\""}};

	(void)state;
	for (size_t i = 0; i < 2 * P2P_ARRAY_LEN(all); i++) {
		bool json = i % 2 != 0;
		struct ui_msg *m = line_msg("mali", "hi", false);
		struct world w;

		world_open(&w, (struct line_face_cfg){.json = json}, 8);
		snprintf(m->line.tag, sizeof(m->line.tag), "oWmali");
		m->line.name_mark = all[i / 2].mark;
		feed(&w, m);
		assert_non_null(strstr(buf_cstr(&w.out),
			json ? all[i / 2].json : all[i / 2].plain));
		world_close(&w);
	}
}

static struct ui_msg *whois_msg(enum ui_msg_kind kind, size_t addresses)
{
	struct ui_msg *m = ui_msg_new(kind, NULL, "as words");

	m->addresses = xcalloc(addresses, sizeof(*m->addresses));
	m->address_count = addresses;
	for (size_t i = 0; i < addresses; i++) {
		m->addresses[i] = (struct peer_address){.peer = "12D3KooWmali",
			.addr = "/ip4/10.0.0.2/tcp/4001",
			.sources = "LAN, told by itself",
			.certified = i == 0,
			.seen_ms_ago = 5000,
			.ok_ms_ago = i == 0 ? 70 : P2P_NEVER,
			.failures = i,
			.retry_in_ms = 9 * i,
			.why_not = i == 0 ? NULL : "nobody can be there",
			.more = 2};
	}
	return m;
}

static void describe(struct ui_person *p)
{
	snprintf(p->peer, sizeof(p->peer), "%s", "12D3KooWmali");
	snprintf(p->name, sizeof(p->name), "%s", "mali");
	p->connected = true;
	p->outbound = true;
	p->address = xstrdup("/ip4/10.0.0.2/tcp/4001");
	p->how = "LAN";
	p->agent = xstrdup("p2pchat-tui/0.1.0");
	p->muxer = "yamux";
	p->protocols = xstrdup("/a/1\n/b/1");
	p->rooms = xstrdup("cats\ndogs");
	p->rtt_us = 412;
	p->first_seen_ms = 1763647320000;
}

#define MALI \
	"\"peer_id\":\"12D3KooWmali\",\"name\":\"mali\",\"mark\":null," \
	"\"state\":" \
	"\"connected\",\"addr\":\"/ip4/10.0.0.2/tcp/4001\",\"how\":\"LAN\"," \
	"\"direction\":\"out\",\"relayed\":false,\"agent\":\"p2pchat-tui/" \
	"0.1.0\"," \
	"\"muxer\":\"yamux\",\"rtt_ms\":0.412,\"rooms\":[\"cats\",\"dogs\"]," \
	"\"ignored\":false,\"first_seen_ms\":1763647320000"
#define ADDRESS_0 \
	"\"addr\":\"/ip4/10.0.0.2/tcp/4001\",\"sources\":[\"LAN\"," \
	"\"told by itself\"],\"certified\":true,\"in_use\":false," \
	"\"seen_ms_ago\":5000,\"worked_ms_ago\":70,\"failures\":0," \
	"\"rests_ms\":0,\"why_not\":null"
#define ADDRESS_1 \
	"\"addr\":\"/ip4/10.0.0.2/tcp/4001\",\"sources\":[\"LAN\"," \
	"\"told by itself\"],\"certified\":false,\"in_use\":false," \
	"\"seen_ms_ago\":5000,\"worked_ms_ago\":null,\"failures\":1," \
	"\"rests_ms\":9,\"why_not\":\"nobody can be there\""

static void test_json_whois_has_every_fact(void **state)
{
	struct world w;
	struct ui_msg *m = whois_msg(UI_MSG_WHOIS, 2);

	(void)state;
	world_open(&w, (struct line_face_cfg){.json = true}, 8);
	describe(&m->person);
	m->person.key = "RSA";
	m->person.kept = true;
	m->person.scored = true;
	m->person.score = -0.25;
	feed(&w, m);
	expect_out(&w,
		"{\"event\":\"whois\"," MALI ",\"protocols\":[\"/a/1\","
		"\"/b/1\"],\"key\":\"RSA\",\"kept\":true,\"score\":"
		"-0.25,\"addresses\":[{" ADDRESS_0 "},{" ADDRESS_1 "}]}\n");
	/* Of somebody who is known by key alone. */
	m = ui_msg_new(UI_MSG_WHOIS, NULL, NULL);
	snprintf(m->person.peer, sizeof(m->person.peer), "%s", "12D3KooWtom");
	m->person.rtt_us = UINT64_MAX;
	buf_reset(&w.out);
	feed(&w, m);
	expect_out(&w,
		"{\"event\":\"whois\",\"peer_id\":\"12D3KooWtom\",\"name\":"
		"\"\",\"mark\":null,"
		"\"state\":\"disconnected\",\"addr\":null,\"how\":null,"
		"\"direction\":null,\"relayed\":false,\"agent\":null,"
		"\"muxer\":null,\"rtt_ms\":null,\"rooms\":[],\"ignored\":false,"
		"\"first_seen_ms\":null,\"protocols\":[],\"key\":null,"
		"\"kept\":false,\"score\":null,\"addresses\":[]}\n");
	world_close(&w);
}

static void test_json_peers_are_objects(void **state)
{
	struct world w;
	struct ui_msg *m = whois_msg(UI_MSG_PEERS, 1);

	(void)state;
	world_open(&w, (struct line_face_cfg){.json = true}, 8);
	m->people = xcalloc(2, sizeof(*m->people));
	m->people_count = 2;
	describe(&m->people[0]);
	describe(&m->people[1]);
	m->known = 7;
	feed(&w, m);
	expect_out(&w, "{\"event\":\"peers\",\"connected\":[{" MALI "},{" MALI
		       "}],\"known_count\":7,\"known\":[{\"peer_id\":"
		       "\"12D3KooWmali\"," ADDRESS_0 ",\"more\":2}]}\n");
	/* Typed without a key, and nobody has answered. */
	m = whois_msg(UI_MSG_PEERS, 1);
	m->addresses[0].peer[0] = '\0';
	buf_reset(&w.out);
	feed(&w, m);
	expect_out(&w, "{\"event\":\"peers\",\"connected\":[],"
		       "\"known_count\":0,\"known\":[{\"peer_id\":"
		       "null," ADDRESS_0 ",\"more\":2}]}\n");
	world_close(&w);
}

static void test_plain_whois_is_a_notice(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, (struct line_face_cfg){0}, 8);
	feed(&w, whois_msg(UI_MSG_WHOIS, 1));
	feed(&w, whois_msg(UI_MSG_PEERS, 1));
	expect_out(&w, "-- as words\n-- as words\n");
	world_close(&w);
}

static void test_json_room_state_and_error(void **state)
{
	struct world w;
	struct ui_msg *m;

	(void)state;
	world_open(&w, (struct line_face_cfg){.json = true}, 8);
	m = ui_msg_new(UI_MSG_ROOM, "kitchen", NULL);
	m->joined = true;
	m->changed = true;
	m->members = 3;
	feed(&w, m);
	feed(&w, ui_msg_new(UI_MSG_ROOM, "kitchen", NULL)); /* only counts */
	m = ui_msg_new(UI_MSG_STATE, "kitchen", NULL);
	m->line.id[0] = 0xab;
	m->line.id[31] = 1;
	m->line.state = UI_STATE_HANDED;
	feed(&w, m);
	m = ui_msg_new(UI_MSG_ERROR, NULL, "No such room.");
	m->code = xstrdup("no-such-room");
	feed(&w, m);
	expect_out(&w, "{\"event\":\"room\",\"room\":\"kitchen\",\"topic\":"
		       "\"kitchen\","
		       "\"state\":\"joined\",\"members\":3}\n"
		       "{\"event\":\"state\",\"id\":\"" ID_AB
		       "\",\"state\":\"handed\"}\n"
		       "{\"event\":\"error\",\"code\":\"no-such-room\","
		       "\"text\":\"No such room.\"}\n");
	world_close(&w);
}

static void test_json_survives_a_topic_that_is_not_utf8(void **state)
{
	struct world w;
	struct ui_msg *m = line_msg("mali", "x", false);

	(void)state;
	world_open(&w, (struct line_face_cfg){.json = true}, 8);
	m->room[0] = (char)0xff;
	feed(&w, m);
	assert_non_null(strstr(buf_cstr(&w.out), "\"topic\":\"\xef\xbf\xbd"));
	world_close(&w);
}

static void test_plain_reads_like_a_log(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, (struct line_face_cfg){0}, 8);
	feed(&w, line_msg("mali", "one\n[lobby] two", false));
	feed(&w, person_msg(false, true));
	feed(&w, ui_msg_new(UI_MSG_NOTICE, NULL, "a word"));
	expect_out(&w, "[lobby] 14:02 mali: one\n    [lobby] two\n"
		       "* 12D3KooWmali is gone\n"
		       "-- a word\n");
	world_close(&w);
}

static void test_plain_calls_rooms_by_their_title(void **state)
{
	struct world w;
	struct ui_msg *m;

	(void)state;
	world_open(&w, (struct line_face_cfg){0}, 8);
	m = ui_msg_new(UI_MSG_ROOM, "p2p-chat-default", NULL);
	m->title = xstrdup("lobby");
	feed(&w, m);
	m = line_msg("mali", "hi", false);
	free(m->title);
	m->title = NULL;
	feed(&w, m);
	expect_out(&w, "[lobby] 14:02 mali: hi\n");
	world_close(&w);
}

static void test_plain_ascii_escapes_what_others_wrote(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, (struct line_face_cfg){.ascii = true}, 8);
	feed(&w, line_msg("mali", "\xe0\xb8\x81", false));
	expect_out(&w, "[lobby] 14:02 mali: \\u{E01}\n");
	world_close(&w);
}

static void test_status_is_told_when_it_changes(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, (struct line_face_cfg){0}, 8);
	for (int i = 0; i < 4; i++) {
		struct ui_msg *m = ui_msg_new(UI_MSG_STATUS, NULL, "no daemon");

		m->item = CHAT_STATUS_DISCOVERY;
		m->status = i == 0 ? CHAT_STATE_BUSY : CHAT_STATE_FAILED;
		feed(&w, m);
	}
	expect_out(&w, "[!!] LAN discovery: no daemon\n");
	world_close(&w);
}

static void test_lines_may_be_cut_anywhere(void **state)
{
	struct world w;
	const char *text = "hello there\r\n/peers\n\n//x\n";

	(void)state;
	world_open(&w, (struct line_face_cfg){0}, 8);
	for (size_t i = 0; text[i] != '\0'; i++)
		line_face_on_input(w.face, bytes_of(text + i, 1), &w.clock);
	expect_post(&w, CHAT_MSG_LINE, "hello there");
	expect_post(&w, CHAT_MSG_LINE, "/peers");
	expect_post(&w, CHAT_MSG_LINE, "//x");
	assert_null(mailbox_take(w.chat));
	world_close(&w);
}

static void test_a_full_chat_queue_loses_no_line(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, (struct line_face_cfg){.headless = true}, 1);
	type(&w, "one\ntwo\n");
	expect_post(&w, CHAT_MSG_LINE, "one");
	assert_int_equal(line_face_deadline(w.face),
		w.clock.now_ms + LINE_FACE_RETRY_MS);
	line_face_turn(w.face, &w.clock);
	expect_post(&w, CHAT_MSG_LINE, "two");
	assert_int_equal(line_face_deadline(w.face), P2P_NEVER);
	world_close(&w);
}

static void test_a_full_chat_queue_loses_no_reload(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, (struct line_face_cfg){.json = true}, 1);
	type(&w, "one\n");
	feed(&w, ui_msg_new(UI_MSG_RELOAD, NULL, NULL));
	expect_post(&w, CHAT_MSG_LINE, "one");
	assert_int_equal(line_face_deadline(w.face),
		w.clock.now_ms + LINE_FACE_RETRY_MS);
	line_face_turn(w.face, &w.clock);
	expect_post(&w, CHAT_MSG_RELOAD, NULL);
	line_face_turn(w.face, &w.clock);
	assert_null(mailbox_take(w.chat));
	world_close(&w);
}

static void test_bad_lines_are_refused_with_a_word(void **state)
{
	struct world w;
	static char big[3 * MSG_TEXT_BYTES_MAX];

	(void)state;
	world_open(&w, (struct line_face_cfg){.json = true}, 8);
	type(&w, "\xff\xfe\n");
	assert_non_null(strstr(buf_cstr(&w.out), "\"code\":\"not-utf8\""));
	buf_reset(&w.out);
	memset(big, 'a', sizeof(big) - 1);
	type(&w, big);
	type(&w, "rest\nnext\n");
	assert_non_null(strstr(buf_cstr(&w.out), "\"code\":\"too-long\""));
	expect_post(&w, CHAT_MSG_LINE, "next");
	assert_null(mailbox_take(w.chat));
	world_close(&w);
}

static void test_plain_end_of_input_waits_until_somebody_has_it(void **state)
{
	struct world w;
	struct ui_msg *m;
	int status = -1;

	(void)state;
	world_open(&w, (struct line_face_cfg){0}, 8);
	type(&w, "hello");
	line_face_on_eof(w.face, &w.clock);
	expect_post(&w, CHAT_MSG_LINE, "hello");
	feed(&w, line_msg("me", "hello", true));
	line_face_turn(w.face, &w.clock);
	assert_null(mailbox_take(w.chat));
	m = ui_msg_new(UI_MSG_STATE, "p2p-chat-default", NULL);
	m->line.id[0] = 0xab;
	m->line.id[31] = 1;
	m->line.state = UI_STATE_HANDED;
	feed(&w, m);
	line_face_turn(w.face, &w.clock);
	expect_post(&w, CHAT_MSG_QUIT, NULL);
	assert_false(line_face_wants_quit(w.face, &status));
	feed(&w, ui_msg_new(UI_MSG_QUIT, NULL, NULL));
	assert_true(line_face_wants_quit(w.face, &status));
	assert_int_equal(status, 0);
	world_close(&w);
}

static void test_plain_end_of_input_gives_up_with_75(void **state)
{
	struct world w;
	int status = -1;

	(void)state;
	world_open(&w, (struct line_face_cfg){0}, 8);
	type(&w, "hello\n");
	line_face_on_eof(w.face, &w.clock);
	expect_post(&w, CHAT_MSG_LINE, "hello");
	feed(&w, line_msg("me", "hello", true));
	w.clock.now_ms += LINE_FACE_EOF_WAIT_MS;
	line_face_turn(w.face, &w.clock);
	expect_post(&w, CHAT_MSG_QUIT, NULL);
	feed(&w, ui_msg_new(UI_MSG_QUIT, NULL, NULL));
	assert_true(line_face_wants_quit(w.face, &status));
	assert_int_equal(status, 75);
	world_close(&w);
}

static void test_headless_runs_on_after_end_of_input(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, (struct line_face_cfg){.headless = true}, 8);
	line_face_on_eof(w.face, &w.clock);
	w.clock.now_ms += 10 * LINE_FACE_EOF_WAIT_MS;
	line_face_turn(w.face, &w.clock);
	assert_null(mailbox_take(w.chat));
	assert_int_equal(line_face_deadline(w.face), P2P_NEVER);
	world_close(&w);
}

static void test_json_escapes_what_may_not_stand_in_a_string(void **state)
{
	struct ui_msg *m = ui_msg_new(UI_MSG_NOTICE, NULL,
		"\x01\b\f\r\t\x1f / \\ \x7f \xf0\x9f\x99\x82");
	struct world w;

	(void)state;
	world_open(&w, (struct line_face_cfg){.json = true}, 8);
	feed(&w, m);
	expect_out(&w, "{\"event\":\"notice\",\"level\":\"info\",\"text\":\""
		       "\\u0001\\b\\f\\r\\t\\u001F / \\\\ \x7f"
		       " \xf0\x9f\x99\x82\"}\n");
	world_close(&w);
}

static void test_events_are_written_together(void **state)
{
	char text[2900];
	struct world w;

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	world_open(&w, (struct line_face_cfg){.json = true}, 8);
	for (int i = 0; i < 5; i++)
		line_face_on_msg(
			w.face, line_msg("mali", text, false), &w.clock);
	assert_int_equal(w.out.len, 0);
	/* 16 KiB are not kept back. */
	line_face_on_msg(w.face, line_msg("mali", text, false), &w.clock);
	assert_true(w.out.len > 6 * strlen(text));
	buf_reset(&w.out);
	line_face_flush(w.face);
	assert_int_equal(w.out.len, 0);
	world_close(&w);
}

static void test_quits_when_nobody_reads_the_output(void **state)
{
	struct world w;
	int status = -1;

	(void)state;
	world_open(&w, (struct line_face_cfg){.headless = true}, 8);
	w.write_result = P2P_ERR_IO;
	feed(&w, ui_msg_new(UI_MSG_NOTICE, NULL, "x"));
	assert_true(line_face_wants_quit(w.face, &status));
	assert_int_equal(status, 74);
	world_close(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_json_message_has_the_promised_members),
		cmocka_unit_test(test_json_says_no_name_where_none_was_claimed),
		cmocka_unit_test(test_damaged_line_is_nobodys),
		cmocka_unit_test(test_json_says_ready_once),
		cmocka_unit_test(test_json_peer_event_comes_once_each_way),
		cmocka_unit_test(test_json_room_state_and_error),
		cmocka_unit_test(test_json_whois_has_every_fact),
		cmocka_unit_test(test_json_names_are_told_once),
		cmocka_unit_test(test_plain_names_are_told_once),
		cmocka_unit_test(test_marks_of_names_are_told_apart),
		cmocka_unit_test(test_json_peers_are_objects),
		cmocka_unit_test(test_plain_whois_is_a_notice),
		cmocka_unit_test(test_json_survives_a_topic_that_is_not_utf8),
		cmocka_unit_test(test_plain_reads_like_a_log),
		cmocka_unit_test(test_plain_calls_rooms_by_their_title),
		cmocka_unit_test(test_plain_ascii_escapes_what_others_wrote),
		cmocka_unit_test(test_status_is_told_when_it_changes),
		cmocka_unit_test(test_lines_may_be_cut_anywhere),
		cmocka_unit_test(test_a_full_chat_queue_loses_no_line),
		cmocka_unit_test(test_a_full_chat_queue_loses_no_reload),
		cmocka_unit_test(test_bad_lines_are_refused_with_a_word),
		cmocka_unit_test(
			test_plain_end_of_input_waits_until_somebody_has_it),
		cmocka_unit_test(test_plain_end_of_input_gives_up_with_75),
		cmocka_unit_test(test_headless_runs_on_after_end_of_input),
		cmocka_unit_test(
			test_json_escapes_what_may_not_stand_in_a_string),
		cmocka_unit_test(test_events_are_written_together),
		cmocka_unit_test(test_quits_when_nobody_reads_the_output),
	};

	return cmocka_run_group_tests_name("line_face", tests, NULL, NULL);
}
