"""Arming, watching and disarming faults: over /admin/faults, as text, and as ready mixes."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from typing import Any

import aiohttp
import msgspec
import pytest
from msgspec.structs import replace

from tests.venues.simulator.kit import RunningVenue, Trader, drain, running_venue, trader
from venues.simulator.faults import spec
from venues.simulator.faults.edits import edit
from venues.simulator.faults.mixes import MIXES
from venues.simulator.faults.model import (
    Answer,
    Fault,
    FaultError,
    Plan,
    Restart,
    Settle,
    Silence,
    StaleBook,
    When,
    Where,
)
from venues.simulator.faults.plans import check, read_plan

TIME = {"do": {"kind": "answer", "status": 599}, "where": {"path": "/time"}, "name": "odd"}


async def remove(venue: RunningVenue, **query: str) -> tuple[int, Any]:
    async with venue.session.delete(venue.url + "/admin/faults", params=query) as response:
        return response.status, await response.json()


async def test_faults_are_armed_watched_and_disarmed_over_http(venue):
    status, shown = await venue.post("/admin/faults", {"faults": [TIME | {"when": {"times": 2}}], "seed": 3})
    assert status == 200
    (armed,) = shown["armed"]
    assert (armed["name"], armed["seen"], armed["struck"], armed["over"]) == ("odd", 0, 0, False)
    assert armed["fault"]["do"]["status"] == 599
    for _ in range(2):
        async with venue.session.get(venue.url + "/time") as response:
            assert response.status == 599
    _, shown = await venue.get("/admin/faults")
    (armed,) = shown["armed"]
    assert (armed["seen"], armed["struck"], armed["last"], armed["over"]) == (2, 2, "GET /time", True)
    assert (await remove(venue, name="odd"))[1]["armed"] == []
    status, refused = await remove(venue, name="odd")
    assert (status, refused) == (404, {"error": "no fault is named 'odd'; armed are none"})
    await venue.post("/admin/faults", {"mix": "chaos", "faults": [TIME]})
    assert len((await venue.get("/admin/faults"))[1]["armed"]) == len(MIXES["chaos"]) + 1
    assert (await remove(venue))[1]["armed"] == []


async def test_the_desk_itself_is_never_struck(venue):
    await venue.post("/admin/faults", {"faults": [{"do": {"kind": "cut"}, "when": {"times": None}}]})
    assert (await venue.get("/admin/faults"))[0] == 200


async def test_only_json_arms_and_only_under_the_machines_own_name(venue):
    async with venue.session.post(venue.url + "/admin/faults", data=b'{"faults": []}') as response:
        assert response.status == 400
        assert "application/json" in (await response.json())["error"]
    for method, path in (("GET", ""), ("GET", "/schema"), ("POST", ""), ("DELETE", "")):
        url, elsewhere = venue.url + "/admin/faults" + path, {"Host": "polymarket.example"}
        async with venue.session.request(method, url, headers=elsewhere) as response:
            assert response.status == 403


WRONG: list[tuple[dict[str, Any], str]] = [
    ({}, r"required field `do`.*GET /admin/faults/schema"),
    ({"do": {"kind": "explode"}}, r"Invalid value 'explode'"),
    ({"do": {"kind": "cut", "rest": True}}, r"unknown field `rest`.*expected"),
    ({"do": {"kind": "cut"}, "wheer": {}}, "unknown field `wheer`"),
    ({"do": {"kind": "cut"}, "when": {"share": 1.5}}, r"<= 1.0.*share"),
    ({"do": {"kind": "cut"}, "where": {"path": "order"}}, "begin it with /"),
    ({"do": {"kind": "answer"}}, "cloudflare_403"),
    ({"do": {"kind": "answer", "name": "teapot"}}, "there are cloudflare_403"),
    ({"do": {"kind": "freeze"}}, 'set where.channel to "market" or "user"'),
    ({"do": {"kind": "half"}, "where": {"channel": "user"}}, r"leave out where\.channel"),
    ({"do": {"kind": "lose"}, "where": {"channel": "user", "path": "/order"}}, r"not chosen by where\.path"),
    ({"do": {"kind": "cut"}, "where": {"event": "book"}}, r"not chosen by where\.event; it knows method, path"),
    (
        {"do": {"kind": "settle"}, "where": {"path": "/order"}},
        r"not chosen by where\.path; it knows wallet, market",
    ),
    ({"do": {"kind": "settle", "steps": [[1, "BLESSED"]]}}, "BLESSED"),
    ({"do": {"kind": "settle", "steps": [[1, "FAILED"], [2, "MINED"]]}}, "FAILED trade cannot become MINED"),
    ({"do": {"kind": "settle", "steps": [[3, "MINED"], [2, "FAILED"]]}}, "later than the one before"),
    ({"do": {"kind": "edit", "values": {}}}, "needs values"),
    ({"do": {"kind": "inject"}}, "either a frame or a text"),
    ({"do": {"kind": "tick_change", "tick": "0.02"}}, "tick"),
    ({"do": {"kind": "restart"}, "when": {"times": None}}, "name where.path"),
    ({"do": {"kind": "cut"}, "where": {"wallet": "me"}}, "expected an address"),
    ({"do": {"kind": "cut"}, "where": {"market": "0x1"}}, "expected a condition or token id"),
]


async def test_what_cannot_be_armed_is_refused_with_its_remedy_and_nothing_is_armed(venue):
    for fault, remedy in WRONG:
        with pytest.raises(FaultError, match=remedy):
            venue.faults.arm_all(read_plan(json.dumps({"faults": [TIME, fault]}).encode()))
        status, refused = await venue.post("/admin/faults", {"faults": [TIME, fault]})
        assert status == 400
        assert refused["error"]
        assert venue.faults.view() == []


async def test_a_name_is_armed_once(venue):
    venue.arm(Silence(), name="odd")
    with pytest.raises(FaultError, match=r"'odd' is armed already; DELETE /admin/faults\?name=odd"):
        venue.arm(Silence(), name="odd")
    with pytest.raises(FaultError, match="there are chaos, hostile"):
        venue.faults.arm_all(Plan(mix="bliss"))


async def test_the_schema_describes_every_kind(venue):
    _, schema = await venue.get("/admin/faults/schema")
    text = json.dumps(schema)
    for kind in ("silence", "stale_book", "freeze", "settle", "restart", "skew"):
        assert f'"{kind}"' in text
    assert '"additionalProperties": false' in text


@pytest.mark.parametrize("mix", MIXES)
def test_every_fault_of_a_mix_can_be_armed(mix):
    for fault in MIXES[mix]:
        check(fault)
        assert fault.name
        assert fault.when.times is None
    assert len({fault.name for fault in MIXES[mix]}) == len(MIXES[mix])
    assert read_plan(msgspec.json.encode(Plan(faults=MIXES[mix]))).faults == MIXES[mix]


def test_a_plan_is_a_mix_a_text_or_a_file(tmp_path):
    assert spec.load_plan("chaos") == Plan(mix="chaos")
    written = json.dumps({"faults": [TIME]})
    (tmp_path / "faults.json").write_text(written)
    fault = Fault(do=Answer(status=599), where=Where(path="/time"), name="odd")
    assert spec.load_plan(written) == spec.load_plan(str(tmp_path / "faults.json")) == Plan(faults=(fault,))
    with pytest.raises(FaultError, match=r"no file that can be read.*no mix \(chaos, hostile\)"):
        spec.load_plan("chaso")
    with pytest.raises(FaultError, match="malformed"):
        spec.load_plan("{faults}")


async def test_a_line_tells_what_is_armed(venue):
    venue.arm(Answer(status=599), Where(path="/time"), When(skip=1), name="odd")
    await venue.get("/time")
    (line,) = spec.lines(venue.faults.view())
    assert line.startswith("odd: answer")
    for part in ("status=599", "path=/time", "skip=1", "armed, struck 0 of 1 seen"):
        assert part in line


def test_paths_reach_into_arrays_and_objects_and_make_only_last_parts():
    body = {"a": [{"b": 1}, {"b": 2}], "c": {"d": 3}}
    assert edit(body, {"a.*.b": 9, "a.1.e": 8, "c.*": 7, "x.y": 6, "z": 5, "a.7.b": 4, "c.d.e": 3}) == {
        "a": [{"b": 9}, {"b": 9, "e": 8}],
        "c": {"d": 7},
        "z": 5,
    }
    assert edit([1], {"": "gone"}) == "gone"


async def test_a_client_of_the_chaotic_venue_finds_it_alive_again_once_healed(venue_folder):
    async with running_venue(venue_folder) as venue:
        client = await trader(venue)
        market = await venue.some_market()
        venue.faults.arm_all(
            Plan(mix="chaos", seed=11, faults=(Fault(do=Restart(down_seconds=1, post_only_seconds=1)),))
        )
        async with venue.socket("market", {"type": "market", "assets_ids": market["tokens"]}):
            venue.pass_time(20)
        venue.heal()
        assert (await client.place(market, "BUY", "0.02", "10"))[0] == 200
        async with venue.socket("user", {"type": "user", "auth": dict(client.key)}) as socket:
            assert await drain(socket) == []


async def _provoke(venue: RunningVenue, client: Trader, market: dict[str, Any], fault: Fault) -> None:
    """Do what a fault strikes."""
    where, do = fault.where, fault.do
    if where.channel == "market":
        async with venue.socket("market", {"type": "market", "assets_ids": market["tokens"]}) as socket:
            await client.place(market, "BUY", "0.02", "10")
            with suppress(AssertionError, json.JSONDecodeError, aiohttp.ClientError):
                await drain(socket)
    elif where.channel == "user" or isinstance(do, Settle):
        _, book = await venue.get("/book", token_id=market["tokens"][0])
        async with venue.socket("user", {"type": "user", "auth": dict(client.key)}) as socket:
            await client.place(market, "BUY", book["asks"][-1]["price"], "10", "FAK", spend="5.00")
            with suppress(AssertionError, json.JSONDecodeError, aiohttp.ClientError):
                await drain(socket)
    else:
        with suppress(aiohttp.ClientError, TimeoutError, json.JSONDecodeError):
            async with asyncio.timeout(0.2):
                if isinstance(do, StaleBook) or where.method == "GET":
                    await venue.get("/book", token_id=market["tokens"][0])
                else:
                    await client.place(market, "BUY", "0.02", "10")


@pytest.mark.parametrize("mix", MIXES)
async def test_every_fault_of_a_mix_strikes_and_the_venue_goes_on(venue, mix):
    client = await trader(venue, dollars="100000")
    market = await venue.some_market()
    for fault in MIXES[mix]:
        armed = venue.faults.arm(replace(fault, when=When(stage=fault.when.stage)))
        await _provoke(venue, client, market, fault)
        assert armed.struck == 1, fault.name
        venue.heal()
        venue.pass_time(16 if isinstance(fault.do, Restart) else 1, step=1)
    assert (await client.place(await venue.some_market(), "BUY", "0.02", "10"))[0] == 200
