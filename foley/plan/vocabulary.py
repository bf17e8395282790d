"""Sound classes as data: `vocabulary/*.yaml`, one entry each, read once and checked."""

from __future__ import annotations

import dataclasses
import difflib
import typing
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, get_args

from foley.errors import PlanError
from foley.model import Bus, Cue, Kind, ProposedSound, Room
from foley.plan.words import language, read_yaml

FOLDER = Path(__file__).with_suffix("")

USUAL_AVOID = "music, speech"
"""What nobody wants in an effect, and text-to-audio models like to add."""


@dataclass(frozen=True, slots=True)
class SoundClass:
    """One kind of sound: how words name it, how it shows, how it is made."""

    id: str
    label: str
    ucs: str
    """CatID of the Universal Category System 8.2.1."""
    kind: Kind
    bus: Bus
    level_db: float
    """Usual level, as `SoundEvent.level_db`."""
    prompt: str
    """How it sounds, for generators that read."""
    avoid: str = USUAL_AVOID
    verbs: tuple[str, ...] = ()
    """Name it together with one of the nouns; "@name" stands for a group of words.yaml."""
    nouns: tuple[str, ...] = ()
    """Name it together with one of the verbs."""
    synonyms: tuple[str, ...] = ()
    """Words or phrases that name it alone."""
    alone: tuple[str, ...] = ()
    """Words or phrases that name it where a clause says nothing else, as captions do: "[waves]"."""
    material: tuple[str, ...] = ()
    """What it is made of: supports, never suffices."""
    context: tuple[str, ...] = ()
    """Words that support it from anywhere in the text."""
    places: tuple[str, ...] = ()
    """For beds: where one would hear it."""
    cue: Cue | None = None
    """How its instants show; None where they do not."""
    periodic: bool = False
    """Repeats evenly."""
    once: bool = False
    """Happens once where it is named: a door slams or creaks, a glass breaks."""
    recipe: str = ""
    """For the procedural generator; "" where it has none."""
    parameters: Mapping[str, float | str] = field(default_factory=dict)
    intensity: float = 1.0
    """How strong a bed usually is: an engine idles, rain seldom pours; textures are duller and thinner below 1."""
    distance_m: float = 2.0
    confidence: float = 1.0
    """The most that a planner may be sure of it."""
    placeholder: bool = False
    """The procedural sound is honestly poor here."""
    backgrounds: tuple[str, ...] = ()
    """Ids of beds that are natural under it, the likeliest first."""
    room: Room | None = None
    """For beds: how the place answers where one hears it; None where that says nothing."""
    ground: str = ""
    """For beds: id of the footsteps that one hears there, where nobody names the ground."""

    def proposed(self, because: str) -> ProposedSound:
        """Return it as a planner proposes it, as it usually is."""
        return ProposedSound(
            label=self.label,
            kind=self.kind,
            bus=self.bus,
            because=because,
            cue=self.cue,
            periodic=self.periodic,
            ucs=self.ucs,
            prompt=self.prompt,
            avoid=self.avoid,
            recipe=self.recipe,
            parameters=self.parameters,
            intensity=self.intensity,
            level_db=self.level_db,
            distance_m=self.distance_m,
            confidence=self.confidence,
            placeholder=self.placeholder,
        )


@cache
def vocabulary() -> Mapping[str, SoundClass]:
    """Return all sound classes by id, in the order of the files.

    Raises:
        PlanError: where an entry is wrong, naming file, entry and field.
    """
    return read_folder(FOLDER)


def read_folder(folder: Path) -> Mapping[str, SoundClass]:
    """Return the sound classes of all YAML files of a folder.

    Raises:
        PlanError: listing everything that is wrong.
    """
    found: dict[str, SoundClass] = {}
    faults: list[str] = []
    for path in sorted(folder.glob("*.yaml")):
        for name, entry in read_yaml(path).items():
            where = f"{path.name}: {name}"
            wrong = list(_faults(name, entry))
            faults += [f"{where}: {fault}" for fault in wrong]
            if name in found:
                faults.append(f"{where}: is there twice")
            if not wrong:
                found[name] = _sound_class(name, entry)
    faults += _broken_links(found)
    if faults:
        raise PlanError("the vocabulary cannot be used:\n" + "\n".join(faults))
    return found


def _broken_links(found: Mapping[str, SoundClass]) -> list[str]:
    faults = [
        f"{name}: backgrounds: no bed is called {bed!r}"
        for name, item in found.items()
        for bed in item.backgrounds
        if bed not in found or found[bed].kind != "bed"
    ]
    return faults + [
        f"{name}: ground: there is no {item.ground!r}"
        for name, item in found.items()
        if item.ground and item.ground not in found
    ]


def _sound_class(name: str, entry: dict[str, Any]) -> SoundClass:
    values: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in entry.items()}
    for key in ("verbs", "nouns", "synonyms"):
        values[key] = tuple(_expanded(values.get(key, ())))
    for key, hint in _types().items():
        if hint is float and key in values:
            values[key] = float(values[key])
    values["parameters"] = {
        key: value if isinstance(value, str) else float(value) for key, value in values.get("parameters", {}).items()
    }
    return SoundClass(id=name, **values)


def _expanded(words: tuple[str, ...]) -> Iterator[str]:
    """Yield the words, those that begin with a group once for each of its words: "@shoe on gravel"."""
    for word in words:
        group, _, rest = word.removeprefix("@").partition(" ")
        yield from (f"{one} {rest}".strip() for one in language().groups[group]) if word[:1] == "@" else (word,)


def _faults(name: str, entry: object) -> Iterator[str]:
    """Yield what is wrong with one entry, in words."""
    if not isinstance(entry, dict):
        yield "must be a mapping of fields"
        return
    types = _types()
    needed = [f.name for f in dataclasses.fields(SoundClass) if _is_needed(f)]
    for key in sorted(set(needed) - {"id"} - entry.keys()):
        yield f"{key} is missing"
    for key, value in entry.items():
        if key not in types:
            near = difflib.get_close_matches(key, types, 1)
            yield f"{key}: no such field" + (f", did you mean {near[0]}?" if near else "")
        elif not _fits(value, types[key]):
            yield f"{key}: {value!r} is not {_wanted(types[key])}"
        else:
            yield from _unknown_groups(key, value)


@cache
def _types() -> Mapping[str, Any]:
    """Return the types of an entry's fields."""
    return {key: hint for key, hint in typing.get_type_hints(SoundClass).items() if key != "id"}


def _is_needed(item: dataclasses.Field[Any]) -> bool:
    return item.default is dataclasses.MISSING and item.default_factory is dataclasses.MISSING


def _unknown_groups(key: str, value: object) -> Iterator[str]:
    for word in value if isinstance(value, list) else ():
        if word.startswith("@") and word[1:].partition(" ")[0] not in language().groups:
            yield f"{key}: no group is called {word!r}"


def _fits(value: object, hint: Any) -> bool:
    if typing.get_origin(hint) is tuple:
        return isinstance(value, list) and all(isinstance(word, str) for word in value)
    if hint is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    if hint in (str, bool):
        return isinstance(value, hint)
    if typing.get_origin(hint) is not None and "Mapping" in str(hint):
        return isinstance(value, dict) and all(isinstance(item, int | float | str) for item in value.values())
    return value in _choices(hint)


def _wanted(hint: Any) -> str:
    plain = {float: "a number", str: "text", bool: "true or false"}
    if hint in plain:
        return plain[hint]
    if choices := _choices(hint):
        return "one of " + ", ".join(str(choice) for choice in choices)
    return "a list of texts" if typing.get_origin(hint) is tuple else "a mapping of numbers and texts"


def _choices(hint: Any) -> tuple[object, ...]:
    """Return the values of a Literal, also inside a union with None."""
    found: list[object] = []
    for arg in get_args(hint):
        found += _choices(arg) if get_args(arg) else [arg] if isinstance(arg, str) else []
    return tuple(found)
