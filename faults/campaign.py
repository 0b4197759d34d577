"""The campaign: the gate is run on every entry of the corpus as a user would run it, and what it said is scored."""

import argparse
import hashlib
import json
import queue
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from itertools import accumulate
from pathlib import Path
from typing import Any, NoReturn

import psutil

from faults import kept, record, score
from faults.corpus import CorpusError, Fault, Kind, Selection, load
from faults.inject import PASSWORD, Director, Prepared, Scene, Step, copied, prepared
from faults.score import Named, Result
from faults.stage import Stage, StageError, holds, remove
from fixtures import builds, compose, engine
from fixtures.cleanup import end
from fixtures.containers import docker
from fixtures.ladder import NO_PYTHON
from fixtures.run import ROOT, discard
from reports.evidence import Bundle, BundleError, canonical
from reports.evidence import load as load_bundle
from reports.exits import Exit
from reports.judge import judge
from reports.rules.seen import Seen
from reports.verdict import document

OUT = ROOT / "reports" / "out" / "campaign"
DEFINITION = ROOT / "docker-compose.yml"
LONGEST = 420.0
"""Seconds after which a run of the gate is ended from outside: a defect of the gate, whatever the deployment does."""

PLAIN = "control-plain"
"""The entry that is the sound deployment itself: on it no proof of a fault may hold."""

BOUND = 2.5 * 3600
"""Seconds that the full campaign may take."""

SET_UP = 6.0
"""Seconds between two runs, beyond what the gate itself takes."""

SAMPLE = {Kind.CONTROL: 2, Kind.MUTANT: 4}
"""What a sample has besides one fault of each layer."""


class UsageError(Exception):
    """The user asked for something that cannot be done; one line that says what instead."""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message}; see ./airworthy --help")


@dataclass
class Options:
    """What was asked of the campaign."""

    selection: Selection
    out: Path
    jobs: int
    seed: int
    sample: bool
    repeat: int
    soak: int
    with_remedy: bool
    record: bool
    write: bool
    rejudge: bool
    fresh: bool


def options_of(arguments: Sequence[str]) -> Options:
    """The options; UsageError for what is none."""
    parser = _Parser(prog="airworthy campaign", add_help=False)
    parser.add_argument("words", nargs="*")
    parser.add_argument("--shard", default="1/1")
    parser.add_argument("--out", type=Path, default=OUT)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--seed", type=int, default=int(time.time()) % 100_000)
    parser.add_argument("--repeat", type=int, default=0)
    parser.add_argument("--soak", type=int, default=0)
    for flag in ("--all", "--sample", "--with-remedy", "--record", "--write", "--rejudge", "--fresh"):
        parser.add_argument(flag, action="store_true")
    known = parser.parse_args(list(arguments))
    number, _, count = known.shard.partition("/")
    if not (number.isdigit() and count.isdigit() and 1 <= int(number) <= int(count)):
        raise UsageError(f"--shard {known.shard}: not N/M with 1 <= N <= M")
    if known.jobs < 1:
        raise UsageError(f"--jobs {known.jobs}: at least 1")
    return Options(
        selection=Selection(tuple(known.words), (int(number), int(count)), known.all),
        out=known.out.resolve(),
        jobs=known.jobs,
        seed=known.seed,
        sample=known.sample,
        repeat=known.repeat,
        soak=known.soak,
        with_remedy=known.with_remedy,
        record=known.record,
        write=known.write,
        rejudge=known.rejudge,
        fresh=known.fresh,
    )


def say(line: str) -> None:
    """Progress, for people, on standard error."""
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


GATE = (
    "airworthy",
    "conftest.py",
    "docker-compose.yml",
    "*.lock",
    "package-lock.json",
    "fixtures",
    "reports",
    "suites",
)
"""What a run of the gate is made of: a commit that changes none of it changes no result."""


def commit() -> str:
    """The last commit that changed the gate, twelve digits; with a plus where files of it differ from it."""
    gate = [*GATE, ":(glob)faults/*.py", ":(exclude)suites/selftest"]
    last = ["git", "-C", str(ROOT), "log", "-1", "--format=%h", "--abbrev=12", "--", *gate]
    differs = ["git", "-C", str(ROOT), "status", "--porcelain", "-uno", "--", *gate]
    said, changed = (
        subprocess.run(words, capture_output=True, text=True, check=False).stdout.strip() for words in (last, differs)
    )
    return said + ("+" if changed else "")


def sampled(corpus: Sequence[Fault], seed: int, results: Sequence[Result]) -> tuple[Fault, ...]:
    """One fault of each layer, two controls and four mutants, drawn by a seed from those that the record says are done right and in time: what was caught must stay caught."""
    dice = random.Random(seed)  # noqa: S311  a sample, not a secret
    right = {result.id for result in results if score.is_right(result) and result.seconds <= score.LONGEST}
    known = [fault for fault in corpus if fault.id in right]
    faults = [fault for fault in known if fault.kind is Kind.FAULT]
    layers = sorted({fault.layer for fault in faults})
    chosen = [dice.choice([fault for fault in faults if fault.layer == layer]) for layer in layers]
    for kind, count in SAMPLE.items():
        found = [fault for fault in known if fault.kind is kind]
        chosen += dice.sample(found, min(count, len(found)))
    return tuple(chosen)


def bounded(chosen: Sequence[Fault], results: Sequence[Result], jobs: int) -> tuple[Fault, ...]:
    """As many entries as the bound holds by the record's times, so many at once: those first that have waited longest for a run."""
    latest = {result.id: result for result in results}
    waited = sorted(chosen, key=lambda fault: (latest[fault.id].day if fault.id in latest else "", fault.id))
    took = accumulate((latest[fault.id].seconds if fault.id in latest else SET_UP) + SET_UP for fault in waited)
    return tuple(fault for fault, seconds in zip(waited, took, strict=True) if seconds <= BOUND * jobs)


@dataclass(frozen=True)
class Job:
    """One run of the gate: an entry, under a name of its own where it is run more than once."""

    fault: Fault
    name: str
    overlays: tuple[Path, ...] = ()
    whole: bool = False


class StoppedError(Exception):
    """The campaign was interrupted: this run counts for nothing."""


@dataclass(frozen=True)
class Ran:
    """One run of the gate: its exit status (None where it had to be ended), its seconds, its id, and what could not be done to it."""

    status: int | None
    seconds: float
    run_id: str
    errors: Sequence[str]


class Runs:
    """The runs of the gate that are under way; an interrupted campaign ends them too."""

    def __init__(self) -> None:
        """None is under way."""
        self._lock = threading.Lock()
        self._running: set[subprocess.Popen[bytes]] = set()
        self._stopped = False

    def gate(self, out: Path, arguments: Sequence[str], steps: Sequence[Step] = ()) -> Ran:
        """Run `verify --keep` as a user would, do the steps meanwhile; StoppedError once the campaign has been interrupted."""
        command = [str(ROOT / "airworthy"), "verify", "--keep", "--forget", "--out", str(out), *arguments]
        began = time.monotonic()
        discard(out)
        out.mkdir(parents=True)
        with Director(out / "evidence" / "journal.jsonl", steps) as director, (out / "said").open("wb") as file:
            with self._lock:
                if self._stopped:
                    raise StoppedError
                # a session of its own: Ctrl-C reaches the campaign alone, which then ends its runs in order
                process = subprocess.Popen(
                    command, stdin=subprocess.DEVNULL, stdout=file, stderr=subprocess.STDOUT, start_new_session=True
                )
                self._running.add(process)
            try:
                status: int | None = process.wait(LONGEST)
            except subprocess.TimeoutExpired:
                status = None
                end([psutil.Process(process.pid)])
                process.wait()
            except KeyboardInterrupt:
                process.terminate()
                process.wait(LONGEST)
                if director.run_id:
                    remove(director.run_id)
                raise
            with self._lock:
                self._running.discard(process)
        return Ran(status, time.monotonic() - began, director.run_id, director.errors)

    def stop(self) -> None:
        """End what is under way as a terminal would; nothing begins any more."""
        with self._lock:
            self._stopped = True
            for process in self._running:
                process.terminate()

    @property
    def stopped(self) -> bool:
        """Whether the campaign has been interrupted."""
        return self._stopped


@dataclass
class Campaign:
    """One campaign while it goes on."""

    options: Options
    scene: Scene
    commit: str
    chosen: Sequence[Fault]
    began: float = field(default_factory=time.monotonic)
    results: dict[str, Result] = field(default_factory=dict)
    patches: dict[str, Sequence[Mapping[str, Any]]] = field(default_factory=dict)
    vacuous: set[str] = field(default_factory=set)
    """Entries whose proofs held on the sound deployment too."""
    runs: Runs = field(default_factory=Runs)
    _told: threading.Lock = field(default_factory=threading.Lock)

    def run(self, jobs: Sequence[Job]) -> None:
        """Run these, several at a time, each kept as it ends."""
        waiting: queue.Queue[Job] = queue.Queue()
        fresh = [job for job in jobs if not self._kept(job)]
        for job in fresh:
            waiting.put(job)
        say(
            f"campaign: {len(fresh)} runs, {len(jobs) - len(fresh)} kept from before; {self.options.jobs} at a time; commit {self.commit}"
        )
        count = len(self.results.keys() | {job.name for job in jobs})
        ended = [threading.Event() for _ in range(self.options.jobs)]
        for event in ended:
            threading.Thread(target=self._work, args=(waiting, count, event), daemon=True).start()
        # not join(): interrupted, it takes a thread that still runs for ended (bpo-45274)
        try:
            for event in ended:
                event.wait()
        except KeyboardInterrupt:
            say("campaign: interrupted; the runs under way are ended and cleared away")
            self.runs.stop()
            for event in ended:
                event.wait()
            raise

    def scored(self, job: Job) -> Result:
        """What a run came to; nothing where the proofs of its entry prove nothing."""
        result = self.results[job.name]
        if job.fault.id not in self.vacuous or result.error:
            return result
        return replace(result, error="its proofs hold on the sound deployment too")

    def _work(self, waiting: "queue.Queue[Job]", count: int, ended: threading.Event) -> None:
        try:
            while True:
                self._do(waiting.get_nowait(), count)
        except (queue.Empty, StoppedError):
            return
        finally:
            ended.set()

    def _do(self, job: Job, count: int) -> None:
        result = self._judged(job)
        if result.error is not None:
            say(f"{job.name}: once more, since {result.error}")
            result = self._judged(job)
        with self._told:
            self.results[job.name] = result
            self._keep(job, result)
            say(f"[{len(self.results)}/{count} {self._elapsed()}] {told(job.name, result)}")

    def _elapsed(self) -> str:
        minutes, seconds = divmod(int(time.monotonic() - self.began), 60)
        return f"{minutes}:{seconds:02}"

    def _path(self, job: Job) -> Path:
        return self.options.out / "results" / f"{job.name}.json"

    def _keep(self, job: Job, result: Result) -> None:
        path = self._path(job)
        path.parent.mkdir(parents=True, exist_ok=True)
        row = {"result": score.as_json(result), "patches": self.patches.get(job.name, [])}
        path.write_text(canonical(row, indent=1), encoding="utf-8")

    def _kept(self, job: Job) -> bool:
        """Whether this run was made before, of the same entry at the same commit; what failed to act is made again."""
        path = self._path(job)
        if self.options.fresh or not path.is_file():
            return False
        row = json.loads(path.read_text(encoding="utf-8"))
        result = score.result_of(row["result"])
        if result.error is not None or (result.digest, result.commit) != (job.fault.digest(), self.commit):
            return False
        self.results[job.name] = result
        self.patches[job.name] = row["patches"]
        return True

    def rejudge(self, jobs: Sequence[Job]) -> None:
        """Judge the evidence of runs that were made before by the rules of now, without running anything; what has none is left out."""
        for job in jobs:
            path = self._path(job)
            if not path.is_file():
                continue
            result = score.result_of(json.loads(path.read_text(encoding="utf-8"))["result"])
            if result.error is None and result.digest == job.fault.digest():
                verdict = document(judge(load_bundle(self.options.out / "runs" / job.name)))
                expect = tuple((one.cause, one.component) for one in job.fault.expect)
                again = replace(
                    result, expect=expect, severity=job.fault.severity, group=job.fault.group, commit=self.commit
                )
                self.results[job.name] = self._read(job, again, verdict)
                say(told(job.name, self.results[job.name]))

    def _judged(self, job: Job) -> Result:
        """Run the gate on one entry; an error of the campaign is told in the result, never counted as a catch."""
        began = time.monotonic()
        blank = Result(
            id=job.fault.id,
            kind=job.fault.kind.value,
            group=job.fault.group,
            severity=job.fault.severity,
            expect=tuple((one.cause, one.component) for one in job.fault.expect),
            verdict="",
            exit=None,
            seconds=0.0,
            commit=self.commit,
            day=datetime.now(UTC).date().isoformat(),
            digest=job.fault.digest(),
            host=any(one.component == "host" for one in job.fault.expect),
        )
        work = self.options.out / "work" / job.name
        discard(work)
        work.mkdir(parents=True)
        try:
            with prepared(job.fault, self.scene, work, lambda _: None) as made:
                return self._gated(job, made, blank)
        except (StageError, compose.ComposeError, OSError) as error:
            return replace(blank, error=f"{error}"[:400], seconds=time.monotonic() - began)
        finally:
            discard(work)

    def _gated(self, job: Job, made: Prepared, blank: Result) -> Result:
        out = self.options.out / "runs" / job.name
        fast = [] if job.whole or job.fault.whole else ["--fail-fast"]
        overlays = [word for path in job.overlays for word in ("--overlay", str(path))]
        ran = self.runs.gate(out, [*fast, *made.arguments, *overlays], made.steps)
        try:
            stage = Stage(ran.run_id)
            proofs = [holds(stage, proof) for proof in job.fault.fired] if ran.run_id else []
            if job.fault.id == PLAIN and ran.run_id:
                broken = [fault for fault in self.chosen if fault.kind is not Kind.CONTROL]
                self.vacuous |= {fault.id for fault in broken if is_vacuous(stage, fault)}
        finally:
            left = remove(ran.run_id) if ran.run_id else []
        if self.runs.stopped:
            raise StoppedError
        error = _error(job.fault, ran, proofs, left, out)
        verdict = (
            json.loads((out / "verdict.json").read_text(encoding="utf-8")) if (out / "verdict.json").is_file() else None
        )
        if verdict is None:
            last = (out / "said").read_text(encoding="utf-8", errors="replace").strip().splitlines()
            return replace(
                blank,
                exit=ran.status,
                seconds=ran.seconds,
                error=error or f"no verdict: {(last or ['it said nothing'])[-1]}"[:400],
            )
        for name in ("allure", "allure-results"):
            discard(out / name)
        return self._read(job, replace(blank, exit=ran.status, seconds=ran.seconds, error=error), verdict)

    def _read(self, job: Job, result: Result, verdict: Mapping[str, Any]) -> Result:
        """A result with what its verdict says."""
        # of a double fault each of the two that are named comes with its own
        given = dict.fromkeys(canonical(one["patch"]) for one in verdict["diagnoses"] if one.get("patch"))
        self.patches[job.name] = [json.loads(text) for text in given][: len(job.fault.expect)]
        items, checks = verdict["checklist"], verdict["checks"]
        return replace(
            result,
            verdict=verdict["verdict"],
            diagnoses=tuple(
                Named(d["cause"], d["component"], d["confidence"], d["summary"][:200]) for d in verdict["diagnoses"][:8]
            ),
            refuted=tuple(item["id"] for item in items if item["standing"] == "refuted" and item["required"]),
            failed=tuple(check["nodeid"] for check in checks if check["outcome"] == "failed"),
        )


def _error(
    fault: Fault,
    ran: Ran,
    proofs: Sequence[tuple[bool, str]],
    left: Sequence[str],
    out: Path,
) -> str | None:
    """Why a run counts for nothing: the fault did not act, or something of it was left behind."""
    if ran.status == Exit.USAGE:
        last = (out / "said").read_text(encoding="utf-8", errors="replace").strip().splitlines()
        return f"the gate refused it: {(last or [''])[-1]}"[:400]
    if ran.errors:
        return f"not done: {ran.errors[0]}"[:400]
    for (held, seen), proof in zip(proofs, fault.fired, strict=False):
        if not held:
            shown = " ".join(seen.split())
            return f"it did not fire: {dict(proof)} saw {shown[-160:]!r}"[:500]
    if left:
        return f"left behind: {', '.join(left)}"[:400]
    with suppress(BundleError):
        if stumbled := stumbles(load_bundle(out / "evidence")):
            return f"a rung stumbled over itself: {stumbled[0]}"[:400]
    return None


def stumbles(bundle: Bundle) -> list[str]:
    """The rungs of a run that broke by a mistake of their own program: such a rung is blind, and nothing else would tell."""
    broken = (rung for rung in Seen(bundle).rungs if rung.code == "broken" and rung.message != NO_PYTHON)
    return [f"{rung.name} at {rung.position}: {rung.message}" for rung in broken]


MENDED = ".mended"
"""What is added to the name of a fault's run for its run with the patch."""


def told(name: str, result: Result) -> str:
    """One line of progress."""
    if result.error is not None:
        return f"{name}: ERROR of the campaign: {result.error}"
    first = result.diagnoses[0] if result.diagnoses else None
    said = f"{first.cause} @ {first.component} ({first.confidence})" if first else "no diagnosis"
    if name.endswith(MENDED):
        word = "mended" if result.verdict == score.READY else "NOT MENDED"
        return f"{name}: {word} ({result.verdict}, {result.seconds:.0f} s){f': still {said}' if first else ''}"
    if result.kind == "control":
        return f"{name}: {'quiet' if result.verdict == score.READY else 'FALSE ALARM'} ({result.verdict}, {result.seconds:.0f} s){'' if result.verdict == score.READY else ' ' + said}"
    marks = f"cause {score.word(result)}, component {'right' if result.component_first else 'WRONG'}"
    wanted = (
        ""
        if result.rank == 1 and result.component_first
        else f"; wanted {', '.join(f'{c} @ {k}' for c, k in result.expect)}"
    )
    return f"{name}: {'caught' if result.caught else 'MISSED'} ({result.verdict}, {result.seconds:.0f} s), {marks}: {said}{wanted}"


def images_of(variables: Mapping[str, str]) -> dict[str, str]:
    """Service of the project's own definition -> its image."""
    made = {**compose.made_variables([DEFINITION]), **variables}
    rendered = compose.render([DEFINITION], made, "airworthy-corpus")
    return {name: service["image"] for name, service in rendered["services"].items()}


def scene_for(corpus: Sequence[Fault], out: Path) -> Scene:
    """Engine, images, and where an entry needs them the volumes of a sound run, made once for the same images."""
    engine.ensure(no_install=False, say=say)
    variables = builds.ensure_images(builds.which_world(say), ROOT, say)
    scene = Scene(images_of(variables), variables)
    if any(row["kind"] in {"volume", "sql"} for fault in corpus for row in fault.inject):
        return replace(scene, snapshot=snapshot(out / "snapshot", scene))
    return scene


VOLUMES = {"postgres-data": "postgres", "redis-data": "redis", "minio-data": "minio"}
"""The volumes of the project's own definition, and whose each is."""


def snapshot(out: Path, scene: Scene) -> dict[str, str]:
    """The volumes of a sound run, kept under names of their content; StageError unless that run is READY."""
    mark = hashlib.sha256(canonical([dict(scene.images), PASSWORD]).encode()).hexdigest()[:8]
    names = {volume: f"airworthy-snapshot-{mark}-{volume}" for volume in VOLUMES}
    if all(docker("volume", "inspect", name).ok for name in names.values()):
        return names
    began = time.monotonic()
    discard(out)
    out.mkdir(parents=True)
    variables = out / "used.env"
    variables.write_text(f"POSTGRES_PASSWORD={PASSWORD}\n", encoding="utf-8")
    say("campaign: a sound run first, whose volumes are the used ones")
    ran = Runs().gate(out / "run", ["--env-file", str(variables)])
    try:
        if ran.status != Exit.READY:
            raise StageError(f"the sound deployment is not READY (status {ran.status}); see {out}")
        stage = Stage(ran.run_id)
        stopped = ("model-registry-api", "mlflow-server", *VOLUMES.values())
        docker("stop", "--time", "10", *map(stage.container, stopped), timeout=60)
        for volume, name in names.items():
            copied(f"airworthy-{ran.run_id}_{volume}", name, scene.variables["PYTHON_IMAGE"], keep=True)
    finally:
        remove(ran.run_id)
    say(f"campaign: the sound run and the copies of its volumes took {time.monotonic() - began:.0f} s")
    return names


def is_vacuous(stage: Stage, fault: Fault) -> bool:
    """Whether all proofs of an entry hold on a sound deployment: then they prove nothing."""
    return bool(fault.fired) and all(holds(stage, proof)[0] for proof in fault.fired)


def campaign(arguments: Sequence[str]) -> int:
    """Run the campaign, score it, and say whether the floors hold."""
    options = options_of(arguments)
    corpus = load()
    if options.write:
        record.write(record.load(), corpus)
        return Exit.READY
    if options.soak:
        return soak(options, corpus)
    chosen = sampled(corpus, options.seed, record.results("latest")) if options.sample else options.selection.of(corpus)
    if not (options.sample or options.repeat or options.rejudge or options.selection.words or options.selection.every):
        found, chosen = len(chosen), bounded(chosen, record.results("latest"), options.jobs)
        if len(chosen) < found:
            say(
                f"campaign: {len(chosen)} of {found} entries, those that waited longest: as many as {BOUND / 3600} h hold"
            )
    if options.sample or options.repeat:
        say(f"campaign: seed {options.seed} (--seed {options.seed} draws the same again)")
    jobs = [Job(fault, fault.id) for fault in longest_first(chosen)]
    if options.repeat:
        faults = [fault for fault in chosen if fault.kind is Kind.FAULT]
        dice = random.Random(options.seed)  # noqa: S311  a sample, not a secret
        picked = dice.sample(faults, min(15, len(faults)))
        jobs = [Job(fault, f"{fault.id}.{number}") for fault in picked for number in range(1, options.repeat + 1)]
    scene = Scene({}, {}) if options.rejudge else scene_for([job.fault for job in jobs], options.out)
    running = Campaign(options, scene, commit(), chosen)
    if options.rejudge:
        running.rejudge(jobs)
        jobs = [job for job in jobs if job.name in running.results]
    else:
        running.run(jobs)
    mended = remedied(running, jobs) if options.with_remedy else {}
    results = [running.scored(job) for job in jobs]
    if options.record:
        record.keep(results)
        keep_evidence(options, jobs, results)
    return reported(options, results, mended, repeated=bool(options.repeat))


def keep_evidence(options: Options, jobs: Sequence[Job], results: Sequence[Result]) -> None:
    """Keep beside each fault what its run showed, trimmed, for the self-tests of the rules."""
    for job, result in zip(jobs, results, strict=True):
        if result.error is None and job.fault.kind is Kind.FAULT:
            try:
                kept.keep(job.fault, load_bundle(options.out / "runs" / job.name))
            except (kept.KeptError, BundleError) as error:
                say(f"{job.name}: its evidence is not kept: {error}")


def longest_first(corpus: Iterable[Fault]) -> list[Fault]:
    """Whole runs before those that end at the first failure, so that no long one is left to the end alone."""
    return sorted(corpus, key=lambda fault: (not fault.whole, fault.id))


def remedied(running: Campaign, jobs: Sequence[Job]) -> dict[str, bool]:
    """Run the configuration faults again with the patch that their diagnosis gave: whether each turned READY."""
    again: list[Job] = []
    folder = running.options.out / "patches"
    folder.mkdir(parents=True, exist_ok=True)
    wanted = [job for job in jobs if job.fault.config]
    for job in wanted:
        paths = []
        for number, patch in enumerate(running.patches.get(job.name, ())):
            paths.append(folder / f"{job.fault.id}.{number}.json")
            paths[-1].write_text(json.dumps(patch, indent=1), encoding="utf-8")
        if paths:
            again.append(Job(replace(job.fault, fired=()), f"{job.name}{MENDED}", tuple(paths), whole=True))
    say(f"campaign: {len(again)} of {len(wanted)} configuration faults came with a patch; each is applied")
    running.run(again)
    return {job.fault.id: _is_ready(running, f"{job.name}{MENDED}") for job in wanted}


def _is_ready(running: Campaign, name: str) -> bool:
    return name in running.results and running.results[name].verdict == score.READY


def soak(options: Options, corpus: Sequence[Fault]) -> int:
    """Run the sound deployment many times, every second time under CPU stress."""
    plain = next(fault for fault in corpus if fault.id == PLAIN)
    stress = {"kind": "host", "action": "stress", "workers": 2}
    jobs = [
        Job(replace(plain, inject=(stress,)) if number % 2 else plain, f"soak-{number:02}")
        for number in range(options.soak)
    ]
    running = Campaign(options, scene_for([plain], options.out), commit(), ())
    running.run(jobs)
    return reported(options, [replace(running.results[job.name], id=job.name) for job in jobs], {}, repeated=False)


def reported(options: Options, results: Sequence[Result], mended: Mapping[str, bool], *, repeated: bool) -> int:
    """Write campaign.json and campaign.md, print the summary; the exit status."""
    found = score.floors(results, sample=options.sample)
    if mended:
        got = score.Rate(sum(mended.values()), len(mended))
        found = (
            *found,
            score.Floor("configuration faults mended by their patch", ">= 80%", str(got), (got.share or 0) >= 0.8),
        )
    if repeated:
        found = (*found, steady(results))
    errors = [result for result in results if result.error is not None]
    document = {
        "schema": "airworthy/campaign/1",
        "seed": options.seed,
        "floors": [asdict(floor) for floor in found],
        "misses": score.misses(results),
        "false_alarms": score.false_alarms(results),
        "errors": {result.id: result.error for result in errors},
        "layers": {
            group: {name: asdict(r) | {"interval": r.interval} for name, r in rates.items()}
            for group, rates in score.by_group(results).items()
        },
        "reddened": score.reddened(results),
        "mended": dict(mended),
        "results": [score.as_json(result) for result in results],
    }
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "campaign.json").write_text(canonical(document, indent=1), encoding="utf-8")
    lines = [*summary(found, results), "", *score.table(results)]
    (options.out / "campaign.md").write_text("\n".join(lines) + "\n", encoding="utf-8")
    sys.stdout.write("\n".join(summary(found, results)) + "\n")
    sys.stdout.write(f"{sum(r.error is None for r in results)} passed, {len(errors)} failed\n")
    sys.stdout.flush()
    if errors:
        return Exit.HARNESS
    return Exit.READY if all(floor.holds is not False for floor in found) else Exit.NOT_READY


def steady(results: Sequence[Result]) -> score.Floor:
    """Whether repeats of one fault had the same verdict and first cause."""
    said: dict[str, set[tuple[str, str]]] = {}
    for result in results:
        said.setdefault(result.id, set()).add((result.verdict, result.diagnoses[0].cause if result.diagnoses else ""))
    got = score.Rate(sum(len(words) == 1 for words in said.values()), len(said))
    return score.Floor("same verdict and first cause in all repeats", "all", str(got), got.hits == got.of)


def summary(found: Sequence[score.Floor], results: Sequence[Result]) -> list[str]:
    """Floors, layers, misses, false alarms and errors, in Markdown."""
    lines = ["| floor | bound | reached | holds |", "|---|---|---|---|"]
    words = {True: "yes", False: "**no**", None: "-"}
    lines += [f"| {floor.name} | {floor.bound} | {floor.reached} | {words[floor.holds]} |" for floor in found]
    lines += ["", f"| layer | {' | '.join(score.MEASURES)} |", f"|---|{'---|' * len(score.MEASURES)}"]
    for group, rates in score.by_group(results).items():
        lines.append(f"| {group} | {' | '.join(str(one) for one in rates.values())} |")
    for title, names in (("let through", score.misses(results)), ("false alarms", score.false_alarms(results))):
        lines += ["", f"{title}: {', '.join(names) or 'none'}"]
    lines += [f"error of the campaign: {result.id}: {result.error}" for result in results if result.error is not None]
    return lines


def _on_terminate(*_: object) -> NoReturn:
    raise KeyboardInterrupt


def main(arguments: Sequence[str]) -> int:
    """Run the command; every known way to fail is one line and its exit status."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _on_terminate)
    try:
        return campaign(arguments)
    except (UsageError, CorpusError) as error:
        say(f"airworthy campaign: {error}")
        return Exit.USAGE
    except (StageError, engine.EngineError, builds.BuildError, compose.ComposeError) as error:
        say(f"airworthy campaign: {error}")
        return Exit.HARNESS
    except KeyboardInterrupt:
        say("interrupted; what had ended is kept, and the same call goes on from there")
        return Exit.INTERRUPTED


if __name__ == "__main__":
    sys.exit(main(sys.argv[2:]))
