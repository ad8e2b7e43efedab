"""The twin that pgbench runs is the same transactions as the product's."""

from tests.campaign.sql_twin import Statement, as_transactions, parse_log


def _twin(*sqls: str) -> list[str]:
    return [one.sql for one in as_transactions([Statement(sql) for sql in sqls])]


def test_a_trip_without_begin_was_a_transaction_and_is_one_again() -> None:
    assert _twin("select set_config", "select 2") == ["begin", "select set_config", "select 2", "commit"]


def test_what_follows_a_commit_in_the_same_trip_is_a_transaction_of_its_own() -> None:
    assert _twin("begin", "update", "commit", "select") == [
        "begin",
        "update",
        "commit",
        "begin",
        "select",
        "commit",
    ]


def test_transactions_stay_as_they_are() -> None:
    assert _twin("BEGIN", "x", "commit", "begin", "rollback") == ["BEGIN", "x", "commit", "begin", "rollback"]
    assert _twin() == []


def test_a_sign_in_looked_up_takes_nothing_of_the_trip_behind_it_along() -> None:
    lines = ["begin", "select x from signins", "commit", "select set_config($1, true)", "select 2"]
    log = "".join(f"#paidan-api LOG:  execute pd_{n}: {sql}\n" for n, sql in enumerate(lines))
    log += "#paidan-api DETAIL:  parameters: $1 = 'it''s'\n#other LOG:  statement: select 3\n"
    found = parse_log(log)
    assert [one.sql for one in found] == ["select set_config($1, true)", "select 2"]
    assert found[-1].values == {1: "it's"}
