"""Every number of the product has one name and one value."""

import ast
from collections import Counter
from pathlib import Path

from domain import limits


def test_no_name_is_given_twice() -> None:
    tree = ast.parse(Path(str(limits.__file__)).read_text())
    given = Counter(
        one.target.id for one in tree.body if isinstance(one, ast.AnnAssign) and isinstance(one.target, ast.Name)
    )
    assert given
    assert [name for name, times in given.items() if times > 1] == []
