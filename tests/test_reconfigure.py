"""The reconfigure flow: a new address, account or certificate of an entry's controller."""

from base64 import b64encode
from collections.abc import AsyncIterator, Callable

from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
import pytest

from tests.controller import SimulatedController, make_certificate
from tests.flows import Flow, closed_port, entry_of, publicly_trusted, typed

pytestmark = pytest.mark.usefixtures("socket_enabled", "idle_entries", "refused_handshakes")

SITES = ("default", "8xff0x6m")


@pytest.fixture
async def controller() -> AsyncIterator[SimulatedController]:
    async with SimulatedController(sites=SITES) as controller:
        yield controller


def pinned(controller: SimulatedController) -> dict[str, str]:
    """Return the entry data that pin the controller's certificate."""
    return {"ssl": "pinned", "certificate": b64encode(controller.certificate_der).decode()}


def without_password(controller: SimulatedController, **changes: str) -> dict[str, str]:
    """Return the form of a user who keeps the password."""
    return {key: value for key, value in typed(controller, **changes).items() if key != "password"}


async def test_reconfigure_form_is_prefilled_except_for_the_password(
    hass: HomeAssistant, controller: SimulatedController
) -> None:
    entry = entry_of(controller)
    entry.add_to_hass(hass)
    flow = Flow(hass)
    result = await flow.reconfigure(entry)
    assert result["step_id"] == "reconfigure"
    assert flow.suggestions() == without_password(controller, ssl="insecure")


async def test_reconfigure_updates_the_address_of_all_entries_of_the_controller(
    hass: HomeAssistant, controller: SimulatedController
) -> None:
    old = {"host": "10.0.0.1", "url": "https://10.0.0.1:443", **pinned(controller)}
    entry, other = (entry_of(controller, site=site, **old) for site in SITES)
    account = entry_of(controller, site="third", username="other", password="theirs", **old)
    unrelated = entry_of(controller, controller_id="elsewhere", **old)
    for each in (entry, other, account, unrelated):
        each.add_to_hass(hass)
    before = dict(unrelated.data)

    flow = Flow(hass)
    await flow.reconfigure(entry)
    # The certificate is already pinned, so it need not be confirmed again.
    result = await flow.submit(without_password(controller))
    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "reconfigure_successful")
    controller_id = controller.settings.controller_id
    new = {"url": controller.base_url, "controller_id": controller_id, **pinned(controller)}
    assert entry.data == {**typed(controller), **new, "site": "default"}
    assert other.data == {**typed(controller), **new, "site": "8xff0x6m"}
    theirs = {"username": "other", "password": "theirs"}
    assert account.data == {**typed(controller), **new, **theirs, "site": "third"}
    assert unrelated.data == {**before, "controller_id": "elsewhere"}
    assert entry.unique_id == f"{controller.settings.controller_id}_default"


async def test_reconfigure_updates_entries_that_used_the_same_account(
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


async def test_reconfigure_shows_a_new_certificate_before_sending_anything(
    hass: HomeAssistant, controller: SimulatedController
) -> None:
    entry = entry_of(controller, **pinned(controller))
    entry.add_to_hass(hass)
    await controller.restart(certificate=make_certificate())
    flow = Flow(hass)
    await flow.reconfigure(entry)
    result = await flow.submit(without_password(controller))
    assert result["step_id"] == "certificate"
    placeholders = result["description_placeholders"]
    assert placeholders is not None
    assert placeholders["fingerprint"] == controller.certificate.fingerprint
    assert controller.login_attempts == 0

    result = await flow.submit()
    assert result["reason"] == "reconfigure_successful"
    assert entry.data["certificate"] == pinned(controller)["certificate"]


async def test_reconfigure_shows_a_publicly_trusted_certificate_before_it_replaces_a_pin(
    hass: HomeAssistant, controller: SimulatedController
) -> None:
    entry = entry_of(controller, **pinned(controller))
    entry.add_to_hass(hass)
    before = dict(entry.data)
    await controller.restart(certificate=make_certificate())
    flow = Flow(hass)
    await flow.reconfigure(entry)
    with publicly_trusted(controller.certificate):
        result = await flow.submit(without_password(controller))
        assert result["step_id"] == "certificate"
        assert controller.login_attempts == 0
        assert dict(entry.data) == before
        await flow.submit()
    assert entry.data == {**before, **pinned(controller)}
    assert entry.data != before


async def test_reconfigure_to_no_check_leaves_the_pin_of_an_entry_with_another_check(
    hass: HomeAssistant, controller: SimulatedController
) -> None:
    old = {"url": "https://10.0.0.1:443"}
    entry = entry_of(controller, **old)
    other = entry_of(controller, site="8xff0x6m", **old, **pinned(controller))
    for each in (entry, other):
        each.add_to_hass(hass)
    flow = Flow(hass)
    await flow.reconfigure(entry)
    await flow.submit(without_password(controller, ssl="insecure"))
    assert entry.data["url"] == other.data["url"] == controller.base_url
    assert entry.data["ssl"] == "insecure"
    assert pinned(controller).items() <= other.data.items()


async def test_reconfigure_removes_a_certificate_that_is_no_longer_pinned(
    hass: HomeAssistant, controller: SimulatedController
) -> None:
    entry, other = (entry_of(controller, site=site, **pinned(controller)) for site in SITES)
    for each in (entry, other):
        each.add_to_hass(hass)
    flow = Flow(hass)
    await flow.reconfigure(entry)
    await flow.submit(without_password(controller, ssl="insecure"))
    for each in (entry, other):
        assert each.data["ssl"] == "insecure"
        assert "certificate" not in each.data


async def test_reconfigure_moves_a_controller_without_an_id(
    hass: HomeAssistant, controller: SimulatedController
) -> None:
    controller.faults.refuse("*stat/sysinfo", status=200, body={"meta": {"rc": "ok"}, "data": [{}]})
    entry = entry_of(controller, controller_id="10.0.0.1", url="https://10.0.0.1:443")
    entry.add_to_hass(hass)
    flow = Flow(hass)
    await flow.reconfigure(entry)
    result = await flow.submit(without_password(controller, ssl="insecure"))
    assert result["reason"] == "reconfigure_successful"
    assert entry.data["url"] == controller.base_url
    assert entry.unique_id == "10.0.0.1_default"


async def test_reconfigure_accepts_a_controller_that_reports_its_id_only_later(
    hass: HomeAssistant, controller: SimulatedController
) -> None:
    entry = entry_of(controller, controller_id="127.0.0.1")
    entry.add_to_hass(hass)
    flow = Flow(hass)
    await flow.reconfigure(entry)
    result = await flow.submit(without_password(controller, ssl="insecure"))
    assert result["reason"] == "reconfigure_successful"
    assert entry.unique_id == "127.0.0.1_default"
    assert entry.data["controller_id"] == controller.settings.controller_id


async def test_reconfigure_of_a_controller_known_by_its_first_address_can_be_repeated(
    hass: HomeAssistant, controller: SimulatedController
) -> None:
    entry = entry_of(controller, controller_id="10.0.0.1")
    entry.add_to_hass(hass)
    for _ in range(3):
        flow = Flow(hass)
        await flow.reconfigure(entry)
        result = await flow.submit(without_password(controller, ssl="insecure"))
        assert result["reason"] == "reconfigure_successful"


async def test_reconfigure_accepts_no_controller_without_an_id_in_place_of_one_with_an_id(
    hass: HomeAssistant, controller: SimulatedController
) -> None:
    controller.faults.refuse("*stat/sysinfo", status=200, body={"meta": {"rc": "ok"}, "data": [{}]})
    entry = entry_of(controller)
    entry.add_to_hass(hass)
    flow = Flow(hass)
    await flow.reconfigure(entry)
    result = await flow.submit(without_password(controller, ssl="insecure"))
    assert result["errors"] == {"base": "wrong_controller"}


# Errors


def no_fault(_controller: SimulatedController) -> None:
    pass


def wrong_site(controller: SimulatedController) -> None:
    body = {"meta": {"rc": "error", "msg": "api.err.NoSiteContext"}, "data": []}
    controller.faults.refuse("*stat/sysinfo", status=400, body=body)


def second_factor(controller: SimulatedController) -> None:
    controller.faults.login_code = "123456"


@pytest.mark.parametrize(
    ("fault", "change", "error"),
    [
        (no_fault, {"host": f"127.0.0.1:{closed_port()}"}, {"base": "cannot_connect"}),
        (no_fault, {"host": "http://127.0.0.1"}, {"host": "https_only"}),
        (no_fault, {"host": "a b"}, {"host": "invalid_host"}),
        (no_fault, {"ssl": "verify"}, {"base": "certificate_not_trusted"}),
        (no_fault, {"password": "wrong"}, {"base": "invalid_auth"}),
        (wrong_site, {}, {"base": "unknown_site"}),
        (second_factor, {}, {"base": "second_factor"}),
    ],
)
async def test_reconfigure_shows_the_form_again_after_an_error_and_keeps_the_entry(
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
    wrong = {**without_password(controller, ssl="insecure"), **change}
    result = await flow.submit(wrong)
    assert (result["step_id"], result["errors"]) == ("reconfigure", error)
    assert flow.suggestions() == wrong
    assert dict(entry.data) == before

    controller.faults.clear()
    result = await flow.submit(without_password(controller, ssl="insecure"))
    assert result["reason"] == "reconfigure_successful"
    assert dict(entry.data) == before


async def test_reconfigure_rejects_another_controller(
    hass: HomeAssistant, controller: SimulatedController
) -> None:
    entry = entry_of(controller)
    entry.add_to_hass(hass)
    before = dict(entry.data)
    flow = Flow(hass)
    await flow.reconfigure(entry)
    async with SimulatedController(name="Another", sites=SITES) as other:
        result = await flow.submit(typed(other, ssl="insecure"))
        assert (result["step_id"], result["errors"]) == (
            "reconfigure",
            {"base": "wrong_controller"},
        )
        assert dict(entry.data) == before
    result = await flow.submit(without_password(controller, ssl="insecure"))
    assert result["reason"] == "reconfigure_successful"
