#include "tests/unit/chat_host.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/xmalloc.h"

#define UI_QUEUE 512
#define QUEUE_BYTES (64u << 20)

static void must(bool good, const char *what)
{
	if (!good) {
		fprintf(stderr, "chat_host: %s\n", what);
		abort();
	}
}

static int try_start(struct host *h)
{
	int err;

	h->cfg.store = h->store;
	h->cfg.me = &h->me;
	h->cfg.to_ui = h->to_ui;
	h->cfg.to_net = h->to_net;
	err = chat_new(&h->chat, &h->cfg, &h->te.env);
	if (err != 0)
		return err;
	chat_start(h->chat, &h->te.env);
	host_turn(h);
	return 0;
}

static void start(struct host *h)
{
	must(try_start(h) == 0, "chat_new");
}

void host_init(struct host *h, uint8_t seed, const char *name)
{
	struct mailbox_cfg ui = {
		.count_max = UI_QUEUE, .bytes_max = QUEUE_BYTES};
	struct mailbox_cfg net = {.count_max = MSG_QUEUE_TO_NET,
		.bytes_max = MSG_QUEUE_TO_NET_BYTES};
	uint8_t raw[32] = {seed};

	memset(h, 0, sizeof(*h));
	must(crypto_init() == 0, "crypto_init");
	test_env_init(&h->te, seed);
	identity_from_seed(&h->me, raw);
	peer_id_text(&h->me.id, h->id);
	must(store_open_memory(&h->store, bytes_of(NULL, 0), NULL) == 0,
		"store_open_memory");
	h->to_ui = mailbox_new(&ui);
	h->to_net = mailbox_new(&net);
	h->cfg.name = name;
	h->cfg.version = "p2pchat-tui test";
	start(h);
}

void host_forget(struct host *h)
{
	for (size_t i = 0; i < h->ui_count; i++)
		msg_free(h->ui[i]);
	for (size_t i = 0; i < h->net_count; i++)
		msg_free(h->net[i]);
	h->ui_count = 0;
	h->net_count = 0;
}

static void stop(struct host *h)
{
	struct msg *m;

	chat_free(h->chat);
	h->chat = NULL;
	while ((m = mailbox_take(h->to_ui)) != NULL)
		msg_free(m);
	while ((m = mailbox_take(h->to_net)) != NULL)
		msg_free(m);
	host_forget(h);
}

void host_restart_with(struct host *h)
{
	struct buf image;

	stop(h);
	buf_init(&image, QUEUE_BYTES);
	must(store_save_image(h->store, &image) == 0, "store_save_image");
	store_close(h->store);
	must(store_open_memory(&h->store, buf_bytes(&image), NULL) == 0,
		"store_open_memory");
	buf_clear(&image);
	start(h);
}

int host_restart_on(struct host *h, struct bytes image)
{
	int err;

	stop(h);
	store_close(h->store);
	h->store = NULL;
	h->cfg.name = NULL;
	err = store_open_memory(&h->store, image, NULL);
	return err != 0 ? err : try_start(h);
}

void host_restart(struct host *h)
{
	h->cfg.name = NULL;
	h->cfg.room_count = 0;
	host_restart_with(h);
}

void host_clear(struct host *h)
{
	stop(h);
	store_close(h->store);
	mailbox_free(h->to_ui);
	mailbox_free(h->to_net);
}

static void take_all(struct mailbox *mb, struct msg **out, size_t *count)
{
	struct msg *m;

	while ((m = mailbox_take(mb)) != NULL) {
		must(*count < 4096, "too many messages for a test");
		out[(*count)++] = m;
	}
}

void host_turn(struct host *h)
{
	chat_turn_end(h->chat, &h->te.env);
	take_all(h->to_ui, h->ui, &h->ui_count);
	take_all(h->to_net, h->net, &h->net_count);
}

void host_wait(struct host *h, uint64_t ms)
{
	h->te.env.now_ms += ms;
	h->te.env.wall_ms += ms;
	host_turn(h);
}

static void give(struct host *h, struct msg *m)
{
	chat_handle(h->chat, &h->te.env, m);
	host_turn(h);
}

void host_types(struct host *h, const char *room, const char *text)
{
	give(h, &chat_ui_msg_new(CHAT_MSG_LINE, room, text)->msg);
}

void host_ui(struct host *h, enum chat_msg_kind kind, const char *room)
{
	give(h, &chat_ui_msg_new(kind, room, NULL)->msg);
}

void host_page(struct host *h, const char *room, uint32_t count)
{
	struct store_key newest = {.time_ms = UINT64_MAX};

	host_page_before(h, room, &newest, count);
}

void host_page_before(struct host *h, const char *room,
	const struct store_key *before, uint32_t count)
{
	struct chat_ui_msg *m = chat_ui_msg_new(CHAT_MSG_PAGE, room, NULL);

	m->time_ms = before->time_ms;
	memcpy(m->id, before->id, sizeof(m->id));
	m->count = count;
	give(h, &m->msg);
}

static struct chat_net_msg *net_msg_for(
	enum chat_msg_kind kind, const char *peer, const char *text)
{
	struct chat_net_msg *m =
		chat_net_msg_new(kind, text, bytes_of(NULL, 0));

	snprintf(m->peer, sizeof(m->peer), "%s", peer);
	return m;
}

void host_peer(
	struct host *h, const char *peer, const char *agent, const char *muxer)
{
	struct chat_net_msg *m =
		net_msg_for(CHAT_MSG_PEER, peer, "/ip4/127.0.0.1/tcp/4001");

	m->state = 1;
	m->agent = agent == NULL ? NULL : xstrdup(agent);
	m->muxer = muxer;
	give(h, &m->msg);
}

void host_gone(struct host *h, const char *peer)
{
	give(h, &net_msg_for(CHAT_MSG_PEER, peer, NULL)->msg);
}

void host_topic(struct host *h, const char *peer, const char *topic, bool on)
{
	struct chat_net_msg *m = net_msg_for(CHAT_MSG_TOPIC, peer, topic);

	m->state = on;
	give(h, &m->msg);
}

void host_meets(struct host *h, const struct author *a, const char *topic)
{
	host_peer(h, a->peer, "some-program/1.0", "/yamux/1.0.0");
	host_topic(h, a->peer, topic, true);
}

void host_unit(struct host *h, struct bytes raw)
{
	give(h, &chat_net_msg_new(CHAT_MSG_UNIT, NULL, raw)->msg);
}

void host_handed(struct host *h, const uint8_t id[32])
{
	struct chat_net_msg *m = net_msg_for(CHAT_MSG_HANDED, "", NULL);

	memcpy(m->id, id, 32);
	m->number = 1;
	give(h, &m->msg);
}

void author_init(struct author *a, uint8_t seed, const char *name)
{
	uint8_t raw[32] = {seed, 1};

	identity_from_seed(&a->key, raw);
	peer_id_text(&a->key.id, a->peer);
	a->name = name;
	a->seqno = 1;
}

void author_sends(
	struct author *a, struct host *to, const char *topic, struct bytes data)
{
	struct buf raw;

	buf_init(&raw, UNIT_BYTES_MAX);
	must(unit_sign(&a->key, a->seqno++, bytes_str(topic), data, &raw) == 0,
		"unit_sign");
	host_unit(to, buf_bytes(&raw));
	buf_clear(&raw);
}

void author_says_go(
	struct author *a, struct host *to, const char *text, uint64_t ms)
{
	char *json = xasprintf(
		"{\"type\":\"message\",\"content\":\"%s\",\"username\":\"%s\","
		"\"timestamp\":%llu,\"from\":\"%s\"}",
		text, a->name, (unsigned long long)ms / 1000, a->peer);

	author_sends(a, to, LOBBY, bytes_str(json));
	free(json);
}

void author_says_js(
	struct author *a, struct host *to, const char *text, uint64_t ms)
{
	char *json = xasprintf("{\"type\":\"broadcast\",\"content\":\"%s\","
			       "\"username\":\"%s\",\"timestamp\":%llu}",
		text, a->name, (unsigned long long)ms);

	author_sends(a, to, LOBBY, bytes_str(json));
	free(json);
}

void author_says_native(
	struct author *a, struct host *to, const char *text, uint64_t ms)
{
	struct payload_out line = {
		.text = text, .name = a->name, .from = a->peer, .time_ms = ms};
	struct buf data;

	buf_init(&data, UNIT_DATA_BYTES_MAX);
	must(payload_write(DIALECT_NATIVE, &line, &data) == 0, "payload_write");
	author_sends(a, to, LOBBY, buf_bytes(&data));
	buf_clear(&data);
}

static struct msg *nth_of(struct msg **all, size_t count, int kind, size_t nth)
{
	for (size_t i = 0; i < count; i++)
		if (all[i]->kind == kind && nth-- == 0)
			return all[i];
	return NULL;
}

struct ui_msg *host_said(struct host *h, enum ui_msg_kind kind, size_t nth)
{
	struct msg *m = nth_of(h->ui, h->ui_count, (int)kind, nth);

	return m == NULL ? NULL : ui_msg_of(m);
}

size_t host_said_count(struct host *h, enum ui_msg_kind kind)
{
	size_t n = 0;

	while (host_said(h, kind, n) != NULL)
		n++;
	return n;
}

struct net_msg *host_sent(struct host *h, enum net_msg_kind kind, size_t nth)
{
	struct msg *m = nth_of(h->net, h->net_count, (int)kind, nth);

	return m == NULL ? NULL : net_msg_of(m);
}

size_t host_sent_count(struct host *h, enum net_msg_kind kind)
{
	size_t n = 0;

	while (host_sent(h, kind, n) != NULL)
		n++;
	return n;
}

struct ui_msg *host_text(
	struct host *h, enum ui_msg_kind kind, const char *text)
{
	struct ui_msg *found = NULL, *m;

	for (size_t n = 0; (m = host_said(h, kind, n)) != NULL; n++) {
		const char *have = kind == UI_MSG_LINE ? m->line.text : m->text;

		if (have != NULL && strstr(have, text) != NULL)
			found = m;
	}
	return found;
}

struct ui_msg *host_line(struct host *h, const char *text)
{
	return host_text(h, UI_MSG_LINE, text);
}

size_t host_line_count(struct host *h, const char *text)
{
	struct ui_msg *m;
	size_t count = 0;

	for (size_t n = 0; (m = host_said(h, UI_MSG_LINE, n)) != NULL; n++)
		count += strcmp(m->line.text, text) == 0 &&
			 m->line.origin == UI_LINE_LIVE &&
			 m->line.state != UI_STATE_UNSAVED;
	return count;
}

struct payload host_payload(const struct net_msg *m)
{
	struct payload p;
	struct unit u;

	must(unit_parse(&u, bytes_of(m->data, m->data_len)) == 0, "unit_parse");
	must(unit_verify(&u) == 0, "unit_verify");
	must(payload_parse(&p, u.topic, u.data) == 0, "payload_parse");
	return p;
}

/* ---- stories ----------------------------------------------------------- */

int host_story_begin(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	host_init(&f->me, 7, "ann");
	author_init(&f->mali, 1, "mali");
	author_init(&f->tom, 2, "tom");
	author_init(&f->eve, 3, "eve");
	*state = f;
	return 0;
}

int host_story_end(void **state)
{
	struct fixture *f = *state;

	host_clear(&f->me);
	free(f);
	return 0;
}
