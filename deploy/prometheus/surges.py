"""The rules on surges as code: `python deploy/prometheus/surges.py [FOLDER]` writes them.

One rule for each entry of the table of questions, and one promtool case that sees each of them fire.
"""

import sys
from pathlib import Path

from streams.contract.questions import Question, Scope

HERE = Path(__file__).parent
RULES = """\
# Written by `make docs` from streams/contract/questions.py; do not edit.
# One rule per question, on the alerts that the lifecycle holds to be firing. Hysteresis and severity are
# decided there; a rule adds only text and links.
groups:
  - name: surgewatch-surges
    rules:
      # In this group, for its rules are evaluated in order; one of another group may be an evaluation behind.
      - record: surgewatch:alerts:firing
        # Those that operators have silenced are left out; when the silence ends they fire again.
        expr: |
          sum by (sector, border, question, severity) (surgewatch_alerts{state="firing",silenced!="true"}) > 0
"""
RULE = """
      - alert: %(name)s
        expr: surgewatch:alerts:firing{question="%(question)s"}
        labels: {component: surge, scope: %(scope)s}
        annotations:
          %(links)s
          summary: "%(title)s at {{ $labels.sector }}"
"""
LINKS = """<<: &links
            description: >-
              {{ with printf "surgewatch_observed{sector='%s',window='day'}" $labels.sector | query -}}
              {{ . | first | value | printf "%.0f" }} people on the last judged day
              {{- with printf "surgewatch_expected{sector='%s',window='day'}" $labels.sector | query -}}
              , {{ . | first | value | printf "%.0f" }} expected
              {{- end }}.{{ else }}The evidence is on the dashboard.{{ end }}
            runbook_url: "{{ $externalLabels.grafana }}/d/runbook-{{ $labels.question }}"
            dashboard_url: >-
              {{ $externalLabels.grafana }}/d/surgewatch-sector?var-sector={{ $labels.sector }}"""
CASE = """\
# Written by `make docs` from streams/contract/questions.py; do not edit.
rule_files: [../rules/recording.yml, ../rules/surges.yml]
evaluation_interval: 1m
group_eval_order: [surgewatch-recording, surgewatch-surges]

tests:
  - name: every question has its own alert
    interval: 1m
    input_series:
%(series)s    promql_expr_test:
      - expr: count by (alertname, question) (ALERTS{component="surge",alertstate="firing"})
        eval_time: 3m
        exp_samples:
%(samples)s"""
SERIES = """\
      - series: 'surgewatch_alerts{sector="laredo",border="southwest",question="%s",state="firing"}'
        values: 1x4
"""
SAMPLE = """\
          - {labels: '{alertname="%s",question="%s"}', value: 1}
"""


def name(question: Question) -> str:
    """The name of a question's alert: SurgewatchSlowRise."""
    return "Surgewatch" + "".join(part.capitalize() for part in question.split("_"))


def rules() -> str:
    """The group of rules."""
    return RULES + "".join(
        RULE
        % {
            "name": name(question),
            "question": question,
            "scope": "border" if question.entry.scope is Scope.BORDER else "sector",
            "title": question.entry.title,
            "links": "<<: *links" if number else LINKS,
        }
        for number, question in enumerate(Question)
    )


def case() -> str:
    """The case that sees each rule fire."""
    return CASE % {
        "series": "".join(SERIES % question for question in Question),
        "samples": "".join(SAMPLE % (name(question), question) for question in Question),
    }


def main(folder: Path) -> None:
    """Write rules and case below `folder`."""
    for at, text in (("rules/surges.yml", rules()), ("tests/questions.test.yml", case())):
        (folder / at).parent.mkdir(parents=True, exist_ok=True)
        (folder / at).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else HERE)
