import numpy as np
import pytest
import torch

from preprocessing.face_embedder import load_face_embedder
from src.core.errors import WeightsError

CPU = torch.device("cpu")


def test_vectors_have_length_one_whatever_the_size_of_the_crops():
    embedder = load_face_embedder("face-compact", None, CPU)
    stream = np.random.default_rng(0)
    crops = [stream.integers(0, 256, (side, side, 3), dtype=np.uint8) for side in (160, 96, 224)]
    vectors = embedder.embed(crops)
    assert vectors.shape == (3, embedder.encoder.dimension)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(embedder.embed(crops[1:2])[0], vectors[1], atol=1e-4)
    assert embedder.description()["encoder"] == "face-compact"


def test_no_name_is_no_encoder():
    assert load_face_embedder(None, None, CPU) is None


def test_missing_weights_name_the_way_without_an_encoder(tmp_path):
    with pytest.raises(WeightsError, match="--face-choice image") as raised:
        load_face_embedder("vggface2", tmp_path / "absent.pt", CPU)
    assert "--face-weights PATH" in str(raised.value)
