import pytest
import torch
import torch.nn.functional as F

from src.models.vggface2_resnet import VggFace2Resnet, rgb_state

BLOCKS = {2: 3, 3: 4, 4: 6, 5: 3}  # of each stage, by Caffe's numbers


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(3)
    network = VggFace2Resnet().eval()
    for name, value in network.named_buffers():
        if name.endswith("running_var"):
            value.uniform_(0.5, 1.5)
        if name.endswith("running_mean"):
            value.normal_(0, 0.1)
    return network


def dag_names():
    """torchvision's name of each layer → the MatConvNet conversion's."""
    names = {"conv1": "conv1_7x7_s2", "bn1": "conv1_7x7_s2_bn"}
    for stage, blocks in BLOCKS.items():
        for block in range(1, blocks + 1):
            mine, theirs = f"layer{stage - 1}.{block - 1}", f"conv{stage}_{block}"
            for place, layer in enumerate(("1x1_reduce", "3x3", "1x1_increase"), 1):
                names[f"{mine}.conv{place}"] = f"{theirs}_{layer}"
                names[f"{mine}.bn{place}"] = f"{theirs}_{layer}_bn"
            if block == 1:
                names[f"{mine}.downsample.0"] = f"{theirs}_1x1_proj"
                names[f"{mine}.downsample.1"] = f"{theirs}_1x1_proj_bn"
    return names


def as_dag(state):
    layers = dag_names()
    return {
        f"{layers[name.rpartition('.')[0]]}.{name.rpartition('.')[2]}": value for name, value in state.items()
    }


def caffe_forward(state, rgb):
    """The published network step by step, from the layers of its prototxt."""

    def layer(name, hidden, stride=1, padding=0):
        hidden = F.conv2d(hidden, state[f"{name}.weight"], stride=stride, padding=padding)
        norm = [state[f"{name}_bn.{part}"] for part in ("running_mean", "running_var", "weight", "bias")]
        return F.batch_norm(hidden, *norm)

    centred = rgb - torch.tensor([131.0912, 103.8827, 91.4953]).view(3, 1, 1)
    hidden = F.relu(layer("conv1_7x7_s2", centred, stride=2, padding=3))
    hidden = F.max_pool2d(hidden, 3, 2, ceil_mode=True)
    for stage, blocks in BLOCKS.items():
        for block in range(1, blocks + 1):
            name, stride = f"conv{stage}_{block}", 2 if stage > 2 and block == 1 else 1
            branch = F.relu(layer(f"{name}_1x1_reduce", hidden, stride))
            branch = F.relu(layer(f"{name}_3x3", branch, padding=1))
            branch = layer(f"{name}_1x1_increase", branch)
            shortcut = layer(f"{name}_1x1_proj", hidden, stride) if block == 1 else hidden
            hidden = F.relu(branch + shortcut)
    return F.avg_pool2d(hidden, 7).flatten(1)


@torch.inference_mode()
def test_it_is_caffe_s_arrangement(network):
    crops = torch.randint(256, (1, 3, 224, 224), dtype=torch.uint8)
    expected = caffe_forward(as_dag(network.network.state_dict()), crops.float())
    assert expected.shape == (1, 2048)
    torch.testing.assert_close(network(crops), expected, rtol=1e-3, atol=1e-4)


def test_both_conversions_give_the_same_state(network):
    state = network.network.state_dict()
    blue_first = {**state, "conv1.weight": state["conv1.weight"][:, [2, 1, 0]]}
    for given in (as_dag(state), blue_first):
        converted = rgb_state(given)
        assert converted.keys() == state.keys()
        assert all(torch.equal(value, state[name]) for name, value in converted.items())


def test_unknown_names_stay_to_be_found_superfluous():
    state = {"conv1_7x7_s2.weight": torch.zeros(1), "conv9_1_3x3.weight": torch.zeros(1)}
    assert rgb_state({**state, "conv2_1_5x5.weight": torch.zeros(1)}).keys() == {
        "conv1.weight",
        "conv9_1_3x3.weight",
        "conv2_1_5x5.weight",
    }
