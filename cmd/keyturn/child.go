package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"keyturn/sim/play"
	"keyturn/state"
)

// child is the bot as a process of its own, so that it can be killed alone. It
// is started again whenever it ends.
type child struct {
	cmd   func() *exec.Cmd
	world *play.World
	url   string
	log   io.Writer
	quit  chan struct{}
	gone  chan struct{}

	mu   sync.Mutex
	now  *exec.Cmd
	left int // lines until the next kill
}

// newChild writes a bot's configuration into a folder, to start it with.
func newChild(w *play.World, dir string, at home, level string, env []string, log io.Writer) (*child, error) {
	conf := filepath.Join(dir, "keyturn.yaml")
	if err := errors.Join(os.MkdirAll(dir, 0o700), os.WriteFile(conf, demoConfig(w, at, level), 0o600)); err != nil {
		return nil, fmt.Errorf("writing the bot's configuration: %w", err)
	}
	exe, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("finding this program: %w", err)
	}
	c := &child{world: w, url: "http://" + at.listen, log: log, quit: make(chan struct{}), gone: make(chan struct{})}
	c.cmd = func() *exec.Cmd {
		cmd := exec.Command(exe, "serve", "--config", conf)
		cmd.Args[0] = "keyturn"
		cmd.Env = append(os.Environ(), env...)
		cmd.Stdout, cmd.Stderr = log, log
		cmd.SysProcAttr = dieWithParent()
		return cmd
	}
	return c, nil
}

// begin starts the bot, which is then started again whenever it ends, and waits
// until it answers.
func (c *child) begin(ctx context.Context) error {
	if err := c.start(); err != nil {
		return err
	}
	go c.keep()
	if err := c.ready(ctx); err != nil {
		c.stop()
		return err
	}
	return nil
}

// demoKey is the sealing key of this demo's state, made at its first start.
func demoKey(path string) (string, error) {
	b, err := os.ReadFile(path)
	if err == nil {
		return string(b), nil
	}
	if !errors.Is(err, os.ErrNotExist) {
		return "", fmt.Errorf("reading the demo's key: %w", err)
	}
	key, err := state.NewKey()
	if err != nil {
		return "", err
	}
	return key, errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte(key), 0o600))
}

func (c *child) start() error {
	cmd := c.cmd()
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("starting the bot: %w", err)
	}
	c.mu.Lock()
	c.now = cmd
	c.mu.Unlock()
	return nil
}

// keep starts the bot again when it ends, until stop.
func (c *child) keep() {
	defer close(c.gone)
	for {
		c.mu.Lock()
		cmd := c.now
		c.mu.Unlock()
		_ = cmd.Wait()
		select {
		case <-c.quit:
			return
		case <-time.After(50 * time.Millisecond):
		}
		if err := c.start(); err != nil {
			fmt.Fprintln(c.log, "keyturn:", err)
			return
		}
	}
}

// ready waits until the bot answers.
func (c *child) ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.url+"/healthz", nil)
		if err != nil {
			return err
		}
		resp, err := http.DefaultClient.Do(req)
		if err == nil {
			resp.Body.Close()
			if !c.world.Socket || c.world.Slack.Sockets() > 0 {
				return nil
			}
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("the bot does not answer at %s; its log says why", c.url)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func (c *child) pid() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now.Process.Pid
}

// kill ends the bot as a power cut would.
func (c *child) kill() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now.Process.Kill()
}

// killEvery kills the bot after every so many calls and waits until it is back.
func (c *child) killEvery(n int) func(context.Context) error {
	c.left = n
	return func(ctx context.Context) error {
		if c.left--; c.left > 0 {
			return nil
		}
		c.left = n
		old := c.pid()
		if err := c.kill(); err != nil {
			return fmt.Errorf("killing the bot: %w", err)
		}
		for c.pid() == old {
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(10 * time.Millisecond):
			}
		}
		return c.ready(ctx)
	}
}

// stop ends the bot and waits for it.
func (c *child) stop() {
	close(c.quit)
	c.mu.Lock()
	_ = c.now.Process.Signal(syscall.SIGTERM)
	c.mu.Unlock()
	select {
	case <-c.gone:
	case <-time.After(12 * time.Second):
		_ = c.kill()
		<-c.gone
	}
}
