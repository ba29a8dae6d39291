"""strongSwan in the lab: what charon does with the connections of Mobile IPv6.

The configuration is that of examples/. Policies are installed by hand, as doc/ipsec.md lists them; in the arrangement
home-address our daemons, without IPsec, make the binding and the tunnel.
"""

import os
import re

from homebound_lab import capture, daemons, packets
from homebound_lab.migrate import TRANSPORT, TUNNEL, migrate
from homebound_lab.picture import CORRESPONDENT, HOME_ADDRESS, HOME_AGENT, Picture
from homebound_lab.scenario import LAB, Key
from homebound_lab.strongswan import Authority, StrongSwan

TITLE = "strongSwan: IKE between node and home agent, moves, restarts"
KEYS = {
    "part": Key("moves", "what is looked at", ("moves", "restart", "acquire", "auth")),
    "auth": Key("certificates", "with part=auth: how the node shows who it is", ("certificates", "eap-mschapv2")),
    "rtt": Key(20, "round trip between the node and its home agent, in ms"),
    "arrangement": Key("migrate", "where the tunnel's SAs end", ("migrate", "home-address")),
    "tell": Key("signal", "which MIGRATE tells charon: the last of the tunnel's, or the signalling's", ("signal", "last")),
    "roam": Key(False, "charon looks at address changes itself"),
    "late": Key(1.0, "seconds between the node's new address and the MIGRATE"),
    "by": Key("node", "who rekeys", ("node", "agent")),
    "moves": Key(3, "how often the node moves"),
}
LIMIT = 90
COA = {"link1": "2001:db8:a::100", "link2": "2001:db8:b::100"}
GATEWAY = {"link1": "2001:db8:a::1", "link2": "2001:db8:b::1"}
EXAMPLES = os.path.join(os.path.dirname(LAB), "examples")
REKEY_S, LIFE_S = 60, 80
H, A = HOME_ADDRESS, HOME_AGENT
DATA = re.compile(r"\n\t*data \{.*?\n\t*\}\n", re.S)


def example(name):
    with open(os.path.join(EXAMPLES, name)) as f:
        return f.read()


def node_conf(arrangement):
    """The example; with the tunnel's child in the first connection for the arrangement migrate."""
    text = example("swanctl-mobile-node.conf")
    if arrangement == "home-address":
        return text
    data = DATA.search(text)[0]
    return re.sub(r"\t*# With  arrangement = .*\n", lambda _: data, text, count=1).replace("home-data {", "unused {")


def swans(lab, net):
    roam = "" if lab.keys.roam else "kernel-netlink { roam_events = no }\n"
    net.swan_mn = StrongSwan(lab, net.mn, expiring(node_conf(lab.keys.arrangement), lab.keys.by == "node"),
                             plugin_settings=roam)
    net.swan_ha = StrongSwan(lab, net.ha, expiring(example("swanctl-home-agent.conf"), lab.keys.by == "agent"))


def expiring(text, soon):
    """Soon: the kernel asks for a new child after REKEY_S, and an old one is gone after LIFE_S. rand_time must not be 0:
    charon then lets only the inbound SA ask, which it does not recognize after a move."""
    text = re.sub(r"dpd_delay = \d+s", "dpd_delay = 0s", text)  # its messages are no consequence of a move
    times = f"rekey_time = {REKEY_S}s\nlife_time = {LIFE_S}s\nrand_time = 5s\n"
    return text.replace("esp_proposals", times + "esp_proposals") if soon else text


# --- policies and states by hand

def esp(src, dst, mode, reqid):
    return f"tmpl src {src} dst {dst} proto esp mode {mode} reqid {reqid}"


def optional(proto):
    return f"tmpl src :: dst :: proto {proto} mode ro level use"


def policies(net, arrangement, coa):
    end = coa if arrangement == "migrate" else H
    more = [optional("hao"), optional("route2")] if arrangement == "home-address" else ["", ""]
    for host in (net.mn, net.ha):
        ours, theirs = (H, A) if host is net.mn else (A, H)
        first, second = (optional("hao"), optional("route2")) if host is net.mn else (optional("route2"), optional("hao"))
        if host is net.ha and arrangement == "home-address":
            first = ""  # the daemon gives its messages a routing header
        lines = []
        if arrangement == "migrate":  # else our daemons have installed it
            lines = [f"policy add dir in src ::/0 dst ::/0 proto esp priority 1 {optional('hao')} {optional('route2')}"]
        for proto in ("135", "ipv6-icmp"):
            lines += [f"policy update dir out src {ours} dst {theirs} proto {proto} priority 8 "
                      f"{esp(ours, theirs, 'transport', 1)} {first}",
                      f"policy update dir in src {theirs} dst {ours} proto {proto} priority 8 "
                      f"{esp(theirs, ours, 'transport', 1)} {second}"]
        up, down = esp(end, A, "tunnel", 2) + " " + more[0], esp(A, end, "tunnel", 2) + " " + more[1]
        if host is net.mn:
            lines += [f"policy add dir out src {H} dst ::/0 priority 6000 {up}",
                      f"policy add dir in src ::/0 dst {H} priority 6000 {down}"]
        else:
            lines += [f"policy add dir {d} src {H} dst ::/0 priority 6000 {up}" for d in ("in", "fwd")]
            lines += [f"policy add dir out src ::/0 dst {H} priority 6000 {down}"]
        host.ip("".join(f"xfrm {line}\n" for line in lines))


def wildcard(host, proto):
    host.ip(f"xfrm state add src :: dst :: proto {proto} mode ro coa :: flag wildrecv flag af-unspec\n")


def reach(net, coa, how):
    """Home Address option on the node, routing header at the home agent: how is add or update."""
    net.mn.ip(f"xfrm state {how} src {H} dst {A} proto hao mode ro coa {coa} flag af-unspec\n")
    net.ha.ip(f"xfrm state {how} src {A} dst {H} proto route2 mode ro coa {coa} flag af-unspec\n")


def tunnel_sas(host):
    """[(src, dst, spi)] of the kernel."""
    return re.findall(r"src (\S+) dst (\S+)\n\s*proto esp spi 0x([0-9a-f]{8}) reqid 2 ", host.command(["ip", "xfrm", "state"]))


def sweep(swan):
    """Delete what a rekeying left of the tunnel's SAs: strongSwan looks for them where they were made, not where they
    are, and MIGRATE, which takes one SA of a reqid, could take the wrong one."""
    known = spis(swan)
    for src, dst, spi in tunnel_sas(swan.host):
        if spi not in known:
            swan.host.ip(f"xfrm state delete src {src} dst {dst} proto esp spi 0x{spi}\n")


def move_tunnel(lab, net, old, new):
    """The MIGRATEs of a move: exactly one, the last, tells charon, on each side."""
    for swan in (net.swan_mn, net.swan_ha):
        host = swan.host
        sweep(swan)
        up, down = ((old, A), (new, A)), ((A, old), (A, new))
        todo = [("out", H, "::/0", *up), ("in", "::/0", H, *down)] if host is net.mn else \
            [("in", H, "::/0", *up), ("fwd", H, "::/0", *up), ("out", "::/0", H, *down)]
        for n, (direction, src, dst, was, now) in enumerate(todo):
            last = lab.keys.tell == "last" and n == len(todo) - 1
            error = migrate(host, direction, src, dst, 0, 2, TUNNEL, was, now, ends(net, host, new) if last else None)
            lab.check(not error, f"{host}: MIGRATE {direction} fails with {error}")
        if lab.keys.tell == "signal":
            tell_by_signal(lab, net, host, new)


def ends(net, host, coa):
    return (coa, A) if host is net.mn else (A, coa)


def tell_by_signal(lab, net, host, coa):
    """A MIGRATE that moves nothing, for what it says to charon."""
    src, dst = (H, A) if host is net.mn else (A, H)
    error = migrate(host, "out", src, dst, 135, 1, TRANSPORT, (src, dst), (src, dst), ends(net, host, coa))
    lab.check(not error, f"{host}: MIGRATE of signalling fails with {error}")


# --- the node

def route_to_agent(net, gateway, coa):
    """What makes IKE use the care-of address though the home address is preferred: RTA_PREFSRC."""
    net.mn.ip(f"route replace {A}/128 via {gateway} dev wlan0 src {coa}\n")


def go(lab, net, place):
    net.detach()
    net.mn.ip("addr flush dev wlan0 scope global\n")
    lab.sleep(0.5)
    net.attach(place)
    net.mn.ip(f"addr add {COA[place]}/64 dev wlan0 nodad\nroute replace default via {GATEWAY[place]} dev wlan0\n")
    route_to_agent(net, GATEWAY[place], COA[place])


def ping(host, src, dst, count=3):
    out = host.command(["ping", "-n", "-c", str(count), "-i", "0.2", "-W", "1", "-I", src, dst], check=False)
    return out.count("time=")


def good(lab, net, when):
    """Signalling and tunnel carry packets both ways."""
    for what, source, target in (("signalling", H, A), ("tunnel", H, CORRESPONDENT)):
        got = ping(net.mn, source, target)
        lab.check(got == 3, f"{when}: {got} of 3 answers by the SAs of {what}")


def installed(swan):
    return sorted((c["name"], c["spi-in"]) for c in swan.children())


def kernel_spis(host):
    return sorted(re.findall(r"proto esp spi 0x([0-9a-f]{8})", host.command(["ip", "xfrm", "state"])))


def spis(swan):
    return sorted(c[spi] for c in swan.children() for spi in ("spi-in", "spi-out"))


def rekey(lab, net, when):
    """Children expire, and IKE is rekeyed: all SAs are new, and none is left behind."""
    before = set(spis(net.swan_mn))
    lab.holds_within(lambda: len(spis(net.swan_mn)) == 4 and not before & set(spis(net.swan_mn)), REKEY_S + 20,
                     f"{when}: new children", step=1)
    good(lab, net, f"{when}, rekeyed")
    was = {swan: ikes(swan) for swan in (net.swan_mn, net.swan_ha)}
    for ike in {ike["name"] for ike in net.swan_mn.sas()}:
        net.swan_mn.swanctl("--rekey", "--ike", ike)
    for swan, old in was.items():
        lab.holds_within(lambda: len(ikes(swan)) == len(old) and not ikes(swan) & old, 10,
                         f"{when}: new IKE_SAs of {swan.name}", step=0.5)
    for swan in (net.swan_mn, net.swan_ha):
        lab.holds_within(lambda: clean(swan, sweep if lab.keys.arrangement == "migrate" else None), 15,
                         f"{when}: only the four SAs of {swan.name} in the kernel", step=1)


def ikes(swan):
    return {ike["initiator-spi"] for ike in swan.sas()}


def in_kernel(host):
    return sorted(re.findall(r"proto esp spi 0x([0-9a-f]{8})", host.command(["ip", "xfrm", "state"])))


def clean(swan, first=None):
    """The kernel has just the SAs that strongSwan has, and these are a pair for each child."""
    if first:
        first(swan)
    return len(in_kernel(swan.host)) == 4 and in_kernel(swan.host) == spis(swan)


# --- arrangement migrate: no daemon of ours

def static(lab):
    """The node on link 1, policies and states as with a binding, no daemon of ours; strongSwan is not running yet."""
    net = Picture(lab, rtt_ms=lab.keys.rtt, node_static=True)
    swans(lab, net)
    capture.start(lab, {"core-ha": (net.ha, "up0")}, snaplen=2000)
    net.mn.ip(f"addr add {H}/128 dev lo nodad home\n")
    wildcard(net.mn, "route2")
    wildcard(net.ha, "hao")
    go(lab, net, "link1")
    policies(net, "migrate", COA["link1"])
    reach(net, COA["link1"], "add")
    return net


def both_up(net):
    for child in ("signal", "data"):
        net.swan_mn.initiate(child)


def run_migrate(lab):
    net = static(lab)
    net.swan_ha.start()
    net.swan_mn.start()
    both_up(net)
    good(lab, net, "at first")
    lab.facts["moves"] = []
    place = "link1"
    for n in range(lab.keys.moves):
        old, place = place, "link2" if place == "link1" else "link1"
        before = installed(net.swan_mn)
        start = lab.now()
        go(lab, net, place)
        lab.sleep(lab.keys.late)
        reach(net, COA[place], "update")
        move_tunnel(lab, net, COA[old], COA[place])
        lab.sleep(2)
        good(lab, net, f"move {n + 1}")
        lab.facts["moves"].append((start, lab.now()))
        lab.check(installed(net.swan_mn) == before, f"move {n + 1} made new SAs")
        for swan in (net.swan_mn, net.swan_ha):
            at = {(i["local-host"], i["remote-host"]) for i in swan.sas()}
            lab.check(at == {ends(net, swan.host, COA[place])}, f"move {n + 1}: {swan.name} has IKE_SAs between {at}")
        rekey(lab, net, f"move {n + 1}")


# --- arrangement home-address: binding and tunnel are our daemons'

def run_home_address(lab):
    net = Picture(lab, rtt_ms=lab.keys.rtt)
    swans(lab, net)
    capture.start(lab, {"core-ha": (net.ha, "up0")}, snaplen=2000)
    agent = daemons.home_agent(lab, net)
    node = daemons.mobile_node(lab, net)
    net.swan_ha.start()
    net.swan_mn.start()
    lab.facts["moves"] = []
    place, coa = "link2", None
    for n in range(lab.keys.moves + 1):
        place = "link2" if place == "link1" else "link1"
        start = lab.now()
        net.move(place)
        lab.until(lambda: node.registration()[0] == "registered" and node.registration()[1] != coa, 20, "a registration")
        coa = node.registration()[1]
        lab.until(lambda: agent.bindings().get(H) == coa, 5, "the binding")
        route_to_agent(net, router_of(net), coa)
        if n == 0:
            for child in ("signal", "data"):
                net.swan_mn.initiate(child)
            continue
        lab.sleep(lab.keys.late)
        before = installed(net.swan_mn)
        if n == 1:  # from here on all of it by SAs
            policies(net, "home-address", coa)
            net.ha.ip(f"xfrm state add src {A} dst {H} proto route2 mode ro coa {coa} flag af-unspec\n")
        net.ha.ip(f"xfrm state update src {A} dst {H} proto route2 mode ro coa {coa} flag af-unspec\n")
        for host in (net.mn, net.ha):
            tell_by_signal(lab, net, host, coa)
        lab.sleep(2)
        good(lab, net, f"move {n}")
        lab.facts["moves"].append((start, lab.now()))
        lab.check(installed(net.swan_mn) == before, f"move {n} made new SAs")
        for swan in (net.swan_mn, net.swan_ha):
            at = {(i["local-host"], i["remote-host"]) for i in swan.sas()}
            wanted = {ends(net, swan.host, coa), ends(net, swan.host, H)}
            lab.check(at == wanted, f"move {n}: {swan.name} has IKE_SAs between {at}")
        rekey(lab, net, f"move {n}")


def router_of(net):
    out = net.mn.command(["ip", "-6", "route", "show", "default", "dev", "wlan0"])
    return re.search(r"via (\S+)", out)[1]


# --- kill -9

def run_restart(lab):
    net = static(lab)
    net.swan_ha.start()
    net.swan_mn.start()
    both_up(net)
    before = spis(net.swan_mn)
    net.swan_mn.kill()
    good(lab, net, "strongSwan of the node is dead")
    net.swan_mn.start()
    good(lab, net, "strongSwan of the node is back")
    lab.check(not net.swan_mn.sas(), "strongSwan knows SAs of before it was killed")
    lab.check(in_kernel(net.mn) == before, "the kernel's SAs did not stay")
    lab.sleep(2)  # of two SAs the kernel sends by the younger, to the second
    both_up(net)
    good(lab, net, "there are new SAs")
    lab.check(clean(net.swan_ha), f"INITIAL_CONTACT leaves {in_kernel(net.ha)} at the home agent, {spis(net.swan_ha)} are new")
    lab.check(in_kernel(net.mn) == sorted(before + spis(net.swan_mn)), "the node does not have its old SAs and the new ones")

    net.swan_ha.kill()
    net.swan_ha.start()
    good(lab, net, "strongSwan of the home agent was killed")
    lab.check(len(net.swan_mn.children()) == 2, "the node noticed it at once")
    net.swan_mn.swanctl("--rekey", "--child", "data", check=False)
    lab.until(lambda: not net.swan_mn.sas(), 250, "the node to give up the IKE_SA that its home agent has forgotten", step=5)
    both_up(net)
    good(lab, net, "the node has begun anew")


# --- packets that need an SA

def answers(net, count=4):
    """Sequence numbers of the answers to echoes half a second apart."""
    out = net.mn.command(["ping", "-n", "-c", str(count), "-i", "0.5", "-W", "2", "-I", H, A], check=False)
    return sorted(int(n) for n in re.findall(r"icmp_seq=(\d+) ttl", out))


def run_acquire(lab):
    """A packet that finds no SA: what becomes of it, and who hears of it."""
    net = static(lab)
    net.swan_ha.start()
    for drop, wanted in ((1, [2, 3, 4]), (0, [1, 2, 3, 4])):
        net.swan_mn.configure(net.swan_mn.configuration.replace("policies = no", "start_action = trap\npolicies = no"))
        net.swan_mn.start()
        larval_drop(net.mn, drop)
        got = answers(net)
        lab.check(got == wanted, f"xfrm_larval_drop={drop}: answers {got}, not {wanted}")
        out = net.swan_mn.swanctl("--initiate", "--child", "signal", check=False)
        lab.check("duplicate" in out and len(net.swan_mn.children("signal")) == 1,
                  f"initiating what is there already made another: {out[-200:]}")
        net.swan_mn.swanctl("--terminate", "--ike", "home")
        net.swan_mn.stop()
    net.swan_mn.configure(net.swan_mn.configuration)
    net.swan_mn.start()
    lab.check(answers(net) == [], "an SA was made without a trap")
    lab.check("trap not found, unable to acquire reqid 1" in net.swan_mn.text(), "charon did not hear of the packet")
    net.swan_mn.initiate("signal")  # though there is a larval SA
    got = answers(net)
    lab.check(got == [1, 2, 3, 4], f"answers {got} by an SA in place of a larval one")


def larval_drop(host, value):
    with host.inside(), open("/proc/sys/net/core/xfrm_larval_drop", "w") as f:
        f.write(str(value))


# --- who is who

NODE, AGENT = "mn.example.org", "ha.example.org"


def run_auth(lab):
    net = static(lab)
    authority = Authority(lab)
    eap = lab.keys.auth == "eap-mschapv2"
    secret = f'eap-mn {{\nid = {NODE}\nsecret = "a password"\n}}' if eap else ""
    for swan, ours in ((net.swan_mn, NODE), (net.swan_ha, AGENT)):
        node = "eap-mschapv2" if eap else "pubkey"
        text = re.sub(r"secrets \{.*", "secrets { %s }\n" % secret, swan.configuration, flags=re.S)
        for side in ("local", "remote"):
            who = ours if side == "local" else (NODE if ours == AGENT else AGENT)
            auth = node if who == NODE else "pubkey"
            more = f"certs = {ours}.pem\n" if side == "local" and auth == "pubkey" else ""
            text = re.sub(side + r" \{\s*auth = psk", f"{side} {{\nauth = {auth}\n{more}", text)
        swan.configure(text)
        authority.give(swan, ours)
        swan.start()
    both_up(net)
    good(lab, net, lab.keys.auth)
    wanted = "EAP method EAP_MSCHAPV2 succeeded" if eap else "authentication of 'mn.example.org' with ECDSA"
    lab.check(wanted in net.swan_ha.text(), f"the home agent's strongSwan does not say: {wanted}")


def run(lab):
    moves = {"migrate": run_migrate, "home-address": run_home_address}[lab.keys.arrangement]
    {"moves": moves, "restart": run_restart, "acquire": run_acquire, "auth": run_auth}[lab.keys.part](lab)


def judge(e):
    """No message of IKE during a move."""
    rows = packets.tshark(e.path("core-ha.pcapng"), "isakmp", "frame.time_epoch")
    times = [float(row[0]) for row in rows]
    e.check(len(times) >= 6, f"only {len(times)} messages of IKE were seen at all")
    e.figures["ike_messages"] = len(times)
    if e.keys.part != "moves":
        return
    e.figures["ike_messages_in_moves"] = [sum(start <= t <= end for t in times) for start, end in e.facts.get("moves", [])]
    e.check(len(e.figures["ike_messages_in_moves"]) == e.keys.moves, "not all moves were made")
    e.check(not any(e.figures["ike_messages_in_moves"]), "there were messages of IKE in a move")
