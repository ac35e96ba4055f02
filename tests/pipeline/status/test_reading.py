"""Files that appear, vanish and grow while they are read."""

import json
from pathlib import Path

from pipeline.status.reading import Reader, Tail


def test_a_tail_gives_each_whole_line_once(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    tail = Tail(path)
    assert tail.read() == (False, [])
    path.write_bytes(b'{"a": 1}\n{"a": 2}\n{"a"')
    assert tail.read() == (True, [{"a": 1}, {"a": 2}])
    assert tail.read() == (False, [])
    with path.open("ab") as file:
        file.write(b': 3}\nno json\n[4]\n\n{"a": 5}\n')
    assert tail.read() == (False, [{"a": 3}, {"a": 5}])


def test_a_tail_begins_anew_with_another_file(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    tail = Tail(path)
    path.write_text('{"a": 1}\n{"a": 2}\n')
    tail.read()
    path.write_text('{"a": 3}\n')  # shorter: begun anew in place
    assert tail.read() == (True, [{"a": 3}])
    other = tmp_path / "other"
    other.write_text('{"a": 4}\n{"a": 5}\n{"a": 6}\n')
    other.replace(path)
    assert tail.read() == (True, [{"a": 4}, {"a": 5}, {"a": 6}])
    path.unlink()
    assert tail.read() == (True, [])
    assert tail.read() == (False, [])


def test_json_is_read_again_only_when_it_has_changed(tmp_path: Path) -> None:
    path, reader = tmp_path / "x.json", Reader()
    assert reader.json(path) is None
    path.write_text(json.dumps({"a": 1}))
    first = reader.json(path)
    assert first == {"a": 1}
    assert reader.json(path) is first
    path.write_text('{"a": 22')
    assert reader.json(path) is None
    path.write_text('{"a": 22}')
    assert reader.json(path) == {"a": 22}
    path.unlink()
    assert reader.json(path) is None
