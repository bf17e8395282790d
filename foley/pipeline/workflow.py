"""Read workflows: YAML lists of stages with options, checked whole before anything runs."""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

from foley import yamls
from foley.errors import OptionError, UnknownPluginError, WorkflowError
from foley.pipeline import stages
from foley.pipeline.stages import AnyStage

SCHEMA = "foley.workflow/1"
FIELDS = ("schema", "description", "stages")
DEFAULT = "postproduction"


@dataclass(frozen=True, slots=True)
class Step:
    """One stage of a workflow with its options."""

    stage: AnyStage
    options: Any
    """An instance of the stage's options class, or None."""


@dataclass(frozen=True, slots=True)
class Workflow:
    """Stages in order."""

    name: str
    description: str
    steps: tuple[Step, ...]

    def with_options(self, changes: Mapping[str, Mapping[str, Any]]) -> Workflow:
        """Return the workflow with options of some stages changed.

        Raises:
            OptionError: where a stage is not in the workflow, or does not take the option or its value.
        """
        names = [step.stage.name for step in self.steps]
        for name in changes:
            if name not in names:
                raise OptionError(f"workflow {self.name!r} has no stage {name!r} to set an option of")
        steps = (
            replace(step, options=_changed(step, changes[step.stage.name])) if step.stage.name in changes else step
            for step in self.steps
        )
        return replace(self, steps=tuple(steps))


def folder() -> Path:
    """Return where the workflows lie: inside the installed package, or at the top of a checkout."""
    package = Path(__file__).resolve().parents[1]
    installed = package / "workflows"
    return installed if installed.is_dir() else package.parent / "workflows"


def names() -> tuple[str, ...]:
    """Return the names of all workflows that come with foley, the default first."""
    return tuple(sorted((path.stem for path in folder().glob("*.yaml")), key=lambda name: (name != DEFAULT, name)))


def load(name_or_file: str = DEFAULT) -> Workflow:
    """Return a workflow by its name, or from a file.

    Raises:
        UnknownPluginError: where nothing bears the name.
        WorkflowError: where the file is no workflow; names the line and the field.
    """
    path = Path(name_or_file)
    if path.suffix not in {".yaml", ".yml"}:
        path = folder() / f"{name_or_file}.yaml"
        if name_or_file not in names():
            raise UnknownPluginError("workflow", name_or_file, names())
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as cause:
        raise WorkflowError(f"cannot read the workflow {path}: {getattr(cause, 'strerror', cause)}") from cause
    return _Reader(path).read(text)


class _Reader:
    """Turns the YAML nodes of one file into a workflow; nodes know their lines, plain values do not."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self, text: str) -> Workflow:
        try:
            root = yaml.compose(text, Loader=yamls.Loader)
        except yaml.YAMLError as cause:
            raise WorkflowError(f"{self.path} is not YAML: {cause}") from cause
        if not isinstance(root, yaml.MappingNode):
            raise WorkflowError(f"{self.path}: a workflow is a mapping with {', '.join(FIELDS)}")
        fields = {key.value: value for key, value in root.value}
        for key, _ in root.value:
            if key.value not in FIELDS:
                raise self.error(key, f"unknown field {key.value!r}", close(key.value, FIELDS))
        if "schema" not in fields or fields["schema"].value != SCHEMA:
            raise self.error(fields.get("schema", root), f"schema must be {SCHEMA!r}")
        listed = fields.get("stages")
        if not isinstance(listed, yaml.SequenceNode):
            raise self.error(listed or root, "stages must be a list")
        description = str(fields["description"].value) if "description" in fields else ""
        steps = tuple(self.step(node) for node in listed.value)
        return Workflow(self.path.stem, " ".join(description.split()), steps)

    def step(self, node: yaml.Node) -> Step:
        name_node, options_node = node, None
        if isinstance(node, yaml.MappingNode) and len(node.value) == 1:
            ((name_node, options_node),) = node.value
        if not isinstance(name_node, yaml.ScalarNode):
            raise self.error(node, "a stage is its name, or its name with options")
        try:
            stage = stages.find(name_node.value)
        except WorkflowError as cause:
            raise self.error(name_node, cause.message) from cause
        return Step(stage, self.options(stage, options_node))

    def options(self, stage: AnyStage, node: yaml.Node | None) -> Any:
        given: dict[str, Any] = {}
        if isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                given[key.value] = _plain(value)
                try:
                    make_options(stage, {key.value: given[key.value]})
                except OptionError as cause:
                    raise self.error(key, cause.message, cause.hint) from cause
        elif node is not None and not (isinstance(node, yaml.ScalarNode) and node.value == ""):
            raise self.error(node, f"the options of stage {stage.name!r} must be a mapping")
        return make_options(stage, given)

    def error(self, node: yaml.Node, message: str, hint: str = "") -> WorkflowError:
        line = node.start_mark.line + 1
        return OptionError(f"{self.path}:{line}: {message}", hint=hint)


def make_options(stage: AnyStage, given: Mapping[str, Any]) -> Any:
    """Return the stage's options from plain values.

    Raises:
        OptionError: naming the stage, the option, and what it takes.
    """
    known = [field.name for field in dataclasses.fields(stage.options)] if stage.options else []
    for name in given:
        if name not in known:
            hint = close(name, known) if known else f"stage {stage.name!r} has no options"
            raise OptionError(f"stage {stage.name!r} has no option {name!r}", hint=hint)
    if stage.options is None or not given:
        return stage.options and stage.options()
    from pydantic import TypeAdapter, ValidationError

    lists = {field.name for field in dataclasses.fields(stage.options) if str(field.type).startswith("tuple")}
    plain = {name: _listed(value) if name in lists else value for name, value in given.items()}
    try:
        return TypeAdapter(stage.options).validate_python(plain)
    except ValidationError as cause:
        first = cause.errors()[0]
        where, what = ".".join(str(part) for part in first["loc"]), first["msg"].removeprefix("Value error, ")
        if not where:  # refused by the options themselves: they say which of them it is, most of them what it was
            named = [f"{name}={value!r}" for name, value in plain.items() if name in what and ", got " not in what]
            raise OptionError(f"stage {stage.name!r}: {', '.join([what, *named])}") from cause
        raise OptionError(f"stage {stage.name!r}, option {where}: {what}, got {first['input']!r}") from cause


def _listed(value: Any) -> Any:
    """Return a text as the list that it is on a command line, where commas part what is named; all else as it is."""
    return tuple(filter(None, map(str.strip, value.split(",")))) if isinstance(value, str) else value


def close(name: str, known: Any) -> str:
    """Return a hint at the known name that is meant, or at all of them."""
    near = difflib.get_close_matches(name, known, n=1)
    return f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(sorted(known))}"


def _changed(step: Step, changes: Mapping[str, Any]) -> Any:
    present = dataclasses.asdict(step.options) if step.options is not None else {}
    return make_options(step.stage, {**present, **changes})


def _plain(node: yaml.Node) -> Any:
    return yaml.SafeLoader("").construct_object(node, deep=True)
