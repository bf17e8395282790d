"""Options of delivery are refused before any work; a signed video says what was done to it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from foley.deliver import signing
from foley.deliver.deliver import DeliverOptions
from foley.deliver.signing import Signature
from foley.errors import CannotWriteError, MissingProgramError, MuxError
from foley.media import ffmpeg
from tests import media_maker as make
from tests.identity_maker import signer


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"naming": "fancy"}, "plain, ucs, delivery"),
        ({"formats": "flac,wma"}, "wma"),
        ({"creator": "A_B"}, "underscores"),
        ({"creator": " "}, "creator"),
        ({"date": "21.11.2026"}, "2"),
        ({"date": "2026-02-30"}, "day"),
        ({"date": "20261121"}, "must be written as"),
        ({"c2pa_certificate": "nobody.pem"}, "nobody.pem"),
        ({"c2pa_key": "key.pem"}, "c2pa_certificate must be given too"),
        ({"c2pa_algorithm": "rot13"}, "es256"),
    ],
)
def test_an_option_that_cannot_be_is_refused(wrong: dict[str, str], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        DeliverOptions(**wrong)  # type: ignore[arg-type]


def test_forms_are_listed_once_each() -> None:
    assert DeliverOptions(formats=" flac, mp3,flac,").forms() == ("flac", "mp3")
    assert DeliverOptions().forms() == ()
    assert DeliverOptions(date="2026-11-21T09:30:00").signature() is None


@pytest.fixture(scope="module")
def identity(tmp_path_factory: pytest.TempPathFactory) -> Signature:
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    return signer(tmp_path_factory.mktemp("identity"))


CLAIM = signing.claim("clip.foley.mp4", "compositeSynthetic", version="1.2.3", generators=["audiogen", "procedural"])


@pytest.mark.parametrize("source", ["clip.mp4", "clip.mkv"])
def test_a_signed_video_says_what_was_done_to_it(tmp_path: Path, identity: Signature, source: str) -> None:
    c2pa = pytest.importorskip("c2pa", reason="c2pa-python is not installed")
    clip = make.moving(tmp_path / source, duration_s=0.4)
    video = make.moving(tmp_path / "video.mp4", duration_s=0.4)
    pictures = ffmpeg.video_hash(video)
    signing.sign(video, clip, CLAIM, by=identity)
    with c2pa.Reader(str(video)) as reader:
        told, state = json.loads(reader.json()), reader.get_validation_state()
    assert state == "Valid"
    active = told["manifests"][told["active_manifest"]]
    actions = next(each["data"]["actions"] for each in active["assertions"] if "actions" in each["label"])
    assert [action["action"] for action in actions] == ["c2pa.opened", "c2pa.dubbed"]
    assert actions[1]["digitalSourceType"].endswith("/compositeSynthetic")
    assert "audiogen, procedural" in actions[1]["parameters"]["description"]
    assert active["ingredients"][0]["title"] == source
    assert ffmpeg.video_hash(video) == pictures


def test_a_certificate_that_is_none_leaves_the_video_as_it_was(tmp_path: Path, identity: Signature) -> None:
    pytest.importorskip("c2pa", reason="c2pa-python is not installed")
    video = make.moving(tmp_path / "video.mp4", duration_s=0.4)
    before = video.read_bytes()
    with pytest.raises(CannotWriteError, match="cannot be signed"):
        signing.sign(video, video, CLAIM, by=Signature(identity.key, identity.key))
    with pytest.raises(CannotWriteError, match="cannot be read"):
        signing.sign(video, video, CLAIM, by=Signature(tmp_path / "gone.pem", identity.key))
    assert video.read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["video.mp4"]


def test_what_cannot_be_signed_is_refused_first(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(MuxError, match="cannot hold content credentials"):
        signing.refuse_unsignable(Path("clip.mkv"))
    monkeypatch.setattr(signing, "installed", lambda: False)
    with pytest.raises(MissingProgramError, match="c2pa-python"):
        signing.refuse_unsignable(Path("clip.mp4"))
