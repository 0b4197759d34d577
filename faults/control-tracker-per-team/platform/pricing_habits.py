"""What the pricing team's own pipeline leaves in its own server: an experiment, a registered model, a version."""

import json
import urllib.error
import urllib.request

SERVER, NAME = "http://mlflow-pricing:5000/api/2.0/mlflow", "hokusai_classification_baseline"


def post(path: str, **body: object) -> dict:
    """The server's answer; what exists already is left as it is."""
    request = urllib.request.Request(
        f"{SERVER}/{path}", json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        told = json.load(error)
        if told.get("error_code") != "RESOURCE_ALREADY_EXISTS":
            raise SystemExit(f"pricing: {path}: {error.code} {told}") from error
        return {}


post("experiments/create", name="pricing/elasticity")
if post("registered-models/create", name=NAME, description="price elasticity; nothing to do with the catalogue's"):
    post("model-versions/create", name=NAME, source="s3://team-pricing/elasticity/2026-11/model")
with urllib.request.urlopen(f"{SERVER}/model-versions/get?name={NAME}&version=1", timeout=20) as answer:
    print(f"pricing: {NAME} has version {json.load(answer)['model_version']['version']}", flush=True)
