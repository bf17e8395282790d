"""Tiny random models of the published families, written to disk in their published formats, offline.

Vocabularies are trained on a few sentences here; the files are laid out as the hub's are, so that loading takes the
path that real checkpoints take.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from foley.neural import runtime

CORPUS = (
    "footsteps on gravel and wet leaves",
    "a dog barks twice in the distance",
    "wooden door slams shut with a heavy thud",
    "hammer on anvil, rain on a tin roof 0123456789.",
    '{"sounds": [{"because": "it is seen", "sound": "hammer", "kind": "hits", "shots": [0]}]}',
)

QWEN_SPECIAL = (
    "<|object_ref_start|>",
    "<|object_ref_end|>",
    "<|box_start|>",
    "<|box_end|>",
    "<|quad_start|>",
    "<|quad_end|>",
    "<|vision_start|>",
    "<|vision_end|>",
    "<|vision_pad|>",
    "<|image_pad|>",
    "<|video_pad|>",
)
SMOL_SPECIAL = (
    "<fake_token_around_image>",
    "<image>",
    "<end_of_utterance>",
    "<global-img>",
    "<video>",
    *(f"<row_{row}_col_{column}>" for row in (1, 2) for column in (1, 2)),
)

QWEN_TEMPLATE = (
    "{% for m in messages %}<|im_start|>{{ m['role'] }}\n{% if m['content'] is string %}{{ m['content'] }}{% else %}"
    "{% for c in m['content'] %}{% if c['type'] == 'image' %}<|vision_start|><|image_pad|><|vision_end|>"
    "{% else %}{{ c['text'] }}{% endif %}{% endfor %}{% endif %}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
SMOL_TEMPLATE = (
    "<|im_start|>{% for m in messages %}{{ m['role'] | capitalize }}: {% for c in m['content'] %}"
    "{% if c['type'] == 'image' %}<image>{% else %}{{ c['text'] }}{% endif %}{% endfor %}<end_of_utterance>\n"
    "{% endfor %}{% if add_generation_prompt %}Assistant:{% endif %}"
)
TEXT = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4}
"""The size of every tiny language model."""

ENDS_TEXTS = 0.4
"""Added to the score of a quotation mark: more than random scores lie apart, so that texts stay short."""


def qwen2_5_vl(folder: Path) -> Path:
    """Write a tiny Qwen2.5-VL."""
    import transformers as hf

    tokenizer = _tokenizer(folder, QWEN_SPECIAL, template=QWEN_TEMPLATE)
    rope = {"rope_type": "default", "mrope_section": [2, 1, 1], "rope_theta": 1e6}
    vision = _vision(patch_size=14, window_size=56, fullatt_block_indexes=[1], tokens_per_second=2)
    config = hf.Qwen2_5_VLConfig(
        text_config=_text(tokenizer, rope_parameters=rope), vision_config=vision, **_marks(tokenizer)
    )
    images = hf.Qwen2VLImageProcessor(patch_size=14, merge_size=2, size=_pixels(28, 56))
    videos = hf.Qwen2VLVideoProcessor(patch_size=14, size=_pixels(28, 56))
    processor = hf.Qwen2_5_VLProcessor(images, tokenizer, videos, chat_template=QWEN_TEMPLATE)
    return _saved(folder, lambda: hf.Qwen2_5_VLForConditionalGeneration(config), processor)


def qwen3_vl(folder: Path) -> Path:
    """Write a tiny Qwen3-VL."""
    import transformers as hf

    tokenizer = _tokenizer(folder, QWEN_SPECIAL, template=QWEN_TEMPLATE)
    rope = {"rope_type": "default", "mrope_section": [2, 1, 1], "rope_theta": 5e6, "mrope_interleaved": True}
    vision = _vision(patch_size=16, temporal_patch_size=2, num_position_embeddings=64, deepstack_visual_indexes=[0])
    text = _text(tokenizer, rope_parameters=rope, head_dim=8)
    config = hf.Qwen3VLConfig(text_config=text, vision_config=vision, **_marks(tokenizer))
    images = hf.Qwen2VLImageProcessor(patch_size=16, merge_size=2, size=_pixels(32, 64))
    videos = hf.Qwen3VLVideoProcessor(patch_size=16, size=_pixels(32, 64))
    processor = hf.Qwen3VLProcessor(images, tokenizer, videos, chat_template=QWEN_TEMPLATE)
    return _saved(folder, lambda: hf.Qwen3VLForConditionalGeneration(config), processor)


def smolvlm2(folder: Path) -> Path:
    """Write a tiny SmolVLM2."""
    import transformers as hf

    side_px = 64
    tokenizer = _tokenizer(folder, SMOL_SPECIAL, kind="GPT2Tokenizer")
    config = hf.SmolVLMConfig(
        image_token_id=tokenizer.convert_tokens_to_ids("<image>"),
        scale_factor=2,
        text_config=TEXT
        | {"model_type": "llama", "vocab_size": len(tokenizer), "num_key_value_heads": 2}
        | {"pad_token_id": 0, "max_position_embeddings": 32_768},
        vision_config=TEXT | {"image_size": side_px, "patch_size": 16},
        pad_token_id=0,
    )
    images = hf.SmolVLMImageProcessor(size={"longest_edge": side_px}, max_image_size={"longest_edge": side_px})
    videos = hf.SmolVLMVideoProcessor(
        size={"longest_edge": side_px}, max_image_size={"longest_edge": side_px}, num_frames=8, fps=1
    )
    tokens = (side_px // 16) ** 2 // 4
    processor = hf.SmolVLMProcessor(images, tokenizer, videos, image_seq_len=tokens, chat_template=SMOL_TEMPLATE)
    return _saved(folder, lambda: hf.SmolVLMForConditionalGeneration(config), processor)


def qwen3_text(folder: Path) -> Path:
    """Write a tiny Qwen3 that only reads."""
    import transformers as hf

    tokenizer = _tokenizer(folder, (), template=QWEN_TEMPLATE)
    config = hf.Qwen3Config(**_text(tokenizer, head_dim=8))
    return _saved(folder, lambda: hf.Qwen3ForCausalLM(config), tokenizer)


FAMILIES: dict[str, Callable[[Path], Path]] = {"qwen2_5_vl": qwen2_5_vl, "qwen3_vl": qwen3_vl, "smolvlm2": smolvlm2}


def _tokenizer(folder: Path, special: Sequence[str], *, template: str = "", kind: str = "Qwen2Tokenizer") -> Any:
    """Write a byte-level tokenizer as the hub has it, vocab.json and merges.txt, and return it loaded."""
    runtime.torch()  # mends torchvision before transformers is loaded
    from tokenizers import ByteLevelBPETokenizer
    from transformers import AutoTokenizer

    folder.mkdir(parents=True, exist_ok=True)
    trained = ByteLevelBPETokenizer(add_prefix_space=False)
    trained.train_from_iterator(CORPUS, vocab_size=400, min_frequency=1, show_progress=False)
    model = json.loads(trained.to_str())["model"]
    merges = [merge if isinstance(merge, str) else " ".join(merge) for merge in model["merges"]]
    (folder / "vocab.json").write_text(json.dumps(model["vocab"]))
    (folder / "merges.txt").write_text("#version: 0.2\n" + "\n".join(merges) + "\n")
    names = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", *special]
    flags = {"lstrip": False, "normalized": False, "rstrip": False, "single_word": False, "special": True}
    config = {
        "added_tokens_decoder": {
            str(len(model["vocab"]) + number): {"content": name, **flags} for number, name in enumerate(names)
        },
        "additional_special_tokens": names[1:],
        "eos_token": "<|im_end|>",
        "pad_token": "<|endoftext|>",
        "errors": "replace",
        "model_max_length": 32_768,
        "tokenizer_class": kind,
    }
    (folder / "tokenizer_config.json").write_text(
        json.dumps(config | ({"chat_template": template} if template else {}))
    )
    return AutoTokenizer.from_pretrained(folder, local_files_only=True)


def _text(tokenizer: Any, **more: Any) -> dict[str, Any]:
    ends = {"bos_token_id": "<|endoftext|>", "eos_token_id": "<|im_end|>"}
    ids = {name: tokenizer.convert_tokens_to_ids(token) for name, token in ends.items()}
    size = {"vocab_size": len(tokenizer), "num_key_value_heads": 2, "max_position_embeddings": 32_768}
    return {**TEXT, **size, "tie_word_embeddings": True, **ids, **more}


def _vision(**more: Any) -> dict[str, Any]:
    return {"depth": 2, "hidden_size": 32, "intermediate_size": 64, "num_heads": 4, "out_hidden_size": 32, **more}


def _marks(tokenizer: Any) -> dict[str, int]:
    marks = {
        "image_token_id": "<|image_pad|>",
        "video_token_id": "<|video_pad|>",
        "vision_start_token_id": "<|vision_start|>",
        "vision_end_token_id": "<|vision_end|>",
    }
    return {name: tokenizer.convert_tokens_to_ids(token) for name, token in marks.items()}


def _pixels(least_px: int, most_px: int) -> dict[str, int]:
    """Return bounds as these processors take them: areas, whatever the names say."""
    return {"shortest_edge": least_px**2, "longest_edge": most_px**2}


def _saved(folder: Path, make: Callable[[], Any], processor: Any) -> Path:
    torch = runtime.torch()
    tokenizer = getattr(processor, "tokenizer", processor)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = make()
    # a random model hardly ever ends a text by itself
    model.generation_config.sequence_bias = [[tokenizer.encode('"', add_special_tokens=False), ENDS_TEXTS]]
    model.save_pretrained(folder)
    processor.save_pretrained(folder)
    return folder
