/*
 * flow: the lab's traffic.
 *
 *   flow send    -d ADDRESS -p PORT [-s SOURCE] [-i INTERVAL-US] [-l OCTETS] [-n COUNT] [-f FLOW] -o FILE
 *   flow recv    -p PORT -o FILE
 *   flow connect -d ADDRESS -p PORT [-s SOURCE] [-r OCTETS-PER-SECOND] -o FILE
 *   flow serve   -p PORT [-r OCTETS-PER-SECOND] -o FILE
 *
 * send: numbered UDP packets from a connected socket, paced by a timer, until COUNT or SIGTERM. The payload starts
 * with "HBFL", a flow number and a sequence number (32 bits each) and the time when it is due (64 bits, ns), all in
 * network order. recv: notes number, sending and arrival time of each packet, until SIGTERM.
 *
 * Streams are most of what a lab machine does, and a system call is dear there. So the sender asks for the time once, and the
 * receiver, for whom the kernel notes when each packet came, fetches some together.
 *
 * connect and serve: TCP both ways at once, paced; every octet's value follows from its position and is verified.
 * connect ends the stream at SIGTERM; serve ends when its peer did. A transfer is whole when each side received
 * what the other says it sent, with nothing wrong.
 *
 * Times are of the wall clock, as those of captures. The report is JSON (recv: lines of sequence,sent,arrived).
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <endian.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

struct options {
	struct sockaddr_in6 peer, source;
	bool have_peer, have_source;
	uint16_t port;
	unsigned interval_us, octets, count, rate;
	uint32_t flow;
	const char *out;
};

struct payload {
	char magic[4];
	uint32_t flow, sequence;
	uint64_t sent;
} __attribute__((packed));

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static int stop_signals(void)
{
	sigset_t set;

	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC);
}

static int ticker(unsigned interval_us)
{
	struct itimerspec timer = { 0 };
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);

	timer.it_interval.tv_sec = interval_us / 1000000;
	timer.it_interval.tv_nsec = interval_us % 1000000 * 1000L;
	timer.it_value.tv_nsec = 1;
	if (fd < 0 || timerfd_settime(fd, 0, &timer, NULL))
		err(1, "timerfd");
	return fd;
}

static FILE *report(const struct options *o)
{
	FILE *f = fopen(o->out, "w");

	if (!f)
		err(1, "%s", o->out);
	return f;
}

static int open_socket(const struct options *o, int type)
{
	int fd = socket(AF_INET6, type | SOCK_CLOEXEC, 0), on = 1;
	struct sockaddr_in6 local = o->source;

	if (fd < 0)
		err(1, "socket");
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (!o->have_peer)
		local.sin6_port = htons(o->port);
	local.sin6_family = AF_INET6;
	if ((o->have_source || !o->have_peer) && bind(fd, (void *)&local, sizeof(local)))
		err(1, "bind");
	if (o->have_peer && connect(fd, (const void *)&o->peer, sizeof(o->peer)))
		err(1, "connect");
	return fd;
}

/* --- UDP */

static volatile sig_atomic_t ended;

static void end(int number)
{
	(void)number;
	ended = 1;
}

static int udp_send(const struct options *o)
{
	int fd = open_socket(o, SOCK_DGRAM), tick;
	struct sigaction action = { .sa_handler = end };
	FILE *out = report(o);
	unsigned char packet[1500] = { 0 };
	uint32_t sequence = 0, failed = 0;
	uint64_t start = 0;

	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGINT, &action, NULL);
	tick = ticker(o->interval_us);
	fprintf(out, "{\"flow\": %u, \"interval_us\": %u, \"failed\": [", o->flow, o->interval_us);
	while (!ended && (!o->count || sequence < o->count)) {
		uint64_t ticks;

		if (read(tick, &ticks, sizeof(ticks)) != sizeof(ticks))
			continue;
		for (; ticks && (!o->count || sequence < o->count); ticks--, sequence++) {
			struct payload p = { .magic = "HBFL", .flow = htonl(o->flow), .sequence = htonl(sequence) };

			if (!start)
				start = now_ns();
			p.sent = htobe64(start + (uint64_t)sequence * o->interval_us * 1000u);
			memcpy(packet, &p, sizeof(p));
			/* the first call may only return an ICMP error that an earlier packet caused */
			if (send(fd, packet, o->octets, MSG_DONTWAIT) < 0 &&
			    send(fd, packet, o->octets, MSG_DONTWAIT) < 0)
				fprintf(out, "%s[%u, \"%s\"]", failed++ ? ", " : "", sequence, strerrorname_np(errno));
		}
	}
	fprintf(out, "], \"sent\": %u, \"start_ns\": %llu}\n", sequence, (unsigned long long)start);
	return fclose(out) ? 1 : 0;
}

enum { TOGETHER = 64 };

struct arrivals {
	struct mmsghdr head[TOGETHER];
	struct iovec part[TOGETHER];
	struct payload packet[TOGETHER];
	char control[TOGETHER][CMSG_SPACE(sizeof(struct timespec))];
};

/* Fetches what has come and notes it; returns how many packets that was, or less than 1. */
static int fetch(int fd, struct arrivals *a, int flags, FILE *out)
{
	int count;

	for (int n = 0; n < TOGETHER; n++) {
		a->part[n] = (struct iovec){ .iov_base = &a->packet[n], .iov_len = sizeof(a->packet[n]) };
		a->head[n].msg_hdr = (struct msghdr){ .msg_iov = &a->part[n], .msg_iovlen = 1, .msg_control = a->control[n],
						      .msg_controllen = sizeof(a->control[n]) };
	}
	count = recvmmsg(fd, a->head, TOGETHER, flags, NULL);
	for (int n = 0; n < count; n++) {
		const struct payload *p = &a->packet[n];
		struct cmsghdr *c = CMSG_FIRSTHDR(&a->head[n].msg_hdr);
		struct timespec t;

		if (a->head[n].msg_len != sizeof(*p) || memcmp(p->magic, "HBFL", 4) || !c)
			continue;
		memcpy(&t, CMSG_DATA(c), sizeof(t));
		fprintf(out, "%u,%llu,%llu\n", ntohl(p->sequence), (unsigned long long)be64toh(p->sent),
			(unsigned long long)t.tv_sec * 1000000000u + (unsigned long long)t.tv_nsec);
	}
	return count;
}

/* Waits for a packet, and then a moment for others; SIGTERM interrupts both. */
static int udp_recv(const struct options *o)
{
	int fd = open_socket(o, SOCK_DGRAM), big = 8 << 20, on = 1;
	struct sigaction action = { .sa_handler = end };
	struct timeval patience = { .tv_sec = 1 }; /* for a signal that comes right before the call */
	const struct timespec moment = { .tv_nsec = 50000000 };
	FILE *out = report(o);
	static struct arrivals a;

	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGINT, &action, NULL);
	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &big, sizeof(big));
	setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof(on));
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	while (!ended) {
		fetch(fd, &a, MSG_WAITFORONE, out);
		nanosleep(&moment, NULL);
	}
	while (fetch(fd, &a, MSG_DONTWAIT, out) > 0)
		;
	return fclose(out) ? 1 : 0;
}

/* --- TCP */

static unsigned char octet_at(uint64_t position, uint64_t direction)
{
	uint64_t x = (position >> 3) + direction * 0x9e3779b97f4a7c15u;

	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
	x ^= x >> 31;
	return (unsigned char)(x >> (8 * (position & 7)));
}

struct stream {
	uint64_t sent, allowed, received, wrong, last, longest_gap, longest_gap_at;
	bool sending, receiving;
};

static bool tcp_write(int fd, struct stream *s, uint64_t direction)
{
	unsigned char data[4096];

	while (s->sent < s->allowed) {
		size_t n = s->allowed - s->sent < sizeof(data) ? (size_t)(s->allowed - s->sent) : sizeof(data);
		ssize_t done;

		for (size_t i = 0; i < n; i++)
			data[i] = octet_at(s->sent + i, direction);
		done = send(fd, data, n, MSG_DONTWAIT);
		if (done < 0)
			return errno == EAGAIN;
		s->sent += (uint64_t)done;
	}
	return true;
}

static bool tcp_read(int fd, struct stream *s, uint64_t direction)
{
	unsigned char data[65536];
	ssize_t n = recv(fd, data, sizeof(data), MSG_DONTWAIT);
	uint64_t now = now_ns();

	if (n < 0)
		return errno == EAGAIN;
	if (n == 0) {
		s->receiving = false;
		return true;
	}
	if (now - s->last > s->longest_gap) {
		s->longest_gap = now - s->last;
		s->longest_gap_at = s->last;
	}
	s->last = now;
	for (ssize_t i = 0; i < n; i++)
		s->wrong += data[i] != octet_at(s->received + (uint64_t)i, direction);
	s->received += (uint64_t)n;
	return true;
}

static int tcp(const struct options *o, bool client)
{
	const unsigned step_us = 10000;
	struct stream s = { .sending = true, .receiving = true };
	int fd = open_socket(o, SOCK_STREAM), stop = stop_signals(), tick, on = 1;
	const char *end = "complete";
	FILE *out = report(o);

	if (!client) {
		int listener = fd;

		if (listen(listener, 1) || (fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC)) < 0)
			err(1, "listen");
		close(listener);
	}
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	tick = ticker(step_us);
	s.last = now_ns();
	while (s.sending || s.receiving) {
		struct pollfd fds[3] = { { .fd = s.receiving ? fd : -1, .events = POLLIN },
					 { .fd = s.sending ? tick : -1, .events = POLLIN },
					 { .fd = client && s.sending ? stop : -1, .events = POLLIN } };
		uint64_t ticks;

		if (poll(fds, 3, -1) < 0)
			continue;
		if (fds[0].revents && !tcp_read(fd, &s, client ? 2 : 1)) {
			end = strerrorname_np(errno);
			break;
		}
		if (fds[1].revents && read(tick, &ticks, sizeof(ticks)) == sizeof(ticks)) {
			/* allow no more than what is unsent plus one step: a stall is not made good in a burst */
			if (s.allowed - s.sent < 2 * (uint64_t)o->rate)
				s.allowed += ticks * o->rate * step_us / 1000000;
			if (!tcp_write(fd, &s, client ? 1 : 2)) {
				end = strerrorname_np(errno);
				break;
			}
		}
		if (s.sending && (fds[2].revents || (!client && !s.receiving))) {
			s.sending = false;
			shutdown(fd, SHUT_WR);
		}
	}
	fprintf(out, "{\"end\": \"%s\", \"sent\": %llu, \"received\": %llu, \"wrong\": %llu, \"longest_gap_ms\": %.3f, "
		"\"longest_gap_at\": %.6f}\n", end, (unsigned long long)s.sent, (unsigned long long)s.received,
		(unsigned long long)s.wrong, (double)s.longest_gap / 1e6, (double)s.longest_gap_at / 1e9);
	return fclose(out) ? 1 : 0;
}

static void address(struct sockaddr_in6 *a, const char *text)
{
	a->sin6_family = AF_INET6;
	if (inet_pton(AF_INET6, text, &a->sin6_addr) != 1)
		errx(2, "%s: not an IPv6 address", text);
}

int main(int argc, char **argv)
{
	struct options o = { .interval_us = 1000, .octets = 64, .rate = 100000 };
	const char *verb = argc > 1 ? argv[1] : "";
	int option;

	optind = 2;
	while ((option = getopt(argc, argv, "d:s:p:i:l:n:f:r:o:")) != -1) {
		switch (option) {
		case 'd': address(&o.peer, optarg); o.have_peer = true; break;
		case 's': address(&o.source, optarg); o.have_source = true; break;
		case 'p': o.port = (uint16_t)atoi(optarg); break;
		case 'i': o.interval_us = (unsigned)atoi(optarg); break;
		case 'l': o.octets = (unsigned)atoi(optarg); break;
		case 'n': o.count = (unsigned)atoi(optarg); break;
		case 'f': o.flow = (uint32_t)atoi(optarg); break;
		case 'r': o.rate = (unsigned)atoi(optarg); break;
		case 'o': o.out = optarg; break;
		default: return 2;
		}
	}
	o.peer.sin6_port = htons(o.port);
	if (!o.out || !o.port || o.octets < sizeof(struct payload) || o.octets > 1500 || !o.interval_us)
		errx(2, "see the head of flow.c for the options");
	if (!strcmp(verb, "send") && o.have_peer)
		return udp_send(&o);
	if (!strcmp(verb, "recv"))
		return udp_recv(&o);
	if (!strcmp(verb, "connect") && o.have_peer)
		return tcp(&o, true);
	if (!strcmp(verb, "serve"))
		return tcp(&o, false);
	errx(2, "flow send|recv|connect|serve");
}
