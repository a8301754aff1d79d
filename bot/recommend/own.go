package recommend

import (
	"encoding/json"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"keyturn/bot"
)

// The organisation's own knowledge: published articles and solved incidents of
// its ServiceNow. As whom it is asked is the caller's matter; what comes back is
// checked here once more, since an instance passes over a part of a query that
// it does not understand.

// sought is how many words of a question are looked for, and found how many
// texts are taken of each kind.
const (
	sought = 6
	found  = 40
)

// Sought are the words of a question that an own text is looked for by: those
// that tell texts apart, as typed.
func (q Query) Sought() []string {
	out := slices.Clone(q.Codes)
	for _, t := range q.terms {
		w := q.of[t]
		if strings.ContainsAny(t[:1], "~!") || vague[t] || !plainWord.MatchString(w) {
			continue
		}
		if as, ok := written[w]; ok {
			w = as
		}
		if !slices.Contains(out, w) {
			out = append(out, w)
		}
	}
	return out[:min(len(out), sought)]
}

// plainWord cannot end a condition of an encoded query.
var plainWord = regexp.MustCompile(`^[\p{L}\p{N}]{2,40}$`)

// anyOf is an encoded query for texts that have one of the words in one of the
// columns.
func anyOf(words []string, columns ...string) string {
	var or []string
	for _, c := range columns {
		for _, w := range words {
			or = append(or, c+"LIKE"+w)
		}
	}
	return strings.Join(or, "^OR")
}

func tableRead(id, table, query, fields, as, what string, limit string) bot.Call {
	return bot.Call{ID: id, System: bot.ServiceNow, Method: "GET", As: as, What: what,
		Path: "/api/now/table/" + table + "?sysparm_query=" + url.QueryEscape(query) + "&sysparm_fields=" + fields + "&sysparm_exclude_reference_link=true&sysparm_no_count=true&sysparm_limit=" + limit}
}

// KnowledgeCall looks for published articles. With bases it looks in those
// knowledge bases alone.
func KnowledgeCall(q Query, bases []string, as string) bot.Call {
	in := ""
	if len(bases) > 0 {
		in = "kb_knowledge_baseIN" + strings.Join(bases, ",") + "^"
	}
	return tableRead("knowledge", "kb_knowledge", in+"workflow_state=published^active=true^"+anyOf(q.Sought(), "short_description", "text")+"^ORDERBYDESCsys_updated_on",
		"sys_id,number,short_description,text,kb_knowledge_base,workflow_state,active,sys_updated_on", as, "Looks for published articles of the organisation's knowledge base", "40")
}

// PastCall looks for incidents that were solved before.
func PastCall(q Query) bot.Call {
	return tableRead("past", "incident", "stateIN6,7^"+anyOf(q.Sought(), "short_description", "close_notes")+"^ORDERBYDESCsys_updated_on",
		"sys_id,number,short_description,close_notes,state,sys_updated_on", "", "Looks for incidents that were solved before", "40")
}

type ownRow struct {
	SysID       string `json:"sys_id"`
	Number      string `json:"number"`
	Short       string `json:"short_description"`
	Text        string `json:"text"`
	Description string `json:"description"`
	Base        string `json:"kb_knowledge_base"`
	Workflow    string `json:"workflow_state"`
	Active      string `json:"active"`
	Close       string `json:"close_notes"`
	State       string `json:"state"`
	Category    string `json:"category"`
	Updated     string `json:"sys_updated_on"`
}

func ownRows(body json.RawMessage) []ownRow {
	var out []ownRow
	for _, item := range bot.PickList(body, "result") {
		var r ownRow
		if json.Unmarshal(item, &r) == nil && sysID.MatchString(r.SysID) && ownNumber.MatchString(r.Number) {
			out = append(out, r)
		}
	}
	return out[:min(len(out), found)]
}

var (
	sysID     = regexp.MustCompile(`^[0-9a-f]{32}$`)
	ownNumber = regexp.MustCompile(`^[A-Z]{2,10}[0-9]{4,12}$`)
	recordIs  = regexp.MustCompile(`(?i)^INC[0-9]{5,12}$`)
	tags      = regexp.MustCompile(`<[^>]*>|&nbsp;`)
)

// SysID reports whether a text has the form of a ServiceNow record's own ID.
func SysID(s string) bool { return sysID.MatchString(s) }

func (r ownRow) updated() time.Time {
	t, _ := time.ParseInLocation("2006-01-02 15:04:05", r.Updated, time.UTC) // an odd date is unknown
	return t
}

// ReadKnowledge reads the answer to [KnowledgeCall]. base is the instance's
// address, for links.
func ReadKnowledge(body json.RawMessage, bases []string, base string) []Doc {
	var out []Doc
	for _, r := range ownRows(body) {
		if r.Workflow != "published" || r.Active == "false" || len(bases) > 0 && !slices.Contains(bases, r.Base) {
			continue
		}
		text := strings.Join(strings.Fields(tags.ReplaceAllString(r.Text, " ")), " ")
		out = append(out, Doc{ID: r.Number, Kind: Knowledge, Title: r.Short, Text: text, Changed: r.updated(), Says: text,
			Link: base + "/kb_view.do?sysparm_article=" + r.Number, Mark: "Your knowledge base"})
	}
	return out
}

// ReadPast reads the answer to [PastCall]; the incident that was asked about is
// left out.
func ReadPast(body json.RawMessage, base, except string) []Doc {
	var out []Doc
	for _, r := range ownRows(body) {
		if r.State != "6" && r.State != "7" || r.Number == except {
			continue
		}
		d := Doc{ID: r.Number, Kind: Past, Title: r.Short, Text: r.Close, Changed: r.updated(), Says: r.Close, Link: base + "/incident.do?sys_id=" + r.SysID, Mark: "Solved before"}
		out = append(out, d)
	}
	return out
}

// Record is an incident of the organisation's ServiceNow that somebody asks
// about.
type Record struct{ SysID, Number, Short, Description, Category string }

// RecordNumber reads the number of an incident as it is typed; "" is none.
func RecordNumber(said string) string {
	if recordIs.MatchString(said) {
		return strings.ToUpper(said)
	}
	return ""
}

// RecordCall reads one incident by its number.
func RecordCall(number, as string) bot.Call {
	return tableRead("record", "incident", "number="+number, "sys_id,number,short_description,description,category", as, "Reads the incident "+number, "1")
}

// ReadRecord reads the answer to [RecordCall]; false where the incident is not
// there, or hidden from whoever asks.
func ReadRecord(body json.RawMessage, number string) (Record, bool) {
	for _, r := range ownRows(body) {
		if r.Number == number {
			return Record{r.SysID, r.Number, r.Short, r.Description, r.Category}, true
		}
	}
	return Record{}, false
}

// Symptom is what an incident says is wrong.
func (r Record) Symptom() string {
	if strings.Contains(r.Description, r.Short) {
		return r.Description
	}
	return strings.TrimSpace(r.Short + "\n" + r.Description)
}

// HoldsCall asks whether an active user holds a role, their own or by a group.
// An instance passes over a part of a query that it does not know, and then
// everybody seems to: only who is found for the role and not for one that
// nobody has holds it ([Held]).
func HoldsCall(user, role string) bot.Call {
	return tableRead("holds", "sys_user", "user_name="+user+"^active=true^roles="+role, "sys_id,user_name", "unattended", "Asks whether "+user+" holds "+role, "1")
}

// NoRole is a role that nobody has.
const NoRole = "keyturn_no_such_role"

// Held reports whether the answer to [HoldsCall] names the user.
func Held(body json.RawMessage, user string) bool {
	for _, item := range bot.PickList(body, "result") {
		var r struct {
			Name string `json:"user_name"`
		}
		if json.Unmarshal(item, &r) == nil && r.Name == user {
			return true
		}
	}
	return false
}

// UserName reports whether an account can stand in a query as it is.
func UserName(account string) bool { return userName.MatchString(account) }

var userName = regexp.MustCompile(`^[A-Za-z0-9._@+-]{1,100}$`)

// NoteCall writes a work note into an incident.
func NoteCall(sysID, number, text, as string) bot.Call {
	body, err := json.Marshal(map[string]string{"work_notes": text})
	if err != nil {
		panic("a work note that cannot be written: " + err.Error()) // strings always can
	}
	return bot.Call{ID: "work-note", System: bot.ServiceNow, Method: "PATCH", As: as, Path: "/api/now/table/incident/" + sysID + "?sysparm_fields=sys_id", Body: body,
		What: "Writes what may explain it into " + number + " as a work note"}
}

// NotedCall reads an incident's work notes as whoever may read the incident: the
// journal's own table is closed to most.
func NotedCall(sysID, as string) bot.Call {
	return bot.Call{ID: "noted", System: bot.ServiceNow, Method: "GET", As: as, What: "Reads the work notes back",
		Path: "/api/now/table/incident/" + sysID + "?sysparm_fields=sys_id,work_notes&sysparm_display_value=true"}
}

// Noted reports whether a note with a marker is in the answer to [NotedCall].
func Noted(body json.RawMessage, sysID, marker string) bool {
	var a struct {
		Result struct {
			SysID string `json:"sys_id"`
			Notes string `json:"work_notes"`
		} `json:"result"`
	}
	return json.Unmarshal(body, &a) == nil && a.Result.SysID == sysID && strings.Contains(a.Result.Notes, marker)
}

// Note is the answer as a work note, ending with its marker. Nothing of the
// organisation's own knowledge is in it, which not every reader of the incident
// may see, and no brace: what a system said never names a value to fill in.
func (a Answer) Note(marker string) string {
	text := a.Message("/keyturn", true).Words()
	return strings.NewReplacer("{", "(", "}", ")").Replace("What may explain this, by Keyturn:\n" + clipLines(text, 3500) + "\n" + marker)
}

func clipLines(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return string(r[:n-1]) + "…"
	}
	return s
}
