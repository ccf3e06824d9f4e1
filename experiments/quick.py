"""Run the README's python blocks, as `make quick` does: each writes a picture into results/quick/."""

import contextlib
import re
import sys
import time
import traceback
from pathlib import Path

README = Path(__file__).resolve().parents[1] / "README.md"
FOLDER = Path("results/quick")


def read_blocks(readme: Path) -> list[tuple[int, str]]:
    """Line number and text of each fenced python block."""
    text = readme.read_text("utf-8")
    found = re.finditer(r"^```python\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL)
    return [(text.count("\n", 0, match.start(1)) + 1, match[1]) for match in found]


def pictures(block: str) -> list[Path]:
    """Picture files that a block names."""
    return [Path(name) for name in re.findall(r"[\"']([\w-]+\.(?:png|gif|svg))[\"']", block)]


def run_block(line: int, block: str) -> str | None:
    """Execute one block in the current folder; returns what went wrong, with the README's line numbers, or None."""
    import matplotlib.pyplot as plt

    for picture in pictures(block):
        picture.unlink(missing_ok=True)
    try:
        exec(compile("\n" * (line - 1) + block, README, "exec"), {"__name__": "__main__"})
    except Exception:
        return traceback.format_exc()
    finally:
        plt.close("all")
    return None if any(picture.exists() for picture in pictures(block)) else "it wrote nothing"


def main() -> int:
    """Run every block; returns 0, or 1 if one failed or wrote no picture."""
    import matplotlib

    if not README.exists():
        print(f"quick: {README.name} is not beside the package; run this from a checkout", file=sys.stderr)
        return 1
    matplotlib.use("Agg")
    FOLDER.mkdir(parents=True, exist_ok=True)
    failed = False
    with contextlib.chdir(FOLDER):
        for number, (line, block) in enumerate(read_blocks(README), 1):
            name = f"README block {number} (line {line})"
            start = time.perf_counter()
            problem = run_block(line, block)
            if problem is None:
                written = ", ".join(str(FOLDER / picture) for picture in pictures(block))
                print(f"{name}: {time.perf_counter() - start:.1f} s, wrote {written}", flush=True)
            else:
                print(f"{name} failed: {problem}", file=sys.stderr)
                failed = True
    return int(failed)


if __name__ == "__main__":
    raise SystemExit(main())
