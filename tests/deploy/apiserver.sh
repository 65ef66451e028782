#!/usr/bin/env bash
# Build kube-apiserver and etcd into a folder. Takes some minutes, 1 GiB of Go modules, and no Docker.
#   tests/deploy/apiserver.sh ~/bin && PATH=~/bin:$PATH python -m pytest tests/deploy/test_apiserver.py
set -euo pipefail
version=1.37.2
target=$(mkdir -p "$1" && cd "$1" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

go mod init builder 2>/dev/null
source=$(go mod download -json "k8s.io/kubernetes@v$version" | sed -n 's/.*"Dir": "\(.*\)".*/\1/p')
# `go install` refuses: the module replaces its parts by folders that its zip lacks. They are published as well.
{
  echo "require k8s.io/kubernetes v$version"
  sed -nE "s#^\s+(k8s.io/\S+) => ./staging/.*#replace \1 => \1 v0.${version#1.}#p" "$source/go.mod"
} >> go.mod
cat > builder.go <<'GO'
//go:build tools

package builder

import (
	_ "go.etcd.io/etcd/server/v3"
	_ "k8s.io/kubernetes/cmd/kube-apiserver"
)
GO
go mod tidy
stamp=k8s.io/component-base/version # helm reads the server's version
flags="-s -w -X $stamp.gitVersion=v$version -X $stamp.gitMajor=1 -X $stamp.gitMinor=$(cut -d. -f2 <<<"$version")"
export CGO_ENABLED=0
go build -trimpath -ldflags "$flags" -o "$target/kube-apiserver" k8s.io/kubernetes/cmd/kube-apiserver
go build -trimpath -ldflags "-s -w" -o "$target/etcd" go.etcd.io/etcd/server/v3
