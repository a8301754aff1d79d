package walk

import (
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// patience is how long the test waits for what it expects. Only one that fails
// waits so long, and a browser on a busy machine may need much of it.
const patience = 75 * time.Second

//go:embed testdata/page.js
var pageJS string

// skip skips the test for want of something, or fails it where nothing may be
// green that was not looked at.
func skip(t *testing.T, why string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatalf("CI is true, so this test must not be skipped: %s", why)
	}
	t.Skipf("nobody walks through the chat page: %s", why)
}

func chromium() string {
	if named := os.Getenv("KEYTURN_CHROMIUM"); named != "" {
		return named
	}
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	return ""
}

// browser is the headless Chromium. Its first tab has the chat page.
type browser struct {
	*testing.T
	ctx      context.Context
	pictures string   // where the README's pictures go; "" writes none
	shots    string   // where every view goes; "" writes none
	unringed []string // what was pressed and does not show that it has the focus
	followed []string // sign-in links
}

func startBrowser(t *testing.T) *browser {
	t.Helper()
	switch {
	case testing.Short():
		t.Skip("nobody walks through the chat page: it takes a minute, and -short was given")
	case os.Getenv("KEYTURN_BROWSER") == "off":
		t.Skip("nobody walks through the chat page: KEYTURN_BROWSER is off")
	case underRace:
		t.Skip("nobody walks through the chat page again under the race detector: the bot is a process of its own, which was not built with it")
	}
	path := chromium()
	if path == "" {
		skip(t, "there is no Chromium in the PATH; install it (on Debian: apt-get install chromium), or name it in KEYTURN_CHROMIUM")
	}
	options := append(slices.Clone(chromedp.DefaultExecAllocatorOptions[:]), chromedp.ExecPath(path), chromedp.NoSandbox,
		chromedp.Flag("disable-gpu", true), chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true),
		chromedp.Flag("font-render-hinting", "none"), chromedp.WindowSize(1280, 800), chromedp.WSURLReadTimeout(patience))
	alloc, stop := chromedp.NewExecAllocator(t.Context(), options...)
	t.Cleanup(stop)
	ctx, cancel := chromedp.NewContext(alloc, chromedp.WithErrorf(func(string, ...any) {})) // it tells of events that it does not know
	t.Cleanup(cancel)
	b := &browser{T: t, ctx: ctx, pictures: os.Getenv("KEYTURN_PICTURES"), shots: os.Getenv("KEYTURN_SHOTS")}
	for _, dir := range []string{b.pictures, b.shots} {
		if dir == "" {
			continue
		}
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := chromedp.Run(ctx); err != nil {
		t.Fatalf("Chromium does not start: %v", err)
	}
	b.looks(light)
	return b
}

// opens shows the chat page, as somebody who uses the keyboard.
func (b *browser) opens(address string) {
	b.Helper()
	b.run(chromedp.Navigate(address), chromedp.KeyEvent("\t"))
}

func (b *browser) run(actions ...chromedp.Action) {
	b.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	if err := chromedp.Run(ctx, actions...); err != nil {
		b.Fatalf("the browser: %v", err)
	}
}

// ask calls a function of page.js.
func (b *browser) ask(out any, function string, args ...any) {
	b.Helper()
	var list []string
	for _, a := range args {
		j, err := json.Marshal(a)
		if err != nil {
			b.Fatal(err)
		}
		list = append(list, string(j))
	}
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	err := chromedp.Run(ctx, chromedp.Evaluate(pageJS+"."+function+"("+strings.Join(list, ",")+")", out,
		func(p *runtime.EvaluateParams) *runtime.EvaluateParams { return p.WithAwaitPromise(true) }))
	if err != nil && !strings.Contains(err.Error(), "navigated") && !strings.Contains(err.Error(), "context with specified id") { // on its way to another page: whoever waits asks again
		b.Fatalf("the browser: %v", err)
	}
}

// until asks again until there is what is waited for.
func (b *browser) until(what string, ok func() bool) {
	b.Helper()
	tick := time.NewTicker(40 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(patience); !ok(); <-tick.C {
		if time.Now().After(end) {
			var said string
			b.ask(&said, "said")
			b.shot("failed", light)
			b.Fatalf("%s: waited for it, and it did not come; the page shows:\n%s", what, said)
		}
	}
}

// focused is what can be pressed.
type focused struct {
	Link string
	Ring bool
}

// presses puts the focus on something by its name and presses Enter. It gives
// the address of a link that opens a tab of its own, and does not follow it.
func (b *browser) presses(name string, platform ...string) string {
	b.Helper()
	var at *focused
	args := []any{name}
	for _, p := range platform {
		args = append(args, p)
	}
	b.until("something to press called “"+name+"”", func() bool { b.ask(&at, "focus", args...); return at != nil })
	if at.Link != "" {
		return at.Link
	}
	if !at.Ring {
		b.unringed = append(b.unringed, name)
	}
	b.enters()
	return ""
}

// enters presses the Enter key.
func (b *browser) enters() {
	b.Helper()
	key := func(kind input.KeyType, text string) chromedp.Action {
		return input.DispatchKeyEvent(kind).WithKey("Enter").WithCode("Enter").WithText(text).WithWindowsVirtualKeyCode(13)
	}
	b.run(key(input.KeyDown, "\r"), key(input.KeyUp, ""))
}

// sees waits until the page shows all of the texts.
func (b *browser) sees(texts ...string) {
	b.Helper()
	b.until("the page to show "+fmt.Sprintf("%q", texts), func() bool { return b.shows(texts...) })
}

// seesNoMore waits until the page shows none of the texts.
func (b *browser) seesNoMore(texts ...string) {
	b.Helper()
	b.until("the page to show no more "+fmt.Sprintf("%q", texts), func() bool {
		var ok bool
		b.ask(&ok, "shows", []string{}, texts)
		return ok
	})
}

func (b *browser) shows(texts ...string) bool {
	b.Helper()
	var ok bool
	b.ask(&ok, "shows", texts, []string{})
	return ok
}

// fills types into an input, or chooses.
func (b *browser) fills(label, value string) {
	b.Helper()
	b.until("an input called “"+label+"”", func() bool { var ok bool; b.ask(&ok, "fill", label, value); return ok })
}

// tab does something in a tab of its own.
func (b *browser) tab(address string, do func(*browser)) {
	b.Helper()
	ctx, cancel := chromedp.NewContext(b.ctx)
	defer cancel()
	other := *b
	other.ctx = ctx
	if err := chromedp.Run(ctx); err != nil { // a tab lives as long as the context of its first run
		b.Fatalf("the browser opens no tab: %v", err)
	}
	other.run(chromedp.Navigate(address))
	do(&other)
}

// look is how a view is looked at.
type look struct {
	name          string
	width, height int64
	scale         float64
	dark          bool
}

var (
	light     = look{"light", 1280, 800, 1, false}
	dark      = look{"dark", 1280, 800, 1, true}
	phone     = look{"phone", 390, 844, 1.5, false}
	darkPhone = look{"phone-dark", 390, 844, 1.5, true}
	allLooks  = []look{dark, phone, darkPhone, light} // the last one stays
)

func (b *browser) looks(l look) {
	b.Helper()
	scheme := "light"
	if l.dark {
		scheme = "dark"
	}
	b.run(emulation.SetDeviceMetricsOverride(l.width, l.height, l.scale, l.width < 500),
		emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}, {Name: "prefers-reduced-motion", Value: "reduce"}}))
}

// view looks at the page in every way, with the last message that holds some
// words in the middle, and keeps pictures of those that are named.
func (b *browser) view(name, about string, keep ...look) {
	b.Helper()
	for _, l := range allLooks {
		b.looks(l)
		var there bool
		b.until("the message with “"+about+"”", func() bool { b.ask(&there, "look", about); return there })
		b.until("the page to come to rest", func() bool { var still bool; b.ask(&still, "settled"); return still })
		var complaints []string
		b.ask(&complaints, "complaints")
		for _, c := range complaints {
			b.Errorf("%s, %s: %s", name, l.name, c)
		}
		b.shot(name, l)
		if b.pictures != "" && slices.Contains(keep, l) {
			b.write(filepath.Join(b.pictures, name+"-"+l.name+".png"), small)
		}
	}
}

// shot keeps a view for whoever looks at all of them.
func (b *browser) shot(name string, l look) {
	b.Helper()
	if b.shots != "" {
		b.write(filepath.Join(b.shots, name+"-"+l.name+".png"), func(png []byte) ([]byte, error) { return png, nil })
	}
}

func (b *browser) write(file string, as func([]byte) ([]byte, error)) {
	b.Helper()
	var png []byte
	b.run(chromedp.ActionFunc(func(ctx context.Context) (err error) {
		png, err = page.CaptureScreenshot().WithFormat(page.CaptureScreenshotFormatPng).WithOptimizeForSpeed(false).Do(ctx)
		return err
	}))
	png, err := as(png)
	if err != nil {
		b.Fatal(err)
	}
	if err := os.WriteFile(file, png, 0o644); err != nil {
		b.Fatal(err)
	}
}
