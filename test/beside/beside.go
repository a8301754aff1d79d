package beside

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

const (
	dataVar      = "KEYTURN_DATA"
	contractsVar = "KEYTURN_CONTRACTS"
)

// Data is a file of the recorded data, named from their folder. The test is
// skipped where there is none.
func Data(t testing.TB, name string) []byte {
	t.Helper()
	return read(t, dataVar, DataFile(name), name)
}

// Contract is a file of the published contracts, as [Data] is one of the data.
func Contract(t testing.TB, name string) []byte {
	t.Helper()
	return read(t, contractsVar, ContractFile(name), name)
}

// DataFile is the path of a file of the recorded data, whether it is there or
// not: for whoever can do without it.
func DataFile(name string) string { return file(dataVar, "data", name) }

// ContractFile is the path of a published contract, as [DataFile] is one of the
// data.
func ContractFile(name string) string { return file(contractsVar, "contracts", name) }

// Module is the folder of the module that the test belongs to.
func Module() string {
	dir, err := os.Getwd()
	if err != nil {
		panic(err) // a test without a folder
	}
	for at := dir; ; at = filepath.Dir(at) {
		if _, err := os.Stat(filepath.Join(at, "go.mod")); err == nil {
			return at
		}
		if at == filepath.Dir(at) {
			return dir
		}
	}
}

func file(variable, folder, name string) string {
	dir := os.Getenv(variable)
	if dir == "" {
		dir = filepath.Join(Module(), "..", "shared", folder)
	}
	return filepath.Join(dir, filepath.FromSlash(name))
}

func read(t testing.TB, variable, path, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		t.Skipf("%s is not here: set %s to the folder that holds it", name, variable)
	}
	if err != nil {
		t.Fatal(err)
	}
	return b
}
