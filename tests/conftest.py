"""Settings and fixtures that every test shares; among them one tiny world, run through the whole pipeline once."""

from dataclasses import dataclass
from pathlib import Path

import hypothesis
import numpy as np
import pytest
import torch

hypothesis.settings.register_profile("house", deadline=None, derandomize=True, max_examples=50)
hypothesis.settings.load_profile("house")

LANGUAGES = ("English", "Urdu")
RECIPE = "configs/best.yaml"
GOLDEN = Path(__file__).resolve().parents[1] / "../shared/data/golden/published_methods.npz"


FAKE_TOKEN = "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"


@pytest.fixture(scope="session", autouse=True)
def secret_in_the_environment():
    """A token that no output may show; see tests/security/test_secrets.py."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HF_TOKEN", FAKE_TOKEN)
        yield


@pytest.fixture(scope="session", autouse=True)
def two_threads():
    torch.set_num_threads(2)


@pytest.fixture(scope="session")
def golden():
    """Numbers of the published implementations: call it with a method's name for its arrays by their names."""
    if not GOLDEN.is_file():
        pytest.skip("../shared/data/golden is absent")

    def read(method):
        with np.load(GOLDEN) as arrays:
            prefix = f"{method}/"
            return {
                name.removeprefix(prefix): arrays[name] for name in arrays.files if name.startswith(prefix)
            }

    return read


@dataclass(frozen=True)
class PipelineRun:
    """A tiny world and everything that the commands made of it."""

    root: Path

    @property
    def world(self):
        return self.root / "world"

    @property
    def dataset(self):
        return self.world / "dataset"

    @property
    def truth(self):
        return self.world / "truth"

    @property
    def work(self):
        return self.root / "work"

    @property
    def features(self):
        return self.work / "features"

    @property
    def submission(self):
        return self.root / "submission.zip"

    @property
    def report(self):
        return self.root / "report.html"

    @property
    def recipe(self):
        return RECIPE

    def checkpoint(self, language):
        return self.root / "checkpoints" / language

    @property
    def checkpoint_arguments(self):
        return [word for name in LANGUAGES for word in ("--checkpoint", f"{name}={self.checkpoint(name)}")]


@pytest.fixture(scope="session")
def tiny_world(tmp_path_factory):
    """A world of size `tiny`, generated once."""
    from demo.__main__ import main

    run = PipelineRun(tmp_path_factory.mktemp("pipeline"))
    assert main([str(run.world), "--size", "tiny"]) == 0
    return run


@pytest.fixture(scope="session")
def tiny_features(tiny_world):
    """The tiny world, preprocessed and embedded by the embedded encoders."""
    from features.__main__ import main as extract
    from preprocessing.__main__ import main as preprocess

    assert preprocess([str(tiny_world.dataset), "--out", str(tiny_world.work)]) == 0
    assert extract([str(tiny_world.work)]) == 0
    return tiny_world


@pytest.fixture(scope="session")
def tiny_submission(tiny_features):
    """The tiny world with a head for each language and the submission of both."""
    import inference
    import train

    run = tiny_features
    for language in LANGUAGES:
        words = [
            run.recipe,
            "--features",
            run.features,
            "--language",
            language,
            "--out",
            run.checkpoint(language),
        ]
        assert train.main([str(word) for word in words]) == 0
    words = ["submit", "--dataset", run.dataset, "--features", run.features, *run.checkpoint_arguments]
    words += ["--unscorable", "median", "--out", run.submission]
    assert inference.main([str(word) for word in words]) == 0
    return run


@pytest.fixture(scope="session")
def tiny_report(tiny_submission):
    """The same, with the report on it."""
    import inference

    run = tiny_submission
    words = ["report", "--submission", run.submission, "--truth", run.truth, *run.checkpoint_arguments]
    words += ["--dataset", run.dataset, "--work", run.work, "--out", run.report]
    assert inference.main([str(word) for word in words]) == 0
    return run
