package slack_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"keyturn/sim/slack"
)

func withFiles(c *slack.Config) {
	c.Scopes = append(c.Scopes, "files:write")
	c.FileLag = 2 * time.Second
}

// give sends bytes to an upload address.
func (w *world) give(address, bytes string) int {
	w.Helper()
	resp, err := http.Post(address, "application/octet-stream", strings.NewReader(bytes))
	if err != nil {
		w.Fatal(err)
	}
	resp.Body.Close()
	return resp.StatusCode
}

func TestAFileIsUploadedInThreeStepsAndShownOnceItIsReady(t *testing.T) {
	w := workspace(t, withFiles)
	to := w.form("files.getUploadURLExternal", url.Values{"filename": {"map.png"}, "length": {"4"}, "alt_txt": {"A map"}})
	id, _ := to["file_id"].(string)
	address, _ := to["upload_url"].(string)
	if id == "" || address == "" {
		t.Fatalf("got %v", to)
	}
	done := url.Values{"files": {`[{"id":"` + id + `","title":"Map"}]`}}
	if got := w.form("files.completeUploadExternal", done); got["error"] != "file_not_found" {
		t.Errorf("completed without its bytes: %v", got)
	}
	if code := w.give(address, "too long"); code != 400 {
		t.Errorf("bytes of another length are answered with %d", code)
	}
	if code := w.give(address, "four"); code != 200 {
		t.Errorf("the bytes are answered with %d", code)
	}
	if got := w.form("files.completeUploadExternal", done); got["ok"] != true {
		t.Errorf("not completed: %v", got)
	}
	if code := w.give(address, "more"); code != 404 {
		t.Errorf("an address that is used up answers %d", code)
	}
	shows := m{"channel": ops, "text": "map", "blocks": []any{m{"type": "image", "alt_text": "A map", "slack_file": m{"id": id}}}}
	if got := w.call("chat.postMessage", shows); got["error"] != "invalid_blocks" {
		t.Errorf("shown before it is ready: %v", got)
	}
	w.clock.pass(3 * time.Second)
	if got := w.call("chat.postMessage", shows); got["ok"] != true {
		t.Errorf("not shown: %v", got)
	}
	shows["blocks"] = []any{m{"type": "image", "alt_text": "A map", "slack_file": m{"id": "F0NOBODYS"}}}
	if got := w.call("chat.postMessage", shows); got["error"] != "invalid_blocks" {
		t.Errorf("a file that is not there is shown: %v", got)
	}
}

func TestUploadsNeedTheirScopeAndASize(t *testing.T) {
	w := workspace(t)
	if got := w.form("files.getUploadURLExternal", url.Values{"filename": {"a"}, "length": {"4"}}); got["error"] != "missing_scope" || got["needed"] != "files:write" {
		t.Errorf("got %v", got)
	}
	w = workspace(t, withFiles)
	for _, v := range []url.Values{{"length": {"4"}}, {"filename": {"a"}}, {"filename": {"a"}, "length": {"0"}}, {"filename": {"a"}, "length": {"many"}}} {
		if got := w.form("files.getUploadURLExternal", v); got["ok"] == true {
			t.Errorf("%v is taken", v)
		}
	}
}
