"""Simulated training curves, healthy ones of many kinds and ones with a fault, for the rates of training checks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from lib.checks import CheckResult, run_checks
from lib.sources.training import Curve, History, Training

NAMES = ("high-loss", "overfitting", "non-convergence", "bad-negatives")
WORLDS = ("epochs", "SGD noise", "warm-up", "cosine restarts", "few epochs", "one epoch", "by batch", "fine-tuning")
FAULTS = {
    "flat at ln K": "high-loss",
    "no better than the class balance": "high-loss",
    "validation loss rises": "overfitting",
    "validation accuracy falls": "overfitting",
    "swings": "non-convergence",
    "validation alone swings": "non-convergence",
    "diverges": "non-convergence",
    "NaN": "non-convergence",
    "does not fall": "non-convergence",
    "easy triplets": "bad-negatives",
    "hard triplets": "bad-negatives",
}


def curve(values: Any, split: str = "train", metric: str = "loss", *, epochs: Any = None, run: str = "run") -> Curve:
    """A curve by epoch, or by step where epochs are said."""
    n = len(values)
    none = np.full(n, np.nan)
    prefix = {"train": "", "validation": "val_", "test": "test_"}[split]
    steps = none if epochs is None else np.arange(1.0, n + 1)
    where = np.arange(1.0, n + 1) if epochs is None else np.asarray(epochs, np.float64)
    return Curve(run, split, metric, prefix + metric, "", steps, where, none, np.asarray(values, np.float64))


def training(*curves: Curve) -> Training:
    return Training((History("history.csv", "0" * 64, "Keras CSVLogger", "columns", (), curves),))


def noisy(rng: np.random.Generator, level: np.ndarray, share: float, memory: float = 0.0) -> np.ndarray:
    """A course with noise in proportion to it; with memory what is left of one step's noise in the next."""
    white = rng.standard_normal(len(level))
    noise = np.zeros(len(level))
    for place, each in enumerate(white):
        noise[place] = memory * (noise[place - 1] if place else 0.0) + np.sqrt(1 - memory**2) * each
    return level * np.exp(share * noise - share**2 / 2)


def decay(rng: np.random.Generator, n: int, start: float, end: float) -> np.ndarray:
    """A healthy course: as a power or an exponential of time, quick at first."""
    t = np.arange(n) / max(n - 1, 1)
    shape = (
        np.exp(-t * rng.uniform(3, 9)) if rng.random() < 0.5 else (1 + t * rng.uniform(10, 40)) ** -rng.uniform(0.6, 1)
    )
    shape = (shape - shape[-1]) / (shape[0] - shape[-1]) if n > 1 else np.ones(1)
    return end + (start - end) * shape


def clean_training(seed: int, metric: str = "loss") -> tuple[str, Training]:
    """Healthy curves of a seed: training and validation loss, accuracy, with what real ones have besides a trend."""
    rng = np.random.default_rng([seed, 60])
    world = WORLDS[seed % len(WORLDS)]
    scale = float(10 ** rng.uniform(-3, 3)) if metric == "mse" else 1.0
    start = float(rng.choice([np.log(2), np.log(10), np.log(100)])) * scale
    end = start * rng.uniform(0.03, 0.5)
    n = int(rng.integers(12, 120))
    share, memory = rng.uniform(0.005, 0.06), rng.uniform(0, 0.8)
    epochs = None
    if world == "SGD noise":
        share = rng.uniform(0.05, 0.12)
    elif world == "few epochs":
        n = int(rng.integers(2, 8))
    elif world == "one epoch":
        n = 1
    elif world == "fine-tuning":
        start, share = start * 0.4, rng.uniform(0.01, 0.04)
        end = start * rng.uniform(0.4, 0.8)
    base = decay(rng, n, start, end)
    if world == "warm-up":
        still = int(rng.integers(1, max(2, n // 5)))
        base = np.concatenate([np.linspace(start * rng.uniform(1.0, 1.3), start, still), base])[:n]
    if world == "cosine restarts":
        period = max(4, n // int(rng.integers(2, 6)))
        phase = (np.arange(n) % period) / period
        # The loss rises with the learning rate and comes down with it.
        base = base + rng.uniform(0.05, 0.3) * (start - base) * (1 + np.cos(np.pi * phase)) / 2 * (
            np.arange(n) >= period
        )
    if world == "by batch":
        n = int(rng.integers(300, 3_000))
        base = decay(rng, n, start, end)
        epochs = np.arange(n) * int(rng.integers(1, 12)) / n
        share = rng.uniform(0.1, 0.35)
    loss = noisy(rng, base, share, 0.0 if world == "by batch" else memory / 2)
    places = np.arange(n)
    if world == "by batch":
        places = np.unique(np.linspace(n // 20, n - 1, int(rng.integers(6, 30))).astype(int))
    gap = rng.uniform(1.0, 1.3)
    smooth = base[places] * gap + 0.1 * start * rng.random()
    validation = noisy(rng, smooth, rng.uniform(0.005, 0.1), memory)
    error = np.clip(noisy(rng, 0.02 + 0.6 * base[places] / start, 0.04, memory), 0, 1)
    at = None if epochs is None else epochs[places]
    curves = [
        curve(loss, metric=metric, epochs=epochs),
        curve(validation, "validation", metric, epochs=at),
        curve(1 - error, "validation", "accuracy", epochs=at),
    ]
    if at is not None:
        curves[1:] = [_at_steps(each, places) for each in curves[1:]]
    if seed % 3 == 0:
        curves.pop(1)  # Validated by its accuracy alone, as scikit-learn's are.
    easy = curve(
        np.clip(0.3 + 0.5 * (1 - base / start) + 0.02 * rng.standard_normal(n), 0, 1), metric="easy_triplet_share"
    )
    return world, training(*curves, easy)


def _at_steps(each: Curve, places: np.ndarray) -> Curve:
    return Curve(each.run, each.split, each.metric, each.written, "", places + 1.0, each.epoch, each.time, each.value)


def faulty_training(seed: int, fault: str) -> Training:
    """Curves with one fault, otherwise healthy."""
    rng = np.random.default_rng([seed, 61])
    n, k = int(rng.integers(16, 100)), int(rng.choice([2, 5, 10]))
    start, share = float(np.log(k)), rng.uniform(0.005, 0.04)
    base = decay(rng, n, start, start * rng.uniform(0.05, 0.3))
    t = np.arange(n) / (n - 1)
    metric, more = "loss", []
    level = base.copy()
    validation = base * 1.1 + 0.05 * start
    if fault == "flat at ln K":
        level = start * (1 - 0.01 * t)
        validation = level
    elif fault == "no better than the class balance":
        metric, level = "log_loss", decay(rng, n, 1.5, 0.51)  # 20 % positives: 0.500
        validation = level
    elif fault == "validation alone swings":
        validation = np.abs(start * (0.6 + rng.uniform(0.3, 0.5) * rng.choice([-1.0, 1.0], n))) + 0.01
    elif fault.startswith("validation"):
        turn = rng.uniform(0.15, 0.6)
        best = float(np.interp(turn, t, validation))
        validation = np.where(t < turn, validation, best * (1 + (t - turn) / (1 - turn) * rng.uniform(0.3, 1.5)))
        level = decay(rng, n, start, start * 0.01)
        level = level * np.exp(-1.0 * t)
    elif fault == "swings":
        wave = (
            rng.choice([-1.0, 1.0], n) if rng.random() < 0.5 else np.sin(2 * np.pi * np.arange(n) / rng.uniform(2.5, 8))
        )
        level = np.abs(start * (0.8 + rng.uniform(0.4, 0.75) * wave)) + 0.01
        validation = level
    elif fault == "diverges":
        turn = rng.uniform(0.3, 0.7)
        level = base + (t > turn) * (t - turn) / (1 - turn) * start * rng.uniform(1.0, 20.0)
        validation = level
    elif fault == "does not fall":
        metric, level = "mse", np.full(n, 30.0)
        validation = level
    elif fault.endswith("triplets"):
        level = np.concatenate([base, np.full(n, base[-1])])
        validation = level
        shares = (
            1 - 0.4 * np.exp(-5 * np.arange(2 * n) / n) if fault.startswith("easy") else np.linspace(0.5, 0.7, 2 * n)
        )
        more = [curve(shares, metric=f"{fault[:4]}_triplet_share")]
    loss = noisy(rng, level, share)
    if fault == "NaN":
        loss[int(rng.integers(1, n)) :] = rng.choice([np.nan, np.inf])
    curves = [curve(loss, metric=metric)]
    if fault == "validation accuracy falls":
        accuracy = 1 - np.clip(0.3 * noisy(rng, validation, rng.uniform(0.01, 0.03)) / start, 0, 1)
        curves.append(curve(accuracy, "validation", "accuracy"))
    else:
        curves.append(curve(noisy(rng, validation, rng.uniform(0.01, 0.05)), "validation", metric))
    return training(*curves, *more)


def findings(given: Training, constant_loss: float = float("nan")) -> list[CheckResult]:
    """What the training checks find; `constant_loss` as predictions with labels give it."""
    if np.isnan(constant_loss):
        return [each for each in run_checks(None, given) if each.is_finding]
    from lib.checks import CHECKS, run_check
    from lib.checks.training_runs import TrainingLook

    look = TrainingLook(given, constant_loss)
    return [each for check in CHECKS if check.over == "training" for each in run_check(check, look) if each.is_finding]


def measure_clean_training(seeds: range, metric: str = "loss") -> Iterator[tuple[int, str, set[str]]]:
    for seed in seeds:
        world, given = clean_training(seed, metric)
        yield seed, world, {each.name for each in findings(given)}


def measure_faulty_training(seeds: range, fault: str) -> Iterator[set[str]]:
    constant = 0.5004 if fault == "no better than the class balance" else float("nan")
    for seed in seeds:
        yield {each.name for each in findings(faulty_training(seed, fault), constant)}


def measure_training(n_clean: int, n_faulty: int) -> Iterator[tuple[str, str, int, int, int]]:
    """Rows of `rates.csv`: check, data, data sets, in how many it fired, and named the run."""
    for data, metric in (("clean", "loss"), ("clean, rescaled", "mse")):
        fired = [names for _, _, names in measure_clean_training(range(n_clean), metric)]
        yield from ((name, data, n_clean, sum(name in each for each in fired), 0) for name in NAMES)
    for fault, name in FAULTS.items():
        found = sum(name in each for each in measure_faulty_training(range(1_000, 1_000 + n_faulty), fault))
        yield name, fault, n_faulty, found, found
