package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/server/common/dynamicconfig"
)

const (
	defaultNamespace = "default"
	defaultPort      = 7233
	// uiPortOffset places the Web UI beside the gRPC port unless --ui-port says otherwise.
	uiPortOffset = 1000
	// portUnset marks an optional port that was not asked for; zero already means "any free port".
	portUnset = -1
)

// options are the command line, checked: every value in here can be used as it is.
type options struct {
	ip               netip.Addr
	port             int
	uiPort           int
	uiCodecEndpoint  string
	httpPort         int
	metricsPort      int
	headless         bool
	database         string
	namespaces       []string
	searchAttributes map[string]enumspb.IndexedValueType
	dynamicConfig    dynamicconfig.ConfigValueMap
	logLevel         logLevel
	logFormat        string
	output           string
	parentPID        int
	showVersion      bool
}

// parseOptions reads the command line. It writes the help text to out when asked for it and returns flag.ErrHelp then.
func parseOptions(args []string, out io.Writer) (*options, error) {
	opts := &options{
		ip:               netip.MustParseAddr("127.0.0.1"),
		port:             defaultPort,
		uiPort:           portUnset,
		httpPort:         0,
		metricsPort:      portUnset,
		namespaces:       []string{defaultNamespace},
		searchAttributes: map[string]enumspb.IndexedValueType{},
		dynamicConfig:    dynamicconfig.ConfigValueMap{},
		logLevel:         logLevelWarn,
		logFormat:        logFormatText,
		output:           outputJSON,
	}

	flags := flag.NewFlagSet(programName, flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.Func("ip", "", parseIP(&opts.ip))
	flags.Func("port", "", parsePort(&opts.port))
	flags.Func("ui-port", "", parsePort(&opts.uiPort))
	flags.Func("ui-codec-endpoint", "", parseEndpoint(&opts.uiCodecEndpoint))
	flags.Func("http-port", "", parsePort(&opts.httpPort))
	flags.Func("metrics-port", "", parsePort(&opts.metricsPort))
	flags.BoolVar(&opts.headless, "headless", false, "")
	flags.Func("db", "", parseDatabase(&opts.database))
	flags.Func("namespace", "", addNamespace(&opts.namespaces))
	flags.Func("search-attribute", "", addSearchAttribute(opts.searchAttributes))
	flags.Func("dynamic-config-value", "", addDynamicConfigValue(opts.dynamicConfig))
	flags.Func("log-level", "", parseLogLevel(&opts.logLevel))
	flags.Func("log-format", "", parseChoice(&opts.logFormat, logFormatText, logFormatJSON))
	flags.Func("output", "", parseChoice(&opts.output, outputJSON, outputText))
	flags.Func("parent-pid", "", parsePID(&opts.parentPID))
	flags.BoolVar(&opts.showVersion, "version", false, "")

	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			fmt.Fprintf(out, usage, commandName())
		}
		return nil, err
	}
	if flags.NArg() > 0 {
		return nil, fmt.Errorf("unexpected argument %q", flags.Arg(0))
	}
	if err := checkSearchAttributeCounts(opts.searchAttributes); err != nil {
		return nil, err
	}
	if err := opts.settlePorts(); err != nil {
		return nil, err
	}
	return opts, nil
}

// settlePorts fills in the Web UI's default port and refuses one port for two listeners.
func (o *options) settlePorts() error {
	switch {
	case o.headless && o.uiPort != portUnset:
		return errors.New("--ui-port and --headless exclude each other")
	case o.headless && o.uiCodecEndpoint != "":
		return errors.New("--ui-codec-endpoint and --headless exclude each other")
	case o.headless:
	case o.uiPort == portUnset && o.port == 0:
		o.uiPort = 0
	case o.uiPort == portUnset && o.port+uiPortOffset > maxPort:
		return fmt.Errorf("no default Web UI port for --port %d: give --ui-port, or --headless", o.port)
	case o.uiPort == portUnset:
		o.uiPort = o.port + uiPortOffset
	}

	taken := map[int]string{}
	for _, listener := range []struct {
		name string
		port int
	}{
		{"--port", o.port},
		{"--ui-port", o.uiPort},
		{"--http-port", o.httpPort},
		{"--metrics-port", o.metricsPort},
	} {
		if listener.port <= 0 {
			continue
		}
		if other, ok := taken[listener.port]; ok {
			return fmt.Errorf("%s and %s are both %d", other, listener.name, listener.port)
		}
		taken[listener.port] = listener.name
	}
	return nil
}

func parseIP(target *netip.Addr) func(string) error {
	return func(value string) error {
		if value == "localhost" {
			value = "127.0.0.1"
		}
		addr, err := netip.ParseAddr(value)
		if err != nil {
			return errors.New("not an IP address")
		}
		*target = addr
		return nil
	}
}

const maxPort = 65535

func parsePort(target *int) func(string) error {
	return func(value string) error {
		port, err := strconv.Atoi(value)
		if err != nil || port < 0 || port > maxPort {
			return fmt.Errorf("not a port number: give 0 (any free port) to %d", maxPort)
		}
		*target = port
		return nil
	}
}

func parseEndpoint(target *string) func(string) error {
	return func(value string) error {
		endpoint, err := url.Parse(value)
		if err != nil || endpoint.Host == "" || (endpoint.Scheme != "http" && endpoint.Scheme != "https") {
			return errors.New("not a URL of a server, as http://localhost:8081 is one")
		}
		// The Web UI puts a slash and its own path behind it.
		*target = strings.TrimRight(value, "/")
		return nil
	}
}

func parsePID(target *int) func(string) error {
	return func(value string) error {
		pid, err := strconv.Atoi(value)
		if err != nil || pid <= 0 {
			return errors.New("not a process id")
		}
		*target = pid
		return nil
	}
}

func parseDatabase(target *string) func(string) error {
	return func(value string) error {
		if value == "" {
			return errors.New("empty file name: leave --db out to keep everything in memory")
		}
		*target = value
		return nil
	}
}

func parseChoice(target *string, choices ...string) func(string) error {
	return func(value string) error {
		if !slices.Contains(choices, value) {
			return fmt.Errorf("give %s", strings.Join(choices, " or "))
		}
		*target = value
		return nil
	}
}

func addNamespace(target *[]string) func(string) error {
	return func(value string) error {
		if err := checkNamespace(value); err != nil {
			return err
		}
		if !slices.Contains(*target, value) {
			*target = append(*target, value)
		}
		return nil
	}
}

const usage = `Usage: %s [flags]

A Temporal server with Web UI for development and tests. It says on standard output where it serves once it does, and
stops on SIGTERM, SIGINT or the end of the process named by --parent-pid.

  --ip ADDRESS                       address to listen on (127.0.0.1)
  --port PORT                        gRPC port; 0 picks a free one (7233)
  --ui-port PORT                     Web UI port; 0 picks a free one (gRPC port + 1000)
  --ui-codec-endpoint URL            codec server that the Web UI asks to decode payloads, http://localhost:8081 say
  --http-port PORT                   port of the HTTP API, which also takes Nexus callbacks; 0 picks a free one (0)
  --metrics-port PORT                serve Prometheus metrics; 0 picks a free port (no metrics)
  --headless                         no Web UI
  --db FILE                          SQLite file, created if missing (in memory)
  --namespace NAME                   namespace to create beside "default"; repeatable
  --search-attribute NAME=TYPE       search attribute of these namespaces; repeatable. Types: ` + searchAttributeTypes + `
  --dynamic-config-value KEY=JSON    server setting, e.g. limit.blobSize.warn=1048576; repeatable
  --log-level LEVEL                  debug, info, warn, error or never (warn)
  --log-format FORMAT                text or json (text)
  --output FORMAT                    how to say where it serves: json (one line) or text (json)
  --parent-pid PID                   stop when this process ends
  --version                          print versions and exit
`

// splitPair cuts "name=value" and trims the name.
func splitPair(pair, want string) (name, value string, err error) {
	name, value, ok := strings.Cut(pair, "=")
	name = strings.TrimSpace(name)
	if !ok || name == "" {
		return "", "", fmt.Errorf("give it as %s", want)
	}
	return name, value, nil
}
