"""Ask a model that runs here, through transformers: greedy, offline, every answer held to its shape while written."""

from __future__ import annotations

import io
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from foley.errors import MissingWeightsError, PlannerError
from foley.neural import runtime, weights
from foley.plan.dialogue.grammar import Moved, follow, start, whole_items
from foley.plan.dialogue.shapes import Shape
from foley.plan.dialogue.talk import MORE_TIME, Message, Shown

MOST_TOKENS = 2048
"""Of an answer: more than anybody wants to read; what is longer ends after its last whole entry."""

FEWEST_TOKENS = 256
"""That must be left for an answer: the shortest that say anything."""

LIKELIEST = 64
"""Tokens that are tried first: a model that understands the question wants one of them in all but a few places."""

PACKAGES = ("transformers", "torchvision", "PIL", "num2words")
"""What processors of vision-language models need beside torch (num2words: those of the SmolVLM family)."""


def model_of(wanted: str, purpose: str) -> str:
    """Return the model that is wanted; where none is named the first of the catalogue that is here, else the last.

    Args:
        wanted: Name, hub id or folder; "" for any.
        purpose: As in the catalogue.
    """
    fitting = [known.name for known in weights.catalogue().values() if known.purpose == purpose]
    return wanted or next((name for name in fitting if weights.find(name)), fitting[-1])


def lacking(model: str, *, pictures: bool) -> tuple[str, ...]:
    """Return what must be installed or fetched before the model can be asked, as instructions."""
    packages = runtime.missing(*(PACKAGES if pictures else PACKAGES[:1]))
    return packages + (() if weights.find(model) else (f"fetch the weights of {model}: {weights.mend(model)}",))


def revision(model: str) -> str:
    """Return what tells the model's weights from others; "none" where they are not here."""
    found = weights.find(model)
    return weights.revision(found) if found else "none"


@dataclass(slots=True)
class LocalChat:
    """A language model in this process, loaded when it is first asked."""

    planner: str
    model: str
    device: str = "auto"
    timeout_s: float = 120.0
    pictures: bool = True
    """False for models that only read."""
    _loaded: tuple[Any, Any] | None = field(default=None, init=False, repr=False)

    def answer(self, messages: Sequence[Message], shape: Shape) -> str:
        """Return the likeliest text of the shape, token by token.

        Raises:
            MissingWeightsError: where the weights are not here or not usable.
            PlannerError: where the question is too long, or no answer comes in time.
        """
        torch = runtime.torch()
        self._loaded = self._loaded or self._load()
        model, processor = self._loaded
        inputs = self._asked(processor, messages).to(model.device, **({"dtype": model.dtype} if self.pictures else {}))
        room = _context(model) - inputs["input_ids"].shape[1]
        if room < FEWEST_TOKENS:
            raise PlannerError(self.planner, f"the question is too long for {self.model}", hint="take a larger model")
        held = Held(getattr(processor, "tokenizer", processor), shape)
        deadline = time.monotonic() + self.timeout_s
        try:
            with torch.inference_mode():
                model.generate(
                    **inputs,
                    do_sample=False,
                    **dict.fromkeys(("temperature", "top_p", "top_k")),  # of sampling: a model's own are not used
                    max_new_tokens=min(room, MOST_TOKENS),
                    logits_processor=[held],
                    stopping_criteria=[lambda ids, _: held.ended(ids) | (time.monotonic() > deadline)],
                )
        except torch.OutOfMemoryError as cause:
            raise PlannerError(
                self.planner, f"{self.model} does not fit into memory", hint="try --device cpu"
            ) from cause
        if held.state is not None and time.monotonic() > deadline:
            raise PlannerError(self.planner, f"no whole answer within {self.timeout_s:g} s", hint=MORE_TIME)
        return held.text if held.state is None else whole_items(held.text, shape) or held.text

    def _load(self) -> tuple[Any, Any]:
        """Return model and processor."""
        folder = weights.need(self.model)
        on = runtime.device(self.device)
        import transformers

        transformers.utils.logging.disable_progress_bar()  # type: ignore[no-untyped-call]  # foley has its own
        kinds = (
            ("AutoModelForImageTextToText", "AutoProcessor")
            if self.pictures
            else ("AutoModelForCausalLM", "AutoTokenizer")
        )
        of_models, of_processors = (getattr(transformers, kind) for kind in kinds)
        try:
            with weights.offline():
                processor = of_processors.from_pretrained(folder, local_files_only=True)
                model, told = of_models.from_pretrained(
                    folder, dtype=runtime.dtype(on), local_files_only=True, output_loading_info=True
                )
        except (OSError, ValueError, KeyError, ImportError, RuntimeError) as cause:
            reason = (str(cause).splitlines() or [type(cause).__name__])[0]
            raise MissingWeightsError(self.model, reason, weights.mend(self.model)) from cause
        if told["missing_keys"]:
            reason = f"{len(told['missing_keys'])} of its parts are missing, as {sorted(told['missing_keys'])[0]}"
            raise MissingWeightsError(self.model, reason, weights.mend(self.model))
        return model.to(on).eval(), processor

    def _asked(self, processor: Any, messages: Sequence[Message]) -> Any:
        """Return the conversation as the model's own template writes it."""
        if not getattr(processor, "chat_template", None):
            raise PlannerError(self.planner, f"{self.model} has no chat template", hint="take an instruct model")
        more = {} if self.pictures else {"enable_thinking": False}  # Qwen 3 would think aloud first
        return processor.apply_chat_template(
            [{"role": message.role, "content": self._content(message)} for message in messages],
            add_generation_prompt=True,
            tokenize=True,
            return_dict=True,
            return_tensors="pt",
            **more,
        )

    def _content(self, message: Message) -> Any:
        if not self.pictures:
            return "".join(part for part in message.parts if isinstance(part, str))
        return list(_parts(message))


def _parts(message: Message) -> Iterator[dict[str, Any]]:
    from PIL import Image

    for part in message.parts:
        if isinstance(part, Shown):
            yield {"type": "image", "image": Image.open(io.BytesIO(part.jpeg)).convert("RGB")}
        else:
            yield {"type": "text", "text": part}


def _context(model: Any) -> int:
    """Return how many tokens the model can hold."""
    config = model.config.get_text_config()
    return int(getattr(config, "max_position_embeddings", 1 << 20))


class Held:
    """Lets a model write nothing but a shape: the likeliest token that fits is the only one left to choose.

    With greedy decoding that is the same as masking all that do not fit, and asks the grammar of a few tokens only.
    """

    def __init__(self, tokenizer: Any, shape: Shape) -> None:
        """Begin an answer."""
        self.text = ""
        self.state: Moved = start(shape)
        self._tokenizer = tokenizer
        self._special = frozenset(tokenizer.all_special_ids)
        self._anchor = tokenizer.encode('"', add_special_tokens=False)[-1:]
        self._known: dict[int, str] = {}

    def __call__(self, ids: Any, scores: Any) -> Any:
        """Return scores in which one token is left."""
        chosen, after = self._likeliest(scores[0])
        if after is False:  # a vocabulary that cannot write the shape
            self.state = False
            return scores
        self.text, self.state = self.text + self._read(chosen), after
        left = scores.new_full(scores.shape, float("-inf"))
        left[0, chosen] = 0.0
        return left

    def ended(self, ids: Any) -> Any:
        """Return for the one row whether the answer is whole or cannot go on."""
        return ids.new_full((len(ids),), self.state is None or self.state is False, dtype=runtime.torch().bool)

    def _likeliest(self, scores: Any) -> tuple[int, Moved]:
        """Return the likeliest token that fits and the state after it, False where none fits."""
        assert self.state is not False, "generation ends where nothing fits"
        for token in self._in_order(scores):
            text = self._read(token)
            if text and (after := follow(self.state, text)) is not False:
                return token, after
        return -1, False

    def _in_order(self, scores: Any) -> Iterator[int]:
        """Yield tokens, the likeliest first; all are sorted only where none of the first fits."""
        first = scores.topk(min(LIKELIEST, len(scores))).indices.tolist()
        yield from first
        yield from scores.argsort(descending=True, stable=True).tolist()

    def _read(self, token: int) -> str:
        """Return what a token writes inside a text: after another one, where no tokenizer drops its blank."""
        if token not in self._known:
            before = self._decoded(self._anchor)
            after = self._decoded([*self._anchor, token])
            fits = token not in self._special and after.startswith(before)
            self._known[token] = after[len(before) :] if fits else ""
        return self._known[token]

    def _decoded(self, tokens: list[int]) -> str:
        text = self._tokenizer.decode(tokens, skip_special_tokens=False, clean_up_tokenization_spaces=False)
        return str(text)
