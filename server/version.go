package main

import (
	"fmt"

	uiversion "github.com/temporalio/ui-server/v2/server/version"
	"go.temporal.io/server/common/headers"
)

const (
	programName   = "invincible-server"
	serverVersion = headers.ServerVersion
	uiVersion     = uiversion.UIVersion
)

// version is set by the wheel build through -ldflags.
var version = "dev"

func versionLine() string {
	return fmt.Sprintf("%s %s (Temporal server %s, Web UI %s)", programName, version, serverVersion, uiVersion)
}
