"""The classes of SpeechBrain that are used here, imported without the traps that it lays.

On import SpeechBrain puts stand-ins for its former module names into `sys.modules`. They import optional
packages, warn or fail as soon as anything looks at an attribute, and whatever walks over all loaded modules
(debuggers, Hypothesis, inspection) does. Nothing here uses the former names, so they are taken out again.
"""

import sys

from speechbrain.lobes.features import Fbank
from speechbrain.lobes.models.ECAPA_TDNN import ECAPA_TDNN
from speechbrain.utils.importutils import LazyModule

__all__ = ["ECAPA_TDNN", "Fbank"]

for _name in [name for name, module in sys.modules.items() if isinstance(module, LazyModule)]:
    del sys.modules[_name]
