"""Write docs/configuration.md from the configuration's own descriptions: `python docs/make_configuration.py`."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from noisystudent.config import (
    Config,
    Data,
    Execution,
    Generation,
    KnownClasses,
    Noise,
    RandAugment,
    ResolutionFix,
    Selection,
    Training,
)

SECTIONS: dict[str, type[BaseModel]] = {
    "(top)": Config,
    "data": Data,
    "teacher": Training,
    "teacher.noise": Noise,
    "teacher.noise.randaugment": RandAugment,
    "teacher.resolution_fix": ResolutionFix,
    "generations.N": Generation,
    "generations.N.select": Selection,
    "known_classes": KnownClasses,
    "execution": Execution,
}

HEAD = """# The configuration

A run is decided by its configuration. A recipe gives a whole one (`noisystudent recipes NAME` prints it), `--config FILE.toml` reads
one, and `--set KEY=VALUE` changes a setting: keys are dotted, generations are counted from 0, and `generation` stands for every generation,
`student`, `select` and `noise` stand for those of every generation (`noise` for the teacher's too), so that an ablation is one setting:
`--set student.noise.randaugment=false`. The `config.toml` of a run folder is complete: given back with `--config` and another
`--out` it gives the same run.

This page is written by `docs/make_configuration.py` from the descriptions in `noisystudent/config`.
"""


def page() -> str:
    parts = [HEAD]
    for name, section in SECTIONS.items():
        doc = (section.__doc__ or "").strip().splitlines()[0]
        parts.append(f"## {name}\n\n{doc}\n\n| setting | default | meaning |\n|---|---|---|")
        for key, field in section.model_fields.items():
            default = field.default
            if default is PydanticUndefined or isinstance(default, BaseModel):
                shown = "" if field.default_factory is None else f"`{field.default_factory()}`"  # type: ignore[call-arg]
            else:
                shown = f"`{default!r}`"
            parts[-1] += f"\n| `{key}` | {shown} | {field.description or ''} |"
    return "\n\n".join(parts) + "\n"


if __name__ == "__main__":
    Path(__file__).with_name("configuration.md").write_text(page(), encoding="utf-8")
