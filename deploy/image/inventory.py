"""List what is in the image: a CycloneDX bill of materials, and a table of licences.

Usage: python deploy/image/inventory.py [IMAGE] [FOLDER]; writes FOLDER/sbom.cdx.json and FOLDER/licences.tsv.
"""

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_string
from importlib.metadata import Distribution, distributions
from pathlib import Path

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.model.license import DisjunctiveLicense, LicenseExpression
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL

TROVE = "License :: "
LONGEST_NAME = 80  # what is longer in the field License is the licence's text


def main(image: str = "surgewatch:local", folder: str = "build/image") -> None:
    """Write both files; raises CalledProcessError where Podman does not have the image."""
    with mounted(image) as root:
        components = sorted(
            (*python_distributions(root), *debian_packages(root)), key=lambda item: str(item.purl)
        )
    bom = Bom(components=components)
    bom.metadata.component = Component(name=image, type=ComponentType.CONTAINER)
    bom.register_dependency(bom.metadata.component, components)
    out = Path(folder)
    out.mkdir(parents=True, exist_ok=True)
    JsonV1Dot6(bom).output_to_file(str(out / "sbom.cdx.json"), allow_overwrite=True, indent=2)
    rows = ["package\tlicence", *(f"{item.purl}\t{licence_names(item)}" for item in components)]
    (out / "licences.tsv").write_text("\n".join(rows) + "\n")


@contextmanager
def mounted(image: str) -> Iterator[Path]:
    """Yield the folder with the image's files, read-only. Needs root."""
    try:
        yield Path(podman("image", "mount", image))
    finally:
        podman("image", "umount", image)


def podman(*arguments: str) -> str:
    """What the command prints."""
    done = subprocess.run(["podman", *arguments], check=True, stdout=subprocess.PIPE, text=True)  # noqa: S603, S607
    return done.stdout.strip()


def python_distributions(root: Path) -> Iterator[Component]:
    """Yield a component for each Python distribution in the image's virtual environment."""
    for found in distributions(path=[str(path) for path in root.glob("venv/lib/python3*/site-packages")]):
        licences = [LicenseFactory().make_from_string(name) for name in python_licences(found)]
        yield component("pypi", found.name, found.version, licences)


def python_licences(found: Distribution) -> list[str]:
    """The declared licences: the expression, else the short field, else the classifiers."""
    expression, short = found.metadata["License-Expression"], found.metadata["License"]
    if expression:
        return [expression]
    if short and "\n" not in short and len(short) <= LONGEST_NAME:
        return [short]
    classifiers = found.metadata.get_all("Classifier", [])
    return [line.rpartition(" :: ")[2] for line in classifiers if line.startswith(TROVE)]


def debian_packages(root: Path) -> Iterator[Component]:
    """Yield a component for each Debian package in the image."""
    for paragraph in (root / "var/lib/dpkg/status").read_text().strip().split("\n\n"):
        package = message_from_string(paragraph)
        names = debian_licences(root / "usr/share/doc" / package["Package"] / "copyright")
        licences = [DisjunctiveLicense(name=name) for name in names]
        yield component("deb", package["Package"], package["Version"], licences)


def debian_licences(copyright_file: Path) -> list[str]:
    """The short names in a machine-readable copyright file; of another, where it is."""
    names = re.findall(r"^License: *(\S.*)$", copyright_file.read_text(), re.MULTILINE)
    return sorted(set(names)) or [f"see /usr/share/doc/{copyright_file.parent.name}/copyright"]


def component(
    source: str, name: str, version: str, licences: list[DisjunctiveLicense | LicenseExpression]
) -> Component:
    """A library with its package URL."""
    namespace = "debian" if source == "deb" else None
    purl = PackageURL(type=source, namespace=namespace, name=name, version=version)
    return Component(name=name, version=version, bom_ref=str(purl), purl=purl, licenses=licences)


def licence_names(item: Component) -> str:
    """A component's licences in one cell."""
    names = (
        licence.value if isinstance(licence, LicenseExpression) else licence.id or licence.name
        for licence in item.licenses
    )
    return ", ".join(str(name) for name in names)


if __name__ == "__main__":
    main(*sys.argv[1:])
