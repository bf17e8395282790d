"""The examples for farms: read by Ray itself, run with the farm's programs played, imported where Serve is not."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml

from foley.pipeline.workflow import folder

CLUSTER = folder() / "cluster"

PATIENCE_S = 60.0

PLAYED = {
    "scontrol": 'printf "one\\ntwo\\nthree\\n"',
    "srun": 'echo "srun $*" >> "$CALLS"; while case $1 in --*) true;; *) false;; esac; do shift; done; exec "$@"',
    "hostname": "echo 10.0.0.1 fe80::1",
    "ray": 'echo "ray $*" >> "$CALLS"; [ "$1" = start ] && exec sleep 600; exit 0',
    "foley": "trap 'echo ended >> \"$CALLS\"; exit 143' TERM\n"
    'echo "foley $*" >> "$CALLS"; echo "cache $FOLEY_CACHE" >> "$CALLS"\n'
    'if [ "$1 $2" = "batch wait" ]; then while :; do sleep 0.1; done; fi; exit 12',
}
"""What the script calls; those that would start or wait note how they were called."""


@pytest.fixture
def farm(tmp_path: Path) -> dict[str, str]:
    """The environment of a Slurm job whose programs are played."""
    for name, text in PLAYED.items():
        (tmp_path / name).write_text(f"#!/bin/bash\n{text}\n")
        (tmp_path / name).chmod(0o755)
    slurm = {"JOB_ID": "4711", "JOB_NODELIST": "one,two,three", "CPUS_PER_TASK": "16", "SUBMIT_DIR": str(tmp_path)}
    return {
        **{name: value for name, value in os.environ.items() if name != "FOLEY_CACHE"},
        **{f"SLURM_{name}": value for name, value in slurm.items()},
        "PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}",
        "CALLS": str(tmp_path / "calls"),
    }


def begun(farm: dict[str, str], *words: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        ["bash", str(CLUSTER / "slurm.sh"), *words], env=farm, start_new_session=True, stderr=subprocess.DEVNULL
    )


def ended(process: subprocess.Popen[bytes]) -> int:
    try:
        return process.wait(PATIENCE_S)
    finally:
        os.killpg(process.pid, signal.SIGKILL)  # the machines, as Slurm does when a job is over


def calls(farm: dict[str, str]) -> list[str]:
    path = Path(farm["CALLS"])
    return path.read_text().splitlines() if path.exists() else []


def wait_for(farm: dict[str, str], said: str) -> None:
    until_s = time.monotonic() + PATIENCE_S
    while not any(line.startswith(said) for line in calls(farm)) and time.monotonic() < until_s:
        time.sleep(0.02)
    assert any(line.startswith(said) for line in calls(farm)), calls(farm)


@pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not installed")
def test_a_slurm_job_joins_its_machines_and_does_the_batch_on_them(farm: dict[str, str]) -> None:
    process = begun(farm, "wait", "two words.csv")
    for name in ("two", "three"):
        wait_for(farm, f"srun --overlap --nodes=1 --ntasks=1 --nodelist={name} ")
    wait_for(farm, "foley batch")
    process.terminate()
    assert ended(process) == 143
    said = calls(farm)
    address = f"10.0.0.1:{20000 + 4711}"
    (batch,) = [line for line in said if line.startswith("foley")]
    assert batch == f"foley batch wait two words.csv --cluster {address}"
    starts = [line for line in said if line.startswith("srun") and "ray start" in line]
    assert len(starts) == 3
    assert "--head" in starts[0]
    assert all(f"--address={address}" in line for line in starts[1:])
    assert all("--num-cpus=16" in line and "--block" in line for line in starts)
    assert f"cache {farm['SLURM_SUBMIT_DIR']}/.foley-cache" in said
    assert "ended" in said  # Slurm's signal came to the batch: it could write its summary


@pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not installed")
def test_a_slurm_job_ends_as_its_batch_does(farm: dict[str, str]) -> None:
    assert ended(begun(farm, "clips/")) == 12


def test_slurm_reads_the_resources_of_the_job() -> None:
    lines = [line for line in (CLUSTER / "slurm.sh").read_text().splitlines() if line.startswith("#SBATCH")]
    asked = dict(re.fullmatch(r"#SBATCH --([a-z-]+)=(\S+)", line).groups() for line in lines)  # type: ignore[union-attr]
    assert asked["ntasks-per-node"] == "1"
    assert {"nodes", "cpus-per-task", "time", "signal"} <= set(asked)


@pytest.fixture
def custom_resource() -> dict[str, Any]:
    (document,) = yaml.safe_load_all((CLUSTER / "kuberay.yaml").read_text())
    return dict(document)


def test_rays_own_autoscaler_reads_the_kubernetes_cluster(
    custom_resource: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    reader = pytest.importorskip("ray.autoscaler._private.kuberay.autoscaling_config", reason="Ray is not installed")
    from ray.autoscaler._private.util import validate_config

    custom_resource["metadata"]["namespace"] = "default"  # the cluster gives it
    found = reader._derive_autoscaling_config_from_ray_cr(custom_resource)
    validate_config(found)
    kinds = {name: kind["resources"] for name, kind in found["available_node_types"].items()}
    assert kinds["headgroup"]["CPU"] == 0
    assert kinds["gpus"]["GPU"] == 1
    assert kinds["cores"]["CPU"] > 1


def test_the_pods_of_the_kubernetes_cluster_hold_together(custom_resource: dict[str, Any]) -> None:
    assert (custom_resource["apiVersion"], custom_resource["kind"]) == ("ray.io/v1", "RayCluster")
    head, groups = custom_resource["spec"]["headGroupSpec"], custom_resource["spec"]["workerGroupSpecs"]
    assert len({group["groupName"] for group in groups}) == len(groups)
    for group in groups:
        assert group["minReplicas"] <= group["replicas"] <= group["maxReplicas"]
    images = set()
    for group in (head, *groups):
        assert all(isinstance(value, str) for value in group["rayStartParams"].values())  # as KubeRay wants them
        pod = group["template"]["spec"]
        volumes = {volume["name"] for volume in pod["volumes"]}
        for container in pod["containers"]:
            images.add(container["image"])
            assert {mount["name"] for mount in container["volumeMounts"]} == volumes
            assert container["resources"]["limits"] == container["resources"]["requests"]
            assert all(isinstance(each["value"], str) for each in container.get("env", []))
    assert len(images) == 1  # all machines have the same foley


@pytest.fixture
def serve_app(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The example for Ray Serve; where Serve is not installed, its one function is played."""
    pytest.importorskip("starlette", reason="starlette is not installed")
    if importlib.util.find_spec("ray") is None or importlib.util.find_spec("fastapi") is None:  # what Serve needs
        ray, played = ModuleType("ray"), ModuleType("ray.serve")
        vars(played).update(deployment=Deployment, Application=Deployment)
        vars(ray).update(serve=played)
        monkeypatch.setitem(sys.modules, "ray", ray)
        monkeypatch.setitem(sys.modules, "ray.serve", played)
    about = importlib.util.spec_from_file_location("ray_serve_app", CLUSTER / "ray_serve_app.py")
    assert about is not None
    assert about.loader is not None
    module = importlib.util.module_from_spec(about)
    about.loader.exec_module(module)
    return module


class Deployment:
    """Stands for a deployment of Ray Serve: what is bound to it is kept."""

    def __init__(self, work: type, **options: Any) -> None:
        self.work, self.options = work, options
        self.given: tuple[Any, ...] = ()

    def bind(self, *given: Any) -> Deployment:
        self.given = given
        return self


def test_the_serve_example_is_built_as_serve_run_builds_it(serve_app: ModuleType, tmp_path: Path) -> None:
    said = {"roots": "/a,/b", "workdir": str(tmp_path), "token_file": str(tmp_path / "token"), "gpus": "0.5"}
    assert serve_app.build(said) is not None
    if isinstance(built := serve_app.build(said), Deployment):
        assert built.given == (["/a", "/b"], str(tmp_path), str(tmp_path / "token"))
        assert built.options["ray_actor_options"] == {"num_cpus": 1.0, "num_gpus": 0.5}


def test_a_replica_of_the_serve_example_does_a_job_and_refuses_strangers(
    serve_app: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from starlette.testclient import TestClient

    from tests.media_maker import moving

    monkeypatch.setattr(serve_app, "warm_up", lambda **how: None)
    video, token = moving(tmp_path / "clip.mp4", duration_s=0.4), tmp_path / "token"
    scorer = serve_app.Scorer([str(tmp_path)], str(tmp_path / "cache"), str(token))

    async def answer(scope: Any, receive: Any, send: Any) -> None:
        await (await scorer(serve_app.Request(scope, receive)))(scope, receive, send)

    client = TestClient(answer)
    job = {"video": str(video), "output": str(tmp_path / "made.mp4"), "prompt": "a door slams"}
    assert client.post("/", json=job).status_code == 401
    known = {"Authorization": f"Bearer {token.read_text().strip()}"}
    done = client.post("/", json=job, headers=known)
    assert done.status_code == 200, done.text
    assert Path(done.json()["video"]).is_file()
    assert client.get("/", headers=known).status_code == 405
    outside = client.post("/", json={**job, "output": "/made.mp4"}, headers=known)
    assert outside.status_code == 403
    scorer.check_health()
