"""The README's blocks, as a newcomer would run them."""

import subprocess
import sys

import pytest

from experiments import quick


def test_the_readme_has_three_short_blocks():
    blocks = quick.read_blocks(quick.README)
    assert len(blocks) == 3
    for _, block in blocks:
        assert len(block.strip().splitlines()) <= 6
        assert quick.pictures(block)


def test_they_run_write_their_pictures_and_need_no_torch(tmp_path):
    code = (
        "import sys; from experiments.quick import main\n"
        "failed = main(); assert 'torch' not in sys.modules; raise SystemExit(failed)"
    )
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    for _, block in quick.read_blocks(quick.README):
        for picture in quick.pictures(block):
            assert (tmp_path / "results/quick" / picture).stat().st_size > 1000


def test_a_failing_block_names_itself_and_its_line(tmp_path, monkeypatch, capsys):
    readme = tmp_path / "README.md"
    readme.write_text(
        "# Title\n\n```python\nopen('a.png', 'w').close()\n```\n\n```bash\nfalse\n```\n\n```python\nx = 1\n1 / 0\n```\n"
    )
    monkeypatch.setattr(quick, "README", readme)
    monkeypatch.chdir(tmp_path)
    assert quick.main() == 1
    printed = capsys.readouterr()
    assert "README block 2 (line 12) failed" in printed.err
    assert 'README.md", line 13' in printed.err
    assert "README block 1 (line 4)" in printed.out and "a.png" in printed.out
    assert (tmp_path / "results/quick/a.png").exists()


@pytest.mark.parametrize("present", [True, False])
def test_a_picture_that_was_not_written_is_not_claimed(present, tmp_path, monkeypatch, capsys):
    (tmp_path / "results/quick").mkdir(parents=True)
    if present:
        (tmp_path / "results/quick/a.png").write_text("from an earlier run")
    readme = tmp_path / "README.md"
    readme.write_text("```python\nname = 'a.png'\n```\n")
    monkeypatch.setattr(quick, "README", readme)
    monkeypatch.chdir(tmp_path)
    assert quick.main() == 1
    assert "it wrote nothing" in capsys.readouterr().err


def test_without_a_readme(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(quick, "README", tmp_path / "README.md")
    assert quick.main() == 1
    assert "run this from a checkout" in capsys.readouterr().err
