"""The weights that others publish: file names, where they are, and what they must hash to.

A checksum is given only where several independent projects pin the same one for the same file and place; where none
could be found it is None, and the checksum seen first is remembered instead (see `weights`).
"""

from dataclasses import dataclass

from src.artifacts.sources import Modality

EMBEDDED: dict[Modality, str] = {"voice": "ecapa-compact", "face": "face-compact"}


@dataclass(frozen=True, kw_only=True)
class PublishedFile:
    """One published file.

    name: as published.
    url: fixed place that a program can fetch it from; None where only a person can (see the page).
    sha256: of the published file, None where it is not known.
    hub_repository, hub_revision: of a Hugging Face hub file, to find it in the hub's own cache.
    """

    name: str
    url: str | None = None
    sha256: str | None = None
    hub_repository: str | None = None
    hub_revision: str | None = None


@dataclass(frozen=True, kw_only=True)
class PublishedWeights:
    """The files that make an encoder's weights.

    encoder, modality: which encoder they are for.
    files: any one of them is enough; the first that can be fetched is fetched.
    companions: published beside it, fetched with it; the encoder works without them.
    source: who published them, for the provenance of a store.
    licence: of the weights, as far as their publisher states it.
    page: where a person finds them.
    """

    encoder: str
    modality: Modality
    files: tuple[PublishedFile, ...]
    companions: tuple[PublishedFile, ...] = ()
    source: str
    licence: str
    page: str


_ECAPA_REPOSITORY = "speechbrain/spkrec-ecapa-voxceleb"
_ECAPA_REVISION = "0f99f2d0ebe89ac095bcc5903c4dd8f72b367286"


def _ecapa_file(name: str, sha256: str) -> PublishedFile:
    return PublishedFile(
        name=name,
        url=f"https://huggingface.co/{_ECAPA_REPOSITORY}/resolve/{_ECAPA_REVISION}/{name}",
        sha256=sha256,
        hub_repository=_ECAPA_REPOSITORY,
        hub_revision=_ECAPA_REVISION,
    )


ECAPA = PublishedWeights(
    encoder="ecapa",
    modality="voice",
    files=(
        _ecapa_file(
            "embedding_model.ckpt", "0575cb64845e6b9a10db9bcb74d5ac32b326b8dc90352671d345e2ee3d0126a2"
        ),
    ),
    companions=(
        _ecapa_file(
            "mean_var_norm_emb.ckpt", "cd70225b05b37be64fc5a95e24395d804231d43f74b2e1e5a513db7b69b34c33"
        ),
    ),
    source=_ECAPA_REPOSITORY,
    licence="Apache 2.0",
    page=f"https://huggingface.co/{_ECAPA_REPOSITORY}",
)
ECAPA_MFV = PublishedWeights(
    encoder="ecapa-mfv",
    modality="voice",
    files=(
        PublishedFile(name="ecapa.pt"),
        PublishedFile(
            name="pretrain.model",
            url="https://github.com/TaoRuijie/ECAPA-TDNN/raw/main/exps/pretrain.model",
        ),
    ),
    source="TaoRuijie/MFV-KSD, or its first stage TaoRuijie/ECAPA-TDNN",
    licence="pretrain.model: MIT; ecapa.pt: none stated",
    page="https://github.com/TaoRuijie/MFV-KSD",
)
VGGFACE2 = PublishedWeights(
    encoder="vggface2",
    modality="face",
    files=(
        PublishedFile(
            name="20180402-114759-vggface2.pt",
            url="https://github.com/timesler/facenet-pytorch/releases/download/v2.2.9/20180402-114759-vggface2.pt",
            sha256="281cebca8662831adb987a874bdcb36e73f5b1c6dc5ee5878f305e985625d99b",
        ),
    ),
    source="timesler/facenet-pytorch v2.2.9, VGGFace2",
    licence="MIT; trained on VGGFace2, which has terms of its own",
    page="https://github.com/timesler/facenet-pytorch/releases/tag/v2.2.9",
)
VGGFACE2_RESNET50 = PublishedWeights(
    encoder="vggface2-resnet50",
    modality="face",
    files=(
        PublishedFile(
            name="resnet50_ft_dag.pth",
            url="https://www.robots.ox.ac.uk/~albanie/models/pytorch-mcn/resnet50_ft_dag.pth",
        ),
        PublishedFile(name="resnet50_ft_weight.pkl"),
    ),
    source="University of Oxford, VGGFace2 resnet50_ft",
    licence="none stated for the weights; VGGFace2 has terms of its own",
    page="https://github.com/cydonia999/VGGFace2-pytorch or https://www.robots.ox.ac.uk/~albanie/pytorch-models.html",
)
IRESNET18_MFV = PublishedWeights(
    encoder="iresnet18-mfv",
    modality="face",
    files=(PublishedFile(name="face18.pt"),),
    source="TaoRuijie/MFV-KSD",
    licence="none stated; InsightFace's weights, from which it was trained, are for non-commercial research only",
    page="https://github.com/TaoRuijie/MFV-KSD",
)


def _insightface(depth: int) -> PublishedWeights:
    return PublishedWeights(
        encoder=f"iresnet{depth}",
        modality="face",
        files=(PublishedFile(name="backbone.pth"),),
        source="deepinsight/insightface, arcface_torch",
        licence="non-commercial research only",
        page="https://github.com/deepinsight/insightface/tree/master/recognition/arcface_torch#model-zoo "
        f"(any model of R{depth})",
    )


IRESNET18, IRESNET50, IRESNET100 = _insightface(18), _insightface(50), _insightface(100)
