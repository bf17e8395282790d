"""The hook script that OpenTimelineIO loads, by path: light, because it is run at every write of a timeline."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any


def hook_function(in_timeline: Any, argument_map: Mapping[str, Any] | None = None) -> Any:
    """Return the timeline with sound, where that is asked for; see `foley.integrations.otio.attach`.

    OTIO calls this by keyword: the first name is part of its interface.
    """
    arguments = argument_map or {}
    if "foley" not in arguments and not os.environ.get("FOLEY_OTIO"):
        return in_timeline
    from foley.integrations.otio.attach import attached

    return attached(in_timeline, arguments)
