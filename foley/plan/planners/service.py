"""Plan with a vision-language model behind an address: vLLM, Ollama, or a service in a cloud."""

from __future__ import annotations

from foley.contracts import Case, Context, PlannerSettings
from foley.model import Proposal
from foley.plan.dialogue import service
from foley.plan.dialogue.conduct import VERSION, conducted
from foley.plan.dialogue.hinted import reader

NAME = "service"


def build() -> Service:
    """Return the planner."""
    return Service()


class Service:
    """Sends small frames and what was measured to a chat service; the video itself stays here."""

    def identity(self, settings: PlannerSettings) -> str:
        """Return name, version, address and model: who else answers there later is not known."""
        return f"{NAME}/{VERSION}/{reader(settings)}/{service.endpoint_of(settings.endpoint)}/{settings.model}"

    def missing(self, settings: PlannerSettings) -> tuple[str, ...]:
        """Return what must be set."""
        return service.lacking(settings.endpoint, settings.model)

    def plan(self, case: Case, settings: PlannerSettings, ctx: Context) -> Proposal:
        """Return the sounds that the model hears, and its answers.

        Raises:
            OptionError: where the endpoint is no address.
            PlannerError: where the service gives no usable answer.
        """
        chat = service.ServiceChat(NAME, settings.endpoint, settings.model, settings.timeout_s)
        return conducted(NAME, chat, case, settings=settings, ctx=ctx)
