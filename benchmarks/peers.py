"""The environment of the peers: what the benchmarks run beside us, by their own lock, apart from ours."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

_HERE = Path(__file__).resolve().parent
LOCK = _HERE / "requirements.txt"
FOLDER = _HERE.parent / ".venv" / "peers"


def python() -> str:
    """The peers' Python; its environment is made where it is not there or its lock changed.

    Raises:
        RuntimeError: it cannot be made; the message is the installer's.
    """
    wanted = hashlib.sha256(LOCK.read_bytes()).hexdigest()
    mark, program = FOLDER / "lock.sha256", FOLDER / "bin" / "python"
    if mark.is_file() and mark.read_text() == wanted:
        return str(program)
    uv = shutil.which("uv", path=str(Path(sys.executable).parent)) or "uv"
    print("peers  installing", file=sys.stderr, flush=True)
    for words in (
        [uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(FOLDER)],
        [uv, "pip", "sync", "--quiet", "--require-hashes", "--python", str(program), str(LOCK)],
    ):
        done = subprocess.run(words, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"the peers' environment cannot be made: {done.stderr.strip()[-2000:]}")
    mark.write_text(wanted)
    return str(program)
