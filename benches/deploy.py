"""Measures how much longer the deploy stage takes than the servers themselves. `deploy.py RUNNER FILE [ROUNDS]`, with `KUBECONFIG` and `kubectl` on the path.

Rounds alternate, each in an empty namespace: `runner run`, and by hand what it renders, `kubectl apply` in one go, with the
same Secret. Runner's figure is its deploy stage, connections and constraints included; by hand it is from the apply until every pod is
ready, looked at ten times a second: the servers' own start."""

import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

PASSWORD = "of-the-benchmark"


def call(*command, **options) -> str:
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, **options).stdout


def as_objects(rendered: str) -> list:
    """The documents as kubectl reads them."""
    written = call("kubectl", "create", "--dry-run=client", "--validate=false", "-o", "json", "-f", "-", input=rendered).strip()
    decoder, found, place = json.JSONDecoder(), [], 0
    while place < len(written):
        value, place = decoder.raw_decode(written, place)
        found.extend(value["items"] if value["kind"] == "List" else [value])
        place = len(written) - len(written[place:].lstrip())
    return found


def facts(manifests: list) -> tuple:
    """The namespace, the pipeline's name and the workloads."""
    namespace = next(one["metadata"]["name"] for one in manifests if one["kind"] == "Namespace")
    pipeline = manifests[0]["metadata"]["labels"]["runner.dev/pipeline"]
    return namespace, pipeline, [one for one in manifests if one["kind"] in ("StatefulSet", "Deployment")]


def gone(namespace: str):
    subprocess.run(["kubectl", "delete", "namespace", namespace, "--ignore-not-found", "--wait"], check=True, stdout=subprocess.DEVNULL)


def by_runner(runner: str, file: str) -> float:
    with tempfile.TemporaryDirectory() as folder:
        call(runner, "run", file, "--state-dir", f"{folder}/state", "--report-dir", folder, stderr=subprocess.DEVNULL)
        stages = json.loads(Path(folder, "report.json").read_text())["stages"]
        return next(stage["seconds"] for stage in stages if stage["name"] == "deploy")


def by_hand(manifests: list, namespace: str, pipeline: str, workloads: list) -> float:
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": f"{pipeline}-neo4j-auth", "namespace": namespace},
        "stringData": {"password": PASSWORD, "NEO4J_AUTH": f"neo4j/{PASSWORD}"},
    }
    first = [one for one in manifests if one["kind"] == "Namespace"]
    rest = [one for one in manifests if one["kind"] != "Namespace"]
    objects = {"apiVersion": "v1", "kind": "List", "items": [*first, secret, *rest]}
    begun = time.monotonic()
    call("kubectl", "apply", "--server-side", "-f", "-", input=json.dumps(objects))
    wanted = sum(one["spec"].get("replicas", 1) for one in workloads)
    while True:
        pods = json.loads(call("kubectl", "get", "pods", "-n", namespace, "-o", "json"))["items"]
        conditions = [one for pod in pods for one in pod["status"].get("conditions", [])]
        if sum(one["type"] == "Ready" and one["status"] == "True" for one in conditions) == wanted:
            return time.monotonic() - begun
        time.sleep(0.1)


def main():
    runner, file, *rest = sys.argv[1:]
    rounds = int(rest[0]) if rest else 3
    manifests = as_objects(call(runner, "render", file))
    namespace, pipeline, workloads = facts(manifests)
    differences = []
    for number in range(rounds):
        gone(namespace)
        hand = by_hand(manifests, namespace, pipeline, workloads)
        gone(namespace)
        ours = by_runner(runner, file)
        differences.append(ours - hand)
        print(f"round {number + 1}: runner {ours:5.1f} s, by hand {hand:5.1f} s, difference {ours - hand:+.1f} s", flush=True)
    gone(namespace)
    print(f"median difference {statistics.median(differences):+.1f} s   aim < 3")


if __name__ == "__main__":
    main()
