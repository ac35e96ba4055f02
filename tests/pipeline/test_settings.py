"""Frozen settings: strict types, hashes of what decides the result and nothing else."""

from dataclasses import replace
from typing import Any

import pytest

from pipeline.configure import configure
from pipeline.freeze import fileset_key
from pipeline.settings import (
    SettingsError,
    deciding,
    from_dict,
    reference_key,
    settings_sha256,
    to_dict,
)


def plain() -> dict[str, Any]:
    return to_dict(configure(["run.name=x"]))


def test_round_trip() -> None:
    settings = configure(["run.name=x"])
    assert from_dict(to_dict(settings)) == settings


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (("data", "mu"), "two", "expected a number for 'data.mu', found 'two'"),
        (("data", "partial"), 1, "expected true or false for 'data.partial', found 1"),
        (("data", "seed"), True, "expected a whole number for 'data.seed', found True"),
        (("data", "verify"), "checksums", "did you mean 'checksum'"),
        (("channel", "fit_range"), [105.0], "expected 2 values for 'channel.fit_range'"),
        (("channel", "features"), "met", "expected a list for 'channel.features', found 'met'"),
        (("site", "worker"), 2, "unknown key 'site.worker'; did you mean 'workers'"),
    ],
)
def test_wrong_values_are_one_sentence(path: tuple[str, str], value: Any, message: str) -> None:
    data = plain()
    data[path[0]][path[1]] = value
    with pytest.raises(SettingsError) as caught:
        from_dict(data)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_missing_value_is_named() -> None:
    data = plain()
    del data["data"]["release"]
    with pytest.raises(SettingsError, match=r"missing value for 'data\.release'"):
        from_dict(data)


def test_site_and_name_do_not_change_the_hash_but_physics_does() -> None:
    settings = configure(["run.name=x"])
    elsewhere = configure(["run.name=y", "site.workers=1", "site.executor=inline"])
    assert settings_sha256(elsewhere) == settings_sha256(settings)
    assert settings_sha256(replace(settings, seed=1)) != settings_sha256(settings)


def test_prices_that_only_evaluations_read_do_not_change_the_hash() -> None:
    settings = configure(["run.name=x"])
    prices = replace(settings.model.prices, per_gpu_hour=2.5, as_of="2026-11-01")
    priced = replace(settings, model=replace(settings.model, prices=prices))
    assert settings_sha256(priced) == settings_sha256(settings)
    assert not prices.limiting
    counted = replace(settings.model, prices=replace(prices, per_hour=1.0))
    assert counted.prices.limiting
    assert settings_sha256(replace(settings, model=counted)) != settings_sha256(settings)


def test_determinism_decides_and_settings_from_before_it_keep_their_hash() -> None:
    settings = from_dict(plain())
    asked = replace(settings, model=replace(settings.model, deterministic=True))
    assert settings_sha256(asked) != settings_sha256(settings)
    before = to_dict(settings)
    del before["model"]["deterministic"]
    old = from_dict(before)
    assert old == settings
    assert not old.model.deterministic
    assert "deterministic" not in deciding(settings)["model"]
    assert deciding(asked)["model"]["deterministic"] is True


def test_trials_share_a_reference() -> None:
    settings = configure(["run.name=x"])
    assert reference_key(replace(settings, trial=3)) == reference_key(settings)
    assert reference_key(replace(settings, seed=3)) != reference_key(settings)


def test_how_files_come_is_no_part_of_what_names_a_result() -> None:
    given = ["data=opendata_2025", "data.location=https://mirror", "run.name=x"]
    first = configure(given)
    for way in ("access=stream", "cache=/x", "cache_gb=5", "source=[https://other]"):
        other = configure([*given, f"data.{way}"])
        assert other.data != first.data
        assert settings_sha256(other) == settings_sha256(first)
        assert reference_key(other) == reference_key(first)
    streamed = configure([*given, "data.access=stream"])
    assert fileset_key(streamed) != fileset_key(first)  # its files are addresses, not paths


def test_hashes_from_before_there_were_mirrors_still_hold() -> None:
    settings = configure(["data=opendata_2025", "data.location=/x", "run.name=x"])
    assert set(deciding(settings)["data"]) == {
        "name", "release", "synthetic", "location", "verify", "partial", "luminosity", "mu", "seed",
        "thinning", "chunk_size",
    }  # fmt: skip
