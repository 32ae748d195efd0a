"""Fixtures and settings that every test shares."""

import hypothesis
import pytest
import torch

hypothesis.settings.register_profile("house", deadline=None, derandomize=True, max_examples=50)
hypothesis.settings.load_profile("house")


@pytest.fixture(scope="session", autouse=True)
def two_threads():
    torch.set_num_threads(2)
