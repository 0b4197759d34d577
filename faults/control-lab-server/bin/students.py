"""Three students, each with an experiment, each with a run every quarter of a minute or so."""

import math
import random
import time

import mlflow

STUDENTS = {"ada": "dark-matter-halos", "emmy": "lensing", "lise": "supernova-lightcurves"}

while True:
    for student, topic in STUDENTS.items():
        try:
            mlflow.set_experiment(f"{student}/{topic}")
            with mlflow.start_run() as run:
                mlflow.set_tag("student", student)
                mlflow.log_param("learning_rate", random.choice([0.1, 0.01, 0.001]))
                for step in range(5):
                    mlflow.log_metric("loss", math.exp(-step / 2) + random.random() / 20, step=step)
                mlflow.log_text("it converged, I think\n", "notes.txt")
            print(f"{student}: run {run.info.run_id}")
        except Exception as error:
            print(f"{student}: no run today, {type(error).__name__}: {error}")
        time.sleep(5)
