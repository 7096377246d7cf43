from pathlib import Path

import pytest

from simulator import dictionary


def test_the_tables_have_the_known_sizes_and_first_entries() -> None:
    words = dictionary.installed()
    assert len(words.single) == dictionary.SINGLE_COUNT
    assert [len(table) for table in words.double] == [dictionary.DOUBLE_COUNT] * dictionary.DOUBLE_TABLES
    assert words.single[:5] == ("", "xmlstreamstart", "xmlstreamend", "s.whatsapp.net", "type")
    assert tuple(table[0] for table in words.double) == dictionary.FIRST_DOUBLES


def test_a_file_that_is_no_library_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "neonize-x.so"
    file.write_bytes(b"\x7fELF\x01 no")
    with pytest.raises(dictionary.DictionaryError):
        dictionary.read(file)
