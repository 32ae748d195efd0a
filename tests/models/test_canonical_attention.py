"""Our own method: its base by hand, tokens in any order, padding, and gradients of every term."""

import torch
from torch import Tensor

from src.losses.contrastive import ContrastiveLoss
from src.losses.fop import FopLoss
from src.losses.pair import PairLoss
from src.models.association import Comparison
from src.models.canonical_attention import CanonicalAttention


def model(dropout: float = 0.0) -> CanonicalAttention:
    torch.manual_seed(0)
    return CanonicalAttention(6, 5, aligned_width=3, width=4, heads=2, hidden=8, dropout=dropout)


def tokens(seed: int = 1) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    voices, faces = torch.randn(4, 3, 6, generator=generator), torch.randn(5, 2, 5, generator=generator)
    voice_mask = torch.tensor([[1, 1, 1], [1, 1, 0], [1, 0, 0], [1, 1, 1]], dtype=torch.bool)
    face_mask = torch.tensor([[1, 1], [1, 0], [1, 1], [1, 1], [1, 0]], dtype=torch.bool)
    return voices, voice_mask, faces, face_mask


def compared(network: CanonicalAttention) -> Comparison:
    voices, voice_mask, faces, face_mask = tokens()
    return network.compare_all(
        network.encode_voices(voices), voice_mask, network.encode_faces(faces), face_mask
    )


def test_base_is_the_likelihood_ratio_of_correlated_gaussians() -> None:
    network = model().eval()
    correlation = torch.tensor([0.8, 0.5, 0.2])
    with torch.no_grad():
        network.classifier[-1].weight.zero_()
        network.classifier[-1].bias.zero_()
        for parameter, value in (
            (network.product, correlation / (1 - correlation**2)),
            (network.voice_square, correlation**2 / (2 * (1 - correlation**2))),
            (network.face_square, correlation**2 / (2 * (1 - correlation**2))),
        ):
            parameter.copy_(torch.log(torch.expm1(value)))
        network.offset.copy_(-0.5 * torch.log(1 - correlation**2).sum())
    voice, face = torch.randn(1, 1, 6), torch.randn(1, 1, 5)
    mask = torch.ones(1, 1, dtype=torch.bool)
    x, y = network.voice_input(voice)[0, 0], network.face_input(face)[0, 0]
    expected = torch.zeros(())
    for rho, a, b in zip(correlation, x, y, strict=True):
        covariance = torch.stack([torch.stack([torch.ones(()), rho]), torch.stack([rho, torch.ones(())])])
        joint = torch.distributions.MultivariateNormal(torch.zeros(2), covariance)
        alone = torch.distributions.Normal(0.0, 1.0)
        expected = expected + joint.log_prob(torch.stack([a, b])) - alone.log_prob(a) - alone.log_prob(b)
    torch.testing.assert_close(network.similarity(voice, mask, face, mask)[0], expected)


def test_rows_and_grid_agree_and_the_order_of_tokens_means_nothing() -> None:
    network = model().eval()
    voices, voice_mask, faces, face_mask = tokens()
    grid = network.similarity_matrix(voices, voice_mask, faces, face_mask)
    rows = network.similarity(voices, voice_mask, faces[:4], face_mask[:4])
    torch.testing.assert_close(rows, grid.diagonal())
    turned = network.similarity_matrix(voices.flip(1), voice_mask.flip(1), faces.flip(1), face_mask.flip(1))
    torch.testing.assert_close(turned, grid)


def test_padding_changes_nothing() -> None:
    network = model().eval()
    voices, voice_mask, faces, face_mask = tokens()
    grid = network.similarity_matrix(voices, voice_mask, faces, face_mask)
    voices[~voice_mask], faces[~face_mask] = 7.0, -7.0
    torch.testing.assert_close(network.similarity_matrix(voices, voice_mask, faces, face_mask), grid)
    alone = network.similarity(voices[2:3, :1], voice_mask[2:3, :1], faces[1:2, :1], face_mask[1:2, :1])
    torch.testing.assert_close(alone[0], grid[2, 1])


def test_attention_depends_on_its_query_when_there_are_several_tokens() -> None:
    network = model().train()
    compared(network).similarity.sum().backward()
    for attention in (network.voice_attention, network.face_attention):
        assert attention.query.weight.grad is not None
        assert attention.query.weight.grad.abs().max() > 0


def test_every_loss_term_has_a_gradient() -> None:
    same = torch.tensor([0, 1, 2, 0])[:, None] == torch.tensor([0, 1, 2, 0, 1])[None]
    for term in ("pair", "contrastive", "identity", "orthogonal_projection"):
        network = model()
        found = compared(network)
        places = same.nonzero(as_tuple=True)
        labels = torch.tensor([0, 1, 2, 0])[places[0]]
        fop = FopLoss(4, 3)(found.fused[places], labels)
        terms = {
            "pair": PairLoss(1.0)(found.similarity, same),
            "contrastive": ContrastiveLoss()(found.similarity, same),
            **fop._asdict(),
        }
        terms[term].backward()
        gradient = network.voice_projection.weight.grad
        assert gradient is not None and gradient.abs().max() > 0, term
