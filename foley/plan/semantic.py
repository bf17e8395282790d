"""Find the sound class that a clause means where its words are none that the vocabulary knows.

A small sentence-embedding model (all-MiniLM-L6-v2 or another in its format) puts clause and vocabulary into one space;
the class with the nearest label, description or synonym is meant where it is near enough. Without the model, or where
words explain everything, nothing is loaded. How the model is used: N. Reimers and I. Gurevych, "Sentence-BERT: Sentence
embeddings using Siamese BERT-networks", EMNLP 2019 (mean of the token embeddings, cosine).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from foley.contracts import Context
from foley.errors import MissingWeightsError
from foley.neural import runtime, weights
from foley.plan.clauses import Clause
from foley.plan.matching import Mention
from foley.plan.vocabulary import vocabulary

MODEL = "minilm"
"""Name in the catalogue of models."""

NEAR_ENOUGH = 0.62
"""Cosine from which a clause is taken to mean a class. With all-MiniLM-L6-v2, of 200 prompts, captions and lines of cue
sheets five in six lie above, and 94 of 100 of these next to the right class; 35 clauses that name no sound ("a man
smiles", "the camera pans left") all lie at 0.59 or below."""

BATCH = 64
MOST_TOKENS = 64
"""A clause is never as long; what is cut is not looked at."""

Vectors = npt.NDArray[np.float32]
"""Of length 1, shape (texts, n)."""


def place() -> Path | None:
    """Return where the model is; None where it, or what runs it, is not here."""
    return None if runtime.missing("transformers") else weights.find(MODEL)


def identity() -> str:
    """Return name and revision of the model that would be asked, "" where there is none."""
    found = place()
    return f"{MODEL}@{weights.revision(found)}" if found else ""


def meanings(clauses: Iterable[Clause], ctx: Context) -> list[Mention]:
    """Return the sounds that clauses mean, at most one each; empty where there is no model.

    Raises:
        MissingWeightsError: where the model's folder holds no whole model.
    """
    asked = list(clauses)
    folder = place() if asked else None
    if folder is None:
        return []
    names, texts = zip(*_descriptions(), strict=True)
    known: Vectors = ctx.once("meanings", (weights.revision(folder), texts), lambda _: embedded(folder, texts))
    likeness = embedded(folder, [clause.text for clause in asked]) @ known.T
    return [
        _mention(clause, names[nearest], float(row[nearest]))
        for clause, row, nearest in zip(asked, likeness, likeness.argmax(axis=1), strict=True)
        if row[nearest] >= NEAR_ENOUGH
    ]


def embedded(folder: Path, texts: Sequence[str]) -> Vectors:
    """Return the embeddings of texts.

    Raises:
        MissingWeightsError: where the folder holds no whole model.
    """
    tokenizer, model = _loaded(folder)
    by_length = sorted(range(len(texts)), key=lambda number: len(texts[number]))  # little of a batch is padding then
    found = np.zeros((len(texts), model.config.hidden_size), np.float32)
    for first in range(0, len(texts), BATCH):
        numbers = by_length[first : first + BATCH]
        found[numbers] = _batch(tokenizer, model, [texts[number] for number in numbers])
    return found


def _batch(tokenizer: Any, model: Any, texts: Sequence[str]) -> Vectors:
    torch = runtime.torch()
    tokens = tokenizer(list(texts), padding=True, truncation=True, max_length=MOST_TOKENS, return_tensors="pt")
    with torch.inference_mode():
        states = model(**tokens).last_hidden_state
        told = tokens["attention_mask"].unsqueeze(-1)
        mean = (states * told).sum(dim=1) / told.sum(dim=1)
        vectors: Vectors = torch.nn.functional.normalize(mean, dim=1).float().numpy()
    return vectors


@lru_cache(maxsize=1)
def _loaded(folder: Path) -> tuple[Any, Any]:
    """Return tokenizer and model of a folder; on the processor, where a clause takes milliseconds."""
    runtime.torch()
    from safetensors import SafetensorError
    from transformers import AutoModel, AutoTokenizer

    try:
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        model, report = AutoModel.from_pretrained(folder, local_files_only=True, output_loading_info=True)
    except (OSError, ValueError, KeyError, SafetensorError) as cause:
        raise MissingWeightsError(MODEL, f"{folder} cannot be loaded: {cause}", weights.mend(MODEL)) from cause
    # transformers fills what is missing with random numbers and only prints so; the pooler is not used
    if absent := [key for key in report["missing_keys"] if not key.startswith("pooler.")]:
        raise MissingWeightsError(MODEL, f"{folder} lacks {absent[0]}", weights.mend(MODEL))
    return tokenizer, model.eval()


def _descriptions() -> list[tuple[str, str]]:
    """Return the texts that a clause is compared with, each with its class."""
    return [
        (name, text) for name, sound in vocabulary().items() for text in (sound.label, sound.prompt, *sound.synonyms)
    ]


def _mention(clause: Clause, name: str, likeness: float) -> Mention:
    return Mention(
        sound=vocabulary()[name],
        words=clause.words,
        clause=clause.text,
        score=likeness,
        step=clause.step,
        likeness=min(likeness, 1.0),
    )
