"""A stage of its own for faults: cheap records, real files and tables, and records that misbehave when they are told to.

python -m benchmarks.fault_stage OUT --records 240 --workers 2 --engine ray
"""

import argparse
import hashlib
import os
import signal
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import pyarrow as pa

from src.core.command_line import EXIT_DONE, run_command
from src.core.engines.selection import add_engine_arguments, choose_engine
from src.core.files import atomic_path
from src.core.run_log import LOGS_FOLDER
from src.core.stage import DONE, FAILED, PartTables, Stage, run_stage, split_into_parts

PART_RECORDS = 4
KILLS, EXHAUSTS, RAISES = "kills", "exhausts", "raises"
_SCHEMA = pa.schema(
    [("number", pa.int64()), ("fault", pa.string()), ("status", pa.string()), ("reason", pa.string())]
)


@dataclass(frozen=True, kw_only=True, slots=True)
class FaultRecord:
    """A record. fault: what happens to the worker over it; empty for nothing."""

    number: int
    fault: str = ""


@dataclass(frozen=True, kw_only=True)
class FaultWorker:
    """Writes a file a record. seconds: of processor time a record takes. file_bytes: size of each file."""

    folder: Path
    seconds: float
    file_bytes: int

    def __call__(self, records: Sequence[FaultRecord]) -> PartTables:
        """Files and tables that depend on the records alone."""
        digests = [self._process(record) for record in records]
        rows = [{**asdict(record), "status": DONE, "reason": ""} for record in records]
        return {
            "manifest": pa.Table.from_pylist(rows, schema=_SCHEMA),
            "digests": pa.table({"digest": pa.array(digests, pa.string())}),
        }

    def _process(self, record: FaultRecord) -> str:
        if record.fault == KILLS:
            os.kill(os.getpid(), signal.SIGKILL)
        if record.fault == EXHAUSTS:
            raise MemoryError(record.number)
        if record.fault == RAISES:
            raise ArithmeticError(record.number)
        until = time.thread_time() + self.seconds
        digest = hashlib.sha256(str(record.number).encode()).hexdigest()
        while time.thread_time() < until:
            digest = hashlib.sha256(str(record.number).encode()).hexdigest()
        with atomic_path(self.folder / "files" / f"{record.number}.bin") as temporary:
            temporary.write_bytes(digest.encode() * (self.file_bytes // len(digest) + 1))
        return digest


def lost_rows(records: Sequence[FaultRecord], reason: str) -> pa.Table:
    """Manifest rows of records over which the worker was lost."""
    rows = [{**asdict(record), "status": FAILED, "reason": reason} for record in records]
    return pa.Table.from_pylist(rows, schema=_SCHEMA)


def fault_stage(
    out: Path, records: Sequence[FaultRecord], *, seconds: float = 0.0, file_bytes: int = 64
) -> Stage[FaultRecord]:
    """The stage over some records."""
    return Stage(
        name="faults",
        folder=out / "stage",
        parts=split_into_parts([[record] for record in records], PART_RECORDS),
        make_worker=partial(FaultWorker, folder=out / "stage", seconds=seconds, file_bytes=file_bytes),
        settings={"file_bytes": file_bytes},
        unit="record",
        lost_rows=lost_rows,
        logs=out / LOGS_FOLDER,
        libraries=("pyarrow.parquet",),
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the stage as a program, to be killed from outside."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fault_stage", description=__doc__)
    parser.add_argument("out", type=Path, metavar="OUT")
    parser.add_argument("--records", type=int, default=240)
    parser.add_argument("--seconds", type=float, default=0.0, help="of processor time a record takes")
    parser.add_argument("--file-bytes", type=int, default=64)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument(
        "--fault", action="append", default=[], metavar="NUMBER=FAULT", help="kills, exhausts or raises"
    )
    add_engine_arguments(parser)
    parser.set_defaults(device="cpu")
    options = parser.parse_args(arguments)
    faults = dict(word.split("=") for word in options.fault)
    records = [
        FaultRecord(number=number, fault=faults.get(str(number), "")) for number in range(options.records)
    ]
    stage = fault_stage(options.out, records, seconds=options.seconds, file_bytes=options.file_bytes)
    summary = run_stage(stage, options.workers, choose_engine(options))
    print(summary.line())
    return EXIT_DONE


if __name__ == "__main__":
    sys.exit(run_command(main))
