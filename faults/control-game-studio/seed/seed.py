"""Register the first matchmaking baseline, unless there is one."""

import os

import mlflow
import numpy as np
from sklearn.linear_model import LinearRegression

from src.services.model_registry import HokusaiModelRegistry

registry = HokusaiModelRegistry(os.environ["MLFLOW_TRACKING_URI"])
name = "hokusai_ranking_baseline"
if mlflow.MlflowClient().search_model_versions(f"name='{name}'", max_results=1):
    print(f"there is a {name} already")
else:
    rng = np.random.default_rng(7)
    skill = rng.normal(1500, 200, size=(64, 2))
    odds = (skill[:, 0] - skill[:, 1]) / 400
    answer = registry.register_baseline(
        model=LinearRegression().fit(skill, odds),
        model_type="ranking",
        metadata={"game": "starfall", "season": 4, "note": "elo with a hat on"},
    )
    print(f"seeded {answer['model_id']} ({answer['model_uuid']})")
