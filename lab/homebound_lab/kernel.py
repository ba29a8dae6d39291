"""Boot the lab's kernel on the host's root file system, show its progress, and bound its time."""

import fcntl
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading

from .scenario import LAB

# Simulated time starts at the same moment in every run. (The kernel takes nanoseconds, whatever its help says.)
START_OF_TIME = 1767225600  # 2026-01-01 00:00:00 UTC

# The kernel's last word. All files are written by then; its process now and then does not end after it.
LAST_WORD = "System halted"
SECONDS_AFTER_IT = 5


class BootFailed(Exception):
    pass


class Hung(BootFailed):
    pass


def path():
    """The kernel's path; builds it when it is not in the cache."""
    build = subprocess.run([os.path.join(LAB, "kernel", "build")], stdout=subprocess.PIPE, text=True)
    if build.returncode:
        raise BootFailed("the lab kernel could not be built (see above)")
    return build.stdout.strip()


def command(out, scratch, simulated, stage, memory):
    for p in (out, LAB):
        if any(c.isspace() or c == "," for c in p):
            raise BootFailed(f"{p}: the lab cannot work below a path with spaces or commas")
    argv = [path(), f"mem={memory}", "root=/dev/root", "rootfstype=hostfs", "rootflags=/", "ro",
            f"init={LAB}/boot/init", "con=null", "con0=fd:0,fd:1", "quiet", "loglevel=1",
            f"umid=hb{os.getpid()}", f"uml_dir={scratch}",
            f"homebound_out={out}", f"homebound_repo={os.path.dirname(LAB)}", f"homebound_stage={stage}"]
    if simulated:
        argv += ["time-travel=inf-cpu", f"time-travel-start={START_OF_TIME * 10**9}"]
    return argv


def environment():
    env = dict(os.environ)
    for name in ("TMPDIR", "TMP", "TEMP"):  # its memory file belongs in /dev/shm
        env.pop(name, None)
    return env


def take_cpu():
    """Keeps a lab machine on one CPU, and concurrent ones on different CPUs as long as there are any: a system
    call there is two processes taking turns, which is twice as fast when they share a CPU. Returns (lock, cpu)."""
    cpus = sorted(os.sched_getaffinity(0))
    for cpu in cpus:
        lock = open(os.path.join(tempfile.gettempdir(), f"homebound-cpu{cpu}.lock"), "w")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return lock, cpu
        except OSError:
            lock.close()
    return None, cpus[os.getpid() % len(cpus)]


def kill_group(process):
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    process.wait()


class Limit:
    """Kills a machine some seconds from now, unless it is called off first."""

    def __init__(self, seconds, process):
        self.passed = threading.Event()
        self.process = process
        self.timer = threading.Timer(seconds, self.kill)
        self.timer.daemon = True
        self.timer.start()

    def kill(self):
        self.passed.set()
        kill_group(self.process)

    def call_off(self):
        self.timer.cancel()


def run(out, simulated, limit, stage="run", memory="1024M", show=True):
    """Boot, run, power off. Lines of the console go to OUT/console.log, those that begin with
    'lab: ' to the user. Raises Hung or BootFailed when the machine hangs or dies."""
    scratch = tempfile.mkdtemp(prefix="homebound-uml.")
    process = None
    lock, cpu = take_cpu()
    try:
        # In a PID name space of its own that ends with us: whatever happens to us, no process of it stays.
        argv = ["setpriv", "--pdeathsig", "KILL", "unshare", "--pid", "--fork", "--kill-child",
                "taskset", "-c", str(cpu), *command(out, scratch, simulated, stage, memory)]
        process = subprocess.Popen(argv, stdin=subprocess.DEVNULL,
                                   stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=environment(),
                                   start_new_session=True, errors="replace", text=True)
        limits = [Limit(limit, process)]
        tail = []
        with open(os.path.join(out, "console.log"), "w") as log:
            for line in process.stdout:
                log.write(line)
                log.flush()
                tail = [*tail[-14:], line.rstrip()]
                if show and line.startswith("lab: "):
                    print(line[5:].rstrip(), flush=True)
                if LAST_WORD in line:
                    limits.append(Limit(SECONDS_AFTER_IT, process))
        process.wait()
        for each in limits:
            each.call_off()
        if limits[0].passed.is_set():
            raise Hung(f"the lab machine was still running after {limit:.0f} s of real time and was killed; "
                             f"its last words (all in {out}/console.log):\n  " + "\n  ".join(tail))
        if not os.path.exists(os.path.join(out, "inside.json")):
            raise BootFailed("the lab machine ended without a report; its last words:\n  " + "\n  ".join(tail))
    finally:
        if process and process.poll() is None:
            kill_group(process)
        shutil.rmtree(scratch, ignore_errors=True)
        if lock:
            lock.close()


def interactive(out, memory="1024M"):
    """Boot in real time with the terminal as console."""
    scratch = tempfile.mkdtemp(prefix="homebound-uml.")
    terminal = sys.stdin.isatty()
    saved = subprocess.run(["stty", "-g"], stdout=subprocess.PIPE, text=True).stdout.strip() if terminal else ""
    try:
        subprocess.run(command(out, scratch, False, "shell", memory), env=environment(), stderr=subprocess.STDOUT)
    finally:
        if saved:
            subprocess.run(["stty", saved])
        shutil.rmtree(scratch, ignore_errors=True)
