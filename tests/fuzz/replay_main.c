/*
 * main() of a fuzz target that is built without an engine: gives it the empty
 * input and every file of its corpus, so that an input that once was a crash
 * stays a test. fuzz_NAME reads tests/fuzz/corpus/NAME; files named on the
 * command line are taken instead. Prints TAP. A target that finds fault
 * aborts, which the driver reports.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Seeds are small; a larger file in a corpus is a mistake. */
#define REPLAY_BYTES_MAX (1 << 20)

static int failed_count;
static int done_count;

static void report(int ok, const char *name, const char *why)
{
	done_count++;
	failed_count += !ok;
	printf("%sok %d - %s%s\n", ok ? "" : "not ", done_count, name, why);
	fflush(stdout);
}

/* The copy is exactly as long as the input, so that ASan sees an overrun. */
static void run_input(const uint8_t *data, size_t size)
{
	uint8_t *copy = malloc(size == 0 ? 1 : size);

	if (copy == NULL)
		abort();
	if (size > 0)
		memcpy(copy, data, size);
	(void)LLVMFuzzerTestOneInput(copy, size);
	free(copy);
}

static void run_file(const char *path, const char *name)
{
	static uint8_t data[REPLAY_BYTES_MAX];
	FILE *f = fopen(path, "rb");
	size_t size;

	if (f == NULL) {
		report(0, name, ": cannot be opened");
		return;
	}
	size = fread(data, 1, sizeof(data), f);
	if (ferror(f) || !feof(f)) {
		report(0, name, ": cannot be read, or too large");
	} else {
		run_input(data, size);
		report(1, name, "");
	}
	fclose(f);
}

static int is_seed(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

static void run_corpus(const char *target)
{
	struct dirent **entries = NULL;
	char dir[4096], path[8192];
	int n;

	snprintf(dir, sizeof(dir), "%s/tests/fuzz/corpus/%s", SRCDIR, target);
	n = scandir(dir, &entries, is_seed, alphasort);
	if (n <= 0)
		report(0, dir, ": no corpus");
	for (int i = 0; i < n; i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, entries[i]->d_name);
		run_file(path, entries[i]->d_name);
		free(entries[i]);
	}
	free(entries);
}

int main(int argc, char **argv)
{
	const char *slash = strrchr(argv[0], '/');
	const char *name = slash == NULL ? argv[0] : slash + 1;

	if (strncmp(name, "fuzz_", 5) == 0)
		name += 5;
	run_input(NULL, 0);
	report(1, "the empty input", "");
	for (int i = 1; i < argc; i++)
		run_file(argv[i], argv[i]);
	if (argc == 1)
		run_corpus(name);
	printf("1..%d\n", done_count);
	return failed_count == 0 ? 0 : 1;
}
