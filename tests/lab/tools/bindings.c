/*
 * bindings: registers many home addresses with a home agent, from one host, and stays their mobile nodes.
 *
 *   bindings -i DEVICE -m ROUTER-MAC -c CARE-OF -a HOME-AGENT -b FIRST-HOME-ADDRESS -n COUNT [-l LIFETIME-S] -o FILE
 *
 * Each binding update is a complete Ethernet frame (IPv6, Home Address option, Mobility Header, checksum over the
 * pseudo header with the home address as source: RFC 6275, 6.1.1, 6.1.7 and 6.3), written to a packet socket; answers
 * are read from the same socket. What is not answered within three seconds is sent again, with the next sequence number.
 * At most 64 are outstanding. Ends when all have been answered, or after 60 s. The report is JSON: how many were
 * accepted, answers by status, and how long it took.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <err.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <netinet/ip6.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { WINDOW = 64, MH_OFFSET = 40 + 24, MH_LENGTH = 32 };

struct node {
	struct in6_addr home_address;
	uint16_t sequence;
	uint64_t due; /* ms: when to send (again) */
	bool outstanding, done;
};

static uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static uint32_t add(uint32_t sum, const void *octets, size_t length)
{
	const unsigned char *p = octets;

	for (size_t i = 0; i + 1 < length; i += 2)
		sum += (uint32_t)(p[i] << 8 | p[i + 1]);
	return sum;
}

static uint16_t checksum(const struct in6_addr *source, const struct in6_addr *destination, const unsigned char *mh)
{
	uint32_t sum = MH_LENGTH + 135;

	sum = add(sum, source, 16);
	sum = add(sum, destination, 16);
	sum = add(sum, mh, MH_LENGTH);
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

static size_t build(unsigned char *p, const struct in6_addr *care_of, const struct in6_addr *home_agent,
		    const struct node *node, unsigned lifetime)
{
	unsigned char *mh = p + MH_OFFSET;
	uint16_t sum, units = (uint16_t)(lifetime / 4);

	memset(p, 0, MH_OFFSET + MH_LENGTH);
	p[0] = 0x60;
	p[5] = 24 + MH_LENGTH;
	p[6] = 60; /* destination options */
	p[7] = 64;
	memcpy(p + 8, care_of, 16);
	memcpy(p + 24, home_agent, 16);
	p[40] = 135;
	p[41] = 2;    /* 24 octets */
	memcpy(p + 42, "\x01\x02\x00\x00\xc9\x10", 6); /* PadN of 4 octets; Home Address option at 8n + 6 */
	memcpy(p + 48, &node->home_address, 16);
	mh[0] = 59;
	mh[1] = MH_LENGTH / 8 - 1;
	mh[2] = 5;
	mh[6] = (unsigned char)(node->sequence >> 8);
	mh[7] = (unsigned char)node->sequence;
	mh[8] = 0xc0; /* A, H */
	mh[10] = (unsigned char)(units >> 8);
	mh[11] = (unsigned char)units;
	mh[12] = 1; /* PadN of 2 octets: the alternate care-of address lies at 8n + 6 */
	mh[13] = 0;
	mh[14] = 3;
	mh[15] = 16;
	memcpy(mh + 16, care_of, 16);
	sum = checksum(&node->home_address, home_agent, mh);
	mh[4] = (unsigned char)(sum >> 8);
	mh[5] = (unsigned char)sum;
	return MH_OFFSET + MH_LENGTH;
}

/* Finds the home address (type 2 routing header) and the status of a binding acknowledgement. */
static int parse_answer(const unsigned char *p, size_t length, struct in6_addr *home_address, uint16_t *sequence)
{
	const unsigned char *mh = p + 64;

	if (length < 64 + 12 || p[6] != 43 || p[42] != 2 || p[40] != 135 || mh[2] != 6)
		return -1;
	memcpy(home_address, p + 48, 16);
	*sequence = (uint16_t)(mh[8] << 8 | mh[9]);
	return mh[6];
}

int main(int argc, char **argv)
{
	const char *device = NULL, *out = NULL;
	struct in6_addr care_of, home_agent, first;
	struct sockaddr_ll to = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_IPV6), .sll_halen = 6 };
	unsigned count = 1000, lifetime = 600, accepted = 0, outstanding = 0, statuses[256] = { 0 }, sent = 0;
	struct node *nodes;
	uint64_t start = now_ms(), end = start + 60000;
	uint32_t base;
	int fd, option;
	FILE *report;

	while ((option = getopt(argc, argv, "i:m:c:a:b:n:l:o:")) != -1) {
		switch (option) {
		case 'i': device = optarg; break;
		case 'm':
			if (sscanf(optarg, "%hhx:%hhx:%hhx:%hhx:%hhx:%hhx", &to.sll_addr[0], &to.sll_addr[1],
				   &to.sll_addr[2], &to.sll_addr[3], &to.sll_addr[4], &to.sll_addr[5]) != 6)
				errx(2, "%s: not a MAC address", optarg);
			break;
		case 'c': inet_pton(AF_INET6, optarg, &care_of); break;
		case 'a': inet_pton(AF_INET6, optarg, &home_agent); break;
		case 'b': inet_pton(AF_INET6, optarg, &first); break;
		case 'n': count = (unsigned)atoi(optarg); break;
		case 'l': lifetime = (unsigned)atoi(optarg); break;
		case 'o': out = optarg; break;
		default: return 2;
		}
	}
	if (!device || !out || !count)
		errx(2, "see the head of bindings.c for the options");
	nodes = calloc(count, sizeof(*nodes));
	fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC, htons(ETH_P_IPV6));
	to.sll_ifindex = (int)if_nametoindex(device);
	if (!nodes || fd < 0 || !to.sll_ifindex || bind(fd, (void *)&to, sizeof(to)))
		err(1, "packet socket on %s", device);
	memcpy(&base, &first.s6_addr[12], 4);
	for (unsigned i = 0; i < count; i++) {
		uint32_t low = htonl(ntohl(base) + i);

		nodes[i].home_address = first;
		memcpy(&nodes[i].home_address.s6_addr[12], &low, 4);
		nodes[i].sequence = 1;
	}
	while (accepted < count && now_ms() < end) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		unsigned char packet[2048];
		uint64_t now = now_ms();
		struct in6_addr home_address;
		uint16_t sequence;
		uint32_t low;
		ssize_t n;
		int status;

		for (unsigned i = 0; i < count; i++) {
			struct node *node = &nodes[i];

			if (node->done || node->due > now || (!node->outstanding && outstanding >= WINDOW))
				continue;
			outstanding += !node->outstanding;
			if (node->outstanding)
				node->sequence++;
			node->outstanding = true;
			node->due = now + 3000; /* the home agent may need a second of DAD before it answers */
			if (sendto(fd, packet, build(packet, &care_of, &home_agent, node, lifetime), 0, (void *)&to,
				   sizeof(to)) >= 0)
				sent++;
		}
		if (poll(&p, 1, 100) <= 0)
			continue;
		n = recv(fd, packet, sizeof(packet), 0);
		if (n < 0)
			continue;
		status = parse_answer(packet, (size_t)n, &home_address, &sequence);
		if (status < 0)
			continue;
		statuses[status]++;
		memcpy(&low, &home_address.s6_addr[12], 4);
		low = ntohl(low) - ntohl(base);
		if (low < count && !nodes[low].done && status < 128) {
			nodes[low].done = true;
			outstanding--;
			accepted++;
		}
	}
	report = fopen(out, "w");
	if (!report)
		err(1, "%s", out);
	fprintf(report, "{\"accepted\": %u, \"sent\": %u, \"ms\": %llu, \"statuses\": {", accepted, sent,
		(unsigned long long)(now_ms() - start));
	for (unsigned i = 0, n = 0; i < 256; i++)
		if (statuses[i])
			fprintf(report, "%s\"%u\": %u", n++ ? ", " : "", i, statuses[i]);
	fprintf(report, "}}\n");
	return fclose(report) ? 1 : accepted == count ? 0 : 3;
}
