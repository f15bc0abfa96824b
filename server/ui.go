package main

import (
	"net/netip"

	"github.com/temporalio/ui-server/v2/server"
	uiconfig "github.com/temporalio/ui-server/v2/server/config"
	"github.com/temporalio/ui-server/v2/server/server_options"
)

// startUI serves the Web UI on ip and port, with the frontend at frontendAddress behind it. Pages decode payloads with
// the codec server at codecEndpoint if there is one.
func startUI(ip netip.Addr, port int, frontendAddress, codecEndpoint string) *server.Server {
	host := ip.String()
	if ip.Is6() {
		host = "[" + host + "]"
	}
	ui := server.NewServer(server_options.WithConfigProvider(&uiconfig.Config{
		TemporalGRPCAddress: frontendAddress,
		Host:                host,
		Port:                port,
		EnableUI:            true,
		HideLogs:            true,
		// The page asks nobody but this server.
		DisableNewsFetch:   true,
		NotifyOnNewVersion: false,
		Codec:              uiconfig.Codec{Endpoint: codecEndpoint},
		// Browsers drop secure cookies on plain HTTP.
		CORS: uiconfig.CORS{CookieInsecure: true},
	}))
	go func() { _ = ui.Start() }()
	return ui
}
