/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/detach.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

int detach_begin(void)
{
	int fd[2];
	ssize_t n;
	char ok;
	pid_t pid;

	if (pipe2(fd, O_CLOEXEC) < 0)
		return -1;
	pid = fork();
	if (pid == 0) {
		close(fd[0]);
		setsid();
		return fd[1];
	}
	close(fd[1]);
	if (pid < 0) {
		close(fd[0]);
		return -1;
	}
	while ((n = read(fd[0], &ok, 1)) < 0 && errno == EINTR)
		;
	_exit(n == 1 ? 0 : 1);
}

void detach_done(int fd)
{
	int null = fd < 0 ? -1 : open("/dev/null", O_RDWR | O_CLOEXEC);

	if (fd < 0)
		return;
	for (int i = 0; null >= 0 && i < 3; i++)
		dup2(null, i);
	if (null > 2)
		close(null);
	if (chdir("/") < 0) {
		/* then it keeps a folder busy */
	}
	if (write(fd, "", 1) < 0) {
		/* nobody waits */
	}
	close(fd);
}
