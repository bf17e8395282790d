"""Tiny random CLAP and PE-AV in their published layouts: what loads these loads the real ones."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from foley.neural import runtime

SENTENCES = (
    "footsteps on gravel and wet leaves",
    "a dog barks twice in the distance",
    "glass bottle breaks on a concrete floor",
    "rain falls on a tin roof 0123456789.",
    "techno music with a strong upbeat tempo, somebody speaks",
)
SPECIAL = {
    "bos_token": "<s>",
    "eos_token": "</s>",
    "sep_token": "</s>",
    "cls_token": "<s>",
    "unk_token": "<unk>",
    "pad_token": "<pad>",
    "mask_token": "<mask>",
}
PROJECTION = 16


def make(folder: Path, *, fused: bool = False, seed: int = 0) -> Path:
    """Write a tiny CLAP as laion's are published: a pickled state dict, with positions that older versions kept."""
    torch = runtime.torch()
    from transformers import ClapModel

    folder.mkdir(parents=True, exist_ok=True)
    words = _roberta_tokenizer(folder)
    with torch.random.fork_rng(devices=[]):
        torch.random.manual_seed(seed)
        model = ClapModel(_clap_config(words, fused=fused))
    model.config.architectures = ["ClapModel"]
    model.config.save_pretrained(folder)
    state = {name: value.detach().clone().contiguous() for name, value in model.state_dict().items()}
    state["text_model.embeddings.position_ids"] = torch.arange(514)[None]
    state["text_model.embeddings.token_type_ids"] = torch.zeros(1, 514, dtype=torch.long)
    torch.save(state, folder / "pytorch_model.bin")
    _write(folder / "preprocessor_config.json", _preparation(fused=fused))
    return folder


def make_pe_av(folder: Path, *, seed: int = 0) -> Path:
    """Write a tiny PE-AV: safetensors, with a picture tower of timm."""
    torch = runtime.torch()
    import transformers as hf

    folder.mkdir(parents=True, exist_ok=True)
    tokenizer = _bert_like_tokenizer()
    with torch.random.fork_rng(devices=[]):
        torch.random.manual_seed(seed)
        model = hf.PeAudioVideoModel(_pe_av_config(len(tokenizer)))
        for scale in (model.audio_video_logit_scale, model.audio_video_logit_bias):
            torch.nn.init.constant_(scale, 10.0)  # as it comes they are 0, and so would every score be
    model.save_pretrained(folder)
    pictures = hf.PeVideoVideoProcessor(size={"height": 32, "width": 32}, do_resize=True)
    sound = hf.PeAudioFeatureExtractor(feature_size=1, sampling_rate=48_000)
    processor: Any = hf.PeAudioVideoProcessor
    processor(sound, pictures, tokenizer).save_pretrained(folder)
    return folder


def _clap_config(words: int, *, fused: bool) -> Any:
    from transformers import ClapConfig

    text = {"vocab_size": words, "hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    text |= {
        "intermediate_size": 32,
        "max_position_embeddings": 514,
        "type_vocab_size": 1,
        "projection_dim": PROJECTION,
    }
    text |= {"pad_token_id": 1, "bos_token_id": 0, "eos_token_id": 2}
    audio = {"spec_size": 256, "num_mel_bins": 64, "window_size": 8, "patch_size": 4, "patch_stride": [4, 4]}
    audio |= {"patch_embeds_hidden_size": 16, "depths": [1, 1, 1, 1], "num_attention_heads": [1, 2, 2, 2]}
    audio |= {"hidden_size": 128, "projection_dim": PROJECTION, "enable_fusion": fused, "num_classes": 4}
    audio |= {"aff_block_r": 4} if fused else {}
    return ClapConfig(text_config=text, audio_config=audio, projection_dim=PROJECTION, projection_hidden_act="relu")


def _preparation(*, fused: bool) -> dict[str, Any]:
    return {
        "feature_extractor_type": "ClapFeatureExtractor",
        "processor_class": "ClapProcessor",
        "chunk_length_s": 10,
        "feature_size": 64,
        "fft_window_size": 1024,
        "frequency_max": 14_000,
        "frequency_min": 50,
        "hop_length": 480,
        "max_length_s": 10,
        "n_fft": 1024,
        "nb_frequency_bins": 513,
        "nb_max_frames": 1000,
        "nb_max_samples": 480_000,
        "padding": "repeatpad",
        "padding_side": "right",
        "padding_value": 0.0,
        "return_attention_mask": False,
        "sampling_rate": 48_000,
        "top_db": None,
        "truncation": "fusion" if fused else "rand_trunc",
    }


def _roberta_tokenizer(folder: Path) -> int:
    """Write a byte-level tokenizer of RoBERTa's kind, and return how many words it knows."""
    from tokenizers import ByteLevelBPETokenizer
    from transformers import RobertaTokenizer

    trained = ByteLevelBPETokenizer(add_prefix_space=False)
    trained.train_from_iterator(
        SENTENCES,
        vocab_size=360,
        min_frequency=1,
        special_tokens=["<s>", "<pad>", "</s>", "<unk>"],
        show_progress=False,
    )
    learnt = json.loads(trained.to_str())["model"]
    words = {**learnt["vocab"], "<mask>": len(learnt["vocab"])}
    _write(folder / "vocab.json", words)
    pairs = "\n".join(pair if isinstance(pair, str) else " ".join(pair) for pair in learnt["merges"])
    (folder / "merges.txt").write_text(f"#version: 0.2\n{pairs}\n", encoding="utf-8")
    _write(folder / "special_tokens_map.json", SPECIAL)
    settings = {"tokenizer_class": "RobertaTokenizer", "model_max_length": 512, "add_prefix_space": False}
    _write(folder / "tokenizer_config.json", {**SPECIAL, **settings, "trim_offsets": True, "errors": "replace"})
    RobertaTokenizer.from_pretrained(folder).backend_tokenizer.save(str(folder / "tokenizer.json"))
    return len(words)


def _pe_av_config(words: int) -> Any:
    from transformers import PeAudioVideoConfig

    size = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2}
    codec = {
        "encoder_hidden_size": 4,
        "downsampling_ratios": [2, 8, 10, 12],
        "codebook_dim": 8,
        "sampling_rate": 48_000,
    }
    tower = {"embed_dim": 32, "depth": 1, "num_heads": 2, "img_size": 32}
    eyes = {"model_type": "timm_wrapper", "architecture": "vit_pe_core_tiny_patch16_384", "num_classes": 32}
    eyes |= {"global_pool": "map", "do_pooling": True, "model_args": tower}
    marks = {"pad_token_id": 0, "bos_token_id": 2, "eos_token_id": 3, "cls_token_id": 2, "sep_token_id": 3}
    heads = {**size, "head_dim": 16}
    return PeAudioVideoConfig(
        text_config={"model_type": "modernbert", "vocab_size": words, **size, **marks},
        audio_video_config={
            **heads,
            "audio_config": {**heads, "dac_config": codec},
            "video_config": {**heads, "vision_config": eyes},
        },
    )


def _bert_like_tokenizer() -> Any:
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
    from transformers import PreTrainedTokenizerFast

    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    trained = Tokenizer(models.BPE())
    trained.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    trained.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=360,
        special_tokens=special,
        show_progress=False,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
    )
    trained.train_from_iterator(SENTENCES, trainer)
    trained.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    names = dict(zip(("pad_token", "unk_token", "cls_token", "sep_token", "mask_token"), special, strict=True))
    fast: Any = PreTrainedTokenizerFast
    return fast(tokenizer_object=trained, model_max_length=512, **names)


def _write(path: Path, content: object) -> None:
    path.write_text(json.dumps(content, ensure_ascii=False, indent=2), encoding="utf-8")
