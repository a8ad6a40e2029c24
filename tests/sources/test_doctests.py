"""The examples in the docstrings are true."""

from __future__ import annotations

import doctest
import importlib

import pytest


@pytest.mark.parametrize("module", ["columns", "files", "labels", "names"])
def test_examples(module):
    result = doctest.testmod(importlib.import_module(f"lib.sources.{module}"))
    assert result.attempted > 0
    assert result.failed == 0
