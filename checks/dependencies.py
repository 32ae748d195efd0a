"""What the packages that this project stands on are licensed as, and whether any has a known vulnerability.

python -m checks.dependencies licences [--out docs/licences.md]     a licence that is not allowed is status 1
python -m checks.dependencies vulnerabilities                       a known vulnerability is status 1
"""

import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOCK = ROOT / "requirements.lock"
_PIN = re.compile(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)", re.MULTILINE)
_PROBE_SECONDS, _AUDIT_SECONDS = 20, 300

ALLOWED = (
    r"Apache|BSD|0BSD|MIT|ISC|PSF|Python Software Foundation|Zlib|CC0|Unlicense|LLVM",
    r"MPL|Mozilla Public License",  # of whole files, which are not changed here
    r"LGPL",  # of libraries, which are linked to and not changed
    r"NVIDIA",  # redistributable parts of CUDA, on which PyTorch stands
)
# Packages whose metadata does not say it, as their licence files do.
STATED = {
    "cuda-toolkit": "NVIDIA Proprietary Software",
    "espeakng-loader": "MIT; holds eSpeak NG, GPL-3.0-or-later",
    **dict.fromkeys(
        (
            "pyannote-audio",
            "pyannote-core",
            "pyannote-database",
            "pyannote-metrics",
            "pyannote-pipeline",
            "pyannoteai-sdk",
        ),
        "MIT License",
    ),
    **dict.fromkeys(
        (
            "nvidia-cuda-cupti",
            "nvidia-cuda-nvrtc",
            "nvidia-cufft",
            "nvidia-cufile",
            "nvidia-curand",
            "nvidia-cusolver",
            "nvidia-cusparse",
            "nvidia-nvjitlink",
            "nvidia-nvtx",
        ),
        "NVIDIA Proprietary Software",
    ),
}
EXCEPTIONS = {"espeakng-loader": "speaks in the generated world of the demo, and nowhere else"}


def licence_problems(licences: Mapping[str, str]) -> list[str]:
    """Packages whose licence is not allowed. licences: by package."""
    problems = []
    for name, licence in sorted(licences.items()):
        terms = [term for term in re.split(r"\bAND\b|\bOR\b|;", licence) if term.strip()]
        kinds = [term for term in terms if "approved" not in term or "License" in term]
        allowed = all(any(re.search(pattern, term) for pattern in ALLOWED) for term in kinds)
        copyleft = re.search(r"\bA?GPL|GNU (Affero )?General Public", licence)
        if (not allowed or copyleft) and name not in EXCEPTIONS:
            problems.append(f"{name}: {licence}")
    return problems


def vulnerability_report(answer: str) -> tuple[list[str], int]:
    """What pip-audit found, one line a vulnerability, and how many packages it could look up. answer: its JSON."""
    packages = json.loads(answer)["dependencies"]
    found = [
        f"{package['name']} {package['version']}: {one['id']}, mended in {', '.join(one['fix_versions']) or 'no version'}"
        for package in packages
        for one in package.get("vulns", [])
    ]
    return found, sum("skip_reason" not in package for package in packages)


def read_licences() -> dict[str, str]:
    """The licence of every package of this environment."""
    command = [sys.executable, "-m", "piplicenses", "--from=mixed", "--format=json"]
    answer = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    licences = {}
    for package in json.loads(answer):
        name = re.sub(r"[-_.]+", "-", package["Name"]).lower()
        licences[name] = STATED.get(name, package["License"].splitlines()[0].strip())
    return licences


def check_licences(out: Path | None) -> int:
    """Check, and write the page that lists them where one is named."""
    licences = read_licences()
    problems = licence_problems(licences)
    for problem in problems:
        print(f"licence not allowed: {problem}")
    if out:
        locked = {re.sub(r"[-_.]+", "-", name).lower() for name, _ in _PIN.findall(LOCK.read_text())}
        rows = [f"| {name} | {licence} |" for name, licence in sorted(licences.items()) if name in locked]
        exceptions = "; ".join(f"`{name}` {why}" for name, why in EXCEPTIONS.items())
        head = (
            "# Licences\n\nOf the packages in `requirements.lock`, as they state it; written by `make licences`. "
            f"`make lint` fails for one that is not allowed\n(`checks/dependencies.py`). Exceptions: {exceptions}.\n\n"
        )
        out.write_text(head + "\n".join(["| package | licence |", "| --- | --- |", *rows]) + "\n")
    print(f"licences: {len(licences)} packages, {len(problems)} not allowed")
    return 1 if problems else 0


def check_vulnerabilities() -> int:
    """Look every package of the lock file up; where the service cannot be reached, say so and go on."""
    pins = _PIN.findall(LOCK.read_text())
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as probe:
        probe.write("{}=={}\n".format(*pins[0]))
        probe.flush()
        if not _looked_up(Path(probe.name), _PROBE_SECONDS)[1]:
            print("vulnerabilities: NOT CHECKED, the vulnerability service cannot be reached from here")
            return 0
    found, count = _looked_up(LOCK, _AUDIT_SECONDS)
    for line in found:
        print(f"known vulnerability: {line}")
    print(f"vulnerabilities: {count} of {len(pins)} packages looked up, {len(found)} known")
    return 1 if found else 0


def _looked_up(requirements: Path, seconds: float) -> tuple[list[str], int]:
    command = [
        sys.executable,
        "-m",
        "pip_audit",
        "--disable-pip",
        "--no-deps",
        "--requirement",
        str(requirements),
    ]
    options = ["--format", "json", "--progress-spinner", "off", "--timeout", "5"]
    try:
        finished = subprocess.run(
            [*command, *options], capture_output=True, text=True, timeout=seconds, check=False
        )
        return vulnerability_report(finished.stdout)
    except (subprocess.TimeoutExpired, ValueError, KeyError):  # no answer, or none of the service
        return [], 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Returns the exit status."""
    words = sys.argv[1:] if arguments is None else list(arguments)
    match words:
        case ["licences"]:
            return check_licences(None)
        case ["licences", "--out", path]:
            return check_licences(Path(path))
        case ["vulnerabilities"]:
            return check_vulnerabilities()
    print(__doc__)
    return 2


if __name__ == "__main__":
    sys.exit(main())
