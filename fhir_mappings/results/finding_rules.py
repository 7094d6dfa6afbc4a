"""Patient-reported outcomes and imaging numbers: read by the rules of measurements, shown, not scored yet."""

from __future__ import annotations

from fhir_mappings.results.measurement_rules import MeasurementRule
from fhir_mappings.terminology.units import SAME

# Ranges are those of the instruments; windows are this product's decision, as in inputs 2. Sources:
# Fairbank JC, Pynsent PB. Spine 2000;25:2940-2952 (Oswestry); Hays RD et al. Qual Life Res 2009;18:873-880 (PROMIS);
# WHO Technical Report 843 (T-score); Pickhardt PJ et al. Ann Intern Med 2013;158:588-595 (Hounsfield units).
FINDINGS: dict[str, MeasurementRule] = {
    rule.name: rule
    for rule in (
        MeasurementRule(
            name="oswestry_index",
            label="Oswestry disability index",
            unit="%",
            units={"%": SAME, "{score}": SAME, "1": SAME},
            lookback_days=180,
            hard=(0, 100),
            soft=(0, 100),
            laboratory=False,
            unitless=True,
        ),
        MeasurementRule(
            name="pain_score",
            label="pain score",
            unit="{score}",
            units={"{score}": SAME, "1": SAME},
            lookback_days=90,
            hard=(0, 10),
            soft=(0, 10),
            laboratory=False,
            unitless=True,
        ),
        MeasurementRule(
            name="promis_physical_health",
            label="PROMIS physical health",
            unit="{T-score}",
            units={"{T-score}": SAME, "{score}": SAME, "1": SAME},
            lookback_days=180,
            hard=(10, 90),
            soft=(16, 70),
            laboratory=False,
            unitless=True,
        ),
        MeasurementRule(
            name="bone_density_t_score",
            label="bone density T-score",
            unit="{T-score}",
            units={"{T-score}": SAME, "{score}": SAME, "1": SAME},
            lookback_days=730,
            hard=(-10, 10),
            soft=(-6, 4),
            laboratory=False,
            unitless=True,
        ),
        MeasurementRule(
            name="vertebral_attenuation",
            label="vertebral CT attenuation",
            unit="[hnsf'U]",
            units={"[hnsf'U]": SAME},
            lookback_days=365,
            hard=(-200, 1000),
            soft=(0, 400),
            laboratory=False,
        ),
    )
}
