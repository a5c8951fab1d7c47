"""The examples of CONTRIBUTING.md run as they stand."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

BLOCK = re.compile(r"```python\n(.*?)```", re.S)
RUNNER = """
import linecache, re, sys, types
from pathlib import Path
space = {"__name__": "example"}
for i, block in enumerate(re.findall(r"```python\\n(.*?)```", Path(sys.argv[1]).read_text(encoding="utf-8"), re.S)):
    named = re.match(r"# FILE: (\\S+)\\.py\\n", block)
    name = named.group(1).replace("/", ".") if named else "example"
    place = f"CONTRIBUTING-{i}"
    linecache.cache[place] = (len(block), None, block.splitlines(True), place)
    code = compile(block, place, "exec")
    if named:
        module = types.ModuleType(name)
        sys.modules[name] = module
        exec(code, module.__dict__)
    else:
        exec(code, space)
    print(i, name)
"""


def test_every_example_runs(repository: Path) -> None:
    page = repository / "CONTRIBUTING.md"
    # A process of its own: the examples register formats and layouts.
    done = subprocess.run([sys.executable, "-c", RUNNER, str(page)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    assert len(done.stdout.splitlines()) == len(BLOCK.findall(page.read_text(encoding="utf-8"))) >= 8
