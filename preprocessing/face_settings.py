"""Settings of the face half of preprocessing."""

from dataclasses import dataclass

from src.core.config import STRICT

LARGEST_SIDE_PIXELS = 2048  # the summed-area tables of a larger image would not fit 32 bits


@dataclass(frozen=True, kw_only=True)
class FaceSettings:
    """How faces are found, chosen and cut out.

    detection_side_pixels: images whose longer side is greater are searched at this size; boxes are given in
        pixels of the full image and crops are cut from it.
    smallest_face_pixels: side of the smallest face that is looked for, at the size of the search.
    smallest_face_share: the same as a share of the image's shorter side; the greater of the two counts. Small
        faces are what takes the time.
    pyramid_factor: ratio of neighbouring sizes in the image pyramid.
    proposal_threshold, refinement_threshold, output_threshold: what a face must reach in the three networks.
    smallest_probability: a detected face below it is recorded but never chosen.
    centrality_spread: distance from the image's centre, in half diagonals, at which a face counts
        exp(-1/2) = 61 % of a central one.
    crop_side_pixels: side of the square crop.
    crop_margin: what is added to each side of the face's square, as a share of its side.
    jpeg_quality: of the crop, 1 to 100.
    """

    __pydantic_config__ = STRICT

    detection_side_pixels: int = 640
    smallest_face_pixels: int = 20
    smallest_face_share: float = 0.10
    pyramid_factor: float = 0.709
    proposal_threshold: float = 0.6
    refinement_threshold: float = 0.7
    output_threshold: float = 0.7
    smallest_probability: float = 0.9
    centrality_spread: float = 0.5
    crop_side_pixels: int = 160
    crop_margin: float = 0.125
    jpeg_quality: int = 95

    def __post_init__(self) -> None:
        if self.smallest_face_pixels < 12:
            raise ValueError("smallest_face_pixels must be at least 12, the window of the first network")
        if not self.smallest_face_pixels <= self.detection_side_pixels <= LARGEST_SIDE_PIXELS:
            raise ValueError(
                f"detection_side_pixels must lie between smallest_face_pixels and {LARGEST_SIDE_PIXELS}"
            )
        if not 0 < self.pyramid_factor < 1:
            raise ValueError("pyramid_factor must lie between 0 and 1")
        for name in (
            "smallest_face_share",
            "proposal_threshold",
            "refinement_threshold",
            "output_threshold",
            "smallest_probability",
            "crop_margin",
        ):
            if not 0 <= getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 0 and below 1")
        if self.centrality_spread <= 0:
            raise ValueError("centrality_spread must be positive")
        if self.crop_side_pixels < 16:
            raise ValueError("crop_side_pixels must be at least 16")
        if not 1 <= self.jpeg_quality <= 100:
            raise ValueError("jpeg_quality must lie between 1 and 100")
