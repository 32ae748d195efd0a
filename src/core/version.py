"""The version that provenance records carry."""

__version__ = "0.1.0"
