"""The marker of a finished generation: written last, it tells whole folders from interrupted ones."""

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from src.core.errors import DatasetError
from src.core.files import read_json, write_json
from src.core.version import __version__


@dataclass(frozen=True, kw_only=True)
class CompletionMarker:
    """What says that `products` are whole.

    path: of the marker, inside the first product.
    products: the folders that a generation makes; they must be its own.
    settings: everything that decides the bytes, JSON-ready.
    """

    path: Path
    products: tuple[Path, ...]
    settings: dict[str, Any]

    @property
    def _in_progress(self) -> Path:
        """Exists from the beginning of a generation to its end, beside the products."""
        product = self.products[0]
        return product.parent / f"{product.name}_generation_in_progress.json"

    def already_there(self) -> bool:
        """Whether the products are there, made with the same settings.

        Raises DatasetError when they were made with other settings or not by a generation.
        """
        present = [product for product in self.products if product.exists()]
        if not present or self._in_progress.is_file():
            return False
        if not self.path.is_file():
            raise DatasetError(
                f"{present[0]}: is there, but without {self.path.name}, so it was not generated. Name another folder."
            )
        there = read_json(self.path).get("settings")
        if there != self.settings:
            raise DatasetError(
                f"{self.path}: generated with other settings ({_differences(there, self.settings)}). "
                f"Name another folder, or remove {self._all_products()}."
            )
        if len(present) < len(self.products):
            raise DatasetError(
                f"{self.path.parent}: complete, but what belongs beside it is gone. Remove {self._all_products()}."
            )
        return True

    def begin(self) -> None:
        """Remove what an interrupted generation left, and note that one is going on."""
        if self._in_progress.is_file():
            for product in self.products:
                shutil.rmtree(product, ignore_errors=True)
        write_json(self._in_progress, self.settings)

    def finish(self, summary: dict[str, Any]) -> None:
        """Write the marker, and forget that a generation was going on."""
        content = {"generator": "voxface demo", "version": __version__, "settings": self.settings}
        write_json(self.path, content | summary)
        self._in_progress.unlink()

    def _all_products(self) -> str:
        return " and ".join(str(product) for product in self.products)


def _differences(there: Any, wanted: dict[str, Any]) -> str:
    if not isinstance(there, dict):
        return "unknown ones"
    changed = [name for name in wanted if there.get(name) != wanted[name]]
    return "; ".join(f"{name}: {there.get(name)} there, {wanted[name]} wanted" for name in changed)
