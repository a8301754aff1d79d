package microsoft_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"

	"keyturn/test/beside"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"
)

const contractFile = "msgraph-subset.openapi.yaml"

type description struct {
	doc    *openapi3.T
	router routers.Router
}

var contract = sync.OnceValues(func() (description, error) {
	file := beside.ContractFile(contractFile)
	if _, err := os.Stat(file); err != nil {
		return description{}, nil
	}
	doc, err := openapi3.NewLoader().LoadFromFile(file)
	if err != nil {
		return description{}, err
	}
	router, err := gorillamux.NewRouter(doc)
	return description{doc, router}, err
})

// described is Graph's description; both are nil where the file is absent.
func described(t testing.TB) (*openapi3.T, routers.Router) {
	t.Helper()
	d, err := contract()
	if err != nil {
		t.Fatal(err)
	}
	return d.doc, d.router
}

// asSent is the request as the real Graph would have got it.
func asSent(r *http.Request, body string) *http.Request {
	out := r.Clone(context.Background())
	out.URL.Scheme, out.URL.Host, out.Host = "https", "graph.microsoft.com", "graph.microsoft.com"
	out.URL.Path = strings.TrimPrefix(out.URL.Path, "/graph")
	out.URL.RawPath = strings.TrimPrefix(out.URL.RawPath, "/graph")
	out.Body = io.NopCloser(strings.NewReader(body))
	return out
}

// keepsContract fails where an answer does not look as Graph's description
// says, and where a request that succeeded would not be allowed by it.
func keepsContract(t testing.TB, r *http.Request, body string, a answer) {
	t.Helper()
	_, router := described(t)
	if router == nil || a.status == http.StatusMethodNotAllowed {
		return
	}
	sent := asSent(r, body)
	route, params, err := router.FindRoute(sent)
	if err != nil {
		return // not described: deletedItems and its like
	}
	req := &openapi3filter.RequestValidationInput{Request: sent, PathParams: params, Route: route,
		Options: &openapi3filter.Options{AuthenticationFunc: openapi3filter.NoopAuthenticationFunc, IncludeResponseStatus: true}}
	if a.status < 300 {
		if err := openapi3filter.ValidateRequest(context.Background(), req); err != nil {
			t.Errorf("the request %s %s breaks the contract: %v", r.Method, r.URL, err)
		}
	}
	err = openapi3filter.ValidateResponse(context.Background(), &openapi3filter.ResponseValidationInput{RequestValidationInput: req,
		Status: a.status, Header: a.header, Body: io.NopCloser(bytes.NewReader(a.body)), Options: req.Options})
	if err != nil {
		t.Errorf("the answer to %s %s breaks the contract: %v", r.Method, r.URL, err)
	}
}

func TestEveryDescribedOperationIsServed(t *testing.T) {
	beside.Contract(t, contractFile) // skips where there is none
	doc, router := described(t)
	w := start(t, withApps(bot(everything...)))
	missing := map[string]bool{}
	for _, item := range doc.Paths.Map() {
		for _, op := range item.Operations() {
			missing[op.OperationID] = true
		}
	}
	step := func(token, method, path, body string, headers ...string) answer {
		t.Helper()
		a := w.graph(token, method, path, body, headers...)
		if a.status >= 300 {
			t.Fatalf("%s %s: %d %s", method, path, a.status, a.body)
		}
		route, _, err := router.FindRoute(asSent(w.request(method, "/graph/v1.0"+path, nil), ""))
		if err != nil {
			t.Fatalf("%s %s: %v", method, path, err)
		}
		delete(missing, route.Operation.OperationID)
		return a
	}
	w.registrationTour(step)
	w.peopleTour(step)
	w.healthTour(step)
	delete(missing, "admin.serviceAnnouncement.ListHealthOverviewIssues") // described, and answers 404 in the real service too
	for id := range missing {
		t.Errorf("%s is described and was not served", id)
	}
}

type stepper func(token, method, path, body string, headers ...string) answer

func (w *world) registrationTour(step stepper) {
	w.Helper()
	token := w.appToken()
	seed := `{"displayName":"tour","keyCredentials":[]}`
	byID := func(a answer) string { return "/applications/" + a.text(w, "id") }
	byAppID := func(a answer) string { return "/applications(appId='" + a.text(w, "appId") + "')" }
	named := "/applications(uniqueName='tour')"

	first := step(token, "POST", "/applications", seed)
	second := step(token, "PATCH", named, seed, "Prefer", "create-if-missing")
	step(token, "GET", "/applications?$top=2&$select=id,keyCredentials&$orderby=displayName", "")
	step(token, "GET", byID(first), "")
	step(token, "GET", byAppID(first), "")
	step(token, "GET", named, "")
	step(token, "PATCH", byID(first), `{"notes":"x"}`)
	step(token, "PATCH", byAppID(first), `{"tags":["x"]}`)
	one := step(token, "POST", byID(first)+"/addPassword", `{"passwordCredential":{"displayName":"a"}}`)
	two := step(token, "POST", byAppID(first)+"/addPassword", ``)
	step(token, "POST", byID(first)+"/removePassword", `{"keyId":"`+one.text(w, "keyId")+`"}`)
	step(token, "POST", byAppID(first)+"/removePassword", `{"keyId":"`+two.text(w, "keyId")+`"}`)
	step(token, "POST", byID(first)+"/federatedIdentityCredentials", `{"name":"n","issuer":"https://i.example","subject":"s","audiences":["a"]}`)
	step(token, "GET", byID(first)+"/federatedIdentityCredentials", "")

	sp := step(token, "POST", "/servicePrincipals", `{"appId":"`+first.text(w, "appId")+`"}`).text(w, "id")
	step(token, "PATCH", "/servicePrincipals(appId='"+second.text(w, "appId")+"')", `{}`, "Prefer", "create-if-missing")
	step(token, "GET", "/servicePrincipals?$filter=appId+eq+'"+first.text(w, "appId")+"'", "")
	step(token, "GET", "/servicePrincipals/"+sp, "")
	graph := step(token, "GET", "/servicePrincipals(appId='00000003-0000-0000-c000-000000000000')", "").text(w, "id")
	assignment := func(role string) string {
		return `{"principalId":"` + sp + `","resourceId":"` + graph + `","appRoleId":"` + role + `"}`
	}
	made := step(token, "POST", "/servicePrincipals/"+graph+"/appRoleAssignedTo", assignment("79c261e0-fe76-4144-aad5-bdc68fbe4037"))
	step(token, "POST", "/servicePrincipals/"+sp+"/appRoleAssignments", assignment("1b620472-6534-4fe6-9df2-4680e8aa28ec"))
	step(token, "GET", "/servicePrincipals/"+graph+"/appRoleAssignedTo", "")
	step(token, "GET", "/servicePrincipals/"+sp+"/appRoleAssignments", "")
	step(token, "DELETE", "/servicePrincipals/"+graph+"/appRoleAssignedTo/"+made.text(w, "id"), "")
	step(token, "POST", "/oauth2PermissionGrants", `{"clientId":"`+sp+`","consentType":"AllPrincipals","resourceId":"`+graph+`","scope":"User.Read"}`)
	step(token, "GET", "/oauth2PermissionGrants", "")
	step(token, "DELETE", "/servicePrincipals/"+sp, "")
	step(token, "DELETE", byID(first), "")
	third := step(token, "POST", "/applications", seed)
	step(token, "DELETE", byAppID(third), "")
	step(token, "DELETE", named, "")
}

func (w *world) peopleTour(step stepper) {
	w.Helper()
	token, own := w.appToken(), w.userToken(anna)
	advanced := []string{"ConsistencyLevel", "eventual"}
	cast := "/microsoft.graph.directoryRole?$count=true&$select=displayName,roleTemplateId"
	id := step(own, "GET", "/me", "").text(w, "id")
	for who, as := range map[string]string{"/me": own, "/users/" + id: token} {
		step(as, "GET", who+"/memberOf", "")
		step(as, "GET", who+"/transitiveMemberOf", "")
		step(as, "GET", who+"/memberOf"+cast, "", advanced...)
		step(as, "GET", who+"/transitiveMemberOf"+cast, "", advanced...)
	}
	step(token, "GET", "/users?$filter=mail+eq+'"+anna+"'", "")
	step(token, "GET", "/users/"+id, "")
	step(token, "GET", "/organization", "")
	step(token, "GET", "/directoryRoles", "")
	step(token, "GET", "/directoryRoles(roleTemplateId='9b895d92-2cd3-44c7-9d02-a6ac2d5ea5c3')/members", "")
	step(token, "GET", "/roleManagement/directory/roleAssignments?$filter=principalId+eq+'"+id+"'", "")
	step(token, "GET", "/roleManagement/directory/roleDefinitions", "")
	step(token, "GET", "/policies/defaultAppManagementPolicy", "")
}

func (w *world) healthTour(step stepper) {
	w.Helper()
	token := w.appToken()
	w.put(issue("EX1", "Exchange Online", "postIncidentReviewPublished", true, "2026-03-02T08:30:00.2Z"))
	message := `{"id":"MC1","title":"t","startDateTime":"2026-03-01T00:00:00Z","lastModifiedDateTime":"2026-03-01T00:00:00Z","category":"stayInformed","severity":"normal",
	 "tags":[],"services":[],"hasAttachments":true,"details":[],"body":{"contentType":"html","content":""},"attachments":[{"id":"a1","name":"x","size":1}]}`
	if err := w.sim.PutMessage([]byte(message)); err != nil {
		w.Fatal(err)
	}
	base := "/admin/serviceAnnouncement"
	for _, path := range []string{"", "/healthOverviews?$expand=issues", "/healthOverviews/Exchange", "/issues", "/issues/EX1", "/issues/EX1/incidentReport", "/issues/EX1/incidentReport()",
		"/messages", "/messages/MC1", "/messages/MC1/attachments", "/messages/MC1/attachments/a1"} {
		step(token, "GET", base+path, "")
	}
}
