package slack_test

import (
	"strings"
	"testing"

	"keyturn/bot"
	"keyturn/sim"
)

// pixel is a picture of one pixel.
var pixel = []byte("\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x06\x00\x00\x00\x1f\x15\xc4\x89\x00\x00\x00\nIDATx\x9cc\x00\x01\x00\x00\x05\x00\x01\r\n-\xb4\x00\x00\x00\x00IEND\xaeB`\x82")

func pictured() bot.Message {
	m := bot.Say(bot.B("The last 30 days"))
	m.Add(bot.Image{PNG: pixel, Alt: "Exchange Online incident on 2 days."})
	return m
}

func (w workspace) newest(t *testing.T) (blocks string) {
	t.Helper()
	all := w.Snapshot().Messages
	if len(all) == 0 {
		t.Fatal("nothing was posted")
	}
	return string(all[len(all)-1].Blocks)
}

func TestAPictureIsUploadedOnceAndShownInItsMessage(t *testing.T) {
	w := newWorkspace(t, "files:write")
	for range 2 { // the second time as after a failure of the message itself
		if _, err := w.bot.Post(ctx, ops, pictured()); err != nil {
			t.Fatal(err)
		}
	}
	files := w.Snapshot().Files
	if len(files) != 1 || string(files[0].Data) != string(pixel) || files[0].Alt != "Exchange Online incident on 2 days." {
		t.Fatalf("the files are %+v", files)
	}
	if b := w.newest(t); !strings.Contains(b, files[0].ID) || !strings.Contains(b, "Exchange Online incident on 2 days.") {
		t.Errorf("the message does not show it: %s", b)
	}
	w.calm(t)
}

func TestWithoutTheScopeThePicturesWordsAreShown(t *testing.T) {
	w := newWorkspace(t)
	if _, err := w.bot.Post(ctx, ops, pictured()); err != nil {
		t.Fatal(err)
	}
	if b := w.newest(t); strings.Contains(b, "slack_file") || !strings.Contains(b, "Exchange Online incident on 2 days.") {
		t.Errorf("the message says %s", b)
	}
}

// Slack refuses a message whose picture it has not made ready yet.
func TestAPictureThatIsNotReadyIsAskedForAgainSoon(t *testing.T) {
	w := newWorkspace(t, "files:write")
	w.Faults.Add(sim.Fault{Path: "/api/chat.postMessage", Times: 1, Status: 200,
		Body: `{"ok":false,"error":"invalid_blocks","errors":["invalid slack file [json-pointer:/blocks/1/slack_file]"]}`})
	_, err := w.bot.Post(ctx, ops, pictured())
	if bot.KindOf(err) != bot.KindThrottled {
		t.Fatalf("the first try: %v", err)
	}
	if _, err := w.bot.Post(ctx, ops, pictured()); err != nil {
		t.Fatal(err)
	}
	if st := w.Snapshot(); len(st.Files) != 1 || len(st.Messages) != 1 {
		t.Errorf("%d files and %d messages", len(st.Files), len(st.Messages))
	}
}

func TestAnUploadThatFailsIsTriedAgainAndNothingIsPosted(t *testing.T) {
	w := newWorkspace(t, "files:write")
	w.Faults.Add(sim.Fault{Path: "/upload/v1/*", Times: 1, Status: 503})
	if _, err := w.bot.Post(ctx, ops, pictured()); bot.KindOf(err) != bot.KindUnreachable {
		t.Fatalf("the upload: %v", err)
	}
	if n := len(w.Snapshot().Messages); n != 0 {
		t.Errorf("%d messages without their picture", n)
	}
}
