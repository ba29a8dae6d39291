"""The network of two mobile nodes with an intranet (doc/vcm.md; the figure is in doc/lab.md).

    files, vcm -- servers --+                        +-- ha -- home link (embodiment 1)
                            sg -- core --------------+-- ar1, ar2, ar3 -- links 1 to 3 --+
    office -----------------+                        +-- ar4, ar5, ar6 -- links 4 to 6 --+-- air -- mn1, mn2
                                                     +-- trap -- link fake: the office's prefix, an attacker's router

Embodiment 1: the intranet has private addresses, and the nodes home addresses of an external home agent. Embodiment 2: it
has public ones, the office is the home link, and the gateway the home agent. Each node has two interfaces, so that it may
attach to the next link before it leaves the last one.
"""

from types import SimpleNamespace

from .lossy import DEVICE as LOST, Losses
from .picture import Picture
from .routers import Router

LINKS = {f"link{n}": (f"ar{n}", "lan0", f"2001:db8:a{n}::1", f"2001:db8:a{n}::/64") for n in range(1, 7)}
DEVICES = {"mn1": ("wlan0", "wlan1"), "mn2": ("wlan2", "wlan3")}
WALKS = {"mn1": ("link1", "link2", "link3"), "mn2": ("link4", "link5", "link6")}
# One way, as a part of the round trip between the two nodes: no sum of some is a sum of others.
PARTS = {"mn1": 0.2, "mn2": 0.3, "sg": 0.11, "ha": 0.17, "vcm": 0.05}


def addresses(embodiment):
    """Who has which address. internal: of a node inside and outside; home: of its Mobile IPv6."""
    home = {"mn1": "2001:db8:1::101", "mn2": "2001:db8:1::102", "mn3": "2001:db8:1::103"}
    if embodiment == 1:
        return SimpleNamespace(
            internal={"mn1": "fd00:0:0:1::101", "mn2": "fd00:0:0:1::102", "mn3": "fd00:0:0:1::103"},
            home=home,
            prefixes=("fd00::/32",), office="fd00:0:0:1::/64", office_router="fd00:0:0:1::1", servers="fd00:0:0:2::/64",
            servers_router="fd00:0:0:2::1", vcm="fd00:0:0:2::9", files="fd00:0:0:2::5", gateway="2001:db8:5::1",
            home_agent="2001:db8:1::1000", home_prefix="2001:db8:1::/64")
    return SimpleNamespace(
        internal=home, home=home, prefixes=("2001:db8:1::/64", "2001:db8:2::/64"), office="2001:db8:1::/64",
        office_router="2001:db8:1::1000", servers="2001:db8:2::/64", servers_router="2001:db8:2::1", vcm="2001:db8:2::9",
        files="2001:db8:2::5", gateway="2001:db8:5::1", home_agent="2001:db8:1::1000", home_prefix="2001:db8:1::/64")


def delays(rtt):
    """One-way delays in ms of the ways between the core, or the gateway for vcm, and others."""
    return {name: part * rtt for name, part in PARTS.items()}


class Intranet(Picture):
    """rtt_ms: round trip between the two nodes outside."""

    def __init__(self, lab, embodiment=1, rtt_ms=100, fake=False, ra_ms=1000, rate="100mbit", lossy=False):
        self.lab, self.embodiment, self.rate, self.impair = lab, embodiment, rate, ""
        self.at, self.delays, self.place = addresses(embodiment), delays(rtt_ms), {}
        self.places(fake)
        self.core, self.sg = lab.host("core", router=True), lab.host("sg", router=True)
        self.air = lab.host("air")
        self.air.sysctl(conf__all__disable_ipv6=1, conf__default__disable_ipv6=1)
        for name in self.branches:
            setattr(self, name, getattr(self, name, None) or lab.host(name, router=True))
        self.mn1, self.mn2 = lab.host("mn1", static=False), lab.host("mn2", static=False)
        with lab.collect():
            self.wire()
            self._radio()
            self.inside()
            for name, devices in DEVICES.items():
                self._node(getattr(self, name), devices)
        self._filter()
        self.losses, self.losing = Losses(lab, self.core) if lossy else None, False
        self.advertise(ra_ms)

    def places(self, fake):
        """Links where a node may be, and the branches of the core: (delay, prefixes behind it)."""
        at, d = self.at, self.delays
        self.router_of = {"office": ("sg", "int0", at.office_router), "servers": ("sg", "int1", at.servers_router),
                          **{link: row[:3] for link, row in LINKS.items()}}
        self.prefixes = {"office": at.office, "servers": at.servers, **{link: row[3] for link, row in LINKS.items()}}
        self.branches = {"sg": (d["sg"], [] if self.embodiment == 1 else [at.office, at.servers])}
        if self.embodiment == 1:
            self.router_of["home"], self.prefixes["home"] = ("ha", "home0", at.home_agent), at.home_prefix
            self.branches["ha"] = (d["ha"], [at.home_prefix])
        for node, walk in WALKS.items():
            self.branches.update({LINKS[link][0]: (d[node], [LINKS[link][3]]) for link in walk})
        if fake:
            self.router_of["fake"], self.prefixes["fake"] = ("trap", "lan0", at.office_router), at.office
            self.branches["trap"] = (d["mn1"], [])

    def wire(self):
        lab = self.lab
        for n, (name, (delay, behind)) in enumerate(self.branches.items(), 1):
            host, net = getattr(self, name), "2001:db8:5:" if name == "sg" else f"2001:db8:f:{n}:"
            core, other = (f"{net}:2", f"{net}:1") if name == "sg" else (f"{net}:1", f"{net}:2")
            ends = lab.cable(self.core, name, host, "up0")
            self.core.ip(f"addr add {core}/64 dev {name} nodad\nlink set {name} up\n"
                         f"neigh add {other} lladdr {lab.mac(ends[1])} dev {name} nud permanent\n" +
                         "".join(f"route add {prefix} via {other}\n" for prefix in behind))
            host.ip(f"addr add {other}/64 dev up0 nodad\nlink set up0 up\nroute add default via {core}\n"
                    f"neigh add {core} lladdr {lab.mac(ends[0])} dev up0 nud permanent\n")
            self._queue(self.core, name, delay)
            self._queue(host, "up0", delay)

    def inside(self):
        """Hosts on the link of the servers."""
        self.vcm = self.on_link("vcm", "servers", self.at.vcm)
        self.files = self.on_link("files", "servers", self.at.files)
        self._queue(self.vcm, "eth0", self.delays["vcm"])
        self._queue(self.air, "p-vcm", self.delays["vcm"])

    def third_node(self):
        """A third mobile node, with two interfaces as the others."""
        self.mn3 = self.lab.host("mn3", static=False)
        self._node(self.mn3, ("wlan4", "wlan5"))
        self.devices = {**DEVICES, "mn3": ("wlan4", "wlan5")}

    def _filter(self):
        """Access routers drop wrong sources (RFC 2827); the attacker's does not."""
        for link, (router, device, _, prefix) in LINKS.items():
            getattr(self, router).nft(
                "table ip6 ingress {\nchain forward {\ntype filter hook forward priority 0;\n"
                f"iifname {device} ip6 saddr != {{ {prefix}, fe80::/10, :: }} counter drop\n}}\n}}\n")

    def advertise(self, ra_ms):
        self.routers = {}
        for place, (router, device, _) in self.router_of.items():
            if place == "servers":
                continue
            agent = self.at.home_agent if place == "home" or self.embodiment == 2 and place in ("office", "fake") else None
            self.routers[place] = Router(self.lab, getattr(self, router), device, self.prefixes[place], "instant", ra_ms,
                                         home_agent=agent)
        for router in self.routers.values():
            router.wait_ready()

    def loss(self, percent):
        """From now on the core loses so many packets, on each of its links and in both directions."""
        self.losses.set(percent, self.branches)
        self.losing = percent > 0

    def capture_points(self):
        """{name of the link: (host, interface)}. Always at an end where no ESP ends, but for the intranet's own links."""
        points = {"office": (self.sg, "int0"), "servers": (self.sg, "int1")}
        points.update({f"core-{name}": (self.core, name) for name in ("sg", "ha") if name in self.branches})
        points.update({place: (self.host_of(place), self.router_of[place][1])
                       for place in self.router_of if place not in ("office", "servers")})
        if self.losses:
            points["lost"] = (self.core, LOST)
        return points
