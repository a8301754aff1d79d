package incident

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// The public page may answer with XML, and XML can ask a reader for files and for
// addresses, or to grow without end. None of it is done.
func TestAFeedFetchesAndGrowsNothing(t *testing.T) {
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte("words of this machine"), 0o600); err != nil {
		t.Fatal(err)
	}
	item := func(entity string) string {
		return "<rss><channel><item><title>t</title><status>Degraded</status><description>" + entity + "</description></item></channel></rss>"
	}
	grow := "<!ENTITY a \"" + strings.Repeat("x", 1000) + "\">"
	for _, name := range []string{"b", "c", "d", "e"} {
		grow += "<!ENTITY " + name + " \"" + strings.Repeat("&"+string(name[0]-1)+";", 100) + "\">"
	}
	for name, feed := range map[string]string{
		"a file":      "<?xml version=\"1.0\"?><!DOCTYPE rss [<!ENTITY x SYSTEM \"file://" + secret + "\">]>" + item("&x;"),
		"an address":  "<?xml version=\"1.0\"?><!DOCTYPE rss [<!ENTITY x SYSTEM \"http://127.0.0.1:1/\">]>" + item("&x;"),
		"a parameter": "<?xml version=\"1.0\"?><!DOCTYPE rss [<!ENTITY % x SYSTEM \"file://" + secret + "\"> %x;]>" + item("&x;"),
		"growth":      "<?xml version=\"1.0\"?><!DOCTYPE rss [" + grow + "]>" + item("&e;"),
	} {
		p, err := ParsePublicStatus(200, []byte(feed), time.Time{})
		if err == nil || p.State != "" || strings.Contains(err.Error(), "words of this machine") {
			t.Errorf("%s: %+v, %v", name, p, err)
		}
	}
	if p, err := ParsePublicStatus(200, []byte(item("As it is")), time.Time{}); err != nil || p.State != PublicDegraded {
		t.Errorf("the same feed without them: %+v, %v", p, err)
	}
}
