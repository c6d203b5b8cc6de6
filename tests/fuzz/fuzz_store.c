/*
 * A damaged database: a good one with bytes changed, three bytes of place and
 * one of value each. It opens or is refused, and every verb answers.
 */
#include <stdlib.h>

#include "base/buf.h"
#include "store/store.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define IMAGE_MAX ((size_t)1 << 20)

static void fill(struct store *s)
{
	struct store_room room = {.topic = "lobby", .joined = true};
	struct store_person person = {.peer = "12D3", .name = "mali"};
	struct store_address address = {.peer = "12D3", .addr = "/ip4/1"};
	struct store_message m = {.unit = bytes_str("a signed unit")};
	bool is_new;

	P2P_ASSERT(store_put_room(s, &room) == 0);
	P2P_ASSERT(store_put_person(s, &person) == 0);
	P2P_ASSERT(store_put_address(s, &address) == 0);
	P2P_ASSERT(store_set(s, "name", bytes_str("ann")) == 0);
	m.room = room.id;
	m.author = person.id;
	for (uint8_t i = 0; i < 100; i++) {
		m.key.time_ms = i;
		m.key.id[0] = i;
		m.state = i % 10 == 0 ? STORE_STATE_WAITING : STORE_STATE_NONE;
		P2P_ASSERT(store_insert(s, &m, &is_new) == 0 && is_new);
	}
	P2P_ASSERT(store_commit(s) == 0);
}

/* Whatever they answer, they end and hand out nothing they do not own. */
static void use(struct store *s)
{
	struct store_message m = {.room = 1, .unit = bytes_str("x")};
	struct store_room *rooms = NULL;
	struct store_person *people = NULL;
	struct store_counts counts;
	struct store_rows rows;
	size_t count;
	bool is_new;
	int err;

	if (store_load_rooms(s, &rooms, &count) == 0)
		free(rooms);
	if (store_load_people(s, 100, &people, &count) == 0)
		free(people);
	if (store_page(s, 1, &store_key_last, 100, &rows) == 0)
		store_rows_clear(&rows);
	if (store_waiting(s, 1, &store_key_first, 100, &rows) == 0)
		store_rows_clear(&rows);
	if (store_arrivals(s, 0, 100, &rows) == 0)
		store_rows_clear(&rows);
	err = store_count_after(s, 1, &store_key_first, 1000, &counts);
	P2P_ASSERT(err != 0 || counts.mentions <= STORE_COUNT_MAX ||
		   counts.unread <= STORE_COUNT_MAX);
	err = store_insert(s, &m, &is_new);
	if (err == 0)
		err = store_commit(s);
	if (err != 0)
		store_rollback(s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct buf good;
	uint8_t *bad;
	struct store *s;

	if (good.data == NULL) {
		buf_init(&good, IMAGE_MAX);
		P2P_ASSERT(store_open_memory(&s, bytes_of(NULL, 0), NULL) == 0);
		fill(s);
		P2P_ASSERT(store_save_image(s, &good) == 0);
		store_close(s);
	}
	bad = malloc(good.len);
	if (bad == NULL)
		return 0;
	memcpy(bad, good.data, good.len);
	for (size_t i = 0; i + 4 <= size; i += 4) {
		size_t at = (size_t)data[i] << 16 | (size_t)data[i + 1] << 8 |
			    data[i + 2];

		bad[at % good.len] = data[i + 3];
	}
	if (store_open_memory(&s, bytes_of(bad, good.len), NULL) == 0) {
		use(s);
		store_close(s);
	}
	free(bad);
	return 0;
}
