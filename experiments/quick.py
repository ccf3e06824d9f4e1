"""Run the README's python blocks, as `make quick` does: each writes a picture into results/quick/."""

import re
import sys
import time
import traceback
from pathlib import Path

README = Path(__file__).resolve().parents[1] / "README.md"


def read_blocks(readme: Path) -> list[tuple[int, str]]:
    """Line number and text of each fenced python block."""
    text = readme.read_text("utf-8")
    found = re.finditer(r"^```python\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL)
    return [(text.count("\n", 0, match.start(1)) + 1, match[1]) for match in found]


def run_block(line: int, block: str) -> None:
    """Execute one block by itself; error messages give the README's line numbers."""
    import matplotlib.pyplot as plt

    try:
        exec(compile("\n" * (line - 1) + block, str(README), "exec"), {"__name__": "__main__"})
    finally:
        plt.close("all")


def main(folder: Path = Path("results/quick")) -> int:
    """Run every block in `folder`; returns 0, or 1 if one failed."""
    import contextlib

    import matplotlib

    if not README.exists():
        print(f"quick: {README.name} is not beside the package; run this from a checkout", file=sys.stderr)
        return 1
    matplotlib.use("Agg")
    folder.mkdir(parents=True, exist_ok=True)
    failed = 0
    with contextlib.chdir(folder):
        for number, (line, block) in enumerate(read_blocks(README), 1):
            for old in pictures(block):
                old.unlink(missing_ok=True)
            start = time.perf_counter()
            try:
                run_block(line, block)
            except Exception:
                traceback.print_exc()
                print(f"README block {number} (line {line}) failed", file=sys.stderr)
                failed += 1
                continue
            written = ", ".join(str(folder / path) for path in pictures(block) if path.exists())
            print(
                f"README block {number} (line {line}): {time.perf_counter() - start:.1f} s, wrote {written or 'nothing'}"
            )
    return 1 if failed else 0


def pictures(block: str) -> list[Path]:
    """Files that a block names."""
    return [Path(name) for name in re.findall(r"[\"']([\w-]+\.(?:png|gif|svg))[\"']", block)]


if __name__ == "__main__":
    raise SystemExit(main())
