"""Render the sample clips and the truth about them: python samples/render.py [NAME ...] [--to DIR]."""

from __future__ import annotations

import argparse
import importlib
import json
import subprocess
from pathlib import Path
from typing import Any

import cv2
from scenes.canvas import HEIGHT_PX, WIDTH_PX
from scenes.scene import Scene, Truth

HERE = Path(__file__).resolve().parent
SCENES = {"workshop": "Workshop", "walk": "Walk", "storm": "Storm"}
"""Module under `scenes`, which is the clip's name, and the class in it."""
CRF = {"workshop": 24, "walk": 26, "storm": 28}
"""Rain and gravel cost bits and hide the loss; smooth forge light shows it."""


def scene(name: str) -> Scene:
    """Return a scene, ready to paint."""
    built: Scene = getattr(importlib.import_module(f"scenes.{name}"), SCENES[name])()
    return built


def truth(name: str) -> Truth:
    """Return what happens in a clip, without painting anything."""
    found: Truth = importlib.import_module(f"scenes.{name}").TRUTH
    return found


def all_truth() -> dict[str, Any]:
    """Return the content of truth.json."""
    return {f"{name}.mp4": truth(name).as_json() for name in SCENES}


def encoder(name: str, target: Path) -> list[str]:
    """Return the ffmpeg command that reads raw frames and writes a clip."""
    fps = truth(name).fps
    pictures = f"-f rawvideo -pix_fmt rgb24 -s {WIDTH_PX}x{HEIGHT_PX} -r {fps.numerator}/{fps.denominator} -i -"
    # BT.709 is written and named, so that every player shows the same colours
    colours = "-vf scale=out_color_matrix=bt709:out_range=tv -colorspace bt709 -color_primaries bt709 -color_trc bt709"
    # aq-mode 3 keeps bits for the dark; one thread and bitexact make the file the same each time
    coding = f"-c:v libx264 -preset slow -crf {CRF[name]} -pix_fmt yuv420p -x264-params aq-mode=3 -threads 1"
    exact = "-fflags +bitexact -flags:v +bitexact -movflags +faststart"
    return ["ffmpeg", "-v", "error", "-y", *f"{pictures} {colours} {coding} {exact}".split(), str(target)]


def encode(name: str, target: Path) -> None:
    """Render a clip and write it."""
    painter = scene(name)
    with subprocess.Popen(encoder(name, target), stdin=subprocess.PIPE) as process:
        assert process.stdin is not None
        for number in range(truth(name).frames):
            process.stdin.write(painter.frame(number).tobytes())
        process.stdin.close()
        if process.wait() != 0:
            raise SystemExit(f"ffmpeg could not write {target}")


def main() -> None:
    """Render what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(SCENES)}; all without")
    parser.add_argument("--to", type=Path, default=HERE, help="folder to write to")
    asked = parser.parse_args()
    unknown = set(asked.names) - set(SCENES)
    if unknown:
        parser.error(f"no sample is called {', '.join(sorted(unknown))}; there are: {', '.join(SCENES)}")
    cv2.setNumThreads(1)
    asked.to.mkdir(parents=True, exist_ok=True)
    for name in asked.names or SCENES:
        encode(name, asked.to / f"{name}.mp4")
        print(asked.to / f"{name}.mp4")
    (asked.to / "truth.json").write_text(json.dumps(all_truth(), indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
