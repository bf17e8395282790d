"""Which items' sounds may go to models, and how their takes are made. Loaded by name: generators may hang on torch."""

from __future__ import annotations

from foley import api, plugins
from foley.batch.items import Item
from foley.errors import FoleyError
from foley.render.routing import AUTO, Roster
from foley.render.takes import TakesOptions, roster_of


class Models:
    """Which items may have sounds that a model makes: those are worth making together."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], bool] = {}

    def may_be_asked(self, item: Item) -> bool:
        """Return whether an item's sounds may go to a generator that holds a model."""
        try:
            opts = takes_options(item)
        except FoleyError:  # its run says what is wrong
            return False
        named = opts.generator if opts.generator != AUTO else item.brief.generator
        key = named, repr((opts.models, opts.device, opts.max_vram_mb, opts.quantise))
        if key not in self._known:
            self._known[key] = self._is_heavy(named, roster_of(opts))
        return self._known[key]

    def _is_heavy(self, named: str, roster: Roster) -> bool:
        try:
            if named != AUTO:
                return roster.studio(named).heavy
            studios = (roster.studio(name) for name in plugins.names("generator"))
            return any(studio.heavy and not studio.capabilities.remote and not studio.missing for studio in studios)
        except FoleyError:
            return False


def takes_options(item: Item) -> TakesOptions:
    """Return how an item's takes are made.

    Raises:
        WorkflowError: where its workflow or an option is none.
    """
    for step in api.flow_of(item.settings).steps:
        if isinstance(step.options, TakesOptions):
            return step.options
    return TakesOptions()
