"""Lists of scored trials that the tests of all measures draw from."""

import numpy as np
from hypothesis import strategies as st


@st.composite
def scored_trials(draw):
    """Few distinct scores, so that there are ties, and at least one trial of either kind."""
    size = draw(st.integers(2, 40))
    scores = draw(st.lists(st.integers(-8, 8), min_size=size, max_size=size))
    labels = draw(st.lists(st.integers(0, 1), min_size=size, max_size=size))
    labels[0], labels[1] = 0, 1
    return np.array(scores, dtype=float), np.array(labels)
