{{/* The documents given for a worker: a list of file, variable and content. */}}
{{- define "surgewatch.documents" -}}
{{- $readers := dict
  "streams" (dict "registry" "registry.toml" "calendar" "calendar.csv" "peerPriors" "peer-priors.toml")
  "alerts" (dict "registry" "registry.toml" "policies" "policies.toml" "routes" "routes.toml"
    "consoleAccess" "access.toml")
-}}
{{- range $name, $file := get $readers .component -}}
{{- with get $.root.Values.documents $name }}
- {{ dict "file" $file "variable" (printf "SURGEWATCH_%s" (snakecase $name | upper)) "content" . | toJson }}
{{- end }}
{{- end }}
{{- end -}}
