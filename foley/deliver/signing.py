"""Content credentials (C2PA) in the finished video, signed with the user's own certificate; the door to `c2pa`."""

from __future__ import annotations

import importlib
import importlib.util
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from foley.deliver import origin
from foley.errors import CannotWriteError, MissingProgramError, MuxError
from foley.media.atomic import written_whole

Algorithm = Literal["es256", "es384", "es512", "ps256", "ps384", "ps512", "ed25519"]

INSTALL = "pip install c2pa-python"

_MIME = {".mp4": "video/mp4", ".m4v": "video/mp4", ".mov": "video/quicktime", ".avi": "video/avi"}
"""Containers that hold content credentials, of those that foley writes."""
_OTHER = "application/octet-stream"


@dataclass(frozen=True, slots=True)
class Signature:
    """Who signs, and with what."""

    certificate: Path
    """Chain in PEM, the signer's own first."""
    key: Path
    """Private key in PEM; read when it is needed, kept nowhere."""
    algorithm: Algorithm = "es256"
    timestamps: str = ""
    """Address of a time stamp authority (RFC 3161); "" for none, and no network."""


def installed() -> bool:
    """Return whether the package that signs is here."""
    return importlib.util.find_spec("c2pa") is not None


def refuse_unsignable(video: Path) -> None:
    """Refuse, before any work, a video that cannot hold content credentials.

    Raises:
        MuxError: where its container is none that can.
        MissingProgramError: where c2pa-python is not installed.
    """
    if video.suffix.lower() not in _MIME:
        raise MuxError(
            f"{video}: a {video.suffix} file cannot hold content credentials",
            hint=f"name an output that ends in {', '.join(_MIME)}, or leave out deliver.c2pa_certificate",
        )
    if not installed():
        raise MissingProgramError("c2pa-python", INSTALL)


def sign(video: Path, clip: Path, claim: dict[str, Any], *, by: Signature) -> None:
    """Put a signed claim into a video, which is replaced whole.

    Args:
        video: The finished video.
        clip: What it was made from; where it has credentials of its own, they are kept in the claim.
        claim: As `claim` makes it.
        by: Who signs.

    Raises:
        CannotWriteError: where certificate or key cannot be used, or it cannot be signed.
    """
    c2pa: Any = importlib.import_module("c2pa")
    try:
        certificate, key = by.certificate.read_text(encoding="ascii"), by.key.read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError) as cause:
        raise CannotWriteError(video, f"its certificate or key cannot be read ({cause})") from cause
    mime = _MIME[video.suffix.lower()]
    ingredient = {"title": clip.name, "relationship": "parentOf", "instance_id": "xmp:iid:clip"}
    try:
        info = c2pa.C2paSignerInfo(by.algorithm, certificate.encode(), key.encode(), by.timestamps or None)
        with (
            written_whole(video) as part,
            c2pa.Signer.from_info(info) as signer,
            c2pa.Builder(json.dumps(claim)) as builder,
            clip.open("rb") as original,
            video.open("rb") as unsigned,
            part.open("w+b") as signed,
        ):
            builder.add_ingredient(json.dumps(ingredient), _MIME.get(clip.suffix.lower(), _OTHER), original)
            builder.sign(signer, mime, unsigned, signed)
    except c2pa.C2paError as cause:
        raise CannotWriteError(video, f"it cannot be signed: {cause}") from cause


def claim(title: str, kind: origin.SourceType, *, version: str, generators: Sequence[str]) -> dict[str, Any]:
    """Return what a signed video claims: the clip was opened, its sound was made by foley, and of what kind that is.

    Args:
        title: Name of the video.
        kind: Of all its new sound.
        version: Of foley.
        generators: That made it.
    """
    agent = {"name": "foley", "version": version}
    dubbed: dict[str, Any] = {
        "action": "c2pa.dubbed",
        "softwareAgent": agent,
        "parameters": {"description": f"{origin.sentence(kind)}, by {', '.join(generators) or 'nobody'}"},
    }
    if kind:
        dubbed["digitalSourceType"] = origin.uri(kind)
    opened = {"action": "c2pa.opened", "parameters": {"ingredientIds": ["xmp:iid:clip"]}}
    return {
        "title": title,
        "claim_generator_info": [agent],
        "assertions": [{"label": "c2pa.actions.v2", "data": {"actions": [opened, dubbed]}}],
    }
