"""Names on the portal: each release tells the sample of a file in its own way."""

from __future__ import annotations

import pytest

from pipeline.data.errors import ManifestError
from pipeline.data.manifest import ManifestFile
from pipeline.data.sources.client import Dataset
from pipeline.data.sources.names import Datasets, Identity, campaign_of, identify
from pipeline.data.sources.records import Listed

ATLAS = "root://eospublic.cern.ch//eos/opendata/atlas/"
BETA = "ODEO_FEB2025_v0_exactly4lep_"
NOT_ASKED = Datasets.of([])


def listed(path: str, index: str | None = None) -> Listed:
    return Listed(ManifestFile(ATLAS + path, 1, "00000001", None), index)


@pytest.mark.parametrize(
    ("path", "kind", "name", "process"),
    [
        ("OutreachDatasets/2016-07-29/MC/mc_105986.ZZ.root", "mc", "105986", "ZZ"),
        ("OutreachDatasets/2016-07-29/Data/DataEgamma.root", "data", "DataEgamma", "DataEgamma"),
        ("OutreachDatasets/x/MC-2-1lep/tmp2/mc_364156.Wmunu.1lep.root", "mc", "364156", "Wmunu"),
        ("OutreachDatasets/x/4lep/Data/data_A.4lep.root", "data", "data_A", "data_A"),
        (f"rucio/opendata/{BETA}mc_343981.PP8_ggH.exactly4lep.root", "mc", "343981", "PP8_ggH"),
        (f"rucio/opendata/{BETA}data15_periodD.exactly4lep.root", "data", "data15_periodD",
         "data15_periodD"),
        ("rucio/user/egramsta/mc_301204.Py8_ee.noskim.root", "mc", "301204", "Py8_ee"),
        ("rucio/user/egramsta/data15_periodD.2bjets70.root", "data", "data15_periodD",
         "data15_periodD"),
    ],
)  # fmt: skip
def test_names_that_tell_by_themselves(path: str, kind: str, name: str, process: str) -> None:
    found = identify(listed(path), NOT_ASKED)
    assert (found.kind, found.name, found.process, found.campaign) == (kind, name, process, None)
    assert found.dsid == (int(name) if kind == "mc" else None)


def test_runs_are_named_by_the_index_that_lists_them() -> None:
    file = listed("rucio/data15_hi/DAOD_HION14.41691901._000001.pool.root.1",
                  "data15_hi_Run_00286665_file_index.json")  # fmt: skip
    name = "data15_hi_run_00286665"
    assert identify(file, NOT_ASKED) == Identity("data", name, None, name, "data15_hi")
    with pytest.raises(ManifestError, match="expected the name of an index such as data15_hi_Run"):
        identify(listed("rucio/data15_hi/DAOD_HION14.41691901._000001.pool.root.1"), NOT_ASKED)


def test_a_simulated_file_is_told_by_the_client_or_by_its_index() -> None:
    path = "eos/opendata/atlas/rucio/mc20_13TeV/DAOD_PHYSLITE.1._000001.pool.root.1"
    known = Dataset("700320", "Sh_2211_Zee", {}, {"noskim": (path,)})
    datasets = Datasets.of([known])
    expected = Identity("mc", "700320", 700320, "Sh_2211_Zee", "mc20_13TeV")
    assert identify(listed(path.removeprefix("eos/opendata/atlas/")), datasets) == expected
    other = listed(
        "rucio/mc20_13TeV/DAOD_PHYSLITE.1._000002.pool.root.1",
        "mc20_13TeV_MC_Sh_2211_Zee_file_index.json",
    )
    assert identify(other, datasets) == expected
    with pytest.raises(ManifestError, match="expected a name that tells the sample of"):
        identify(other, NOT_ASKED)


def test_a_campaign_is_a_folder_and_a_period_is_none() -> None:
    assert campaign_of(ATLAS + "rucio/data16_13TeV/file-indexes/x.json") == "data16_13TeV"
    assert campaign_of(ATLAS + "rucio/mc16_5TeV/x.root") == "mc16_5TeV"
    assert campaign_of(ATLAS + "rucio/opendata/data15_periodD.GamGam.root") is None
