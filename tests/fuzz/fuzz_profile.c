/*
 * Profiles: the codec, and the chat with four peers that say anything on their
 * pipes, come, go, share rooms or not, and answer ours or not. A script of
 * steps: a byte for the kind, one for who and how, one for the length, and that
 * much data. What must hold: names are clean, a name that stands is changed
 * once in CHAT_PROFILE_PACE_MS, nobody is written to the store, ours goes to
 * those alone who may have it, one pipe a peer at a time, and the deadline is
 * never past.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/cursor.h"
#include "base/text.h"
#include "base/xmalloc.h"
#include "chat/chat.h"
#include "msg/chat_msg.h"
#include "msg/net_msg.h"
#include "msg/ui_msg.h"
#include "net/wire/profile_pb.h"
#include "tests/lib/test_env.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define PEERS 4
#define TOPIC "p2p-chat-default"
#define STEPS_MAX 40
#define PROFILE "/p2pchat/profile/1.0.0"

struct peer {
	const char *id;
	bool connected;
	bool near;
	bool shares; /* the room */
	uint64_t pipe;
	char name[MSG_NAME_MAX]; /* as the ui was told */
	bool changed;
	uint64_t changed_ms;
};

struct world {
	struct test_env te;
	struct identity me;
	char ids[PEERS][PEER_ID_TEXT_MAX];
	struct peer peers[PEERS];
	struct store *store;
	struct chat *chat;
	struct mailbox *to_ui;
	struct mailbox *to_net;
	uint64_t last_pipe;
};

/* Keys, store and queues are the same for all scripts: profiles write nothing
 * but our own name, which each begins anew. */
static void open_once(struct world *w)
{
	struct mailbox_cfg queue = {
		.count_max = 256, .bytes_max = (size_t)1 << 20};
	uint8_t seed[32] = {9};

	P2P_ASSERT(crypto_init() == 0);
	identity_from_seed(&w->me, seed);
	for (uint8_t i = 0; i < PEERS; i++) {
		struct identity key;

		seed[0] = i;
		identity_from_seed(&key, seed);
		peer_id_text(&key.id, w->ids[i]);
	}
	P2P_ASSERT(store_open_memory(&w->store, bytes_of(NULL, 0), NULL) == 0);
	w->to_ui = mailbox_new(&queue);
	w->to_net = mailbox_new(&queue);
}

static void open_world(struct world *w)
{
	struct chat_cfg cfg = {.me = &w->me,
		.name = "me",
		.store = w->store,
		.to_ui = w->to_ui,
		.to_net = w->to_net};

	test_env_init(&w->te, 1);
	memset(w->peers, 0, sizeof(w->peers));
	for (int i = 0; i < PEERS; i++)
		w->peers[i].id = w->ids[i];
	w->last_pipe = 0;
	P2P_ASSERT(chat_new(&w->chat, &cfg, &w->te.env) == 0);
	chat_start(w->chat, &w->te.env);
}

/* ---- what net says ------------------------------------------------------ */

static struct chat_net_msg *about(enum chat_msg_kind kind, const struct peer *p,
	const char *text, struct bytes data)
{
	struct chat_net_msg *m = chat_net_msg_new(kind, text, data);

	snprintf(m->peer, sizeof(m->peer), "%s", p->id);
	return m;
}

static struct msg *comes(struct peer *p, uint8_t how)
{
	struct chat_net_msg *m;

	p->near = (how & 0x10) != 0;
	m = about(CHAT_MSG_PEER, p,
		p->near ? "/ip4/10.0.0.2/tcp/1" : "/ip4/9.9.9.9/tcp/1",
		bytes_of(NULL, 0));
	m->state = 1;
	m->protocols = xstrdup(how & 0x20 ? "/x\n" PROFILE : "/x");
	p->connected = true;
	return &m->msg;
}

/* Its streams are gone before it is; so are its rooms. */
static struct msg *goes(struct peer *p)
{
	p->connected = p->shares = false;
	p->pipe = 0;
	return &about(CHAT_MSG_PEER, p, NULL, bytes_of(NULL, 0))->msg;
}

static struct msg *subscribes(struct peer *p, bool in)
{
	struct chat_net_msg *m =
		about(CHAT_MSG_TOPIC, p, TOPIC, bytes_of(NULL, 0));

	m->state = in;
	p->shares = in && p->connected;
	return &m->msg;
}

/* On its own pipe of one of two numbers, or on ours. */
static struct msg *pipe_says(
	enum chat_msg_kind kind, struct peer *p, uint8_t how, struct bytes data)
{
	struct chat_net_msg *m = about(kind, p, PROFILE, data);

	m->pipe = 1 + (how >> 6 & 1);
	if (how >> 7)
		m->pipe = p->pipe != 0 ? p->pipe : MSG_PIPE_OURS;
	if (kind != CHAT_MSG_PIPE_GONE)
		return &m->msg;
	m->state = how & 0x20   ? 0
		   : how & 0x10 ? P2P_ERR_NO_PROTOCOL
				: P2P_ERR_RESET;
	if (m->pipe == p->pipe)
		p->pipe = 0;
	return &m->msg;
}

static struct msg *types(const char *command, struct bytes data)
{
	char *text = xasprintf("%s %.*s", command, (int)P2P_MIN(data.len, 200),
		(const char *)data.data);
	struct msg *m = &chat_ui_msg_new(CHAT_MSG_LINE, NULL, text)->msg;

	free(text);
	return m;
}

static struct msg *message(
	struct world *w, uint8_t kind, uint8_t who, struct bytes data)
{
	struct peer *p = &w->peers[who % PEERS];
	struct msg *m;
	char *text;

	switch (kind % 8) {
	case 0:
		return comes(p, who);
	case 1:
		return goes(p);
	case 2:
		/* Net tells the rooms of those who are connected. */
		return subscribes(p, p->connected && (who & 0x80) != 0);
	case 3:
	case 4:
		return pipe_says(CHAT_MSG_PIPE_FRAME, p, who, data);
	case 5:
		return pipe_says(CHAT_MSG_PIPE_GONE, p, who, data);
	case 6:
		return pipe_says(CHAT_MSG_PIPE_END, p, who, data);
	default:
		text = xstrndup((const char *)data.data, data.len);
		m = who & 0x80 ? types("/name", bytes_str(text))
			       : types("/info", bytes_of("", 0));
		free(text);
		return m;
	}
}

/* ---- what must hold ------------------------------------------------------ */

static struct peer *peer_of(struct world *w, const char *id)
{
	for (int i = 0; i < PEERS; i++)
		if (strcmp(w->peers[i].id, id) == 0)
			return &w->peers[i];
	return NULL;
}

static void check_name(struct world *w, const struct ui_person *u)
{
	struct peer *p = peer_of(w, u->peer);
	uint64_t now = w->te.env.now_ms;

	P2P_ASSERT(p != NULL);
	P2P_ASSERT(text_is_clean(TEXT_NAME, bytes_str(u->name)));
	if (strcmp(p->name, u->name) == 0)
		return;
	P2P_ASSERT(u->name[0] != '\0');
	if (p->name[0] != '\0') {
		P2P_ASSERT(!p->changed ||
			   now - p->changed_ms >= CHAT_PROFILE_PACE_MS);
		p->changed = true;
		p->changed_ms = now;
	}
	snprintf(p->name, sizeof(p->name), "%s", u->name);
}

static void check_given(struct world *w, const struct net_msg *m)
{
	struct peer *p;
	struct profile_pb own;

	if (m->msg.kind == NET_MSG_PIPE_FRAME) {
		P2P_ASSERT(m->pipe == w->last_pipe);
		P2P_ASSERT(profile_pb_read(
				   &own, bytes_of(m->data, m->data_len)) == 0);
		P2P_ASSERT(own.name.len > 0);
		P2P_ASSERT(text_is_clean(TEXT_NAME, own.name));
	}
	if (m->msg.kind == NET_MSG_PIPE_RESET && m->pipe >= MSG_PIPE_OURS)
		for (int i = 0; i < PEERS; i++)
			if (w->peers[i].pipe == m->pipe)
				w->peers[i].pipe = 0;
	if (m->msg.kind != NET_MSG_PIPE_OPEN)
		return;
	p = peer_of(w, m->peer);
	P2P_ASSERT(p != NULL && p->connected && (p->near || p->shares));
	P2P_ASSERT(p->pipe == 0);
	P2P_ASSERT(m->pipe >= MSG_PIPE_OURS && m->pipe != w->last_pipe);
	p->pipe = w->last_pipe = m->pipe;
}

static void end_turn(struct world *w)
{
	struct msg *m;

	chat_turn_end(w->chat, &w->te.env);
	while ((m = mailbox_take(w->to_ui)) != NULL) {
		if (m->kind == UI_MSG_PERSON)
			check_name(w, &ui_msg_of(m)->person);
		msg_free(m);
	}
	while ((m = mailbox_take(w->to_net)) != NULL) {
		check_given(w, net_msg_of(m));
		msg_free(m);
	}
	P2P_ASSERT(chat_deadline(w->chat) > w->te.env.now_ms);
}

static void end_world(struct world *w)
{
	struct store_person row;

	for (int i = 0; i < PEERS; i++)
		P2P_ASSERT(store_find_person(w->store, w->ids[i], &row) ==
			   P2P_ERR_NOT_FOUND);
	chat_free(w->chat);
}

/* What is read is written as what is read. */
static void check_codec(struct bytes in)
{
	struct profile_pb p, again;
	struct buf out;

	if (profile_pb_read(&p, in) != 0)
		return;
	P2P_ASSERT(p.name.len <= PROFILE_PB_NAME_BYTES_MAX);
	buf_init(&out, PROFILE_PB_BYTES_MAX);
	profile_pb_write(&p, &out);
	P2P_ASSERT(profile_pb_read(&again, buf_bytes(&out)) == 0);
	P2P_ASSERT(bytes_equal(p.name, again.name));
	P2P_ASSERT((p.name.data == NULL) == (again.name.data == NULL));
	buf_clear(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cursor c = cur_of(bytes_of(data, size));
	static struct world w;

	check_codec(bytes_of(data, size));
	if (w.store == NULL)
		open_once(&w);
	open_world(&w);
	for (int i = 0; i < STEPS_MAX && cur_left(&c) > 0; i++) {
		uint8_t kind = cur_u8(&c);
		uint8_t who = cur_u8(&c);
		struct bytes part = cur_take(&c, cur_u8(&c));

		if (!cur_ok(&c))
			break;
		/* At once, or up to half a minute later. */
		w.te.env.now_ms += (uint64_t)(kind >> 3) * 1000;
		w.te.env.wall_ms += (uint64_t)(kind >> 3) * 1000;
		chat_handle(w.chat, &w.te.env, message(&w, kind, who, part));
		end_turn(&w);
	}
	end_world(&w);
	return 0;
}
