"""Daemons of a virtual private network: nodes with an inside and an outside, security gateway, connectivity manager
(vcmd). Their configuration is written here and nowhere else; the network is intranet.py's."""

import os
import random
import shutil

from . import daemons, ipsec, swans
from .daemons import Daemon
from .scenario import LAB
from .strongswan import StrongSwan

NODES = ("mn1", "mn2")
MONITORED = ("mn1", "mn2", "sg", "vcm")
MEMBERS = (*NODES, "mn3")  # the third one is only there in scenario vcm_attacks

EXAMPLES = os.path.join(os.path.dirname(LAB), "examples")
# The gateway can be reached when there is a binding; until then it is asked every second (doc/vcm.md).
NODE_CHARON = "	retransmit_timeout = 1\n	retransmit_base = 1\n	retransmit_tries = 5\n"

NODE_VPN = """vpn = {
%(embodiment)s	internal = ( %(internal)s );
	manager = "%(manager)s";
	manager_ipsec = "%(manager_ipsec)s";
	ipsec = "%(vpn_ipsec)s";
%(vpn_more)s};
"""
GATEWAY = """gateway = {
	address = "%(address)s";
	internal = ( %(internal)s );
	internal_interfaces = ( "int0", "int1" );
	manager = "%(manager)s";
	source = "%(source)s";
	ipsec = "%(ipsec)s";
%(reqid)s	nodes = ( %(nodes)s );
%(more)s};
"""
GATEWAY_CONF = """role = "correspondent";
control = { socket = "%(socket)s"; };
state_file = "%(state)s";
%(sections)s"""
VCMD_CONF = """address = "%(address)s";
control = { socket = "%(socket)s"; };
ipsec = { %(ipsec)s };
gateways = ( "%(gateway)s" );
nodes = ( %(nodes)s );
pairs = ( { between = "any"; and = "any"; action = "allow"; %(pairs)s } );
store = { path = "%(store)s"; key_file = "%(store)s.key"; make_key = true; };
audit = { file = "%(audit)s"; };
"""


def quoted(words):
    return ", ".join(f'"{w}"' for w in words)


def manager_of(net, where):
    return net.at.vcm if where == "host" else net.at.servers_router


def gateway_of(net, where):
    """The address by which the gateway speaks with the manager; on one host they need two."""
    return net.at.servers_router if where == "host" else net.at.office_router


# --- keys

def pairs_of(net, where):
    """[(one end, other end, use)] of SA pairs with manual keys."""
    at, found = net.at, []
    for name in MEMBERS:
        if net.embodiment == 1:
            found.append((at.home[name], at.gateway, "gateway"))
        else:
            found += [(at.home[name], at.home_agent, "signal"), (at.home[name], at.home_agent, "data")]
        if where == "host":
            found.append((at.internal[name], at.vcm, "manager"))
    if where == "host" and net.manager_ipsec == "manual":
        found.append((gateway_of(net, where), at.vcm, "manager"))
    return found


def manual_keys(seed, pairs, algorithm="aes-gcm-128"):
    """As ipsec.manual_keys() has them."""
    keys = []
    for one, other, use in pairs:
        draw = random.Random(f"vpn {seed} {one} {other} {use}")
        number = draw.randrange(0x1000, 0x1000000) << 4
        for n, (source, destination) in enumerate(((one, other), (other, one))):
            keys.append((source, destination, use, number + n, algorithm, draw.randbytes(sum(ipsec.LENGTHS[algorithm])).hex()))
    return keys


def keys_file(lab, net, host, uses, *addresses):
    """The lines that a host needs: of SAs with one of its addresses, for some uses."""
    k = lab.keys
    keys = manual_keys(lab.seed, pairs_of(net, k.where))
    mine = [row for row in keys if row[2] in uses and (row[0] in addresses or row[1] in addresses)]
    return f'keys_file = "{ipsec.key_file(lab, host, mine)}";' if mine else ""


def pairs_section(lab, net, host, *addresses):
    """Embodiment 1: keys of what strongSwan does not make."""
    uses = ("manager",) if lab.keys.ipsec == "strongswan" else ("gateway", "manager")
    keys = keys_file(lab, net, host, uses, *addresses)
    return f"ipsec = {{ {keys} }};\n" if keys else ""


# --- strongSwan

def strongswan(lab, net, name):
    """A charon that makes the tunnel's SAs, with the connections of the examples; those of the node are mn1's."""
    with open(os.path.join(EXAMPLES, "swanctl-gateway.conf" if name == "sg" else "swanctl-mobile-node-vpn.conf")) as f:
        text = f.read()
    if name == "sg" and lab.keys.manager_ipsec == "strongswan":
        text = with_manager(net, lab.keys.where, name, text)
    if name != "sg":
        for of in (net.at.internal, net.at.home):
            text = text.replace(of["mn1"] + "\n", of[name] + "\n").replace(of["mn1"] + "/128", of[name] + "/128")
        text = text.replace("mn1", name)
        if lab.keys.ike_rekey:
            text = text.replace("replay_window", f"rekey_time = {lab.keys.ike_rekey}s\n\t\t\t\treplay_window")
    net.daemons[f"charon-{name}"] = StrongSwan(lab, getattr(net, name), text, more="" if name == "sg" else NODE_CHARON,
                                 plugin_settings="kernel-netlink { roam_events = no }\n").start()


def home_strongswan(lab, net, name, address):
    """Embodiment 2: a charon that makes the SAs of home registrations; what mip6d's section ipsec says of it."""
    at, k = net.at, lab.keys
    if k.ike_rekey:
        lab.rekey_s = k.ike_rekey
    lab.dpd_s = 10
    text, lines = swans.configuration(lab, address, [at.home[n] for n in MEMBERS], [at.home_agent])
    swan = StrongSwan(lab, getattr(net, name), text, more="" if name == "sg" else NODE_CHARON,
                      plugin_settings="kernel-netlink { roam_events = no }\n").start()
    net.daemons[f"charon-{name}"] = swan
    return f'strongswan = {{ socket = "{swan.socket}"; }}; nodes = ( {", ".join(lines)} );'


def tunnels(net):
    """(name of the children, reqid at the first node and at the gateway, next node's less) of the SAs between node and gateway."""
    return ("gateway", 100, 100, 0) if net.embodiment == 1 else ("data", 2, 2, 2)


# SG - VCM: mip6d has the policies on the gateway; vcmd has none without keys, so on the manager's host they are charon's.
MANAGER_CHILD = """			manager {
				mode = transport
				local_ts = %(local)s/128[udp]
				remote_ts = %(remote)s/128[udp]
				%(child)s
				replay_window = 1024
				esp_proposals = aes256gcm16,aes128gcm16
			}
"""
MANAGER_SECRET = """	ike-manager {
		id-sg = sg-inside.example.org
		id-vcm = vcm.example.org
		secret = "an example, to be replaced: vcm"
	}
"""


def with_manager(net, where, name, text):
    """swanctl.conf with the SAs of gateway and manager as well."""
    ends = [(gateway_of(net, where), "sg-inside.example.org"), (net.at.vcm, "vcm.example.org")]
    (local, local_id), (remote, remote_id) = ends if name == "sg" else ends[::-1]
    child = f"policies = no\n\t\t\t\treqid = {100 + 2 * len(MEMBERS)}\n\t\t\t\tstart_action = trap|start" if name == "sg" else "policies = yes"
    more = swans.CONNECTION % {
        "name": "manager", "addresses": f"local_addrs = {local}\n\t\tremote_addrs = {remote}", "times": "keyingtries = 0",
        "local_id": local_id, "remote_id": remote_id, "children": MANAGER_CHILD % {"local": local, "remote": remote, "child": child}}
    return text.replace("connections {\n", "connections {\n" + more, 1).replace("secrets {\n", "secrets {\n" + MANAGER_SECRET, 1)


def check_strongswan(lab, net):
    """Each node and the gateway's charon have one pair of SAs, the same one, and the kernel has it; when the gateway's was killed,
    after the nodes have asked whether it is there."""
    swans = {name: net.daemons.get(f"charon-{name}") for name in ("sg", *NODES)}
    child, node_reqid, gateway_reqid, step = tunnels(net)

    def same(n, name):
        mine = swans[name].children(child)
        theirs = [c for c in swans["sg"].children(child) if int(c["reqid"]) == gateway_reqid + 2 * n]
        return len(mine) == len(theirs) == 1 and mine[0]["spi-in"] == theirs[0]["spi-out"] and mine[0]["spi-out"] == theirs[0]["spi-in"]

    for n, name in enumerate(NODES if swans["sg"] else ()):
        lab.holds_within(lambda: same(n, name), 25, f"{name}: the same SAs at its charon and the gateway's")
        there = getattr(net, name).command(["ip", "xfrm", "state"])
        lab.check(all(f"spi 0x{c['spi-in']} reqid {node_reqid + step * n} " in there for c in swans[name].children(child)),
                  f"{name}: its kernel has not what its charon has")


# --- daemons

def by_group(lab, net):
    """What groups vpn and gateway say of their own SAs; in embodiment 2 those are the manager's alone."""
    return lab.keys.ipsec if net.embodiment == 1 else "manual"


def home_section(lab, net, name, address, *addresses):
    """Embodiment 2: the section ipsec of a node or the gateway."""
    swan, uses = "", ("signal", "data", "manager")
    if lab.keys.ipsec == "strongswan":
        swan, uses = home_strongswan(lab, net, name, address), ("manager",)
    keys = keys_file(lab, net, getattr(net, name), uses, *addresses)
    return f'ipsec = {{ payload = true; arrangement = "home-address"; {keys} {swan} }};\n'


def home_agent(lab, net):
    """Embodiment 1: the external home agent, which protects nothing itself."""
    return Daemon(lab, net.ha, daemons.HOME_AGENT_CONF, more="", home_agent=net.at.home_agent, home_prefix=net.at.home_prefix,
                  ipsec="none", ipsec_section="").start()


def gateway(lab, net, more=""):
    k, at = lab.keys, net.at
    nodes = ", ".join(f'{{ internal_address = "{at.internal[n]}"; home_address = "{at.home[n]}"; }}' for n in MEMBERS)
    section = GATEWAY % {
        "address": at.gateway if net.embodiment == 1 else at.home_agent, "internal": quoted(at.prefixes),
        "manager": manager_of(net, k.where), "source": gateway_of(net, k.where), "ipsec": by_group(lab, net), "nodes": nodes,
        "more": more, "reqid": "	reqid = 100;\n" if by_group(lab, net) == "strongswan" else ""}
    mine = (at.gateway, at.home_agent, gateway_of(net, k.where))
    if net.embodiment == 1:
        section += pairs_section(lab, net, net.sg, *mine)
        if k.ipsec == "strongswan":
            strongswan(lab, net, "sg")
        return Daemon(lab, net.sg, GATEWAY_CONF, sections=section).start()
    conf = daemons.HOME_AGENT_CONF.replace("home0", "int0")
    section += home_section(lab, net, "sg", at.home_agent, *mine)
    return Daemon(lab, net.sg, conf, more="", home_agent=at.home_agent, home_prefix=at.home_prefix, ipsec=k.ipsec,
                  ipsec_section=section).start()


def node(lab, net, name, vpn_more=""):
    k, at = lab.keys, net.at
    host = getattr(net, name)
    first = "" if net.embodiment == 2 else (f'	internal_address = "{at.internal[name]}";\n'
                                            f'	gateway = "{at.gateway}";\n')
    vpn = NODE_VPN % {
        "embodiment": first, "internal": quoted(at.prefixes), "manager": manager_of(net, k.where),
        "manager_ipsec": "own" if k.where == "host" else "gateway", "vpn_ipsec": by_group(lab, net),
        # What only goes through the gateway's tunnel cannot prove that the node is inside.
        "vpn_more": vpn_more + ("	authenticate = false;\n" if k.where == "gateway" and net.embodiment == 1 else "") +
                    ("	reqid = 100;\n" if by_group(lab, net) == "strongswan" else "")}
    if net.embodiment == 1:
        section = pairs_section(lab, net, host, at.home[name], at.internal[name])
    else:
        section = home_section(lab, net, name, at.home[name], at.home[name], at.internal[name])
    if k.ipsec == "strongswan" and net.embodiment == 1:
        strongswan(lab, net, name)
    return Daemon(lab, host, daemons.MOBILE_NODE_CONF, interfaces=daemons.interfaces_of(host), lifetime=600,
                  uplink="optimistic", optimistic_dad="true", home_address=at.home[name], home_prefix=at.home_prefix,
                  home_agent=at.home_agent, ipsec=k.ipsec if net.embodiment == 2 else "none", more="",
                  ipsec_section=section, sections=vpn).start()


class Manager(Daemon):
    """A vcmd on a host."""

    def __init__(self, lab, net, host, more=""):
        k, at = lab.keys, net.at
        self.lab, self.host = lab, host
        self.name = f"vcmd-{host}"
        self.socket = os.path.join(lab.run_dir, self.name + ".sock")
        self.store = os.path.join(lab.run_dir, self.name + ".store")
        self.conf, self.log, self.audit = (lab.path(f"{self.name}.{end}") for end in ("conf", "log", "audit"))
        self.forget()
        variant = "asymmetric" if k.keys == "asymmetric" else "symmetric"
        keys = keys_file(lab, net, f"{host}-vcmd", ("manager",), at.vcm)
        with open(self.conf, "w") as f:
            f.write(VCMD_CONF % {
                "address": manager_of(net, k.where), "socket": self.socket, "gateway": gateway_of(net, k.where),
                "nodes": quoted(at.internal.values()), "store": self.store, "audit": self.audit,
                "ipsec": f'manager = "manual"; {keys}' if k.where == "host" else 'manager = "none";',
                "pairs": f'variant = "{variant}"; kcn = {"true" if k.kcn else "false"}; {more}'})
        self.process = None

    def forget(self):
        """The store that another run in the same boot has left, a folder."""
        shutil.rmtree(self.store, ignore_errors=True)

    def start(self):
        program = os.path.join(self.lab.build, "vcm", "vcmd")
        if not os.path.exists(program):
            from .lab import LabError
            raise LabError(f"{program} is not there: build it first, or set HOMEBOUND_BUILD to the directory of the build")
        self.process = self.host.start(self.name, [program, "-c", self.conf, "-f", *getattr(self.lab, "daemon_options", ())], self.log)
        self.lab.until(self.answers, 10, f"{self.name} to answer on its socket; see {self.log}")
        return self


def manager(lab, net, more=""):
    if lab.keys.manager_ipsec == "strongswan":
        text = with_manager(net, lab.keys.where, "vcm", "connections {\n}\nsecrets {\n}\n")
        net.daemons["charon-vcm"] = StrongSwan(lab, net.vcm, text).start()
    return Manager(lab, net, net.vcm if lab.keys.where == "host" else net.sg, more).start()


def watch(lab, host):
    """All keys that the kernel of a host is told, for who judges; from before the daemons start."""
    host.start(f"xfrm-{host}", ["ip", "xfrm", "monitor", "SA"], lab.path(f"xfrm-{host}.log"))


def monitors(lab, net):
    """What `mip6ctl monitor` shows of each of them, to eyes and as JSON, for who judges."""
    program = os.path.join(lab.build, "ctl", "mip6ctl")
    for name in MONITORED:
        daemon = net.daemons[name]
        verb = ["vcm", "monitor"] if name == "vcm" else ["monitor"]
        for file, option in ((f"monitor-{name}.log", []), (f"monitor-{name}-j.log", ["-j"])):
            daemon.host.start(file.removesuffix(".log"), [program, "-s", daemon.socket, *option, *verb], lab.path(file))
