/*
 * capture: all packets of an interface into a pcapng file.
 *
 *   capture -i DEVICE -w FILE [-s OCTETS-OF-EACH-PACKET]
 *
 * Prints "capturing" when it sees every packet, and at SIGINT or SIGTERM "N packets, M dropped".
 *
 * Instead of dumpcap, which makes two system calls for each packet: half of all that a lab machine made. The kernel
 * writes packets into blocks of a ring (packet(7), TPACKET_V3) and hands over one that is full, or PATIENCE_MS old.
 */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BLOCK_SIZE = 1 << 16, BLOCKS = 16, PATIENCE_MS = 250 };
/* draft-ietf-opsawg-pcapng: section 4.1, 4.2, 4.3 */
enum { SECTION = 0x0A0D0D0A, INTERFACE = 1, ENHANCED_PACKET = 6, BYTE_ORDER_MAGIC = 0x1A2B3C4D, ETHERNET = 1, IF_TSRESOL = 9 };

struct enhanced_packet {
	uint32_t type, length, interface, time_high, time_low, captured, original;
};

struct capture {
	int fd, out;
	unsigned char *ring;
	unsigned next; /* block that the kernel hands over next */
	uint64_t packets;
};

static void write_all(int fd, const void *data, size_t size)
{
	for (const unsigned char *p = data; size;) {
		ssize_t n = write(fd, p, size);

		if (n < 0)
			err(1, "write");
		p += n;
		size -= (size_t)n;
	}
}

static void write_head(int fd, uint32_t snaplen)
{
	const uint32_t section[7] = { SECTION, 28, BYTE_ORDER_MAGIC, 1, UINT32_MAX, UINT32_MAX, 28 }; /* length unknown */
	const uint32_t interface[8] = { INTERFACE, 32, ETHERNET, snaplen, IF_TSRESOL | 1 << 16, 9, 0, 32 };

	write_all(fd, section, sizeof(section));
	write_all(fd, interface, sizeof(interface));
}

/* Attached before the socket is bound, so that no packet comes in longer than that. */
static void cut_packets(int fd, uint32_t snaplen)
{
	struct sock_filter all = BPF_STMT(BPF_RET | BPF_K, snaplen);
	struct sock_fprog program = { .len = 1, .filter = &all };

	if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)))
		err(1, "filter");
}

static void open_ring(struct capture *c, const char *device, uint32_t snaplen)
{
	int version = TPACKET_V3;
	struct tpacket_req3 ring = { .tp_block_size = BLOCK_SIZE, .tp_block_nr = BLOCKS, .tp_frame_size = 2048,
				     .tp_frame_nr = BLOCK_SIZE / 2048 * BLOCKS, .tp_retire_blk_tov = PATIENCE_MS };
	struct sockaddr_ll address = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL),
				       .sll_ifindex = (int)if_nametoindex(device) };
	struct packet_mreq promiscuous = { .mr_ifindex = address.sll_ifindex, .mr_type = PACKET_MR_PROMISC };

	if (!address.sll_ifindex)
		err(1, "%s", device);
	c->fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	if (c->fd < 0 || setsockopt(c->fd, SOL_PACKET, PACKET_VERSION, &version, sizeof(version)) ||
	    setsockopt(c->fd, SOL_PACKET, PACKET_RX_RING, &ring, sizeof(ring)))
		err(1, "packet socket");
	c->ring = mmap(NULL, (size_t)BLOCK_SIZE * BLOCKS, PROT_READ | PROT_WRITE, MAP_SHARED, c->fd, 0);
	if (c->ring == MAP_FAILED)
		err(1, "ring");
	cut_packets(c->fd, snaplen);
	if (bind(c->fd, (void *)&address, sizeof(address)) ||
	    setsockopt(c->fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &promiscuous, sizeof(promiscuous)))
		err(1, "%s", device);
}

/* Room for block_done(): what the kernel's header of a packet takes is more than what pcapng's does. */
_Static_assert(sizeof(struct enhanced_packet) + 4 + 3 <= sizeof(struct tpacket3_hdr), "a block grows when it is written");

static size_t put_packet(unsigned char *to, const struct tpacket3_hdr *p)
{
	uint64_t time = (uint64_t)p->tp_sec * 1000000000u + p->tp_nsec;
	uint32_t padded = (p->tp_snaplen + 3) / 4 * 4, length = (uint32_t)sizeof(struct enhanced_packet) + padded + 4;
	struct enhanced_packet head = { ENHANCED_PACKET, length, 0, (uint32_t)(time >> 32), (uint32_t)time, p->tp_snaplen,
					p->tp_len };

	memcpy(to, &head, sizeof(head));
	memset(to + sizeof(head) + padded - 4 * (padded > 0), 0, 4 * (padded > 0));
	memcpy(to + sizeof(head), (const unsigned char *)p + p->tp_mac, p->tp_snaplen);
	memcpy(to + sizeof(head) + padded, &length, sizeof(length));
	return length;
}

/* Writes what the kernel has handed over, and gives it back. */
static void take_blocks(struct capture *c)
{
	static unsigned char text[BLOCK_SIZE];

	for (;; c->next = (c->next + 1) % BLOCKS) {
		struct tpacket_block_desc *block = (void *)(c->ring + (size_t)c->next * BLOCK_SIZE);
		const unsigned char *at = (unsigned char *)block + block->hdr.bh1.offset_to_first_pkt;
		size_t size = 0;

		if (!(__atomic_load_n(&block->hdr.bh1.block_status, __ATOMIC_ACQUIRE) & TP_STATUS_USER))
			return;
		for (uint32_t n = 0; n < block->hdr.bh1.num_pkts; n++) {
			const struct tpacket3_hdr *p = (const void *)at;

			size += put_packet(text + size, p);
			at += p->tp_next_offset;
		}
		c->packets += block->hdr.bh1.num_pkts;
		write_all(c->out, text, size);
		__atomic_store_n(&block->hdr.bh1.block_status, TP_STATUS_KERNEL, __ATOMIC_RELEASE);
	}
}

static int stop_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC);
}

static void run(struct capture *c, int stop)
{
	struct pollfd fds[2] = { { .fd = c->fd, .events = POLLIN }, { .fd = stop, .events = POLLIN } };

	while (!fds[1].revents) {
		if (poll(fds, 2, -1) < 0 && errno != EINTR)
			err(1, "poll");
		if (fds[0].revents & POLLERR) { /* the interface went down; it may come up again */
			int error = 0;
			socklen_t size = sizeof(error);

			getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &error, &size);
			if (error && error != ENETDOWN)
				errx(1, "%s", strerror(error));
		}
		take_blocks(c);
	}
}

int main(int argc, char **argv)
{
	struct capture c = { .out = -1 };
	const char *device = NULL, *file = NULL;
	struct tpacket_stats_v3 counts = { 0 };
	socklen_t size = sizeof(counts);
	uint32_t snaplen = 65535;
	int stop, option;

	while ((option = getopt(argc, argv, "i:s:w:")) != -1) {
		switch (option) {
		case 'i': device = optarg; break;
		case 's': snaplen = (uint32_t)atoi(optarg); break;
		case 'w': file = optarg; break;
		default: return 2;
		}
	}
	if (!device || !file || !snaplen)
		errx(2, "capture -i DEVICE -w FILE [-s OCTETS]");
	stop = stop_signals();
	c.out = open(file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (c.out < 0)
		err(1, "%s", file);
	write_head(c.out, snaplen);
	open_ring(&c, device, snaplen);
	printf("capturing\n");
	fflush(stdout);
	run(&c, stop);
	if (getsockopt(c.fd, SOL_PACKET, PACKET_STATISTICS, &counts, &size))
		err(1, "statistics");
	printf("%llu packets, %u dropped\n", (unsigned long long)c.packets, counts.tp_drops);
	return 0;
}
