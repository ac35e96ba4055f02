"""One Python block or one JSON object out of a reply, or the sentence that goes back."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.replies import MAX_TEXT, Fault, fenced_blocks, json_object, python_block
from agents.supervisor import REVIEW_SCHEMA

CODE = "import numpy\n\n\ndef f():\n    return 1\n"
REVIEW = {"decision": "accept", "reasons": ["fits"], "instructions": []}


@pytest.mark.parametrize(
    "text",
    [
        f"```python\n{CODE}```",
        f"Here it is:\n\n```python\n{CODE}```\n\nIt works because ...",
        f"```Python title=solution.py\n{CODE}```",
        f"```py\n{CODE}```",
        f"```\n{CODE}```",
        f"~~~python\n{CODE}~~~",
        f"````python\n{CODE}````",
        f"```python\n\n\n{CODE}\n\n```",
        f"```bash\npip list\n```\n```python\n{CODE}```\n```text\nout\n```",
        f"```\nsome output\n```\n```python\n{CODE}```",
        f"   ```python\n{CODE}   ```",
        f"```python\n{CODE}```".replace("\n", "\r\n"),
    ],
)
def test_the_one_python_block(text: str) -> None:
    assert python_block(text) == CODE


@pytest.mark.parametrize(
    ("text", "kind", "sentence"),
    [
        ("I cannot do that.", "no_block", "found no code block"),
        (CODE, "no_block", "found no code block"),
        ("```json\n{}\n```", "no_block", "found no code block"),
        (f"```python\n{CODE}```\nor\n```python\n{CODE}```", "two_blocks", "found 2; put"),
        (f"```\n{CODE}```\nor\n```\n{CODE}```", "two_blocks", "found 2; put"),
        (f"```python\n{CODE}", "unclosed_block", "close the block"),
        (f"````python\n{CODE}```\n", "unclosed_block", "close the block"),
        ("```python\n\n  \n```", "empty_block", "found nothing"),
        ("x" * (MAX_TEXT + 1), "too_long", "found 400001"),
    ],
)
def test_no_python_block(text: str, kind: str, sentence: str) -> None:
    fault = python_block(text)
    assert isinstance(fault, Fault)
    assert fault.kind == kind
    assert sentence in fault.sentence


def test_a_reply_without_code_counts_as_a_refusal() -> None:
    missing, double = python_block("no"), python_block("```py\na\n```\n```py\nb\n```")
    assert isinstance(missing, Fault)
    assert isinstance(double, Fault)
    assert (missing.category, double.category) == ("refusal", "contract")


def test_a_longer_fence_holds_a_shorter_one() -> None:
    inner = 'DOC = """\n```\nexample\n```\n"""\n'
    assert python_block(f"````python\n{inner}````") == inner


@given(st.text(alphabet=st.characters(exclude_characters="`~\r", codec="utf-8"), max_size=300))
@settings(deadline=None, max_examples=50)
def test_code_comes_back_as_it_was_written(code: str) -> None:
    found = python_block(f"words\n```python\n{code}\n```\nmore words")
    if code.strip():
        assert found == code.strip("\n") + "\n"
    else:
        assert isinstance(found, Fault)


@given(st.text(alphabet=st.sampled_from('`~{}[]":, \nap1\\'), max_size=200))
@settings(deadline=None, max_examples=50)
def test_no_text_is_too_strange(text: str) -> None:
    assert isinstance(python_block(text), (str, Fault))
    assert isinstance(json_object(text, REVIEW_SCHEMA), (dict, Fault))
    assert all("```" not in block.label for block in fenced_blocks(text))


@pytest.mark.parametrize(
    "text",
    [
        json.dumps(REVIEW),
        f"\n  {json.dumps(REVIEW, indent=2)}\n",
        f"My review:\n```json\n{json.dumps(REVIEW)}\n```\nThat is all.",
        f"My review: {json.dumps(REVIEW)} - that is {{all}}.",
        f"```\n{json.dumps(REVIEW)}\n```",
    ],
)
def test_the_one_json_object(text: str) -> None:
    assert json_object(text, REVIEW_SCHEMA) == REVIEW


@pytest.mark.parametrize(
    ("text", "kind", "sentence"),
    [
        ("fine by me", "no_json", "found none"),
        ("[1, 2]", "no_json", "found none"),
        ('{"decision": "accept", "reasons": [', "bad_json", "found text that is none"),
        ('{"decision": NaN}', "bad_json", "NaN is not JSON"),
        ('{"a":' * 100_000, "too_long", "at most 400000"),
        ('{"a":' * 60_000, "bad_json", "found text that is none"),
        (f"{json.dumps(REVIEW)} or {json.dumps(REVIEW)}", "two_json", "found 2"),
        ('{"decision": "maybe", "reasons": [], "instructions": []}', "schema", "at decision:"),
        ('{"decision": "accept", "reasons": [1], "instructions": []}', "schema", "at reasons.0:"),
        ('{"decision": "accept", "reasons": []}', "schema", "'instructions' is a required"),
        (json.dumps({**REVIEW, "mood": "good"}), "schema", "'mood' was unexpected"),
    ],
)
def test_no_json_object(text: str, kind: str, sentence: str) -> None:
    fault = json_object(text, REVIEW_SCHEMA)
    assert isinstance(fault, Fault)
    assert fault.kind == kind
    assert sentence in fault.sentence


LEAVES = st.none() | st.booleans() | st.integers() | st.text(max_size=20)


@given(st.dictionaries(st.text(max_size=5), LEAVES | st.lists(LEAVES, max_size=3), max_size=4))
@settings(deadline=None, max_examples=50)
def test_any_object_comes_back(value: dict[str, Any]) -> None:
    assert json_object(json.dumps(value), {"type": "object"}) == value
