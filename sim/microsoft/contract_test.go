package microsoft_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"
)

// folder is where an environment variable says, else beside the module.
func folder(variable, otherwise string) string {
	if dir := os.Getenv(variable); dir != "" {
		return dir
	}
	root, err := os.Getwd()
	for err == nil && root != filepath.Dir(root) {
		if _, err := os.Stat(filepath.Join(root, "go.mod")); err == nil {
			return filepath.Join(root, otherwise)
		}
		root = filepath.Dir(root)
	}
	return otherwise
}

// outside reads a file of such a folder, or skips the test.
func outside(t *testing.T, variable, otherwise, name string) []byte {
	t.Helper()
	file := filepath.Join(folder(variable, otherwise), name)
	b, err := os.ReadFile(file)
	if err != nil {
		t.Skipf("%s is not there: set %s to the folder that has it", file, variable)
	}
	return b
}

const contractFile = "msgraph-subset.openapi.yaml"

// contract is Graph's description, nil where the file is absent.
var contract = sync.OnceValues(func() (*openapi3.T, error) {
	dir := folder("KEYTURN_CONTRACTS", "../shared/contracts")
	if _, err := os.Stat(filepath.Join(dir, contractFile)); err != nil {
		return nil, nil
	}
	return openapi3.NewLoader().LoadFromFile(filepath.Join(dir, contractFile))
})

func find(t testing.TB, base string, r *http.Request) (*routers.Route, map[string]string) {
	t.Helper()
	doc, err := contract()
	if err != nil {
		t.Fatal(err)
	}
	if doc == nil {
		return nil, nil
	}
	mine := *doc
	mine.Servers = openapi3.Servers{{URL: base + "/graph/v1.0"}}
	router, err := gorillamux.NewRouter(&mine)
	if err != nil {
		t.Fatal(err)
	}
	route, params, err := router.FindRoute(r)
	if err != nil {
		return nil, nil // not described: deletedItems and its like
	}
	return route, params
}

var covered sync.Map // operation IDs answered with success

// keepsContract fails where an answer does not look as Graph's description
// says, and where a request that succeeded would not be allowed by it.
func keepsContract(t testing.TB, base string, r *http.Request, body string, a answer) {
	t.Helper()
	route, params := find(t, base, r)
	if route == nil || a.status == http.StatusMethodNotAllowed {
		return
	}
	in := r.Clone(context.Background())
	in.Body = io.NopCloser(strings.NewReader(body))
	req := &openapi3filter.RequestValidationInput{Request: in, PathParams: params, Route: route,
		Options: &openapi3filter.Options{AuthenticationFunc: openapi3filter.NoopAuthenticationFunc, IncludeResponseStatus: true}}
	if a.status < 300 {
		if err := openapi3filter.ValidateRequest(context.Background(), req); err != nil {
			t.Errorf("the request %s %s breaks the contract: %v", r.Method, r.URL, err)
		}
		covered.Store(route.Operation.OperationID, true)
	}
	err := openapi3filter.ValidateResponse(context.Background(), &openapi3filter.ResponseValidationInput{RequestValidationInput: req,
		Status: a.status, Header: a.header, Body: io.NopCloser(bytes.NewReader(a.body)), Options: req.Options})
	if err != nil {
		t.Errorf("the answer to %s %s breaks the contract: %v", r.Method, r.URL, err)
	}
}
