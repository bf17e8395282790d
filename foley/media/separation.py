"""Another program as a separator: it gets a WAV and a request as JSON, and leaves two sound files in a folder."""

from __future__ import annotations

import json
import shlex
import shutil
from pathlib import Path

from foley.errors import MediaError, MissingProgramError, OptionError
from foley.media import programs

SCHEMA = "foley.separate/1"
"""What the JSON file is; raised when a field changes its meaning."""

BACKGROUNDS = ("background.wav", "**/no_vocals.wav", "**/accompaniment.wav", "**/*nstrument*.wav")
DIALOGUES = ("dialogue.wav", "**/vocals.wav", "**/*ocal*.wav")
"""Names under which the parts are looked for, first those of the request, then what common separators call them."""

PLACES = ("input", "background", "dialogue", "folder", "request")
"""What may stand in braces in a command."""


def words_of(command: str) -> list[str]:
    """Return the command's words, in which places in braces are still to be filled.

    Raises:
        OptionError: where it is no command, or does not say where its input goes.
    """
    try:
        words = shlex.split(command)
    except ValueError as cause:
        raise OptionError(f"the separator {command!r} is no command: {cause}") from cause
    if not words:
        raise OptionError("the separator is no command", hint="name a program and its arguments")
    if not any("{input}" in word or "{request}" in word for word in words):
        places = ", ".join(f"{{{place}}}" for place in PLACES)
        raise OptionError(
            f"the separator {command!r} is not told its input", hint=f"put {{input}} in it; there are: {places}"
        )
    return words


def separated(command: str, wav: Path, folder: Path, *, time_limit_s: float) -> tuple[Path, Path | None]:
    """Run a separator in an empty folder; return its background, and its dialogue where it leaves one.

    Args:
        command: The program and its arguments; places in braces are filled, no shell is asked.
        wav: What to separate.
        folder: Where it works and writes.
        time_limit_s: After which it is ended.

    Raises:
        OptionError: where the command is none.
        MissingProgramError: where the program is not there.
        MediaError: where it fails, takes too long, or leaves no background.
    """
    words, folder = words_of(command), folder.resolve()
    shutil.copyfile(wav, folder / "input.wav")
    values = {
        "input": str(folder / "input.wav"),
        "background": str(folder / "background.wav"),
        "dialogue": str(folder / "dialogue.wav"),
        "folder": str(folder),
        "request": str(folder / "request.json"),
    }
    request = {"schema": SCHEMA, **{name: values[name] for name in PLACES if name != "request"}}
    (folder / "request.json").write_text(json.dumps(request, indent=1), encoding="utf-8")
    _run([_filled(word, values) for word in words], folder, time_limit_s)
    background = _found(folder, BACKGROUNDS)
    if background is None:
        raise MediaError(
            f"the separator {words[0]} left no background in its folder",
            hint=f"it is to write {{background}}, or one of {', '.join(BACKGROUNDS)}",
        )
    return background, _found(folder, DIALOGUES, besides=background)


def _run(words: list[str], folder: Path, time_limit_s: float) -> None:
    surroundings = programs.environment(dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(folder)))
    try:
        ended = programs.run(words, folder=folder, environment=surroundings, time_limit_s=time_limit_s)
    except programs.NotStartedError as cause:
        raise MissingProgramError(words[0], f"the separator cannot be run ({cause}): check its name") from cause
    except programs.OverdueError as cause:
        raise MediaError(f"the separator {words[0]} took longer than {time_limit_s:g} s, saying: {cause}") from cause
    if ended.code:
        how = f"with code {ended.code}" if ended.code > 0 else f"by signal {-ended.code}"
        raise MediaError(f"the separator {words[0]} ended {how}, saying: {ended.said or 'nothing'}")


def _filled(word: str, values: dict[str, str]) -> str:
    for place, value in values.items():
        word = word.replace(f"{{{place}}}", value)
    return word


def _found(folder: Path, names: tuple[str, ...], *, besides: Path | None = None) -> Path | None:
    """Return the first file that bears one of the names; what a link leads out of the folder to does not count."""
    for name in names:
        for path in sorted(folder.glob(name)):
            if path.is_file() and path != besides and path.resolve().is_relative_to(folder):
                return path
    return None
