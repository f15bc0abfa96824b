package main

import (
	"fmt"
	"io"
	"strings"

	"go.temporal.io/server/common/log"
	"go.temporal.io/server/common/log/tag"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

const (
	logFormatText = "text"
	logFormatJSON = "json"
)

// logLevel is the least severe level that is written.
type logLevel struct {
	name string
	zap  zapcore.Level
}

var (
	logLevelWarn = logLevel{"warn", zapcore.WarnLevel}

	logLevels = []logLevel{
		{"debug", zapcore.DebugLevel},
		{"info", zapcore.InfoLevel},
		logLevelWarn,
		{"error", zapcore.ErrorLevel},
		{"never", zapcore.InvalidLevel},
	}
)

func parseLogLevel(target *logLevel) func(string) error {
	return func(value string) error {
		names := make([]string, 0, len(logLevels))
		for _, level := range logLevels {
			if strings.EqualFold(value, level.name) {
				*target = level
				return nil
			}
			names = append(names, level.name)
		}
		return fmt.Errorf("not a log level: give one of %s", strings.Join(names, ", "))
	}
}

// newLogger returns the server's logger. It writes to out and hands fatal events to onFatal instead of exiting.
func newLogger(out io.Writer, level zapcore.LevelEnabler, format string, onFatal func(message string)) log.Logger {
	encoding := zapcore.EncoderConfig{
		TimeKey:          "time",
		LevelKey:         "level",
		MessageKey:       "message",
		LineEnding:       zapcore.DefaultLineEnding,
		EncodeLevel:      zapcore.LowercaseLevelEncoder,
		EncodeTime:       zapcore.ISO8601TimeEncoder,
		EncodeDuration:   zapcore.StringDurationEncoder,
		ConsoleSeparator: "  ",
	}
	encoder := zapcore.NewConsoleEncoder(encoding)
	if format == logFormatJSON {
		encoder = zapcore.NewJSONEncoder(encoding)
	}
	core := zapcore.NewCore(encoder, zapcore.Lock(zapcore.AddSync(out)), level)
	return &survivingLogger{Logger: log.NewZapLogger(zap.New(core)), onFatal: onFatal}
}

// survivingLogger is a logger whose Fatal does not end the process.
//
// The server logs at fatal level where its caller cannot go on, and the stock logger then exits. Some of these places
// are reached by a request (the address of a remote cluster is one), so that a client could stop the server. Returning
// from Fatal is no cure: the code after it was written never to run and goes on with a nil connection or a broken
// invariant. onFatal therefore must not return; fatal.go has the rules.
type survivingLogger struct {
	log.Logger
	onFatal func(message string)
}

func (l *survivingLogger) Fatal(message string, tags ...tag.Tag) {
	l.Error(message, append(tags, tag.Bool("fatal", true))...)
	l.onFatal(fatalMessage(message, tags))
}

// With and Skip keep the wrapper on derived loggers; package log looks for these methods by type assertion.
func (l *survivingLogger) With(tags ...tag.Tag) log.Logger {
	return &survivingLogger{Logger: log.With(l.Logger, tags...), onFatal: l.onFatal}
}

func (l *survivingLogger) Skip(extraSkip int) log.Logger {
	if skipper, ok := l.Logger.(log.SkipLogger); ok {
		return &survivingLogger{Logger: skipper.Skip(extraSkip), onFatal: l.onFatal}
	}
	return l
}

// fatalMessage is the message with the tags that say what went wrong.
func fatalMessage(message string, tags []tag.Tag) string {
	message = strings.TrimSuffix(message, ".")
	for _, t := range tags {
		switch t.Key() {
		case "error", "address":
			message += fmt.Sprintf(": %v", t.Value())
		}
	}
	return message
}
