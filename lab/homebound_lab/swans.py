"""strongSwan beside the daemons of any scenario, with ipsec=strongswan: configuration as in examples/swanctl-*.conf."""

import re

from .strongswan import StrongSwan

ROAM = "kernel-netlink { roam_events = no }\n"  # moves are mip6d's
SECRET = "of the lab, and of nobody else"
# Names of XFRM in `ip xfrm`, and what ipsec.py calls the same with a key of so many octets
ALGORITHMS = {("rfc4106(gcm(aes))", 20): "aes-gcm-128", ("rfc4106(gcm(aes))", 36): "aes-gcm-256",
              ("rfc7539esp(chacha20,poly1305)", 36): "chacha20-poly1305"}

CONNECTION = """	%(name)s {
		version = 2
		mobike = no
		%(addresses)s
		dpd_delay = 0s
		local {
			auth = psk
			id = %(local)s
		}
		remote {
			auth = psk
			id = %(remote)s
		}
		children {
%(children)s		}
	}
"""
CHILD = """			%(name)s {
				mode = %(mode)s
				local_ts = %(local)s
				remote_ts = %(remote)s
				policies = no
				reqid = %(reqid)d
				esp_proposals = aes256gcm16
			}
"""


def single(address):
    return f"{address}/128[135],{address}/128[ipv6-icmp]"


def children(node, agent, networks, reqid, at_agent):
    """Text of the children signal and data."""
    inside = ",".join([f"{node}/128", *networks])
    ends = {"signal": ("transport_proxy", single(node), single(agent)), "data": ("tunnel", inside, "::/0")}
    found = []
    for number, (name, (mode, ours, theirs)) in enumerate(ends.items()):
        local, remote = (theirs, ours) if at_agent else (ours, theirs)
        found.append(CHILD % {"name": name, "mode": mode, "local": local, "remote": remote, "reqid": reqid + number})
    return found


def identity(address):
    return f"{address.replace(':', '-')}.lab.example"


def configuration(connections, pairs):
    secrets = "".join(f'\tike-{n} {{\n\t\tid-a = {a}\n\t\tid-b = {b}\n\t\tsecret = "{SECRET}"\n\t}}\n'
                      for n, (a, b) in enumerate(pairs))
    return "connections {\n" + "".join(connections) + "}\nsecrets {\n" + secrets + "}\n"


def node_configuration(node, agent, networks, arrangement):
    signal, data = children(node, agent, networks, 1, False)
    names = {"local": identity(node), "remote": identity(agent)}
    first = signal + (data if arrangement == "migrate" else "")
    connections = [CONNECTION % {"name": "home", "addresses": f"remote_addrs = {agent}", "children": first, **names}]
    if arrangement != "migrate":
        connections.append(CONNECTION % {"name": "home-data", "children": data, **names,
                                         "addresses": f"local_addrs = {node}\n\t\tremote_addrs = {agent}"})
    return configuration(connections, [(identity(node), identity(agent))])


def agent_configuration(agent, nodes, networks):
    connections = [CONNECTION % {"name": f"node{n}", "addresses": f"local_addrs = {agent}", "local": identity(agent),
                                 "remote": identity(node),
                                 "children": "".join(children(node, agent, networks, 2 * n + 1, True))}
                   for n, node in enumerate(nodes)]
    return configuration(connections, [(identity(node), identity(agent)) for node in nodes])


class Swans:
    """At most one strongSwan for each host of a lab."""

    def __init__(self, lab):
        self.lab, self.by_host = lab, {}

    def run(self, host, text, at_agent):
        if str(host) in self.by_host:
            return
        # Keys, for who judges: ip xfrm monitor prints all that the kernel says of SAs.
        host.start(f"xfrm-{host}", ["ip", "xfrm", "monitor", "SA"], self.lab.path(f"xfrm-{host}.log"))
        swan = StrongSwan(self.lab, host, text, plugin_settings="" if at_agent else ROAM)
        self.by_host[str(host)] = swan.start()


def of(lab):
    if not hasattr(lab, "swans"):
        lab.swans = Swans(lab)
    return lab.swans


def section(lab, host, at_agent, nodes, data_apart):
    """The lines of the section ipsec."""
    data = ' data_connection = "home-data";' if data_apart and not at_agent else ""
    entries = ", ".join(f'{{ home_address = "{node}"; connection = "{f"node{n}" if at_agent else "home"}";{data} }}'
                        for n, node in enumerate(nodes))
    return [f'strongswan = {{ socket = "{of(lab).by_host[str(host)].socket}"; }};', f"nodes = ( {entries} );"]


def keys_in(path):
    """{SPI: (algorithm, key)} of what `ip xfrm monitor` wrote."""
    found = {}
    with open(path, errors="replace") as f:
        text = f.read()
    for spi, name, key in re.findall(r"proto esp spi (0x[0-9a-f]+) .*?\n(?:\t.*\n)*?\taead (\S+) 0x([0-9a-f]+)", text):
        octets = bytes.fromhex(key)
        if (name, len(octets)) in ALGORITHMS:
            found[int(spi, 16)] = (ALGORITHMS[name, len(octets)], octets)
    return found
