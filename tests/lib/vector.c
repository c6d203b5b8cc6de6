#include "tests/lib/vector.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static void die(const struct vector_file *v, const char *what)
{
	fprintf(stderr, "vectors: %s (line %u)\n", what,
		v == NULL ? 0 : v->line_number);
	exit(99);
}

void vector_open(struct vector_file *v, const char *name)
{
	char path[512];

	*v = (struct vector_file){0};
	snprintf(path, sizeof(path), "%s/tests/vectors/%s", SRCDIR, name);
	v->file = fopen(path, "r");
	if (v->file == NULL)
		die(NULL, path);
}

bool vector_next(struct vector_file *v, unsigned word_count)
{
	char *save = NULL, *word;
	unsigned n = 0;

	do {
		if (getline(&v->line, &v->line_size, v->file) < 0) {
			fclose(v->file);
			free(v->line);
			*v = (struct vector_file){0};
			return false;
		}
		v->line_number++;
	} while (v->line[0] == '#' || v->line[0] == '\n');
	for (word = strtok_r(v->line, " \n", &save); word != NULL;
		word = strtok_r(NULL, " \n", &save)) {
		if (n == VECTOR_WORDS_MAX)
			die(v, "too many words");
		v->word[n++] = word;
	}
	if (n != word_count)
		die(v, "another number of words");
	return true;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)tolower((unsigned char)c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

void vector_hex(const char *word, struct buf *out)
{
	buf_reset(out);
	if (strcmp(word, "-") == 0)
		return;
	for (; word[0] != '\0'; word += 2) {
		int high = hex_digit(word[0]);
		int low = high < 0 ? -1 : hex_digit(word[1]);

		if (low < 0 || buf_append_u8(out, (uint8_t)(high << 4 | low)))
			die(NULL, word);
	}
}

void vector_hex_fixed(const char *word, uint8_t *out, size_t len)
{
	struct buf b;

	buf_init(&b, len);
	vector_hex(word, &b);
	if (b.len != len)
		die(NULL, word);
	if (len > 0)
		memcpy(out, b.data, len);
	buf_clear(&b);
}

void vector_to_hex(struct bytes in, struct buf *out)
{
	for (size_t i = 0; i < in.len; i++)
		buf_appendf(out, "%02x", in.data[i]);
}
