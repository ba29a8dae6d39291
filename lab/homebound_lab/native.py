"""The same scenarios in name spaces of the running kernel, when it has what they need."""

import ctypes
import json
import os
import signal
import subprocess
import tempfile
import shutil

from .scenario import LAB

CLONE_NEWNET = 0x40000000


class CannotRun(Exception):
    pass


def probe_xfrm():
    """Names what of ESP, the home address option and the type 2 routing header the kernel lacks: asks it to
    make such a state, in a name space of its own."""
    missing = []
    for words, name in (("proto esp spi 0x100 mode transport enc cbc(aes) 0x00112233445566778899aabbccddeeff "
                         "auth hmac(sha256) 0x00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff",
                         "ESP for IPv6 (CONFIG_INET6_ESP)"),
                        ("proto hao mode ro coa ::", "Mobile IPv6 (CONFIG_IPV6_MIP6)"),
                        ("proto route2 mode ro coa ::", "Mobile IPv6 (CONFIG_IPV6_MIP6)")):
        p = subprocess.run(["ip", "xfrm", "state", "add", "src", "2001:db8::1", "dst", "2001:db8::2", *words.split()],
                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        if p.returncode and name not in missing:
            missing.append(name)
    return missing


def probe_devices():
    missing = []
    for words, name in (("link add hbt type ip6tnl mode ip6ip6 local ::1 remote ::2", "IPv6 tunnels (CONFIG_IPV6_TUNNEL)"),
                        ("link add hbx type ip6tnl external", "tunnels with metadata (CONFIG_LWTUNNEL)"),
                        ("link add hbv type veth peer name hbw", "veth (CONFIG_VETH)"),
                        ("link add hbb type bridge", "bridges (CONFIG_BRIDGE)")):
        if subprocess.run(["ip", *words.split()], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode:
            missing.append(name)
    if subprocess.run(["tc", "qdisc", "add", "dev", "lo", "root", "netem", "delay", "1ms"],
                      stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode:
        missing.append("netem (CONFIG_NET_SCH_NETEM)")
    if subprocess.run(["nft", "add table ip6 hb"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode:
        missing.append("nftables for IPv6 (CONFIG_NF_TABLES_IPV6)")
    return missing


def missing():
    """What this kernel lacks, by name; tried in a child with a network name space of its own."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(read)
        try:
            if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNET):
                found = ["network name spaces (CONFIG_NET_NS), or the right to make them: run as root"]
            else:
                found = probe_xfrm() + probe_devices()
        except Exception as e:
            found = [str(e)]
        os.write(write, json.dumps(found).encode())
        os._exit(0)
    os.close(write)
    with os.fdopen(read) as f:
        found = json.loads(f.read() or "[]")
    os.waitpid(child, 0)
    return found


def run(job):
    """Run inside.py here. Whatever happens, its processes and name spaces are gone afterwards."""
    lacking = missing()
    if lacking:
        raise CannotRun("this kernel cannot serve as the lab, it lacks: " + "; ".join(lacking) +
                        ". Run without --native: the lab then boots a kernel of its own.")
    job["prefix"] = f"hb{os.getpid()}-"
    job["run_dir"] = tempfile.mkdtemp(prefix="homebound-native.")
    with open(os.path.join(job["out"], "job.json"), "w") as f:
        json.dump(job, f, indent=1)
    child = subprocess.Popen([os.path.join(LAB, "homebound_lab", "inside.py"), job["out"]], stdout=subprocess.PIPE,
                             text=True, start_new_session=True)
    try:
        with open(os.path.join(job["out"], "console.log"), "w") as log:
            for line in child.stdout:
                log.write(line)
                if line.startswith("lab: "):
                    print(line[5:].rstrip(), flush=True)
        child.wait()
    finally:
        clean(job, child)
    if not os.path.exists(os.path.join(job["out"], "inside.json")):
        raise CannotRun(f"the run ended without a report, see {job['out']}/console.log")


def clean(job, child):
    try:
        os.killpg(child.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    child.wait()
    if os.path.isdir("/run/netns"):
        for name in os.listdir("/run/netns"):
            if name.startswith(job["prefix"]):
                for pid in subprocess.run(["ip", "netns", "pids", name], stdout=subprocess.PIPE,
                                          text=True).stdout.split():
                    os.kill(int(pid), signal.SIGKILL)
                subprocess.run(["ip", "netns", "del", name], stderr=subprocess.DEVNULL)
    shutil.rmtree(job["run_dir"], ignore_errors=True)
