package slack

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"net/url"
	"regexp"
	"strings"
)

// The scopes, and what each is for:
//
//	commands            /keyturn
//	chat:write          messages, edits, App Home
//	im:write            opening a direct message with somebody
//	im:history          what people write to the app in its messages tab
//	app_mentions:read   @Keyturn in a channel, the way into threads
//	channels:read,      that a channel was archived or deleted, and that the
//	groups:read         app was added to it or removed
//	users:read          names of the people it talks to
//	usergroups:read     who is in a user group that an owner declared
//	channels:history,   optional: to look up whether a message whose sending
//	groups:history      broke off had arrived, instead of repeating it
//	chat:write.public   optional: posting to public channels without invitation
//
//go:embed manifest.json
var manifest string

// placeholder is the host in the embedded manifest.
const placeholder = "https://keyturn.example.com"

// Manifest is the app's manifest for a Keyturn that is reached at baseURL, such
// as https://keyturn.contoso.com; a path in it is kept. It is what Slack's
// "Create an app from a manifest" takes.
func Manifest(baseURL string) ([]byte, error) {
	base := strings.TrimRight(strings.TrimSpace(baseURL), "/")
	u, err := url.Parse(base)
	if err != nil || u.Scheme != "https" || u.Hostname() == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return nil, fmt.Errorf("%q is no address that Slack can reach: write it as https://keyturn.contoso.com", baseURL)
	}
	address, err := json.Marshal(base)
	if err != nil {
		return nil, fmt.Errorf("write the address %q into the manifest: %w", baseURL, err)
	}
	return []byte(strings.ReplaceAll(manifest, placeholder, string(address[1:len(address)-1]))), nil
}

// addresses are the lines of the manifest that say where Slack comes to.
var addresses = regexp.MustCompile(`(?m)^ *"(?:url|request_url)": "` + regexp.QuoteMeta(placeholder) + `[^"]*",?\n`)

// trailing is a comma that is left before the end of an object.
var trailing = regexp.MustCompile(`,(\s*\})`)

// SocketManifest is the app's manifest for Socket Mode, in which Slack comes to
// no address: Keyturn opens the connections.
func SocketManifest() []byte {
	m := trailing.ReplaceAllString(addresses.ReplaceAllString(manifest, ""), "$1")
	return []byte(strings.Replace(m, `"socket_mode_enabled": false`, `"socket_mode_enabled": true`, 1))
}
