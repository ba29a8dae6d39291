"""A corpus of malformed packets, made with scapy, and a sender for it.

Every message exists whole once, and is then cut at each octet, gets each of its length fields wrong by one in both
directions, each of its options twice, and a wrong checksum. Messages that would be acceptable if they were whole
(an update or acknowledgement of the node's own binding) carry an old sequence number, so that none of them may
change anything.
"""

import socket
import struct

from .picture import HOME_ADDRESS, HOME_AGENT

MH, DSTOPTS, ROUTING, ICMPV6, NONE = 135, 60, 43, 58, 59
ATTACKER = "2001:db8:b::666"


def address(text):
    return socket.inet_pton(socket.AF_INET6, text)


def ones_complement(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def with_checksum(data, offset, protocol, source, destination):
    if len(data) < offset + 2:
        return data
    data = data[:offset] + b"\0\0" + data[offset + 2:]
    pseudo = address(source) + address(destination) + struct.pack(">II", len(data), protocol)
    return data[:offset] + struct.pack(">H", ones_complement(pseudo + data)) + data[offset + 2:]


def options_of(data, start, unit=1, fixed=2):
    """(offset, length with head) of the TLVs from start on."""
    found, at = [], start
    while at + 2 <= len(data):
        if unit == 1 and data[at] == 0:
            at += 1
            continue
        size = data[at + 1] * unit + (fixed if unit == 1 else 0)
        if size == 0 or at + size > len(data):
            break
        found.append((at, size))
        at += size
    return found


def variants(data, options_at, unit):
    """data, and what can be wrong with it. unit 1: mobility header, 8: ICMPv6 (no length of the whole)."""
    mobility = unit == 1
    yield data
    for cut in range(len(data)):
        yield data[:cut]
        if mobility and cut >= 8:  # also with a length that says so, as far as it can
            yield data[:1] + bytes([cut // 8 - 1]) + data[2:cut]
    if mobility:
        for wrong in (data[1] - 1, data[1] + 1, 0, 255):
            yield data[:1] + bytes([wrong & 255]) + data[2:]
        for kind in range(256):  # every type, most of them unknown
            yield data[:2] + bytes([kind]) + data[3:] if kind not in (5, 6) else data[:2] + bytes([kind]) + data[3:8]
        yield bytes([6]) + data[1:]  # something behind it
    options = options_of(data, options_at, unit)
    for at, size in options:
        for wrong in (data[at + 1] - 1, data[at + 1] + 1, 0, 255):
            yield data[:at + 1] + bytes([wrong & 255]) + data[at + 2:]
        yield grown(data[:at + size] + data[at:], mobility)
    if options:
        yield grown(data + data[options_at:], mobility)


def grown(data, mobility):
    """Padded to 8 octets, with the header's length right again."""
    if not mobility:
        return data
    data += b"\0" * (-len(data) % 8)
    return data[:1] + bytes([min(255, len(data) // 8 - 1)]) + data[2:]


def mobility_messages(sequence, care_of):
    """Whole mobility headers by scapy: [(bytes, offset of the options)]."""
    from scapy.layers import inet6 as s
    old = (sequence - 3) % 65536
    alternate = s.MIP6OptAltCoA(acoa=care_of)
    options = [alternate, s.MIP6OptNonceIndices(hni=1, coni=2), s.MIP6OptBindingAuthData(authenticator=1 << 90)]
    built = [
        (s.MIP6MH_BU(seq=old, flags="AH", mhtime=150, options=[alternate]), 12),
        (s.MIP6MH_BU(seq=old, flags="AHLK", mhtime=0xffff, options=options), 12),
        (s.MIP6MH_BA(status=0, seq=old, mhtime=150, options=[s.MIP6OptBRAdvice(rinter=10)]), 12),
        (s.MIP6MH_BA(status=129, seq=old, mhtime=0), 12),
        (s.MIP6MH_BRR(), 8),
        (s.MIP6MH_HoTI(cookie=b"\1" * 8), 16), (s.MIP6MH_CoTI(cookie=b"\2" * 8), 16),
        (s.MIP6MH_HoT(index=1, cookie=b"\1" * 8, token=b"\3" * 8), 24),
        (s.MIP6MH_CoT(index=1, cookie=b"\2" * 8, token=b"\4" * 8), 24),
        (s.MIP6MH_BE(status=1, ha="2001:db8::1"), 24), (s.MIP6MH_BE(status=2, ha="::"), 24),
    ]
    return [(bytes(s.IPv6(src=care_of, dst=HOME_AGENT) / message)[40:], at) for message, at in built]


def ip6(source, destination, next_header, payload, hops=64):
    return struct.pack(">IHBB", 0x60000000, len(payload), next_header, hops) + address(source) + address(destination) + \
        payload


def home_address_option(home_address, next_header=MH):
    return bytes([next_header, 2, 1, 2, 0, 0, 0xC9, 16]) + address(home_address)


def routing_header(home_address, next_header=MH):
    return bytes([next_header, 2, 2, 1, 0, 0, 0, 0]) + address(home_address)


def carried(extension, message):
    """The extension header whole, and with each of its octets that is a length, count or type wrong by one."""
    yield extension + message
    for at in (1, 2, 3, 7):
        for change in (-1, 1):
            yield extension[:at] + bytes([(extension[at] + change) & 255]) + extension[at + 1:] + message


def for_home_agent(care_of, sequence):
    """IPv6 packets from an attacker on link 2 (its router lets no other source pass)."""
    found = []
    for message, at in mobility_messages(sequence, care_of):
        for data in variants(message, at, 1):
            right = with_checksum(data, 4, MH, HOME_ADDRESS, HOME_AGENT)
            found.append(ip6(ATTACKER, HOME_AGENT, DSTOPTS, home_address_option(HOME_ADDRESS) + right))
        plain = with_checksum(message, 4, MH, ATTACKER, HOME_AGENT)
        found.append(ip6(ATTACKER, HOME_AGENT, MH, plain))
        found.append(ip6(ATTACKER, HOME_AGENT, DSTOPTS, home_address_option(HOME_ADDRESS) + message[:4] + b"\x12\x34" +
                         message[6:]))
        whole = with_checksum(message, 4, MH, HOME_ADDRESS, HOME_AGENT)
        found += [ip6(ATTACKER, HOME_AGENT, DSTOPTS, packet)
                  for packet in carried(home_address_option(HOME_ADDRESS), whole)]
        for foreign in ("2001:db8:77::1", "ff02::1", "::", "::1", "fe80::1", HOME_AGENT, ATTACKER):
            right = with_checksum(message, 4, MH, foreign, HOME_AGENT)
            found.append(ip6(ATTACKER, HOME_AGENT, DSTOPTS, home_address_option(foreign) + right))
    for kind in (144, 146):  # home agent discovery request, prefix solicitation
        whole = struct.pack(">BBHHH", kind, 0, 0, 1, 0)
        for data in variants(whole, 8, 8):
            found.append(ip6(ATTACKER, HOME_AGENT, ICMPV6, with_checksum(data, 2, ICMPV6, ATTACKER, HOME_AGENT)))
    return found


def advertisements():
    """Router advertisements and other neighbour discovery, whole: [(bytes, offset of the options)]. The prefix is
    not the link's, and the lifetimes are zero, so that a whole one changes nothing that matters."""
    from scapy.layers import inet6 as s
    head = s.ICMPv6ND_RA(routerlifetime=0)
    prefix = s.ICMPv6NDOptPrefixInfo(prefix="2001:db8:66::", prefixlen=64, L=1, A=1, R=1, validlifetime=0,
                                     preferredlifetime=0)
    router = head / s.ICMPv6NDOptSrcLLAddr(lladdr="02:66:66:66:66:66") / prefix / \
        s.ICMPv6NDOptAdvInterval(advint=1000) / s.ICMPv6NDOptHAInfo(pref=1, lifetime=1) / s.ICMPv6NDOptMTU(mtu=1280)
    address_of = s.ICMPv6NDOptDstLLAddr(lladdr="02:66:66:66:66:66")
    built = [(router, 16), (s.ICMPv6ND_NA(tgt="2001:db8:66::1") / address_of, 24),
             (s.ICMPv6ND_NS(tgt="2001:db8:66::1") / s.ICMPv6NDOptSrcLLAddr(lladdr="02:66:66:66:66:66"), 24)]
    return [(bytes(s.IPv6(src="fe80::666", dst="ff02::1") / message)[40:], at) for message, at in built]


def for_mobile_node(care_of, sequence):
    """IPv6 packets from an attacker on the node's own link, who may send with any source."""
    found = []
    for message, at in mobility_messages(sequence, care_of):
        for data in variants(message, at, 1):
            right = with_checksum(data, 4, MH, HOME_AGENT, HOME_ADDRESS)
            found.append(ip6(HOME_AGENT, care_of, ROUTING, routing_header(HOME_ADDRESS) + right))
        whole = with_checksum(message, 4, MH, HOME_AGENT, HOME_ADDRESS)
        found += [ip6(HOME_AGENT, care_of, ROUTING, packet) for packet in carried(routing_header(HOME_ADDRESS), whole)]
        found.append(ip6(HOME_AGENT, care_of, MH, with_checksum(message, 4, MH, HOME_AGENT, care_of)))
        found.append(ip6(HOME_AGENT, care_of, ROUTING, routing_header(HOME_ADDRESS) + message[:4] + b"\x12\x34" +
                         message[6:]))
    for whole, at in advertisements():
        for data in variants(whole, at, 8):
            right = with_checksum(data, 2, ICMPV6, "fe80::666", "ff02::1")
            found.append(ip6("fe80::666", "ff02::1", ICMPV6, right, hops=255))
        found.append(ip6("fe80::666", "ff02::1", ICMPV6, with_checksum(whole, 2, ICMPV6, "fe80::666", "ff02::1"), hops=64))
    for kind in (145, 147):  # home agent discovery reply, prefix advertisement
        whole = struct.pack(">BBHHH", kind, 0, 0, 1, 0) + bytes(8) + address("2001:db8:1::1000")
        for data in variants(whole, 8, 8):
            found.append(ip6(HOME_AGENT, care_of, ICMPV6, with_checksum(data, 2, ICMPV6, HOME_AGENT, care_of)))
    return found


def send(lab, host, device, mac, corpus, per_second):
    """Frames to a neighbour (multicast: to its group), paced. Returns how many."""
    sock = host.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    sock.bind((device, 0))
    own, peer = b"\x02\x66\x66\x66\x66\x66", bytes.fromhex(mac.replace(":", ""))
    for number, packet in enumerate(corpus):
        to = b"\x33\x33" + packet[36:40] if packet[24] == 0xFF else peer
        sock.send(to + own + b"\x86\xdd" + packet)
        if number % 10 == 9:
            lab.sleep(10 / per_second)
    sock.close()
    return len(corpus)
