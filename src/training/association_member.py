"""One member of a head in training: its people, its network, its optimiser; steps and validation."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.optim.lr_scheduler import LambdaLR
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from src.core.polarity import score_from_similarity
from src.core.seeding import stream_seed
from src.data.identity_sampler import IdentityBatch, IdentitySampler, VideoTable
from src.losses.contrastive import ContrastiveLoss
from src.losses.fop import FopLoss
from src.losses.pair import PairLoss
from src.metrics.verification import area_under_curve, equal_error_rate
from src.models.association import AssociationModel
from src.models.pair_scoring import similarity_matrix_of
from src.models.tokens import TokenSequences
from src.training.association_config import AssociationConfig, OptimizerConfig
from src.training.resident_items import ResidentPeople

LOSS_TERMS = ("pair", "contrastive", "identity", "orthogonal_projection")


@dataclass(frozen=True)
class ValidationResult:
    """What a member reaches on people whom it never saw: rates from 0 to 1, and over how many pairs."""

    equal_error_rate: float
    area_under_curve: float
    pairs: int


class Member:
    """Trains one network on some people and validates it on others.

    model: with fresh weights, on the people's device. training, validation: disjoint people.
    seed: of this member's batches.
    """

    def __init__(
        self,
        model: AssociationModel,
        training: ResidentPeople,
        validation: ResidentPeople,
        config: AssociationConfig,
        seed: int,
    ) -> None:
        device = training.voices.identities.device
        self.config = config
        self.model = model
        self.training = training
        self.validation = validation.evenly_chosen(config.validation.items_per_identity)
        self.generator = torch.Generator(device).manual_seed(stream_seed("batches", seed))
        self.sampler = _sampler(training, config, self.generator)
        self.pair_loss = PairLoss(config.loss.negative_ratio)
        self.contrastive_loss = ContrastiveLoss()
        self.fop = FopLoss(
            model.fused_dimension,
            self.sampler.voices.identities,
            config.loss.different_weight,
            config.loss.label_smoothing,
        ).to(device)
        self.parameters = [*model.parameters(), *self.fop.parameters()]
        self.optimizer = _optimizer(self.parameters, config.optimizer)
        self.schedule = LambdaLR(self.optimizer, self._share_of_rate)
        averaging = get_ema_multi_avg_fn(config.optimizer.average_decay)
        self.average = AveragedModel(model, multi_avg_fn=averaging)

    @property
    def learning_rate(self) -> float:
        """The rate of the next step."""
        return float(self.schedule.get_last_lr()[0])

    @property
    def averaged_model(self) -> AssociationModel:
        """The network with averaged weights, which is what is validated and kept."""
        module = self.average.module
        assert isinstance(module, AssociationModel)
        return module

    def train(self, steps: int) -> dict[str, float]:
        """Take some steps; the mean of each loss term over them, and of their weighted sum as "loss"."""
        self.model.train()
        weights = torch.tensor(
            [getattr(self.config.loss, name) for name in LOSS_TERMS], device=self.generator.device
        )
        sums = torch.zeros_like(weights)
        for _ in range(steps):
            terms = torch.stack(self._terms(self.sampler.draw()))
            self._update((weights * terms).sum())
            sums += terms.detach()
        means = sums / steps
        return {"loss": float((weights * means).sum()), **dict(zip(LOSS_TERMS, means.tolist(), strict=True))}

    def validate(self) -> ValidationResult:
        """Score every voice of the validation people against every face of theirs."""
        voices, faces = self.validation.voices, self.validation.faces
        similarity = similarity_matrix_of(self.averaged_model, voices.sequences, faces.sequences).ravel()
        same = (voices.identities[:, None] == faces.identities[None, :]).cpu().numpy().ravel()
        scores = score_from_similarity(similarity)
        return ValidationResult(equal_error_rate(scores, same), area_under_curve(scores, same), same.size)

    def _terms(self, batch: IdentityBatch) -> list[Tensor]:
        """The loss terms of a batch, unweighted, in the order of LOSS_TERMS."""
        sizes = self.config.batch
        voices = self._drop_tokens(self.training.voices.sequences.select(batch.voices), sizes.voice_tokens)
        faces = self._drop_tokens(self.training.faces.sequences.select(batch.faces), sizes.face_tokens)
        similarity, fused = self.model.compare_all(
            self.model.encode_voices(voices.tokens),
            voices.mask,
            self.model.encode_faces(faces.tokens),
            faces.mask,
        )
        matching_voices, matching_faces = batch.matching()
        fop = self.fop(fused[matching_voices, matching_faces], batch.voice_identities[matching_voices])
        return [
            self.pair_loss(similarity, batch.same),
            self.contrastive_loss(similarity, batch.same),
            fop.identity,
            fop.orthogonal_projection,
        ]

    def _drop_tokens(self, sequences: TokenSequences, kept: int) -> TokenSequences:
        """Keep `kept` random tokens of each item, all where it has no more."""
        if sequences.mask.shape[1] <= kept:
            return sequences
        chance = torch.rand(sequences.mask.shape, generator=self.generator, device=self.generator.device)
        chosen = chance.masked_fill(~sequences.mask, -1.0).topk(kept, dim=1).indices
        tokens = sequences.tokens.gather(1, chosen[..., None].expand(-1, -1, sequences.dimension))
        return TokenSequences(tokens, sequences.mask.gather(1, chosen))

    def _update(self, loss: Tensor) -> None:
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(self.parameters, self.config.optimizer.gradient_clip)
        self.optimizer.step()
        self.schedule.step()
        self.average.update_parameters(self.model)

    def _share_of_rate(self, step: int) -> float:
        """Linear warm-up, then half a cosine down to 0 at the last step."""
        warm_up = min(1.0, (step + 1) / max(1, self.config.optimizer.warmup_steps))
        return warm_up * 0.5 * (1.0 + math.cos(math.pi * min(1.0, step / self.config.steps)))


def _sampler(
    people: ResidentPeople, config: AssociationConfig, generator: torch.Generator
) -> IdentitySampler:
    return IdentitySampler(
        VideoTable(people.voices.identities, people.voices.videos),
        VideoTable(people.faces.identities, people.faces.videos),
        identities=config.batch.identities,
        voices_per_identity=config.batch.voices_per_identity,
        faces_per_identity=config.batch.faces_per_identity,
        generator=generator,
    )


def _optimizer(parameters: list[nn.Parameter], config: OptimizerConfig) -> torch.optim.AdamW:
    groups = [
        {"params": [p for p in parameters if p.ndim > 1], "weight_decay": config.weight_decay},
        {"params": [p for p in parameters if p.ndim <= 1], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=config.learning_rate, fused=True)
