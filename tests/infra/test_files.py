"""Private files: whole or not there, and for their owner only."""

import stat
from concurrent.futures import ThreadPoolExecutor

import pytest

from infra.files import load_or_create_secret, take_lock, write_private


def test_a_private_file_is_readable_by_its_owner_only_also_when_it_replaces_an_open_one(tmp_path):
    path = tmp_path / "deep" / "run.json"
    write_private(path, "one")
    path.chmod(0o644)
    write_private(path, "two")
    assert path.read_text() == "two"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [p.name for p in path.parent.iterdir()] == ["run.json"]


def test_a_failed_write_leaves_the_old_file(tmp_path):
    path = tmp_path / "run.json"
    write_private(path, "one")
    with pytest.raises(UnicodeEncodeError):
        write_private(path, "\ud800")
    assert path.read_text() == "one"
    assert [p.name for p in tmp_path.iterdir()] == ["run.json"]


def test_a_file_that_must_be_new_never_replaces_another(tmp_path):
    path = tmp_path / "key.json"
    write_private(path, "one", replace=False)
    with pytest.raises(FileExistsError):
        write_private(path, "two", replace=False)
    assert path.read_text() == "one"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [p.name for p in tmp_path.iterdir()] == ["key.json"]


def test_everyone_who_asks_at_once_gets_the_same_secret(tmp_path):
    path = tmp_path / "postgres.secret"
    with ThreadPoolExecutor(8) as pool:
        answers = set(pool.map(lambda _: load_or_create_secret(path), range(16)))
    assert len(answers) == 1
    assert len(answers.pop()) >= 43
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_secrets_of_two_places_differ(tmp_path):
    assert load_or_create_secret(tmp_path / "a") != load_or_create_secret(tmp_path / "b")


def test_a_lock_is_taken_once_until_it_is_closed(tmp_path):
    lock = take_lock(tmp_path / "lock")
    with pytest.raises(BlockingIOError):
        take_lock(tmp_path / "lock")
    lock.close()
    take_lock(tmp_path / "lock").close()
