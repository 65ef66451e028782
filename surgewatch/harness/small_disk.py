"""A small filesystem of its own (tmpfs), for what happens when a disk is full. Mounting one takes root."""

import os
import shutil
import subprocess
from pathlib import Path


class SmallDiskError(RuntimeError):
    """No filesystem can be mounted here; the message names why."""


class SmallDisk:
    """A filesystem of `megabytes` over a folder, with what the folder held."""

    def __init__(self, folder: Path, megabytes: int) -> None:
        self._folder = folder
        before = folder.with_name(folder.name + ".before")
        folder.mkdir(parents=True, exist_ok=True)
        folder.rename(before)
        folder.mkdir()
        _run("mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(folder))
        _run("cp", "-a", "--sparse=always", f"{before}/.", str(folder))
        shutil.rmtree(before)

    @property
    def _ballast(self) -> Path:
        return self._folder / "ballast"

    def fill(self) -> None:
        """Write until not a byte is left."""
        with self._ballast.open("ab", buffering=0) as file:
            for size in (1 << 20, 1 << 12, 1):
                try:
                    while file.write(bytes(size)):
                        pass
                except OSError:  # no space left
                    continue

    def free(self) -> None:
        """Take back what `fill` wrote."""
        self._ballast.unlink(missing_ok=True)

    def close(self) -> None:
        """Unmount; what is on it is lost."""
        if os.path.ismount(self._folder):
            _run("umount", "--lazy", str(self._folder))


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True)  # noqa: S603 - our own command
    if done.returncode:
        raise SmallDiskError(
            f"a full disk needs a small filesystem, and root to mount it: {done.stderr.strip()}"
        )
