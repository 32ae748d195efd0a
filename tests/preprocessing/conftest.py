"""Photographs for the tests of the face half: rendered people, drawn once; and threads for those of the speech half."""

import numpy as np
import pytest
import torch

from demo.face_description import describe_face
from demo.head import Head
from demo.identity_model import sample_balanced, standard_model
from demo.photograph import pose_alone, pose_with_bystander, take_photograph


@pytest.fixture(scope="session")
def heads():
    stream = np.random.default_rng(3)
    return [Head(describe_face(person, stream)) for person in sample_balanced(standard_model(), 4, stream)]


@pytest.fixture(scope="session")
def portraits(heads):
    """Four people alone, 256 pixels square, with the true box of each."""
    stream = np.random.default_rng(4)
    sitters = [pose_alone(head, stream) for head in heads]
    return [(take_photograph([sitter], stream), sitter.box) for sitter in sitters]


@pytest.fixture(scope="session")
def crowd(heads):
    """A main person and a smaller bystander, with the true box of each."""
    stream = np.random.default_rng(5)
    sitters = pose_with_bystander(heads[0], heads[1], stream)
    return take_photograph(sitters[::-1], stream), [sitter.box for sitter in sitters]


@pytest.fixture
def one_thread():
    """For networks that are real in size and inputs that are tiny: more threads would wait for each other."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)
