package main

import (
	"flag"
	"io"
	"net/netip"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/server/common/dynamicconfig"
)

func TestDefaultOptions(t *testing.T) {
	opts, err := parseOptions(nil, io.Discard)
	require.NoError(t, err)
	require.Equal(t, netip.MustParseAddr("127.0.0.1"), opts.ip)
	require.Equal(t, 7233, opts.port)
	require.Equal(t, 8233, opts.uiPort)
	require.Equal(t, portUnset, opts.metricsPort)
	require.Equal(t, []string{"default"}, opts.namespaces)
	require.Empty(t, opts.database)
	require.Equal(t, logLevelWarn, opts.logLevel)
}

func TestOptions(t *testing.T) {
	opts, err := parseOptions([]string{
		"--ip", "0.0.0.0", "--port=0", "--metrics-port", "0", "--http-port", "7243", "--db", "a.db",
		"--namespace", "one", "--namespace", "two", "--namespace", "one", "--namespace", "default",
		"--search-attribute", "CustomerId=Keyword", "--search-attribute", "Amount=double",
		"--dynamic-config-value", "limit.blobSize.warn=1000", "--dynamic-config-value", "frontend.namespaceRPS = 7",
		"--log-level", "DEBUG", "--log-format", "json", "--parent-pid", "12",
	}, io.Discard)
	require.NoError(t, err)
	require.Equal(t, netip.IPv4Unspecified(), opts.ip)
	require.Equal(t, 0, opts.port)
	require.Equal(t, 0, opts.uiPort, "the Web UI takes a free port when gRPC does")
	require.Equal(t, 0, opts.metricsPort)
	require.Equal(t, 7243, opts.httpPort)
	require.Equal(t, "a.db", opts.database)
	require.Equal(t, []string{"default", "one", "two"}, opts.namespaces)
	require.Equal(t, map[string]enumspb.IndexedValueType{
		"CustomerId": enumspb.INDEXED_VALUE_TYPE_KEYWORD,
		"Amount":     enumspb.INDEXED_VALUE_TYPE_DOUBLE,
	}, opts.searchAttributes)
	require.EqualValues(t, 1000, settingOf(t, opts, dynamicconfig.BlobSizeLimitWarn.Key()))
	require.EqualValues(t, 7, settingOf(t, opts, dynamicconfig.FrontendMaxNamespaceRPSPerInstance.Key()))
	require.Equal(t, "debug", opts.logLevel.name)
	require.Equal(t, logFormatJSON, opts.logFormat)
	require.Equal(t, 12, opts.parentPID)
}

// settingOf is the one unconstrained value of a setting, defaults and options taken together.
func settingOf(t *testing.T, opts *options, key dynamicconfig.Key) any {
	t.Helper()
	values := settingsOf(opts, "127.0.0.1:1").GetValue(key)
	require.Len(t, values, 1)
	require.Equal(t, dynamicconfig.Constraints{}, values[0].Constraints)
	return values[0].Value
}

func TestEveryDefaultSettingIsValid(t *testing.T) {
	// A setting of the wrong type would be ignored at run time, with a warning in the log.
	server := startServer(t, "--headless", "--log-level", "warn")
	requireServing(t, server.connect())
	require.NotContains(t, server.stderr.String(), "Failed to convert value")
}

func TestSettingsKeepTheirTypes(t *testing.T) {
	for text, want := range map[string]any{
		`5`: int64(5), `0.5`: 0.5, `true`: true, `"a"`: "a", `null`: nil,
		`{"a": [1, 1.5, "\u20ac\ud83d\ude00"]}`: map[string]any{"a": []any{int64(1), 1.5, "€😀"}},
	} {
		value, err := decodeJSON(text)
		require.NoError(t, err, text)
		require.Equal(t, want, value, text)
	}
}

func TestRejectedOptions(t *testing.T) {
	for _, test := range []struct {
		args string
		want []string
	}{
		{"--port 70000", []string{"-port", "70000", "65535"}},
		{"--port x", []string{"-port", `"x"`, "not a port number"}},
		{"--ui-port -1", []string{"-ui-port", "not a port number"}},
		{"--ip example.com", []string{"-ip", "example.com", "not an IP address"}},
		{"--port 65000", []string{"--port 65000", "--ui-port"}},
		{"--port 7000 --ui-port 7000", []string{"--port and --ui-port", "7000"}},
		{"--headless --ui-port 0", []string{"--ui-port", "--headless"}},
		{"--headless --ui-codec-endpoint http://a", []string{"--ui-codec-endpoint", "--headless"}},
		{"--ui-codec-endpoint localhost:8081", []string{"-ui-codec-endpoint", "localhost:8081", "not a URL of a server"}},
		{"--ui-codec-endpoint ftp://a", []string{"-ui-codec-endpoint", "not a URL of a server"}},
		{"--ui-codec-endpoint=", []string{"-ui-codec-endpoint", "not a URL of a server"}},
		{"--db=", []string{"-db", "empty file name"}},
		{"--namespace=", []string{"-namespace", "needs a name"}},
		{"--namespace temporal-system", []string{"temporal-system", "belongs to the server"}},
		{"--namespace a/b", []string{"a/b", "slashes"}},
		{"--namespace " + strings.Repeat("n", 1001), []string{"longer than 1000"}},
		{"--search-attribute Name", []string{"NAME=TYPE"}},
		{"--search-attribute =Keyword", []string{"NAME=TYPE"}},
		{"--search-attribute Name=String", []string{`"String"`, "Keyword"}},
		{"--search-attribute Name=", []string{`""`, "Keyword"}},
		{"--search-attribute WorkflowId=Keyword", []string{"WorkflowId", "belongs to the server"}},
		{"--search-attribute TemporalMine=Int", []string{"TemporalMine", "belongs to the server"}},
		{"--search-attribute A=Int --search-attribute A=Bool", []string{`"A"`, "Int", "Bool"}},
		{manyAttributes("Int", 4), []string{"too many search attributes", "4 of type Int", "at most 3"}},
		{"--dynamic-config-value a.b", []string{"KEY=JSON"}},
		{"--dynamic-config-value limit.blobSize.warn=oops", []string{"limit.blobSize.warn", "no JSON", "double quotes"}},
		{"--dynamic-config-value limit.blobSize.warn=1,2", []string{"limit.blobSize.warn", "more than one value"}},
		{"--dynamic-config-value limit.blobSize.warn=", []string{"limit.blobSize.warn", "no JSON"}},
		{"--dynamic-config-value no.such.key=1", []string{"no.such.key", "unregistered"}},
		{`--dynamic-config-value limit.blobSize.warn="big"`, []string{"limit.blobsize.warn", "big"}},
		{"--log-level loud", []string{"loud", "debug, info, warn, error, never"}},
		{"--log-format xml", []string{"xml", "text or json"}},
		{"--output yaml", []string{"yaml", "json or text"}},
		{"--parent-pid 0", []string{"-parent-pid", "not a process id"}},
		{"--nonsense", []string{"nonsense"}},
		{"positional", []string{`"positional"`}},
	} {
		t.Run(test.args, func(t *testing.T) {
			_, err := parseOptions(strings.Fields(test.args), io.Discard)
			require.Error(t, err)
			for _, want := range test.want {
				require.ErrorContains(t, err, want)
			}
			require.NotContains(t, err.Error(), "\n")
		})
	}
}

func manyAttributes(typeName string, count int) string {
	var args []string
	for i := range count {
		args = append(args, "--search-attribute", strings.Repeat("A", i+1)+"="+typeName)
	}
	return strings.Join(args, " ")
}

func TestHelpNamesEveryFlag(t *testing.T) {
	var help strings.Builder
	_, err := parseOptions([]string{"--help"}, &help)
	require.ErrorIs(t, err, flag.ErrHelp)
	for _, name := range []string{
		"ip", "port", "ui-port", "ui-codec-endpoint", "http-port", "metrics-port", "headless", "db", "namespace",
		"search-attribute", "dynamic-config-value", "log-level", "log-format", "output", "parent-pid", "version",
	} {
		require.Contains(t, help.String(), "--"+name+" ")
	}
}
