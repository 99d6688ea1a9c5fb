"""A disk of its own: ext4 in a file, mounted by a loop device, whose power can be cut.

Needs root and loop devices: see `why_not`.
"""

import fcntl
import os
import struct
import subprocess
from pathlib import Path

MIB = 1024 * 1024
IOC_SHUTDOWN = 0x8004587D  # EXT4_IOC_SHUTDOWN of linux/ext4.h.
NO_LOG_FLUSH = 2


class VolumeError(Exception):
    """A disk can't be made or mounted here."""


def _run(*words):
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise VolumeError(f"{' '.join(words)}: {done.stderr.strip()}")
    return done.stdout.strip()


def why_not(folder):
    """Returns why no volume can be had below `folder`, or None."""
    if os.geteuid() != 0:
        return "this needs root"
    try:
        with Volume(Path(folder) / "probe", 16):
            return None
    except (VolumeError, OSError) as error:
        return str(error)


class Volume:
    """Mounted while it is open. `path` is where. Threading: one thread.

    `direct`: past the page cache of what is below. Through it, a loop device whose file finds no
    room forgets blocks that were synced before (tried with a program of thirty lines, Linux 6.18).
    """

    def __init__(self, folder, mib, direct=False):
        self.path = Path(folder) / "mounted"
        self._image = Path(folder) / "image"
        self.path.mkdir(parents=True)
        self._mounted = False
        self._direct = "on" if direct else "off"
        self._device = None
        with open(self._image, "wb") as image:
            image.truncate(mib * MIB)
        _run("mkfs.ext4", "-q", "-F", "-E", "lazy_itable_init=0", str(self._image))
        self._mount()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def _mount(self):
        # A long commit interval: nothing reaches the disk by luck.
        self._device = _run("losetup", f"--direct-io={self._direct}", "--find", "--show",
                            str(self._image))
        try:
            _run("mount", "-o", "commit=600", self._device, str(self.path))
        except VolumeError:
            self._detach()
            raise
        self._mounted = True

    def _unmount(self):
        _run("umount", str(self.path))
        self._mounted = False
        self._detach()

    def _detach(self):
        _run("losetup", "--detach", self._device)

    def cut_power(self):
        """From now on every call on it fails, and what was not synced will be gone."""
        handle = os.open(self.path, os.O_RDONLY)
        try:
            fcntl.ioctl(handle, IOC_SHUTDOWN, struct.pack("I", NO_LOG_FLUSH))
        finally:
            os.close(handle)

    def restore_power(self):
        """Mounts it anew. Nobody may have a file of it open."""
        self._unmount()
        self._mount()

    def close(self):
        if self._mounted:
            self._unmount()
        self._image.unlink(missing_ok=True)
