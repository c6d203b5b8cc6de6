/*
 * What text looks like: the skeleton of UTS 39 (Unicode Security Mechanisms),
 * by which text that is hard to tell apart is equal, and whether text mixes
 * scripts that belong to no one language. For names and other short text: what
 * is behind TEXT_LOOK_IN_BYTES_MAX is not looked at. No text fails; bytes that
 * are not UTF-8 count as U+FFFD. Nothing here is for showing.
 */
#ifndef BASE_TEXT_SKELETON_H
#define BASE_TEXT_SKELETON_H

#include "base/buf.h"

/* More than the longest name (TEXT_NAME_BYTES_MAX). */
#define TEXT_LOOK_IN_BYTES_MAX 256
/* One code point becomes 18 at most, of 4 bytes each. */
#define TEXT_LOOK_OUT_BYTES_MAX (TEXT_LOOK_IN_BYTES_MAX * 18 * 4)
/* A look with its NUL; longer ones are cut, so that they are equal sooner. */
#define TEXT_LOOK_MAX 97

/* UTS 39, section 4: NFD, each character as its prototype, NFD; ignorable
 * characters left out. Appended; cut when `out` is full. */
void text_skeleton(struct bytes in, struct buf *out);
/* Unicode's compatibility form (NFKC) without ignorable characters. */
void text_nfkc(struct bytes in, struct buf *out);

/*
 * Two keys of a name. Names are hard to tell apart when one of the keys of the
 * one is one of the other's: they differ in case, width, style, spaces,
 * invisible characters and look-alikes alone. Two, because capitals look like
 * others than small letters do: `small` is folded before the skeleton is made,
 * `drawn` only after it. Both empty when nothing is left of the name.
 */
struct text_looks {
	char small[TEXT_LOOK_MAX];
	char drawn[TEXT_LOOK_MAX];
};

/* Both keys of the name. */
void text_looks_of(struct bytes name, struct text_looks *looks);
/* Whether the names are hard to tell apart. */
bool text_looks_alike(const struct text_looks *a, const struct text_looks *b);

/*
 * Whether the text is less than moderately restrictive (UTS 39, section 5.2):
 * neither of one script, nor of Japanese, Korean or Chinese with Latin, nor of
 * Latin with one other script in common use that is not Cyrillic or Greek.
 * Scripts that are not in common use count as one.
 */
bool text_mixes_scripts(struct bytes in);

#endif
