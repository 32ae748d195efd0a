"""Weights of another training to begin with: adaptation, such as MFV-KSD's last stage."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from src.artifacts.checkpoints import Checkpoint, load_checkpoint
from src.core.config import config_mapping
from src.core.errors import ConfigError
from src.data.identity_split import IdentitySplit
from src.models.association import AssociationModel
from src.models.configurations import ModelConfig

RECIPE = "association"


@dataclass(frozen=True)
class StartingWeights:
    """A checkpoint of the same model, trained on none of the people that are to be validated on."""

    checkpoint: Checkpoint
    members: int

    @classmethod
    def load(
        cls, folder: Path | None, model: ModelConfig, language: str, splits: Sequence[IdentitySplit]
    ) -> "StartingWeights | None":
        """The checkpoint in `folder`; None without one.

        Raises ConfigError where it holds another model, was trained on another language (what is unheard must be
        unheard at every stage), or where a member would be validated on people whom its weights have seen.
        """
        if folder is None:
            return None
        checkpoint = load_checkpoint(folder)
        config = checkpoint.config
        if config.get("recipe") != RECIPE:
            raise ConfigError(f"start_from: {folder} holds {config.get('recipe')!r}, not an association head")
        wanted, found = config_mapping(model), config.get("model", {})
        differing = sorted(
            name
            for name in (wanted.keys() | found.keys()) - {"dropout", "members"}
            if wanted.get(name) != found.get(name)
        )
        if differing:
            shown = "; ".join(f"{name} {found.get(name)!r}, not {wanted.get(name)!r}" for name in differing)
            raise ConfigError(f"start_from: {folder} holds another model: {shown}")
        if config.get("language") != language:
            raise ConfigError(
                f"start_from: {folder} was trained on {config.get('language')}; a language that is unheard must be "
                f"unheard at every stage. Train the first stage with --language {language}"
            )
        starting = cls(checkpoint, int(found.get("members", 1)))
        for number, split in enumerate(splits):
            seen = starting._people_of(number) & set(split.validation)
            if seen:
                raise ConfigError(
                    f"start_from: {folder} was trained on {len(seen)} people who would validate member {number}: "
                    f"{', '.join(sorted(seen)[:5])}. Give the same --seed and validation.folds as there"
                )
        return starting

    def fill(self, model: AssociationModel, number: int) -> None:
        """Put the weights of member `number` into `model`; more members than there are begin again from the first."""
        prefix = f"members.{number % self.members}."
        model.load_state_dict(
            {
                name.removeprefix(prefix): tensor
                for name, tensor in self.checkpoint.weights.items()
                if name.startswith(prefix)
            }
        )

    def _people_of(self, number: int) -> set[str]:
        """Whom the weights of a member were trained on."""
        members = self.checkpoint.config.get("identities", {}).get("members", [])
        return set(members[number % self.members]["training"]) if members else set()
