package chat

import (
	"bytes"
	"encoding/base64"
	"html/template"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"keyturn/sim/slack"
)

// drawer draws the workspace for one person.
type drawer struct {
	st       *slack.State
	viewer   slack.User
	as       string // the persona, as addresses of the page name it
	zone     *time.Location
	now      time.Time
	users    map[string]slack.User
	channels map[string]slack.Channel
	images   []string // origins that pictures may come from
	menu     []MenuItem
	pane     string // put before the IDs of what is drawn a second time
}

func newDrawer(st *slack.State, viewer slack.User, now time.Time, images []string) *drawer {
	d := &drawer{st: st, viewer: viewer, as: viewer.ID, now: now, users: map[string]slack.User{}, channels: map[string]slack.Channel{}, images: images}
	zone, err := time.LoadLocation(viewer.TZ)
	if err != nil {
		zone = time.UTC
	}
	d.zone = zone
	for _, u := range st.Users {
		d.users[u.ID] = u
	}
	for _, ch := range st.Channels {
		d.channels[ch.ID] = ch
	}
	return d
}

func member(ch slack.Channel, user string) bool { return slices.Contains(ch.Members, user) }

// text draws a text object.
func (d *drawer) text(v any) template.HTML {
	t, _ := v.(map[string]any)
	if t["type"] == "mrkdwn" {
		return d.mrkdwn(str(t["text"]))
	}
	return d.plainText(str(t["text"]))
}

// address is the page's own address of a place and a thread.
func (d *drawer) address(at, thread string) string {
	q := url.Values{"as": {d.as}, "at": {at}}
	if thread != "" {
		q.Set("thread", thread)
	}
	return "?" + q.Encode()
}

var archive = regexp.MustCompile(`^https://[a-z0-9-]+\.slack\.com/archives/([A-Z0-9]+)/p(\d{10})(\d{6})(?:\?.*)?$`)

// permalink turns Slack's link to a message of this workspace into the page's
// own address; "" for any other link.
func (d *drawer) permalink(address string) string {
	hit := archive.FindStringSubmatch(address)
	if hit == nil {
		return ""
	}
	ch, ok := d.channels[hit[1]]
	if !ok || !member(ch, d.viewer.ID) {
		return ""
	}
	ts := hit[2] + "." + hit[3]
	thread := ""
	if u, err := url.Parse(address); err == nil {
		thread = u.Query().Get("thread_ts")
	}
	return d.address(ch.ID, thread) + "#m" + ts
}

// file is an uploaded file, as the page can show it: Slack's own pages load it
// from Slack, with the reader's sign-in.
func (d *drawer) file(id string) template.URL {
	for _, f := range d.st.Files {
		if f.ID == id && f.Done && bytes.HasPrefix(f.Data, []byte("\x89PNG")) {
			return template.URL("data:image/png;base64," + base64.StdEncoding.EncodeToString(f.Data))
		}
	}
	return ""
}

// pictures says whether the page's policy lets a picture load.
func (d *drawer) pictures(address string) bool {
	u, err := url.Parse(address)
	if err != nil {
		return false
	}
	return u.Scheme == "data" && strings.HasPrefix(address, "data:image/") || slices.Contains(d.images, u.Scheme+"://"+u.Host)
}

// at reads a message timestamp.
func at(ts string) time.Time {
	whole, part, _ := strings.Cut(ts, ".")
	var n int64
	for _, c := range whole + (part + "000000")[:6] {
		if c < '0' || c > '9' {
			return time.Time{}
		}
		n = n*10 + int64(c-'0')
	}
	return time.UnixMicro(n)
}
