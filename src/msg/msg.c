/*
 * Making and freeing the words that threads say to each other. Each owns its
 * strings, and counts them in msg.bytes, by which mailboxes are bounded: a
 * string that is added later must be counted by hand.
 */
#include <stdlib.h>

#include "base/xmalloc.h"
#include "msg/chat_msg.h"
#include "msg/net_msg.h"
#include "msg/ui_msg.h"

static char *copy_or_null(const char *text)
{
	return text == NULL ? NULL : xstrdup(text);
}

static size_t length_of(const char *text)
{
	return text == NULL ? 0 : strlen(text);
}

static void net_msg_free(struct msg *m)
{
	struct net_msg *nm = net_msg_of(m);

	free(nm->text);
	free(nm->data);
	free(nm);
}

struct net_msg *net_msg_new(
	enum net_msg_kind kind, const char *text, struct bytes data)
{
	struct net_msg *nm = xcalloc(1, sizeof(*nm));

	nm->text = copy_or_null(text);
	nm->data = data.len == 0 ? NULL : xmemdup(data.data, data.len);
	nm->data_len = data.len;
	nm->msg = (struct msg){
		.free = net_msg_free,
		.kind = (int)kind,
		.bytes = sizeof(*nm) + length_of(text) + data.len,
	};
	return nm;
}

static void chat_ui_msg_free(struct msg *m)
{
	struct chat_ui_msg *cm = chat_ui_msg_of(m);

	free(cm->room);
	free(cm->text);
	free(cm);
}

struct chat_ui_msg *chat_ui_msg_new(
	enum chat_msg_kind kind, const char *room, const char *text)
{
	struct chat_ui_msg *cm = xcalloc(1, sizeof(*cm));

	P2P_ASSERT(kind < CHAT_MSG_FROM_NET);
	cm->room = copy_or_null(room);
	cm->text = copy_or_null(text);
	cm->msg = (struct msg){
		.free = chat_ui_msg_free,
		.kind = (int)kind,
		.bytes = sizeof(*cm) + length_of(room) + length_of(text),
	};
	return cm;
}

static void chat_net_msg_free(struct msg *m)
{
	struct chat_net_msg *cm = chat_net_msg_of(m);

	free(cm->text);
	free(cm->agent);
	free(cm->protocols);
	free(cm->data);
	free(cm);
}

struct chat_net_msg *chat_net_msg_new(
	enum chat_msg_kind kind, const char *text, struct bytes data)
{
	struct chat_net_msg *cm = xcalloc(1, sizeof(*cm));

	P2P_ASSERT(kind >= CHAT_MSG_FROM_NET);
	cm->text = copy_or_null(text);
	cm->data = data.len == 0 ? NULL : xmemdup(data.data, data.len);
	cm->data_len = data.len;
	cm->msg = (struct msg){.free = chat_net_msg_free, .kind = (int)kind};
	chat_net_msg_charge(cm);
	return cm;
}

void chat_net_msg_charge(struct chat_net_msg *m)
{
	m->msg.bytes = sizeof(*m) + length_of(m->text) + length_of(m->agent) +
		       length_of(m->protocols) + m->data_len;
}

static void ui_person_clear(struct ui_person *p)
{
	free(p->address);
	free(p->agent);
	free(p->protocols);
	free(p->rooms);
}

static void ui_msg_free(struct msg *m)
{
	struct ui_msg *um = ui_msg_of(m);

	free(um->room);
	free(um->title);
	free(um->text);
	free(um->code);
	free(um->figures);
	free(um->line.text);
	ui_person_clear(&um->person);
	for (size_t i = 0; i < um->people_count; i++)
		ui_person_clear(&um->people[i]);
	free(um->people);
	free(um->addresses);
	free(um);
}

static size_t person_bytes(const struct ui_person *p)
{
	return sizeof(*p) + length_of(p->address) + length_of(p->agent) +
	       length_of(p->protocols) + length_of(p->rooms);
}

void ui_msg_charge_peers(struct ui_msg *m)
{
	m->msg.bytes += person_bytes(&m->person) +
			m->address_count * sizeof(m->addresses[0]);
	for (size_t i = 0; i < m->people_count; i++)
		m->msg.bytes += person_bytes(&m->people[i]);
}

struct ui_msg *ui_msg_new(
	enum ui_msg_kind kind, const char *room, const char *text)
{
	struct ui_msg *um = xcalloc(1, sizeof(*um));

	um->room = copy_or_null(room);
	um->text = copy_or_null(text);
	um->msg = (struct msg){
		.free = ui_msg_free,
		.kind = (int)kind,
		.bytes = sizeof(*um) + length_of(room) + length_of(text),
	};
	return um;
}
