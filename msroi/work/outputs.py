"""Where the outputs of inputs go: planned before anything runs.

Two inputs never meet in one file, and no input is ever replaced.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

from msroi.errors import OptionError
from msroi.work.inputs import STANDARD_STREAM, Input, key_of

TO_STDOUT = Path(STANDARD_STREAM)
"""As an output: standard output."""


def inputs_on_disk(inputs: Sequence[Input]) -> tuple[Path, ...]:
    """The files that no output may replace."""
    return tuple(item.path for item in inputs if item.path is not None)


def check_free(path: Path, overwrite: bool, never: Sequence[Path] = ()) -> None:
    """Raises OutputError where the output could not be written, before any work is spent on it."""
    from msroi.images import refuse_to_replace

    refuse_to_replace(path, overwrite=overwrite, never=never)


def plan_outputs(inputs: Sequence[Input], place: Callable[[Input, bool], Path]) -> list[Path]:
    """The output of each input, all different and none of them an input.

    place: (input, with_suffix) -> path. Inputs that would meet (a.png and a.jpg become a.msroi.jpg) are
    placed once more with their suffix in the name (a.png.msroi.jpg, a.jpg.msroi.jpg).
    Raises OptionError where that does not part them, or where an output would replace an input.
    """
    outputs = [place(item, False) for item in inputs]
    met = Counter(key_of(path).casefold() for path in outputs)
    outputs = [
        place(item, True) if met[key_of(path).casefold()] > 1 else path
        for item, path in zip(inputs, outputs, strict=True)
    ]
    taken = {key_of(item.path): item.name for item in inputs}
    made: dict[str, str] = {}
    for item, path in zip(inputs, outputs, strict=True):
        key = key_of(path)
        if key in taken:
            raise OptionError(f"{item.name}: its output would replace the input {taken[key]}; choose another folder")
        if key in made:
            raise OptionError(f"{item.name}: its output {path} is also that of {made[key]}; run them apart")
        made[key] = item.name
    return outputs


def planned(inputs: Sequence[Input], output: str | None, place: Callable[[Input, bool], Path]) -> dict[Input, Path]:
    """The output of each input: what -o named, standard output for `-`, else `plan_outputs`' by `place`."""
    if output == STANDARD_STREAM:
        return dict.fromkeys(inputs, TO_STDOUT)
    chosen = place if output is None else lambda item, with_suffix: Path(output)
    return dict(zip(inputs, plan_outputs(inputs, chosen), strict=True))


def named(suffix: str, folder: Path | None) -> Callable[[Input, bool], Path]:
    """A `place` for `planned`: NAME + suffix, see `beside`."""
    return lambda item, with_suffix: beside(item, suffix, with_suffix=with_suffix, folder=folder)


def beside(item: Input, suffix: str, *, with_suffix: bool = False, folder: Path | None = None) -> Path:
    """NAME + suffix, beside the input, or under `folder` at its place in the folder that was given."""
    name = (item.relative.name if with_suffix else item.relative.stem) + suffix
    if folder is not None:
        return folder / item.relative.with_name(name)
    assert item.path is not None
    return item.path.with_name(name)
