"""What was seen in a clip, written as pictures: the motion curve, every shot, the strongest impacts."""

from __future__ import annotations

from pathlib import Path

from foley.deliver import charts, evidence, outputs, strips
from foley.deliver.charts import Chart
from foley.media.atomic import written_whole
from foley.model import Clip, Impact, Looks, Picture, Span
from foley.units import clock

MOST_IMPACTS = 12
"""Strips are made of the strongest."""

APART_S = 0.3
"""Of impacts nearer to each other the strongest is shown."""


def write_pictures(clip: Clip, picture: Picture, looks: Looks, *, folder: Path) -> list[Path]:
    """Write `motion.svg`, one `shot-*.jpg` a shot and one `impact-*.jpg` for each of the strongest impacts.

    Returns:
        What was written, in this order.

    Raises:
        OutputError: where the folder cannot be written to.
        DamagedVideoError: where the clip can no longer be opened.
    """
    outputs.make_folder(folder)
    whole = charts.whole(picture, float(clip.duration_s))
    written = [_write(folder / "motion.svg", _svg(whole, picture).encode())]
    for frame in picture.key_frames:
        name = f"shot-{frame.shot + 1:03d}-{_stamp(frame.time_s)}.jpg"
        written.append(_write(folder / name, strips.captioned(frame.jpeg, _about_shot(frame.shot, picture, looks))))
    for impact in strongest(picture):
        drawn = strips.strip(clip, strips.moment(impact.time_s, picture))
        if drawn:
            written.append(_write(folder / f"impact-{_stamp(impact.time_s)}.jpg", drawn))
    return written


def strongest(picture: Picture) -> list[Impact]:
    """Return the strongest impacts of the cues that shots speak for, some time apart, by time."""
    telling = charts.telling_impacts(picture, Span(0.0, picture.shots[-1].end_s))
    chosen: list[Impact] = []
    for impact in sorted(telling, key=lambda one: (-one.strength, one.time_s)):
        if all(abs(impact.time_s - other.time_s) >= APART_S for other in chosen):
            chosen.append(impact)
    return sorted(chosen[:MOST_IMPACTS], key=lambda one: one.time_s)


def _about_shot(number: int, picture: Picture, looks: Looks) -> list[str]:
    shot = picture.shots[number]
    place = f", place {looks.places[number] + 1}" if number < len(looks.places) else ""
    labels = evidence.labels_of([number], looks)
    return [
        f"shot {number + 1}: {clock(shot.start_s)} to {clock(shot.end_s)}{place}",
        *(f"{label.label} {100 * label.score:.0f} %" for label in labels),
    ]


def _svg(chart: Chart, picture: Picture) -> str:
    """Return the chart as a file of its own, dark or light as its reader likes."""
    cuts = [1000 * shot.start_s / max(chart.span.end_s, 1e-6) for shot in picture.shots[1:]]
    lines = [f'<line class="cut" x1="{x:.1f}" x2="{x:.1f}" y1="0" y2="100"/>' for x in cuts]
    lines += [
        f'<line class="impact" x1="{mark.x:.1f}" x2="{mark.x:.1f}" y1="100" y2="{100 - mark.height:.1f}">'
        f"<title>{mark.cue} at {clock(mark.time_s)}</title></line>"
        for mark in chart.impacts
    ]
    anchors = zip((0, 500, 1000), ("start", "middle", "end"), chart.ticks, strict=True)
    texts = [f'<text x="{x}" y="122" text-anchor="{anchor}">{text}</text>' for x, anchor, text in anchors]
    texts.append('<text x="0" y="144">grey: how much moves; upright lines: impacts seen, dashed where a cut is</text>')
    style = (
        "rect{fill:#1c1f25}path{fill:#98a1ad;opacity:.6}.impact{stroke:#ffb454;stroke-width:2}"
        ".cut{stroke:#ff8a70;stroke-width:2;stroke-dasharray:4 3}text{fill:#98a1ad;font:14px system-ui,sans-serif}"
        "@media(prefers-color-scheme:light){rect{fill:#fff}path{fill:#5d6672}.impact{stroke:#b26a00}"
        ".cut{stroke:#b93815}text{fill:#5d6672}}"
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="-20 -12 1040 168" width="1040"><style>{style}</style>'
        f'<rect x="-20" y="-12" width="1040" height="168" rx="10"/><path d="{chart.area}"/>'
        f"{''.join(lines + texts)}</svg>\n"
    )


def _stamp(time_s: float) -> str:
    """Return a time for a file's name, which sorts by it.

    >>> _stamp(62.375)
    '0h01m02.375s'
    """
    return f"{int(time_s // 3600)}h{int(time_s % 3600 // 60):02d}m{time_s % 60:06.3f}s"


def _write(path: Path, data: bytes) -> Path:
    with written_whole(path) as part:
        part.write_bytes(data)
    return path
