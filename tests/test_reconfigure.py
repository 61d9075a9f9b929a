"""The controller of an entry is to be found elsewhere, or trusted in another way."""

from base64 import b64encode
from collections.abc import AsyncIterator, Callable, Iterator

from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
import pytest

from tests.controller import SimulatedController, make_certificate
from tests.flows import Flow, closed_port, entry_of, idle_entries, typed
from tests.handshakes import let_refused_handshakes_pass

pytestmark = pytest.mark.usefixtures("socket_enabled")

SITES = ("default", "8xff0x6m")


@pytest.fixture(autouse=True)
def _entries_do_nothing() -> Iterator[None]:
    with idle_entries():
        yield


@pytest.fixture(autouse=True)
def _certificates_may_be_refused(hass: HomeAssistant) -> None:
    let_refused_handshakes_pass(hass)


@pytest.fixture
async def controller() -> AsyncIterator[SimulatedController]:
    async with SimulatedController(sites=SITES) as controller:
        yield controller


def pinned(controller: SimulatedController) -> dict[str, str]:
    """Return what an entry that trusts the controller's certificate has beside its address."""
    return {"ssl": "pinned", "certificate": b64encode(controller.certificate_der).decode()}


def retyped(controller: SimulatedController, **changes: str) -> dict[str, str]:
    """Return what a user types who keeps the password."""
    return {key: value for key, value in typed(controller, **changes).items() if key != "password"}


async def test_the_form_is_filled_in_but_for_the_password(
    hass: HomeAssistant, controller: SimulatedController
) -> None:
    entry = entry_of(controller)
    entry.add_to_hass(hass)
    flow = Flow(hass)
    result = await flow.reconfigure(entry)
    assert result["step_id"] == "reconfigure"
    assert flow.suggestions() == retyped(controller, ssl="insecure")


async def test_a_controller_that_has_moved_is_followed_by_all_its_entries(
    hass: HomeAssistant, controller: SimulatedController
) -> None:
    old = {"host": "10.0.0.1", "url": "https://10.0.0.1:443", **pinned(controller)}
    entry, other = (entry_of(controller, site=site, **old) for site in SITES)
    account = entry_of(controller, site="third", username="other", password="theirs", **old)
    stranger = entry_of(controller, controller_id="elsewhere", **old)
    for each in (entry, other, account, stranger):
        each.add_to_hass(hass)
    before = dict(stranger.data)

    flow = Flow(hass)
    await flow.reconfigure(entry)
    # The certificate has been confirmed long ago; nobody is asked again.
    result = await flow.submit(retyped(controller))
    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "reconfigure_successful")
    new = {"url": controller.base_url, **pinned(controller)}
    assert entry.data == {**typed(controller), **new, "site": "default"}
    assert other.data == {**typed(controller), **new, "site": "8xff0x6m"}
    theirs = {"username": "other", "password": "theirs"}
    assert account.data == {**typed(controller), **new, **theirs, "site": "third"}
    assert stranger.data == before
    assert entry.unique_id == f"{controller.settings.controller_id}_default"


async def test_another_account_is_taken_over_where_it_was_the_same(
    hass: HomeAssistant, controller: SimulatedController
) -> None:
    old = {"username": "old", "password": "old"}
    entry, other = (entry_of(controller, site=site, **old) for site in SITES)
    account = entry_of(controller, site="third", username="theirs")
    for each in (entry, other, account):
        each.add_to_hass(hass)
    flow = Flow(hass)
    await flow.reconfigure(entry)
    await flow.submit(typed(controller, ssl="insecure"))
    for each in (entry, other):
        assert each.data["username"] == controller.username
        assert each.data["password"] == controller.password
    assert account.data["username"] == "theirs"
    assert controller.login_attempts == 1


async def test_a_new_certificate_is_shown_before_anything_is_sent(
    hass: HomeAssistant, controller: SimulatedController
) -> None:
    entry = entry_of(controller, **pinned(controller))
    entry.add_to_hass(hass)
    await controller.restart(certificate=make_certificate())
    flow = Flow(hass)
    await flow.reconfigure(entry)
    result = await flow.submit(retyped(controller))
    assert result["step_id"] == "certificate"
    shown = result["description_placeholders"]
    assert shown is not None
    assert shown["fingerprint"] == controller.certificate.fingerprint
    assert controller.login_attempts == 0

    result = await flow.submit()
    assert result["reason"] == "reconfigure_successful"
    assert entry.data["certificate"] == pinned(controller)["certificate"]


async def test_a_certificate_that_is_no_longer_checked_is_forgotten(
    hass: HomeAssistant, controller: SimulatedController
) -> None:
    entry, other = (entry_of(controller, site=site, **pinned(controller)) for site in SITES)
    for each in (entry, other):
        each.add_to_hass(hass)
    flow = Flow(hass)
    await flow.reconfigure(entry)
    await flow.submit(retyped(controller, ssl="insecure"))
    for each in (entry, other):
        assert each.data["ssl"] == "insecure"
        assert "certificate" not in each.data


async def test_a_controller_that_tells_no_id_can_move(
    hass: HomeAssistant, controller: SimulatedController
) -> None:
    controller.faults.refuse("*stat/sysinfo", status=200, body={"meta": {"rc": "ok"}, "data": [{}]})
    entry = entry_of(controller, controller_id="10.0.0.1", url="https://10.0.0.1:443")
    entry.add_to_hass(hass)
    flow = Flow(hass)
    await flow.reconfigure(entry)
    result = await flow.submit(retyped(controller, ssl="insecure"))
    assert result["reason"] == "reconfigure_successful"
    assert entry.data["url"] == controller.base_url
    assert entry.unique_id == "10.0.0.1_default"


async def test_a_controller_that_told_no_id_at_first_may_tell_it_later(
    hass: HomeAssistant, controller: SimulatedController
) -> None:
    entry = entry_of(controller, controller_id="127.0.0.1")
    entry.add_to_hass(hass)
    flow = Flow(hass)
    await flow.reconfigure(entry)
    result = await flow.submit(retyped(controller, ssl="insecure"))
    assert result["reason"] == "reconfigure_successful"
    assert entry.unique_id == "127.0.0.1_default"


# What goes wrong, and how it goes on


def nothing(_controller: SimulatedController) -> None:
    pass


def wrong_site(controller: SimulatedController) -> None:
    body = {"meta": {"rc": "error", "msg": "api.err.NoSiteContext"}, "data": []}
    controller.faults.refuse("*stat/sysinfo", status=400, body=body)


def second_factor(controller: SimulatedController) -> None:
    controller.faults.login_code = "123456"


@pytest.mark.parametrize(
    ("fault", "change", "error"),
    [
        (nothing, {"host": f"127.0.0.1:{closed_port()}"}, {"base": "cannot_connect"}),
        (nothing, {"host": "http://127.0.0.1"}, {"host": "https_only"}),
        (nothing, {"host": "a b"}, {"host": "invalid_host"}),
        (nothing, {"ssl": "verify"}, {"base": "certificate_not_trusted"}),
        (nothing, {"password": "wrong"}, {"base": "invalid_auth"}),
        (wrong_site, {}, {"base": "unknown_site"}),
        (second_factor, {}, {"base": "second_factor"}),
    ],
)
async def test_an_error_leads_back_to_the_form_and_leaves_the_entry_alone(
    hass: HomeAssistant,
    controller: SimulatedController,
    fault: Callable[[SimulatedController], None],
    change: dict[str, str],
    error: dict[str, str],
) -> None:
    entry = entry_of(controller)
    entry.add_to_hass(hass)
    before = dict(entry.data)
    flow = Flow(hass)
    await flow.reconfigure(entry)
    fault(controller)
    wrong = {**retyped(controller, ssl="insecure"), **change}
    result = await flow.submit(wrong)
    assert (result["step_id"], result["errors"]) == ("reconfigure", error)
    assert flow.suggestions() == wrong
    assert dict(entry.data) == before

    controller.faults.clear()
    result = await flow.submit(retyped(controller, ssl="insecure"))
    assert result["reason"] == "reconfigure_successful"
    assert dict(entry.data) == before


async def test_another_controller_is_refused(
    hass: HomeAssistant, controller: SimulatedController
) -> None:
    entry = entry_of(controller)
    entry.add_to_hass(hass)
    before = dict(entry.data)
    flow = Flow(hass)
    await flow.reconfigure(entry)
    async with SimulatedController(name="Another", sites=SITES) as stranger:
        result = await flow.submit(typed(stranger, ssl="insecure"))
        assert (result["step_id"], result["errors"]) == (
            "reconfigure",
            {"base": "wrong_controller"},
        )
        assert dict(entry.data) == before
    result = await flow.submit(retyped(controller, ssl="insecure"))
    assert result["reason"] == "reconfigure_successful"
