"""Passwords that are among the first anybody tries."""

import pytest

from dispatch.adapters.common_passwords import common, is_common


@pytest.mark.parametrize(
    "password",
    [
        "1234567890",
        "qwertyuiop",
        "QWERTYUIOP",
        "password123",
        "Passw0rd2024!",
        "P@ssw0rd!!!!",
        "1qaz2wsx3edc",
        "aaaaaaaaaaaa",
        "abcabcabcabc",
        "0987654321",
        "woaini1314520",
        "zhongguo2026",
        "Administrator1",
        "dragon-monkey7",
        "!!!letmein!!!",
        "paidan2026!!",
    ],
)
def test_a_common_password_is_told_however_it_is_dressed_up(password: str) -> None:
    assert is_common(password)


@pytest.mark.parametrize(
    "password",
    [
        "a long enough password",
        "correct horse battery staple",
        "xK3#vq9Lm2Wd",
        "four words nobody knows",
        "三更灯火五更鸡正是男儿读书时",
        "7f3a91c2e85b",
    ],
)
def test_one_of_its_own_is_not(password: str) -> None:
    assert not is_common(password, "dora", "Dora Chen")


def test_ones_own_name_is_no_password() -> None:
    assert is_common("dispatch-dora-2026", "dispatch-dora")
    assert not is_common("dispatch-dora-and-a-long-rest", "dispatch-dora")
    assert is_common("Wangxiaoming1", "wangxiaoming")
    assert not is_common("Wangxiaoming1")


def test_the_list_has_what_the_standard_asks_for() -> None:
    """ASVS 5.0, 6.2.4: at least the top 3,000 that fit the policy, shorter ones as what longer are made of."""
    assert len(common()) >= 3_000


def test_without_the_list_only_runs_would_be_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sabotage: an empty list."""
    monkeypatch.setattr("dispatch.adapters.common_passwords.common", frozenset)
    assert not is_common("password123")
    assert is_common("1234567890")
