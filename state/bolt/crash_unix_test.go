//go:build unix

package bolt

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"keyturn/bot"
	"keyturn/bot/engine"
)

// TestMain turns the test binary into a process that can be killed, or that
// runs out of disk.
func TestMain(m *testing.M) {
	switch os.Getenv("KEYTURN_TEST_CHILD") {
	case "commit":
		childCommits()
	case "full":
		childFull()
	default:
		os.Exit(m.Run())
	}
}

func child(t *testing.T, what, path string) *exec.Cmd {
	t.Helper()
	c := exec.Command(os.Args[0])
	c.Env = append(os.Environ(), "KEYTURN_TEST_CHILD="+what, "KEYTURN_TEST_FILE="+path, "KEYTURN_TEST_KEY="+testKey)
	c.Stderr = os.Stderr
	return c
}

func childStore() *Store {
	testKey = os.Getenv("KEYTURN_TEST_KEY")
	c := config(os.Getenv("KEYTURN_TEST_FILE"))
	c.NoSync = false
	return must(Open(c))
}

// childCommits commits from eight goroutines until it is killed, and says
// each key once it is acknowledged.
func childCommits() {
	s := childStore()
	var mu sync.Mutex
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			for i := 0; ; i++ {
				key := fmt.Sprintf("%d.%d.%d", os.Getpid(), g, i)
				err := s.Commit(context.Background(), func(v engine.View) (engine.Changes, error) {
					c := sent(key)
					c.Jobs = []bot.Job{{Lane: key, Kind: "say"}}
					c.Audit = []bot.AuditEntry{{Tenant: "contoso", Act: key}}
					return c, nil
				})
				if err != nil {
					fmt.Fprintln(os.Stderr, err)
					os.Exit(1)
				}
				mu.Lock()
				fmt.Println(key)
				mu.Unlock()
			}
		})
	}
	wg.Wait()
}

func TestAKilledProcessHasLostNothingThatWasAcknowledged(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keyturn.db")
	acknowledged := make(map[string]bool)
	for round := range 5 {
		c := child(t, "commit", path)
		out, err := c.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(out)
		for n := 0; lines.Scan(); n++ {
			acknowledged[lines.Text()] = true
			if n == 40+37*round {
				if err := c.Process.Kill(); err != nil {
					t.Fatal(err)
				}
			}
		}
		_ = c.Wait() // it was killed
		verifyAfterKill(t, path, acknowledged)
	}
}

func verifyAfterKill(t *testing.T, path string, acknowledged map[string]bool) {
	t.Helper()
	s := open(t, config(path))
	defer s.Close()
	if err := s.Check(t.Context()); err != nil {
		t.Fatal(err)
	}
	there := keys(t, s)
	for key := range acknowledged {
		if !slices.Contains(there, key) {
			t.Errorf("%s was acknowledged and is gone", key)
		}
	}
	err := s.Read(t.Context(), func(v engine.View) error {
		jobs, err := v.Jobs("")
		trail, err2 := v.Audit("contoso", 1<<30)
		if len(jobs) != len(there) || len(trail) != len(there) {
			t.Errorf("%d ledger entries, %d jobs, %d audit entries: a change was written in part", len(there), len(jobs), len(trail))
		}
		return errors.Join(err, err2)
	})
	if err != nil {
		t.Error(err)
	}
}

// childFull commits until the file may not grow any more.
func childFull() {
	signal.Ignore(syscall.SIGXFSZ)
	s := childStore()
	limit := syscall.Rlimit{Cur: 2 << 20, Max: 2 << 20}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		fmt.Println("unlimited:", err)
		return
	}
	payload := `"` + strings.Repeat("x", 20_000) + `"`
	written := 0
	for ; written < 1000; written++ {
		err := commit(s, engine.Changes{
			Sent: []bot.Sent{{Key: fmt.Sprint(written)}},
			Jobs: []bot.Job{{Lane: fmt.Sprint(written), Kind: "say", Payload: []byte(payload)}}})
		if errors.Is(err, bot.ErrNoCommit) {
			break
		}
		if err != nil {
			fmt.Println("an error that says nothing of the disk:", err)
			return
		}
	}
	jobs, err := s.Claim(context.Background(), s.now(), 2000)
	if err != nil || len(jobs) != written || written == 1000 {
		fmt.Printf("%d commits were written and %d jobs are there, %v\n", written, len(jobs), err)
		return
	}
	// Removing needs little room, and makes some.
	if err := commit(s, engine.Changes{Done: []bot.JobID{jobs[0].ID, jobs[1].ID, jobs[2].ID}}); err != nil && !errors.Is(err, bot.ErrNoCommit) {
		fmt.Println("removing failed:", err)
		return
	}
	if err := errors.Join(s.Check(context.Background()), s.Close()); err != nil {
		fmt.Println("afterwards:", err)
		return
	}
	fmt.Println("written", written)
}

func TestARealFullDisk(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keyturn.db")
	out, err := child(t, "full", path).Output()
	said := strings.TrimSpace(string(out))
	if strings.HasPrefix(said, "unlimited") {
		t.Skip("this system does not limit the size of files: " + said)
	}
	var written int
	if _, serr := fmt.Sscanf(said, "written %d", &written); err != nil || serr != nil {
		t.Fatalf("the process said %q, %v", said, err)
	}
	s := open(t, config(path))
	if got := keys(t, s); len(got) != written {
		t.Errorf("%d commits were acknowledged and %d are there", written, len(got))
	}
	if err := errors.Join(commit(s, sent("more")), s.Check(t.Context())); err != nil {
		t.Error(err)
	}
}
