import numpy as np
import pandas as pd
import pytest

from demo.__main__ import main
from demo.population import populate
from demo.pretraining import CLIPS_PER_IDENTITY, CROP_PIXELS, CROPS_PER_IDENTITY
from demo.sizes import SIZES, WorldSettings
from src.core.errors import ConfigError
from src.media.audio import read_audio
from src.media.image import read_image


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    folder = tmp_path_factory.mktemp("corpus")
    assert main([str(folder), "--size", "none", "--pretraining", "2"]) == 0
    return folder / "pretraining"


def test_every_person_has_clean_clips_and_face_crops(corpus):
    for name in ("pre00001", "pre00002"):
        clips = sorted((corpus / "speakers" / name).iterdir())
        crops = sorted((corpus / "faces" / name).iterdir())
        assert [path.name for path in clips] == [f"{number:05d}.wav" for number in range(CLIPS_PER_IDENTITY)]
        assert len(crops) == CROPS_PER_IDENTITY
        for path in clips:
            samples = read_audio(path)
            assert 1.5 < len(samples) / 16_000 < 4.6
            assert np.sqrt(np.mean(samples**2)) == pytest.approx(0.08, rel=0.05)
        assert all(read_image(path).shape == (CROP_PIXELS, CROP_PIXELS, 3) for path in crops)


def test_crops_have_the_face_in_the_middle(corpus):
    from facenet_pytorch import MTCNN

    detector, found = MTCNN(device="cpu"), 0
    for path in sorted((corpus / "faces" / "pre00001").iterdir())[:10]:
        boxes, _ = detector.detect(read_image(path))
        if boxes is None:
            continue
        left, top, right, bottom = (float(side) for side in boxes[0])
        found += abs(left + right - CROP_PIXELS) < 50 and 1.05 < CROP_PIXELS / (bottom - top) < 1.7
    assert found >= 9


def test_its_people_live_in_no_world(corpus):
    identities = pd.read_csv(corpus / "identities.csv")
    assert {"identity", "sex", "voice_pitch", "face_skin_darkness"} <= set(identities.columns)
    settings = WorldSettings(seed=0, languages=("English", "Urdu"), size=SIZES["tiny"])
    world = np.array([person.nature.voice[0] for person in populate(settings)])
    assert np.abs(identities["voice_pitch"].to_numpy()[:, None] - world).min() > 1e-5


def test_one_person_is_no_corpus(tmp_path):
    with pytest.raises(ConfigError, match="at least 2"):
        main([str(tmp_path), "--size", "none", "--pretraining", "1"])
