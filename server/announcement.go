package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
)

const (
	outputJSON = "json"
	outputText = "text"
)

// announcement is what the server says once it is ready, on standard output and nowhere else: one line of JSON for
// programs, or a few lines for people. What is switched off has no address, null in JSON.
type announcement struct {
	Event         string   `json:"event"`
	GRPC          string   `json:"grpc"`
	HTTP          string   `json:"http"`
	UI            *string  `json:"ui"`
	Metrics       *string  `json:"metrics"`
	Namespaces    []string `json:"namespaces"`
	Database      *string  `json:"database"`
	PID           int      `json:"pid"`
	Version       string   `json:"version"`
	ServerVersion string   `json:"server_version"`
	UIVersion     string   `json:"ui_version"`
}

func (a announcement) write(out io.Writer, format string) error {
	a.Event = "ready"
	a.PID = os.Getpid()
	a.Version = version
	a.ServerVersion = serverVersion
	a.UIVersion = uiVersion
	text := a.text()
	if format == outputJSON {
		line, err := json.Marshal(a)
		if err != nil {
			return err
		}
		text = string(line) + "\n"
	}
	if _, err := io.WriteString(out, text); err != nil {
		return fmt.Errorf("cannot say that the server is ready: %w", err)
	}
	return nil
}

func (a announcement) text() string {
	database := "in memory, gone when the server stops"
	if a.Database != nil {
		database = *a.Database
	}
	rows := [][2]string{{"gRPC", a.GRPC}}
	if a.UI != nil {
		rows = append(rows, [2]string{"Web UI", *a.UI})
	}
	rows = append(rows, [2]string{"HTTP API", a.HTTP})
	if a.Metrics != nil {
		rows = append(rows, [2]string{"Metrics", *a.Metrics})
	}
	rows = append(rows, [2]string{"Namespaces", strings.Join(a.Namespaces, ", ")}, [2]string{"Database", database})

	var text strings.Builder
	fmt.Fprintf(&text, "Temporal server %s is ready. Ctrl-C stops it.\n\n", a.ServerVersion)
	for _, row := range rows {
		fmt.Fprintf(&text, "  %-12s%s\n", row[0], row[1])
	}
	text.WriteByte('\n')
	return text.String()
}
