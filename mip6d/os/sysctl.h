/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Settings under /proc/sys/net that we change, and put back at a clean stop. */
#ifndef OS_SYSCTL_H
#define OS_SYSCTL_H

#define SYSCTL_MAX 256

struct sysctl_saved {
	char *path;
	char *value;
};

struct sysctls {
	char *file; /* where the old values survive a crash; NULL: nowhere */
	unsigned n;
	struct sysctl_saved saved[SYSCTL_MAX];
};

/* Reads what a predecessor that was killed had saved in file (may be NULL). */
int sysctls_open(struct sysctls *s, const char *file);
/* Set net/ipv6/... to value, keeping the first old one.  0 or negative errno. */
int sysctls_set(struct sysctls *s, const char *value, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* Put everything back and forget the file. */
void sysctls_restore(struct sysctls *s);
void sysctls_close(struct sysctls *s);

#endif
