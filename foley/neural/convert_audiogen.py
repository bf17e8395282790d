"""Turn a checkpoint of audiocraft (AudioGen, and MusicGen for mono and text) into a folder that transformers loads.

Nothing is held in memory as a whole: the tensors of the source are mapped, renamed, and written in parts of a quarter
of a gigabyte. The language model is written as float16, as it is published; text encoder and codec as they are.
"""

from __future__ import annotations

import errno
import hashlib
import itertools
import json
import os
import secrets
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from foley.errors import CannotWriteError, DiskFullError, MissingWeightsError, OutputExistsError
from foley.neural import audiocraft, checkpoints, layouts, runtime, weights
from foley.neural.audiocraft import CODEC, LANGUAGE_MODEL, Settings

CONVERTER = "audiogen/1"
"""Raised when the same checkpoint gives another folder."""

RECORD_NAME = "foley.json"
"""Beside the converted weights: what they were made of."""

LICENCE = "CC-BY-NC-4.0"
"""Of facebook/audiogen-medium and all MusicGen weights, by their model cards; a finetune is at most as free."""

TOP_K = 250
"""Of sampling: audiocraft's own choice for AudioGen and MusicGen."""

TEXT_ENCODER_FOLDER, CODEC_FOLDER = "text_encoder", "codec"
"""Inside the checkpoint's folder, what it refers to is looked for first."""

PART_BYTES = 256 << 20
"""Of a file of weights: what is in memory at once."""

_TOKENIZER_FILES = ("spiece.model", "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json")

_TEXT_ENCODER_ELSEWHERE = ("decoder.", "lm_head.", "encoder.embed_tokens.")
"""Parts of a whole T5 that text encoding does not use, and the second name of its embedding."""

Tensors = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class _Source:
    """All that a converted model is made of."""

    name: str
    folder: Path
    settings: Settings
    language_model: Tensors
    text_encoder: Path
    codec_config: Any
    codec: Tensors
    codec_files: tuple[Path, ...]


def convert(source: Path, to: Path, *, text_encoder: str = "", codec: str = "") -> Path:
    """Write the checkpoint in `source` as a folder for transformers' Musicgen, whole or not at all, and return it.

    Args:
        source: A folder with state_dict.bin and compression_state_dict.bin.
        to: The folder to make.
        text_encoder: Name or folder of the T5 that its settings name; "" to look for it.
        codec: Name or folder of an EnCodec for transformers, for finetunes that only refer to one; "" to look for it.

    Raises:
        OutputExistsError: where `to` is there already.
        MissingWeightsError: where the checkpoint is not one of these, or something that it refers to is not here.
        DiskFullError: where there is no room for it.
    """
    if to.exists():
        raise OutputExistsError(to, hint="name another folder with -o, or remove it")
    read = _read(source, text_encoder=text_encoder, codec=codec)
    config = _config(read)
    tensors = _renamed(read)
    _hold_against(config, tensors, read)
    with _made_whole(to, needed_bytes=sum(map(_written_bytes, tensors.items()))) as folder:
        _write_tensors(tensors, folder)
        _write_settings(config, read, folder)
    return to


def converted(source: Path, *, text_encoder: str = "", codec: str = "") -> Path:
    """Return the converted checkpoint from the user's cache; made the first time.

    Raises:
        MissingWeightsError: where it cannot be converted.
    """
    base = os.environ.get("FOLEY_CACHE")
    if base is None:
        from platformdirs import user_cache_path

        base = str(user_cache_path("foley"))
    place = Path(base) / "models" / content_key(source, text_encoder=text_encoder, codec=codec)
    if layouts.is_whole(place):
        return place
    place.parent.mkdir(parents=True, exist_ok=True)
    try:
        return convert(source, place, text_encoder=text_encoder, codec=codec)
    except OutputExistsError:  # another process was as quick
        return place


def content_key(source: Path, *, text_encoder: str = "", codec: str = "") -> str:
    """Return what tells a converted checkpoint from others, without loading anything heavy."""
    used = [weights.revision(source), CONVERTER]
    for name, beside in ((text_encoder, TEXT_ENCODER_FOLDER), (codec, CODEC_FOLDER)):
        found = weights.find(name or str((source / beside).absolute()))
        used.append(weights.revision(found) if found else name)
    return f"audiogen-{hashlib.blake2b(' '.join(used).encode(), digest_size=8).hexdigest()}"


def _read(source: Path, *, text_encoder: str, codec: str) -> _Source:
    """Return the parts of a checkpoint, mapped."""
    name = str(source)
    if layouts.layout_of(source) != "audiocraft":
        raise MissingWeightsError(name, f"{source} does not hold {LANGUAGE_MODEL} and {CODEC}", audiocraft.MEND)
    package = checkpoints.read_pickled(source / LANGUAGE_MODEL, name=name)
    settings = audiocraft.settings_of(package, model=name)
    codec_config, codec_tensors, codec_files = _read_codec(source, codec)
    return _Source(
        name=name,
        folder=source,
        settings=settings,
        language_model=audiocraft.tensors_of(package, model=name),
        text_encoder=_text_encoder(source, settings, text_encoder),
        codec_config=codec_config,
        codec=codec_tensors,
        codec_files=codec_files,
    )


def _read_codec(source: Path, codec: str) -> tuple[Any, Tensors, tuple[Path, ...]]:
    """Return the codec's configuration, its tensors by transformers' names, and the files that they are from."""
    from transformers import EncodecConfig

    package = checkpoints.read_pickled(source / CODEC, name=str(source))
    reference = package.get("pretrained")
    if reference is None:
        settings = audiocraft.settings_of(package, model=str(source))
        config = EncodecConfig(**audiocraft.codec_fields(settings))
        state = audiocraft.tensors_of(package, model=str(source))
        return config, {audiocraft.codec_name(key): value for key, value in state.items()}, (source / CODEC,)
    names = (codec,) if codec else (str((source / CODEC_FOLDER).absolute()), str(reference))
    folder = _found(names, what=f"the codec {reference}", option="--codec")
    config = checkpoints.opened(EncodecConfig, folder, name=codec or str(reference))
    files = tuple(_weights_files(folder))
    return config, {_published_codec_name(key): value for key, value in _tensors(files, folder)}, files


def _text_encoder(source: Path, settings: Settings, given: str) -> Path:
    """Return the folder of the T5 that the checkpoint was trained with."""
    named = settings.value("conditioners.description.t5.name")
    if not isinstance(named, str):
        raise settings.refused("its settings name no text encoder")
    names = (given,) if given else (str((source / TEXT_ENCODER_FOLDER).absolute()), named, f"google-t5/{named}")
    return _found(names, what=f"the text encoder {named}", option="--text-encoder")


def _found(names: Sequence[str], *, what: str, option: str) -> Path:
    """Return the folder that one of some names has here."""
    for name in names:
        found = weights.find(name)
        if found is not None and found.is_dir():
            return found
    hint = f"foley models get {names[-1]}; or name its folder with {option}"
    raise MissingWeightsError(names[0], f"{what} is not here", hint)


def _config(read: _Source) -> Any:
    """Return the whole model's configuration, its parts held against each other."""
    from transformers import AutoConfig, MusicgenConfig, MusicgenDecoderConfig

    fields = audiocraft.decoder_fields(read.settings)
    codec, settings = read.codec_config, read.settings
    text = checkpoints.opened(AutoConfig, read.text_encoder, name=str(read.text_encoder))
    pairs = (
        ("sample rate", settings.whole("sample_rate"), codec.sampling_rate),
        ("size of a codebook", fields["vocab_size"], codec.codebook_size),
        ("number of codebooks", fields["num_codebooks"], codec.num_quantizers),
        ("text encoder's width", _text_width(read), getattr(text, "d_model", None)),
    )
    for what, wanted, given in pairs:
        if wanted != given:
            raise settings.refused(f"its {what} is {wanted}, but {given} in what belongs to it")
    with checkpoints.quiet("transformers"):  # it remarks that the code for "nothing yet" is none of the codes
        decoder = MusicgenDecoderConfig(**fields)
        return MusicgenConfig(text_encoder=text, audio_encoder=codec, decoder=decoder)


def _text_width(read: _Source) -> int | None:
    projection = read.language_model.get("condition_provider.conditioners.description.output_proj.weight")
    return None if projection is None else int(projection.shape[1])


def _renamed(read: _Source) -> dict[str, Any]:
    """Return all tensors by transformers' names, still mapped."""
    files = _weights_files(read.text_encoder)
    used = {
        f"text_encoder.{key}": value
        for key, value in _tensors(files, read.text_encoder)
        if not key.startswith(_TEXT_ENCODER_ELSEWHERE)
    }
    used |= read.codec
    unknown = [key for key in read.language_model if audiocraft.language_model_name(key) is None]
    checkpoints.refuse_unlike(read.name, read.folder, missing=(), unexpected=unknown)
    for key, value in read.language_model.items():
        used |= _language_model_tensors(str(audiocraft.language_model_name(key)), value)
    return used


def _language_model_tensors(name: str, value: Any) -> dict[str, Any]:
    """Return what a tensor is in transformers: itself, or query, key and value."""
    if not name.endswith(audiocraft.JOINED):
        return {name: value}
    stem = name.removesuffix(audiocraft.JOINED)
    return {f"{stem}.{part}_proj.weight": rows for part, rows in zip("qkv", value.chunk(3, 0), strict=True)}


def _hold_against(config: Any, tensors: Tensors, read: _Source) -> None:
    """Refuse tensors that are not exactly those of the model, by name and shape."""
    from transformers import MusicgenForConditionalGeneration

    with runtime.torch().device("meta"):  # shapes alone: nothing is allocated
        model = MusicgenForConditionalGeneration(config)
    due = {key: tuple(value.shape) for key, value in model.state_dict().items()}
    for second_name in model.all_tied_weights_keys:
        due.pop(second_name, None)
    missing = [key for key, shape in due.items() if key not in tensors or tuple(tensors[key].shape) != shape]
    unexpected = [key for key in tensors if key not in due]
    checkpoints.refuse_unlike(read.name, read.folder, missing=missing, unexpected=unexpected)


def _write_tensors(tensors: Tensors, folder: Path) -> None:
    """Write the tensors in parts, each in memory alone, with the index that transformers reads."""
    from safetensors.torch import save_file

    parts = list(_parts(tensors))
    index: dict[str, str] = {}
    for number, names in enumerate(parts, start=1):
        file = f"model-{number:05d}-of-{len(parts):05d}.safetensors"
        save_file({name: _as_written(name, tensors[name]) for name in names}, folder / file, {"format": "pt"})
        index |= dict.fromkeys(names, file)
    total = sum(map(_written_bytes, tensors.items()))
    _write_json(folder / "model.safetensors.index.json", {"metadata": {"total_size": total}, "weight_map": index})


def _parts(tensors: Tensors) -> Iterator[list[str]]:
    """Yield names of tensors that together make up one file."""
    totals = itertools.accumulate(map(_written_bytes, tensors.items()))
    numbered = ((total // PART_BYTES, name) for total, name in zip(totals, tensors, strict=True))
    for _, group in itertools.groupby(numbered, key=lambda one: one[0]):
        yield [name for _, name in group]


def _as_written(name: str, value: Any) -> Any:
    """Return a tensor as it is written: of the language model in half precision."""
    halved = not name.startswith(("text_encoder.", "audio_encoder.")) and value.is_floating_point()
    return (value.to(runtime.torch().float16) if halved else value).contiguous()


def _written_bytes(item: tuple[str, Any]) -> int:
    name, value = item
    own = name.startswith(("text_encoder.", "audio_encoder."))
    return int(value.numel()) * (int(value.element_size()) if own else 2)


def _write_settings(config: Any, read: _Source, folder: Path) -> None:
    """Write all that is not tensors: configurations, the tokenizer, and the record of what it was made of."""
    from transformers import EncodecFeatureExtractor, GenerationConfig

    settings, card = read.settings, config.decoder.vocab_size
    frames = int(settings.number("dataset.segment_duration") * config.audio_encoder.frame_rate)
    config.architectures = ["MusicgenForConditionalGeneration"]
    config.save_pretrained(folder)
    generation: Any = GenerationConfig  # its constructor has no annotations
    generation(
        bos_token_id=card,
        pad_token_id=card,
        decoder_start_token_id=card,
        do_sample=True,
        top_k=TOP_K,
        guidance_scale=settings.number("classifier_free_guidance.inference_coef"),
        # the start, and as many steps as the last codebook lags behind the first
        max_length=frames + config.decoder.num_codebooks,
    ).save_pretrained(folder)
    EncodecFeatureExtractor(
        feature_size=1, sampling_rate=config.audio_encoder.sampling_rate, padding_side="left"
    ).save_pretrained(folder)
    for name in _TOKENIZER_FILES:
        if (read.text_encoder / name).is_file():
            shutil.copyfile(read.text_encoder / name, folder / name)
    files = [read.folder / LANGUAGE_MODEL, *read.codec_files, *_weights_files(read.text_encoder)]
    record = {
        "converter": CONVERTER,
        "licence": LICENCE,
        "segment_s": settings.number("dataset.segment_duration"),
        "text_encoder": settings.value("conditioners.description.t5.name"),
        "sha256": {f"{path.parent.name}/{path.name}": checkpoints.sha256(path) for path in files},
    }
    _write_json(folder / RECORD_NAME, record)


def _weights_files(folder: Path) -> list[Path]:
    """Return the files of a transformers folder's weights: one format, all parts of it."""
    there = [path.name for path in folder.iterdir() if path.is_file()]
    wanted = layouts.wanted_files(there, "transformers")
    return [folder / name for name in sorted(wanted) if Path(name).suffix in layouts.WEIGHTS_SUFFIXES]


def _tensors(files: Sequence[Path], folder: Path) -> Iterator[tuple[str, Any]]:
    """Yield the tensors of files, mapped."""
    from safetensors import SafetensorError, safe_open

    for path in files:
        if path.suffix != ".safetensors":
            yield from checkpoints.read_pickled(path, name=str(folder)).items()
            continue
        try:
            with safe_open(path, framework="pt") as file:
                for key in file.keys():  # noqa: SIM118  # it is no dictionary
                    yield key, file.get_tensor(key)
        except SafetensorError as cause:
            raise MissingWeightsError(str(folder), f"{path}: {cause}", "copy or fetch its files again") from cause


def _published_codec_name(key: str) -> str:
    """Return the name inside the whole model of a tensor of transformers' EnCodec, old names and new."""
    new = key.replace(".weight_g", ".parametrizations.weight.original0")
    return f"audio_encoder.{new.replace('.weight_v', '.parametrizations.weight.original1')}"


@contextmanager
def _made_whole(to: Path, *, needed_bytes: int) -> Iterator[Path]:
    """Give a folder to write to beside `to`; it becomes `to` when the block ends well and is gone when it does not."""
    from safetensors import SafetensorError

    unfinished = to.with_name(f".{to.name}.{secrets.token_hex(4)}.part")
    needed_mb = needed_bytes / (1 << 20)
    try:
        to.parent.mkdir(parents=True, exist_ok=True)
        if shutil.disk_usage(to.parent).free < needed_bytes:
            raise DiskFullError(to, needed_mb)
        unfinished.mkdir()
        yield unfinished
        if to.exists():
            raise OutputExistsError(to, hint="name another folder with -o, or remove it")
        unfinished.rename(to)
    except (OSError, SafetensorError) as cause:
        if isinstance(cause, OSError) and cause.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise CannotWriteError(to, (cause.strerror or str(cause)).lower()) from cause
        raise DiskFullError(to, needed_mb) from cause
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def _write_json(path: Path, content: Mapping[str, Any]) -> None:
    path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
