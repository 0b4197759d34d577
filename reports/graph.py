"""Who rests on whom: read from the rendered compose configuration."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from reports.wiring import home_of, links_of


@dataclass(frozen=True)
class Graph:
    """Service -> the services that it rests on directly."""

    edges: Mapping[str, frozenset[str]]

    def needs(self, name: str) -> frozenset[str]:
        """Every service that this one rests on, directly or through others; itself only if in a circle."""
        found: set[str] = set()
        waiting = list(self.edges.get(name, ()))
        while waiting:
            needed = waiting.pop()
            if needed not in found:
                found.add(needed)
                waiting += self.edges.get(needed, ())
        return frozenset(found)

    def dependants(self, name: str) -> frozenset[str]:
        """Every service that rests on this one, directly or through others."""
        return frozenset(other for other in self.edges if name in self.needs(other))

    @cached_property
    def order(self) -> tuple[str, ...]:
        """The services from the ground up: what rests on least comes first."""
        return tuple(sorted(self.edges, key=lambda name: (len(self.needs(name)), name)))

    def lowest(self, names: frozenset[str]) -> frozenset[str]:
        """Of these services the ones that rest on none of the others: the first that are broken."""
        lowest = frozenset(name for name in names if not (self.needs(name) - {name}) & names)
        return lowest or names


def graph_of(config: Mapping[str, Any]) -> Graph:
    """The graph of a rendered configuration: `depends_on`, another's network, and settings or commands whose addresses lead to a service."""
    services: Mapping[str, Mapping[str, Any]] = config.get("services") or {}
    edges = {name: {*(service.get("depends_on") or ()), home_of(name, services)} for name, service in services.items()}
    for link in links_of(config):
        edges[link.caller] |= {link.target} if link.target else set()
    return Graph(
        {name: frozenset(edges[name] - {name}) | _named(name, service, services) for name, service in services.items()}
    )


def _named(own: str, service: Mapping[str, Any], services: Mapping[str, Any]) -> frozenset[str]:
    values = [str(value) for value in (service.get("environment") or {}).values()]
    values += [str(word) for word in service.get("command") or ()]
    return frozenset(name for name in services if name != own and any(_is_address(name, value) for value in values))


def _is_address(name: str, value: str) -> bool:
    """Whether a value is this host name, or holds it where a URL holds its host."""
    return value == name or bool(re.search(rf"(?:://|@){re.escape(name)}(?:[:/?]|$)|^{re.escape(name)}:\d+", value))
