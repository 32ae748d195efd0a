"""The released CAFNet: parity, its single-key attention, foreign states refused."""

import numpy as np
import pytest
import torch
from torch import nn

from src.core.errors import WeightsError
from src.models.cafnet_published import CafNetPublished, SingleKeyAttention, cafnet_state_from_published
from src.models.published_names import fill_exactly


@torch.no_grad()
def test_equals_the_released_code(golden):
    arrays = {name: torch.from_numpy(np.asarray(array)) for name, array in golden("cafnet_published").items()}
    model = CafNetPublished(48, 96, width=32).eval()
    fill_exactly(
        model,
        cafnet_state_from_published(
            {
                name.removeprefix("state/"): array
                for name, array in arrays.items()
                if name.startswith("state/")
            }
        ),
    )
    voices, faces = model.encode_voices(arrays["voice"]), model.encode_faces(arrays["face"])
    voice, face = model.attended(voices, faces)
    similarity, fused = model.combine(voices, faces)
    found = {"voice_out": voice, "face_out": face, "fused": fused, "logits": model.classifier(fused)}
    for name, tensor in found.items():
        torch.testing.assert_close(tensor, arrays[name], rtol=1e-5, atol=1e-6, msg=name)
    expected = arrays["logits"].softmax(1)[:, 1]  # what the release scores with
    torch.testing.assert_close(similarity.sigmoid(), expected, rtol=1e-5, atol=1e-6)


def test_attention_over_one_key_is_what_pytorch_computes_whatever_the_query():
    torch.manual_seed(0)
    layer, own = nn.MultiheadAttention(8, 4, batch_first=True), SingleKeyAttention(8)
    with torch.no_grad():
        own.value.weight.copy_(layer.in_proj_weight[16:])
        own.value.bias.copy_(layer.in_proj_bias[16:])
        own.output.load_state_dict(layer.out_proj.state_dict())
    key = torch.randn(3, 1, 8)
    for query in torch.randn(2, 3, 1, 8):
        torch.testing.assert_close(own(key), layer(query, key, key)[0])


def test_the_fused_embedding_is_the_sum_of_both_sides():
    torch.manual_seed(0)
    model = CafNetPublished(3, 4, width=8).eval()
    voices, faces = model.encode_voices(torch.randn(2, 3)), model.encode_faces(torch.randn(2, 4))
    voice, face = model.attended(voices, faces)
    expected = model.fusion_norm(nn.functional.gelu(model.fusion(voice + face)))
    torch.testing.assert_close(model.combine(voices, faces).fused, expected)


def test_a_state_trained_with_dropout_has_its_norm_one_place_further():
    def state(norm):
        return {
            "a_proj.weight": torch.zeros(2, 3),
            f"{norm}.weight": torch.ones(2),
            f"{norm}.bias": torch.ones(2),
        }

    assert (
        cafnet_state_from_published(state("fuse.3")).keys()
        == cafnet_state_from_published(state("fuse.2")).keys()
    )


@pytest.mark.parametrize("state", [{"other.weight": torch.zeros(1)}, {"a_proj.bias": torch.zeros(1)}])
def test_a_foreign_state_is_refused(state):
    with pytest.raises(WeightsError, match=r"other\.weight|voice_projection\.weight"):
        cafnet_state_from_published(state)
