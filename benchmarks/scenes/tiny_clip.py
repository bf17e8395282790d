"""Train a tiny CLIP on painted scenes, on one core in minutes, and write it as open_clip models are published."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from benchmarks.scenes.appearance import TRAINED
from benchmarks.scenes.canvas import Pixels
from benchmarks.scenes.scene import SUBJECTS, abstract, empty, picture
from foley.neural import runtime

ARCHITECTURE: Mapping[str, Any] = {
    "embed_dim": 64,
    # one block a stage: of 14 classes held out, this names 97 % where a transformer of the same cost names 80 %
    "vision_cfg": {"image_size": 64, "layers": [1, 1, 1, 1], "width": 16},
    # the tokenizer of the package has 49,408 words: so narrow, their table stays at 6 MB
    "text_cfg": {"context_length": 32, "vocab_size": 49_408, "width": 32, "heads": 2, "layers": 2},
}
PREPARATION = {"mean": [0.5, 0.5, 0.5], "std": [0.25, 0.25, 0.25]}

NOTHING = ""
"""Stands for the class of pictures that show nothing that sounds."""

NOTHING_CAPTIONS = (
    "nothing",
    "an empty room",
    "an empty background",
    "a plain wall",
    "a view of a landscape",
    "the sky",
    "a drawing",
    "an abstract pattern",
    "coloured shapes",
    "a blurred picture with nothing to recognise",
)
"""Of empty backdrops and abstract pictures."""

TEMPLATES = ("{}", "a photo of {}", "a picture of {}", "a video of {}", "a scene with {}", "a still from a film, {}")

FIRST_SCALE = 20.0
"""What likenesses are multiplied with at first; learned on. Published models end at 100, after far more steps."""

JPEG_QUALITY = 80
"""As foley keeps its key frames."""


MOST_MOVED_PX = 6
"""Of 64: what is lost at one edge and comes back at the other stays thin."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """How long and how fast to learn."""

    pictures: int = 240
    """Of each class."""
    steps: int = 500
    each: int = 4
    """Pictures of each class in a batch."""
    distractors: int = 64
    """Texts in a batch that no picture belongs to."""
    rate: float = 2e-3
    warm_up: int = 40
    """Steps until the rate is reached."""
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Training:
    """What came of it."""

    folder: Path
    paint_s: float
    """Of the processor, as is the next: whatever else the machine does."""
    train_s: float
    loss: float
    """Mean of the last tenth of the steps."""
    parameters: int


def train(folder: Path, schedule: Schedule, *, sights: Mapping[str, Sequence[str]], others: Sequence[str]) -> Training:
    """Train a tiny CLIP and write it to a folder, for `local-dir:FOLDER`. The same on every run of one machine.

    Args:
        folder: Where it is written.
        schedule: How long.
        sights: The classes to learn, of `SUBJECTS`, and how they are described besides the painters' own captions.
        others: Descriptions of what is never painted: it learns that none of its pictures shows them.
    """
    torch = runtime.torch()
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with torch.random.fork_rng(devices=[]):
            torch.random.manual_seed(schedule.seed)
            return _trained(folder, schedule, sights=sights, others=others)
    finally:
        torch.set_num_threads(threads)


def _trained(
    folder: Path, schedule: Schedule, *, sights: Mapping[str, Sequence[str]], others: Sequence[str]
) -> Training:
    torch = runtime.torch()
    import open_clip

    started_s = time.process_time()
    model = open_clip.CLIP(**ARCHITECTURE, init_logit_scale=np.log(FIRST_SCALE))
    model.visual.to(memory_format=torch.channels_last)  # a fifth less time on a CPU
    size_px = ARCHITECTURE["vision_cfg"]["image_size"]
    prepare = open_clip.image_transform(size_px, is_train=False, **PREPARATION)
    pictures = {sound: _prepared(paintings(sound, schedule.pictures), prepare) for sound in (*sights, NOTHING)}
    words = {sound: captions(sound, sights.get(sound, ())) for sound in pictures}
    painted_s = time.process_time()
    losses = list(_steps(model, pictures, words, schedule=schedule, others=others))
    _write(model, folder)
    return Training(
        folder,
        paint_s=painted_s - started_s,
        train_s=time.process_time() - painted_s,
        loss=float(np.mean(losses[-max(1, len(losses) // 10) :])),
        parameters=sum(weight.numel() for weight in model.parameters()),
    )


def paintings(sound: str, count: int) -> Iterator[Pixels]:
    """Yield pictures to learn a class from; of NOTHING, empty backdrops and abstract pictures in turn."""
    for seed in range(count):
        if sound == NOTHING:
            yield (empty, abstract)[seed % 2](TRAINED, seed=seed)
        else:
            yield picture(sound, TRAINED, seed=seed)


def captions(sound: str, more: Sequence[str] = ()) -> tuple[str, ...]:
    """Return what is written under the pictures of a class, in all wordings."""
    plain = NOTHING_CAPTIONS if sound == NOTHING else SUBJECTS[sound].captions
    return tuple(template.format(text) for template in TEMPLATES for text in (*plain, *more))


def jpeg(pixels: Pixels) -> bytes:
    """Return a picture as foley keeps key frames."""
    _, coded = cv2.imencode(".jpg", cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    return coded.tobytes()


def _prepared(pictures: Iterator[Pixels], prepare: Any) -> Any:
    """Return pictures as the model takes them, shape (pictures, 3, size, size)."""
    from PIL import Image

    return runtime.torch().stack([prepare(Image.fromarray(pixels)) for pixels in pictures])


def _steps(
    model: Any,
    pictures: Mapping[str, Any],
    words: Mapping[str, Sequence[str]],
    *,
    schedule: Schedule,
    others: Sequence[str],
) -> Iterator[float]:
    """Learn step by step from the pictures and the words of each class; yield each step's loss."""
    torch = runtime.torch()
    import open_clip

    rng = np.random.default_rng(schedule.seed)
    codes = {
        text: open_clip.tokenize([text], model.context_length)[0]
        for texts in (*words.values(), others)
        for text in texts
    }
    kinds = torch.arange(len(pictures)).repeat_interleave(schedule.each)
    optimiser = torch.optim.AdamW(model.parameters(), lr=schedule.rate, betas=(0.9, 0.98), weight_decay=0.05)
    model.train()
    for step in range(schedule.steps):
        for group in optimiser.param_groups:
            group["lr"] = schedule.rate * _pace(step, schedule)
        shown = [batch[torch.from_numpy(rng.choice(len(batch), schedule.each))] for batch in pictures.values()]
        said = [str(text) for sound in pictures for text in rng.choice(words[sound], schedule.each)]
        said += [str(text) for text in rng.choice(others, min(schedule.distractors, len(others)))] if others else []
        images = model.encode_image(_moved(torch.cat(shown), rng), normalize=True)
        texts = model.encode_text(torch.stack([codes[text] for text in said]), normalize=True)
        loss = contrast(model.logit_scale.exp() * images @ texts.T, kinds)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        with torch.no_grad():
            model.logit_scale.clamp_(0.0, np.log(100.0))  # as CLIP was trained
        yield float(loss.detach())


def _moved(pictures: Any, rng: np.random.Generator) -> Any:
    """Return pictures moved by some pixels, half of them mirrored: other pictures of the same things."""
    torch = runtime.torch()
    made = []
    for one in pictures:
        down, right = (int(step) for step in rng.integers(-MOST_MOVED_PX, MOST_MOVED_PX + 1, 2))
        moved = torch.roll(one, (down, right), (1, 2))
        made.append(moved.flip(2) if rng.random() < 0.5 else moved)
    return torch.stack(made).contiguous(memory_format=torch.channels_last)


def contrast(likeness: Any, kinds: Any) -> Any:
    """Return the loss of a batch: each picture is to find the texts of its kind, and each text its pictures.

    Several pictures of a batch show the same kind, so several texts are right for each.
    Source: J. Yang et al., "Unified contrastive learning in image-text-label space", CVPR 2022.

    Args:
        likeness: Scaled cosines, shape (pictures, texts); texts past the pictures belong to none.
        kinds: Kind of each picture and of the text at the same place, shape (pictures,).
    """
    torch = runtime.torch()
    count = len(kinds)
    right = (kinds[:, None] == kinds[None]).float()
    right = right / right.sum(1, keepdim=True)
    to_texts = torch.log_softmax(likeness, 1)[:, :count]
    to_pictures = torch.log_softmax(likeness[:, :count], 0)
    return -0.5 * ((right * to_texts).sum(1).mean() + (right * to_pictures).sum(0).mean())


def _pace(step: int, schedule: Schedule) -> float:
    """Return the share of the rate at a step: it rises in a line, then falls as half a cosine."""
    if step < schedule.warm_up:
        return (step + 1) / schedule.warm_up
    done = (step - schedule.warm_up) / max(1, schedule.steps - schedule.warm_up)
    return float(0.5 * (1 + np.cos(np.pi * done)))


def _write(model: Any, folder: Path) -> None:
    """Write a model as `local-dir:` ones are laid out."""
    from safetensors.torch import save_file

    folder.mkdir(parents=True, exist_ok=True)
    config = {"model_cfg": ARCHITECTURE, "preprocess_cfg": PREPARATION}
    (folder / "open_clip_config.json").write_text(json.dumps(config, indent=1), encoding="utf-8")
    weights = {name: value.detach().contiguous() for name, value in model.state_dict().items()}
    save_file(weights, folder / "open_clip_model.safetensors")
