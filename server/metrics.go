package main

import (
	"net/netip"

	"go.temporal.io/server/common/log"
	"go.temporal.io/server/common/metrics"
)

const metricsPath = "/metrics"

// serveMetrics serves the server's metrics to Prometheus and returns the handler that feeds them.
func serveMetrics(ip netip.Addr, port int, logger log.Logger) (metrics.Handler, error) {
	return metrics.MetricsHandlerFromConfig(logger, &metrics.Config{
		Prometheus: &metrics.PrometheusConfig{
			Framework:     metrics.FrameworkOpentelemetry,
			ListenAddress: netip.AddrPortFrom(ip, uint16(port)).String(),
			HandlerPath:   metricsPath,
		},
	})
}
