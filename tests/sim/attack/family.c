/*
 * The nine attack families of the GossipSub evaluation report (Vyzovitis,
 * Napora, McCormick, Dias, Psaras: PL-TechRep-2020-001, sections 7 to 15), as
 * they fit a chat, and one of our own: those who break no rule and lie. Before
 * them shapes of rooms without hostile hosts, for what a line costs.
 */
#include "tests/sim/attack/attack.h"

/* Meshes need about this long to settle. */
#define WARM_S 30
/* So long those who know one address alone have to find each other. */
#define STAR_S 60
/* And those that grow from one host, by PX and with back-offs, so long. */
#define CALM_S 150

const struct family family_table[] = {
	{.name = "none", .text = "no hostile host", .attack_from_s = WARM_S},
	{.name = "star",
		.text = "no hostile host; all are told of one",
		.attack_from_s = STAR_S,
		.star = true},
	{.name = "crowd",
		.text = "no hostile host; everybody knows everybody",
		.attack_from_s = CALM_S,
		.crowd = true},
	{.name = "open-star",
		.text = "no hostile host; all know one, who speaks",
		.attack_from_s = CALM_S,
		.hubs = 1},
	{.name = "closed-star",
		.text = "the same, and nobody else can be dialled",
		.attack_from_s = CALM_S,
		.hubs = 1,
		.closed = true},
	{.name = "closed-twins",
		.text = "the same with two whom all know",
		.attack_from_s = CALM_S,
		.hubs = 2,
		.closed = true},
	{.name = "eclipse-one",
		.text = "all hostile hosts surround one",
		.targets = TARGET_ONE,
		.hostile_from_s = WARM_S,
		.attack_from_s = WARM_S},
	{.name = "eclipse-all",
		.text = "hostile hosts surround everybody",
		.targets = TARGET_ALL,
		.hostile_from_s = WARM_S,
		.attack_from_s = WARM_S},
	{.name = "eclipse-publishers",
		.text = "hostile hosts surround those who speak",
		.targets = TARGET_PUBLISHERS,
		.hostile_from_s = WARM_S,
		.attack_from_s = WARM_S},
	{.name = "censor",
		.text = "all is forwarded but the lines of one",
		.targets = TARGET_ALL,
		.policy = POLICY_CENSOR,
		.liars = true,
		.hostile_from_s = WARM_S,
		.attack_from_s = WARM_S},
	{.name = "degradation",
		.text = "a quarter is forwarded, late; broken promises",
		.targets = TARGET_ALL,
		.policy = POLICY_DEGRADE,
		.liars = true,
		.hostile_from_s = WARM_S,
		.attack_from_s = WARM_S},
	{.name = "cold-boot",
		.text = "both start at the same moment",
		.targets = TARGET_ALL,
		.liars = true,
		.mixed_book = true},
	{.name = "covert-flash",
		.text = "good for two minutes, then silent at once",
		.targets = TARGET_ALL,
		.attack_from_s = 120,
		.mixed_book = true},
	{.name = "attack-at-dawn",
		.text = "hostile hosts wait for the first to come",
		.targets = TARGET_ALL,
		.honest_from_s = 20,
		.attack_from_s = 20,
		.mixed_book = true},
	{.name = "ip-colocation",
		.text = "hostile hosts share eight addresses",
		.targets = TARGET_ALL,
		.hostile_from_s = WARM_S,
		.attack_from_s = WARM_S,
		.addresses = 8},
	{.name = "polite-liars",
		.text = "a quarter is forwarded, all else named and withheld",
		.targets = TARGET_ALL,
		.policy = POLICY_SOME,
		.liars = true,
		.mixed_book = true},
};
const size_t family_count = P2P_ARRAY_LEN(family_table);

const struct family *family_find(const char *name)
{
	for (size_t i = 0; i < family_count; i++)
		if (strcmp(family_table[i].name, name) == 0)
			return &family_table[i];
	return NULL;
}
