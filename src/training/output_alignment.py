"""Canonical directions of a trained space, fitted in closed form on the training people: InfoNCE, then CCA."""

import copy

import torch
from torch import Tensor

from src.models.canonical_correlation import AlignmentSettings, IdentityItems, fit_alignment
from src.models.shared_space import SharedSpace
from src.models.tokens import masked_token_mean
from src.training.resident_items import ResidentItems, ResidentPeople


@torch.inference_mode()
def with_fitted_outputs(
    model: SharedSpace, people: ResidentPeople, settings: AlignmentSettings
) -> SharedSpace:
    """A copy of the model, in evaluation mode, whose outputs pass the canonical maps of these people."""
    model.eval()
    voices = _items(people.voices, model.encode_voices(people.voices.sequences.tokens))
    faces = _items(people.faces, model.encode_faces(people.faces.sequences.tokens))
    alignment = fit_alignment(voices, faces, settings)
    fitted = copy.deepcopy(model)
    fitted.fit_outputs(alignment.voice, alignment.face)
    return fitted


def _items(side: ResidentItems, encodings: Tensor) -> IdentityItems:
    means = masked_token_mean(encodings, side.sequences.mask)
    return IdentityItems(means.double().cpu().numpy(), side.identities.cpu().numpy())
