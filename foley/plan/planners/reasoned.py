"""Plan with a vision-language model that runs here: it looks at the frames and answers step by step."""

from __future__ import annotations

from foley.contracts import Case, Context, PlannerSettings
from foley.model import Proposal
from foley.plan.dialogue import local
from foley.plan.dialogue.conduct import VERSION, conducted
from foley.plan.dialogue.hinted import reader

NAME, PURPOSE = "reasoned", "planner"


def build() -> Reasoned:
    """Return the planner."""
    return Reasoned()


class Reasoned:
    """Asks a model of the Qwen3-VL, Qwen2.5-VL or SmolVLM2 family, or any that takes pictures through transformers."""

    def identity(self, settings: PlannerSettings) -> str:
        """Return name, version and the weights' revision."""
        model = local.model_of(settings.model, PURPOSE)
        return f"{NAME}/{VERSION}/{reader(settings)}/{model}@{local.revision(model)}"

    def missing(self, settings: PlannerSettings) -> tuple[str, ...]:
        """Return what must be installed or fetched."""
        return local.lacking(local.model_of(settings.model, PURPOSE), pictures=True)

    def plan(self, case: Case, settings: PlannerSettings, ctx: Context) -> Proposal:
        """Return the sounds that the model hears, and its answers.

        Raises:
            MissingWeightsError: where the weights are not here.
            PlannerError: where the model gives no usable answer.
        """
        model = local.model_of(settings.model, PURPOSE)
        chat = local.LocalChat(NAME, model, settings.device, settings.timeout_s)
        return conducted(NAME, chat, case, settings=settings, ctx=ctx)
