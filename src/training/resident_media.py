"""Media of people in memory: random crops of them for training, all that is compared of them for validation."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import torch
from torch import Tensor

from src.artifacts.voice_windows import LONGEST_WHOLE_SECONDS, whole_pieces, window_starts
from src.core.seeding import stream_seed
from src.data.association import AssociationData
from src.data.identity_sampler import IdentityBatch
from src.data.speech_augmentation import SAMPLE_RATE_HZ
from src.data.speech_corpus import FULL_SCALE
from src.models.association import AssociationModel
from src.models.media_model import MediaModel
from src.models.tokens import TokenSequences
from src.training.association_step import TokenBatch
from src.training.batch_config import BatchConfig
from src.training.media_config import MediaEncodersConfig
from src.training.resident_items import evenly_chosen_rows
from src.training.sampled_batches import SampledBatches


@dataclass(frozen=True)
class SpeechItems:
    """Recordings, and the person and video of each.

    samples: int16 (all samples,). first, count: int64 (items,), where each recording is. identities, videos: int64
    (items,), ascending.
    """

    samples: Tensor
    first: Tensor
    count: Tensor
    identities: Tensor
    videos: Tensor

    def crops(self, rows: Tensor, tokens: int, length: int, generator: torch.Generator) -> Tensor:
        """Random crops of recordings `rows` (n,), full scale = 1: float32 (n, tokens, length)."""
        count = self.count[rows][:, None]
        chance = torch.rand(len(rows), tokens, generator=generator, device=rows.device)
        start = (chance * (count - length + 1).clamp_min(1)).long()
        steps = torch.arange(length, device=rows.device)
        places = (start[:, :, None] + steps) % count[:, :, None]
        return _waveforms(self.samples[self.first[rows][:, None, None] + places])

    def recording(self, row: int) -> Tensor:
        """A whole recording, full scale = 1: float32 (samples,)."""
        first = int(self.first[row])
        return _waveforms(self.samples[first : first + int(self.count[row])])

    def evenly_chosen(self, items_per_identity: int) -> "SpeechItems":
        """At most so many recordings of each person, evenly spread over their videos."""
        kept = evenly_chosen_rows(self.identities, items_per_identity)
        own = (self.first[kept], self.count[kept], self.identities[kept], self.videos[kept])
        return SpeechItems(self.samples, *own)


@dataclass(frozen=True)
class CropItems:
    """Face crops, and the person and video of each.

    crops: uint8 (all crops, 3, pixels, pixels). places: int64 (items,), which of them each item is. identities, videos:
    int64 (items,), ascending.
    """

    crops: Tensor
    places: Tensor
    identities: Tensor
    videos: Tensor

    def moved(self, rows: Tensor, tokens: int, shift: float, generator: torch.Generator) -> Tensor:
        """Crops of items `rows` (n,), moved and mirrored by chance: uint8 (n, tokens, 3, pixels, pixels).

        shift: largest move as a share of the side; beyond the border the outermost pixels are repeated.
        """
        side = self.crops.shape[-1]
        chance = torch.rand(3, len(rows), tokens, 1, generator=generator, device=rows.device)
        steps = torch.arange(side, device=rows.device)
        across = torch.where(chance[0] < 0.5, steps, side - 1 - steps)
        lines, columns = (
            (base + ((2 * one - 1) * shift * side).round().long()).clamp(0, side - 1)
            for base, one in ((steps, chance[1]), (across, chance[2]))
        )
        places = self.places[rows][:, None, None, None]
        moved = self.crops[places, :, lines[..., :, None], columns[..., None, :]]  # colours come last
        return moved.movedim(-1, 2)

    def evenly_chosen(self, items_per_identity: int) -> "CropItems":
        """At most so many crops of each person, evenly spread over their videos."""
        kept = evenly_chosen_rows(self.identities, items_per_identity)
        return CropItems(self.crops, self.places[kept], self.identities[kept], self.videos[kept])


@dataclass(frozen=True)
class MediaPeople:
    """The recordings and the face crops of the same people."""

    voices: SpeechItems
    faces: CropItems
    settings: MediaEncodersConfig

    @classmethod
    def of(
        cls, samples: Tensor, crops: Tensor, data: AssociationData, settings: MediaEncodersConfig
    ) -> "MediaPeople":
        """The media of `data`, see AssociationMedia, on the device of `samples` and `crops`."""
        voices, faces = (
            [torch.from_numpy(column).to(samples.device) for column in columns]
            for columns in (
                (data.voices.first, data.voices.count, data.voices.identities, data.voices.videos),
                (data.faces.first, data.faces.identities, data.faces.videos),
            )
        )
        return cls(SpeechItems(samples, *voices), CropItems(crops, *faces), settings)

    def evenly_chosen(self, items_per_identity: int) -> "MediaPeople":
        """At most so many recordings and so many crops of each person."""
        return MediaPeople(
            self.voices.evenly_chosen(items_per_identity),
            self.faces.evenly_chosen(items_per_identity),
            self.settings,
        )

    @torch.inference_mode()
    def sequences(self, model: AssociationModel) -> tuple[TokenSequences, TokenSequences]:
        """The vectors that the model's encoders have now: of each whole recording and its windows, of each crop and its
        mirror image. The model is put into evaluation mode and left in it.
        """
        assert isinstance(model, MediaModel), "media need encoders"
        model.eval()
        device = next(model.parameters()).device
        voices = [self._voice_tokens(model, row, device) for row in range(len(self.voices.identities))]
        faces = []
        for crops in self.faces.crops[self.faces.places].split(64):
            upright = crops.to(device)
            both = torch.stack([upright, upright.flip(-1)], dim=1)
            faces.append(model.face_encoder(both.flatten(0, 1)).float().unflatten(0, both.shape[:2]))
        counts = torch.tensor([len(tokens) for tokens in voices], device=device)
        mask = torch.arange(int(counts.max()), device=device) < counts[:, None]
        padded = torch.nn.utils.rnn.pad_sequence(voices, batch_first=True)
        crop_tokens = torch.cat(faces)
        whole = torch.ones(crop_tokens.shape[:2], dtype=torch.bool, device=device)
        return TokenSequences(padded, mask), TokenSequences(crop_tokens, whole)

    def _voice_tokens(self, model: MediaModel, row: int, device: torch.device) -> Tensor:
        """Vectors of a recording and of its windows, (tokens, dimension)."""
        settings = self.settings
        samples = self.voices.recording(row).to(device)
        pieces = samples.tensor_split(
            whole_pieces(len(samples), round(LONGEST_WHOLE_SECONDS * SAMPLE_RATE_HZ))
        )
        vectors = [
            torch.stack([model.voice_encoder(piece[None])[0].float() for piece in pieces]).mean(0)[None]
        ]
        window, hop = (
            round(seconds * SAMPLE_RATE_HZ) for seconds in (settings.crop_seconds, settings.hop_seconds)
        )
        starts = window_starts(len(samples), window, hop, settings.most_windows)
        if len(starts):
            windows = torch.stack([samples[start : start + window] for start in starts])
            vectors.append(model.voice_encoder(windows).float())
        return torch.cat(vectors)


class MediaBatches(SampledBatches):
    """Endless batches of some people, by an identity sampler: random crops of each of their recordings and photographs.

    people: on the device, or in the memory of the processor, from where a thread brings each batch over while the former
    one is computed. seed: of who, which items and which crops are drawn. device: where batches are wanted.
    """

    def __init__(self, people: MediaPeople, sizes: BatchConfig, seed: int, device: torch.device) -> None:
        super().__init__(people, sizes, stream_seed("media batches", seed))
        self.people, self.device = people, device

    def draw(self, batches: int) -> Iterator[TokenBatch]:
        """The next batches."""
        composed = self.sampler.draw(batches)
        if self.generator.device.type == self.device.type:
            yield from map(self._with_media, composed)
            return
        with ThreadPoolExecutor(1) as thread:
            waiting = thread.submit(self._with_media, composed[0])
            for batch in composed[1:]:
                made, waiting = waiting, thread.submit(self._with_media, batch)
                yield made.result()
            yield waiting.result()

    def _with_media(self, batch: IdentityBatch) -> TokenBatch:
        settings = self.people.settings
        voices = self.people.voices.crops(
            batch.voices,
            self.sizes.voice_tokens,
            round(settings.crop_seconds * SAMPLE_RATE_HZ),
            self.generator,
        )
        faces = self.people.faces.moved(
            batch.faces, self.sizes.face_tokens, settings.crop_shift, self.generator
        )
        return TokenBatch(
            people=batch.people,
            voice_identities=batch.voice_identities.to(self.device),
            face_identities=batch.face_identities.to(self.device),
            voices=self._sequences(voices),
            faces=self._sequences(faces),
        )

    def _sequences(self, media: Tensor) -> TokenSequences:
        mask = torch.ones(media.shape[:2], dtype=torch.bool, device=self.device)
        if media.device.type == "cpu" and self.device.type == "cuda":
            media = media.pin_memory()
        return TokenSequences(media.to(self.device, non_blocking=True), mask)


def _waveforms(samples: Tensor) -> Tensor:
    return samples.float() / FULL_SCALE
