{{- define "surgewatch.image" -}}
{{- with .Values.image -}}
{{- if .digest -}}
{{ .repository }}@{{ .digest }}
{{- else -}}
{{ .repository }}:{{ default $.Chart.AppVersion .tag }}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* What every pod of the chart has in common: the restricted profile, no API token, the image's secrets. */}}
{{- define "surgewatch.pod" -}}
automountServiceAccountToken: false
{{- with .Values.imagePullSecrets }}
imagePullSecrets: {{- toYaml . | nindent 2 }}
{{- end }}
securityContext:
  runAsNonRoot: true
  {{- with .Values.runAsUser }}
  runAsUser: {{ int64 . }}
  fsGroup: {{ int64 . }}
  {{- end }}
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile: {type: RuntimeDefault}
{{- end -}}

{{- define "surgewatch.container" -}}
image: {{ include "surgewatch.image" . | quote }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: {drop: [ALL]}
{{- end -}}

{{/* A short-lived pod around `surgewatch topics`. */}}
{{- define "surgewatch.topicsPod" -}}
{{- $scope := dict "root" .root "component" "topics" -}}
{{- with .root.Values.topics -}}
restartPolicy: {{ $.restartPolicy }}
{{ include "surgewatch.pod" $.root }}
{{- if not $.root.Values.serviceAccount.create }}
serviceAccountName: {{ include "surgewatch.serviceAccount" $.root | quote }}
{{- end }}
containers:
  - name: topics
    {{- include "surgewatch.container" $.root | nindent 4 }}
    args:
      - topics
      {{- with $.flag }}
      - {{ . }}
      {{- end }}
      {{- with .partitions }}
      - --partitions={{ int . }}
      {{- end }}
      {{- with .replication }}
      - --replication={{ int . }}
      {{- end }}
    env:
      {{- include "surgewatch.kafkaEnv" $scope | nindent 6 }}
      {{- with include "surgewatch.caEnv" $.root }}
      {{- . | nindent 6 }}
      {{- end }}
      {{- with .extraEnv }}
      {{- toYaml . | nindent 6 }}
      {{- end }}
    resources: {{- toYaml .resources | nindent 6 }}
    volumeMounts:
      - {name: temporary, mountPath: /tmp}
      {{- with include "surgewatch.kafkaMount" $scope }}
      {{- . | nindent 6 }}
      {{- end }}
      {{- with include "surgewatch.caMount" $.root }}
      {{- . | nindent 6 }}
      {{- end }}
volumes:
  - {name: temporary, emptyDir: {sizeLimit: 64Mi}}
  {{- with include "surgewatch.kafkaVolume" $scope }}
  {{- . | nindent 2 }}
  {{- end }}
  {{- with include "surgewatch.caVolume" $.root }}
  {{- . | nindent 2 }}
  {{- end }}
{{- end -}}
{{- end -}}
