"""How well the timing of eight real clips is found: F1 at 50, 100 and 150 ms beside blind guesses.

    python benchmarks/sync.py --visual      the impacts alone, with the cue that the prompt implies and the shot's own
    python benchmarks/sync.py               the finished track of `foley run`

The clips and their scorer lie in the folder that FOLEY_TEST_MEDIA names (else in `shared` beside the checkout).
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from foley.analysis.probe import probe
from foley.analysis.watch import WatchOptions, watch
from foley.model import Cue, Picture, Source
from foley.pipeline.cache import Cache

CUES: Mapping[str, Cue] = {
    "anvil": "strike",
    "chopping": "strike",
    "dog_c": "burst",
    "fireworks_b": "flash",
    "guns": "burst",
    "pistol": "burst",
    "stick_bag": "strike",
    "tennis_a": "strike",
}
"""How the sounding instants of each clip show, by what its prompt says is done."""

WINDOWS_MS = (50, 100, 150)

Score = Mapping[str, Any]


def media() -> Path:
    """Return the folder of the real clips."""
    return Path(os.environ.get("FOLEY_TEST_MEDIA", Path(__file__).parents[2] / "shared")) / "clips"


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


def print_table(title: str, score: Callable[[str], Score]) -> None:
    """Print a line for each clip, and their mean."""
    print(f"{title}\n{'clip':<13}{'true':>5}{'made':>5}   F1 at 50/100/150 ms   blind at the same    offset  |offset|")
    rows = []
    for name in CUES:
        result = score(name)
        f1 = [result[f"f1_{ms}"] for ms in WINDOWS_MS]
        blind = [max(result[f"chance_random_{ms}"], result[f"chance_grid_{ms}"]) for ms in WINDOWS_MS]
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
    arguments = parser.parse_args()
    folder = media()
    truth = json.loads((folder / "clips.json").read_text(encoding="utf-8"))
    judge = scorer(folder)
    with tempfile.TemporaryDirectory() as scratch:
        if arguments.visual:
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
