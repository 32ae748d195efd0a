"""A crop in which eyes, nose and mouth are at fixed places, as ArcFace encoders take it."""

import cv2
import numpy as np

ALIGNED_SIDE_PIXELS = 112
# The landmarks of a frontal face in 112 x 112 pixels, as InsightFace publishes them with ArcFace (J. Deng, J. Guo,
# N. Xue, S. Zafeiriou, "ArcFace: Additive Angular Margin Loss for Deep Face Recognition", CVPR 2019).
ARCFACE_TEMPLATE = np.array(
    [[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]]
)


def similarity_transform(source: np.ndarray, target: np.ndarray) -> np.ndarray:
    """The rotation, scale and shift that bring points `source` closest to `target`, both (n, 2): a matrix (2, 3).

    The closed least-squares solution of S. Umeyama, "Least-squares estimation of transformation parameters between two
    point patterns", IEEE TPAMI 13(4), 1991, eq. 39 to 43; a reflection is never the answer.
    Raises ValueError where all points of `source` are one.
    """
    source, target = np.asarray(source, np.float64), np.asarray(target, np.float64)
    source_mean, target_mean = source.mean(axis=0), target.mean(axis=0)
    source_spread = np.square(source - source_mean).sum(axis=1).mean()
    if source_spread < 1e-12:
        raise ValueError("the points to transform are all one, so that no scale can be found")
    covariance = (target - target_mean).T @ (source - source_mean) / len(source)
    left, values, right = np.linalg.svd(covariance)
    signs = np.array([1.0, np.sign(np.linalg.det(left) * np.linalg.det(right))])
    rotation = (left * signs) @ right
    scale = float(values @ signs) / source_spread
    return np.column_stack([scale * rotation, target_mean - scale * rotation @ source_mean])


def align_face(image: np.ndarray, landmarks: np.ndarray) -> np.ndarray:
    """Cut a face out of RGB uint8 (height, width, 3) so that its landmarks (5, 2) lie on the template.

    uint8 (112, 112, 3). Beyond the image's border its outermost pixels are repeated.
    """
    transform = similarity_transform(landmarks, ARCFACE_TEMPLATE)
    left, top, right, bottom = _needed_part(transform, image.shape[1], image.shape[0])
    part = image[top:bottom, left:right]
    transform = transform @ _homogeneous(np.array([[1, 0, left], [0, 1, top]]))
    # bilinear interpolation halves without aliasing; what is larger is averaged first
    scale = 2 * float(np.sqrt(abs(np.linalg.det(transform[:, :2]))))
    if scale < 1:
        height, width = part.shape[:2]
        size = max(1, round(width * scale)), max(1, round(height * scale))
        part = cv2.resize(part, size, interpolation=cv2.INTER_AREA)
        x, y = width / size[0], height / size[1]
        transform = transform @ _homogeneous(np.array([[x, 0, (x - 1) / 2], [0, y, (y - 1) / 2]]))
    side = (ALIGNED_SIDE_PIXELS, ALIGNED_SIDE_PIXELS)
    return cv2.warpAffine(part, transform, side, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


def _homogeneous(matrix: np.ndarray) -> np.ndarray:
    return np.vstack([matrix, [0.0, 0.0, 1.0]])


def _needed_part(transform: np.ndarray, width: int, height: int) -> tuple[int, int, int, int]:
    """Left, top, right and bottom of the part of an image that a crop shows, and two pixels more; never empty."""
    edge = ALIGNED_SIDE_PIXELS
    corners = np.array([[0, 0, 1], [edge, 0, 1], [0, edge, 1], [edge, edge, 1]], dtype=np.float64)
    places = np.linalg.pinv(_homogeneous(transform)) @ corners.T
    sizes = np.array([width, height])
    first = np.clip(np.floor(places[:2].min(axis=1)) - 2, 0, sizes - 1).astype(int)
    last = np.clip(np.ceil(places[:2].max(axis=1)) + 3, first + 1, sizes).astype(int)
    return int(first[0]), int(first[1]), int(last[0]), int(last[1])
