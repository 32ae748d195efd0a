"""How a checkpoint's media were made into vectors, so that new media are made into vectors in the same way."""

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from features.settings import TokenSettings
from preprocessing.recorded_settings import RecordedFaces, RecordedSpeech, recorded_faces, recorded_speech
from src.artifacts.checkpoints import CONFIG_FILE, ENCODERS_FOLDER, Checkpoint
from src.artifacts.sources import MODALITIES, Modality
from src.core.config import parse_config
from src.core.errors import CheckpointError, ConfigError

LOGGER = logging.getLogger(__name__)
# What may differ unsaid between two descriptions of one way: where weights came from, and sizes of batches.
_INFORMATIVE = ("weights_source", "batch_seconds", "batch_crops", "version", "counts", "format", "model")
# What must not: other weights make other vectors.
_DECISIVE = ("sha256", "encoder", "dimension", "name", "pipeline")


@dataclass(frozen=True, kw_only=True)
class MediaRecipe:
    """What `config.json` of a checkpoint says of its media.

    speech, faces: settings of preprocessing. tokens: of windows and crops. recorded: all that the stores said.
    """

    checkpoint: Path
    speech: RecordedSpeech
    faces: RecordedFaces
    tokens: Mapping[Modality, TokenSettings]
    recorded: Mapping[Modality, Mapping[str, Any]]

    @classmethod
    def of(cls, checkpoint: Checkpoint) -> "MediaRecipe":
        """Raises CheckpointError where the checkpoint does not say how its media were preprocessed."""
        path = checkpoint.folder / CONFIG_FILE
        recorded = checkpoint.config.get("encoders", {})
        for modality in MODALITIES:
            lacking = {"encoder", "weights_sha256", "tokens", "preprocessing"} - set(
                recorded.get(modality, {})
            )
            if lacking:
                raise CheckpointError(
                    f"{path}: does not say how its {modality}s were made ({', '.join(sorted(lacking))} missing), as with "
                    "imported features. Raw media cannot be made alike; embed them as those were, and use "
                    "`python inference.py score`"
                )
        try:
            return cls(
                checkpoint=checkpoint.folder,
                speech=recorded_speech(recorded["voice"]["preprocessing"], f"{path}: voice preprocessing"),
                faces=recorded_faces(recorded["face"]["preprocessing"], f"{path}: face preprocessing"),
                tokens={
                    modality: parse_config(
                        TokenSettings, recorded[modality]["tokens"], f"{path}: {modality} tokens"
                    )
                    for modality in MODALITIES
                },
                recorded=recorded,
            )
        except ConfigError as error:
            raise CheckpointError(
                f"{error}\nThe checkpoint was made by another version of this program; train it again"
            ) from error

    def encoder(self, modality: Modality) -> str:
        """Name of the encoder of a modality."""
        return str(self.recorded[modality]["encoder"])

    def encoder_weights(self, modality: Modality, given: Path | None) -> Path | None:
        """Where the weights of a modality's encoder are: as given, else beside the head where it learned along with it; None
        where the encoder's own are to be looked for.
        """
        learned = self.checkpoint / ENCODERS_FOLDER / modality
        return given or (learned if learned.is_dir() else None)

    def tells_apart_by_the_encoder(self, modality: Modality) -> bool:
        """Whether preprocessing told people apart by the very weights that embed them; not so where those learned on."""
        recorded = self.recorded[modality]
        preprocessing = recorded["preprocessing"]
        apart = (
            preprocessing.get("face_encoder")
            if modality == "face"
            else preprocessing["diarizer"].get("speaker_encoder")
        )
        return not apart or apart.get("weights_sha256") == recorded["weights_sha256"]

    def refuse_other_networks(self, modality: Modality, made: Mapping[str, Any], how: str) -> None:
        """Raise CheckpointError where what was loaded now is not what the checkpoint's media went through.

        made: description of the store that would be written. how: the options that name weights, for the error.
        Other differences, as between versions of the program, are warned of.
        """
        differing = list(_differences(self.recorded[modality], made))
        refused = [text for place, text in differing if place[-1].endswith(_DECISIVE) or "sha256" in place]
        if refused:
            raise CheckpointError(
                f"{self.checkpoint}: its {modality}s went through other networks than those found here:\n  "
                + "\n  ".join(refused)
                + f"\nName the right weights: {how}"
            )
        if differing:
            LOGGER.warning(
                "%s: its %ss were made with other settings: %s",
                *(self.checkpoint, modality, "; ".join(text for _, text in differing)),
            )


def _differences(
    recorded: Mapping[str, Any], made: Mapping[str, Any], above: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], str]]:
    """Place and description of each entry that differs."""
    # of tokens, a checkpoint that was trained from media states what it was trained on, and no more
    stated = recorded.keys() if above[:1] == ("tokens",) else recorded.keys() | made.keys()
    for key in sorted(stated - set(_INFORMATIVE)):
        place = (*above, key)
        before, now = recorded.get(key), made.get(key)
        if isinstance(before, Mapping) and isinstance(now, Mapping):
            yield from _differences(before, now, place)
        elif before != now:
            yield place, f"{'.'.join(place)}: trained on {before!r}, found {now!r}"
