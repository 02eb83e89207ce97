//go:build tools

// Package tools names the program that is built: the one that renders charts.
package tools

import _ "helm.sh/helm/v3/cmd/helm"
