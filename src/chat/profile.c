/*
 * Profiles: giving our own, hearing others'. What is under way is counted, and
 * a pipe that is not answered ends, so neither a peer that never answers nor a
 * message that net had no room for can keep the others waiting for ever.
 */
#include "chat/profile_internal.h"

#include <stdio.h>

#include "base/text.h"
#include "chat/chat_internal.h"
#include "chat/name_internal.h"
#include "chat/out_internal.h"
#include "chat/person_internal.h"
#include "chat/room_internal.h"
#include "net/wire/dialable.h"
#include "net/wire/profile_pb.h"

#define PROTOCOL "/p2pchat/profile/1.0.0"

#define PERSON_OF(pos) LIST_ITEM(pos, struct chat_person, profile.met)

static void tell_net(struct chat *c, enum net_msg_kind kind, uint64_t pipe)
{
	struct net_msg *m = net_msg_new(kind, NULL, bytes_of(NULL, 0));

	m->pipe = pipe;
	out_net(c, m, NULL);
}

/* ---- to whom ------------------------------------------------------------ */

static bool has_line(const char *lines, const char *line)
{
	size_t len = strlen(line);

	for (const char *at = lines; at != NULL; at = strchr(at, '\n')) {
		at += *at == '\n';
		if (strcspn(at, "\n") == len && memcmp(at, line, len) == 0)
			return true;
	}
	return false;
}

/* A relayed address lies where its relay does, not where the peer is. */
static bool is_near(const struct chat_person *p)
{
	struct dialable where;
	struct maddr addr;

	if (p->relayed || p->address == NULL ||
		maddr_parse_text(&addr, bytes_str(p->address)) != 0)
		return false;
	dialable_of(&where, &addr);
	return dialable_is_near(&where) && !where.relayed;
}

static bool shares_room(const struct chat *c, const struct chat_person *p)
{
	struct bytes id = peer_id_bytes(&p->id);
	struct list *pos, *tmp;

	if (p->room_count == 0)
		return false;
	LIST_FOREACH(pos, tmp, &c->rooms)
		if (ROOM_OF(pos)->row.joined &&
			table_get(&ROOM_OF(pos)->members, id) != NULL)
			return true;
	return false;
}

/* The one place that decides who may know what we call ourselves without our
 * having said a line to them. */
static bool may_have(const struct chat *c, const struct chat_person *p)
{
	return p->profile.near || shares_room(c, p);
}

/* ---- giving ------------------------------------------------------------- */

/* Who has failed is tried when his time comes. */
static void consider(struct chat *c, struct chat_person *p)
{
	struct chat_profile *pr = &p->profile;

	if (p->connected && pr->wanted && pr->given != c->profile_number &&
		pr->pipe == 0 && pr->due_ms == P2P_NEVER && may_have(c, p))
		pr->due_ms = c->env->now_ms;
}

static void end_giving(struct chat *c, struct chat_person *p)
{
	P2P_ASSERT(p->profile.pipe != 0 && c->profiles_out > 0);
	p->profile.pipe = 0;
	p->profile.due_ms = P2P_NEVER;
	c->profiles_out--;
}

static void on_given(struct chat *c, struct chat_person *p)
{
	end_giving(c, p);
	p->profile.given = p->profile.sent;
	p->profile.failures = 0;
	consider(c, p);
}

static void on_failure(struct chat *c, struct chat_person *p)
{
	struct chat_profile *pr = &p->profile;
	uint64_t wait_ms = (uint64_t)CHAT_PROFILE_RETRY_MS << pr->failures;

	end_giving(c, p);
	wait_ms = P2P_MIN(wait_ms, (uint64_t)CHAT_PROFILE_RETRY_MAX_MS);
	if (wait_ms < CHAT_PROFILE_RETRY_MAX_MS)
		pr->failures++;
	pr->due_ms = env_after(c->env, wait_ms);
}

static void give_up(struct chat *c, struct chat_person *p)
{
	tell_net(c, NET_MSG_PIPE_RESET, p->profile.pipe);
	on_failure(c, p);
}

static void send_profile(struct chat *c, uint64_t pipe)
{
	struct profile_pb own = {.name = bytes_str(c->self->row.name)};
	struct net_msg *m;
	struct buf frame;

	buf_init(&frame, PROFILE_PB_BYTES_MAX);
	profile_pb_write(&own, &frame);
	m = net_msg_new(NET_MSG_PIPE_FRAME, NULL, buf_bytes(&frame));
	m->pipe = pipe;
	out_net(c, m, NULL);
	buf_clear(&frame);
}

/* All at once: the protocol has one name, so nothing waits for its answer. */
static void give(struct chat *c, struct chat_person *p)
{
	struct chat_profile *pr = &p->profile;
	struct net_msg *open =
		net_msg_new(NET_MSG_PIPE_OPEN, PROTOCOL, bytes_of(NULL, 0));

	pr->pipe = MSG_PIPE_OURS + c->pipes_opened++;
	pr->sent = c->profile_number;
	pr->due_ms = env_after(c->env, CHAT_PROFILE_WAIT_MS);
	c->profiles_out++;
	open->pipe = pr->pipe;
	snprintf(open->peer, sizeof(open->peer), "%s", p->row.peer);
	out_net(c, open, NULL);
	send_profile(c, pr->pipe);
	tell_net(c, NET_MSG_PIPE_CLOSE, pr->pipe);
}

void profile_give(struct chat *c)
{
	struct list *pos, *tmp;

	if (c->quitting)
		return;
	LIST_FOREACH(pos, tmp, &c->profiles) {
		struct chat_person *p = PERSON_OF(pos);

		if (p->profile.due_ms > c->env->now_ms)
			continue;
		if (p->profile.pipe != 0)
			give_up(c, p);
		else if (!may_have(c, p))
			p->profile.due_ms = P2P_NEVER;
		else if (c->profiles_out < CHAT_PROFILES_OUT_MAX)
			give(c, p);
	}
}

void profile_rename(struct chat *c)
{
	struct list *pos, *tmp;

	c->profile_number++;
	LIST_FOREACH(pos, tmp, &c->profiles)
		consider(c, PERSON_OF(pos));
}

void profile_share_room(struct chat *c, struct chat_person *p)
{
	consider(c, p);
}

/* ---- meeting ------------------------------------------------------------ */

void profile_meet(struct chat *c, struct chat_person *p, uint64_t conn)
{
	struct chat_profile *pr = &p->profile;

	if (list_empty(&pr->met)) {
		*pr = (struct chat_profile){.due_ms = P2P_NEVER,
			.claim_ms = P2P_NEVER,
			.pace_ms = pr->pace_ms};
		list_push_back(&c->profiles, &pr->met);
	}
	/* Its program may have ended and come back before anybody noticed: it
	 * knows nothing then. */
	if (pr->conn != conn)
		pr->given = pr->sent = 0;
	pr->conn = conn;
	pr->wanted = has_line(p->protocols, PROTOCOL);
	pr->near = is_near(p);
	consider(c, p);
}

/* The pipes are gone with the connection. What it was called stays; what it
 * wanted to be called does not, or else coming and going would set the pace. */
void profile_leave(struct chat *c, struct chat_person *p)
{
	if (p->profile.pipe != 0)
		end_giving(c, p);
	list_remove(&p->profile.met);
	p->profile.named = false;
}

/* ---- hearing ------------------------------------------------------------ */

/* Who is ignored stays findable under the name he was ignored by; the claim is
 * kept until he is not. A first name is no change: who corrects it at once is
 * not kept waiting. */
static void believe(struct chat *c, struct chat_person *p)
{
	struct chat_profile *pr = &p->profile;

	pr->claim_ms = P2P_NEVER;
	if (p->row.ignored)
		return;
	if (p->row.name[0] != '\0')
		pr->pace_ms = env_after(c->env, CHAT_PROFILE_PACE_MS);
	person_call(c, p, pr->claim);
	pr->claim[0] = '\0';
}

/* At once where it may be: lines behind it in this turn bear the new name. */
static void claim(struct chat *c, struct chat_person *p, const char *name)
{
	struct chat_profile *pr = &p->profile;

	if (name[0] == '\0')
		return;
	pr->named = true;
	pr->claim[0] = '\0';
	pr->claim_ms = P2P_NEVER;
	if (strcmp(name, p->row.name) == 0)
		return;
	snprintf(pr->claim, sizeof(pr->claim), "%s", name);
	if (pr->pace_ms > c->env->now_ms)
		pr->claim_ms = pr->pace_ms;
	else
		believe(c, p);
}

void profile_heed(struct chat *c, struct chat_person *p)
{
	char name[MSG_NAME_MAX];

	snprintf(name, sizeof(name), "%s", p->profile.claim);
	if (p->connected)
		claim(c, p, name);
}

void profile_tick(struct chat *c)
{
	struct list *pos, *tmp;

	LIST_FOREACH(pos, tmp, &c->profiles)
		if (PERSON_OF(pos)->profile.claim_ms <= c->env->now_ms)
			believe(c, PERSON_OF(pos));
}

/* A name that is too long to be shown is cut between clusters, as in lines. */
static int read_name(const struct chat_net_msg *m, struct buf *name)
{
	struct profile_pb theirs;
	int err = profile_pb_read(&theirs, bytes_of(m->data, m->data_len));

	if (err == 0)
		(void)name_clean(theirs.name, name);
	return err;
}

static void refuse(struct chat *c, uint64_t pipe)
{
	c->refused_profiles++;
	tell_net(c, NET_MSG_PIPE_RESET, pipe);
}

static void took(struct chat *c, const struct chat_net_msg *m)
{
	struct net_msg *took =
		net_msg_new(NET_MSG_PIPE_TOOK, NULL, bytes_of(NULL, 0));

	took->pipe = m->pipe;
	took->count = m->data_len;
	out_net(c, took, NULL);
	tell_net(c, NET_MSG_PIPE_CLOSE, m->pipe);
}

static void hear(
	struct chat *c, struct chat_person *p, const struct chat_net_msg *m)
{
	struct buf name;

	buf_init(&name, TEXT_NAME_BYTES_MAX);
	/* One frame is a profile; of a second one nothing is believed. */
	if (p->profile.heard == m->pipe || read_name(m, &name) != 0) {
		refuse(c, m->pipe);
	} else {
		p->profile.heard = m->pipe;
		took(c, m);
		claim(c, p, buf_cstr(&name));
	}
	buf_clear(&name);
}

/* ---- pipes -------------------------------------------------------------- */

static void on_ours(
	struct chat *c, struct chat_person *p, const struct chat_net_msg *m)
{
	struct chat_profile *pr = &p->profile;

	if (pr->pipe != m->pipe)
		return;
	if (m->msg.kind == CHAT_MSG_PIPE_FRAME) {
		/* It is not asked anything. */
		refuse(c, m->pipe);
		on_failure(c, p);
	} else if (m->msg.kind == CHAT_MSG_PIPE_GONE) {
		/* Who has no use for it after all is not asked again. */
		if (m->state == 0 || m->state == P2P_ERR_NO_PROTOCOL)
			on_given(c, p);
		else
			on_failure(c, p);
	}
}

static void on_theirs(
	struct chat *c, struct chat_person *p, const struct chat_net_msg *m)
{
	struct chat_profile *pr = &p->profile;

	if (m->msg.kind == CHAT_MSG_PIPE_FRAME)
		hear(c, p, m);
	else if (m->msg.kind == CHAT_MSG_PIPE_GONE && pr->heard == m->pipe)
		pr->heard = 0;
	else if (m->msg.kind == CHAT_MSG_PIPE_END && pr->heard != m->pipe)
		tell_net(c, NET_MSG_PIPE_CLOSE, m->pipe);
}

void profile_pipe(struct chat *c, const struct chat_net_msg *m)
{
	struct chat_person *p = person_find(c, m->peer);
	bool ours = m->pipe >= MSG_PIPE_OURS;

	if (!ours && (m->text == NULL || strcmp(m->text, PROTOCOL) != 0))
		return;
	/* A peer may be gone before chat was told that it came. */
	if (p == NULL || !p->connected) {
		if (m->msg.kind == CHAT_MSG_PIPE_FRAME)
			refuse(c, m->pipe);
		return;
	}
	if (ours)
		on_ours(c, p, m);
	else
		on_theirs(c, p, m);
}

uint64_t profile_deadline(const struct chat *c)
{
	uint64_t first = P2P_NEVER;
	struct list *pos, *tmp;

	if (c->quitting)
		return first;
	LIST_FOREACH(pos, tmp, &c->profiles) {
		const struct chat_profile *pr = &PERSON_OF(pos)->profile;

		first = P2P_MIN(first, pr->claim_ms);
		/* Who waits for a place is served when one is free. */
		if (pr->pipe != 0 || c->profiles_out < CHAT_PROFILES_OUT_MAX)
			first = P2P_MIN(first, pr->due_ms);
	}
	return first;
}
