"""Everything that can go wrong, in one tree; each class owns its exit code.

FoleyError 1
├── MediaError 3 (the input)          NotAMediaFileError, NoVideoStreamError, EmptyVideoError, DamagedVideoError
├── OutputError 4 (the output)        OutputExistsError, CannotWriteError, DiskFullError, MuxError, ExportError
├── MissingProgramError 5             a program or package is not installed; MissingWeightsError
├── PlanError 6                       a plan file, hint or cue sheet that cannot be used
├── WorkflowError 7                   UnknownPluginError, OptionError
├── GenerationError 8                 no generator could make a sound; DeviceMemoryError, CompilationError, LicenceError
├── PlannerError 9                    a model or service gave no usable plan
└── ServiceError 10                   a watched folder or a service that cannot work

Exit code 2 is the command line's own (wrong usage), 11 says that a file was measured and does not pass, 12 and 13
that some or all videos of a batch failed, 130 is an interrupt.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path


class FoleyError(Exception):
    """Something a user can be told; `hint` says what to do next."""

    exit_code = 1

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __reduce__(self) -> tuple[object, ...]:
        """Pickle by state, so that a worker's error arrives whole whatever its constructor takes."""
        return _restore, (type(self), self.message, self.hint)


def _restore(cls: type[FoleyError], message: str, hint: str) -> FoleyError:
    error = cls.__new__(cls)
    FoleyError.__init__(error, message, hint=hint)
    return error


class MediaError(FoleyError):
    """The input file cannot be used."""

    exit_code = 3


class NotAMediaFileError(MediaError):
    """The input is missing, unreadable, or no media at all."""

    def __init__(self, path: Path, reason: str, *, hint: str = "give a video file that ffmpeg can read") -> None:
        super().__init__(f"{path}: {reason}", hint=hint)


class NoVideoStreamError(MediaError):
    """The file holds no pictures to make sound for."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"{path} has no video stream", hint="foley needs a picture to make sound for")


class EmptyVideoError(MediaError):
    """The video stream holds no frame that can be decoded, or lasts no time."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"{path} has no picture that lasts: {reason}", hint="check that the file was copied whole")


class DamagedVideoError(MediaError):
    """The picture cannot be decoded any further."""

    def __init__(self, path: Path, reason: str, *, hint: str = "") -> None:
        super().__init__(
            f"{path} is damaged: {reason}", hint=hint or f"try: ffmpeg -i {path.name} -c copy repaired.mkv"
        )


class OutputError(FoleyError):
    """The result cannot be written."""

    exit_code = 4


class OutputExistsError(OutputError):
    """The output is there already and replacing it was not asked for."""

    def __init__(self, path: Path, hint: str = "add --overwrite to replace it, or name another with -o") -> None:
        super().__init__(f"{path} exists already", hint=hint)


class CannotWriteError(OutputError):
    """The place for the output cannot be written to."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"cannot write {path}: {reason}", hint="name another place with -o or --workdir")


class DiskFullError(OutputError):
    """There is no room for what would be written."""

    def __init__(self, path: Path, needed_mb: float | None = None) -> None:
        need = f", about {needed_mb:.0f} MB are needed" if needed_mb else ""
        super().__init__(
            f"the disk that holds {path} is full{need}",
            hint="free some space (foley cache prune), or name another --workdir",
        )


class MuxError(OutputError):
    """The container cannot hold what should go into it."""


class ExportError(OutputError):
    """A timeline cannot be written in a form, or read from one."""


class MissingProgramError(FoleyError):
    """A program or package that this needs is not installed."""

    exit_code = 5

    def __init__(self, name: str, mend: str) -> None:
        super().__init__(f"{name} is not installed", hint=mend)


class MissingWeightsError(MissingProgramError):
    """A model's weights are not here and cannot be fetched."""

    def __init__(self, model: str, reason: str, mend: str) -> None:
        FoleyError.__init__(self, f"the weights of {model} cannot be used: {reason}", hint=mend)


class PlanError(FoleyError):
    """A plan, hint file or cue sheet that cannot be used."""

    exit_code = 6


class WorkflowError(FoleyError):
    """A workflow that cannot be run."""

    exit_code = 7


class OptionError(WorkflowError):
    """An option that a stage does not have, or with a value it cannot take."""


class UnknownPluginError(WorkflowError):
    """A name that no plugin bears."""

    def __init__(self, kind: str, name: str, known: Iterable[str]) -> None:
        super().__init__(f"no {kind} is called {name!r}", hint=f"there are: {', '.join(sorted(known))}")


class GenerationError(FoleyError):
    """A generator could not make a sound."""

    exit_code = 8

    def __init__(self, event_id: str, generator: str, reason: str, *, retryable: bool = False) -> None:
        super().__init__(f"event {event_id}: {generator}: {reason}", hint="name another with --generator")
        self.retryable = retryable
        """True where trying again may help: out of memory, a service that is busy."""


class DeviceMemoryError(GenerationError):
    """What was asked for at once does not fit into the device's memory."""

    def __init__(self, event_id: str, generator: str, device: str) -> None:
        super().__init__(event_id, generator, f"out of memory on {device}", retryable=True)


class CompilationError(GenerationError):
    """A model that was to be compiled cannot be; without compiling it works, with other last bits."""

    def __init__(self, reason: str) -> None:
        FoleyError.__init__(self, f"the model could not be compiled: {reason}", hint="leave --compile out")
        self.retryable = False


class LicenceError(GenerationError):
    """The only generators that could make the sound are refused by the licence policy."""


class PlannerError(FoleyError):
    """A model or service that was asked for a plan gave none that can be used."""

    exit_code = 9

    def __init__(self, planner: str, reason: str, *, hint: str = "use --planner rules, which asks nobody") -> None:
        super().__init__(f"the planner {planner}: {reason}", hint=hint)


class ServiceError(FoleyError):
    """A watched folder or a service cannot start or go on."""

    exit_code = 10
