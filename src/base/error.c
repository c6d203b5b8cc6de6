/*
 * Names, texts and classes of the one list of errors, and the end of the
 * program when an assertion fails. That end first gives the terminal back, by a
 * hook, and takes the hook away before, lest a hook that fails come back here.
 */
#include "base/error.h"

#include <stdio.h>
#include <stdlib.h>

static void (*abort_hook)(void);

void p2p_set_abort_hook(void (*hook)(void))
{
	abort_hook = hook;
}

void p2p_assert_failed(const char *what, const char *file, int line)
{
	void (*hook)(void) = abort_hook;

	/* Cleared first: a hook that fails itself must not come back here. */
	abort_hook = NULL;
	if (hook != NULL)
		hook();
	fprintf(stderr, "p2pchat-tui: bug: %s:%d: %s\n", file, line, what);
	abort();
}

const char *p2p_err_name(int err)
{
	switch (err) {
	case P2P_OK:
		return "OK";
#define X(name, number, class, text) \
	case P2P_ERR_##name: \
		return #name;
		P2P_ERR_LIST(X)
#undef X
	default:
		return "UNKNOWN";
	}
}

const char *p2p_err_text(int err)
{
	switch (err) {
	case P2P_OK:
		return "no error";
#define X(name, number, class, text) \
	case P2P_ERR_##name: \
		return text;
		P2P_ERR_LIST(X)
#undef X
	default:
		return "unknown error";
	}
}

enum p2p_class p2p_err_class(int err)
{
	switch (err) {
	case P2P_OK:
		return P2P_CLASS_NONE;
#define X(name, number, class, text) \
	case P2P_ERR_##name: \
		return P2P_CLASS_##class;
		P2P_ERR_LIST(X)
#undef X
	default:
		return P2P_CLASS_LOCAL;
	}
}
