"""Settings of the face half of preprocessing."""

from dataclasses import dataclass
from typing import Literal

from src.core.config import STRICT

LARGEST_SIDE_PIXELS = 2048  # the summed-area tables of a larger image would not fit 32 bits


@dataclass(frozen=True, kw_only=True)
class FaceSettings:
    """How faces are found, chosen and cut out.

    reading_side_pixels: an image whose longer side is greater is read at a half, a quarter or an eighth of its
        size, so that memory does not grow with it.
    detection_side_pixels: images whose longer side is greater are searched at this size; boxes are given in
        pixels of the full image and crops are cut from it.
    smallest_face_pixels: side of the smallest face that is looked for, at the size of the search.
    smallest_face_share: the same as a share of the image's shorter side; the greater of the two counts. Small
        faces are what takes the time.
    pyramid_factor: ratio of neighbouring sizes in the image pyramid.
    proposal_threshold, refinement_threshold, output_threshold: what a face must reach in the three networks.
    smallest_probability: a detected face below it is recorded but never chosen.
    face_choice: folder: of the photographs of one folder the person who is in most of them is kept; image: every
        photograph is looked at by itself.
    same_person_similarity: clusters whose faces have a mean cosine similarity above it are one person; None
        takes the encoder's own value (`preprocessing.keynote_face.SAME_PERSON_SIMILARITY`).
    smallest_majority: number of photographs which must show the same person, and
    majority_share: share of a folder's photographs with faces which must be exceeded, before a photograph
        without that person is given up rather than cut to somebody else.
    compare_lone_faces: compare the faces of a folder also where no photograph of it shows several. It finds
        photographs of somebody else alone, for one embedding a face.
    most_candidates: of more faces in a photograph the most prominent ones are compared.
    most_clustered_faces: of more faces in a folder so many evenly chosen ones are clustered and the others join
        the most similar cluster; it bounds memory.
    centrality_spread: distance from the image's centre, in half diagonals, at which a face counts
        exp(-1/2) = 61 % of a central one.
    sharpness_exponent: a face of a tenth of the sharpness of the sharpest counts 0.1 to this power; 0 leaves
        sharpness out.
    crop: square: around the box, with a margin, as VGGFace2 encoders take it; aligned: eyes, nose and mouth
        brought to fixed places of 112 x 112 pixels, as ArcFace encoders such as IResNet take it.
    crop_side_pixels: side of the square crop.
    crop_margin: what is added to each side of the face's square, as a share of its side.
    jpeg_quality: of the crop, 1 to 100.
    video_frames_per_second: rate at which frames of a video are taken.
    most_frames_per_video: of a longer video, so many evenly spread frames are taken.
    """

    __pydantic_config__ = STRICT

    reading_side_pixels: int = 4096
    detection_side_pixels: int = 640
    smallest_face_pixels: int = 20
    smallest_face_share: float = 0.10
    pyramid_factor: float = 0.709
    proposal_threshold: float = 0.6
    refinement_threshold: float = 0.7
    output_threshold: float = 0.7
    smallest_probability: float = 0.9
    face_choice: Literal["folder", "image"] = "folder"
    same_person_similarity: float | None = None
    smallest_majority: int = 3
    majority_share: float = 0.5
    compare_lone_faces: bool = False
    most_candidates: int = 8
    most_clustered_faces: int = 1000
    centrality_spread: float = 0.5
    sharpness_exponent: float = 0.25
    crop: Literal["square", "aligned"] = "square"
    crop_side_pixels: int = 160
    crop_margin: float = 0.125
    jpeg_quality: int = 95
    video_frames_per_second: float = 1.0
    most_frames_per_video: int = 600

    def __post_init__(self) -> None:
        if self.smallest_face_pixels < 12:
            raise ValueError("smallest_face_pixels must be at least 12, the window of the first network")
        if not self.smallest_face_pixels <= self.detection_side_pixels <= LARGEST_SIDE_PIXELS:
            raise ValueError(
                f"detection_side_pixels must lie between smallest_face_pixels and {LARGEST_SIDE_PIXELS}"
            )
        if self.reading_side_pixels < self.detection_side_pixels:
            raise ValueError("reading_side_pixels must be at least detection_side_pixels")
        if not 0 < self.pyramid_factor < 1:
            raise ValueError("pyramid_factor must lie between 0 and 1")
        for name in (
            "smallest_face_share",
            "proposal_threshold",
            "refinement_threshold",
            "output_threshold",
            "smallest_probability",
            "majority_share",
            "crop_margin",
        ):
            if not 0 <= getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 0 and below 1")
        if self.centrality_spread <= 0:
            raise ValueError("centrality_spread must be positive")
        if self.same_person_similarity is not None and not -1 < self.same_person_similarity < 1:
            raise ValueError("same_person_similarity must lie between -1 and 1")
        if self.smallest_majority < 2:
            raise ValueError("smallest_majority must be at least 2, since one photograph agrees with nobody")
        if self.most_candidates < 1 or self.most_clustered_faces < 2:
            raise ValueError("most_candidates must be at least 1, most_clustered_faces at least 2")
        if self.sharpness_exponent < 0:
            raise ValueError("sharpness_exponent must not be negative")
        if self.crop_side_pixels < 16:
            raise ValueError("crop_side_pixels must be at least 16")
        if not 0 < self.video_frames_per_second <= 120 or self.most_frames_per_video < 1:
            raise ValueError(
                "video_frames_per_second must lie between 0 and 120, most_frames_per_video be at least 1"
            )
        if not 1 <= self.jpeg_quality <= 100:
            raise ValueError("jpeg_quality must lie between 1 and 100")
