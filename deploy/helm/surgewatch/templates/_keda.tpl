{{- define "surgewatch.kedaSasl" -}}
{{- $names := dict "PLAIN" "plaintext" "SCRAM-SHA-256" "scram_sha256" "SCRAM-SHA-512" "scram_sha512" -}}
{{- required (printf "autoscaling works with PLAIN and SCRAM, not with %s" .) (get $names .) -}}
{{- end -}}

{{/* What KEDA needs to connect to Kafka, as references to the worker's own secrets. */}}
{{- define "surgewatch.kedaSecrets" -}}
{{- with .sasl }}
{{- if .existingSecret }}
- {parameter: username, name: {{ .existingSecret }}, key: {{ .usernameKey }}}
- {parameter: password, name: {{ .existingSecret }}, key: {{ .passwordKey }}}
{{- end }}
{{- end }}
{{- with .ca }}
{{- if .existingSecret }}
- {parameter: ca, name: {{ .existingSecret }}, key: {{ .key }}}
{{- end }}
{{- end }}
{{- with .certificate }}
{{- if .existingSecret }}
- {parameter: cert, name: {{ .existingSecret }}, key: {{ .certificateKey }}}
- {parameter: key, name: {{ .existingSecret }}, key: {{ .privateKeyKey }}}
{{- end }}
{{- end }}
{{- end -}}
