"""A library takes in what is there, reads nothing twice, loses nothing that was moved, and finds what is asked for."""

from __future__ import annotations

import multiprocessing
import shutil
import struct
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from foley.errors import FoleyError
from foley.library import indexing, licences, reading, tags, ucs, words
from foley.library.meaning import add_meaning
from foley.library.measure import FEATURES, measure
from foley.library.search import Query, near_equals, search, siblings
from foley.library.store import Store
from tests import tiny_library
from tests.tiny_library import RATE_HZ, blows, noise

ONSET_TOLERANCE_S = 0.011
"""Two frames of the level that hits are counted on; where they are cut they are measured again."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tiny_library.recordings(tmp_path / "recordings")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "index", create=True)


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the files that are measured from now on."""
    names: list[str] = []

    def counted(path: Path) -> object:
        names.append(path.name)
        return measure(path)

    monkeypatch.setattr(reading, "measure", counted)
    return names


def found(store: Store, text: str, **query: object) -> list[str]:
    return [match.path.name for match in search(store, Query(text, **query))]  # type: ignore[arg-type]


def test_what_is_unchanged_is_not_read_again(store: Store, folder: Path, measured: list[str]) -> None:
    assert indexing.add(store, folder).added == 6
    version = store.version
    measured.clear()
    again = indexing.add(store, folder)
    assert (again.added, again.changed, again.unchanged, measured) == (0, 0, 6, [])
    assert store.version == version


def test_a_moved_recording_keeps_what_was_measured(store: Store, folder: Path, measured: list[str]) -> None:
    indexing.add(store, folder)
    before = search(store, Query("paper crumple"))[0]
    measured.clear()
    (folder / "other").mkdir()
    (folder / "beds" / "paper crumple.wav").rename(folder / "other" / "crumpled sheet.wav")
    outcome = indexing.add(store, folder)
    assert (outcome.added, outcome.known, measured) == (1, 1, [])
    assert indexing.check(store).dropped == 1
    after = search(store, Query("crumpled sheet"))[0]
    assert (after.sound, after.features) == (before.sound, before.features)
    assert after.path == folder / "other" / "crumpled sheet.wav"


def test_a_changed_recording_is_measured_again(store: Store, folder: Path, measured: list[str]) -> None:
    indexing.add(store, folder)
    version = store.version
    measured.clear()
    soundfile.write(folder / "hits" / "keyboard typing.wav", blows((0.1, 0.5, 0.9), 1.5), RATE_HZ)
    assert indexing.add(store, folder).changed == 1
    assert measured == ["keyboard typing.wav"]
    assert search(store, Query("typing"))[0].features["hits"] == 3.0
    assert store.version != version


def test_what_vanished_is_dropped_by_a_check(store: Store, folder: Path) -> None:
    indexing.add(store, folder)
    shutil.rmtree(folder / "hits")
    outcome = indexing.check(store)
    assert (outcome.dropped, outcome.unchanged) == (4, 2)
    assert found(store, "hammer nail") == []


def test_the_version_is_that_of_the_content_not_of_its_history(store: Store, folder: Path) -> None:
    indexing.add(store, folder, licence="own")
    version = store.version
    assert indexing.remove(store, folder).dropped == 6
    assert store.version != version
    indexing.add(store, folder, licence="own")
    assert store.version == version


def test_what_cannot_be_used_is_skipped_with_a_reason(store: Store, tmp_path: Path, measured: list[str]) -> None:
    folder = tmp_path / "odd"
    folder.mkdir()
    good = blows((0.1,), 0.5)
    soundfile.write(folder / "eight bits.wav", good, 11_025, subtype="PCM_U8")
    soundfile.write(folder / "ninety six.wav", good, 96_000, subtype="FLOAT")
    soundfile.write(folder / "six channels.wav", np.repeat(good[:, None], 6, axis=1), RATE_HZ)
    soundfile.write(folder / "silent.wav", np.zeros(1000), RATE_HZ)
    soundfile.write(folder / "no samples.wav", np.zeros(0), RATE_HZ)
    soundfile.write(folder / "no numbers.wav", np.full(1000, np.nan), RATE_HZ, subtype="FLOAT")
    (folder / "nothing.wav").write_bytes(b"")
    (folder / "damaged.wav").write_bytes(b"RIFF" + bytes(range(200)))
    (folder / "text.wav").write_text("I am a letter")
    (folder / "picture.jpg").write_bytes(b"\xff\xd8\xff")
    (folder / "._hidden.wav").write_bytes(b"finder's own")
    soundfile.write(folder / "snow \N{SNOWMAN} 'quoted\" $(name).wav", good, 22_050)
    shutil.copy(folder / "eight bits.wav", bytes(folder) + b"/na\xefve.wav")
    outcome = indexing.add(store, folder)
    assert outcome.added == 4
    assert outcome.skipped == {
        "is silent": 1,
        "is empty": 1,
        "holds what is no number": 1,
        "is no sound file that can be read": 3,
        "has a name that is not UTF-8": 1,
        "is no recording by its name": 1,
    }
    measured.clear()
    assert indexing.add(store, folder).skipped == outcome.skipped
    assert measured == []
    assert len(found(store, "quoted name")) == 1


def test_hits_are_counted_and_even_stretches_found(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", blows((0.2, 0.9, 1.7), 2.6), RATE_HZ)
    struck = measure(tmp_path / "a.wav")
    assert struck.onsets_s == pytest.approx([0.2, 0.9, 1.7], abs=ONSET_TOLERANCE_S)
    quiet_loud = np.concatenate([np.zeros(2 * RATE_HZ), noise(6.0), np.zeros(RATE_HZ)])
    soundfile.write(tmp_path / "b.wav", quiet_loud, RATE_HZ, subtype="FLOAT")
    even = measure(tmp_path / "b.wav")
    features = dict(zip(FEATURES, even.features.tolist(), strict=True))
    assert even.loops_s[0] == pytest.approx([2.0, 8.0], abs=0.5)
    assert features["duration_s"] == 9.0
    assert features["loudness_db"] == pytest.approx(-20.0, abs=0.3)
    # white noise has its middle at a quarter of the rate
    assert features["brightness_hz"] == pytest.approx(RATE_HZ / 4, rel=0.02)


def test_a_ucs_name_tells_the_class(store: Store, tmp_path: Path) -> None:
    folder = tmp_path / "ucs"
    folder.mkdir()
    soundfile.write(folder / "DOORWood_Cellar Close 01_ABC_Castle.wav", blows((0.1,), 0.6), RATE_HZ)
    soundfile.write(folder / "doorwood-Heavy_Cellar Close 02_ABC_Castle.wav", blows((0.2,), 0.7), RATE_HZ)
    soundfile.write(folder / "METLImpt_Anvil_ABC_Smithy.wav", blows((0.3,), 0.8), RATE_HZ)
    indexing.add(store, folder)
    match = search(store, Query("something shuts", "DOORWood", "hits"))[0]
    assert (match.ucs, match.title) == ("DOORWood", "Cellar Close 01")
    assert match.mark >= 0.7
    assert search(store, Query("", "METLImpt"))[0].title == "Anvil"


def with_chunks(path: Path, **chunks: bytes) -> None:
    """Write a WAV with more chunks, before its sound."""
    soundfile.write(path, blows((0.1,), 0.4), RATE_HZ)
    data = path.read_bytes()
    extra = b"".join(
        struct.pack("<4sI", name.encode().ljust(4), len(body)) + body + b"\0" * (len(body) % 2)
        for name, body in chunks.items()
    )
    path.write_bytes(b"RIFF" + struct.pack("<I", len(data) - 8 + len(extra)) + b"WAVE" + extra + data[12:])


def id3(**frames: str) -> bytes:
    body = b"".join(
        name.encode() + struct.pack(">IH", len(text.encode("utf-16")) + 1, 0) + b"\1" + text.encode("utf-16")
        for name, text in frames.items()
    )
    return b"ID3\3\0\0" + bytes((len(body) >> shift) & 127 for shift in (21, 14, 7, 0)) + body


def test_metadata_of_broadcast_wave_and_ixml_and_id3_are_read(tmp_path: Path) -> None:
    with_chunks(tmp_path / "bext.wav", bext=b"Church bell, one toll".ljust(602, b"\0"))
    assert "Church bell" in tags.read(tmp_path / "bext.wav", {}).words
    xml = (
        b"<?xml version='1.0'?><BWFXML><ASWG><catId>BELLLrg</catId><fxName>Toll &amp; ring</fxName>"
        b"</ASWG><USER><LICENSE>CC0-1.0</LICENSE></USER></BWFXML>"
    )
    with_chunks(tmp_path / "ixml.wav", iXML=xml)
    said = tags.read(tmp_path / "ixml.wav", {})
    assert (said.title, said.category, said.licence) == ("Toll & ring", "BELLLrg", "CC0-1.0")
    with_chunks(tmp_path / "id3.wav", **{"id3 ": id3(TIT2="Squeaky gate", TXXX="CatID\0DOORCreak", TCOP="own")})
    said = tags.read(tmp_path / "id3.wav", {})
    assert (said.title, said.category, said.licence) == ("Squeaky gate", "DOORCreak", "own")


@settings(max_examples=60)
@given(st.binary(max_size=300), st.sampled_from([b"RIFF0000WAVE", b"ID3\3\0\0\0\0\1\0", b"RF64", b""]))
def test_damaged_metadata_is_metadata_that_is_not_there(
    tmp_path_factory: pytest.TempPathFactory, data: bytes, head: bytes
) -> None:
    path = tmp_path_factory.getbasetemp() / "damaged.wav"
    path.write_bytes(head + data)
    assert isinstance(tags.read(path, {"comment": "a"}), tags.Tags)


def test_a_licence_is_of_the_file_the_folder_or_unknown(store: Store, folder: Path) -> None:
    said = indexing.licences_from("hits/hammer*: CC-BY-4.0\n# the rest is mine\nbeds/*: own\n")
    indexing.add(store, folder, licences=said)
    by_name = {match.path.name: match.licence for match in search(store, Query("hammer typing paper"))}
    assert by_name["hammer_nail_00.wav"] == "CC-BY-4.0"
    assert by_name["paper crumple.wav"] == "own"
    assert by_name["keyboard typing.wav"] == indexing.UNKNOWN
    assert found(store, "typing", commercial=licences.commercial) == []
    # told later, without reading anything again
    assert indexing.add(store, folder, licence="CC0-1.0").changed == 6
    assert search(store, Query("typing"))[0].licence == "CC0-1.0"


def test_a_licence_file_that_is_none_names_the_line() -> None:
    with pytest.raises(FoleyError, match="line 2"):
        indexing.licences_from("*: own\nwhat is this")


def test_numbered_recordings_are_of_one_thing(store: Store, folder: Path) -> None:
    indexing.add(store, folder)
    match = search(store, Query("a hammer hits a nail", kind="hits"))[0]
    assert [one.path.name for one in siblings(store, match)] == [f"hammer_nail_0{number}.wav" for number in range(3)]
    assert len(near_equals(search(store, Query("hammer nail")))) == 3


def test_a_search_knows_endings_rings_and_what_fits_a_kind(store: Store, folder: Path) -> None:
    indexing.add(store, folder)
    assert found(store, "fabric rustling", kind="span")[0] == "clothes cloth rustle.flac"
    assert found(store, "hammering", kind="hits")[0].startswith("hammer_nail")
    assert found(store, "hammering", kind="bed") == []
    assert found(store, "quantum flux") == []
    assert found(store, "") == []


def test_words_are_split_as_people_run_them_together() -> None:
    assert words.stems("DoorSlam_metal-02") == ["door", "slam", "metal"]
    assert words.stems("dogbark") == ["dog", "bark"]
    assert words.stems("carpet") == ["carpet"]
    assert words.stems("Türknarren") == ["turknarren"]


def test_every_ucs_class_can_be_looked_up_in_small_letters() -> None:
    assert len(ucs.categories()) == 752
    assert ucs.parse_name("feethmn_Walk_X_Y").category == "FEETHmn"


def test_embeddings_are_kept_and_found_by(store: Store, folder: Path) -> None:
    indexing.add(store, folder)
    paths: list[Path] = []

    def embed(path: Path) -> np.ndarray:
        paths.append(path)
        return np.eye(4, dtype=np.float32)[1 if "paper" in path.name else 0]

    version = store.version
    assert add_meaning(store, "toy/1", 4, embed) == 6
    assert store.version != version
    assert add_meaning(store, "toy/1", 4, embed) == 0
    assert len(paths) == 6
    toward_paper = np.array([0.0, 1.0, 0.0, 0.0], np.float32)
    best = search(store, Query("origami"), meaning=lambda _: toward_paper)
    assert best[0].path.name == "paper crumple.wav"
    assert found(store, "hammer")[0].startswith("hammer_nail")


def add_folder(index: Path, folder: Path) -> None:
    with Store(index, create=True) as store:
        indexing.add(store, folder)


def test_two_processes_may_index_at_once(tmp_path: Path) -> None:
    folders = [tiny_library.recordings(tmp_path / name) for name in ("one", "two")]
    spawn = multiprocessing.get_context("spawn")
    running = [spawn.Process(target=add_folder, args=(tmp_path / "index", folder)) for folder in folders]
    for process in running:
        process.start()
    for process in running:
        process.join(60)
    assert [process.exitcode for process in running] == [0, 0]
    with Store(tmp_path / "index") as store:
        assert store.count() == 12
        features = {match.path.name: match.features["hits"] for match in search(store, Query("hammer nail"), count=3)}
    assert set(features.values()) == {2.0}


def test_a_damaged_index_is_told_without_a_traceback(tmp_path: Path) -> None:
    (tmp_path / "index.sqlite").write_bytes(b"not a database, but long enough to be looked at" * 40)
    with pytest.raises(FoleyError, match="cannot be used"):
        Store(tmp_path)


def test_nothing_indexed_says_how_to(tmp_path: Path) -> None:
    with pytest.raises(FoleyError) as caught:
        Store(tmp_path / "none")
    assert caught.value.hint == "foley library add DIR"
