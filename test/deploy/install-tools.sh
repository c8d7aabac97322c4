#!/usr/bin/env bash
# What check.mjs runs, into HILO_DEPLOY_TOOLS (~/.cache/hilo-deploy-tools): Helm and the reference implementation of
# Compose (Go 1.24 or later), schemas of Kubernetes (Python 3.9 or later), promtool (Debian's prometheus).
set -euo pipefail
tools=${HILO_DEPLOY_TOOLS:-$HOME/.cache/hilo-deploy-tools}
mkdir -p "$tools"

helm=v3.19.2
compose=v2.9.1
schemas=1.37.0

[ -x "$tools/helm-$helm" ] || {
  GOBIN=$tools go install "helm.sh/helm/v3/cmd/helm@$helm"
  mv "$tools/helm" "$tools/helm-$helm"
}
[ -x "$tools/compose-$compose" ] || {
  GOBIN=$tools go install "github.com/compose-spec/compose-go/v2/cmd@$compose"
  mv "$tools/cmd" "$tools/compose-$compose"
}
[ -x "$tools/schemas-$schemas/bin/kubernetes-validate" ] || {
  python3 -m venv "$tools/schemas-$schemas"
  "$tools/schemas-$schemas/bin/pip" install --quiet "kubernetes-validate==$schemas"
}
command -v promtool >/dev/null || {
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends prometheus >/dev/null
}

ln -sf "helm-$helm" "$tools/helm"
ln -sf "compose-$compose" "$tools/compose"
ln -sf "schemas-$schemas/bin/kubernetes-validate" "$tools/kubernetes-validate"
