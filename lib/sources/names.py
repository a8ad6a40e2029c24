"""What the name of a column says about its role, in several languages. Names only; values are looked at elsewhere."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from lib.schema import Role

EXACT: Final = 2
PART: Final = 1


def as_words(text: str) -> frozenset[str]:
    """The words of a text, for lists of names."""
    return frozenset(text.split())


_EXACT: Final[dict[Role, frozenset[str]]] = {
    role: as_words(names)
    for role, names in {
        Role.LABEL: """label labels target targets y y_true ytrue class truth ground_truth groundtruth actual actuals
            outcome gold gold_label true_label true_class response klasse clase classe ziel zielvariable zielgrosse
            wahrheit etikett etiqueta etiquette etichetta cible verite objetivo rotulo bersaglio doel metka
            标签 ラベル метка целевая""",
        Role.SCORE: """score scores prob probs proba probas probability probabilities p p1 p_1 pred preds prediction
            predictions predicted y_prob y_proba y_score y_scores y_pred y_hat yhat y_prob_1 prob_1 proba_1 prob1
            decision decision_score decision_scores decision_function logit logits log_odds logodds margin margins
            confidence raw_score model_score model_output output predicted_prob predicted_proba
            predicted_probability predicted_score pred_prob pred_proba pred_score p_positive prob_positive
            wahrscheinlichkeit punktzahl vorhersage probabilidad probabilidade probabilita probabilite puntuacion
            puntaje prediccion pontuacao predicao punteggio predizione kans
            概率 得分 分数 確率 スコア вероятность оценка""",
        Role.ID: """id ids uuid guid sample_id request_id row_id example_id record_id event_id transaction_id
            prediction_id observation_id instance_id item_id case_id key kennung identifiant identificador""",
        Role.VERSION: """version model_version versions model model_name model_id release release_version build
            deployment deploy variant model_variant checkpoint run run_id arm candidate scorer classifier
            modell modelo modele modello modellversion versao versione バージョン 版本 версия""",
        Role.SPLIT: """split fold set partition subset data_split dataset_split split_name cv_fold kfold
            aufteilung particion conjunto partizione sous_ensemble""",
        Role.TIME: """time timestamp timestamps ts date datetime date_time created_at updated_at event_time eventtime
            observed_at logged_at scored_at predicted_at occurred_at request_time prediction_time created at day
            zeit zeitstempel zeitpunkt datum uhrzeit fecha fecha_hora hora horodatage date_heure data data_hora
            data_ora tijd tijdstip 时间 日期 日時 時刻 время дата""",
        Role.WEIGHT: """weight weights sample_weight sample_weights sampleweight case_weight instance_weight row_weight
            importance_weight importance w gewicht peso poids 权重 重み вес""",
        Role.LATENCY: """latency latency_ms latency_s latency_seconds latency_us latency_sec duration duration_ms
            duration_s duration_seconds response_time response_time_ms elapsed elapsed_ms inference_time
            inference_time_ms inference_ms serving_time_ms ms millis took_ms latenz
            dauer latencia latence latenza 延迟 задержка""",
        Role.COST: """cost cost_usd cost_eur costs price price_usd unit_cost request_cost inference_cost kosten preis
            coste costo custo precio preco prix cout prezzo 成本 费用 стоимость""",
    }.items()
}
_PARTS: Final[dict[Role, frozenset[str]]] = {
    Role.LABEL: frozenset({"label", "target", "truth"}),
    Role.SCORE: frozenset(
        {"prob", "proba", "probability", "score", "logit", "logits", "decision", "confidence", "margin"}
    ),
    Role.ID: frozenset({"id", "uuid", "guid"}),
    Role.VERSION: frozenset({"version", "release"}),
    Role.SPLIT: frozenset({"split", "fold"}),
    Role.TIME: frozenset({"time", "timestamp", "ts", "date", "datetime", "zeit", "datum", "fecha"}),
    Role.LATENCY: frozenset({"latency"}),
    Role.COST: frozenset({"cost"}),
    Role.WEIGHT: frozenset(),
}
_PREDICTED: Final = frozenset(
    {"pred", "preds", "predicted", "prediction", "predictions", "hat", "yhat", "estimate", "estimated"}
)
_PROBABILITY: Final = as_words(
    """prob probs proba probas probability probabilities p p1 prob1 confidence wahrscheinlichkeit probabilidad
    probabilidade probabilita probabilite kans 概率 確率 вероятность"""
)
_LABELLER: Final = as_words(
    """labeller labeler labellers labelers annotator annotators rater raters reviewer reviewers grader graders coder
    coders annotateur annotatrice anotador anotadora annotatore bewerter bewerterin evaluador avaliador"""
)
_LABELLED_BY: Final = frozenset({"labelled", "labeled", "annotated", "rated", "reviewed", "graded", "coded", "judged"})
_LOGIT: Final = frozenset({"logit", "logits", "logodds"})
_DECISION: Final = frozenset({"decision", "margin", "margins"})


def normalise_name(name: str) -> str:
    """A column name in lower case with its words joined by underscores, accents removed.

    >>> normalise_name("yTrue"), normalise_name("Decision Function"), normalise_name("Probabilité")
    ('y_true', 'decision_function', 'probabilite')
    """
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name.strip())
    decomposed = unicodedata.normalize("NFKD", spaced.casefold())
    plain = "".join(character for character in decomposed if unicodedata.category(character) != "Mn")
    return re.sub(r"[\W_]+", "_", plain).strip("_")


def match_role(name: str, role: Role) -> int:
    """How well a name fits a role: `EXACT`, `PART` (one of its words fits) or 0."""
    normal = normalise_name(name)
    if normal in _EXACT.get(role, ()):
        return EXACT
    words = set(normal.split("_"))
    if role is Role.LABEL and words & _PREDICTED:
        return 0
    return PART if words & _PARTS.get(role, frozenset()) else 0


def is_named_prediction(name: str) -> bool:
    """Whether a name speaks of a prediction rather than of the truth: `y_pred`, `predicted_label`."""
    return bool(set(normalise_name(name).split("_")) & _PREDICTED)


def is_named_labeller(name: str) -> bool:
    """Whether a name speaks of who gave the label: `annotator_id`, `labelled_by`.

    >>> is_named_labeller("AnnotatorId"), is_named_labeller("labeled_by"), is_named_labeller("label")
    (True, True, False)
    """
    words = normalise_name(name).split("_")
    return bool(set(words) & _LABELLER) or (words[-1] == "by" and bool(set(words) & _LABELLED_BY))


def name_score_kind(name: str) -> str:
    """What a score's name says about its kind: `probability`, `logit`, `decision`, or nothing (empty)."""
    normal = normalise_name(name)
    words = set(normal.split("_"))
    if words & _LOGIT or "log_odds" in normal:
        return "logit"
    if words & _DECISION:
        return "decision"
    return "probability" if words & _PROBABILITY else ""
