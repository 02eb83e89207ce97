#!/usr/bin/env python3
"""archive.py SPEC.json OUT.tar: writes container images as one archive, as `docker save` does.

SPEC is {"layers": {NAME: FOLDER}, "images": [{"tags": [...], "layers": [NAME, ...], "config": {...}}]}; `config` is what the image
specification calls so (User, Env, Entrypoint, Cmd, WorkingDir). Owners and modes are those of the folders. The same content gives
the same digests, and a layer that several images share is there once.
"""

import hashlib
import io
import json
import os
import platform
import sys
import tarfile
import tempfile

CREATED = "2026-01-01T00:00:00Z"
ARCHITECTURE = {"x86_64": "amd64", "aarch64": "arm64"}[platform.machine()]
PATH = "PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"


class Hashing(io.RawIOBase):
    """Passes bytes on to a file, and hashes them on the way."""

    def __init__(self, file):
        self.file, self.hash = file, hashlib.sha256()

    def writable(self):
        return True

    def write(self, data):
        self.hash.update(data)
        return self.file.write(data)


def timeless(info):
    info.mtime = 0
    info.uname = info.gname = ""
    return info


def add(archive, name, size, file):
    info = tarfile.TarInfo(name)
    info.size = size
    archive.addfile(info, file)


def add_layer(archive, folder, beside):
    """Adds a folder as a layer, and gives its digest."""
    with tempfile.TemporaryFile(dir=beside) as file:
        hashing = Hashing(file)
        with tarfile.open(fileobj=hashing, mode="w|", format=tarfile.PAX_FORMAT) as layer:
            for entry in sorted(os.listdir(folder)):
                layer.add(os.path.join(folder, entry), arcname=entry, filter=timeless)
        digest, size = hashing.hash.hexdigest(), file.tell()
        file.seek(0)
        add(archive, f"{digest}/layer.tar", size, file)
    return digest


def add_image(archive, image, digests):
    """Adds an image's configuration, and gives its entry in the manifest."""
    own = [digests[name] for name in image["layers"]]
    config = {"Env": [PATH, "LANG=C.UTF-8"]} | image["config"]
    text = json.dumps({
        "architecture": ARCHITECTURE,
        "os": "linux",
        "created": CREATED,
        "config": config,
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{digest}" for digest in own]},
        "history": [{"created": CREATED, "created_by": name} for name in image["layers"]],
    }).encode()
    name = f"{hashlib.sha256(text).hexdigest()}.json"
    add(archive, name, len(text), io.BytesIO(text))
    return {"Config": name, "RepoTags": image["tags"], "Layers": [f"{digest}/layer.tar" for digest in own]}


def main(spec, out):
    with open(spec, encoding="utf-8") as file:
        spec = json.load(file)
    with tarfile.open(out, "w") as archive:
        beside = os.path.dirname(os.path.abspath(out))
        digests = {name: add_layer(archive, folder, beside) for name, folder in spec["layers"].items()}
        manifest = json.dumps([add_image(archive, image, digests) for image in spec["images"]]).encode()
        add(archive, "manifest.json", len(manifest), io.BytesIO(manifest))


main(*sys.argv[1:])
