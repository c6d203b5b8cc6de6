/*
 * Exit statuses (sysexits.h by number; the man page's
 * EXIT STATUS says the same).
 */
#ifndef APP_EXIT_STATUS_H
#define APP_EXIT_STATUS_H

enum exit_status {
	EXIT_OK = 0,
	EXIT_USAGE = 64,       /* unknown option, no terminal */
	EXIT_DATA = 65,        /* damaged key or database */
	EXIT_UNAVAILABLE = 69, /* an address cannot be listened on */
	EXIT_BUG = 70,
	EXIT_CANNOT_CREATE = 73,
	EXIT_IO = 74,
	EXIT_TEMPORARY = 75,  /* the profile is in use */
	EXIT_PERMISSION = 77, /* the key file is open to others, or closed */
	EXIT_CONFIG = 78,
};

#endif
