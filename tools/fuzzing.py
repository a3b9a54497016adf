# SPDX-License-Identifier: Apache-2.0
"""The corpus of a fuzz target: seeds that people wrote, test/fuzz/corpus/NAME/, and beside them in
NAME.zip what fuzzing has found to be worth keeping, the least that reaches all that was reached."""

import hashlib
import os
import pathlib
import subprocess
import tempfile
import zipfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
CORPUS = ROOT / "test" / "fuzz" / "corpus"
EPOCH = (1980, 1, 1, 0, 0, 0)  # the same content makes the same file


def targets(build):
    """The programs of a build folder, in the order of their names."""
    return sorted(path for path in (pathlib.Path(build) / "test" / "fuzz").glob("fuzz-*")
                  if path.is_file() and os.access(path, os.X_OK))


def name_of(target):
    return pathlib.Path(target).name.removeprefix("fuzz-")


def unpack(name, folder):
    """Puts seeds and what was kept into the folder."""
    for seed in sorted((CORPUS / name).glob("*")):
        (pathlib.Path(folder) / seed.name).write_bytes(seed.read_bytes())
    kept = CORPUS / f"{name}.zip"
    if kept.is_file():
        with zipfile.ZipFile(kept) as archive:
            archive.extractall(folder)


def keep(target, folder):
    """Keeps what a folder has beyond the seeds; answers how many inputs that is."""
    name = name_of(target)
    with tempfile.TemporaryDirectory() as least:
        subprocess.run([target, "-set_cover_merge=1", least, str(CORPUS / name), str(folder)],
                       check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL)
        seeds = {seed.read_bytes() for seed in (CORPUS / name).glob("*")}
        inputs = {path.read_bytes() for path in pathlib.Path(least).iterdir()} - seeds
    with zipfile.ZipFile(CORPUS / f"{name}.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for data in sorted(inputs):
            entry = zipfile.ZipInfo(hashlib.sha1(data).hexdigest(), EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, data)
    return len(inputs)
