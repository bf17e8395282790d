"""What deliveries ask of loudness: the profiles, as data with their sources, and which of a profile's measures applies.

A profile's figures are about the whole programme. Where it wants dialogue measured, that is asked for beside them: only
somebody who looked for speech, and found enough of it, can hold a programme against that.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal, get_args

from foley.model import Span
from foley.model.report import LoudnessMeasure

ProfileName = Literal["ebu-r128", "atsc-a85", "netflix", "web", "off"]
PROFILE_NAMES: tuple[ProfileName, ...] = get_args(ProfileName)

TOLERANCE_LU = 0.5
"""How far from its target a programme may be (EBU R 128, 2023)."""


@dataclass(frozen=True, slots=True)
class DialogueTarget:
    """What is asked of the loudness of dialogue: of the blocks in which somebody speaks."""

    target_lufs: float
    tolerance_lu: float
    least_share: float
    """Of the programme that must be speech for this to count, 0 to 1."""


@dataclass(frozen=True, slots=True)
class LoudnessProfile:
    """What a delivery asks for."""

    target_lufs: float | None
    """Integrated loudness of the programme, gated as in BS.1770-4; None: whatever it is."""
    tolerance_lu: float
    """How far off the target it may be, to either side."""
    ceiling_dbtp: float
    short_peak_dbtp: float
    """True peak of a sound that is too short to have a loudness."""
    source: str
    dialogue: DialogueTarget | None = None
    """What counts instead where enough of the programme is speech."""


PROFILES: Mapping[ProfileName, LoudnessProfile] = MappingProxyType(
    {
        "ebu-r128": LoudnessProfile(
            target_lufs=-23.0,
            tolerance_lu=TOLERANCE_LU,
            ceiling_dbtp=-1.0,
            short_peak_dbtp=-9.0,
            source="EBU R 128 (2023); peaks of short sounds at the permitted maximum level of EBU R 68",
        ),
        "atsc-a85": LoudnessProfile(
            target_lufs=-24.0,
            tolerance_lu=2.0,
            ceiling_dbtp=-2.0,
            short_peak_dbtp=-10.0,  # 1 dB under EBU R 68's, as the target is 1 LU under EBU R 128's
            source="ATSC A/85:2013, measured over all of the programme, as it asks where no dialogue is set apart",
        ),
        "netflix": LoudnessProfile(
            target_lufs=-24.0,
            tolerance_lu=2.0,
            ceiling_dbtp=-2.0,
            short_peak_dbtp=-10.0,
            source="Netflix Sound Mix Specifications & Best Practices: dialogue -27 LKFS +/- 2 LU; under 15 % of "
            "dialogue the programme -24 LKFS +/- 2 LU",
            dialogue=DialogueTarget(-27.0, 2.0, least_share=0.15),
        ),
        "web": LoudnessProfile(
            target_lufs=-14.0,
            tolerance_lu=TOLERANCE_LU,  # nobody asks for one: that of EBU R 128
            ceiling_dbtp=-1.0,
            short_peak_dbtp=-1.0,
            source="what large video and music services play at; no standard of delivery",
        ),
        "off": LoudnessProfile(
            target_lufs=None,
            tolerance_lu=TOLERANCE_LU,
            ceiling_dbtp=-1.0,
            short_peak_dbtp=-1.0,
            source="levels as planned; the ceiling is that of EBU R 128",
        ),
    }
)


@dataclass(frozen=True, slots=True)
class Dialogue:
    """Where somebody speaks in a programme."""

    spans: tuple[Span, ...] = ()
    by: str = ""
    """Who looked for it; "" where nobody did."""
    none_because: str = ""
    """Why there can be none, where that is known without looking."""

    def share(self, duration_s: float) -> float:
        """Return how much of a programme is speech, 0 to 1."""
        spoken_s = sum(max(0.0, min(span.end_s, duration_s) - max(span.start_s, 0.0)) for span in self.spans)
        return spoken_s / duration_s if duration_s > 0.0 else 0.0


NOBODY_LOOKED = Dialogue()
EFFECTS_ALONE = Dialogue(none_because="it holds effects alone, no dialogue")


@dataclass(frozen=True, slots=True)
class Aim:
    """Which of a profile's measures applies to a programme, and why."""

    measure: LoudnessMeasure
    target_lufs: float | None
    tolerance_lu: float
    because: str = ""
    """Said where the profile could have applied another measure."""


def aim(profile: LoudnessProfile, dialogue: Dialogue, duration_s: float) -> Aim:
    """Return what of a profile applies to a programme.

    >>> aim(PROFILES["netflix"], Dialogue((Span(0.0, 3.0),), by="silero-vad 6.0"), 10.0).target_lufs
    -27.0
    >>> aim(PROFILES["netflix"], NOBODY_LOOKED, 10.0).because
    'nobody looked for speech'
    """
    wanted = profile.dialogue
    if wanted is None:
        return Aim("programme", profile.target_lufs, profile.tolerance_lu)
    share = dialogue.share(duration_s)
    found = f"{100 * share:.0f} % of it is speech, found by {dialogue.by}"
    if dialogue.by and share >= wanted.least_share:
        return Aim("dialogue", wanted.target_lufs, wanted.tolerance_lu, found)
    too_little = f"{found}; {100 * wanted.least_share:.0f} % are needed" if dialogue.by else "nobody looked for speech"
    return Aim("programme", profile.target_lufs, profile.tolerance_lu, dialogue.none_because or too_little)
