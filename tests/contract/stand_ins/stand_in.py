"""What stands in for a third-party action where act runs the workflows: it writes down what it was given, and does as
much of the action's work as the next step needs, on this machine alone.

    stand_in.py ACTION      inputs as JSON in INPUTS, by toJSON(inputs)

STAND_IN_RECORD is the folder of the records, STAND_IN_SOURCE the repository that is checked out, STAND_IN_VENV the
environment that a runner would have in its cache. Standard library only: it runs before any environment is there.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

WORKSPACE = Path(os.environ.get("GITHUB_WORKSPACE") or ".")
RECORD = Path(os.environ.get("STAND_IN_RECORD") or ".")


def checkout(given):
    """The event's commit as actions/checkout brings it: alone, or with the whole history and every branch."""
    git("init", "--quiet", ".")
    source = f"file://{os.environ['STAND_IN_SOURCE']}"
    depth = given["fetch-depth"]
    whole = depth == "0"
    refs = ["+refs/heads/*:refs/remotes/origin/*"] if whole else []
    git("fetch", "--quiet", *([] if whole else [f"--depth={depth}"]), source, *refs, os.environ["GITHUB_SHA"])
    git("checkout", "--quiet", "--force", "--detach", os.environ["GITHUB_SHA"])


def setup_python(given):
    """The environment as a cache would bring it."""
    lay_environment(Path(os.environ["STAND_IN_VENV"]), WORKSPACE.resolve())


def lay_environment(source, tree):
    """An environment of `tree`'s own: its packages are links to those of `source`, the tree's code is the tree's."""
    made = tree / ".venv"
    packages = next(source.glob("lib/python3*/site-packages")).relative_to(source)
    (made / packages).mkdir(parents=True)
    (made / "bin").mkdir()
    shutil.copy(source / "pyvenv.cfg", made)
    own = 0
    for each in (source / packages).iterdir():
        if each.suffix == ".pth" and each.read_text().strip() == str(source.parent):
            (made / packages / each.name).write_text(str(tree))
            own += 1
        elif each.name != "__pycache__":
            (made / packages / each.name).symlink_to(each)
    if not own:
        sys.exit(f"{source} does not hold the code of {source.parent}: the copy's code would not be what runs")
    shebang = f"#!{source}/bin/python".encode()
    for each in (source / "bin").iterdir():
        content = b"" if each.is_symlink() else each.read_bytes()
        if content.startswith(shebang):
            (made / "bin" / each.name).write_bytes(content.replace(shebang, f"#!{made}/bin/python".encode(), 1))
            (made / "bin" / each.name).chmod(0o755)
        else:
            (made / "bin" / each.name).symlink_to(each.resolve())
    # As scripts/setup writes it at its end. It must install nothing here: through the links it would reach the source.
    locks = ["requirements/dev.txt", "requirements/uv.txt", "pyproject.toml"]
    if all((tree / name).is_file() for name in locks):
        sums = subprocess.run(["cksum", *locks], cwd=tree, check=True, capture_output=True, text=True).stdout
        version = packages.parts[1].removeprefix("python")
        (made / ".ready").write_text(f"{version} {sums}".replace("\n", " "))
    (made / ".compiled").touch()


def upload_artifact(given):
    """Keep files under the artifact's name, which nothing else of the run may have."""
    target = RECORD / "artifacts" / given["name"]
    if target.exists():
        sys.exit(f"an artifact {given['name']} is there already")
    hidden = given["include-hidden-files"] == "true"
    kept = 0
    for name in given["path"].split():
        path = WORKSPACE / name
        for file in [path] if path.is_file() else [each for each in path.rglob("*") if each.is_file()]:
            parts = file.relative_to(WORKSPACE).parts
            if not hidden and any(part.startswith(".") for part in parts):
                continue
            place = target / (file.name if path.is_file() else file.relative_to(WORKSPACE))
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(file, place)
            kept += 1
    if not kept and given["if-no-files-found"] == "error":
        sys.exit(f"no files were found with the provided path: {given['path']}")


def download_artifact(given):
    """Bring an artifact of this run."""
    source = RECORD / "artifacts" / given["name"]
    if not source.is_dir():
        sys.exit(f"there is no artifact {given['name']}")
    shutil.copytree(source, WORKSPACE, dirs_exist_ok=True)


def git(*words):
    subprocess.run(["git", *words], cwd=WORKSPACE, check=True)


ACTIONS = {
    "actions/checkout": checkout,
    "actions/setup-python": setup_python,
    "actions/upload-artifact": upload_artifact,
    "actions/download-artifact": download_artifact,
}


def main(action):
    """Write down what was given, then do it."""
    given = json.loads(os.environ["INPUTS"])
    line = {
        "action": action, "inputs": given, "workflow": os.environ.get("GITHUB_WORKFLOW"),
        "job": os.environ.get("GITHUB_JOB"), "event": os.environ.get("GITHUB_EVENT_NAME"),
    }
    RECORD.mkdir(parents=True, exist_ok=True)
    with open(RECORD / "inputs.jsonl", "a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")
    ACTIONS[action](given)


if __name__ == "__main__":
    main(sys.argv[1])
