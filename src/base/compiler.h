/*
 * What the compiler offers beyond C11, behind names of our own.
 */
#ifndef BASE_COMPILER_H
#define BASE_COMPILER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The caller has to look at the result. */
#define P2P_MUST_CHECK __attribute__((warn_unused_result))
/* printf-like: fmt is the position of the format, args of the first value. */
#define P2P_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#define P2P_NORETURN __attribute__((noreturn))
#define P2P_UNUSED __attribute__((unused))
/* Inlined whatever the compiler thinks of its size. */
#define P2P_INLINE inline __attribute__((always_inline))

#define P2P_ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))
#define P2P_MIN(a, b) ((a) < (b) ? (a) : (b))
#define P2P_MAX(a, b) ((a) > (b) ? (a) : (b))

/* The struct that holds this member. */
#define P2P_CONTAINER_OF(ptr, type, member) \
	((type *)(void *)((char *)(ptr)-offsetof(type, member)))

/* "No deadline": later than any time. All times are milliseconds. */
#define P2P_NEVER UINT64_MAX

/*
 * Our own mistakes only: never a condition that bytes from outside can make
 * false. Stays on in releases; runs the abort hook (which gives the terminal
 * back) and aborts.
 */
#define P2P_ASSERT(cond) \
	((cond) ? (void)0 : p2p_assert_failed(#cond, __FILE__, __LINE__))

void p2p_assert_failed(
	const char *what, const char *file, int line) P2P_NORETURN;

/* Called once before an abort; NULL takes the hook away. */
void p2p_set_abort_hook(void (*hook)(void));

#endif
