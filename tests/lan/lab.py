"""A LAN on one machine: hosts, a switch, cables, faults.

Each host is a set of Linux namespaces (network, mount, UTS, IPC) with an
eth0, addresses, a host name and a private /run, and if wished a system bus
and an avahi-daemon of its own.  All cables end in one switch, which is a
network namespace too, so nothing is added to the machine outside, no host
has a way out, and several labs run at once without knowing of each other.

    with lab.Lab() as lan:
        one, two = lan.host(), lan.host(avahi=False, bus=False)
        one.run(["ping", "-c1", two.ipv4])
        lan.partition([one], [two])
        lan.heal()
        two.cable_out()

Needs root.  Packages: see TOOLS.

How it ends.  The namespaces have no names and no mounts: they live exactly
as long as a process is inside.  One keeper process per namespace set reads a
pipe whose other end this program holds.  When the pipe closes, because down()
was called or because this program died in any way, kill -9 included, the
keeper kills every process of its network namespace and goes too.  down() then
proves that nothing is left, and raises LabError if something is.
"""

import atexit
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

# Program -> Debian package that brings it.
TOOLS = {
    "ip": "iproute2",
    "ping": "iputils-ping",
    "unshare": "util-linux",
    "nsenter": "util-linux",
    "mount": "mount",
    "dbus-daemon": "dbus",
    "avahi-daemon": "avahi-daemon",
    "avahi-browse": "avahi-utils",
    "avahi-publish": "avahi-utils",
}

# The network of every lab.  The gateways do not exist: the default routes are
# there because programs that send multicast without choosing an interface
# need one, and so that "no way out" is silence and not an instant error.
IPV4 = "10.77.0.%d"
IPV4_GATEWAY = IPV4 % 254
IPV6 = "fdc5:6f1e:2a77::%x"
IPV6_GATEWAY = IPV6 % 0xfe

# How long the lab's own steps may take, in seconds, on a busy machine.
STEP_LIMIT = 20.0

KEEPER_UP = "up"
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


class LabError(Exception):
    """The lab itself could not do what it was asked for."""


def why_not():
    """Why no lab can be made here, as one sentence; None if it can."""
    if os.geteuid() != 0:
        return ("network namespaces need root; run it as root, "
                "for example: sudo make check-lan")
    missing = sorted({package for tool, package in TOOLS.items()
                      if shutil.which(tool, path=PATH) is None})
    if missing:
        return "missing packages: apt-get install " + " ".join(missing)
    probe = subprocess.run(["unshare", "-n", "-m", "-u", "-i", "true"],
                           stderr=subprocess.PIPE, text=True)
    if probe.returncode != 0:
        return "this machine refuses namespaces: " + probe.stderr.strip()
    return None


def wait_until(condition, limit, what):
    """Poll condition() until it is true; returns its value.

    Raises LabError naming `what` after `limit` seconds.
    """
    end = time.monotonic() + limit
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise LabError("%s: not within %g s" % (what, limit))
        time.sleep(0.01)


def namespace_of(pid, kind):
    """The namespace of a process, as 'net:[4026532001]'; None if gone."""
    try:
        return os.readlink("/proc/%s/ns/%s" % (pid, kind))
    except OSError:
        return None


def processes_in(kind, namespaces):
    """Pids of all processes whose namespace of that kind is listed."""
    return [int(pid) for pid in os.listdir("/proc") if pid.isdigit()
            and namespace_of(pid, kind) in namespaces]


def is_dead(pid):
    """True for a process that has ended, be it reaped or not."""
    try:
        with open("/proc/%d/stat" % pid) as stat:
            return stat.read().rpartition(")")[2].split()[0] in "ZX"
    except OSError:
        return True


# ---------------------------------------------------------------------------
# The keeper: one process per host and one for the switch
# ---------------------------------------------------------------------------

def keeper_main(kind, name, outer_net):
    """Body of a keeper.  Runs inside fresh namespaces, made by unshare(1)."""
    own_net = namespace_of("self", "net")
    if own_net == outer_net:
        sys.exit("keeper: not in a network namespace of its own")
    keeper_command("ip", "link", "set", "lo", "up")
    if kind == "host":
        keeper_prepare_host(name)
    print(KEEPER_UP, flush=True)
    for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(signum, signal.SIG_IGN)
    sys.stdin.read()
    end = time.monotonic() + STEP_LIMIT
    while time.monotonic() < end:
        rest = [pid for pid in processes_in("net", {own_net})
                if pid != os.getpid() and not is_dead(pid)]
        if not rest:
            break
        for pid in rest:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        time.sleep(0.01)


def keeper_prepare_host(name):
    """Host name, a private /run, and IPv6 addresses usable at once."""
    with open("/proc/sys/kernel/hostname", "w") as hostname:
        hostname.write(name)
    keeper_command("mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", "/run")
    os.mkdir("/run/dbus")
    # Duplicate address detection would keep each new IPv6 address from being
    # used for a second or two; no two hosts of a lab share an address.
    for scope in ("all", "default"):
        with open("/proc/sys/net/ipv6/conf/%s/accept_dad" % scope, "w") as f:
            f.write("0")


def keeper_command(*argv):
    subprocess.run(argv, check=True, stdin=subprocess.DEVNULL)


class Keeper:
    """The process that holds a set of namespaces open, seen from outside."""

    def __init__(self, kind, name):
        namespaces = ["-n", "-m", "-u", "-i"] if kind == "host" else ["-n"]
        self.process = subprocess.Popen(
            ["unshare", *namespaces, "--", sys.executable, "-I",
             os.path.abspath(__file__), "--keeper", kind, name,
             namespace_of("self", "net")],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            cwd="/", start_new_session=True,
            env={"PATH": PATH})
        self.pid = self.process.pid
        line = self.process.stdout.readline().strip()
        if line != KEEPER_UP:
            self.held = []
            self.close()
            raise LabError("keeper of %s did not start" % name)
        kinds = ("net", "mnt", "uts", "ipc") if kind == "host" else ("net",)
        self.namespaces = {k: namespace_of(self.pid, k) for k in kinds}
        # A held namespace keeps its number, so that leftovers() cannot take
        # a new namespace of another lab for this one.
        self.held = [os.open("/proc/%d/ns/%s" % (self.pid, k),
                             os.O_RDONLY | os.O_CLOEXEC) for k in kinds]
        self.enter = ["nsenter", "-t", str(self.pid), *namespaces, "--"]

    def close(self):
        """Let go: everything inside is killed, then the keeper ends."""
        self.process.stdin.close()
        try:
            self.process.wait(STEP_LIMIT)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()

    def release(self):
        """Give up the namespaces themselves; they are gone then."""
        while self.held:
            os.close(self.held.pop())


# ---------------------------------------------------------------------------
# Hosts
# ---------------------------------------------------------------------------

class Host:
    """One host.  Made by Lab.host()."""

    def __init__(self, lan, number, ipv4, ipv6):
        self.lan = lan
        self.name = "h%d" % number
        self.port = "port%d" % number       # the switch's end of the cable
        self.ipv4 = IPV4 % number if ipv4 else None
        self.ipv6 = IPV6 % number if ipv6 else None
        self.home = os.path.join(lan.folder, self.name)
        os.makedirs(self.home)
        self.powered = True
        self.bus = None
        self.avahi = None
        self.keeper = Keeper("host", self.name)
        lan.hosts.append(self)
        lan.switch_ip("link", "add", self.port, "type", "veth", "peer",
                      "name", "eth0", "netns", str(self.keeper.pid))
        lan.switch_ip("link", "set", self.port, "master", "br0", "up")
        self._configure()

    def _configure(self):
        """eth0 up, with its addresses and default routes."""
        self.ip("link", "set", "eth0", "up")
        if self.ipv4:
            self.ip("addr", "add", self.ipv4 + "/24", "dev", "eth0")
            self.ip("route", "add", "default", "via", IPV4_GATEWAY)
        if self.ipv6:
            self.ip("addr", "add", self.ipv6 + "/64", "dev", "eth0", "nodad")
            self.ip("-6", "route", "add", "default", "via", IPV6_GATEWAY,
                    "dev", "eth0")

    def ip(self, *args):
        """ip(8) inside the host; returns its output."""
        return self.lan.command(self.keeper.enter + ["ip", *args])

    @property
    def link_local(self):
        """The fe80:: address of eth0; None if it has none."""
        found = re.search(r"inet6 (fe80::[0-9a-f:]+)/",
                          self.ip("-6", "addr", "show", "dev", "eth0"))
        return found.group(1) if found else None

    @property
    def has_carrier(self):
        """What eth0 knows of its cable."""
        return "LOWER_UP" in self.ip("link", "show", "dev", "eth0")

    # -- programs ----------------------------------------------------------

    def environment(self, extra=None):
        """A clean environment: nothing of the machine outside leaks in."""
        env = {"PATH": PATH, "HOME": self.home, "LANG": "C.UTF-8"}
        env.update(extra or {})
        return env

    def start(self, argv, env=None, **popen):
        """Start a program in the host; returns its Popen.

        Its pid is the program's own (nsenter executes it in its place), so
        signals sent there reach it.  argv[0] without a slash is searched in
        PATH, anything else must be an absolute path.
        """
        popen.setdefault("stdin", subprocess.DEVNULL)
        process = subprocess.Popen(self.keeper.enter + list(argv), cwd="/",
                                   env=self.environment(env),
                                   start_new_session=True, **popen)
        # Once inside, the keeper sees it: it cannot outlive the host.
        inside = self.keeper.namespaces["net"]
        wait_until(lambda: namespace_of(process.pid, "net") == inside or
                   is_dead(process.pid), STEP_LIMIT, "start of " + argv[0])
        return process

    def run(self, argv, limit=STEP_LIMIT):
        """Run a program to its end: (exit status, stdout and stderr).

        A program that takes longer than `limit` is killed and gives -9.
        """
        process = self.start(argv, stdout=subprocess.PIPE, text=True,
                             stderr=subprocess.STDOUT)
        try:
            output, _ = process.communicate(timeout=limit)
        except subprocess.TimeoutExpired:
            process.kill()
            output, _ = process.communicate()
        return process.returncode, output

    def pings(self, address, limit=2):
        """True if an address answers within `limit` seconds."""
        argv = ["ping", "-n", "-q", "-i", "0.2", "-c", "1", "-w", str(limit)]
        if address.startswith("fe80:"):
            address += "%eth0"
        return self.run(argv + [address], limit + 2)[0] == 0

    # -- system bus and avahi-daemon ----------------------------------------

    def _daemon(self, argv, log):
        with open(os.path.join(self.home, log), "ab") as out:
            return self.start(argv, stdout=out, stderr=out)

    def log_text(self, log):
        """What a daemon has written: log is 'bus.log' or 'avahi.log'."""
        try:
            with open(os.path.join(self.home, log), errors="replace") as f:
                return f.read()
        except FileNotFoundError:
            return ""

    def _in_run(self, path):
        return "/proc/%d/root/run/%s" % (self.keeper.pid, path)

    def start_bus(self):
        """Start the host's system bus and wait for its socket."""
        socket = self._in_run("dbus/system_bus_socket")
        if os.path.exists(socket):          # of a bus that was killed
            os.unlink(socket)
        self.bus = self._daemon(["dbus-daemon", "--system", "--nofork",
                                 "--nopidfile", "--nosyslog"], "bus.log")
        wait_until(lambda: os.path.exists(socket), STEP_LIMIT,
                   "system bus of " + self.name)

    def start_avahi(self):
        """Start avahi-daemon and wait until its host name is claimed."""
        self.begin_avahi()()

    def begin_avahi(self):
        """Start avahi-daemon; returns a function that waits for it."""
        for path in ("avahi-daemon/pid", "avahi-daemon/socket"):
            if os.path.exists(self._in_run(path)):      # of a killed one
                os.unlink(self._in_run(path))
        ready = "Server startup complete"
        before = self.log_text("avahi.log").count(ready)
        self.avahi = self._daemon(["avahi-daemon"], "avahi.log")
        return lambda: wait_until(
            lambda: self.log_text("avahi.log").count(ready) > before,
            STEP_LIMIT, "avahi-daemon of " + self.name)

    def kill_avahi(self):
        """kill -9: no goodbye is sent, its clients lose it at once."""
        self.avahi.kill()
        self.avahi.wait()

    def hang_avahi(self):
        """SIGSTOP: alive but deaf; D-Bus calls to it block."""
        self.avahi.send_signal(signal.SIGSTOP)

    def continue_avahi(self):
        self.avahi.send_signal(signal.SIGCONT)

    def kill_bus(self):
        """kill -9 of the system bus; avahi-daemon then quits by itself."""
        self.bus.kill()
        self.bus.wait()
        if self.avahi:
            self.avahi.wait(STEP_LIMIT)

    # -- faults --------------------------------------------------------------

    def cable_out(self):
        """Pull the cable: eth0 stays up but loses its carrier."""
        self.lan.switch_ip("link", "set", self.port, "down")

    def cable_in(self):
        self.lan.switch_ip("link", "set", self.port, "up")

    def interface_down(self):
        """The host itself takes eth0 down, as on sleep or `ifdown`.

        The kernel then drops its routes and IPv6 addresses.
        """
        self.ip("link", "set", "eth0", "down")
        self.ip("addr", "flush", "dev", "eth0")

    def interface_up(self):
        self._configure()

    def renumber(self, ipv4):
        """Another IPv4 address on eth0, of any network; the old one and all
        of IPv6 are gone at once, as when a router hands out others."""
        self.ip("addr", "flush", "dev", "eth0")
        self.ipv4, self.ipv6 = ipv4, None
        self.ip("addr", "add", ipv4 + "/24", "dev", "eth0")
        self.ip("route", "add", "default", "dev", "eth0")

    def replace_interface(self, name, ipv4):
        """eth0 is pulled out for good, cable and all, and an interface of
        another name comes, up, with this IPv4 address."""
        self.ip("link", "del", "eth0")
        self.lan.switch_ip("link", "add", self.port, "type", "veth", "peer",
                           "name", name, "netns", str(self.keeper.pid))
        self.lan.switch_ip("link", "set", self.port, "master", "br0", "up")
        self.ipv4, self.ipv6 = ipv4, None
        self.ip("link", "set", name, "up")
        self.ip("addr", "add", ipv4 + "/24", "dev", name)
        self.ip("route", "add", "default", "dev", name)

    def add_bridges(self, count):
        """Bridges as container engines make them: each machine's have the
        same addresses, of networks that only the machine itself sees."""
        batch = os.path.join(self.home, "bridges")
        with open(batch, "w") as lines:
            for i in range(count):
                lines.write(
                    "link add ct%d type bridge\n"
                    "addr add 172.%d.%d.1/24 dev ct%d\n"
                    "link set ct%d up\n" % (i, 16 + i % 16, i // 16, i, i))
        if count:
            self.ip("-batch", batch)

    def bridge_interface(self, name):
        """eth0 becomes a port of a new bridge, which has the host's IPv4
        address and no route but to its network: a host of virtual machines
        that is on a LAN with them."""
        self.ip("addr", "flush", "dev", "eth0")
        self.ip("link", "add", name, "type", "bridge", "mcast_snooping", "0")
        self.ip("link", "set", "eth0", "master", name)
        self.ip("link", "set", name, "up")
        self.ip("addr", "add", self.ipv4 + "/24", "dev", name)
        self.ipv6 = None

    def drop_inbound_tcp(self):
        """A firewall as it comes: whoever calls gets no answer, while
        multicast passes and our own calls are answered."""
        self.lan.command(self.keeper.enter + ["nft", (
            "table inet fw {\nchain in {\n"
            "type filter hook input priority 0;\n"
            "iifname eth0 tcp flags & (syn|ack) == syn drop;\n}\n}")])

    def let_in_tcp(self):
        self.lan.command(self.keeper.enter + ["nft", "flush", "ruleset"])

    def power_off(self):
        """Lose power: silence first, so that no FIN, RST or goodbye of the
        dying programs gets out, then everything is killed.  For good."""
        self.lan.switch_ip("link", "set", self.port, "nomaster")
        self.close()

    def close(self):
        """End the host and all that runs in it.  Harmless if repeated."""
        if self.powered:
            self.powered = False
            self.keeper.close()
            for daemon in (self.bus, self.avahi):
                if daemon:
                    daemon.wait(STEP_LIMIT)


# ---------------------------------------------------------------------------
# The lab
# ---------------------------------------------------------------------------

class Lab:
    """One LAN: a switch and the hosts on it.  Also a context manager."""

    def __init__(self, keep_folder=False):
        """With keep_folder the folder of logs and homes outlives down()."""
        guard()
        self.hosts = []
        self.keep_folder = keep_folder
        self.switch = None
        self.bridges = 0
        with _registry:
            if ending():
                raise LabError("the program is ending")
            self.folder = tempfile.mkdtemp(prefix="p2pchat-lan-")
            LABS.append(self)
        try:
            self.switch = Keeper("switch", "switch")
            self._bridge_at_least(1)
        except BaseException:
            self.down()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.down()

    def command(self, argv):
        """Run one of the lab's own commands; its output, or LabError."""
        done = subprocess.run(argv, stdin=subprocess.DEVNULL, text=True,
                              stdout=subprocess.PIPE, timeout=STEP_LIMIT,
                              stderr=subprocess.STDOUT, cwd="/",
                              env={"PATH": PATH})
        if done.returncode != 0:
            raise LabError("%s: %s" % (" ".join(argv), done.stdout.strip()))
        return done.stdout

    def switch_ip(self, *args):
        """ip(8) inside the switch."""
        return self.command(self.switch.enter + ["ip", *args])

    def _bridge_at_least(self, count):
        """The switch is one bridge; a partition needs one per part."""
        while self.bridges < count:
            bridge = "br%d" % self.bridges
            self.switch_ip("link", "add", bridge, "type", "bridge",
                           "mcast_snooping", "0", "stp_state", "0")
            self.switch_ip("link", "set", bridge, "up")
            self.bridges += 1

    def host(self, ipv4=True, ipv6=True, bus=True, avahi=True):
        """Add a host: h1 first, then h2 and so on.

        ipv4, ipv6   with such an address (a link-local one is always there)
        bus, avahi   with a system bus, with avahi-daemon (which needs a bus)
        """
        return self.several(1, ipv4, ipv6, bus, avahi)[0]

    def several(self, count, ipv4=True, ipv6=True, bus=True, avahi=True):
        """Add hosts of one kind; their daemons start side by side."""
        new = [Host(self, len(self.hosts) + 1, ipv4, ipv6)
               for _ in range(count)]
        if bus:
            for host in new:
                host.start_bus()
        if bus and avahi:
            for wait in [host.begin_avahi() for host in new]:
                wait()
        return new

    def partition(self, *parts):
        """Silently cut the LAN into parts (lists of hosts).

        Every host keeps its carrier and its addresses; only nothing from
        the other parts arrives any more.  Hosts not named stay where they
        are.
        """
        self._bridge_at_least(len(parts))
        for number, part in enumerate(parts):
            for host in part:
                self.switch_ip("link", "set", host.port, "master",
                               "br%d" % number)

    def heal(self):
        """Undo partition()."""
        self.partition([host for host in self.hosts if host.powered])

    def down(self):
        """End everything, and prove it.  Harmless if repeated."""
        try:
            LABS.remove(self)
        except ValueError:
            return
        keepers = [host.keeper for host in self.hosts]
        for host in self.hosts:
            host.close()
        if self.switch:
            keepers.append(self.switch)
            self.switch.close()
        if not self.keep_folder:
            shutil.rmtree(self.folder, ignore_errors=True)
        rest = leftovers([keeper.namespaces for keeper in keepers])
        for keeper in keepers:
            keeper.release()
        if not self.keep_folder and os.path.exists(self.folder):
            rest.append("folder " + self.folder)
        if rest:
            raise LabError("left behind: " + ", ".join(rest))


def leftovers(namespace_sets):
    """What still lives of these namespaces: processes and mounts, in words.

    A namespace exists only while one of the two holds it.
    """
    rest = []
    for kind in ("net", "mnt", "uts", "ipc"):
        wanted = {names[kind] for names in namespace_sets if kind in names}
        for pid in processes_in(kind, wanted):
            if not is_dead(pid):
                rest.append("process %d in a %s namespace" % (pid, kind))
    every = {name for names in namespace_sets for name in names.values()}
    with open("/proc/self/mountinfo") as mounts:
        for line in mounts:
            if line.split()[3] in every:
                rest.append("mount " + line.split()[4])
    return rest


LABS = []                   # every lab that is up
_registry = threading.Lock()
_guarded = threading.Event()
_ending = threading.Event()


def ending():
    """True once down_all() was called: no further lab can be made."""
    return _ending.is_set()


def down_all():
    """End every lab of this program, for good."""
    _ending.set()
    for each in list(LABS):
        each.down()


def _on_signal(signum, _frame):
    try:
        down_all()
    finally:
        signal.signal(signum, signal.SIG_DFL)
        os.kill(os.getpid(), signum)


def guard():
    """End the labs at exit and on the signals that end this program.

    Signals can only be caught if the first lab is made, or guard() called,
    in the main thread; the keepers watch over the remaining ways to die.
    """
    if _guarded.is_set():
        return
    _guarded.set()
    atexit.register(down_all)
    if threading.current_thread() is threading.main_thread():
        for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(signum, _on_signal)


if __name__ == "__main__":
    if len(sys.argv) == 5 and sys.argv[1] == "--keeper":
        keeper_main(*sys.argv[2:])
    else:
        sys.exit("lab.py is a module; run tests/lan/selftest or tests/lan/run")
