"""Run by another Python: what Helm makes of a chart, and what Kubernetes' own schemas say of it.

On stdin {"chart": folder, "values": {name: values}}; on stdout, by name, {"lint": [words], "refused": word or
null, "objects": [object]}. Every object has been held against the strict schema of its kind.
"""

import json
import sys
from importlib import import_module
from typing import Any

_KUBERNETES = "1.37.0"
_WARNING = 2


def read(folder: str, values: dict[str, Any]) -> dict[str, Any]:
    helm, schemas, yaml = map(import_module, ("helm_python.chart", "kubernetes_validate", "yaml"))
    said = helm.lint(folder, values, strict=True)
    lint = [each["error"] for each in said["messages"] if each["severity"] >= _WARNING] + said["errors"]
    objects: list[Any] = []
    try:
        chart = helm.Chart.load(folder)
        chart.validate_schema(values)
        texts = chart.render(values, name="try", namespace="agents")
    except Exception as error:  # noqa: BLE001 - whatever Helm says is the answer
        return {"lint": lint, "refused": str(error), "objects": []}
    for path, text in texts.items():
        if path.endswith((".yaml", ".yml")):
            objects += [each for each in yaml.safe_load_all(text) if each is not None]
    for each in objects:
        schemas.validate(each, _KUBERNETES, strict=True)
    return {"lint": lint, "refused": None, "objects": objects}


if __name__ == "__main__":
    asked = json.load(sys.stdin)
    json.dump({name: read(asked["chart"], values) for name, values in asked["values"].items()}, sys.stdout)
