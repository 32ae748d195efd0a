"""The options `--engine` and `--ray-address`."""

import argparse

from src.core.engines.contract import Engine
from src.core.engines.local import LocalEngine
from src.core.engines.ray_cluster import OWN_CLUSTER, RayEngine
from src.core.errors import ConfigError

ENGINES = ("local", "ray")


def add_engine_arguments(parser: argparse.ArgumentParser) -> None:
    """Add them."""
    parser.add_argument(
        "--engine",
        choices=ENGINES,
        default="local",
        help="what carries out the parts: processes of this machine (default), or a Ray cluster (docs/cluster.md)",
    )
    parser.add_argument(
        "--ray-address",
        metavar="ADDRESS",
        help="with --engine ray: HOST:PORT of a cluster's head, or auto for the one that runs here "
        "(default: one on this machine, for this run)",
    )


def choose_engine(options: argparse.Namespace) -> Engine:
    """The engine that the command line asks for. Raises ConfigError for an address without its engine."""
    if options.engine == "ray":
        return RayEngine(address=options.ray_address or OWN_CLUSTER, device=options.device)
    if options.ray_address:
        raise ConfigError(f"--ray-address {options.ray_address}: goes with --engine ray")
    return LocalEngine()
