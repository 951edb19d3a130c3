"""The Helm chart: its values are what its templates read, and what it starts is there. Where Helm is, it
makes the objects, and Kubernetes' schemas and our own configuration are asked what they say of them."""

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from openclaw_gateway import __version__
from openclaw_gateway.config.load import load_config
from openclaw_gateway.config.schema.limits import Limits
from tests.deploy.tools import DEPLOY, brought_python
from tests.docs.test_pages import unknown

CHART = DEPLOY / "helm" / "openclaw-gateway"
VALUES: dict[str, Any] = yaml.safe_load((CHART / "values.yaml").read_text("utf-8"))
SCHEMA: dict[str, Any] = json.loads((CHART / "values.schema.json").read_text("utf-8"))
TEMPLATES = {path.name: path.read_text("utf-8") for path in sorted((CHART / "templates").iterdir())}
ALL = "\n".join(TEMPLATES.values())
SECRET = {
    "OPENCLAW_GATEWAY_TOKEN": "a1b2c3d4e5f6a7b8c9d0",
    "STORE_URL": "postgresql://u:p@db.example.org/gateway",
    "BUS_URL": "rediss://:p@bus.example.org:6379/0",
    "MODEL_API_KEY": "a-key",
}
RELEASES: dict[str, dict[str, Any]] = {
    "made secret": {"secret": SECRET},
    "named secret": {"existingSecret": "gateway-secrets", "podDisruptionBudget": {"enabled": False}},
    "all": {
        "secret": SECRET,
        "image": {"tag": "9.9"},
        "imagePullSecrets": [{"name": "registry"}],
        "worker": {"autoscaling": {"enabled": True}, "nodeSelector": {"kind": "worker"}},
        "front": {"replicas": 3, "tolerations": [{"key": "a", "operator": "Exists"}]},
        "service": {"annotations": {"a": "b"}},
        "ingress": {"enabled": True, "className": "nginx", "tlsSecret": "tls", "annotations": {"c": "d"}},
        "podDisruptionBudget": {"maxUnavailable": "50%"},
        "workspaces": {"existingClaim": "shared"},
        "config": {"gateway": {"trustedProxies": ["10.0.0.0/8"]}},
    },
}
REFUSED: dict[str, dict[str, Any]] = {
    "no secret": {},
    "half a secret": {"secret": {"OPENCLAW_GATEWAY_TOKEN": SECRET["OPENCLAW_GATEWAY_TOKEN"]}},
    "a key that is none": {"secret": SECRET, "fronts": 2},
    "another database": {"secret": {**SECRET, "STORE_URL": "mysql://u:p@db/gateway"}},
}


def leaves(values: Any, path: str = "") -> Iterator[str]:
    """What is handed on whole is one."""
    if isinstance(values, dict) and values and path.rpartition(".")[2] not in ("config", "resources"):
        for name, value in values.items():
            yield from leaves(value, f"{path}.{name}" if path else name)
    else:
        yield path


def read() -> set[str]:
    """The values that templates read, by their paths."""
    found = {path.rstrip(".") for path in re.findall(r"(?:\$|\$root)?\.Values\.([\w.]+)", ALL)}
    for role in ("front", "worker"):
        found |= {f"{role}.{name}" for name in re.findall(r"\$of\.(\w+)", ALL)}
    autoscaling = TEMPLATES["horizontalpodautoscaler.yaml"].partition("with .Values.worker.autoscaling")[2]
    found |= {
        f"worker.autoscaling.{name}" for name in re.findall(r"\{\{-? (?:if )?\.(\w+) -?\}\}", autoscaling)
    }
    return found


def test_every_value_is_read_and_every_one_that_is_read_is_there() -> None:
    known, used = {*leaves(VALUES)}, read()
    wholes = {"front", "worker", "worker.autoscaling"}
    assert used - wholes == known


def test_the_values_are_what_the_schema_says_and_it_knows_them_all() -> None:
    jsonschema.Draft7Validator.check_schema(SCHEMA)
    jsonschema.validate(VALUES, SCHEMA)
    for path in leaves(VALUES):
        at: Any = SCHEMA
        for name in path.split("."):
            at = at["properties"][name]
            while "$ref" in at:
                at = SCHEMA["definitions"][at["$ref"].rpartition("/")[2]]
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**VALUES, "replicas": 3}, SCHEMA)


@pytest.mark.parametrize("name", TEMPLATES)
def test_each_block_of_a_template_is_closed(name: str) -> None:
    text = re.sub(r"\{\{-? ?/\*.*?\*/ ?-?\}\}", "", TEMPLATES[name], flags=re.DOTALL)
    assert text.count("{{") == text.count("}}") == len(re.findall(r"\{\{.*?\}\}", text))
    opened = re.findall(r"\{\{-? (if|with|range|define)\b", text)
    assert len(opened) == len(re.findall(r"\{\{-? end\b", text))


def test_every_part_that_is_included_is_defined() -> None:
    assert {*re.findall(r'include "([\w.]+)"', ALL)} == {*re.findall(r'define "([\w.]+)"', ALL)}


def test_the_chart_is_of_this_version() -> None:
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text("utf-8"))
    assert chart["name"] == CHART.name
    assert (chart["version"], chart["appVersion"]) == (__version__, __version__)


def test_a_pod_has_time_to_leave() -> None:
    assert VALUES["terminationGracePeriodSeconds"] >= VALUES["preStopSeconds"] + Limits().drain_s
    assert VALUES["preStopSeconds"] > 0


@pytest.fixture(scope="module")
def made() -> dict[str, Any]:
    python = brought_python()
    asked = {"chart": str(CHART), "values": {**RELEASES, **REFUSED}}
    done = subprocess.run(
        [python, str(Path(__file__).with_name("programs") / "charted.py")],
        input=json.dumps(asked),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def objects(made: dict[str, Any], release: str, kind: str) -> list[dict[str, Any]]:
    return [each for each in made[release]["objects"] if each["kind"] == kind]


@pytest.mark.parametrize("release", RELEASES)
def test_helm_makes_objects_that_kubernetes_takes(made: dict[str, Any], release: str) -> None:
    assert made[release]["refused"] is None
    assert made[release]["lint"] == []
    kinds = sorted(each["kind"] for each in made[release]["objects"])
    expected = ["ConfigMap", "Deployment", "Deployment", "Service"]
    expected += ["Secret"] if "secret" in RELEASES[release] else []
    expected += ["PodDisruptionBudget"] * 2 if release != "named secret" else []
    expected += ["Ingress", "HorizontalPodAutoscaler"] if release == "all" else []
    assert kinds == sorted(expected)


@pytest.mark.parametrize("values", REFUSED)
def test_what_would_not_start_is_refused(made: dict[str, Any], values: str) -> None:
    assert made[values]["refused"]


@pytest.mark.parametrize("release", RELEASES)
def test_the_objects_belong_together(made: dict[str, Any], release: str) -> None:
    deployments = {each["metadata"]["name"]: each for each in objects(made, release, "Deployment")}
    assert {*deployments} == {"try-openclaw-gateway-front", "try-openclaw-gateway-worker"}
    labels = {name: each["spec"]["template"]["metadata"]["labels"] for name, each in deployments.items()}
    for name, each in deployments.items():
        selector = each["spec"]["selector"]["matchLabels"]
        assert [other for other in labels if selector.items() <= labels[other].items()] == [name]
    (service,) = objects(made, release, "Service")
    selected = [name for name in labels if service["spec"]["selector"].items() <= labels[name].items()]
    assert selected == ["try-openclaw-gateway-front"]
    for budget in objects(made, release, "PodDisruptionBudget"):
        wanted = budget["spec"]["selector"]["matchLabels"]
        assert [name for name in labels if wanted.items() <= labels[name].items()] == [
            budget["metadata"]["name"]
        ]
    for scaler in objects(made, release, "HorizontalPodAutoscaler"):
        scaled = deployments[scaler["spec"]["scaleTargetRef"]["name"]]
        assert "replicas" not in scaled["spec"]


@pytest.mark.parametrize("release", RELEASES)
def test_a_pod_may_do_little_and_says_how_it_is(made: dict[str, Any], release: str) -> None:
    for each in objects(made, release, "Deployment"):
        pod = each["spec"]["template"]["spec"]
        role = each["metadata"]["labels"]["app.kubernetes.io/component"]
        (container,) = pod["containers"]
        assert unknown(["openclaw", *container["args"]]) is None
        assert container["args"][container["args"].index("--role") + 1] == role
        assert (
            container["livenessProbe"]["httpGet"]["path"],
            container["readinessProbe"]["httpGet"]["path"],
        ) == (
            "/health",
            "/ready",
        )
        for one in (container, *pod["initContainers"]):
            assert one["securityContext"]["readOnlyRootFilesystem"] is True
            assert one["securityContext"]["allowPrivilegeEscalation"] is False
            assert one["securityContext"]["capabilities"] == {"drop": ["ALL"]}
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert {mount["name"] for mount in container["volumeMounts"]} == {
            one["name"] for one in pod["volumes"]
        }
        (source,) = container["envFrom"]
        named = RELEASES[release].get("existingSecret", "try-openclaw-gateway")
        assert source["secretRef"]["name"] == named


@pytest.mark.parametrize("release", RELEASES)
def test_the_configuration_of_the_chart_loads(made: dict[str, Any], release: str, tmp_path: Path) -> None:
    (kept,) = objects(made, release, "ConfigMap")
    path = tmp_path / "openclaw.json"
    path.write_text(kept["data"]["openclaw.json"], "utf-8")
    loaded = load_config(environ=SECRET, home=tmp_path, config_path=path)
    assert loaded.unserved == ()
    assert loaded.config.store.url == SECRET["STORE_URL"]
    assert loaded.config.bus.url == SECRET["BUS_URL"]
    assert loaded.config.gateway.bind == "lan"
    if release == "all":
        assert [*loaded.config.gateway.trusted_proxies] == ["10.0.0.0/8"]


def test_what_the_operator_hands_over_is_in_the_secret(made: dict[str, Any]) -> None:
    (secret,) = objects(made, "made secret", "Secret")
    assert secret["stringData"] == SECRET
