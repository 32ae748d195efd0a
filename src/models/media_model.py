"""A head behind the encoders that learn along with it: its tokens are media, waveforms and face crops."""

from collections.abc import Collection

from torch import Tensor, nn

from src.models.association import AssociationModel, Comparison


class MediaModel(AssociationModel):
    """An association model whose voice tokens are waveforms (V, T, samples) and whose face tokens are crops (F, S, 3, p, p).

    head: takes the encoders' vectors. voice_encoder, face_encoder: a batch of media to (batch, dimension).
    learning: which of them, "voice" and "face", learn along; the other one's weights and running statistics stay.
    """

    def __init__(
        self,
        head: AssociationModel,
        voice_encoder: nn.Module,
        face_encoder: nn.Module,
        learning: Collection[str],
    ) -> None:
        super().__init__(head.voice_dimension, head.face_dimension, head.fused_dimension)
        self.head, self.voice_encoder, self.face_encoder = head, voice_encoder, face_encoder
        self.learning = frozenset(learning)
        for modality, encoder in self.encoders().items():
            encoder.requires_grad_(modality in self.learning)

    def encoders(self) -> dict[str, nn.Module]:
        """Both encoders by modality."""
        return {"voice": self.voice_encoder, "face": self.face_encoder}

    def train(self, mode: bool = True) -> "MediaModel":
        """See nn.Module; an encoder that does not learn stays in evaluation mode."""
        super().train(mode)
        for modality, encoder in self.encoders().items():
            encoder.train(mode and modality in self.learning)
        return self

    def encode_voices(self, tokens: Tensor) -> Tensor:
        """Waveforms, full scale = 1: float (V, T, samples) → the head's encodings (V, T, width)."""
        return self.head.encode_voices(_vectors(self.voice_encoder, tokens))

    def encode_faces(self, tokens: Tensor) -> Tensor:
        """RGB crops in 0..255, (F, S, 3, p, p) → the head's encodings (F, S, width)."""
        return self.head.encode_faces(_vectors(self.face_encoder, tokens))

    def compare(self, voices: Tensor, voice_mask: Tensor, faces: Tensor, face_mask: Tensor) -> Comparison:
        """As the head."""
        return self.head.compare(voices, voice_mask, faces, face_mask)

    def compare_all(self, voices: Tensor, voice_mask: Tensor, faces: Tensor, face_mask: Tensor) -> Comparison:
        """As the head."""
        return self.head.compare_all(voices, voice_mask, faces, face_mask)


def head_of(model: AssociationModel) -> AssociationModel:
    """What compares vectors: the head behind encoders, or the model itself where it takes vectors."""
    return model.head if isinstance(model, MediaModel) else model


def _vectors(encoder: nn.Module, media: Tensor) -> Tensor:
    vectors: Tensor = encoder(media.flatten(0, 1))
    return vectors.unflatten(0, media.shape[:2])
