"""Files of other releases and damaged files: read as far as possible, never failing the set-up."""

from collections.abc import Callable, Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any

from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import HomeAssistant
from homeassistant.helpers.storage import Store
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_fire_time_changed

from custom_components.unifi_scanner.const import DOMAIN
from custom_components.unifi_scanner.hub.login_budget import LoginBudget
from custom_components.unifi_scanner.issues.account import Account
from custom_components.unifi_scanner.site.history import SiteHistory
from custom_components.unifi_scanner.site.roam_log import RoamLog
from custom_components.unifi_scanner.site.store import TolerantStore
from tests.home import ANNA, HALL, KITCHEN, furnished_home
from tests.samples import ROAM, STATE

KEY = f"{DOMAIN}.test"
HISTORY = f"{DOMAIN}.entry"
ROAM_LOG = f"{DOMAIN}.entry.roams"
LOGINS = f"{DOMAIN}.logins"
URL, USERNAME = "https://10.0.0.1", "scanner"
ACCOUNT = Account(URL, USERNAME).key
ROW = [
    "roam",
    ROAM.time,
    "Anna",
    False,
    "Home",
    HALL,
    KITCHEN,
    "2.4",
    "6",
    1,
    37,
    -61,
    "sync",
    True,
    0.75,
]


def store(hass: HomeAssistant, content: Mapping[str, Any] | None = None) -> TolerantStore:
    """Return a store that owns the keys "a" and "b" and saves this content."""
    return TolerantStore(
        hass, KEY, lambda: dict(content or {}), is_own_key={"a", "b"}.__contains__, delay=30.0
    )


def file(data: object, **version: int) -> dict[str, Any]:
    return {"version": 1, "minor_version": 1, "data": data, **version}


# The store itself


async def test_store_without_a_file_is_empty(
    hass: HomeAssistant, hass_storage: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    assert await store(hass).async_load() == {}
    assert KEY not in hass_storage
    assert "Cannot read" not in caplog.text


@pytest.mark.parametrize(
    "version",
    [
        {"minor_version": 1},
        {"minor_version": 7},
        {"version": 2},
        {"version": 99, "minor_version": 7},
    ],
)
async def test_store_reads_a_file_of_any_version_and_writes_its_own(
    hass: HomeAssistant, hass_storage: dict[str, Any], version: dict[str, int]
) -> None:
    hass_storage[KEY] = file({"a": 1, "later": 2}, **version)
    tolerant = store(hass, {"a": 3, "b": 4})
    assert await tolerant.async_load() == {"a": 1, "later": 2}
    await tolerant.async_save()
    assert hass_storage[KEY]["version"] == 1
    assert hass_storage[KEY]["minor_version"] == 1
    assert hass_storage[KEY]["data"] == {"a": 3, "b": 4, "later": 2}


async def test_store_can_be_read_by_a_plain_store_of_an_earlier_release(
    hass: HomeAssistant, hass_storage: dict[str, Any]
) -> None:
    hass_storage[KEY] = file({"a": 1})
    later = TolerantStore(hass, KEY, lambda: {"a": 2}, is_own_key={"a"}.__contains__)
    await later.async_load()
    await later.async_save()
    assert await Store[dict[str, Any]](hass, 1, KEY).async_load() == {"a": 2}


async def test_store_writes_its_minor_version(
    hass: HomeAssistant, hass_storage: dict[str, Any]
) -> None:
    tolerant = TolerantStore(hass, KEY, lambda: {"a": 1}, is_own_key=bool, minor_version=3)
    await tolerant.async_save()
    assert hass_storage[KEY]["minor_version"] == 3
    # A Store of an earlier release reads a later minor version, too.
    assert await Store[dict[str, Any]](hass, 1, KEY).async_load() == {"a": 1}


async def test_store_does_not_restore_its_own_keys(
    hass: HomeAssistant, hass_storage: dict[str, Any]
) -> None:
    hass_storage[KEY] = file({"a": 1, "b": 2})
    tolerant = store(hass, {"a": 3})
    await tolerant.async_load()
    await tolerant.async_save()
    assert hass_storage[KEY]["data"] == {"a": 3}


@pytest.mark.parametrize(
    "damaged",
    [
        file([]),
        file("text"),
        file(7),
        file(None, version=99),
        {"data": {"a": 1}},
        {"version": 1},
        {"version": "one", "data": {"a": 1}},
        [1, 2],
        {},
    ],
)
async def test_store_with_a_damaged_file_is_empty_and_is_written_again(
    hass: HomeAssistant, hass_storage: dict[str, Any], damaged: object
) -> None:
    hass_storage[KEY] = damaged
    tolerant = store(hass, {"a": 1})
    assert await tolerant.async_load() == {}
    await tolerant.async_save()
    assert hass_storage[KEY]["data"] == {"a": 1}


async def test_store_logs_a_file_that_it_cannot_read(
    hass: HomeAssistant, hass_storage: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    hass_storage[KEY] = file([])
    await store(hass).async_load()
    (record,) = (record for record in caplog.records if record.levelname == "WARNING")
    assert KEY in record.message


@pytest.mark.parametrize("text", ["", "{", "null", "[]", "{}", '{"version": 1}', "\0\0\0"])
async def test_store_survives_any_text_in_its_file(
    hass: HomeAssistant, tmp_path: Path, text: str
) -> None:
    hass.config.config_dir = str(tmp_path)
    path = tmp_path / ".storage" / KEY
    path.parent.mkdir()
    path.write_text(text)
    tolerant = store(hass, {"a": 1})
    assert await tolerant.async_load() == {}
    await tolerant.async_save()
    assert await store(hass).async_load() == {"a": 1}


async def test_store_saves_once_the_delay_after_the_first_change_is_over(
    hass: HomeAssistant, hass_storage: dict[str, Any], freezer: FrozenDateTimeFactory
) -> None:
    content: dict[str, Any] = {}
    tolerant = TolerantStore(hass, KEY, lambda: content, is_own_key=bool, delay=30.0)
    for change in range(4):
        content["a"] = change
        tolerant.async_schedule_save()
        freezer.tick(10)
        async_fire_time_changed(hass, dt_util.utcnow())
        await hass.async_block_till_done()
    assert hass_storage[KEY]["data"]["a"] >= 2


async def test_store_saves_at_once_only_if_a_save_is_scheduled(
    hass: HomeAssistant, hass_storage: dict[str, Any]
) -> None:
    tolerant = store(hass, {"a": 1})
    await tolerant.async_save_scheduled()
    assert KEY not in hass_storage
    tolerant.async_schedule_save()
    await tolerant.async_save_scheduled()
    assert hass_storage.pop(KEY)["data"] == {"a": 1}
    await tolerant.async_save_scheduled()
    assert KEY not in hass_storage


# Its three users


class History:
    """The history, as a user of the store."""

    key = HISTORY

    def __init__(self, hass: HomeAssistant) -> None:
        """Create it empty."""
        self.history = SiteHistory(hass, "entry", {ANNA})

    @staticmethod
    def good() -> dict[str, Any]:
        return {
            "day": dt_util.now().date().isoformat(),
            "roams_today": 3,
            "clients": {
                ANNA: {"last_roam": 1_763_800_000.0, "previous_ap_mac": HALL, "roams_today": 2}
            },
            "known": [ANNA],
        }

    async def load(self) -> None:
        await self.history.async_load()

    def read(self) -> object:
        """Return all that was read."""
        past = self.history.client(ANNA)
        return (
            self.history.roams_today,
            (past.last_roam, past.previous_ap_mac, past.roams_today),
            self.history.is_known(ANNA),
        )

    async def change_and_save(self) -> None:
        self.history.async_record(ROAM, STATE, 0.0)
        await self.history.async_save()


class Roams:
    """The roam log, as a user of the store."""

    key = ROAM_LOG

    def __init__(self, hass: HomeAssistant) -> None:
        """Create it empty."""
        self.log = RoamLog(hass, "entry", {ANNA})

    @staticmethod
    def good() -> dict[str, Any]:
        return {"clients": {ANNA: [list(ROW)]}}

    async def load(self) -> None:
        await self.log.async_load()

    def read(self) -> object:
        """Return all that was read."""
        return list(self.log.roams(ANNA, 0))

    async def change_and_save(self) -> None:
        self.log.async_record(ROAM)
        await self.log.async_save()


class Logins:
    """The login budget, as a user of the store."""

    key = LOGINS

    def __init__(self, hass: HomeAssistant) -> None:
        """Create it empty."""
        MockConfigEntry(domain=DOMAIN, data={"url": URL, "username": USERNAME}).add_to_hass(hass)
        self.budget = LoginBudget(hass)

    @staticmethod
    def good() -> dict[str, Any]:
        return {
            ACCOUNT: {
                "since": 1_763_800_000.0,
                "wait": 600.0,
                "refusals": [1_763_799_000.0],
                "rejections": 1,
                "short_lives": 2,
            }
        }

    async def load(self) -> None:
        await self.budget.async_load()

    def read(self) -> object:
        """Return all that was read."""
        account = self.budget.account(URL, USERNAME)
        return (
            account.since,
            account.wait,
            account.refusals,
            account.rejections,
            account.short_lives,
        )

    async def change_and_save(self) -> None:
        self.budget.account(URL, USERNAME).begin()
        await self.budget.async_save()


type User = History | Roams | Logins
type UserType = Callable[[HomeAssistant], User]
USERS = (History, Roams, Logins)
READ = {
    History: (3, (1_763_800_000.0, HALL, 2), True),
    Roams: [ROAM],
    Logins: (1_763_800_000.0, 600.0, [1_763_799_000.0], 1, 2),
}
EMPTY = {
    History: (0, (None, None, 0), False),
    Roams: [],
    Logins: (0.0, 0.0, [], 0, 0),
}


@pytest.fixture(params=USERS, ids=lambda user: user.__name__)
def user_type(request: pytest.FixtureRequest) -> type[User]:
    user_type: type[User] = request.param
    return user_type


@pytest.fixture
async def _noon(freezer: FrozenDateTimeFactory) -> None:
    """Keep a test from running over midnight."""
    freezer.move_to("2026-11-21 12:00:00+00:00")


@pytest.mark.parametrize(
    "version", [{}, {"minor_version": 9}, {"version": 2}, {"version": 99, "minor_version": 9}]
)
@pytest.mark.usefixtures("_noon")
async def test_user_of_the_store_reads_a_file_of_any_version(
    hass: HomeAssistant,
    hass_storage: dict[str, Any],
    user_type: type[User],
    version: dict[str, int],
) -> None:
    hass_storage[user_type.key] = file(user_type.good(), **version)
    user = user_type(hass)
    await user.load()
    assert user.read() == READ[user_type]
    await user.change_and_save()
    assert hass_storage[user_type.key]["version"] == 1


@pytest.mark.usefixtures("_noon")
async def test_user_of_the_store_keeps_unknown_keys(
    hass: HomeAssistant, hass_storage: dict[str, Any], user_type: type[User]
) -> None:
    hass_storage[user_type.key] = file({**user_type.good(), "later": {"x": 1}})
    user = user_type(hass)
    await user.load()
    assert user.read() == READ[user_type]
    await user.change_and_save()
    saved = hass_storage[user_type.key]["data"]
    assert saved["later"] == {"x": 1}
    assert saved.keys() == {*user_type.good(), "later"}


@pytest.mark.parametrize(
    ("user_type", "path"),
    [(History, ("clients", ANNA)), (Logins, (ACCOUNT,))],
    ids=["History", "Logins"],
)
@pytest.mark.usefixtures("_noon")
async def test_user_of_the_store_keeps_unknown_keys_of_a_client_or_an_account(
    hass: HomeAssistant,
    hass_storage: dict[str, Any],
    user_type: type[User],
    path: tuple[str, ...],
) -> None:
    data = user_type.good()
    inner = data
    for key in path:
        inner = inner[key]
    inner["later"] = 5
    hass_storage[user_type.key] = file(data)
    user = user_type(hass)
    await user.load()
    assert user.read() == READ[user_type]
    await user.change_and_save()
    inner = hass_storage[user_type.key]["data"]
    for key in path:
        inner = inner[key]
    assert inner["later"] == 5


@pytest.mark.parametrize("data", [[], "text", 7, None, {}])
@pytest.mark.usefixtures("_noon")
async def test_user_of_the_store_starts_empty_with_a_damaged_file(
    hass: HomeAssistant, hass_storage: dict[str, Any], user_type: type[User], data: object
) -> None:
    hass_storage[user_type.key] = file(data)
    user = user_type(hass)
    await user.load()
    assert user.read() == EMPTY[user_type]
    await user.change_and_save()
    assert hass_storage[user_type.key]["data"].keys() == user_type.good().keys()


WRONG: tuple[object, ...] = (None, "text", -7, 1e300, True, [], {}, [None], {"x": 1}, {ANNA: 7})


@pytest.mark.parametrize("wrong", WRONG, ids=repr)
@pytest.mark.usefixtures("_noon")
async def test_user_of_the_store_survives_a_wrong_type_or_no_value_anywhere(
    hass: HomeAssistant, hass_storage: dict[str, Any], user_type: type[User], wrong: object
) -> None:
    for path in paths(user_type.good()):
        for missing in (False, True):
            data = deepcopy(user_type.good())
            inner: Any = data
            for key in path[:-1]:
                inner = inner[key]
            if missing:
                del inner[path[-1]]
            else:
                inner[path[-1]] = wrong
            hass_storage[user_type.key] = file(data)
            user = user_type(hass)
            await user.load()
            user.read()
            await user.change_and_save()
            assert hass_storage[user_type.key]["version"] == 1


def paths(data: object) -> list[tuple[Any, ...]]:
    """Return the keys and indices that lead to each value in nested data."""
    if isinstance(data, dict):
        items = list(data.items())
    elif isinstance(data, list):
        items = list(enumerate(data))
    else:
        return []
    return [
        path for key, value in items for path in ((key,), *((key, *rest) for rest in paths(value)))
    ]


@pytest.mark.parametrize(
    ("user_type", "wrong", "read"),
    [
        (History, {"roams_today": "many"}, (0, (1_763_800_000.0, HALL, 2), True)),
        (History, {"clients": [ANNA]}, (3, (None, None, 0), True)),
        (History, {"clients": {ANNA: {"last_roam": "x"}}}, (3, (None, None, 0), True)),
        (History, {"known": {"x": 1}}, (3, (1_763_800_000.0, HALL, 2), False)),
        (History, {"known": [ANNA, 7, None]}, (3, (1_763_800_000.0, HALL, 2), True)),
        (History, {"day": 7}, (0, (1_763_800_000.0, HALL, 0), True)),
        (Roams, {"clients": {ANNA: [7, list(ROW), []]}}, [ROAM]),
        (Roams, {"clients": {ANNA: [[*ROW, "later"]]}}, [ROAM]),
        (Logins, {ACCOUNT: 7}, (0.0, 0.0, [], 0, 0)),
        (Logins, {ACCOUNT: {"wait": 1e9, "refusals": [1, None, "x"]}}, (0.0, 3600.0, [1], 0, 0)),
    ],
)
@pytest.mark.usefixtures("_noon")
async def test_user_of_the_store_reads_what_is_usable(
    hass: HomeAssistant,
    hass_storage: dict[str, Any],
    user_type: type[User],
    wrong: dict[str, object],
    read: object,
) -> None:
    hass_storage[user_type.key] = file({**user_type.good(), **wrong})
    user = user_type(hass)
    await user.load()
    assert user.read() == read


@pytest.mark.usefixtures("socket_enabled", "enable_custom_integrations")
@pytest.mark.parametrize(
    "stored",
    [
        file({"later": 1}, version=99),
        file({"clients": 7, "known": 7, ACCOUNT: 7}),
        file([], minor_version=5),
    ],
)
async def test_set_up_succeeds_whatever_its_files_hold(
    hass: HomeAssistant, hass_storage: dict[str, Any], stored: dict[str, Any]
) -> None:
    async with furnished_home(hass) as home:
        await home.set_up()
        await home.quiet()
        entry_id = home.entry.entry_id
        await hass.config_entries.async_unload(entry_id)
        for key in (f"{DOMAIN}.{entry_id}", f"{DOMAIN}.{entry_id}.roams", LOGINS):
            hass_storage[key] = deepcopy(stored)
        snapshots = home.snapshots
        assert await hass.config_entries.async_setup(entry_id)
        await home.streaming(snapshots + 2)
        await home.controller.roam(ANNA, "Kitchen")
        await home.happened(1)
        assert home.shows("access_point", ANNA) == "Kitchen"
