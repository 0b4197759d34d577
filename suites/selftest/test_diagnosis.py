"""From evidence to an ordered list of causes: symptoms fall away, what is one is told once, the ground comes first."""

from itertools import pairwise
from string import Formatter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports import causes, diagnosis
from reports.causes import HOST, LAYERS, CauseError, Confidence, Diagnosis
from reports.diagnosis import diagnose, rulings
from reports.graph import Graph, graph_of
from reports.rules import behaviour
from reports.rules.seen import Ended, Rule, Seen, closest
from reports.wiring import links_of
from suites.selftest.journals import Story

CONFIG: dict[str, Any] = {
    "services": {
        "db": {},
        "store": {},
        "redis": {},
        "bucket": {"environment": {"S3_ENDPOINT": "http://store:9000", "BUCKET": "artifacts"}},
        "mlflow": {
            "environment": {"BACKEND_URI": "postgresql://mlflow:[redacted]@db:5432/mlflow_db"},
            "depends_on": {"bucket": {"condition": "service_completed_successfully"}},
        },
        "api": {
            "environment": {
                "MLFLOW_TRACKING_URI": "http://mlflow:5000",
                "POSTGRES_HOST": "db",
                "POSTGRES_USER": "mlflow",
                "POSTGRES_DB": "mlflow_db",
                "REDIS_URL": "redis://redis:6379/0",
            },
            "depends_on": {"mlflow": {"condition": "service_healthy"}},
        },
    }
}
PROVEN, LIKELY, UNKNOWN = Confidence
NEEDS = {
    "suites/test_services.py::test_all": (),
    "suites/test_uuid.py::test_lookup": ("registry",),
    "suites/test_uuid.py::test_other": ("registry",),
    "suites/test_mlflow.py::test_version": ("tracking",),
    "suites/test_store.py::test_objects": ("tracking", "object-store"),
    "suites/test_fit.py::test_fit": ("registry",),
}
ALL, LOOKUP, OTHER, VERSION, OBJECTS, FIT = NEEDS


def begun(config: dict[str, Any] | None = None) -> Story:
    """A run of this configuration with the checks above."""
    story = Story().begin()
    story.tell("compose", "rendered", config or CONFIG)
    items = {FIT: "fit-to-ship"}
    rows = [
        {"nodeid": nodeid, "item": items.get(nodeid, "some-item"), "title": f"Title of {nodeid}", "needs": list(needs)}
        for nodeid, needs in NEEDS.items()
    ]
    story.tell("inventory", "suites", {"checks": rows})
    return story


def rung(story: Story, name: str, position: str, kind: str, code: str = "", **facts: Any) -> int:
    """A rung climbed from a service's position about its dependency of this kind; broken where it has a code."""
    link = next(link for link in links_of(CONFIG) if (link.caller, str(link.kind)) == (position, kind))
    error = {"code": code, "message": "no"} if code else None
    asked = {"position": position, "about": link.about, "link": link.as_json()}
    return story.tell("rung", name, {"ok": not code, "facts": facts, "error": error}, asked)


def ended(story: Story, service: str, exit_code: int, *log: str, **state: Any) -> Story:
    """A service that is in this state, by default ended, and its last words."""
    story.tell("container", service, {"status": "exited", "exit_code": exit_code, **state})
    if log:
        story.tell("log", service, {"lines": len(log), "tail": list(log)})
    return story


def told(story: Story) -> list[tuple[str, str, Confidence]]:
    """Cause, component and confidence of each diagnosis, likeliest first."""
    return [(entry.cause, entry.component, entry.confidence) for entry in diagnose(story.done())]


def fired(story: Story, *rules: Rule) -> list[Diagnosis]:
    """What these rules find by themselves."""
    seen = Seen(story.done())
    return [entry for rule in rules for entry in rule.rule(seen).diagnoses]


# --- the closed list -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[[cause]]\nid = "a"\nlayer = "host"\ntitle = "t"\n', "has id, layer, title and remedy"),
        ('[[cause]]\nid = "a"\nlayer = "nowhere"\ntitle = "t"\nremedy = "r"\n', "unknown layer 'nowhere'"),
        ('[[cause]]\nid = "a"\nlayer = "host"\ntitle = "t"\nremedy = "r"\n' * 2, "'a' stands there twice"),
        (
            '[[cause]]\nid = "a"\nlayer = "host"\ntitle = "t"\nremedy = "r"\nsurest = "certain"\n',
            "'a' is 'certain' at most, which is no confidence",
        ),
        ('[[cause]]\nid = "a"\nlayer = "host"\ntitle = "t"\nremedy = "r"\nsure = "likely"\n', "has id, layer"),
    ],
)
def test_a_list_of_causes_that_is_none_is_refused(text: str, said: str) -> None:
    """A key too few or too many, a layer or a confidence that is none, an id that stands there twice."""
    with pytest.raises(CauseError, match=said):
        causes.parse(text)


def test_every_cause_is_worded_from_named_parameters() -> None:
    """Layers are known, titles and remedies end as they should, and no template takes a parameter by its place."""
    assert causes.parse("") == {}
    for cause in causes.known().values():
        names = [name for text in (cause.title, cause.remedy) for _, name, _, _ in Formatter().parse(text)]

        assert cause.layer in LAYERS
        assert all(name is None or name.isidentifier() for name in names)
        assert (cause.remedy.endswith("."), cause.title.endswith(".")) == (cause.remedy != "{remedy}", False)


@pytest.mark.parametrize(
    ("parameters", "text"),
    [
        ({"setting": "KEY"}, "KEY of api"),
        ({"setting": ["KEY", "SECRET"]}, "KEY, SECRET of api"),
        ({"setting": None}, "? of api"),
        ({"setting": ""}, "? of api"),
        ({}, "? of api"),
        ({"setting": 0}, "0 of api"),
    ],
)
def test_a_template_is_filled_with_what_is_known(parameters: dict[str, Any], text: str) -> None:
    """A list reads as words, what is not known as a question mark."""
    assert causes.filled("{setting} of {service}", {"service": "api", **parameters}) == text


@pytest.mark.parametrize(
    ("cause", "given", "told"),
    [
        ("store-failing", Confidence.PROVEN, Confidence.LIKELY),
        ("store-failing", Confidence.UNKNOWN, Confidence.UNKNOWN),
        ("store-full", Confidence.PROVEN, Confidence.PROVEN),
        ("store-full", Confidence.LIKELY, Confidence.LIKELY),
    ],
)
def test_a_diagnosis_is_no_surer_than_its_cause_may_be(cause: str, given: Confidence, told: Confidence) -> None:
    """That a store answers with an error is seen, and what makes it do so is not."""
    assert causes.diagnosis(cause, "store", evidence=(1,), confidence=given).confidence is told


def test_a_diagnosis_is_worded_by_its_cause_and_cites_each_event_once() -> None:
    """Its layer is the cause's unless told; a cause that the list does not hold is refused."""
    entry = causes.diagnosis("service-killed", "db", evidence=(3, 1, 3), parameters={"exit_code": 137})

    assert (entry.layer, entry.summary, entry.evidence) == ("resource", "db was killed (exit code 137)", (1, 3))
    assert causes.diagnosis("service-killed", "db", evidence=(), layer="database").layer == "database"
    with pytest.raises(CauseError, match="no cause 'bad-luck'"):
        causes.diagnosis("bad-luck", "db", evidence=())


# --- who rests on whom -----------------------------------------------------------------------------------------------

CIRCLE = Graph({"a": frozenset({"b"}), "b": frozenset({"a"}), "c": frozenset({"a"}), "d": frozenset()})


def test_what_a_service_rests_on_is_followed_to_the_ground() -> None:
    """Through others, and around a circle without end."""
    graph = graph_of(CONFIG)

    assert graph.needs("api") == {"mlflow", "bucket", "store", "db", "redis"}
    assert graph.dependants("store") == {"bucket", "mlflow", "api"}
    assert (graph.needs("nobody"), graph.dependants("api")) == (frozenset(), frozenset())
    assert CIRCLE.needs("a") == {"a", "b"}
    assert CIRCLE.dependants("a") == {"a", "b", "c"}
    assert CIRCLE.lowest(frozenset({"a", "b"})) == {"a", "b"}
    assert graph.lowest(frozenset({"api", "bucket", "redis"})) == {"bucket", "redis"}
    assert graph_of({}).order == ()


@given(st.dictionaries(st.sampled_from("abcde"), st.frozensets(st.sampled_from("abcde")), min_size=1))
def test_the_order_is_from_the_ground_up(edges: dict[str, frozenset[str]]) -> None:
    """Nothing comes before what rests on less, every service has its place, and of any services some are lowest."""
    graph = Graph(edges)
    sizes = [len(graph.needs(name)) for name in graph.order]

    assert sorted(graph.order) == sorted(edges)
    assert all(below <= above for below, above in pairwise(sizes))
    assert set() < graph.lowest(frozenset(edges)) <= set(edges)


@pytest.mark.parametrize(
    ("value", "rests"),
    [
        ("db", True),
        ("db:5432", True),
        ("postgresql://u:p@db/x", True),
        ("postgresql://u:p@db:5432/x", True),
        ("http://db?x=1", True),
        ("http://db.example/x", False),
        ("http://other-db/x", False),
        ("mydb:5432", False),
        ("the db is far", False),
        ("http://elsewhere/db", False),
    ],
)
def test_a_setting_names_a_service_where_an_address_holds_its_host(value: str, rests: bool) -> None:
    """The bare name, or the host of a URL; not a name within other names. A command's words count alike."""
    by_setting = graph_of({"services": {"db": {"environment": {"X": "db"}}, "api": {"environment": {"X": value}}}})
    by_word = graph_of({"services": {"db": {}, "api": {"command": [value]}}})

    assert by_setting.edges["db"] == frozenset()
    assert by_setting.needs("api") == by_word.needs("api") == ({"db"} if rests else set())


# --- what was seen ---------------------------------------------------------------------------------------------------


def test_roles_are_read_from_the_target_else_from_labels_else_from_calls() -> None:
    """A target's word goes first; without one a label, what others call a service for, or its being waited for."""
    config = {
        "services": {**CONFIG["services"], "redis": {"labels": {"airworthy.role": "other"}}, "db": {"labels": ["x"]}}
    }
    bare = Story()
    bare.tell("compose", "rendered", config)
    seen = Seen(bare.done())

    assert seen.roles == {
        "db": "database", "store": "object-store", "redis": "other", "bucket": "job", "mlflow": "tracking",
        "api": "registry",
    }  # fmt: skip
    assert Seen(begun().done()).roles["redis"] == "queue"
    assert (seen.of_role("gate"), seen.layer_of("db"), seen.layer_of("api")) == (None, "database", "resource")
    assert (seen.setting("api", "POSTGRES_HOST"), seen.setting("nobody", "X")) == ("db", "")
    assert Seen(Story().done()).roles == {}


def test_the_closest_word_is_the_one_written_most_alike() -> None:
    """A typing slip is found, a strange word is not."""
    assert (closest("postgress", ["redis", "postgres"]), closest("zzz", ["redis"])) == ("postgres", "")


def test_every_rule_tells_how_it_ended() -> None:
    """Fired, refuted, not applicable, without evidence: a run that says little is no proof that all is well."""
    story = begun()
    rung(story, "database.login", "api", "database", "53300")
    story.check(LOOKUP, "passed")
    by_name = {ruling.rule: ruling for ruling in rulings(story.done())}

    assert by_name["a database refuses"].ended is Ended.FIRED
    assert [entry.cause for entry in by_name["a database refuses"].diagnoses] == ["database-full"]
    assert by_name["a schema does not fit"].ended is Ended.REFUTED
    assert by_name["a queue refuses"].ended is Ended.NOT_APPLICABLE
    assert by_name["the definition is unfit"].ended is Ended.WITHOUT_EVIDENCE
    assert len(by_name) == len(diagnosis.RULES) + len(diagnosis.FALLBACKS) + 1


# --- how services behave ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fact", "component"),
    [
        ({"semantics": "lookup-returns-newest"}, "api"),
        ({"semantics": "version-wrong", "service": "mlflow"}, "mlflow"),
        ({"semantics": "version-wrong", "service": "tracking"}, "mlflow"),
        ({"semantics": "version-wrong", "service": "nobody"}, "api"),
        ({"semantics": "artifact-missing"}, "store"),
        ({"semantics": "queue-failing"}, "redis"),
    ],
)
def test_what_a_check_stated_is_diagnosed_at_the_service_it_is_about(fact: dict[str, str], component: str) -> None:
    """The one it names, by name or role, else by the cause's layer; it explains the check and cites what it saw."""
    story = begun().check(LOOKUP, "failed", facts=fact)
    entry = diagnose(story.done())[0]

    assert told(story) == [(fact["semantics"], component, causes.known()[fact["semantics"]].surest)]
    assert (entry.explains, entry.parameters["service"]) == ((LOOKUP,), component)
    assert len(entry.evidence) == 2


def test_without_a_configuration_a_fact_is_believed_its_service() -> None:
    """What it names is the component; what names nothing is the machine's."""
    for fact, component in (({"service": "api"}, "api"), ({}, HOST)):
        story = Story().check(LOOKUP, "failed", facts={"semantics": "health-slow", **fact})
        assert told(story) == [("health-slow", component, PROVEN)]


@pytest.mark.parametrize(
    ("outcome", "facts"),
    [
        ("passed", {"semantics": "health-slow"}),
        ("broken", {"semantics": "health-slow"}),
        ("failed", {"semantics": "no-such-cause"}),
        ("failed", {"seen": ["health-slow", {"key": "x"}]}),
        ("failed", None),
    ],
)
def test_only_known_facts_of_failed_checks_are_diagnosed(outcome: str, facts: dict[str, Any] | None) -> None:
    """A check that did not fail states nothing about the target; a word that is no cause leaves it unknown."""
    found = told(begun().check(LOOKUP, outcome, facts=facts))

    assert found == ([("unknown", "api", UNKNOWN)] if outcome == "failed" else [])


def test_facts_that_agree_are_one_diagnosis_and_others_are_their_own() -> None:
    """Several facts may stand under `seen`; what makes them one is cause, component and what they are about."""
    row = {"semantics": "answer-key-missing", "contract": "lookup"}
    story = begun()
    story.check(LOOKUP, "failed", facts={"seen": [row | {"key": "a"}, row | {"key": "b"}]})
    story.check(OTHER, "failed", facts={**row, "key": "a", "more": 1})
    found = diagnose(story.done())

    assert [(entry.parameters["key"], entry.explains) for entry in found] == [
        ("a", (LOOKUP, OTHER)),
        ("b", (LOOKUP,)),
    ]
    assert found[0].parameters["more"] == 1


@pytest.mark.parametrize(
    ("call", "message", "kind", "cited", "masked"),
    [
        ("register", "`python_model` must be callable", "sklearn", True, "OSError: disk"),
        ("register_model", "python_model is needed", "sklearn", True, ""),
        ("register", "python_model is needed", "junk", True, None),
        ("register", "python_model is needed", "sklearn", False, None),
        ("predict", "python_model is needed", "sklearn", True, None),
        ("register", "disk is full", "sklearn", True, None),
    ],
)
def test_a_fallback_that_hides_the_first_error_is_named(
    call: str, message: str, kind: str, cited: bool, masked: str | None
) -> None:
    """Pyfunc's refusal in an answer to a registration, of what is a model: it hides the error before it, or none was before."""
    story = begun()
    chain = [{"type": "OSError", "message": "disk"}] if masked and masked.startswith("OSError") else []
    error = {"type": "MlflowException", "message": message, "chain": chain}
    seq = story.tell("probe", call, {"error": error}, {"call": call, "args": {"model": {"kind": kind}}})
    story.tell("probe", "predict", {"result": 1}, {"call": "predict", "args": {}})
    story.check(LOOKUP, "failed", evidence=[seq] if cited else [])
    found = diagnose(story.done())

    cause = {None: "unknown", "": "flavor-refused"}.get(masked, "error-masked")
    assert [(entry.cause, entry.component) for entry in found] == [(cause, "api")]
    assert found[0].parameters.get("masked") == (masked or None)
    assert found[0].explains == (LOOKUP,)


def test_an_unfit_definition_explains_the_check_of_fitness_alone() -> None:
    """Only findings that are errors, at their service or the machine, and last in the list."""
    story = begun()
    row = {"severity": "error", "summary": "a default password", "remedy": "Change it.", "service": "db"}
    story.tell("finding", "F1", row)
    story.tell("finding", "F2", row | {"severity": "warning"})
    story.tell("finding", "F3", row | {"service": None, "summary": "no version"})
    story.check(FIT, "failed").check(LOOKUP, "failed", facts={"semantics": "health-slow"}).check(OTHER, "passed")
    found = diagnose(story.done())

    assert [(entry.cause, entry.component) for entry in found] == [
        ("health-slow", "api"),
        ("unfit-definition", "db"),
        ("unfit-definition", HOST),
    ]
    assert {entry.explains for entry in found[1:]} == {(FIT,)}
    assert found[1].remedy == "Change it."


@pytest.mark.parametrize(
    ("nodeid", "component"), [(VERSION, "mlflow"), (OBJECTS, "api"), (LOOKUP, "api"), (ALL, "api")]
)
def test_a_failure_that_no_rule_explains_is_told_as_unknown(nodeid: str, component: str) -> None:
    """At the only role that the check asks, else at the registry; with what was seen and all that it cites."""
    story = begun().check(nodeid, "failed")
    entry = diagnose(story.done())[0]

    assert told(story) == [("unknown", component, UNKNOWN)]
    assert (entry.parameters["seen"], entry.explains) == ("GET /health of api failed", (nodeid,))


def test_an_unknown_failure_without_words_or_a_registry_is_the_machines() -> None:
    """Its title stands for its message."""
    entry = fired(Story().check(LOOKUP, "failed", message=None), behaviour.UNEXPLAINED)[0]

    assert (entry.component, entry.parameters["seen"]) == (HOST, LOOKUP)


# --- the list --------------------------------------------------------------------------------------------------------


def test_unknown_failures_of_one_service_are_told_once() -> None:
    """With every check that they explain."""
    story = begun().check(LOOKUP, "failed").check(OTHER, "failed", message="other").check(VERSION, "failed")

    assert [(entry.component, entry.explains) for entry in diagnose(story.done())] == [
        ("api", (LOOKUP, OTHER)),
        ("mlflow", (VERSION,)),
    ]


def test_a_run_in_which_nothing_failed_has_no_diagnosis() -> None:
    """Passed checks, sound containers and sound rungs say nothing."""
    story = begun().check(LOOKUP, "passed").check(OTHER, "skipped")
    ended(story, "api", 0, status="running", health="healthy")
    rung(story, "database.login", "api", "database")

    assert told(story) == []


def test_settings_that_one_service_lacks_are_told_together() -> None:
    """From its log and from the ladder alike, each once, with all the evidence."""
    story = ended(begun(), "api", 1, "RuntimeError: API_KEY and POSTGRES_PASSWORD are not set")
    asked = rung(story, "database.login", "api", "database", "password-missing")
    found = diagnose(story.done())

    assert [(entry.cause, entry.parameters["setting"]) for entry in found] == [
        ("setting-missing", ["API_KEY", "POSTGRES_PASSWORD"])
    ]
    assert found[0].summary == "API_KEY, POSTGRES_PASSWORD is not set for api"
    assert asked in found[0].evidence


def test_a_list_of_settings_joins_with_single_ones() -> None:
    """Of two certainties the surer stands."""
    one = causes.diagnosis(
        "setting-missing", "api", evidence=(1,), parameters={"setting": ["A", "B"]}, confidence=LIKELY
    )
    other = causes.diagnosis("setting-missing", "api", evidence=(2,), parameters={"setting": "B"})
    merged = diagnosis._merged([one, other])  # noqa: SLF001 - no single run tells one setting in both shapes

    assert [(entry.parameters["setting"], entry.confidence, entry.evidence) for entry in merged] == [
        (["A", "B"], PROVEN, (1, 2))
    ]


@pytest.mark.parametrize("service", ["db", "api"])
def test_a_symptom_gives_way_to_a_reason_at_or_below_it(service: str) -> None:
    """What does not listen is told only where nothing is known of the service itself or of what it rests on."""
    story = begun()
    rung(story, "port.open", "api", "database", "refused")
    alone = told(story)
    ended(story, service, 137)

    assert alone == [("not-listening", "db", Confidence.UNKNOWN)]
    assert told(story) == (
        [("service-killed", "db", PROVEN)]
        if service == "db"
        else [("service-killed", "api", PROVEN), ("not-listening", "db", Confidence.UNKNOWN)]
    )


def test_of_what_is_only_told_the_lowest_is_told() -> None:
    """A crash above another crash is its consequence; one beside it is not; one above a known cause is."""
    both = ended(ended(begun(), "mlflow", 1, "boom"), "api", 1, "no mlflow")
    aside = ended(ended(begun(), "mlflow", 1, "boom"), "redis", 1, "bang")
    known = ended(ended(begun(), "db", 137), "api", 1, "no database")

    assert told(both) == [("service-crashed", "mlflow", UNKNOWN)]
    assert told(aside) == [("service-crashed", "redis", UNKNOWN), ("service-crashed", "mlflow", UNKNOWN)]
    assert told(known) == [("service-killed", "db", PROVEN)]


def test_one_service_is_told_by_the_first_rule_that_speaks_of_it() -> None:
    """Unhealthy and answering badly are one trouble."""
    story = begun()
    story.tell("container", "mlflow", {"status": "running", "exit_code": 0, "health": "unhealthy", "health_log": []})
    rung(story, "tracking.read", "api", "tracking", "status-500", status=500)

    assert told(story) == [("service-unhealthy", "mlflow", UNKNOWN)]


def test_a_machine_that_refuses_explains_everything() -> None:
    """It comes first, quiets what is only told, and explains every check that did not pass."""
    story = ended(begun(), "mlflow", 1, "boom")
    story.tell("start", "p", {"ok": False, "failed": {}, "compose_error": "no space left on device"})
    story.check(LOOKUP, "failed").check(VERSION, "broken").check(OTHER, "passed")
    story.check(OBJECTS, "skipped", because="mlflow is not running")
    found = diagnose(story.done())

    assert [(entry.cause, entry.component) for entry in found] == [("disk-full", HOST)]
    assert found[0].explains == (LOOKUP, VERSION, OBJECTS)


def test_a_cause_explains_what_asks_a_service_that_fails_along() -> None:
    """By the roles that a check needs, by the service that a skipped one waited for, or that a roleless one names."""
    story = ended(begun(), "mlflow", 137)
    story.check(LOOKUP, "failed").check(VERSION, "skipped", because="mlflow ended")
    story.check(OTHER, "skipped", because="mlflow-2 ended").check(OBJECTS, "passed")
    story.check(ALL, "failed", message="mlflow: exited").check(FIT, "broken")

    assert diagnose(story.done())[0].explains == (ALL, LOOKUP, VERSION, FIT)


def test_a_roleless_check_about_another_service_stays_unexplained() -> None:
    """It names none of those that fail along."""
    story = ended(begun(), "redis", 137).check(ALL, "failed", message="db: exited")

    assert told(story) == [("service-killed", "redis", PROVEN), ("unknown", "api", UNKNOWN)]


def test_the_ground_comes_before_what_rests_on_it() -> None:
    """The machine, then broken services from below, then behaviour, then what is not known, then the definition."""
    story = begun()
    story.tell("finding", "F1", {"severity": "error", "summary": "s", "remedy": "r", "service": "api"})
    story.check(FIT, "failed").check(LOOKUP, "failed", facts={"semantics": "health-slow"})
    story.check(ALL, "failed", message="odd")
    ended(ended(story, "redis", 137), "db", 137)
    story.tell("start", "p", {"compose_error": "Bind for 0.0.0.0:80 failed: port is already allocated"})

    assert [(entry.cause, entry.component) for entry in diagnose(story.done())] == [
        ("port-taken", HOST),
        ("service-killed", "db"),
        ("service-killed", "redis"),
        ("health-slow", "api"),
        ("unknown", "api"),
        ("unfit-definition", "api"),
    ]


def test_of_two_kinds_of_behaviour_the_one_that_explains_more_comes_first() -> None:
    """Else the one that stands first in the closed list."""
    story = begun().check(ALL, "failed", facts={"semantics": "health-constant"})
    story.check(LOOKUP, "failed", facts={"semantics": "lookup-wrong"})
    even = [cause for cause, _, _ in told(story)]
    story.check(OTHER, "failed", facts={"semantics": "lookup-wrong"})

    assert even == ["health-constant", "lookup-wrong"]
    assert [cause for cause, _, _ in told(story)] == ["lookup-wrong", "health-constant"]


@pytest.mark.parametrize(("service", "confidence"), [("db", LIKELY), ("api", LIKELY), (None, PROVEN)])
def test_behaviour_seen_while_the_ground_was_broken_is_only_likely(service: str | None, confidence: Confidence) -> None:
    """A service that is broken, or rests on what is, proves little by what it answers."""
    story = begun().check(LOOKUP, "failed", facts={"semantics": "metadata-dropped"})
    if service:
        ended(story, service, 137)

    assert told(story)[-1] == ("metadata-dropped", "api", confidence)


def test_what_is_broken_above_takes_no_certainty_from_what_is_below() -> None:
    """Nor does a trouble that is itself not proven."""
    above = ended(begun(), "api", 137).check(
        VERSION, "failed", facts={"semantics": "version-wrong", "service": "mlflow"}
    )
    unsure = ended(begun(), "db", 1, "boom").check(LOOKUP, "failed", facts={"semantics": "metadata-dropped"})

    assert told(above)[-1] == ("version-wrong", "mlflow", PROVEN)
    assert told(unsure) == [("service-crashed", "db", UNKNOWN), ("metadata-dropped", "api", PROVEN)]


def test_the_same_evidence_gives_the_same_list() -> None:
    """Byte for byte: nothing depends on the order of sets."""
    story = ended(ended(begun(), "db", 137), "redis", 137).check(LOOKUP, "failed")

    assert diagnose(story.done()) == diagnose(story.done())
