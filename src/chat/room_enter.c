/*
 * Entering a room, leaving it, looking at it: what the person decides, and what
 * follows for the store, the ui and net.
 */
#include "chat/chat_internal.h"
#include "chat/out_internal.h"
#include "chat/person_internal.h"
#include "chat/profile_internal.h"
#include "chat/room_internal.h"
#include "chat/send_internal.h"

static int last_position(struct chat *c)
{
	struct list *pos, *tmp;
	int last = 0;

	LIST_FOREACH(pos, tmp, &c->rooms)
		if (ROOM_OF(pos)->row.joined)
			last = P2P_MAX(last, ROOM_OF(pos)->row.position);
	return last;
}

/* Who is there may know our name now; Go programs know of nobody who has not
 * said `join`. */
static void greet_members(struct chat *c, struct chat_room *r)
{
	struct table_entry *e, *tmp;

	TABLE_FOREACH(e, tmp, &r->members) {
		struct chat_person *p = e->value;

		profile_share_room(c, p);
		if (p->speaks == DIALECT_SEED_GO)
			send_join(c, r);
	}
}

int room_join(struct chat *c, struct chat_room *r)
{
	if (r->row.joined)
		return 0;
	if (room_is_control(c, r))
		return P2P_ERR_INVAL;
	if (c->joined_count >= CHAT_ROOMS_JOINED_MAX ||
		(r->row.id == 0 && !rooms_may_keep_one(c)))
		return P2P_ERR_LIMIT;
	r->row.position = last_position(c) + 1;
	r->row.joined = true;
	c->joined_count++;
	/* Behind the others, where its position puts it after a restart. */
	list_remove(&r->order);
	list_push_back(&c->rooms, &r->order);
	r->dirty = true;
	out_net(c, net_msg_new(NET_MSG_JOIN, r->row.topic, bytes_of(NULL, 0)),
		NULL);
	room_tell(c, r, true);
	room_tell_members(c, r);
	greet_members(c, r);
	send_offer_waiting(c, r);
	return 0;
}

void room_part(struct chat *c, struct chat_room *r)
{
	if (!r->row.joined)
		return;
	send_leave(c, r);
	r->row.joined = false;
	c->joined_count--;
	r->offering = false;
	r->dirty = true;
	out_net(c, net_msg_new(NET_MSG_LEAVE, r->row.topic, bytes_of(NULL, 0)),
		NULL);
	room_tell(c, r, true);
}

void room_focus(struct chat *c, struct chat_room *r)
{
	struct store_rows newest;

	if (c->focus != r && chat_saves(c) &&
		!chat_store_ok(c, store_set(c->store, "last_room",
					  bytes_str(r->row.topic))))
		return;
	c->focus = r;
	if (r->row.id == 0 || (r->row.unread == 0 && r->row.mentions == 0))
		return;
	if (!chat_store_ok(c, store_page(c->store, r->row.id, &store_key_last,
				      1, &newest)))
		return;
	if (newest.count > 0)
		room_read(c, r, &newest.items[0].key);
	store_rows_clear(&newest);
	/* Late lines stand before the mark and are read as well. */
	r->row.unread = 0;
	r->row.mentions = 0;
}

/* A mark in the far future would hide all lines until then: it is set to the
 * room's time, and lines dated beyond that are not counted. */
void room_read(struct chat *c, struct chat_room *r, const struct store_key *k)
{
	uint64_t limit = clock_latest_ms(c, r);
	struct store_key mark = *k;
	struct store_counts counts;

	if (mark.time_ms > limit) {
		mark = store_key_last;
		mark.time_ms = limit;
	}
	if (store_key_compare(&mark, &r->row.read) > 0)
		r->row.read = mark;
	if (r->row.id == 0 ||
		!chat_store_ok(c, store_count_after(c->store, r->row.id,
					  &r->row.read, limit, &counts)))
		return;
	r->row.unread = counts.unread;
	r->row.mentions = counts.mentions;
	r->dirty = true;
	r->ui_dirty = true;
}
