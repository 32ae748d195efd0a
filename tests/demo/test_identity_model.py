import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from demo.identity_model import (
    SharedLatentModel,
    equal_error_rate,
    sample_balanced,
    standard_model,
)

PEOPLE = 16_000


@pytest.fixture(scope="module")
def crowd():
    """Log-likelihood ratios of everybody with their own and with somebody else's voice, and the classes."""
    model, stream = standard_model(), np.random.default_rng(5)
    people = [model.sample(int(kind), stream) for kind in stream.integers(8, size=PEOPLE)]
    faces, voices = np.stack([one.face for one in people]), np.stack([one.voice for one in people])
    female = np.array([one.sex == "female" for one in people])
    other = stream.permutation(PEOPLE)
    return {
        "own": model.log_likelihood_ratio(faces, voices),
        "other": model.log_likelihood_ratio(faces, voices[other]),
        "same_sex": female == female[other],
        "faces": faces,
        "voices": voices,
    }


def test_the_bayes_optimal_error_is_about_13_percent(crowd):
    assert equal_error_rate(crowd["own"], crowd["other"]) == pytest.approx(0.129, abs=0.006)


def test_within_a_sex_it_is_about_19_percent(crowd):
    assert equal_error_rate(crowd["own"], crowd["other"][crowd["same_sex"]]) == pytest.approx(
        0.190, abs=0.008
    )


def test_sex_alone_gives_about_33_percent(crowd):
    model = standard_model()
    sex_only = SharedLatentModel(
        face_means=model.face_means[[0, 4]][:, :1],
        face_loadings=model.face_loadings[:1] * 0,
        face_noise_std=np.ones(1),
        voice_means=model.voice_means[[0, 4]][:, :2],
        voice_loadings=model.voice_loadings[:2] * 0,
        voice_noise_std=np.ones(2),
    )
    stream = np.random.default_rng(6)
    people = [sex_only.sample(int(kind), stream) for kind in stream.integers(2, size=PEOPLE)]
    faces, voices = np.stack([one.face for one in people]), np.stack([one.voice for one in people])
    own = sex_only.log_likelihood_ratio(faces, voices)
    other = sex_only.log_likelihood_ratio(faces, voices[stream.permutation(PEOPLE)])
    assert equal_error_rate(own, other) == pytest.approx(0.335, abs=0.012)


def test_parameters_have_unit_variance_within_a_class():
    model = standard_model()
    face = (model.face_loadings**2).sum(axis=1) + model.face_noise_std**2
    voice = (model.voice_loadings**2).sum(axis=1) + model.voice_noise_std**2
    np.testing.assert_allclose(np.concatenate([face, voice]), 1)


def small_model():
    return SharedLatentModel(
        face_means=np.array([[-0.5], [1.0]]),
        face_loadings=np.array([[0.8]]),
        face_noise_std=np.array([0.6]),
        voice_means=np.array([[0.3], [-0.7]]),
        voice_loadings=np.array([[-0.5]]),
        voice_noise_std=np.array([0.9]),
    )


def density(value, mean, deviation):
    return np.exp(-0.5 * ((value - mean) / deviation) ** 2) / (deviation * np.sqrt(2 * np.pi))


def test_the_ratio_equals_numerical_integration_over_the_trait():
    model, face, voice = small_model(), 0.9, -1.2
    trait = np.linspace(-9, 9, 20_001)
    step, prior = trait[1] - trait[0], density(trait, 0, 1)
    both = face_alone = voice_alone = 0.0
    for kind in (0, 1):
        of_face = density(face, model.face_means[kind, 0] + 0.8 * trait, 0.6)
        of_voice = density(voice, model.voice_means[kind, 0] - 0.5 * trait, 0.9)
        both += 0.5 * (prior * of_face * of_voice).sum() * step
        face_alone += 0.5 * (prior * of_face).sum() * step
        voice_alone += 0.5 * (prior * of_voice).sum() * step
    expected = np.log(both / (face_alone * voice_alone))
    found = model.log_likelihood_ratio(np.array([[face]]), np.array([[voice]]))
    np.testing.assert_allclose(found, [expected], rtol=1e-8)


@given(face=st.floats(-4, 4), voice=st.floats(-4, 4), scale=st.floats(0.1, 10), shift=st.floats(-5, 5))
def test_the_ratio_does_not_depend_on_units(face, voice, scale, shift):
    model = small_model()
    other_units = SharedLatentModel(
        face_means=model.face_means * scale + shift,
        face_loadings=model.face_loadings * scale,
        face_noise_std=model.face_noise_std * scale,
        voice_means=model.voice_means,
        voice_loadings=model.voice_loadings,
        voice_noise_std=model.voice_noise_std,
    )
    voices = np.array([[voice]])
    np.testing.assert_allclose(
        other_units.log_likelihood_ratio(np.array([[face * scale + shift]]), voices),
        model.log_likelihood_ratio(np.array([[face]]), voices),
        atol=1e-9,
    )


@given(face=st.floats(-4, 4), voice=st.floats(-4, 4))
def test_without_anything_shared_the_ratio_is_0(face, voice):
    model = SharedLatentModel(
        face_means=np.zeros((2, 1)),
        face_loadings=np.array([[0.8]]),
        face_noise_std=np.array([0.6]),
        voice_means=np.array([[0.3], [-0.7]]),
        voice_loadings=np.zeros((1, 1)),
        voice_noise_std=np.array([1.0]),
    )
    found = model.log_likelihood_ratio(np.array([[face]]), np.array([[voice]]))
    np.testing.assert_allclose(found, [0], atol=1e-12)


def test_equal_error_rate_by_hand():
    # At a threshold of 2, one of four same-person scores is missed and one of four others accepted.
    assert equal_error_rate(np.array([1.0, 2, 3, 4]), np.array([-1.0, 0, 1.5, 2.5])) == 0.25
    assert equal_error_rate(np.array([1.0, 2.0]), np.array([-1.0, 0.0])) == 0


@given(count=st.integers(1, 40), seed=st.integers(0, 1000))
def test_balanced_samples_have_classes_equally_often(count, seed):
    people = sample_balanced(standard_model(), count, np.random.default_rng(seed))
    frequencies = np.bincount([one.person_class for one in people], minlength=8)
    assert len(people) == count and frequencies.max() - frequencies.min() <= 1
