package main

import (
	"net"
	"strconv"
	"time"

	"go.temporal.io/server/common/cluster"
	"go.temporal.io/server/common/config"
	sqliteplugin "go.temporal.io/server/common/persistence/sql/sqlplugin/sqlite"
	"go.temporal.io/server/common/primitives"
)

const (
	clusterName = "active"
	// historyShards is fixed for the life of a database file. Shards divide a cluster's work among its hosts; one
	// process with one SQLite connection gains nothing from more.
	historyShards = 1
)

// configOf returns the static configuration of the server. frontendAddress is where this process reaches its own
// frontend, httpPort the port of the HTTP API on the same address.
func configOf(db *config.SQL, frontendAddress string, httpPort int) *config.Config {
	frontendHost, _, _ := net.SplitHostPort(frontendAddress)
	cfg := &config.Config{
		Persistence: config.Persistence{
			DefaultStore:     sqliteplugin.PluginName,
			VisibilityStore:  sqliteplugin.PluginName,
			NumHistoryShards: historyShards,
			DataStores:       map[string]config.DataStore{sqliteplugin.PluginName: {SQL: db}},
		},
		ClusterMetadata: &cluster.Config{
			FailoverVersionIncrement: 10,
			MasterClusterName:        clusterName,
			CurrentClusterName:       clusterName,
			ClusterInformation: map[string]cluster.ClusterInformation{
				clusterName: {
					Enabled:                true,
					InitialFailoverVersion: 1,
					RPCAddress:             frontendAddress,
					HTTPAddress:            net.JoinHostPort(frontendHost, strconv.Itoa(httpPort)),
				},
			},
		},
		DCRedirectionPolicy: config.DCRedirectionPolicy{Policy: "noop"},
		Archival: config.Archival{
			History:    config.HistoryArchival{State: "disabled"},
			Visibility: config.VisibilityArchival{State: "disabled"},
		},
		NamespaceDefaults: config.NamespaceDefaults{
			Archival: config.ArchivalNamespaceDefaults{
				History:    config.HistoryArchivalNamespaceDefaults{State: "disabled"},
				Visibility: config.VisibilityArchivalNamespaceDefaults{State: "disabled"},
			},
		},
		PublicClient: config.PublicClient{HostPort: frontendAddress},
		Services: map[string]config.Service{
			string(primitives.FrontendService): {RPC: config.RPC{HTTPPort: httpPort}},
			string(primitives.HistoryService):  {},
			string(primitives.MatchingService): {},
			string(primitives.WorkerService):   {},
		},
	}
	cfg.Global.Membership.MaxJoinDuration = 30 * time.Second
	return cfg
}
