package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/gofrs/flock"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/server/common/config"
	"go.temporal.io/server/common/log"
	"go.temporal.io/server/common/metrics"
	temporalsql "go.temporal.io/server/common/persistence/sql"
	"go.temporal.io/server/common/persistence/sql/sqlplugin"
	sqliteplugin "go.temporal.io/server/common/persistence/sql/sqlplugin/sqlite"
	"go.temporal.io/server/common/resolver"
	"go.temporal.io/server/schema/sqlite"
	_ "modernc.org/sqlite" // the driver the server's plugin uses, for the checks below
)

const lockTimeout = 2 * time.Second

// database is the one SQLite database of the server, in memory or in a file.
type database struct {
	config *config.SQL
	// keeper holds the in-memory database open: it is gone with its last connection.
	keeper *sql.DB
	lock   *flock.Flock
}

// openDatabase returns a database with the server's schema. An empty path means memory. A file is created if missing,
// and locked against a second server.
func openDatabase(path string) (*database, error) {
	if path == "" {
		return openMemory()
	}
	return openFile(path)
}

func openMemory() (*database, error) {
	name := fmt.Sprintf("invincible-%d", os.Getpid())
	keeper, err := sql.Open("sqlite", "file:"+name+"?mode=memory&cache=shared")
	if err != nil {
		return nil, err
	}
	keeper.SetMaxOpenConns(1)
	keeper.SetConnMaxIdleTime(0)
	keeper.SetConnMaxLifetime(0)
	if err := keeper.Ping(); err != nil {
		return nil, fmt.Errorf("cannot open a database in memory: %w", err)
	}
	return &database{
		keeper: keeper,
		config: &config.SQL{
			PluginName:        sqliteplugin.PluginName,
			DatabaseName:      name,
			ConnectAttributes: map[string]string{"mode": "memory", "cache": "shared"},
		},
	}, nil
}

func openFile(path string) (_ *database, err error) {
	path, err = filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("--db: %w", err)
	}
	fresh, err := checkFile(path)
	if err != nil {
		return nil, err
	}

	lock := flock.New(path + ".lock")
	// A server that is about to stop gets the time to do so.
	ctx, cancel := context.WithTimeout(context.Background(), lockTimeout)
	defer cancel()
	_, err = lock.TryLockContext(ctx, probeInterval)
	if errors.Is(err, context.DeadlineExceeded) {
		return nil, fmt.Errorf("--db: %s is in use by another server", path)
	}
	if err != nil {
		return nil, fmt.Errorf("--db: cannot lock %s: %w", path, withoutPath(err))
	}
	defer func() {
		if err != nil {
			_ = lock.Unlock()
		}
	}()

	d := &database{
		lock: lock,
		config: &config.SQL{
			PluginName:   sqliteplugin.PluginName,
			DatabaseName: escapePath(path),
			ConnectAttributes: map[string]string{
				"mode":         "rwc",
				"journal_mode": "wal",
				"synchronous":  "normal", // in WAL mode this loses nothing when the process dies
				"busy_timeout": "10000",
			},
		},
	}
	if !fresh {
		if err := d.checkContents(path); err != nil {
			return nil, err
		}
		return d, nil
	}
	if err := sqlite.SetupSchema(d.config); err != nil {
		return nil, fmt.Errorf("--db: cannot create %s: %w", path, err)
	}
	return d, nil
}

// checkFile finds what is wrong with a path before SQLite does, with better words. It reports whether the file has
// nothing in it yet.
func checkFile(path string) (fresh bool, err error) {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if info, err := os.Stat(filepath.Dir(path)); err != nil || !info.IsDir() {
			return false, fmt.Errorf("--db: directory %s does not exist", filepath.Dir(path))
		}
		return true, nil
	case err != nil:
		return false, fmt.Errorf("--db: cannot open %s: %w", path, withoutPath(err))
	case info.IsDir():
		return false, fmt.Errorf("--db: %s is a directory", path)
	}
	file, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return false, fmt.Errorf("--db: cannot open %s: %w", path, withoutPath(err))
	}
	return info.Size() == 0, file.Close()
}

// checkContents refuses a file that is no database, or a database of something else.
func (d *database) checkContents(path string) error {
	db, err := sql.Open("sqlite", "file:"+d.config.DatabaseName+"?mode=ro")
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }()

	var tables int
	const query = `SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name IN ('namespaces', 'executions', 'shards')`
	if err := db.QueryRow(query).Scan(&tables); err != nil {
		return fmt.Errorf("--db: %s is not a SQLite database: %w", path, err)
	}
	if tables != 3 {
		return fmt.Errorf("--db: %s is a SQLite database, but not one of a Temporal server", path)
	}
	return nil
}

// createNamespaces makes the namespaces that are not there yet, with their search attributes.
func (d *database) createNamespaces(names []string, attributes map[string]enumspb.IndexedValueType) error {
	configs := make([]*sqlite.NamespaceConfig, 0, len(names))
	for _, name := range names {
		namespace, err := sqlite.NewNamespaceConfig(clusterName, name, false, attributes)
		if err != nil {
			return fmt.Errorf("cannot prepare namespace %q: %w", name, err)
		}
		configs = append(configs, namespace)
	}
	if err := sqlite.CreateNamespaces(d.config, configs...); err != nil {
		return fmt.Errorf("cannot create namespaces: %w", err)
	}
	return nil
}

// close checkpoints a file's write-ahead log, so that the file alone is the database, and gives up the lock.
func (d *database) close() {
	if d.lock == nil {
		_ = d.keeper.Close()
		return
	}
	if admin, err := temporalsql.NewSQLAdminDB(sqlplugin.DbKindUnknown, d.config, resolver.NewNoopResolver(),
		log.NewNoopLogger(), metrics.NoopMetricsHandler); err == nil {
		_ = admin.Exec("PRAGMA wal_checkpoint(TRUNCATE)")
		_ = admin.Close()
	}
	_ = d.lock.Unlock()
}

// escapePath makes a path safe inside a SQLite file URI.
func escapePath(path string) string {
	path = filepath.ToSlash(path)
	if filepath.VolumeName(path) != "" {
		path = "/" + path
	}
	return strings.ReplaceAll(url.PathEscape(path), "%2F", "/")
}

// withoutPath drops the path from a file error whose message already names it.
func withoutPath(err error) error {
	var pathError *fs.PathError
	if errors.As(err, &pathError) {
		return pathError.Err
	}
	return err
}
