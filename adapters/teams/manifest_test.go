package teams

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"image/color"
	"image/png"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"keyturn/test/beside"

	"github.com/dlclark/regexp2"
	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

// ecma is a regular expression of JSON Schema, which has look-ahead.
type ecma regexp2.Regexp

func (r *ecma) MatchString(s string) bool {
	ok, err := (*regexp2.Regexp)(r).MatchString(s)
	return err == nil && ok
}

func (r *ecma) String() string { return (*regexp2.Regexp)(r).String() }

func compileECMA(s string) (jsonschema.Regexp, error) {
	r, err := regexp2.Compile(s, regexp2.ECMAScript)
	if err != nil {
		return nil, err
	}
	return (*ecma)(r), nil
}

// example is what the manifest at the top of the repository is made from.
func example() ManifestConfig {
	return ManifestConfig{AppID: "00000000-0000-4000-8000-000000000000", BaseURL: "https://keyturn.example.com", Version: "1.0.0", Commands: []Command{
		{Title: "help", Description: "What I can do, with examples", Direct: true, Channels: true},
		{Title: "setup", Description: "Start a setup", Direct: true, Channels: true},
		{Title: "status", Description: "Open setups and who is waited for", Direct: true, Channels: true},
		{Title: "mine", Description: "What waits for you", Direct: true},
		{Title: "health", Description: "Microsoft 365 services that are not fine", Direct: true, Channels: true},
		{Title: "subscribe", Description: "Post service health incidents here", Channels: true},
	}}
}

func TestTheManifestIsValidForTeams(t *testing.T) {
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(beside.Contract(t, "teams-manifest-1.30.schema.json")))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.UseRegexpEngine(compileECMA)
	if err := c.AddResource("manifest.json", doc); err != nil {
		t.Fatal(err)
	}
	schema, err := c.Compile("manifest.json")
	if err != nil {
		t.Fatal(err)
	}
	valid := func(b []byte) error {
		v, err := jsonschema.UnmarshalJSON(bytes.NewReader(b))
		if err != nil {
			t.Fatal(err)
		}
		return schema.Validate(v)
	}
	targeted := example()
	targeted.Targeted, targeted.ManifestID, targeted.Developer = true, "00000000-0000-4000-8000-0000000000aa", strings.Repeat("Contoso ", 20)
	many := example()
	for i := range 40 {
		many.Commands = append(many.Commands, Command{Title: strings.Repeat("x", 200) + string(rune('a'+i%26)) + "y", Direct: true, Channels: true})
	}
	none := example()
	none.Commands = nil
	for name, cfg := range map[string]ManifestConfig{"the example": example(), "with slash commands": targeted, "too many commands": many, "no commands": none} {
		b, err := Manifest(cfg)
		if err != nil {
			t.Fatal(name, err)
		}
		if err := valid(b); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if valid(bytes.Replace(b, []byte(`"accentColor"`), []byte(`"accentColour"`), 1)) == nil {
			t.Fatal("the schema accepts anything")
		}
	}
	if err := valid(beside.Contract(t, "manifest-1.30-sample.json")); err != nil {
		t.Fatalf("the published sample is not valid, so this test proves nothing: %v", err)
	}
}

func TestTheManifestAtTheTopIsTheExample(t *testing.T) {
	want, err := Manifest(example())
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(beside.Module(), "manifest.json")
	if *update {
		if err := os.WriteFile(file, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), string(got)); d != "" {
		t.Errorf("rewrite it with -update:\n%s", d)
	}
}

func TestSlashCommandsAreOnlyOfferedWhereTheyWork(t *testing.T) {
	read := func(c ManifestConfig) string { b, _ := Manifest(c); return string(b) }
	c := example()
	if s := read(c); strings.Contains(s, "slash") || strings.Contains(s, "supportsTargetedMessages") {
		t.Error("slash commands are offered without targeted messages")
	}
	c.Targeted = true
	if s := read(c); !strings.Contains(s, "slash") || !strings.Contains(s, `"supportsTargetedMessages": true`) {
		t.Error("slash commands are missing")
	}
}

func TestAManifestThatTeamsWouldNotTakeIsRefused(t *testing.T) {
	for name, change := range map[string]func(*ManifestConfig){
		"no address": func(c *ManifestConfig) { c.BaseURL = "" }, "an address in clear": func(c *ManifestConfig) { c.BaseURL = "http://keyturn.contoso.com" },
		"a password in it": func(c *ManifestConfig) { c.BaseURL = "https://u:p@keyturn.contoso.com" }, "no app ID": func(c *ManifestConfig) { c.AppID = "" },
		"no version": func(c *ManifestConfig) { c.Version = "" }, "a version of two": func(c *ManifestConfig) { c.Version = "1.0" },
		"terms in clear": func(c *ManifestConfig) { c.Terms = "http://contoso.com/terms" },
	} {
		c := example()
		change(&c)
		if _, err := Package(c); err == nil || len(err.Error()) < 30 {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestThePackageHoldsTheManifestAndItsIcons(t *testing.T) {
	b, err := Package(example())
	if err != nil {
		t.Fatal(err)
	}
	again, _ := Package(example())
	if !bytes.Equal(b, again) {
		t.Error("the same configuration makes different bytes")
	}
	z, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	files := map[string][]byte{}
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		files[f.Name], _ = io.ReadAll(r)
	}
	var m manifest
	if len(files) != 3 || json.Unmarshal(files["manifest.json"], &m) != nil {
		t.Fatalf("got %d files", len(files))
	}
	for name, side := range map[string]int{m.Icons.Color: 192, m.Icons.Outline: 32} {
		img, err := png.Decode(bytes.NewReader(files[name]))
		if err != nil {
			t.Fatal(name, err)
		}
		if r := img.Bounds(); r.Dx() != side || r.Dy() != side {
			t.Errorf("%s has %v", name, r)
		}
		drawn, bare := 0, 0
		for y := range side {
			for x := range side {
				c := color.NRGBAModel.Convert(img.At(x, y)).(color.NRGBA)
				if side == 32 && c.A > 0 && (c.R != 255 || c.G != 255 || c.B != 255) {
					t.Fatalf("the outline is not white at %d,%d: %v", x, y, c)
				}
				white := c.R > 250 && c.A > 200
				if white {
					drawn++
				} else {
					bare++
				}
			}
		}
		if drawn < side*side/50 || bare < side*side/3 {
			t.Errorf("%s: %d points drawn, %d bare", name, drawn, bare)
		}
	}
}

// The app reads no team, no message and no profile: it asks for no permission of a
// resource, none of a device, and for no token of whoever uses it.
func TestTheManifestAsksForNoPermission(t *testing.T) {
	c := example()
	c.Targeted = true
	b, err := Manifest(c)
	if err != nil {
		t.Fatal(err)
	}
	var m map[string]any
	if err := json.Unmarshal(b, &m); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"authorization", "webApplicationInfo", "permissions", "devicePermissions", "graphConnector", "staticTabs", "configurableTabs", "connectors", "meetingExtensionDefinition"} {
		if _, given := m[name]; given {
			t.Errorf("the manifest has %s", name)
		}
	}
	if domains := m["validDomains"].([]any); len(domains) != 1 || domains[0] != "keyturn.example.com" {
		t.Errorf("pages of %v may be shown inside Teams", domains)
	}
}
