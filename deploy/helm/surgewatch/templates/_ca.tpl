{{/* Authorities of outgoing HTTPS. A directory, not a subPath: the kubelet replaces its files. */}}
{{- define "surgewatch.caVolume" -}}
{{- with .Values.caBundle -}}
{{- if and .existingSecret .existingConfigMap -}}
  {{- fail "caBundle: name a Secret or a ConfigMap, not both" -}}
{{- end -}}
{{- $items := list (dict "key" .key "path" "ca.crt") | toJson -}}
{{- if .existingSecret -}}
- {name: ca-bundle, secret: {secretName: {{ .existingSecret | quote }}, items: {{ $items }}}}
{{- else if .existingConfigMap -}}
- {name: ca-bundle, configMap: {name: {{ .existingConfigMap | quote }}, items: {{ $items }}}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "surgewatch.caMount" -}}
{{- if include "surgewatch.caVolume" . -}}
- {name: ca-bundle, mountPath: /etc/surgewatch/ca, readOnly: true}
{{- end -}}
{{- end -}}

{{/* OpenSSL reads the first variable, requests the second. */}}
{{- define "surgewatch.caEnv" -}}
{{- if include "surgewatch.caVolume" . -}}
- {name: SSL_CERT_FILE, value: /etc/surgewatch/ca/ca.crt}
- {name: REQUESTS_CA_BUNDLE, value: /etc/surgewatch/ca/ca.crt}
{{- end -}}
{{- end -}}
