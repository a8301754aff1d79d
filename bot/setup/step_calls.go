package setup

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

	"keyturn/bot"
)

// asJSON writes a body. Maps come in the order of their names, so the same
// plan has the same digest.
func asJSON(v any) json.RawMessage {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return json.RawMessage("{}")
	}
	return bytes.TrimSpace(b.Bytes())
}

type body = map[string]any

func graphGet(id, path, what string) bot.Call {
	return bot.Call{ID: id, System: bot.Graph, Method: "GET", Path: path, What: what}
}

func graphWrite(id, method, path string, b body, what string) bot.Call {
	c := bot.Call{ID: id, System: bot.Graph, Method: method, Path: path, What: what}
	if b != nil {
		c.Body = asJSON(b)
	}
	return c
}

// upsert creates the object that the path names, or updates it.
func upsert(id, path string, b body, what string) bot.Call {
	c := graphWrite(id, "PATCH", path, b, what)
	c.Header = map[string]string{"Prefer": "create-if-missing"}
	return c
}

// search is a Graph list with an advanced filter.
func search(id, path, filter, fields, what string) bot.Call {
	c := graphGet(id, path+"?$filter="+esc(filter)+"&$count=true&$select="+fields+"&$top=100", what)
	c.Header = map[string]string{"ConsistencyLevel": "eventual"}
	return c
}

// mint asks for a token, as a proof. What a token holds is dropped by the
// adapter; the answer's success is what counts.
func mint(c Context, id, as, clientID string, credential map[string]string, what string) bot.Call {
	form := map[string]string{
		"client_id":  clientID,
		"grant_type": "client_credentials",
		"scope":      "https://graph.microsoft.com/.default",
	}
	for k, v := range credential {
		form[k] = v
	}
	return bot.Call{ID: id, System: bot.Login, Method: "POST", Path: "/" + directory(c) + "/oauth2/v2.0/token", Form: form, As: as, Lag: true, What: what}
}

func table(name string) string { return "/api/now/table/" + name }

// rows reads rows of a ServiceNow table. An instance may ignore a part of the
// query, so every row has to be compared again.
func rows(id, tab, query, fields, what string) bot.Call {
	return bot.Call{ID: id, System: bot.ServiceNow, Method: "GET", What: what,
		Path: table(tab) + "?sysparm_query=" + esc(query) + "&sysparm_fields=" + fields + "&sysparm_exclude_reference_link=true&sysparm_limit=200"}
}

func row(id, tab, sysID, fields, what string) bot.Call {
	return bot.Call{ID: id, System: bot.ServiceNow, Method: "GET", What: what,
		Path: table(tab) + "/" + sysID + "?sysparm_fields=" + fields + "&sysparm_exclude_reference_link=true"}
}

func insert(id, tab string, b body, what string) bot.Call {
	return bot.Call{ID: id, System: bot.ServiceNow, Method: "POST", Path: table(tab), Body: asJSON(b), What: what}
}

func update(id, tab, sysID string, b body, what string) bot.Call {
	return bot.Call{ID: id, System: bot.ServiceNow, Method: "PATCH", Path: table(tab) + "/" + sysID, Body: asJSON(b), What: what}
}

// remove deletes a row; a row that is gone already is fine.
func remove(id, tab, sysID, what string) bot.Call {
	return bot.Call{ID: id, System: bot.ServiceNow, Method: "DELETE", Path: table(tab) + "/" + sysID, What: what,
		Fine: []int{404}, Unmakes: bot.ObjectKey(bot.ServiceNow, tab, sysID)}
}

// lookRow finds a row of ours by its natural key. One that stands a second time
// is deleted.
func lookRow(tab, query, fields string, match, save map[string]string) *bot.Look {
	second := remove("second", tab, "{found}", "Deletes a row that was made a second time")
	second.Unmakes = "" // it is in no inventory
	return &bot.Look{Path: rows("", tab, query, fields+",sys_created_on,sys_created_by", "").Path, List: "result", Match: match, Save: save,
		Key: "sys_id", Twice: &second, Maker: "sys_created_by", Made: "sys_created_on"}
}

// typed marks a write whose values are meant as people type them: the Table
// API saves encrypted columns only then.
func typed(c bot.Call) bot.Call {
	c.Path += "?sysparm_input_display_value=true"
	return c
}

func fineGone(c bot.Call) bot.Call {
	c.Fine = []int{404}
	return c
}

func lagging(c bot.Call) bot.Call {
	c.Lag = true
	return c
}

// esc escapes a query value, leaving what people want to read.
func esc(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		ch := s[i]
		switch {
		case ch >= 'a' && ch <= 'z', ch >= 'A' && ch <= 'Z', ch >= '0' && ch <= '9', strings.IndexByte("-_.~=,:/()'@!*{}$", ch) >= 0:
			b.WriteByte(ch)
		default:
			fmt.Fprintf(&b, "%%%02X", ch)
		}
	}
	return b.String()
}

// odata quotes a string for a filter or a key.
func odata(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

func appByName(unique, fields string) string {
	return "/applications(uniqueName=" + odata(unique) + ")?$select=" + fields
}

func appByClient(clientID, fields string) string {
	return "/applications(appId=" + odata(clientID) + ")?$select=" + fields
}

// ID is the object's sys_id where it may stand in a path, else "".
func (i Item) ID() string {
	if id := i.Get("sys_id"); isID(id) {
		return id
	}
	return ""
}

// Walked is the value of a dot-walked column ("user.user_name"), which is one
// name in the answer.
func (i Item) Walked(column string) string {
	var object map[string]json.RawMessage
	if json.Unmarshal(i.raw, &object) != nil {
		return ""
	}
	s, _ := bot.Pick(asJSON(map[string]json.RawMessage{"v": object[column]}), "v")
	return s
}

// first finds the first item for which every field has exactly the value.
func first(list []Item, match map[string]string) (Item, bool) {
	for _, it := range list {
		if holds(it, match) {
			return it, true
		}
	}
	return Item{}, false
}

func all(list []Item, match map[string]string) []Item {
	var out []Item
	for _, it := range list {
		if holds(it, match) {
			out = append(out, it)
		}
	}
	return out
}

func holds(it Item, match map[string]string) bool {
	for field, want := range match {
		if it.Walked(field) != want {
			return false
		}
	}
	return true
}
