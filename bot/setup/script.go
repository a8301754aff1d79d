package setup

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

	"keyturn/bot"
)

// Script is the same calls for a person's own shell: curl, with the token in
// an environment variable that they fill in themselves. Of a step that is done by
// hand and has no plan it is the searches.
func (s Scene) Script(spec *Spec, st *Step) bot.Message {
	var calls []bot.Call
	says := bot.Join(bot.T("The same searches as a script, which changes nothing. When you have looked, choose "), bot.B("I did it by hand"), bot.T("."))
	if st.Plan != nil {
		calls = st.Plan.Calls
		says = bot.Join(bot.T("The same calls as a script. When it is done, choose "), bot.B("I did it by hand, check"),
			bot.T(". Where a value stands in capital letters, put in what the answer before gave you, or a secret that you make yourself and keep to yourself."))
	} else {
		calls = spec.Lookups(s.Context())
	}
	var b strings.Builder
	b.WriteString("# " + oneLine(spec.Title) + "\n")
	for _, sys := range systems(calls) {
		switch sys {
		case bot.Graph:
			b.WriteString("# GRAPH_TOKEN: az account get-access-token --resource-type ms-graph --query accessToken -o tsv\n")
		case bot.ServiceNow:
			b.WriteString("# SN_TOKEN: an OAuth access token of your own ServiceNow account\n")
		}
	}
	for i, c := range calls {
		fmt.Fprintf(&b, "\n# %d. %s\n%s\n", i+1, oneLine(c.What), curl(c, s.Base))
	}
	var m bot.Message
	m.Add(bot.Paragraph{Text: says})
	m.Add(bot.Code{Title: spec.Title, Text: b.String()})
	return m
}

// oneLine keeps a comment a comment: the rest of a name with a line break in it
// would be a command.
func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

func systems(calls []bot.Call) []bot.System {
	var out []bot.System
	seen := map[bot.System]bool{}
	for _, c := range calls {
		if !seen[c.System] {
			seen[c.System] = true
			out = append(out, c.System)
		}
	}
	return out
}

func curl(c bot.Call, base func(bot.System) string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "curl -gsS -X %s %s", c.Method, quote(shellNames(base(c.System)+strings.ReplaceAll(c.Path, " ", "%20"))))
	switch c.System {
	case bot.Graph:
		b.WriteString(" \\\n  -H \"Authorization: Bearer $GRAPH_TOKEN\"")
	case bot.ServiceNow:
		b.WriteString(" \\\n  -H \"Authorization: Bearer $SN_TOKEN\"")
	}
	for _, h := range pairs(c.Header) {
		name, value, _ := strings.Cut(h, "=")
		fmt.Fprintf(&b, " \\\n  -H %s", quote(name+": "+value))
	}
	switch {
	case len(c.Body) > 0:
		var pretty bytes.Buffer
		body := string(c.Body)
		if json.Indent(&pretty, c.Body, "  ", "  ") == nil {
			body = pretty.String()
		}
		fmt.Fprintf(&b, " \\\n  -H 'Content-Type: application/json' \\\n  -d %s", quote(shellNames(legible(body))))
	case len(c.Form) > 0:
		for _, f := range pairs(c.Form) {
			name, value, _ := strings.Cut(f, "=")
			fmt.Fprintf(&b, " \\\n  --data-urlencode %s", quote(shellNames(name+"="+value)))
		}
	}
	return b.String()
}

// shellNames shows placeholders as names to replace: {reader.app_id} becomes
// READER_APP_ID.
func shellNames(s string) string {
	return placeholder.ReplaceAllStringFunc(s, func(m string) string {
		return strings.ToUpper(strings.NewReplacer(".", "_", "-", "_").Replace(strings.Trim(m, "{}")))
	})
}

// quote makes one shell word of a text. Only what is plain stands without
// quotes.
func quote(s string) string {
	if s != "" && strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._:/=@,%+") == "" {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
