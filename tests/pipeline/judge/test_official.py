"""Official numbers: compared where a sample was read in full, and nowhere else."""

from pipeline.judge.official import compare_official, official_numbers


def found(rows):
    return {(r["sample"], r["quantity"]): (r["official"], r["found"], r["agrees"]) for r in rows}


def test_four_leptons_of_2020() -> None:
    flows = {
        "data_A": [["all", 39], ["flavours", 30], ["charge 0", 27]],
        "data_B": [["all", 156], ["flavours", 100], ["charge 0", 85]],
        "data_C": [["all", 200], ["flavours", 180], ["charge 0", 146]],  # not the whole sample
        "345060": [["all", 39], ["flavours", 30], ["charge 0", 27]],
    }
    assert found(compare_official("2020e-13tev", "hzz4l", flows)) == {
        ("data_A", "entries"): (39, 39, True),
        ("data_A", "selected"): (27, 27, True),
        ("data_B", "entries"): (156, 156, True),
        ("data_B", "selected"): (86, 85, False),
    }


def test_the_whole_cut_flow_of_period_d() -> None:
    counts = [3424, 458, 395, 110, 2, 2, 2]
    flow = [[str(i), n] for i, n in enumerate(counts)]
    rows = compare_official("2025e-13tev-beta", "hzz4l", {"data15_periodD": flow})
    assert [r["official"] for r in rows] == counts
    assert all(r["agrees"] for r in rows)
    assert all(r["worth"].startswith("official: ") for r in rows)
    short = compare_official("2025e-13tev-beta", "hzz4l", {"data15_periodD": flow[:3]})
    assert [r["found"] for r in short] == [3424, 458, 395, None, None, None, None]


def test_sixteen_files_are_compared_by_their_sum_and_only_together() -> None:
    number = next(n for n in official_numbers() if n["channel"] == "hyy")
    names = number["samples"]
    totals = [36564144, 5488535, 1549071, 871679, 866318, 866313, 550056]
    parts = [[t // 16] * 15 + [t - 15 * (t // 16)] for t in totals]
    flows = {
        name: [[str(i), parts[i][k]] for i in range(len(totals))] for k, name in enumerate(names)
    }
    rows = compare_official("2025e-13tev-beta", "hyy", flows)
    assert [r["found"] for r in rows] == totals
    assert all(r["agrees"] for r in rows)
    del flows["data16_periodL"]
    assert compare_official("2025e-13tev-beta", "hyy", flows) == []


def test_another_release_or_channel_has_no_number() -> None:
    assert compare_official("2020e-13tev", "hyy", {"data_A": [["all", 39], ["end", 27]]}) == []
