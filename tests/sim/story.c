/*
 * Stories: what people do, step by step, and what they see of it.
 */
#include <stdlib.h>

#include "tests/sim/sim.h"

struct host_cfg story_person(const char *name)
{
	return (struct host_cfg){
		.name = name,
		.yamux = true,
		.mplex = true,
		.early = true,
		.to_chat = MSG_QUEUE_TO_CHAT,
		.to_net = MSG_QUEUE_TO_NET,
		.to_ui = MSG_QUEUE_TO_UI,
		.from_ui = MSG_QUEUE_TO_CHAT_FROM_UI,
		.rooms = {"p2p-chat-default"},
	};
}

static struct host *person(struct sim *s, const char *name)
{
	struct host_cfg cfg = story_person(name);

	return host_add(s, &cfg);
}

bool story_pass(struct sim *s, uint64_t ms)
{
	return sim_run(s, s->now_us + ms * 1000);
}

static void cut(
	struct sim *s, const struct host *a, const struct host *b, bool cut)
{
	s->cut[a->index][b->index] = s->cut[b->index][a->index] = cut;
	if (!cut)
		wire_healed(s);
}

static bool must(struct sim *s, bool good, const char *what)
{
	if (!good)
		sim_fail(s, "%s", what);
	return good;
}

void story_hint(struct host *h, const struct host *other)
{
	struct node_event ev = {.kind = NODE_EV_LAN_PEER};
	struct maddr base;

	host_addr(other, &base);
	P2P_ASSERT(maddr_join_peer(
			   &ev.addr, &base, peer_id_bytes(&other->me.id)) == 0);
	host_step(h, &ev);
}

/* ---- three_meet_and_talk ----------------------------------------------- */

static bool three_meet_and_talk(struct sim *s)
{
	struct host *ann = person(s, "ann"), *bob = person(s, "bob");
	struct host *cem = person(s, "cem");

	host_start(ann);
	host_start(bob);
	if (!story_pass(s, 4000))
		return false;
	face_type(ann, "hello");
	if (!story_pass(s, 1000))
		return false;
	/* Whom he hears of first is not left to the dice. */
	s->hint_loss = 1;
	host_start(cem);
	story_hint(cem, bob);
	if (!story_pass(s, 2000))
		return false;
	story_hint(cem, ann);
	if (!story_pass(s, 2000))
		return false;
	face_type(cem, "me too");
	if (!story_pass(s, 1000))
		return false;
	face_type(bob, "/quit");
	return story_pass(s, 3000) &&
	       must(s, !bob->running, "bob's program has not ended");
}

static const char three_meet_and_talk_seen[] = "bob sees ann come\n"
					       "ann sees bob come\n"
					       "ann shows <you> hello\n"
					       "ann marks a line handed\n"
					       "bob shows <ann> hello\n"
					       "cem sees bob come\n"
					       "bob sees cem come\n"
					       "cem shows <ann> hello\n"
					       "ann sees cem come\n"
					       "cem sees ann come\n"
					       "cem shows <you> me too\n"
					       "cem marks a line handed\n"
					       "bob shows <cem> me too\n"
					       "ann shows <cem> me too\n"
					       "ann sees bob go\n"
					       "cem sees bob go\n";

/* ---- alone_then_company ------------------------------------------------ */

static bool alone_then_company(struct sim *s)
{
	struct host *ann = person(s, "ann"), *bob = person(s, "bob");

	host_start(ann);
	if (!story_pass(s, 1000))
		return false;
	face_type(ann, "is anybody there?");
	if (!story_pass(s, 1000))
		return false;
	/* Killed before anybody came: the line waits in the store. */
	host_kill(ann);
	if (!story_pass(s, 1000))
		return false;
	host_start(ann);
	if (!story_pass(s, 5000))
		return false;
	host_start(bob);
	return story_pass(s, 5000);
}

static const char alone_then_company_seen[] =
	"ann shows <you> is anybody there?\n"
	"ann sees bob come\n"
	"bob sees ann come\n"
	"ann marks a line handed\n"
	"bob shows <ann> is anybody there?\n";

/* ---- crash_loses_nothing_shown ----------------------------------------- */

#define CRASHES 10

/* What left with the power, within a travel and the line's own time, may be
 * lost on the way: its kernel says nothing again, and to its author it is
 * handed. A program that is killed leaves its words to its kernel. */
static bool went_with_power(
	const struct sim *s, const struct said *said, const uint64_t *off_us)
{
	for (int i = 0; i < CRASHES; i++)
		if (said->at_us <= off_us[i] &&
			off_us[i] <= said->at_us + s->latency_us + 200)
			return true;
	return false;
}

/* What reached the kernel of ann, who goes on, she shows. */
static bool ann_shows_all(struct sim *s, const struct host *ann,
	const struct host *bob, const uint64_t *off_us)
{
	struct table_entry *e, *tmp;

	TABLE_FOREACH(e, tmp, &bob->shown) {
		const struct said *said = table_get(&s->said, table_key(e));

		if (table_get(&ann->shown, table_key(e)) != NULL)
			continue;
		if (!must(s,
			    said != NULL && said->author == bob->index &&
				    went_with_power(s, said, off_us),
			    "ann has not shown all that bob has"))
			return false;
	}
	return true;
}

/* At any moment of a line's way, by turns with the power: the time of that,
 * or 0. */
static uint64_t crash(struct sim *s, struct host *h, bool power)
{
	if (!power) {
		host_kill(h);
		return 0;
	}
	host_power_off(h);
	return s->now_us;
}

/* check_store compares what was shown with the store at every start. */
static bool crash_loses_nothing_shown(struct sim *s)
{
	struct host *ann = person(s, "ann"), *bob = person(s, "bob");
	uint64_t off_us[CRASHES] = {0};

	host_start(ann);
	host_start(bob);
	if (!story_pass(s, 4000))
		return false;
	for (int i = 0; i < 4 * CRASHES; i++) {
		face_talk(ann, s->room[0]);
		if (!sim_run(s, s->now_us + sim_draw(s, 100, 20000)))
			return false;
		face_talk(bob, s->room[0]);
		if (i % 4 != 3)
			continue;
		if (!sim_run(s, s->now_us + sim_draw(s, 0, 3000)))
			return false;
		off_us[i / 4] = crash(s, bob, i % 8 == 7);
		if (!story_pass(s, 500))
			return false;
		host_start(bob);
		if (!story_pass(s, 15000))
			return false;
	}
	buf_reset(&s->story);
	(void)buf_appendf(
		&s->story, "ann has said %u, bob %u\n", ann->typed, bob->typed);
	check_store(ann);
	check_store(bob);
	return ann_shows_all(s, ann, bob, off_us) && !s->failed;
}

/* ---- two_dial_at_once_both_survive ------------------------------------- */

static const char two_dial_at_once_both_survive_seen[] =
	"ann sees bob come\n"
	"bob sees ann come\n"
	"ann shows <you> one\n"
	"ann marks a line handed\n"
	"bob shows <ann> one\n"
	"bob shows <you> two\n"
	"bob marks a line handed\n"
	"ann shows <bob> two\n"
	"ann shows <you> three\n"
	"ann marks a line handed\n"
	"bob shows <ann> three\n";

static bool two_dial_at_once_both_survive(struct sim *s)
{
	struct host *ann = person(s, "ann"), *bob = person(s, "bob");
	struct node_stats stats;

	s->latency_us = 100000; /* dials cross each other on the way */
	s->hint_loss = 1;
	host_start(ann);
	host_start(bob);
	story_hint(ann, bob);
	/* A little later, so that the dice do not say who sees whom first. */
	if (!story_pass(s, 50))
		return false;
	story_hint(bob, ann);
	if (!story_pass(s, 4000))
		return false;
	face_type(ann, "one");
	if (!story_pass(s, 1000))
		return false;
	face_type(bob, "two");
	if (!story_pass(s, 60000))
		return false;
	node_stats(ann->node, &stats);
	if (!must(s, stats.conn_count == 2 && stats.peer_count == 1,
		    "ann does not hold both connections"))
		return false;
	/* One of the two dies: nobody notices. */
	wire_reset(s, ann->index, bob->index);
	if (!story_pass(s, 3000))
		return false;
	face_type(ann, "three");
	return story_pass(s, 2000);
}

/* ---- partition_heals --------------------------------------------------- */

static const char partition_heals_seen[] = "ann sees bob come\n"
					   "bob sees ann come\n"
					   "bob sees ann go\n"
					   "ann sees bob go\n"
					   "15 seconds\n"
					   "ann shows <you> are you there?\n"
					   "ann sees bob come\n"
					   "bob sees ann come\n"
					   "ann marks a line handed\n"
					   "bob shows <ann> are you there?\n";

static bool partition_heals(struct sim *s)
{
	struct host *ann = person(s, "ann"), *bob = person(s, "bob");

	host_start(ann);
	host_start(bob);
	if (!story_pass(s, 4000))
		return false;
	cut(s, ann, bob, true);
	if (!story_pass(s, 15000))
		return false;
	(void)buf_append_str(&s->story, "15 seconds\n");
	/* Each is alone: what is said now waits. */
	face_type(ann, "are you there?");
	if (!story_pass(s, 5000))
		return false;
	cut(s, ann, bob, false);
	return story_pass(s, 30000);
}

/* ---- slow_reader_delays_only_itself ------------------------------------ */

static bool slow_reader_delays_only_itself(struct sim *s)
{
	struct host *ann = person(s, "ann"), *bob = person(s, "bob");
	struct host *cem = person(s, "cem");

	cem->cfg.to_chat = 8;
	host_start(ann);
	host_start(bob);
	host_start(cem);
	if (!story_pass(s, 5000))
		return false;
	host_stall_chat(cem, true);
	for (int i = 0; i < 200; i++) {
		face_talk(ann, s->room[0]);
		if (!story_pass(s, 20))
			return false;
	}
	if (!must(s, bob->live.count == 200 && cem->live.count == 0,
		    "a slow reader delays others"))
		return false;
	host_stall_chat(cem, false);
	if (!story_pass(s, 3000))
		return false;
	buf_reset(&s->story);
	(void)buf_appendf(&s->story, "bob has %zu, cem %zu\n", bob->live.count,
		cem->live.count);
	return !s->failed;
}

/* ---- flood_of_garbage -------------------------------------------------- */

static const char flood_of_garbage_seen[] = "ann sees bob come\n"
					    "bob sees ann come\n"
					    "bob shows <you> still there?\n"
					    "bob marks a line handed\n"
					    "ann shows <bob> still there?\n"
					    "ann shows <you> yes\n"
					    "ann marks a line handed\n"
					    "bob shows <ann> yes\n";

static bool flood_of_garbage(struct sim *s)
{
	struct host *ann = person(s, "ann"), *bob = person(s, "bob");
	struct node_stats stats;
	uint8_t raw[3000];

	host_start(ann);
	host_start(bob);
	if (!story_pass(s, 4000))
		return false;
	for (int i = 0; i < 1000; i++) {
		rng_fill(&s->rng, raw, sizeof(raw));
		if (i % 3 == 0)
			memcpy(raw, "\x13/multistream/1.0.0\n\x07/noise\n", 28);
		wire_attack(s, ann->index,
			bytes_of(raw, 1 + rng_below(&s->rng, sizeof(raw))));
		if (!story_pass(s, 10))
			return false;
		node_stats(ann->node, &stats);
		if (!must(s,
			    stats.conn_count <= 80 &&
				    ann->budget.used < 32 << 20,
			    "garbage holds more than it may"))
			return false;
	}
	face_type(bob, "still there?");
	if (!story_pass(s, 500))
		return false;
	face_type(ann, "yes");
	if (!story_pass(s, 10000))
		return false;
	node_stats(ann->node, &stats);
	return must(s, stats.conn_count <= 2, "garbage stays connected");
}

const struct story story_table[] = {
	{"three_meet_and_talk", three_meet_and_talk, three_meet_and_talk_seen},
	{"alone_then_company", alone_then_company, alone_then_company_seen},
	{"crash_loses_nothing_shown", crash_loses_nothing_shown,
		"ann has said 40, bob 40\n"},
	{"two_dial_at_once_both_survive", two_dial_at_once_both_survive,
		two_dial_at_once_both_survive_seen},
	{"partition_heals", partition_heals, partition_heals_seen},
	{"slow_reader_delays_only_itself", slow_reader_delays_only_itself,
		"bob has 200, cem 200\n"},
	{"laptop_sleeps", story_laptop_sleeps, "all talk\n"},
	{"address_changes", story_address_changes, "all talk\n"},
	{"interface_flaps", story_interface_flaps, "all talk\n"},
	{"px_of_a_contact", story_px_of_a_contact, "ann has called cem\n"},
	{"names_are_known", story_names_are_known,
		"all know annika, bob, cem\n"},
	{"clock_is_put_right", story_clock_is_put_right,
		"ann: 1 2 3 4 early\nbob: 1 2 3 4 early\n"},
	{"clock_stays_wrong", story_clock_stays_wrong,
		"ann: 1 2 3 4 5 6 7\nbob: 1 2 3 4 5 6 7\n"
		"cem: 1 2 3 4 5 6 7\n"},
	{"key_on_two_machines", story_key_on_two_machines,
		"ann: 1 2 3 4 5\nbob: 1 2 3 4 5\ntwin: 1 2 3 4 5\n"},
	{"carried_then_direct", story_carried_then_direct, "every line once\n"},
	{"carried_to_its_limit", story_carried_to_its_limit,
		"the way there stands\n"},
	{"flood_of_garbage", flood_of_garbage, flood_of_garbage_seen},
};
const size_t story_count = P2P_ARRAY_LEN(story_table);

/* ---- comparing ---------------------------------------------------------- */

#define STORY_LINES_MAX 64

/* The line ends at a newline or at the text's end. */
static bool starts_with_digit(const char *line)
{
	return *line >= '0' && *line <= '9';
}

static int compare_names(const char *a, const char *b)
{
	size_t n = strcspn(a, " \n"), m = strcspn(b, " \n");
	int order = memcmp(a, b, P2P_MIN(n, m));

	return order != 0 ? order : (n > m) - (n < m);
}

/*
 * The same story told person by person, since who of two sees a thing first is
 * up to the dice. A line that begins with a number parts what is before it from
 * what is after it.
 */
static void by_person(const char *story, struct buf *out)
{
	const char *line[STORY_LINES_MAX];
	size_t count = 0, from = 0;

	for (const char *at = story; *at != '\0'; at += strcspn(at, "\n") + 1) {
		size_t i = count++;

		P2P_ASSERT(i < STORY_LINES_MAX);
		if (starts_with_digit(at))
			from = count;
		else
			for (; i > from && compare_names(line[i - 1], at) > 0;
				i--)
				line[i] = line[i - 1];
		line[i] = at;
	}
	for (size_t i = 0; i < count; i++)
		(void)buf_append(
			out, bytes_of(line[i], strcspn(line[i], "\n") + 1));
}

static bool is_as_expected(struct sim *s, const struct story *story)
{
	struct buf seen, expected;
	bool same;

	buf_init(&seen, 1 << 20);
	buf_init(&expected, 1 << 20);
	by_person(buf_cstr(&s->story), &seen);
	by_person(story->expect, &expected);
	same = bytes_equal(buf_bytes(&seen), buf_bytes(&expected));
	if (!same)
		(void)printf("--- expected\n%s--- seen\n%s",
			buf_cstr(&expected), buf_cstr(&seen));
	buf_clear(&seen);
	buf_clear(&expected);
	return same;
}

bool scenario_run(struct sim *s)
{
	if (strcmp(s->scenario, "random") == 0)
		return random_run(s);
	for (size_t i = 0; i < story_count; i++) {
		const struct story *story = &story_table[i];

		if (strcmp(s->scenario, story->name) != 0)
			continue;
		if (!story->run(s))
			return false;
		if (s->until_us == 0 && !is_as_expected(s, story))
			sim_fail(s, "%s: people saw something else",
				story->name);
		return !s->failed;
	}
	sim_fail(s, "no such scenario");
	return false;
}
