/*
 * Any bytes as a config file: taken, or refused with one of its lines. Each
 * line stands for itself, so blanks in front of all of them and a comment
 * between any two, of whatever length, change nothing.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/exit_status.h"
#include "app/options.h"
#include "base/buf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static unsigned lines_of(struct bytes in)
{
	unsigned count = in.len > 0 && in.data[in.len - 1] != '\n';

	for (size_t i = 0; i < in.len; i++)
		count += in.data[i] == '\n';
	return count;
}

/* The number of the line that was refused; 0: none. */
static unsigned read_it(struct options *o, struct bytes in)
{
	char error[OPTIONS_ERROR_MAX] = "";
	unsigned line = 0;
	char *end;
	int status;

	*o = (struct options){.help = false};
	status = config_text_read(o, in, "file", error);
	if (status == 0)
		return 0;
	P2P_ASSERT(status == EXIT_CONFIG);
	P2P_ASSERT(strncmp(error, "file:", 5) == 0);
	line = (unsigned)strtoul(error + 5, &end, 10);
	P2P_ASSERT(line > 0 && line <= lines_of(in) && *end == ':');
	return line;
}

static void check_lists(
	const struct option_list *a, const struct option_list *b)
{
	P2P_ASSERT(a->count == b->count);
	for (size_t i = 0; i < a->count; i++)
		P2P_ASSERT(strcmp(a->items[i], b->items[i]) == 0);
}

static void check_same(const struct options *a, const struct options *b)
{
	P2P_ASSERT((a->name == NULL) == (b->name == NULL));
	P2P_ASSERT(a->name == NULL || strcmp(a->name, b->name) == 0);
	check_lists(&a->rooms, &b->rooms);
	check_lists(&a->listen, &b->listen);
	check_lists(&a->connect, &b->connect);
	check_lists(&a->keep, &b->keep);
	P2P_ASSERT(memcmp(a->number, b->number, sizeof(a->number)) == 0);
	P2P_ASSERT(a->color == b->color && a->log_level == b->log_level);
	P2P_ASSERT(a->json == b->json && a->plain == b->plain);
}

/* A comment of `wide` bytes and a tab in front of each line. */
static void spread(struct bytes in, size_t wide, struct buf *out)
{
	bool start = true;

	for (size_t i = 0; i < in.len; i++) {
		if (start) {
			(void)buf_append_str(out, "  # ");
			for (size_t n = 0; n < wide; n++)
				(void)buf_append_str(out, "x");
			(void)buf_append_str(out, "color = always\n\t");
		}
		start = in.data[i] == '\n';
		(void)buf_append(out, bytes_of(in.data + i, 1));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes in = bytes_of(data, P2P_MIN(size, (size_t)2000));
	struct options plain, again;
	unsigned line = read_it(&plain, in);
	struct buf wide;

	buf_init(&wide, 1 << 21);
	/* The mark stands at the very start. */
	if (in.len == 0 || in.data[0] != 0xef) {
		spread(in, in.data != NULL && in.len > 0 ? in.data[0] : 0,
			&wide);
		P2P_ASSERT(!wide.failed);
		P2P_ASSERT(read_it(&again, buf_bytes(&wide)) == 2 * line);
		if (line == 0)
			check_same(&plain, &again);
		options_clear(&again);
	}
	buf_clear(&wide);
	options_clear(&plain);
	return 0;
}
