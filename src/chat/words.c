/*
 * A name for who has none: two words drawn at random, never the login name,
 * which would be told to the whole network.
 */
#include "chat/words_internal.h"

#include <stdio.h>

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

void words_propose(struct rng *rng, char name[static MSG_NAME_MAX])
{
	uint64_t first = rng_below(rng, P2P_ARRAY_LEN(colours));
	uint64_t second = rng_below(rng, P2P_ARRAY_LEN(animals));

	snprintf(name, MSG_NAME_MAX, "%s-%s", colours[first], animals[second]);
}
