"""What takes and stems say of themselves: place, origin, markers; and only what concerns them."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
import wavinfo

from foley.deliver import marking, origin
from foley.deliver.marking import Heard, Session
from foley.media import sound
from foley.media.bwf import Chunks
from foley.model import Audio, Clip, CurvePoint, Hit, LoudnessFigures, SoundEvent, Take
from tests.planning import clip_of

ASWG = (
    *("contentType", "project", "originator", "notes", "isGenerated", "originationDate", "channelConfig"),
    *("category", "subCategory", "catId", "fxName", "library", "creatorId", "sourceId", "loudness", "loudnessRange"),
    *("usageRights", "schemaVersion"),
)
"""Fields in the order of the schema of ASWG-G006 1.1, which allows no other."""

HAMMER = SoundEvent(
    "e01-hammer",
    "hammer on anvil",
    "hits",
    "foley",
    1.0,
    2.5,
    "5 strikes are seen; <bright> & hard.",
    hits=(Hit(1.0), Hit(2.5, 0.5)),
    ucs="METLImpt",
    prompt="a hammer",
    seed=7,
)
RAIN = SoundEvent("e02-rain", "rain", "bed", "backgrounds", 0.0, 4.0, "It rains.", curve=(CurvePoint(0.0, 1.0),))


def clip_at(timecode: str | None, rate: Fraction = Fraction(25)) -> Clip:
    clip = clip_of(4.0)
    video = replace(clip.video, frame_rate=rate)
    return replace(clip, path=Path("/films/Shot 7.mov"), timecode=timecode, video=video)


@pytest.fixture
def take(tmp_path: Path) -> Take:
    """Starts 0.1 s before its first hit."""
    audio = sound.save(Audio(np.zeros((1, 96_000), np.float32), 48_000), tmp_path / "take.wav")
    return Take("e01-hammer", "k" * 32, audio, 43_200, -3.0, "procedural", "none", True, made_by="procedural/3")


def read(take: Take, chunks: Chunks) -> wavinfo.WavInfoReader:
    to = take.audio.path.with_name("marked.wav")
    sound.save_with(take.audio, to, chunks)
    return wavinfo.WavInfoReader(str(to))


def xml_of(chunks: Chunks) -> ElementTree.Element:
    text = chunks.head.partition(b"iXML")[2][4:].partition(b"</BWFXML>")[0] + b"</BWFXML>"
    return ElementTree.fromstring(text)


def texts(parent: ElementTree.Element | None) -> dict[str, str]:
    assert parent is not None
    return {child.tag: child.text or "" for child in parent}


@pytest.mark.parametrize(
    ("timecode", "rate", "start"),
    [
        (None, Fraction(25), 0),
        ("01:00:00:00", Fraction(25), 172_800_000),
        ("01:00:00;00", Fraction(30000, 1001), 172_799_827),
        ("01:00:00:00", Fraction(24000, 1001), 172_972_800),
    ],
)
def test_a_take_lies_where_the_clip_s_time_code_has_it(
    take: Take, timecode: str | None, rate: Fraction, start: int
) -> None:
    chunks = marking.take_chunks(Session(clip_at(timecode, rate)), take, HAMMER)
    assert read(take, chunks).bext.time_reference == start + take.first_sample
    speed = texts(xml_of(chunks).find("SPEED"))
    stamp = int(speed["TIMESTAMP_SAMPLES_SINCE_MIDNIGHT_HI"]) << 32 | int(speed["TIMESTAMP_SAMPLES_SINCE_MIDNIGHT_LO"])
    assert stamp == start + take.first_sample
    assert speed["TIMECODE_RATE"] == f"{rate.numerator}/{rate.denominator}"
    assert speed["TIMECODE_FLAG"] == ("DF" if timecode and ";" in timecode else "NDF")


def test_a_lead_in_before_midnight_lies_on_the_day_before(take: Take) -> None:
    early = replace(take, first_sample=-480)
    chunks = marking.take_chunks(Session(clip_at(None)), early, HAMMER)
    assert read(take, chunks).bext.time_reference == 24 * 3600 * 48_000 - 480


def test_a_time_code_that_cannot_be_read_is_told_and_counts_as_none() -> None:
    start, note = marking.start_sample(clip_at("99:00:00:00"))
    assert start == 0
    assert "99:00:00:00" in note
    assert marking.start_sample(clip_at("10:00:00:00"))[1] == ""


def test_a_take_has_a_marker_at_each_hit(take: Take) -> None:
    found = read(take, marking.take_chunks(Session(clip_at(None)), take, HAMMER)).cues.to_dict()
    assert [(cue["frame"], cue["label"]) for cue in found.values()] == [
        (4800, "hammer on anvil 1"),
        (76_800, "hammer on anvil 2"),
    ]


def test_a_stem_has_a_marker_for_each_event_with_its_reason(take: Take) -> None:
    heard = Heard("mix", take.audio, (RAIN, replace(HAMMER, end_s=90.0)), (take,))
    found = read(take, marking.stem_chunks(Session(clip_at("01:00:00:00")), heard)).cues.to_dict()
    assert [(cue["frame"], cue["label"], cue["length"]) for cue in found.values()] == [
        (0, "rain", 96_000),  # as long as the file
        (48_000, "hammer on anvil", 48_000),
    ]
    assert found[2]["note"] == "e01-hammer: 5 strikes are seen; <bright> & hard."


def test_the_aswg_object_names_the_sound_as_libraries_do(take: Take) -> None:
    tree = xml_of(marking.take_chunks(Session(clip_at(None), creator="ABC", date="2026-11-21"), take, HAMMER))
    aswg = tree.find("ASWG")
    fields = texts(aswg)
    assert (fields["category"], fields["subCategory"]) == ("METAL", "IMPACT")
    assert (fields["catId"], fields["fxName"], fields["creatorId"]) == ("METLImpt", "Hammer On Anvil", "ABC")
    assert (fields["sourceId"], fields["isGenerated"], fields["schemaVersion"]) == ("Shot 7", "true", "1.1")
    assert "<bright> & hard" in fields["notes"]


def test_the_aswg_fields_stand_in_the_schema_s_order(take: Take) -> None:
    session = Session(clip_at(None), date="2026-11-21T10:00:00")
    bound = replace(take, weights_licence="CC-BY-NC-4.0", commercial=False)
    heard = Heard("mix", take.audio, (HAMMER,), (take,), figures=LoudnessFigures(-23.0, -3.0, -23.0, -1.0, True))
    for chunks in (marking.take_chunks(session, bound, HAMMER), marking.stem_chunks(session, heard)):
        tags = list(texts(xml_of(chunks).find("ASWG")))
        assert tags == sorted(tags, key=ASWG.index)
        assert len(tags) > 8


def test_our_own_ids_stand_in_the_user_block(take: Take) -> None:
    own = texts(xml_of(marking.take_chunks(Session(clip_at(None)), take, HAMMER)).find("USER"))
    assert (own["FOLEY_EVENT"], own["FOLEY_SEED"], own["FOLEY_GENERATOR"]) == ("e01-hammer", "7", "procedural")
    assert (own["FOLEY_PROMPT"], own["FOLEY_FIRST_SAMPLE"]) == ("a hammer", "43200")
    assert own["DIGITAL_SOURCE_TYPE"].endswith("/algorithmicMedia")


def of(licence: str, *notes: str) -> Take:
    audio = sound.AudioFile(Path("a.wav"), 48_000, 1, 1)
    return Take("e", "k", audio, 0, -3.0, "g", licence, True, notes)


SYNTHESIS = of("none")
MODEL = of("CC-BY-NC-4.0")
RECORDING = of("none", "made from recordings: door.wav (licence: CC0-1.0)")


@pytest.mark.parametrize(
    ("takes", "own", "kind"),
    [
        ([], False, ""),
        ([SYNTHESIS], False, "algorithmicMedia"),
        ([MODEL, MODEL], False, "trainedAlgorithmicMedia"),
        ([MODEL, SYNTHESIS], False, "compositeSynthetic"),
        ([MODEL, RECORDING], False, "compositeSynthetic"),
        ([MODEL], True, "compositeSynthetic"),
        ([RECORDING], False, "composite"),
        ([SYNTHESIS, RECORDING], False, "composite"),
        ([SYNTHESIS], True, "composite"),
        ([of("none", *RECORDING.notes, "blended with procedural")], False, "composite"),
        ([of("none", *RECORDING.notes, "blended with audiogen")], False, "compositeSynthetic"),
    ],
)
def test_nothing_is_claimed_of_an_origin_that_is_not_so(takes: list[Take], own: bool, kind: str) -> None:
    assert origin.source_type(takes, with_own_sound=own) == kind
    assert ("AI-generated" in origin.sentence(kind)) == any(take is MODEL or "audiogen" in str(take) for take in takes)


def test_a_model_s_take_is_marked_as_ai_generated_and_tells_its_licence(take: Take) -> None:
    made = replace(take, generator="audiogen", weights_licence="CC-BY-NC-4.0")
    chunks = marking.take_chunks(Session(clip_at(None)), made, HAMMER)
    assert "AI-generated sound" in read(take, chunks).bext.description
    aswg, own = texts(xml_of(chunks).find("ASWG")), texts(xml_of(chunks).find("USER"))
    assert "no commercial use" in aswg["usageRights"]
    assert own["DIGITAL_SOURCE_TYPE"] == "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"


def test_a_take_of_recordings_names_them_and_is_not_called_generated(take: Take) -> None:
    chunks = marking.take_chunks(Session(clip_at(None)), replace(take, notes=RECORDING.notes), HAMMER)
    aswg, own = texts(xml_of(chunks).find("ASWG")), texts(xml_of(chunks).find("USER"))
    assert own["FOLEY_RECORDINGS"] == "door.wav (licence: CC0-1.0)"
    assert aswg["isGenerated"] == "false"
    assert "door.wav" in aswg["usageRights"]


def test_the_clip_s_own_sound_claims_no_origin(take: Take) -> None:
    tree = xml_of(marking.stem_chunks(Session(clip_at(None)), Heard("dialogue", take.audio, own_sound=True)))
    assert "DIGITAL_SOURCE_TYPE" not in texts(tree.find("USER"))
    assert texts(tree.find("ASWG"))["isGenerated"] == "false"


def test_a_stem_says_nothing_of_what_does_not_concern_it(take: Take) -> None:
    session = Session(clip_at("01:00:00:00"))
    heard = Heard("foley", take.audio, (HAMMER,), (take,))
    same = replace(heard, events=(replace(HAMMER, gain_db=3.0, pan=0.5, seed=99),))
    other = replace(heard, events=(replace(HAMMER, label="big hammer"),))
    assert marking.stem_chunks(session, heard) == marking.stem_chunks(session, same)
    assert marking.stem_chunks(session, heard) != marking.stem_chunks(session, other)


def test_the_date_is_only_said_where_it_is_given(take: Take) -> None:
    without = read(take, marking.take_chunks(Session(clip_at(None)), take, HAMMER)).bext
    dated = read(take, marking.take_chunks(Session(clip_at(None), date="2026-11-21T09:30:00"), take, HAMMER)).bext
    assert (without.originator_date, without.originator_time) == ("", "")
    assert (dated.originator_date, dated.originator_time) == ("2026-11-21", "09:30:00")
