"""The runner, the cache and the codec: what is wired, what is kept, what survives a kill."""

from __future__ import annotations

import errno
import json
import signal
import subprocess
import sys
import threading
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from foley.contracts import Context, stage
from foley.errors import CannotWriteError, DiskFullError, WorkflowError
from foley.media.atomic import is_abandoned, owner
from foley.model import (
    Audio,
    AudioFile,
    Brief,
    ClipIdentity,
    Hint,
    Hints,
    Hit,
    Impact,
    KeyFrame,
    Motion,
    Source,
    Span,
)
from foley.pipeline import runner, stages
from foley.pipeline.cache import Cache
from foley.pipeline.workflow import Step, Workflow

CALLS: list[str] = []


@dataclass(frozen=True, slots=True)
class Loud:
    """Options of the stage under test."""

    times: int = 1


@stage(version=1)
def read(brief: Brief, ctx: Context) -> Hints:
    CALLS.append("read")
    return Hints((Hint(brief.prompt, None, None, "prompt"),))


@stage(version=1)
def louder(hints: Hints, opts: Loud, ctx: Context) -> Span:
    CALLS.append("louder")
    return Span(0.0, float(opts.times * len(hints.items[0].text)))


@pytest.fixture(autouse=True)
def _forget_calls() -> None:
    CALLS.clear()


def flow(times: int = 1) -> Workflow:
    return Workflow("test", "", (Step(read, None), Step(louder, Loud(times))))


def test_a_stage_that_was_run_before_is_not_run_again(tmp_path: Path) -> None:
    first = runner.run(flow(), [Brief("rain")], [Span], cache=Cache(tmp_path))
    again = runner.run(flow(), [Brief("rain")], [Span], cache=Cache(tmp_path))
    assert first[Span] == again[Span] == Span(0.0, 4.0)
    assert CALLS == ["read", "louder"]
    assert [time.cached for time in again.times] == [True, True]


def test_another_option_runs_only_the_stage_that_has_it(tmp_path: Path) -> None:
    runner.run(flow(), [Brief("rain")], [Span], cache=Cache(tmp_path))
    louder_run = runner.run(flow(3), [Brief("rain")], [Span], cache=Cache(tmp_path))
    assert louder_run[Span].end_s == 12.0
    assert CALLS == ["read", "louder", "louder"]


def test_only_what_the_wanted_result_hangs_on_is_run(tmp_path: Path) -> None:
    runner.run(flow(), [Brief("rain")], [Hints], cache=Cache(tmp_path))
    assert CALLS == ["read"]


def test_what_is_given_needs_no_stage(tmp_path: Path) -> None:
    given = Hints((Hint("ab", None, None, "prompt"),))
    assert runner.run(flow(), [given], [Span], cache=Cache(tmp_path))[Span].end_s == 2.0
    assert CALLS == ["louder"]


def test_a_missing_input_is_refused_before_anything_runs(tmp_path: Path) -> None:
    with pytest.raises(WorkflowError, match="needs Brief, which nothing before it makes"):
        runner.run(flow(), [Source(Path("x"))], [Span], cache=Cache(tmp_path))
    assert CALLS == []


def test_a_result_that_nothing_makes_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WorkflowError, match="no stage that makes Impact"):
        runner.run(flow(), [Brief()], [Impact], cache=Cache(tmp_path))


def test_a_stage_is_found_by_its_module_and_is_named_after_it() -> None:
    assert stages.find("probe").name == "probe"
    with pytest.raises(WorkflowError, match="no stage is called 'prob'"):
        stages.find("prob")


texts = st.text(max_size=20)
times = st.floats(0, 1e5)
model_values = st.one_of(
    st.builds(Span, times, times),
    st.builds(Hit, times, st.floats(0, 1)),
    st.builds(Brief, texts, st.none(), st.builds(Path, st.just("/tmp/cues.csv")), st.integers(0, 2**63)),
    st.builds(Hints, st.lists(st.builds(Hint, texts, times, st.none(), st.just("prompt"))).map(tuple)),
    st.builds(ClipIdentity, texts, texts, st.fractions(), st.fractions(min_value=1)),
    st.builds(KeyFrame, times, st.integers(0, 9), st.binary(max_size=50)),
)


@given(value=model_values)
def test_what_is_kept_comes_back_equal(tmp_path_factory: pytest.TempPathFactory, value: object) -> None:
    context = Cache(tmp_path_factory.mktemp("cache")).context()
    assert context.once("any", (), lambda ctx: value) == value
    assert context.once("any", (), lambda ctx: pytest.fail("it was made twice")) == value


def test_arrays_come_back_equal_and_make_the_key(ctx: Context) -> None:
    curve = np.linspace(0, 1, 7, dtype=np.float32)
    kept = ctx.once("motion", (curve,), lambda ctx: Motion(curve, curve, curve, curve * 2))
    assert kept.camera.dtype == np.float32
    np.testing.assert_array_equal(kept.camera, curve * 2)
    assert ctx.digest(curve) != ctx.digest(curve.astype(np.float64)) != ctx.digest(curve[:-1])


def test_a_copy_of_a_clip_under_another_name_has_the_same_key(ctx: Context) -> None:
    one, two = (ClipIdentity(name, "k", Fraction(1), Fraction(25)) for name in ("a.mp4", "b.mp4"))
    other = ClipIdentity("a.mp4", "l", Fraction(1), Fraction(25))
    assert ctx.digest(one) == ctx.digest(two) != ctx.digest(other)


def _write_sound(context: Context) -> AudioFile:
    (context.scratch / "x.wav").write_bytes(b"sound")
    return AudioFile(context.scratch / "x.wav", 48_000, 1, 5)


def test_files_stay_with_their_record(ctx: Context) -> None:
    kept = ctx.once("sound", (1,), _write_sound)
    assert kept.path.read_bytes() == b"sound"
    assert ctx.once("sound", (1,), lambda ctx: pytest.fail("it was made twice")) == kept


def test_a_record_whose_file_is_gone_or_cut_short_is_made_again(ctx: Context) -> None:
    kept = ctx.once("sound", (1,), _write_sound)
    kept.path.write_bytes(b"so")
    assert ctx.once("sound", (1,), _write_sound).path.read_bytes() == b"sound"


def test_a_record_that_names_a_lost_record_is_made_again(ctx: Context) -> None:
    outer = ctx.once("outer", (), lambda inner: inner.once("sound", (1,), _write_sound))
    outer.path.unlink()
    assert ctx.once("outer", (), lambda inner: inner.once("sound", (1,), _write_sound)).path.exists()


def test_identical_requests_of_several_threads_are_made_once(ctx: Context) -> None:
    made = []

    def make(context: Context) -> Span:
        made.append(1)
        return Span(0, 1)

    threads = [threading.Thread(target=lambda: ctx.once("span", (), make)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 1


def test_a_failed_stage_leaves_nothing_behind(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    with pytest.raises(ZeroDivisionError):
        cache.once("span", (), lambda ctx: 1 / 0, lambda done, what: None)
    assert [path for path in tmp_path.rglob("*") if path.name != "tmp"] == []


def test_a_killed_run_leaves_no_record_and_its_remains_are_swept(tmp_path: Path) -> None:
    script = (
        "import os, sys, pathlib\n"
        "from foley.pipeline.cache import Cache\n"
        "def make(ctx):\n"
        "    (ctx.scratch / 'half.wav').write_bytes(b'half')\n"
        "    os.kill(os.getpid(), 9)\n"
        "Cache(pathlib.Path(sys.argv[1])).context().once('sound', (1,), make)\n"
    )
    done = subprocess.run([sys.executable, "-c", script, str(tmp_path)], check=False)
    assert done.returncode == -signal.SIGKILL
    assert not (tmp_path / "sound").exists()
    assert list((tmp_path / "tmp").iterdir())
    cache = Cache(tmp_path)
    assert list((tmp_path / "tmp").iterdir()) == []
    assert cache.context().once("sound", (1,), _write_sound).path.read_bytes() == b"sound"


def test_the_remains_of_a_living_run_are_left_alone(tmp_path: Path) -> None:
    context = Cache(tmp_path).context()
    Cache(tmp_path)
    assert context.scratch.is_dir()


def test_a_cache_folder_that_cannot_be_made_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(CannotWriteError, match="not a directory"):
        Cache(tmp_path / "file" / "cache")


def test_random_streams_depend_on_their_key_alone(ctx: Context) -> None:
    first = ctx.rng("take", 1, "e01").random(4)
    ctx.rng("other").random(100)
    np.testing.assert_array_equal(first, ctx.rng("take", 1, "e01").random(4))
    assert not np.array_equal(first, ctx.rng("take", 2, "e01").random(4))


def test_a_value_that_is_no_model_type_is_refused(ctx: Context) -> None:
    with pytest.raises(TypeError, match="cannot be kept"):
        ctx.once("odd", (), lambda ctx: object())


def test_a_record_is_read_without_building_foreign_types(ctx: Context) -> None:
    kept = ctx.once("sound", (1,), _write_sound)
    record = kept.path.parent / "value.json"
    content = json.loads(record.read_text())
    content["value"]["$type"] = "Popen"
    record.write_text(json.dumps(content))
    assert ctx.once("sound", (1,), _write_sound) == kept
    assert json.loads(record.read_text())["value"]["$type"] == "AudioFile"


def test_audio_says_its_shape_and_refuses_another() -> None:
    assert repr(Audio(np.zeros((2, 480), np.float32), 48_000)) == "Audio(2 x 480 at 48000 Hz)"
    with pytest.raises(ValueError, match="channels, samples"):
        Audio(np.zeros(480, np.float32), 48_000)
    with pytest.raises(ValueError, match="float32"):
        Audio(np.zeros((1, 480)), 48_000)


def test_what_living_processes_write_is_not_abandoned() -> None:
    machine = owner().rpartition("-")[0]
    assert not is_abandoned(owner())
    assert not is_abandoned(f"{machine}-1")  # alive, though somebody else's
    assert not is_abandoned("elsewhere-999999999")
    assert is_abandoned(f"{machine}-999999999")


def test_what_a_stage_fails_to_open_is_not_said_of_the_cache(ctx: Context, tmp_path: Path) -> None:
    def opens(making: Context) -> int:
        return len((tmp_path / "not there").read_bytes())

    with pytest.raises(FileNotFoundError, match="not there"):
        ctx.once("opens", (1,), opens)


def test_a_full_disk_is_said_of_the_cache(ctx: Context) -> None:
    def fills(making: Context) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(DiskFullError):
        ctx.once("fills", (1,), fills)
