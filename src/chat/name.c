/*
 * Names: what a claimed one may be, and one for who has none: two words drawn
 * at random, never the login name, which would be told to the whole network.
 */
#include "chat/name_internal.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "chat/chat.h"

#define CP_REPLACEMENT 0xFFFDu
#define CP_ELLIPSIS 0x2026u
/* 24 columns of marks, each replaced by three bytes, and what text_clean may
 * leave of an emoji. */
#define SCRATCH_BYTES 512

/* ---- claims ------------------------------------------------------------ */

/* What looks like the character, if that is one of ASCII; else 0. */
static char ascii_of(struct bytes character)
{
	struct buf drawn;
	char c = 0;

	if (character.len == 1)
		return (char)character.data[0];
	buf_init(&drawn, TEXT_LOOK_IN_BYTES_MAX);
	text_skeleton(character, &drawn);
	/* Combining marks may follow: they do not make it another one. */
	if (drawn.len > 0 && drawn.data[0] < 0x80)
		c = (char)drawn.data[0];
	if (c == 0) {
		buf_reset(&drawn);
		text_nfkc(character, &drawn);
		if (drawn.len > 0 && drawn.data[0] < 0x80)
			c = (char)drawn.data[0];
	}
	buf_clear(&drawn);
	return c;
}

static bool is_refused(struct bytes character, uint32_t cp, bool first)
{
	char c = ascii_of(character);

	if (cp == CP_ELLIPSIS || c == '~')
		return true;
	return first && c != 0 && strchr("?!-*+><@.[#:=|/", c) != NULL;
}

static void replace_marks(struct bytes name, struct buf *out)
{
	bool first = true;
	size_t len;

	for (; name.len > 0; name = bytes_skip(name, len)) {
		uint32_t cp = utf8_decode(name, &len);

		if (is_refused(bytes_first(name, len), cp, first)) {
			utf8_encode(out, CP_REPLACEMENT);
			continue;
		}
		first = false;
		(void)buf_append(out, bytes_first(name, len));
	}
}

int name_clean(struct bytes claimed, struct buf *out)
{
	struct buf clean, replaced;
	int err;

	buf_init(&clean, TEXT_NAME_BYTES_MAX);
	buf_init(&replaced, SCRATCH_BYTES);
	err = text_clean(TEXT_NAME, claimed, &clean);
	if (err == 0) {
		replace_marks(buf_bytes(&clean), &replaced);
		err = text_clean(TEXT_NAME, buf_bytes(&replaced), out);
	}
	buf_clear(&clean);
	buf_clear(&replaced);
	return err;
}

static bool is_clean(const char *name)
{
	struct buf again;
	bool same;

	buf_init(&again, TEXT_NAME_BYTES_MAX);
	same = name_clean(bytes_str(name), &again) == 0 &&
	       strcmp(buf_cstr(&again), name) == 0;
	buf_clear(&again);
	return same;
}

bool name_is_odd(const char *name, const struct text_looks *looks)
{
	/* As they look: m is drawn as rn. */
	static const char *const words[] = {"you", "systern", "sornebody",
		"here", "elsewhere", "everybody", "nobody"};

	if (name[0] == '\0')
		return false;
	for (size_t i = 0; i < P2P_ARRAY_LEN(words); i++)
		if (strcmp(looks->small, words[i]) == 0 ||
			strcmp(looks->drawn, words[i]) == 0)
			return true;
	return looks->small[0] == '\0' ||
	       strstr(name, "\xEF\xBF\xBD") != NULL ||
	       text_mixes_scripts(bytes_str(name)) || !is_clean(name);
}

/* ---- proposing --------------------------------------------------------- */

static const char *const colours[] = {"amber", "ash", "azure", "birch",
	"bright", "bronze", "calm", "cedar", "clear", "cobalt", "copper",
	"coral", "crisp", "dawn", "deep", "dusk", "ember", "fern", "flint",
	"frost", "gentle", "golden", "green", "hazel", "indigo", "ivory",
	"jade", "keen", "lemon", "light", "lilac", "lunar", "maple", "mellow",
	"mint", "misty", "moss", "noble", "north", "ochre", "olive", "opal",
	"pearl", "plain", "plum", "quick", "quiet", "rapid", "ruby", "rusty",
	"sage", "sandy", "silent", "silver", "slate", "solar", "still", "stone",
	"sunny", "swift", "tidal", "velvet", "warm", "wild"};
static const char *const animals[] = {"badger", "bat", "bear", "beaver", "bee",
	"bison", "crane", "crow", "deer", "dove", "duck", "eagle", "egret",
	"elk", "falcon", "finch", "fox", "frog", "gecko", "goat", "goose",
	"hare", "hawk", "heron", "ibex", "ibis", "jay", "koala", "lark", "lion",
	"lizard", "llama", "lynx", "magpie", "marten", "mole", "moose", "moth",
	"mouse", "newt", "orca", "otter", "owl", "panda", "pigeon", "pony",
	"puffin", "quail", "rabbit", "raven", "robin", "salmon", "seal",
	"shrew", "stork", "swan", "tapir", "tern", "tiger", "toad", "trout",
	"whale", "wolf", "wren"};

int chat_check_name(const char *wanted)
{
	struct text_looks looks;
	struct buf clean;
	int err = utf8_valid(bytes_str(wanted)) && strlen(wanted) < MSG_NAME_MAX
			  ? 0
			  : P2P_ERR_INVAL;

	buf_init(&clean, TEXT_NAME_BYTES_MAX);
	if (err == 0)
		err = name_clean(bytes_str(wanted), &clean);
	text_looks_of(buf_bytes(&clean), &looks);
	if (err == 0 &&
		(clean.len == 0 || name_is_odd(buf_cstr(&clean), &looks)))
		err = P2P_ERR_INVAL;
	buf_clear(&clean);
	return err;
}

void name_propose(struct rng *rng, char name[static MSG_NAME_MAX])
{
	uint64_t first = rng_below(rng, P2P_ARRAY_LEN(colours));
	uint64_t second = rng_below(rng, P2P_ARRAY_LEN(animals));

	snprintf(name, MSG_NAME_MAX, "%s-%s", colours[first], animals[second]);
}
