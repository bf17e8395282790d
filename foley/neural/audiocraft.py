"""What audiocraft's published checkpoints say: their settings, and what their tensors are called elsewhere.

A checkpoint is a folder with two pickled packages: `state_dict.bin` holds the language model,
`compression_state_dict.bin` the codec. Each is {"best_state": tensors by name, "xp.cfg": the settings as YAML,
"version", "exported"}. The text encoder (T5) is not in it: the settings name it. Where a codec is somebody else's, its
package is {"pretrained": hub id} alone.

Source of the format: github.com/facebookresearch/audiocraft (MIT), `config/` and `audiocraft/utils/export.py`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from foley import yamls
from foley.errors import MissingWeightsError

LANGUAGE_MODEL, CODEC = "state_dict.bin", "compression_state_dict.bin"

MEND = f"give the folder as it is published: {LANGUAGE_MODEL} and {CODEC} of facebook/audiogen-medium, or a finetune's"

OFF = (None, False, 0)
"""How a setting says that something is not used: nothing, or absent."""

_REFERENCE = re.compile(r"\$\{([A-Za-z0-9_.]+)\}")

_LANGUAGE_MODEL_MUST: Mapping[str, Sequence[Any]] = {
    "lm_model": ("transformer_lm",),
    "channels": (1,),
    "codebooks_pattern.modeling": ("delay",),
    "codebooks_pattern.delay.flatten_first": OFF,
    "codebooks_pattern.delay.empty_initial": OFF,
    "transformer_lm.norm_first": (True,),
    "transformer_lm.activation": ("gelu", None),
    "transformer_lm.norm": ("layer_norm", None),
    "transformer_lm.causal": (True, None),
    "transformer_lm.positional_embedding": ("sin", None),
    "transformer_lm.bias_ff": (False,),
    "transformer_lm.bias_attn": (False,),
    "transformer_lm.bias_proj": (False,),
    "transformer_lm.layer_scale": OFF,
    "transformer_lm.past_context": OFF,
    "transformer_lm.qk_layer_norm": OFF,
    "transformer_lm.qk_layer_norm_cross": OFF,
    "transformer_lm.kv_repeat": (1, None),
    "fuser.cross": (["description"],),
    "fuser.prepend": ([], None),
    "fuser.sum": ([], None),
    "fuser.input_interpolate": ([], None),
    "fuser.cross_attention_pos_emb": OFF,
    "conditioners.description.model": ("t5",),
    "conditioners.description.t5.normalize_text": OFF,
}
"""What transformers' Musicgen can be: with any other value the tensors would fit and the sound be wrong."""

_CODEC_MUST: Mapping[str, Sequence[Any]] = {
    "compression_model": ("encodec",),
    "channels": (1,),
    "encodec.autoencoder": ("seanet",),
    "encodec.quantizer": ("rvq",),
    "encodec.renormalize": OFF,
    "seanet.channels": (1,),
    "seanet.activation": ("ELU",),
    "seanet.activation_params": ({"alpha": 1.0}, None),
    "seanet.norm": ("weight_norm",),
    "seanet.norm_params": ({}, None),
    "seanet.true_skip": (True,),
    "seanet.disable_norm_outer_blocks": OFF,
    "seanet.encoder": ({}, None),
    "seanet.decoder.final_activation": OFF,
}

_LANGUAGE_MODEL_NAMES = (
    (r"emb\.(\d+)\.", r"decoder.model.decoder.embed_tokens.\1."),
    (r"transformer\.layers\.(\d+)\.linear1\.", r"decoder.model.decoder.layers.\1.fc1."),
    (r"transformer\.layers\.(\d+)\.linear2\.", r"decoder.model.decoder.layers.\1.fc2."),
    (r"transformer\.layers\.(\d+)\.norm1\.", r"decoder.model.decoder.layers.\1.self_attn_layer_norm."),
    (r"transformer\.layers\.(\d+)\.norm_cross\.", r"decoder.model.decoder.layers.\1.encoder_attn_layer_norm."),
    (r"transformer\.layers\.(\d+)\.norm2\.", r"decoder.model.decoder.layers.\1.final_layer_norm."),
    (r"transformer\.layers\.(\d+)\.self_attn\.(?:mha\.)?", r"decoder.model.decoder.layers.\1.self_attn."),
    (r"transformer\.layers\.(\d+)\.cross_attention\.(?:mha\.)?", r"decoder.model.decoder.layers.\1.encoder_attn."),
    (r"out_norm\.", "decoder.model.decoder.layer_norm."),
    (r"linears\.", "decoder.lm_heads."),
    (r"condition_provider\.conditioners\.description\.output_proj\.", "enc_to_dec_proj."),
)
"""The beginnings of the language model's names, and what transformers calls them."""

_CODEC_NAMES = (
    (r"^quantizer\.vq\.layers\.(\d+)\._codebook\.", r"quantizer.layers.\1.codebook."),
    (r"^(encoder|decoder)\.model\.", r"\1.layers."),
    (r"\.(?:conv\.conv|convtr\.convtr)\.", ".conv."),
    (r"\.weight_g$", ".parametrizations.weight.original0"),
    (r"\.weight_v$", ".parametrizations.weight.original1"),
)
"""Parts of the codec's names, and what transformers calls them; each is replaced where it occurs."""

JOINED = ".in_proj_weight"
"""Query, key and value of an attention lie in one tensor, as three equal blocks of rows."""


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of one package, with all references resolved when they are read."""

    model: str
    """What the checkpoint is called in messages."""
    tree: Mapping[str, Any]

    def value(self, path: str) -> Any:
        """Return the setting at `a.b.c`; None where it is absent.

        Raises:
            MissingWeightsError: where it refers to what is not there.
        """
        return self._resolved(path, trail=())

    def number(self, path: str) -> float:
        """Return a setting that must be a number above 0.

        Raises:
            MissingWeightsError: where it is none.
        """
        found = self.value(path)
        if isinstance(found, bool) or not isinstance(found, int | float) or not 0 < found < math.inf:
            raise self.refused(f"its setting {path} is {found!r} where a number above 0 is due")
        return found

    def whole(self, path: str) -> int:
        """Return a setting that must be a whole number above 0.

        Raises:
            MissingWeightsError: where it is none.
        """
        found = self.number(path)
        if found != int(found):
            raise self.refused(f"its setting {path} is {found!r} where a whole number is due")
        return int(found)

    def must(self, allowed: Mapping[str, Sequence[Any]]) -> None:
        """Hold settings against what is allowed.

        Raises:
            MissingWeightsError: naming the first that is something else.
        """
        for path, values in allowed.items():
            found = self.value(path)
            if found not in values:
                wanted = " or ".join(repr(value) for value in values if value is not None)
                raise self.refused(f"its setting {path} is {found!r}; only {wanted} can be converted")

    def refused(self, reason: str) -> MissingWeightsError:
        """Return the refusal of the checkpoint."""
        return MissingWeightsError(self.model, reason, MEND)

    def _resolved(self, path: str, trail: tuple[str, ...]) -> Any:
        if path in trail:
            raise self.refused(f"its settings {' and '.join(trail)} refer to each other")
        node: Any = self.tree
        for part in path.split("."):
            if isinstance(node, str) and (reference := _REFERENCE.fullmatch(node)):
                node = self._resolved(reference[1], (*trail, path))
            node = node.get(part) if isinstance(node, Mapping) else None
        return self._filled(node, (*trail, path))

    def _filled(self, node: Any, trail: tuple[str, ...]) -> Any:
        if isinstance(node, Mapping):
            return {key: self._filled(value, trail) for key, value in node.items()}
        if isinstance(node, list):
            return [self._filled(value, trail) for value in node]
        if isinstance(node, str) and (reference := _REFERENCE.fullmatch(node)):
            return self._resolved(reference[1], trail)
        return node


def settings_of(package: Mapping[str, Any], *, model: str) -> Settings:
    """Return the settings that lie in a package.

    Raises:
        MissingWeightsError: where there are none.
    """
    import yaml

    text = package.get("xp.cfg")
    if not isinstance(text, str):
        raise MissingWeightsError(model, "it holds no settings (xp.cfg)", MEND)
    try:
        tree = yamls.load(text)
    except yaml.YAMLError as cause:
        raise MissingWeightsError(model, "its settings (xp.cfg) are no YAML", MEND) from cause
    if not isinstance(tree, dict):
        raise MissingWeightsError(model, "its settings (xp.cfg) are no table of names and values", MEND)
    return Settings(model, tree)


def tensors_of(package: Mapping[str, Any], *, model: str) -> Mapping[str, Any]:
    """Return the tensors that lie in a package, by their published names.

    Raises:
        MissingWeightsError: where there are none.
    """
    state = package.get("best_state")
    if not isinstance(state, Mapping) or not state:
        raise MissingWeightsError(model, "it holds no tensors (best_state)", MEND)
    return state


def decoder_fields(settings: Settings) -> dict[str, Any]:
    """Return the language model's sizes as transformers' MusicgenDecoderConfig calls them.

    Raises:
        MissingWeightsError: where it is built otherwise than Musicgen can be.
    """
    settings.must(_LANGUAGE_MODEL_MUST)
    others = set(settings.value("conditioners")) - {"description", "args"}
    if others:
        raise settings.refused(f"it is also conditioned by {', '.join(sorted(others))}")
    books, card, width = (settings.whole(f"transformer_lm.{key}") for key in ("n_q", "card", "dim"))
    delays = settings.value("codebooks_pattern.delay.delays")
    if delays not in (None, list(range(books))):  # not given, they are these
        raise settings.refused(f"its codebooks are delayed by {delays} where {list(range(books))} is due")
    return {
        "vocab_size": card,
        "hidden_size": width,
        "ffn_dim": int(width * settings.number("transformer_lm.hidden_scale")),
        "num_hidden_layers": settings.whole("transformer_lm.num_layers"),
        "num_attention_heads": settings.whole("transformer_lm.num_heads"),
        "num_codebooks": books,
        "audio_channels": 1,
        "activation_function": "gelu",
        "dropout": 0.0,
        "pad_token_id": card,
        "bos_token_id": card,
        "tie_word_embeddings": False,
        "is_decoder": True,
    }


def codec_fields(settings: Settings) -> dict[str, Any]:
    """Return the codec's sizes as transformers' EncodecConfig calls them.

    Raises:
        MissingWeightsError: where it is built otherwise than Encodec can be.
    """
    settings.must(_CODEC_MUST)
    rate_hz, books, bins = (settings.whole(path) for path in ("sample_rate", "rvq.n_q", "rvq.bins"))
    ratios = settings.value("seanet.ratios")
    if not isinstance(ratios, list) or not ratios or not all(isinstance(one, int) and one > 0 for one in ratios):
        raise settings.refused(f"its setting seanet.ratios is {ratios!r} where whole numbers are due")
    frame_rate_hz = math.ceil(rate_hz / math.prod(ratios))
    return {
        "sampling_rate": rate_hz,
        "audio_channels": 1,
        "normalize": False,
        "chunk_length_s": None,
        "overlap": None,
        "hidden_size": settings.whole("seanet.dimension"),
        "codebook_dim": settings.whole("seanet.dimension"),
        "codebook_size": bins,
        "num_filters": settings.whole("seanet.n_filters"),
        "num_residual_layers": settings.whole("seanet.n_residual_layers"),
        "num_lstm_layers": settings.whole("seanet.lstm"),
        "upsampling_ratios": ratios,
        "norm_type": "weight_norm",
        "kernel_size": settings.whole("seanet.kernel_size"),
        "last_kernel_size": settings.whole("seanet.last_kernel_size"),
        "residual_kernel_size": settings.whole("seanet.residual_kernel_size"),
        "dilation_growth_rate": settings.whole("seanet.dilation_base"),
        "compress": settings.whole("seanet.compress"),
        "use_causal_conv": bool(settings.value("seanet.causal")),
        "pad_mode": settings.value("seanet.pad_mode"),
        "trim_right_ratio": settings.number("seanet.decoder.trim_right_ratio"),
        "use_conv_shortcut": False,
        # transformers has no setting for the number of codebooks: it follows from the kilobits a second
        "target_bandwidths": [books * math.log2(bins) * frame_rate_hz / 1000],
    }


def language_model_name(name: str) -> str | None:
    """Return what transformers calls a tensor of the language model; None where it is none of it.

    >>> language_model_name("transformer.layers.3.norm_cross.bias")
    'decoder.model.decoder.layers.3.encoder_attn_layer_norm.bias'
    """
    for beginning, other in _LANGUAGE_MODEL_NAMES:
        renamed, count = re.subn(f"^{beginning}", other, name)
        if count:
            return renamed
    return None


def codec_name(name: str) -> str:
    """Return what transformers calls a tensor of the codec.

    >>> codec_name("decoder.model.3.convtr.convtr.weight_g")
    'audio_encoder.decoder.layers.3.conv.parametrizations.weight.original0'
    """
    for part, other in _CODEC_NAMES:
        name = re.sub(part, other, name)
    return f"audio_encoder.{name}"
