package main

import (
	"database/sql"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestNewDatabaseFiles(t *testing.T) {
	for _, name := range []string{"plain.db", "with space.db", "50%#1?.db", "größe.db"} {
		path := filepath.Join(t.TempDir(), name)
		db, err := openDatabase(path)
		require.NoError(t, err)
		require.NoError(t, db.createNamespaces([]string{"default"}, nil))
		db.close()
		require.FileExists(t, path)
	}
}

func TestEmptyFileBecomesADatabase(t *testing.T) {
	path := filepath.Join(t.TempDir(), "empty.db")
	require.NoError(t, os.WriteFile(path, nil, 0o600))
	db, err := openDatabase(path)
	require.NoError(t, err)
	require.NoError(t, db.createNamespaces([]string{"default"}, nil))
	db.close()
}

func TestDatabaseIsLocked(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.db")
	first, err := openDatabase(path)
	require.NoError(t, err)
	_, err = openDatabase(path)
	require.ErrorContains(t, err, path+" is in use by another server")
	first.close()
	second, err := openDatabase(path)
	require.NoError(t, err)
	second.close()
}

func TestRejectedDatabaseFiles(t *testing.T) {
	dir := t.TempDir()
	text := filepath.Join(dir, "notes.txt")
	require.NoError(t, os.WriteFile(text, []byte("these are notes, and not at all a database of any kind"), 0o600))

	foreign := filepath.Join(dir, "foreign.db")
	db, err := sql.Open("sqlite", foreign)
	require.NoError(t, err)
	_, err = db.Exec("CREATE TABLE songs (title TEXT)")
	require.NoError(t, err)
	require.NoError(t, db.Close())

	for path, want := range map[string]string{
		text:                                  "notes.txt is not a SQLite database",
		foreign:                               "foreign.db is a SQLite database, but not one of a Temporal server",
		dir:                                   "is a directory",
		filepath.Join(dir, "none", "temp.db"): "directory " + filepath.Join(dir, "none") + " does not exist",
	} {
		_, err := openDatabase(path)
		require.ErrorContains(t, err, want)
		require.NotContains(t, err.Error(), "\n")
	}
	content, err := os.ReadFile(text)
	require.NoError(t, err)
	require.Contains(t, string(content), "these are notes", "a file that is no database stays as it is")
}
