"""Records that machines share: what one cache makes another fetches, whole or not at all."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from foley.contracts import Context
from foley.errors import MissingProgramError, ServiceError
from foley.media import sound
from foley.model import AudioFile, Take
from foley.pipeline.cache import Cache
from foley.pipeline.cluster.tier import Tier, TieredCache, record_of

pytest.importorskip("fsspec", reason="fsspec is not installed")

Opens = Callable[[str], TieredCache]


@pytest.fixture(params=["file", "memory"])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return f"file://{tmp_path}/shared" if request.param == "file" else f"memory://{uuid.uuid4().hex}"


@pytest.fixture
def machine(address: str, tmp_path: Path) -> Opens:
    """Return a machine's cache by its name; all have the same storage behind them."""
    return lambda name: TieredCache(tmp_path / name, Tier(address))


def written(ctx: Context) -> AudioFile:
    with sound.WavWriter(ctx.scratch / "noise.wav", rate_hz=48_000, channels=1) as writer:
        writer.append(ctx.rng("noise").uniform(-0.5, 0.5, (1, 480)).astype(np.float32))
    return writer.file


def forbidden(ctx: Context) -> AudioFile:
    raise AssertionError("it was made before")


def silent(done: float, what: str) -> None:
    pass


def test_what_one_machine_made_another_fetches_with_its_files(machine: Opens) -> None:
    one, other = machine("one"), machine("other")
    made, before = one.once("noise", (1,), written, silent)
    assert not before
    fetched, before = other.once("noise", (1,), forbidden, silent)
    assert before
    assert fetched.path.is_relative_to(other.root)
    assert fetched.path.read_bytes() == made.path.read_bytes()
    assert replace(fetched, path=made.path) == made


def test_a_record_brings_those_with_it_whose_files_it_names(machine: Opens) -> None:
    one, other = machine("one"), machine("other")

    def take(ctx: Context) -> Take:
        return Take("e", "k", ctx.once("noise", (2,), written), 0, -3.0, "procedural", "none", commercial=True)

    made, _ = one.once("take", (2,), take, silent)
    fetched, _ = other.once("take", (2,), forbidden, silent)
    assert fetched.audio.path.read_bytes() == made.audio.path.read_bytes()


def test_a_record_is_fetched_by_its_name(machine: Opens) -> None:
    one, other = machine("one"), machine("other")
    name = record_of(one, "noise", (3,))
    assert not other.fetch(name)
    one.once("noise", (3,), written, silent)
    assert name == record_of(other, "noise", (3,))
    assert other.fetch(name)
    assert (other.root / name / "value.json").is_file()


def test_nothing_stays_behind_in_the_scratch_folders(machine: Opens) -> None:
    one, other = machine("one"), machine("other")
    one.once("noise", (4,), written, silent)
    other.once("noise", (4,), forbidden, silent)
    assert [*(one.root / "tmp").iterdir(), *(other.root / "tmp").iterdir()] == []


def test_a_push_that_is_cut_off_is_as_if_it_had_not_been(
    machine: Opens, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = machine("one"), machine("other")

    def fails(*args: object, **more: object) -> None:
        raise OSError("the line is cut")

    with monkeypatch.context() as patch:
        patch.setattr(type(one._tier._files), "mv", fails)
        with pytest.raises(ServiceError, match="the line is cut"):
            one.once("noise", (5,), written, silent)
    _, before = other.once("noise", (5,), written, silent)
    assert not before


def test_an_archive_that_is_damaged_is_said_to_be(tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    one = TieredCache(tmp_path / "one", Tier(f"file://{shared}"))
    one.once("noise", (6,), written, silent)
    (archive,) = shared.rglob("*.tar")
    archive.write_bytes(b"no archive")
    other = TieredCache(tmp_path / "other", Tier(f"file://{shared}"))
    with pytest.raises(ServiceError, match="cannot be used"):
        other.once("noise", (6,), written, silent)


def test_an_archive_cannot_write_outside_its_folder(tmp_path: Path) -> None:
    import tarfile

    shared, outside = tmp_path / "shared", tmp_path / "outside.txt"
    outside.write_text("mine")
    cache = TieredCache(tmp_path / "one", Tier(str(shared)))
    archive = shared / "1" / f"{record_of(cache, 'noise', (7,))}.tar"
    archive.parent.mkdir(parents=True)
    with tarfile.open(archive, "w") as writer:
        writer.add(outside, "../../../../outside.txt")
    outside.write_text("still mine")
    with pytest.raises(ServiceError):
        cache.once("noise", (7,), written, silent)
    assert outside.read_text() == "still mine"


def test_a_storage_that_needs_a_driver_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "s3fs", None)
    with pytest.raises(MissingProgramError, match="s3fs") as raised:
        Tier("s3://bucket/foley")
    assert raised.value.hint == "pip install s3fs"


def test_a_storage_of_an_unknown_kind_is_refused() -> None:
    with pytest.raises(ServiceError, match="no storage"):
        Tier("carrier-pigeon://loft")


def test_a_folder_that_all_machines_see_needs_nothing_behind_it(tmp_path: Path) -> None:
    one, other = Cache(tmp_path), Cache(tmp_path)
    one.once("noise", (8,), written, silent)
    assert other.once("noise", (8,), forbidden, silent)[1]
