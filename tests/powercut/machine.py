# SPDX-License-Identifier: Apache-2.0
"""A virtual machine that runs linnetd on an ext4 of its own, under Debian 12's kernel.

    make_initramfs(linnetd, path)         busybox, the modules, linnetd and its libraries; its init is machine_init.sh
    machine = Machine(initramfs, socket)
    await machine.start()
    await machine.listen()                its people come to machine.address
    await machine.kill()

The kernel comes from Debian's package, unpacked under a folder that is given, never installed.
"""
import asyncio
import contextlib
import glob
import os
import re
import shutil
import socket
import subprocess

HERE = os.path.dirname(os.path.abspath(__file__))
# In the order in which they need each other.
MODULES = ("virtio_ring", "virtio", "virtio_pci_modern_dev", "virtio_pci_legacy_dev", "virtio_pci", "virtio_blk", "crc16",
           "crc32c_generic", "mbcache", "jbd2", "ext4", "failover", "net_failover", "virtio_net")
START_S = 300  # a busy machine without hardware virtualization takes its time
MEMORY_MIB = 768


class Missing(Exception):
    """This system can't run it."""


def fetch_kernel(folder):
    """The image and the modules, kept in the folder for the next time."""
    if os.path.exists(os.path.join(folder, "vmlinuz")):
        return
    told = subprocess.run(["apt-cache", "depends", "linux-image-amd64"], capture_output=True, text=True, check=False)
    found = re.search(r"Depends: (linux-image-6\.1\.\S+)", told.stdout)
    if found is None:
        raise Missing("no 6.1 kernel among this system's packages: only Debian 12 has it")
    unpacked = os.path.join(folder, "package")
    os.makedirs(unpacked, exist_ok=True)
    loaded = subprocess.run(["apt-get", "-qq", "download", found.group(1)], cwd=folder, capture_output=True, text=True,
                            check=False)
    if loaded.returncode != 0:
        raise Missing(f"{found.group(1)} can't be downloaded: {loaded.stderr}")
    package, = glob.glob(f"{folder}/*.deb")
    subprocess.run(["dpkg-deb", "-x", package, unpacked], check=True)
    os.remove(package)
    for module in MODULES:
        path, = glob.glob(f"{unpacked}/lib/modules/*/kernel/**/{module}.ko", recursive=True)
        shutil.copy(path, folder)
    image, = glob.glob(f"{unpacked}/boot/vmlinuz-*")
    shutil.copy(image, os.path.join(folder, "vmlinuz"))  # the last: with it the folder is complete
    shutil.rmtree(unpacked)


def make_initramfs(kernel, linnetd, flags, path):
    """The machine's first file system, and its only one but the disk."""
    tree = path + ".tree"
    shutil.rmtree(tree, ignore_errors=True)
    for folder in ("bin", "modules", "dev", "proc", "sys", "disk"):
        os.makedirs(os.path.join(tree, folder))
    shutil.copy("/bin/busybox", os.path.join(tree, "bin"))
    shutil.copy(linnetd, os.path.join(tree, "bin/linnetd"))
    shutil.copy(os.path.join(HERE, "machine_init.sh"), os.path.join(tree, "init"))
    os.chmod(os.path.join(tree, "init"), 0o755)
    for module in MODULES:
        shutil.copy(os.path.join(kernel, module + ".ko"), os.path.join(tree, "modules"))
    for name, words in ("modules/order", MODULES), ("flags", [" ".join(flags)]):
        with open(os.path.join(tree, name), "w", encoding="utf-8") as stream:
            stream.write("\n".join(words) + "\n")
    libraries = subprocess.run(["ldd", linnetd], capture_output=True, text=True, check=True).stdout
    for library in re.findall(r"(/\S+) \(0x", libraries):
        os.makedirs(tree + os.path.dirname(library), exist_ok=True)
        shutil.copy(library, tree + library)
    with open(path, "wb") as stream:
        names = subprocess.run(["find", "."], cwd=tree, capture_output=True, check=True).stdout
        subprocess.run(["cpio", "--quiet", "-o", "-H", "newc"], cwd=tree, input=names, stdout=stream, check=True)
    shutil.rmtree(tree)


def accelerator():
    """Hardware virtualization where it works; elsewhere QEMU translates, many times slower."""
    with open("/proc/cpuinfo", encoding="ascii") as stream:
        able = re.search(r"\b(svm|vmx)\b", stream.read())
    return ("kvm", "host") if able and os.access("/dev/kvm", os.W_OK) else ("tcg,thread=multi", "max")


class Machine:
    """One boot of it."""

    def __init__(self, kernel, initramfs, disk):
        self.kernel, self.initramfs, self.disk = kernel, initramfs, disk
        self.process = self.address = None
        self.output = ""

    async def start(self):
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        accel, cpu = accelerator()
        # Dies with the test, whatever happens to that.
        self.process = await asyncio.create_subprocess_exec(
            "setpriv", "--pdeathsig", "KILL", "qemu-system-x86_64", "-accel", accel, "-cpu", cpu, "-smp", "2",
            "-m", str(MEMORY_MIB), "-nodefaults", "-no-user-config", "-no-reboot", "-display", "none",
            "-kernel", os.path.join(self.kernel, "vmlinuz"), "-initrd", self.initramfs,
            "-append", "console=ttyS0 loglevel=3 panic=-1 mitigations=off", "-serial", "stdio",
            "-drive", f"if=none,id=disk,format=raw,cache=none,file=nbd+unix:///?socket={self.disk}",
            "-device", "virtio-blk-pci,drive=disk",
            "-netdev", f"user,id=net,hostfwd=tcp:127.0.0.1:{self.port}-10.0.2.15:4222",
            "-device", "virtio-net-pci,netdev=net,romfile=",
            stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT)

    async def listen(self):
        """True: clients can come. False: it ended instead; why is in the output."""
        while self.address is None:
            line = (await asyncio.wait_for(self.process.stdout.readline(), START_S)).decode(errors="replace")
            if line == "":
                return False
            self.output += line
            if line.startswith("listening on "):
                self.address = f"127.0.0.1:{self.port}"
        return True

    async def kill(self):
        if self.process is not None and self.process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self.process.kill()
            await self.process.wait()
