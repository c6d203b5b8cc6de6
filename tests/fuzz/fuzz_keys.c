/*
 * What a terminal may send, cut anywhere, as keys and pastes: a key is one of
 * those the model knows, a paste is within its bound, where the bytes are cut
 * changes nothing, and after a quiet time nothing is left over. 0xFF is quiet.
 */
#include <stdlib.h>

#include "base/text.h"
#include "ui/terminal/keys.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint64_t add(uint64_t hash, uint64_t v)
{
	return (hash ^ v) * 0x100000001b3u;
}

static uint64_t check(uint64_t hash, const struct terminal_event *ev)
{
	hash = add(hash, ev->kind);
	if (ev->kind == TERMINAL_EVENT_PASTE) {
		P2P_ASSERT(ev->paste.len <= TERMINAL_PASTE_BYTES_MAX);
		for (size_t i = 0; i < ev->paste.len; i++)
			hash = add(hash, ev->paste.data[i]);
		return hash;
	}
	P2P_ASSERT(ev->kind == TERMINAL_EVENT_KEY);
	P2P_ASSERT(ev->key.code <= UI_KEY_OTHER);
	P2P_ASSERT(ev->key.mods <= (UI_MOD_ALT | UI_MOD_CTRL));
	P2P_ASSERT(ev->key.code == UI_KEY_CHAR || ev->key.cp == 0);
	/* Controls are keys of their own, C1 begins a sequence. */
	P2P_ASSERT(ev->key.code != UI_KEY_CHAR || ev->key.cp >= 0x20);
	P2P_ASSERT(ev->key.cp < 0x7f || ev->key.cp > 0x9f);
	return add(add(add(hash, ev->key.code), ev->key.mods), ev->key.cp);
}

static uint64_t feed(struct keys *k, struct bytes in, uint64_t hash)
{
	struct terminal_event ev;

	while (in.len > 0) {
		size_t before = in.len;

		if (keys_next(k, &in, &ev))
			hash = check(hash, &ev);
		P2P_ASSERT(in.len < before || k->state == KEYS_IDLE);
	}
	return hash;
}

/* step: bytes that come at once. */
static uint64_t play(struct bytes all, size_t step)
{
	struct terminal_event ev;
	uint64_t hash = 0xcbf29ce484222325u;
	struct keys k;

	keys_init(&k);
	keys_learn(&k, "\033[25~", (struct ui_key){.code = UI_KEY_F8});
	keys_learn(&k, "\033A", (struct ui_key){.code = UI_KEY_UP});
	while (all.len > 0) {
		const uint8_t *mark = memchr(all.data, 0xff, all.len);
		size_t n = mark == NULL ? all.len : (size_t)(mark - all.data);

		if (n == 0) {
			if (keys_quiet(&k, &ev))
				hash = check(hash, &ev);
			P2P_ASSERT(keys_patience_ms(&k) == 0);
			all = bytes_skip(all, 1);
			continue;
		}
		n = P2P_MIN(n, step);
		hash = feed(&k, bytes_first(all, n), hash);
		all = bytes_skip(all, n);
	}
	keys_clear(&k);
	return hash;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes all = bytes_of(data, size);
	uint64_t whole = play(all, SIZE_MAX);

	P2P_ASSERT(play(all, 1) == whole);
	P2P_ASSERT(play(all, 3) == whole);
	return 0;
}
