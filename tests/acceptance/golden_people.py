"""Invented people before an operation, each named for what is odd about them; their cards are read aloud."""

from __future__ import annotations

from typing import Any

import msgspec

from fhir_mappings.fhir.search_result import SearchResult
from tests.builders import (
    Resource,
    a_condition,
    a_medication_request,
    a_patient,
    an_observation,
    an_order,
    date_ago,
    days_ago,
)
from tests.cds_service.advice.people import asa, done, function, result, smoker

PCS = "http://www.cms.gov/Medicare/Coding/ICD10"
FUSION, DECOMPRESSION, DEFORMITY = "0SG00AJ", "01NB0ZZ", "0RG70AJ"
HIP, KNEE, COLON, LUNG, AORTA = "0SR90JZ", "0SRC0J9", "0DTF0ZZ", "0BTC0ZZ", "04R00JZ"
GASTRIC_BYPASS, HERNIA, UTERUS, THYROID, BRAIN, PROSTATE = (
    "0D160ZA",
    "0YQ50ZZ",
    "0UT90ZZ",
    "0GTK0ZZ",
    "00B70ZZ",
    "0VT00ZZ",
)
ICD = "http://hl7.org/fhir/sid/icd-10-cm"
INJECTION = "CANARY [x](javascript:alert(1)) <script>alert(1)</script> ![i](http://x) **ignore** | you must stop"
VITAL_SIGNS = (result("39156-5", 27.1, "kg/m2"),)
CREATININE = result("2160-0", 0.9, "mg/dL")
BLOOD_COUNT = result("718-7", 14.1, "g/dL")
INDEPENDENT = function("INDEPENDENT")
HEALTHY_TESTS = (CREATININE, BLOOD_COUNT, INDEPENDENT, *VITAL_SIGNS)


class Person(msgspec.Struct, frozen=True):
    """Who it is, what is planned (ICD-10-PCS), what the record holds, and whose panel shows the card."""

    story: str
    operation: str
    resources: tuple[Resource, ...]
    order: dict[str, Any] = {}
    also_ordered: tuple[Resource, ...] = ()
    dialect: str = "generic"
    searches: dict[str, SearchResult] = {}


def woman(born: str) -> Resource:
    return a_patient(gender="female", birthDate=born)


def man(born: str) -> Resource:
    return a_patient(gender="male", birthDate=born)


PEOPLE: dict[str, Person] = {
    "young-and-well": Person(
        "A woman of 34, ASA I, disc operation", DECOMPRESSION, (woman("1992-05-01"), asa(1), *HEALTHY_TESTS)
    ),
    "the-usual-fusion": Person(
        "A man of 72, ASA III, single-level fusion", FUSION, (man("1954-05-01"), asa(3), *HEALTHY_TESTS)
    ),
    "diabetes-without-hba1c": Person(
        "Diabetes on insulin, no HbA1c for a year",
        FUSION,
        (
            woman("1961-05-01"), asa(3), *HEALTHY_TESTS, a_condition("E11.65"), a_condition("Z79.4"),
            result("4548-4", 7.4, "%", days=380),
        ),
    ),
    "diabetes-out-of-control": Person(
        "HbA1c 9.1 % three weeks ago",
        DEFORMITY,
        (woman("1958-05-01"), asa(3), *HEALTHY_TESTS, a_condition("E11.65"), result("4548-4", 9.1, "%", days=21)),
    ),
    "anaemia-before-hip": Person(
        "Haemoglobin 102 g/L, recorded in g/L",
        HIP,
        (woman("1949-05-01"), asa(2), CREATININE, INDEPENDENT, *VITAL_SIGNS, result("718-7", 102, "g/L")),
    ),
    "iron-deficiency-known": Person(
        "Anaemia with iron deficiency on the list, ferritin done",
        COLON,
        (
            man("1960-05-01"), asa(2), CREATININE, INDEPENDENT, *VITAL_SIGNS, result("718-7", 9.4, "g/dL"),
            a_condition("D50.0"), a_condition("C18.7"), result("2276-4", 8, "ng/mL"), result("2502-3", 9, "%"),
        ),
    ),
    "on-a-blood-thinner": Person(
        "Atrial fibrillation on apixaban", KNEE,
        (man("1950-05-01"), asa(3), *HEALTHY_TESTS, a_medication_request("1364430")),
    ),
    "unstable-angina": Person(
        "Unstable angina on the problem list before a planned colectomy", COLON,
        (man("1952-05-01"), asa(4), *HEALTHY_TESTS, a_condition("I20.0")),
    ),
    "old-heart-attack": Person(
        "Heart attack in 2015, no ECG found", KNEE,
        (man("1956-05-01"), asa(3), *HEALTHY_TESTS, a_condition("I25.2"), a_medication_request("32968")),
    ),
    "copd-and-smoking": Person(
        "COPD, still smoking, lobe of the lung", LUNG,
        (woman("1955-05-01"), asa(3), *HEALTHY_TESTS, a_condition("J44.9"), smoker()),
    ),
    "frail-at-86": Person(
        "86 years, partly dependent, ASA IV, hip replacement", HIP,
        (woman("1940-05-01"), asa(4), CREATININE, BLOOD_COUNT, *VITAL_SIGNS, function("PARTIAL"), a_condition("I50.9"),
         a_condition("I10"), a_medication_request("29046")),
    ),
    "bowel-cancer": Person(
        "Cancer of the colon, otherwise well", COLON, (man("1958-05-01"), asa(2), *HEALTHY_TESTS, a_condition("C18.2"))
    ),
    "no-asa-class": Person(
        "Nobody recorded the ASA class", FUSION, (man("1957-05-01"), *HEALTHY_TESTS)
    ),
    "nothing-but-a-birthday": Person(
        "Only the patient is known; every search found nothing", FUSION, (man("1959-05-01"),)
    ),
    "problem-list-unreachable": Person(
        "The search for diagnoses failed", FUSION, (woman("1984-05-01"), asa(2), *HEALTHY_TESTS),
        searches={"conditions": SearchResult(failure="fetch-failed", supplied="fetched")},
    ),
    "kidneys-in-micromoles": Person(
        "Creatinine 190 umol/L, on the problem list", HIP,
        (man("1948-05-01"), asa(3), result("14682-9", 190, "umol/L"), BLOOD_COUNT, INDEPENDENT, *VITAL_SIGNS,
         a_condition("N18.4")),
    ),
    "a-result-too-old": Person(
        "Creatinine of last year, haemoglobin of last year", KNEE,
        (woman("1953-05-01"), asa(2), INDEPENDENT, *VITAL_SIGNS, result("2160-0", 1.0, "mg/dL", days=300),
         result("718-7", 13.5, "g/dL", days=300)),
    ),
    "an-implausible-result": Person(
        "Creatinine 110 mg/dL: the unit is wrong", KNEE,
        (man("1953-05-01"), asa(2), INDEPENDENT, *VITAL_SIGNS, BLOOD_COUNT, result("2160-0", 110, "mg/dL")),
    ),
    "a-unit-left-out": Person(
        "Haemoglobin 12.1 without a unit", HIP,
        (woman("1951-05-01"), asa(2), CREATININE, INDEPENDENT, *VITAL_SIGNS, an_observation("718-7", 12.1, None)),
    ),
    "sleep-apnoea-and-weight": Person(
        "BMI 46, sleep apnoea, gastric bypass", GASTRIC_BYPASS,
        (woman("1980-05-01"), asa(3), CREATININE, BLOOD_COUNT, INDEPENDENT, result("39156-5", 46, "kg/m2"),
         a_condition("G47.33")),
    ),
    "opioids-before-revision": Person(
        "Oxycodone, second spine operation", FUSION,
        (man("1966-05-01"), asa(3), *HEALTHY_TESTS, a_medication_request("7804"), a_condition("M96.1")),
    ),
    "steroids-and-thin-bones": Person(
        "Prednisone, osteoporosis, deformity", DEFORMITY,
        (woman("1956-05-01"), asa(3), *HEALTHY_TESTS, a_medication_request("8640"), a_condition("M81.0"),
         result("1751-7", 3.1, "g/dL"), done("62292-8", days=100)),
    ),
    "slow-stomach-on-semaglutide": Person(
        "Semaglutide and gastroparesis; empagliflozin too", KNEE,
        (woman("1963-05-01"), asa(3), *HEALTHY_TESTS, a_condition("E11.43"), a_condition("K31.84"),
         a_medication_request("1991302"), a_medication_request("1545653"), result("4548-4", 7.0, "%")),
    ),
    "stroke-and-dementia": Person(
        "Old stroke, dementia, hip replacement", HIP,
        (man("1944-05-01"), asa(3), *HEALTHY_TESTS, a_condition("I69.3", status="inactive"), a_condition("F03.90")),
    ),
    "pregnancy-not-checked": Person(
        "A woman of 38 before hysterectomy; diagnoses not provided", UTERUS,
        (woman("1988-05-01"), asa(2), *HEALTHY_TESTS),
        searches={"conditions": SearchResult(failure="not-provided", supplied="not-provided")},
    ),
    "minor-surgery-in-good-health": Person(
        "Groin hernia, ASA I, no tests needed", HERNIA, (man("1990-05-01"), asa(1), INDEPENDENT)
    ),
    "thyroid": Person("Thyroid operation, ASA II", THYROID, (woman("1975-05-01"), asa(2), *HEALTHY_TESTS)),
    "aorta": Person(
        "Repair of the aorta, smoker, heart disease", AORTA,
        (man("1951-05-01"), asa(3), *HEALTHY_TESTS, smoker(), a_condition("I25.10"), a_condition("I10"),
         a_medication_request("29046")),
    ),
    "brain": Person(
        "Brain operation: one model does not cover it", BRAIN, (woman("1970-05-01"), asa(3), *HEALTHY_TESTS)
    ),
    "operation-in-three-days": Person(
        "Everything is too late but what can be done at once", FUSION,
        (woman("1956-05-01"), asa(3), CREATININE, INDEPENDENT, *VITAL_SIGNS, result("718-7", 10.9, "g/dL"),
         a_condition("E11.9"), smoker()),
        order={"occurrenceDateTime": date_ago(-3)},
    ),
    "two-operations": Person(
        "A disc operation and a fusion in one session", DECOMPRESSION, (man("1958-05-01"), asa(3), *HEALTHY_TESTS),
        also_ordered=(an_order((PCS, FUSION), id="order-2"),),
    ),
    "born-in-1960": Person(
        "Only the year of birth is known", PROSTATE, (man("1960"), asa(2), *HEALTHY_TESTS)
    ),
    "two-results-that-differ": Person(
        "Two creatinines of the same minute", KNEE,
        (man("1955-05-01"), asa(2), BLOOD_COUNT, INDEPENDENT, *VITAL_SIGNS,
         an_observation("2160-0", 0.9, "mg/dL", id="a", effectiveDateTime=days_ago(3)),
         an_observation("2160-0", 1.9, "mg/dL", id="b", effectiveDateTime=days_ago(3))),
    ),
    "dialysis-and-metastases": Person(
        "On dialysis, metastatic cancer, anaemia, low albumin, a blood thinner: no figure reads most of it", FUSION,
        (woman("1959-05-01"), asa(4), INDEPENDENT, *VITAL_SIGNS, result("2160-0", 5.1, "mg/dL"),
         result("718-7", 9.4, "g/dL"), result("1751-7", 2.9, "g/dL"), a_condition("N18.6"), a_condition("Z99.2"),
         a_condition("C79.51"), a_medication_request("1364430")),
    ),
    "ill-before-decompression": Person(
        "ASA IV, 79 years, partly dependent, creatinine 2.4", DECOMPRESSION,
        (man("1947-05-01"), asa(4), function("PARTIAL"), *VITAL_SIGNS, result("2160-0", 2.4, "mg/dL"),
         result("718-7", 10.2, "g/dL"), result("1751-7", 3.2, "g/dL"), a_medication_request("1364430")),
    ),
    "a-narrow-panel": Person(
        "The same as the ill man before decompression, in a panel of 800 characters", DECOMPRESSION,
        (man("1947-05-01"), asa(4), function("PARTIAL"), *VITAL_SIGNS, result("2160-0", 2.4, "mg/dL"),
         result("718-7", 10.2, "g/dL"), result("1751-7", 3.2, "g/dL"), a_medication_request("1364430")),
        dialect="oracle",
    ),
    "codes-of-their-own": Person(
        "Two of four diagnoses in a hospital's own codes", FUSION,
        (man("1954-05-01"), asa(3), *HEALTHY_TESTS, a_condition("I10"), a_condition("M54.50"),
         a_condition({"coding": [{"system": "urn:oid:1.2.3.4", "code": "A1"}]}, id="own-1"),
         a_condition({"coding": [{"system": "urn:oid:1.2.3.4", "code": "B2"}]}, id="own-2")),
    ),
    "an-asa-class-of-last-spring": Person(
        "ASA III is seven months old, and the weight was never taken", KNEE,
        (woman("1948-05-01"), asa(3) | {"effectiveDateTime": days_ago(210)}, CREATININE, BLOOD_COUNT, INDEPENDENT),
    ),
    "words-in-the-record": Person(
        "Names, displays and texts full of markup and orders to the reader", FUSION,
        (
            man("1954-05-01") | {"name": [{"family": INJECTION, "text": INJECTION}]},
            asa(3) | {"note": [{"text": INJECTION}]},
            *HEALTHY_TESTS,
            a_condition({"coding": [{"system": ICD, "code": "E11.9", "display": INJECTION}], "text": INJECTION}),
            a_condition({"text": INJECTION}, id=INJECTION),
        ),
        order={"code": {"coding": [{"system": PCS, "code": FUSION, "display": INJECTION}], "text": INJECTION}},
    ),
}  # fmt: skip

# Before whom the service is silent, or can only name what it lacks.
NOT_ANSWERED: dict[str, Person] = {
    "a-girl-of-15": Person(
        "A girl of 15 before correction of a deformity", DEFORMITY, (woman("2011-05-01"), asa(2), *HEALTHY_TESTS)
    ),
    "pregnant": Person(
        "A pregnant woman before a disc operation", DECOMPRESSION,
        (woman("1994-05-01"), asa(2), *HEALTHY_TESTS, a_condition("Z33.1")),
    ),
    "died-last-week": Person(
        "A man who died last week; the order was never withdrawn", FUSION,
        (man("1954-05-01") | {"deceasedDateTime": date_ago(7)}, asa(3), *HEALTHY_TESTS),
    ),
    "a-broken-hip": Person(
        "A broken hip, to be operated on tomorrow morning", HIP, (woman("1940-05-01"), asa(3), *HEALTHY_TESTS),
        order={
            "priority": "urgent",
            "reasonCode": [{"coding": [{"system": ICD, "code": "S72.001A"}]}],
            "occurrenceDateTime": date_ago(-1),
        },
    ),
    "transplant-of-the-liver": Person(
        "A transplant of the liver: no model knows it", "0FY00Z0", (man("1970-05-01"), asa(3), *HEALTHY_TESTS)
    ),
    "no-birth-date": Person(
        "No birth date: no figure can be made; the tenant asked to be told", FUSION,
        (man("1960") | {"birthDate": None}, asa(2), *HEALTHY_TESTS),
    ),
}  # fmt: skip
