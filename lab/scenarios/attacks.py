"""What an attacker tries against correspondent and mobile node, and what must come of it.

`evil` sits on link 2, whose router lets no foreign source pass; `tap` sits on the node's own link and can say anything
there. Each attack is a function whose first line says what must happen; it returns None, or what went wrong. The
first one is no attack: it shows that the attacker's tools work, so that a refusal is one of the attack.
"""

import re
import socket

from homebound_lab import attacker, capture, daemons, flows
from homebound_lab import hostile_packets as raw
from homebound_lab.attacker import BA, BE, BRR, COT, COTI, HOT, HOTI, binding_update, header, kbm
from homebound_lab.lab import LabError
from homebound_lab.picture import CORRESPONDENT, HOME_ADDRESS, HOME_AGENT, Picture
from homebound_lab.scenario import Key

TITLE = "attacks on route optimization: forged, stolen, replayed, stale, circular, flooding"
KEYS = {
    "rtt": Key(20, "round trip between the node and the others, in ms"),
    "only": Key("all", "one attack alone, by its name"),
    "flood": Key(5000, "packets of a flood"),
}
LIMIT = 500
EVIL, EVIL2, VICTIM, TAP = "2001:db8:b::666", "2001:db8:b::667", "2001:db8:b::77", "2001:db8:a::666"
ATTACKS = []


def attack(f):
    ATTACKS.append(f)
    return f


# --- the place

def setup(lab):
    net = Picture(lab, rtt_ms=lab.keys.rtt)
    net.evil_host = net.on_link("evil", "link2", EVIL, EVIL2)
    net.victim = net.on_link("victim", "link2", VICTIM)
    net.tap_host = net.on_link("tap", "link1", TAP)
    capture.start(lab, net.capture_points())
    net.ha_daemon = daemons.home_agent(lab, net)
    net.cn_daemon = daemons.correspondent(lab, net)
    net.attach("link1")
    net.mn_daemon = daemons.mobile_node(lab, net)
    lab.until(lambda: net.mn_daemon.registration()[0] == "registered", 20, "the registration")
    net.care_of = net.mn_daemon.registration()[1]
    net.evil = attacker.Attacker(lab, net.evil_host, "eth0", net.ar2.mac_of("lan0"))
    net.tap = attacker.Attacker(lab, net.tap_host, "eth0", net.ar1.mac_of("lan0"))
    net.node_mac = net.mn.mac_of("wlan0")
    net.sequence = 0  # of the attacker's own Binding Updates
    return net


# --- what is looked at

def cache(net):
    """{home address: (care-of address, sequence number)} of the correspondent."""
    return {b["home_address"]: (b["care_of"], b["seq"]) for b in net.cn_daemon.ask("correspondent-bindings") or []}


def direct(net):
    return any(c["peer"] == CORRESPONDENT and c["path"] == "direct" for c in net.mn_daemon.ask("correspondents") or [])


def counters(daemon, part):
    return (daemon.ask("stats") or {}).get(part) or {}


def memory_kb(daemon):
    return int(re.search(r"VmRSS:\s+(\d+)", open(f"/proc/{daemon.process.pid}/status").read())[1])


def settle(lab, net):
    """The honest node's direct path, before each attack."""
    lab.until(lambda: direct(net), 90, "the direct path between attacks", longest=1)
    lab.sleep(0.3)
    net.evil.drain()
    net.tap.drain()


def unchanged(lab, net, send, wait=0.5):
    """Runs send(), gives it time, and says whether the correspondent's cache changed."""
    before = cache(net)
    send()
    lab.sleep(wait + lab.keys.rtt * 3 / 1000)
    after = cache(net)
    return None if after == before else f"the binding cache was {before} and is {after}"


def own_binding(net, lifetime_s=400, sequence=None, home=EVIL, care_of=EVIL2, key=None, indices=None, **more):
    """The attacker's own, honest Binding Update; without a number it is the next one."""
    if sequence is None:
        sequence = net.sequence = net.sequence + 100
    if key is None:
        key, indices = net.evil.tokens(home, care_of, CORRESPONDENT)
    net.evil.mobility(care_of, CORRESPONDENT, binding_update(sequence, lifetime_s, care_of, CORRESPONDENT, key, indices,
                                                            **more), home)
    return key, indices


def forget_own(lab, net, home=EVIL):
    """Ends the attacker's own binding, by the rules."""
    if home not in cache(net):
        return
    index, token = net.evil.test(HOTI, home, CORRESPONDENT)
    net.evil.mobility(home, CORRESPONDENT, binding_update(cache(net)[home][1] + 1, 0, home, CORRESPONDENT, kbm(token),
                                                          (index, 0)))
    lab.until(lambda: home not in cache(net), 5, "the end of the attacker's binding")


# --- Binding Updates

@attack
def tools_work(lab, net):
    """An honest exchange for addresses of one's own is accepted, moved and deleted."""
    own_binding(net)
    if not lab.holds_within(lambda: cache(net).get(EVIL, ("",))[0] == EVIL2, 3, "the attacker's honest binding"):
        return "an honest Binding Update was not accepted: no refusal below would mean anything"
    forget_own(lab, net)
    return None


@attack
def update_without_authenticator(lab, net):
    """A Binding Update without authorization changes nothing (9.5.1)."""
    return unchanged(lab, net, lambda: net.evil.mobility(
        EVIL, CORRESPONDENT, binding_update(cache(net)[HOME_ADDRESS][1] + 1, 400, EVIL, CORRESPONDENT), HOME_ADDRESS))


@attack
def update_with_wrong_authenticator(lab, net):
    """With nonces that are known, and a made-up authenticator: nothing (6.2.7)."""
    index, _ = net.evil.test(COTI, EVIL, CORRESPONDENT)
    return unchanged(lab, net, lambda: net.evil.mobility(
        EVIL, CORRESPONDENT, binding_update(cache(net)[HOME_ADDRESS][1] + 1, 400, EVIL, CORRESPONDENT, "wrong",
                                            (index, index)), HOME_ADDRESS))


@attack
def update_with_home_registration_flag(lab, net):
    """The H flag does not make a home agent of a correspondent, nor does it spare the authenticator."""
    return unchanged(lab, net, lambda: net.evil.mobility(
        EVIL, CORRESPONDENT, binding_update(cache(net)[HOME_ADDRESS][1] + 1, 400, EVIL, CORRESPONDENT, flags=0xC000),
        HOME_ADDRESS))


@attack
def care_of_token_alone(lab, net):
    """Who has the care-of keygen token of his own address and no home token gets nowhere (5.2.5)."""
    index, token = net.evil.test(COTI, EVIL, CORRESPONDENT)
    return unchanged(lab, net, lambda: [net.evil.mobility(
        EVIL, CORRESPONDENT, binding_update(cache(net)[HOME_ADDRESS][1] + 1, 400, EVIL, CORRESPONDENT, key, (index, index)),
        HOME_ADDRESS) for key in (kbm(bytes(8), token), kbm(token, token), kbm(token))])


@attack
def stolen_home_token(lab, net):
    """A home token of another home address authorizes nothing for this one."""
    key, indices = net.evil.tokens(EVIL2, EVIL, CORRESPONDENT)
    return unchanged(lab, net, lambda: net.evil.mobility(
        EVIL, CORRESPONDENT, binding_update(cache(net)[HOME_ADDRESS][1] + 1, 400, EVIL, CORRESPONDENT, key, indices),
        HOME_ADDRESS))


@attack
def tokens_of_another_care_of_address(lab, net):
    """Tokens tested for one care-of address do not send the traffic to another: the victim gets nothing (15.4.5)."""
    key, indices = net.evil.tokens(EVIL, EVIL2, CORRESPONDENT)

    def send():
        own_binding(net, care_of=EVIL2, key=key, indices=indices, alternate=VICTIM)
        # the authenticator counted for the victim's address as well
        net.evil.mobility(EVIL2, CORRESPONDENT, binding_update(101, 400, VICTIM, CORRESPONDENT, key, indices,
                                                              alternate=VICTIM), EVIL)
    return unchanged(lab, net, send)


@attack
def stale_tokens(lab, net):
    """Tokens older than MAX_NONCE_LIFETIME (240 s) are refused (5.2.7); at 200 s they were good."""
    key, indices = net.evil.tokens(EVIL, EVIL2, CORRESPONDENT)
    lab.sleep(200)
    own_binding(net, key=key, indices=indices)
    lab.sleep(0.5)
    if EVIL not in cache(net):
        return "tokens of 200 s were refused: MAX_TOKEN_LIFETIME is 210 s"
    forget_own(lab, net)
    lab.sleep(45)
    settle(lab, net)
    before = cache(net)
    own_binding(net, key=key, indices=indices)
    lab.sleep(0.5)
    return "a binding from tokens of 245 s" if EVIL in cache(net) and EVIL not in before else None


@attack
def replayed_update(lab, net):
    """An honest Binding Update, sent once more, changes nothing: its sequence number is over (9.5.1)."""
    key, indices = own_binding(net)
    first = net.sequence
    lab.sleep(0.5)
    own_binding(net, key=key, indices=indices)
    last = net.sequence
    lab.sleep(0.5)
    wrong = None if cache(net).get(EVIL, ("", 0))[1] == last else "the honest Binding Updates were not accepted"
    for old in (first, last, last - 32768):
        wrong = wrong or unchanged(lab, net, lambda: own_binding(net, sequence=old, key=key, indices=indices))
    forget_own(lab, net)
    return wrong


@attack
def replayed_after_deletion(lab, net):
    """A binding that was deleted does not come back by the Binding Update that made it."""
    key, indices = own_binding(net)
    lab.sleep(0.5)
    forget_own(lab, net)
    own_binding(net, sequence=net.sequence, key=key, indices=indices)
    lab.sleep(0.5)
    came_back = EVIL in cache(net)
    if came_back:
        forget_own(lab, net)
    return "the deleted binding is back" if came_back else None


@attack
def circular_bindings(lab, net):
    """Two home addresses that point at each other, or one at itself, do not make packets run in circles."""
    own_binding(net, home=EVIL, care_of=EVIL2)
    lab.sleep(0.3)
    own_binding(net, home=EVIL2, care_of=EVIL)
    lab.sleep(0.3)
    now = cache(net)
    wrong = f"both at once: {now}" if EVIL in now and EVIL2 in now else None
    own_binding(net, home=EVIL, care_of=EVIL)
    lab.sleep(0.3)
    now = cache(net)
    wrong = wrong or (f"a home address is its own care-of address: {now}" if now.get(EVIL, ("",))[0] == EVIL else None)
    forget_own(lab, net)
    forget_own(lab, net, EVIL2)
    return wrong


@attack
def improper_addresses(lab, net):
    """Link-local, multicast, loopback, unspecified and the correspondent's own address are no home address and no
    care-of address (9.3.1, 9.5.1)."""
    key, indices = net.evil.tokens(EVIL, EVIL2, CORRESPONDENT)
    improper = ("fe80::666", "ff02::1", "ff0e::1", "::1", "::", CORRESPONDENT, "::ffff:1.2.3.4")

    def send():
        for n, address in enumerate(improper):
            for k, home, care_of in ((key, address, EVIL2), (key, EVIL, address)):
                net.evil.mobility(EVIL2, CORRESPONDENT, binding_update(
                    600 + n, 400, care_of, CORRESPONDENT, k, indices, alternate=None if care_of == EVIL2 else care_of), home)
            for kind in (HOTI, COTI):  # and no test message leaves for one
                net.evil.mobility(address, CORRESPONDENT, attacker.test_init(kind, b"12345678"))
    sent = counters(net.cn_daemon, "correspondent")
    wrong = unchanged(lab, net, send)
    now = counters(net.cn_daemon, "correspondent")
    answered = sum(now[c] - sent[c] for c in ("hot_sent", "cot_sent"))
    return wrong or (f"{answered} test messages answered" if answered else None)


# --- floods

def flood(lab, net, kind):
    before, kb = cache(net), memory_kb(net.cn_daemon)
    for n in range(lab.keys.flood):
        net.evil.mobility(f"2001:db8:b::{n + 0x1000:x}", CORRESPONDENT, attacker.test_init(kind, b"floodflo"))
        if n % 10 == 9:
            lab.sleep(0.005)
    lab.sleep(1)
    grown = memory_kb(net.cn_daemon) - kb
    seen = counters(net.cn_daemon, "correspondent")["hoti_received" if kind == HOTI else "coti_received"]
    if seen < lab.keys.flood // 2:
        return f"only {seen} arrived"
    if grown > 256:
        return f"{grown} kB more memory after {lab.keys.flood} packets"
    return None if cache(net) == before else "the binding cache changed"


@attack
def hoti_flood(lab, net):
    """A flood of Home Test Inits makes no state (5.2.1)."""
    return flood(lab, net, HOTI)


@attack
def coti_flood(lab, net):
    """A flood of Care-of Test Inits makes no state, and the honest node's move is not in its way."""
    return flood(lab, net, COTI)


@attack
def reflection(lab, net):
    """Home and care-of tests answer with one packet no larger than necessary: nobody gets more than was sent
    (15.4.1): at most one answer a message, at most 8 octets longer."""
    net.evil.drain()
    net.evil.mobility(EVIL, CORRESPONDENT, attacker.test_init(COTI, b"onlyonce"))
    lab.sleep(1)
    got = net.evil.drain()
    return None if len(got) == 1 and len(got[0]) <= 24 else f"{len(got)} answers of {[len(m) for m in got]} octets"


# --- forged messages to the mobile node

def tests_sent(net):
    s = counters(net.mn_daemon, "mobile_node")
    return s["hoti_sent"] + s["coti_sent"] + s["cbu_sent"]


def provoke(lab, net, send, limit):
    """What the mobile node sends in five seconds of this, a hundred times; and its path works afterwards."""
    before = tests_sent(net)
    for _ in range(100):
        send()
        lab.sleep(0.05)
    sent = tests_sent(net) - before
    try:
        lab.until(lambda: direct(net), 60, "the direct path after it", longest=1)
    except LabError as e:
        return str(e)
    return None if sent <= limit else f"100 packets made the node send {sent}"


def to_node(net, source, message):
    """From the node's own link, with any source."""
    net.tap.mobility(source, net.care_of, message, mac=net.node_mac)


def to_node_home(net, source, message):
    """The same behind a type 2 routing header for its home address."""
    whole = raw.with_checksum(message, 4, raw.MH, source, HOME_ADDRESS)
    net.tap.put(raw.ip6(source, net.care_of, raw.ROUTING, raw.routing_header(HOME_ADDRESS) + whole), net.node_mac)


def error(status, home):
    return header(BE, bytes([status, 0]) + raw.address(home))


@attack
def forged_binding_errors(lab, net):
    """A hundred Binding Errors in the correspondent's name cost a few exchanges, not the path (11.3.6)."""
    return provoke(lab, net, lambda: [to_node(net, CORRESPONDENT, error(1, HOME_ADDRESS)),
                                      to_node_home(net, CORRESPONDENT, error(1, HOME_ADDRESS))], 40)


@attack
def binding_errors_of_strangers(lab, net):
    """From somebody in no list they cost nothing."""
    return provoke(lab, net, lambda: [to_node(net, "2001:db8:c::99", error(s, HOME_ADDRESS)) for s in (1, 2)], 0)


@attack
def forged_unknown_type(lab, net):
    """Binding Errors with status 2 in the correspondent's name: the path may be lost for a while, data is not."""
    return provoke(lab, net, lambda: to_node_home(net, CORRESPONDENT, error(2, "::")), 40)


@attack
def forged_refresh_requests(lab, net):
    """A hundred Binding Refresh Requests cost a few exchanges (11.7.4)."""
    return provoke(lab, net, lambda: to_node_home(net, CORRESPONDENT, header(BRR, b"\0\0")), 40)


@attack
def refresh_requests_of_strangers(lab, net):
    """From somebody in no list they cost nothing."""
    return provoke(lab, net, lambda: to_node_home(net, "2001:db8:c::99", header(BRR, b"\0\0")), 0)


@attack
def forged_acknowledgements(lab, net):
    """Acknowledgements without an authenticator change neither state nor sequence number (11.7.3)."""
    before = net.mn_daemon.ask("correspondents")[0]
    for status in (0, 128, 129, 130, 135, 136, 137, 138, 139):
        for sequence in (before["seq"], before["seq"] + 1, 0x7000):
            body = bytes([status, 0]) + sequence.to_bytes(2, "big") + (100).to_bytes(2, "big")
            to_node_home(net, CORRESPONDENT, header(BA, body))
    lab.sleep(1)
    after = net.mn_daemon.ask("correspondents")[0]
    same = all(before[key] == after[key] for key in ("state", "path", "care_of", "seq"))
    return None if same else f"{before} became {after}"


@attack
def forged_tests(lab, net):
    """Home and Care-of Tests that nobody asked for, or with another cookie, are ignored (11.6.2)."""
    before = tests_sent(net)
    for n in range(50):
        for kind in (HOT, COT):
            message = header(kind, n.to_bytes(2, "big") + b"forgedck" + b"forgedto")
            to_node(net, CORRESPONDENT, message)
            to_node_home(net, CORRESPONDENT, message)
    lab.sleep(1)
    return None if direct(net) and tests_sent(net) == before else "they changed something"


def icmp_error(net, kind, code, info, quoted):
    body = bytes([kind, code, 0, 0]) + info.to_bytes(4, "big") + quoted
    whole = raw.with_checksum(body, 2, raw.ICMPV6, TAP, net.care_of)
    net.tap.put(raw.ip6(TAP, net.care_of, raw.ICMPV6, whole), net.node_mac)


@attack
def forged_parameter_problems(lab, net):
    """ICMPv6 Parameter Problems that quote test messages never sent do not end route optimization (11.6.2, 11.3.5)."""
    def send():
        for kind, source in ((HOTI, HOME_ADDRESS), (COTI, net.care_of)):
            message = attacker.test_init(kind, b"notmine!")
            icmp_error(net, 4, 1, 40, raw.ip6(source, CORRESPONDENT, raw.MH, message))
        option = raw.home_address_option(HOME_ADDRESS, 17)
        icmp_error(net, 4, 2, 44, raw.ip6(net.care_of, "2001:db8:c::99", raw.DSTOPTS, option + bytes(8)))
    return provoke(lab, net, send, 0)


@attack
def forged_packet_too_big(lab, net):
    """A forged Packet Too Big never brings a path below 1280, and none for addresses that have no path (RFC 8201 4)."""
    option = raw.home_address_option(HOME_ADDRESS, 17)
    for mtu in (0, 68, 576, 1279):
        icmp_error(net, 2, 0, mtu, raw.ip6(net.care_of, CORRESPONDENT, raw.DSTOPTS, option + bytes(64)))
    icmp_error(net, 2, 0, 1300, raw.ip6(net.care_of, "2001:db8:c::99", raw.DSTOPTS, option + bytes(64)))
    lab.sleep(0.5)
    routes = net.mn.command(["ip", "-6", "route", "show", "table", "all"])
    low = [int(m) for m in re.findall(r"mtu (\d+)", routes) if int(m) < 1280]
    strange = "2001:db8:c::99" in routes
    return None if not low and not strange else f"routes: {[r for r in routes.splitlines() if 'mtu' in r]}"


@attack
def forged_unreachable(lab, net):
    """One Destination Unreachable for the care-of address does not end a binding (9.3.4: only persistent ones)."""
    quoted = raw.ip6(CORRESPONDENT, net.care_of, raw.ROUTING, raw.routing_header(HOME_ADDRESS, 17) + bytes(16))
    body = bytes([1, 0, 0, 0]) + bytes(4) + quoted
    whole = raw.with_checksum(body, 2, raw.ICMPV6, EVIL, CORRESPONDENT)
    return unchanged(lab, net, lambda: net.evil.put(raw.ip6(EVIL, CORRESPONDENT, raw.ICMPV6, whole)))


# --- data

def udp(source, destination, port, text):
    body = (port).to_bytes(2, "big") * 2 + (8 + len(text)).to_bytes(2, "big") + b"\0\0" + text
    return raw.with_checksum(body, 6, 17, source, destination)


def listening(lab, host, port, send, wait=0.5):
    """What arrives at a UDP port of a host while send() is done."""
    s = host.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    s.bind(("::", port))
    s.setblocking(False)
    send()
    lab.sleep(wait + lab.keys.rtt * 3 / 1000)
    got = []
    while True:
        try:
            got.append(s.recvfrom(2048))
        except BlockingIOError:
            s.close()
            return got


@attack
def home_address_option_without_binding(lab, net):
    """Data with a Home Address option that no binding backs is dropped, and answered with few Binding Errors (9.3.1,
    9.3.3)."""
    def send():
        for home in (EVIL2, HOME_ADDRESS):  # no binding at all; a binding from another care-of address
            for n in range(200):
                packet = raw.home_address_option(home, 17) + udp(home, CORRESPONDENT, 7777, b"forged")
                net.evil.put(raw.ip6(EVIL, CORRESPONDENT, raw.DSTOPTS, packet))
                lab.sleep(0.005)
    net.evil.drain()
    got = listening(lab, net.cn, 7777, send)
    errors = [m for m in net.evil.drain() if m[2] == BE]
    if got:
        return f"{len(got)} packets arrived, the first from {got[0][1][0]}"
    if not errors:
        return "no Binding Error came back"
    return None if len(errors) <= 60 else f"{len(errors)} Binding Errors for 400 packets"


@attack
def routing_header_for_others(lab, net):
    """A type 2 routing header is followed by its home address's own node alone, and never forwards (6.4)."""
    def send():
        for home, target, mac in ((VICTIM, net.care_of, net.node_mac), (CORRESPONDENT, net.care_of, net.node_mac),
                                  ("ff02::1", net.care_of, net.node_mac)):
            packet = raw.routing_header(home, 17) + udp(TAP, home, 7778, b"bounced")
            net.tap.put(raw.ip6(TAP, target, raw.ROUTING, packet), mac)
        packet = raw.routing_header(VICTIM, 17) + udp(TAP, VICTIM, 7778, b"bounced")
        net.tap.put(raw.ip6(TAP, CORRESPONDENT, raw.ROUTING, packet))
    got = listening(lab, net.victim, 7778, send) + listening(lab, net.cn, 7778, send)
    return f"it was forwarded: {got}" if got else None


@attack
def routing_header_of_strangers(lab, net):
    """Data behind a type 2 routing header is for those with whom there is a binding: a stranger's is dropped."""
    def send():
        packet = raw.routing_header(HOME_ADDRESS, 17) + udp(TAP, HOME_ADDRESS, 7779, b"strange")
        net.tap.put(raw.ip6(TAP, net.care_of, raw.ROUTING, packet), net.node_mac)
    got = listening(lab, net.mn, 7779, send)
    return f"it arrived: {got}" if got else None


@attack
def update_in_a_tunnel_to_the_home_agent(lab, net):
    """A home test init for another node's home address from outside of its tunnel is no home test: the answer goes to
    the home address, so the attacker does not see it."""
    net.evil.drain()
    net.evil.put(raw.ip6(EVIL, HOME_AGENT, 41, raw.ip6(HOME_ADDRESS, CORRESPONDENT, raw.MH, raw.with_checksum(
        attacker.test_init(HOTI, b"tunneled"), 4, raw.MH, HOME_ADDRESS, CORRESPONDENT))))
    before = counters(net.cn_daemon, "correspondent")["hoti_received"]
    lab.sleep(1)
    if counters(net.cn_daemon, "correspondent")["hoti_received"] != before:
        return "the home agent let it out of the tunnel"
    return "an answer reached the attacker" if net.evil.drain() else None


# --- all of them

def run(lab):
    net = setup(lab)
    stream = flows.Stream(lab, "up", net.mn, net.cn, CORRESPONDENT, 5002, source=HOME_ADDRESS, interval_us=10000)
    back = flows.Stream(lab, "down", net.cn, net.mn, HOME_ADDRESS, 5001, source=CORRESPONDENT, interval_us=10000)
    lab.facts["attacks"] = {}
    for f in ATTACKS:
        if lab.keys.only not in ("all", f.__name__):
            continue
        settle(lab, net)
        wrong = f(lab, net)
        lab.facts["attacks"][f.__name__] = wrong
        lab.say(f"{f.__name__.replace('_', ' '):42} {'came to nothing' if wrong is None else 'SUCCEEDED: ' + wrong}")
    settle(lab, net)
    for s in (stream, back):
        s.stop_sending()
    lab.sleep(1)
    for s in (stream, back):
        s.stop()
    for daemon in (net.mn_daemon, net.cn_daemon, net.ha_daemon):
        lab.check(daemon.alive(), f"{daemon.name} died")


def judge(e):
    tried = {name: wrong for name, wrong in e.facts["attacks"].items() if name != "tools_work"}
    e.figures.update(attacks_tried=len(tried), attacks_succeeded=sum(w is not None for w in tried.values()),
                     lost=sum(len(flows.Log(e, name).missing) for name in ("up", "down")))
    for name, wrong in e.facts["attacks"].items():
        e.check(wrong is None, f"{name}: {wrong}")
    e.check(e.keys.only != "all" or len(tried) >= 28, f"only {len(tried)} attacks were tried")
    e.check(e.figures["lost"] == 0, f"the honest node lost {e.figures['lost']} packets meanwhile")
