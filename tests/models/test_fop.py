"""FOP: parity, the two official checkpoints, foreign states refused, fusions by hand."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch

from src.core.errors import WeightsError
from src.losses.contrastive import ContrastiveLoss
from src.losses.fop import FopLoss
from src.models.fop import Fop, FopGatedFusion, FopLinearFusion, fop_from_published_state

BASELINES = Path(__file__).resolve().parents[2] / "../shared/data/fame/baseline_checkpoints"


def tensors(arrays, prefix=""):
    return {
        name.removeprefix(prefix): torch.from_numpy(np.asarray(array))
        for name, array in arrays.items()
        if name.startswith(prefix)
    }


def published_state(width=3, voice=4, face=5, identities=2):
    """A small state by the published names, as the published layers are shaped."""
    generator = torch.Generator().manual_seed(0)

    def block(prefix, given, made):
        return {
            f"{prefix}0.weight": torch.randn(made, given, generator=generator),
            f"{prefix}0.bias": torch.randn(made, generator=generator),
            f"{prefix}1.weight": torch.ones(made),
            f"{prefix}1.bias": torch.zeros(made),
            f"{prefix}1.running_mean": torch.zeros(made),
            f"{prefix}1.running_var": torch.ones(made),
            f"{prefix}1.num_batches_tracked": torch.tensor(0),
        }

    return {
        **block("voice_branch.fc1.", voice, width),
        **block("face_branch.fc1.", face, width),
        **block("fusion_layer.attention.0.block.", 2 * width, 128),
        "fusion_layer.attention.1.weight": torch.randn(width, 128, generator=generator),
        "fusion_layer.attention.1.bias": torch.zeros(width),
        "logits_layer.weight": torch.randn(identities, width, generator=generator),
        "logits_layer.bias": torch.zeros(identities),
    }


def test_equals_the_published_code(golden):
    arrays = golden("fop_gated")
    values = tensors(arrays)
    model, classifier = fop_from_published_state(tensors(arrays, "state/"))
    with torch.no_grad():
        voices, faces = model.embed_voices(values["voice"]), model.embed_faces(values["face"])
        fused = model.fuse(voices, faces)
        found = {
            "voice_out": voices.tanh(),
            "face_out": faces.tanh(),
            "fused": fused,
            "logits": classifier(fused),
            "l2": -model.likeness(voices, faces),
        }
    for name, tensor in found.items():
        torch.testing.assert_close(tensor, values[name], rtol=1e-5, atol=1e-7, msg=name)


@pytest.mark.parametrize("language", ["English", "Urdu"])
def test_the_official_baselines_load_and_score(language):
    path = BASELINES / f"v1_{language}.pth.tar"
    if not path.exists():
        pytest.skip("../shared/data/fame is absent")
    state = torch.load(path, weights_only=True, map_location="cpu")["state_dict"]
    model, classifier = fop_from_published_state(state)
    assert (model.voice_dimension, model.face_dimension, classifier.out_features) == (512, 4096, 64)
    generator = torch.Generator().manual_seed(0)
    voices, faces = torch.randn(3, 1, 512, generator=generator), torch.rand(3, 1, 4096, generator=generator)
    one = torch.ones(3, 1, dtype=torch.bool)
    with torch.no_grad():
        scores = -model.similarity(voices, one, faces, one)
        # the published network, written out with its own keys
        sides = []
        for name, vectors in (("face", faces), ("voice", voices)):
            keys = {key.split("fc1.")[1]: state[key] for key in state if key.startswith(f"{name}_branch")}
            hidden = torch.nn.functional.linear(vectors[:, 0], keys["0.weight"], keys["0.bias"])
            normalised = torch.nn.functional.batch_norm(
                hidden, keys["1.running_mean"], keys["1.running_var"], keys["1.weight"], keys["1.bias"]
            )
            sides.append(torch.nn.functional.normalize(normalised.relu()).tanh())
    torch.testing.assert_close(scores, (sides[0] - sides[1]).norm(dim=1), rtol=1e-5, atol=1e-7)
    assert scores.std() > 0


def test_dimensions_and_fusion_are_read_off_the_state():
    model, classifier = fop_from_published_state(published_state())
    assert (model.voice_dimension, model.face_dimension, model.fused_dimension) == (4, 5, 3)
    assert classifier.out_features == 2
    linear = {name: tensor for name, tensor in published_state().items() if "fusion_layer" not in name}
    linear |= {"fusion_layer.weight1": torch.tensor([2.0]), "fusion_layer.weight2": torch.tensor([3.0])}
    model, _ = fop_from_published_state(linear)
    fused = model.fuse(torch.tensor([[1.0, 0.0, 0.0]]), torch.tensor([[0.0, 1.0, 0.0]]))
    torch.testing.assert_close(fused, torch.tensor([[3.0, 2.0, 0.0]]))


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (lambda state: state | {"speaker.weight": torch.zeros(1)}, "speaker.weight"),
        (lambda state: {k: v for k, v in state.items() if k != "voice_branch.fc1.0.weight"}, "voice_branch"),
        (lambda state: {k: v for k, v in state.items() if "running_mean" not in k}, "running_mean"),
        (lambda state: state | {"face_branch.fc1.0.bias": torch.zeros(7)}, "size mismatch"),
        (lambda state: {}, "no tensor"),
    ],
)
def test_foreign_states_are_refused(change, complaint):
    with pytest.raises(WeightsError, match=complaint):
        fop_from_published_state(change(published_state()))


def test_gate_by_hand():
    fusion = FopGatedFusion(2).eval()
    with torch.no_grad():
        fusion.gate.weight.zero_()
        fusion.gate.bias.copy_(torch.tensor([0.0, math.log(3.0)]))  # shares of the face: 1/2 and 3/4
    voices, faces = torch.tensor([[0.5, 0.0]]), torch.tensor([[0.0, 1.0]])
    expected = torch.tensor([[0.5 * math.tanh(0.5), 0.75 * math.tanh(1.0)]])
    torch.testing.assert_close(fusion(voices, faces), expected)


def test_linear_fusion_scores_the_plain_distance():
    model = Fop(4, 5, width=2, fusion="linear")
    assert isinstance(model.fusion, FopLinearFusion)
    distance = -model.likeness(torch.tensor([[1.0, 0.0]]), torch.tensor([[0.0, 1.0]]))
    torch.testing.assert_close(distance, torch.tensor([math.sqrt(2.0)]))


def test_it_learns_from_its_loss_on_matching_pairs():
    torch.manual_seed(0)
    model, loss = Fop(4, 5, width=8, dropout=0.0), FopLoss(8, 3)
    labels = torch.arange(12) % 3
    voices, faces = torch.eye(3, 4)[labels], torch.eye(3, 5)[labels]
    voices, faces = voices + 0.1 * torch.randn(12, 4), faces + 0.1 * torch.randn(12, 5)
    optimizer = torch.optim.Adam([*model.parameters(), *loss.parameters()], lr=0.05)
    history = []
    for _ in range(10):
        total = sum(loss(model.fuse(model.embed_voices(voices), model.embed_faces(faces)), labels))
        optimizer.zero_grad()
        total.backward()
        optimizer.step()
        history.append(total.item())
    assert history[-1] < 0.7 * history[0]


def test_its_matrix_of_distances_can_be_contrasted():
    torch.manual_seed(0)
    model = Fop(4, 5, width=8)
    tokens, mask = (torch.randn(3, 1, 4), torch.randn(3, 1, 5)), torch.ones(3, 1, dtype=torch.bool)
    similarity = model.similarity_matrix(tokens[0], mask, tokens[1], mask)
    ContrastiveLoss()(similarity, torch.eye(3, dtype=torch.bool)).backward()
    assert model.voice_branch.linear.weight.grad.abs().max() > 0
