"""Which files a job may name: those under the roots, by whatever links and dots they are written."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from foley.service.refusals import RefusedError


@dataclass(frozen=True, slots=True)
class Roots:
    """Folders whose files jobs may name."""

    folders: tuple[Path, ...]
    """Resolved."""

    def existing(self, field: str, text: str) -> Path:
        """Return a file that a job reads.

        Raises:
            RefusedError: where it is outside the roots, or not there.
        """
        path = self.inside(field, text)
        if not path.is_file():
            raise RefusedError(422, "FileNotFound", f"{field}: {text} is not there, or no file")
        return path

    def inside(self, field: str, text: str) -> Path:
        """Return a path with its links followed; whether anything lies outside the roots is told to nobody.

        Raises:
            RefusedError: where it is outside the roots.
        """
        if not self.folders:
            hint = "send the clip as an upload, or start the service with --root DIR"
            raise RefusedError(403, "PathRefused", f"{field}: this service takes no paths", hint=hint)
        try:
            path = Path(text)
            if not path.is_absolute():
                raise RefusedError(422, "PathRefused", f"{field}: {text!r} is no absolute path")
            real = path.resolve()
        except (OSError, RuntimeError, ValueError) as cause:  # a loop of links, a name that no system takes
            raise RefusedError(422, "PathRefused", f"{field}: {text!r} is no path") from cause
        if not any(real.is_relative_to(folder) for folder in self.folders):
            hint = f"roots: {', '.join(map(str, self.folders))}; more with --root DIR"
            raise RefusedError(403, "PathRefused", f"{field}: {text} is outside the roots of this service", hint=hint)
        return real
