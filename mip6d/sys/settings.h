/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * System settings (sysctl) that mip6d changes, and how they were before.  The
 * old values are written to a small file before the first change, so that
 * after a kill the next start still knows them; they are put back at a clean
 * stop.  A file from before the last reboot is ignored.
 */
#ifndef SYS_SETTINGS_H
#define SYS_SETTINGS_H

#include <stddef.h>

struct settings; /* opaque */

/* path: the file.  NULL with the reason in err. */
struct settings *settings_open(const char *path, char *err, size_t errlen);
/* Forget everything but the file: whoever comes next still knows the old values. */
void settings_close(struct settings *s);

/*
 * Set name, a path below /proc/sys such as "net/ipv6/conf/all/forwarding".
 * 0, also when it had that value before, or a negative errno: -ENOENT when
 * the kernel has no such setting.
 */
int settings_set(struct settings *s, const char *name, const char *value);
/* Remember the value of name without changing it: something else is about to. */
int settings_keep(struct settings *s, const char *name);
/* Put all back, in reverse order, and remove the file.  Devices that are gone are passed over. */
void settings_restore(struct settings *s);

/* Value without the newline.  0 or a negative errno. */
int sysctl_read(const char *name, char *value, size_t len);
int sysctl_write(const char *name, const char *value);

#endif
