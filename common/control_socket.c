/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The control socket in the file system.
 *
 * A lock beside the socket tells a living daemon from a dead one: the kernel
 * lets go of it with the process, however that ends.  Behind the lock, a
 * socket that still refuses connections is a dead one's and is replaced; one
 * that answers belongs to something that does not know the lock, and stays.
 *
 * The socket is bound with no rights for others and given its group and mode
 * before it listens, so at no time can anyone connect who must not.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/config.h"
#include "common/control.h"

static bool complain(char *err, size_t errlen, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static bool complain(char *err, size_t errlen, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(err, errlen, fmt, ap);
	va_end(ap);
	return false;
}

/* A name of the group database, or a number. */
static bool find_group(const char *name, gid_t *gid)
{
	char buf[16384], *end;
	struct group g, *found = NULL;
	unsigned long v;

	if (getgrnam_r(name, &g, buf, sizeof(buf), &found) == 0 && found) {
		*gid = found->gr_gid;
		return true;
	}
	errno = 0;
	v = strtoul(name, &end, 10);
	if (errno || *end || end == name || v >= UINT32_MAX)
		return false;
	*gid = (gid_t)v;
	return true;
}

/* The folder of the socket, when only that is missing: /run starts empty. */
static void make_folder(const char *path)
{
	char folder[CONFIG_SOCKET_LEN];
	const char *slash = strrchr(path, '/');

	snprintf(folder, sizeof(folder), "%.*s", (int)(slash - path), path);
	if (folder[0])
		mkdir(folder, 0755); /* a failure shows in the next step */
}

/*
 * Between our opening the lock and locking it, its owner may have ended and
 * removed it; then what we hold is the lock of nobody, and we try again.
 */
static bool lock(struct control_place *p, const char *daemon, char *err, size_t errlen)
{
	struct stat held, named;

	for (int i = 0; i < 10; i++) {
		p->lock_fd = open(p->lock_path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
		if (p->lock_fd < 0)
			return complain(
				err, errlen, "cannot create %s: %s", p->lock_path, strerror(errno));
		if (flock(p->lock_fd, LOCK_EX | LOCK_NB) < 0) {
			int e = errno;

			close(p->lock_fd);
			p->lock_fd = -1;
			if (e != EWOULDBLOCK)
				return complain(err, errlen, "cannot lock %s: %s", p->lock_path,
					strerror(e));
			return complain(err, errlen,
				"another %s runs with this control socket; stop it, or set "
				"another control.socket",
				daemon);
		}
		if (fstat(p->lock_fd, &held) == 0 && lstat(p->lock_path, &named) == 0 &&
			held.st_ino == named.st_ino && held.st_dev == named.st_dev)
			return true;
		close(p->lock_fd);
		p->lock_fd = -1;
	}
	return complain(err, errlen, "cannot lock %s: it keeps being removed", p->lock_path);
}

static bool remove_dead(const char *path, const struct sockaddr_un *sun, char *err, size_t errlen)
{
	struct stat st;
	int fd, rc, e;

	if (lstat(path, &st) < 0)
		return errno == ENOENT ? true
				       : complain(err, errlen, "%s: %s", path, strerror(errno));
	if (!S_ISSOCK(st.st_mode))
		return complain(err, errlen,
			"%s is there and is not a socket; remove it, or set another control.socket",
			path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return complain(err, errlen, "cannot open a socket: %s", strerror(errno));
	rc = connect(fd, (const struct sockaddr *)sun, sizeof(*sun));
	e = errno;
	close(fd);
	if (rc == 0 || e != ECONNREFUSED)
		return complain(err, errlen,
			"something else answers on %s; stop it, or set another control.socket",
			path);
	if (unlink(path) < 0)
		return complain(
			err, errlen, "cannot remove the dead socket %s: %s", path, strerror(errno));
	return true;
}

static bool bind_place(struct control_place *p, const char *path, char *err, size_t errlen)
{
	struct sockaddr_un sun = {.sun_family = AF_UNIX};
	mode_t mask;
	int rc, e;

	memcpy(sun.sun_path, path, strlen(path) + 1);
	if (!remove_dead(path, &sun, err, errlen))
		return false;
	p->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (p->fd < 0)
		return complain(err, errlen, "cannot open a socket: %s", strerror(errno));
	mask = umask(0177);
	rc = bind(p->fd, (const struct sockaddr *)&sun, sizeof(sun));
	e = errno;
	umask(mask);
	if (rc < 0)
		return complain(err, errlen, "cannot bind %s: %s", path, strerror(e));
	if (p->group == (gid_t)-1)
		return true;
	if (lchown(path, (uid_t)-1, p->group) < 0 || chmod(path, 0660) < 0) {
		e = errno;
		unlink(path);
		return complain(err, errlen, "cannot give %s to its group: %s", path, strerror(e));
	}
	return true;
}

bool control_place_open(
	struct control_place *p, const struct control_config *c, char *err, size_t errlen)
{
	*p = (struct control_place){.fd = -1, .lock_fd = -1, .group = (gid_t)-1};
	if (c->group[0] && !find_group(c->group, &p->group))
		return complain(err, errlen,
			"there is no group %s; create it with  groupadd --system %s  or correct "
			"control.group",
			c->group, c->group);
	snprintf(p->lock_path, sizeof(p->lock_path), "%s.lock", c->socket);
	make_folder(c->socket);
	if (!lock(p, c->daemon, err, errlen))
		return false;
	if (bind_place(p, c->socket, err, errlen))
		return true;
	if (p->fd >= 0)
		close(p->fd);
	unlink(p->lock_path);
	close(p->lock_fd);
	return false;
}

void control_place_close(struct control_place *p, const struct control_config *c)
{
	unlink(c->socket);
	/* the lock last, and while it is held: see lock() */
	unlink(p->lock_path);
	close(p->lock_fd);
	p->lock_fd = -1;
}

static bool in_group(int fd, gid_t group)
{
	gid_t groups[256];
	socklen_t len = sizeof(groups);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &len) < 0)
		return false;
	for (size_t i = 0; i < len / sizeof(groups[0]); i++)
		if (groups[i] == group)
			return true;
	return false;
}

/*
 * The mode of the socket has let them through already; this holds as well
 * when somebody has loosened it, or passed an open socket on.
 */
bool control_peer_allowed(int fd, const struct control_place *p)
{
	struct ucred peer;
	socklen_t len = sizeof(peer);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) < 0)
		return false;
	if (peer.uid == 0 || peer.uid == geteuid())
		return true;
	return p->group != (gid_t)-1 && (peer.gid == p->group || in_group(fd, p->group));
}
