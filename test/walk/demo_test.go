package walk

import (
	"bufio"
	"bytes"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// startDemo starts the demo as a visitor does, with nothing published yet, and
// gives the address of its page.
func startDemo(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "keyturn") // short: a socket's path has at most 104 bytes
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	exe := filepath.Join(dir, "keyturn")
	if runtime.GOOS == "windows" {
		exe += ".exe"
	}
	if out, err := exec.Command("go", "build", "-o", exe, "keyturn/cmd/keyturn").CombinedOutput(); err != nil {
		t.Fatalf("the demo cannot be built: %v\n%s", err, out)
	}
	none := filepath.Join(dir, "none.json")
	if err := os.WriteFile(none, []byte("[]"), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(exe, "demo", "--platform", "both", "--addr", "127.0.0.1:0", "--dir", filepath.Join(dir, "d"), "--issues", none)
	said := &buffer{}
	cmd.Stderr = said
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(os.Interrupt) // so that it ends its bot
		end := time.AfterFunc(10*time.Second, func() { _ = cmd.Process.Kill() })
		defer end.Stop()
		_ = cmd.Wait() // interrupted: its status says nothing
		if t.Failed() {
			t.Logf("what the demo said:\n%s", said)
		}
	})
	first, err := bufio.NewReader(out).ReadString('\n')
	m := regexp.MustCompile(`http://\S+`).FindString(first)
	if m == "" {
		t.Fatalf("the demo says %q and not where it is: %v\n%s", first, err, said)
	}
	return m
}

// buffer is written by one and read by another.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// microsoft is the simulated Microsoft, found through the portal that the page
// links to.
func (b *browser) microsoft() string {
	b.Helper()
	b.presses("Microsoft Entra", "Portals")
	var link string
	b.until("the portal beside the chat", func() bool {
		b.run(chromedp.Evaluate(`document.querySelector("#side iframe")?.src || ""`, &link))
		return link != ""
	})
	b.presses("Close Microsoft Entra")
	u, err := url.Parse(link)
	if err != nil {
		b.Fatal(err)
	}
	return u.Scheme + "://" + u.Host
}

// publishes has Microsoft publish an issue: what is known of it after so many
// posts.
func (b *browser) publishes(microsoft string, posts int, resolved bool) {
	b.Helper()
	now := time.Now().UTC()
	at := func(ago time.Duration) string { return now.Add(-ago).Format(time.RFC3339) }
	texts := []string{
		"Title: Users can't send email messages from Outlook on the web\n\nUser impact: Users may be unable to send email messages from Outlook on the web.\n\nMore info: Users can send with the Outlook desktop app while we work on this.\n\nCurrent status: We're reviewing service telemetry to find out why messages stay in Drafts.\n\nScope of impact: Some users in Europe are affected.\n\nNext update by: " + now.Add(2*time.Hour).Format("Monday, January 2, 2006, at 3:04 PM UTC"),
		"Title: Users can't send email messages from Outlook on the web\n\nUser impact: Users may be unable to send email messages from Outlook on the web.\n\nMore info: Users can send with the Outlook desktop app while we work on this.\n\nCurrent status: A recent change to a mail flow component causes the failures. We're reverting it, and expect that most users can send again within two hours.\n\nScope of impact: Some users in Europe are affected.\n\nRoot cause: A recent change to a mail flow component.\n\nNext update by: " + now.Add(3*time.Hour).Format("Monday, January 2, 2006, at 3:04 PM UTC"),
		"Title: Users can't send email messages from Outlook on the web\n\nUser impact: Users may have been unable to send email messages from Outlook on the web.\n\nFinal status: We've reverted the change and confirmed with affected users that messages are sent again.\n\nScope of impact: Some users in Europe were affected.\n\nRoot cause: A recent change to a mail flow component.",
	}
	status, end := "serviceDegradation", "null"
	if resolved {
		status, end = "serviceRestored", fmt.Sprintf("%q", at(0))
	}
	var list []string
	for i, text := range texts[:posts] {
		list = append(list, fmt.Sprintf(`{"createdDateTime":%q,"postType":"regular","description":{"contentType":"text","content":%q}}`, at(time.Duration(len(texts)-i)*time.Second), text))
	}
	body := fmt.Sprintf(`{"id":"EX1234567","title":"Users can't send email messages from Outlook on the web","service":"Exchange Online","feature":"Outlook on the web","featureGroup":"E-Mail and calendar access","classification":"incident","origin":"microsoft","status":%q,"isResolved":%v,"impactDescription":"Users may be unable to send email messages from Outlook on the web.","startDateTime":%q,"endDateTime":%s,"lastModifiedDateTime":%q,"details":[],"posts":[%s]}`,
		status, resolved, at(40*time.Minute), end, now.Format(time.RFC3339Nano), strings.Join(list, ","))
	resp, err := http.Post(microsoft+"/_sim/issues", "application/json", strings.NewReader(body))
	if err != nil {
		b.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode >= 300 {
		b.Fatalf("Microsoft does not publish that: %s", resp.Status)
	}
}
