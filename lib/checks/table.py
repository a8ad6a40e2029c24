"""The declared table of checks: documentation, JSON and the tests on clean data all come from it.

Each row stands at the end of the module whose function it names.
"""

from __future__ import annotations

from lib.checks.bad_negatives import BAD_NEGATIVES
from lib.checks.boundary_mass import BOUNDARY_MASS
from lib.checks.class_imbalance import CLASS_IMBALANCE
from lib.checks.constant_score import CONSTANT_SCORE
from lib.checks.feature_drift import FEATURE_DRIFT
from lib.checks.high_loss import HIGH_LOSS
from lib.checks.label_encoding import LABEL_ENCODING
from lib.checks.label_flip import LABEL_FLIP
from lib.checks.margin_collapse import MARGIN_COLLAPSE
from lib.checks.miscalibration import MISCALIBRATION
from lib.checks.missing_deploy_context import MISSING_DEPLOY_CONTEXT
from lib.checks.missing_telemetry import MISSING_TELEMETRY
from lib.checks.non_convergence import NON_CONVERGENCE
from lib.checks.overfitting import OVERFITTING
from lib.checks.repeated_ids import DUPLICATE_IDS, LEAKY_SPLIT
from lib.checks.result import Check
from lib.checks.score_drift import SCORE_DRIFT
from lib.checks.serving import COST_REGRESSION, LATENCY_REGRESSION
from lib.checks.small_sample import SMALL_SAMPLE
from lib.checks.support_vectors import FEW_SUPPORT_VECTORS, MANY_SUPPORT_VECTORS
from lib.checks.worse_answers import FALSE_POSITIVE_RISE, QUALITY_REGRESSION, THRESHOLD_SHIFT
from lib.checks.worse_cohorts import COHORT_DISPARITY
from lib.checks.wrong_labels import NOISY_LABELS

CHECKS: tuple[Check, ...] = (
    LABEL_FLIP,
    LABEL_ENCODING,
    CONSTANT_SCORE,
    MARGIN_COLLAPSE,
    FEW_SUPPORT_VECTORS,
    MANY_SUPPORT_VECTORS,
    COHORT_DISPARITY,
    MISSING_TELEMETRY,
    SMALL_SAMPLE,
    CLASS_IMBALANCE,
    MISSING_DEPLOY_CONTEXT,
    DUPLICATE_IDS,
    LEAKY_SPLIT,
    FEATURE_DRIFT,
    BOUNDARY_MASS,
    SCORE_DRIFT,
    NOISY_LABELS,
    MISCALIBRATION,
    THRESHOLD_SHIFT,
    FALSE_POSITIVE_RISE,
    QUALITY_REGRESSION,
    LATENCY_REGRESSION,
    COST_REGRESSION,
    HIGH_LOSS,
    OVERFITTING,
    NON_CONVERGENCE,
    BAD_NEGATIVES,
)
