"""What Stable Audio 3's published checkpoints say: their settings, and what their tensors are called in diffusers.

A published folder holds `model.safetensors` (diffusion transformer, autoencoder and conditioners in one file),
`model_config.json`, and the text encoder T5Gemma in a folder of its own.

How sure the names are. They were read off the format, not off the weights, which are gated: names and shapes agree with
the inventory that others took of Small's file with `safe_open` (685 tensors: 438 transformer, 3 conditioners, 244
autoencoder; the same count follows from the names here), with the authors' own code, and with the classes of diffusers,
which were held against it. No real checkpoint has gone through this module. Whatever it does not know, it refuses.

Sources: github.com/Stability-AI/stable-audio-3 (MIT; the format, and the defaults of settings that are absent);
diffusers 0.42.1 `StableAudio3DiTModel`, `AutoencoderSAME`, `StableAudio3DurationEmbedder` (the target). The code here
is written from the format.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from foley.errors import MissingWeightsError

WEIGHTS, CONFIG = "model.safetensors", "model_config.json"

TEXT_ENCODER_FOLDER = "t5gemma-b-b-ul2"
"""Where the published folders keep T5Gemma, if their settings name no other."""

MEND = f"give the folder as it is published: {CONFIG}, {WEIGHTS} and {TEXT_ENCODER_FOLDER}/"

OFF: tuple[Any, ...] = (None, False, 0, [])
"""How a setting says that something is not used: nothing, or absent."""

Shapes = Mapping[str, tuple[int, ...]]

_AUTOENCODER = "model.pretransform.config"

_MUST: Mapping[str, Sequence[Any]] = {
    "model_type": ("diffusion_cond_inpaint", "diffusion_cond"),
    "model.diffusion.type": ("dit", None),
    # the base models, which are not distilled, want a hundred steps and guidance
    "model.diffusion.diffusion_objective": ("rf_denoiser",),
    "model.diffusion.cross_attention_cond_ids": (["prompt", "seconds_total"],),
    "model.diffusion.global_cond_ids": (["seconds_total"],),
    "model.diffusion.local_add_cond_ids": (["inpaint_mask", "inpaint_masked_input"],),
    "model.diffusion.input_concat_ids": OFF,
    "model.diffusion.prepend_cond_ids": OFF,
    "model.diffusion.modular_local_cond_configs": OFF,
    "model.diffusion.sampling_distribution_shift_options": OFF,
    "model.diffusion.config.transformer_type": ("continuous_transformer", None),
    "model.diffusion.config.global_cond_type": ("adaLN",),
    "model.diffusion.config.timestep_features_type": ("expo",),
    "model.diffusion.config.norm_type": ("rms_norm", None),
    "model.diffusion.config.attn_kwargs.qk_norm": ("rms",),
    "model.diffusion.config.patch_size": (1, None),
    "model.diffusion.config.conformer": OFF,
    "model.pretransform.type": ("autoencoder", None),
    "model.pretransform.scale": (1, None),
    f"{_AUTOENCODER}.pretransform.type": ("patched", None),
    f"{_AUTOENCODER}.bottleneck.type": ("softnorm", None),
    f"{_AUTOENCODER}.bottleneck.config.noise_augment_dim": OFF,
    **{
        f"{_AUTOENCODER}.{side}.{key}": allowed
        for side in ("encoder", "decoder")
        for key, allowed in (
            ("type", ("same", None)),
            ("config.dyt", (True, None)),
            ("config.variable_stride", (True,)),
            ("config.conformer", OFF),
            ("config.layer_scale", OFF),
            ("config.cross_attn", OFF),
        )
    },
}
"""What diffusers' classes can be: with any other value the tensors might fit and the sound be wrong."""

_TRANSFORMER_NAMES = (
    (r"^transformer\.layers\.(\d+)\.ff\.ff\.0\.proj\.", r"transformer_blocks.\1.ff.proj_in."),
    (r"^transformer\.layers\.(\d+)\.ff\.ff\.2\.", r"transformer_blocks.\1.ff.proj_out."),
    (r"^transformer\.layers\.(\d+)\.", r"transformer_blocks.\1."),
    (r"^transformer\.project_(in|out)\.", r"proj_\1."),
    (r"^transformer\.", ""),
)
"""What stands after `model.model.`: the first pattern that fits is replaced, and all other names stay."""

_AUTOENCODER_NAMES = (
    (r"\.pre_norm\.", ".norm_attn."),
    (r"\.self_attn\.", ".attn."),
    (r"\.ff_norm\.", ".norm_ff."),
    (r"\.ff\.ff\.0\.proj\.", ".ff.proj_in."),
    (r"\.ff\.ff\.2\.", ".ff.proj_out."),
    (r"^bottleneck\.scaling_factor$", "bottleneck.scale"),
)
"""Parts of what stands after `pretransform.model.`; each is replaced where it occurs."""

_LEFT_ASIDE = re.compile(
    r"^pretransform\.model\.(?:bottleneck\.noise_scaling_factor"
    r"|(?:en|de)coder\.layers\.\d+\.transformers\.\d+\.rope\.inv_freq)$"
)
"""A tensor without numbers, and frequencies that follow from the width of a head."""

_DURATION = "conditioner.conditioners.seconds_total.embedder.embedding.1."
_PADDING = "conditioner.conditioners.prompt.padding_embedding"


@dataclass(frozen=True, slots=True)
class Placed:
    """Where a tensor of the checkpoint goes."""

    component: str
    name: str
    fused: bool = False
    """Query, key and value of a self-attention in one tensor: where the attention is differential, its rows are q, k,
    v, q2, k2 here, and q, q2, k, k2, v in diffusers."""


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of a published folder."""

    folder: Path
    tree: Mapping[str, Any]

    @classmethod
    def read(cls, folder: Path) -> Settings:
        """Return the settings of a folder, held against what can be followed.

        Raises:
            MissingWeightsError: where they are not there, or ask for what diffusers' classes cannot do.
        """
        try:
            tree = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
        except (OSError, ValueError) as cause:
            raise MissingWeightsError(str(folder), f"{folder / CONFIG} cannot be read", MEND) from cause
        settings = cls(folder, tree if isinstance(tree, dict) else {})
        for path, allowed in _MUST.items():
            if (value := settings.value(path)) not in allowed:
                raise settings.refused(f"{path} is {json.dumps(value)}, where {json.dumps(allowed[0])} is understood")
        return settings

    def refused(self, reason: str) -> MissingWeightsError:
        """Return the error that says why the folder cannot be used."""
        return MissingWeightsError(str(self.folder), f"{self.folder / CONFIG}: {reason}", MEND)

    def value(self, path: str, absent: Any = None) -> Any:
        """Return the setting at `a.b.c`."""
        found: Any = self.tree
        for part in path.split("."):
            found = found.get(part) if isinstance(found, dict) else None
        return absent if found is None else found

    def need(self, path: str) -> Any:
        """Return a setting that must be there.

        Raises:
            MissingWeightsError: where it is not.
        """
        if (found := self.value(path)) is None:
            raise self.refused(f"{path} is missing")
        return found

    def conditioner(self, name: str) -> Mapping[str, Any]:
        """Return the settings of one conditioner; empty where there are none."""
        listed = self.value("model.conditioning.configs", [])
        return next((dict(one.get("config", {})) for one in listed if one.get("id") == name), {})

    @property
    def strides(self) -> list[int]:
        """Return how much each resampling block of the autoencoder shortens."""
        return list(self.need(f"{_AUTOENCODER}.encoder.config.strides"))

    @property
    def text_encoder(self) -> Path:
        """Return where the folder keeps its text encoder."""
        return self.folder / str(self.conditioner("prompt").get("subfolder") or TEXT_ENCODER_FOLDER)


def placed(key: str, levels: int) -> Placed | None:
    """Return where a tensor of the checkpoint goes; None for one that is left aside.

    Args:
        key: Its published name.
        levels: Resampling blocks of the autoencoder on each side.

    Raises:
        KeyError: where no part of the model bears such a name.

    >>> placed("model.model.transformer.layers.3.ff.ff.2.bias", 1).name
    'transformer_blocks.3.ff.proj_out.bias'
    >>> placed("pretransform.model.decoder.layers.3.transformers.0.self_attn.to_qkv.weight", 1).name
    'decoder.blocks.0.transformers.0.attn.to_qkv.weight'
    """
    if _LEFT_ASIDE.match(key):
        return None
    if key == _PADDING:
        return Placed("transformer", "prompt_padding_embedding")
    if key.startswith(_DURATION):
        return Placed("duration_embedder", f"linear.{key.removeprefix(_DURATION)}")
    fused = key.endswith(".self_attn.to_qkv.weight")
    if key.startswith("model.model."):
        return Placed("transformer", _transformer_name(key.removeprefix("model.model.")), fused)
    if key.startswith("pretransform.model."):
        return Placed("vae", _autoencoder_name(key.removeprefix("pretransform.model."), levels), fused)
    raise KeyError(key)


def transformer_config(settings: Settings, shapes: Shapes) -> dict[str, Any]:
    """Return the diffusion transformer's configuration for diffusers: from its shapes, and its heads from the settings.

    Raises:
        MissingWeightsError: where a tensor that tells is missing.
    """
    prefix = "model.model."
    width, features = _shape(settings, shapes, f"{prefix}to_timestep_embed.0.weight")
    layer = f"{prefix}transformer.layers.0."
    (head,) = _shape(settings, shapes, f"{layer}self_attn.q_norm.gamma")
    return {
        "io_channels": _shape(settings, shapes, f"{prefix}preprocess_conv.weight")[0],
        "patch_size": 1,
        "embed_dim": width,
        "depth": _count(shapes, rf"^{re.escape(prefix)}transformer\.layers\.\d+\.pre_norm\.gamma$"),
        "num_heads": width // head,
        "cond_token_dim": _shape(settings, shapes, f"{prefix}to_cond_embed.0.weight")[1],
        "global_cond_dim": _shape(settings, shapes, f"{prefix}to_global_embed.0.weight")[1],
        "local_add_cond_dim": _shape(settings, shapes, f"{layer}to_local_embed.0.weight")[1],
        "timestep_features_dim": features,
        "ff_mult": _shape(settings, shapes, f"{layer}ff.ff.2.weight")[1] / width,
        "num_memory_tokens": shapes.get(f"{prefix}transformer.memory_tokens", (0,))[0],
        "use_differential_attention": _shape(settings, shapes, f"{layer}self_attn.to_qkv.weight")[0] == 5 * width,
    }


def autoencoder_config(settings: Settings) -> dict[str, Any]:
    """Return the autoencoder's configuration for diffusers. What its shapes do not show lies in the settings alone.

    Raises:
        MissingWeightsError: where the settings do not tell, or encoder and decoder are not mirror images.
    """
    encoder = dict(settings.need(f"{_AUTOENCODER}.encoder.config"))
    decoder = dict(settings.need(f"{_AUTOENCODER}.decoder.config"))
    for key in ("channels", "c_mults", "strides", "transformer_depths", "latent_dim", "dim_heads", "differential"):
        if encoder.get(key) != decoder.get(key):
            raise settings.refused(f"{_AUTOENCODER}: encoder and decoder differ in {key}")
    window = encoder.get("sliding_window") or [1, 1]
    if len(set(window)) != 1:
        raise settings.refused(f"{_AUTOENCODER}.encoder.config.sliding_window is not the same to both sides: {window}")
    levels = len(settings.strides)
    return {
        "audio_channels": settings.need(f"{_AUTOENCODER}.io_channels"),
        "patch_size": settings.need(f"{_AUTOENCODER}.downsampling_ratio") // math.prod(settings.strides),
        "encoder_channels": encoder["channels"],
        "encoder_c_mults": encoder["c_mults"],
        "encoder_strides": settings.strides,
        "encoder_transformer_depths": encoder["transformer_depths"],
        "latent_dim": encoder["latent_dim"],
        "use_differential_attention": encoder.get("differential", True),
        "dim_heads": encoder.get("dim_heads", 128),
        "ff_mult": encoder.get("ff_mult", 3),
        "sliding_window": window[0],
        "encoder_sinusoidal_blocks": encoder.get("sinusoidal_blocks", [0] * levels),
        "decoder_sinusoidal_blocks": decoder.get("sinusoidal_blocks", [0] * levels),
        "sampling_rate": settings.need("sample_rate"),
    }


def duration_config(settings: Settings, shapes: Shapes) -> dict[str, Any]:
    """Return the duration embedder's configuration for diffusers.

    Raises:
        MissingWeightsError: where a tensor that tells is missing, or it works otherwise.
    """
    given = settings.conditioner("seconds_total")
    if given.get("fourier_features_type", "expo") != "expo":
        raise settings.refused(f"seconds_total has features of the kind {given['fourier_features_type']}")
    output, fourier = _shape(settings, shapes, f"{_DURATION}weight")
    seconds = {"min_val": float(given.get("min_val", 0.0)), "max_val": float(given.get("max_val", 1.0))}
    return {"output_dim": output, "fourier_dim": fourier, **seconds, "min_freq": 0.5, "max_freq": 10_000.0}


def own_settings(settings: Settings) -> dict[str, Any]:
    """Return what diffusers' layout cannot say: the longest sound, and how the autoencoder's attention is divided."""
    encoder = dict(settings.need(f"{_AUTOENCODER}.encoder.config"))
    decoder = dict(settings.need(f"{_AUTOENCODER}.decoder.config"))
    own: dict[str, Any] = {
        "format": "stable-audio-3/1",
        "longest_s": settings.need("sample_size") / settings.need("sample_rate"),
        "prompt_tokens": int(settings.conditioner("prompt").get("max_length", 256)),
    }
    if not encoder.get("sliding_window"):
        own["chunks"] = {
            "frames": encoder.get("chunk_size", 128),
            "midpoint_shift": bool(encoder.get("chunk_midpoint_shift", False)),
            "encoder_kernel": 3 if encoder.get("conv_mapping") else 1,
            "decoder_kernel": 3 if decoder.get("conv_mapping") else 1,
        }
    elif encoder.get("conv_mapping") or decoder.get("conv_mapping"):
        raise settings.refused("conv_mapping is only understood where the attention works in chunks")
    return own


def _transformer_name(name: str) -> str:
    for pattern, new in _TRANSFORMER_NAMES:
        if re.search(pattern, name):
            return re.sub(pattern, new, name)
    return name


def _autoencoder_name(name: str, levels: int) -> str:
    """Return a name of the autoencoder as diffusers has it; its layers in a row are there blocks and a projection.

    Encoder: the blocks, transposition, projection, transposition. Decoder: transposition, projection, transposition,
    the blocks. Transpositions have no tensors.
    """
    first = {"encoder": 0, "decoder": 3}
    projection = {"encoder": levels + 1, "decoder": 1}

    def renamed(found: re.Match[str]) -> str:
        side, number = found[1], int(found[2])
        return f"{side}.proj." if number == projection[side] else f"{side}.blocks.{number - first[side]}."

    name = re.sub(r"^(encoder|decoder)\.layers\.(\d+)\.", renamed, name)
    for pattern, new in _AUTOENCODER_NAMES:
        name = re.sub(pattern, new, name)
    return name


def _shape(settings: Settings, shapes: Shapes, key: str) -> tuple[int, ...]:
    if key not in shapes:
        raise MissingWeightsError(str(settings.folder), f"{settings.folder / WEIGHTS} has no {key}", MEND)
    return shapes[key]


def _count(shapes: Shapes, pattern: str) -> int:
    return sum(1 for key in shapes if re.match(pattern, key))
