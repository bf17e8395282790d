"""How other programs are called: what a preset says, where presets are found, and what is wrong with one.

A preset is a YAML file; each field is one of `Preset`. Those that come with foley lie beside this module.
"""

from __future__ import annotations

import dataclasses
import hashlib
import os
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_args

from foley import yamls
from foley.errors import OptionError
from foley.media import programs
from foley.model import Kind

FOLDER = Path(__file__).parent
SUFFIXES = (".yaml", ".yml")

GIVEN = frozenset({"request", "output", "output_folder", "video", "prompt", "negative", "duration", "seed", "device"})
"""Placeholders that a request fills; a preset's own variables come beside them."""

HERE = "here"
"""The placeholder of the folder that the preset's file lies in."""

SHORTEST_SECRET = 6
"""Characters; what is shorter is a switch or a number, and striking it out would garble messages."""

_PLACEHOLDER = re.compile(r"\{([a-z_]+)\}")

_TYPES: Mapping[Any, Any] = {"int": int, "float": (int, float), "bool": bool, "str": str}
"""What a field may hold, by its annotation."""

_HASHED_BYTES = 8 << 20
"""Of a program: scripts and launchers are smaller; of what is larger the beginning tells versions apart."""


@dataclass(frozen=True, slots=True)
class Variable:
    """A placeholder whose value is a variable of the environment."""

    name: str
    """In the environment, e.g. FOLEY_MMAUDIO."""
    about: str
    """What it must hold, for who has not set it."""


@dataclass(frozen=True, slots=True)
class Preset:
    """How one program is called, and what it can do."""

    name: str
    argv: tuple[str, ...]
    """The program and its arguments, each one item; placeholders stand in braces, alone or within an item."""
    about: str = ""
    code_licence: str = "unknown"
    weights_licence: str = "unknown"
    """An id of licences.yaml, or any name; then `commercial` says what it allows."""
    commercial: bool | None = None
    """Whether what it makes may be used commercially; None for what licences.yaml says, no where it says nothing."""
    kinds: tuple[Kind, ...] = ("hits", "span", "bed")
    rate_hz: int = 48_000
    """Of what it writes."""
    channels: int = 1
    max_duration_s: float = 30.0
    min_duration_s: float = 0.0
    """The shortest that it is asked for; what is not needed of it is cut off."""
    step_s: float = 0.0
    """It is asked for whole multiples of this; 0 for any length."""
    video: bool = False
    """Looks at the picture: `{video}` is an MP4 of what is to be seen meanwhile."""
    memory_mb: int = 1000
    """Expected use; from 500 on it is run once at a time."""
    needs_gpu: bool = False
    output: str = "output.wav"
    """Where in its folder it writes the sound: a name, or a pattern that fits one file."""
    variables: Mapping[str, Variable] = field(default_factory=dict)
    """More placeholders."""
    links: Mapping[str, str] = field(default_factory=dict)
    """Names in its folder of what lies elsewhere, for programs that find their weights by relative paths."""
    environment: Mapping[str, str | None] = field(default_factory=dict)
    """More variables that it gets; without a value, as they are here."""
    first_in_path: tuple[str, ...] = ()
    """Folders where programs are looked for before all others."""
    revision: str = ""
    """Part of what takes are kept by: change it when the program or its weights change."""
    here: str = ""
    """The folder of the preset's file."""

    def filled(self, text: str, values: Mapping[str, str]) -> str:
        """Return a text with its placeholders filled, in one pass: a value's own braces stay as they are.

        Raises:
            KeyError: where a placeholder has no value.
        """
        return _PLACEHOLDER.sub(lambda found: values[found[1]], text)

    def own_values(self) -> dict[str, str]:
        """Return the values of its own placeholders, as far as they are set; what is a path is made whole."""
        found = {name: os.environ.get(variable.name, "").strip() for name, variable in self.variables.items()}
        return {HERE: self.here} | {name: _whole(value) for name, value in found.items() if value}

    def given_environment(self) -> dict[str, str]:
        """Return the environment that the program gets."""
        own = self.own_values()
        here = {name: os.environ.get(name) if text is None else self.filled(text, own) for name, text in self._set()}
        given = programs.environment({name: value for name, value in here.items() if value is not None})
        first = [self.filled(text, own) for text in self.first_in_path]
        return given | {"PATH": os.pathsep.join([*first, given.get("PATH", os.defpath)])}

    def secrets(self) -> tuple[str, ...]:
        """Return the values that it is passed on from here and that nobody else should see."""
        passed = [os.environ.get(name, "") for name, text in self._set() if text is None]
        return tuple(value for value in passed if len(value) >= SHORTEST_SECRET)

    def missing(self) -> tuple[str, ...]:
        """Return what must be set or installed before it can be run, as instructions."""
        own = self.own_values()
        unset = [f"set {item.name} to {item.about}" for name, item in self.variables.items() if name not in own]
        if unset:
            return tuple(unset)
        places = [self.filled(text, own) for text in self.links.values()]
        absent = [f"{self.name}: {place} is not there" for place in places if not Path(place).exists()]
        program = self.filled(self.argv[0], own)
        if shutil.which(program, path=self.given_environment()["PATH"]) is None:
            absent.insert(0, f"{self.name}: {program} cannot be run")
        return tuple(absent)

    def fingerprint(self) -> str:
        """Return what tells this way of making sound from others: of a program given by itself, its content."""
        total = hashlib.blake2b(repr(dataclasses.replace(self, here="", about="")).encode(), digest_size=8)
        own = self.own_values()
        total.update(repr(sorted((name, value) for name, value in own.items() if name != HERE)).encode())
        program = Path(self.argv[0])
        if program.is_file():
            with program.open("rb") as file:
                total.update(file.read(_HASHED_BYTES))
        return total.hexdigest()

    def _set(self) -> tuple[tuple[str, str | None], ...]:
        return tuple(self.environment.items())


def names() -> tuple[str, ...]:
    """Return the presets that come with foley."""
    return tuple(sorted(path.stem for path in FOLDER.iterdir() if path.suffix in SUFFIXES))


def find(model: str) -> Preset:
    """Return the preset of a name, of a YAML file, or for a program that reads requests itself.

    Raises:
        OptionError: where it is none of these, or a preset that cannot be used.
    """
    if model in names():
        return read(FOLDER / f"{model}.yaml")
    path = Path(_whole(model))
    if path.suffix in SUFFIXES and path.is_file():
        return read(path)
    if not path.is_file():
        raise OptionError(
            f"no program or preset is called {model!r}",
            hint=f"give a program, a preset's YAML file, or one of: {', '.join(names())}",
        )
    if not os.access(path, os.X_OK):
        raise OptionError(f"{path} cannot be run", hint=f"make it a program (chmod +x {path.name}), or write a preset")
    return Preset(path.stem, (str(path), "{request}"), about="a program that reads foley.request/1")


def read(path: Path) -> Preset:
    """Return the preset that a file holds.

    Raises:
        OptionError: where it cannot be used, saying which field is wrong.
    """
    import yaml

    try:
        fields = yamls.load(path.read_text(encoding="utf-8"))
        return _made(path, fields if isinstance(fields, dict) else {})
    except (OSError, yaml.YAMLError, ValueError, TypeError) as cause:
        reason = " ".join(str(cause).split())
        raise OptionError(f"{path}: {reason}", hint="docs/generators.md says what a preset holds") from cause


def _made(path: Path, fields: dict[str, Any]) -> Preset:
    known = {item.name for item in dataclasses.fields(Preset)} - {"name", "here"}
    if unknown := sorted(map(str, set(fields) - known)):
        raise ValueError(f"{unknown[0]}: no field of a preset is called so")
    variables = {name: _variable(name, value) for name, value in (fields.get("variables") or {}).items()}
    lists: dict[str, Any] = {
        name: _texts(name, fields[name]) for name in ("argv", "kinds", "first_in_path") if name in fields
    }
    maps: dict[str, Any] = {
        name: _texts_by_name(name, fields[name]) for name in ("links", "environment") if name in fields
    }
    plain: dict[str, Any] = {"argv": (), **fields, **lists, **maps, "variables": variables}
    preset = Preset(**plain, name=path.stem, here=str(path.parent.resolve()))
    _check(preset)
    return preset


def _check(preset: Preset) -> None:
    """Refuse, by a ValueError, what could not be run."""
    _check_types(preset)
    least, most = preset.min_duration_s, preset.max_duration_s
    demands = {
        "argv: must name the program": bool(preset.argv),
        f"kinds: must be of {', '.join(get_args(Kind))}": set(preset.kinds) <= set(get_args(Kind)),
        "rate_hz: must be 1 or more": preset.rate_hz >= 1,
        "channels: must be 1 or 2": preset.channels in (1, 2),
        "max_duration_s: must be more than 0": most > 0.0,
        "min_duration_s: must lie in 0 to max_duration_s": 0.0 <= least <= most,
        "step_s: must be 0 or more": preset.step_s >= 0.0,
        "output: must be a name in the program's folder": _stays_inside(preset.output),
        "links: must be names in the program's folder": all(map(_stays_inside, preset.links)),
    }
    if broken := [text for text, held in demands.items() if not held]:
        raise ValueError(broken[0])
    _check_placeholders(preset)


def _check_types(preset: Preset) -> None:
    """Refuse a plain field that holds another type than it says."""
    for item in dataclasses.fields(Preset):
        value = getattr(preset, item.name)
        if item.type in _TYPES and (
            not isinstance(value, _TYPES[item.type]) or isinstance(value, bool) != (item.type == "bool")
        ):
            raise ValueError(f"{item.name}: must be a {item.type}, got {value!r}")


def _check_placeholders(preset: Preset) -> None:
    """Refuse a placeholder that nothing would fill: what is set up before the request knows nothing of it."""
    own = {HERE, *preset.variables}
    before = (*preset.links.values(), *preset.first_in_path, *preset.environment.values(), preset.argv[0])
    for texts, allowed in ((before, own), (preset.argv[1:], own | GIVEN)):
        for text in filter(None, texts):
            if unknown := set(_PLACEHOLDER.findall(text)) - allowed:
                raise ValueError(f"{text}: nothing fills {{{min(unknown)}}}; known here: {', '.join(sorted(allowed))}")


def _stays_inside(name: str) -> bool:
    return bool(name) and not Path(name).is_absolute() and ".." not in Path(name).parts


def _texts(name: str, value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(item, str | int | float) for item in value):
        raise ValueError(f"{name}: must be a list of texts")
    return tuple(map(str, value))


def _texts_by_name(name: str, value: Any) -> dict[str, str | None]:
    given = value if isinstance(value, dict) else {"": value}
    blank = (None,) if name == "environment" else ()
    if not all(key and (isinstance(item, str | int | float) or item in blank) for key, item in given.items()):
        raise ValueError(f"{name}: must give each name a text")
    return {str(key): None if item is None else str(item) for key, item in given.items()}


def _variable(name: str, value: Any) -> Variable:
    if name in GIVEN or name == HERE or not _PLACEHOLDER.fullmatch(f"{{{name}}}"):
        raise ValueError(f"variables: {name!r} cannot be a placeholder's name")
    if not isinstance(value, dict) or set(value) != {"name", "about"}:
        raise ValueError(f"variables: {name}: must have name and about")
    return Variable(str(value["name"]), str(value["about"]))


def _whole(text: str) -> str:
    """Return a path that holds from any folder, where the text names something that is there."""
    path = Path(text).expanduser()
    return str(path.absolute()) if path.exists() else text
