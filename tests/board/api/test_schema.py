"""Schemathesis over the OpenAPI document: the server never fails, and every answer is as the document says."""

from __future__ import annotations

from contextlib import nullcontext, suppress
from pathlib import Path

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis.checks import not_a_server_error
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from noisystudent.board.app import create_app
from noisystudent.board.catalogue.store import Store, copy
from noisystudent.board.submitting import tokens
from noisystudent.board.web.site import Limits, Site

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
THERE = {
    "paper_id": "self-training-with-noisy-student",
    "owner": "somebody",
    "name": "noisy",
    "author_id": "qizhe-xie",
    "conference_id": "cvpr",
    "proceeding_id": "cvpr-2020-6",
    "area_id": "computer-vision",
    "task_id": "image-classification",
    "dataset_id": "imagenet",
    "method_id": "noisy-student",
    "evaluation_id": "image-classification-on-imagenet",
}
PLENTY = Limits(reads=10**6, searches=10**6, writes=10**6, failures=10**6)


@pytest.fixture(scope="session")
def schema(filled: Path, tmp_path_factory: pytest.TempPathFactory) -> schemathesis.BaseSchema:
    """The document, of a catalogue that the requests may change as they like, with a token that may."""
    path = tmp_path_factory.mktemp("schema") / "board.db"
    copy(filled, path)
    token = tokens.make(Store(path), "schemathesis", ["curate", "submit"])
    schema = schemathesis.openapi.from_asgi("/api/v1/openapi.json", create_app(Site(path, limits=PLENTY)))
    schema.config.update(headers={"Authorization": f"Token {token}"})
    return schema


def ask(schema: schemathesis.BaseSchema, requests: int) -> None:
    """Of every operation, requests that keep to the document and, where that can be, requests that do not."""
    asked = dict.fromkeys(GenerationMode, 0)
    settle = settings(
        max_examples=requests,
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    for operation in (result.ok() for result in schema.get_all_operations()):
        for mode in GenerationMode:

            @settle
            @given(case=operation.as_strategy(generation_mode=mode))
            def check(case: schemathesis.Case) -> None:
                case.call_and_validate(checks=CHECKS)
                if case.path_parameters:  # and at an address where there is something
                    case.path_parameters = {name: THERE.get(name, "1") for name in case.path_parameters}
                    case.call_and_validate(checks=CHECKS)

            # Every text is an id, so a path with nothing else cannot be wrong.
            with suppress(Unsatisfiable) if mode is GenerationMode.NEGATIVE else nullcontext():
                check()
                asked[mode] += 1
    assert asked[GenerationMode.POSITIVE] >= 57
    assert asked[GenerationMode.NEGATIVE] >= 35


@pytest.mark.slow
def test_every_answer_is_as_documented(schema: schemathesis.BaseSchema) -> None:
    ask(schema, 100)
