package teams

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"keyturn/bot"
)

// Command is a verb as Teams offers it while somebody types.
type Command struct {
	Title       string // the verb, "status"
	Description string
	Direct      bool // offered in the chat with the bot
	Channels    bool // offered in channels and group chats
}

// ManifestConfig is what the app's manifest says about this installation.
type ManifestConfig struct {
	AppID    string // of the bot, and of the app unless ManifestID is set
	BaseURL  string // where Keyturn is reached, such as https://keyturn.contoso.com
	Version  string // of the app package, such as 1.0.0; Teams takes only newer ones
	Commands []Command

	ManifestID string // GUID of the app in the catalogue; "" is AppID
	Developer  string // who runs it; "" is "Keyturn"
	Privacy    string // address of the privacy statement; "" is BaseURL/privacy
	Terms      string // address of the terms; "" is BaseURL/terms
	Targeted   bool   // as in [Config]: commands with a slash and private answers in channels
}

// The limits of the manifest. Source: Microsoft, "App manifest schema for
// Teams", version 1.30.
const (
	manifestVersion = "1.30"
	maxCommands     = 12
	maxTitle        = 128
	maxDeveloper    = 32
)

type manifest struct {
	Schema          string        `json:"$schema"`
	ManifestVersion string        `json:"manifestVersion"`
	Version         string        `json:"version"`
	ID              string        `json:"id"`
	Developer       developer     `json:"developer"`
	Name            shortAndFull  `json:"name"`
	Description     shortAndFull  `json:"description"`
	Icons           icons         `json:"icons"`
	AccentColor     string        `json:"accentColor"`
	Bots            []manifestBot `json:"bots"`
	Extensions      []extension   `json:"composeExtensions"`
	ValidDomains    []string      `json:"validDomains"`
	ChannelFeatures string        `json:"supportsChannelFeatures"`
}

type developer struct {
	Name    string `json:"name"`
	Website string `json:"websiteUrl"`
	Privacy string `json:"privacyUrl"`
	Terms   string `json:"termsOfUseUrl"`
}

type shortAndFull struct {
	Short string `json:"short"`
	Full  string `json:"full"`
}

type icons struct {
	Color   string `json:"color"`
	Outline string `json:"outline"`
}

type manifestBot struct {
	ID           string        `json:"botId"`
	Scopes       []string      `json:"scopes"`
	Notification bool          `json:"isNotificationOnly"`
	Files        bool          `json:"supportsFiles"`
	Targeted     bool          `json:"supportsTargetedMessages,omitempty"`
	Lists        []commandList `json:"commandLists,omitempty"`
}

// extension is what the menu of any message offers.
type extension struct {
	BotID    string             `json:"botId"`
	Commands []extensionCommand `json:"commands"`
}

type extensionCommand struct {
	ID          string   `json:"id"`
	Type        string   `json:"type"`
	Context     []string `json:"context"`
	Title       string   `json:"title"`
	Description string   `json:"description"`
	FetchTask   bool     `json:"fetchTask"`
}

type commandList struct {
	Scopes   []string          `json:"scopes"`
	Triggers []string          `json:"triggers,omitempty"`
	Commands []manifestCommand `json:"commands"`
}

type manifestCommand struct {
	Title       string `json:"title"`
	Description string `json:"description"`
}

var semver = regexp.MustCompile(`^(0|[1-9][0-9]{0,8})\.(0|[1-9][0-9]{0,8})\.(0|[1-9][0-9]{0,8})$`)

// Manifest is the app's manifest, which Teams wants under the name
// manifest.json. Its errors are sentences for the operator.
func Manifest(c ManifestConfig) ([]byte, error) {
	base := strings.TrimRight(strings.TrimSpace(c.BaseURL), "/")
	u, err := url.Parse(base)
	if err != nil || u.Scheme != "https" || u.Hostname() == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return nil, fmt.Errorf("%q is no address that Teams can reach: write it as https://keyturn.contoso.com", c.BaseURL)
	}
	id := first(c.ManifestID, c.AppID)
	if !guid.MatchString(c.AppID) || !guid.MatchString(id) {
		return nil, errors.New("the manifest needs the bot's app ID, a GUID such as 00000000-0000-4000-8000-000000000000")
	}
	if !semver.MatchString(c.Version) {
		return nil, fmt.Errorf("%q is no version of an app package: write it as 1.0.0, and raise it with each upload", c.Version)
	}
	for _, page := range []string{c.Privacy, c.Terms} {
		if page != "" && !strings.HasPrefix(page, "https://") {
			return nil, fmt.Errorf("%q is no page that Teams links to: it has to begin with https://", page)
		}
	}
	m := manifest{
		Schema:          "https://developer.microsoft.com/json-schemas/teams/v" + manifestVersion + "/MicrosoftTeams.schema.json",
		ManifestVersion: manifestVersion, Version: c.Version, ID: id,
		Developer: developer{Name: first(bot.Shorten(c.Developer, maxDeveloper), "Keyturn"), Website: base,
			Privacy: first(c.Privacy, base+"/privacy"), Terms: first(c.Terms, base+"/terms")},
		Name: shortAndFull{Short: "Keyturn", Full: "Keyturn for Microsoft 365 service health"},
		Description: shortAndFull{Short: "Hosts setups that need several admins, and posts service health.",
			Full: "Keyturn hosts a setup that takes an Entra admin, a ServiceNow admin and a Microsoft 365 admin as one conversation: it pings who is next, runs approved calls and proves them. It posts Microsoft 365 service health incidents to channels and says what can be done about them."},
		Icons: icons{Color: "color.png", Outline: "outline.png"}, AccentColor: brandHex,
		Bots: []manifestBot{{ID: c.AppID, Scopes: []string{"personal", "team", "groupChat"}, Targeted: c.Targeted,
			Lists: lists(c.Commands, c.Targeted)}},
		Extensions: []extension{{BotID: c.AppID, Commands: []extensionCommand{{ID: "is-this-microsoft", Type: "action", Context: []string{"message"}, FetchTask: true,
			Title: "Is this Microsoft?", Description: "Whether Microsoft has published anything about what a message says; only you see the answer"}}}},
		ValidDomains: []string{u.Host}, ChannelFeatures: "tier1",
	}
	b, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("write the manifest: %w", err)
	}
	return append(b, '\n'), nil
}

// lists are the commands by scope, the first twelve of each.
func lists(all []Command, targeted bool) []commandList {
	pick := func(ok func(Command) bool) (out []manifestCommand) {
		for _, c := range all {
			title := bot.Shorten(c.Title, maxTitle)
			twice := slices.ContainsFunc(out, func(o manifestCommand) bool { return o.Title == title })
			if ok(c) && title != "" && !twice && len(out) < maxCommands {
				out = append(out, manifestCommand{Title: title, Description: first(bot.Shorten(c.Description, maxTitle), title)})
			}
		}
		return out
	}
	var out []commandList
	if direct := pick(func(c Command) bool { return c.Direct }); len(direct) > 0 {
		out = append(out, commandList{Scopes: []string{"personal"}, Commands: direct})
	}
	if channels := pick(func(c Command) bool { return c.Channels }); len(channels) > 0 {
		l := commandList{Scopes: []string{"team", "groupChat"}, Commands: channels}
		if targeted {
			l.Triggers = []string{"mention", "slash"}
		}
		out = append(out, l)
	}
	return out
}

// packed is the time that files in the package carry, so that the same
// configuration makes the same bytes.
var packed = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// Package is the app package to upload to Teams: a zip of the manifest and its
// two icons. The same configuration makes the same bytes.
func Package(c ManifestConfig) ([]byte, error) {
	m, err := Manifest(c)
	if err != nil {
		return nil, err
	}
	big, err := colorIcon()
	if err != nil {
		return nil, fmt.Errorf("draw the icon: %w", err)
	}
	small, err := outlineIcon()
	if err != nil {
		return nil, fmt.Errorf("draw the outline icon: %w", err)
	}
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	for _, f := range []struct {
		name string
		body []byte
	}{{"manifest.json", m}, {"color.png", big}, {"outline.png", small}} {
		w, err := z.CreateHeader(&zip.FileHeader{Name: f.name, Method: zip.Deflate, Modified: packed})
		if err != nil {
			return nil, fmt.Errorf("pack %s: %w", f.name, err)
		}
		if _, err := w.Write(f.body); err != nil {
			return nil, fmt.Errorf("pack %s: %w", f.name, err)
		}
	}
	if err := z.Close(); err != nil {
		return nil, fmt.Errorf("pack the app: %w", err)
	}
	return out.Bytes(), nil
}
