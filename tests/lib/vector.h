/*
 * Reads tests/vectors/NAME: lines of words parted by spaces, '#' starts a
 * comment line. A word is text or hexadecimal; "-" is an empty value. A
 * missing file, a bad word or a line with another number of words ends the
 * test program, so that a damaged data file can never pass.
 */
#ifndef TESTS_LIB_VECTOR_H
#define TESTS_LIB_VECTOR_H

#include <stdio.h>

#include "base/buf.h"

#define VECTOR_WORDS_MAX 16

struct vector_file {
	FILE *file;
	char *line; /* owned; the words point into it */
	size_t line_size;
	unsigned line_number;
	const char *word[VECTOR_WORDS_MAX];
};

/* tests/vectors/NAME; fails the test when it cannot be read. */
void vector_open(struct vector_file *v, const char *name);
/* The next line's words into v->word; false at the end, which closes. */
bool vector_next(struct vector_file *v, unsigned word_count);

/* Replaces out's contents by the bytes that the word spells. */
void vector_hex(const char *word, struct buf *out);
/* The same into an array; the word has exactly len bytes. */
void vector_hex_fixed(const char *word, uint8_t *out, size_t len);
/* The bytes as lower-case hexadecimal, appended. */
void vector_to_hex(struct bytes in, struct buf *out);

#endif
