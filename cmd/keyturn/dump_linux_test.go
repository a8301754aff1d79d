package main

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"sync"
	"syscall"
	"testing"

	"keyturn/bot"
	"keyturn/bot/engine"
	"keyturn/sim"
	"keyturn/sim/microsoft"
	"keyturn/sim/play"
)

// alone marks the process in which [TestAProcessForbidsDumpsOfItself] may do that.
const alone = "KEYTURN_TEST_ALONE"

func TestAProcessForbidsDumpsOfItself(t *testing.T) {
	if os.Getenv(alone) == "" {
		cmd := exec.Command(os.Args[0], "-test.run=^TestAProcessForbidsDumpsOfItself$", "-test.v")
		cmd.Env = append(os.Environ(), alone+"=yes")
		if out, err := cmd.CombinedOutput(); err != nil || !bytes.Contains(out, []byte("forbidden here")) {
			t.Errorf("%v\n%s", err, out)
		}
		return
	}
	dumpable := func() uintptr {
		now, _, no := syscall.RawSyscall(syscall.SYS_PRCTL, syscall.PR_GET_DUMPABLE, 0, 0)
		if no != 0 {
			t.Fatal(no)
		}
		return now
	}
	if dumpable() != 1 {
		t.Fatal("it is forbidden already, so this shows nothing")
	}
	if err := forbidDumps(); err != nil {
		t.Fatal(err)
	}
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_CORE, &limit); err != nil || limit != (syscall.Rlimit{}) || dumpable() != 0 {
		t.Errorf("core files of up to %+v, dumpable %d, %v", limit, dumpable(), err)
	}
	t.Log("forbidden here")
}

// A bot is ended by signals that dump what it does, in the middle of a call that
// carries a secret: nothing of it stands in what the dump says, and no file holds
// its memory.
func TestADumpInTheMiddleHoldsNoSecret(t *testing.T) {
	for _, c := range []struct {
		traceback string
		signal    syscall.Signal
		says      string
	}{
		{"all", syscall.SIGQUIT, "SIGQUIT: quit"},
		{"crash", syscall.SIGABRT, "SIGABRT: abort"},
	} {
		t.Run(c.traceback, func(t *testing.T) {
			coresAllowed(t)
			t.Setenv("GOTRACEBACK", c.traceback)
			d := dumped(t, c.signal)
			if n := bytes.Count(d.says, []byte("goroutine ")); n < 10 || !bytes.Contains(d.says, []byte(c.says)) {
				t.Fatalf("the dump shows %d goroutines:\n%s", n, clip(string(d.says), 3000))
			}
			if !bytes.Contains(d.says, []byte("net/http.(*Transport).RoundTrip")) && !bytes.Contains(d.says, []byte("net/http.(*persistConn).roundTrip")) {
				t.Error("no call is under way in the dump")
			}
			names := map[string]bool{}
			for _, s := range d.held {
				names[s.name] = true
				for _, form := range forms(s.value) {
					if bytes.Contains(d.says, []byte(form)) {
						t.Errorf("%s stands in what the dump says", s.name)
					}
				}
			}
			if !names["entra.secret"] {
				t.Errorf("the secret of the call was not held: %v", names)
			}
			if !regexp.MustCompile(`(?m)^Max core file size +0 +0 `).Match(d.limits) {
				t.Errorf("the bot may leave a core file:\n%s", d.limits)
			}
			if cores, err := filepath.Glob("*core*"); err != nil || len(cores) > 0 {
				t.Errorf("%v, %v", cores, err)
			}
		})
	}
}

// coresAllowed lets processes that this test starts leave core files as large as
// they like, if they do not forbid it themselves.
func coresAllowed(t *testing.T) {
	t.Helper()
	var old syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_CORE, &old); err != nil {
		t.Fatal(err)
	}
	if old.Max == 0 {
		t.Skip("this system lets no process leave a core file, so this would show nothing")
	}
	if err := syscall.Setrlimit(syscall.RLIMIT_CORE, &syscall.Rlimit{Cur: old.Max, Max: old.Max}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := syscall.Setrlimit(syscall.RLIMIT_CORE, &old); err != nil {
			t.Error(err)
		}
	})
}

// dump is what is left of a bot that was ended.
type dump struct {
	says, limits []byte
	held         []canary
}

// dumped plays until the bot makes a call with a secret in it, and ends the bot.
func dumped(t *testing.T, signal syscall.Signal) (d dump) {
	t.Helper()
	dir := t.TempDir()
	world, err := play.Open(play.Options{Lag: &microsoft.Lag{}, Slow: true})
	if err != nil {
		t.Fatal(err)
	}
	defer world.Close()
	arrived, answer := make(chan struct{}), make(chan struct{})
	world.ServiceNow.Faults.Add(sim.Fault{Method: "POST", Path: "/api/now/table/oauth_entity", Times: 1, While: func() { close(arrived); <-answer }})
	var log, story safeBuffer
	b, err := startBot(t.Context(), world, dir, "debug", &log)
	if err != nil {
		t.Fatalf("%v\n%s", err, log.String())
	}
	ctx, stop := context.WithCancel(t.Context())
	var playing sync.WaitGroup
	ended := make(chan error, 1)
	playing.Go(func() { ended <- play.Script{World: world, Guide: "connector", Out: &story}.Play(ctx) })
	defer playing.Wait()
	defer stop()
	defer close(answer)
	select {
	case <-arrived:
	case err := <-ended:
		t.Fatalf("no call came: %v\n%s", err, tail(story.String(), 3000))
	}
	pid := b.pid()
	d.limits, err = os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "limits"))
	if err != nil {
		t.Error(err)
	}
	close(b.quit) // it is not started again
	if err := syscall.Kill(pid, signal); err != nil {
		t.Error(err)
	}
	<-b.gone
	d.says = []byte(log.String())
	d.held = heldBy(t, filepath.Join(dir, "bot"))
	return d
}

// heldBy is every secret that a bot held: those of its configuration, and those in
// its state.
func heldBy(t *testing.T, dir string) []canary {
	t.Helper()
	key, err := os.ReadFile(filepath.Join(dir, "key"))
	if err != nil {
		t.Fatal(err)
	}
	out := []canary{
		{"the sealing key", string(key)}, {"the signing secret", play.SlackSigning}, {"the bot token", play.SlackToken},
		{"the client secret at Entra", play.GraphSecret}, {"the client secret at ServiceNow", play.ServiceNowSecret},
	}
	s, err := openState(&config{Data: filepath.Join(dir, "keyturn.db"), Key: secret{value: bot.NewSecret(string(key))}})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := s.Read(t.Context(), func(v engine.View) (err error) { out, err = ofRuns(v, out); return err }); err != nil {
		t.Fatal(err)
	}
	return out
}
