from lib.checks import words


def test_one_is_no_plural():
    assert [words.plural(each, "row") for each in (0, 1, 1204)] == ["0 rows", "1 row", "1,204 rows"]
    assert words.plural(1, "row has", "rows have") == "1 row has"


def test_problems_have_words():
    assert words.problem("not-a-record") == "the line could not be read as a record"
    assert words.problem("label-unknown") == "the label is neither of the two classes"
