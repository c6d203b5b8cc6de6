/*
 * The deterministic simulator (docs/internals/tests-sim.md): one thread, a heap
 * of timed events ordered by (time, sequence), one seed. Each host runs the
 * real node, chat, store and ui model by their turns; only sockets, threads
 * and the terminal are absent. The same seed gives the same run, byte for
 * byte: the trace hash of two runs is equal.
 *
 *   main.c    the command line       story.c   stories: steps, expected text
 *   test_sim.c  seeds and stories    random.c  a world drawn from a seed
 *   run.c     one world from seed to verdict
 *   world.c   time, events, trace    host.c    a host: threads' turns, life
 *   wire.c    TCP between hosts      lan.c     who hears of whom by mDNS
 *   face.c    the person             check.c   what must hold
 *
 * Times of the world are microseconds since its start.
 */
#ifndef TESTS_SIM_SIM_H
#define TESTS_SIM_SIM_H

#include <stdio.h>

#include "base/budget.h"
#include "base/bufq.h"
#include "base/table.h"
#include "chat/chat.h"
#include "msg/net_msg.h"
#include "msg/ui_msg.h"
#include "net/node/node.h"
#include "net/unit/unit.h"
#include "ui/model/ui_state.h"

#define SIM_HOSTS_MAX 12
#define SIM_ROOMS_MAX 4
#define SIM_TRACE_LINES 400
#define SIM_S 1000000ULL
#define SIM_MS 1000ULL
#define SIM_PORT 4001

struct sim;
struct host;

/* ---- events (world.c) -------------------------------------------------- */

struct sim_event {
	uint64_t at_us;
	uint64_t seq;
	const char *name;
	void (*fn)(struct sim *s, const struct sim_event *ev);
	int host;     /* -1: the world's own */
	unsigned gen; /* of the host; another one: the event is forgotten */
	uint64_t a, b;
};

/* ---- TCP (wire.c) ------------------------------------------------------ */

/* Bytes from one end to the other. */
struct tcp_lane {
	struct bufq flight; /* taken from the sender, not delivered */
	uint64_t free_us;   /* the sender's line is busy until then */
	uint64_t last_us;   /* order is kept: nothing arrives earlier */
	size_t stalled;     /* bytes that found no way */
	bool fin_stalled;
};

struct tcp_end {
	int host;     /* -1: somebody who is no node */
	unsigned gen; /* of the host's machine */
	uint64_t conn;
	bool attached; /* the node knows it under conn */
	bool open;     /* the kernel holds it */
	bool dialing;
	bool reading;
	bool close_after_write;
	struct bufq chunk; /* what libuv holds for a full kernel */
	struct bufq rx;    /* delivered, not read */
	bool rx_fin;
	struct tcp_lane tx;
};

struct tcp {
	uint64_t id;
	struct tcp_end end[2]; /* [0] dialled */
	bool accepted;
	uint64_t down_since_us; /* NEVER: there is a way */
};

/* ---- one host (host.c, face.c) ----------------------------------------- */

struct host_cfg {
	const char *name;
	int lan; /* which LAN it is on */
	bool yamux, mplex, early;
	uint64_t ping_interval_ms;
	int64_t skew_ms; /* of its wall clock; INT64_MIN: it stands in 1970 */
	size_t to_chat, to_net, to_ui, from_ui; /* mailbox sizes */
	uint64_t ui_delay_us;                   /* the face's own pace */
	const char *rooms[SIM_ROOMS_MAX + 1];   /* NULL-terminated */
	const char *connect; /* an address dialled at the start, or NULL */
	const struct service_ops *const
		*services; /* besides its own, or NULL */
};

/* What one run of the program has shown and asked. */
struct host {
	struct host_cfg cfg;
	int index;
	struct sim *sim;
	struct identity me;
	char peer[PEER_ID_TEXT_MAX];
	struct rng rng;
	bool machine; /* has power */
	bool running; /* the program runs */
	bool asleep;
	bool cable; /* plugged in */
	unsigned machine_gen, gen;
	uint32_t ip;
	uint64_t boot_ms;
	bool started_before;
	struct buf image; /* the store between runs */

	struct log log;
	struct env env;
	struct budget budget;
	struct node *node;
	struct chat *chat;
	struct store *store;
	struct ui *ui;
	struct mailbox *to_ui, *from_ui, *from_net, *to_net;
	struct table carriers; /* conn -> struct tcp */
	struct list checking;  /* batches of units out of the node */
	bool in_actions;
	bool chat_drained; /* chat took from a queue that had refused */
	bool net_stopped;
	bool chat_ended;
	uint64_t tick_seq, chat_seq, ui_seq; /* the timers that count */
	uint64_t tick_at_us, chat_at_us, ui_at_us;
	bool net_woken, chat_woken, ui_woken;
	bool chat_stalled, ui_stalled;
	uint64_t busy_at_us; /* ticks that led to nothing at this moment */
	unsigned busy_ticks;
	bool acted;
	bool advertised;

	/* The person. */
	unsigned typed;
	bool enter_due;
	struct table live;          /* unit id -> shown live in this run */
	struct table shown;         /* unit id -> shown in any run */
	bool joined[SIM_ROOMS_MAX]; /* the node is subscribed */
	bool up[SIM_HOSTS_MAX];     /* chat was told of the peer */
	bool told[SIM_HOSTS_MAX][SIM_ROOMS_MAX]; /* and of its topics */
};

/* ---- checkers (check.c) ------------------------------------------------ */

/* A line somebody has said. */
struct said {
	uint8_t id[UNIT_ID_BYTES];
	int author;
	int room;
	uint64_t at_us; /* published last */
	uint8_t *unit;
	size_t unit_len;
	bool watched;
	/* links[i] has bit j: both members of the room, linked ever since */
	uint16_t links[SIM_HOSTS_MAX];
	struct list order;
};

struct sim {
	uint64_t seed;
	const char *scenario;
	uint64_t now_us;
	uint64_t until_us;
	uint64_t next_seq;
	uint64_t events;
	uint64_t hash;
	struct rng rng;
	struct sim_event *heap;
	size_t heap_count, heap_cap;
	struct host host[SIM_HOSTS_MAX];
	int host_count;
	const char *room[SIM_ROOMS_MAX];
	int room_count;

	struct table tcps; /* id -> struct tcp */
	uint64_t next_tcp;
	bool cut[SIM_HOSTS_MAX][SIM_HOSTS_MAX]; /* black holes */
	uint64_t stall_us[SIM_HOSTS_MAX][SIM_HOSTS_MAX];
	uint64_t latency_us, jitter_us;
	uint64_t bytes_per_s;
	size_t window_bytes;
	unsigned hint_loss; /* one in so many hints is lost; 0: none */

	struct table said; /* unit id -> struct said */
	struct list said_order;
	uint64_t said_count, shown_count, verified_count;
	uint64_t owed_count; /* lines that somebody linked had to get */
	uint64_t dropped;    /* out_dropped of programs that ended */
	uint64_t unwatched;

	bool failed;
	char why[512];
	bool trace; /* to stdout as it happens */
	char *lines[SIM_TRACE_LINES];
	size_t line_count;
	struct buf story; /* what people saw, for stories */
};

/* ---- world.c ----------------------------------------------------------- */

void sim_init(struct sim *s, uint64_t seed, const char *scenario);
void sim_clear(struct sim *s);
/* Runs events until the time; false when something failed. */
bool sim_run(struct sim *s, uint64_t until_us);
/* Time and order of `ev` are set here; host -1: the world's own event.
 * Returns its sequence number. */
uint64_t sim_at(struct sim *s, uint64_t at_us, struct sim_event ev);
/* A line of the trace, which is also part of the hash. */
void sim_trace(struct sim *s, int host, const char *fmt, ...) P2P_PRINTF(3, 4);
/* The first failure is kept; the run ends. */
void sim_fail(struct sim *s, const char *fmt, ...) P2P_PRINTF(2, 3);
void sim_hash(struct sim *s, const void *data, size_t len);
uint64_t sim_draw(struct sim *s, uint64_t low, uint64_t high);
int sim_room(const struct sim *s, const char *topic);

/* ---- host.c ------------------------------------------------------------ */

/* A machine that is on; its program does not run yet. */
struct host *host_add(struct sim *s, const struct host_cfg *cfg);
/* Powers the machine when it is off, and starts the program. */
void host_start(struct host *h);
/* The program ends at once: kill -9, its kernel closes what it held. */
void host_kill(struct host *h);
/* The machine ends at once: nobody is told. */
void host_power_off(struct host *h);
void host_clear(struct host *h);
uint64_t host_now_ms(const struct host *h);
void host_set_time(struct host *h);
void host_step(struct host *h, struct node_event *ev);
void host_listening(struct host *h);
void host_wake_chat(void *arg);
void host_wake_net(void *arg);
void host_wake_ui(void *arg);
/* The chat thread (the face) does nothing until told otherwise. */
void host_stall_chat(struct host *h, bool stall);
void host_stall_ui(struct host *h, bool stall);
void host_sleep(struct host *h, bool asleep);
/* Cable out or in; a new address when it comes back with `moved`. */
void host_cable(struct host *h, bool in, bool moved);
void host_addr(const struct host *h, struct maddr *a);

/* ---- face.c ------------------------------------------------------------ */

/* The face takes what chat has told it. */
void face_turn(struct sim *s, const struct sim_event *ev);
/* Types and presses Enter, in the room that is shown. */
void face_type(struct host *h, const char *text);
/* Shows the room by its Alt key; false when it is not there. */
bool face_show(struct host *h, const char *topic);
/* The next line of talk in a room: "NAME says N". */
void face_talk(struct host *h, const char *topic);

/* ---- wire.c ------------------------------------------------------------ */

/* The verbs of net/loop/carrier.c. */
void wire_dial(struct host *h, uint64_t conn, const struct maddr *addr);
/* Writes what the node has for the connection. */
void wire_flush(struct host *h, uint64_t conn);
/* Stops or resumes reading. */
void wire_pause(struct host *h, uint64_t conn, bool pause);
/* What was written still arrives. */
void wire_close(struct host *h, uint64_t conn);
/* The program is gone: `fin` says whether the kernel tells the others. */
void wire_drop_all(struct host *h, bool fin);
/* Somebody connects and sends these bytes, whatever they are. */
void wire_attack(struct sim *s, int target, struct bytes raw);
bool wire_way(const struct sim *s, int a, int b);
/* Ways were opened: what waits goes on after a while. */
void wire_healed(struct sim *s);
/* A connection between the two is reset by something in between. */
void wire_reset(struct sim *s, int a, int b);

/* ---- lan.c ------------------------------------------------------------- */

/* Its records are announced, and it asks for others'. */
void lan_advertise(struct host *h);
void lan_refresh(struct host *h);

/* ---- check.c ----------------------------------------------------------- */

/* What chat asks of net: lines are watched from here on. */
void check_published(struct host *h, const struct net_msg *m);
/* What net tells chat: who is linked with whom. */
void check_told(struct host *h, const struct chat_net_msg *m);
/* What the face is told to show. */
void check_line(struct host *h, const struct ui_msg *m);
/* After every step of a node. */
void check_step(struct host *h);
/* After every tick: it has led to something. */
void check_tick(struct host *h);
/* After every turn of the face: the order on the screen. */
void check_ui(struct host *h);
/* On the screen of the one the other has the name that he shows as his own. */
void check_name(struct host *h, const struct host *other);
/* Something was cut between two hosts: lines under way may be lost. */
void check_broken(struct sim *s, int a, int b);
void check_host_gone(struct host *h);
/* After a start: everything shown before is in the store. */
void check_store(struct host *h);
/* After heal and quiet: whoever can see each other does, and knows the name;
 * lines are handed. */
void check_quiet(struct sim *s);

/* ---- random.c, story.c ------------------------------------------------- */

/* Both return true when all was well; s->why says what was not. */
bool random_run(struct sim *s);
struct story {
	const char *name;
	bool (*run)(struct sim *s);
	const char *expect;
};
extern const struct story story_table[];
/* story_heal.c: nobody starts anything again, and all talk in the end. */
bool story_laptop_sleeps(struct sim *s);
bool story_address_changes(struct sim *s);
bool story_interface_flaps(struct sim *s);
/* story_names.c */
bool story_names_are_known(struct sim *s);
/* story_clocks.c */
bool story_clock_is_put_right(struct sim *s);
bool story_clock_stays_wrong(struct sim *s);
bool story_key_on_two_machines(struct sim *s);
/* story_px.c */
bool story_px_of_a_contact(struct sim *s);
/* story_carried.c */
bool story_carried_then_direct(struct sim *s);
bool story_carried_to_its_limit(struct sim *s);
extern const size_t story_count;
/* By name: "random" or a story. False also when there is no such. */
bool scenario_run(struct sim *s);

/* ---- run.c ------------------------------------------------------------- */

struct play {
	uint64_t seed;
	uint64_t until_ms; /* 0: to the end */
	const char *scenario;
	bool trace;
	bool figures; /* a line of them at the end */
};

/* One world from its beginning to its end; what failed is printed with the
 * last of its trace and the command that repeats it. */
bool sim_play(const struct play *p, uint64_t *hash);

/* ---- what stories share ------------------------------------------------ */

/* A program as people have it, in the lobby. */
struct host_cfg story_person(const char *name);
/* Time passes; false when the run has failed. */
bool story_pass(struct sim *s, uint64_t ms);
/* `h` is told where the other is, as by the LAN. */
void story_hint(struct host *h, const struct host *other);

#endif
