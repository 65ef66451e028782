{{/* The Kafka settings of a component: the shared ones, overridden by its own. Checked here. */}}
{{- define "surgewatch.kafka" -}}
{{- $kafka := mustMergeOverwrite (deepCopy .root.Values.kafka) (get .root.Values .component).kafka -}}
{{- $sasl := $kafka.sasl -}}
{{- if hasPrefix "SASL_" $kafka.securityProtocol -}}
  {{- if not $sasl.mechanism -}}
    {{- fail (printf "%s: kafka.sasl.mechanism is required with %s" .component $kafka.securityProtocol) -}}
  {{- end -}}
  {{- if and (regexMatch "^(PLAIN|SCRAM-)" $sasl.mechanism) (not $sasl.existingSecret) -}}
    {{- fail (printf "%s: kafka.sasl.existingSecret is required with %s" .component $sasl.mechanism) -}}
  {{- else if and $sasl.existingSecret (not (regexMatch "^(PLAIN|SCRAM-)" $sasl.mechanism)) -}}
    {{- fail (printf "%s: kafka.sasl.existingSecret is for PLAIN and SCRAM, not for %s" .component $sasl.mechanism) -}}
  {{- end -}}
{{- else if or $sasl.mechanism $sasl.existingSecret -}}
  {{- fail (printf "%s: kafka.sasl needs securityProtocol SASL_SSL or SASL_PLAINTEXT, not %s" .component $kafka.securityProtocol) -}}
{{- end -}}
{{- if and (or $kafka.ca.existingSecret $kafka.certificate.existingSecret) (not (hasSuffix "SSL" $kafka.securityProtocol)) -}}
  {{- fail (printf "%s: kafka.ca and kafka.certificate need securityProtocol SSL or SASL_SSL, not %s" .component $kafka.securityProtocol) -}}
{{- end -}}
{{- toYaml $kafka -}}
{{- end -}}

{{- define "surgewatch.kafkaEnv" -}}
{{- $kafka := include "surgewatch.kafka" . | fromYaml -}}
- {name: SURGEWATCH_BROKERS, value: {{ $kafka.brokers | quote }}}
{{- with $kafka.topicPrefix }}
- {name: SURGEWATCH_TOPIC_PREFIX, value: {{ . | quote }}}
{{- end }}
{{- if ne $kafka.securityProtocol "PLAINTEXT" }}
- {name: SURGEWATCH_KAFKA_SECURITY_PROTOCOL, value: {{ $kafka.securityProtocol }}}
{{- end }}
{{- if $kafka.ca.existingSecret }}
- {name: SURGEWATCH_KAFKA_CA_FILE, value: /etc/surgewatch/kafka/ca.crt}
{{- end }}
{{- if $kafka.certificate.existingSecret }}
- {name: SURGEWATCH_KAFKA_CERTIFICATE_FILE, value: /etc/surgewatch/kafka/tls.crt}
- {name: SURGEWATCH_KAFKA_KEY_FILE, value: /etc/surgewatch/kafka/tls.key}
{{- end }}
{{- with $kafka.sasl.mechanism }}
- {name: SURGEWATCH_KAFKA_SASL_MECHANISM, value: {{ . }}}
{{- end }}
{{- with $kafka.sasl }}
{{- if .existingSecret }}
- name: SURGEWATCH_KAFKA_SASL_USERNAME
  valueFrom: {secretKeyRef: {name: {{ .existingSecret | quote }}, key: {{ .usernameKey | quote }}}}
- name: SURGEWATCH_KAFKA_SASL_PASSWORD
  valueFrom: {secretKeyRef: {name: {{ .existingSecret | quote }}, key: {{ .passwordKey | quote }}}}
{{- end }}
{{- end }}
{{- end -}}

{{/* A projected directory, not a subPath: the kubelet replaces its files when a certificate is renewed. */}}
{{- define "surgewatch.kafkaVolume" -}}
{{- $kafka := include "surgewatch.kafka" . | fromYaml -}}
{{- if or $kafka.ca.existingSecret $kafka.certificate.existingSecret -}}
- name: kafka
  projected:
    defaultMode: 0440
    sources:
      {{- with $kafka.ca }}
      {{- if .existingSecret }}
      - secret: {name: {{ .existingSecret | quote }}, items: [{key: {{ .key | quote }}, path: ca.crt}]}
      {{- end }}
      {{- end }}
      {{- with $kafka.certificate }}
      {{- if .existingSecret }}
      - secret:
          name: {{ .existingSecret | quote }}
          items: [{key: {{ .certificateKey | quote }}, path: tls.crt}, {key: {{ .privateKeyKey | quote }}, path: tls.key}]
      {{- end }}
      {{- end }}
{{- end -}}
{{- end -}}

{{- define "surgewatch.kafkaMount" -}}
{{- if include "surgewatch.kafkaVolume" . -}}
- {name: kafka, mountPath: /etc/surgewatch/kafka, readOnly: true}
{{- end -}}
{{- end -}}
