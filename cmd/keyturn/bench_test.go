//go:build unix

package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"keyturn/bot/engine"
	"keyturn/bot/incident"
	"keyturn/state"
)

const benchSecret = "a-signing-secret-for-measuring"

// BenchmarkSlashCommand measures signed slash commands over loopback until
// their answer, which is sent when it is on the disk, beside a handler that
// checks the signature and nothing else. The last line of each pair is what
// Keyturn reaches of it.
func BenchmarkSlashCommand(b *testing.B) {
	p := benchProcess(b)
	for _, connections := range []int{1, 32} {
		var bare float64
		b.Run(fmt.Sprintf("bare/connections=%d", connections), func(b *testing.B) {
			bare = loadServer(b, &http.Server{Handler: http.HandlerFunc(onlySigned)}, connections, slashRequest, "Nothing is being set up")
		})
		b.Run(fmt.Sprintf("keyturn/connections=%d", connections), func(b *testing.B) {
			rate := loadServer(b, p.server(), connections, slashRequest, "Nothing is being set up")
			if bare > 0 {
				b.ReportMetric(100*rate/bare, "%-of-bare")
			}
		})
	}
}

// benchProcess is everything that serve runs, with a store that waits for the
// disk.
func benchProcess(b *testing.B) *process {
	b.Helper()
	c, err := readConfig(benchConfig(b, b.TempDir()))
	if err != nil {
		b.Fatal(err)
	}
	tenants, wrong := c.check()
	if len(wrong) > 0 {
		b.Fatal(wrong)
	}
	p, err := build(c, tenants, slog.New(slog.DiscardHandler), time.Now)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(p.close)
	return p
}

// benchConfig writes the sessions' configuration with its data file in dir.
func benchConfig(b *testing.B, dir string) string {
	b.Helper()
	key, err := state.NewKey()
	if err != nil {
		b.Fatal(err)
	}
	b.Setenv("KEYTURN_KEY", key)
	b.Setenv("SLACK_SIGNING_SECRET", benchSecret)
	b.Setenv("SLACK_BOT_TOKEN", "xoxb-for-measuring")
	text, err := os.ReadFile("testdata/valid.yaml")
	if err != nil {
		b.Fatal(err)
	}
	path := filepath.Join(dir, "keyturn.yaml")
	text = bytes.ReplaceAll(text, []byte("data: keyturn.db"), []byte("data: "+filepath.Join(dir, "keyturn.db")))
	if err := os.WriteFile(path, text, 0o600); err != nil {
		b.Fatal(err)
	}
	return path
}

// onlySigned costs what any handler costs at least.
func onlySigned(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	got, err := hex.DecodeString(strings.TrimPrefix(r.Header.Get("X-Slack-Signature"), "v0="))
	if err != nil || !hmac.Equal(got, benchSignature(r.Header.Get("X-Slack-Request-Timestamp"), body)) {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = io.WriteString(w, `{"response_type":"ephemeral","text":"Nothing is being set up now."}`)
}

func benchSignature(at string, body []byte) []byte {
	mac := hmac.New(sha256.New, []byte(benchSecret))
	_, _ = mac.Write([]byte("v0:" + at + ":"))
	_, _ = mac.Write(body)
	return mac.Sum(nil)
}

var triggers atomic.Int64

// slashRequest is one slash command as it goes over the wire. Every one has a
// trigger of its own, or it would be answered as a repeat.
func slashRequest(at string) []byte {
	n := strconv.FormatInt(triggers.Add(1), 10)
	body := []byte(url.Values{
		"team_id": {"T0123ABCD"}, "user_id": {"U2"}, "user_name": {"ada"}, "channel_id": {"C0123"}, "command": {"/keyturn"}, "text": {"status"},
		"trigger_id": {"13345224609." + n}, "response_url": {"https://hooks.slack.com/commands/T0123ABCD/" + n},
	}.Encode())
	return fmt.Appendf(nil, "POST /slack/commands HTTP/1.1\r\nHost: keyturn\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: %d\r\nX-Slack-Request-Timestamp: %s\r\nX-Slack-Signature: v0=%x\r\n\r\n%s",
		len(body), at, benchSignature(at, body), body)
}

// loadServer sends b.N requests over that many connections and gives the rate.
// The client is as light as it can be, since it shares the processors.
func loadServer(b *testing.B, s *http.Server, connections int, request func(at string) []byte, says string) float64 {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	go func() { _ = s.Serve(l) }()
	defer s.Close()
	at := strconv.FormatInt(time.Now().Unix(), 10)
	requests := make(chan []byte, b.N)
	for range b.N {
		requests <- request(at)
	}
	close(requests)
	var took latencies
	var all sync.WaitGroup
	before := processorTime()
	b.ResetTimer()
	for range connections {
		all.Go(func() {
			if err := sendAll(l.Addr().String(), requests, says, &took); err != nil {
				b.Error(err)
			}
		})
	}
	all.Wait()
	b.StopTimer()
	rate := float64(b.N) / b.Elapsed().Seconds()
	b.ReportMetric(rate, "req/s")
	b.ReportMetric(float64((processorTime()-before).Microseconds())/float64(b.N), "cpu-µs/op")
	b.ReportMetric(float64(took.worst(99).Microseconds())/1000, "ms-p99")
	return rate
}

// processorTime is what this process has used, client and server together. It
// is told beside the rate, since the rate is also the disk's and that of
// whatever else the machine does.
func processorTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func sendAll(addr string, requests <-chan []byte, says string, took *latencies) error {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return err
	}
	defer conn.Close()
	answers := bufio.NewReader(conn)
	var mine []time.Duration
	for r := range requests {
		begun := time.Now()
		if _, err := conn.Write(r); err != nil {
			return err
		}
		resp, err := http.ReadResponse(answers, nil)
		if err != nil {
			return err
		}
		body, err := io.ReadAll(resp.Body)
		if err != nil || resp.StatusCode != http.StatusOK || !bytes.Contains(body, []byte(says)) {
			return fmt.Errorf("answered %s: %s (%v)", resp.Status, body, err)
		}
		mine = append(mine, time.Since(begun))
	}
	took.add(mine)
	return nil
}

// latencies collects how long answers took.
type latencies struct {
	mu   sync.Mutex
	list []time.Duration
}

func (l *latencies) add(list []time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.list = append(l.list, list...)
}

// worst is the time within which that many in a hundred were answered.
func (l *latencies) worst(percent int) time.Duration {
	if len(l.list) == 0 {
		return 0
	}
	slices.Sort(l.list)
	return l.list[(len(l.list)-1)*percent/100]
}

// served is the program itself, as a process of its own.
type served struct {
	cmd   *exec.Cmd
	out   *bufio.Scanner
	begun time.Time
	ready time.Duration
}

// startServed runs serve and waits until it says that it is ready.
func startServed(b *testing.B, program, config string) *served {
	b.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	b.Cleanup(cancel)
	s := &served{cmd: exec.CommandContext(ctx, program, "serve", "--config", config), begun: time.Now()}
	out, err := s.cmd.StderrPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := s.cmd.Start(); err != nil {
		b.Fatal(err)
	}
	s.out = bufio.NewScanner(out)
	var said []string
	for s.out.Scan() {
		said = append(said, s.out.Text())
		if strings.Contains(s.out.Text(), "Keyturn is ready") {
			s.ready = time.Since(s.begun)
			go func() { _, _ = io.Copy(io.Discard, out) }()
			return s
		}
	}
	_ = s.cmd.Wait()
	b.Fatalf("serve did not become ready:\n%s", strings.Join(said, "\n"))
	return nil
}

func (s *served) stop(b *testing.B) {
	b.Helper()
	_ = s.cmd.Process.Signal(os.Interrupt)
	if err := s.cmd.Wait(); err != nil && s.cmd.ProcessState.ExitCode() > 1 {
		b.Error(err)
	}
}

// program builds keyturn as it is released.
func program(b *testing.B) string {
	b.Helper()
	path := filepath.Join(b.TempDir(), "keyturn")
	if out, err := exec.Command("go", "build", "-trimpath", "-ldflags=-s -w", "-o", path, ".").CombinedOutput(); err != nil {
		b.Fatalf("%v\n%s", err, out)
	}
	return path
}

// filled writes that many incidents into the configuration's store.
func filled(b *testing.B, config string, incidents int) {
	b.Helper()
	c, err := readConfig(config)
	if err != nil {
		b.Fatal(err)
	}
	tenants, wrong := c.check()
	if len(wrong) > 0 {
		b.Fatal(wrong)
	}
	p, err := build(c, tenants, slog.New(slog.DiscardHandler), time.Now)
	if err != nil {
		b.Fatal(err)
	}
	defer p.close()
	samples := incident.Samples()
	for begin := 0; begin < incidents; begin += 1000 {
		err := p.store.Commit(b.Context(), func(engine.View) (engine.Changes, error) {
			var out engine.Changes
			for i := begin; i < min(begin+1000, incidents); i++ {
				issue, err := incident.Parse(samples[i%len(samples)])
				if err != nil {
					return out, err
				}
				issue.ID = fmt.Sprintf("EX%06d", i)
				out.Incidents = append(out.Incidents, incident.Known{Tenant: "contoso", Issue: issue, First: time.Now(), Seen: time.Now()})
			}
			return out, nil
		})
		if err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkStart is the time from the start of the process until it serves,
// with ten thousand incidents in its store.
func BenchmarkStart(b *testing.B) {
	config := benchConfig(b, b.TempDir())
	keyturn := program(b)
	filled(b, config, 10000)
	var total time.Duration
	n := 0
	for b.Loop() {
		s := startServed(b, keyturn, config)
		total += s.ready
		n++
		s.stop(b)
	}
	b.ReportMetric(float64(total.Milliseconds())/float64(n), "ms-to-ready")
}

// BenchmarkIdleMemory is what serve occupies when nothing happens, with ten
// thousand incidents in its store.
func BenchmarkIdleMemory(b *testing.B) {
	if _, err := os.Stat("/proc/self/status"); err != nil {
		b.Skip("how much memory a process occupies is read from /proc, which this system does not have")
	}
	config := benchConfig(b, b.TempDir())
	keyturn := program(b)
	filled(b, config, 10000)
	for b.Loop() {
		s := startServed(b, keyturn, config)
		for line, unit := range map[string]string{"RssAnon": "MB-anonymous", "VmRSS": "MB-resident"} {
			mb, err := resident(strconv.Itoa(s.cmd.Process.Pid), line)
			if err != nil {
				b.Fatal(err)
			}
			b.ReportMetric(mb, unit)
		}
		s.stop(b)
	}
}

// resident is a line of /proc/<pid>/status in megabytes.
func resident(pid, line string) (float64, error) {
	status, err := os.ReadFile("/proc/" + pid + "/status")
	if err != nil {
		return 0, err
	}
	for l := range strings.Lines(string(status)) {
		if rest, ok := strings.CutPrefix(l, line+":"); ok {
			kb, err := strconv.ParseFloat(strings.Fields(rest)[0], 64)
			return kb / 1024, err
		}
	}
	return 0, fmt.Errorf("/proc has no %s", line)
}
