"""What a scenario works with: hosts (network name spaces), cables (veth pairs), processes, waiting.

Nothing here waits for a fixed time: set-up is complete when a call returns, and what takes time is polled.
"""

import contextlib
import ctypes
import fcntl
import ipaddress
import os
import random
import signal
import socket
import struct
import subprocess
import time

from . import netlink
from .netlink import setns

TENTATIVE, OPTIMISTIC, HOME_ADDRESS_FLAG = 0x40, 0x04, 0x10


class LabError(Exception):
    """Setting up or running failed: not an assertion of a scenario, but a broken lab."""


class Process:
    """A process in a host's name space, its output in a log file."""

    def __init__(self, host, name, argv, log):
        self.host, self.name, self.argv, self.log = host, name, argv, log
        self.popen = None

    def start(self):
        with open(self.log, "a") as log:
            self.popen = self.host.popen(self.argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        return self

    @property
    def pid(self):
        return self.popen.pid

    def alive(self):
        return self.popen is not None and self.popen.poll() is None

    def wait(self, timeout=30):
        try:
            return self.popen.wait(timeout)
        except subprocess.TimeoutExpired:
            raise LabError(f"{self.name} did not end within {timeout} s")

    def stop(self, sig=signal.SIGTERM, timeout=10):
        """Signal it and wait; returns the exit status."""
        if self.alive():
            self.popen.send_signal(sig)
        try:
            return self.popen.wait(timeout)
        except subprocess.TimeoutExpired:
            self.popen.kill()
            self.popen.wait()
            raise LabError(f"{self.name} did not end within {timeout} s of signal {int(sig)}; see {self.log}")

    def text(self):
        with open(self.log, errors="replace") as f:
            return f.read()


class Host:
    """A host: a network name space with a name."""

    def __init__(self, lab, name):
        self.lab, self.name = lab, name
        self.netns = lab.prefix + name
        self.interfaces = []
        self.fd = netlink.add_namespace(self.netns, lab.own_netns)
        self.later = {"ip": "", "tc": ""}

    def __repr__(self):
        return self.name

    @contextlib.contextmanager
    def inside(self):
        """This process is in the host's name space for the length of a with block."""
        setns(self.fd)
        try:
            yield
        finally:
            setns(self.lab.own_netns)

    def popen(self, argv, **more):
        # Not with preexec_fn: that makes Python fork instead of vfork, which costs 50 ms in the lab machine.
        with self.inside():
            return subprocess.Popen(argv, **more)

    def start(self, name, argv, log=None):
        """Start a process that stops with the lab."""
        process = Process(self, name, argv, log or self.lab.path(name + ".log"))
        self.lab.processes.append(process)
        return process.start()

    def command(self, argv, check=True, timeout=60, input=None):
        """Run to the end, return standard output."""
        p = self.popen(argv, stdin=subprocess.PIPE if input is not None else subprocess.DEVNULL,
                       stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        try:
            out, err = p.communicate(input, timeout=timeout)
        except subprocess.TimeoutExpired:
            p.kill()
            p.communicate()
            raise LabError(f"{self.name}: {' '.join(argv)}: no end within {timeout} s")
        if check and p.returncode:
            raise LabError(f"{self.name}: {' '.join(argv)}: exit {p.returncode}\n{err.strip() or out.strip()}")
        return out

    def ip(self, lines):
        """Lines for 'ip -6 -batch'."""
        self.batch("ip", ["ip", "-6", "-batch", "-"], lines)

    def tc(self, lines):
        self.batch("tc", ["tc", "-batch", "-"], lines)

    def batch(self, program, argv, lines):
        if self.lab.collecting:
            self.later[program] += lines
        else:
            self.command(argv, input=lines)

    def nft(self, rules):
        self.command(["nft", "-f", "-"], input=rules)

    def sysctl(self, **settings):
        """sysctl(conf__all__forwarding=1) sets net.ipv6.conf.all.forwarding."""
        with self.inside():
            for name, value in settings.items():
                with open("/proc/sys/net/ipv6/" + name.replace("__", "/"), "w") as f:
                    f.write(str(value))

    def read(self, path):
        with self.inside(), open(path) as f:
            return f.read()

    def socket(self, *args):
        with self.inside():
            return socket.socket(*args)

    def mac_of(self, device):
        return self.command(["ip", "link", "show", device]).split("link/ether ")[1].split()[0]

    def addresses(self):
        """[(address, prefix length, interface, flags)] of this host's IPv6 addresses, without starting a program."""
        found = []
        for line in self.read("/proc/net/if_inet6").splitlines():
            text, _, length, _, flags, device = line.split()
            found.append((str(ipaddress.IPv6Address(bytes.fromhex(text))), int(length, 16), device, int(flags, 16)))
        return found


class LinkSwitch:
    """Sets interfaces of a host up and down and moves them between bridges: one system call each, so that
    it takes no time, and the clock is read right before it."""

    RTM_SETLINK, NLM_F_REQUEST, NLM_F_ACK, IFLA_MASTER, IFF_UP = 19, 1, 4, 10, 1

    def __init__(self, host):
        self.sock = host.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)
        self.sock.bind((0, 0))
        self.sequence = 0

    def set(self, index, up=None, master=None):
        """Returns the time (seconds of the wall clock) right before the change."""
        attributes = b""
        if master is not None:
            attributes = struct.pack("=HHI", 8, self.IFLA_MASTER, master)
        change, flags = (0, 0) if up is None else (self.IFF_UP, self.IFF_UP if up else 0)
        body = struct.pack("=BxHiII", 0, 0, index, flags, change) + attributes
        self.sequence += 1
        head = struct.pack("=IHHII", 16 + len(body), self.RTM_SETLINK, self.NLM_F_REQUEST | self.NLM_F_ACK,
                           self.sequence, 0)
        now = time.time()
        self.sock.send(head + body)
        answer = self.sock.recv(65536)
        error = struct.unpack_from("=i", answer, 16)[0]
        if error:
            raise LabError(f"changing interface {index}: {os.strerror(-error)}")
        return now

    def close(self):
        self.sock.close()


class Lab:
    """One topology and what runs in it. Use as a context manager: it takes everything down at the end."""

    def __init__(self, job, out, keys, seed):
        self.job, self.out, self.keys, self.seed = job, out, keys, seed
        self.simulated = job["simulated"]
        self.prefix = job.get("prefix", "")
        self.tools = job["tools"]
        self.build = job["build"]
        self.run_dir = job["run_dir"]
        self.random = random.Random(seed)
        self.facts = {"macs": {}, "routers": []}
        self.failures = []
        self.hosts = {}
        self.processes = []
        self.captures = []
        self.collecting = False
        self.next_index = 10
        self.own_netns = os.open("/proc/self/ns/net", os.O_RDONLY | os.O_CLOEXEC)

    def __enter__(self):
        os.makedirs(self.run_dir, exist_ok=True)
        self.seed_netem()
        return self

    def __exit__(self, *exception):
        self.close()

    # --- files and words

    def path(self, name):
        return os.path.join(self.out, name)

    def say(self, text):
        print(f"lab: {text}", flush=True)

    def check(self, holds, text):
        """An assertion of the scenario that is decided while it runs."""
        if not holds:
            self.failures.append(text)
            self.say(f"FAILED: {text}")
        return holds

    # --- time

    def now(self):
        return time.time()

    def sleep(self, seconds):
        """Let (simulated) time pass. For traffic to flow, not for something to become true: that is until()."""
        if seconds > 0:
            time.sleep(seconds)

    def until(self, condition, timeout, what, step=0.02, longest=None):
        """Poll until condition() gives something true, and return that; LabError after timeout. longest: steps
        grow by a quarter each time, up to this; for what may take minutes."""
        end = time.monotonic() + timeout
        while True:
            value = condition()
            if value:
                return value
            if time.monotonic() >= end:
                raise LabError(f"waited {timeout} s in vain for {what}")
            time.sleep(step)
            step = min(step * 1.25, longest or step)

    def holds_within(self, condition, timeout, what, step=0.05, longest=None):
        """The same as an assertion: a failure is noted, and the scenario goes on."""
        try:
            return self.until(condition, timeout, what, step, longest)
        except LabError as e:
            self.check(False, str(e))
            return None

    # --- hosts and cables

    @contextlib.contextmanager
    def collect(self):
        """Lines for ip and tc are collected in here and run at the end: one program a host, not one a call."""
        self.collecting = True
        try:
            yield
        finally:
            self.collecting = False
        for program in ("ip", "tc"):
            for host in self.hosts.values():
                lines, host.later[program] = host.later[program], ""
                if lines:
                    getattr(host, program)(lines)

    def command(self, argv, input=None, check=True):
        p = subprocess.run(argv, stdin=None if input is not None else subprocess.DEVNULL, input=input,
                           stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        if check and p.returncode:
            raise LabError(f"{' '.join(argv)}: exit {p.returncode}\n{p.stderr.strip()}")
        return p.stdout

    def host(self, name, router=False, static=True):
        """static: addresses come from the lab alone, and at once (no autoconfiguration, no DAD)."""
        host = self.hosts[name] = Host(self, name)
        if static:
            host.sysctl(conf__all__accept_dad=0, conf__default__accept_dad=0, conf__default__dad_transmits=0,
                        conf__all__accept_ra=0, conf__default__accept_ra=0, conf__default__autoconf=0)
        if router:
            self.facts["routers"].append(name)
            host.sysctl(conf__all__forwarding=1, conf__default__forwarding=1)
        return host

    def index(self):
        self.next_index += 1
        return self.next_index

    def cable(self, a, a_name, b, b_name, mtu=1500):
        """A veth pair. Both ends get interface indexes used nowhere else in the lab: the kernel compares a
        veth's index with its peer's, and when they happen to be equal it reports loss and return of the
        carrier up to a second late. Returns the two indexes."""
        i, j = self.index(), self.index()
        netlink.add_veth((i, a_name, self.mac(i), mtu, a.fd), (j, b_name, self.mac(j), mtu, b.fd))
        for host, name in ((a, a_name), (b, b_name)):
            self.no_offload(host, name)
            host.interfaces.append(name)
        self.facts["macs"].update({self.mac(i): a.name, self.mac(j): b.name})
        return i, j

    @staticmethod
    def mac(index):
        return f"02:00:00:00:{index >> 8:02x}:{index & 255:02x}"

    @staticmethod
    def no_offload(host, name):
        """What a capture shows is then what a wire would carry: real sizes, real checksums."""
        SIOCETHTOOL = 0x8946
        with host.inside(), socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as s:
            for setting in (0x1F, 0x24, 0x2C, 0x17):  # TSO, GSO, GRO, checksums on transmission
                value = ctypes.create_string_buffer(struct.pack("=II", setting, 0))
                request = struct.pack("16sP", name.encode(), ctypes.addressof(value))
                with contextlib.suppress(OSError):
                    fcntl.ioctl(s, SIOCETHTOOL, request)

    def seed_netem(self):
        """Loss, repetition and reordering then follow from the seed (a patch of the lab's kernel)."""
        try:
            with open("/sys/module/sch_netem/parameters/seed", "w") as f:
                f.write(str(self.seed * 2654435761 % 4294967295 or 1))
        except OSError:
            pass

    # --- the end

    def close(self):
        for process in reversed(self.processes):
            if process.alive():
                process.popen.terminate()
        end = time.monotonic() + 5
        for process in self.processes:
            if process.popen is None:
                continue
            try:
                process.popen.wait(max(0.05, end - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.popen.kill()
                process.popen.wait()
        for host in self.hosts.values():
            os.close(host.fd)
            netlink.delete_namespace(host.netns)
        self.hosts = {}
        os.close(self.own_netns)
