//go:build tools

// Package tools names the program that is built: the one that makes a folder of the node for each claim.
package tools

import _ "github.com/rancher/local-path-provisioner"
