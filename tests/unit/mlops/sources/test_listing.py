"""The files on the disk, asked as the followers of imports ask."""

from pathlib import Path

from mlops.sources.listing import Listing


def test_what_lies_where(tmp_path: Path) -> None:
    for name in ("a/b/c.py", "a/b/__pycache__/c.pyc", "a/x.pyc", "a/.hidden/y", "a/.z", "a/t.html", "top.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("")
    (tmp_path / "a" / "link.py").symlink_to("../top.py")
    (tmp_path / "a" / "gone.py").symlink_to("nowhere")
    (tmp_path / "linked").symlink_to("a/b")
    files = Listing(tmp_path)
    assert files.below("a") == ["a/b/c.py", "a/link.py", "a/t.html"]
    assert files.resolve("a/b") == files.below("a/b") == ["a/b/c.py"] and files.resolve("top.py") == ["top.py"]
    assert files.is_file("linked/c.py") and files.is_file("a/link.py") and files.is_file("a/.z")
    assert not any(map(files.is_file, ("a", "a/gone.py", "a/c.py", "top.py/x", "absent/x.py", "../top.py", "")))
    assert files.below("absent") == files.below("top.py") == files.resolve("../a") == []
