package microsoft_test

import (
	"net/url"
	"strings"
	"testing"

	"keyturn/sim/microsoft"
)

func TestFindingAPerson(t *testing.T) {
	w := start(t, withApps(bot(everything...)))
	token := w.appToken()
	find := func(filter string) []map[string]any {
		return wants(t, w.graph(token, "GET", "/users?$filter="+url.QueryEscape(filter), ""), 200, "").values(t)
	}
	if got := find("mail eq 'NORA.nobody@contoso.example'"); len(got) != 1 || got[0]["userPrincipalName"] != nobody || got[0]["accountEnabled"] != nil {
		t.Fatalf("%v", got)
	}
	if got := find("mail eq 'paul@contoso.example'"); len(got) != 0 {
		t.Fatalf("an admin account without a mailbox: %v", got)
	}
	if a := wants(t, w.graph(token, "GET", "/users/"+paul+"?$select=id,accountEnabled", ""), 200, ""); a.object(t)["accountEnabled"] != true {
		t.Fatalf("%s", a.body)
	}
	wants(t, w.graph(token, "GET", "/users/who@contoso.example", ""), 404, "Request_ResourceNotFound")
	wants(t, w.graph(token, "GET", "/me", ""), 400, "BadRequest")
	wants(t, w.graph(token, "GET", "/users?$filter=displayName+ne+'x'", ""), 400, "Request_UnsupportedQuery")
	wants(t, w.graph(token, "GET", "/users?$filter=displayName+ne+'Anna+Adams'&$count=true", "", "ConsistencyLevel", "eventual"), 200, "")
	wants(t, w.graph(token, "GET", `/users?$search="displayName:adams"`, ""), 400, "Request_UnsupportedQuery")
	if got := w.graph(token, "GET", `/users?$search=%22displayName:adams%22`, "", "ConsistencyLevel", "eventual").values(t); len(got) != 1 {
		t.Fatalf("%v", got)
	}
}

func TestThePagesOfADirectory(t *testing.T) {
	w := start(t, withApps(bot(everything...)))
	token := w.appToken()
	var names []string
	path := "/users?$top=4&$select=id&$orderby=displayName+desc"
	for path != "" {
		a := wants(t, w.graph(token, "GET", path, ""), 200, "")
		names = append(names, ids(a.values(t))...)
		path, _ = a.object(t)["@odata.nextLink"].(string)
	}
	if len(names) != 6 {
		t.Fatalf("%v", names)
	}
	wants(t, w.graph(token, "GET", "/users?$skip=1", ""), 400, "Request_BadRequest")
	wants(t, w.graph(token, "GET", "/users?$top=1000", ""), 400, "Request_BadRequest")
	wants(t, w.graph(token, "GET", "/users?$top=many", ""), 400, "BadRequest")
}

func TestWhichRolesCountAndWhereTheyShow(t *testing.T) {
	w := start(t, withApps(bot(everything...)))
	token := w.appToken()
	id := func(upn string) string {
		return wants(t, w.graph(token, "GET", "/users/"+upn, ""), 200, "").text(t, "id")
	}
	assigned := func(upn string) int {
		return len(w.graph(token, "GET", "/roleManagement/directory/roleAssignments?$filter="+url.QueryEscape("principalId eq '"+id(upn)+"'"), "").values(t))
	}
	roles := func(upn, membership string) string {
		var out []string
		a := wants(t, w.graph(token, "GET", "/users/"+id(upn)+"/"+membership+"/microsoft.graph.directoryRole?$count=true", "", "ConsistencyLevel", "eventual"), 200, "")
		for _, v := range a.values(t) {
			name, _ := v["displayName"].(string)
			out = append(out, name)
		}
		return strings.Join(out, ",")
	}
	if assigned(anna) != 1 || roles(anna, "transitiveMemberOf") != "Application Administrator" {
		t.Fatal("Anna holds her role directly")
	}
	if assigned(gina) != 0 || roles(gina, "memberOf") != "" || roles(gina, "transitiveMemberOf") != "Global Administrator" {
		t.Fatal("Gina holds hers through a group")
	}
	if assigned(paul) != 0 || roles(paul, "transitiveMemberOf") != "" {
		t.Fatal("Paul's is only eligible")
	}
	if err := w.sim.Activate(paul, "Privileged Role Administrator"); err != nil {
		t.Fatal(err)
	}
	if assigned(paul) != 1 || roles(paul, "transitiveMemberOf") != "Privileged Role Administrator" {
		t.Fatal("Paul's is active now")
	}
	if err := w.sim.Deactivate(paul, "Privileged Role Administrator"); err != nil {
		t.Fatal(err)
	}
	if assigned(paul) != 0 {
		t.Fatal("Paul's is over")
	}
	wants(t, w.graph(token, "GET", "/users/"+id(anna)+"/transitiveMemberOf/microsoft.graph.directoryRole", ""), 400, "Request_UnsupportedQuery")
	wants(t, w.graph(token, "GET", "/directoryRoles(roleTemplateId='"+microsoft.PrivilegedRoleAdministrator+"')/members", ""), 404, "Request_ResourceNotFound")
	if err := w.sim.SetQuirks(microsoft.Quirks{LimitedInfo: true}); err != nil {
		t.Fatal(err)
	}
	got := w.graph(token, "GET", "/users/"+id(anna)+"/transitiveMemberOf", "").values(t)
	if len(got) != 1 || got[0]["roleTemplateId"] != nil || got[0]["id"] == nil {
		t.Fatalf("%v", got)
	}
}

func TestRolesComeAndGo(t *testing.T) {
	w := start(t, withApps(bot(everything...)))
	if err := w.sim.Assign(nobody, "Service Support Administrator"); err != nil {
		t.Fatal(err)
	}
	wants(t, w.graph(w.userToken(nobody), "GET", issuesPath, ""), 200, "")
	token := w.userToken(nobody)
	if err := w.sim.Unassign(nobody, microsoft.ServiceSupportAdministrator); err != nil {
		t.Fatal(err)
	}
	wants(t, w.graph(token, "GET", issuesPath, ""), 403, "Authorization_RequestDenied")
	if err := w.sim.Disable(nobody, true); err != nil {
		t.Fatal(err)
	}
	wants(t, w.graph(token, "GET", "/me", ""), 401, "InvalidAuthenticationToken")
	for name, err := range map[string]error{
		"unknown user": w.sim.Assign("who", "Global Administrator"), "unknown role": w.sim.Assign(anna, "King"),
		"same user again": w.sim.AddUser(microsoft.User{UPN: anna}), "no UPN": w.sim.AddUser(microsoft.User{}),
		"ID": w.sim.AddUser(microsoft.User{UPN: "x@y", ID: "7"}), "world": w.sim.SetWorld("flat"),
	} {
		if err == nil {
			t.Errorf("%s: taken", name)
		}
	}
}
