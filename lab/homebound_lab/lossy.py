"""A router that loses packets in a way that leaves an account: what it loses goes to a device that nobody hears, on which there is
a capture. Which ones it loses follows from the seed."""

import random

DEVICE = "lost0"
MARK, TABLE = 0x1057, 1057
DRAWS = 4096  # until the sequence of a link begins again


class Losses:
    def __init__(self, lab, router):
        self.random, self.router = random.Random(f"losses {lab.seed}"), router
        router.ip(f"link add {DEVICE} type dummy\nlink set {DEVICE} up\n"
                  f"rule add fwmark {MARK} lookup {TABLE}\nroute add default dev {DEVICE} table {TABLE}\n")

    def drawn(self, percent):
        """Which of DRAWS packets are lost."""
        return ", ".join(str(n) for n in range(DRAWS) if self.random.random() * 100 < percent)

    def set(self, percent, devices):
        """From now on so many of the packets that come by a device, and of those that would leave by it. Each device and direction
        has draws of its own."""
        rules = ""
        for device in devices if percent else ():
            for way in (f"iifname {device}", f"fib daddr oifname {device}"):
                rules += f"{way} numgen inc mod {DRAWS} {{ {self.drawn(percent)} }} counter meta mark set {MARK}\n"
        self.router.nft("table ip6 losses\ndelete table ip6 losses\n" + (
            "table ip6 losses {\nchain prerouting {\ntype filter hook prerouting priority mangle;\n" + rules + "}\n}\n"
            if rules else ""))
