"""What somebody who does not have a node's keys tries against home agent and node, and what must come of it: nothing.

`tap` sits on the node's own link and can say anything there; `evil` on another one, whose router lets no foreign source
pass. mn2 is a node of the same home agent that wants another node's traffic: it has SAs of its own, and their keys.
Each attack is a function whose first line says what must happen; it returns None, or what went wrong. The first is no
attack: it shows that the tools work and that the SA of mn2 is good.
"""

import re

from homebound_lab import attacker, capture, daemons, headers, packets
from homebound_lab import hostile_packets as raw
from homebound_lab.attacker import BA, HOT, HOTI, binding_update, esp, header
from homebound_lab.hostile_packets import DSTOPTS, MH, ROUTING
from homebound_lab.lab import LabError
from homebound_lab.picture import CORRESPONDENT, HOME_ADDRESS, HOME_AGENT, PEER_HOME_ADDRESS, Picture
from homebound_lab.scenario import Key

TITLE = "attacks on what IPsec protects: plain, replayed, stolen, by another node's SA"
KEYS = {
    "rtt": Key(20, "round trip between the node and its home agent, in ms"),
    "only": Key("all", "one attack alone, by its name"),
    "ipsec": Key("manual", "as in other scenarios; the keys have to be known", ("manual",)),
    "algorithm": Key("aes-gcm-128", "of all SAs", ("aes-gcm-128", "aes-gcm-256")),
}
LIMIT = 300
EVIL, TAP = "2001:db8:b::666", "2001:db8:a::666"
H_ACK, LATER = 0xC000, 2000  # flags A and H; ESP sequence numbers of mn2's own packets begin there
REVOCATION, SWITCH = 16, 12
ATTACKS = []


def attack(f):
    ATTACKS.append(f)
    return f


def setup(lab):
    net = Picture(lab, rtt_ms=lab.keys.rtt, peer=True)
    net.evil_host, net.tap_host = net.on_link("evil", "link2", EVIL), net.on_link("tap", "link1", TAP)
    capture.start(lab, net.capture_points())
    net.ha_daemon = daemons.home_agent(lab, net)
    net.attach("link1")
    net.attach("link3", "wlan02")
    net.mn_daemon = daemons.mobile_node(lab, net, more="\troute_optimization = ();\n")
    net.mn2_daemon = daemons.mobile_node(lab, net, host=net.mn2, home_address=PEER_HOME_ADDRESS,
                                         more="\troute_optimization = ();\n")
    for daemon in (net.mn_daemon, net.mn2_daemon):
        lab.until(lambda: daemon.registration()[0] == "registered", 20, f"{daemon.name} to register")
    net.care_of, net.care_of2 = net.mn_daemon.registration()[1], net.mn2_daemon.registration()[1]
    net.evil = attacker.Attacker(lab, net.evil_host, "eth0", net.ar2.mac_of("lan0"))
    net.tap = attacker.Attacker(lab, net.tap_host, "eth0", net.ar1.mac_of("lan0"))
    net.tap2 = attacker.Attacker(lab, net.mn2, "wlan02", net.ar3.mac_of("lan0"))
    net.node_mac = net.mn.mac_of("wlan0")
    net.keys = {k[:3]: k for k in lab.facts["watched"]["keys"]}
    net.sequence = LATER
    return net


# --- what is looked at

def refusals(host):
    """What the kernel has refused, by reason: /proc/net/xfrm_stat, and what our packet filter drops for want of ESP."""
    counts = {name: int(count) for name, count in
              (line.split() for line in host.read("/proc/net/xfrm_stat").splitlines())}
    rules = host.command(["nft", "list", "table", "ip6", "mip6d_esp"], check=False)
    counts["filter"] = sum(int(n) for n in re.findall(r"counter packets (\d+) bytes \d+ drop", rules))
    return counts


def state(net):
    bindings = {b["home_address"]: (b["care_of"], b["seq"]) for b in net.ha_daemon.ask("bindings") or []}
    return {"bindings": bindings, "nodes": [list(d.registration()) for d in (net.mn_daemon, net.mn2_daemon)]}


def sequence(net, home=HOME_ADDRESS):
    """The next one that the home agent would take."""
    return state(net)["bindings"][home][1] + 1


def whole(message, source, destination):
    return raw.with_checksum(message, 4, MH, source, destination)


def update(net, home, care_of, lifetime_s=600):
    return whole(binding_update(sequence(net, home), lifetime_s, care_of, HOME_AGENT, flags=H_ACK, alternate=care_of),
                 home, HOME_AGENT)


def esp_by_node2(net, source, home, message, proto=MH):
    """ESP with the signalling SA of mn2, from source, with a Home Address option."""
    net.sequence += 1
    inside = esp(net.keys[PEER_HOME_ADDRESS, HOME_AGENT, "signal"], net.sequence, proto, message)
    return raw.ip6(source, HOME_AGENT, DSTOPTS, raw.home_address_option(home, headers.ESP) + inside)


def to_node(net, proto, rest):
    """In the home agent's name, straight to the node."""
    net.tap.put(raw.ip6(HOME_AGENT, net.care_of, proto, rest), net.node_mac)


def grew(lab, host, before, *names):
    """Waits until one of the counters has grown; None, or what is wrong."""
    def look():
        now = refusals(host)
        return any(now[n] > before[n] for n in names)
    try:
        lab.until(look, 3, "counters")
    except LabError:
        return f"none of {names} grew on {host}: it did not arrive, or was let in"
    return None


def taken(net):
    """How many packets the home agent's kernel has opened with the signalling SA of mn2."""
    spi = net.keys[PEER_HOME_ADDRESS, HOME_AGENT, "signal"][3]
    text = net.ha.command(["ip", "-s", "xfrm", "state", "get", "dst", HOME_AGENT, "proto", "esp", "spi", hex(spi)])
    return int(re.search(r"(\d+)\(packets\)", text.split("lifetime current:")[1])[1])


def arrives(lab, net, packet):
    """An attack that is in good ESP: the SA opens it, and what becomes of it shows in the bindings."""
    before = taken(net)
    net.tap2.put(packet)
    try:
        lab.until(lambda: taken(net) > before, 3, "the packet to arrive")
    except LabError:
        return "it did not arrive"
    return None


REFUSED = ("XfrmInTmplMismatch", "XfrmInNoPols", "XfrmInNoStates", "XfrmInStateMismatch", "XfrmInPolBlock",
           "XfrmInStateProtoError", "XfrmInStateSeqError", "XfrmInStateInvalid", "XfrmInError", "XfrmInPolError", "filter")
MISMATCH = ("XfrmInTmplMismatch", "XfrmInNoPols", "XfrmInPolBlock", "filter")


# --- attacks; the first is none

@attack
def own_update(lab, net):
    """mn2 renews its own binding with its own SA: the home agent takes it."""
    wanted = sequence(net, PEER_HOME_ADDRESS)
    net.tap2.put(esp_by_node2(net, net.care_of2, PEER_HOME_ADDRESS, update(net, PEER_HOME_ADDRESS, net.care_of2)))
    try:
        lab.until(lambda: state(net)["bindings"][PEER_HOME_ADDRESS][1] == wanted, 3, "the sequence number")
    except LabError:
        return f"not taken: {state(net)}, {refusals(net.ha)}"
    return None


def plain(lab, net, attacker_, source, message, home=HOME_ADDRESS):
    before = refusals(net.ha)
    attacker_.put(raw.ip6(source, HOME_AGENT, DSTOPTS, raw.home_address_option(home) + message))
    return grew(lab, net.ha, before, *MISMATCH)


@attack
def plain_update(lab, net):
    """A Binding Update without ESP from elsewhere is dropped by the kernel."""
    return plain(lab, net, net.evil, EVIL, update(net, HOME_ADDRESS, EVIL))


@attack
def plain_update_from_care_of(lab, net):
    """The same from the node's own link, with its care-of address."""
    return plain(lab, net, net.tap, net.care_of, update(net, HOME_ADDRESS, TAP))


@attack
def plain_deregistration(lab, net):
    """A de-registration without ESP is dropped."""
    return plain(lab, net, net.tap, net.care_of, update(net, HOME_ADDRESS, net.care_of, lifetime_s=0))


@attack
def plain_for_another(lab, net):
    """mn2 sends a Binding Update for the other node's home address in plain."""
    return plain(lab, net, net.tap2, net.care_of2, update(net, HOME_ADDRESS, net.care_of2))


@attack
def other_sa(lab, net):
    """mn2's SA with the other node's home address in the option is refused."""
    before = refusals(net.ha)
    net.tap2.put(esp_by_node2(net, net.care_of2, HOME_ADDRESS, update(net, HOME_ADDRESS, net.care_of2)))
    return grew(lab, net.ha, before, *REFUSED)


@attack
def other_sa_option_inside(lab, net):
    """mn2's SA and its own option, and within ESP a second option with the other node's address."""
    inside = raw.home_address_option(HOME_ADDRESS) + update(net, HOME_ADDRESS, net.care_of2)
    return arrives(lab, net, esp_by_node2(net, net.care_of2, PEER_HOME_ADDRESS, inside, DSTOPTS))


@attack
def other_sa_tunnel_inside(lab, net):
    """mn2's transport SA with a whole packet of the other node inside."""
    inside = raw.ip6(HOME_ADDRESS, HOME_AGENT, MH, update(net, HOME_ADDRESS, net.care_of2))
    return arrives(lab, net, esp_by_node2(net, net.care_of2, PEER_HOME_ADDRESS, inside, headers.IPV6))


@attack
def tunnelled_update(lab, net):
    """A plain Binding Update of the node inside a tunnel from its care-of address."""
    before = refusals(net.ha)
    inside = raw.ip6(HOME_ADDRESS, HOME_AGENT, MH, update(net, HOME_ADDRESS, TAP))
    net.tap.put(raw.ip6(net.care_of, HOME_AGENT, headers.IPV6, inside))
    return grew(lab, net.ha, before, *REFUSED)


def captured_esp(lab, spi, link="link1"):
    """ESP packets of an SA on a link of the node, as they were."""
    found = []
    for _, frame in packets.frames(lab.path(link + ".pcapng")):
        packet = headers.take_apart(frame[14:])
        if packet and headers.spi(frame[14:], packet) == spi:
            found.append(frame[14:])
    return found


@attack
def replayed(lab, net):
    """ESP of the node, sent once more as it was, is refused as repeated."""
    sent = captured_esp(lab, net.keys[HOME_ADDRESS, HOME_AGENT, "signal"][3])
    if not sent:
        return "nothing was captured"
    before = refusals(net.ha)
    for packet in sent:
        net.tap.put(packet)
    return grew(lab, net.ha, before, "XfrmInStateSeqError")


@attack
def replayed_from_elsewhere(lab, net):
    """The same with the attacker's own address as the source."""
    before = refusals(net.ha)
    for packet in captured_esp(lab, net.keys[HOME_ADDRESS, HOME_AGENT, "signal"][3]):
        net.evil.put(packet[:8] + raw.address(EVIL) + packet[24:])
    return grew(lab, net.ha, before, "XfrmInStateSeqError")


@attack
def stolen(lab, net):
    """An update that the home agent has not seen yet, brought to it from the attacker's address: the binding is what the
    node said, since that is in an option inside of ESP (RFC 6275, 6.1.7, 11.7.1)."""
    net.ar2.nft("table ip6 block { chain f { type filter hook forward priority 0; policy drop; }\n}")
    spi = net.keys[HOME_ADDRESS, HOME_AGENT, "signal"][3]
    before = len(captured_esp(lab, spi, "link2"))
    net.move("link2")
    try:
        lab.until(lambda: len(captured_esp(lab, spi, "link2")) > before, 10, "an update in the capture")
    except LabError:
        return "the node sent none"
    finally:
        net.ar2.nft("delete table ip6 block")
    for packet in captured_esp(lab, spi, "link2")[before:]:
        net.evil.put(packet[:8] + raw.address(EVIL) + packet[24:])
    lab.sleep(1)
    bound = state(net)["bindings"].get(HOME_ADDRESS, ("",))[0]
    net.move("link1")
    return None if bound != EVIL else f"the binding went to {bound}"


@attack
def changed(lab, net):
    """ESP with one octet changed, a wrong key, or cut off, fails its check."""
    good = esp_by_node2(net, net.care_of2, PEER_HOME_ADDRESS, update(net, PEER_HOME_ADDRESS, net.care_of2))
    before = refusals(net.ha)
    for packet in (good[:-1] + bytes([good[-1] ^ 1]), good[:-30] + bytes([good[-30] ^ 1]) + good[-29:]):
        net.tap2.put(packet)
    return grew(lab, net.ha, before, "XfrmInStateProtoError")


def message_to_node(lab, net, message):
    before = refusals(net.mn)
    to_node(net, ROUTING, raw.routing_header(HOME_ADDRESS) + whole(message, HOME_AGENT, HOME_ADDRESS))
    return grew(lab, net.mn, before, *MISMATCH)


@attack
def plain_acknowledgement(lab, net):
    """A Binding Acknowledgement without ESP that refuses is dropped by the node's kernel."""
    number = net.mn_daemon.ask("status")["mobile_node"].get("sequence", 0)
    return message_to_node(lab, net, header(BA, bytes([129, 0]) + number.to_bytes(2, "big") + bytes(2)))


@attack
def plain_revocation(lab, net):
    """A Binding Revocation Indication without ESP is dropped."""
    return message_to_node(lab, net, header(REVOCATION, bytes([1, 1, 0, 1, 0, 0])))


@attack
def plain_switch(lab, net):
    """A Home Agent Switch message without ESP is dropped."""
    return message_to_node(lab, net, header(SWITCH, bytes([1, 0]) + raw.address(EVIL)))


@attack
def plain_prefix_advertisement(lab, net):
    """A Mobile Prefix Advertisement without ESP is dropped."""
    before = refusals(net.mn)
    message = raw.with_checksum(b"\x93" + bytes(7), 2, 58, HOME_AGENT, HOME_ADDRESS)
    to_node(net, ROUTING, raw.routing_header(HOME_ADDRESS, raw.ICMPV6) + message)
    return grew(lab, net.mn, before, *MISMATCH)


def home_test(lab, net, extension, options=b""):
    before = refusals(net.mn)
    message = whole(header(HOT, bytes(18)), CORRESPONDENT, HOME_ADDRESS)
    to_node(net, headers.IPV6, raw.ip6(CORRESPONDENT, HOME_ADDRESS, extension, options + message))
    return grew(lab, net.mn, before, *MISMATCH)


@attack
def plain_home_test(lab, net):
    """A Home Test in a tunnel without ESP is dropped."""
    return home_test(lab, net, MH)


@attack
def plain_home_test_behind_options(lab, net):
    """The same with destination options before the Mobility Header."""
    return home_test(lab, net, DSTOPTS, bytes([MH, 0, 1, 4, 0, 0, 0, 0]))


@attack
def plain_home_test_behind_hops(lab, net):
    """The same with hop-by-hop options."""
    return home_test(lab, net, headers.HOP_BY_HOP, bytes([MH, 0, 1, 4, 0, 0, 0, 0]))


@attack
def plain_home_test_fragment(lab, net):
    """The same as a fragment that is whole (RFC 6946)."""
    return home_test(lab, net, headers.FRAGMENT, bytes([MH, 0, 0, 0, 0, 0, 0, 7]))


@attack
def plain_home_init(lab, net):
    """A Home Test Init in a tunnel without ESP is not sent on by the home agent."""
    before = refusals(net.ha)
    message = whole(header(HOTI, bytes(10)), HOME_ADDRESS, CORRESPONDENT)
    net.tap.put(raw.ip6(net.care_of, HOME_AGENT, headers.IPV6, raw.ip6(HOME_ADDRESS, CORRESPONDENT, MH, message)))
    return grew(lab, net.ha, before, *MISMATCH)


@attack
def plain_home_init_behind_options(lab, net):
    """The same with destination options before the Mobility Header."""
    before = refusals(net.ha)
    message = bytes([MH, 0, 1, 4, 0, 0, 0, 0]) + whole(header(HOTI, bytes(10)), HOME_ADDRESS, CORRESPONDENT)
    net.tap.put(raw.ip6(net.care_of, HOME_AGENT, headers.IPV6, raw.ip6(HOME_ADDRESS, CORRESPONDENT, DSTOPTS, message)))
    return grew(lab, net.ha, before, *MISMATCH)


# --- running

def settle(lab, net):
    """Before each attack: both nodes registered where they are, and the home agent knows the same."""
    def both():
        s = state(net)
        there = (s["nodes"][0][1] or "").startswith("2001:db8:a:")
        return there and s["nodes"] == [["registered", s["bindings"].get(home, ("",))[0]]
                                        for home in (HOME_ADDRESS, PEER_HOME_ADDRESS)]
    lab.until(both, 60, "both registrations", longest=1)
    net.care_of = net.mn_daemon.registration()[1]


def run(lab):
    net = setup(lab)
    results = lab.facts["attacks"] = {}
    for f in ATTACKS:
        if lab.keys.only not in ("all", f.__name__):
            continue
        settle(lab, net)
        before = state(net)
        wrong = f(lab, net)
        lab.sleep(0.5)
        after = state(net)
        if not wrong and f not in (own_update, stolen) and after != before:
            wrong = f"it was {before}, it is {after}"
        results[f.__name__] = wrong
        lab.check(not wrong, f"{f.__name__}: {wrong}")
        lab.say(f"{f.__name__}: {wrong or 'nothing came of it'}")
    settle(lab, net)
    lab.holds_within(lambda: net.cn.popen(["ping", "-n", "-c", "1", "-W", "1", HOME_ADDRESS], stdout=-3).wait() == 0, 5,
                     "an answer from the home address after the attacks")


def judge(e):
    results = e.facts.get("attacks", {})
    e.figures["attacks_tried"] = len(results) - ("own_update" in results)
    e.figures["attacks_succeeded"] = sum(bool(w) for w in results.values())
