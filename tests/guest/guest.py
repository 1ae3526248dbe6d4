# SPDX-License-Identifier: Apache-2.0
"""Small machines with AppArmor: Debian's cloud kernels under qemu, from memory, in seconds.

The machine that builds pale may have no AppArmor in its kernel, and only one kernel. So the tests
that need one boot those of PALE_GUESTS (names of fetch.sh, which downloads them once and installs
nothing) with an initramfs of busybox, the apparmor_parser of that Debian and whatever a test adds,
run one shell script as init's only job, and read its output from the serial line, the kernel's
audit lines with it. What a test adds is this machine's: nginx, the C library, pale.

    def test_it(system):
        out = Guest(system, binaries=["/usr/sbin/nginx"], files={"/etc/x": b""}).run("echo hello")

There is no network and no disk: what is not in the initramfs does not exist. Facts that cost
time to find: a microvm has one serial line; it ends on `reboot -f` with -no-reboot, not on
poweroff; printk_ratelimit must be off or audit lines are dropped; plain `deny` is not audited.
"""
import fcntl
import os
import pathlib
import re
import shutil
import stat
import struct
import subprocess
import tempfile

import pytest

from conftest import PALE, ROOT

HERE = pathlib.Path(__file__).resolve().parent
CACHE = pathlib.Path(os.environ.get("PALE_GUEST_CACHE", ROOT / "build" / "guest-cache"))
# A kernel and a parser each; debian12 and debian13 are what people run.
NAMES = os.environ.get("PALE_GUESTS", "debian12 debian13").split()

APPEND = ("console=ttyS0 apparmor=1 security=apparmor lsm=landlock,lockdown,yama,apparmor,bpf "
          "audit=1 audit_backlog_limit=8192 quiet loglevel=3 panic=-1 reboot=t mitigations=off "
          "random.trust_cpu=on tsc=reliable no_timer_check cryptomgr.notests")

INIT = """#!/bin/busybox sh
export PATH=/bin:/sbin:/usr/bin:/usr/sbin HOME=/root
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
mount -t tmpfs -o mode=755 run /run
mkdir -p /dev/pts /dev/shm
mount -t devpts pts /dev/pts
mount -t securityfs sec /sys/kernel/security
ifconfig lo 127.0.0.1 up
echo 0 >/proc/sys/kernel/printk_ratelimit
exec </dev/null >/dev/ttyS0 2>&1
stty -F /dev/ttyS0 raw -echo
dmesg -c >/dev/null
echo "@@KERNEL $(uname -r)"
sh /script
echo "@@STATUS $?"
dmesg | sed 's/^/@@KLOG /'
echo @@DONE
reboot -f
"""


def have(program):
    return shutil.which(program, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")


# ---- cpio (newc): written here, so that nothing depends on owners or modes of the host ----

def cpio_entry(name, mode, data=b"", mtime=0, ino=1):
    name = name.strip("/").encode() + b"\0"
    head = b"070701" + b"".join(b"%08x" % f for f in (
        ino, mode, 0, 0, 1, mtime, len(data), 0, 0, 0, 0, len(name), 0))
    out = head + name
    out += b"\0" * (-len(out) % 4)
    return out + data + b"\0" * (-len(data) % 4)


def merged(path):
    """Where a path of /lib and /lib64 lies on Debian, whose /lib is a link to usr/lib."""
    return re.sub(r"^/(lib|lib64)/", r"/usr/\1/", path)


def cpio(tree):
    """tree: path -> (mode, bytes[, mtime]). Parents are made; a path may stand once."""
    whole = {"/lib": (stat.S_IFLNK | 0o777, b"usr/lib"),
             "/lib64": (stat.S_IFLNK | 0o777, b"usr/lib64")}
    for path, entry in tree.items():
        path = merged(path)
        for parent in reversed(pathlib.PurePosixPath(path).parents):
            whole.setdefault(str(parent), (stat.S_IFDIR | 0o755, b""))
        whole[path] = entry
    whole.pop("/", None)
    body = b"".join(cpio_entry(p, *entry, ino=i + 1)
                    for i, (p, entry) in enumerate(sorted(whole.items())))
    return body + cpio_entry("TRAILER!!!", 0)


def from_host(path):
    """A host file or directory as it is, links followed."""
    path = pathlib.Path(path)
    found = {}
    if path.is_dir():
        for p in sorted(path.rglob("*")):
            if p.is_file():
                found.update(from_host(p))
        return found
    st = path.stat()
    mode = stat.S_IFREG | (st.st_mode & 0o755)
    return {os.path.normpath(path): (mode, path.read_bytes(), int(st.st_mtime))}


def program_tree(path):
    """A program and the libraries that it loads, each at its own path."""
    path = os.path.realpath(have(str(path)) or str(path))
    tree = from_host(path)
    ldd = subprocess.run(["ldd", path], capture_output=True, text=True, check=False)
    for lib in re.findall(r"(/\S+) \(0x", ldd.stdout):
        tree.update(from_host(lib))
    return tree


# ---- what is made once ----

PARSER = """#!/bin/sh
exec /parser/%s --library-path /parser /parser/apparmor_parser "$@"
"""


def parser_tree(root):
    """A Debian's apparmor_parser with the libraries that it was linked with, and its /etc."""
    program = root / "usr/sbin/apparmor_parser"
    if not program.exists():  # before /sbin was a link
        program = root / "sbin/apparmor_parser"
    loader = next(p for p in root.rglob("ld-linux-x86-64.so.2") if not p.is_symlink())
    where = ":".join(sorted({str(p.parent) for p in root.rglob("*.so.*")}))
    needed = subprocess.run([loader, "--library-path", where, "--list", program],
                            capture_output=True, text=True, check=True).stdout
    tree = {"/usr/sbin/apparmor_parser": (stat.S_IFREG | 0o755, (PARSER % loader.name).encode())}
    for path in {str(program), str(loader), *re.findall(r"=> (/\S+) \(0x", needed)}:
        tree["/parser/" + os.path.basename(path)] = (stat.S_IFREG | 0o755,
                                                     pathlib.Path(path).read_bytes())
    for part in ("etc/apparmor.d/abi", "etc/apparmor.d/abstractions", "etc/apparmor.d/tunables",
                 "etc/apparmor/parser.conf", "usr/share/apparmor-features"):
        for path, entry in from_host(root / part).items():
            tree[path.removeprefix(str(root))] = entry
    return tree


def base_tree(root):
    """busybox, apparmor_parser with its abstractions, a few files of /etc."""
    busybox = have("busybox")
    tree = {"/bin/busybox": (stat.S_IFREG | 0o755, pathlib.Path(busybox).read_bytes())}
    applets = subprocess.run([busybox, "--list"], capture_output=True, text=True, check=True)
    for applet in applets.stdout.split():
        if applet != "busybox":
            tree["/bin/" + applet] = (stat.S_IFLNK | 0o777, b"busybox")
    tree.update(parser_tree(root))
    for path, text in {
            "/etc/passwd": "root:x:0:0:root:/root:/bin/sh\nwww-data:x:33:33::/var/www:/bin/false\n"
                           "nobody:x:65534:65534:nobody:/:/bin/false\n",
            "/etc/group": "root:x:0:\nshadow:x:42:\nwww-data:x:33:\nnogroup:x:65534:\n",
            "/etc/shadow": "root:*:19000:0:99999:7:::\n",
            "/etc/nsswitch.conf": "passwd: files\ngroup: files\nhosts: files\n",
            "/etc/hosts": "127.0.0.1 localhost\n"}.items():
        tree[path] = (stat.S_IFREG | 0o644, text.encode())
    for d in ("/proc", "/sys", "/dev", "/run", "/root", "/home", "/var/tmp", "/var/log"):
        tree[d] = (stat.S_IFDIR | 0o755, b"")
    tree["/tmp"] = (stat.S_IFDIR | 0o1777, b"")
    tree["/init"] = (stat.S_IFREG | 0o755, INIT.encode())
    return tree


def unpacked(vmlinuz):
    """The kernel that a bzImage holds, None where it is not packed by zstd or nothing here unpacks that: to unpack it is
    a third of what a boot costs under emulation. Offsets: Linux, Documentation/arch/x86/boot.rst."""
    setup_sects, (offset, size) = vmlinuz[0x1f1] or 4, struct.unpack_from("<II", vmlinuz, 0x248)
    begin = (setup_sects + 1) * 512 + offset
    packed = vmlinuz[begin:begin + size - 4]  # and its size unpacked
    if packed[:4] != b"\x28\xb5\x2f\xfd" or not have("zstd"):
        return None
    return subprocess.run(["zstd", "-dcq"], input=packed, capture_output=True, check=True).stdout


class System:
    """A kernel and a parser, and the image that all guests of the two begin with; made by the
    first that comes, the others wait."""

    def __init__(self, name):
        for program in ("qemu-system-x86_64", "busybox"):
            if not have(program):
                pytest.skip(f"{program} is not installed")
        self.name, self.dir = name, CACHE / name
        CACHE.mkdir(parents=True, exist_ok=True)
        with open(CACHE / "lock", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not (self.dir / "name").exists():
                subprocess.run(["sh", HERE / "fetch.sh", CACHE, name], check=True,
                               stdout=subprocess.DEVNULL)
            if not (self.dir / "name").exists():
                reason = (self.dir / "skipped").read_text().strip()
                pytest.skip(f"the guest {name} could not be had: {reason}")
            self.title = (self.dir / "name").read_text().strip()
            made_of = self.dir / "base.from"
            want = self.title + pathlib.Path(__file__).read_text()
            if not made_of.exists() or made_of.read_text() != want:
                (self.dir / "base.cpio").write_bytes(cpio(base_tree(self.dir / "parser")))
                packed = (self.dir / "vmlinuz").read_bytes()
                (self.dir / "vmlinux").write_bytes(unpacked(packed) or packed)
                made_of.write_text(want)


@pytest.fixture(scope="module", params=NAMES)
def system(request):
    return System(request.param)


class Output:
    """What the script printed, its status, the kernel's release and its log."""

    def __init__(self, text):
        lines = text.replace("\r", "").splitlines()
        self.raw = text
        self.log = [line[7:] for line in lines if line.startswith("@@KLOG ")]
        self.lines = [line for line in lines if not line.startswith("@@")]
        self.text = "\n".join(self.lines)
        kernel = re.search(r"^@@KERNEL (\S+)", text, re.M)
        self.kernel = kernel[1] if kernel else ""
        status = re.search(r"^@@STATUS (\d+)", text, re.M)
        self.status = int(status[1]) if status else None

    def needs_ebpf(self, backend, part):
        """5.10, which pale runs on, is too old for its BPF programs; that is said, by a clean
        refusal in `part`, and there is nothing more to look at."""
        if backend == "ptrace" or not self.kernel.startswith("5.10."):
            return
        assert "this kernel's BPF has no callbacks (Linux 5.13 and newer have) [PL401 no-backend]" \
            in self.text, self.text
        assert "status 125" in self.part(part).splitlines(), self.text
        pytest.skip("eBPF is not to be had on Linux 5.10, and pale learn says so")

    def part(self, name):
        """The lines between `echo "== name"` and the next such line."""
        got, inside = [], False
        for line in self.lines:
            if line.startswith("== "):
                inside = line == "== " + name
            elif inside:
                got.append(line)
        return "\n".join(got)

    def denied(self, **fields):
        """Audit lines of AppArmor refusals whose fields are these (name="/etc/shadow")."""
        return [line for line in self.log if 'apparmor="DENIED"' in line
                and all(re.search(rf'\b{k}="?{re.escape(str(v))}"?(\s|$)', line)
                        for k, v in fields.items())]


def with_pale(script):
    """pale by its name, with the sets that the guest was given."""
    return (f"export NO_COLOR=1 PALE_PATH=/sets PALE={os.path.realpath(PALE)}\n"
            'pale() { $PALE "$@"; }\n' + script)


def sets():
    return {f"/sets/{p.name}": p.read_bytes() for p in (ROOT / "profiles/sets").glob("*.pale")}


class Guest:
    def __init__(self, system, binaries=(), files=None, host_files=(), links=None):
        self.system = system
        self.tree = {}
        for b in binaries:
            self.tree.update(program_tree(b))
        for path in host_files:
            self.tree.update(from_host(path))
        for path, data in (files or {}).items():
            data = data.encode() if isinstance(data, str) else data
            self.tree[path] = (stat.S_IFREG | 0o644, data)
        for path, target in (links or {}).items():
            self.tree[path] = (stat.S_IFLNK | 0o777, target.encode())

    def run(self, script, timeout=600, memory=512, append="", cpus=1):
        """append: more of the kernel's command line. A second CPU needs ACPI, with which a microvm has no timer that
        this kernel calibrates its clocks by: most such boots stand still. A PC has one, and takes a second longer."""
        tree = dict(self.tree)
        tree["/script"] = (stat.S_IFREG | 0o755, script.encode())
        with tempfile.TemporaryDirectory() as d:
            initrd, out = pathlib.Path(d, "initrd"), pathlib.Path(d, "out")
            # Two archives behind one another; gzip costs more here than the copying it saves.
            initrd.write_bytes((self.system.dir / "base.cpio").read_bytes() + cpio(tree))
            argv = ["qemu-system-x86_64", "-M",
                    "pc,accel=tcg" if cpus > 1 else "microvm,accel=tcg,isa-serial=on,pit=on,pic=on,rtc=on,acpi=off",
                    "-cpu", "max", "-m", str(memory), "-smp", str(cpus), "-nodefaults",
                    "-no-user-config", "-display", "none", "-kernel",
                    self.system.dir / "vmlinux", "-initrd", initrd, "-no-reboot", "-append",
                    f"{APPEND} {append}",
                    "-serial", f"file:{out}"]
            try:
                said = subprocess.run(argv, capture_output=True, text=True, timeout=timeout,
                                      stdin=subprocess.DEVNULL).stderr
            except subprocess.TimeoutExpired:
                said = f"not within {timeout} s"
            text = out.read_text(errors="replace") if out.exists() else ""
        assert "@@DONE" in text, (f"the guest of {self.system.title} did not finish\n"
                                  f"{said}\n{text[-3000:]}")
        return Output(text)
