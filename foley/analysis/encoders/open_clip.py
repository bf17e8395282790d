"""The encoder of CLIP's many children: any model that open_clip can load, from what is on this machine.

A model is named in one of these ways; "" is the default, a small one whose weights may be used for anything:

- a name of `foley models list`, or of a folder under FOLEY_MODELS;
- `ARCHITECTURE/TAG`, as open_clip lists its pretrained models: `ViT-B-16/laion2b_s34b_b88k`;
- `hf-hub:ORGANISATION/NAME` or `ORGANISATION/NAME`, where it has been fetched before;
- `local-dir:FOLDER` or a folder, with open_clip_config.json and the weights;
- `ARCHITECTURE:FILE`, a checkpoint of a named architecture.

Nothing here touches the network, and weights that are not there are never replaced by random ones.
"""

from __future__ import annotations

import importlib.metadata
import io
import math
import pickle
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from foley.contracts import Encoder
from foley.errors import FoleyError, MissingProgramError, MissingWeightsError, OptionError
from foley.neural import runtime, weights

DEFAULT = "open_clip"
"""Its name in the catalogue: ViT-B-32 trained on LAION-2B, MIT."""

PACKAGES = ("torchvision", "open_clip")

BATCH = 32
"""Pictures or texts at a time: a batch of the largest models fits into 8 GB, and more is not faster on any device."""

Embeddings = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Source:
    """What open_clip is asked for."""

    place: Path
    """A folder that describes itself, or a file of weights."""
    architecture: str = ""
    """For a file alone: what it holds the weights of."""
    preparation: dict[str, Any] = field(default_factory=dict)
    """For a file alone: how pictures were prepared in training, where that is known."""


class OpenClip:
    """Puts pictures and texts into the space of a CLIP model."""

    def __init__(self) -> None:
        self._model: Any = None
        self._prepare_picture: Any = None
        self._tokenize: Any = None
        self._device: runtime.Device = "cpu"

    def identity(self, model: str = "") -> str:
        """Return package, model and the revision of its weights.

        Raises:
            MissingProgramError: where a package is not installed.
            MissingWeightsError: where the weights are not here.
        """
        _need_packages()
        source = find_source(model)
        version = importlib.metadata.version("open_clip_torch")
        return f"open_clip {version} {model or DEFAULT} {source.architecture} {weights.revision(source.place)}"

    def missing(self, model: str = "") -> tuple[str, ...]:
        """Return what must be installed or fetched."""
        if needed := runtime.missing(*PACKAGES):
            return needed
        try:
            find_source(model)
        except FoleyError as error:
            return (error.hint or error.message,)
        return ()

    def prepare(self, model: str = "", device: str = "auto") -> None:
        """Load the model.

        Raises:
            MissingProgramError: where a package is not installed.
            MissingWeightsError: where the weights are not here, or do not fit.
        """
        _need_packages()
        torch = runtime.torch()
        self._device = runtime.device(device)
        precision = "bf16" if runtime.dtype(self._device) == torch.bfloat16 else "fp32"
        self._model, self._prepare_picture, self._tokenize = _load(
            model or DEFAULT, find_source(model), device=self._device, precision=precision
        )

    def pictures(self, jpegs: Sequence[bytes]) -> Embeddings:
        """Return embeddings of length 1, shape (pictures, n)."""
        from PIL import Image

        torch = runtime.torch()
        made: list[Embeddings] = []
        for batch in _batches(jpegs):
            ready = [self._prepare_picture(Image.open(io.BytesIO(jpeg)).convert("RGB")) for jpeg in batch]
            with torch.inference_mode():
                stacked = torch.stack(ready).to(self._device, runtime.dtype(self._device))
                made.append(_of_length_one(self._model.encode_image(stacked)))
        return _joined(made)

    def texts(self, texts: Sequence[str]) -> Embeddings:
        """Return embeddings of length 1, shape (texts, n)."""
        torch = runtime.torch()
        made: list[Embeddings] = []
        for batch in _batches(texts):
            with torch.inference_mode():
                made.append(_of_length_one(self._model.encode_text(self._tokenize(list(batch)).to(self._device))))
        return _joined(made)

    @property
    def scale(self) -> float:
        """What similarities were multiplied with in training."""
        return math.exp(float(self._model.logit_scale.detach()))


def build() -> Encoder:
    """Return the encoder."""
    return OpenClip()


def _need_packages() -> None:
    if needed := runtime.missing(*PACKAGES):
        raise MissingProgramError("open_clip", needed[0])


def find_source(model: str) -> Source:
    """Return what open_clip is to load for a model's name, from what is here.

    Raises:
        MissingWeightsError: where it is not here.
        OptionError: where no model of open_clip can be meant.
    """
    name = model or DEFAULT
    architecture, colon, file = name.partition(":")
    if colon and architecture not in ("local-dir", "hf-hub"):
        path = Path(file).expanduser()
        if not path.is_file():
            raise MissingWeightsError(name, f"{path} is no file", "write it as ARCHITECTURE:FILE")
        return Source(path, architecture)
    if (found := weights.find(name)) is None and (tagged := _pretrained(name)) is not None:
        return _tagged_source(name, tagged)
    if found is None:
        _refuse_unknown(name)
    place = found or weights.need(name)
    if place.is_file():
        raise MissingWeightsError(name, "a file does not say what it holds", "write it as ARCHITECTURE:FILE")
    if not (place / "open_clip_config.json").is_file():
        raise MissingWeightsError(
            name, f"{place} has no open_clip_config.json", "name a model of open_clip, or use ARCHITECTURE:FILE"
        )
    return Source(place)


def _refuse_unknown(name: str) -> None:
    """Refuse a name that means nothing to open_clip, and one that names no weights of an architecture it knows.

    Raises:
        OptionError: so it is.
    """
    if name in weights.catalogue() or name.startswith(("local-dir:", "hf-hub:")) or runtime.missing(*PACKAGES):
        return
    runtime.torch()
    import open_clip

    architecture, slash, tag = name.partition("/")
    if architecture in open_clip.list_models():
        tags = [tag for tag in open_clip.list_pretrained_tags_by_model(architecture) if _is_on_hub(architecture, tag)]
        said = f"{architecture} has no weights called {tag!r}" if slash else f"{name} names no weights"
        names = ", ".join(f"{architecture}/{tag}" for tag in tags)
        raise OptionError(said, hint=f"there are: {names}" if names else f"name a checkpoint: {architecture}:FILE")
    if not slash:
        raise OptionError(
            f"no model of open_clip is called {name!r}",
            hint=f"there is {DEFAULT}; or give ARCHITECTURE/TAG as ViT-B-16/laion2b_s34b_b88k, an id of the hub as"
            " ORGANISATION/NAME, local-dir:FOLDER or ARCHITECTURE:FILE",
        )


def _is_on_hub(architecture: str, tag: str) -> bool:
    known = _pretrained(f"{architecture}/{tag}")
    return bool(known and known.get("hf_hub"))


def _pretrained(name: str) -> dict[str, Any] | None:
    """Return what open_clip knows of ARCHITECTURE/TAG; None where it does not know it."""
    architecture, slash, tag = name.partition("/")
    if not slash or runtime.missing(*PACKAGES):
        return None
    runtime.torch()
    from open_clip import get_pretrained_cfg

    return get_pretrained_cfg(architecture, tag) or None


def _tagged_source(name: str, tagged: dict[str, Any]) -> Source:
    """Return where the weights of one of open_clip's own pretrained models are in the hub's cache."""
    hub, _, file = tagged.get("hf_hub", "").rpartition("/")
    if not hub:
        raise MissingWeightsError(
            name, "they are not on the hub", f"fetch {tagged.get('url', 'them')} and write it as ARCHITECTURE:FILE"
        )
    folder = weights.need(hub)
    if (folder / "open_clip_config.json").is_file():
        return Source(folder)
    files = [path for path in (folder / (file or "open_clip_model.safetensors"),) if path.is_file()]
    if not files:
        raise MissingWeightsError(name, f"{folder} holds no weights for open_clip", weights.mend(hub))
    known = {
        "image_mean": "mean",
        "image_std": "std",
        "image_interpolation": "interpolation",
        "image_resize_mode": "resize_mode",
    }
    preparation = {option: tagged[key] for option, key in known.items() if tagged.get(key)}
    return Source(files[0], name.partition("/")[0], {**preparation, "force_quick_gelu": bool(tagged.get("quick_gelu"))})


def _load(name: str, source: Source, *, device: str, precision: str) -> tuple[Any, Any, Any]:
    """Return model, preparation of pictures, and tokenizer."""
    import open_clip
    from safetensors import SafetensorError

    asked = source.architecture or f"local-dir:{source.place}"
    pretrained = str(source.place) if source.architecture else None
    try:
        with weights.offline():
            model, _, prepare_picture = open_clip.create_model_and_transforms(
                asked,
                pretrained=pretrained,
                precision=precision,
                device=device,
                require_pretrained=True,
                **source.preparation,
            )
            tokenize = open_clip.get_tokenizer(asked)
    except (RuntimeError, ValueError, OSError, KeyError, TypeError, SafetensorError, pickle.UnpicklingError) as cause:
        reason = (str(cause).splitlines() or [type(cause).__name__])[0]
        raise MissingWeightsError(name, reason, "check the model's files, or fetch them again") from cause
    return model.eval(), prepare_picture, tokenize


def _batches(items: Sequence[Any]) -> Iterator[Sequence[Any]]:
    for start in range(0, len(items), BATCH):
        yield items[start : start + BATCH]


def _of_length_one(features: Any) -> Embeddings:
    """Return rows of length 1: after rounding to half precision they no longer are, so it is done in single."""
    rows: Embeddings = features.float().cpu().numpy()
    lengths = np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)
    unit: Embeddings = (rows / lengths).astype(np.float32)
    return unit


def _joined(parts: Sequence[Embeddings]) -> Embeddings:
    return np.concatenate(parts) if parts else np.zeros((0, 0), np.float32)
