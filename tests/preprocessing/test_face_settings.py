import pytest

from preprocessing.face_settings import FaceSettings
from src.core.config import parse_config
from src.core.errors import ConfigError


@pytest.mark.parametrize(
    "wrong",
    [
        {"smallest_face_pixels": 11},
        {"detection_side_pixels": 5000},
        {"pyramid_factor": 1.0},
        {"crop_margin": -0.1},
        {"smallest_probability": 1.0},
        {"centrality_spread": 0.0},
        {"crop_side_pixels": 8},
        {"crop": "round"},
        {"face_choice": "video"},
        {"reading_side_pixels": 639},
        {"same_person_similarity": 1.0},
        {"smallest_majority": 1},
        {"majority_share": 1.0},
        {"most_candidates": 0},
        {"most_clustered_faces": 1},
        {"sharpness_exponent": -0.1},
        {"jpeg_quality": 0},
        {"margin": 0.1},
    ],
)
def test_contradictions_and_unknown_keys_are_refused(wrong):
    with pytest.raises(ConfigError, match=next(iter(wrong))):
        parse_config(FaceSettings, wrong, "settings")
