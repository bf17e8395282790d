"""The fast decoder says what transformers' `generate` says, and its chance is each row's own."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

from foley.neural import fast_decode, runtime  # noqa: E402
from foley.neural.musicgen_stack import Stack  # noqa: E402

VOCABULARY, TEXT_WIDTH, FRAMES = 64, 24, 20


def a_model(*, channels: int = 1, seed: int = 0) -> Any:
    """Return a random MusicGen of two layers, with weights large enough that its codes differ."""
    runtime.torch()
    from transformers import EncodecConfig, MusicgenConfig, MusicgenDecoderConfig, T5Config
    from transformers import MusicgenForConditionalGeneration as Musicgen

    text = T5Config(vocab_size=99, d_model=TEXT_WIDTH, d_kv=8, d_ff=48, num_layers=1, num_heads=3)
    sound = EncodecConfig(
        num_filters=4,
        hidden_size=16,
        codebook_dim=16,
        codebook_size=VOCABULARY,
        upsampling_ratios=[4, 2],
        num_lstm_layers=1,
        target_bandwidths=[96.0],
    )
    codes = MusicgenDecoderConfig(
        vocab_size=VOCABULARY,
        hidden_size=32,
        ffn_dim=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_codebooks=4 * channels,
        audio_channels=channels,
        pad_token_id=VOCABULARY,
        bos_token_id=VOCABULARY,
    )
    with torch.random.fork_rng(devices=[]):
        torch.random.manual_seed(seed)
        model = Musicgen(MusicgenConfig(text_encoder=text, audio_encoder=sound, decoder=codes)).eval()
        for weight in model.decoder.parameters():
            if weight.dim() > 1:
                weight.data.mul_(10.0)
    for name in ("decoder_start_token_id", "pad_token_id", "bos_token_id"):
        setattr(model.generation_config, name, VOCABULARY)
    return model


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    """Let products this small be computed by one thread: several would mostly wait for each other."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module", params=[1, 2], ids=["mono", "stereo"])
def model(request: pytest.FixtureRequest) -> Any:
    return a_model(channels=request.param)


@pytest.fixture(scope="module")
def mono() -> Any:
    return a_model(channels=1)


@pytest.fixture(scope="module")
def ids() -> Any:
    """Three texts of 7, 4 and 2 tokens, padded."""
    words = torch.randint(3, 99, (3, 7), generator=torch.Generator().manual_seed(1))
    return words * torch.tensor([[1] * 7, [1] * 4 + [0] * 3, [1] * 2 + [0] * 5])


def states(model: Any, ids: Any) -> Any:
    """Return what the text encoder says of each text by itself."""
    with torch.inference_mode():
        said = [model.text_encoder(input_ids=row[None, : int((row > 0).sum())]).last_hidden_state[0] for row in ids]
        return torch.nn.utils.rnn.pad_sequence(said, batch_first=True)


def published(model: Any, ids: Any, frames: int, prompt: Any = None) -> Any:
    """Return the codes that transformers' own greedy `generate` hands to the codec."""
    handed: list[Any] = []

    def keep(codes: Any, **_: Any) -> Any:
        handed.append(codes[0])
        return SimpleNamespace(audio_values=torch.zeros(codes.shape[1], 1, 1))

    channels, codebooks = model.config.decoder.audio_channels, model.config.decoder.num_codebooks
    new = frames if prompt is None else frames - prompt.shape[2]
    start = {} if prompt is None else {"decoder_input_ids": prompt.reshape(len(ids) * codebooks, -1)}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(model.audio_encoder, "decode", keep)
        model.generate(
            input_ids=ids,
            attention_mask=(ids > 0).long(),
            do_sample=False,
            guidance_scale=3.0,
            max_new_tokens=new + codebooks // channels - 1,
            **start,
        )
    return torch.stack(handed, dim=2).flatten(1, 2)


def seeded(*seeds: int) -> list[Any]:
    return [torch.Generator().manual_seed(seed) for seed in seeds]


def written(model: Any, ids: Any, **how: Any) -> Any:
    said = states(model, ids)
    return fast_decode.codes(model, said, ids[:, : said.shape[1]] > 0, **{"frames": FRAMES} | how)


def test_the_likeliest_codes_are_those_of_transformers(model: Any, ids: Any) -> None:
    theirs = published(model, ids, FRAMES)
    assert theirs.unique().numel() > 10, "a model that says always the same proves nothing"
    assert torch.equal(written(model, ids), theirs)
    assert torch.equal(written(model, ids[1:2]), published(model, ids[1:2], FRAMES))


def test_a_sound_goes_on_as_transformers_would_let_it_go_on(model: Any, ids: Any) -> None:
    codebooks = model.config.decoder.num_codebooks
    strange = torch.randint(VOCABULARY, (3, codebooks, 11), generator=torch.Generator().manual_seed(2))
    assert torch.equal(written(model, ids, prompt_codes=strange), published(model, ids, FRAMES, strange))
    own = written(model, ids)
    assert torch.equal(written(model, ids, prompt_codes=own[..., :12]), own)


def test_a_sound_longer_than_a_block_of_keys_is_that_of_transformers(mono: Any, ids: Any) -> None:
    frames = fast_decode.KEYS_BLOCK + 3
    assert torch.equal(written(mono, ids[:1], frames=frames), published(mono, ids[:1], frames))


def test_without_guidance_no_row_is_compared(mono: Any, ids: Any) -> None:
    plain = written(mono, ids, guidance=1.0)
    assert not torch.equal(plain, written(mono, ids))
    assert torch.equal(plain, torch.cat([written(mono, row[None], guidance=0.0) for row in ids]))


def test_a_sound_is_the_same_alone_and_in_any_batch(model: Any, ids: Any) -> None:
    many = ids.repeat(2, 1)  # more than are written at once on a processor
    seeds = [11, 12, 13, 14, 15, 16]
    together = written(model, many, generators=seeded(*seeds))
    for row, seed in enumerate(seeds):
        alone = written(model, many[row : row + 1], generators=seeded(seed))
        assert torch.equal(together[row : row + 1], alone)
    assert torch.equal(together.flip(0), written(model, many.flip(0), generators=seeded(*reversed(seeds))))


def test_a_sound_does_not_hear_that_its_neighbour_has_a_long_text(mono: Any, ids: Any) -> None:
    words = torch.randint(3, 99, (1, fast_decode.TEXT_BLOCK + 9), generator=torch.Generator().manual_seed(8))
    long = torch.cat([torch.nn.functional.pad(ids[:1], (0, words.shape[1] - ids.shape[1])), words])
    together = written(mono, long, generators=seeded(1, 2))
    assert torch.equal(together[:1], written(mono, ids[:1], generators=seeded(1)))


class Recording(fast_decode._Decoder):
    """Does on a processor what is done on CUDA, but that a graph's replay is the step itself."""

    made = 0

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.graphs = {}
        type(self).made += 1

    @property
    def worth_keeping(self) -> bool:
        return True

    def _recorded(self, seen: int) -> Any:
        return SimpleNamespace(replay=lambda: self._step(seen))


def test_a_decoder_that_is_kept_writes_the_next_sound_as_a_new_one_would(
    ids: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, frames = a_model(seed=9), fast_decode.KEYS_BLOCK + 3
    fresh = [written(model, ids, frames=frames, generators=seeded(1, 2, 3)), written(model, ids[:2].flip(0))]
    monkeypatch.setattr(fast_decode, "_Decoder", Recording)
    monkeypatch.setattr(Recording, "made", 0)
    written(model, ids.flip(0), frames=frames, generators=seeded(4, 5, 6), guidance=2.0, temperature=0.5)
    again = written(model, ids, frames=frames, generators=seeded(1, 2, 3))
    assert Recording.made == 1, "two calls of one shape share a decoder"
    assert sorted(fast_decode._kept[model].graphs or ()) == [64, 128]
    assert torch.equal(again, fresh[0])
    assert torch.equal(written(model, ids[:2].flip(0)), fresh[1])
    assert Recording.made == 2, "another shape needs another one"
    model.to(torch.float64)
    assert written(model, ids[:2]).shape == (2, 4, FRAMES)
    assert Recording.made == 3, "weights that moved are not where a graph would look for them"


def test_a_seed_gives_its_sound_again_and_another_seed_another(mono: Any, ids: Any) -> None:
    first = written(mono, ids[:1], generators=seeded(5))
    assert torch.equal(first, written(mono, ids[:1], generators=seeded(5)))
    assert not torch.equal(first, written(mono, ids[:1], generators=seeded(6)))


def test_a_model_serves_transformers_as_before(ids: Any) -> None:
    model = a_model(seed=4)
    theirs = published(model, ids, FRAMES)
    with torch.inference_mode():
        written(model, ids)
    assert torch.equal(published(model, ids, FRAMES), theirs)
    attention = model.decoder.model.decoder.layers[0].self_attn
    assert attention.q_proj.weight.untyped_storage().data_ptr() == attention.v_proj.weight.untyped_storage().data_ptr()


def test_nothing_holds_a_model_that_nobody_uses(ids: Any) -> None:
    model = a_model(seed=5)
    stack, seen = Stack(model), weakref.ref(model)
    del model
    gc.collect()
    assert seen() is None
    assert stack.codebooks == 4


def test_layers_that_only_know_their_own_product_are_asked_for_it(ids: Any) -> None:
    class Packed(torch.Tensor):
        """A weight that is no ordinary matrix, as quantised ones are none."""

    model = a_model(seed=6)
    expected = written(model, ids)
    for module in model.decoder.modules():
        if isinstance(module, torch.nn.Linear):
            module.weight = torch.nn.Parameter(module.weight.data.clone().as_subclass(Packed), requires_grad=False)
    assert torch.equal(written(model, ids), expected)


def test_a_sound_of_n_frames_takes_n_steps_and_the_delay_of_the_last_codebook(
    model: Any, ids: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps: list[int] = []
    step = fast_decode._Decoder._step
    monkeypatch.setattr(fast_decode._Decoder, "_step", lambda self, seen: (steps.append(seen), step(self, seen)))
    own = written(model, ids)
    assert len(steps) == FRAMES + 3, "mono and stereo have four codebooks a channel"
    steps.clear()
    written(model, ids, prompt_codes=own[..., :15])
    assert len(steps) == FRAMES + 3 - 15, "a prompt is read in one pass"


TEMPERATURE, TOP_K, DRAWS = 0.7, 5, 4_000


def test_codes_are_drawn_as_often_as_they_are_likely(mono: Any) -> None:
    """Pearson's chi-square of 4,000 draws from the first step's distribution, cut to five codes."""
    stack = Stack(mono)
    shape = fast_decode._Shape(items=4, copies=2, tokens=32, steps=DRAWS, top_k=TOP_K)
    decoder = fast_decode._Decoder(stack, shape)
    decoder.temperature.fill_(TEMPERATURE)
    decoder.draw(seeded(1, 2, 3, 4), 0)
    logits = 2.0 * torch.randn(1, 1, VOCABULARY, generator=torch.Generator().manual_seed(3))
    found = torch.zeros(VOCABULARY)
    for draw in range(DRAWS // 16):
        decoder.position.fill_(draw)
        found += torch.bincount(decoder._chosen(logits.expand(4, 4, -1)).flatten(), minlength=VOCABULARY)
    best = logits.flatten().topk(TOP_K)
    expected = (best.values / TEMPERATURE).softmax(-1) * DRAWS
    assert found.sum() == DRAWS
    assert found[best.indices].sum() == DRAWS, "only the likeliest five are drawn from"
    assert ((found[best.indices] - expected) ** 2 / expected).sum() < CHI_SQUARE_MOST


CHI_SQUARE_MOST = 23.5
"""Four degrees of freedom exceed this once in 10,000 times; the seeds are fixed, so it holds always or never."""


def test_among_all_codes_none_that_is_impossible_is_drawn(mono: Any) -> None:
    decoder = fast_decode._Decoder(Stack(mono), fast_decode._Shape(items=4, copies=2, tokens=32, steps=64, top_k=0))
    logits = torch.full((4, 4, VOCABULARY), float("-inf"))
    logits[..., 7] = 0.0
    for extreme in (0.0, 1.0 - 2.0**-24):
        decoder.draws.fill_(extreme)
        assert (decoder._chosen(logits) == 7).all()


@pytest.mark.parametrize(
    "wrong",
    [
        {"frames": 0},
        {"temperature": 0.0},
        {"top_k": -1},
        {"generators": []},
        {"prompt_codes": torch.zeros(3, 4, FRAMES, dtype=torch.long)},
        {"prompt_codes": torch.zeros(2, 4, 3, dtype=torch.long)},
    ],
    ids=str,
)
def test_what_cannot_be_is_refused(mono: Any, ids: Any, wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"must|need"):
        written(mono, ids, **wrong)


def test_a_mask_of_another_shape_is_refused(mono: Any, ids: Any) -> None:
    with pytest.raises(ValueError, match="mask"):
        fast_decode.codes(mono, states(mono, ids), ids[:, :3] > 0, frames=4)


@pytest.mark.parametrize("number", [torch.bfloat16, torch.float16], ids=str)
def test_half_numbers_say_nearly_the_same(ids: Any, number: Any) -> None:
    whole = written(a_model(seed=7), ids, frames=8)
    halved = written(a_model(seed=7).to(number), ids, frames=8)
    assert halved.dtype == torch.long
    assert (halved[..., 0] == whole[..., 0]).float().mean() > 0.5, "the first codes hang on nothing before them"
