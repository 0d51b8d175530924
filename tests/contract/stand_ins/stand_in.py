"""What stands in for a third-party action where act runs the workflows: it writes down what it was given, and does as
much of the action's work as the next step needs, on this machine alone.

    stand_in.py ACTION      inputs as JSON in INPUTS, by toJSON(inputs)

STAND_IN_RECORD is the folder of the records and artifacts of one run, STAND_IN_CACHE that of the caches, which runs
share, STAND_IN_SOURCE the repository that is checked out, STAND_IN_VENV the environment that a runner would install.
Standard library only: it runs before any environment is there.
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

WORKSPACE = Path(os.environ.get("GITHUB_WORKSPACE") or ".")
RECORD = Path(os.environ.get("STAND_IN_RECORD") or ".")
CACHE = Path(os.environ.get("STAND_IN_CACHE") or ".")


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
    """Keep files under the artifact's name, which nothing else of the run may have; their paths begin below the
    deepest folder that all that was named lies in."""
    target = RECORD / "artifacts" / given["name"]
    if target.exists():
        sys.exit(f"an artifact {given['name']} is there already")
    hidden = given["include-hidden-files"] == "true"
    named = [WORKSPACE / name for name in given["path"].split()]
    top = os.path.commonpath([path.parent if path.is_file() else path for path in named])
    kept = 0
    for path in named:
        for file in [path] if path.is_file() else [each for each in path.rglob("*") if each.is_file()]:
            if not hidden and any(part.startswith(".") for part in file.relative_to(WORKSPACE).parts):
                continue
            place = target / file.relative_to(top)
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(file, place)
            kept += 1
    if not kept and given["if-no-files-found"] == "error":
        sys.exit(f"no files were found with the provided path: {given['path']}")


def download_artifact(given):
    """Bring an artifact of this run, or each that a pattern names into a folder of its name."""
    store, target = RECORD / "artifacts", WORKSPACE / given["path"]
    if given["name"]:
        if not (store / given["name"]).is_dir():
            sys.exit(f"there is no artifact {given['name']}")
        return shutil.copytree(store / given["name"], target, dirs_exist_ok=True)
    for each in sorted(store.glob(given["pattern"])) if store.is_dir() else []:
        shutil.copytree(each, target / each.name, dirs_exist_ok=True)


def cache_restore(given):
    """Bring what was saved under the key, or newest under the first of the restore keys that any begins with.

    Seen is, as on GitHub, what the ref itself, a request's base branch and the default branch have saved.
    """
    seen = {os.environ["GITHUB_REF"], f"refs/heads/{os.environ.get('GITHUB_BASE_REF')}", "refs/heads/main"}
    entries = [json.loads(path.read_text()) for path in sorted(CACHE.glob("*/entry.json"))]
    saved = sorted((each["order"], each["key"], each["place"]) for each in entries if each["ref"] in seen)
    matched = [each for each in saved if each[1] == given["key"]]
    for prefix in given["restore-keys"].split():
        matched = matched or [each for each in saved if each[1].startswith(prefix)][-1:]
    hit = matched[0] if matched else None
    if hit:
        for name in given["path"].split():
            source = CACHE / hit[2] / "files" / name.replace("~/", "HOME/")
            target = Path(name).expanduser() if name.startswith("~") else WORKSPACE / name
            if source.is_dir():
                shutil.copytree(source, target, dirs_exist_ok=True)
            elif source.is_file():
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(source, target)
    output("cache-hit", str(bool(hit and hit[1] == given["key"])).lower())
    output("cache-primary-key", given["key"])
    output("cache-matched-key", hit[1] if hit else "")


def cache_save(given):
    """Keep files under a key; a key that is there stays as it is."""
    place = CACHE / hashlib.sha256(f"{os.environ['GITHUB_REF']} {given['key']}".encode()).hexdigest()[:16]
    if (place / "entry.json").exists():
        return print(f"the key {given['key']} is taken")
    kept = 0
    for name in given["path"].split():
        source = Path(name).expanduser() if name.startswith("~") else WORKSPACE / name
        target = place / "files" / name.replace("~/", "HOME/")
        if source.is_dir():
            shutil.copytree(source, target, dirs_exist_ok=True)
            kept += 1
        elif source.is_file():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, target)
            kept += 1
    if kept:
        entry = {"key": given["key"], "ref": os.environ["GITHUB_REF"], "place": place.name, "order": time.time_ns()}
        (place / "entry.json").write_text(json.dumps(entry))


def recorded(given):
    """Nothing but the record: what this action does happens elsewhere."""


def output(name, value):
    with open(os.environ["GITHUB_OUTPUT"], "a", encoding="utf-8") as file:
        file.write(f"{name}={value}\n")


def git(*words):
    subprocess.run(["git", *words], cwd=WORKSPACE, check=True)


ACTIONS = {
    "actions/checkout": checkout,
    "actions/setup-python": setup_python,
    "actions/upload-artifact": upload_artifact,
    "actions/download-artifact": download_artifact,
    "actions/cache/restore": cache_restore,
    "actions/cache/save": cache_save,
    "codecov/codecov-action": recorded,
    "github/codeql-action/upload-sarif": recorded,
    "aws-actions/configure-aws-credentials": recorded,
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
