/*
 * Steps that break the rules of yamux and of the protocols on its streams.
 */
#include <stdio.h>
#include <string.h>

#include "tests/program/hostile.h"

void do_streams(struct foe *f)
{
	for (int i = 0; i < 100; i++) {
		frame(f, YAMUX_DATA, YAMUX_SYN, f->next_stream, 0);
		f->next_stream += 2;
	}
}

void do_churn(struct foe *f)
{
	for (int i = 0; i < 100; i++) {
		frame(f, YAMUX_DATA, YAMUX_SYN, f->next_stream, 0);
		frame(f, YAMUX_DATA, YAMUX_RST, f->next_stream, 0);
		f->next_stream += 2;
	}
}

/* Of one kind, without end. */
void do_frames(struct foe *f)
{
	bool of_stream = attack->type == YAMUX_WINDOW;

	for (int i = 0; i < 100; i++)
		frame(f, attack->type, attack->flags,
			of_stream ? f->next_stream + 2000 : 0,
			(uint32_t)f->count++);
}

void do_window(struct foe *f)
{
	uint32_t id = propose(f, PING);

	for (int i = 0; i < 100; i++)
		frame(f, YAMUX_WINDOW, 0, id, UINT32_MAX);
}

void do_overrun(struct foe *f)
{
	static const uint8_t much[65536];
	uint32_t id = propose(f, MESHSUB);

	for (int i = 0; i < 8; i++)
		data(f, 0, id, bytes_of(much, sizeof(much)));
}

void do_bad_frames(struct foe *f)
{
	uint8_t raw[64];

	rng_fill(&rng, raw, sizeof(raw));
	(void)buf_append(&f->frames, bytes_of(raw, sizeof(raw)));
}

void do_identify_asks(struct foe *f)
{
	for (int i = 0; i < 10; i++)
		(void)propose(f, IDENTIFY);
}

void do_ping_streams(struct foe *f)
{
	static const uint8_t much[4096];
	uint32_t id = propose(f, PING);

	for (int i = 0; i < 16; i++)
		data(f, 0, id, bytes_of(much, sizeof(much)));
}

void do_junk_names(struct foe *f)
{
	uint32_t id = propose(f, "\x0c/no/such/1.0\n");

	for (int i = 0; i < 200; i++)
		data(f, 0, id, bytes_str("\x0c/no/such/1.0\n"));
}

/* A new name each time, as fast as it can. */
void do_profiles(struct foe *f)
{
	char name[16];

	for (int i = 0; i < 10; i++) {
		uint32_t id = propose(f, PROFILE);

		snprintf(name, sizeof(name), "\x08\x0a\x06%06llu",
			(unsigned long long)f->count++ % 1000000);
		data(f, YAMUX_FIN, id, bytes_str(name));
	}
}
