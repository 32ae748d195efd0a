"""Raw files straight to the tables of an embedding store, through the workers of both stages."""

import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from features.face_tokens import FaceTokenWorker
from features.settings import TokenSettings
from features.voice_tokens import VoiceTokenWorker
from preprocessing.diarizers import make_diarizer
from preprocessing.face_cascade import MtcnnDetector
from preprocessing.face_embedder import FaceEmbedder, load_face_embedder
from preprocessing.face_stage import FaceWorker, face_provenance
from preprocessing.keynote_face import SAME_PERSON_SIMILARITY
from preprocessing.speech_settings import SpeechSettings
from preprocessing.speech_stage import SpeechWorker, speech_provenance
from src.artifacts.clean_media import CleanMedium, clean_media
from src.artifacts.sources import Modality, SourceRecord
from src.core.config import config_mapping
from src.core.device import choose_device
from src.core.errors import ConfigError
from src.core.stage import COMMIT_TABLE, PartTables, PartWorker
from src.encoders.contract import Encoder
from src.encoders.registry import load_encoder
from src.raw_pairs.recipe import MediaRecipe

# Files come from anywhere, so the "data set" is the whole file system: a key is a path without its leading slash.
FILE_SYSTEM = Path("/")


@dataclass(frozen=True, kw_only=True)
class WeightPaths:
    """Where networks are read from; None looks where they are kept, and downloads published ones.

    voice, face: weights of the encoders. diarizer: pipeline or checkpoint of the diarizers `pyannote` and `keynote`.
    """

    voice: Path | None = None
    face: Path | None = None
    diarizer: str | None = None


class MediaWorker:
    """Turns the records of one part into the tables `tokens` and `manifest`.

    preprocess, embed: workers of the two stages, which share the folder `work`. description: of the store, as the
    features stage writes it. keep: whether clean media stay in `work` when the part is done.
    """

    def __init__(
        self,
        preprocess: PartWorker[SourceRecord],
        embed: PartWorker[CleanMedium],
        description: Mapping[str, Any],
        work: Path,
        *,
        keep: bool,
    ) -> None:
        self.preprocess, self.embed = preprocess, embed
        self.description = description
        self.work, self.keep = work, keep

    def __call__(self, records: Sequence[SourceRecord]) -> PartTables:
        """Process one part; a file that cannot be used becomes a row with the reason of the stage that gave it up."""
        try:
            manifest = self.preprocess(records)[COMMIT_TABLE]
            return self.embed(clean_media(manifest.to_pylist()))
        finally:
            if not self.keep:
                for leftover in self.work.iterdir():
                    shutil.rmtree(leftover)


def make_media_worker(
    modality: Modality, recipe: MediaRecipe, weights: WeightPaths, work: Path, device: str, keep: bool
) -> MediaWorker:
    """The worker of one modality, with its networks loaded; called once in each process.

    work: an existing folder. keep: leave clean media there; else a folder of its own below is emptied after each part.
    Raises WeightsError where weights are missing, CheckpointError where they are not the checkpoint's.
    """
    folder = work if keep else Path(tempfile.mkdtemp(dir=work, prefix="clean-"))
    make = _make_voice if modality == "voice" else _make_face
    worker = make(recipe, weights, folder, device, keep)
    recipe.refuse_other_networks(modality, worker.description, f"--{modality}-weights PATH")
    return worker


def _make_voice(
    recipe: MediaRecipe, weights: WeightPaths, folder: Path, device: str, keep: bool
) -> MediaWorker:
    settings = _with_diarizer_model(recipe.speech.settings, weights.diarizer)
    own_weights = recipe.encoder_weights("voice", weights.voice)
    encoder = load_encoder(recipe.encoder("voice"), choose_device(device), own_weights)
    # what tells speakers apart is mostly the encoder that embeds them, and has its weights then
    apart = recipe.speech.encoder or encoder.name
    is_one = apart == encoder.name and recipe.tells_apart_by_the_encoder("voice")
    apart_weights = own_weights if is_one else None
    diarizer = make_diarizer(settings, apart, apart_weights, choose_device(device))
    tokens = recipe.tokens["voice"]
    return MediaWorker(
        SpeechWorker(settings, FILE_SYSTEM, folder, diarizer),
        VoiceTokenWorker(tokens, folder, encoder.for_inference(tokens.precision)),
        _description(encoder, tokens, speech_provenance(settings, diarizer)),
        folder,
        keep=keep,
    )


def _make_face(
    recipe: MediaRecipe, weights: WeightPaths, folder: Path, device: str, keep: bool
) -> MediaWorker:
    settings = recipe.faces.settings
    own_weights = recipe.encoder_weights("face", weights.face)
    encoder = load_encoder(recipe.encoder("face"), choose_device(device), own_weights)
    apart = _face_embedder(recipe, encoder, device)
    tokens = recipe.tokens["face"]
    return MediaWorker(
        FaceWorker(settings, FILE_SYSTEM, folder, MtcnnDetector(settings, choose_device(device)), apart),
        FaceTokenWorker(tokens, folder, encoder.for_inference(tokens.precision)),
        _description(encoder, tokens, face_provenance(settings, apart if recipe.faces.encoder else None)),
        folder,
        keep=keep,
    )


def _face_embedder(recipe: MediaRecipe, encoder: Encoder, device: str) -> FaceEmbedder | None:
    """What tells the people in the frames of a video apart: as recorded, else the checkpoint's own encoder."""
    settings, apart = recipe.faces.settings, recipe.faces.encoder
    if apart is None:
        is_known = settings.same_person_similarity is not None or encoder.name in SAME_PERSON_SIMILARITY
        return FaceEmbedder(encoder) if settings.face_choice == "folder" and is_known else None
    return (
        FaceEmbedder(encoder)
        if apart == encoder.name and recipe.tells_apart_by_the_encoder("face")
        else load_face_embedder(apart, None, choose_device(device))
    )


def _description(encoder: Encoder, tokens: TokenSettings, preprocessing: Mapping[str, Any]) -> dict[str, Any]:
    return {**encoder.description(), "tokens": config_mapping(tokens), "preprocessing": dict(preprocessing)}


def _with_diarizer_model(settings: SpeechSettings, model: str | None) -> SpeechSettings:
    """The settings with the place of the diarizer's own model, which no checkpoint knows of this machine."""
    if model is None:
        return settings
    if settings.diarizer == "pyannote":
        return replace(settings, pyannote=replace(settings.pyannote, pipeline=model))
    if settings.diarizer == "keynote":
        return replace(settings, keynote_diarizer=replace(settings.keynote_diarizer, model=Path(model)))
    raise ConfigError(
        f"--diarizer-model {model}: the checkpoint's media went through the diarizer `embedded`, which has no model of "
        "its own; leave the option away"
    )
