"""Refine a plan with a language model that sees nothing: `rules+text`; alone, it goes over what the rules propose."""

from __future__ import annotations

from dataclasses import replace

from foley.contracts import Case, Context, PlannerSettings
from foley.model import Proposal
from foley.plan.dialogue import local, service
from foley.plan.dialogue.hinted import reader, said
from foley.plan.dialogue.refining import VERSION, refined
from foley.plan.dialogue.talk import Chat

NAME, PURPOSE = "text", "text"


def build() -> Text:
    """Return the planner."""
    return Text()


class Text:
    """Reads: a small model here, or a chat service where an endpoint is set."""

    def identity(self, settings: PlannerSettings) -> str:
        """Return name, version and the model's revision or address."""
        if endpoint := service.endpoint_of(settings.endpoint):
            return f"{NAME}/{VERSION}/{reader(settings)}/{endpoint}/{settings.model}"
        model = local.model_of(settings.model, PURPOSE)
        return f"{NAME}/{VERSION}/{reader(settings)}/{model}@{local.revision(model)}"

    def missing(self, settings: PlannerSettings) -> tuple[str, ...]:
        """Return what must be installed, fetched or set."""
        if endpoint := service.endpoint_of(settings.endpoint):
            return service.lacking(endpoint, settings.model)
        return local.lacking(local.model_of(settings.model, PURPOSE), pictures=False)

    def plan(self, case: Case, settings: PlannerSettings, ctx: Context) -> Proposal:
        """Return what the rules propose, as the model would have it.

        Raises:
            MissingWeightsError: where the weights are not here.
            PlannerError: where the model gives no usable answer.
        """
        return replace(self.refine(case, said(case, settings, ctx).rules, settings, ctx), planner=NAME)

    def refine(self, case: Case, proposal: Proposal, settings: PlannerSettings, ctx: Context) -> Proposal:
        """Return another planner's proposal as the model would have it.

        Raises:
            MissingWeightsError: where the weights are not here.
            PlannerError: where the model gives no usable answer.
        """
        name = f"{proposal.planner}+{NAME}"
        return refined(name, _chat(name, settings), case, proposal, settings=settings, ctx=ctx)


def _chat(name: str, settings: PlannerSettings) -> Chat:
    if service.endpoint_of(settings.endpoint):
        return service.ServiceChat(name, settings.endpoint, settings.model, settings.timeout_s)
    model = local.model_of(settings.model, PURPOSE)
    return local.LocalChat(name, model, settings.device, settings.timeout_s, pictures=False)
