"""Tiny models with random weights, written as published models are: what loads these loads the real ones."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

OPEN_CLIP = {
    "embed_dim": 32,
    "vision_cfg": {"image_size": 32, "layers": 2, "width": 32, "head_width": 16, "patch_size": 8},
    # the tokenizer of the package has 49,408 words; so narrow, their table stays at 6 MB
    "text_cfg": {"context_length": 77, "vocab_size": 49_408, "width": 32, "heads": 2, "layers": 2},
}
PREPROCESSING = {"mean": [0.48145466, 0.4578275, 0.40821073], "std": [0.26862954, 0.26130258, 0.27577711]}


def tiny_open_clip(folder: Path, *, seed: int = 0, weights: bool = True) -> Path:
    """Write a random CLIP as `local-dir:` models are laid out; without its weights where they are not wanted."""
    from safetensors.torch import save_file

    folder.mkdir(parents=True, exist_ok=True)
    config = {"model_cfg": OPEN_CLIP, "preprocess_cfg": PREPROCESSING}
    (folder / "open_clip_config.json").write_text(json.dumps(config))
    if weights:
        save_file(open_clip_state(seed), folder / "open_clip_model.safetensors")
    return folder


def open_clip_state(seed: int = 0) -> dict[str, Any]:
    """Return the random numbers of such a CLIP, by their published names."""
    from foley.neural import runtime

    torch = runtime.torch()
    import open_clip

    with torch.random.fork_rng(devices=[]):
        torch.random.manual_seed(seed)
        model = open_clip.CLIP(**OPEN_CLIP)
    return {name: value.detach().clone().contiguous() for name, value in model.state_dict().items()}
