/*
 * What ncurses may read, in any order, as keys and pastes: a paste is valid
 * UTF-8 within its bound, a key is one of those the model knows.
 */
#include <stdlib.h>

#include "base/text.h"
#include "ui/terminal/keys.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void feed(struct keys *k, enum keys_input input, uint32_t value)
{
	struct terminal_event ev = {.kind = TERMINAL_EVENT_NONE};

	if (!keys_feed(k, input, value, &ev))
		return;
	if (ev.kind == TERMINAL_EVENT_PASTE) {
		P2P_ASSERT(utf8_valid(ev.paste));
		P2P_ASSERT(ev.paste.len <= TERMINAL_PASTE_BYTES_MAX);
	} else {
		P2P_ASSERT(ev.kind == TERMINAL_EVENT_KEY);
		P2P_ASSERT(ev.key.code <= UI_KEY_OTHER);
		P2P_ASSERT(ev.key.mods <= (UI_MOD_ALT | UI_MOD_CTRL));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct keys k;

	keys_init(&k);
	for (size_t i = 0; i + 3 < size; i += 4) {
		uint32_t value = (uint32_t)data[i + 1] << 16 |
				 (uint32_t)data[i + 2] << 8 | data[i + 3];

		switch (data[i] % 8) {
		case 0:
			feed(&k, KEYS_NOTHING, 0);
			break;
		case 1:
			feed(&k, KEYS_CODE, value);
			break;
		case 2:
			feed(&k, KEYS_CODE, KEYS_OWN + value % 200);
			break;
		case 3:
			feed(&k, KEYS_CHARACTER, value % 0x80);
			break;
		default:
			feed(&k, KEYS_CHARACTER, value);
		}
	}
	keys_clear(&k);
	return 0;
}
