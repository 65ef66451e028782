{{- define "surgewatch.kedaSasl" -}}
{{- $names := dict "PLAIN" "plaintext" "SCRAM-SHA-256" "scram_sha256" "SCRAM-SHA-512" "scram_sha512" -}}
{{- required (printf "autoscaling works with PLAIN and SCRAM, not with %s" .) (get $names .) -}}
{{- end -}}

{{/* What KEDA needs to connect to Kafka, as references to the worker's own secrets. */}}
{{- define "surgewatch.kedaSecrets" -}}
{{- with .sasl }}
{{- if .existingSecret }}
- {parameter: username, name: {{ .existingSecret | quote }}, key: {{ .usernameKey | quote }}}
- {parameter: password, name: {{ .existingSecret | quote }}, key: {{ .passwordKey | quote }}}
{{- end }}
{{- end }}
{{- with .ca }}
{{- if .existingSecret }}
- {parameter: ca, name: {{ .existingSecret | quote }}, key: {{ .key | quote }}}
{{- end }}
{{- end }}
{{- with .certificate }}
{{- if .existingSecret }}
- {parameter: cert, name: {{ .existingSecret | quote }}, key: {{ .certificateKey | quote }}}
- {parameter: key, name: {{ .existingSecret | quote }}, key: {{ .privateKeyKey | quote }}}
{{- end }}
{{- end }}
{{- end -}}
