# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Many zones in one task: their list, origins, and parallel operations."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import chain
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from ansible.errors import AnsibleError
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.plugins.action import ActionBase
from ansible.template import Templar

from ..module_utils._argspec import ARGUMENT_SPEC, CONNECTION_RULES, validate_options
from ..module_utils._client import Client, check_identifier
from ..module_utils._connection import SharedClient, may_hold_password
from ..module_utils._errors import CloudflareError, InvalidInput, Outcome
from ..module_utils._http import Cancelled
from ..module_utils._mapping import Address, parse_address
from ..module_utils._messages import MAX_LISTED, item_label, join_bounded, quote, sanitize, suggest, type_name
from ..module_utils._module import result_of
from ..module_utils._origins.operation import read_origins
from ..module_utils._zones import fetch_zone, find_zone
from ._in_process import SECRET_OPTIONS, option_problems, run_masked
from ._inventory import (
    Item,
    OriginFinder,
    Origins,
    ZoneIndex,
    item_of_address,
    iterate_items,
    normalize_zone,
    unknown_hostnames,
)
from ._report.model import is_same_zone

if TYPE_CHECKING:
    from ansible.playbook.task import Task

CONNECTION = {name: spec for name, spec in ARGUMENT_SPEC.items() if name not in ("zone", "zone_id", "account_id")}
"""Options of the connection, which all zones of a task share."""

CONCURRENT_ZONES = 16

ENTRY_KEYS = ("zone", "zone_id", "account_id", "group", "groups", "addresses", "source")

SOURCES = ("inventory", "cloudflare")

ZONES_GROUP = "cloudflare_zones"
"""Group of the inventory plugin zones."""

NO_ZONE: dict[str, str | None] = {"zone": None, "zone_id": None, "account_id": None}

INCOMPLETE_INVENTORY = (
    "the inventory lacks zones that the inventory plugin listed, as in a slice of a job, so it lacks origins too: "
    "run it without slices, or use a source of origins that is not sliced"
)
REPEATED = "is listed more than once, with different origins"
UNMATCHED = (
    "it is in names of the inventory plugin, but these credentials can read no zone of this name, or accounts or "
    "statuses exclude it"
)


@dataclass(frozen=True, eq=False)
class ZoneEntry:
    """Zone with the sources of its origins.

    groups is None if hosts name the zone in their own variable. error is the reason if the entry cannot be used.
    is_listed is false if the zone is only known to be missing in the lists.
    """

    zone: str | None = None
    zone_id: str | None = None
    account_id: str | None = None
    groups: tuple[str, ...] | None = None
    addresses: tuple[Any, ...] = ()
    sources: tuple[str, ...] = ("inventory",)
    error: str | None = None
    is_listed: bool = True

    @property
    def identity(self) -> dict[str, str | None]:
        """Keys of the zone in reports and results."""
        return {"zone": self.zone, "zone_id": self.zone_id, "account_id": self.account_id}

    @property
    def options(self) -> dict[str, str | None]:
        """Options that select the zone: by identifier if known, else by name."""
        return {**self.identity, "zone": None if self.zone_id else self.zone}

    @property
    def has_hosts(self) -> bool:
        """Check whether hosts of the inventory can be origins.

        An empty list of groups excludes them.
        """
        return "inventory" in self.sources and self.groups != ()

    @property
    def label(self) -> str:
        """Label of the zone in messages."""
        return self.zone or self.zone_id or "a zone without a name"


def parse_zones(entries: Any, option: str, sources: Sequence[str] = ("inventory",)) -> list[ZoneEntry]:
    """Parse a list of zones, and drop identical entries.

    An entry is a dictionary or a name; the list may be a comma-separated text. A bad entry has its error; a bad list
    raises InvalidInput. sources is the default of entries.
    """
    if isinstance(entries, str):
        entries = [name for name in entries.split(",") if name.strip()]
    if isinstance(entries, Mapping):
        entries = [entries]
    if not isinstance(entries, list | tuple):
        raise InvalidInput(f"{option} is of type {type_name(entries)}, not a list of zones")
    # Hosts of a play often have the same list.
    distinct = {_content(entry): entry for entry in entries}
    zones = [
        _parse_zone({"zone": entry} if isinstance(entry, str) else entry, item_label(option, index), sources)
        for index, entry in enumerate(distinct.values())
    ]
    return _without_repetitions(zones, [zone.identity for zone in zones])


def _content(entry: Any) -> str:
    """Return a text that is equal for entries with the same content."""
    try:
        return json.dumps(entry, sort_keys=True, default=str)
    except TypeError:  # keys of several types, of which some are unknown
        return repr(entry)


def _parse_zone(entry: Any, label: str, sources: Sequence[str]) -> ZoneEntry:
    if not isinstance(entry, Mapping):
        return ZoneEntry(label, error=f"it is of type {type_name(entry)}, not a dictionary with zone or zone_id")
    unknown = [str(key) for key in entry if key not in ENTRY_KEYS]
    problems: list[str] = []
    texts: dict[str, str | None] = {}
    for name in ("zone", "zone_id", "account_id"):
        value = entry.get(name)
        if value is not None and not isinstance(value, str):
            problems.append(f"{name} is of type {type_name(value)}, not text")
            value = None
        texts[name] = (value or "").strip() or None
    for name in ("zone_id", "account_id"):
        if identifier := texts[name]:
            try:
                check_identifier(name, identifier)
            except InvalidInput as error:
                problems.append(str(error))
    if not texts["zone"] and not texts["zone_id"]:
        problems.append("it has neither zone nor zone_id")
        texts["zone"] = label
    lists: dict[str, tuple[Any, ...]] = {}
    for name in ("group", "groups", "addresses", "source"):
        value = entry.get(name)
        lists[name] = tuple(value) if isinstance(value, list | tuple) else () if value is None else (value,)
    groups = (*lists["group"], *lists["groups"])
    problems += [f"group {quote(str(group))} is not text" for group in groups if not isinstance(group, str)]
    problems += [
        f"source {quote(str(source))} is unknown: {suggest(str(source), SOURCES)}"
        for source in lists["source"]
        if source not in SOURCES
    ]
    problems += [f"{quote(key)} is unknown: {suggest(key, ENTRY_KEYS)}" for key in unknown]
    by_group = entry.get("group") is not None or entry.get("groups") is not None
    return ZoneEntry(
        **texts,
        groups=groups if by_group else None,
        addresses=lists["addresses"],
        sources=lists["source"] or (*sources,),
        error="; ".join(problems) or None,
    )


def _without_repetitions(
    zones: Sequence[ZoneEntry],
    identities: Sequence[Mapping[str, str | None]],
    others: Iterable[Mapping[str, str | None]] = (),
) -> list[ZoneEntry]:
    """Return zones of these identities, with errors if they are repeated.

    All entries of a repeated zone are errors: one of them alone would make the zone lose the origins of the others.
    others are identities of further entries.
    """
    own = [_normalize(identity) for identity in identities]
    alike: dict[str | None, list[Mapping[str, str | None]]] = {}
    for identity in (*own, *map(_normalize, others)):
        for key in filter(None, (identity["zone"], identity["zone_id"])):
            alike.setdefault(key, []).append(identity)

    def is_repeated(identity: Mapping[str, str | None]) -> bool:
        similar = chain(alike.get(identity["zone"], ()), alike.get(identity["zone_id"], ()))
        return any(other is not identity and is_same_zone(identity, other) for other in similar)

    return [
        replace(zone, error=f"{zone.label} {REPEATED}")
        if zone.is_listed and not zone.error and is_repeated(identity)
        else zone
        for zone, identity in zip(zones, own, strict=True)
    ]


def _normalize(identity: Mapping[str, str | None]) -> dict[str, str | None]:
    return {**identity, "zone": normalize_zone(identity["zone"] or "")}


def identify_zones(
    client: Client, zones: Sequence[ZoneEntry], others: Sequence[ZoneEntry], *, always: bool = False
) -> list[ZoneEntry]:
    """Return zones with their identifiers, if they are needed.

    They are if always is true, and if some entries have only a name and others an identifier: then a zone can be listed
    in both forms. Such entries are errors, also if others, the zones of other hosts, have one of them.
    """
    listed = [zone for zone in (*zones, *others) if zone.is_listed]
    mixed = any(zone.zone_id for zone in listed) and any(not zone.zone_id for zone in listed)
    if not mixed and not always:
        return [*zones]

    def identify(zone: ZoneEntry) -> tuple[ZoneEntry, dict[str, str | None]]:
        if zone.error:
            return zone, zone.identity
        try:
            if not zone.zone_id:
                zone_id, account_id = find_zone(client, zone.zone or "", zone.account_id)
                zone = replace(zone, zone_id=zone_id, account_id=account_id)
            elif mixed and not zone.zone:
                known = fetch_zone(client, zone.zone_id)
                return zone, {**zone.identity, "zone": known["name"], "account_id": known["account"]["id"]}
        except InvalidInput:
            pass  # there is no such zone: its operation reports that
        except CloudflareError as error:
            if mixed:
                why = "It was to be compared with the other zones of the list: give all of them zone and zone_id"
                zone = replace(zone, error=f"{error}. {why}")
        return zone, zone.identity

    found = client.http.map_concurrently(identify, zones, CONCURRENT_ZONES)
    identities = [identity if zone.is_listed else NO_ZONE for zone, identity in found]
    return _without_repetitions(
        [zone for zone, _identity in found], identities, [zone.identity for zone in others if zone.is_listed]
    )


class PlayHosts:
    """Hosts of a play, and the variables that a task of each would have.

    task_vars are those of one host. The others have variables of the play, the roles and the task too, but not those of
    vars_files with a name that depends on the host.
    """

    def __init__(self, templar: Templar, task_vars: Mapping[str, Any], task: Task) -> None:
        self._templar = templar
        self._task_vars = task_vars
        self._task = task
        self._hosts = {task_vars["inventory_hostname"]: (task_vars, templar)}
        self.hostvars = task_vars["hostvars"]
        self.groups: Mapping[str, Sequence[str]] = task_vars["groups"]
        self.batch: Sequence[str] = task_vars["ansible_play_batch"]
        self.active: Sequence[str] = task_vars["ansible_play_hosts"]
        self.all: Sequence[str] = task_vars["ansible_play_hosts_all"]

    @cached_property
    def _shared_variables(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return the variables below those of hosts, and those above.

        Below are the defaults of roles.
        """
        task, play = self._task, self._task.get_play()
        known = task.get_variable_manager().get_vars(play=play, task=task)
        defaults: dict[str, Any] = {}
        for role in (*play.get_roles(), *(task.get_dep_chain() or ())):
            defaults |= role.get_default_vars()
        explicit = {*play.get_vars(), *task.get_vars(), *task.get_include_params()}
        below = {name: value for name, value in defaults.items() if name not in explicit and known.get(name) is value}
        above = {name: value for name, value in known.items() if name not in below and name != "vars"}
        return below, above

    def _variables(self, host: str) -> tuple[Mapping[str, Any], Templar]:
        """Return the variables of a host, and a templar with them."""
        if host not in self._hosts:
            below, above = self._shared_variables
            variables = {**below, **self.hostvars.raw_get(host), **above}
            self._hosts[host] = variables, self._templar.copy_with_new_env(available_variables=variables)
        return self._hosts[host]

    def zones(self, variable: str, sources: Sequence[str]) -> tuple[list[ZoneEntry], list[ZoneEntry]]:
        """List the zones of this batch, and those that only other hosts have.

        The default of a host of the inventory plugin zones is its own zone. A zone is repeated also if hosts of several
        batches have it with different origins.
        """
        batch = {*self.batch}
        entries: dict[bool, list[Any]] = {True: [], False: []}
        broken: dict[bool, list[ZoneEntry]] = {True: [], False: []}
        for host in self.all:
            variables, templar = self._variables(host)
            default = _zone_of_host(variables)
            try:
                value = templar.template(variables.get(variable)) or [default] * bool(default)
            except AnsibleError as error:
                problem = f"{variable} of host {host}: {sanitize(str(error))}"
                broken[host in batch].append(ZoneEntry(**default, error=problem, is_listed=False))
                continue
            if isinstance(value, str):
                value = value.split(",")
            entries[host in batch] += value if isinstance(value, list | tuple) else [value]
        zones = parse_zones([*entries[True], *entries[False]], variable, sources)
        count = len({*map(_content, entries[True])})
        return [*zones[:count], *broken[True]], [*zones[count:], *broken[False]]

    def check_same(self, defaults: Mapping[str, Any]) -> None:
        """Raise InvalidInput if variables or conditions differ in the batch.

        defaults has the values of hosts without the variables.
        """
        first, *others = self.batch
        own = self._values(first, defaults) if others else {}
        for host in others:
            try:
                included = self._is_included(host)
            except AnsibleError as error:
                raise InvalidInput(
                    f"when cannot be evaluated for the host {host}: {sanitize(str(error))}. Define its variables for "
                    "all hosts of the play"
                ) from None
            if not included:
                raise InvalidInput(
                    f"when excludes the host {host}, but not {first}, although one task works for all hosts: exclude "
                    f"it by hosts of the play, as in hosts: cloudflare_zones:!{host}"
                )
            for name, value in self._values(host, defaults).items():
                if value != own[name]:
                    raise InvalidInput(
                        f"{name} differs between the hosts {first} and {host}, but one task, with one value, works for "
                        "all hosts: give it the same value on all of them, or use a play for each value"
                    )

    def _values(self, host: str, defaults: Mapping[str, Any]) -> dict[str, Any]:
        """Return variables of a host, an error text for undefined ones."""
        variables, templar = self._variables(host)
        values = {}
        for name, default in defaults.items():
            try:
                values[name] = templar.template(variables.get(name, default))
            except AnsibleError as error:
                values[name] = str(error)
        return values

    def _is_included(self, host: str) -> bool:
        """Check whether the conditions of the task and its includes are met."""
        variables, templar = self._variables(host)
        task = self._task
        while task:
            if hasattr(task, "evaluate_conditional"):  # before ansible-core 2.19
                if not task.evaluate_conditional(templar, variables):
                    return False
            elif not all(map(templar.evaluate_conditional, task.when)):
                return False
            task = task.get_first_parent_include()
        return True

    def registered(self, name: str) -> dict[str, Mapping[str, Any]]:
        """Return the values of a registered variable, by host."""
        values = {host: self.hostvars.raw_get(host).get(name) for host in self.all}
        return {host: value for host, value in values.items() if value is not None}

    @cached_property
    def zone_files(self) -> list[ZonesFile]:
        """Files of the inventory plugin zones."""
        files: dict[str, ZonesFile] = {}
        for host in self.groups.get(ZONES_GROUP, ()):
            source = self.hostvars.raw_get(host).get("cloudflare_zones_inventory")
            if isinstance(source, Mapping):
                file = files.setdefault(source["file"], ZonesFile(source["zones"], source["unmatched"]))
                file.hosts.append(host)
        try:
            for path, source in (self._task_vars.get("cloudflare_zones_files") or {}).items():
                files.setdefault(path, ZonesFile(source["zones"], source["unmatched"]))
        except (AttributeError, KeyError, TypeError):
            raise InvalidInput(
                "cloudflare_zones_files is not the variable of the inventory plugin originops.cloudflare.zones: rename "
                "your own variable of this name"
            ) from None
        return [*files.values()]

    @property
    def lacks_hosts(self) -> bool:
        """Check whether the inventory lacks hosts, as in a slice of AWX.

        These are hosts that the inventory plugin zones has made. A slice has every n-th host by name, so it is
        recognized if the plugin has made more than one host.
        """
        return any(not file.is_complete for file in self.zone_files)

    @property
    def unmatched_zones(self) -> list[ZoneEntry]:
        """Zones that the inventory plugin zones was to list, but did not find.

        Files with hosts outside of the play, as with a limit or in another slice, are left out. A file without hosts
        belongs to a play over the zones of all other files.
        """
        hosts = {*self.all}
        zones = self.groups.get(ZONES_GROUP, ())
        names = [
            name
            for file in self.zone_files
            if file.is_complete and zones and hosts.issuperset(file.hosts or zones)
            for name in file.unmatched
        ]
        return [ZoneEntry(name, error=UNMATCHED, is_listed=False) for name in dict.fromkeys(names)]


@dataclass(frozen=True)
class ZonesFile:
    """File of the inventory plugin zones: its results, and its hosts here.

    zones is the number of zones found, unmatched has the names that select no zone. hosts are those of this inventory.
    """

    zones: int
    unmatched: Sequence[str]
    hosts: list[str] = field(default_factory=list)

    @property
    def is_complete(self) -> bool:
        return len(self.hosts) >= self.zones


def _zone_of_host(variables: Mapping[str, Any]) -> dict[str, Any]:
    """Return the zone of a host of the inventory plugin zones, else nothing."""
    if "cloudflare_zone_id" not in variables:
        return {}
    account = variables.get("cloudflare_zone_account")
    return {
        "zone": variables.get("cloudflare_zone_name"),
        "zone_id": variables["cloudflare_zone_id"],
        "account_id": account.get("id") if isinstance(account, Mapping) else None,
    }


class CloudflareOrigins(NamedTuple):
    """Origins that Cloudflare knows for a zone: their items, and warnings.

    unknown is the reason if some may be unknown; unreadable is the reason if a part could not be read.
    """

    items: Sequence[Item]
    warnings: Sequence[str] = ()
    unknown: str | None = None
    unreadable: str | None = None

    @classmethod
    def read(cls, zone: ZoneEntry, options: Mapping[str, Any], shared: SharedClient) -> CloudflareOrigins:
        """Read the origins of a zone. Raises CloudflareError."""
        outcome = read_origins({**options, **zone.options}, check_mode=False, shared=shared)
        found = outcome.result
        lost = unknown_hostnames(found)
        unknown = [f"the addresses of {join_bounded(lost, 'unresolved')} are not known"] if lost else []
        unreadable = "the load balancers could not be read" if found["load_balancers"] == "unreadable" else None
        unknown += [unreadable] if unreadable else []
        return cls([*iterate_items(found)], outcome.warnings, " and ".join(unknown) or None, unreadable)


class ZoneOrigins(NamedTuple):
    """Origins of a zone from all of its sources.

    by_source has the addresses of each source, if there are several.
    """

    origins: Origins
    cloudflare: CloudflareOrigins
    by_source: Mapping[str, Collection[Address]] = {}


class OriginSources:
    """Sources of the origins of zones.

    The variables of every host of the inventory are read once.
    """

    def __init__(self, hosts: PlayHosts, finder: OriginFinder) -> None:
        self._hosts = hosts
        self._finder = finder
        self._index: ZoneIndex | None = None
        self._items: dict[ZoneEntry, list[Item] | InvalidInput] = {}

    def prepare(self, zones: Iterable[ZoneEntry]) -> None:
        """Read the inventory for zones: threads must not evaluate variables."""
        for zone in zones:
            if zone.error:
                continue
            try:
                items = [*self._items_of(zone)] if zone.has_hosts else []
            except InvalidInput as error:
                self._items[zone] = error
                continue
            items += [item_of_address(index, address) for index, address in enumerate(zone.addresses)]
            self._finder.collect(items)
            self._items[zone] = items

    def of(self, zone: ZoneEntry, options: Mapping[str, Any], shared: SharedClient) -> ZoneOrigins:
        """Return the origins of a prepared zone.

        Raises InvalidInput for a group that the inventory lacks, and CloudflareError.
        """
        items = self._items[zone]
        if isinstance(items, InvalidInput):
            raise items
        if "cloudflare" not in zone.sources:
            return ZoneOrigins(self._finder.collect(items), CloudflareOrigins(()))
        known = CloudflareOrigins.read(zone, options, shared)
        own = self._finder.collect(items)
        by_source = {}
        if "inventory" in zone.sources:
            parts = {"inventory": own, "cloudflare": self._finder.collect(known.items)}
            by_source = {name: {*part.addresses()} for name, part in parts.items()}
        merged = [*items]
        for name, item in known.items:
            mapping = own.mappings.get(parse_address(item["origin_ip"])) if isinstance(item, Mapping) else None
            # Cloudflare adds only names to an address of known location.
            merged.append((name, {**item, **mapping.value()} if mapping else item))
        return ZoneOrigins(self._finder.collect(merged), known, by_source)

    def _items_of(self, zone: ZoneEntry) -> Iterable[Item]:
        groups, hostvars = self._hosts.groups, self._hosts.hostvars
        if zone.groups is not None:
            missing = [quote(group) for group in zone.groups if group not in groups]
            if missing:
                raise InvalidInput(
                    f"the inventory has no group {', '.join(missing)}: check the name, and the output of "
                    "ansible-inventory --graph with the same inventory"
                )
            return ((host, hostvars[host]) for host in dict.fromkeys(chain(*map(groups.get, zone.groups))))
        if not zone.zone:
            raise InvalidInput("set the name of the zone too, because hosts list their zones by name")
        if self._index is None:
            self._index = self._finder.index_zones((host, hostvars[host]) for host in groups["all"])
        return self._index.items_of(zone.zone)


class ManyZonesAction(ActionBase):
    """Operation on many zones, always in the controller's process.

    The zones of one task share a session and its rate limiter.
    """

    argument_spec: ClassVar[Mapping[str, Any]]

    def operate(self, options: dict[str, Any], hosts: PlayHosts) -> Outcome:
        """Run the operation with validated options."""
        raise NotImplementedError

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        super().run(tmp, task_vars)
        # Plain values, instead of Ansible's types that record their sources.
        args = json.loads(json.dumps(self._task.args, default=str))
        url = args.get("api_url")
        urls = [url] if isinstance(url, str) and may_hold_password(url) else []

        def operate() -> Outcome:
            for name in SECRET_OPTIONS:
                # The validator's message about a wrong type contains the value.
                if not isinstance(args.get(name), str | None):
                    raise InvalidInput(f"{name} is not text")
            if problems := option_problems(args, {**CONNECTION, **self.argument_spec}):
                raise InvalidInput("; ".join(problems))
            options = validate_options(
                ArgumentSpecValidator({**CONNECTION, **self.argument_spec}, **CONNECTION_RULES), args
            )
            hosts = PlayHosts(self._templar, task_vars or {}, self._task)
            prefix = (options["zones_variable"] or "").removesuffix("zones")
            if options["zones"] is None and prefix:
                # Roles have a variable with this prefix for each option.
                hosts.check_same(
                    {prefix + name: spec.get("default") for name, spec in self.argument_spec.items() if name != "zones"}
                )
            return self.operate(options, hosts)

        return run_masked(lambda: result_of(operate, diff=self._task.diff), args, urls)


def run_on_zones(
    client: Client, zones: Sequence[ZoneEntry], operation: Callable[[ZoneEntry], Outcome], *, diff: bool
) -> list[dict[str, Any]]:
    """Run an operation on every zone, and return the results in order.

    The failure of a zone, also an unforeseen one, is its result, and does not stop the others.
    """

    def run(zone: ZoneEntry) -> dict[str, Any]:
        if zone.error:
            return {"failed": True, "msg": zone.error}
        try:
            return result_of(lambda: operation(zone), diff=diff)
        except Cancelled:
            raise
        except Exception as error:
            return {"failed": True, "msg": f"{type(error).__name__}: {error}. This is a defect of the collection"}

    return client.http.map_concurrently(run, zones, CONCURRENT_ZONES)


def describe_failures(zones: Sequence[ZoneEntry], results: Sequence[Mapping[str, Any]]) -> str:
    """Describe the zones that failed, a bounded number of them."""
    failed = [f"{zone.label}: {result['msg']}" for zone, result in zip(zones, results, strict=True) if result["failed"]]
    return f"{len(failed)} of {len(zones)} zones failed: {join_bounded(failed, 'zones')}" if failed else ""


def zone_warnings(zones: Sequence[ZoneEntry], results: Sequence[Mapping[str, Any]]) -> list[str]:
    """List the warnings of zones, a bounded number of them."""
    warnings = [
        f"{zone.label}: {warning}"
        for zone, result in zip(zones, results, strict=True)
        for warning in result.get("warnings", ())
    ]
    more = [f"and {len(warnings) - MAX_LISTED} more warnings, see zones"] if len(warnings) > MAX_LISTED else []
    return [*warnings[:MAX_LISTED], *more]
