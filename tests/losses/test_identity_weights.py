import math

import pytest
import torch

from src.losses.identity_weights import IdentityWeights, correct_comparisons

NOW, LATER = torch.tensor(True), torch.tensor(False)


def with_counts(correct, compared):
    weights = IdentityWeights(len(correct))
    weights.correct.copy_(torch.as_tensor(correct))
    weights.compared.copy_(torch.as_tensor(compared))
    return weights


def test_by_hand():
    # ratios 0.2, 0.4, 0.6: mean 0.4, deviation 0.2; the density is highest at 0.2
    weights = with_counts([2.0, 4.0, 6.0], [10.0, 10.0, 10.0])
    weights.refresh(NOW)
    highest = 1 / (0.2 * math.sqrt(2 * math.pi))
    expected = torch.tensor([highest, highest * math.exp(-0.5), highest * math.exp(-2.0)])
    torch.testing.assert_close(weights(torch.arange(3)), expected)
    assert not weights.correct.any()
    assert not weights.compared.any()


def test_equals_the_published_code(golden):
    arrays = golden("aasm_reweight")
    weights = with_counts(arrays["correct"], arrays["compared"])
    weights.refresh(NOW)
    torch.testing.assert_close(weights.weights, arrays["weight"], rtol=1e-5, atol=0)


@pytest.mark.parametrize("name", ["aasm_cross", "aasm_intra"])
def test_counts_equal_the_published_code(golden, name):
    arrays = golden(name)
    unit = [torch.nn.functional.normalize(arrays[side], dim=1) for side in ("v", "x")]
    rivals = ~torch.eye(len(unit[0]), dtype=torch.bool)
    assert torch.equal(correct_comparisons(unit[0] @ unit[1].T, rivals), arrays["correct"])
    assert (rivals.sum(1) == arrays["compared"]).all()


def test_counts_gather_by_identity():
    weights = IdentityWeights(3)
    similarity = torch.tensor([[0.5, 0.9, 0.1], [0.2, 0.5, 0.1], [0.9, 0.9, 0.5]])
    labels = torch.tensor([2, 2, 0])
    rivals = labels[:, None] != labels[None, :]
    weights.count(labels, similarity, rivals)
    assert weights.correct.tolist() == [0.0, 0.0, 2.0]
    assert weights.compared.tolist() == [2.0, 0.0, 2.0]


def test_identities_without_a_comparison_keep_their_weight_and_have_no_say():
    weights = with_counts([2.0, 4.0, 6.0, 0.0], [10.0, 10.0, 10.0, 0.0])
    weights.refresh(NOW)
    alone = with_counts([2.0, 4.0, 6.0], [10.0, 10.0, 10.0])
    alone.refresh(NOW)
    assert weights.weights[3] == 1
    torch.testing.assert_close(weights.weights[:3], alone.weights)


@pytest.mark.parametrize(
    "counts", [([0.0, 0.0], [0.0, 0.0]), ([3.0, 3.0], [9.0, 9.0]), ([3.0, 0.0], [9.0, 0.0])]
)
def test_nothing_to_tell_identities_apart_leaves_the_weights_alone(counts):
    weights = with_counts(*counts)
    weights.refresh(NOW)
    assert weights.weights.tolist() == [1.0, 1.0]


def test_nothing_changes_before_it_is_due():
    weights = with_counts([2.0, 4.0], [10.0, 10.0])
    weights.refresh(LATER)
    assert weights.weights.tolist() == [1.0, 1.0]
    assert weights.correct.tolist() == [2.0, 4.0]
