"""MFV-KSD's head: parity, whole utterance against windows, a pair's cross-entropy."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from src.core.errors import WeightsError
from src.losses.pair import PairLoss
from src.models.mfv import Mfv, mfv_fusion_state_from_published
from src.models.published_names import fill_exactly


@torch.no_grad()
def test_equals_the_published_code(golden):
    arrays = {name: torch.from_numpy(np.asarray(array)) for name, array in golden("mfv_fusion").items()}
    model = Mfv(192, 512).eval()
    state = mfv_fusion_state_from_published(
        {name.removeprefix("state/"): array for name, array in arrays.items() if name.startswith("state/")}
    )
    fill_exactly(
        model, state | {f"classifier.{name}": p for name, p in model.classifier.state_dict().items()}
    )
    fused = model.combine(model.encode_voices(arrays["voice"]), model.encode_faces(arrays["face"])).fused
    torch.testing.assert_close(fused, arrays["fused"], rtol=1e-5, atol=1e-6)


def test_the_two_halves_of_the_joint_layer_add_up():
    torch.manual_seed(0)
    model = Mfv(6, 5, hidden=7, width=8, fused_width=9).eval()
    voices, faces = torch.randn(3, 6), torch.randn(3, 5)
    joined = torch.cat([model.voice_branch(voices), model.face_branch(faces)], dim=1)
    fused = model.combine(model.encode_voices(voices), model.encode_faces(faces)).fused
    torch.testing.assert_close(fused, F.relu(model.joint(joined)))


def test_the_whole_utterance_counts_as_much_as_all_its_windows():
    mask = torch.tensor([[True, True, True, False], [True, False, False, False]])
    weights = Mfv(6, 5).voice_weights(mask)
    torch.testing.assert_close(weights, torch.tensor([[0.5, 0.25, 0.25, 0.0], [1.0, 0.0, 0.0, 0.0]]))


def test_the_pair_loss_of_its_similarity_is_the_cross_entropy_of_its_classes():
    torch.manual_seed(0)
    model = Mfv(6, 5, hidden=7, width=8, fused_width=9).eval()
    same = torch.tensor([True, False, True, False])
    similarity, fused = model.combine(
        model.encode_voices(torch.randn(4, 6)), model.encode_faces(torch.randn(4, 5))
    )
    expected = F.cross_entropy(model.classifier(fused), same.long())
    torch.testing.assert_close(PairLoss(1.0)(similarity, same), expected)


def test_a_foreign_state_is_refused():
    with pytest.raises(WeightsError, match=r"speaker_encoder\.weight"):
        mfv_fusion_state_from_published({"speaker_encoder.weight": torch.zeros(1)})
