"""Pipeline folders of pyannote.audio in the form in which they are published, with random weights."""

import copy

import numpy as np
import torch
import yaml

from preprocessing.pyannote_pipeline import quiet_pyannote

CONFIG_31 = {
    "version": "3.1.0",
    "pipeline": {
        "name": "pyannote.audio.pipelines.SpeakerDiarization",
        "params": {
            "clustering": "AgglomerativeClustering",
            "embedding": "pyannote/wespeaker-voxceleb-resnet34-LM",
            "embedding_batch_size": 32,
            "embedding_exclude_overlap": True,
            "segmentation": "pyannote/segmentation-3.0",
            "segmentation_batch_size": 32,
        },
    },
    "params": {
        "clustering": {"method": "centroid", "min_cluster_size": 12, "threshold": 0.7045654963945799},
        "segmentation": {"min_duration_off": 0.0},
    },
}
CONFIG_COMMUNITY = {
    "dependencies": {"pyannote.audio": "4.0.0"},
    "pipeline": {
        "name": "pyannote.audio.pipelines.SpeakerDiarization",
        "params": {
            "clustering": "VBxClustering",
            "segmentation": "$model/segmentation",
            "segmentation_batch_size": 32,
            "embedding": "$model/embedding",
            "embedding_batch_size": 32,
            "embedding_exclude_overlap": True,
            "plda": "$model/plda",
        },
    },
    "params": {
        "clustering": {"threshold": 0.6, "Fa": 0.07, "Fb": 0.8},
        "segmentation": {"min_duration_off": 0.0},
    },
}


def write_pipeline(folder, config, segmentation, embedding):
    """A pipeline folder whose two models lie in the named folders under it; its chunks are short, to be quick."""
    folder.mkdir(parents=True)
    config = copy.deepcopy(config)
    config["pipeline"]["params"]["segmentation_step"] = 0.5
    (folder / "config.yaml").write_text(yaml.safe_dump(config))
    torch.manual_seed(0)
    with quiet_pyannote():
        _save(_segmentation_network(), folder / segmentation)
        _save(_embedding_network(), folder / embedding)
    return folder


def write_plda(folder):
    """The two files of a PLDA that leaves vectors as they are, but for their number: 256 to 128."""
    folder.mkdir()
    lda = np.eye(256, 128)
    np.savez(folder / "xvec_transform.npz", mean1=np.zeros(256), mean2=np.zeros(128), lda=lda)
    np.savez(folder / "plda.npz", mu=np.zeros(128), tr=np.eye(128), psi=np.ones(128))


def _segmentation_network():
    from pyannote.audio.core.task import Problem, Resolution, Specifications
    from pyannote.audio.models.segmentation import PyanNet

    network = PyanNet(sincnet={"stride": 10})
    network.specifications = Specifications(
        problem=Problem.MONO_LABEL_CLASSIFICATION,
        resolution=Resolution.FRAME,
        duration=2.0,
        classes=["speaker#1", "speaker#2", "speaker#3"],
        powerset_max_classes=2,
        permutation_invariant=True,
    )
    network.build()
    torch.nn.init.normal_(network.classifier.weight, std=20.0)  # so that frames differ
    return network


def _embedding_network():
    from pyannote.audio.core.task import Problem, Resolution, Specifications
    from pyannote.audio.models.embedding import WeSpeakerResNet34

    network = WeSpeakerResNet34()
    network.specifications = Specifications(
        problem=Problem.REPRESENTATION, resolution=Resolution.CHUNK, duration=5.0
    )
    return network


def _save(network, folder):
    checkpoint = {
        "pytorch-lightning_version": "2.0.0",
        "epoch": 0,
        "global_step": 0,
        "state_dict": network.state_dict(),
        "hyper_parameters": dict(network.hparams),
    }
    network.on_save_checkpoint(checkpoint)
    folder.mkdir(parents=True)
    torch.save(checkpoint, folder / "pytorch_model.bin")
