"""Whatever is wrong, the command says so in one line and ends with the right code, and nothing lies half-written."""

from __future__ import annotations

import contextlib
import io
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
from scipy import signal as signals

from foley.analysis.probe import probe
from foley.cli import app
from foley.contracts import Context
from foley.media import ffmpeg
from foley.media.atomic import owner
from foley.media.sound import read_track
from foley.model import Source
from foley.units import to_samples
from tests import media_maker as make
from tests.media_fixtures import MediaShelf

LATE_SAMPLES = 24
"""Half a millisecond at 48 kHz: the clock of Matroska counts in whole ones."""

NOBODY = 65534
"""The user that owns nothing."""

Maker = Callable[[MediaShelf, Path], Path]


def command(*words: str | Path) -> list[str]:
    return [sys.executable, "-m", "foley", *map(str, words)]


def foley(*words: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run the command line as `python -m foley` would, but in this process, which has imported everything already."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.chdir(cwd), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = app.start([str(word) for word in words])
    return subprocess.CompletedProcess(words, code, out.getvalue(), err.getvalue())


def told(done: subprocess.CompletedProcess[str]) -> str:
    """Return what a person was told; nobody is ever shown a traceback or a fault of foley's own."""
    assert "Traceback" not in done.stderr
    assert "should not happen" not in done.stderr
    return done.stderr


@pytest.fixture(autouse=True)
def cache(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.getbasetemp() / "bad-input-cache"
    monkeypatch.setenv("FOLEY_CACHE", str(folder))
    return folder


@pytest.fixture
def clip(media: MediaShelf, tmp_path: Path) -> Path:
    """A short clip of the test's own."""
    return Path(shutil.copy(media(make.moving, duration_s=0.4), tmp_path / "clip.mp4"))


LOCK = {"leases", "leases/lock"}
"""What a cache keeps its users apart with."""


def names(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*")}


def written(name: str, content: bytes) -> Maker:
    def to(shelf: MediaShelf, folder: Path) -> Path:
        (folder / name).write_bytes(content)
        return folder / name

    return to


def still(shelf: MediaShelf, folder: Path) -> Path:
    make.ffmpeg("-f", "lavfi", "-i", "testsrc2=s=64x64", "-frames:v", "1", folder / "photo.png")
    return folder / "photo.png"


def bare(shelf: MediaShelf, folder: Path) -> Path:
    return make.moving(folder / "bare.h264", duration_s=0.4)


def header_only(shelf: MediaShelf, folder: Path) -> Path:
    (folder / "header.mp4").write_bytes(shelf(make.truncated).read_bytes()[:200])
    return folder / "header.mp4"


def folder_named_like_a_clip(shelf: MediaShelf, folder: Path) -> Path:
    (folder / "clip.mp4").mkdir()
    return folder / "clip.mp4"


UNUSABLE: dict[str, tuple[Maker, str]] = {
    "missing": (lambda shelf, folder: folder / "nowhere.mp4", "does not exist"),
    "a folder": (folder_named_like_a_clip, "is a folder, not a video"),
    "empty": (written("empty.mp4", b""), r"is empty (0 bytes)"),
    "text": (written("notes.mp4", b"these are my notes\n"), "is no video, whatever its name says"),
    "text by name": (written("notes.txt", b"these are my notes\n" * 20), "is no media file"),
    "noise": (written("noise.mp4", bytes(range(256)) * 400), "is no video, whatever its name says"),
    "a still picture": (still, "is a still picture, not a video"),
    "sound alone": (lambda shelf, folder: shelf(make.sound_only, ".m4a"), "has no video stream"),
    "no container": (bare, "nothing says when its frames are shown"),
    "cut off before its index": (lambda s, f: s(make.truncated, index_first=False), "it ends before its index"),
    "cut off in its header": (header_only, "holds neither pictures nor sound"),
}


@pytest.mark.parametrize("case", UNUSABLE)
def test_an_unusable_clip_is_named_with_what_is_wrong(case: str, media: MediaShelf, tmp_path: Path) -> None:
    maker, words = UNUSABLE[case]
    bad, out = maker(media, tmp_path), tmp_path / "out"
    done = foley("run", bad, "--prompt", "rain", "-o", out, cwd=tmp_path)
    assert done.returncode == 3, done.stderr
    first, hint = told(done).splitlines()
    assert first.startswith(f"foley: {bad}")
    assert words in first
    assert hint.startswith("  ")
    assert not out.exists()


@pytest.mark.parametrize("verb", ["plan", "inspect"])
def test_every_command_refuses_it_alike(verb: str, tmp_path: Path) -> None:
    (tmp_path / "empty.mp4").touch()
    done = foley(verb, "empty.mp4", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (3, "")
    assert "is empty" in told(done)
    assert names(tmp_path) == {"empty.mp4"}


def one_frame(to: Path) -> Path:
    make.ffmpeg("-f", "lavfi", "-i", "testsrc2=s=160x90:r=25", "-frames:v", "1", *make._H264, to)
    return to


def odd_size(to: Path) -> Path:
    make.ffmpeg("-f", "lavfi", "-i", "testsrc2=s=161x91:r=25:d=1", "-c:v", "libx264", "-pix_fmt", "yuv444p", to)
    return to


def ten_bit(to: Path) -> Path:
    make.ffmpeg("-f", "lavfi", "-i", "testsrc2=s=160x90:r=25:d=1", "-c:v", "ffv1", "-pix_fmt", "yuv420p10le", to)
    return to


def tiny(to: Path) -> Path:
    make.ffmpeg("-f", "lavfi", "-i", "testsrc2=s=2x2:r=25:d=1", "-c:v", "ffv1", to)
    return to


def old_mpeg(to: Path) -> Path:
    return make.moving(to, duration_s=1.0, more=("-c:v", "mpeg2video"))


USABLE: dict[str, tuple[Callable[..., Path], str, dict[str, object], str]] = {
    "corrupt in the middle": (make.corrupt_in_the_middle, ".mp4", {}, "the picture is damaged near"),
    "cut off, index first": (make.truncated, ".mp4", {}, "the file promises"),
    "cut off, Matroska": (make.truncated, ".mkv", {}, ""),
    "one frame": (one_frame, ".mp4", {}, "too short"),
    "odd size": (odd_size, ".mp4", {}, ""),
    "two by two": (tiny, ".mkv", {}, ""),
    "10 bit": (ten_bit, ".mkv", {}, ""),
    "turned": (make.rotated, ".mp4", {"clockwise_deg": 90}, ""),
    "variable frame rate": (make.variable_rate, ".mp4", {}, ""),
    "a hole of a second": (make.gap, ".mp4", {}, ""),
    "picture after the sound": (make.late_picture, ".mp4", {}, ""),
    "sound after the picture": (make.late_sound, ".mkv", {}, ""),
    "edit list": (make.cut_start, ".mp4", {}, ""),
    "several tracks and subtitles": (make.rich, ".mp4", {}, ""),
    "a cover before the film": (make.with_cover, ".mp4", {}, ""),
    "sound longer than the picture": (make.longer_sound, ".mp4", {}, ""),
    "transport stream": (make.moving, ".ts", {"duration_s": 1.0}, ""),
    "a container for which another is taken": (old_mpeg, ".mpg", {}, ""),
}


@pytest.mark.parametrize("case", USABLE)
def test_a_strange_clip_gets_its_sound(case: str, media: MediaShelf, ctx: Context, tmp_path: Path) -> None:
    maker, suffix, arguments, note = USABLE[case]
    source = media(maker, suffix, **arguments)
    done = foley("run", source, "--prompt", "rain on a roof", "-o", tmp_path / "out", "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in told(done)
    answer = json.loads(done.stdout)
    made = Path(answer["video"])
    assert ffmpeg.video_hash(made) == ffmpeg.video_hash(source)
    length = to_samples(probe(Source(source), ctx).duration_s, 48_000)
    assert soundfile.info(Path(answer["folder"]) / "stems" / "mix.wav").frames == length
    folder = Path(answer["folder"])
    heard = folder / "stems" / ("track.wav" if (folder / "stems" / "track.wav").exists() else "mix.wav")
    assert abs(lateness_samples(made, heard, ctx)) <= LATE_SAMPLES
    assert any(note in said for said in answer["notes"]) if note else True
    assert {path.name for path in (tmp_path / "out").iterdir()} == {made.name, f"{source.stem}.foley"}


def lateness_samples(made: Path, wanted: Path, ctx: Context) -> int:
    """Return how much later than the stem the video's first track is heard, both counted from the first frame."""
    clip = probe(Source(made), ctx)
    heard = np.concatenate(list(read_track(clip, clip.sound[0], rate_hz=48_000, channels=2)), axis=1)[0]
    track = soundfile.read(wanted, dtype="float32", always_2d=True)[0][:, 0]
    likeness = signals.correlate(heard, track, method="fft")
    return int(np.argmax(likeness)) - (len(track) - 1)


STRANGE_NAMES = ["two words", 'it\'s "quoted" $(x) `y`; z&', "späße 映画", "-dash", "shot_%d_%03d", "12:34:56", "[x]*?"]


@pytest.mark.parametrize("name", STRANGE_NAMES)
def test_a_name_is_only_a_name(name: str, clip: Path, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    clip.rename(folder / f"{name}.mp4")
    done = foley("run", "--prompt", "rain", "--", f"{name}.mp4", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"{name}.foley.mp4\n"
    assert {path.name for path in folder.iterdir()} == {f"{name}.mp4", f"{name}.foley.mp4", f"{name}.foley"}
    again = foley("render", f"./{name}.foley/plan.yaml", cwd=folder)
    assert again.returncode == 0, again.stderr


def test_a_name_that_is_no_text_is_refused(clip: Path, tmp_path: Path) -> None:
    latin = os.fsdecode(b"caf\xe9.mp4")
    try:
        clip.rename(tmp_path / latin)
    except OSError:
        pytest.skip("this file system holds only UTF-8 names")
    for words in (["run", latin], ["plan", latin], ["inspect", latin]):
        done = foley(*words, cwd=tmp_path)
        assert done.returncode == 3
        assert "not UTF-8" in told(done)
    (tmp_path / latin).rename(clip)
    done = foley("run", clip, "-o", latin, cwd=tmp_path)
    assert done.returncode == 4
    assert "not UTF-8" in told(done)


@pytest.mark.parametrize("link", ["itself", "hard link", "symbolic link", "dotted"])
@pytest.mark.parametrize("overwrite", [True, False])
def test_the_input_is_never_replaced(link: str, overwrite: bool, clip: Path, tmp_path: Path) -> None:
    kept, other = clip.read_bytes(), tmp_path / "other.mp4"
    if link == "hard link":
        other.hardlink_to(clip)
    elif link == "symbolic link":
        other.symlink_to(clip)
    else:
        other = clip if link == "itself" else tmp_path / "." / ".." / tmp_path.name / "clip.mp4"
    done = foley("run", clip, "-o", other, *(["--overwrite"] if overwrite else []), cwd=tmp_path)
    assert done.returncode == 4
    assert "never replaces" in told(done)
    assert clip.read_bytes() == kept


def test_a_manifest_cannot_send_a_render_over_the_input(clip: Path, tmp_path: Path) -> None:
    kept = clip.read_bytes()
    assert foley("plan", clip, "--prompt", "rain", cwd=tmp_path).returncode == 0
    (tmp_path / "clip.foley" / "manifest.json").write_text('{"video": {"path": "../clip.mp4"}}')
    done = foley("render", "clip.foley/plan.yaml", "--overwrite", cwd=tmp_path)
    assert done.returncode == 4
    assert "never replaces" in told(done)
    assert clip.read_bytes() == kept


def test_a_link_is_followed_and_stays(clip: Path, tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    (tmp_path / "out.mp4").symlink_to(Path("disk") / "real.mp4")
    assert foley("run", clip, "--prompt", "rain", "-o", "out.mp4", cwd=tmp_path).returncode == 0
    assert (tmp_path / "out.mp4").is_symlink()
    assert (tmp_path / "disk" / "real.mp4").stat().st_size > clip.stat().st_size
    done = foley("run", clip, "--prompt", "rain", "-o", "out.mp4", cwd=tmp_path)
    assert done.returncode == 4
    assert "exists already" in told(done)


OUTPUTS = {
    "no container": ("out.xyz", "no container that foley writes", ".mp4"),
    "not for this picture": ("out.webm", "a .webm file cannot hold its h264 picture", ".mp4 or .mkv"),
    "no times": ("out.avi", "it keeps no times for frames", ".mp4 or .mkv"),
    "in a file": ("clip.mp4/out.mp4", "is a file, not a folder", "-o"),
}


@pytest.mark.parametrize("case", OUTPUTS)
def test_an_output_that_cannot_be_is_refused_before_the_work(
    case: str, clip: Path, tmp_path: Path, media: MediaShelf
) -> None:
    output, words, hint = OUTPUTS[case]
    done = foley("run", clip, "--prompt", "rain", "-o", output, "--workdir", "new", cwd=tmp_path)
    assert done.returncode == 4
    first, second = told(done).splitlines()
    assert words in first
    assert hint in second
    probed = {name for name in names(tmp_path) if name.startswith("new/probe")}
    lock = {f"new/{name}" for name in LOCK}
    assert names(tmp_path) - probed - lock == {"clip.mp4", "new", "new/tmp"}, "nothing was watched, made or written"


def test_a_folder_that_is_not_ours_to_write_is_refused_before_the_work(clip: Path, tmp_path: Path) -> None:
    locked = tmp_path / "locked"
    locked.mkdir(mode=0o555)
    words = command("run", clip, "--prompt", "rain", "-o", locked, "--workdir", tmp_path / "work")
    if os.geteuid() == 0:
        if shutil.which("setpriv") is None:
            pytest.skip("root may write everywhere, and setpriv, which would make us somebody else, is not here")
        words = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", *words]
        for folder in (tmp_path, *tmp_path.parents[:3]):
            folder.chmod(0o755)
        (tmp_path / "work").mkdir()
        os.chown(tmp_path / "work", NOBODY, NOBODY)
    done = subprocess.run(words, capture_output=True, text=True, check=False, cwd=tmp_path)
    if "ModuleNotFoundError" in done.stderr or "Permission denied" in done.stderr.partition("foley:")[0]:
        pytest.skip("nobody may not read the interpreter or the code here")
    assert done.returncode == 4, done.stderr
    assert f"{locked} may not be written to" in told(done)
    assert {name for name in names(tmp_path / "work") if not name.startswith("probe")} <= {"tmp", *LOCK}
    assert names(locked) == set()


NONSENSE = {
    "not YAML": ("events: [", "is not YAML"),
    "empty": ("", "is empty"),
    "a list": ("- 1\n- 2\n", "clip.foley/plan.yaml:1"),
    "another schema": ("schema: foley.plan/99\n", "schema: must be foley.plan/1"),
    "noise": ("\x00\x01", "is not YAML"),
}


@pytest.mark.parametrize("case", NONSENSE)
def test_a_plan_that_is_nonsense_is_told_with_its_line(case: str, clip: Path, tmp_path: Path) -> None:
    text, words = NONSENSE[case]
    (tmp_path / "clip.foley").mkdir()
    (tmp_path / "clip.foley" / "plan.yaml").write_text(text)
    done = foley("render", "clip.foley/plan.yaml", cwd=tmp_path)
    assert done.returncode == 6
    assert words in told(done)
    assert names(tmp_path) == {"clip.mp4", "clip.foley", "clip.foley/plan.yaml"}


def test_an_edit_that_is_nonsense_is_told_with_line_and_field(clip: Path, tmp_path: Path) -> None:
    assert foley("plan", clip, "--prompt", "rain", cwd=tmp_path).returncode == 0
    plan = tmp_path / "clip.foley" / "plan.yaml"
    text = plan.read_text()
    line = text[: text.index("  kind: bed")].count("\n") + 1
    plan.write_text(text.replace("  kind: bed", "  kind: bet", 1))
    done = foley("render", plan, cwd=tmp_path)
    assert done.returncode == 6
    assert f"plan.yaml:{line}: " in told(done)
    assert "kind" in done.stderr


def test_a_clip_that_is_gone_or_another_when_its_plan_is_rendered(
    clip: Path, tmp_path: Path, media: MediaShelf
) -> None:
    assert foley("plan", clip, "--prompt", "rain", cwd=tmp_path).returncode == 0
    clip.unlink()
    gone = foley("render", "clip.foley/plan.yaml", cwd=tmp_path)
    assert gone.returncode == 6
    assert f"its clip {clip} is not there" in told(gone)
    shutil.copy(media(make.moving, duration_s=1.0), clip)
    other = foley("render", "clip.foley/plan.yaml", cwd=tmp_path)
    assert other.returncode == 6
    assert "another version of clip.mp4" in told(other)
    assert not (tmp_path / "clip.foley.mp4").exists()


@pytest.mark.parametrize("manifest", ["[", '{"video": 3, "files": 4}'])
def test_a_manifest_that_is_nonsense_is_as_none(manifest: str, clip: Path, tmp_path: Path) -> None:
    assert foley("plan", clip, "--prompt", "rain", cwd=tmp_path).returncode == 0
    (tmp_path / "clip.foley" / "manifest.json").write_text(manifest)
    (tmp_path / "clip.foley" / "stems").mkdir()
    (tmp_path / "clip.foley" / "stems" / "master.npz").write_bytes(b"PK\x03\x04 broken")
    done = foley("render", "clip.foley/plan.yaml", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "clip.foley.mp4").is_file()


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupt_leaves_nothing_half_written_and_nothing_running(
    number: signal.Signals, code: int, media: MediaShelf, tmp_path: Path
) -> None:
    source = media(make.moving, duration_s=20.0, size="640x360")
    words = ["run", source, "--prompt", "rain, wind, a hammer", "-o", tmp_path / "out", "--workdir", tmp_path / "work"]
    process = subprocess.Popen(
        command(*words), stderr=subprocess.PIPE, text=True, start_new_session=True, preexec_fn=heeding_interrupts
    )
    records = tmp_path / "work" / "watch"
    deadline = time.monotonic() + 60.0
    while not (tmp_path / "work" / "tmp").exists() or not any((tmp_path / "work" / "tmp").iterdir()):
        assert time.monotonic() < deadline, "the run never began its work"
        assert process.poll() is None
        time.sleep(0.02)
    process.send_signal(number)
    _, said = process.communicate(timeout=60)
    # Python ends itself by the signal where it came inside some libraries: shells call that 130 too
    assert process.returncode in (code, -number), said
    assert said == "foley: interrupted; the same command goes on from here\n"
    assert names(tmp_path / "work" / "tmp") == set()
    assert not (tmp_path / "out").exists()
    assert not records.exists() or not any(".part" in name for name in names(records))
    assert running_in(process.pid) == [], "no ffmpeg lives on"


def heeding_interrupts() -> None:
    """Undo what a job in the background inherits: there a shell has interrupts ignored, and a program keeps to that."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def running_in(session: int) -> list[str]:
    """Return the programs of a session; those that have ended and only wait to be counted are none."""
    listed = subprocess.run(["ps", "-eo", "sid=,stat=,args="], capture_output=True, text=True, check=True).stdout
    found = (line.split(None, 2) for line in listed.splitlines())
    return [args[0] for sid, state, *args in found if int(sid) == session and not state.startswith("Z")]


def test_what_a_killed_run_left_is_cleared_by_the_next(clip: Path, tmp_path: Path, cache: Path) -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    dead, alive = owner().replace(str(os.getpid()), str(ended.pid)), owner()
    left = [
        tmp_path / f".clip.foley.{dead}-0123abcd.part.mp4",
        tmp_path / "clip.foley" / "stems" / f".mix.{dead}-0123abcd.part.wav",
        cache / "tmp" / f"{dead}-{'0' * 32}" / "half.wav",
    ]
    kept = [tmp_path / f".clip.foley.{alive}-0123abcd.part.mp4", tmp_path / ".mine.part.mp4"]
    for path in left + kept:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"half")
    done = foley("run", clip, "--prompt", "rain", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert not any(path.exists() for path in left)
    assert all(path.exists() for path in kept)


def test_two_runs_may_write_the_same_output(clip: Path, tmp_path: Path) -> None:
    words = command("run", clip, "--prompt", "rain", "--overwrite")
    runs = [subprocess.Popen(words, stderr=subprocess.PIPE, text=True, cwd=tmp_path) for _ in range(2)]
    for run in runs:
        _, said = run.communicate(timeout=120)
        assert run.returncode == 0, said
    assert ffmpeg.video_hash(tmp_path / "clip.foley.mp4") == ffmpeg.video_hash(clip)
    assert not any(name.rpartition("/")[2].startswith(".") for name in names(tmp_path))
