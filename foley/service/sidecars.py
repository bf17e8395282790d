"""What is asked for a clip in a watched folder: a sidecar beside it, and one for the whole folder."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import yaml

from foley import api, yamls
from foley.errors import FoleyError, ServiceError
from foley.plan.nodes import NodeReader
from foley.service import work
from foley.service.messages import Ask, Wishes
from foley.service.work import Rules

FOR_ALL = ("foley.yaml", "foley.yml", "foley.json", "foley.txt")
"""Names of the folder's own sidecar."""

SUFFIXES = (".yaml", ".yml", ".json", ".txt")

MOST_BYTES = 2 << 20
"""Of a sidecar; as of a request of the HTTP API."""

FILE_FIELDS = ("subtitles", "cue_sheet")


def beside(clip: Path) -> list[Path]:
    """Return the sidecars of a clip: CLIP.yaml, or CLIP.mov.yaml where two clips are called alike."""
    whole = [clip.with_name(clip.name + suffix) for suffix in SUFFIXES]
    alike = [clip.with_suffix(suffix) for suffix in SUFFIXES]
    found = [path for path in whole if path.is_file()] or [path for path in alike if path.is_file()]
    return [path for path in found if path.name not in FOR_ALL]


def read_ask(clip: Path, rules: Rules) -> Ask:
    """Return what is asked for a clip: its sidecar's fields before the folder's.

    Raises:
        FoleyError: naming the file, the line and the field.
    """
    own = beside(clip)
    if len(own) > 1:
        raise ServiceError(f"{clip.name} has several sidecars: {', '.join(path.name for path in own)}", hint="keep one")
    for_all = [path for path in (clip.with_name(name) for name in FOR_ALL) if path.is_file()][:1]
    values: dict[str, Any] = {}
    options: dict[str, dict[str, Any]] = {}
    for path in (*for_all, *own):
        given, chosen = _Sidecar(path, rules).read()
        values |= given
        for stage, some in chosen.items():
            options.setdefault(stage, {}).update(some)
    ask = Ask(**values, options=options)
    work.check(ask, rules)
    return ask


class _Sidecar:
    """One file; every fault in it is told with its line."""

    def __init__(self, path: Path, rules: Rules) -> None:
        self.path, self.rules = path, rules
        self._reader = NodeReader()

    def read(self) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
        """Return the fields that it gives, and the stages' options."""
        text = self._text()
        if self.path.suffix == ".txt":
            return {"prompt": "; ".join(line.strip() for line in text.splitlines() if line.strip())}, {}
        root = self._compose(text)
        if root is None:
            return {}, {}
        found = self._record(root)
        nodes = {key.value: value for key, value in root.value} if isinstance(root, yaml.MappingNode) else {}
        options = self._options(nodes["options"]) if "options" in nodes else {}
        self._refuse_faults()
        given = {name: getattr(found, name) for name in nodes if name != "options"}
        return given | {name: self._file(name, given[name]) for name in FILE_FIELDS if given.get(name)}, options

    def _text(self) -> str:
        try:
            if self.path.stat().st_size > MOST_BYTES:
                raise ServiceError(f"{self.path.name} is longer than {MOST_BYTES >> 20} MB, too long for a sidecar")
            return self.path.read_text(encoding="utf-8-sig")
        except OSError as cause:
            raise ServiceError(f"{self.path.name} cannot be read: {(cause.strerror or str(cause)).lower()}") from cause
        except UnicodeDecodeError as cause:
            raise ServiceError(f"{self.path.name} is not UTF-8 text", hint="save it as UTF-8") from cause

    def _compose(self, text: str) -> yaml.Node | None:
        if self.path.suffix == ".json":
            text = text.replace("\t", " ")  # JSON is YAML but for tabs that indent; its strings hold none
        try:
            return yaml.compose(text, Loader=yamls.Loader)
        except yaml.MarkedYAMLError as cause:
            line = cause.problem_mark.line + 1 if cause.problem_mark else 1
            raise ServiceError(f"{self.path.name}:{line}: is not YAML: {cause.problem or cause.context}") from cause
        except (yaml.YAMLError, RecursionError) as cause:
            raise ServiceError(f"{self.path.name}: is not YAML: {cause}") from cause

    def _record(self, root: yaml.Node) -> Any:
        try:
            return self._reader.record(root, Wishes, "", ignore=frozenset({"options"}))
        except ValueError as cause:
            line = next((line for name, line in self._reader.lines.items() if name in str(cause)), 1)
            raise ServiceError(f"{self.path.name}:{line}: {cause}") from cause

    def _options(self, node: yaml.Node) -> dict[str, dict[str, Any]]:
        """Return the options of stages; each is tried alone, so that a fault has its line."""
        options: dict[str, dict[str, Any]] = {}
        for stage, some in self._entries(node, "options"):
            for name, value in self._entries(some, f"options.{stage}"):
                options.setdefault(stage, {})[name] = plain = yaml.SafeLoader("").construct_object(value, deep=True)
                try:
                    api.flow_of(work.settings_of(Ask(options={stage: {name: plain}}), self.rules))
                except FoleyError as cause:
                    self._reader.fault(value, f"options.{stage}.{name}", cause.message)
        return options

    def _entries(self, node: yaml.Node, where: str) -> Iterable[tuple[str, yaml.Node]]:
        if not isinstance(node, yaml.MappingNode):
            self._reader.fault(node, where, "must be a mapping")
            return []
        return [(str(key.value), value) for key, value in node.value]

    def _refuse_faults(self) -> None:
        faults = sorted(self._reader.faults, key=lambda fault: fault.line)
        if faults:
            listed = (
                f"{self.path.name}:{one.line}: {one.where + ': ' if one.where else ''}{one.what}" for one in faults
            )
            known = ", ".join([*(field.name for field in fields(Wishes)), "options"])
            raise ServiceError("\n".join(listed), hint=f"fields: {known}")

    def _file(self, field: str, name: str) -> str:
        """Return a file that a sidecar names: only what lies in the watched folder may be read for it."""
        path = (self.path.parent / name).resolve()
        line = self._reader.lines.get(field, 1)
        if not path.is_relative_to(self.path.parent.resolve()):
            raise ServiceError(f"{self.path.name}:{line}: {field}: {name} is not in the watched folder")
        if not path.is_file():
            raise ServiceError(f"{self.path.name}:{line}: {field}: {name} is not there")
        return str(path)


def plain(ask: Ask) -> Mapping[str, Any]:
    """Return what is asked as JSON holds it."""
    return {field.name: getattr(ask, field.name) for field in fields(ask)}
