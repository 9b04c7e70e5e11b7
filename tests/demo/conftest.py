"""The installation as it stands when the demonstration begins, lived through once for all tests that only look."""

import asyncio
from collections.abc import Iterator

import pytest

from fluenzr_app.commands.demo import open_scratch, seed
from fluenzr_app.crypto import KeyRing
from fluenzr_app.demo.post_office import DemoPostOffice
from fluenzr_app.settings import load_settings
from tests.demo.seeded import KEY, MONDAY, PASSWORD, Seeded


@pytest.fixture(scope="session")
def seeded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seeded]:
    """Seeded once; nobody changes anything in it."""
    settings = load_settings(_env_file=None, data_dir=tmp_path_factory.mktemp("demo"))
    db = open_scratch(settings)
    sample = asyncio.run(seed(settings, db, KeyRing(KEY), DemoPostOffice(), MONDAY, PASSWORD))
    yield Seeded(db, sample)
    db.close()
