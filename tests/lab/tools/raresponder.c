/*
 * raresponder: router advertisements for the lab, sent at once.
 *
 * A router may have to delay its answer to a solicitation by up to half a second (RFC 4861, 6.2.6). This one never
 * does: it answers in the same moment, to all nodes. It also sends unsolicited advertisements at a fixed interval.
 *
 * usage: raresponder -i DEVICE -p PREFIX/LEN [-t INTERVAL-MS] [-r ROUTER-ADDRESS] [-H LIFETIME,PREFERENCE]
 *   -r  send the router's whole address in the prefix option, with the R bit (RFC 6275, 7.2)
 *   -H  home agent: H bit and Home Agent Information option (RFC 6275, 7.1 and 7.4)
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <net/if.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

static unsigned char message[256];
static size_t message_length;

static void add(const void *octets, size_t length)
{
	if (message_length + length > sizeof(message))
		errx(1, "advertisement too long");
	memcpy(message + message_length, octets, length);
	message_length += length;
}

static void add_prefix(const char *text, const char *router)
{
	struct nd_opt_prefix_info option = {
		.nd_opt_pi_type = ND_OPT_PREFIX_INFORMATION,
		.nd_opt_pi_len = 4,
		.nd_opt_pi_flags_reserved = ND_OPT_PI_FLAG_ONLINK | ND_OPT_PI_FLAG_AUTO,
		.nd_opt_pi_valid_time = htonl(86400),
		.nd_opt_pi_preferred_time = htonl(14400),
	};
	char prefix[INET6_ADDRSTRLEN + 4];
	char *slash;

	snprintf(prefix, sizeof(prefix), "%s", text);
	slash = strchr(prefix, '/');
	if (!slash)
		errx(1, "%s: say PREFIX/LEN", text);
	*slash = 0;
	option.nd_opt_pi_prefix_len = (uint8_t)atoi(slash + 1);
	if (router)
		option.nd_opt_pi_flags_reserved |= 0x20; /* R */
	if (inet_pton(AF_INET6, router ? router : prefix, &option.nd_opt_pi_prefix) != 1)
		errx(1, "%s: not an IPv6 address", router ? router : prefix);
	add(&option, sizeof(option));
}

static void build(int fd, const char *device, const char *prefix, const char *router, const char *home_agent,
		  unsigned interval)
{
	struct nd_router_advert head = { 0 };
	struct ifreq request = { 0 };
	unsigned char link_address[8] = { ND_OPT_SOURCE_LINKADDR, 1 };
	unsigned char advertisement_interval[8] = { 7, 1 };
	uint32_t value = htonl(interval);

	head.nd_ra_type = ND_ROUTER_ADVERT;
	head.nd_ra_curhoplimit = 64;
	head.nd_ra_flags_reserved = home_agent ? 0x20 : 0; /* H */
	head.nd_ra_router_lifetime = htons(1800);
	add(&head, sizeof(head));

	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", device);
	if (ioctl(fd, SIOCGIFHWADDR, &request))
		err(1, "%s", device);
	memcpy(link_address + 2, request.ifr_hwaddr.sa_data, 6);
	add(link_address, sizeof(link_address));
	add_prefix(prefix, router);
	if (interval) {
		memcpy(advertisement_interval + 4, &value, 4);
		add(advertisement_interval, sizeof(advertisement_interval));
	}
	if (home_agent) {
		unsigned lifetime, preference;
		unsigned char option[8] = { 8, 1 };

		if (sscanf(home_agent, "%u,%u", &lifetime, &preference) != 2)
			errx(1, "%s: say LIFETIME,PREFERENCE", home_agent);
		option[4] = (unsigned char)(preference >> 8);
		option[5] = (unsigned char)preference;
		option[6] = (unsigned char)(lifetime >> 8);
		option[7] = (unsigned char)lifetime;
		add(option, sizeof(option));
	}
}

static void send_advertisement(int fd, unsigned index)
{
	struct sockaddr_in6 all_nodes = { .sin6_family = AF_INET6, .sin6_scope_id = index };

	inet_pton(AF_INET6, "ff02::1", &all_nodes.sin6_addr);
	if (sendto(fd, message, message_length, 0, (void *)&all_nodes, sizeof(all_nodes)) < 0)
		warn("sending an advertisement");
}

int main(int argc, char **argv)
{
	const char *device = NULL, *prefix = NULL, *router = NULL, *home_agent = NULL;
	unsigned interval = 1000, index;
	struct icmp6_filter filter;
	struct ipv6_mreq group = { 0 };
	struct itimerspec timer = { 0 };
	struct pollfd fds[2];
	int fd, option, hops = 255;

	while ((option = getopt(argc, argv, "i:p:t:r:H:")) != -1) {
		switch (option) {
		case 'i': device = optarg; break;
		case 'p': prefix = optarg; break;
		case 't': interval = (unsigned)atoi(optarg); break;
		case 'r': router = optarg; break;
		case 'H': home_agent = optarg; break;
		default: return 2;
		}
	}
	if (!device || !prefix)
		errx(2, "usage: raresponder -i DEVICE -p PREFIX/LEN [-t MS] [-r ADDRESS] [-H LIFETIME,PREFERENCE]");
	index = if_nametoindex(device);
	if (!index)
		err(1, "%s", device);
	fd = socket(AF_INET6, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_ICMPV6);
	if (fd < 0)
		err(1, "raw socket");
	ICMP6_FILTER_SETBLOCKALL(&filter);
	ICMP6_FILTER_SETPASS(ND_ROUTER_SOLICIT, &filter);
	group.ipv6mr_interface = index;
	inet_pton(AF_INET6, "ff02::2", &group.ipv6mr_multiaddr);
	if (setsockopt(fd, IPPROTO_ICMPV6, ICMP6_FILTER, &filter, sizeof(filter)) ||
	    setsockopt(fd, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, &hops, sizeof(hops)) ||
	    setsockopt(fd, IPPROTO_IPV6, IPV6_MULTICAST_IF, &index, sizeof(index)) ||
	    setsockopt(fd, IPPROTO_IPV6, IPV6_JOIN_GROUP, &group, sizeof(group)) ||
	    setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, device, (socklen_t)strlen(device) + 1))
		err(1, "socket options");
	build(fd, device, prefix, router, home_agent, interval);

	fds[0] = (struct pollfd){ .fd = fd, .events = POLLIN };
	fds[1] = (struct pollfd){ .fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC), .events = POLLIN };
	if (interval) {
		timer.it_interval.tv_sec = interval / 1000;
		timer.it_interval.tv_nsec = interval % 1000 * 1000000L;
		timer.it_value.tv_nsec = 1;
	}
	timerfd_settime(fds[1].fd, 0, &timer, NULL);
	for (;;) {
		unsigned char packet[1500];

		if (poll(fds, 2, -1) < 0 && errno != EINTR)
			err(1, "poll");
		if (fds[0].revents & POLLIN) {
			ssize_t n = recv(fd, packet, sizeof(packet), 0);

			if (n >= 8 && packet[0] == ND_ROUTER_SOLICIT)
				send_advertisement(fd, index);
		}
		if (fds[1].revents & POLLIN) {
			if (read(fds[1].fd, packet, 8) == 8)
				send_advertisement(fd, index);
		}
	}
}
