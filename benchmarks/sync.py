"""How well the timing of eight real clips is found: F1 at 50, 100 and 150 ms beside blind guesses.

`python -m benchmarks sync` scores the finished track of `foley run`; `python -m benchmarks.sync` prints it as a table,
with --visual the impacts alone, with the cue that the prompt implies and the shots' own, and with --copies those of
copies of the clips that are mirrored, darkened, cropped, slowed and sped up: what fits the clips alone is worse there.
The clips and their scorer lie in the folder that FOLEY_TEST_MEDIA names (else in `shared` beside the checkout). They
were looked at while the detector was made: its figures on clips that nobody has looked at are lower.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from benchmarks.figures import Figure, real_clips
from foley.analysis.observers.view import one_thread
from foley.analysis.probe import probe
from foley.analysis.watch import Observers, WatchOptions, watch
from foley.media.reader import Frame, Image, read_frames
from foley.model import Clip, Cue, Picture, Source
from foley.pipeline.cache import Cache

CUES: Mapping[str, Cue] = {
    "anvil": "strike",
    "chopping": "strike",
    "dog_c": "burst",
    "fireworks_b": "flash",
    "guns": "burst",
    "pistol": "burst",
    "stick_bag": "strike",
    "tennis_a": "burst",
}
"""How the sounding instants of each clip show, by what its prompt says is done."""

WINDOWS_MS = (50, 100, 150)

WANTED_F1 = {50: 0.86, 100: 0.92}
"""Mean over the clips, by window."""

WANTED_OFFSET_MS = 15
"""Median signed offset of the matched onsets, over the clips: EBU R 37 allows sound to be 15 ms late in production."""

COPIES: Mapping[str, tuple[Callable[[Image], Image], float]] = {
    "mirrored": (lambda image: np.ascontiguousarray(image[:, ::-1]), 1.0),
    "darkened": (lambda image: (image // 2).astype(np.uint8), 1.0),
    "cropped": (lambda image: cropped(image), 1.0),
    "slowed": (lambda image: image, 1.25),
    "sped up": (lambda image: image, 0.8),
}
"""What is done to each frame, and to its time."""

COMMAND = "python -m benchmarks sync"

Score = Mapping[str, Any]


def scorer(folder: Path) -> ModuleType:
    """Return the clips' own scorer."""
    spec = importlib.util.spec_from_file_location("sync_score", folder / "sync_score.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def with_cue(picture: Picture, cue: Cue) -> list[float]:
    """Return the times of one cue's impacts."""
    return [impact.time_s for impact in picture.impacts if impact.cue == cue]


def with_shot_cues(picture: Picture) -> list[float]:
    """Return the times of the impacts that each shot speaks for by itself."""
    starts_s = [shot.start_s for shot in picture.shots]
    at = (int(np.searchsorted(starts_s, impact.time_s, side="right")) - 1 for impact in picture.impacts)
    return [i.time_s for i, shot in zip(picture.impacts, at, strict=True) if picture.shot_cues[shot] == i.cue]


def cropped(image: Image) -> Image:
    """Return the middle of a picture, at its size."""
    import cv2

    height, width = image.shape[:2]
    middle = image[height // 10 : height - height // 10, width // 10 : width - width // 10]
    return np.asarray(cv2.resize(middle, (width, height), interpolation=cv2.INTER_LINEAR), np.uint8)


def seen_in_copy(clip: Clip, change: Callable[[Image], Image], slower: float) -> Picture:
    """Return what is seen in a clip whose frames and times are changed."""
    observers = Observers()
    wide, high = clip.video.width_px, clip.video.height_px
    with one_thread(), read_frames(clip, width_px=WatchOptions().detail_px * wide // max(wide, high)) as frames:
        for frame in frames:
            observers.see(Frame(frame.time_s * slower, np.ascontiguousarray(change(frame.image))))
    return observers.picture(float(clip.duration_s) * slower)


def score_copy(folder: Path, name: str, truth: Mapping[str, Any], *, judge: ModuleType, copy: str) -> Score:
    """Return how the impacts of a changed copy of a clip line up with the truth, by the clip's own times."""
    change, slower = COPIES[copy]
    with tempfile.TemporaryDirectory() as scratch:
        clip = probe(Source(folder / truth["file"]), Cache(Path(scratch)).context())
    picture = seen_in_copy(clip, change, slower)
    result: Score = judge.score_times([time_s / slower for time_s in with_cue(picture, CUES[name])], truth)
    return result


def unshown_hits(folder: Path, truths: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Return the hits planned for clips in which nothing hits, but those of sounds that the clips are said to hold."""
    import foley

    found = []
    for name, truth in truths.items():
        if truth["kind"] == "texture":
            with tempfile.TemporaryDirectory() as scratch:
                plan = foley.plan(
                    folder / truth["file"], prompt=truth["prompt"], output=Path(scratch) / truth["file"]
                ).plan
            found += [
                f"{name}: {event.label}"
                for event in plan.events
                if event.kind == "hits" and event.label not in truth["classes"]
            ]
    return found


def measure() -> list[Figure]:
    """Return the F1 of the finished track of each clip, and the means against what is wanted."""
    folder = real_clips()
    if folder is None:
        return [Figure("onset F1 of finished tracks", "the real clips are not here", "", None, COMMAND)]
    truth = json.loads((folder / "clips.json").read_text(encoding="utf-8"))
    judge = scorer(folder)
    with tempfile.TemporaryDirectory() as scratch:
        scores = {name: score_track(folder, truth[name], judge, work=Path(scratch)) for name in CUES}
    windows = "/".join(map(str, WINDOWS_MS))
    rows = [
        Figure(
            f"F1 at {windows} ms, {name}",
            f"{figures(f1_of(score))}; blind {figures(blind_of(score))}",
            "",
            None,
            COMMAND,
        )
        for name, score in scores.items()
    ]
    mean, blind = (np.mean([of(score) for score in scores.values()], axis=0) for of in (f1_of, blind_of))
    for value, by_chance, window_ms in zip(mean, blind, WINDOWS_MS, strict=True):
        wanted = WANTED_F1.get(window_ms)
        rows.append(
            Figure(
                f"mean F1 at {window_ms} ms",
                f"{value:.3f}; blind {by_chance:.3f}",
                "" if wanted is None else f"at least {wanted}",
                None if wanted is None else bool(value >= wanted),
                COMMAND,
            )
        )
    return [*rows, _offset(scores), _textures(folder, truth)]


def _offset(scores: Mapping[str, Score]) -> Figure:
    offset_ms = float(np.median([score["med_signed_ms"] for score in scores.values() if score["n_est"]]))
    wanted = f"within {WANTED_OFFSET_MS} ms"
    return Figure("median signed offset", f"{offset_ms:+.0f} ms", wanted, abs(offset_ms) <= WANTED_OFFSET_MS, COMMAND)


def _textures(folder: Path, truths: Mapping[str, Mapping[str, Any]]) -> Figure:
    unshown = unshown_hits(folder, truths)
    return Figure("hits where nothing hits", "; ".join(unshown) or "none", "none", not unshown, COMMAND)


def f1_of(score: Score) -> list[float]:
    """Return the F1 of each window."""
    return [score[f"f1_{ms}"] for ms in WINDOWS_MS]


def blind_of(score: Score) -> list[float]:
    """Return what the better of random and even spacing gets with as many onsets."""
    return [max(score[f"chance_random_{ms}"], score[f"chance_grid_{ms}"]) for ms in WINDOWS_MS]


def print_table(title: str, score: Callable[[str], Score]) -> None:
    """Print a line for each clip, and their mean."""
    print(f"{title}\n{'clip':<13}{'true':>5}{'made':>5}   F1 at 50/100/150 ms   blind at the same    offset  |offset|")
    rows = []
    for name in CUES:
        result = score(name)
        f1, blind = f1_of(result), blind_of(result)
        rows.append([*f1, *blind])
        offset, error = (result[key] for key in ("med_signed_ms", "med_abs_ms"))
        late = "     -       -" if offset is None else f"{offset:+6.0f}{error:8.0f} ms"
        print(f"{name:<13}{result['n_ref']:>5}{result['n_est']:>5}   {figures(f1):<22}{figures(blind):<19}{late}")
    mean = np.mean(rows, axis=0)
    print(f"{'mean':<26}{figures(mean[:3]):<22}{figures(mean[3:])}\n")


def figures(values: Any) -> str:
    """Return the three figures as printed."""
    return " / ".join(f"{value:.2f}" for value in values)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--visual", action="store_true", help="score the impacts, not the sound")
    parser.add_argument("--copies", action="store_true", help="score the impacts of changed copies of the clips")
    arguments = parser.parse_args()
    folder = real_clips()
    if folder is None:
        parser.error("the real clips are not here; FOLEY_TEST_MEDIA names their folder")
    truth = json.loads((folder / "clips.json").read_text(encoding="utf-8"))
    judge = scorer(folder)
    with tempfile.TemporaryDirectory() as scratch:
        if arguments.copies:
            for copy in COPIES:
                scores = {name: score_copy(folder, name, truth[name], judge=judge, copy=copy) for name in CUES}
                print_table(f"impacts of the prompt's cue, {copy}", scores.__getitem__)
        elif arguments.visual:
            ctx = Cache(Path(scratch)).context()
            seen = {name: watch(probe(Source(folder / truth[name]["file"]), ctx), WatchOptions(), ctx) for name in CUES}
            print_table(
                "impacts of the prompt's cue", lambda n: judge.score_times(with_cue(seen[n], CUES[n]), truth[n])
            )
            print_table("impacts of the shots' own", lambda n: judge.score_times(with_shot_cues(seen[n]), truth[n]))
        else:
            print_table("the finished track", lambda name: score_track(folder, truth[name], judge, work=Path(scratch)))


def score_track(folder: Path, truth: Mapping[str, Any], judge: ModuleType, *, work: Path) -> Score:
    """Return how the track that foley makes for a clip lines up with what is seen."""
    import foley

    output = work / truth["file"]
    settings = foley.Settings(replace_audio=True)
    foley.run(folder / truth["file"], prompt=truth["prompt"], output=output, settings=settings)
    result: Score = judge.score_audio(str(output), truth)
    return result


if __name__ == "__main__":
    main()
