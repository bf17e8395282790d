"""AudioGen and MusicGen: the converted checkpoint is the published one, and what is made of it is made right."""

from __future__ import annotations

import hashlib
import json
import pickle
import shutil
import socket
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

import foley
from foley import plugins
from foley.api import Settings
from foley.contracts import GeneratorSettings, SoundRequest
from foley.errors import MissingWeightsError, OutputExistsError
from foley.model import SoundEvent
from foley.neural import audiocraft, convert_audiogen, musicgen, pool, runtime
from foley.neural.convert_audiogen import convert
from foley.units import RATE_HZ, to_samples
from tests import audiocraft_reference, tiny_audiogen, tiny_musicgen
from tests.media_maker import moving

if needed := runtime.missing(*musicgen.PACKAGES, "tokenizers"):
    pytest.skip("; ".join(needed), allow_module_level=True)

ROUNDING = 1e-4
"""How far samples may be off whose peak is about 3: the same sums in another order."""

RAIN = SoundEvent(
    id="e1", label="rain", kind="bed", bus="backgrounds", start_s=0.0, end_s=2.0, because="a test", prompt="rain falls"
)
LONG_TEXT = "rain falls on a tin roof while a dog barks twice in the distance and a wooden door slams shut"
SEGMENT = tiny_audiogen.SEGMENT_S * 50
"""Frames that the tiny model writes at once."""


@pytest.fixture(autouse=True)
def _offline(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def refused(*args: Any, **more: Any) -> None:
        raise AssertionError("nothing may be asked of the network")

    monkeypatch.setattr(socket.socket, "connect", refused)
    monkeypatch.setenv("FOLEY_CACHE", str(tmp_path / "cache"))


@pytest.fixture(scope="module", autouse=True)
def _one_thread() -> Iterator[None]:
    """Threads cost more than they save where matrices are this small."""
    torch = runtime.torch()
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
    pool.clear()


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint as audiocraft publishes it; never written to."""
    return tiny_audiogen.make(tmp_path_factory.mktemp("audiogen") / "published")


@pytest.fixture(scope="module")
def folder(published: Path) -> Path:
    """The same, converted."""
    return convert(published, published.parent / "converted")


@pytest.fixture(scope="module")
def voice(folder: Path) -> musicgen.Voice:
    return musicgen.load(folder, name="tiny", device="cpu")


@pytest.fixture(scope="module")
def music(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """MusicGens by kind, written when first asked for."""
    made: dict[str, Path] = {}

    def of(kind: str) -> Path:
        if kind not in made:
            made[kind] = tiny_musicgen.make(tmp_path_factory.mktemp("musicgen") / kind, kind=kind)
        return made[kind]

    return of


def wish(text: str, *, seed: int = 0, duration_s: float = 1.0) -> musicgen.Wish:
    return musicgen.Wish(text, duration_s, seed, "e1")


def request(text: str, duration_s: float, *, seed: int = 7) -> SoundRequest:
    return SoundRequest(replace(RAIN, prompt=text), 0.0, duration_s, np.random.default_rng(seed))


def generator(model: Path, name: str = "audiogen") -> Any:
    return plugins.build("generator", name, GeneratorSettings(model=str(model), device="cpu"))


def reference_codes(voice: musicgen.Voice, text: str, frames: int, prompt: Any = None) -> Any:
    """Return what the published architecture writes, computed without transformers but for the text encoder."""
    torch = runtime.torch()
    with torch.inference_mode():
        tokens = voice.tokenizer(text, return_tensors="pt")
        states = voice.model.text_encoder(**tokens).last_hidden_state[0]
        state = tiny_audiogen.language_model()
        return audiocraft_reference.greedy_codes(state, states, frames=frames, prompt=prompt)


def test_the_converted_model_writes_the_codes_of_the_published_one(voice: musicgen.Voice) -> None:
    texts = ["footsteps on gravel", LONG_TEXT]
    written = voice.codes([wish(text) for text in texts], 30, greedy=True)
    for text, row in zip(texts, written, strict=True):
        assert np.array_equal(row, reference_codes(voice, text, 30))
    assert not np.array_equal(written[0], written[1])  # what is read is heard


def test_a_sound_goes_on_from_half_a_segment_of_what_it_was(voice: musicgen.Voice) -> None:
    frames = SEGMENT + SEGMENT // 2 + 20
    (written,) = voice.codes([wish("rain")], frames, greedy=True)
    expected = reference_codes(voice, "rain", SEGMENT)
    while expected.shape[1] < frames:
        heard = expected[:, -SEGMENT // 2 :]
        window = reference_codes(voice, "rain", min(SEGMENT, SEGMENT // 2 + frames - expected.shape[1]), heard)
        expected = runtime.torch().cat([expected, window[:, SEGMENT // 2 :]], dim=1)
    assert np.array_equal(written, expected)


@pytest.mark.parametrize("pad_mode", ["constant", "reflect"])
def test_the_converted_codec_sounds_as_the_published_one(published: Path, tmp_path: Path, pad_mode: str) -> None:
    torch = runtime.torch()
    source = shutil.copytree(published, tmp_path / "source")
    settings = tiny_audiogen.CODEC_SETTINGS.replace("pad_mode: constant", f"pad_mode: {pad_mode}")
    tiny_audiogen.write_package(source / "compression_state_dict.bin", tiny_audiogen.codec(), settings)
    loaded = musicgen.load(convert(source, tmp_path / "to"), name="tiny", device="cpu")
    codes = torch.randint(tiny_audiogen.BINS, (4, 20), generator=torch.Generator().manual_seed(5))
    with torch.inference_mode():
        played = loaded.model.audio_encoder.decode(codes[None, None], [None]).audio_values[0, 0].numpy()
        expected = audiocraft_reference.decoded(tiny_audiogen.codec(), codes, pad_mode=pad_mode).numpy()
    assert played.shape == (20 * 320,)
    assert np.abs(expected).max() > 0.1
    assert np.abs(played - expected).max() < ROUNDING


@pytest.mark.parametrize("duration_s", [0.02, 1.2345, 5.0])
def test_a_sound_is_as_long_as_asked_and_finite(folder: Path, duration_s: float) -> None:
    (audio,) = generator(folder).generate([request("rain", duration_s)])
    assert (audio.rate_hz, audio.channels) == (16_000, 1)
    assert audio.length == to_samples(duration_s, 16_000)
    assert np.isfinite(audio.samples).all()
    assert 0.0 < np.abs(audio.samples).max() <= musicgen.LOUDEST + 1e-6


def test_a_sound_is_the_same_alone_and_in_any_batch(folder: Path) -> None:
    made = generator(folder)
    asked = [("a dog barks", 0.5, 1), (LONG_TEXT, 1.0, 2), ("rain", 2.7, 3), ("rain", 0.9, 4), ("rain", 0.9, 4)]
    together = made.generate([request(text, length, seed=seed) for text, length, seed in asked])
    for audio, (text, length, seed) in zip(together, asked, strict=True):
        (alone,) = made.generate([request(text, length, seed=seed)])
        assert np.array_equal(audio.samples, alone.samples)
    assert not np.array_equal(together[3].samples, made.generate([request("rain", 0.9, seed=5)])[0].samples)


def test_a_published_checkpoint_is_converted_once_and_sounds_as_the_converted_one(
    published: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (expected,) = generator(folder).generate([request("rain", 0.5)])
    (first,) = generator(published).generate([request("rain", 0.5)])
    monkeypatch.setattr(convert_audiogen, "convert", None)
    (second,) = generator(published).generate([request("rain", 0.5)])
    assert np.array_equal(first.samples, expected.samples)
    assert np.array_equal(second.samples, expected.samples)


def test_it_is_converted_part_by_part_and_says_what_it_is_made_of(
    published: Path, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from safetensors import safe_open

    monkeypatch.setattr(convert_audiogen, "PART_BYTES", 100_000)
    parted = convert(published, tmp_path / "parted")
    index = json.loads((parted / "model.safetensors.index.json").read_text())["weight_map"]
    assert len(set(index.values())) > 5
    kinds = {"audio_encoder": "F32", "text_encoder": "F32", "decoder": "F16", "enc_to_dec_proj": "F16"}
    (whole,) = folder.glob("*.safetensors")
    with safe_open(whole, "np") as file:
        for name, part in index.items():
            with safe_open(parted / part, "np") as other:
                assert np.array_equal(file.get_tensor(name), other.get_tensor(name))
                assert other.get_slice(name).get_dtype() == kinds[name.partition(".")[0]]
    record = json.loads((parted / "foley.json").read_text())
    due = hashlib.sha256((published / "state_dict.bin").read_bytes()).hexdigest()
    assert record["sha256"][f"{published.name}/state_dict.bin"] == due
    assert record["licence"] == "CC-BY-NC-4.0"


def test_a_finetune_that_refers_to_a_codec_takes_it_from_its_folder(
    published: Path, voice: musicgen.Voice, tmp_path: Path
) -> None:
    torch = runtime.torch()
    source = shutil.copytree(published, tmp_path / "source")
    torch.save({"pretrained": "facebook/encodec_32khz"}, source / "compression_state_dict.bin")
    with pytest.raises(MissingWeightsError, match="encodec_32khz is not here"):
        convert(source, tmp_path / "without")
    voice.model.audio_encoder.save_pretrained(tmp_path / "codec")
    made = musicgen.load(convert(source, tmp_path / "to", codec=str(tmp_path / "codec")), name="tiny", device="cpu")
    expected = voice.model.state_dict()
    for name, value in made.model.state_dict().items():
        assert torch.equal(value, expected[name]), name


class _Attack:
    """What must never be run."""

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (Path("run-by-a-pickle"),)


def _drop(state: dict[str, Any], key: str) -> dict[str, Any]:
    return {name: value for name, value in state.items() if name != key}


def _packages(how: str) -> tuple[dict[str, Any], str] | None:
    """Return a language model's tensors and settings with one thing wrong."""
    torch = runtime.torch()
    state, settings = tiny_audiogen.language_model(), tiny_audiogen.LANGUAGE_MODEL_SETTINGS
    key = "transformer.layers.1.linear2.weight"
    circle = settings.replace("dim: 32", "dim: ${transformer_lm.num_heads}")
    return {
        "missing": (_drop(state, key), settings),
        "unexpected": ({**state, "transformer.layers.0.self_attn.q_norm.weight": torch.ones(3)}, settings),
        "unexpected layer": ({**state, key.replace(".1.", ".2."): state[key]}, settings),
        "unknown": ({**state, "emb2.weight": state[key]}, settings),
        "shape": ({**state, key: state[key].T.contiguous()}, settings),
        "rope": (state, settings.replace("positional_embedding: sin", "positional_embedding: rope")),
        "delays": (state, settings.replace("[0, 1, 2, 3], flatten_first", "[0, 0, 0, 0], flatten_first")),
        "no number": (state, settings.replace("num_layers: 2", "num_layers: two")),
        "circle": (state, circle.replace("num_heads: 4", "num_heads: ${transformer_lm.dim}")),
        "rate": (state, settings.replace("sample_rate: 16000", "sample_rate: 32000")),
        "no yaml": (state, "a: [1"),
    }.get(how)


def _spoil(source: Path, how: str) -> None:
    """Damage a checkpoint in one way."""
    path, codec_path = source / "state_dict.bin", source / "compression_state_dict.bin"
    state, settings = tiny_audiogen.language_model(), tiny_audiogen.LANGUAGE_MODEL_SETTINGS
    codec = _drop(tiny_audiogen.codec(), "decoder.model.0.conv.conv.bias")
    save = runtime.torch().save
    if (package := _packages(how)) is not None:
        tiny_audiogen.write_package(path, *package)
    elif "text encoder" in how:
        shutil.rmtree(source / "text_encoder")
        if how.startswith("other"):
            tiny_audiogen.make_text_encoder(source / "text_encoder", width=16)
    else:
        damage: dict[str, Callable[[], Any]] = {
            "truncated": lambda: path.write_bytes(path.read_bytes()[:-5000]),
            "no settings": lambda: save({"best_state": state}, path),
            "attack": lambda: path.write_bytes(pickle.dumps({"best_state": _Attack()}, protocol=2)),
            "packed attack": lambda: save({"best_state": _Attack(), "xp.cfg": settings}, path),
            "codec": lambda: tiny_audiogen.write_package(codec_path, codec, tiny_audiogen.CODEC_SETTINGS),
        }
        damage[how]()


@pytest.mark.parametrize(
    ("how", "told"),
    [
        ("missing", "layers.1.fc2.weight.* missing"),
        ("unexpected", "q_norm.weight.* not known"),
        ("unexpected layer", "layers.2.fc2.weight.* not known"),
        ("unknown", "emb2.weight.* not known"),
        ("shape", "layers.1.fc2.weight.* missing"),
        ("rope", "positional_embedding is 'rope'; only 'sin'"),
        ("delays", r"delayed by \[0, 0, 0, 0\]"),
        ("no number", "num_layers is 'two'"),
        ("circle", "refer to each other"),
        ("rate", "sample rate is 32000, but 16000"),
        ("no yaml", "no YAML"),
        ("no settings", "no settings"),
        ("truncated", "state_dict.bin"),
        ("attack", "state_dict.bin"),
        ("packed attack", "nothing else in it is run"),
        ("codec", "decoder.layers.0.conv.bias.* missing"),
        ("other text encoder", "text encoder's width is 24, but 16"),
        ("no text encoder", "t5-large is not here"),
    ],
)
def test_a_checkpoint_that_does_not_fit_is_refused_and_leaves_nothing(
    published: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str, told: str
) -> None:
    monkeypatch.chdir(tmp_path)
    source = shutil.copytree(published, tmp_path / "source")
    _spoil(source, how)
    with pytest.raises(MissingWeightsError, match=told) as refused:
        convert(source, tmp_path / "made" / "to")
    assert refused.value.hint
    assert not list(tmp_path.glob("made/**/*"))
    assert not (tmp_path / "run-by-a-pickle").exists()


def test_what_breaks_off_leaves_nothing_and_what_is_there_is_not_replaced(
    published: Path, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(OutputExistsError) as there_already:
        convert(published, folder)
    assert "--overwrite" not in there_already.value.hint, "the command has no such option"

    def interrupted(*args: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(convert_audiogen, "_write_settings", interrupted)
    with pytest.raises(KeyboardInterrupt):
        convert(published, tmp_path / "made" / "to")
    assert not list((tmp_path / "made").iterdir())


def test_settings_are_read_through_their_references() -> None:
    text = "a: {b: 2, c: '${a.b}', d: ['${e}', 3]}\ne: '${a.c}'\nf: ${a}"
    settings = audiocraft.settings_of({"xp.cfg": text}, model="m")
    assert settings.value("a.d") == [2, 3]
    assert settings.value("f.c") == 2
    assert settings.value("a.x.y") is None


@pytest.mark.parametrize("kind", ["mono", "stereo"])
def test_musicgen_sounds_as_transformers_makes_it_sound(music: Callable[[str], Path], kind: str) -> None:
    torch = runtime.torch()
    loaded = musicgen.load(music(kind), name="tiny", device="cpu")
    with torch.inference_mode():
        played = loaded.sound(loaded.codes([wish("rain")], 30, greedy=True)[0])
        tokens = loaded.tokenizer("rain", return_tensors="pt")
        expected = loaded.model.generate(**tokens, do_sample=False, guidance_scale=3.0, max_new_tokens=33)[0].numpy()
    assert played.shape == expected.shape == (1 + (kind == "stereo"), 30 * 640)
    assert np.abs(played - musicgen.turned_down(expected)).max() < ROUNDING


@pytest.mark.parametrize("kind", ["mono", "stereo", "melody"])
def test_musicgen_makes_music_where_it_is_named(music: Callable[[str], Path], kind: str) -> None:
    made = generator(music(kind), "musicgen")
    channels = 2 if kind == "stereo" else 1
    assert (made.capabilities.rate_hz, made.capabilities.channels) == (32_000, channels)
    assert made.suits(replace(RAIN, generator="musicgen"))
    assert not made.suits(RAIN)
    first, second = made.generate([request("rain", 0.7), request("rain", 0.5, seed=8)])
    (again,) = made.generate([request("rain", 0.5, seed=8)])
    assert first.samples.shape == (channels, to_samples(0.7, 32_000))
    assert np.array_equal(second.samples, again.samples)
    assert not np.array_equal(first.samples[:, : second.length], second.samples)


def test_a_generator_says_what_is_lacking(published: Path, tmp_path: Path) -> None:
    assert generator(published).missing() == ()
    assert "models get audiogen-medium" in plugins.build("generator", "audiogen").missing()[0]
    bare = shutil.copytree(published, tmp_path / "bare", ignore=shutil.ignore_patterns("text_encoder"))
    assert generator(bare).missing() == ("foley models get google-t5/t5-large",)
    assert generator(bare).identity() != generator(published).identity()


@pytest.mark.parametrize("name", ["audiogen", "musicgen"])
def test_a_folder_of_another_sort_of_model_is_refused_before_anything_is_loaded(name: str, tmp_path: Path) -> None:
    (tmp_path / "another").mkdir()
    (tmp_path / "another" / "config.json").write_text(json.dumps({"model_type": "clap"}))
    (tmp_path / "another" / "model.safetensors").write_bytes(b"0")
    (lacking,) = generator(tmp_path / "another", name).missing()
    assert f"{tmp_path / 'another'} holds another model; expected: the config.json of a musicgen" in lacking
    assert f"foley models get {name}-medium" in lacking


def test_weights_that_are_no_numbers_are_refused_as_codes_would_be_written_all_the_same(
    folder: Path, tmp_path: Path
) -> None:
    from safetensors.torch import load_file, save_file

    damaged = shutil.copytree(folder, tmp_path / "damaged")
    (file,) = damaged.glob("*.safetensors")
    state = load_file(file)
    key = "decoder.model.decoder.layer_norm.weight"
    state[key][0] = float("nan")
    save_file(state, file, {"format": "pt"})
    with pytest.raises(MissingWeightsError, match=rf"damaged: {key} holds what is no number"):
        musicgen.load(damaged, name="tiny", device="cpu")


def test_a_device_that_is_not_there_is_told_before_anything_is_made(
    published: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runtime.torch().cuda, "is_available", lambda: False)
    wanted = plugins.build("generator", "audiogen", GeneratorSettings(model=str(published), device="cuda"))
    assert "no cuda device" in wanted.missing()[0]


def test_what_is_here_is_expected_to_take_what_its_files_take(published: Path, folder: Path) -> None:
    def megabytes(place: Path) -> float:
        return sum(path.stat().st_size for path in place.rglob("*") if path.suffix in (".bin", ".safetensors")) / 2**20

    for place in (published, folder):
        on_gpu, on_cpu = (generator(place).size_mb(device) for device in ("cuda", "cpu"))
        assert on_gpu == pytest.approx(megabytes(place), abs=2.0)
        assert on_cpu > on_gpu


def test_a_film_is_scored_with_audiogen_alone(published: Path, tmp_path: Path) -> None:
    video = moving(tmp_path / "clip.mp4")
    options = {"takes": {"generator": "audiogen", "models": (f"audiogen={published}",), "device": "cpu"}}
    settings = Settings(workdir=tmp_path / "work", options=options)
    result = foley.run(video, prompt="rain", output=tmp_path / "out", settings=settings)
    report = json.loads((result.folder / "report.json").read_text())
    assert {event["generator"] for event in report["events"]} == {"audiogen"}
    for event in result.plan.events:
        take, rate_hz = soundfile.read(result.folder / "takes" / f"{event.id}.wav")
        assert rate_hz == RATE_HZ
        assert len(take) >= to_samples(event.duration_s, RATE_HZ)
        assert np.abs(take).max() > 0.1
    (rain,) = [entry for entry in _manifest(result)["takes"] if entry["event"].endswith("rain")]
    assert rain["weights_licence"] == "CC-BY-NC-4.0"
    hashes = _manifest(result)["weights_sha256"][rain["made_by"]]
    assert hashes["state_dict.bin"] == hashlib.sha256((published / "state_dict.bin").read_bytes()).hexdigest()


def _manifest(result: foley.Result) -> dict[str, Any]:
    manifest: dict[str, Any] = json.loads((result.folder / "manifest.json").read_text())
    return manifest
