"""Rules about what lies between a registration and who is told of it: the queue's names, its consumers, the webhook's way."""

import re
from collections.abc import Iterator

from reports.causes import Confidence, Diagnosis, diagnosis
from reports.outcomes import Check
from reports.rules.pressure import cited, first_of, suffers
from reports.rules.seen import Fact, Rule, Rung, Seen
from reports.wiring import Kind

TURNED_AWAY = re.compile(r"(?i)max number of clients")
"""What a queue says to a client too many, wherever it is kept."""

POPS = frozenset(
    {"rpop", "lpop", "brpop", "blpop", "lmpop", "blmpop", "ltrim", "lrem", "del", "unlink", "flushdb", "flushall"}
)
"""Commands that take elements off a list for good, or the list away."""

MOVES = frozenset({"rpoplpush", "brpoplpush", "lmove", "blmove"})
"""Commands that take an element off a list and put it on another."""

LOOKS = frozenset(
    {"", "null", "hello", "auth", "select", "ping", "info", "replconf", "psync", "monitor", "subscribe", "psubscribe"}
    | {"llen", "lrange", "get", "exists", "ttl", "pttl", "type", "scan", "keys"}
)
"""Commands that take nothing away, for where a list that was just made is to end, or is gone."""

REFUSALS = {"NOPERM": "queue-access-denied"}


def name_is_no_list(seen: Seen) -> Iterator[Diagnosis]:
    """Something else than a list lies under one of the queue's names."""
    for rung in seen.broken("queue.keys"):
        if rung.code == "key-wrong-type":
            given = {"key": rung.facts.get("key"), "kind": rung.facts.get("holds"), "target": rung.about}
            component = rung.target or rung.position
            yield diagnosis("queue-key-wrong-type", component, evidence=(rung.seq,), parameters=given)


def clients_were_turned_away(seen: Seen) -> Iterator[Diagnosis]:
    """A queue's health check, or one of its callers, was told that there are too many clients, be there room again by now."""
    for target in dict.fromkeys(link.target for link in seen.links if link.kind is Kind.QUEUE and link.target):
        callers = [link.caller for link in seen.links if link.target == target and link.kind is Kind.QUEUE]
        told = [name for name in (target, *callers) if name in seen.containers and first_of(seen, name, TURNED_AWAY)]
        if target and told and any(suffers(seen, name) for name in (target, *callers)):
            evidence = tuple(seq for name in told for seq in cited(seen, name))
            given = {"target": target, "service": told[0]}
            yield diagnosis("queue-clients-full", target, evidence=evidence, parameters=given)


def unannounced(seen: Seen) -> list[Fact]:
    """The failed checks that stated that nothing was queued."""
    return [fact for fact in seen.facts if fact.cause == "not-queued"]


def troubled(seen: Seen) -> list[Check]:
    """The failed checks that stated that nothing was queued, or that the registry itself calls its queue ill."""
    return [*(fact.check for fact in unannounced(seen)), *seen.called_ill("redis", "message_queue")]


def commands_are_refused(seen: Seen) -> Iterator[Diagnosis]:
    """The queue takes plain writes and refuses other commands that programs say to a list, and its callers suffer from it."""
    lost = troubled(seen)
    for rung in (rung for rung in seen.rungs if rung.name == "queue.write" and rung.ok):
        refused = rung.facts.get("refused") or {}
        if not refused or not lost:
            continue
        command, words = next(iter(sorted(refused.items())))
        cause = REFUSALS.get(str(words).split(" ", 1)[0], "queue-command-missing")
        given = {
            "service": rung.position,
            "target": rung.about,
            "command": command,
            "operation": ", ".join(sorted(refused)),
        }
        explains = tuple(dict.fromkeys(check.nodeid for check in lost))
        evidence = (rung.seq, *(check.seq for check in lost))
        yield diagnosis(cause, rung.target or rung.position, evidence=evidence, parameters=given, explains=explains)


def another_takes_the_messages(seen: Seen) -> Iterator[Diagnosis]:
    """Nothing was found on the queue, and a service that is not the registry takes elements off lists there."""
    lost = unannounced(seen)
    at = {
        str(address): name for name, state in seen.containers.items() for address in state.seen.get("addresses") or ()
    }
    for rung in (rung for rung in seen.rungs if rung.name == "queue.write" and lost):
        for client in rung.facts.get("clients") or ():
            name = at.get(str(client.get("address")), "")
            command = str(client.get("command") or "").lower()
            takes = command in POPS | MOVES or (rung.facts.get("lifetime", -1) != -1 and command not in LOOKS)
            if name in {"", rung.position, rung.target} or seen.roles.get(name) == "registry" or not takes:
                continue
            sure = Confidence.LIKELY if command in MOVES else Confidence.PROVEN
            explains = tuple(dict.fromkeys(fact.check.nodeid for fact in lost))
            evidence = (rung.seq, seen.containers[name].seq, *(fact.check.seq for fact in lost))
            yield diagnosis(
                "queue-drained",
                name,
                evidence=evidence,
                parameters={"queue": rung.about, "target": rung.about, "command": command},
                confidence=sure,
                explains=explains,
            )


RELAYED = {
    "headers-differ": "header-stripped",
    "body-differs": "signature-broken",
    "delivered-twice": "delivered-twice",
    "not-arrived": "request-refused",
}
"""How an announcement of the harness's own came through what stands before the receiver -> what that does."""

SHOWN = {
    "header-stripped": {"hmac-wrong", "idempotency-key-not-kept"},
    "signature-broken": {"hmac-wrong", "payload-key-missing", "payload-value-wrong"},
    "delivered-twice": {"delivered-twice"},
    "request-refused": {"not-delivered", "not-retried"},
}
"""What such a thing does -> what the checks stated because of it."""


SERVERS = {"database", "queue", "object-store", "tracking", "registry"}
"""Roles of services that are no way to a receiver."""


def webhook_leads_elsewhere(seen: Seen) -> Iterator[Diagnosis]:
    """The registry's webhook leads to a service of the deployment that is something else."""
    for rung in seen.broken("webhook.relay"):
        if seen.roles.get(rung.target or "") in SERVERS:
            given = {
                "setting": rung.setting,
                "host": rung.link.get("host"),
                "port": rung.link.get("port"),
                "wanted": "a receiver of announcements",
            }
            yield diagnosis("not-the-service", rung.position, evidence=(rung.seq,), parameters=given)


def relay_changes(seen: Seen) -> Iterator[Diagnosis]:
    """What stands between the registry's webhook and its receiver changes, loses or doubles what is sent by it."""
    for rung in (one for one in seen.broken("webhook.relay") if seen.roles.get(one.target or "") not in SERVERS):
        cause = RELAYED.get(rung.code) or ("gateway-failing" if _status(rung) >= 500 else "request-refused")
        shown = SHOWN.get(cause, {"not-delivered", "not-retried"})
        explains = tuple(dict.fromkeys(fact.check.nodeid for fact in seen.facts if fact.cause in shown))
        given = {
            "target": rung.target,
            "service": rung.position if cause != "delivered-twice" else rung.target,
            "header": ", ".join(rung.facts.get("lacking") or ()),
            "what": "the body",
            "count": rung.facts.get("arrived"),
            "request": "the announcement",
            "status": rung.facts.get("status"),
        }
        yield diagnosis(
            cause,
            rung.target or rung.position,
            evidence=(rung.seq,),
            parameters=given,
            layer="proxy",
            explains=explains,
        )


def _status(rung: Rung) -> int:
    return int(rung.facts.get("status") or 0)


def _asked(seen: Seen) -> bool:
    return any(rung.name in {"queue.write", "queue.keys"} for rung in seen.rungs)


RULES = (
    Rule("a queue's name is no list", ("rung",), _asked, name_is_no_list),
    Rule(
        "clients were turned away",
        ("container", "log", "compose"),
        lambda seen: seen.containers,
        clients_were_turned_away,
    ),
    Rule("a queue refuses some commands", ("rung", "check"), _asked, commands_are_refused),
    Rule("another takes the messages", ("rung", "check", "container"), _asked, another_takes_the_messages),
    Rule("a webhook leads elsewhere", ("rung",), lambda seen: seen.rungs, webhook_leads_elsewhere),
    Rule("a relay changes announcements", ("rung",), lambda seen: seen.rungs, relay_changes),
)
