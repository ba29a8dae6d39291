"""A mobile router walks home -> link 1 -> link 2 -> home with three hosts behind it, which know nothing of that: a UDP
stream each way and a TCP session for each of them. In the end some lies, which must not pass."""

import signal
import socket

from homebound_lab import capture, daemons, flows, handovers, ipsec, packets
from homebound_lab.headers import IPV6
from homebound_lab.picture import CORRESPONDENT, HOME_ADDRESS, HOME_AGENT, PREFIXES, Picture
from homebound_lab.scenario import Key

TITLE = "a mobile router moves with three hosts behind it; what do they notice?"
KEYS = {
    "rtt": Key(100, "round trip between the mobile router and its home agent, in ms"),
    "mode": Key("implicit", "who knows the prefixes: the home agent alone, or the binding updates too",
                ("implicit", "explicit")),
    "moves": Key(9, "how many moves"),
    "down_ms": Key(20, "how long there is no link at all, in ms"),
    "interval_us": Key(2000, "interval of the UDP streams, in us"),
}
LIMIT = 300
TOLERANCE = 20
WALK = ("home", "link1", "link2")
NETWORK, LAN = "2001:db8:100::/56", "2001:db8:100:1::"
HOSTS = {f"h{n}": f"{LAN}1{n}" for n in (1, 2, 3)}
# of another mobile router, which is not there
OTHER_HOME, OTHER_NETWORK, OTHER_HOST = "2001:db8:1::102", "2001:db8:200::/56", "2001:db8:200:1::1"
UNUSED = "2001:db8:100:77::1"  # in a subnet of the network that is nowhere
LIES_PORT, LATE_PORT = 5999, 5998


def setup(lab):
    k = lab.keys
    net = Picture(lab, rtt_ms=k.rtt)
    lan(lab, net)
    capture.start(lab, net.capture_points())
    net.ha_daemon = daemons.home_agent(lab, net, networks=[NETWORK], more=(
        f'\tmobile_routers = ( {{ home_address = "{HOME_ADDRESS}"; prefixes = ( "{NETWORK}" ); }},\n'
        f'\t\t{{ home_address = "{OTHER_HOME}"; prefixes = ( "{OTHER_NETWORK}" ); }} );\n'))
    # At home the mobile router is a router like any other.
    net.ha.ip(f"route add {NETWORK} via {HOME_ADDRESS} dev home0\n")
    net.core.ip("".join(f"route add {n} via 2001:db8:f:1::2\n" for n in (NETWORK, OTHER_NETWORK)))
    net.attach("home")
    net.mn_daemon = daemons.mobile_node(lab, net, more=(
        f'\tmobile_router = {{ prefixes = ( "{NETWORK}" ); mode = "{k.mode}"; ingress = ( "eth1" ); }};\n'),
        networks=[NETWORK])
    for address in (HOME_ADDRESS, *HOSTS.values()):
        lab.until(lambda: not net.cn.popen(["ping", "-n", "-c", "1", "-W", "1", address], stdout=-3).wait(),
                  20, f"an answer from {address}")
    return net


def lan(lab, net):
    """The mobile network: one link, the mobile router's eth1 and three hosts."""
    net.air.ip("link add dev lan type bridge stp_state 0 forward_delay 0 mcast_snooping 0\nlink set lan up\n")
    net.hosts = {name: lab.host(name) for name in HOSTS}
    for name, host in (("router", net.mn), *net.hosts.items()):
        device = "eth1" if host is net.mn else "eth0"
        lab.cable(host, device, net.air, f"l-{name}")
        net.air.ip(f"link set l-{name} master lan up\n")
        address = LAN + "1" if host is net.mn else HOSTS[name]
        host.ip(f"addr add {address}/64 dev {device} nodad\nlink set {device} up\n")
        if host is not net.mn:
            host.ip(f"route add default via {LAN}1\n")
    net.mn.interfaces.remove("eth1")  # none that leads out


def stay(k):
    return 1 + 4 * k.rtt / 1000


def streams(lab, net):
    made = []
    for n, (name, address) in enumerate(HOSTS.items()):
        host, port = net.hosts[name], 5000 + 10 * n
        made += [flows.Stream(lab, f"down-{name}", net.cn, host, address, port + 1, interval_us=lab.keys.interval_us),
                 flows.Stream(lab, f"up-{name}", host, net.cn, CORRESPONDENT, port + 2, source=address,
                              interval_us=lab.keys.interval_us)]
    return made


def run(lab):
    net = setup(lab)
    k = lab.keys
    udp = streams(lab, net)
    tcp = [flows.Transfer(lab, f"tcp-{name}", net.hosts[name], net.cn, CORRESPONDENT, 5003 + 10 * n)
           for n, name in enumerate(HOSTS)]
    lab.facts["moves"] = []
    for number in range(k.moves):
        lab.sleep(stay(k) + lab.random.random())
        move = net.move(WALK[(number + 1) % 3], down_ms=k.down_ms)
        lab.facts["moves"].append(move)
        lab.say(f"move {number + 1}: {move['from']} -> {move['to']}")
    lab.sleep(stay(k) + 1)
    for stream in udp:
        stream.stop_sending()
    lab.sleep(1 + 2 * k.rtt / 1000)
    for transfer in tcp:
        transfer.finish()
    for stream in udp:
        stream.stop()
    # Whatever comes now is no matter of the figures.
    lab.facts["moves_end"] = lab.now()
    if net.place["wlan0"] == "home":
        net.move("link1", down_ms=k.down_ms)
    kills(lab, net)
    late(lab, net)
    lies(lab, net)
    lab.facts["stats"] = {"home_agent": net.ha_daemon.ask("stats"), "mobile_router": net.mn_daemon.ask("stats")}
    for daemon in (net.mn_daemon, net.ha_daemon):
        lab.check(daemon.alive(), f"{daemon.name} died")
    forgotten(lab, net)
    forwarding(lab, net)


# --- kill -9

def answers(net):
    """How many hosts of the network answer the correspondent."""
    pings = [net.cn.popen(["ping", "-n", "-c", "1", "-W", "1", a], stdout=-3) for a in HOSTS.values()]
    return sum(p.wait() == 0 for p in pings)


def kills(lab, net):
    """The network is reached while a daemon is dead, and after it was started again, without a new Binding Update."""
    lab.until(lambda: net.mn_daemon.registration()[0] == "registered", 20, "the registration")
    for daemon in (net.ha_daemon, net.mn_daemon):
        before = net.ha_daemon.ask("bindings")[0]
        daemon.kill()
        lab.check(answers(net) == len(HOSTS), f"the network is not reached while {daemon.name} is dead")
        daemon.start()
        lab.check(answers(net) == len(HOSTS), f"the network is not reached after {daemon.name} was killed")
        after = (net.ha_daemon.ask("bindings") or [{}])[0]
        lab.check(after.get("networks") == before["networks"] == [NETWORK],
                  f"{daemon.name} was killed: the networks are {after.get('networks')}, they were {before['networks']}")
    lab.holds_within(lambda: net.mn_daemon.registration()[0] == "registered", 20, "the registration after the kills")
    other = "link2" if net.place["wlan0"] == "link1" else "link1"
    net.move(other, down_ms=lab.keys.down_ms)
    lab.holds_within(lambda: answers(net) == len(HOSTS), 5, "an answer of all hosts after a move after the kills")


# --- a home agent that is slow

def late(lab, net):
    """What the hosts send right behind a Binding Update waits for a home agent that has not read it yet."""
    count, pause = 20, 0.004
    lab.sleep(5)
    target = net.cn.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    target.bind((CORRESPONDENT, LATE_PORT))
    source = net.hosts["h2"].socket(socket.AF_INET6, socket.SOCK_DGRAM)
    before = net.ha_daemon.ask("stats")["tunnel"]
    net.move("link1" if net.place["wlan0"] == "link2" else "link2", down_ms=lab.keys.down_ms)
    net.ha_daemon.process.popen.send_signal(signal.SIGSTOP)
    for number in range(count):
        source.sendto(str(number).encode(), (CORRESPONDENT, LATE_PORT))
        lab.sleep(pause)
    lab.sleep(lab.keys.rtt / 2000)
    net.ha_daemon.process.popen.send_signal(signal.SIGCONT)
    lab.sleep(1 + lab.keys.rtt / 1000)
    target.setblocking(False)
    came = []
    while True:
        try:
            came.append(int(target.recv(100)))
        except BlockingIOError:
            break
    after = net.ha_daemon.ask("stats")["tunnel"]
    lab.facts["late"] = {"came": came, "before": before, "after": after}
    lab.check(came == list(range(count)), f"of {count} packets behind a Binding Update these came: {came}")
    # In ESP they need not wait: the SA says whose they are.
    lab.check(ipsec.protects_payload(lab) or after["released"] - before["released"] >= count / 2,
              f"{after['released'] - before['released']} packets were held and let go")
    for s in (source, target):
        s.close()


# --- what must not pass

def lies(lab, net):
    lab.until(lambda: net.mn_daemon.registration()[0] == "registered", 20, "the registration")
    lab.sleep(4)  # pairs that were left are forgotten after three seconds
    care_of = net.mn_daemon.registration()[1]
    binding = next(b for b in net.ha_daemon.ask("bindings") if b["home_address"] == HOME_ADDRESS)
    lab.facts["binding"] = binding
    lab.facts["status"] = net.mn_daemon.ask("status")["mobile_node"]
    target = net.cn.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    target.bind((CORRESPONDENT, LIES_PORT))
    dropped = {}
    for name, send in lie_list(lab, net, care_of).items():
        before = net.ha_daemon.ask("stats")["tunnel"]["dropped"]
        send(name)
        lab.sleep(0.6 + lab.keys.rtt / 1000)
        dropped[name] = net.ha_daemon.ask("stats")["tunnel"]["dropped"] - before
    target.setblocking(False)
    came = []
    while True:
        try:
            came.append(target.recv(2048).decode().rstrip("."))
        except BlockingIOError:
            break
    lab.facts["lies"] = {"came": came, "dropped": dropped}
    protected = ipsec.protects_payload(lab)  # nothing is believed that is tunnelled without ESP
    lab.check(sorted(came) == ["honest", "honest-tunnelled"][:1 if protected else 2], f"these came through: {came}")
    for name in () if protected else ("other-network", "outside"):
        lab.check(dropped[name] == 1, f"{name}: dropped at the home agent grew by {dropped[name]}")
    for name in ("foreign-source", "honest", "honest-tunnelled"):
        lab.check(dropped[name] == 0, f"{name}: dropped at the home agent grew by {dropped[name]}")
    target.close()
    loop(lab, net)


def lie_list(lab, net, care_of):
    from scapy.layers.inet import UDP
    from scapy.layers.inet6 import IPv6

    def datagram(source, name):
        return IPv6(src=source, dst=CORRESPONDENT) / UDP(sport=LIES_PORT, dport=LIES_PORT) / name.encode().ljust(24, b".")

    def by_host(source):
        """From a host of the mobile network to its router."""
        return lambda name: raw(net.hosts["h1"], "eth0", mac(net.mn, "eth1"), datagram(source, name))

    def by_router(source):
        """Right from the mobile router's interface, tunnelled from its care-of address."""
        place = net.host_of(net.place["wlan0"])
        return lambda name: raw(net.mn, "wlan0", mac(place, "lan0"),
                                IPv6(src=care_of, dst=HOME_AGENT) / datagram(source, name))

    return {"honest": by_host(HOSTS["h1"]), "foreign-source": by_host("2001:db8:c::77"),
            "foreign-network": by_host(OTHER_HOST), "home-address": by_host(HOME_ADDRESS),
            "honest-tunnelled": by_router(HOSTS["h1"]), "other-network": by_router(OTHER_HOST),
            "outside": by_router("2001:db8:100:100::1")}


def mac(host, device):
    return host.command(["ip", "link", "show", device]).split("link/ether ")[1].split()[0]


def raw(host, device, to, packet):
    host.lab.facts.setdefault("forged", []).append(bytes(packet).hex())
    with host.socket(socket.AF_PACKET, socket.SOCK_RAW) as wire:
        wire.bind((device, 0x86DD))
        wire.send(bytes.fromhex(to.replace(":", "")) + wire.getsockname()[4] + b"\x86\xdd" + bytes(packet))


def loop(lab, net):
    """A packet for an address of the network that nobody has, and one for a network whose router is not there."""
    lab.facts["loop_at"] = lab.now()
    for address in (UNUSED, OTHER_HOST):
        answer = net.cn.command(["ping", "-n", "-c", "1", "-W", "5", address], check=False)
        lab.check("nreachable" in answer or "No route" in answer, f"no answer for {address}: {answer}")
    lab.facts["loop_end"] = lab.now()


def forgotten(lab, net):
    """A home agent that was killed and has no mobile routers any more leaves nothing of them in the kernel."""
    def traces():
        text = net.ha.command(["ip", "-6", "route", "show"]) + net.ha.command(["nft", "list", "table", "ip6", "mip6d"])
        return [line.strip() for line in text.splitlines()
                if "2001:db8:100::" in line and "via" not in line or "unreachable 2001:db8:200::" in line or
                "0x20010db80100" in line]

    lab.check(len(traces()) == 4, f"routes and elements of the networks: {traces()}")
    net.ha_daemon.kill()
    with open(net.ha_daemon.conf) as f:
        lines = f.read().splitlines()
    with open(net.ha_daemon.conf, "w") as f:
        f.writelines(line + "\n" for line in lines if NETWORK not in line and OTHER_NETWORK not in line)
    net.ha_daemon.start()
    lab.holds_within(lambda: not traces(), 5, "nothing is left of the networks")
    lab.check(not traces(), f"this is left of the networks: {traces()}")


def forwarding(lab, net):
    """A router inside, a host outside; and all of it is put back."""
    def settings():
        return {d: net.mn.read(f"/proc/sys/net/ipv6/conf/{d}/forwarding").strip() for d in ("all", "eth1", "wlan0")}

    lab.facts["forwarding"] = settings()
    lab.check(settings() == {"all": "1", "eth1": "1", "wlan0": "0"}, f"forwarding is {settings()}")
    net.mn_daemon.stop()
    left = net.mn.command(["ip", "-6", "rule", "show"]) + net.mn.command(["ip", "-6", "route", "show", "table", "all"])
    lab.check(settings() == {"all": "0", "eth1": "0", "wlan0": "0"}, f"forwarding is {settings()} after the end")
    lab.check("2001:db8:100::/56" not in left, f"this is left after the end: {left}")
    lab.holds_within(lambda: "2001:db8:100::/56 encap" not in net.ha.command(["ip", "-6", "route", "show"]), 5,
                     "the home agent forgets the network")


# --- judging

def judge(e):
    moves = e.facts["moves"]
    total = {"lost": 0, "duplicated": 0, "lost_on_old_link": 0, "sent": 0}
    gaps = {}
    for name, address in HOSTS.items():
        h = handovers.Handovers(e, moves, downlink=f"down-{name}", uplink=f"up-{name}", home=address)
        losses = h.losses()
        total["lost_on_old_link"] += losses.pop("lost_on_old_link", 0)
        total["lost"] += sum(losses.values())
        total["duplicated"] += sum(log.repeated for log in h.logs.values())
        total["sent"] += sum(log.sent for log in h.logs.values())
        e.check(not losses, f"{name}: packets lost that were not on an abandoned link: {losses}")
        for figure, values in h.gaps().items():
            gaps.setdefault(figure, []).append(values)
        wrong = flows.whole(e.facts["transfers"][f"tcp-{name}"])
        e.check(not wrong, f"{name}: {wrong}")
    e.figures.update(total)
    e.check(not total["duplicated"], f"{total['duplicated']} packets arrived more than once")
    judge_gaps(e, moves, gaps)
    judge_signalling(e)
    judge_loop(e)


def judge_gaps(e, moves, gaps):
    """The worst of the three hosts, as in handover."""
    away = [0 if m["to"] == "home" else e.keys.rtt for m in moves]
    for name, wanted in (("downlink_sent_ms", [r / 2 for r in away]), ("downlink_gap_ms", away),
                         ("uplink_gap_ms", [0] * len(moves))):
        worst = [None if None in at else max(at) for at in zip(*gaps[name])]
        e.figures[name] = worst
        if e.check(None not in worst, f"{name}: no figure at moves {[i + 1 for i, v in enumerate(worst) if v is None]}"):
            e.near(name, worst, wanted, TOLERANCE)


def judge_signalling(e):
    """As tshark reads it: the R flag, and the prefix in explicit mode alone."""
    path = packets.signalling_file(e.path("mn-wlan0.pcapng"))
    updates = packets.tshark(path, "mip6.mhtype == 5", "mip6.bu.lifetime", "mip6.nemo.bu.r_flag",
                             "mip6.nemo.mnp.mnp", "mip6.nemo.mnp.pfl")
    answers = packets.tshark(path, "mip6.mhtype == 6", "mip6.ba.status", "mip6.nemo.ba.r_flag", "frame.time_epoch")
    e.figures["updates"], e.figures["answers"] = len(updates), len(answers)
    e.check(len(updates) >= e.keys.moves and len(answers) >= e.keys.moves, "there are fewer updates than moves")
    for lifetime, r, prefix, length in updates:
        named = e.keys.mode == "explicit" and lifetime != "0"
        e.check(r in ("1", "True"), f"a binding update without R flag: {r}")
        e.check((prefix, length) == (("2001:db8:100::", "56") if named else ("", "")),
                f"lifetime {lifetime}: the prefix in the binding update is {prefix}/{length}")
    for status, r, time in answers:
        e.check(float(time) > e.facts["loop_end"] or status == "0" and r in ("1", "True"),
                f"an acknowledgement with status {status}, R flag {r}")
    h1 = packets.octets(HOSTS["h1"])
    # Not the many that name it last as destination, of the packet or of the one in the tunnel.
    path = packets.copy(e.path("core-ha.pcapng"), "h1", lambda frame: frame.rfind(h1) not in (-1, 38, 78))
    inside = packets.tshark(path, f"ipv6.nxt == 41 && ipv6.src == {HOSTS['h1']}", "frame.number")
    e.figures["tunnelled_from_h1"] = len(inside)
    e.check(inside, "nothing of h1 was tunnelled to the home agent")
    for place in ("link1", "link2"):
        lan = PREFIXES[place]
        path = packets.copy(e.path(f"{place}.pcapng"), "plain", lambda frame: packets.next_header(frame) != IPV6)
        plain = packets.tshark(path, "ipv6.nxt != 41 && ipv6.src == 2001:db8:100::/56 && udp",
                               "frame.number")
        e.check(not plain, f"{len(plain)} packets of the network left plain on {place} ({lan})")
    network = e.facts["binding"].get("networks")
    e.check(network == [NETWORK], f"the binding has the networks {network}")
    e.check(e.facts["status"].get("mobile_router", {}).get("prefixes") == [NETWORK], f"status: {e.facts['status']}")


def judge_loop(e):
    """Each comes to the home agent, goes into the tunnel once at most, and never comes back by it. (An error message
    has a copy of it, which does not count.)"""
    start, end = e.facts["loop_at"], e.facts["loop_end"]
    path = packets.signalling_file(e.path("core-ha.pcapng"))
    for address in (UNUSED, OTHER_HOST):
        seen = [row for row in packets.tshark(path, f"icmpv6.type == 128 && !(icmpv6.type == 1) && ipv6.dst == {address}",
                                              "frame.time_epoch") if start <= float(row[0]) <= end]
        e.figures[f"echo_to_{address}"] = len(seen)
        e.check(len(seen) <= 2, f"an echo request to {address} crossed the home agent's link {len(seen)} times")
